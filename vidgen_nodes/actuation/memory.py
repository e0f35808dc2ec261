# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the gate must not forget: the highest counter, its epoch, the latest time, spent nonces.

Guarantees: :meth:`GateMemory.spend` has reached the disk when it returns (SQLite, ``synchronous=FULL``), so a
command cannot be obeyed twice, whatever dies in between. Claimed for killed processes; for power loss only as far
as the disk keeps its word.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from types import TracebackType

from vidgen_nodes.errors import ConfigError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS spent (nonce BLOB PRIMARY KEY, at_ns INTEGER NOT NULL, signed BLOB NOT NULL) STRICT;
"""


class GateMemory:
    """One file; a new epoch each time it is opened."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and begin a new epoch.

        Raises:
            ConfigError: it cannot be used, or another gate holds it.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            self.epoch = self._get("epoch") + 1
            self._set("epoch", self.epoch)
        except (OSError, sqlite3.Error) as err:
            raise ConfigError(
                f"{path}: cannot be used as the gate's memory: {err}; is another gate running?"
            ) from err

    def __enter__(self) -> GateMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @property
    def counter(self) -> int:
        """The highest that was obeyed; 0: none."""
        return self._get("counter")

    @property
    def latest_ns(self) -> int:
        """The latest time at which anything was obeyed."""
        return self._get("latest_ns")

    def is_spent(self, nonce: bytes) -> bool:
        """Whether an envelope with that nonce was obeyed."""
        return self._db.execute("SELECT 1 FROM spent WHERE nonce = ?", (nonce,)).fetchone() is not None

    def spend(self, counter: int, nonce: bytes, now_ns: int, signed: bytes) -> None:
        """Remember for good, before anything moves, with the signed envelope for the review afterwards.

        Raises:
            sqlite3.Error: it could not be kept: nothing may move.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("INSERT INTO spent VALUES (?, ?, ?)", (nonce, now_ns, signed))
            self._set("counter", counter)
            self._set("latest_ns", now_ns)
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _get(self, name: str) -> int:
        row = self._db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def _set(self, name: str, value: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))
