# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a recording: finds which of its topics are our inputs, and gives their messages in recorded order.

Guarantees: the bytes given are the bytes recorded; what cannot be read or is not clear ends in a
``BagError`` that names the file or topic and what to do. Topics that are not our inputs are left alone,
so a foreign type among them does no harm. Needs no ROS. ``ros/player.py`` publishes what is read here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from vidgen_nodes.errors import BagError
from vidgen_nodes.ros.bagfile import open_storage, reading

# Our inputs by relative name, and the one type each has.
INPUT_TYPES: dict[str, str] = {
    "thermal/image_raw": "sensor_msgs/msg/Image",
    "thermal/camera_info": "sensor_msgs/msg/CameraInfo",
    "fix": "sensor_msgs/msg/NavSatFix",
    "imu/data": "sensor_msgs/msg/Imu",
    "points": "sensor_msgs/msg/PointCloud2",
}
ANCHOR = "thermal/image_raw"

# Types that carry what we need in a form only their own driver can decode.
FOREIGN_ADVICE = {
    "velodyne_msgs/msg/VelodyneScan": "raw LiDAR packets; run velodyne_pointcloud and record its PointCloud2",
    "livox_ros_driver2/msg/CustomMsg": "Livox's own format; start its driver with xfer_format 0 (PointCloud2)",
    "pandar_msgs/msg/PandarScan": "raw LiDAR packets; run the vendor's driver and record its PointCloud2",
    "nebula_msgs/msg/NebulaPackets": "raw LiDAR packets; run the Nebula decoder and record its PointCloud2",
    "sensor_msgs/msg/CompressedImage": "a compressed image; republish it as raw sensor_msgs/msg/Image",
    "nmea_msgs/msg/Sentence": "NMEA text; run nmea_navsat_driver and record its NavSatFix",
}


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """One recorded message of an input of ours."""

    topic: str  # relative name of ours
    type_name: str
    log_ns: int  # when the recorder wrote it
    data: bytes  # CDR, as recorded


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """One topic of a recording."""

    name: str
    type_name: str
    count: int


@dataclass(frozen=True)
class Recording:
    """A recording whose topics are mapped to our inputs. Opens the files anew for every pass."""

    path: Path
    inputs: Mapping[str, str]  # our relative topic -> recorded topic
    found: tuple[TopicInfo, ...]
    start_ns: int
    end_ns: int
    counts: Mapping[str, int]  # by our topic
    qos: Mapping[str, Any]  # by our topic: offered profile of rosbags, if recorded

    @property
    def missing(self) -> tuple[str, ...]:
        """Inputs of ours the recording does not hold."""
        return tuple(topic for topic in INPUT_TYPES if topic not in self.inputs)

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
        """Event time of a message: every input of ours begins with a ``std_msgs/Header``.

        Raises:
            BagError: too short to hold one.
        """
        data = message.data
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
        try:
            return typestore().deserialize_cdr(message.data, message.type_name)
        except Exception as err:  # rosbags raises whatever its generated code ran into
            raise BagError(
                f"{self.path}: {self.inputs[message.topic]}: message recorded at {message.log_ns} ns does not hold "
                f"a {message.type_name} ({err}); the recording is damaged there"
            ) from err


@functools.cache
def typestore() -> Any:
    """The standard types, as rosbags knows them."""
    return get_typestore(Stores.ROS2_KILTED)


def read_recording(
    path: Path, remaps: Mapping[str, str] | None = None, *, need_anchor: bool = True
) -> Recording:
    """Open a recording and map its topics to our inputs.

    Args:
        path: a rosbag2 directory, or one .mcap or .db3 file (each may be zstd-compressed).
        remaps: ``{recorded topic: our relative topic}``.
        need_anchor: refuse a recording without thermal images.

    Raises:
        BagError: it cannot be read, a topic is not clear, or there is no thermal image in it.
    """
    with open_storage(path) as reader, reading(path):
        connections = [c for c in reader.connections if c.msgcount > 0]
        bounds = (reader.start_time, reader.end_time)
        qos = {c.topic: next(iter(getattr(c.ext, "offered_qos_profiles", ())), None) for c in connections}
    found = _summary(connections)
    if not found:
        raise BagError(
            f"{path}: holds no messages; check that the recorder was stopped cleanly, or record again"
        )
    inputs = _map_topics(path, found, _checked_remaps(path, found, remaps or {}))
    _check_definitions(path, connections, inputs)
    if need_anchor and ANCHOR not in inputs:
        raise BagError(_no_thermal(path, found))
    by_name = {info.name: info for info in found}
    return Recording(
        path=path,
        inputs=inputs,
        found=found,
        start_ns=bounds[0],
        end_ns=bounds[1],
        counts={ours: by_name[recorded].count for ours, recorded in inputs.items()},
        qos={ours: qos.get(recorded) for ours, recorded in inputs.items()},
    )


def replay_overrides(recording: Recording) -> dict[str, dict[str, Any]]:
    """Parameters that replay and offline rendering of a recording share.

    Scenario second 0 is the stamp of the first thermal frame, so that both draw the same.
    """
    return {"generator": {"origin": "replay", "scenario_start_ns": recording.first_frame_ns()}}


