# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One frame's proof in one small file, which anybody can check with the public root key alone.

A canonical CBOR list: version, five sections (leaf, path, head, cosignatures, certificates) and a CRC-32 of each,
which places accidental damage; what convinces are the hashes and signatures. Names that every leaf repeats are
written as numbers. Guarantees: at most 2,048 bytes for a leaf of today at any size up to 2^30 with two
cosignatures (2^29 for one with every optional field); a file has one form, so no byte can change unseen. Needs only
cbor2 and cryptography. Leaves out the pixels: a proof binds their hash (``vidgen verify --bag`` makes them again).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from vidgen_nodes.custody.certificate import Certificate, Chain
from vidgen_nodes.custody.head import Head, origin_of
from vidgen_nodes.custody.merkle import HASH_BYTES, leaf_hash, root_from_path
from vidgen_nodes.custody.note import (
    NOTE,
    NoteSignature,
    TreeHead,
    VerifierKey,
    check_cosignature,
    check_note,
    cosigned_s,
)
from vidgen_nodes.errors import VerificationError

PROOF_BYTES = 2048
_VERSION = 1
_SECTIONS = ("leaf", "path", "head", "cosignatures", "certificates")
_MOST_BYTES = 1 << 20
# Position is the number: names may be added at the end, never moved.
_NAMES = (
    "v", "kind", "mission", "origin", "label", "seq", "stamp_ns", "segment", "bundle", "tick", "frame", "map",
    "inputs", "scenario", "physics", "config", "software", "building", "causes", "gate", "cells_open",
    "pixels_drawn", "pixels_outside", "late", "sigma_px", "nav_stamp_ns", "map_stamp_ns", "cause", "previous",
    "recording", "privacy", "review", "policy", "assets", "attestation", "label_code", "review_sha256", "elements",
    "view", "columns", "paths", "statement", "marks", "clock_offset_ns",
)  # fmt: skip
_NUMBERS = {name: number for number, name in enumerate(_NAMES)}


@dataclass(frozen=True)
class Cosigned:
    """A witness's word in a proof."""

    name: str
    time_s: int  # Unix seconds by the witness's clock
    trusted: bool  # by a key that the verifier was given


@dataclass(frozen=True)
class ProofReport:
    """What a proof that verifies says."""

    leaf_index: int
    leaf: dict[str, Any]
    leaf_bytes: bytes
    head: TreeHead
    chain: Chain
    cosigned: tuple[Cosigned, ...]


def encode_proof(leaf: bytes, index: int, path: Sequence[bytes], head: Head, log_id: bytes) -> bytes:
    """The bytes of a proof file.

    Args:
        leaf: as in the ledger.
        index: its position.
        path: from the leaf to the root of ``head`` (``merkle.inclusion_proof``).
        head: signed, with what witnesses said.
        log_id: 8 bytes: the last part of the head's origin.
    """
    said = head.head
    sections: list[object] = [
        pack_leaf(leaf),
        [index, b"".join(path)],
        [log_id, said.size, said.previous, head.note.signatures[0].data],
        [[line.name, line.key_id, line.data] for line in head.cosignatures],
        [head.chain.unit.as_list(), head.chain.session.as_list()],
    ]
    return cbor2.dumps([_VERSION, sections, [_crc(section) for section in sections]], canonical=True)


def verify_proof(data: bytes, root_public: bytes, witnesses: Sequence[VerifierKey] = ()) -> ProofReport:
    """Check a proof with nothing but the public root key.

    Args:
        data: the file.
        root_public: 32 bytes, which the verifier got from elsewhere.
        witnesses: keys of witnesses whose cosignatures must hold; others are listed, not trusted.

    Raises:
        VerificationError: it does not hold; says which part.
    """
    leaf, (index, path), (log_id, size, previous, signature), lines, links = _decode(data)
    chain = Chain(Certificate.from_list(links[0]), Certificate.from_list(links[1]))
    chain.check(root_public)
    leaf_bytes = unpack_leaf(leaf)
    nodes = [path[at : at + HASH_BYTES] for at in range(0, len(path), HASH_BYTES)]
    root = root_from_path(leaf_hash(leaf_bytes), index, size, nodes)
    head = TreeHead(origin_of(chain.unit.public, log_id), size, root, previous)
    key = VerifierKey(head.origin, NOTE, chain.session.public)
    try:
        check_note(head.text, NoteSignature(key.name, key.key_id, signature), key)
    except VerificationError as err:
        raise VerificationError(
            f"leaf {index} does not lead to the signed tree head: leaf, path or head was altered ({err})"
        ) from err
    cosigned = tuple(_check_line(line, head, chain, witnesses) for line in lines)
    said = {item.name for item in cosigned if item.trusted}
    for witness in witnesses:
        if witness.name not in said:
            raise VerificationError(f"cosignatures: there is none by the witness {witness.name}")
    fields = cbor2.loads(leaf_bytes)
    return ProofReport(index, fields, leaf_bytes, head, chain, cosigned)


