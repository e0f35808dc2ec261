# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks a ledger from its own bytes and those of its signed heads, with no ROS and no other file.

Guarantees: a byte changed in any leaf, leaf hash, root or stored record is found and placed, as are
missing, swapped and inserted rows. A file that was rewritten as a whole, or cut at its end, is consistent with
itself: that shows against its signed heads (``head_check.py``), against a root noted elsewhere
(``expected_root``), or against a witness. The only error is ``VerificationError``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vidgen_nodes.custody.audit import LedgerAudit as LedgerAudit
from vidgen_nodes.custody.fault import Fault as Fault
from vidgen_nodes.custody.head_check import HeadReport, check_heads
from vidgen_nodes.custody.ledger_share import Share, check_share, check_share_of
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import VerificationError

_WORTH = 20_000  # leaves that are worth a process of their own
_HEAD_START = 12_000  # leaves that are checked while another process starts


@dataclass(frozen=True)
class LedgerReport:
    """What a check of a whole ledger found."""

    records: int  # leaves checked
    frames: int
    segments: int
    root: bytes  # over the leaves as they are
    faults: tuple[Fault, ...]
    expected_at: int | None = None  # tree size at which the log had the expected root
    pruned: int = 0  # records that were deleted as a retention segment says
    heads: HeadReport | None = None  # None: nothing is signed

    @property
    def ok(self) -> bool:
        """No fault was found."""
        return not self.faults

    @property
    def signed_size(self) -> int:
        """Leaves under the newest signed head that holds; 0: none."""
        return self.heads.signed_size if self.heads else 0


def verify_ledger(
    path: Path, expected_root: bytes | None = None, root_public: bytes | None = None, jobs: int = 1
) -> LedgerReport:
    """Check every leaf and every stored record of a ledger; it may be being written meanwhile.

    Args:
        path: the ledger file.
        expected_root: a root of this log that was noted elsewhere, from any time. If the log never had it,
            rows were cut off, or the file was rewritten.
        root_public: public root key; the signed heads must lead to it. None: to any.
        jobs: processes at most; a long log is shared out.

    Returns:
        All faults, with their places.

    Raises:
        VerificationError: no such file, or not a ledger at all.
    """
    with LedgerReader(path) as reader:
        shares = _in_parallel(path, reader, expected_root, jobs)
        if shares is None:  # short, or something is wrong: one process places it exactly
            shares = [check_share(reader, expected_root)]
        faults = [*_check_file(reader), *(fault for share in shares for fault in share.faults)]
        last = shares[-1]
        expected_at = next((s.expected_at for s in shares if s.expected_at is not None), None)
        if expected_root is not None and expected_at is None:
            what = f"never had the root {expected_root.hex()}: leaves were cut off, or the file was rewritten"
            faults.append(Fault(f"log of {last.size} leaves", what, "missing"))
        heads = check_heads(reader, root_public)
        if heads is not None:
            faults.extend(heads.faults)
    frames, segments, pruned = (sum(getattr(s, n) for s in shares) for n in ("frames", "segments", "pruned"))
    return LedgerReport(last.size, frames, segments, last.root, tuple(faults), expected_at, pruned, heads)


def _in_parallel(
    path: Path, reader: LedgerReader, expected_root: bytes | None, jobs: int
) -> list[Share] | None:
    """The leaves checked by several processes; None: not worth it, or not everything is in order."""
    bounds = _bounds(reader.size, jobs)
    if len(bounds) == 2:
        return None
    size, (own, *others) = bounds[-1], pairwise(bounds)
    context = multiprocessing.get_context("spawn")  # whoever calls may have threads
    with ProcessPoolExecutor(len(others), context) as pool:
        try:
            futures = [
                pool.submit(check_share_of, path, expected_root, start, stop, stop == size)
                for start, stop in others
            ]
            shares = [check_share(reader, expected_root, *own, own[1])]  # while the others start
            shares += [future.result() for future in futures]
        except (VerificationError, BrokenProcessPool):
            return None
    return None if any(share.faults for share in shares) else shares


def _bounds(size: int, jobs: int) -> list[int]:
    """Where the part of each process begins, then ``size``; this one's is longer, as the others must start first."""
    count = max(1, min(jobs, size // _WORTH))
    each = max(0, size - _HEAD_START) // count
    return [0, *(size - each * left for left in range(count - 1, 0, -1)), size]


def _check_file(reader: LedgerReader) -> Iterator[Fault]:
    try:
        for name in reader.missing_triggers():
            yield Fault("schema", f"the append-only trigger {name} is gone", "missing")
        first = next(iter(reader.rows(-(1 << 63), 0)), None)
        if first is not None:
            yield Fault(f"leaf {first.index}", "was inserted before the first leaf", "inserted")
        if fault := reader.index_fault():
            yield Fault("index of the records", fault)
    except VerificationError as err:
        yield Fault("file", str(err))
