# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The passes over the returns of a scan that sort them into cells and add them up, and over cells that need loops.

Guarantees: the order of the returns and of the arithmetic is fixed, and no two operations are joined into one
that rounds otherwise: the same bytes on every processor. What the numbers mean is said in ``cell_returns.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import Float32Array, FloatArray

Indices = npt.NDArray[np.intp]
Reals = npt.NDArray[Any]  # float32 or float64, all of a call alike


@compiled
def sort_into_cells(
    points: Reals,
    rotation: Reals,
    offset: Reals,
    per_cell: Reals,
    rows: int,
    cols: int,
    cell: Indices,
    east: Float32Array,
    north: Float32Array,
    z_m: Float32Array,
) -> int:
    """Turn points (N, 3) and write those that lie on the grid to the front of the last four; returns how many.

    Args:
        points: in the LiDAR frame.
        rotation: (3, 3) into map.
        offset: (3,) of the LiDAR, east and north from the corner of the grid, m.
        per_cell: (1,) cells a metre.
        rows: of the grid.
        cols: of the grid.
        cell: (N,) row * cols + col.
        east: (N,) place in the cell, 0..1.
        north: the same.
        z_m: (N,) height in map.
    """
    count = 0
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        e = (rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z + offset[0]) * per_cell[0]
        n = (rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z + offset[1]) * per_cell[0]
        up = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z + offset[2]
        if not (e >= 0.0 and e < cols and n >= 0.0 and n < rows and np.isfinite(up)):
            continue
        row, col = int(n), int(e)
        cell[count] = row * cols + col
        east[count], north[count], z_m[count] = e - col, n - row, up
        count += 1
    return count


@compiled
def add_to_cells(
    cell: Indices,
    x: Float32Array,
    y: Float32Array,
    z: Float32Array,
    level: Float32Array,
    band: np.float32,
    low: np.float32,
    table: FloatArray,
) -> None:
    """Add returns (N,) to the table (cells, 11); what belongs to a cell lies together.

    Args:
        cell: of each return.
        x: place in the cell.
        y: the same.
        z: height.
        level: (cells,) heights are counted from it.
        band: returns further from the level do not enter the sums.
        low: returns so far below it are counted as below.
        table: count, count below, sums of x y z, sums of xx xy yy xz yz zz.
    """
    for i in range(cell.size):
        at = cell[i]
        a, b, c = x[i], y[i], z[i] - level[at]
        if c < -low:
            table[at, 1] += 1.0
        if not abs(c) <= band:
            continue
        table[at, 0] += 1.0
        table[at, 2] += a
        table[at, 3] += b
        table[at, 4] += c
        table[at, 5] += a * a
        table[at, 6] += a * b
        table[at, 7] += b * b
        table[at, 8] += a * c
        table[at, 9] += b * c
        table[at, 10] += c * c


@compiled
def smallest_roots(
    trace: FloatArray, minors: FloatArray, determinant: FloatArray, steps: int, ends: float, root: FloatArray
) -> None:
    """The smallest root of each ``x^3 - trace x^2 + minors x - determinant``, by Newton's steps from 0.

    Args:
        trace: (N,), of positive semidefinite matrices, as the other two.
        minors: (N,).
        determinant: (N,).
        steps: at most so many.
        ends: a step so small against the root is the last.
        root: (N,), written.
    """
    for i in range(trace.size):
        at, t, m, d = 0.0, trace[i], minors[i], determinant[i]
        for _ in range(steps):
            value, slope = d - at * (m - at * (t - at)), m - at * (2.0 * t - 3.0 * at)
            step = value / slope if slope > 0.0 and value > 0.0 else 0.0
            small = not step > ends * at
            # It is at most the mean of the three: near three equal ones, value and slope are rounding.
            at = min(at + step, t / 3.0)
            if small:
                break
        root[i] = at
