# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks the leaves of a ledger one after the other, also while it grows.

Guarantees: a byte changed in any leaf, leaf hash, root or record that a leaf names is found and placed, as are missing,
swapped and inserted rows. Leaves out signed heads (``head_check.py``).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from vidgen_nodes.custody.digest import is_canonical
from vidgen_nodes.custody.fault import Fault
from vidgen_nodes.custody.leaf import FRAME, HASH_BYTES, PAYLOAD, RECORDS, SEGMENT, leaf_fault, physics_refs
from vidgen_nodes.custody.leaf_forms import LeafForm, LeafForms
from vidgen_nodes.custody.merkle import MerkleTree, leaf_hash
from vidgen_nodes.custody.reader import FIRST_ROW, InclusionProof, LeafRow, LedgerReader, decode
from vidgen_nodes.custody.stored_records import StoredRecords
from vidgen_nodes.custody.subtrees import Subtrees
from vidgen_nodes.errors import VerificationError

_AT_ONCE = 4096
_LEARNED = 8  # forms at most in a batch: each looks at the rest of it again


def first_record(reader: LedgerReader, start: int) -> int:
    """Row before the records that leaf ``start`` added, as far as it can be told."""
    if not start:
        return FIRST_ROW
    (row,) = reader.rows(start, start + 1)
    leaf = decode(row.leaf, f"leaf {start}")
    key = leaf.get("inputs") if isinstance(leaf, dict) else None
    found = reader.row_of(key) if isinstance(key, bytes) else None
    return FIRST_ROW if found is None else found - 1


