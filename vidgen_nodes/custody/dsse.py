# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes (github.com/secure-systems-lab/dsse, v1.0.2) signed with Ed25519.

Guarantees: a signature covers payload and payload type together; an envelope has one form, so no byte of it can
change unseen. A key id is the public key in full (``NAME+ID+KEY``), so an envelope says by which key it can be
checked; whether to trust that key is for whoever checks (``verify`` takes the keys). Leaves out what a payload says
(``statement.py``).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from vidgen_nodes.custody.note import NOTE, SigningKey, VerifierKey, check_signature
from vidgen_nodes.errors import VerificationError

IN_TOTO = "application/vnd.in-toto+json"
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload and who signed it."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]  # (key id, signature)

    def encode(self) -> bytes:
        """The JSON form, keys sorted, without spaces."""
        rows = [{"keyid": key_id, "sig": _base64(data)} for key_id, data in self.signatures]
        content = {"payload": _base64(self.payload), "payloadType": self.payload_type, "signatures": rows}
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """Read the JSON form; one with spaces or another order of keys is read too.

        Raises:
            VerificationError: it is no envelope.
        """
        if len(data) > MOST_BYTES:
            raise VerificationError(f"envelope: {len(data)} bytes are more than {MOST_BYTES}")
        try:
            content = json.loads(data)
            signatures = [(row["keyid"], _bytes(row["sig"])) for row in content["signatures"]]
            made = cls(content["payloadType"], _bytes(content["payload"]), tuple(signatures))
        except (ValueError, KeyError, TypeError, RecursionError) as err:
            raise VerificationError(f"envelope: is no DSSE envelope: {err!r:.80}") from err
        names = [made.payload_type, *(key_id for key_id, _ in signatures)]
        if not signatures or not all(isinstance(name, str) for name in names):
            raise VerificationError("envelope: expected payloadType, payload and at least one signature")
        return made


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(name: str, public: bytes) -> str:
    """The key id of a public key that goes by ``name``."""
    return str(VerifierKey(name, NOTE, public))


def sign(payload_type: str, payload: bytes, keys: Sequence[tuple[str, SigningKey]]) -> Envelope:
    """Sign a payload with each key, given with the name it goes by."""
    message = pae(payload_type, payload)
    rows = tuple((key_id(name, key.public), key.sign(message)) for name, key in keys)
    return Envelope(payload_type, payload, rows)


def verify(envelope: Envelope, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Which of the keys signed.

    Raises:
        VerificationError: none did, or a signature said to be by one of them does not hold.
    """
    by_id = {str(key): key for key in keys}
    message = pae(envelope.payload_type, envelope.payload)
    held = []
    for name, signature in envelope.signatures:
        key = by_id.get(name)
        if key is not None:
            check_signature(key.public, message, signature, f"envelope: signature of {key.name}")
            held.append(key)
    if not held:
        raise VerificationError("envelope: is signed by none of the keys that count")
    return tuple(held)


def signers(envelope: Envelope) -> tuple[VerifierKey, ...]:
    """The keys that an envelope itself names; each signature holds, which says nothing about trust.

    Raises:
        VerificationError: a key id is no public key, or a signature does not hold.
    """
    return verify(envelope, tuple(VerifierKey.parse(name) for name, _ in envelope.signatures))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as err:
        raise ValueError(f"{text[:20]!r} is not base64") from err
