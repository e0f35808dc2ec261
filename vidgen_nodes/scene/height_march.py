# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rays over a grid of heights, cell by cell, in a compiled loop.

Guarantees: finds the first solid column exactly, whatever the step of the rays. Leaves out which heights
count (``scene.measured``).
"""

from __future__ import annotations

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import Float32Array, FloatArray, Grid

_BLOCK = 4  # cells along the side of a block, whose highest column a ray may pass above
_NUDGE = 1e-9  # along the ray, in cells: a ray on the border of two cells is in the one ahead
_LEAST_STEP = 1e-7  # along the ray, in cells: it always goes on


def march_heights(
    heights_m: Float32Array,
    grid: Grid,
    centre_m: FloatArray,
    directions: Float32Array,
    reach_m: FloatArray | None = None,
) -> Float32Array:
    """Distance (n,) along unit rays (n, 3) from a point (3,) to columns of given heights, inf where none.

    Cells (rows, cols) are solid from below up to their height, -inf for none (cell by cell along each ray,
    Amanatides and Woo 1987). ``reach_m`` (n,) is how far each ray is followed; a column beyond it is as good as none.
    """
    scale = float(grid.resolution_m)
    start = (np.asarray(centre_m, np.float64) - (grid.origin_east_m, grid.origin_north_m, 0.0)) / scale
    heights = np.ascontiguousarray(heights_m, np.float32) / np.float32(scale)
    rays = np.ascontiguousarray(directions, np.float32)
    reach = np.full(len(rays), np.inf) if reach_m is None else np.asarray(reach_m, np.float64) / scale
    found = _march(heights, start, rays, reach)
    distances: Float32Array = found * np.float32(scale)
    return distances


@compiled
def _march(heights: Float32Array, start: FloatArray, rays: Float32Array, reach: FloatArray) -> Float32Array:
    rows, cols = heights.shape
    blocks = np.full(((rows + _BLOCK - 1) // _BLOCK, (cols + _BLOCK - 1) // _BLOCK), -np.inf, np.float32)
    top = -np.inf
    for row in range(rows):
        for col in range(cols):
            height = heights[row, col]
            if height > blocks[row // _BLOCK, col // _BLOCK]:
                blocks[row // _BLOCK, col // _BLOCK] = height
                top = max(top, height)
    found = np.full(len(rays), np.inf, np.float32)
    for r in range(len(rays)):
        dx, dy, dz = float(rays[r, 0]), float(rays[r, 1]), float(rays[r, 2])
        # Only the part of the ray over the grid and below its highest column counts.
        near, far = _between(0.0, reach[r], start[0], dx, 0.0, float(cols))
        near, far = _between(near, far, start[1], dy, 0.0, float(rows))
        near, far = _between(near, far, start[2], dz, -1e9, top)
        found[r] = _over_blocks(heights, blocks, start, (dx, dy, dz), near, far)
    return found


@compiled
def _over_blocks(
    heights: Float32Array,
    blocks: Float32Array,
    start: FloatArray,
    ray: tuple[float, float, float],
    near: float,
    far: float,
) -> float:
    """Distance to the first column, in cells: only blocks that the ray dips into are looked through."""
    dx, dy, dz = ray
    x_per, y_per = _per(dx), _per(dy)
    rows, cols = blocks.shape
    while near < far:
        col = _cell(start[0] + (near + _NUDGE) * dx, _BLOCK, cols)
        row = _cell(start[1] + (near + _NUDGE) * dy, _BLOCK, rows)
        leave = min(far, _edge(col, _BLOCK, start[0], dx, x_per), _edge(row, _BLOCK, start[1], dy, y_per))
        leave = max(leave, near + _LEAST_STEP)
        if start[2] + min(near * dz, leave * dz) <= blocks[row, col]:
            found = _over_cells(heights, start, ray, near, min(leave + _LEAST_STEP, far))
            if found < np.inf:
                return found
        near = leave
    return np.inf


@compiled
def _over_cells(
    heights: Float32Array, start: FloatArray, ray: tuple[float, float, float], near: float, far: float
) -> float:
    """Distance to the first column between two distances, in cells."""
    dx, dy, dz = ray
    x_per, y_per = _per(dx), _per(dy)
    rows, cols = heights.shape
    while near < far:
        col = _cell(start[0] + (near + _NUDGE) * dx, 1, cols)
        row = _cell(start[1] + (near + _NUDGE) * dy, 1, rows)
        leave = min(far, _edge(col, 1, start[0], dx, x_per), _edge(row, 1, start[1], dy, y_per))
        leave = max(leave, near + _LEAST_STEP)
        height = heights[row, col]
        if start[2] + near * dz <= height:
            return near
        if start[2] + leave * dz <= height:
            return float((height - start[2]) / dz)
        near = leave
    return np.inf


@compiled
def _per(step: float) -> float:
    """Distance along a ray for one cell along an axis; the ray never leaves a cell that it runs along."""
    return 1.0 / step if step != 0.0 else np.inf


@compiled
def _cell(place: float, size: int, count: int) -> int:
    """Which of ``count`` intervals of so many cells a place lies in, the nearest if none."""
    return min(max(int(np.floor(place / size)), 0), count - 1)


@compiled
def _edge(index: int, size: int, start: float, step: float, per: float) -> float:
    """Distance along the ray to where it leaves an interval along an axis."""
    if step == 0.0:
        return np.inf
    return ((index + 1 if step > 0.0 else index) * size - start) * per


@compiled
def _between(
    near: float, far: float, start: float, step: float, low: float, high: float
) -> tuple[float, float]:
    """The part of a ray from ``near`` to ``far`` in which one coordinate is between two values."""
    if step == 0.0:
        return (near, far) if low <= start <= high else (np.inf, -np.inf)
    a, b = (low - start) / step, (high - start) / step
    return max(near, min(a, b)), min(far, max(a, b))
