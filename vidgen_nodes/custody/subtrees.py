# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Proofs about a long log without reading all of it.

Keeps the roots of every full subtree of 256 leaves and more in memory (a quarter of a byte a leaf) and reads the
leaf hashes of at most a few blocks of 256 for a proof. Guarantees: the proofs are those of ``merkle.py``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from vidgen_nodes.custody.merkle import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    node_hash,
    split,
    tree_root,
)

_BITS = 8
_BLOCK = 1 << _BITS
_KEPT = 4  # blocks of leaf hashes: an inclusion proof needs the one of its leaf


class Subtrees:
    """Made by appending leaf hashes in order; ``read(low, high)`` returns them again later."""

    def __init__(self, read: Callable[[int, int], list[bytes]]) -> None:
        self._read = read
        self._levels: list[
            list[bytes]
        ] = []  # [k][i]: root of the leaves from i << (8 + k), 1 << (8 + k) of them
        self._open: list[bytes] = []  # leaf hashes of the block that is not full
        self._blocks: OrderedDict[int, list[bytes]] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Leaves appended."""
        return self._size

    def append(self, hashed_leaf: bytes) -> None:
        """Add a leaf, given its ``leaf_hash``."""
        self._open.append(hashed_leaf)
        self._size += 1
        if len(self._open) < _BLOCK:
            return
        node, self._open = tree_root(self._open), []
        for level in range(len(self._levels) + 1):
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(node)
            if len(self._levels[level]) & 1:
                return
            node = node_hash(*self._levels[level][-2:])

    def root(self, size: int | None = None) -> bytes:
        """Root over the first ``size`` leaves; None: over all."""
        size = self._size if size is None else size
        return self._root_of(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Path from leaf ``index`` to the root over the first ``size`` leaves.

        Raises:
            VerificationError: there is no such leaf, or the log cannot be read.
        """
        return inclusion_path(index, size, self._root_of)

    def consistency(self, old_size: int, size: int) -> list[bytes]:
        """Proof that the first ``size`` leaves begin with the first ``old_size``.

        Raises:
            VerificationError: the log never had such sizes, or cannot be read.
        """
        return consistency_path(old_size, size, self._root_of)

    def _root_of(self, low: int, high: int) -> bytes:
        count = high - low
        if count & (count - 1) == 0 and low % count == 0 and count >= _BLOCK:
            level = count.bit_length() - 1
            return self._levels[level - _BITS][low >> level]
        if count <= _BLOCK and low // _BLOCK == (high - 1) // _BLOCK:
            start = low // _BLOCK * _BLOCK
            return tree_root(self._block(start)[low - start : high - start])
        middle = low + split(count)
        return node_hash(self._root_of(low, middle), self._root_of(middle, high))

    def _block(self, start: int) -> list[bytes]:
        if start + _BLOCK > self._size:
            return self._open
        block = self._blocks.get(start)
        if block is None:
            block = self._blocks[start] = self._read(start, start + _BLOCK)
            if len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return block
