# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A signed tree head with everything that says who signed it. Leaves out where heads are kept (``heads.py``)."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.custody.certificate import Chain, fingerprint
from vidgen_nodes.custody.note import NoteSignature, SignedNote, TreeHead

LOG_ID_BYTES = 8


@dataclass(frozen=True)
class Head:
    """One signed head as stored."""

    note: SignedNote  # by the session alone
    chain: Chain
    cosignatures: tuple[NoteSignature, ...] = ()

    @property
    def head(self) -> TreeHead:
        """What was signed."""
        return TreeHead.parse(self.note.text)


def origin_of(unit_public: bytes, log_id: bytes) -> str:
    """The name of a log: whose it is, and a random number."""
    return f"vidgen/{fingerprint(unit_public)}/{log_id.hex()}"
