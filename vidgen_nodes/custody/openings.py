# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What it takes to open a frame's obstacles later, in a file beside the ledger that is nobody else's business.

Per map over which obstacles were drawn: the list of cells, their U and n, and the hashes beside their paths (about
3 kB for 100 cells); and the secret of the run from which every salt follows. Without this file the commitments in the
ledger stay and can no longer be opened. Guarantees: mode 0600; a commitment is kept before the frame that names it is
recorded. Leaves out the rest of the map, which is not kept at all.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cbor2

from vidgen_nodes.custody.multiproof import (
    NODE_BYTES,
    SALT_BYTES,
    Nodes,
    cell_leaf,
    opened_nodes,
    salts_of,
    siblings_of,
)
from vidgen_nodes.custody.obstacles import Obstacles, OpenedCell
from vidgen_nodes.errors import CustodyError, VerificationError

SECRET_BYTES = 32
_APPLICATION_ID = 0x76644F50  # "vdOP"
_BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE secret (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB NOT NULL);
CREATE TABLE openings (attestation BLOB NOT NULL PRIMARY KEY, data BLOB NOT NULL);
"""


def openings_path(ledger: Path) -> Path:
    """Where the openings of a ledger lie."""
    return ledger.with_name(f"{ledger.stem}.openings{ledger.suffix}")


@dataclass(frozen=True)
class Opening:
    """What is kept of one commitment."""

    obstacles: Obstacles
    map_digest: bytes
    cells: tuple[tuple[float, int], ...]  # U and n of each cell that carries an obstacle
    siblings: tuple[bytes, ...]  # beside the paths of all of them

    def encode(self) -> bytes:
        """Canonical CBOR."""
        rows = [list(cell) for cell in self.cells]
        content = [self.obstacles.as_list(), self.map_digest, rows, b"".join(self.siblings)]
        return cbor2.dumps(content, canonical=True)

    def shown(self, positions: tuple[int, ...], secret: bytes) -> tuple[list[OpenedCell], list[bytes]]:
        """Some of the cells with their salts, and the hashes beside their paths.

        Raises:
            VerificationError: what is kept does not fit together.
        """
        rows, cols = self.obstacles.shape
        size = rows * cols
        salts = salts_of(secret, self.map_digest, size)
        cells = [
            OpenedCell(index, u, n, salts[SALT_BYTES * index : SALT_BYTES * (index + 1)])
            for index, (u, n) in zip(self.obstacles.cells, self.cells, strict=True)
        ]
        leaves = {c.index: cell_leaf(c.index, c.uncertainty, c.observations, c.salt) for c in cells}
        nodes: Nodes = opened_nodes(size, leaves, self.siblings)
        chosen = [cells[at] for at in positions]
        return chosen, [nodes[place] for place in siblings_of(size, [c.index for c in chosen])]


class OpeningStore:
    """The file. A context manager; used by one thread at a time."""

    def __init__(self, path: Path, *, secret: bytes = b"", writable: bool = False) -> None:
        """Open it.

        Args:
            path: see :func:`openings_path`.
            secret: of a new file; empty: a random one.
            writable: make it if it is not there.

        Raises:
            CustodyError: it cannot be written.
            VerificationError: it cannot be read, or is something else.
        """
        self.path, self._refused = path, CustodyError if writable else VerificationError
        if not writable and not path.is_file():
            raise VerificationError(f"{path}: is not there: the obstacles of this ledger cannot be opened")
        with self._checked():
            if writable:
                path.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileExistsError):
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            uri = f"{path.resolve().as_uri()}?mode={'rw' if writable else 'ro'}"
            self._connection = sqlite3.connect(
                uri, uri=True, isolation_level=None, timeout=_BUSY_S, check_same_thread=False
            )
        try:
            with self._checked():
                self.secret = self._prepare(secret, writable=writable)
        except BaseException:
            self.close()
            raise

    def _prepare(self, secret: bytes, *, writable: bool) -> bytes:
        execute = self._connection.execute
        (application,) = execute("PRAGMA application_id").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if writable and not application and not tables:
            execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(
                f"BEGIN IMMEDIATE; PRAGMA application_id = {_APPLICATION_ID}; {_SCHEMA} COMMIT;"
            )
            execute("INSERT INTO secret VALUES (1, ?)", (secret or os.urandom(SECRET_BYTES),))
        elif application != _APPLICATION_ID:
            raise sqlite3.DatabaseError("is not a file of openings")
        # Not evidence: what a power cut takes can no longer be opened, and nothing else.
        execute("PRAGMA synchronous = NORMAL")
        row = execute("SELECT value FROM secret").fetchone()
        if row is None or type(row[0]) is not bytes or len(row[0]) != SECRET_BYTES:
            raise sqlite3.DatabaseError("the secret was changed")
        return bytes(row[0])

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as err:
            raise self._refused(f"{self.path}: cannot be used for openings: {err}") from err

    def put(self, attestation: bytes, opening: Opening) -> None:
        """Keep an opening under the hash that the leaf names."""
        with self._checked():
            values = (attestation, opening.encode())
            self._connection.execute("INSERT OR IGNORE INTO openings VALUES (?, ?)", values)

    def get(self, attestation: bytes) -> Opening:
        """The opening of a commitment.

        Raises:
            VerificationError: there is none, or it was changed.
        """
        with self._checked():
            query = "SELECT data FROM openings WHERE attestation = ?"
            row = self._connection.execute(query, (attestation,)).fetchone()
        if row is None:
            raise VerificationError(f"{self.path}: holds nothing on the commitment {attestation.hex()}")
        try:
            return _opening(cbor2.loads(row[0]))
        except VerificationError:
            raise
        except Exception as err:  # altered bytes can make the decoder raise anything
            raise VerificationError(f"{self.path}: an opening was changed: {err!r:.80}") from err

    def kept(self, attestations: Iterable[bytes]) -> list[bytes]:
        """Those of some commitments that can be opened, ascending."""
        with self._checked():
            here = {bytes(row[0]) for row in self._connection.execute("SELECT attestation FROM openings")}
        return sorted(here.intersection(attestations))

    def forget(self, attestations: Iterable[bytes]) -> None:
        """Delete openings, their bytes in the file included. The commitments can never be opened again."""
        with self._checked():
            execute = self._connection.execute
            execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "DELETE FROM openings WHERE attestation = ?", ((key,) for key in attestations)
            )
            execute("COMMIT")
            execute("VACUUM")
            execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._connection.close()

    def __enter__(self) -> OpeningStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _opening(content: Any) -> Opening:
    listed, digest, rows, siblings = content
    beside = tuple(siblings[at : at + NODE_BYTES] for at in range(0, len(siblings), NODE_BYTES))
    return Opening(Obstacles.from_list(listed), digest, tuple((float(u), int(n)) for u, n in rows), beside)
