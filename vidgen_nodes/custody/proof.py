# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One frame's proof in one small file, which anybody can check with the public root key alone.

A canonical CBOR list: version, five sections (leaf, path, head, cosignatures, certificates) and a CRC-16 of each,
which places accidental damage; what convinces are the hashes and signatures. What every leaf and certificate repeats
is left out or written as a number (``packed_leaf.py``). Guarantees: at most 2,048 bytes for a leaf with every optional
field at any size up to 2^30 with two cosignatures; a file has one form, so no byte can change unseen. Needs only cbor2
and cryptography. Leaves out the pixels: a proof binds their hash (``vidgen verify --bag`` makes them again).
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from vidgen_nodes.custody.certificate import SESSION, UNIT, Certificate, Chain, fingerprint
from vidgen_nodes.custody.head import LOG_ID_BYTES, Head, origin_of
from vidgen_nodes.custody.merkle import HASH_BYTES, leaf_hash, root_from_path
from vidgen_nodes.custody.note import (
    KEY_BYTES,
    NOTE,
    SIGNATURE_BYTES,
    NoteSignature,
    TreeHead,
    VerifierKey,
    check_cosignature,
    check_note,
    cosignature_data,
    cosigned_s,
)
from vidgen_nodes.custody.packed_leaf import pack_leaf, unpack_leaf
from vidgen_nodes.errors import VerificationError

PROOF_BYTES = 2048
_VERSION = 1
_SECTIONS = ("leaf", "path", "head", "cosignatures", "certificates")
_MOST_BYTES = 1 << 20
_CHECK_BYTES = 2


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
        [said.size, log_id + head.note.signatures[0].data + (said.previous or b"")],
        [[line.name, cosigned_s(line), line.data[-SIGNATURE_BYTES:]] for line in head.cosignatures],
        [_link(head.chain.unit), _link(head.chain.session)],
    ]
    return cbor2.dumps([_VERSION, sections, b"".join(map(_check_sum, sections))], canonical=True)


def verify_proof(data: bytes, root_public: bytes, witnesses: Sequence[VerifierKey] = ()) -> ProofReport:
    """Check a proof with nothing but the public root key.

    Args:
        data: the file.
        root_public: 32 bytes, which the verifier got from elsewhere.
        witnesses: keys of witnesses whose cosignatures must hold; others are listed, not trusted.

    Raises:
        VerificationError: it does not hold; says which part.
    """
    leaf, (index, path), (size, signed), lines, links = _decode(data)
    log_id, signature, previous = (
        signed[:LOG_ID_BYTES],
        signed[LOG_ID_BYTES : LOG_ID_BYTES + SIGNATURE_BYTES],
        signed[LOG_ID_BYTES + SIGNATURE_BYTES :] or None,
    )
    chain = Chain(_certificate(UNIT, links[0]), _certificate(SESSION, links[1]))
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
    name, time_s, signed = line
    chain.check_time(time_s, f"cosignature of {name}")
    data = cosignature_data(time_s, signed)
    faults = []
    for witness in witnesses:
        if witness.name != name:
            continue
        try:  # a witness that changed its key has two of one name
            signature = NoteSignature(name, witness.key_id, data)
            return Cosigned(name, check_cosignature(head.text, signature, witness), trusted=True)
        except VerificationError as err:
            faults.append(err)
    if faults:
        raise faults[0]
    return Cosigned(name, time_s, trusted=False)


def _decode(data: bytes) -> tuple[Any, Any, Any, Any, Any]:
    if len(data) > _MOST_BYTES:
        raise VerificationError(f"proof: {len(data)} bytes; a proof has at most {PROOF_BYTES}")
    try:
        content = cbor2.loads(data)
        once_more = cbor2.dumps(content, canonical=True)
    except Exception as err:  # altered bytes can make the decoder raise anything
        raise VerificationError(f"proof: is damaged: {err}") from err
    form = [int, [object] * len(_SECTIONS), bytes]
    if not _fits(content, form) or content[0] != _VERSION or len(content[2]) != _CHECK_BYTES * len(_SECTIONS):
        raise VerificationError(f"proof: is not a vidgen proof of version {_VERSION}")
    for place, (name, section) in enumerate(zip(_SECTIONS, content[1], strict=True)):
        if _check_sum(section) != content[2][_CHECK_BYTES * place : _CHECK_BYTES * (place + 1)]:
            raise VerificationError(f"proof: the {name} was altered, or its check sum")
    if once_more != data:
        raise VerificationError("proof: is not in the one form that it has")
    leaf, path, head, lines, links = content[1]
    _check_form(leaf, path, head, lines, links)
    return leaf, path, head, lines, links


def _check_form(leaf: object, path: Any, head: Any, lines: Any, links: object) -> None:
    if not isinstance(leaf, (bytes, list)):
        raise VerificationError("proof: the leaf is of another form")
    if not _fits(path, [int, bytes]) or len(path[1]) % HASH_BYTES:
        raise VerificationError("proof: the path is of another form")
    sizes = [LOG_ID_BYTES + SIGNATURE_BYTES + previous for previous in (0, HASH_BYTES)]
    if not _fits(head, [int, bytes]) or not 0 < head[0] < 1 << 63 or len(head[1]) not in sizes:
        raise VerificationError("proof: the head is of another form")
    if not isinstance(lines, list) or not all(
        _fits(line, [str, int, bytes]) and 0 <= line[1] < 1 << 63 and len(line[2]) == SIGNATURE_BYTES
        for line in lines
    ):
        raise VerificationError("proof: the cosignatures are of another form")
    if not _fits(links, [[(str, type(None)), int, int, bytes]] * 2):
        raise VerificationError("proof: the certificates are of another form")


def _fits(value: object, kinds: list[Any]) -> bool:
    if not isinstance(value, list) or len(value) != len(kinds):
        return False
    return all(
        _fits(item, kind) if isinstance(kind, list) else isinstance(item, kind)
        for item, kind in zip(value, kinds, strict=True)
    )


def _check_sum(section: object) -> bytes:
    return binascii.crc_hqx(cbor2.dumps(section, canonical=True), 0).to_bytes(_CHECK_BYTES, "big")


def _link(certificate: Certificate) -> list[object]:
    """A certificate without what its place and its key say anyway."""
    usual = _usual_name(certificate.role, certificate.public)
    name = None if certificate.name == usual else certificate.name
    return [
        name,
        certificate.not_before_s,
        certificate.not_after_s,
        certificate.public + certificate.signature,
    ]


def _certificate(role: str, link: list[Any]) -> Certificate:
    name, not_before_s, not_after_s, signed = link
    public, signature = signed[:KEY_BYTES], signed[KEY_BYTES:]
    if name is None:
        name = _usual_name(role, public)
    return Certificate.from_list([role, name, public, not_before_s, not_after_s, signature])


def _usual_name(role: str, public: bytes) -> str:
    """As ``keys.py`` names units and sessions."""
    return fingerprint(public) if role == UNIT else fingerprint(public)[:8]
