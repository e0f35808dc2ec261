# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The wind on the solver's box: how fast it blows in, and how flames lean in it.

Guarantees that wind blows only where it reaches a fire, and that no leaning flame leaves the box or the air in it.
Leaves out the wind's profile (the solver blows at one speed all over a side: that at the middle of the box) and its
turbulence.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from vidgen_nodes.generation.flow.domain import FlowGrid
from vidgen_nodes.generation.lean import Lean
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.smoke_box import Place
from vidgen_nodes.generation.smoke_sources import LitFlame
from vidgen_nodes.generation.wind_on_fires import WindOnFires
from vidgen_nodes.packets import FloatArray


def wind_on_box(
    wind: WindOnFires | None, feet_m: Mapping[str, Place], grid: FlowGrid
) -> tuple[tuple[float, float], dict[str, Lean]]:
    """Wind at the sides of the box (east, north) in m/s, and what leans each fire in it; nothing in still air.

    Args:
        wind: of the scenario.
        feet_m: where the fires stand.
        grid: the box.
    """
    if wind is None or not wind.leans:
        return (0.0, 0.0), {}
    leans = {
        name: dataclasses.replace(lean, most_m=_most_m(lean, feet_m[name], grid))
        for name, lean in wind.leans.items()
    }
    first = next(iter(leans.values()))
    speed_mps = first.speed_at_mps(0.5 * grid.shape[0] * grid.cell_m)
    east, north = (speed_mps * part for part in first.towards)
    return (east, north), leans


def wind_record(wind_mps: tuple[float, float], leans: Mapping[str, Lean], grid: FlowGrid) -> Parameters:
    """What the box is blown at with, and how far its flames may lean."""
    why = "scenario, at the middle of the box" if leans else "it reaches no fire: still air"
    return {
        "wind": entry(list(wind_mps), "m/s east, north", why),
        "wind_height": entry(0.5 * grid.shape[0] * grid.cell_m, "m above the floor", "middle of the box"),
        "leaning": {
            name: entry(lean.most_m, "m downwind at most", "a cell off the first surface and the box's side")
            for name, lean in leans.items()
        },
    }


def outside_leaning(flame: LitFlame, grid: FlowGrid, smoke_from: float, beside: float) -> FloatArray:
    """Share of the soot of each cell (nz, ny, nx) that has left a leaning flame; of upright ones, ``smoke_layer`` says.

    Args:
        flame: that leans.
        grid: the cells.
        smoke_from: flame lengths along the line from which on soot leaves.
        beside: burning diameters from the line within which soot is the flame's.
    """
    assert flame.axis is not None
    source, axis = flame.upright, flame.axis
    east, north, up = source.position_m
    z_m, y_m, x_m = grid.centres_m()
    height = z_m - up
    off = axis.offset_at(height)[:, None, None]
    dx, dy = x_m[None, None, :] - east, y_m[None, :, None] - north
    away = np.hypot(dx - off * flame.towards[0], dy - off * flame.towards[1])
    inside_m = beside * source.diameter_m + grid.cell_m
    outside = np.clip((away - inside_m) / grid.cell_m, 0.0, 1.0)
    risen = np.where(height < axis.tip_m, axis.path_at(height) / source.height_m, 1.0)
    left = np.clip((risen - smoke_from) / (1.0 - smoke_from), 0.0, 1.0)
    left = left * left * (3.0 - 2.0 * left)
    return np.asarray(np.maximum(outside, left[:, None, None]), dtype=np.float32)


def _most_m(lean: Lean, foot_m: Place, grid: FlowGrid) -> float:
    """How far a flame may lean: a cell off the surface downwind, whose cell is no air, and off the box's side."""
    most_m = lean.most_m - grid.cell_m
    for part, foot, low, count in zip(
        lean.towards, foot_m[:2], grid.origin_m[:2], grid.shape[:0:-1], strict=True
    ):
        if abs(part) > 1e-9:
            end = low + (count * grid.cell_m if part > 0.0 else 0.0)
            most_m = min(most_m, (end - foot) / part - grid.cell_m / abs(part))
    return max(most_m, 0.0) if math.isfinite(most_m) else math.inf
