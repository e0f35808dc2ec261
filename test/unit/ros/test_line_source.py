# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import os
import pty
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.ros import line_source
from vidgen_nodes.ros.line_source import LineSource


def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether it came true in time."""
    wait, deadline_s = threading.Event(), time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        wait.wait(0.005)
    return True


def all_lines(source: LineSource, count: int) -> list[bytes]:
    lines: list[bytes] = []

    def enough() -> bool:
        lines.extend(source.take())
        return len(lines) >= count

    assert until(enough), f"{len(lines)} of {count} lines came: {source.trouble}"
    return lines


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_file_gives_every_line_in_order_and_then_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.nmea"
    expected = [b"$GPGGA,%d" % index for index in range(3 * line_source._QUEUE)]
    path.write_bytes(b"\r\n".join(expected))  # the last line has no end
    source = LineSource(str(path))
    assert all_lines(source, len(expected)) == expected
    assert until(lambda: source.ended)
    assert (source.dropped, source.trouble) == (0, f"{path} has ended")
    source.close()


def test_a_file_waits_for_a_slow_reader_and_ends_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.nmea"
    path.write_bytes(b"x\n" * (2 * line_source._QUEUE))
    source = LineSource(str(path))
    source.close()
    assert not source._thread.is_alive()
    assert len(source.take()) <= line_source._QUEUE


def test_a_file_that_is_not_there_is_refused_with_what_may_be_given() -> None:
    with pytest.raises(
        ConfigError, match="no such file; expected a file, /dev/ttyUSB0@115200 or tcp://host:port"
    ):
        LineSource("nowhere.nmea")


def test_a_serial_port_without_pyserial_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(line_source.importlib, "import_module", missing)
    with pytest.raises(ConfigError, match="pip install pyserial"):
        LineSource("/dev/ttyUSB0@9600")


@pytest.mark.skipif(importlib.util.find_spec("serial") is None, reason="pyserial is not installed")
def test_a_serial_port_is_read_as_it_speaks() -> None:
    master, slave = pty.openpty()
    source = LineSource(f"{os.ttyname(slave)}@115200")
    assert until(lambda: source.connected)
    os.write(master, b"$GPGGA,1\r\n$GPG")
    os.write(master, b"GA,2\r\n")
    assert all_lines(source, 2) == [b"$GPGGA,1", b"$GPGGA,2"]
    source.close()


def test_a_server_that_goes_away_is_tried_again(server: socket.socket) -> None:
    source = LineSource(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    for line in (b"first", b"second"):
        connected, _ = server.accept()
        connected.sendall(line + b"\n")
        assert all_lines(source, 1) == [line]
        connected.close()
    assert until(lambda: "has ended" in source.trouble)
    source.close()


def test_a_server_that_is_not_there_is_trouble_and_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    source = LineSource(f"tcp://127.0.0.1:{port}")
    assert until(lambda: "cannot be read" in source.trouble)
    assert not source.ended
    source.close()


def test_a_server_that_talks_faster_than_it_is_read_loses_the_oldest_counted(server: socket.socket) -> None:
    source = LineSource(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    connected, _ = server.accept()
    count = line_source._QUEUE + 250
    connected.sendall(b"".join(b"%d\n" % index for index in range(count)))
    assert until(lambda: source.dropped >= 250)
    assert source.take() == [b"%d" % index for index in range(250, count)]
    connected.close()
    source.close()


def test_noise_without_line_ends_is_not_kept(server: socket.socket) -> None:
    source = LineSource(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    connected, _ = server.accept()
    connected.sendall(b"\xff" * 100_000 + b"\n$GPGGA\n")
    lines = all_lines(source, 2)
    assert lines[-1] == b"$GPGGA"
    assert len(lines[0]) <= 2 * line_source._LONGEST
    connected.close()
    source.close()
