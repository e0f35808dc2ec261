# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Commits each frame to the cells that carry its obstacles, and keeps what it takes to open them.

Guarantees: the same map, cells, rule and secret give the same hash. A new map costs 2 ms (80 x 80 cells, one
core), a new list of 50 cells on it 0.5 ms, a frame with neither 0.02 ms. Leaves out drawing and signing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol

import numpy as np

from vidgen_nodes.custody.map_commitment import MapCommitment
from vidgen_nodes.custody.obstacles import Obstacles
from vidgen_nodes.custody.openings import Opening
from vidgen_nodes.custody.sha256_lanes import sha256_many
from vidgen_nodes.packets import UncertaintyMap

_KEPT = 4  # maps, and lists of cells; saves time only

Cells = tuple[tuple[int, int], ...]  # (row, col), each once, ascending


class Openings(Protocol):
    """Where the secret of a run comes from, and where what opens a commitment goes (``OpeningStore``)."""

    secret: bytes

    def put(self, attestation: bytes, opening: Opening) -> None:
        """Keep an opening under the hash that the leaf names."""

    def close(self) -> None:
        """Let go of it."""


class ObstacleCommitter:
    """Used by the thread that makes the frames. A context manager."""

    def __init__(self, store: Openings, tau: float, least_observations: int) -> None:
        """``tau`` and ``least_observations``: the rule under which the gate opens a cell to obstacles."""
        sha256_many(np.zeros((1, 1), np.uint8))  # compiled before the first frame waits for it
        self._store = store
        self._rule = float(tau), int(least_observations)
        self._maps: OrderedDict[bytes, MapCommitment] = OrderedDict()
        self._made: OrderedDict[tuple[bytes, Cells], bytes] = OrderedDict()

    def commit(self, umap: UncertaintyMap, cells: Iterable[tuple[int, int]]) -> bytes | None:
        """The hash for the leaf of a frame; None: no cell carries an obstacle.

        Raises:
            CustodyError: what it takes to open it cannot be kept.
        """
        listed = tuple(sorted(set(cells)))
        if not listed:
            return None
        made = self._made.get((umap.digest, listed))
        if made is None:
            made = self._made[umap.digest, listed] = self._commit(self._map(umap), listed)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made

    def _map(self, umap: UncertaintyMap) -> MapCommitment:
        found = self._maps.get(umap.digest)
        if found is None:
            found = self._maps[umap.digest] = MapCommitment(umap, self._store.secret)
            if len(self._maps) > _KEPT:
                self._maps.popitem(last=False)
        return found

    def _commit(self, tree: MapCommitment, cells: Cells) -> bytes:
        indices = tuple(row * tree.cols + col for row, col in cells)
        obstacles = Obstacles(tree.place, *self._rule, indices, tree.own_salt)
        values = tuple(tree.value(index) for index in indices)
        digest = obstacles.digest(tree.root)
        self._store.put(digest, Opening(obstacles, tree.digest, values, tuple(tree.siblings(indices))))
        return digest

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def __enter__(self) -> ObstacleCommitter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
