# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The write-ahead log is folded away, and a reader in the way does no harm."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from vidgen_nodes.custody import checkpoints


@pytest.fixture
def connections(tmp_path):
    path = tmp_path / "data.db"
    with contextlib.ExitStack() as opened:
        made = [
            opened.enter_context(
                contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0.05))
            )
            for _ in range(3)
        ]
        made[0].execute("PRAGMA journal_mode = WAL")
        made[0].execute("PRAGMA wal_autocheckpoint = 0")
        made[0].execute("CREATE TABLE t (x)")
        yield made


def write(connection, count):
    for number in range(count):
        connection.execute("INSERT INTO t VALUES (?)", (number,))


def unmoved_pages(connection):
    _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return pages - moved


def test_all_pages_are_moved_when_nobody_reads(connections):
    writer, folder, _ = connections
    write(writer, 50)
    checkpoints._fold(folder)
    assert unmoved_pages(folder) == 0


@pytest.mark.parametrize(("too_many", "restarts"), [(0, 1), (1 << 30, 0)])
def test_a_reader_in_the_way_delays_but_does_not_break(connections, monkeypatch, too_many, restarts):
    monkeypatch.setattr(checkpoints, "_TOO_MANY_PAGES", too_many)
    writer, folder, reader = connections
    asked: list[str] = []
    folder.set_trace_callback(asked.append)
    write(writer, 5)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM t").fetchone()
    write(writer, 50)
    checkpoints._fold(folder)
    assert asked.count("PRAGMA wal_checkpoint(PASSIVE)") == checkpoints._TRIES
    assert asked.count("PRAGMA wal_checkpoint(RESTART)") == restarts
    write(writer, 1)  # the writer goes on
    assert unmoved_pages(folder) > 0
    reader.execute("ROLLBACK")
    checkpoints._fold(folder)
    assert unmoved_pages(folder) == 0
