# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from vidgen_nodes.errors import BagError
from vidgen_nodes.ros.samples import from_graph, from_recording

START_NS = 1_700_000_000_000_000_000
COMBINED = "uint64 timestamp\nfloat32[3] gyro_rad\nfloat32[3] accelerometer_m_s2\n"
NAME = "px4_msgs/msg/SensorCombined"


def write(path: Path, count: int, plugin: StoragePlugin = StoragePlugin.MCAP) -> Path:
    """A recording of a type that is not installed here, beside a standard one."""
    store = get_typestore(Stores.ROS2_KILTED)
    store.register(get_types_from_msg(COMBINED, NAME))
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        sensors = writer.add_connection("/fmu/out/sensor_combined", NAME, typestore=store)
        names = writer.add_connection("/name", "std_msgs/msg/String", typestore=store)
        for index in range(count):
            vector = np.array([0.1, 0.2, 9.8], np.float32)
            message = store.types[NAME](1000 + index, vector, vector)
            writer.write(sensors, START_NS + index * 10_000_000, store.serialize_cdr(message, NAME))
            text = store.types["std_msgs/msg/String"]("x")
            writer.write(
                names, START_NS + index * 10_000_000, store.serialize_cdr(text, "std_msgs/msg/String")
            )
    return path


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_a_type_that_is_not_installed_is_read_by_the_recordings_own_definition(
    tmp_path: Path, plugin: StoragePlugin
) -> None:
    stream = from_recording(write(tmp_path / "bag", 5, plugin))["/fmu/out/sensor_combined"]
    assert (stream.type_name, stream.count, stream.broken) == (NAME, 5, "")
    arrived_ns, message, _ = stream.messages[2]
    assert (arrived_ns, message.timestamp) == (START_NS + 20_000_000, 1002)
    np.testing.assert_array_equal(message.gyro_rad, np.array([0.1, 0.2, 9.8], np.float32))


def test_no_more_is_kept_than_tells_but_all_is_counted(tmp_path: Path) -> None:
    stream = from_recording(write(tmp_path / "bag", 200))["/name"]
    assert stream.count == 200
    assert stream.is_full
    assert len(stream.messages) < 200


def test_bytes_that_do_not_parse_are_a_sentence_and_the_rest_is_read(tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS2_KILTED)
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        broken = writer.add_connection("/imu", "sensor_msgs/msg/Imu", typestore=store)
        good = writer.add_connection("/name", "std_msgs/msg/String", typestore=store)
        writer.write(broken, START_NS, b"\0\1\0\0\1\2\3")
        text = store.types["std_msgs/msg/String"]("x")
        writer.write(good, START_NS + 1, store.serialize_cdr(text, "std_msgs/msg/String"))
    streams = from_recording(tmp_path / "bag")
    assert "7 bytes are no sensor_msgs/msg/Imu" in streams["/imu"].broken
    assert len(streams["/name"].messages) == 1


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BagError):
        from_recording(tmp_path)


def test_what_is_published_now_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rclpy")
    import vidgen_nodes.nodes  # noqa: F401 (sets the process up before rclpy comes in)

    monkeypatch.setenv("ROS_DOMAIN_ID", "78")
    import rclpy
    from rclpy.context import Context
    from rclpy.node import Node
    from rclpy.signals import SignalHandlerOptions
    from std_msgs.msg import String

    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node, stop = Node("talker", context=context), threading.Event()
    talkers: list[Any] = [node.create_publisher(String, topic, 10) for topic in ("/wanted", "/not_wanted")]

    def talk() -> None:
        while not stop.wait(0.02):
            for talker in talkers:
                talker.publish(String(data="x"))

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        streams = from_graph(6.0, lambda topic, _: topic == "/wanted")
    finally:
        stop.set()
        thread.join()
        node.destroy_node()
        context.try_shutdown()
    assert set(streams) == {"/wanted"}
    assert streams["/wanted"].messages[0][1].data == "x"
