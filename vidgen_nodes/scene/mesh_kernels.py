# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Triangles cut by plan cells and by voxels, in compiled loops.

Guarantees: the cells are those of ``scene.footprint``, and the voxels all that a triangle touches. Leaves
out what the answers mean (``scene.cell_fuel``, ``scene.building``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import BoolArray, FloatArray, Grid

_Index = npt.NDArray[np.int64]
_SLIVER_M = 1e-6  # as scene.footprint has it


def cells_under_triangles(
    triangles_m: FloatArray, grid: Grid
) -> tuple[_Index, _Index, FloatArray, FloatArray]:
    """What :func:`vidgen_nodes.scene.footprint.cells_under` says, for triangles (n, 3, 3).

    Returns:
        Rows, columns, lowest and highest z of each (triangle, cell) pair that share area (or length, for
        vertical triangles).
    """
    # As floats: whole numbers would be another signature, and compiled anew.
    where = (float(grid.origin_east_m), float(grid.origin_north_m), float(grid.resolution_m))
    cells, count = _cells(np.ascontiguousarray(triangles_m, np.float64), *where, grid.rows, grid.cols)
    found = cells[:count]
    return found[:, 0].astype(np.int64), found[:, 1].astype(np.int64), found[:, 2], found[:, 3]


@compiled
def _clip(polygon: FloatArray, count: int, axis: int, bound: float, sign: float, out: FloatArray) -> int:
    """Sutherland and Hodgman 1974: the part of ``polygon[:count]`` on one side of an axis plane, in ``out``."""
    kept = 0
    for i in range(count):
        j = (i + 1) % count
        over_a = sign * (polygon[i, axis] - bound)
        over_b = sign * (polygon[j, axis] - bound)
        if over_a >= 0.0:
            for k in range(3):
                out[kept, k] = polygon[i, k]
            kept += 1
        if (over_a > 0.0 and over_b < 0.0) or (over_a < 0.0 and over_b > 0.0):
            t = over_a / (over_a - over_b)
            for k in range(3):
                out[kept, k] = polygon[i, k] + t * (polygon[j, k] - polygon[i, k])
            out[kept, axis] = bound
            kept += 1
    return kept


@compiled
def _range(polygon: FloatArray, count: int, axis: int) -> tuple[float, float]:
    """Smallest and largest coordinate of ``polygon[:count]``."""
    low = high = polygon[0, axis]
    for i in range(1, count):
        low, high = min(low, polygon[i, axis]), max(high, polygon[i, axis])
    return low, high


@compiled
def _plan_measure(polygon: FloatArray, count: int) -> tuple[float, float]:
    """Area [m2] and extent [m] in plan."""
    area = 0.0
    x0, x1, y0, y1 = polygon[0, 0], polygon[0, 0], polygon[0, 1], polygon[0, 1]
    for i in range(count):
        j = (i + 1) % count
        # About the first corner: far from the origin the plain formula loses all its digits.
        ax, ay = polygon[i, 0] - polygon[0, 0], polygon[i, 1] - polygon[0, 1]
        bx, by = polygon[j, 0] - polygon[0, 0], polygon[j, 1] - polygon[0, 1]
        area += ax * by - bx * ay
        x0, x1 = min(x0, polygon[i, 0]), max(x1, polygon[i, 0])
        y0, y1 = min(y0, polygon[i, 1]), max(y1, polygon[i, 1])
    return 0.5 * abs(area), np.hypot(x1 - x0, y1 - y0)


@compiled
def _first(low: float, origin: float, edge: float) -> int:
    """First cell that a coordinate from ``low`` on can be in; at most one before the grid."""
    return max(0, int(np.ceil(max((low - origin) / edge, -1.0))) - 1)


@compiled
def _last(high: float, origin: float, edge: float, count: int) -> int:
    return min(count - 1, int(np.floor(min((high - origin) / edge, count + 1.0))))


@compiled
def _cells(
    triangles: FloatArray, east: float, north: float, edge: float, rows: int, cols: int
) -> tuple[FloatArray, int]:
    found = np.empty((256, 4))
    n = 0
    corners, strip, piece, spare = np.empty((3, 3)), np.empty((10, 3)), np.empty((10, 3)), np.empty((10, 3))
    for t in range(len(triangles)):
        for i in range(9):
            corners[i // 3, i % 3] = triangles[t, i // 3, i % 3]
        area, extent = _plan_measure(corners, 3)
        vertical = area <= _SLIVER_M * extent
        x0, x1 = _range(corners, 3, 0)
        for col in range(_first(x0, east, edge), _last(x1, east, edge, cols) + 1):
            k = _clip(corners, 3, 0, east + col * edge, 1.0, spare)
            k = _clip(spare, k, 0, east + (col + 1) * edge, -1.0, strip)
            if k == 0:
                continue
            y0, y1 = _range(strip, k, 1)
            for row in range(_first(y0, north, edge), _last(y1, north, edge, rows) + 1):
                m = _clip(strip, k, 1, north + row * edge, 1.0, spare)
                m = _clip(spare, m, 1, north + (row + 1) * edge, -1.0, piece)
                if m == 0:
                    continue
                area, extent = _plan_measure(piece, m)
                shared = extent if vertical else area / max(extent, _SLIVER_M)
                if shared <= _SLIVER_M:
                    continue
                if n == len(found):
                    found = _doubled(found)
                found[n, 0], found[n, 1] = row, col
                found[n, 2], found[n, 3] = _range(piece, m, 2)
                n += 1
    return found, n


@compiled
def _doubled(found: FloatArray) -> FloatArray:
    more = np.empty((2 * len(found), 4))
    for i in range(len(found)):
        for j in range(4):
            more[i, j] = found[i, j]
    return more


def mark_voxels(triangles_m: FloatArray, origin_m: FloatArray, resolution_m: float, solid: BoolArray) -> None:
    """Set every voxel of ``solid`` (nz, ny, nx) that a triangle (n, 3, 3) touches.

    Overlap of triangle and box by separating axes (Akenine-Moeller 2001): all voxels that are touched, so
    no step from voxel to voxel, not even a diagonal one, passes through a surface.
    """
    scaled = (np.asarray(triangles_m, np.float64) - np.asarray(origin_m, np.float64)) / resolution_m
    _mark(np.ascontiguousarray(scaled), solid)


@compiled
def _apart(ax: float, ay: float, az: float, tri: FloatArray) -> bool:
    """Whether an axis separates a triangle from the unit box about the origin (half edge 0.5)."""
    p = ax * tri[0, 0] + ay * tri[0, 1] + az * tri[0, 2]
    q = ax * tri[1, 0] + ay * tri[1, 1] + az * tri[1, 2]
    s = ax * tri[2, 0] + ay * tri[2, 1] + az * tri[2, 2]
    reach = 0.5 * (abs(ax) + abs(ay) + abs(az)) + 1e-9
    return bool(min(p, q, s) > reach or max(p, q, s) < -reach)


@compiled
def _touches(tri: FloatArray) -> bool:
    """Whether a triangle touches the unit box about the origin; the box's own axes are known to meet it."""
    ax, ay, az = tri[1, 0] - tri[0, 0], tri[1, 1] - tri[0, 1], tri[1, 2] - tri[0, 2]
    bx, by, bz = tri[2, 0] - tri[0, 0], tri[2, 1] - tri[0, 1], tri[2, 2] - tri[0, 2]
    if _apart(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx, tri):
        return False
    for c in range(3):
        d = (c + 1) % 3
        x, y, z = tri[d, 0] - tri[c, 0], tri[d, 1] - tri[c, 1], tri[d, 2] - tri[c, 2]
        if _apart(0.0, -z, y, tri) or _apart(z, 0.0, -x, tri) or _apart(-y, x, 0.0, tri):
            return False
    return True


@compiled
def _mark(triangles: FloatArray, solid: BoolArray) -> None:
    nz, ny, nx = solid.shape
    local = np.empty((3, 3))
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for t in range(len(triangles)):
        tri = triangles[t]
        for axis in range(3):
            size = nx if axis == 0 else ny if axis == 1 else nz
            least, most = _range(tri, 3, axis)
            low[axis] = int(max(0.0, np.floor(least - 1e-9)))
            high[axis] = int(min(size - 1.0, np.floor(most + 1e-9)))
        for k in range(low[2], high[2] + 1):
            for j in range(low[1], high[1] + 1):
                for i in range(low[0], high[0] + 1):
                    if solid[k, j, i]:
                        continue
                    for c in range(3):
                        local[c, 0] = tri[c, 0] - i - 0.5
                        local[c, 1] = tri[c, 1] - j - 0.5
                        local[c, 2] = tri[c, 2] - k - 0.5
                    solid[k, j, i] = _touches(local)
