# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The tree against published vectors, and proofs against everything near them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from vidgen_nodes.errors import VerificationError

# Inputs and roots of the reference implementation of Certificate Transparency (RFC 6962).
VECTOR_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(bytes([number])) for number in range(131)]
ROOTS = [tree_root(HASHES[:size]) for size in range(132)]


def test_roots_of_the_published_vectors():
    tree = MerkleTree()
    assert tree.root == EMPTY_ROOT == hashlib.sha256(b"").digest()
    for size, (leaf, root) in enumerate(zip(VECTOR_LEAVES, VECTOR_ROOTS, strict=True), start=1):
        tree.append(leaf_hash(leaf))
        assert tree.size == size
        assert tree.root.hex() == root


def test_inclusion_path_of_a_published_vector():
    hashes = [leaf_hash(leaf) for leaf in VECTOR_LEAVES]
    assert [node.hex() for node in inclusion_proof(hashes, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_consistency_path_of_a_published_vector():
    hashes = [leaf_hash(leaf) for leaf in VECTOR_LEAVES]
    assert [node.hex() for node in consistency_proof(hashes, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_every_inclusion_proof_up_to_130_leaves_verifies():
    for size in range(1, 131):
        for index in range(size):
            path = inclusion_proof(HASHES[:size], index)
            assert len(path) <= (size - 1).bit_length()
            verify_inclusion(HASHES[index], index, size, path, ROOTS[size])


def test_every_consistency_proof_up_to_70_leaves_verifies():
    for size in range(71):
        for old in range(size + 1):
            verify_consistency(old, size, consistency_proof(HASHES[:size], old), ROOTS[old], ROOTS[size])


sizes = st.integers(1, 130)


@settings(max_examples=200)
@given(size=sizes, data=st.data())
def test_an_inclusion_proof_with_anything_wrong_is_refused(size, data):
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(HASHES[:size], index)
    wrong: list[tuple[object, ...]] = [
        (HASHES[index + 1], index, size, path, ROOTS[size]),
        (HASHES[index], index, size, path, ROOTS[size - 1]),
        (HASHES[index], index, size, [*path, HASHES[0]], ROOTS[size]),
        (HASHES[index], size, size, path, ROOTS[size]),
        (HASHES[index], -1, size, path, ROOTS[size]),
    ]
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        wrong.append((HASHES[index], other, size, path, ROOTS[size]))
    if path:
        place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        flipped = list(path)
        node = bytearray(path[place])
        node[bit // 8] ^= 1 << bit % 8
        flipped[place] = bytes(node)
        wrong += [
            (HASHES[index], index, size, flipped, ROOTS[size]),
            (HASHES[index], index, size, path[:-1], ROOTS[size]),
            (HASHES[index], index, size, [path[0][:-1], *path[1:]], ROOTS[size]),
        ]
    for proof in wrong:
        with pytest.raises(VerificationError):
            verify_inclusion(*proof)


@settings(max_examples=200)
@given(size=st.integers(2, 130), data=st.data())
def test_a_consistency_proof_with_anything_wrong_is_refused(size, data):
    old = data.draw(st.integers(1, size - 1))
    path = consistency_proof(HASHES[:size], old)
    fork = tree_root([*HASHES[: old - 1], leaf_hash(b"other")])
    wrong = [
        (old, size, path, fork, ROOTS[size]),
        (old, size, path, ROOTS[old], ROOTS[size - 1]),
        (old, size, [*path, HASHES[0]], ROOTS[old], ROOTS[size]),
        (old, size, path[:-1], ROOTS[old], ROOTS[size]),
        (size, old, path, ROOTS[size], ROOTS[old]),
        (old, size, [node[::-1] for node in path], ROOTS[old], ROOTS[size]),
        (old, size, [], ROOTS[old], ROOTS[size]),
    ]
    for proof in wrong:
        with pytest.raises(VerificationError):
            verify_consistency(*proof)


@given(size=st.integers(0, 130))
def test_a_copy_grows_apart(size):
    tree = MerkleTree()
    for hashed in HASHES[:size]:
        tree.append(hashed)
    twin = tree.copy()
    twin.append(HASHES[size])
    assert (tree.size, tree.root) == (size, ROOTS[size])
    assert (twin.size, twin.root) == (size + 1, ROOTS[size + 1])


@given(size=st.integers(0, 60), more=st.integers(0, 60))
def test_many_leaves_at_once_give_the_root_after_each(size, more):
    tree = MerkleTree()
    assert tree.extend(HASHES[:size]) == ROOTS[1 : size + 1]
    assert tree.extend(HASHES[size : size + more]) == ROOTS[size + 1 : size + more + 1]
    assert (tree.size, tree.root) == (size + more, ROOTS[size + more])


def test_equal_sizes_need_equal_roots_and_the_empty_tree_its_own():
    verify_consistency(5, 5, [], ROOTS[5], ROOTS[5])
    with pytest.raises(VerificationError):
        verify_consistency(5, 5, [], ROOTS[4], ROOTS[5])
    with pytest.raises(VerificationError):
        verify_consistency(0, 5, [], ROOTS[1], ROOTS[5])


def test_proofs_of_what_is_not_there_are_refused():
    with pytest.raises(VerificationError, match="3 leaves"):
        inclusion_proof(HASHES[:3], 3)
    with pytest.raises(VerificationError, match="3 leaves"):
        consistency_proof(HASHES[:3], 4)


def test_pymerkle_computes_the_same_roots():
    pymerkle = pytest.importorskip(
        "pymerkle", reason="pymerkle is an optional second opinion, not a dependency"
    )
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(100):
        other.append_entry(bytes([number]))
        assert other.get_state() == ROOTS[number + 1]
