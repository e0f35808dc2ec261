# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames of a ledger a clip holds.

Guarantees: in order, none left out between the first and the last. Leaves out their pictures (``pictures.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidgen_nodes.custody.merkle import leaf_hash
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import InputError, VerificationError

_NS = 1e9


@dataclass(frozen=True)
class RecordedFrame:
    """One frame as its leaf says."""

    pointer: FramePointer
    leaf: dict[str, Any]

    @property
    def stamp_ns(self) -> int:
        """Of the thermal frame."""
        return int(self.leaf["stamp_ns"])

    @property
    def code(self) -> str:
        """Label code."""
        return str(self.leaf["label"])


def choose_frames(reader: LedgerReader, from_s: float, to_s: float) -> list[RecordedFrame]:
    """The frames of a stretch of a run.

    Args:
        reader: of the ledger.
        from_s: event time after the first frame of the ledger.
        to_s: likewise, included.

    Raises:
        InputError: there is none in that stretch, or event time jumps back in it: export the parts apart.
        VerificationError: a leaf that does not have its hash.
    """
    chosen: list[RecordedFrame] = []
    first_ns: int | None = None
    for row in reader.rows():
        if row.kind != "frame":
            continue
        leaf = decode(row.leaf, f"{reader.path}: leaf {row.index}")
        if not isinstance(leaf, dict) or type(leaf.get("stamp_ns")) is not int:
            raise VerificationError(f"{reader.path}: leaf {row.index}: is no frame; run 'vidgen verify'")
        stamp_ns = int(leaf["stamp_ns"])
        first_ns = stamp_ns if first_ns is None else first_ns
        if not from_s <= (stamp_ns - first_ns) / _NS <= to_s:
            continue
        if leaf_hash(row.leaf) != row.leaf_hash:
            raise VerificationError(f"{reader.path}: leaf {row.index}: was altered; run 'vidgen verify'")
        if chosen and stamp_ns <= chosen[-1].stamp_ns:
            raise InputError(
                "clock_jump", f"event time jumps back at leaf {row.index}; export the parts apart"
            )
        chosen.append(RecordedFrame(FramePointer(row.index, row.index + 1, row.leaf_hash), leaf))
    if not chosen:
        raise InputError(
            "no_frames", f"{reader.path}: no frame from {from_s:g} s to {to_s:g} s after the first"
        )
    return chosen
