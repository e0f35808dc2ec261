# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Loops over the triangles of a building model, compiled: plan cells, voxels, first hits of rays.

Guarantees: no random numbers and no threads, so the same input gives the same bytes. Importing it costs
a second and a compiler run on the first use of a machine, so only buildings with triangles import it.
Leaves out what the answers mean (``scene.cell_fuel``, ``scene.occlusion``, ``scene.building``).
"""

from __future__ import annotations

from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grid

_F = TypeVar("_F")
_Index = npt.NDArray[np.int64]
_SLIVER_M = 1e-6  # as scene.footprint has it
_LEAF = 4  # triangles in a leaf of the tree
_STACK = 64  # nodes still to be visited; the tree is balanced, so its depth is log2 of the triangles
_SEAM = 1e-6  # barycentric slack: rays along the seam of two triangles must not slip through


def _compiled(function: _F) -> _F:
    made: Any = numba.njit(cache=True, error_model="numpy")(function)
    return made  # type: ignore[no-any-return]


def cells_under_triangles(
    triangles_m: FloatArray, grid: Grid
) -> tuple[_Index, _Index, FloatArray, FloatArray]:
    """What :func:`vidgen_nodes.scene.footprint.cells_under` says, for triangles (n, 3, 3).

    Returns:
        Rows, columns, lowest and highest z of each (triangle, cell) pair that share area (or length, for
        vertical triangles).
    """
    where = (grid.origin_east_m, grid.origin_north_m, grid.resolution_m)
    found = _cells(np.ascontiguousarray(triangles_m, np.float64), *where, grid.rows, grid.cols)
    return found[:, 0].astype(np.int64), found[:, 1].astype(np.int64), found[:, 2], found[:, 3]


@_compiled
def _clip(polygon: FloatArray, count: int, axis: int, bound: float, sign: float, out: FloatArray) -> int:
    """Sutherland and Hodgman 1974: the part of ``polygon[:count]`` on one side of an axis plane, in ``out``."""
    kept = 0
    for i in range(count):
        j = (i + 1) % count
        over_a = sign * (polygon[i, axis] - bound)
        over_b = sign * (polygon[j, axis] - bound)
        if over_a >= 0.0:
            out[kept] = polygon[i]
            kept += 1
        if (over_a > 0.0 and over_b < 0.0) or (over_a < 0.0 and over_b > 0.0):
            t = over_a / (over_a - over_b)
            for k in range(3):
                out[kept, k] = polygon[i, k] + t * (polygon[j, k] - polygon[i, k])
            out[kept, axis] = bound
            kept += 1
    return kept


@_compiled
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


@_compiled
def _cells(triangles: FloatArray, east: float, north: float, edge: float, rows: int, cols: int) -> FloatArray:
    found = np.empty((256, 4))
    n = 0
    strip, piece, spare = np.empty((10, 3)), np.empty((10, 3)), np.empty((10, 3))
    for t in range(len(triangles)):
        tri = triangles[t]
        area, extent = _plan_measure(tri, 3)
        vertical = area <= _SLIVER_M * extent
        x0, x1 = tri[:, 0].min(), tri[:, 0].max()
        col0 = max(0, int(np.ceil(max((x0 - east) / edge, -1.0))) - 1)
        col1 = min(cols - 1, int(np.floor(min((x1 - east) / edge, cols + 1.0))))
        for col in range(col0, col1 + 1):
            k = _clip(tri, 3, 0, east + col * edge, 1.0, spare)
            k = _clip(spare, k, 0, east + (col + 1) * edge, -1.0, strip)
            if k == 0:
                continue
            y0, y1 = strip[:k, 1].min(), strip[:k, 1].max()
            row0 = max(0, int(np.ceil(max((y0 - north) / edge, -1.0))) - 1)
            row1 = min(rows - 1, int(np.floor(min((y1 - north) / edge, rows + 1.0))))
            for row in range(row0, row1 + 1):
                m = _clip(strip, k, 1, north + row * edge, 1.0, spare)
                m = _clip(spare, m, 1, north + (row + 1) * edge, -1.0, piece)
                if m == 0:
                    continue
                area, extent = _plan_measure(piece, m)
                shared = extent if vertical else area / max(extent, _SLIVER_M)
                if shared > _SLIVER_M:
                    if n == len(found):
                        more = np.empty((2 * n, 4))
                        more[:n] = found
                        found = more
                    found[n, 0], found[n, 1] = row, col
                    found[n, 2], found[n, 3] = piece[:m, 2].min(), piece[:m, 2].max()
                    n += 1
    return found[:n]


def mark_voxels(triangles_m: FloatArray, origin_m: FloatArray, resolution_m: float, solid: BoolArray) -> None:
    """Set every voxel of ``solid`` (nz, ny, nx) that a triangle (n, 3, 3) touches.

    Overlap of triangle and box by separating axes (Akenine-Moeller 2001): all voxels that are touched, so
    no step from voxel to voxel, not even a diagonal one, passes through a surface.
    """
    scaled = (np.asarray(triangles_m, np.float64) - np.asarray(origin_m, np.float64)) / resolution_m
    _mark(np.ascontiguousarray(scaled), solid)


@_compiled
def _apart(ax: float, ay: float, az: float, tri: FloatArray) -> bool:
    """Whether an axis separates a triangle from the unit box about the origin (half edge 0.5)."""
    p = ax * tri[0, 0] + ay * tri[0, 1] + az * tri[0, 2]
    q = ax * tri[1, 0] + ay * tri[1, 1] + az * tri[1, 2]
    s = ax * tri[2, 0] + ay * tri[2, 1] + az * tri[2, 2]
    reach = 0.5 * (abs(ax) + abs(ay) + abs(az)) + 1e-9
    return bool(min(p, q, s) > reach or max(p, q, s) < -reach)


@_compiled
def _touches(normal: FloatArray, tri: FloatArray) -> bool:
    """Whether a triangle touches the unit box about the origin; the box's own axes are known to meet it."""
    if _apart(normal[0], normal[1], normal[2], tri):
        return False
    for c in range(3):
        x, y, z = tri[(c + 1) % 3] - tri[c]
        if _apart(0.0, -z, y, tri) or _apart(z, 0.0, -x, tri) or _apart(-y, x, 0.0, tri):
            return False
    return True


