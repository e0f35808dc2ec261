# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers that shape the flame over a burning surface, each with unit and meaning.

Guarantees that the record of a run names every one of them. Leaves out the field itself (``sheet.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from vidgen_nodes.generation.physics_record import Parameters, entry


def _look(default: float, unit: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True, slots=True)
class SheetModel:
    """Every number of the sheet that is not in a cited formula."""

    flame_length: float = _look(0.067, "m/(kW/m)^(2/3)", "x_f = 0.067 Q'^(2/3), Delichatsios")
    velocity: float = _look(1.9, "1", "line plume: u = 1.9 (g Q' / (rho cp T))^(1/3), from memory")
    convection_fraction: float = _look(0.6, "1", "assumed: eddies rise at this share of that velocity")
    thickness_m: float = _look(0.22, "m", "assumed: of the flame at its foot")
    thickness_growth: float = _look(0.09, "1", "assumed: gained by each metre of height")
    most_thickness_m: float = _look(0.8, "m", "assumed")
    depth_m: float = _look(1.2, "m", "assumed: nothing is drawn farther off the surface")
    flame_rise_k: float = _look(900.0, "K", "assumed: inside a luminous eddy")
    tip_rise_k: float = _look(350.0, "K", "assumed: mean at the flame tip; above it falls as 1/z, line plume")
    luminous_soot_k: float = _look(1350.0, "K", "assumed: soot whose light the eye sees")
    char_k: float = _look(900.0, "K", "assumed: burning surface under the flame")
    char_warming_s: float = _look(20.0, "s of fire", "assumed: until the surface is so hot")
    char_cooling_s: float = _look(120.0, "s of fire", "assumed: time constant after burn-out")
    char_opacity: float = _look(0.9, "1", "assumed: emissivity of char, across one voxel")
    smoke_height: float = _look(1.5, "flame heights", "assumed: smoke is drawn up to here")
    smoke_from: float = _look(0.4, "flame heights", "assumed: soot leaves the flame from here up")
    ragged_base: float = _look(0.10, "1", "assumed: noise on the flame surface at its foot")
    ragged_tip: float = _look(0.30, "1", "assumed: noise added at the tip")
    edge_softness: float = _look(0.45, "1", "assumed: width of the flame surface")
    eddy_m: float = _look(0.20, "m", "assumed: standard deviation of an eddy, across")
    eddy_s: float = _look(0.10, "s", "assumed: the same, in time")
    eddy_ratio: float = _look(2.5, "1", "assumed: size of the larger eddies over that of the small ones")
    taper: float = _look(
        0.9, "1", "assumed: how much the tip of the flame draws in from the ends of what burns"
    )
    taper_m: float = _look(0.6, "m", "assumed: from so far inside the ends")
    slowest_hz: float = _look(0.5, "Hz", "assumed: slower changes are damped")
    least_heat_kw: float = _look(5.0, "kW", "below this nothing is drawn")
    edge_fade_m: float = _look(0.2, "m", "the field fades so far inside the border of the open columns")


def sheet_parameters(model: SheetModel) -> Parameters:
    """Every number of the model with its unit and what it means."""
    return {
        item.name: entry(getattr(model, item.name), item.metadata["unit"], item.metadata["source"])
        for item in fields(model)
    }
