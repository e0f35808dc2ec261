# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who vouches for a key: root for unit, unit for session. Small enough to travel in every proof.

A certificate is a CBOR list ``[role, name, public key, not before, not after, signature]``; the issuer signs
``["vidgen/certificate/1", role, name, public key, not before, not after]``. Not X.509: two of these are 270
bytes, and a proof must stay under 2,048. Leaves out revocation: a session key lives for a day at most, and a
lost unit key needs a new unit and word to the auditors.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cbor2

from vidgen_nodes.custody.note import KEY_BYTES, SIGNATURE_BYTES, SigningKey, check_signature
from vidgen_nodes.errors import VerificationError

UNIT = "unit"
SESSION = "session"
_TAG = "vidgen/certificate/1"
_ROLES = (UNIT, SESSION)
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Certificate:
    """One link from a key to the key that vouches for it."""

    role: str
    name: str
    public: bytes
    not_before_s: int  # Unix seconds
    not_after_s: int
    signature: bytes

    @property
    def body(self) -> bytes:
        """What the issuer signs."""
        fields = [_TAG, self.role, self.name, self.public, self.not_before_s, self.not_after_s]
        return cbor2.dumps(fields, canonical=True)

    def as_list(self) -> list[object]:
        """Plain values, as stored."""
        return [self.role, self.name, self.public, self.not_before_s, self.not_after_s, self.signature]

    def encode(self) -> bytes:
        """Canonical CBOR of ``as_list``."""
        return cbor2.dumps(self.as_list(), canonical=True)

    @classmethod
    def from_list(cls, fields: object) -> Certificate:
        """The reverse of ``as_list``.

        Raises:
            VerificationError: it is no certificate.
        """
        kinds = [str, str, bytes, int, int, bytes]
        if not isinstance(fields, list) or [type(item) for item in fields] != kinds:
            raise VerificationError("certificate: expected role, name, key, two times and a signature")
        made = cls(*fields)
        if (
            made.role not in _ROLES
            or len(made.public) != KEY_BYTES
            or len(made.signature) != SIGNATURE_BYTES
            or not 0 < len(made.name) <= _LONGEST_NAME
            or not 0 <= made.not_before_s <= made.not_after_s < 1 << 63
        ):
            raise VerificationError(f"certificate: fields of the role {made.role[:20]!r} are out of range")
        return made

    @classmethod
    def decode(cls, data: bytes) -> Certificate:
        """The reverse of ``encode``.

        Raises:
            VerificationError: it is no certificate.
        """
        try:
            fields = cbor2.loads(data)
        except Exception as err:  # altered bytes can make the decoder raise anything
            raise VerificationError(f"certificate: is not CBOR: {err}") from err
        made = cls.from_list(fields)
        if made.encode() != data:
            raise VerificationError("certificate: is not in the one form that it has")
        return made

    def covers(self, time_s: int) -> bool:
        """Whether it is valid at that time (Unix seconds)."""
        return self.not_before_s <= time_s <= self.not_after_s


@dataclass(frozen=True, slots=True)
class Chain:
    """Unit and session certificate of one session."""

    unit: Certificate
    session: Certificate

    def check(self, root_public: bytes) -> None:
        """Check both links from a root key down.

        Raises:
            VerificationError: one does not hold; says which.
        """
        if self.unit.role != UNIT or self.session.role != SESSION:
            raise VerificationError(
                f"certificates: got {self.unit.role} and {self.session.role}, expected unit and session"
            )
        check_signature(root_public, self.unit.body, self.unit.signature, "unit certificate")
        check_signature(self.unit.public, self.session.body, self.session.signature, "session certificate")

    def check_time(self, time_s: int, what: str) -> None:
        """Check that both were valid at a time.

        Raises:
            VerificationError: one was not.
        """
        for link in (self.unit, self.session):
            if not link.covers(time_s):
                raise VerificationError(
                    f"{what}: made at {time_s} s, but the {link.role} certificate is valid from "
                    f"{link.not_before_s} s to {link.not_after_s} s"
                )


def fingerprint(public: bytes) -> str:
    """First 8 bytes of the SHA-256 of a public key, in hex."""
    return hashlib.sha256(public).hexdigest()[:16]


def issue(
    issuer: SigningKey, role: str, name: str, public: bytes, not_before_s: int, not_after_s: int
) -> Certificate:
    """Make a certificate for a public key."""
    unsigned = Certificate(role, name, public, not_before_s, not_after_s, bytes(SIGNATURE_BYTES))
    return Certificate(role, name, public, not_before_s, not_after_s, issuer.sign(unsigned.body))
