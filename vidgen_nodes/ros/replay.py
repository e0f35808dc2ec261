# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a recording: finds which of its topics are our inputs, and gives their messages in recorded order.

Guarantees: the bytes given are the bytes recorded; what cannot be read or is not clear ends in a
``BagError`` that names the file or topic and what to do. Topics that are not our inputs are left alone,
so a foreign type among them does no harm. Needs no ROS, and no message package of a drone's stack: such types are
read by the definition in the recording. ``ros/player.py`` publishes what is read here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection

from vidgen_nodes.errors import BagError, InputError
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros.bagfile import open_storage, reading
from vidgen_nodes.ros.inputs import ANCHOR, INPUT_TYPES, Input, gives_gimbal, gives_navigation, inputs_of
from vidgen_nodes.ros.recorded_types import types_of, typestore
from vidgen_nodes.ros.topic_mapping import (
    FOREIGN_ADVICE,
    TopicInfo,
    map_topics,
    no_thermal,
    parse_remaps,
)

__all__ = [
    "ANCHOR",
    "FOREIGN_ADVICE",
    "INPUT_TYPES",
    "Recording",
    "TimedMessage",
    "TopicInfo",
    "parse_remaps",
    "read_recording",
    "replay_overrides",
    "typestore",
]


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """One recorded message of an input of ours."""

    topic: str  # of ours: a relative name, or what the drone's stack calls it
    type_name: str
    log_ns: int  # when the recorder wrote it
    data: bytes  # CDR, as recorded


@dataclass(frozen=True)
class Recording:
    """A recording whose topics are mapped to our inputs. Opens the files anew for every pass."""

    path: Path
    inputs: Mapping[str, str]  # our topic -> recorded topic
    found: tuple[TopicInfo, ...]
    start_ns: int
    end_ns: int
    counts: Mapping[str, int]  # by our topic
    qos: Mapping[str, Any]  # by our topic: offered profile of rosbags, if recorded
    nav: RtkParams = field(default_factory=RtkParams)  # whose stack is read
    types: Any = None  # typestore of rosbags; None: the standard types
    left_out: Mapping[str, str] = field(default_factory=dict)  # by our topic: why it is there and not read

    @functools.cached_property
    def wanted(self) -> dict[str, Input]:
        """What a graph with these parameters reads, whether it is here or not."""
        return inputs_of(self.nav)

    @property
    def missing(self) -> tuple[str, ...]:
        """Inputs that no overlay can do without and that the recording does not hold."""
        wanted = self.wanted
        routes = [wanted[topic].route for topic in self.inputs]
        placed = any(route is not None and route.gives_position for route in routes)
        return tuple(
            topic
            for topic, item in wanted.items()
            if topic not in self.inputs
            and item.is_required
            and not (placed and item.route is not None and item.route.gives_position)
        )

    @property
    def derived(self) -> str:
        """What states, maps and attitudes come of it, as ``sync.replay_inputs`` names them."""
        held = set(self.inputs)
        if not gives_navigation(self.nav, held):
            return ""
        others = (("map", "points" in held), ("gimbal", gives_gimbal(self.nav, held)))
        return ",".join(("nav", *(name for name, there in others if there)))

    def messages(self) -> Iterator[TimedMessage]:
        """Messages of our inputs in the order of the recorder.

        Raises:
            BagError: the file ends early or is damaged.
        """
        ours = {recorded: topic for topic, recorded in self.inputs.items()}
        read = 0
        with open_storage(self.path) as reader, reading(self.path):
            wanted = [c for c in reader.connections if c.topic in ours]
            for connection, log_ns, data in reader.messages(wanted):
                read += 1
                yield TimedMessage(ours[connection.topic], connection.msgtype, log_ns, bytes(data))
        promised = sum(self.counts.values())
        if read < promised:  # a cut SQLite file reads as a shorter one
            raise BagError(
                f"{self.path}: ends after {read} of {promised} messages on {', '.join(ours)}: the file was cut or is "
                "damaged; copy it again, or repair it (`sqlite3 IN .recover`, `ros2 bag reindex`)"
            )

    def first_frame_ns(self) -> int:
        """Stamp of the first thermal frame.

        Raises:
            BagError: there is none, or it cannot be read.
        """
        for message in self.messages():
            if message.topic == ANCHOR:
                return self.stamp_ns(message)
        raise BagError(
            f"{self.path}: the index names thermal frames, but none can be read; the file is damaged"
        )

    def stamp_ns(self, message: TimedMessage) -> int:
        """Event time of a message; 0 where it has none, or none that its stack's adapter takes.

        Raises:
            BagError: its bytes do not hold such a message.
        """
        item = self.wanted[message.topic] if message.topic not in INPUT_TYPES else None
        if item is not None and item.route is not None:
            try:
                return item.route.stamp_ns(self.deserialize(message))
            except InputError:
                return 0
        data = message.data  # the others begin with a std_msgs/Header
        if len(data) < 12:
            raise BagError(f"{self.path}: {message.topic}: {len(data)} bytes are too few for a message")
        order = "little" if data[1] & 1 else "big"  # second byte of the CDR encapsulation
        seconds = int.from_bytes(data[4:8], order, signed=True)  # type: ignore[arg-type]
        return seconds * 1_000_000_000 + int.from_bytes(data[8:12], order)  # type: ignore[arg-type]

    def deserialize(self, message: TimedMessage) -> Any:
        """The message as an object of rosbags.

        Raises:
            BagError: its bytes do not hold such a message.
        """
        store = self.types if self.types is not None else typestore()
        try:
            return store.deserialize_cdr(message.data, message.type_name)
        except Exception as err:  # rosbags raises whatever its generated code ran into
            raise BagError(
                f"{self.path}: {self.inputs[message.topic]}: message recorded at {message.log_ns} ns does not hold "
                f"a {message.type_name} ({err}); the recording is damaged there"
            ) from err


