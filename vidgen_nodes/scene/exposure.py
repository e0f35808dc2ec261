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
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.scene.surface import Surface, area_vectors_m2
from vidgen_nodes.scene.triangle_tree import TriangleTree

_Index = npt.NDArray[np.int64]
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


def exposed_fuel(
    surfaces: tuple[Surface, ...], progress: Callable[[float], None] | None = None
) -> tuple[tuple[Surface, ...], tuple[str, ...]]:
    """The surfaces, those that burn without their covered pieces, and a note if there were any.

    Args:
        surfaces: of a model.
        progress: told the share done.
    """
    burning = [item for item in surfaces if item.combustible and item.faces is not None]
    if not burning:
        return surfaces, ()
    solids = Solids(np.concatenate([item.triangles_m for item in surfaces]))
    bare = _bare_pieces(burning, solids, progress or (lambda _: None))
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


def _bare_pieces(
    burning: list[Surface], solids: Solids, progress: Callable[[float], None]
) -> Iterator[tuple[FloatArray, BoolArray]]:
    """The pieces of each surface, and which of them nothing covers; so many at a time that memory stays small."""
    first = 0
    while first < len(burning):
        past, count = first, 0
        while past < len(burning) and count < _AT_ONCE:
            count += _expected(burning[past].triangles_m)
            past += 1
        owned = [item.triangles_m for item in burning[first:past]]
        every, owner = _pieces(np.concatenate(owned), np.repeat(np.arange(len(owned)), list(map(len, owned))))
        areas = area_vectors_m2(every)
        size_m2 = np.linalg.norm(areas, axis=1)
        bare = ~solids.cover(every.mean(axis=1), areas / np.maximum(size_m2, 1e-15)[:, None])
        ends = np.searchsorted(owner, np.arange(1, len(owned)))
        yield from zip(np.split(every, ends), np.split(bare, ends), strict=True)
        first = past
        progress(first / len(burning))


def _expected(triangles_m: FloatArray) -> int:
    """About how many pieces triangles (n, 3, 3) are cut into."""
    areas = np.linalg.norm(area_vectors_m2(triangles_m), axis=1)
    return len(triangles_m) + int(areas.sum() / (0.25 * _EDGE_M**2))


def _pieces(triangles_m: FloatArray, owner: _Index) -> tuple[FloatArray, _Index]:
    """Triangles (n, 3, 3) cut at the middle of their longest edge until none is longer than ``_EDGE_M``.

    Args:
        triangles_m: of some surfaces.
        owner: (n,) which of them each belongs to.

    Returns:
        The pieces (m, 3, 3) and their owners (m,), those of one owner together.
    """
    done: list[FloatArray] = []
    owners: list[_Index] = []
    while len(triangles_m):
        edges = np.linalg.norm(np.roll(triangles_m, -1, axis=1) - triangles_m, axis=2)
        small = edges.max(axis=1) <= _EDGE_M
        counts = np.bincount(np.concatenate((owner, *owners)))
        small |= counts[owner] > _MOST_PIECES
        done.append(triangles_m[small])
        owners.append(owner[small])
        large, longest, owner = triangles_m[~small], edges[~small].argmax(axis=1), owner[~small]
        row = np.arange(len(large))
        a, b, c = (large[row, (longest + k) % 3] for k in range(3))
        middle = 0.5 * (a + b)
        triangles_m = np.concatenate((np.stack((a, middle, c), axis=1), np.stack((middle, b, c), axis=1)))
        owner = np.concatenate((owner, owner))
    of = np.concatenate(owners)
    order = np.argsort(of, kind="stable")
    return np.concatenate(done)[order], of[order]
