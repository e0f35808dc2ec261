# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A written flight can be read back with rosbags, message for message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from vidgen_nodes.params import SimParams
from vidgen_nodes.sim import Flight, rig
from vidgen_nodes.sim.recording import START_NS, TOPICS, write_recording

PARAMS = SimParams(seed=4, lidar_points=1500, jitter_ms=5.0)
DURATION_S = 0.25


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    path = tmp_path_factory.mktemp("sim") / "flight"
    return path, write_recording(path, PARAMS, DURATION_S)


def read(path: Path) -> list[tuple[str, int, object]]:
    with AnyReader([path]) as reader:
        return [
            (connection.topic, stamp_ns, reader.deserialize(data, connection.msgtype))
            for connection, stamp_ns, data in reader.messages()
        ]


def test_bag_is_mcap_and_holds_every_message(bag: tuple[Path, dict[str, int]]) -> None:
    path, written = bag
    assert list(path.glob("*.mcap"))
    assert written == {
        "/thermal/image_raw": 13,
        "/thermal/camera_info": 13,
        "/imu/data": 50,
        "/fix": 3,
        "/points": 3,
    }
    messages = read(path)
    assert len(messages) == sum(written.values())
    received = [stamp_ns for _, stamp_ns, _ in messages]
    assert received == sorted(received)
    assert received[0] == START_NS


def test_messages_are_those_of_the_flight(bag: tuple[Path, dict[str, int]]) -> None:
    messages = read(bag[0])
    flight = Flight(PARAMS)
    kinds = {topic: kind for kind, (topic, _) in TOPICS.items()}
    by_stamp = {(kinds[topic], _stamp_ns(message)): message for topic, _, message in messages}
    for sample in flight.schedule(DURATION_S):
        message = by_stamp.pop((sample.kind, START_NS + sample.stamp_ns))
        if sample.kind == "thermal":
            pixels = message.data.view("<u2").reshape(message.height, message.width)
            np.testing.assert_array_equal(pixels, flight.thermal(sample.truth_t_s, sample.index))
            assert (message.encoding, message.step, message.is_bigendian) == ("mono16", 1280, 0)
            assert message.header.frame_id == rig.THERMAL_FRAME
        elif sample.kind == "scan":
            np.testing.assert_array_equal(message.data, flight.scan(sample.truth_t_s, sample.index).data)
            assert message.width * message.point_step == message.row_step == message.data.size
        elif sample.kind == "fix":
            assert message.altitude == flight.fix(sample.truth_t_s, sample.index).altitude_m
            assert message.status.status == 2
        elif sample.kind == "imu":
            reading = flight.imu(sample.truth_t_s, sample.index)
            assert message.linear_acceleration.z == reading.acceleration_mps2[2]
            assert message.orientation.w == reading.orientation_xyzw[3]
        else:
            np.testing.assert_array_equal(message.k, flight.calibration.matrix_px.reshape(-1))
            assert (message.width, message.height) == (640, 512)
    assert not by_stamp


def test_writing_twice_gives_the_same_messages(bag: tuple[Path, dict[str, int]], tmp_path: Path) -> None:
    write_recording(tmp_path / "again", PARAMS, DURATION_S)
    for path in (bag[0], tmp_path / "again"):
        assert path.is_dir()
    assert _raw(bag[0]) == _raw(tmp_path / "again")


def test_endless_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="duration_s"):
        write_recording(tmp_path / "endless", PARAMS, 0.0)
    assert not (tmp_path / "endless").exists()


def _raw(path: Path) -> list[tuple[str, int, bytes]]:
    with AnyReader([path]) as reader:
        return [(connection.topic, stamp_ns, bytes(data)) for connection, stamp_ns, data in reader.messages()]


def _stamp_ns(message) -> int:
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
