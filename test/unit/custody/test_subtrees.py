# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Proofs from kept subtrees are those made from all leaves, and read little."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody.merkle import consistency_proof, inclusion_proof, tree_root
from vidgen_nodes.custody.subtrees import Subtrees
from vidgen_nodes.errors import VerificationError

HASHES = [hashlib.sha256(str(number).encode()).digest() for number in range(1500)]


def grown(size: int, reads: list[int] | None = None) -> Subtrees:
    def read(low: int, high: int) -> list[bytes]:
        if reads is not None:
            reads.append(high - low)
        return HASHES[low:high]

    subtrees = Subtrees(read)
    for hashed in HASHES[:size]:
        subtrees.append(hashed)
    return subtrees


@settings(max_examples=60)
@given(st.integers(1, 1500), st.data())
def test_proofs_are_those_from_all_leaves(grown_to, data):
    size = data.draw(st.integers(1, grown_to))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    reads: list[int] = []
    subtrees = grown(grown_to, reads)
    assert subtrees.root(size) == tree_root(HASHES[:size])
    assert subtrees.inclusion(index, size) == inclusion_proof(HASHES[:size], index)
    assert subtrees.consistency(old, size) == consistency_proof(HASHES[:size], old)
    assert sum(reads) <= 4 * 256


def test_what_is_not_there_is_refused():
    with pytest.raises(VerificationError, match="the tree has 10 leaves"):
        grown(10).inclusion(10, 10)
    with pytest.raises(VerificationError, match="the tree has 10 leaves"):
        grown(10).consistency(11, 10)
