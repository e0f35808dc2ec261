# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from geometry_msgs.msg import QuaternionStamped, Vector3Stamped
from sensor_msgs.msg import Imu, NavSatFix
from std_msgs.msg import String, UInt8
from vidgen.msg import GimbalState, NavState

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.nodes.rtk_node import RtkNode
from vidgen_nodes.ros import convert, fill, wire
from vidgen_nodes.ros.adapters.route import Adapter, Route, header_stamp_ns, no_stamp_ns
from vidgen_nodes.ros.adapters.wiring import Wiring

RTK_FIXED = 3
PSDK = "/wrapper/psdk_ros2"


class Flight:
    """A drone that hovers: publishes under the given names and keeps the states that come out."""

    def __init__(self, bench: Any, imu_topic: str, fix_topic: str) -> None:
        self.peer = bench.peer()
        self.states: list[Any] = []
        self.peer.create_subscription(NavState, "drone/nav_state", self.states.append, 100)
        self._imus = self.peer.create_publisher(Imu, imu_topic, 50)
        self._fixes = self.peer.create_publisher(NavSatFix, fix_topic, 10)
        self._count = 0
        readers = (self._imus, self._fixes)
        bench.until(lambda: all(item.get_subscription_count() for item in readers), "discovery")
        bench.until(lambda: self.peer.count_publishers("/vidgen/drone/nav_state"), "discovery of the output")

    def fly(self) -> None:
        """One step: a sample of the IMU, and every fifth time a position."""
        now_ns = self.peer.get_clock().now().nanoseconds
        sample = Imu()
        fill.set_header(sample.header, now_ns, "base_link")
        sample.orientation.w = 1.0
        sample.linear_acceleration.z = 9.80665
        self._imus.publish(sample)
        self._count += 1
        if self._count % 5 == 0:
            fix = NavSatFix(latitude=47.4, longitude=8.5, altitude=500.0)
            fix.status.status = 0
            fill.set_header(fix.header, now_ns, "gps")
            self._fixes.publish(fix)


def test_standard_topics_give_states_with_every_message_named(bench: Any) -> None:
    bench.start(RtkNode)
    flight = Flight(bench, "imu/data", "fix")
    state = bench.until(lambda: flight.states, "a state", flight.fly)[-1]
    assert {source.topic for source in state.sources} <= {"/vidgen/imu/data", "/vidgen/fix"}
    assert all(any(source.sha256) for source in state.sources)


def test_the_stack_of_dji_gives_rtk_states_though_its_messages_do_not_say_so(bench: Any) -> None:
    node = bench.start(RtkNode, stack="psdk_ros2", height_datum="orthometric")
    flight = Flight(bench, f"{PSDK}/imu", f"{PSDK}/rtk_position")
    infos = flight.peer.create_publisher(UInt8, f"{PSDK}/rtk_position_info", 10)
    bench.until(lambda: infos.get_subscription_count(), "discovery of the status")

    def fly() -> None:
        infos.publish(UInt8(data=50))
        flight.fly()

    bench.until(lambda: any(state.rtk_status == RTK_FIXED for state in flight.states), "an RTK state", fly)
    assert f"{PSDK}/rtk_yaw_info" in node.health.inputs


def test_a_height_above_the_sea_does_not_pass_for_one_above_the_ellipsoid(bench: Any) -> None:
    node = bench.start(RtkNode, stack="psdk_ros2", height_datum="ellipsoidal")
    flight = Flight(bench, f"{PSDK}/imu", f"{PSDK}/rtk_position")
    infos = flight.peer.create_publisher(UInt8, f"{PSDK}/rtk_position_info", 10)
    bench.until(lambda: infos.get_subscription_count(), "discovery of the status")

    def fly() -> None:
        infos.publish(UInt8(data=50))
        flight.fly()

    bench.until(lambda: node.health.dropped["fix mixed_heights"], "the refusal", fly)
    assert flight.states == []


def test_a_gimbal_is_passed_on_in_our_axes(bench: Any) -> None:
    bench.start(RtkNode)
    peer = bench.peer()
    turns: list[Any] = []
    states: list[Any] = []
    peer.create_subscription(QuaternionStamped, "drone/gimbal", turns.append, 10)
    peer.create_subscription(GimbalState, "drone/gimbal_state", states.append, 10)
    angles = peer.create_publisher(Vector3Stamped, "gimbal", 10)
    bench.until(lambda: angles.get_subscription_count(), "discovery")
    bench.until(lambda: peer.count_publishers("/vidgen/drone/gimbal"), "discovery of the output")
    message = Vector3Stamped()

    def turn() -> None:
        fill.set_header(message.header, peer.get_clock().now().nanoseconds, "map")
        message.vector.y = 0.5
        angles.publish(message)

    bench.until(lambda: turns and states, "the gimbal's attitude", turn)
    assert turns[0].header.frame_id == "map"
    assert turns[0].quaternion.y == pytest.approx(0.247404, abs=1e-6)
    assert states[0].header.frame_id == "map"
    assert states[0].attitude.y == pytest.approx(0.247404, abs=1e-6)
    assert states[0].source.topic == "/vidgen/gimbal"
    assert states[0].source.type == "geometry_msgs/msg/Vector3Stamped"
    assert any(states[0].source.sha256)


