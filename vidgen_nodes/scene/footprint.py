# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which plan cells a planar quad passes through, and how high in each.

Guarantees: a quad that spans area marks the cells it shares area with; a vertical one marks every cell
that its line runs through or along. Leaves out: caching (``scene.building``).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, hypot

from vidgen_nodes.packets import FloatArray, Grid

_Point = tuple[float, float, float]
_SLIVER_M = 1e-6  # shared length (or area over length) below this is a touch, not a passage


def cells_under(corners_m: FloatArray, grid: Grid) -> Iterator[tuple[int, int, float, float]]:
    """Yield ``(row, col, lowest z, highest z)`` for each cell that the quad (4, 3) passes through."""
    quad: list[_Point] = [(float(x), float(y), float(z)) for x, y, z in corners_m]
    is_vertical = _plan_area_m2(quad) <= _SLIVER_M * _plan_extent_m(quad)
    for col, strip in _slices(quad, 0, grid.origin_east_m, grid.resolution_m, grid.cols):
        for row, piece in _slices(strip, 1, grid.origin_north_m, grid.resolution_m, grid.rows):
            extent_m = _plan_extent_m(piece)
            shared_m = extent_m if is_vertical else _plan_area_m2(piece) / max(extent_m, _SLIVER_M)
            if shared_m > _SLIVER_M:
                heights = [point[2] for point in piece]
                yield row, col, min(heights), max(heights)


def _slices(
    polygon: list[_Point], axis: int, origin_m: float, width_m: float, count: int
) -> Iterator[tuple[int, list[_Point]]]:
    """Cut a convex polygon into the slices ``[origin + i * width, origin + (i + 1) * width]``."""
    values = [point[axis] for point in polygon]
    first = max(0, ceil((min(values) - origin_m) / width_m) - 1)
    last = min(count - 1, floor((max(values) - origin_m) / width_m))
    for index in range(first, last + 1):
        low_m = origin_m + index * width_m
        piece = _keep(polygon, axis, low_m, 1.0)
        piece = _keep(piece, axis, origin_m + (index + 1) * width_m, -1.0)
        if piece:
            yield index, piece


def _keep(polygon: list[_Point], axis: int, bound_m: float, sign: float) -> list[_Point]:
    """The part of a convex polygon on one side of an axis plane (Sutherland and Hodgman 1974)."""
    kept: list[_Point] = []
    for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        over_a, over_b = sign * (a[axis] - bound_m), sign * (b[axis] - bound_m)
        if over_a >= 0.0:
            kept.append(a)
        if (over_a > 0.0 > over_b) or (over_a < 0.0 < over_b):
            t = over_a / (over_a - over_b)
            cut = [p + t * (q - p) for p, q in zip(a, b, strict=True)]
            cut[axis] = bound_m
            kept.append((cut[0], cut[1], cut[2]))
    return kept


def _plan_area_m2(polygon: list[_Point]) -> float:
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    x0, y0, _ = polygon[0]
    return abs(sum((a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0) for a, b in pairs)) / 2


def _plan_extent_m(polygon: list[_Point]) -> float:
    xs, ys = [point[0] for point in polygon], [point[1] for point in polygon]
    return hypot(max(xs) - min(xs), max(ys) - min(ys))
