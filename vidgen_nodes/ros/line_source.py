# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Lines of text from a file, a serial port or a TCP server, read on a thread of their own.

Guarantees: nothing blocks the caller; lines come in order; a file loses none (it waits while the queue is full), a
port or server loses the oldest, counted. A port that was unplugged or a server that went away is tried again
every second, and ``trouble`` says so in plain words. Leaves out what the lines mean.
"""

from __future__ import annotations

import importlib
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vidgen_nodes.errors import ConfigError

_QUEUE = 1000  # lines: ten seconds of a receiver that talks much
_LONGEST = 4096  # bytes without an end of line are noise
_RETRY_S = 1.0
_READ_S = 0.2
_DEVICE = re.compile(r"(?P<port>/dev/[^@]+|COM\d+)(?:@(?P<baud>\d+))?")
_SERVER = re.compile(r"tcp://(?P<host>[^:/]+):(?P<port>\d{1,5})")
_USUAL_BAUD = 115200


class LineSource:
    """Reads ``FILE``, ``/dev/ttyUSB0@115200`` or ``tcp://host:port``."""

    def __init__(self, where: str) -> None:
        """Start reading.

        Raises:
            ConfigError: a file that is not there, or a serial port without pyserial.
        """
        self._where = where
        self.dropped = 0
        self.ended = self.connected = False
        self.trouble = ""
        self._open = self._opener(where)
        self._is_file = not (_DEVICE.fullmatch(where) or _SERVER.fullmatch(where))
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
        self._thread.start()

    def take(self) -> list[bytes]:
        """The lines that have come since the last call, without their ends."""
        with self._changed:
            lines = list(self._lines)
            self._lines.clear()
            self._changed.notify_all()
        return lines

    def close(self) -> None:
        """Stop reading."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(2.0)

    @staticmethod
    def _opener(where: str) -> Callable[[], Any]:
        if match := _SERVER.fullmatch(where):
            address = (match["host"], int(match["port"]))
            return lambda: _Connection(socket.create_connection(address, timeout=_READ_S))
        if match := _DEVICE.fullmatch(where):
            try:
                serial = importlib.import_module("serial")
            except ImportError as err:
                raise ConfigError(
                    f"{where}: reading a serial port needs pyserial, which is not installed: "
                    "`pip install pyserial` or `sudo apt install python3-serial`"
                ) from err
            port, baud = match["port"], int(match["baud"] or _USUAL_BAUD)
            return lambda: serial.Serial(port, baud, timeout=_READ_S)
        path = Path(where).expanduser()
        if not path.exists():
            raise ConfigError(
                f"{where}: no such file; expected a file, /dev/ttyUSB0@115200 or tcp://host:port"
            )
        return lambda: path.open("rb")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._open() as stream:
                    self.trouble, self.connected = "", True
                    for line in self._read_lines(stream):
                        self._put(line)
            except OSError as err:  # pyserial's errors are OSErrors too
                self.trouble = f"{self._where} cannot be read: {err}"
            else:
                self.trouble = f"{self._where} has ended"
            self.connected = False
            if self._is_file:
                self.ended = True
                return
            self._stopping.wait(_RETRY_S)

    def _read_lines(self, stream: Any) -> Iterator[bytes]:
        held = b""
        while not self._stopping.is_set():
            try:
                block = stream.read(_LONGEST if self._is_file else max(1, getattr(stream, "in_waiting", 1)))
            except TimeoutError:
                continue
            if not block:
                if isinstance(stream, _Connection) or self._is_file:
                    break
                continue  # a serial port that was silent for a while
            *lines, held = (held + block).split(b"\n")
            yield from (line.rstrip(b"\r") for line in lines)
            held = held if len(held) <= _LONGEST else b""
        if held:
            yield held

    def _put(self, line: bytes) -> None:
        with self._changed:
            if self._is_file:
                self._changed.wait_for(lambda: len(self._lines) < _QUEUE or self._stopping.is_set())
                if self._stopping.is_set():
                    return
            elif len(self._lines) >= _QUEUE:
                self._lines.popleft()
                self.dropped += 1
            self._lines.append(line)


class _Connection:
    """A connected socket, read like a file."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        connected.settimeout(_READ_S)

    def read(self, _most: int) -> bytes:
        """What has come; nothing at the end. TimeoutError while there is nothing."""
        return self._socket.recv(_LONGEST)

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()
