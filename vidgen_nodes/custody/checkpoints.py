# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the write-ahead log of a ledger short without holding up the frames.

Guarantees: a checkpoint makes no frame wait for a lock, unless the log has outgrown 64 MiB. Leaves out
durability: a commit is durable in the write-ahead log already.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path

from vidgen_nodes.scheduling import yield_to_frames

_EVERY_COMMITS = 512  # keeps the write-ahead log at some ten megabytes; few frames meet one
_TRIES = 4  # each moves what came during the one before, so each is shorter
_TOO_MANY_PAGES = 16384  # 64 MiB
_BUSY_S = 0.1  # a restart must not wait long for a reader: the writer waits with it
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
        yield_to_frames()
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_S)
            with contextlib.closing(connection):
                while self._due.wait() and not self._closing:
                    self._due.clear()
                    _fold(connection)
        except sqlite3.Error as err:  # nothing is lost: the log beside the file only grows
            _LOG.warning("%s: the write-ahead log is not being moved into the ledger: %s", self._path, err)


def _fold(connection: sqlite3.Connection) -> None:
    """Move the log into the file. It starts anew only if all of it was moved between two commits."""
    for _ in range(_TRIES):
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages == moved:
            return
    if pages > _TOO_MANY_PAGES:  # a disk too slow for the frames: hold one up rather than fill the disk
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
