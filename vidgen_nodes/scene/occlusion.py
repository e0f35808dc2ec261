# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the building hides: the distance along rays to its first surface.

Guarantees: both ways to work it out agree (a test holds them together): plane by plane for a few flat
surfaces, a tree of boxes for models. Leaves out the surface that the LiDAR measured
(``scene.measured``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from vidgen_nodes.packets import Float32Array, FloatArray
from vidgen_nodes.scene.surface import Surface

FEW_QUADS = 48  # up to so many the plain way is faster and needs no compiler
_SEAM = np.float32(-2e-6)  # sine of an angle: rays along the seam of two surfaces must not slip through
_GRAZING = np.float32(1e-6)  # rays along the plane of a surface do not meet it
_EDGE_ON_M = 1e-6  # a surface whose plane is this near hides nothing


class Occluder(Protocol):
    """Anything that ends rays."""

    def first_hit_m(self, centres_m: FloatArray, directions: Float32Array) -> Float32Array:
        """Distance (n,) along each unit ray (n, 3) from a point (3,), inf where nothing is met."""
        ...


def occluder(surfaces: Iterable[Surface]) -> Occluder:
    """The faster of the two ways for these surfaces."""
    surfaces = tuple(surfaces)
    count = sum(
        (len(item.corners_m) - 1) // 2 if item.faces is None else len(item.faces) for item in surfaces
    )
    if count <= FEW_QUADS:
        return FlatSurfaces(surfaces)
    from vidgen_nodes.scene.triangle_tree import TriangleTree  # numba: only models need it

    return TriangleTree(np.concatenate([item.triangles_m for item in surfaces]))


class FlatSurfaces:
    """A few convex polygons, each tested against every ray."""

    def __init__(self, surfaces: Iterable[Surface]) -> None:
        quads = [quad for item in surfaces for polygon in item.polygons_m() for quad in _quads(polygon)]
        self._corners_m = np.array(quads, np.float64).reshape(-1, 4, 3)
        corners = self._corners_m
        normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        self._normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        self._last_view: dict[bytes, tuple[Float32Array, Float32Array]] = {}

    def first_hit_m(self, centres_m: FloatArray, directions: Float32Array) -> Float32Array:
        """Distance (n,) along each unit ray (n, 3) from a point (3,), inf where nothing is met."""
        rays = np.ascontiguousarray(directions.T, np.float32)  # (3, N)
        planes, distances_m = self._view_cones(np.asarray(centres_m, np.float64))
        sides = planes @ rays  # (5, n, N)
        inside = np.minimum(sides[0], sides[1])
        for side in (sides[2], sides[3]):
            np.minimum(inside, side, out=inside)
        along = sides[4]
        # Where the ray misses, the distance stays infinite.
        met_m = np.full(along.shape, np.inf, np.float32)
        np.divide(distances_m[:, None], along, out=met_m, where=(inside >= _SEAM) & (along > _GRAZING))
        nearest: Float32Array = np.min(met_m, axis=0, initial=np.float32(np.inf))
        return nearest

    def _view_cones(self, centre_m: FloatArray) -> tuple[Float32Array, Float32Array]:
        """The surfaces as seen from a point.

        Returns:
            For each surface that is not seen edge on, unit normals (5, n, 3) that a ray into it goes along:
            four planes through the point and an edge, then the surface itself; and its distance (n,).
            Kept for the last point: one frame asks for fire and debris from the same one.
        """
        last = self._last_view.get(centre_m.tobytes())
        if last is not None:
            return last
        local = self._corners_m - centre_m
        distances_m = np.einsum("ni,ni->n", self._normals, local.mean(axis=1))
        seen = np.abs(distances_m) > _EDGE_ON_M
        local, distances_m = local[seen], distances_m[seen]
        edges = np.cross(local, local[:, (1, 2, 3, 0)])
        planes = np.concatenate((edges, self._normals[seen][:, None]), axis=1)
        planes *= np.sign(distances_m)[:, None, None]
        # The doubled corner of a triangle has no edge: its plane stays zero, and every ray passes it.
        planes /= np.maximum(np.sqrt(np.einsum("nki,nki->nk", planes, planes)), 1e-12)[..., None]
        by_edge = np.ascontiguousarray(planes.transpose(1, 0, 2), np.float32)
        cones = by_edge, np.abs(distances_m).astype(np.float32)
        self._last_view.clear()
        self._last_view[centre_m.tobytes()] = cones
        return cones


def _quads(polygon_m: FloatArray) -> list[FloatArray]:
    """A convex polygon (n, 3) as quads (4, 3) that fan out of its first corner; a lone triangle doubles one."""
    count = len(polygon_m)
    return [polygon_m[[0, index, index + 1, min(index + 2, count - 1)]] for index in range(1, count - 1, 2)]
