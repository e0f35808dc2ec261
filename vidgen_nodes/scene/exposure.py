# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which faces of a model are exposed: not inside another element, and not behind one that touches them.

A timber wall behind gypsum boards does not burn where the boards are. Guarantees: of surfaces that burn
only exposed pieces remain, and how much was covered is said. A model whose bodies are not closed can lose
exposed pieces, never gain covered ones: less burns then. Leaves out gaps wider than ``TOUCH_M``, behind
which a fire has air.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.scene.surface import Surface, area_vectors_m2
from vidgen_nodes.scene.triangle_tree import TriangleTree

TOUCH_M = 0.02  # boards on battens of less than this touch
_PROBES_M = (0.001, 0.01, TOUCH_M)
_EDGE_M = 0.5  # pieces of faces that are decided at once
_MOST_PIECES = 400_000  # of one surface; the rest stay large
_AT_ONCE = 50_000  # pieces in one call


class Solids:
    """The bodies of a model, to ask what is inside them."""

    def __init__(self, triangles_m: FloatArray) -> None:
        self.tree = TriangleTree(triangles_m)
        vectors = area_vectors_m2(triangles_m)
        self._normals = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-15)

    def hold(self, points_m: FloatArray, directions: FloatArray) -> BoolArray:
        """Whether each point (n, 3) is inside a body: the first face along its direction is left outwards."""
        distance_m, which = self.tree.first_hits(points_m, directions)
        outwards = np.einsum("ni,ni->n", self._normals[which], directions)
        inside: BoolArray = np.isfinite(distance_m) & (outwards > 1e-3)
        return inside

    def cover(self, points_m: FloatArray, normals: FloatArray) -> BoolArray:
        """Whether something touches or buries faces at points (n, 3) with outward unit normals (n, 3)."""
        covered: BoolArray = np.zeros(len(points_m), np.bool_)
        for probe_m in _PROBES_M:
            covered |= self.hold(points_m + probe_m * normals, normals)
        return covered


def exposed_fuel(surfaces: tuple[Surface, ...]) -> tuple[tuple[Surface, ...], tuple[str, ...]]:
    """The surfaces, those that burn without their covered pieces, and a note if there were any."""
    burning = [item for item in surfaces if item.combustible and item.faces is not None]
    if not burning:
        return surfaces, ()
    solids = Solids(np.concatenate([item.triangles_m for item in surfaces]))
    bare = _bare_pieces(burning, solids)
    covered_m2 = 0.0
    kept: list[Surface] = []
    for item in surfaces:
        if not item.combustible or item.faces is None:
            kept.append(item)
            continue
        own, shown = next(bare)
        covered_m2 += float(np.linalg.norm(area_vectors_m2(own[~shown]), axis=1).sum())
        if shown.all():
            kept.append(item)
        elif shown.any():
            corners, index = np.unique(own[shown].reshape(-1, 3), axis=0, return_inverse=True)
            faces = index.reshape(-1, 3).astype(np.int32)
            kept.append(dataclasses.replace(item, corners_m=corners, faces=faces))
    if covered_m2 == 0.0:
        return tuple(kept), ()
    return tuple(kept), (f"{covered_m2:.2f} m2 that would burn lie behind other elements and were left out",)


def _bare_pieces(burning: list[Surface], solids: Solids) -> Iterator[tuple[FloatArray, BoolArray]]:
    """The pieces of each surface, and which of them nothing covers; so many at a time that memory stays small."""
    waiting: list[FloatArray] = []
    for index, item in enumerate(burning):
        waiting.append(_pieces(item.triangles_m))
        if index + 1 < len(burning) and sum(map(len, waiting)) < _AT_ONCE:
            continue
        every = np.concatenate(waiting)
        areas = area_vectors_m2(every)
        size_m2 = np.linalg.norm(areas, axis=1)
        bare = ~solids.cover(every.mean(axis=1), areas / np.maximum(size_m2, 1e-15)[:, None])
        yield from zip(waiting, np.split(bare, np.cumsum([len(own) for own in waiting])[:-1]), strict=True)
        waiting = []


def _pieces(triangles_m: FloatArray) -> FloatArray:
    """Triangles (n, 3, 3) cut at the middle of their longest edge until none is longer than ``_EDGE_M``."""
    done: list[FloatArray] = []
    while len(triangles_m):
        edges = np.linalg.norm(np.roll(triangles_m, -1, axis=1) - triangles_m, axis=2)
        small = edges.max(axis=1) <= _EDGE_M
        if len(triangles_m) + sum(map(len, done)) > _MOST_PIECES:
            small[:] = True
        done.append(triangles_m[small])
        large, longest = triangles_m[~small], edges[~small].argmax(axis=1)
        row = np.arange(len(large))
        a, b, c = (large[row, (longest + k) % 3] for k in range(3))
        middle = 0.5 * (a + b)
        triangles_m = np.concatenate((np.stack((a, middle, c), axis=1), np.stack((middle, b, c), axis=1)))
    return np.concatenate(done)
