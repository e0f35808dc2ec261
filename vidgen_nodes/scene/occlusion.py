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

FEW_QUADS = 48  # up to so many, trying each is faster


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
        self._normals = np.ascontiguousarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))

    def first_hit_m(self, centres_m: FloatArray, directions: Float32Array) -> Float32Array:
        """Distance (n,) along each unit ray (n, 3) from a point (3,), inf where nothing is met."""
        from vidgen_nodes.scene.flat_kernel import first_hits  # numba

        centre = np.ascontiguousarray(centres_m, np.float64)
        return first_hits(
            self._corners_m, self._normals, centre, np.ascontiguousarray(directions, np.float32)
        )


def _quads(polygon_m: FloatArray) -> list[FloatArray]:
    """A convex polygon (n, 3) as quads (4, 3) that fan out of its first corner; a lone triangle doubles one."""
    count = len(polygon_m)
    return [polygon_m[[0, index, index + 1, min(index + 2, count - 1)]] for index in range(1, count - 1, 2)]