def _check_line(line: list[Any], head: TreeHead, chain: Chain, witnesses: Sequence[VerifierKey]) -> Cosigned:
    signature = NoteSignature(*line)
    time_s = cosigned_s(signature)
    chain.check_time(time_s, f"cosignature of {signature.name}")
    for witness in witnesses:
        if (witness.name, witness.key_id) == (signature.name, signature.key_id):
            return Cosigned(witness.name, check_cosignature(head.text, signature, witness), trusted=True)
    return Cosigned(signature.name, time_s, trusted=False)


def _decode(data: bytes) -> tuple[Any, Any, Any, Any, Any]:
    if len(data) > _MOST_BYTES:
        raise VerificationError(f"proof: {len(data)} bytes; a proof has at most {PROOF_BYTES}")
    try:
        content = cbor2.loads(data)
        once_more = cbor2.dumps(content, canonical=True)
    except Exception as err:  # altered bytes can make the decoder raise anything
        raise VerificationError(f"proof: is damaged: {err}") from err
    if not _fits(content, [int, [object] * 5, [int] * 5]) or content[0] != _VERSION:
        raise VerificationError(f"proof: is not a vidgen proof of version {_VERSION}")
    for name, section, crc in zip(_SECTIONS, content[1], content[2], strict=True):
        if _crc(section) != crc:
            raise VerificationError(f"proof: the {name} was altered, or its check sum")
    if once_more != data:
        raise VerificationError("proof: is not in the one form that it has")
    leaf, path, head, lines, links = content[1]
    _check_form(leaf, path, head, lines, links)
    return leaf, path, head, lines, links


def _check_form(leaf: object, path: Any, head: Any, lines: Any, links: object) -> None:
    if not isinstance(leaf, (bytes, dict)):
        raise VerificationError("proof: the leaf is of another form")
    if not _fits(path, [int, bytes]) or len(path[1]) % HASH_BYTES:
        raise VerificationError("proof: the path is of another form")
    if not _fits(head, [bytes, int, (bytes, type(None)), bytes]) or not 0 < head[1] < 1 << 63:
        raise VerificationError("proof: the head is of another form")
    if not isinstance(lines, list) or not all(_fits(line, [str, bytes, bytes]) for line in lines):
        raise VerificationError("proof: the cosignatures are of another form")
    if not isinstance(links, list) or len(links) != 2:
        raise VerificationError("proof: the certificates are of another form")


def _fits(value: object, kinds: list[Any]) -> bool:
    if not isinstance(value, list) or len(value) != len(kinds):
        return False
    return all(
        _fits(item, kind) if isinstance(kind, list) else isinstance(item, kind)
        for item, kind in zip(value, kinds, strict=True)
    )


def _crc(section: object) -> int:
    return zlib.crc32(cbor2.dumps(section, canonical=True))


def pack_leaf(leaf: bytes) -> object:
    """A leaf with its usual names as numbers; as it is where that would not lead back to the same bytes."""
    try:
        fields = cbor2.loads(leaf)
        packed = _packed(fields)
        if isinstance(packed, dict) and cbor2.dumps(_unpacked(packed), canonical=True) == leaf:
            return packed
    except Exception:  # noqa: BLE001, S110  # any leaf can be proved, whatever it holds
        pass
    return leaf


def unpack_leaf(packed: object) -> bytes:
    """The reverse of ``pack_leaf``.

    Raises:
        VerificationError: it names a field that this program does not know.
    """
    return packed if isinstance(packed, bytes) else cbor2.dumps(_unpacked(packed), canonical=True)


def _packed(value: object) -> object:
    if isinstance(value, dict):
        return {_NUMBERS.get(key, key): _packed(item) for key, item in value.items()}
    return value


def _unpacked(value: object) -> object:
    if isinstance(value, dict):
        return {_name(key): _unpacked(item) for key, item in value.items()}
    return value


def _name(key: object) -> str:
    if isinstance(key, str):
        return key
    if type(key) is int and 0 <= key < len(_NAMES):
        return _NAMES[key]
    raise VerificationError(f"proof: the leaf has the unknown field number {key!r}; a newer vidgen made it")