@_compiled
def _mark(triangles: FloatArray, solid: BoolArray) -> None:
    nz, ny, nx = solid.shape
    local = np.empty((3, 3))
    for t in range(len(triangles)):
        tri = triangles[t]
        low, high = np.empty(3, np.int64), np.empty(3, np.int64)
        for axis in range(3):
            size = nx if axis == 0 else ny if axis == 1 else nz
            low[axis] = int(max(0.0, np.floor(tri[:, axis].min() - 1e-9)))
            high[axis] = int(min(size - 1.0, np.floor(tri[:, axis].max() + 1e-9)))
        normal = np.cross(tri[1] - tri[0], tri[2] - tri[0])
        for k in range(low[2], high[2] + 1):
            for j in range(low[1], high[1] + 1):
                for i in range(low[0], high[0] + 1):
                    if solid[k, j, i]:
                        continue
                    for c in range(3):
                        local[c, 0] = tri[c, 0] - i - 0.5
                        local[c, 1] = tri[c, 1] - j - 0.5
                        local[c, 2] = tri[c, 2] - k - 0.5
                    solid[k, j, i] = _touches(normal, local)


class TriangleTree:
    """Triangles (n, 3, 3) in a tree of boxes, split at the median of the longest axis."""

    def __init__(self, triangles_m: FloatArray) -> None:
        triangles = np.ascontiguousarray(triangles_m, np.float64).reshape(-1, 3, 3)
        order, self._bounds_m, self._links = _build(triangles)
        self.order: _Index = order  # place in the tree -> index of the triangle as given
        ordered = triangles[order]
        # Corner and two edges, as the test of Moeller and Trumbore (1997) reads them.
        self._rows_m = np.ascontiguousarray(
            np.concatenate(
                (ordered[:, 0], ordered[:, 1] - ordered[:, 0], ordered[:, 2] - ordered[:, 0]), axis=1
            )
        )

    def first_hit_m(self, centres_m: FloatArray, directions: Float32Array | FloatArray) -> Float32Array:
        """Distance (n,) along each unit ray (n, 3) to the first triangle, inf where there is none.

        Args:
            centres_m: (3,) for all rays, or (n, 3).
            directions: (n, 3) unit vectors.
        """
        return self.first_hits(centres_m, directions)[0]

    def first_hits(
        self, centres_m: FloatArray, directions: Float32Array | FloatArray
    ) -> tuple[Float32Array, _Index]:
        """As :meth:`first_hit_m`, and which triangle (n,) that is, -1 where there is none."""
        rays = np.ascontiguousarray(directions, np.float32)
        starts = np.ascontiguousarray(np.asarray(centres_m, np.float64).reshape(-1, 3))
        if not len(self._rows_m):
            return np.full(len(rays), np.inf, np.float32), np.full(len(rays), -1, np.int64)
        distances, places = _cast(starts, rays, self._rows_m, self._bounds_m, self._links)
        return distances, np.where(places < 0, -1, self.order[places])


