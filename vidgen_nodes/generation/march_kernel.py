# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled loops of ``march``: which part of each ray lies in a field, and the sum along it.

Guarantees: one order of arithmetic, so the same bytes on every run; a ray that is not there (NaN) meets nothing.
"""

from __future__ import annotations

import math

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import Float32Array, FloatArray

LEAST_PATH_M = 1e-3  # through the field; shorter is nothing
LEAST_SLOPE = 0.02  # of a ray across the sheets; flatter ones are not drawn
_OPAQUE = 16.0  # optical depth behind which nothing is seen


@compiled
def limits(
    start_m: FloatArray,
    size_m: FloatArray,
    from_axis_m: FloatArray,
    reach_m: FloatArray,
    top_m: float,
    rays: Float32Array,
) -> tuple[FloatArray, FloatArray]:
    """Where rays are inside the box and near the plume's axis; most of a box's corners are empty.

    The reach is taken at the highest point that a ray has while it is near the axis, so nothing is lost.

    Args:
        start_m: (3,) of all rays, from the box's lower corner.
        size_m: (3,) of the box.
        from_axis_m: (3,) the start of the rays from the foot of the axis.
        reach_m: (2,) farthest from the axis at its foot and at its top.
        top_m: of the axis above its foot.
        rays: (N, 3) unit vectors.

    Returns:
        Near and far end (N, 2), far below near where there is nothing; and the smallest slope of those that meet
        the field along each axis (3,).
    """
    found = np.empty((len(rays), 2))
    slopes = np.full(3, math.inf)
    widest_m = max(reach_m[0], reach_m[1])
    for index in range(len(rays)):
        ray = rays[index]
        near, far = 0.0, math.inf
        for axis in range(3):
            step = float(ray[axis])
            if step == 0.0:
                if not 0.0 <= start_m[axis] <= size_m[axis]:
                    far = -math.inf
                continue
            first, second = -start_m[axis] / step, (size_m[axis] - start_m[axis]) / step
            near, far = max(near, min(first, second)), min(far, max(first, second))
        x, y, z = float(ray[0]), float(ray[1]), float(ray[2])
        level2 = max(x * x + y * y, 1e-6)
        closest = -(x * from_axis_m[0] + y * from_axis_m[1]) / level2
        passing2 = (from_axis_m[0] + closest * x) ** 2 + (from_axis_m[1] + closest * y) ** 2
        level = math.sqrt(level2)
        height_m = from_axis_m[2] + closest * z + widest_m * abs(z) / level
        share = min(max(height_m / top_m, 0.0), 1.0)
        reach = reach_m[0] + (widest_m - reach_m[0]) * share
        half = math.sqrt(max(reach * reach - passing2, 0.0)) / level
        near, far = max(near, closest - half), min(far, closest + half)
        if not (x == x and y == y and z == z):
            far = -math.inf
        found[index, 0], found[index, 1] = near, far
        if far - near > LEAST_PATH_M:
            for axis in range(3):
                slopes[axis] = min(slopes[axis], abs(float(ray[axis])))
    return found, slopes


@compiled
def through_sheets(
    sheets: Float32Array,
    resolution_m: float,
    start_m: FloatArray,
    rays: Float32Array,
    reach: FloatArray,
    axes: tuple[int, int, int],
) -> tuple[Float32Array, Float32Array]:
    """Optical depth and emitted radiance (N,) of rays through the sheets of one axis.

    Args:
        sheets: (count, rows, cols, 2) extinction and emission.
        resolution_m: between sheets, rows and columns.
        start_m: (3,) of all rays, from the lower corner.
        rays: (N, 3) unit vectors.
        reach: (N, 2) near and far end, of :func:`limits`.
        axes: which components count the sheets, the rows and the columns.
    """
    count, rows, cols = sheets.shape[:3]
    across, down, beside = axes
    scale = 1.0 / resolution_m
    optical_depth, emitted = np.zeros(len(rays), np.float32), np.zeros(len(rays), np.float32)
    for index in range(len(rays)):
        near, far = reach[index, 0], reach[index, 1]
        slope = float(rays[index, across])
        if not far - near > LEAST_PATH_M or abs(slope) <= LEAST_SLOPE:
            continue
        per_sheet = 1.0 / slope
        half = 0.5 * resolution_m * abs(per_sheet)
        first = int(min(max((start_m[across] + near * slope) * scale, 0.0), count - 1.0))
        last = int(min(max((start_m[across] + far * slope) * scale, 0.0), count - 1.0))
        sense = 1 if slope > 0.0 else -1
        row_slope, col_slope = float(rays[index, down]), float(rays[index, beside])
        depth, seen, light = 0.0, 1.0, 0.0
        for step in range(abs(last - first) + 1):
            sheet = first + sense * step
            along = ((sheet + 0.5) * resolution_m - start_m[across]) * per_sheet
            path = min(along + half, far) - max(along - half, near)
            if path <= 0.0:
                continue
            y = min(max((start_m[down] + along * row_slope) * scale - 0.5, 0.0), rows - 1.0)
            x = min(max((start_m[beside] + along * col_slope) * scale - 0.5, 0.0), cols - 1.0)
            row, col = int(y), int(x)
            below, right = min(row + 1, rows - 1), min(col + 1, cols - 1)
            v, u = y - row, x - col
            a, b, c, d = (1.0 - v) * (1.0 - u), (1.0 - v) * u, v * (1.0 - u), v * u
            plane = sheets[sheet]
            extinction = (
                a * plane[row, col, 0]
                + b * plane[row, right, 0]
                + c * plane[below, col, 0]
                + d * plane[below, right, 0]
            )
            if extinction <= 0.0:
                continue
            source = (
                a * plane[row, col, 1]
                + b * plane[row, right, 1]
                + c * plane[below, col, 1]
                + d * plane[below, right, 1]
            )
            depth += extinction * path
            left = math.exp(-depth)
            # Exact for a uniform piece: source times what it adds to the opacity seen from the start.
            light += source / extinction * (seen - left)
            seen = left
            if depth > _OPAQUE:
                break
        optical_depth[index], emitted[index] = depth, light
    return optical_depth, emitted
