# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Deletes old payload records of a ledger and says so in the log; leaves and proofs stay.

Guarantees: what is deleted is first listed in a leaf of its own (how many, and the hash of their hashes), so a
deletion that the log does not admit shows as a fault. Records that later frames name stay. Leaves out deletion of
copies, exports and the recording. Payload is what says what was measured and drawn (inputs, physics parameters);
software, parameters, building and scenarios stay readable. What opens the commitments of those frames alone goes with
them; commitments that later frames name too can still be opened.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.custody import schema
from vidgen_nodes.custody.commitments_again import ATTESTATION
from vidgen_nodes.custody.digest import sha256
from vidgen_nodes.custody.leaf import FRAME, PAYLOAD, RECORDS, RETENTION, SEGMENT, physics_refs
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.openings import OpeningStore, openings_path
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import CustodyError, VerificationError


@dataclass(frozen=True)
class Pruned:
    """What was deleted."""

    before: int  # leaf
    records: int
    bytes: int
    openings: int = 0  # commitments that can no longer be opened


def prune(ledger: Path, before: int) -> Pruned:
    """Delete payload records that only leaves before ``before`` name. The ledger must not be in use.

    Raises:
        CustodyError: another writer, a ledger that does not verify, or a disk that refuses.
        VerificationError: it cannot be read.
    """
    report = verify_ledger(ledger)
    if not report.ok:
        raise CustodyError(
            f"{ledger}: does not verify ({report.faults[0]}); it is evidence, nothing is deleted"
        )
    with LedgerReader(ledger) as reader:
        old, kept = _named(reader, 0, before), _named(reader, before, None) | _constant(reader)
        doomed = sorted(key for key in old - kept if _has(reader, key))
        size = sum(len(reader.blob(key)) for key in doomed)
        spent = _commitments(reader, 0, before) - _commitments(reader, before, None)
    listing = sha256(b"".join(doomed))
    extra = {"before": before, "records": len(doomed), "records_sha256": listing}
    with ExitStack() as stack:
        path = openings_path(ledger)
        store = stack.enter_context(OpeningStore(path, writable=True)) if path.is_file() else None
        unopened = store.kept(spent) if store is not None else []
        if unopened:
            extra["openings"] = len(unopened)
        with Ledger.open(ledger, segment={"cause": RETENTION, **extra}):
            pass
        _delete(ledger, doomed)
        if store is not None and unopened:
            store.forget(unopened)
    return Pruned(before, len(doomed), size, len(unopened))


def _commitments(reader: LedgerReader, start: int, stop: int | None) -> set[bytes]:
    """Commitments to obstacles that frames in a range of leaves name."""
    leaves = (decode(row.leaf, f"leaf {row.index}") for row in reader.rows(start, stop) if row.kind == FRAME)
    named = (leaf.get(ATTESTATION) for leaf in leaves if isinstance(leaf, dict))
    return {key for key in named if isinstance(key, bytes)}


def _named(reader: LedgerReader, start: int, stop: int | None) -> set[bytes]:
    """Payload records that frames in a range of leaves name."""
    named: set[bytes] = set()
    for row in reader.rows(start, stop):
        if row.kind != FRAME:
            continue
        leaf = decode(row.leaf, f"leaf {row.index}")
        keys = [leaf.get(name) for name in PAYLOAD] if isinstance(leaf, dict) else []
        for name, key in zip(PAYLOAD, keys, strict=False):
            if not isinstance(key, bytes) or key in named:
                continue
            named.add(key)
            if name == "physics" and _has(reader, key):
                named.update(ref.parameters_sha256 for ref in physics_refs(reader.record(key)))
    return named


def _constant(reader: LedgerReader) -> set[bytes]:
    """Records that are no payload, which may have the bytes of one."""
    keys: set[bytes] = set()
    for row in reader.rows():
        leaf = decode(row.leaf, f"leaf {row.index}")
        names = RECORDS[SEGMENT if row.kind == SEGMENT else FRAME]
        if isinstance(leaf, dict):
            keys.update(leaf[n] for n in names if n not in PAYLOAD and isinstance(leaf.get(n), bytes))
    return keys


def _has(reader: LedgerReader, key: bytes) -> bool:
    try:
        reader.blob(key)
    except VerificationError:
        return False
    return True


def _delete(ledger: Path, keys: list[bytes]) -> None:
    """Delete rows in one transaction; the trigger that forbids it is back at its end."""
    connection = sqlite3.connect(ledger, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DROP TRIGGER IF EXISTS blobs_no_delete")
        connection.executemany("DELETE FROM blobs WHERE sha256 = ?", [(key,) for key in keys])
        connection.execute(schema.BLOBS_NO_DELETE)
        connection.execute("COMMIT")
        connection.execute("VACUUM")  # deleted bytes would stay in the file
    except sqlite3.Error as err:
        raise CustodyError(f"{ledger}: records cannot be deleted: {err}") from err
    finally:
        connection.close()
