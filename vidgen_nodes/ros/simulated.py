# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of the simulated flight, made in a process of their own (:class:`MessageMaker`).

Making a picture takes a millisecond or more of interpreter, in which the thread that must send another on time
would wait. Large messages come over in shared memory: taking a frame out of a pipe costs four times as much.
"""

from __future__ import annotations

import multiprocessing
import signal
import struct
import time
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import cv2

from vidgen_nodes.params import SimParams
from vidgen_nodes.ros.transport import prepare_process
from vidgen_nodes.scheduling import Priority, set_priority
from vidgen_nodes.sim import Flight
from vidgen_nodes.sim.messages import Messages
from vidgen_nodes.sim.readings import KINDS, SCAN, THERMAL

_HEADER = struct.Struct("<BqdI")  # kind, stamp, time of sending, bytes in the next slot (0: they follow here)
_READY = b"ready"
_TAKEN = b"taken"
_SLOTS = 12  # a fifth of a second of frames and scans: so far ahead of their time they are made
_SLOT_BYTES = 1 << 20  # a frame or a usual scan; what is larger goes through the pipe
_PIPE_BYTES = 1 << 14  # what is smaller goes through the pipe too
# A machine too busy to make every picture on time loses pictures, as a camera does; the flight keeps its time.
_COSTLY = (THERMAL, SCAN)
_OVERDUE_NS = 100_000_000


class Made(NamedTuple):
    """One serialised message and when it is due."""

    kind: str
    stamp_ns: int
    send_s: float  # after the start of the flight
    raw: bytes  # empty: there was no time to make it


class MessageMaker:
    """Makes the messages of a flight in another process, in the order in which they are to be sent."""

    def __init__(self, params: SimParams) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # Lies in a file that has no name any more: nothing is left behind, however the processes end.
        shared = context.RawArray("B", _SLOTS * _SLOT_BYTES)
        self._slots = _slots_of(shared)
        self._taken = 0
        arguments = (params, theirs, shared)
        self._process = context.Process(target=_make, args=arguments, name="flight", daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_ready(self) -> None:
        """Return when the flight can start.

        Raises:
            EOFError: the other process failed; its traceback is on stderr.
        """
        self._connection.recv_bytes()

    def start(self, start_ns: int) -> None:
        """Say which event time second 0 of the flight is."""
        self._connection.send_bytes(struct.pack("<q", start_ns))

    def receive(self) -> Made | None:
        """The next message, waiting for it to be made; None at the end of the flight.

        Raises:
            EOFError: the other process ended early, or :meth:`close` was called.
        """
        data = self._connection.recv_bytes()
        if not data:
            return None
        kind, stamp_ns, send_s, in_slot = _HEADER.unpack_from(data)
        raw = data[_HEADER.size :]
        if in_slot:
            raw = bytes(self._slots[self._taken % _SLOTS][:in_slot])
            self._taken += 1
            self._connection.send_bytes(_TAKEN)
        return Made(KINDS[kind], stamp_ns, send_s, raw)

    def close(self) -> None:
        """End the other process; may be called twice."""
        self._process.terminate()
        self._process.join(5.0)


def _slots_of(shared: Any) -> list[memoryview]:
    view = memoryview(shared).cast("B")
    return [view[start : start + _SLOT_BYTES] for start in range(0, _SLOTS * _SLOT_BYTES, _SLOT_BYTES)]


def _make(params: SimParams, connection: Connection, shared: Any) -> None:
    """The other process. It ends when the flight does, or when nobody holds the other end any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the node ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    set_priority(Priority.BACKGROUND)  # it works ahead; what is measured must not wait for the drone
    prepare_process()
    cv2.setNumThreads(1)
    try:
        flight = Flight(params)
        connection.send_bytes(_READY)
        (start_ns,) = struct.unpack("<q", connection.recv_bytes())
        messages = Messages(flight, start_ns)
        hand_over = _HandOver(connection, _slots_of(shared))
        for sample in flight.schedule(params.duration_s):
            overdue_ns = time.time_ns() - start_ns - round(sample.send_s * 1e9)
            skip = sample.kind in _COSTLY and overdue_ns > _OVERDUE_NS
            raw = b"" if skip else messages.serialise(sample)
            hand_over(KINDS.index(sample.kind), start_ns + sample.stamp_ns, sample.send_s, raw)
        connection.send_bytes(b"")
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return


class _HandOver:
    """Sends messages to :meth:`MessageMaker.receive`, which takes slots in the order in which they are filled."""

    def __init__(self, connection: Connection, slots: list[memoryview]) -> None:
        self._connection = connection
        self._slots = slots
        self._filled = 0

    def __call__(self, kind: int, stamp_ns: int, send_s: float, raw: bytes) -> None:
        if not _PIPE_BYTES <= len(raw) <= _SLOT_BYTES:
            self._connection.send_bytes(_HEADER.pack(kind, stamp_ns, send_s, 0) + raw)
            return
        if self._filled >= _SLOTS:  # all have been filled once: wait until the oldest is taken
            self._connection.recv_bytes()
        self._slots[self._filled % _SLOTS][: len(raw)] = raw
        self._filled += 1
        self._connection.send_bytes(_HEADER.pack(kind, stamp_ns, send_s, len(raw)))
