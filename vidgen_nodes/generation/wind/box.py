# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The wind on the solver's box: how fast it blows in, and which soot belongs to flames that lean.

Guarantees that wind blows only where it reaches a fire. The flame from which the solver takes its heat stands upright:
its wind bends what rises from there, and comes to the line of ``lean.py`` by itself. Leaves out the wind's profile (the
solver blows at one speed all over a side: that at the middle of the box), its turbulence, and air that a wall close
behind the side would turn: such lines of cells are taken for part of the wall, or the air would be squeezed through
what is left between them.
"""

from __future__ import annotations

import numpy as np

from vidgen_nodes.generation.flow.domain import FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.wind.fires import WindOnFires
from vidgen_nodes.generation.wind.lean import Lean
from vidgen_nodes.packets import BoolArray, Float32Array

_BEFORE = 0.25  # of the box, which is kept free of fires: a wall so near behind a side takes its wind


def wind_on_box(wind: WindOnFires | None, grid: FlowGrid) -> tuple[float, float]:
    """Wind at the sides of the box (east, north) in m/s; nothing where it reaches no fire."""
    if wind is None or not wind.leans:
        return 0.0, 0.0
    first = next(iter(wind.leans.values()))
    speed_mps = first.speed_at_mps(_middle_m(grid))
    east, north = (speed_mps * part + 0.0 for part in first.towards)
    return east, north


def before_walls(
    solid: BoolArray | None, wind_mps: tuple[float, float], shape: tuple[int, int, int]
) -> BoolArray | None:
    """Cells (nz, ny, nx) that are no air, with those between a side that the wind comes through and a wall behind it.

    Args:
        solid: cells of walls; None: there are none.
        wind_mps: (east, north).
        shape: of the box.
    """
    if solid is None or not any(wind_mps):
        return solid
    found: BoolArray = solid.copy()
    for axis, speed in ((2, wind_mps[0]), (1, wind_mps[1])):
        if speed == 0.0:
            continue
        lines = np.moveaxis(solid, axis, 0)
        filled = np.moveaxis(found, axis, 0)
        if speed < 0.0:
            lines, filled = lines[::-1], filled[::-1]
        depth = max(1, round(_BEFORE * shape[axis]))
        blocked = lines[:depth].any(axis=0)
        first = np.argmax(lines[:depth], axis=0)
        filled[:depth] |= blocked & (np.arange(depth)[:, None, None] < first)
    return found


def wind_record(wind_mps: tuple[float, float], grid: FlowGrid, still: int) -> Parameters:
    """What the box is blown at with, and why."""
    why = "scenario, at the middle of the box" if any(wind_mps) else "it reaches no fire: still air"
    return {
        "wind": entry(list(wind_mps), "m/s east, north", why),
        "wind_height": entry(_middle_m(grid), "m above the floor of the box", "its middle"),
        "still": entry(
            still, "cells", f"before walls within {_BEFORE:g} of the box behind its windward sides"
        ),
        "heat_released": entry("upright", "", "the solver's wind bends what rises"),
    }


def outside_leaning(
    source: HeatSource, lean: Lean, grid: FlowGrid, smoke_from: float, beside: float
) -> Float32Array:
    """Share of the soot of each cell (nz, ny, nx) that has left a leaning flame; of upright ones, ``smoke_layer`` says.

    Args:
        source: the flame in still air.
        lean: what leans it.
        grid: the cells.
        smoke_from: flame lengths along its line from which on soot leaves.
        beside: burning diameters from the line within which soot is the flame's.
    """
    axis = lean.axis(source.heat_release_kw, source.diameter_m, source.height_m)
    east, north, up = source.position_m
    z_m, y_m, x_m = grid.centres_m()
    height = z_m - up
    off = axis.offset_at(height)[:, None, None]
    dx, dy = x_m[None, None, :] - east, y_m[None, :, None] - north
    away = np.hypot(dx - off * lean.towards[0], dy - off * lean.towards[1])
    inside_m = beside * source.diameter_m + grid.cell_m
    outside = np.clip((away - inside_m) / grid.cell_m, 0.0, 1.0)
    risen = np.where(height < axis.tip_m, axis.path_at(height) / source.height_m, 1.0)
    left = np.clip((risen - smoke_from) / (1.0 - smoke_from), 0.0, 1.0)
    left = left * left * (3.0 - 2.0 * left)
    return np.maximum(outside, left[:, None, None]).astype(np.float32)


def _middle_m(grid: FlowGrid) -> float:
    return 0.5 * grid.shape[0] * grid.cell_m
