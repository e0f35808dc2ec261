# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A tree of boxes over triangles, and the first of them that rays meet.

Guarantees: rays along a seam of two triangles do not slip through; the same input gives the same bytes.
Leaves out what a triangle belongs to.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import Float32Array, FloatArray

_Index = npt.NDArray[np.int64]
_LEAF = 4  # triangles in a leaf
_STACK = 64  # nodes still to be visited; the depth of the tree is log2 of the triangles
_SEAM = 1e-6  # barycentric slack: rays along the seam of two triangles must not slip through


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


@compiled
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


@compiled
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


@compiled
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
