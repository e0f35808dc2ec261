# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One frame's statement that its obstacles keep to the constraint, with the cells that show it, in one small file.

The file holds the frame's leaf, the rule, the list of cells that carry obstacles, some or all of those cells as the
map has them (each with its salt), the hashes beside their paths, and a signature under the unit's certificates. The
signed bytes are a DSSE envelope around an in-toto statement that the verifier makes anew from the rest. Guarantees: a
file has one form, so no byte can change unseen; at most 2,048 bytes for three cells. Needs only cbor2 and
cryptography. Leaves out that the leaf is in a log (``proof.py``), and that the pixels show that list of cells and the
committed map is what the LiDAR gave (``vidgen verify --bag``).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from vidgen_nodes.custody.certificate import Certificate, Chain
from vidgen_nodes.custody.dsse import IN_TOTO, Envelope, key_id, pae
from vidgen_nodes.custody.merkle import leaf_hash
from vidgen_nodes.custody.multiproof import NODE_BYTES, SALT_BYTES, cell_leaf, opened_nodes, root_of
from vidgen_nodes.custody.note import SigningKey, check_signature
from vidgen_nodes.custody.obstacles import Obstacles, OpenedCell
from vidgen_nodes.custody.packed_leaf import pack_leaf, unpack_leaf
from vidgen_nodes.custody.statement import Statement
from vidgen_nodes.errors import VerificationError

ATTESTATION_BYTES = 2048  # at most, for three cells
PREDICATE = "urn:vidgen:constraint:1"
_VERSION = 1
_SECTIONS = ("leaf", "obstacles", "cells", "signature")
_CONSTRAINT = "every cell that carries a synthetic obstacle has U >= tau and n >= least_observations"
_OPENED = struct.Struct(f"<fH{SALT_BYTES}s")
_MOST_BYTES = 1 << 24


@dataclass(frozen=True)
class Attestation:
    """What is signed and shown of one frame."""

    leaf: bytes
    leaf_index: int
    obstacles: Obstacles
    opened: tuple[int, ...]  # positions in the list of cells, ascending
    cells: tuple[OpenedCell, ...]
    siblings: tuple[bytes, ...]
    nonce: str  # of whoever asked for a sample; empty: none
    made_s: int  # Unix seconds
    chain: Chain

    @property
    def tree_root(self) -> bytes:
        """Root over the cells of the map, as it follows from the opened ones."""
        rows, cols = self.obstacles.shape
        leaves = {c.index: cell_leaf(c.index, c.uncertainty, c.observations, c.salt) for c in self.cells}
        return root_of(rows * cols, opened_nodes(rows * cols, leaves, self.siblings))

    @property
    def statement(self) -> Statement:
        """What the signature is over."""
        root = self.tree_root
        subjects = {
            "leaf": leaf_hash(self.leaf),
            "map": self.obstacles.map_root(root),
            "obstacles": self.obstacles.digest(root),
        }
        predicate = {
            "constraint": _CONSTRAINT,
            "tau": self.obstacles.tau,
            "least_observations": self.obstacles.least_observations,
            "cells": len(self.obstacles.cells),
            "leaf_index": self.leaf_index,
            "made_s": self.made_s,
            "result": "holds",
        }
        return Statement(subjects, PREDICATE, predicate)

    @property
    def complete(self) -> bool:
        """Whether every cell that carries an obstacle is opened."""
        return len(self.opened) == len(self.obstacles.cells)

    def signed(self, key: SigningKey) -> bytes:
        """The bytes of the file."""
        return self.encode(key.sign(pae(IN_TOTO, self.statement.encode())))

    def encode(self, signature: bytes, packed_leaf: object = None) -> bytes:
        """The bytes of the file with that signature.

        ``packed_leaf``: as an older version wrote it, which knew fewer names by number; None: as today.
        """
        values = b"".join(_OPENED.pack(c.uncertainty, c.observations, c.salt) for c in self.cells)
        sections: list[object] = [
            [self.leaf_index, pack_leaf(self.leaf) if packed_leaf is None else packed_leaf],
            self.obstacles.as_list(),
            [_steps(self.opened, len(self.obstacles.cells)), values, b"".join(self.siblings), self.nonce],
            [self.made_s, self.chain.unit.as_list(), self.chain.session.as_list(), signature],
        ]
        return cbor2.dumps([_VERSION, sections, [_crc(section) for section in sections]], canonical=True)

    def envelope(self, signature: bytes) -> Envelope:
        """The statement as other DSSE tools read it."""
        session = self.chain.session
        rows = ((key_id(session.name, session.public), signature),)
        return Envelope(IN_TOTO, self.statement.encode(), rows)


@dataclass(frozen=True)
class AttestationReport:
    """What a file that verifies says."""

    attestation: Attestation
    leaf: dict[str, Any]
    envelope: Envelope


def sample(count: int, wanted: int, nonce: str, leaf: bytes) -> tuple[int, ...]:
    """Positions of ``wanted`` of ``count`` cells that follow from the asker's nonce and the leaf, ascending."""
    seed = hashlib.sha256(nonce.encode()).digest() + leaf_hash(leaf)
    ranked = sorted(range(count), key=lambda at: hashlib.sha256(seed + at.to_bytes(4, "little")).digest())
    return tuple(sorted(ranked[:wanted]))


