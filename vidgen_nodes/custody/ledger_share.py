# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks a part of the leaves of a ledger: what one of several processes does.

On its own, so that a process which does nothing else starts quickly. Leaves out the file as a whole and its signed
heads (``verify.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.custody.audit import LedgerAudit, first_record
from vidgen_nodes.custody.fault import Fault
from vidgen_nodes.custody.reader import LedgerReader


@dataclass(frozen=True)
class Share:
    """What one process found in its part of the leaves."""

    size: int
    root: bytes
    frames: int
    segments: int
    pruned: int
    expected_at: int | None
    faults: tuple[Fault, ...]


def check_share(
    reader: LedgerReader,
    expected_root: bytes | None,
    start: int = 0,
    stop: int | None = None,
    next_start: int | None = None,
) -> Share:
    """Check the leaves from ``start`` up to ``stop`` and the records that they added.

    Args:
        reader: of the ledger.
        expected_root: root to look for.
        start: first leaf.
        stop: leaf before which to stop; None: the end.
        next_start: leaf from which on others check the records; None: nobody does.

    Raises:
        VerificationError: the leaves before cannot be read.
    """
    audit = LedgerAudit(reader, expected_root, start, proofs=False)
    until = None if next_start is None else first_record(reader, next_start)
    faults = (*audit.check_new(stop), *audit.check_stored(until))
    frames = audit.frames - audit.frames_before
    return Share(audit.size, audit.root, frames, audit.segments, audit.pruned, audit.expected_at, faults)


def check_share_of(path: Path, expected_root: bytes | None, start: int, stop: int, last: bool) -> Share:
    """The same in a process of its own."""
    with LedgerReader(path) as reader:
        return check_share(reader, expected_root, start, stop, None if last else stop)
