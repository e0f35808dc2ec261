# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which fires of a scenario the wind reaches on a building, and how it leans them.

A fire under a roof, in the lee of a wall or named ``sheltered`` stands upright. Guarantees that every number read is in
``record``, with the reason for each fire. Leaves out how walls turn the wind: it is reached or it is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.physics_record import Parameters, Reading, entry
from vidgen_nodes.generation.wind.lean import Lean, lean_constants
from vidgen_nodes.packets import FloatArray, Ignition, Wind
from vidgen_nodes.scenario.wind import towards, wind_units
from vidgen_nodes.scene.building import Building

LEE_HEIGHTS = 5.0  # assumed: a surface so many flame heights upwind, at half the flame's height, is shelter
ELEMENT = "wind"


def read_wind(wind: Wind) -> tuple[Wind, Parameters]:
    """The wind made of what was read of it, and the record of that, as ``wind``."""
    reading = Reading(wind, "scenario")
    values = {name: reading.get(name, unit) for name, unit in wind_units().items()}
    return Wind(**values), {"wind": reading.record}


class WindOnFires:
    """The wind of a scenario among the surfaces of a building.

    Args:
        wind: of the scenario.
        ignitions: of the scenario.
        ambient_k: of the air.
        building: None: nothing stands in the way.
    """

    def __init__(
        self, wind: Wind, ignitions: Sequence[Ignition], ambient_k: float, building: Building | None
    ) -> None:
        self.wind, read = read_wind(wind)
        self.leans: dict[str, Lean] = {}
        fires: Parameters = {}
        for item in ignitions:
            lean, why = self._lean(item, ambient_k, building)
            fires[item.name] = {"reached": entry(lean is not None, "", why)}
            if lean is not None:
                self.leans[item.name] = lean
                fires[item.name] |= lean.record()
        self.record: Parameters = {
            **read,
            "fires": fires,
            "lee_heights": entry(
                LEE_HEIGHTS, "flame heights", "assumed: a surface so near upwind is shelter"
            ),
            **lean_constants(),
        }

    def _lean(self, item: Ignition, ambient_k: float, building: Building | None) -> tuple[Lean | None, str]:
        """What leans one fire and why, or why nothing does."""
        if item.name in self.wind.sheltered:
            return None, "the scenario says that it is sheltered"
        length_m = fire.flame_height_m(item.peak_kw, item.diameter_m)
        east, north = towards(self.wind)
        x, y, z = item.position_m
        middle: FloatArray = np.array([x, y, z + 0.5 * length_m])
        over_m, upwind_m, downwind_m = math.inf, math.inf, math.inf
        if building is not None and building.placed:
            rays = np.array([[0.0, 0.0, 1.0], [-east, -north, 0.0], [east, north, 0.0]], np.float32)
            over_m, upwind_m, downwind_m = building.occlusion_depth(middle, rays).astype(np.float64).tolist()
        if math.isfinite(over_m):
            return None, f"a surface is {over_m + 0.5 * length_m:.2f} m over its foot"
        if upwind_m <= LEE_HEIGHTS * length_m:
            return None, f"in the lee of a surface {upwind_m:.2f} m upwind"
        area_m2 = 0.25 * math.pi * item.diameter_m**2
        lean = Lean(
            towards=(east, north),
            speed_mps=self.wind.speed_mps,
            height_m=self.wind.height_m,
            exponent=self.wind.exponent,
            fuel_kg_per_m2_s=item.peak_kw / area_m2 / item.heat_of_combustion_kj_per_kg,
            radiative_fraction=item.radiative_fraction,
            ambient_k=ambient_k,
            most_m=downwind_m,
        )
        return lean, "no surface over it, and none near upwind"
