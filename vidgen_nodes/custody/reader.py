# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a ledger, also while it is being written, and never changes it.

Guarantees: whatever is wrong with the file, only ``VerificationError`` comes out; reads are short, so
the writer's log can be folded away between them. Leaves out checking: what is returned is what the
file says (``verify.py`` tells whether to believe it).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import cbor2

from vidgen_nodes.custody import schema
from vidgen_nodes.custody.leaf import FRAME, SEGMENT, physics_refs, retained_from
from vidgen_nodes.custody.merkle import EMPTY_ROOT, inclusion_proof
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.packets import PhysicsRef, SourceRef

T = TypeVar("T")
_BATCH = 512  # rows a read; a read that stays open keeps the write-ahead log from being emptied
_BUSY_S = 5.0
FIRST_ROW = -(1 << 63)
# Also an SQLite message that quotes an altered name which is no UTF-8 any more.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError)


@dataclass(slots=True)  # not frozen: that would take three times as long to make
class LeafRow:
    """One row of the log as stored."""

    index: int
    kind: str
    leaf: bytes
    leaf_hash: bytes
    root: bytes  # Merkle root after this leaf


# SQLite keeps a storage class for each value, whatever the column is declared as.
_LEAF_ROWS = (
    "SELECT idx, kind, leaf, leaf_hash, root, CASE WHEN typeof(idx) = 'integer' AND typeof(kind) = 'text'"
    " AND typeof(leaf) = 'blob' AND typeof(leaf_hash) = 'blob' AND typeof(root) = 'blob' THEN NULL ELSE"
    " typeof(kind) || ' ' || typeof(leaf) || ' ' || typeof(leaf_hash) || ' ' || typeof(root) END"
    " FROM leaves WHERE idx >= ? ORDER BY idx LIMIT ?"
)
_BLOB_ROWS = (
    "SELECT rowid, sha256, data, CASE WHEN typeof(rowid) = 'integer' AND typeof(sha256) = 'blob'"
    " AND typeof(data) = 'blob' THEN NULL ELSE typeof(sha256) || ' ' || typeof(data) END"
    " FROM blobs WHERE rowid > ? ORDER BY rowid LIMIT ?"
)
_COUNTS = (
    "SELECT (SELECT count(*) FROM blobs NOT INDEXED),"
    " (SELECT count(*) FROM blobs INDEXED BY sqlite_autoindex_blobs_1)"
)
_KINDS = {kind.encode(): kind for kind in (FRAME, SEGMENT)}


@dataclass(frozen=True)
class InclusionProof:
    """Everything that ``merkle.verify_inclusion`` needs to check a leaf against a root."""

    leaf_index: int
    leaf: bytes
    tree_size: int
    root: bytes
    path: tuple[bytes, ...]  # from the leaf upwards


def decode(record: bytes, where: str) -> object:
    """A stored canonical record as plain values.

    Raises:
        VerificationError: not CBOR.
    """
    try:
        return cbor2.loads(record)
    except Exception as err:  # altered bytes can make the decoder raise anything
        raise VerificationError(f"{where}: is not CBOR: {err}") from err


