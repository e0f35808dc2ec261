# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The one writer of a ledger.

Guarantees: when an append returns, its leaf survives the death of this process; when it raises,
nothing of it was written. One writer a file: a second one is refused. SQLite with a write-ahead log
and ``synchronous=FULL`` also keeps it through a power cut if the disk honours flushes, which is not
tested here. Leaves out reading (``reader.py``), checking (``verify.py``) and signing (``signer.py``).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from vidgen_nodes.custody import schema
from vidgen_nodes.custody.checkpoints import Checkpoints
from vidgen_nodes.custody.digest import RunDigests, canonical
from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.leaf import FRAME, SEGMENT, FrameLeaves, Leaf, Records, segment_leaf
from vidgen_nodes.custody.lock import take_lock
from vidgen_nodes.custody.log_room import LEDGER_BYTES, make_room
from vidgen_nodes.custody.merkle import MerkleTree, leaf_hash
from vidgen_nodes.custody.note import TreeHead
from vidgen_nodes.custody.reader import LedgerReader as LedgerReader
from vidgen_nodes.errors import CustodyError, VerificationError
from vidgen_nodes.packets import Bundle, GateReport, Origin, Overlay, Record

if TYPE_CHECKING:
    from vidgen_nodes.custody.committer import ObstacleCommitter
    from vidgen_nodes.generation.generator import WorldState
    from vidgen_nodes.scene.compose import Scene

_ZEROS = bytes(32)
_BUSY_MS = 5000  # a reader that opens the file may hold a lock for a moment


class FrameRecorder(Protocol):
    """What a frame is handed to before it may be shown."""

    def append_frame(
        self,
        digests: RunDigests,
        bundle: Bundle,
        scene: Scene,
        world: WorldState,
        overlay: Overlay,
        report: GateReport,
    ) -> Record:
        """Take one frame."""
        ...

    def foresee(self, scene: Scene, world: WorldState) -> None:
        """Get ready for the next one."""
        ...


class Ledger:
    """An open ledger. Made by ``Ledger.open``; a context manager. Any one thread at a time may append."""

    def __init__(
        self,
        path: Path,
        lock: int,
        connection: sqlite3.Connection,
        tree: MerkleTree,
        committer: ObstacleCommitter | None = None,
    ) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._tree = tree
        (self._frames,) = connection.execute(
            "SELECT count(*) FROM leaves WHERE kind = ?", (FRAME,)
        ).fetchone()
        self._leaves = FrameLeaves(committer)
        self._segment: dict[str, object] = {}
        self._stored: set[bytes] = set()  # records of the leaf before, most of which the next one repeats
        self._doubtful = False  # an append failed: look at the file before the next one
        self._closed = False
        self._one_thread = threading.Lock()
        self._checkpoints = Checkpoints(path)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        segment: Mapping[str, object],
        committer: ObstacleCommitter | None = None,
        live: bool = False,
    ) -> Ledger:
        """Make or continue a ledger, and append the leaf that opens a segment.

        Args:
            path: the file; folders are made.
            segment: see ``leaf.segment_leaf``; ``RunDigests.segment(cause)`` makes one.
            committer: commits frames to the cells of their obstacles; the caller closes it. None: nothing does.
            live: frames wait for each append; makes room beforehand (24 MiB).

        Raises:
            CustodyError: another writer, not a ledger, a ledger that does not verify, or no disk.
        """
        path = Path(path)
        with contextlib.ExitStack() as undo:
            lock = take_lock(path)
            undo.callback(os.close, lock)
            try:
                connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                undo.callback(connection.close)
                tree = _prepare(path, connection)
                ledger = cls(path, lock, connection, tree, committer)
            except sqlite3.Error as err:
                raise CustodyError(f"{path}: cannot be opened as a ledger: {err}") from err
            undo.pop_all()
        try:
            ledger._segment = {k: segment.get(k) for k in ("software", "config", "recording")}
            ledger._append_segment(segment)
            if live:
                make_room(path, LEDGER_BYTES)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @property
    def path(self) -> Path:
        """The ledger file."""
        return self._path

    @property
    def size(self) -> int:
        """Leaves in the log."""
        return self._tree.size

    @property
    def root(self) -> bytes:
        """Merkle root over all leaves."""
        return self._tree.root

    def append_frame(
        self,
        digests: RunDigests,
        bundle: Bundle,
        scene: Scene,
        world: WorldState,
        overlay: Overlay,
        report: GateReport,
    ) -> Record:
        """Record one frame; it is durable when this returns.

        Raises:
            CustodyError: it could not be recorded: the frame must not be published.
        """
        with self._one_thread:
            leaf, records = self._leaves.make(self._frames, digests, bundle, scene, world, overlay, report)
            hashed = self._append(FRAME, leaf, records)
            sequence, self._frames = self._frames, self._frames + 1
            size, root = self._tree.size, self._tree.root
        fields = {f"{name}_sha256": leaf[name] or _ZEROS for name in _RECORD_HASHES}
        return Record(
            mission=digests.mission,
            sequence=sequence,
            stamp_ns=bundle.stamp_ns,
            leaf_index=size - 1,
            leaf_hash=hashed,
            tree_size=size,
            root=root,
            label_code=digests.label_code,
            origin=Origin[digests.origin.upper()],
            causes=tuple(scene.causes),
            gate=report,
            sigma_px=scene.sigma_px,
            physics=tuple(world.physics),
            marks=bundle.marks,
            **fields,  # type: ignore[arg-type]
        )

    def foresee(self, scene: Scene, world: WorldState) -> None:
        """Work out what the leaf of the next frame needs besides hashes, while there is time."""
        with self._one_thread:
            self._leaves.commit(scene, world)
            if world.gate is not None and scene.uncertainty_map is not None:
                self._leaves.trace.prepare(world.gate, scene.uncertainty_map)

    def append_segment(self, cause: str, extra: Mapping[str, object]) -> None:
        """Say that records begin again with the same software and configuration, and why.

        Args:
            cause: short token, e.g. ``clock_jump``.
            extra: more plain values for the leaf; ``software``, ``config`` and ``recording`` replace those
                with which the ledger was opened.

        Raises:
            CustodyError: it could not be recorded.
        """
        with self._one_thread:
            self._append_segment({**self._segment, **extra, "cause": cause})

    def _append_segment(self, segment: Mapping[str, object]) -> None:
        leaf, records = segment_leaf(segment, self._tree.root if self._tree.size else None)
        self._append(SEGMENT, leaf, records)

    def _append(self, kind: str, leaf: Leaf, records: Records) -> bytes:
        if self._closed:
            raise CustodyError(f"{self._path}: the ledger is closed")
        encoded = canonical(leaf)
        hashed = leaf_hash(encoded)
        tree = self._tree.copy()
        tree.append(hashed)
        fresh = [(key, data) for key, data in records.items() if key not in self._stored]
        row = (self._tree.size, kind, encoded, hashed, tree.root)
        try:
            if self._doubtful:
                self._check_tail()
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT INTO blobs VALUES (?, ?)", fresh)
            self._connection.execute("INSERT INTO leaves VALUES (?, ?, ?, ?, ?)", row)
            self._connection.execute("COMMIT")
        except sqlite3.Error as err:
            self._give_up_transaction()
            raise CustodyError(
                f"{self._path}: leaf {row[0]} cannot be written ({err}); nothing may be published until it can. "
                "Check that the disk has room and is writable"
            ) from err
        self._tree, self._stored, self._doubtful = tree, set(records), False
        self._checkpoints.committed()
        return hashed

    def _give_up_transaction(self) -> None:
        self._doubtful = True
        self._stored = set()
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _check_tail(self) -> None:
        """After a failure: the file must end where memory does, or somebody may rely on a lost leaf."""
        row = self._connection.execute("SELECT idx, root FROM leaves ORDER BY idx DESC LIMIT 1").fetchone()
        expected = (self._tree.size - 1, self._tree.root) if self._tree.size else None
        if row != expected:
            raise CustodyError(
                f"{self._path}: an append that failed left another end than expected; restart the writer"
            )

    def close(self) -> None:
        """Write everything into the one file and let go of it. May be called twice."""
        with self._one_thread:
            if self._closed:
                return
            self._closed = True
            self._checkpoints.close()
            with contextlib.suppress(
                sqlite3.Error
            ):  # a reader in the middle of it: the log beside the file holds it
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
            os.close(self._lock)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_RECORD_HASHES = ("frame", "inputs", "scenario", "physics", "software", "config", "map")