def test_a_stack_whose_messages_are_not_installed_ends_the_node_with_how_to_get_them(bench: Any) -> None:
    try:
        import px4_msgs  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("px4_msgs is installed here")
    with pytest.raises(ConfigError, match=r"px4_msgs is not installed .*github.com/PX4/px4_msgs"):
        bench.start(RtkNode, stack="px4")


def test_accelerations_in_g_are_told(bench: Any) -> None:
    node = bench.start(RtkNode)
    peer = bench.peer()
    samples = peer.create_publisher(Imu, "imu/data", 50)
    bench.until(lambda: samples.get_subscription_count(), "discovery")

    def send() -> None:
        message = Imu()
        fill.set_header(message.header, peer.get_clock().now().nanoseconds, "imu")
        message.orientation.w = message.linear_acceleration.z = 1.0
        samples.publish(message)

    bench.until(lambda: "in g" in node.health.extra.get("imu", ""), "the sentence", send)


def test_the_version_of_a_topic_that_comes_up_is_read(bench: Any) -> None:
    node = bench.start(RtkNode)
    heard: list[str] = []
    adapter = Adapter(node)
    adapter.routes = (
        Route(
            "/stack/imu", "sensor_msgs/msg/Imu", lambda _, source: heard.append(source.topic), header_stamp_ns,
            versioned=True,
        ),
    )  # fmt: skip
    wiring = Wiring(node, adapter, with_positions=True)
    peer = bench.peer()
    for topic in ("/stack/imu", "/stack/imu_v2"):
        samples = peer.create_publisher(Imu, topic, 10)
        message = Imu()
        fill.set_header(message.header, 1_000_000_000, "imu")
        assert convert.stamp_ns(message.header.stamp)

        def send(samples: Any = samples, message: Any = message) -> None:
            wiring.look()
            samples.publish(message)

        bench.until(lambda topic=topic: topic in heard, topic, send)
    assert "/stack/imu_v2" in node.health.inputs
    assert "/stack/imu" not in node.health.inputs


def test_a_type_that_only_ros_knows_is_read_all_the_same(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(wire.store().types, "std_msgs/msg/String")
    node = bench.start(RtkNode)
    heard: list[str] = []
    adapter = Adapter(node)
    adapter.routes = (
        Route(
            "/stack/name", "std_msgs/msg/String", lambda message, _: heard.append(message.data), no_stamp_ns
        ),
    )
    Wiring(node, adapter, with_positions=True)
    peer = bench.peer()
    names = peer.create_publisher(String, "/stack/name", 10)
    bench.until(lambda: heard, "the message", lambda: names.publish(String(data="x")))
    assert heard[0] == "x"


def test_a_receivers_sentences_stand_in_for_the_topic(bench: Any, tmp_path: Path) -> None:
    path = tmp_path / "receiver.nmea"
    path.write_bytes(b"noise\r\n" + sentence("GPRMC,120000.00,A,4724.0,N,00830.0,E,0.0,,200126,,,R"))
    with path.open("ab") as file:
        for tenth in range(10):
            file.write(sentence(f"GPGGA,12000{tenth}.00,4724.0,N,00830.0,E,4,12,0.8,450.0,M,48.0,M,1.0,0001"))
    node = bench.start(RtkNode, nmea_source=str(path), fix_delay_ms=0.0)
    peer = bench.peer()
    states: list[Any] = []
    peer.create_subscription(NavState, "drone/nav_state", states.append, 100)
    samples = peer.create_publisher(Imu, "imu/data", 50)
    bench.until(lambda: samples.get_subscription_count(), "discovery")
    bench.until(lambda: peer.count_publishers("/vidgen/drone/nav_state"), "discovery of the output")
    bench.until(lambda: node.health.inputs["/vidgen/nmea"].received == 12, "the sentences")
    assert node.health.inputs["/vidgen/nmea"].refused == {"not_nmea": 1}
    assert "/vidgen/fix" not in node.health.inputs
    message, stamps = (
        Imu(),
        itertools.count(1_768_910_399_000_000_000, 10_000_000),
    )  # 11:59:59 UTC of that day
    message.orientation.w, message.linear_acceleration.z = 1.0, 9.80665

    def send() -> None:
        fill.set_header(message.header, next(stamps), "imu")
        samples.publish(message)

    bench.until(lambda: any(state.rtk_status == RTK_FIXED for state in states), "an RTK state", send)
    assert any(source.topic == "/vidgen/nmea" for state in states for source in state.sources)
    bench.until(lambda: "has ended" in node.health.waiting_for, "the end of the file")


def sentence(body: str) -> bytes:
    checksum = 0
    for byte in body.encode():
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n".encode()