def parse_remaps(arguments: list[str]) -> dict[str, str]:
    """``/foreign:=thermal/image_raw`` strings as ``{recorded: ours}``.

    Raises:
        BagError: not of that form, or not an input of ours.
    """
    result: dict[str, str] = {}
    for argument in arguments:
        foreign, sign, ours = argument.partition(":=")
        ours = ours.removeprefix("/vidgen/").lstrip("/")
        if not sign or not foreign:
            raise BagError(f"--remap {argument!r}: expected /recorded/topic:=our/topic, e.g. /cam0:={ANCHOR}")
        if ours not in INPUT_TYPES:
            raise BagError(f"--remap {argument!r}: {ours!r} is no input; inputs: {', '.join(INPUT_TYPES)}")
        result["/" + foreign.lstrip("/")] = ours
    return result


def _summary(connections: list[Connection]) -> tuple[TopicInfo, ...]:
    merged: dict[tuple[str, str], int] = {}
    for connection in connections:
        key = (connection.topic, connection.msgtype)
        merged[key] = merged.get(key, 0) + connection.msgcount
    return tuple(TopicInfo(name, kind, count) for (name, kind), count in sorted(merged.items()))


def _checked_remaps(path: Path, found: tuple[TopicInfo, ...], remaps: Mapping[str, str]) -> dict[str, str]:
    types = {info.name: info.type_name for info in found}
    result: dict[str, str] = {}
    for recorded, ours in remaps.items():
        if recorded not in types:
            raise BagError(
                f"{path}: --remap names {recorded}, which is not in it; it holds: {_listed(found)}"
            )
        if types[recorded] != INPUT_TYPES[ours]:
            advice = FOREIGN_ADVICE.get(types[recorded], "")
            raise BagError(
                f"{path}: {recorded} is {types[recorded]}, but {ours} must be {INPUT_TYPES[ours]}"
                + (f" ({advice})" if advice else "")
            )
        if ours in result:
            raise BagError(f"--remap gives {ours} two topics: {result[ours]} and {recorded}; give one")
        result[ours] = recorded
    return result


def _map_topics(path: Path, found: tuple[TopicInfo, ...], remaps: dict[str, str]) -> dict[str, str]:
    mapped = dict(remaps)
    for ours, type_name in INPUT_TYPES.items():
        if ours in mapped:
            continue
        candidates = [i.name for i in found if i.type_name == type_name and i.name not in mapped.values()]
        chosen = _choose(ours, candidates, mapped)
        if len(chosen) > 1:
            raise BagError(
                f"{path}: {', '.join(chosen)} could each be {ours}; say which, e.g. --remap {chosen[0]}:={ours}"
            )
        if chosen:
            mapped[ours] = chosen[0]
    return {ours: mapped[ours] for ours in INPUT_TYPES if ours in mapped}


def _choose(ours: str, candidates: list[str], mapped: Mapping[str, str]) -> list[str]:
    """Candidates of the right type that fit best; several mean that it is not clear."""
    if ours == "thermal/camera_info" and ANCHOR in mapped:
        beside = mapped[ANCHOR].rpartition("/")[0] + "/camera_info"
        if beside in candidates:
            return [beside]
    for fitting in (
        [name for name in candidates if name in (f"/{ours}", f"/vidgen/{ours}")],
        [name for name in candidates if name.endswith(f"/{ours}")],
    ):
        if fitting:
            return fitting
    if ours.startswith("thermal/"):
        # Any other camera may be in colour: only a name that says thermal will do.
        return [name for name in candidates if "thermal" in name.lower() or "infra" in name.lower()]
    return candidates


def _check_definitions(path: Path, connections: list[Connection], inputs: Mapping[str, str]) -> None:
    for connection in connections:
        if connection.topic not in inputs.values() or not connection.digest:
            continue
        expected = typestore().hash_rihs01(connection.msgtype)
        if connection.digest != expected:
            raise BagError(
                f"{path}: {connection.topic}: its {connection.msgtype} is defined differently from the standard "
                f"(hash {connection.digest}, expected {expected}); convert the recording first"
            )


def _listed(found: tuple[TopicInfo, ...]) -> str:
    return ", ".join(f"{i.name} ({i.type_name}, {i.count})" for i in found)


def _no_thermal(path: Path, found: tuple[TopicInfo, ...]) -> str:
    images = [i for i in found if i.type_name == INPUT_TYPES[ANCHOR]]
    lines = [
        f"{path}: no thermal images in it, and every frame hangs on one; nothing can be drawn.",
        f"It holds: {_listed(found)}.",
    ]
    lines += [f"{i.name} is {FOREIGN_ADVICE[i.type_name]}." for i in found if i.type_name in FOREIGN_ADVICE]
    if images:
        lines.append(f"If one of the images is thermal, name it: --remap {images[0].name}:={ANCHOR}")
    else:
        lines.append(f"Record the thermal camera too ({INPUT_TYPES[ANCHOR]}, e.g. on /{ANCHOR}).")
    return "\n".join(lines)