def _prepare(path: Path, connection: sqlite3.Connection) -> MerkleTree:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    new = schema.is_empty(connection)
    fault = "" if new else schema.fault(connection)
    if fault:
        raise CustodyError(f"{path}: {fault}; name another file")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    if new:
        schema.create(connection)
    return _load_tree(path, connection)


def _load_tree(path: Path, connection: sqlite3.Connection) -> MerkleTree:
    """The tree over the stored leaves, hashed again.

    Raises:
        CustodyError: rows are missing or changed, or are not those that were signed; a log that continued from
            them would hide it.
    """
    tree = MerkleTree()
    stored_root = tree.root
    signed = _signed(path)
    rows = connection.execute("SELECT idx, leaf, leaf_hash, root FROM leaves ORDER BY idx")
    for index, leaf, hashed, root in rows:
        if index != tree.size or not isinstance(leaf, bytes) or leaf_hash(leaf) != hashed:
            raise CustodyError(_broken(path, f"leaf {tree.size} is missing or was changed"))
        tree.append(hashed)
        stored_root = root
        if signed is not None and tree.size == signed.size and tree.root != signed.root:
            raise CustodyError(_broken(path, f"the first {tree.size} leaves are not those that were signed"))
    if signed is not None and tree.size < signed.size:
        raise CustodyError(_broken(path, f"{signed.size} leaves were signed, {tree.size} are left"))
    if stored_root != tree.root:
        raise CustodyError(_broken(path, f"the root at leaf {tree.size - 1} does not fit the leaves"))
    return tree


def _signed(path: Path) -> TreeHead | None:
    """The newest signed head of a ledger, if any."""
    beside = heads_path(path)
    if not beside.is_file():
        return None
    try:
        with HeadStore(beside) as store:
            newest = store.newest()
    except VerificationError as err:
        raise CustodyError(_broken(path, f"its signed heads cannot be read: {err}")) from err
    return None if newest is None else newest.head


def _broken(path: Path, what: str) -> str:
    return f"{path}: {what}. Keep the file as evidence, run 'vidgen verify' on it, and name another file to write"
