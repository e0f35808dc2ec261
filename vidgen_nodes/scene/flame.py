# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a scenario may burn: combustible paths from its ignitions, and the room a flame takes there.

Guarantees: a cell is open only if it is combustible and joined to an ignition by combustible cells
(8 neighbours), or lies within the stand-off of such a cell; taking fuel away only ever closes cells and
shrinks their columns. Leaves out: when the fire gets there (``generation``) and what the LiDAR saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from vidgen_nodes.packets import BoolArray, Float32Array, Grid, Ignition
from vidgen_nodes.scene.building import CellFuel

PLUME_CLEARANCE_M = 12.0  # room for flame and plume above the highest point of the path
_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True, eq=False)
class FlameRegion:
    """Cells that flames may fill. All layers are (rows, cols)."""

    cells: BoolArray  # paths and stand-off
    path: npt.NDArray[np.int32]  # label of the combustible path, 0 off the paths
    floor_m: Float32Array  # lowest fuel within the stand-off; NaN where closed
    ceiling_m: Float32Array  # highest fuel of the path plus PLUME_CLEARANCE_M; NaN where closed
    ignitions: dict[int, tuple[str, ...]]  # names of the ignitions on each path, by label
    refused: tuple[str, ...]  # one sentence for each ignition that opens nothing
    sentences: dict[tuple[int, int], str] = field(
        default_factory=dict, repr=False
    )  # of scene.permits, once made


def flame_region(
    fuel: CellFuel, grid: Grid, ignitions: tuple[Ignition, ...], standoff_m: float
) -> FlameRegion:
    """Follow the combustible paths from every ignition."""
    labels, _ = ndimage.label(fuel.combustible, _EIGHT_NEIGHBOURS)
    burning: dict[int, tuple[str, ...]] = {}
    refused: list[str] = []
    for ignition in ignitions:
        lit = sorted({int(labels[cell]) for cell in _cells_lit(ignition, fuel, grid)})
        if not lit:
            x, y, z = ignition.position_m
            refused.append(
                f"ignition {ignition.name} at ({x:.2f}, {y:.2f}, {z:.2f}) m is not within half a cell "
                f"({grid.resolution_m / 2:.2f} m) of a surface known to burn: it opens nothing"
            )
        for label in lit:
            burning[label] = (*burning.get(label, ()), ignition.name)
    floor_m, ceiling_m = np.full(grid.shape, np.inf, np.float32), np.full(grid.shape, -np.inf, np.float32)
    disc = standoff_disc(grid, standoff_m)
    for label in sorted(burning):
        on_path = labels == label
        reach = ndimage.binary_dilation(on_path, disc)
        lowest = np.where(on_path, fuel.lowest_m, np.inf)
        lowest = ndimage.minimum_filter(lowest, footprint=disc, mode="constant", cval=np.inf)
        np.minimum(floor_m, lowest, out=floor_m, where=reach)
        top_m = np.float32(fuel.highest_m[on_path].max() + PLUME_CLEARANCE_M)
        np.maximum(ceiling_m, top_m, out=ceiling_m, where=reach)
    cells = np.isfinite(floor_m)
    return FlameRegion(
        cells=cells,
        path=np.where(np.isin(labels, list(burning)), labels, 0).astype(np.int32),
        floor_m=np.where(cells, floor_m, np.float32(np.nan)),
        ceiling_m=np.where(cells, ceiling_m, np.float32(np.nan)),
        ignitions=burning,
        refused=tuple(refused),
    )


def standoff_disc(grid: Grid, standoff_m: float) -> BoolArray:
    """Cells (n, n) whose centres lie within ``standoff_m`` of the middle one; n is odd."""
    reach = int(standoff_m / grid.resolution_m + 1e-9)
    offset = np.arange(-reach, reach + 1) * grid.resolution_m
    disc: BoolArray = np.hypot(offset[:, None], offset[None, :]) <= standoff_m + 1e-9
    return disc


def _cells_lit(ignition: Ignition, fuel: CellFuel, grid: Grid) -> list[tuple[int, int]]:
    """Combustible cells within half a cell of the ignition, in plan and in height."""
    if not np.all(np.isfinite(ignition.position_m)):
        return []
    x, y, z = ignition.position_m
    half_m = grid.resolution_m / 2
    east = (x - grid.origin_east_m) / grid.resolution_m
    north = (y - grid.origin_north_m) / grid.resolution_m
    if not (-1.0 < east < grid.cols + 1.0 and -1.0 < north < grid.rows + 1.0):
        return []
    lit = []
    for row in range(max(0, int(north) - 2), min(grid.rows, int(north) + 3)):
        for col in range(max(0, int(east) - 2), min(grid.cols, int(east) + 3)):
            away = np.hypot(max(col - east, east - col - 1, 0.0), max(row - north, north - row - 1, 0.0))
            low_m, high_m = fuel.lowest_m[row, col] - half_m, fuel.highest_m[row, col] + half_m
            if fuel.combustible[row, col] and away <= 0.5 and low_m <= z <= high_m:
                lit.append((row, col))
    return lit
