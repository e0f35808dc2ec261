# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks a ledger from its own bytes, with no ROS and no other file.

Guarantees: a byte changed in any leaf, leaf hash, root or stored record is found and placed, as are
missing, swapped and inserted rows. Proves the parts agree with each other and nothing more: heads are
not signed yet, so a file that was rewritten as a whole, or cut at its end, is consistent too. Only a
root noted elsewhere shows that (``expected_root``). The only error is ``VerificationError``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.custody.digest import canonical, sha256
from vidgen_nodes.custody.leaf import FRAME, RECORDS, SEGMENT, leaf_fault, physics_refs
from vidgen_nodes.custody.merkle import MerkleTree, leaf_hash
from vidgen_nodes.custody.reader import LeafRow, LedgerReader, decode
from vidgen_nodes.errors import RecordError, VerificationError


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where."""

    where: str  # "leaf 12", "record 9f86...", "file.db3, bytes 0 to 65535", "/topic at 123 ns"
    what: str
    kind: str = "altered"  # altered | missing | inserted

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class LedgerReport:
    """What a check of a whole ledger found."""

    records: int  # leaves checked
    frames: int
    segments: int
    root: bytes  # over the leaves as they are
    faults: tuple[Fault, ...]
    expected_at: int | None = None  # tree size at which the log had the expected root

    @property
    def ok(self) -> bool:
        """No fault was found."""
        return not self.faults


class LedgerAudit:
    """Checks leaves one after the other and remembers where it stopped, to go on when the log has grown.

    Rows that were checked are not read again: a later change to them shows in ``verify_ledger``.
    """

    def __init__(self, reader: LedgerReader, expected_root: bytes | None = None) -> None:
        self._reader = reader
        self._expected_root = expected_root
        self.expected_at: int | None = None
        self._tree = MerkleTree()
        self._next = 0
        self._roots_fit = True
        self._good: dict[str, bytes] = {}  # newest record of each field that was found sound
        self.frames = 0
        self.segments = 0
        self._look_for_expected_root()

    @property
    def size(self) -> int:
        """Leaves checked so far."""
        return self._tree.size

    @property
    def root(self) -> bytes:
        """Merkle root over them, as they are."""
        return self._tree.root

    def check_new(self) -> tuple[Fault, ...]:
        """Faults of the leaves that were added since the last call; what cannot be read ends the check."""
        faults: list[Fault] = []
        try:
            stop = self._reader.size
            for row in self._reader.rows(self._next, stop):
                faults.extend(self._check(row))
        except VerificationError as err:
            faults.append(Fault(f"leaf {self._next}", f"{err}; leaves from here on were not checked"))
        return tuple(faults)

    def _check(self, row: LeafRow) -> Iterator[Fault]:
        where = f"leaf {row.index}"
        if row.index != self._next:
            last = f" to {row.index - 1}" if row.index - 1 > self._next else ""
            yield Fault(f"leaf {self._next}", f"missing: there is no leaf {self._next}{last}", "missing")
        self._next = row.index + 1
        before = self._tree.root if self._tree.size else None
        sound = yield from self._check_hashes(row, where)
        self._look_for_expected_root()
        if sound:
            yield from self._check_content(row, where, before)
        self.frames += row.kind == FRAME
        self.segments += row.kind == SEGMENT

    def _check_hashes(self, row: LeafRow, where: str) -> Generator[Fault, None, bool]:
        """Add the leaf to the tree; returns whether its content is what was hashed."""
        computed, tree = leaf_hash(row.leaf), self._tree.copy()
        tree.append(computed)
        root_fits = tree.root == row.root
        if computed != row.leaf_hash and not root_fits:
            tree = self._tree.copy()
            tree.append(row.leaf_hash)
            root_fits = tree.root == row.root
            yield Fault(where, "its content does not have the stored leaf hash: the content was changed")
        elif computed != row.leaf_hash:
            yield Fault(where, "its leaf hash was changed: content and root fit without it")
        self._tree = tree
        if not root_fits and self._roots_fit:
            yield Fault(where, "the stored root is not the root over the leaves up to here")
        self._roots_fit = root_fits  # a break goes on to the end: it is reported where it starts
        return computed == row.leaf_hash

    def _check_content(self, row: LeafRow, where: str, before: bytes | None) -> Iterator[Fault]:
        try:
            leaf = decode(row.leaf, where)
            form = leaf_fault(leaf) or ("" if canonical(leaf) == row.leaf else "is not in canonical form")
        except (VerificationError, RecordError) as err:
            yield Fault(where, str(err))
            return
        if form or not isinstance(leaf, dict):
            yield Fault(where, form)
            return
        if row.kind != leaf["kind"]:
            yield Fault(where, f"is stored as {row.kind!r} but is a {leaf['kind']}")
        if row.index == 0 and leaf["kind"] != SEGMENT:
            yield Fault(where, "the log does not start with a segment", "missing")
        if leaf["kind"] == FRAME and leaf["seq"] != self.frames:
            yield Fault(where, f"is frame {leaf['seq']}, expected frame {self.frames}")
        if leaf["kind"] == SEGMENT and leaf["previous"] != before:
            yield Fault(where, "does not name the root before it")
        for name in RECORDS[leaf["kind"]]:
            if leaf[name] is not None:
                yield from self._check_record(name, leaf[name], where)

    def _check_record(self, name: str, key: bytes, where: str) -> Iterator[Fault]:
        if self._good.get(name) == key:
            return
        try:
            data = self._reader.blob(key)
        except VerificationError:
            yield Fault(where, f"its {name} record {key.hex()} is missing or cannot be read", "missing")
            return
        if sha256(data) != key:
            yield Fault(where, f"its {name} record {key.hex()} was changed")
            return
        self._good[name] = key
        if name == "physics":
            yield from self._check_physics(data, where)

    def _check_physics(self, record: bytes, where: str) -> Iterator[Fault]:
        """The numbers that drew each element are records of their own."""
        try:
            refs = physics_refs(decode(record, "physics record"))
        except VerificationError as err:
            yield Fault(where, f"its physics record is none: {err}")
            return
        for ref in refs:
            yield from self._check_record(f"parameters of {ref.element}", ref.parameters_sha256, where)

    def _look_for_expected_root(self) -> None:
        if self._expected_root is not None and self._tree.root == self._expected_root:
            self.expected_at = self._tree.size


def verify_ledger(path: Path, expected_root: bytes | None = None) -> LedgerReport:
    """Check every leaf and every stored record of a ledger; it may be being written meanwhile.

    Args:
        path: the ledger file.
        expected_root: a root of this log that was noted elsewhere, from any time. If the log never had it,
            rows were cut off, or the file was rewritten.

    Returns:
        All faults, with their places.

    Raises:
        VerificationError: no such file, or not a ledger at all.
    """
    with LedgerReader(path) as reader:
        audit = LedgerAudit(reader, expected_root)
        faults = list(_check_file(reader))
        faults.extend(audit.check_new())
        faults.extend(_check_stored(reader))
        if expected_root is not None and audit.expected_at is None:
            what = f"never had the root {expected_root.hex()}: leaves were cut off, or the file was rewritten"
            faults.append(Fault(f"log of {audit.size} leaves", what, "missing"))
        return LedgerReport(
            audit.size, audit.frames, audit.segments, audit.root, tuple(faults), audit.expected_at
        )


def _check_file(reader: LedgerReader) -> Iterator[Fault]:
    try:
        for name in reader.missing_triggers():
            yield Fault("schema", f"the append-only trigger {name} is gone", "missing")
        first = next(iter(reader.rows(-(1 << 63), 0)), None)
        if first is not None:
            yield Fault(f"leaf {first.index}", "was inserted before the first leaf", "inserted")
    except VerificationError as err:
        yield Fault("file", str(err))


def _check_stored(reader: LedgerReader) -> Iterator[Fault]:
    """Records also when no leaf names them: one whose key was changed is named by none."""
    try:
        for key, data in reader.blobs():
            if sha256(data) != key:
                yield Fault(
                    f"record {key.hex()}", "its bytes do not have the hash under which they are stored"
                )
    except VerificationError as err:
        yield Fault("records", f"{err}; records after this one were not checked")
