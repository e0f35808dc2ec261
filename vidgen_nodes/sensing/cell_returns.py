# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The returns of one scan sorted into cells, and their sums.

Guarantees: the same returns give the same bytes on every processor (no matrix products, which round
differently from one to the next). Returns off the window and points that are not finite are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import Float32Array, FloatArray, Grid, Pose
from vidgen_nodes.sensing.cell_passes import add_to_cells, sort_into_cells
from vidgen_nodes.sensing.transform import rotation_matrix

Indices = npt.NDArray[np.intp]
_SAMPLED: Final = 16


@dataclass(frozen=True, slots=True)
class CellReturns:
    """Returns inside the window, each (N,)."""

    cell: Indices  # row * cols + col
    east: Float32Array  # place in the cell, 0..1
    north: Float32Array
    z_m: Float32Array  # height in map
    outside: int  # returns off the window


@dataclass(frozen=True, slots=True)
class CellSums:
    """Sums over the returns of each cell, (cells,)."""

    count: Indices
    mean: FloatArray  # (3, cells): east and north in the cell 0..1, height m; 0 without returns
    moments: FloatArray  # (6, cells) xx xy yy xz yz zz about that mean, summed; x, y in cells, z in m


def locate(points_m: Float32Array | FloatArray, map_T_lidar: Pose, grid: Grid) -> CellReturns:
    """Sort points (N, 3) of the LiDAR frame into the cells of a grid."""
    # Relative to the window, where float32 is good to micrometres.
    shift = map_T_lidar.translation_m - (grid.origin_east_m, grid.origin_north_m, 0.0)
    kind = points_m.dtype
    rotation = rotation_matrix(map_T_lidar).astype(kind)
    size = len(points_m)
    cell = np.empty(size, np.intp)
    east, north, z_m = (np.empty(size, np.float32) for _ in range(3))
    count = sort_into_cells(
        points_m, rotation, shift.astype(kind), np.array([1.0 / grid.resolution_m], kind), grid.rows, grid.cols,
        cell, east, north, z_m,
    )  # fmt: skip
    return CellReturns(cell[:count], east[:count], north[:count], z_m[:count], size - count)


def middle(points_m: Float32Array, map_T_lidar: Pose, reach_m: float) -> tuple[float, float]:
    """Mean place in map, east and north, m, of the points within a reach of the LiDAR; NaN without any.

    Of every ``_SAMPLED``-th point: a window does not need more.
    """
    points = points_m[::_SAMPLED]
    px, py, pz = points.T
    points = points[px * px + py * py + pz * pz <= np.float32(reach_m * reach_m)]
    if not len(points):
        return float("nan"), float("nan")
    x, y, z = points.mean(axis=0, dtype=np.float64).tolist()
    rotation, offset = rotation_matrix(map_T_lidar), map_T_lidar.translation_m
    east, north = (
        float(row[0] * x + row[1] * y + row[2] * z + at)
        for row, at in zip(rotation[:2], offset[:2], strict=True)
    )
    return east, north


def add_up(returns: CellReturns, cells: int) -> CellSums:
    """Count, mean and centred second moments per cell."""
    everything = np.float32(np.inf)
    return add_near(returns, np.zeros(cells, np.float32), everything, everything)[0]


def add_near(
    returns: CellReturns, level_m: Float32Array, band_m: float, low_m: float
) -> tuple[CellSums, Indices]:
    """The same of the returns within a band about a level (cells,), heights counted from it; and how many lie below.

    Args:
        returns: of one scan.
        level_m: height per cell.
        band_m: half its width.
        low_m: returns further below the level than this are counted in the second result, (cells,).
    """
    table = np.zeros((level_m.size, 11))
    add_to_cells(
        returns.cell, returns.east, returns.north, returns.z_m,
        level_m, np.float32(band_m), np.float32(low_m), table,
    )  # fmt: skip
    columns = np.ascontiguousarray(table.T)
    count, below = columns[:2].astype(np.intp)
    sums, products = columns[2:5], columns[5:]
    safe = np.maximum(count, 1)
    for row, (a, b) in enumerate(((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))):
        products[row] -= sums[a] * sums[b] / safe
    return CellSums(count, sums / safe, products), below


def prepare() -> None:
    """Have the machine code ready before the first scan, not when it comes."""
    grid = Grid(0.0, 0.0, 1.0, 1, 1)
    returns = locate(
        np.full((1, 3), 0.5, np.float32), Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])), grid
    )
    add_up(returns, 1)
