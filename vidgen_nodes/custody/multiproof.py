# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A Merkle tree over the cells of a map, of which some can be opened without the others.

The tree of RFC 9162 with SHA-256 cut to 192 bits (as NIST SP 800-208 uses it), so that a node is one block and a path
24 bytes a level. A cell's leaf holds a salt of 16 bytes: the leaf beside it tells nothing of what it holds. Guarantees:
from the root and an opening nobody can show another value for a cell. Needs nothing but hashlib. Leaves out making
the tree (``map_commitment.py``).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterator, Mapping, Sequence

from vidgen_nodes.errors import VerificationError

NODE_BYTES = 24
SALT_BYTES = 16
LEAF, NODE = b"\x00", b"\x01"
CELL = struct.Struct("<IfH")  # index, uncertainty U, observations n

_KEY_TAG = b"vidgen/map-key/1\0"
_SALT_TAG = b"vidgen/map-salts/1\0"

Nodes = dict[tuple[int, int], bytes]  # by (level, position); level 0: leaves


def cell_leaf(index: int, uncertainty: float, observations: int, salt: bytes) -> bytes:
    """Leaf of one cell. ``index`` is ``row * cols + col``."""
    return hashlib.sha256(LEAF + CELL.pack(index, uncertainty, observations) + salt).digest()[:NODE_BYTES]


def salts_of(secret: bytes, map_digest: bytes, size: int) -> bytes:
    """The salts of a map's cells one after the other, then one that belongs to no cell.

    One keyed stream (SHAKE-256) for all: an HMAC for each cell would cost more than the tree.

    Args:
        secret: of the run; whoever has it can guess what unopened cells hold.
        map_digest: chooses the key, so that no two maps share salts.
        size: cells.
    """
    key = hmac.digest(secret, _KEY_TAG + map_digest, "sha256")
    return hashlib.shake_256(_SALT_TAG + key).digest(SALT_BYTES * (size + 1))


def level_sizes(size: int) -> list[int]:
    """Nodes on each level, leaves first, the root last."""
    sizes = [size]
    while sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def siblings_of(size: int, indices: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(level, position) of the nodes that an opening of these leaves needs; of no leaf: the root alone."""
    sizes = level_sizes(size)
    known = set(indices)
    if not known:
        yield len(sizes) - 1, 0
        return
    for level, width in enumerate(sizes[:-1]):
        for position in sorted(known):
            beside = position ^ 1
            if beside < width and beside not in known:
                yield level, beside
        known = {position >> 1 for position in known}


def opened_nodes(size: int, leaves: Mapping[int, bytes], siblings: Sequence[bytes]) -> Nodes:
    """Every node that follows from some leaves and their siblings, the root among them.

    Args:
        size: leaves in the tree.
        leaves: hash by index.
        siblings: in the order of :func:`siblings_of`.

    Raises:
        VerificationError: too many or too few siblings, or a leaf that the tree cannot have.
    """
    if not 0 < size < 1 << 32 or any(not 0 <= index < size for index in leaves):
        raise VerificationError(f"opening: a cell is not among the {size} of the map")
    needed = list(siblings_of(size, list(leaves)))
    if len(needed) != len(siblings):
        raise VerificationError(
            f"opening: got {len(siblings)} hashes beside the path, expected {len(needed)}"
        )
    nodes: Nodes = {(0, index): leaf for index, leaf in leaves.items()}
    nodes.update(zip(needed, siblings, strict=True))
    for level, width in enumerate(level_sizes(size)[:-1]):
        for position in sorted({p & ~1 for at, p in nodes if at == level}):
            left, right = nodes[level, position], nodes.get((level, position + 1))
            nodes[level + 1, position >> 1] = left if position + 1 == width else _node(left, right)
    return nodes


def root_of(size: int, nodes: Nodes) -> bytes:
    """The root among the nodes of :func:`opened_nodes`."""
    return nodes[len(level_sizes(size)) - 1, 0]


def _node(left: bytes, right: bytes | None) -> bytes:
    if right is None:
        raise VerificationError("opening: a node lacks the one beside it")
    return hashlib.sha256(NODE + left + right).digest()[:NODE_BYTES]
