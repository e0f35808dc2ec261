# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What ``rtk_node`` would have understood of a recording: the same adapter, fed in the order of the recorder.

A stack's adapter joins messages as they arrive (a status with its position, an attitude with a sample of the IMU), so
it hears them in the order in which they were recorded, as in a replay; what comes out of it has stamps, and is put into
the order in which it takes effect afterwards. Sentences of an NMEA file join by their own time.

Leaves out the filter, and ports and servers that speak NMEA: nothing can be read of them again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Fix, GimbalAttitude, Heading, ImuSample, SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros.adapters import STACKS
from vidgen_nodes.ros.adapters.nmea import TOPIC as NMEA
from vidgen_nodes.ros.convert import serialized_digest
from vidgen_nodes.ros.inputs import resolved_topic, routes_of
from vidgen_nodes.ros.replay import Recording, TimedMessage
from vidgen_nodes.sensing.nmea import NmeaReader

FIX: Final = "fix"
HEADING: Final = "heading"
IMU: Final = "imu"
GIMBAL: Final = "gimbal"
_AHEAD_NS: Final = 1_000_000_000  # a position is handed on so much before it is due; ordering does the rest

Packet = Fix | Heading | ImuSample | GimbalAttitude


@dataclass(frozen=True, slots=True)
class NavInput:
    """One packet on its way to the filter or the synchroniser."""

    topic: str  # FIX, HEADING, IMU or GIMBAL
    stamp_ns: int
    log_ns: int  # when the recorder wrote the message that completed it
    packet: Packet
    data: bytes = b""  # nothing is held for it beside the packet


class RecordedNavigation:
    """Turns the messages of a stack into packets; everything else passes."""

    def __init__(self, recording: Recording, params: RtkParams, refused: Counter[str]) -> None:
        """Prepare.

        Args:
            recording: with the inputs of the stack.
            params: of rtk_node.
            refused: gets one more under "topic reason" for every message that cannot be used.

        Raises:
            ConfigError: ``nmea_source`` is no file that can be read.
        """
        self._recording = recording
        self._refused = refused
        self._made: list[NavInput] = []
        self._log_ns = 0
        adapter = STACKS[params.stack](self)
        wanted = {route.topic for route in routes_of(params)}
        self._routes = {route.topic: route for route in adapter.routes if route.topic in wanted}
        self._sentences = _sentences(params, refused)

    def understood(self, messages: Iterable[TimedMessage]) -> Iterator[TimedMessage | NavInput]:
        """Messages of cameras and LiDAR as they are, and packets in place of the others."""
        waiting = next(self._sentences, None)
        for message in messages:
            self._log_ns = message.log_ns
            if message.topic in self._routes:
                at_ns = self._take(message)
            else:
                at_ns = self._recording.stamp_ns(message)
                yield message
            yield from self._made
            self._made.clear()
            while waiting is not None and waiting.stamp_ns <= at_ns + _AHEAD_NS:
                kind = FIX if isinstance(waiting, Fix) else HEADING
                yield NavInput(kind, waiting.stamp_ns, message.log_ns, waiting)
                waiting = next(self._sentences, None)

    def fix(self, fix: Fix) -> None:
        """From the adapter."""
        self._made.append(NavInput(FIX, fix.stamp_ns, self._log_ns, fix))

    def heading(self, heading: Heading) -> None:
        """From the adapter."""
        self._made.append(NavInput(HEADING, heading.stamp_ns, self._log_ns, heading))

    def imu(self, sample: ImuSample) -> None:
        """From the adapter."""
        self._made.append(NavInput(IMU, sample.stamp_ns, self._log_ns, sample))

    def gimbal(self, attitude: GimbalAttitude) -> None:
        """From the adapter."""
        self._made.append(NavInput(GIMBAL, attitude.stamp_ns, self._log_ns, attitude))

    def _take(self, message: TimedMessage) -> int:
        """Hand a message to the adapter; its event time, 0 without one."""
        route = self._routes[message.topic]
        decoded = self._recording.deserialize(message)
        at_ns = 0
        try:
            at_ns = route.stamp_ns(decoded)
            name = resolved_topic(message.topic)
            route.handler(decoded, SourceRef(name, message.type_name, at_ns, serialized_digest(message.data)))
        except InputError as err:
            self._refused[f"{message.topic} {err.reason}"] += 1
        return at_ns


def nmea_references(params: RtkParams) -> Iterator[SourceRef]:
    """Every sentence that a run with these parameters could have used; none without an NMEA file."""
    for packet in _sentences(params, Counter()):
        yield packet.source
        yield from packet.also


def _sentences(params: RtkParams, refused: Counter[str]) -> Iterator[Fix | Heading]:
    if not params.nmea_source:
        return iter(())
    path = Path(params.nmea_source).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"rtk.nmea_source is {params.nmea_source}: frames can be derived from a file of its sentences only; record "
            "the receiver into a file beside the recording, and set it to that"
        )
    return _read(path, params, refused)


def _read(path: Path, params: RtkParams, refused: Counter[str]) -> Iterator[Fix | Heading]:
    reader = NmeaReader(resolved_topic(NMEA), params.height_datum, params.antenna_baseline_yaw_deg)
    with path.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                packet = reader.read(line)
            except InputError as err:
                refused[f"{NMEA} {err.reason}"] += 1
                continue
            if packet is not None:
                yield packet
