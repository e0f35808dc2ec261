# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled loops of ``raster``: where scan lines run inside convex outlines, and the pixels of those runs.

Guarantees: double precision in one order, so the same bytes on every run. Leaves out how outlines come about.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import BoolArray, FloatArray

Lines = npt.NDArray[np.int64]
_LEVEL_PX = 1e-9  # an edge that rises less is level with the scan lines: its neighbours hold its ends


@compiled
def outlines(
    ends: FloatArray, focal_px: tuple[float, float], centre_px: tuple[float, float], margin_px: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The images of straight edges, outline by outline.

    Args:
        ends: (n, s, 2, 3) both ends of each edge in the camera's frame, in front of it.
        focal_px: of the pinhole lens, x and y.
        centre_px: its principal point.
        margin_px: taken off above and below.

    Returns:
        Edges (5, s, n): u and v at the first end, du/dv, lowest v, highest v; leftmost and rightmost u of each
        outline (2, n); first and last v inside it (2, n).
    """
    count, sides = ends.shape[:2]
    edges, u_px, v_px = np.empty((5, sides, count)), np.empty((2, count)), np.empty((2, count))
    for box in range(count):
        left, right, top, bottom = math.inf, -math.inf, math.inf, -math.inf
        for side in range(sides):
            a, b = ends[box, side, 0], ends[box, side, 1]
            u, v = a[0] / a[2] * focal_px[0] + centre_px[0], a[1] / a[2] * focal_px[1] + centre_px[1]
            far_u, far_v = b[0] / b[2] * focal_px[0] + centre_px[0], b[1] / b[2] * focal_px[1] + centre_px[1]
            level = abs(far_v - v) < _LEVEL_PX
            edges[0, side, box], edges[1, side, box] = u, v
            edges[2, side, box] = 0.0 if level else (far_u - u) / (far_v - v)
            edges[3, side, box], edges[4, side, box] = min(v, far_v), max(v, far_v)
            left, right = min(left, u, far_u), max(right, u, far_u)
            top, bottom = min(top, v, far_v), max(bottom, v, far_v)
        u_px[0, box], u_px[1, box] = left, right
        v_px[0, box], v_px[1, box] = top + margin_px, bottom - margin_px
    return edges, u_px, v_px


@compiled
def crossing(edges: FloatArray, box: int, v_px: float, margin_px: float) -> tuple[float, float]:
    """The interval of the line at ``v_px`` inside one outline, less the margin; (inf, -inf) where it has none.

    Args:
        edges: (5, s, n) u and v at the first end, du/dv, lowest v, highest v.
        box: which of the n.
        v_px: of the line.
        margin_px: taken off at both ends.
    """
    low, high = math.inf, -math.inf
    for edge in range(edges.shape[1]):
        if edges[3, edge, box] <= v_px <= edges[4, edge, box]:
            at = edges[0, edge, box] + (v_px - edges[1, edge, box]) * edges[2, edge, box]
            low, high = min(low, at), max(high, at)
    return low + margin_px, high - margin_px


@compiled
def scan(
    edges: FloatArray, u_px: FloatArray, v_px: FloatArray, width_px: int, height_px: int, margin_px: float
) -> tuple[Lines, Lines, FloatArray, FloatArray]:
    """Every scan line inside every outline that the picture shows.

    Args:
        edges: as above.
        u_px: (2, n) leftmost and rightmost of each outline.
        v_px: (2, n) first and last place of a line inside it.
        width_px: of the picture.
        height_px: of the picture.
        margin_px: taken off at both ends of an interval.

    Returns:
        Outline, line, and the ends of the interval (L,); lines of one outline follow each other.
    """
    count = u_px.shape[1]
    first, last, lines = np.zeros(count, np.int64), np.full(count, -1, np.int64), 0
    for box in range(count):
        if u_px[1, box] >= 0.0 and u_px[0, box] <= width_px - 1:
            first[box] = int(min(max(np.ceil(v_px[0, box]), 0.0), float(height_px)))
            last[box] = int(min(max(np.floor(v_px[1, box]), -1.0), height_px - 1.0))
            lines += max(last[box] - first[box] + 1, 0)
    boxes, rows = np.empty(lines, np.int64), np.empty(lines, np.int64)
    low, high = np.empty(lines), np.empty(lines)
    at = 0
    for box in range(count):
        for row in range(first[box], last[box] + 1):
            boxes[at], rows[at] = box, row
            low[at], high[at] = crossing(edges, box, float(row), margin_px)
            at += 1
    return boxes, rows, low, high


@compiled
def inside_any(edges: FloatArray, u_px: FloatArray, points_px: FloatArray, margin_px: float) -> BoolArray:
    """Whether each point (n, 2) lies inside any outline."""
    found = np.zeros(len(points_px), np.bool_)
    for point in range(len(points_px)):
        u, v = points_px[point, 0], points_px[point, 1]
        for box in range(u_px.shape[1]):
            if u_px[0, box] <= u <= u_px[1, box]:
                low, high = crossing(edges, box, v, margin_px)
                if low <= u <= high:
                    found[point] = True
                    break
    return found


@compiled
def fill(seen: BoolArray, rows: Lines, first: FloatArray, last: FloatArray) -> None:
    """Set the pixels (H, W) of runs (L,), ends included, whole numbers or infinite; what lies outside is cut."""
    right = seen.shape[1] - 1.0
    for line in range(len(rows)):
        start, end = max(first[line], 0.0), min(last[line], right)
        if start <= end:
            seen[rows[line], int(start) : int(end) + 1] = True
