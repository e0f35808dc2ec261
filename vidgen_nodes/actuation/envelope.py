# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What two persons sign before anything moves.

An envelope is a canonical CBOR map that names unit, mission, command, its parameters by hash, the recorded frame
that it rests on, and for how long and as which number it counts. Both signatures are over the same bytes.
Guarantees: what parses encodes to the same bytes again. Leaves out whether it is to be obeyed (``gate.py``).
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import cbor2

from vidgen_nodes.errors import VerificationError

VERSION = 1
MOST_BYTES = 4096
_TAG = b"vidgen/actuation/1\n"
_SIZES = {"parameters_sha256": 32, "leaf_hash": 32, "nonce": 16}
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Envelope:
    """One command, for one moment."""

    unit: str
    mission: str
    command: str
    parameters_sha256: bytes  # of the bytes that travel beside it
    leaf_index: int  # the recorded frame that the command rests on
    leaf_hash: bytes
    issued_ns: int  # Unix time
    not_after_ns: int
    counter: int  # above every one that this gate has obeyed
    nonce: bytes
    epoch: int  # of the gate: grows with each of its starts, so that nothing signed before is left over

    def encode(self) -> bytes:
        """Canonical CBOR."""
        return cbor2.dumps({"v": VERSION, **dataclasses.asdict(self)}, canonical=True)

    @property
    def signed_bytes(self) -> bytes:
        """What each person signs: domain tag and SHA-256 of the encoding."""
        return _TAG + hashlib.sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """Read an envelope.

        Raises:
            VerificationError: it is none, or not in the one form that it has.
        """
        content = _mapping(data, "envelope")
        if content.pop("v", None) != VERSION:
            raise VerificationError(f"envelope: expected version {VERSION}")
        kinds = {item.name: item.type for item in dataclasses.fields(cls)}
        if set(content) != set(kinds):
            raise VerificationError(
                f"envelope: got the fields {sorted(map(str, content))[:20]}, expected {sorted(kinds)}"
            )
        for name, kind in kinds.items():
            _check(name, content[name], str(kind))
        envelope = cls(**content)
        if envelope.encode() != data:
            raise VerificationError("envelope: is not canonical CBOR")
        return envelope


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """An envelope, the parameters that it names, and who signed."""

    envelope: bytes
    parameters: bytes
    signatures: tuple[
        tuple[str, bytes], ...
    ]  # (key as ``NAME+ID+KEY``'s name, signature): proposer, approver

    def encode(self) -> bytes:
        """Canonical CBOR."""
        rows = [[name, signature] for name, signature in self.signatures]
        return cbor2.dumps({"e": self.envelope, "p": self.parameters, "s": rows}, canonical=True)

    @classmethod
    def decode(cls, data: bytes) -> SignedEnvelope:
        """Read what came in.

        Raises:
            VerificationError: it is none.
        """
        if len(data) > MOST_BYTES:
            raise VerificationError(f"signed envelope: {len(data)} bytes are more than {MOST_BYTES}")
        content = _mapping(data, "signed envelope")
        rows = content.get("s")
        if set(content) != {"e", "p", "s"} or not isinstance(rows, list):
            raise VerificationError("signed envelope: expected envelope, parameters and signatures")
        pairs = []
        for row in rows:
            if not isinstance(row, list) or [type(item) for item in row] != [str, bytes]:
                raise VerificationError("signed envelope: expected a name and a signature")
            pairs.append((row[0], row[1]))
        if type(content["e"]) is not bytes or type(content["p"]) is not bytes:
            raise VerificationError("signed envelope: expected bytes")
        return cls(content["e"], content["p"], tuple(pairs))


def _mapping(data: bytes, what: str) -> dict[str, Any]:
    try:
        content = cbor2.loads(data)
    except Exception as err:
        raise VerificationError(f"{what}: is not CBOR: {err}") from err
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise VerificationError(f"{what}: got a {type(content).__name__}, expected a map of names")
    return content


def _check(name: str, value: object, kind: str) -> None:
    if kind == "int":
        good = type(value) is int and 0 <= value < 2**63
    elif kind == "bytes":
        good = type(value) is bytes and len(value) == _SIZES[name]
    else:
        good = type(value) is str and 0 < len(value) <= _LONGEST_NAME
    if not good:
        raise VerificationError(f"envelope: {name}: got {value!r:.60}, expected {kind}")
