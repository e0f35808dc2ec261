# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The signed tree heads of a ledger, with certificates, cosignatures and time stamps, in a file beside it.

Beside, not inside: the ledger's bytes then depend on its input alone, and signing never takes the lock that a frame
waits for. Guarantees: a head is durable before anybody is asked to cosign it. Leaves out judging them
(``head_check.py``).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from vidgen_nodes.custody.certificate import Certificate, Chain
from vidgen_nodes.custody.head import LOG_ID_BYTES, Head
from vidgen_nodes.custody.note import NoteSignature, SignedNote
from vidgen_nodes.errors import CustodyError, VerificationError

APPLICATION_ID = 0x76644854  # "vdHT"
_BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB NOT NULL);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, unit BLOB NOT NULL, session BLOB NOT NULL);
CREATE TABLE heads (size INTEGER PRIMARY KEY, note TEXT NOT NULL, session INTEGER NOT NULL);
CREATE TABLE cosignatures (size INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (size, line));
CREATE TABLE stamps (size INTEGER PRIMARY KEY, token BLOB);
"""


def heads_path(ledger: Path) -> Path:
    """Where the heads of a ledger lie."""
    return ledger.with_name(f"{ledger.stem}.heads{ledger.suffix}")


class HeadStore:
    """Heads by tree size. A context manager; used by one thread at a time."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """Open the file; ``writable``: make it if it is not there.

        Raises:
            CustodyError: it cannot be written.
            VerificationError: it cannot be read, or is something else.
        """
        self.path = path
        if not writable and not path.is_file():
            raise VerificationError(f"{path}: there are no signed tree heads")
        mode = "rwc" if writable else "ro"
        try:
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                timeout=_BUSY_S,
                check_same_thread=False,
            )
            self._prepare(writable=writable)
        except sqlite3.Error as err:
            self.close()
            refused = CustodyError if writable else VerificationError
            raise refused(f"{path}: cannot be used for tree heads: {err}") from err

    def _prepare(self, *, writable: bool) -> None:
        execute = self._connection.execute
        (application,) = execute("PRAGMA application_id").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if writable and not application and not tables:
            execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(
                f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {_SCHEMA} COMMIT;"
            )
            execute("INSERT INTO log VALUES (1, ?)", (os.urandom(LOG_ID_BYTES),))
        elif application != APPLICATION_ID:
            raise sqlite3.DatabaseError("is not a file of tree heads")
        execute("PRAGMA synchronous = FULL")

    @contextlib.contextmanager
    def _checked(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection
        except (sqlite3.Error, OverflowError) as err:
            raise VerificationError(f"{self.path}: cannot be read: {err}") from err

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection
        except sqlite3.Error as err:
            raise CustodyError(f"{self.path}: cannot be written: {err}") from err

    @property
    def log_id(self) -> bytes:
        """Random number of this log."""
        with self._checked() as connection:
            row = connection.execute("SELECT id FROM log").fetchone()
        if row is None or type(row[0]) is not bytes or len(row[0]) != LOG_ID_BYTES:
            raise VerificationError(f"{self.path}: the number of the log was changed")
        return bytes(row[0])

    def add_session(self, chain: Chain) -> int:
        """Keep the certificates of a session; returns its number."""
        with self._writing() as connection:
            values = (chain.unit.encode(), chain.session.encode())
            return int(
                connection.execute("INSERT INTO sessions (unit, session) VALUES (?, ?)", values).lastrowid
                or 0
            )

    def add_head(self, note: SignedNote, size: int, session: int, *, stamp: bool) -> None:
        """Keep a head; ``stamp``: a time stamp is wanted for it. Durable on return."""
        with self._writing() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO heads VALUES (?, ?, ?)", (size, str(note), session))
            if stamp:
                connection.execute("INSERT INTO stamps VALUES (?, NULL)", (size,))
            connection.execute("COMMIT")

    def add_cosignature(self, size: int, line: NoteSignature) -> None:
        """Keep what a witness signed."""
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO cosignatures VALUES (?, ?)", (size, str(line)))

    def add_stamp(self, size: int, token: bytes) -> None:
        """Keep a time stamp token."""
        with self._writing() as connection:
            connection.execute("UPDATE stamps SET token = ? WHERE size = ?", (token, size))

    def waiting_stamps(self) -> list[int]:
        """Sizes of heads that wait for a time stamp, the newest first."""
        with self._checked() as connection:
            rows = connection.execute("SELECT size FROM stamps WHERE token IS NULL ORDER BY size DESC")
            return [size for (size,) in rows]

    def stamps(self) -> list[tuple[int, bytes]]:
        """Time stamp tokens by size."""
        with self._checked() as connection:
            return list(
                connection.execute("SELECT size, token FROM stamps WHERE token IS NOT NULL ORDER BY size")
            )

    def sizes(self) -> list[int]:
        """Sizes at which heads were signed, ascending."""
        with self._checked() as connection:
            return [size for (size,) in connection.execute("SELECT size FROM heads ORDER BY size")]

    def newest(self) -> Head | None:
        """The head over the most leaves."""
        sizes = self.sizes()
        return self.at(sizes[-1]) if sizes else None

    def covering(self, index: int) -> Head | None:
        """A head over that leaf: the one with most cosignatures, the newest of those; None: none yet."""
        with self._checked() as connection:
            row = connection.execute(
                "SELECT heads.size FROM heads LEFT JOIN cosignatures USING (size) WHERE heads.size > ?"
                " GROUP BY heads.size ORDER BY count(line) DESC, heads.size DESC LIMIT 1",
                (index,),
            ).fetchone()
        return self.at(row[0]) if row else None

    def at(self, size: int) -> Head:
        """The head at that size.

        Raises:
            VerificationError: there is none, or what is stored is none.
        """
        with self._checked() as connection:
            row = connection.execute(
                "SELECT note, unit, sessions.session FROM heads JOIN sessions ON sessions.id = heads.session"
                " WHERE size = ?",
                (size,),
            ).fetchone()
            lines = connection.execute(
                "SELECT line FROM cosignatures WHERE size = ? ORDER BY line", (size,)
            ).fetchall()
        if row is None or [type(item) for item in row] != [str, bytes, bytes]:
            raise VerificationError(
                f"head at size {size}: it or its certificates are missing or were changed"
            )
        note = SignedNote.parse(row[0].encode())
        if len(note.signatures) != 1 or any(type(line) is not str for (line,) in lines):
            raise VerificationError(f"head at size {size}: expected one signature, and lines of witnesses")
        chain = Chain(Certificate.decode(row[1]), Certificate.decode(row[2]))
        cosignatures = tuple(NoteSignature.parse(line.removesuffix("\n")) for (line,) in lines)
        return Head(note, chain, cosignatures)

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        if hasattr(self, "_connection"):
            self._connection.close()

    def __enter__(self) -> HeadStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
