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
_STACK = 64  # nodes still to be visited; the depth of the tree is log2 of the triangles
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
    # As floats: whole numbers would be another signature, and compiled anew.
    where = (float(grid.origin_east_m), float(grid.origin_north_m), float(grid.resolution_m))
    cells, count = _cells(np.ascontiguousarray(triangles_m, np.float64), *where, grid.rows, grid.cols)
    found = cells[:count]
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


@_compiled
def _range(polygon: FloatArray, count: int, axis: int) -> tuple[float, float]:
    """Smallest and largest coordinate of ``polygon[:count]``."""
    low = high = polygon[0, axis]
    for i in range(1, count):
        low, high = min(low, polygon[i, axis]), max(high, polygon[i, axis])
    return low, high


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
def _first(low: float, origin: float, edge: float) -> int:
    """First cell that a coordinate from ``low`` on can be in; at most one before the grid."""
    return max(0, int(np.ceil(max((low - origin) / edge, -1.0))) - 1)


@_compiled
def _last(high: float, origin: float, edge: float, count: int) -> int:
    return min(count - 1, int(np.floor(min((high - origin) / edge, count + 1.0))))


@_compiled
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


@_compiled
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


@_compiled
def _apart(ax: float, ay: float, az: float, tri: FloatArray) -> bool:
    """Whether an axis separates a triangle from the unit box about the origin (half edge 0.5)."""
    p = ax * tri[0, 0] + ay * tri[0, 1] + az * tri[0, 2]
    q = ax * tri[1, 0] + ay * tri[1, 1] + az * tri[1, 2]
    s = ax * tri[2, 0] + ay * tri[2, 1] + az * tri[2, 2]
    reach = 0.5 * (abs(ax) + abs(ay) + abs(az)) + 1e-9
    return bool(min(p, q, s) > reach or max(p, q, s) < -reach)


@_compiled
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


@_compiled
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


def _build(triangles: FloatArray) -> tuple[_Index, FloatArray, _Index]:
    """A full binary tree, level by level: order of the triangles, boxes of the nodes, and what is in them.

    Node i has children 2 i + 1 and 2 i + 2; links are (first child, 0), or of a leaf (first triangle, how many).
    """
    count = len(triangles)
    order = np.arange(count)
    depth = max(0, (count // _LEAF).bit_length() - 1) if count else 0
    middle = triangles.mean(axis=1)
    for level in range(depth):
        starts = np.arange(1 << level) * count >> level
        sizes = np.diff(starts, append=count)
        placed = middle[order]
        widest = (np.maximum.reduceat(placed, starts) - np.minimum.reduceat(placed, starts)).argmax(axis=1)
        node = np.repeat(np.arange(1 << level), sizes)
        order = order[np.lexsort((placed[np.arange(count), widest[node]], node))]
    starts = np.arange(1 << depth) * count >> depth
    links = np.zeros(((2 << depth) - 1, 2), np.int64)
    links[:, 0] = 2 * np.arange(len(links)) + 1
    leaves = (1 << depth) - 1
    links[leaves:, 0], links[leaves:, 1] = starts, np.diff(starts, append=count)
    bounds = np.empty((len(links), 6))
    if count:
        corners = triangles[order]
        bounds[leaves:, :3] = np.minimum.reduceat(corners.min(axis=1), starts) - 1e-6
        bounds[leaves:, 3:] = np.maximum.reduceat(corners.max(axis=1), starts) + 1e-6
    for level in range(depth - 1, -1, -1):
        first, past = (1 << level) - 1, (2 << level) - 1
        children = bounds[past : 2 * past + 1].reshape(-1, 2, 6)
        bounds[first:past, :3] = children[:, :, :3].min(axis=1)
        bounds[first:past, 3:] = children[:, :, 3:].max(axis=1)
    return order, bounds, links


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
def _meet(
    rows: FloatArray, i: int, cx: float, cy: float, cz: float, dx: float, dy: float, dz: float
) -> float:
    """Distance along a ray to one triangle, inf if it misses (Moeller and Trumbore 1997, both sides)."""
    px, py, pz = (
        dy * rows[i, 8] - dz * rows[i, 7],
        dz * rows[i, 6] - dx * rows[i, 8],
        dx * rows[i, 7] - dy * rows[i, 6],
    )
    det = rows[i, 3] * px + rows[i, 4] * py + rows[i, 5] * pz
    if abs(det) < 1e-14:
        return np.inf
    tx, ty, tz = cx - rows[i, 0], cy - rows[i, 1], cz - rows[i, 2]
    u = (tx * px + ty * py + tz * pz) / det
    if u < -_SEAM or u > 1.0 + _SEAM:
        return np.inf
    qx, qy, qz = (
        ty * rows[i, 5] - tz * rows[i, 4],
        tz * rows[i, 3] - tx * rows[i, 5],
        tx * rows[i, 4] - ty * rows[i, 3],
    )
    v = (dx * qx + dy * qy + dz * qz) / det
    if v < -_SEAM or u + v > 1.0 + _SEAM:
        return np.inf
    along = (rows[i, 6] * qx + rows[i, 7] * qy + rows[i, 8] * qz) / det
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
        s = r if len(starts) > 1 else 0
        cx, cy, cz = starts[s, 0], starts[s, 1], starts[s, 2]
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
                along = _meet(rows, i, cx, cy, cz, dx, dy, dz)
                if along < best:
                    best = along
                    which[r] = i
        found[r] = best
    return found, which
