# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the write-ahead log of a ledger short without holding up the frames.

Guarantees: checkpoints never wait for the writer nor make it wait for a lock. Leaves out durability:
a commit is durable in the write-ahead log already.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path

_EVERY_COMMITS = 128  # bounds the write-ahead log to a few megabytes
_LOG = logging.getLogger(__name__)


class Checkpoints:
    """Moves the write-ahead log into the file from a thread and a connection of its own.

    Done on the hot connection it would hold a frame up for milliseconds now and then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._commits = 0
        self._closing = False
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-checkpoints", daemon=True)
        self._thread.start()

    def committed(self) -> None:
        """Say that the writer made a commit."""
        self._commits += 1
        if self._commits % _EVERY_COMMITS == 0:
            self._due.set()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with contextlib.closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                while self._due.wait() and not self._closing:
                    self._due.clear()
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as err:  # nothing is lost: the log beside the file only grows
            _LOG.warning("%s: the write-ahead log is not being moved into the ledger: %s", self._path, err)
