# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from vidgen_nodes.custody.log_room import make_room


def rows(path: Path) -> list[int]:
    with sqlite3.connect(path) as connection:
        found = [number for (number,) in connection.execute("SELECT x FROM t ORDER BY x")]
    connection.close()
    return found


def opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS t (x INTEGER)")
    return connection


def test_commits_go_into_the_room_and_survive_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = opened(path)
    make_room(path, 1 << 20)
    log = tmp_path / "a.db-wal"
    assert log.stat().st_size == 1 << 20
    for number in range(40):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
    assert log.stat().st_size == 1 << 20
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("a.db", "a.db-wal"):  # as they lie there, without the index, as after a power cut
        shutil.copy(tmp_path / name, crashed / name)
    assert rows(crashed / "a.db") == list(range(40))
    connection.close()
    assert rows(path) == list(range(40))


def test_room_is_made_once_more_only_behind_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = opened(path)
    connection.execute("INSERT INTO t VALUES (7)")
    make_room(path, 100_000)
    make_room(path, 50_000)
    assert (tmp_path / "a.db-wal").stat().st_size == 100_000
    assert connection.execute("SELECT x FROM t").fetchall() == [(7,)]
    connection.close()


def test_a_full_disk_or_no_log_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    make_room(path, 1000)
    assert not (tmp_path / "a.db-wal").exists()
    connection = opened(path)
    connection.execute("INSERT INTO t VALUES (7)")
    before = (tmp_path / "a.db-wal").stat().st_size

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    make_room(path, 1 << 20)
    assert (tmp_path / "a.db-wal").stat().st_size == before
    connection.close()
