# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The fires that a scenario lights, as they stand on one building: their lattices, and the wind on them.

Guarantees that every number read of a fire is in a record. Leaves out what is drawn of them (``generator.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidgen_nodes.generation.physics_record import Parameters, Reading, entry
from vidgen_nodes.generation.plume import FireState, Plume
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.solved_smoke import FLAME_GONE, FLAME_TIP
from vidgen_nodes.generation.wind.fires import WindOnFires
from vidgen_nodes.packets import Float32Array, FloatArray, Ignition, Wind
from vidgen_nodes.scene.building import Building

_UNITS = {
    "name": "",
    "position_m": "m in map",
    "start_s": "s after scenario start",
    "growth_kw_per_s2": "kW/s2",
    "peak_kw": "kW",
    "diameter_m": "m",
    "radiative_fraction": "1",
    "soot_yield": "kg/kg",
    "heat_of_combustion_kj_per_kg": "kJ/kg",
    "flame_absorption_per_m": "1/m",
}


@dataclass(frozen=True, slots=True, eq=False)
class LitFires:
    """All of them."""

    plumes: tuple[Plume, ...]
    wind: WindOnFires | None  # None: still air


def lit_fires(
    ignitions: Sequence[Ignition],
    seed: int,
    ambient_k: float,
    resolution_m: float,
    wind: Wind | None,
    building: Building | None,
) -> LitFires:
    """The fires on a building, which may keep the wind off them.

    Raises:
        ConfigError: a fire too large for the resolution.
    """
    blown = None if wind is None else WindOnFires(wind, ignitions, ambient_k, building)
    leans = {} if blown is None else blown.leans
    model = PlumeModel()
    return LitFires(
        tuple(Plume(item, seed, ambient_k, resolution_m, model, leans.get(item.name)) for item in ignitions),
        blown,
    )


def below_tip(is_open: Float32Array, plume: Plume, state: FireState) -> Float32Array:
    """Open voxels of a flame whose smoke the solver draws."""
    height_m: FloatArray = plume.resolution_m * (np.arange(plume.shape[0], dtype=np.float64) + 0.5)
    if (axis := plume.axis(state)) is not None:
        height_m = axis.path_at(height_m)
    share = (FLAME_GONE - height_m / state.flame_height_m) / (FLAME_GONE - FLAME_TIP)
    return np.asarray(is_open * np.clip(share, 0.0, 1.0).astype(np.float32)[:, None, None])


def read_ignition(ignition: Ignition) -> tuple[Ignition, Parameters]:
    """The ignition made of what was read of it, and the record of that."""
    reading = Reading(ignition, "scenario")
    values: dict[str, Any] = {name: reading.get(name, unit) for name, unit in _UNITS.items()}
    return Ignition(**values), reading.record


def state_record(plume: Plume, state: FireState) -> Parameters:
    """A fire at one instant."""
    leaning: Parameters = {}
    if (axis := plume.axis(state)) is not None:
        leaning["flame_lean_deg"] = entry(axis.lean_deg, "deg from upright", "AGA 1974")
        leaning["flame_tip_m"] = entry(axis.tip_m, "m above the foot", "AGA 1974")
    return {
        "heat_release_kw": entry(state.heat_release_kw, "kW", "t-squared growth, NFPA 92"),
        "burning_diameter_m": entry(state.diameter_m, "m", "constant release per area"),
        "flame_height_m": entry(state.flame_height_m, "m", "Heskestad 1983"),
        "soot_absorption_per_m": entry(
            state.soot_absorption_per_m, "1/m", "luminous flame that radiates its share of the heat"
        ),
        "flame_radiated_kw": entry(state.radiated_kw, "kW", "grey gas in a mean beam length, Hottel"),
        "time_s": entry(state.time_s, "s after ignition", "event time"),
        **leaning,
    }
