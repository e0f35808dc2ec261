# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What comes out of the flight's own process is what the flight says, and ROS can read it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image, Imu, NavSatFix, PointCloud2

from vidgen_nodes.params import SimParams
from vidgen_nodes.ros.simulated import Made, MessageMaker
from vidgen_nodes.sim import Flight
from vidgen_nodes.sim.messages import TYPES, Messages
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, SCAN, THERMAL

CLASSES = {THERMAL: Image, CAMERA_INFO: CameraInfo, IMU: Imu, FIX: NavSatFix, SCAN: PointCloud2}
DURATION_S = 0.3  # more frames than there is shared memory for at once
FAR_AHEAD_NS = 600 * 10**9  # so that nothing is late, however busy the machine


def fly_away(params: SimParams, start_ns: int) -> list[Made]:
    maker = MessageMaker(params)
    try:
        maker.wait_until_ready()
        maker.start(start_ns)
        return list(_all(maker))
    finally:
        maker.close()


def _all(maker: MessageMaker) -> Iterator[Made]:
    while (made := maker.receive()) is not None:
        yield made


# 500 points are too few for shared memory, 60000 too many for a place in it; frames always come that way.
@pytest.mark.parametrize("points", [500, 1500, 60000])
def test_every_message_comes_over_in_order_and_whole(points: int) -> None:
    params = SimParams(seed=4, duration_s=DURATION_S, lidar_points=points, jitter_ms=3.0)
    start_ns = time.time_ns() + FAR_AHEAD_NS
    flight = Flight(params)
    messages = Messages(flight, start_ns)
    received = fly_away(params, start_ns)
    assert Counter(made.kind for made in received) == {THERMAL: 15, CAMERA_INFO: 15, IMU: 60, FIX: 3, SCAN: 3}
    for made, sample in zip(received, flight.schedule(DURATION_S), strict=True):
        assert (made.kind, made.send_s) == (sample.kind, sample.send_s)
        assert made.stamp_ns == start_ns + sample.stamp_ns
        assert made.raw == bytes(messages.serialise(sample))


def test_what_is_long_overdue_comes_without_its_costly_messages() -> None:
    received = fly_away(SimParams(duration_s=0.1, lidar_points=500), time.time_ns() - FAR_AHEAD_NS)
    assert {made.kind for made in received if not made.raw} == {THERMAL, SCAN}
    assert {made.kind for made in received if made.raw} == {CAMERA_INFO, IMU, FIX}


def test_ros_reads_and_writes_the_same_bytes() -> None:
    params = SimParams(seed=4, lidar_points=500)
    flight = Flight(params)
    messages = Messages(flight, 1_780_000_000_123_456_789)
    seen = set()
    for sample in flight.schedule(0.03):
        raw = bytes(messages.serialise(sample))
        message = deserialize_message(raw, CLASSES[sample.kind])
        stamp = message.header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == 1_780_000_000_123_456_789 + sample.stamp_ns
        # Fast CDR leaves what it skips as it was in memory, so its bytes are compared by what they say.
        again, name = serialize_message(message), TYPES[sample.kind]
        said = messages.store.deserialize_cdr(again, name)
        assert bytes(messages.store.serialize_cdr(said, name)) == raw
        seen.add(sample.kind)
        if sample.kind == THERMAL:
            pixels = np.frombuffer(message.data, dtype="<u2").reshape(message.height, message.width)
            np.testing.assert_array_equal(pixels, flight.thermal(sample.truth_t_s, sample.index))
    assert seen == set(CLASSES)


def test_a_maker_that_is_closed_says_so_instead_of_waiting() -> None:
    maker = MessageMaker(SimParams(lidar_points=500))
    maker.wait_until_ready()
    maker.close()
    with pytest.raises((EOFError, OSError)):
        maker.receive()