class LedgerReader:
    """A ledger opened for reading. A context manager; used by one thread at a time.

    Raises:
        VerificationError: no such file, or not a ledger.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise VerificationError(f"{path}: there is no such file; expected a ledger")
        self._connection = self._connect()
        try:
            fault = schema.fault(self._connection)
        except _UNREADABLE as err:
            fault = f"cannot be read as a ledger: {err}"
        if fault:
            self.close()
            raise VerificationError(f"{path}: {fault}")

    def _connect(self) -> sqlite3.Connection:
        uri = self.path.resolve().as_uri() + "?mode=ro"
        wal = self.path.with_name(self.path.name + "-wal")
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, check_same_thread=False)
            connection.text_factory = bytes  # altered text may not be UTF-8
            try:
                connection.execute("PRAGMA schema_version").fetchone()
            except sqlite3.OperationalError:
                connection.close()
                if wal.is_file() and wal.stat().st_size:
                    raise
                # Folder not writable. With nothing in a log beside it the file is whole as it is.
                connection = sqlite3.connect(uri + "&immutable=1", uri=True, check_same_thread=False)
                connection.text_factory = bytes
        except _UNREADABLE as err:
            raise VerificationError(f"{self.path}: cannot be opened as a ledger: {err}") from err
        return connection

    @contextlib.contextmanager
    def _reading(self, where: str) -> Iterator[None]:
        try:
            yield
        except _UNREADABLE as err:
            raise VerificationError(f"{self.path}: {where}: cannot be read: {err}") from err

    def _fetch(self, where: str, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._reading(where):
            return self._connection.execute(query, values).fetchall()

    @property
    def size(self) -> int:
        """Leaves in the log: one more than the last index."""
        ((size,),) = self._fetch("size", "SELECT COALESCE(MAX(idx) + 1, 0) FROM leaves")
        return _checked(size, int, "size")

    @property
    def root(self) -> bytes:
        """Stored root after the last leaf; SHA-256 of nothing for an empty log."""
        rows = self._fetch("root", "SELECT root FROM leaves ORDER BY idx DESC LIMIT 1")
        return _checked(rows[0][0], bytes, "root") if rows else EMPTY_ROOT

    def missing_triggers(self) -> tuple[str, ...]:
        """Append-only triggers that are gone from the file."""
        with self._reading("schema"):
            return schema.missing_triggers(self._connection)

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[LeafRow]:
        """Leaves in order of index, from ``start`` up to (not including) ``stop``."""
        for batch in self.batches(start, stop):
            yield from batch

    def batches(self, start: int = 0, stop: int | None = None) -> Iterator[list[LeafRow]]:
        """The same, some at a time."""
        most = _BATCH
        while stop is None or start < stop:
            limit = most if stop is None else min(most, stop - start)
            try:
                stored = self._fetch(f"leaf {start} or after", _LEAF_ROWS, start, limit)
                rows = [_leaf_row(columns) for columns in stored]
            except VerificationError:
                if limit == 1:
                    raise
                most = 1  # row by row, so that the error names the place
                continue
            if stop is not None and rows and rows[-1].index >= stop:
                yield [row for row in rows if row.index < stop]
                return
            if rows:
                yield rows
                start = rows[-1].index + 1
            if len(rows) < limit:
                return

    def blob(self, sha256: bytes) -> bytes:
        """The stored record with that hash.

        Raises:
            VerificationError: there is none.
        """
        rows = self._fetch(f"record {sha256.hex()}", "SELECT data FROM blobs WHERE sha256 = ?", sha256)
        if not rows:
            raise VerificationError(f"{self.path}: record {sha256.hex()}: is not in the ledger")
        return _checked(rows[0][0], bytes, f"record {sha256.hex()}")

    def index_fault(self) -> str:
        """What is wrong with the index by which records are found, as far as its size tells; empty: nothing."""
        try:
            ((stored, indexed),) = self._fetch("index of the records", _COUNTS)
        except VerificationError as err:
            return str(err)
        return (
            "" if stored == indexed else f"{stored} records are stored, {indexed} can be found by their hash"
        )

    def row_of(self, sha256: bytes) -> int | None:
        """Row of a stored record, in order of writing; None: there is none."""
        rows = self._fetch("records", "SELECT rowid FROM blobs WHERE sha256 = ?", sha256)
        return _checked(rows[0][0], int, "record") if rows else None

    def frames_before(self, index: int) -> int:
        """Frames among the leaves before ``index``."""
        query = "SELECT count(*) FROM leaves WHERE idx < ? AND kind = ?"
        ((count,),) = self._fetch("frames", query, index, FRAME)
        return _checked(count, int, "frames")

    def blobs(self) -> Iterator[tuple[bytes, bytes]]:
        """Every stored record with the hash under which it is stored."""
        after = FIRST_ROW
        while batch := self.blobs_after(after):
            yield from ((key, data) for _, key, data in batch)
            after = batch[-1][0]

    def blobs_after(self, row: int) -> list[tuple[int, bytes, bytes]]:
        """The next stored records after a row: row, hash, record; ``FIRST_ROW``: from the beginning."""
        stored = self._fetch("records", _BLOB_ROWS, row, _BATCH)
        return [_blob_row(columns) for columns in stored]

    def record(self, sha256: bytes) -> object:
        """The stored record with that hash, decoded."""
        return decode(self.blob(sha256), f"{self.path}: record {sha256.hex()}")

    def frames(self, start: int = 0) -> Iterator[tuple[int, dict[str, object]]]:
        """Leaf index and fields of every frame (see ``leaf.py``)."""
        return self._decoded(FRAME, start)

    def segments(self, start: int = 0) -> Iterator[tuple[int, dict[str, object]]]:
        """Leaf index and fields of every segment (see ``leaf.py``)."""
        return self._decoded(SEGMENT, start)

    def _decoded(self, kind: str, start: int) -> Iterator[tuple[int, dict[str, object]]]:
        for row in self.rows(start):
            if row.kind == kind:
                leaf = decode(row.leaf, f"{self.path}: leaf {row.index}")
                yield row.index, _checked(leaf, dict, f"leaf {row.index}")

    def kept_from(self) -> int:
        """Leaf before which records may have been deleted, as a segment of the log says; 0: nothing was."""
        kept = 0
        for (leaf,) in self._fetch("segments", "SELECT leaf FROM leaves WHERE kind = ?", SEGMENT):
            if isinstance(leaf, bytes):
                with contextlib.suppress(VerificationError):
                    kept = max(kept, retained_from(decode(leaf, "segment")))
        return kept

    def inputs(self) -> Iterator[SourceRef]:
        """Every input message that the frames name, in order of the frames."""
        for index, leaf in self.frames():
            where = f"{self.path}: inputs of leaf {index}"
            listed = self.record(_checked(leaf.get("inputs"), bytes, where))
            try:
                yield from [SourceRef(topic, kind, stamp, digest) for topic, kind, stamp, digest in listed]  # type: ignore[attr-defined]
            except (TypeError, ValueError) as err:
                raise VerificationError(f"{where}: expected [topic, type, stamp, sha256] rows") from err

    def physics(self, sha256: bytes) -> tuple[tuple[PhysicsRef, object], ...]:
        """What drew the elements of a frame, each with its numbers, by the ``physics`` hash of the leaf."""
        refs = physics_refs(self.record(sha256))
        return tuple((ref, self.record(ref.parameters_sha256)) for ref in refs)

    def leaf_hashes(self, low: int, high: int) -> list[bytes]:
        """Stored hashes of the leaves from ``low`` up to (not including) ``high``.

        Raises:
            VerificationError: one of them is missing.
        """
        query = "SELECT leaf_hash FROM leaves WHERE idx >= ? AND idx < ? ORDER BY idx"
        rows = self._fetch(f"hashes of leaves {low} to {high - 1}", query, low, high)
        if len(rows) != high - low:
            raise VerificationError(
                f"{self.path}: {high - low - len(rows)} of the leaves {low} to {high - 1} are missing; "
                "run 'vidgen verify'"
            )
        return [_checked(row[0], bytes, "leaf hash") for row in rows]

    def inclusion_proof(self, index: int) -> InclusionProof:
        """Proof that a leaf is in the tree over all leaves now in the file. O(n).

        Raises:
            VerificationError: there is no such leaf.
        """
        size = self.size
        hashes = self.leaf_hashes(0, size)
        path = inclusion_proof(hashes, index)
        row = next(self.rows(index))
        (last,) = self._fetch("root", "SELECT root FROM leaves WHERE idx = ?", size - 1)
        return InclusionProof(index, row.leaf, size, _checked(last[0], bytes, "root"), tuple(path))

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._connection.close()

    def __enter__(self) -> LedgerReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _leaf_row(stored: tuple[Any, ...]) -> LeafRow:
    index, kind, leaf, hashed, root, types = stored
    if types is not None:
        raise _stored_otherwise(types, "text blob blob blob", f"leaf {_checked(index, int, 'leaf index')}")
    text = _KINDS.get(kind) or kind.decode("utf-8", "backslashreplace")
    return LeafRow(index, text, leaf, hashed, root)


def _blob_row(stored: tuple[Any, ...]) -> tuple[int, bytes, bytes]:
    row, key, data, types = stored
    if types is not None:
        raise _stored_otherwise(types, "blob blob", f"record in row {_checked(row, int, 'record')}")
    return row, key, data


def _stored_otherwise(types: object, expected: str, where: str) -> VerificationError:
    """Bytes under another storage class: a changed class is a change of the row, though it reads alike."""
    return VerificationError(f"{where}: stored as {types!r}, expected {expected}")


def _checked(value: object, kind: type[T], where: str) -> T:
    if not isinstance(value, kind):
        raise VerificationError(f"{where}: got {type(value).__name__}, expected {kind.__name__}")
    return value
