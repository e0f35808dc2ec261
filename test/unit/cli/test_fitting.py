# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen doctor BAG``: what is recorded is held against the preset."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

from vidgen_nodes.cli.fitting import recording_fit
from vidgen_nodes.ros import wire

START_NS = 1_700_000_000_000_000_000
ROOT = "/wrapper/psdk_ros2"


def new(type_name: str, *fields: Any) -> Any:
    return wire.store().types[type_name](*fields)


def header(stamp_ns: int) -> Any:
    return new("std_msgs/msg/Header", new("builtin_interfaces/msg/Time", *divmod(stamp_ns, 10**9)), "f")


def fix(stamp_ns: int, altitude: float) -> Any:
    status = new("sensor_msgs/msg/NavSatStatus", 0, 0)
    return new("sensor_msgs/msg/NavSatFix", header(stamp_ns), status, 47.4, 8.5, altitude, np.zeros(9), 0)


def imu(stamp_ns: int) -> Any:
    zero = new("geometry_msgs/msg/Vector3", 0.0, 0.0, 0.0)
    up = new("geometry_msgs/msg/Vector3", 0.0, 0.0, 9.8)
    turn = new("geometry_msgs/msg/Quaternion", 0.0, 0.0, 0.0, 1.0)
    none = np.zeros(9)
    return new("sensor_msgs/msg/Imu", header(stamp_ns), turn, none, zero, none, up, none)


def image(stamp_ns: int) -> Any:
    return new("sensor_msgs/msg/Image", header(stamp_ns), 4, 4, "rgb8", 0, 12, np.zeros(48, np.uint8))


def dji_flight(path: Path) -> Path:
    """Two seconds as psdk_ros2 would send them."""
    made = {
        f"{ROOT}/rtk_position_info": ("std_msgs/msg/UInt8", lambda _: new("std_msgs/msg/UInt8", 50), 200),
        f"{ROOT}/rtk_position": ("sensor_msgs/msg/NavSatFix", lambda t: fix(t, 450.0), 200),
        f"{ROOT}/gps_position_fused": ("sensor_msgs/msg/NavSatFix", lambda t: fix(t, 497.5), 100),
        f"{ROOT}/imu": ("sensor_msgs/msg/Imu", imu, 10),
        f"{ROOT}/main_camera_stream": ("sensor_msgs/msg/Image", image, 40),
    }
    store = wire.store()
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {
            topic: writer.add_connection(topic, kind, typestore=store) for topic, (kind, _, _) in made.items()
        }
        for ms in range(0, 2000, 10):
            for topic, (kind, make, every_ms) in made.items():
                if ms % every_ms == 0:
                    stamp_ns = START_NS + ms * 1_000_000
                    writer.write(connections[topic], stamp_ns, store.serialize_cdr(make(stamp_ns), kind))
    return path


def told(bag: Path, preset: str, *settings: str) -> list[tuple[str, str]]:
    args = argparse.Namespace(bag=bag, preset=preset, config=[], settings=list(settings))
    return [(finding.level, f"{finding.what} -> {finding.fix}") for finding in recording_fit(args)]


def test_the_right_preset_finds_a_dji_flight_fit_but_for_what_cannot_be_helped(tmp_path: Path) -> None:
    lines = told(dji_flight(tmp_path / "bag"), "psdk_ros2")
    assert ("ok", "the topics of the stack psdk_ros2 are there -> ") in lines
    doubts = [what for level, what in lines if level != "ok"]
    assert len(doubts) == 3
    assert "47.5 m above rtk_position" in doubts[0]
    assert "not radiometric" in doubts[1]
    assert "no camera_info" in doubts[2]
    assert not [level for level, _ in lines if level == "FAIL"]


def test_the_wrong_preset_is_told_with_the_right_one(tmp_path: Path) -> None:
    bag = dji_flight(tmp_path / "bag")
    for preset in ("px4", "mavros"):
        fails = [what for level, what in told(bag, preset) if level == "FAIL"]
        assert len(fails) == 1
        assert "the topics of the stack psdk_ros2 are there -> use --preset psdk_ros2 instead" in fails[0]


def test_a_preset_that_is_not_known_and_a_bag_that_is_none_are_one_line_each(tmp_path: Path) -> None:
    ((level, what),) = told(dji_flight(tmp_path / "bag"), "dji")
    assert (level, "preset 'dji' is not known" in what) == ("FAIL", True)
    ((level, what),) = told(tmp_path / "nothing", "px4")
    assert (level, "no such file" in what) == ("FAIL", True)
