# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Signed notes, tree heads and cosignatures as text, in the formats of C2SP that other logs use too.

``c2sp.org/signed-note`` (Ed25519, type 1), ``tlog-checkpoint`` and ``tlog-cosignature`` (type 4). Guarantees:
what parses encodes to the same bytes again, so a note has one form. Leaves out whom to trust (``certificate.py``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vidgen_nodes.errors import VerificationError

NOTE = 1  # Ed25519 over the text
COSIGNATURE = 4  # Ed25519 over time and text, by a witness
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_ID_BYTES = 4
_TIME_BYTES = 8
_HASH_BYTES = 32
_MOST_BYTES = 64 * 1024
_MOST_SIGNATURES = 32
_DASH = "\u2014 "
_NAME = re.compile(r"[^\s+]+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class SigningKey(Protocol):
    """What can sign with Ed25519: a file (``keys.py``) or a token (``pkcs11_key.py``)."""

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name, for one kind of signature."""

    name: str
    kind: int  # NOTE or COSIGNATURE
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || newline || kind || key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[
            :_ID_BYTES
        ]

    def __str__(self) -> str:
        return (
            f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"
        )

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read ``name+id+key``.

        Raises:
            VerificationError: not of that form, or the id is not that of the key.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _decode(encoded, "public key") if name and key_id else b""
        if len(data) != KEY_BYTES + 1 or data[0] not in (NOTE, COSIGNATURE) or not _NAME.fullmatch(name):
            raise VerificationError(
                f"public key {text[:80]!r}: expected NAME+ID+KEY as 'vidgen keys' prints it"
            )
        key = cls(name, data[0], data[1:])
        if key.key_id.hex() != key_id:
            raise VerificationError(
                f"public key {name}: its id is {key.key_id.hex()}, not {key_id}: mistyped"
            )
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    data: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode()}\n"

    @classmethod
    def parse(cls, line: str) -> NoteSignature:
        """Read a line without its newline.

        Raises:
            VerificationError: it is none.
        """
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        data = _decode(encoded, "signature line")
        if not line.startswith(_DASH) or not _NAME.fullmatch(name) or len(data) <= _ID_BYTES:
            raise VerificationError(f"signature line: got {line[:80]!r}, expected a dash, a name and base64")
        return cls(name, data[:_ID_BYTES], data[_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text that ends in a newline, and who signed it."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    @classmethod
    def parse(cls, data: bytes) -> SignedNote:
        """Read a note.

        Raises:
            VerificationError: it is none.
        """
        if len(data) > _MOST_BYTES:
            raise VerificationError(f"note: {len(data)} bytes are more than {_MOST_BYTES}")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as err:
            raise VerificationError(f"note: is not UTF-8: {err.reason}") from err
        text, blank, lines = whole.rpartition("\n\n")
        signatures = lines.split("\n")
        if not blank or not text or signatures.pop() != "" or _CONTROL.search(whole):
            raise VerificationError("note: expected text, an empty line and signature lines")
        if not 1 <= len(signatures) <= _MOST_SIGNATURES:
            raise VerificationError(
                f"note: got {len(signatures)} signatures, expected 1 to {_MOST_SIGNATURES}"
            )
        return cls(text + "\n", tuple(NoteSignature.parse(line) for line in signatures))


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a log says of itself at one size: the text of a C2SP checkpoint."""

    origin: str
    size: int
    root: bytes
    previous: bytes | None = None  # SHA-256 of the text of the head before; None: the first

    @property
    def text(self) -> str:
        """Three lines, and an extension line that chains the heads."""
        chain = "" if self.previous is None else f"previous {base64.b64encode(self.previous).decode()}\n"
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{chain}"

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text: what the next head names, and what a time stamp authority stamps."""
        return hashlib.sha256(self.text.encode()).digest()

    @classmethod
    def parse(cls, text: str) -> TreeHead:
        """Read the text of a note.

        Raises:
            VerificationError: it is no tree head, or one with lines that we never write.
        """
        lines = text.split("\n")
        if len(lines) not in (4, 5) or lines[-1] or not lines[0] or not _NUMBER.fullmatch(lines[1]):
            raise VerificationError("tree head: expected the lines origin, size, root and perhaps previous")
        previous = None
        if len(lines) == 5:
            previous = _hash(lines[3].removeprefix("previous "), "previous")
        head = cls(lines[0], int(lines[1]), _hash(lines[2], "root"), previous)
        if head.text != text:
            raise VerificationError("tree head: is not in the one form that it has")
        return head


def sign_note(text: str, name: str, key: SigningKey) -> NoteSignature:
    """Sign a text with an Ed25519 key that goes by ``name``."""
    return NoteSignature(name, VerifierKey(name, NOTE, key.public).key_id, key.sign(text.encode()))


def check_note(text: str, signature: NoteSignature, key: VerifierKey) -> None:
    """Check a signature line of kind 1.

    Raises:
        VerificationError: it is not by that key over that text.
    """
    if signature.name != key.name or signature.key_id != key.key_id:
        raise VerificationError(f"signature of {signature.name}: is by another key than {key.name}")
    check_signature(key.public, text.encode(), signature.data, f"signature of {key.name}")


def cosign(text: str, name: str, key: SigningKey, time_s: int) -> NoteSignature:
    """A witness's signature: at that time (Unix seconds) the head was the largest it had seen, and consistent."""
    message = f"cosignature/v1\ntime {time_s}\n{text}".encode()
    stamp = time_s.to_bytes(_TIME_BYTES, "big")
    return NoteSignature(name, VerifierKey(name, COSIGNATURE, key.public).key_id, stamp + key.sign(message))


def cosigned_s(signature: NoteSignature) -> int:
    """Unix seconds that a cosignature names.

    Raises:
        VerificationError: it has not the size of a cosignature.
    """
    if len(signature.data) != _TIME_BYTES + SIGNATURE_BYTES:
        raise VerificationError(f"cosignature of {signature.name}: got {len(signature.data)} bytes")
    return int.from_bytes(signature.data[:_TIME_BYTES], "big")


def cosignature_data(time_s: int, signature: bytes) -> bytes:
    """What the line of a cosignature holds besides name and key."""
    return time_s.to_bytes(_TIME_BYTES, "big") + signature


def check_cosignature(text: str, signature: NoteSignature, key: VerifierKey) -> int:
    """Check a witness's signature line.

    Returns:
        Unix seconds at which the witness signed, by its own clock.

    Raises:
        VerificationError: it is not by that witness over that text.
    """
    time_s = cosigned_s(signature)
    if signature.name != key.name or signature.key_id != key.key_id:
        raise VerificationError(f"cosignature of {signature.name}: is by another key than that of {key.name}")
    message = f"cosignature/v1\ntime {time_s}\n{text}".encode()
    check_signature(key.public, message, signature.data[_TIME_BYTES:], f"cosignature of {key.name}")
    return time_s


def check_signature(public: bytes, message: bytes, signature: bytes, what: str) -> None:
    """Check an Ed25519 signature.

    Raises:
        VerificationError: it does not verify; the message begins with ``what``.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as err:
        raise VerificationError(f"{what}: does not verify") from err


def _decode(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as err:
        raise VerificationError(f"{what}: got {text[:60]!r}, expected base64") from err
    if base64.b64encode(data).decode() != text:
        raise VerificationError(f"{what}: base64 with stray bits at its end")
    return data


def _hash(text: str, what: str) -> bytes:
    data = _decode(text, f"tree head: {what}")
    if len(data) != _HASH_BYTES:
        raise VerificationError(f"tree head: {what}: got {len(data)} bytes, expected {_HASH_BYTES}")
    return data