@_compiled
def _build(triangles: FloatArray) -> tuple[_Index, FloatArray, _Index]:
    count = len(triangles)
    order = np.arange(count)
    middle = np.empty((count, 3))
    for t in range(count):
        for axis in range(3):
            middle[t, axis] = (triangles[t, 0, axis] + triangles[t, 1, axis] + triangles[t, 2, axis]) / 3.0
    room = max(1, 4 * count)
    bounds = np.empty((room, 6))
    links = np.zeros((room, 2), np.int64)  # (first child, 0) or (first triangle, how many)
    todo = np.empty((_STACK, 3), np.int64)  # node, first, past
    used, waiting = 1, 1
    todo[0, 0], todo[0, 1], todo[0, 2] = 0, 0, count
    while waiting > 0:
        waiting -= 1
        node, first, past = todo[waiting, 0], todo[waiting, 1], todo[waiting, 2]
        for axis in range(3):
            low, high = np.inf, -np.inf
            for i in range(first, past):
                for c in range(3):
                    low = min(low, triangles[order[i], c, axis])
                    high = max(high, triangles[order[i], c, axis])
            bounds[node, axis], bounds[node, 3 + axis] = low - 1e-6, high + 1e-6
        if past - first <= _LEAF:
            links[node, 0], links[node, 1] = first, past - first
            continue
        axis, widest = 0, -1.0
        for a in range(3):
            values = middle[order[first:past], a]
            if values.max() - values.min() > widest:
                axis, widest = a, values.max() - values.min()
        part = order[first:past].copy()
        order[first:past] = part[np.argsort(middle[part, axis], kind="mergesort")]
        half = (first + past) // 2
        links[node, 0] = used
        todo[waiting, 0], todo[waiting, 1], todo[waiting, 2] = used, first, half
        todo[waiting + 1, 0], todo[waiting + 1, 1], todo[waiting + 1, 2] = used + 1, half, past
        waiting += 2
        used += 2
    return order, bounds[:used].copy(), links[:used].copy()


@_compiled
def _enter(
    bounds: FloatArray, node: int, cx: float, cy: float, cz: float, ix: float, iy: float, iz: float
) -> float:
    """Distance at which a ray enters a node's box, inf if it misses (slabs, Kay and Kajiya 1986)."""
    a, b = (bounds[node, 0] - cx) * ix, (bounds[node, 3] - cx) * ix
    near, far = min(a, b), max(a, b)
    a, b = (bounds[node, 1] - cy) * iy, (bounds[node, 4] - cy) * iy
    near, far = max(near, min(a, b)), min(far, max(a, b))
    a, b = (bounds[node, 2] - cz) * iz, (bounds[node, 5] - cz) * iz
    near, far = max(near, min(a, b)), min(far, max(a, b))
    return max(near, 0.0) if far >= max(near, 0.0) else np.inf


@_compiled
def _meet(row: FloatArray, cx: float, cy: float, cz: float, dx: float, dy: float, dz: float) -> float:
    """Distance along a ray to one triangle, inf if it misses (Moeller and Trumbore 1997, both sides)."""
    px, py, pz = dy * row[8] - dz * row[7], dz * row[6] - dx * row[8], dx * row[7] - dy * row[6]
    det = row[3] * px + row[4] * py + row[5] * pz
    if abs(det) < 1e-14:
        return np.inf
    tx, ty, tz = cx - row[0], cy - row[1], cz - row[2]
    u = (tx * px + ty * py + tz * pz) / det
    if u < -_SEAM or u > 1.0 + _SEAM:
        return np.inf
    qx, qy, qz = ty * row[5] - tz * row[4], tz * row[3] - tx * row[5], tx * row[4] - ty * row[3]
    v = (dx * qx + dy * qy + dz * qz) / det
    if v < -_SEAM or u + v > 1.0 + _SEAM:
        return np.inf
    along = (row[6] * qx + row[7] * qy + row[8] * qz) / det
    return along if along > 1e-6 else np.inf


@_compiled
def _cast(
    starts: FloatArray, rays: Float32Array, rows: FloatArray, bounds: FloatArray, links: _Index
) -> tuple[Float32Array, _Index]:
    found = np.full(len(rays), np.inf, np.float32)
    which = np.full(len(rays), -1, np.int64)
    stack = np.empty(_STACK, np.int64)
    near = np.empty(_STACK)
    for r in range(len(rays)):
        start = starts[r] if len(starts) > 1 else starts[0]
        cx, cy, cz = start[0], start[1], start[2]
        dx, dy, dz = float(rays[r, 0]), float(rays[r, 1]), float(rays[r, 2])
        # A component of 0 would make 0 * inf at a box's face.
        ix = 1.0 / dx if abs(dx) > 1e-12 else np.copysign(1e12, dx)
        iy = 1.0 / dy if abs(dy) > 1e-12 else np.copysign(1e12, dy)
        iz = 1.0 / dz if abs(dz) > 1e-12 else np.copysign(1e12, dz)
        best = np.inf
        stack[0], near[0] = 0, _enter(bounds, 0, cx, cy, cz, ix, iy, iz)
        waiting = 1
        while waiting > 0:
            waiting -= 1
            if near[waiting] >= best:
                continue
            node = stack[waiting]
            if links[node, 1] == 0:
                left = links[node, 0]
                a = _enter(bounds, left, cx, cy, cz, ix, iy, iz)
                b = _enter(bounds, left + 1, cx, cy, cz, ix, iy, iz)
                # The nearer child is visited first, so it lies on top.
                first, second, m, n = left, left + 1, a, b
                if b < a:
                    first, second, m, n = left + 1, left, b, a
                if n < best:
                    stack[waiting], near[waiting] = second, n
                    waiting += 1
                if m < best:
                    stack[waiting], near[waiting] = first, m
                    waiting += 1
                continue
            for i in range(links[node, 0], links[node, 0] + links[node, 1]):
                along = _meet(rows[i], cx, cy, cz, dx, dy, dz)
                if along < best:
                    best = along
                    which[r] = i
        found[r] = best
    return found, which