class LedgerAudit:
    """Checks leaves one after the other and remembers where it stopped, to go on when the log has grown.

    Rows that were checked are not read again: a later change to them shows in ``verify_ledger``.
    """

    def __init__(
        self,
        reader: LedgerReader,
        expected_root: bytes | None = None,
        start: int = 0,
        *,
        proofs: bool = True,
    ) -> None:
        """Begin with leaf ``start``; the hashes of those before are taken as they are stored.

        Args:
            reader: of the ledger.
            expected_root: root to look for.
            start: first leaf to check.
            proofs: proofs will be asked for.

        Raises:
            VerificationError: the leaves before cannot be read.
        """
        self._reader = reader
        self._expected_root = expected_root
        self.expected_at: int | None = None
        self._tree = MerkleTree()
        self._subtrees = Subtrees(reader.leaf_hashes) if proofs else None
        self._forms = LeafForms()
        self._next = 0
        self._roots_fit = True
        self._good: dict[str, bytes] = {}  # newest record of each field that was found sound
        self._records = StoredRecords(reader, first_record(reader, start))
        self._kept_from = reader.kept_from()
        self.pruned = 0
        self.frames = self.frames_before = reader.frames_before(start) if start else 0
        self.segments = 0
        self._skip_to(start)
        self._root_before = self._tree.root
        self._look_for_expected_root(self._root_before, self._tree.size)

    def _skip_to(self, start: int) -> None:
        for low in range(0, start, _AT_ONCE):
            hashes = self._reader.leaf_hashes(low, min(low + _AT_ONCE, start))
            for hashed in hashes:
                self._tree.append(hashed)
            self._keep(hashes)
        self._next = start

    def _keep(self, hashes: Sequence[bytes]) -> None:
        if self._subtrees is not None:
            for hashed in hashes:
                self._subtrees.append(hashed)  # what the reader returns when it is asked again

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
        assert self._subtrees is not None
        path = self._subtrees.inclusion(index, self._subtrees.size)
        (row,) = self._reader.rows(index, index + 1)
        return InclusionProof(index, row.leaf, self._subtrees.size, self._tree.root, tuple(path))

    def proof_file(self, index: int) -> bytes:
        """The proof file of a leaf under the newest signed head. O(log n).

        Raises:
            VerificationError: there is no such leaf, or no head over it yet.
        """
        from vidgen_nodes.custody.proof_maker import make_proof  # and cryptography: most checks need neither

        assert self._subtrees is not None
        return make_proof(self._reader.path, index, self._subtrees)

    def check_new(self, stop: int | None = None) -> tuple[Fault, ...]:
        """Faults of the leaves that were added since the last call; what cannot be read ends the check.

        Args:
            stop: leaf before which to stop; None: the end of the log.
        """
        faults: list[Fault] = []
        try:
            stop = self._reader.size if stop is None else stop
            for rows in self._reader.batches(self._next, stop):
                if self._add(rows):
                    faults.extend(self._check_contents(rows))
                    continue
                for row in rows:  # one after the other, so that what is wrong is placed
                    faults.extend(self._check(row))
        except VerificationError as err:
            faults.append(Fault(f"leaf {self._next}", f"{err}; leaves from here on were not checked"))
        return tuple(faults)

    def _add(self, rows: Sequence[LeafRow]) -> bool:
        """Add leaves to the tree if indices, hashes and roots are all as they should be."""
        first = rows[0].index
        if not first == self._next == self._tree.size or rows[-1].index != first + len(rows) - 1:
            return False
        hashes = [leaf_hash(row.leaf) for row in rows]
        if hashes != [row.leaf_hash for row in rows]:
            return False
        tree = self._tree.copy()
        if not self._roots_fit or tree.extend(hashes) != [row.root for row in rows]:
            return False
        self._tree = tree
        self._keep(hashes)
        return True

    def _check_contents(self, rows: Sequence[LeafRow]) -> Iterator[Fault]:
        """What leaves say that were added to the tree."""
        forms = self._forms.recognise([row.leaf for row in rows])
        learned = 0
        for number, row in enumerate(rows):
            self._next = row.index + 1
            form, before, self._root_before = forms[number], self._root_before, row.root
            self._look_for_expected_root(row.root, row.index + 1)
            if form is not None and row.kind == FRAME and row.index >= self._kept_from:
                yield from self._check_values(row, form)
            else:
                faults = list(self._check_content(row, f"leaf {row.index}", before if row.index else None))
                yield from faults
                if form is None and row.kind == FRAME and not faults and learned < _LEARNED:
                    learned += 1
                    self._forms.learn(row.leaf)
                    forms[number + 1 :] = self._forms.recognise([later.leaf for later in rows[number + 1 :]])
            self.frames += row.kind == FRAME
            self.segments += row.kind == SEGMENT

    def _check_values(self, row: LeafRow, form: LeafForm) -> Iterator[Fault]:
        """The rest of a frame leaf whose form is known to be sound."""
        leaf = row.leaf
        if (seq := form.integer("seq", leaf)) != self.frames:
            yield Fault(f"leaf {row.index}", f"is frame {seq}, expected frame {self.frames}")
        for name in RECORDS[FRAME]:
            at = form.hashes.get(name)
            if at is not None and self._good.get(name) != (key := leaf[at : at + HASH_BYTES]):
                yield from self._check_record(name, key, f"leaf {row.index}", payload=False)

    def _check(self, row: LeafRow) -> Iterator[Fault]:
        where = f"leaf {row.index}"
        if row.index != self._next:
            last = f" to {row.index - 1}" if row.index - 1 > self._next else ""
            yield Fault(f"leaf {self._next}", f"missing: there is no leaf {self._next}{last}", "missing")
        self._next = row.index + 1
        before = self._root_before if self._tree.size else None
        sound = yield from self._check_hashes(row, where)
        self._look_for_expected_root(self._root_before, self._tree.size)
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
        self._keep([row.leaf_hash])
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
            key = leaf.get(name)
            if key is not None and self._good.get(name) != key:
                payload = old and name in PAYLOAD
                yield from self._check_record(name, key, where, payload=payload)

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
            yield from self._check_physics(self._records.content(key), where, payload=payload)

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

    def check_stored(self, until: int | None = None) -> tuple[Fault, ...]:
        """Faults of the records, also of those that no leaf names: one whose key was changed is named by none.

        Args:
            until: row after which others check; None: the end.
        """
        return self._records.check_rest(until)

    def _look_for_expected_root(self, root: bytes, size: int) -> None:
        if self._expected_root is not None and root == self._expected_root:
            self.expected_at = size
