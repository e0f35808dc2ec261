# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled loops of ``march``: which part of each ray lies in a field, and the sum along it.

Guarantees: one order of arithmetic, so the same bytes on every run; a ray that is not there (NaN) meets nothing; sums
in single precision within 3e-5 of those in double (a test holds it; a step of a colour is 1e-3 of its range).
"""

from __future__ import annotations

import math

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import Float32Array, FloatArray

LEAST_PATH_M = 1e-3  # through the field; shorter is nothing
LEAST_SLOPE = 0.02  # of a ray across the sheets; flatter ones are not drawn
_OPAQUE = np.float32(16.0)  # optical depth behind which nothing is seen
# Optical depth up to which (1 - exp(-x)) / x is taken from its series to x^4: wrong by less than x^5 / 720 = 2e-6.
_THIN = np.float32(0.25)
_NOTHING, _WHOLE, _HALF, _SIXTH = np.float32(0.0), np.float32(1.0), np.float32(0.5), np.float32(1.0 / 6.0)
_24TH, _120TH = np.float32(1.0 / 24.0), np.float32(1.0 / 120.0)
_NEXT = np.uint64(1)  # channel


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
    widest_m, per_top = max(reach_m[0], reach_m[1]), 1.0 / top_m
    # Where the reach holds the whole box, as it does for all but upright plumes, the box says it all.
    east_m, north_m = from_axis_m[0] - start_m[0], from_axis_m[1] - start_m[1]  # lower corner from the axis
    corner_m = math.hypot(
        max(abs(east_m), abs(east_m + size_m[0])), max(abs(north_m), abs(north_m + size_m[1]))
    )
    is_round = min(reach_m[0], reach_m[1]) < corner_m * (1.0 - 1e-9)
    for index in range(len(rays)):
        x, y, z = float(rays[index, 0]), float(rays[index, 1]), float(rays[index, 2])
        near, far = _beside(0.0, math.inf, start_m[0], x, size_m[0])
        near, far = _beside(near, far, start_m[1], y, size_m[1])
        near, far = _beside(near, far, start_m[2], z, size_m[2])
        if not (x == x and y == y and z == z):
            far = -math.inf
        if is_round and far - near > LEAST_PATH_M:
            per_level = 1.0 / math.sqrt(max(x * x + y * y, 1e-6))
            closest = -(x * from_axis_m[0] + y * from_axis_m[1]) * per_level * per_level
            passing2 = (from_axis_m[0] + closest * x) ** 2 + (from_axis_m[1] + closest * y) ** 2
            height_m = from_axis_m[2] + closest * z + widest_m * abs(z) * per_level
            share = min(max(height_m * per_top, 0.0), 1.0)
            reach = reach_m[0] + (widest_m - reach_m[0]) * share
            half = math.sqrt(max(reach * reach - passing2, 0.0)) * per_level
            near, far = max(near, closest - half), min(far, closest + half)
        found[index, 0], found[index, 1] = near, far
        if far - near > LEAST_PATH_M:
            slopes[0], slopes[1] = min(slopes[0], abs(x)), min(slopes[1], abs(y))
            slopes[2] = min(slopes[2], abs(z))
    return found, slopes


@compiled
def _beside(near: float, far: float, start_m: float, step: float, size_m: float) -> tuple[float, float]:
    """The part of a ray, from ``near`` to ``far``, on which one coordinate is within a box that starts at 0."""
    if step == 0.0:
        return (near, far) if 0.0 <= start_m <= size_m else (near, -math.inf)
    per = 1.0 / step
    first, second = -start_m * per, (size_m - start_m) * per
    return max(near, min(first, second)), min(far, max(first, second))


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
    flat, to_below, to_sheet = sheets.reshape(-1), 2 * cols, 2 * rows * cols
    across, down, beside = axes
    scale, last_row, last_col = 1.0 / resolution_m, np.float32(rows - 1), np.float32(cols - 1)
    optical_depth, emitted = np.zeros(len(rays), np.float32), np.zeros(len(rays), np.float32)
    for index in range(len(rays)):
        near, far = reach[index, 0], reach[index, 1]
        slope = float(rays[index, across])
        if not far - near > LEAST_PATH_M or abs(slope) <= LEAST_SLOPE:
            continue
        per_sheet = resolution_m / slope  # along the ray
        half = 0.5 * abs(per_sheet)
        first = int(min(max((start_m[across] + near * slope) * scale, 0.0), count - 1.0))
        last = int(min(max((start_m[across] + far * slope) * scale, 0.0), count - 1.0))
        sense = to_sheet if slope > 0.0 else -to_sheet
        # Distance along the ray, row and column where it crosses the first sheet, and what is added to them by each.
        along = (first + 0.5 - start_m[across] * scale) * per_sheet
        row_slope, col_slope = float(rays[index, down]) * scale, float(rays[index, beside]) * scale
        row_first = np.float32(start_m[down] * scale - 0.5 + along * row_slope)
        col_first = np.float32(start_m[beside] * scale - 0.5 + along * col_slope)
        step_m, sheet = 2.0 * half, first * to_sheet
        row_step, col_step = np.float32(step_m * row_slope), np.float32(step_m * col_slope)
        depth, seen, light, passed = _NOTHING, _WHOLE, _NOTHING, _NOTHING
        for _ in range(abs(last - first) + 1):
            path = np.float32(min(along + half, far) - max(along - half, near))
            y = min(max(row_first + passed * row_step, _NOTHING), last_row)
            x = min(max(col_first + passed * col_step, _NOTHING), last_col)
            along, passed = along + step_m, passed + _WHOLE
            row, col = np.int32(y), np.int32(x)
            here = np.uint64(
                sheet + row * to_below + col * 2
            )  # unsigned: no look for places counted from the end
            sheet += sense
            if path <= _NOTHING:
                continue
            right, gap = (
                here + np.uint64(2 if x < last_col else 0),
                np.uint64(to_below if y < last_row else 0),
            )
            below, corner = here + gap, right + gap
            v, u = y - np.float32(row), x - np.float32(col)
            upper = flat[here] + u * (flat[right] - flat[here])
            lower = flat[below] + u * (flat[corner] - flat[below])
            extinction = upper + v * (lower - upper)
            if extinction <= _NOTHING:
                continue
            upper = flat[here + _NEXT] + u * (flat[right + _NEXT] - flat[here + _NEXT])
            lower = flat[below + _NEXT] + u * (flat[corner + _NEXT] - flat[below + _NEXT])
            source = upper + v * (lower - upper)
            # Exact for a uniform piece: source over extinction times what it adds to the opacity seen from the start.
            piece = extinction * path
            depth += piece
            if piece < _THIN:
                share = _WHOLE - piece * (_HALF - piece * (_SIXTH - piece * (_24TH - piece * _120TH)))
                light += seen * source * path * share
                seen -= seen * piece * share
            else:
                left = np.float32(math.exp(-float(piece)))
                light += seen * source / extinction * (_WHOLE - left)
                seen *= left
            if depth > _OPAQUE:
                break
        optical_depth[index], emitted[index] = depth, light
    return optical_depth, emitted
