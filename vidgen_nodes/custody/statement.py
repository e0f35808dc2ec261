# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""in-toto statements (in-toto.io/Statement/v1): a predicate about things named by their SHA-256.

Guarantees: a statement has one form (JSON, keys sorted, no spaces), so it can be named by hash. Leaves out who says
so (``dsse.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vidgen_nodes.custody.dsse import IN_TOTO, Envelope, sign
from vidgen_nodes.custody.note import SigningKey
from vidgen_nodes.errors import RecordError, VerificationError

_TYPE = "https://in-toto.io/Statement/v1"
_HASH_BYTES = 32


@dataclass(frozen=True)
class Statement:
    """What is said about what."""

    subjects: Mapping[str, bytes]  # SHA-256 by name
    predicate_type: str
    predicate: Mapping[str, Any]  # plain JSON values

    def encode(self) -> bytes:
        """Canonical JSON.

        Raises:
            RecordError: a predicate that JSON cannot hold (NaN, infinity, bytes).
        """
        content = {
            "_type": _TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": digest.hex()}} for name, digest in self.subjects.items()
            ],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
        }
        try:
            text = json.dumps(
                content, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
            )
        except (TypeError, ValueError) as err:
            raise RecordError(f"statement: {err}") from err
        return text.encode()

    @classmethod
    def decode(cls, payload: bytes, predicate_type: str) -> Statement:
        """Read a statement of one kind.

        Raises:
            VerificationError: it is none, or of another kind.
        """
        try:
            content = json.loads(payload)
            if content["_type"] != _TYPE or content["predicateType"] != predicate_type:
                raise VerificationError(
                    f"statement: got {content['predicateType']!r:.80}, expected {predicate_type}"
                )
            rows = content["subject"]
            subjects = {str(row["name"]): bytes.fromhex(row["digest"]["sha256"]) for row in rows}
            predicate = content["predicate"]
        except (ValueError, KeyError, TypeError, RecursionError) as err:
            raise VerificationError(f"statement: is no in-toto statement: {err!r:.80}") from err
        if not isinstance(predicate, dict) or len(subjects) != len(rows):
            raise VerificationError("statement: expected subjects with names of their own, and a predicate")
        if any(len(digest) != _HASH_BYTES for digest in subjects.values()):
            raise VerificationError("statement: expected SHA-256 digests of the subjects")
        return cls(subjects, predicate_type, predicate)


def sign_statement(statement: Statement, name: str, key: SigningKey) -> Envelope:
    """A statement in an envelope, signed by one key that goes by ``name``."""
    return sign(IN_TOTO, statement.encode(), [(name, key)])


def read_statement(envelope: Envelope, predicate_type: str) -> Statement:
    """The statement in an envelope, whoever signed it.

    Raises:
        VerificationError: there is none of that kind.
    """
    if envelope.payload_type != IN_TOTO:
        raise VerificationError(f"envelope: holds {envelope.payload_type!r:.80}, expected {IN_TOTO}")
    return Statement.decode(envelope.payload, predicate_type)
