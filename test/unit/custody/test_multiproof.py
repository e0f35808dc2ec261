# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.multiproof import (
    NODE_BYTES,
    SALT_BYTES,
    cell_leaf,
    level_sizes,
    opened_nodes,
    root_of,
    salts_of,
    siblings_of,
)
from vidgen_nodes.errors import VerificationError


def whole_tree(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    """Every node, by the recursive definition of RFC 9162 with hashes of 24 bytes."""

    def root(low: int, high: int) -> bytes:
        if high - low == 1:
            return leaves[low]
        k = 1 << ((high - low - 1).bit_length() - 1)
        return hashlib.sha256(b"\x01" + root(low, low + k) + root(low + k, high)).digest()[:NODE_BYTES]

    nodes = {}
    for level, width in enumerate(level_sizes(len(leaves))):
        for position in range(width):
            low = position << level
            nodes[level, position] = root(low, min(low + (1 << level), len(leaves)))
    return nodes


@st.composite
def openings(draw: st.DrawFn) -> tuple[list[bytes], list[int]]:
    size = draw(st.integers(1, 70))
    chosen = draw(st.sets(st.integers(0, size - 1), max_size=8))
    return [hashlib.sha256(b"%d" % n).digest()[:NODE_BYTES] for n in range(size)], sorted(chosen)


@given(openings())
def test_opened_leaves_and_their_siblings_lead_to_the_root(case: tuple[list[bytes], list[int]]) -> None:
    leaves, chosen = case
    nodes = whole_tree(leaves)
    siblings = [nodes[place] for place in siblings_of(len(leaves), chosen)]
    found = opened_nodes(len(leaves), {n: leaves[n] for n in chosen}, siblings)
    assert root_of(len(leaves), found) == nodes[len(level_sizes(len(leaves))) - 1, 0]
    assert all(nodes[place] == node for place, node in found.items())


@given(openings(), st.integers(0, 10**6))
def test_another_value_or_another_sibling_leads_elsewhere(
    case: tuple[list[bytes], list[int]], at: int
) -> None:
    leaves, chosen = case
    nodes = whole_tree(leaves)
    siblings = [nodes[place] for place in siblings_of(len(leaves), chosen)]
    parts = [*(("leaf", n) for n in chosen), *(("sibling", n) for n in range(len(siblings)))]
    kind, which = parts[at % len(parts)]
    opened = {n: leaves[n] for n in chosen}
    if kind == "leaf":
        opened[which] = bytes(NODE_BYTES)
    else:
        siblings[which] = bytes(NODE_BYTES)
    root = root_of(len(leaves), opened_nodes(len(leaves), opened, siblings))
    assert root != nodes[len(level_sizes(len(leaves))) - 1, 0]


@pytest.mark.parametrize("siblings", [[], [bytes(NODE_BYTES)] * 5])
def test_wrong_number_of_siblings_is_refused(siblings: list[bytes]) -> None:
    with pytest.raises(VerificationError, match="expected 3"):
        opened_nodes(8, {2: bytes(NODE_BYTES)}, siblings)


def test_cell_outside_the_map_is_refused() -> None:
    with pytest.raises(VerificationError, match="not among the 8"):
        opened_nodes(8, {8: bytes(NODE_BYTES)}, [])


def test_leaf_depends_on_everything_that_it_holds() -> None:
    salt = bytes(SALT_BYTES)
    made = {
        cell_leaf(1, 0.5, 7, salt),
        cell_leaf(2, 0.5, 7, salt),
        cell_leaf(1, 0.25, 7, salt),
        cell_leaf(1, 0.5, 8, salt),
        cell_leaf(1, 0.5, 7, b"\1" * SALT_BYTES),
    }
    assert len(made) == 5


def test_salts_differ_by_cell_map_and_secret() -> None:
    salts = salts_of(b"s" * 32, b"m" * 32, 100)
    assert len(salts) == 101 * SALT_BYTES
    assert len({salts[n * SALT_BYTES : (n + 1) * SALT_BYTES] for n in range(101)}) == 101
    assert salts_of(b"s" * 32, b"n" * 32, 100) != salts != salts_of(b"t" * 32, b"m" * 32, 100)
    assert salts_of(b"s" * 32, b"m" * 32, 100) == salts
