# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks a ledger from its own bytes and those of its signed heads, with no ROS and no other file.

Guarantees: a byte changed in any leaf, leaf hash, root or stored record is found and placed, as are
missing, swapped and inserted rows. A file that was rewritten as a whole, or cut at its end, is consistent with
itself: that shows against its signed heads (``head_check.py``), against a root noted elsewhere
(``expected_root``), or against a witness. The only error is ``VerificationError``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.custody.digest import is_canonical
from vidgen_nodes.custody.fault import Fault as Fault
from vidgen_nodes.custody.head_check import HeadReport, check_heads
from vidgen_nodes.custody.leaf import FRAME, PAYLOAD, RECORDS, SEGMENT, leaf_fault, physics_refs
from vidgen_nodes.custody.merkle import MerkleTree, leaf_hash
from vidgen_nodes.custody.proof_maker import make_proof
from vidgen_nodes.custody.reader import InclusionProof, LeafRow, LedgerReader, decode
from vidgen_nodes.custody.stored_records import StoredRecords
from vidgen_nodes.custody.subtrees import Subtrees
from vidgen_nodes.errors import VerificationError


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


class LedgerAudit:
    """Checks leaves one after the other and remembers where it stopped, to go on when the log has grown.

    Rows that were checked are not read again: a later change to them shows in ``verify_ledger``.
    """

    def __init__(self, reader: LedgerReader, expected_root: bytes | None = None) -> None:
        self._reader = reader
        self._expected_root = expected_root
        self.expected_at: int | None = None
        self._tree = MerkleTree()
        self._subtrees = Subtrees(reader.leaf_hashes)
        self._next = 0
        self._roots_fit = True
        self._good: dict[str, bytes] = {}  # newest record of each field that was found sound
        self._records = StoredRecords(reader)
        self._kept_from = reader.kept_from()
        self.pruned = 0
        self.frames = 0
        self.segments = 0
        self._root_before = self._tree.root
        self._look_for_expected_root(self._root_before)

    @property
    def size(self) -> int:
        """Leaves checked so far."""
        return self._tree.size

    @property
    def root(self) -> bytes:
        """Merkle root over them, as they are."""
        return self._tree.root

    def inclusion_proof(self, index: int) -> InclusionProof:
        """Proof that a leaf is in the tree over the leaves checked so far. O(log n).

        Raises:
            VerificationError: there is no such leaf.
        """
        path = self._subtrees.inclusion(index, self._subtrees.size)
        (row,) = self._reader.rows(index, index + 1)
        return InclusionProof(index, row.leaf, self._subtrees.size, self._tree.root, tuple(path))

    def proof_file(self, index: int) -> bytes:
        """The proof file of a leaf under the newest signed head. O(log n).

        Raises:
            VerificationError: there is no such leaf, or no head over it yet.
        """
        return make_proof(self._reader.path, index, self._subtrees)

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
        before = self._root_before if self._tree.size else None
        sound = yield from self._check_hashes(row, where)
        self._look_for_expected_root(self._root_before)
        if sound:
            yield from self._check_content(row, where, before)
        self.frames += row.kind == FRAME
        self.segments += row.kind == SEGMENT

    def _check_hashes(self, row: LeafRow, where: str) -> Generator[Fault, None, bool]:
        """Add the leaf to the tree; returns whether its content is what was hashed."""
        computed = leaf_hash(row.leaf)
        before = None if computed == row.leaf_hash else self._tree.copy()
        self._tree.append(computed)
        root = self._tree.root
        if before is not None and root != row.root:
            self._tree = before
            self._tree.append(row.leaf_hash)
            root = self._tree.root
            yield Fault(where, "its content does not have the stored leaf hash: the content was changed")
        elif before is not None:
            yield Fault(where, "its leaf hash was changed: content and root fit without it")
        self._subtrees.append(row.leaf_hash)  # what the reader returns when it is asked again
        self._root_before, root_fits = root, root == row.root
        if not root_fits and self._roots_fit:
            yield Fault(where, "the stored root is not the root over the leaves up to here")
        self._roots_fit = root_fits  # a break goes on to the end: it is reported where it starts
        return computed == row.leaf_hash

    def _check_content(self, row: LeafRow, where: str, before: bytes | None) -> Iterator[Fault]:
        try:
            leaf = decode(row.leaf, where)
            form = leaf_fault(leaf) or ("" if is_canonical(leaf, row.leaf) else "is not in canonical form")
        except VerificationError as err:
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
        old = row.index < self._kept_from
        for name in RECORDS[leaf["kind"]]:
            if leaf[name] is not None and self._good.get(name) != leaf[name]:
                payload = old and name in PAYLOAD
                yield from self._check_record(name, leaf[name], where, payload=payload)

    def _check_record(self, name: str, key: bytes, where: str, *, payload: bool) -> Iterator[Fault]:
        if self._good.get(name) == key:
            return
        found = self._records.is_sound(key)
        if found is None:
            if payload:
                self.pruned += 1
                return
            yield Fault(where, f"its {name} record {key.hex()} is missing or cannot be read", "missing")
            return
        if not found:
            yield Fault(where, f"its {name} record {key.hex()} was changed")
            return
        self._good[name] = key
        if name == "physics":
            yield from self._check_physics(self._reader.blob(key), where, payload=payload)

    def _check_physics(self, record: bytes, where: str, *, payload: bool) -> Iterator[Fault]:
        """The numbers that drew each element are records of their own."""
        try:
            refs = physics_refs(decode(record, "physics record"))
        except VerificationError as err:
            yield Fault(where, f"its physics record is none: {err}")
            return
        for ref in refs:
            name = f"parameters of {ref.element}"
            yield from self._check_record(name, ref.parameters_sha256, where, payload=payload)

    def check_stored(self) -> tuple[Fault, ...]:
        """Faults of the records, also of those that no leaf names: one whose key was changed is named by none."""
        return self._records.check_rest()

    def _look_for_expected_root(self, root: bytes) -> None:
        if self._expected_root is not None and root == self._expected_root:
            self.expected_at = self._tree.size


def verify_ledger(
    path: Path, expected_root: bytes | None = None, root_public: bytes | None = None
) -> LedgerReport:
    """Check every leaf and every stored record of a ledger; it may be being written meanwhile.

    Args:
        path: the ledger file.
        expected_root: a root of this log that was noted elsewhere, from any time. If the log never had it,
            rows were cut off, or the file was rewritten.
        root_public: public root key; the signed heads must lead to it. None: to any.

    Returns:
        All faults, with their places.

    Raises:
        VerificationError: no such file, or not a ledger at all.
    """
    with LedgerReader(path) as reader:
        audit = LedgerAudit(reader, expected_root)
        faults = list(_check_file(reader))
        faults.extend(audit.check_new())
        faults.extend(audit.check_stored())
        if expected_root is not None and audit.expected_at is None:
            what = f"never had the root {expected_root.hex()}: leaves were cut off, or the file was rewritten"
            faults.append(Fault(f"log of {audit.size} leaves", what, "missing"))
        heads = check_heads(reader, root_public)
        if heads is not None:
            faults.extend(heads.faults)
        return LedgerReport(
            audit.size,
            audit.frames,
            audit.segments,
            audit.root,
            tuple(faults),
            audit.expected_at,
            audit.pruned,
            heads,
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
