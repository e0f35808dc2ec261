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


def march_heights(
    heights_m: Float32Array, grid: Grid, centre_m: FloatArray, directions: Float32Array
) -> Float32Array:
    """Distance (n,) along unit rays (n, 3) from a point (3,) to columns of given heights, inf where none.

    Cells (rows, cols) are solid from below up to their height, -inf for none (cell by cell along each ray,
    Amanatides and Woo 1987).
    """
    scale = float(grid.resolution_m)
    start = (np.asarray(centre_m, np.float64) - (grid.origin_east_m, grid.origin_north_m, 0.0)) / scale
    heights = np.ascontiguousarray(heights_m, np.float32) / np.float32(scale)
    found = _march(heights, start, np.ascontiguousarray(directions, np.float32))
    distances: Float32Array = found * np.float32(scale)
    return distances


@compiled
def _march(heights: Float32Array, start: FloatArray, rays: Float32Array) -> Float32Array:
    rows, cols = heights.shape
    top = -np.inf
    for row in range(rows):
        for col in range(cols):
            top = max(top, heights[row, col])
    found = np.full(len(rays), np.inf, np.float32)
    for r in range(len(rays)):
        found[r] = _march_one(heights, start, rays[r, 0], rays[r, 1], rays[r, 2], top)
    return found


@compiled
def _march_one(
    heights: Float32Array, start: FloatArray, dx: float, dy: float, dz: float, top: float
) -> float:
    """Distance to the first column, in cells."""
    rows, cols = heights.shape
    # Only the part of the ray over the grid and below its highest column counts.
    near, far = _between(0.0, np.inf, start[0], dx, 0.0, float(cols))
    near, far = _between(near, far, start[1], dy, 0.0, float(rows))
    near, far = _between(near, far, start[2], dz, -1e9, top)
    while near < far:
        x, y = start[0] + (near + 1e-9) * dx, start[1] + (near + 1e-9) * dy
        col, row = min(max(int(np.floor(x)), 0), cols - 1), min(max(int(np.floor(y)), 0), rows - 1)
        leave = far
        if dx != 0.0:
            leave = min(leave, max(((col + 1 if dx > 0.0 else col) - start[0]) / dx, near + 1e-7))
        if dy != 0.0:
            leave = min(leave, max(((row + 1 if dy > 0.0 else row) - start[1]) / dy, near + 1e-7))
        height = heights[row, col]
        if start[2] + near * dz <= height:
            return near
        if start[2] + leave * dz <= height:
            return float((height - start[2]) / dz)
        near = leave
    return np.inf


@compiled
def _between(
    near: float, far: float, start: float, step: float, low: float, high: float
) -> tuple[float, float]:
    """The part of a ray from ``near`` to ``far`` in which one coordinate is between two values."""
    if step == 0.0:
        return (near, far) if low <= start <= high else (np.inf, -np.inf)
    a, b = (low - start) / step, (high - start) / step
    return max(near, min(a, b)), min(far, max(a, b))
