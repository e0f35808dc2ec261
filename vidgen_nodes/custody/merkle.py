# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 9162 section 2.1 (the same as RFC 6962): append, root, proofs.

Guarantees: an append costs O(log n) time and memory; a verifier needs 32 bytes a level. Leaves out
storage and signatures. Proofs are made from the leaf hashes, O(n), or from ``subtrees.py``, O(log n).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from vidgen_nodes.errors import VerificationError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), RFC 9162 section 2.1.1."""
    return hashlib.sha256(_LEAF_PREFIX + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), RFC 9162 section 2.1.1."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


class MerkleTree:
    """A growing tree of which only the roots of its perfect subtrees are kept (a compact range)."""

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []  # roots of perfect subtrees, largest first: one per set bit of size

    @property
    def size(self) -> int:
        """Leaves in the tree."""
        return self._size

    @property
    def root(self) -> bytes:
        """Root over all leaves; SHA-256 of nothing for the empty tree."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def append(self, hashed_leaf: bytes) -> None:
        """Add a leaf, given its ``leaf_hash``."""
        node, size = hashed_leaf, self._size
        while size & 1:  # every trailing one bit is a perfect subtree that this leaf completes
            node = node_hash(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self._size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[bytes]:
        """Add leaves, given their hashes; returns the root after each. Half the time of ``append`` and ``root``."""
        sha256, prefix, peaks, size = hashlib.sha256, _NODE_PREFIX, self._peaks, self._size
        roots = []
        for node in leaf_hashes:
            rest = size
            while rest & 1:
                node = sha256(prefix + peaks.pop() + node).digest()
                rest >>= 1
            peaks.append(node)
            size += 1
            root = node
            for peak in peaks[-2::-1]:
                root = sha256(prefix + peak + root).digest()
            roots.append(root)
        self._size = size
        return roots

    def copy(self) -> MerkleTree:
        """An independent tree of the same leaves, O(log n)."""
        twin = MerkleTree()
        twin._size, twin._peaks = self._size, list(self._peaks)
        return twin


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root over the given leaf hashes."""
    tree = MerkleTree()
    for hashed in leaf_hashes:
        tree.append(hashed)
    return tree.root


def split(size: int) -> int:
    """Largest power of two smaller than ``size`` (the k of RFC 9162)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(index, leaves) of RFC 9162 section 2.1.3.1, from the leaf upwards.

    Raises:
        VerificationError: there is no such leaf.
    """
    return inclusion_path(index, len(leaf_hashes), lambda low, high: tree_root(leaf_hashes[low:high]))


def inclusion_path(index: int, size: int, root_of: Callable[[int, int], bytes]) -> list[bytes]:
    """The same from the roots of ranges: ``root_of(low, high)`` is asked O(log size) times.

    Raises:
        VerificationError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise VerificationError(f"leaf {index}: the tree has {size} leaves")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + split(high - low)
        if index < middle:
            path.append(root_of(middle, high))
            high = middle
        else:
            path.append(root_of(low, middle))
            low = middle
    return path[::-1]


def verify_inclusion(hashed_leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf is number ``index`` of the ``size`` leaves under ``root`` (RFC 9162 2.1.3.2).

    Raises:
        VerificationError: it is not, or the proof is malformed.
    """
    if root_from_path(hashed_leaf, index, size, path) != root:
        raise VerificationError(f"inclusion proof: leaf {index} does not lead to the root")


def root_from_path(hashed_leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root over ``size`` leaves to which a path leads from leaf ``index`` (RFC 9162 2.1.3.2).

    Raises:
        VerificationError: the path is malformed.
    """
    if not 0 <= index < size:
        raise VerificationError(f"inclusion proof: leaf {index} cannot be in a tree of {size} leaves")
    position, last, node = index, size - 1, hashed_leaf
    for sibling in _checked(path, "inclusion proof"):
        if last == 0:
            raise VerificationError(f"inclusion proof: {len(path)} hashes are too many for {size} leaves")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise VerificationError(f"inclusion proof: {len(path)} hashes are too few for {size} leaves")
    return node


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """PROOF(old_size, leaves) of RFC 9162 section 2.1.4.1.

    Raises:
        VerificationError: the tree never had that many leaves.
    """
    return consistency_path(old_size, len(leaf_hashes), lambda low, high: tree_root(leaf_hashes[low:high]))


def consistency_path(old_size: int, size: int, root_of: Callable[[int, int], bytes]) -> list[bytes]:
    """The same from the roots of ranges: ``root_of(low, high)`` is asked O(log size) times.

    Raises:
        VerificationError: the tree never had that many leaves.
    """
    if not 0 <= old_size <= size:
        raise VerificationError(f"size {old_size}: the tree has {size} leaves")
    if old_size in (0, size):
        return []
    path: list[bytes] = []
    low, high, whole = 0, size, True  # whole: the old tree starts where this subtree does
    while old_size != high:
        middle = low + split(high - low)
        if old_size <= middle:
            path.append(root_of(middle, high))
            high = middle
        else:
            path.append(root_of(low, middle))
            low, whole = middle, False
    if not whole:
        path.append(root_of(low, high))
    return path[::-1]


def verify_consistency(
    old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the new tree starts with the leaves of the old one (RFC 9162 section 2.1.4.2).

    Raises:
        VerificationError: it does not, or the proof is malformed.
    """
    if not 0 <= old_size <= new_size:
        raise VerificationError(f"consistency proof: a tree of {new_size} cannot extend one of {old_size}")
    if old_size in (0, new_size):
        if path or old_root != (EMPTY_ROOT if old_size == 0 else new_root):
            raise VerificationError(
                f"consistency proof: sizes {old_size} and {new_size} do not fit the roots"
            )
        return
    hashes = _checked(path, "consistency proof")
    if old_size & (old_size - 1) == 0:  # the old root is itself a node of the new tree
        hashes = [old_root, *hashes]
    if not hashes:
        raise VerificationError("consistency proof: it is empty")
    if _roots_of(old_size, new_size, hashes) != (old_root, new_root):
        raise VerificationError(f"consistency proof: {new_size} leaves do not extend the {old_size} before")


def _roots_of(old_size: int, new_size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Old and new root that a consistency path leads to."""
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise VerificationError("consistency proof: too many hashes")
        if position & 1 or position == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise VerificationError("consistency proof: too few hashes")
    return old_node, new_node


def _checked(path: Sequence[bytes], what: str) -> list[bytes]:
    if any(len(node) != HASH_BYTES for node in path):
        raise VerificationError(f"{what}: expected hashes of {HASH_BYTES} bytes")
    return list(path)