def verify_attestation(data: bytes, root_public: bytes, least_tau: float = 0.0) -> AttestationReport:
    """Check a file with nothing but the public root key.

    Args:
        data: the file.
        root_public: 32 bytes, which the verifier got from elsewhere.
        least_tau: the threshold that the verifier asks for; a frame drawn under a lower one is refused.

    Raises:
        VerificationError: it does not hold; says which part.
    """
    found, signature = _decode(data)
    found.chain.check(root_public)
    found.chain.check_time(found.made_s, "attestation")
    leaf = _frame(found.leaf)
    if found.obstacles.digest(found.tree_root) != leaf["attestation"]:
        raise VerificationError(
            "the leaf commits to something else: map, threshold, list of obstacles, an opened cell or the leaf was "
            "altered, or they belong to another frame"
        )
    if found.obstacles.stamp_ns != leaf.get("map_stamp_ns"):
        raise VerificationError("the leaf names a map of another stamp than its obstacles")
    if found.obstacles.tau < least_tau:
        raise VerificationError(
            f"the frame was drawn with tau = {found.obstacles.tau:g}, asked is {least_tau:g}"
        )
    for cell in found.cells:
        if fault := cell.fault(found.obstacles):
            raise VerificationError(f"the constraint does not hold: {fault}")
    if found.nonce and found.opened != sample(
        len(found.obstacles.cells), len(found.opened), found.nonce, found.leaf
    ):
        raise VerificationError("the opened cells are not those that follow from the nonce")
    envelope = found.envelope(signature)
    message = pae(envelope.payload_type, envelope.payload)
    check_signature(found.chain.session.public, message, signature, "attestation: signature of the session")
    return AttestationReport(found, leaf, envelope)


def check_together(reports: Sequence[AttestationReport]) -> bool:
    """Whether several files about one frame open all of its obstacles.

    Raises:
        VerificationError: they are about different frames or lists.
    """
    first = reports[0].attestation
    for report in reports[1:]:
        other = report.attestation
        if (other.leaf, other.leaf_index) != (first.leaf, first.leaf_index):
            raise VerificationError("the files are about different frames")
    return len({at for r in reports for at in r.attestation.opened}) == len(first.obstacles.cells)


def _frame(leaf_bytes: bytes) -> dict[str, Any]:
    leaf = cbor2.loads(leaf_bytes)
    if (
        not isinstance(leaf, dict)
        or leaf.get("kind") != "frame"
        or type(leaf.get("attestation")) is not bytes
    ):
        raise VerificationError("the leaf is not of a frame with obstacles")
    return leaf


def _decode(data: bytes) -> tuple[Attestation, bytes]:
    if len(data) > _MOST_BYTES:
        raise VerificationError(f"attestation: {len(data)} bytes are more than {_MOST_BYTES}")
    try:
        content = cbor2.loads(data)
        once_more = cbor2.dumps(content, canonical=True)
        version, sections, checks = content
        named = list(zip(_SECTIONS, sections, checks, strict=True))
    except Exception as err:  # altered bytes can make the decoder raise anything
        raise VerificationError(f"attestation: is damaged: {err!r:.80}") from err
    if version != _VERSION:
        raise VerificationError(f"attestation: is not a vidgen attestation of version {_VERSION}")
    for name, section, crc in named:
        if _crc(section) != crc:
            raise VerificationError(f"attestation: the {name} was altered, or its check sum")
    try:
        found, signature = _fields(*sections)
        same = found.encode(signature, sections[0][1]) == data == once_more
    except VerificationError:
        raise
    except Exception as err:
        raise VerificationError(f"attestation: is of another form: {err!r:.80}") from err
    if not same:
        raise VerificationError("attestation: is not in the one form that it has")
    return found, signature


def _fields(frame: Any, listed: Any, shown: Any, by: Any) -> tuple[Attestation, bytes]:
    index, packed = frame
    steps, values, siblings, nonce = shown
    made_s, unit, session, signature = by
    if (
        type(index) is not int
        or type(made_s) is not int
        or type(nonce) is not str
        or type(signature) is not bytes
    ):
        raise VerificationError("attestation: is of another form")
    if len(values) % _OPENED.size or len(siblings) % NODE_BYTES:
        raise VerificationError("attestation: the opened cells are cut")
    obstacles = Obstacles.from_list(listed)
    opened = _positions(steps, len(obstacles.cells))
    numbers = list(_OPENED.iter_unpack(values))
    cells = tuple(
        OpenedCell(obstacles.cells[at], *number) for at, number in zip(opened, numbers, strict=True)
    )
    beside = tuple(siblings[at : at + NODE_BYTES] for at in range(0, len(siblings), NODE_BYTES))
    chain = Chain(Certificate.from_list(unit), Certificate.from_list(session))
    leaf = unpack_leaf(packed)
    return Attestation(leaf, index, obstacles, opened, cells, beside, nonce, made_s, chain), signature


def _steps(opened: tuple[int, ...], count: int) -> list[int] | None:
    """Positions as steps; None: all of them."""
    if len(opened) == count:
        return None
    return [here - before for before, here in zip((0, *opened), opened, strict=False)]


def _positions(steps: Any, count: int) -> tuple[int, ...]:
    if steps is None:
        return tuple(range(count))
    if any(type(step) is not int or step < 0 for step in steps) or 0 in steps[1:] or sum(steps) >= count:
        raise VerificationError("attestation: opens cells that carry no obstacle")
    return tuple(sum(steps[: at + 1]) for at in range(len(steps)))


def _crc(section: object) -> int:
    return zlib.crc32(cbor2.dumps(section, canonical=True))