def read_recording(
    path: Path,
    remaps: Mapping[str, str] | None = None,
    *,
    need_anchor: bool = True,
    nav: RtkParams | None = None,
    suggested: Mapping[str, str] | None = None,
) -> Recording:
    """Open a recording and map its topics to our inputs.

    Args:
        path: a rosbag2 directory, or one .mcap or .db3 file (each may be zstd-compressed).
        remaps: ``{recorded topic: our topic}``.
        need_anchor: refuse a recording without thermal images.
        nav: whose stack is read; None: standard topics.
        suggested: remaps that count where the topic is there and ``remaps`` says nothing else (of a preset).

    Raises:
        BagError: it cannot be read, a topic is not clear, or there is no thermal image in it.
    """
    nav = nav or RtkParams()
    with open_storage(path) as reader, reading(path):
        connections = [c for c in reader.connections if c.msgcount > 0]
        bounds = (reader.start_time, reader.end_time)
        qos = {c.topic: next(iter(getattr(c.ext, "offered_qos_profiles", ())), None) for c in connections}
    found = _summary(connections)
    if not found:
        raise BagError(
            f"{path}: holds no messages; check that the recorder was stopped cleanly, or record again"
        )
    wanted = inputs_of(nav)
    inputs = map_topics(path, found, _with_suggested(remaps or {}, suggested or {}, found), wanted)
    types, left_out = types_of(path, connections, inputs, wanted)
    inputs = {ours: recorded for ours, recorded in inputs.items() if ours not in left_out}
    if need_anchor and ANCHOR not in inputs:
        raise BagError(no_thermal(path, found))
    by_name = {info.name: info for info in found}
    return Recording(
        path=path,
        inputs=inputs,
        found=found,
        start_ns=bounds[0],
        end_ns=bounds[1],
        counts={ours: by_name[recorded].count for ours, recorded in inputs.items()},
        qos={ours: qos.get(recorded) for ours, recorded in inputs.items()},
        nav=nav,
        types=types,
        left_out=left_out,
    )


def replay_overrides(recording: Recording) -> dict[str, dict[str, Any]]:
    """Parameters that replay and offline rendering of a recording share.

    Scenario second 0 is the stamp of the first thermal frame, so that both draw the same.
    """
    return {"generator": {"origin": "replay", "scenario_start_ns": recording.first_frame_ns()}}


def _summary(connections: list[Connection]) -> tuple[TopicInfo, ...]:
    merged: dict[tuple[str, str], int] = {}
    for connection in connections:
        key = (connection.topic, connection.msgtype)
        merged[key] = merged.get(key, 0) + connection.msgcount
    return tuple(TopicInfo(name, kind, count) for (name, kind), count in sorted(merged.items()))


def _with_suggested(
    remaps: Mapping[str, str], suggested: Mapping[str, str], found: tuple[TopicInfo, ...]
) -> dict[str, str]:
    names, taken = {info.name for info in found}, set(remaps.values())
    fitting = {topic: ours for topic, ours in suggested.items() if topic in names and ours not in taken}
    return {**fitting, **remaps}
