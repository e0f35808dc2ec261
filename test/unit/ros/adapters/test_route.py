# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.ros.adapters import STACKS
from vidgen_nodes.ros.adapters.route import message_class, newest_version

MISSING = (
    "px4_msgs/msg/SensorGps",
    "mavros_msgs/msg/GPSRAW",
    "psdk_interfaces/msg/RTKYaw",
    "no_such_msgs/msg/A",
)


@pytest.mark.parametrize("type_name", MISSING)
def test_a_package_that_is_not_installed_is_named_with_how_to_get_it(type_name: str) -> None:
    package = type_name.split("/")[0]
    try:
        __import__(package)
    except ImportError:
        pass
    else:
        pytest.skip(f"{package} is installed here")
    with pytest.raises(MissingPackageError, match=rf"{package} is not installed .*(install|build)"):
        message_class(type_name)


def test_a_package_that_lacks_the_message_is_too_old() -> None:
    pytest.importorskip("std_msgs.msg")
    assert message_class("std_msgs/msg/UInt8").__name__ == "UInt8"
    with pytest.raises(MissingPackageError, match="std_msgs has no message Nothing"):
        message_class("std_msgs/msg/Nothing")


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ([], "/fmu/out/vehicle_attitude"),
        (["/fmu/out/vehicle_attitude_setpoint", "/fmu/out/vehicle_attitude_v"], "/fmu/out/vehicle_attitude"),
        (["/fmu/out/vehicle_attitude"], "/fmu/out/vehicle_attitude"),
        (["/fmu/out/vehicle_attitude_v1", "/fmu/out/vehicle_attitude"], "/fmu/out/vehicle_attitude_v1"),
        (["/fmu/out/vehicle_attitude_v9", "/fmu/out/vehicle_attitude_v10"], "/fmu/out/vehicle_attitude_v10"),
        (["/px4_2/fmu/out/vehicle_attitude_v3"], "/fmu/out/vehicle_attitude"),
    ],
)
def test_the_newest_version_that_is_published_is_taken(published: list[str], expected: str) -> None:
    assert newest_version("/fmu/out/vehicle_attitude", published) == expected


@pytest.mark.parametrize("stack", STACKS)
def test_topics_of_a_stack_are_named_once_and_its_needs_are_clear(stack: str, feed: Any) -> None:
    routes = feed(STACKS[stack]).adapter.routes
    topics = [route.topic for route in routes]
    assert len(set(topics)) == len(topics)
    assert any(route.required for route in routes)
    assert not [route.topic for route in routes if route.required and route.without]


Numbers = Callable[[], float]


def _quaternion(number: Numbers) -> SimpleNamespace:
    return SimpleNamespace(x=number(), y=number(), z=number(), w=number())


def _header(number: Numbers) -> SimpleNamespace:
    stamp = SimpleNamespace(sec=_whole(number, 31), nanosec=_whole(number, 29))
    return SimpleNamespace(stamp=stamp, frame_id="map")


def _whole(number: Numbers, bits: int) -> int:
    value = number()
    return int(min(abs(value), 2.0**bits - 1)) if math.isfinite(value) else 0


def _list(number: Numbers, count: int) -> list[float]:
    return [number() for _ in range(count)]


def message(type_name: str, number: Numbers) -> SimpleNamespace:
    """A message of the right shape whose fields are whatever ``number`` gives; integers stay integers, as in ROS."""
    vector = SimpleNamespace(x=number(), y=number(), z=number())
    status = SimpleNamespace(status=_whole(number, 2) - 2)
    fields: dict[str, Any] = {
        "NavSatFix": {
            "status": status, "latitude": number(), "longitude": number(), "altitude": number(),
            "position_covariance": _list(number, 9), "position_covariance_type": _whole(number, 2),
        },
        "Imu": {
            "orientation": _quaternion(number), "orientation_covariance": _list(number, 9),
            "angular_velocity": vector, "angular_velocity_covariance": _list(number, 9),
            "linear_acceleration": vector, "linear_acceleration_covariance": _list(number, 9),
        },
        "Vector3Stamped": {"vector": vector},
        "UInt8": {"data": _whole(number, 8)},
        "RTKYaw": {"yaw": _whole(number, 16)},
        "GPSRAW": {
            "fix_type": _whole(number, 8), "h_acc": _whole(number, 32), "v_acc": _whole(number, 32),
            "hdg_acc": _whole(number, 31), "yaw": _whole(number, 16),
        },
        "GimbalDeviceAttitudeStatus": {"flags": _whole(number, 16), "device_flags": _whole(number, 16)},
        "SensorGps": {
            "latitude_deg": number(), "longitude_deg": number(), "altitude_ellipsoid_m": number(), "eph": number(),
            "epv": number(), "fix_type": _whole(number, 8), "heading": number(), "heading_accuracy": number(),
        },
        "SensorCombined": {"gyro_rad": _list(number, 3), "accelerometer_m_s2": _list(number, 3)},
        "VehicleAttitude": {"q": _list(number, 4)},
    }[type_name.rsplit("/", 1)[-1]]  # fmt: skip
    if type_name == "mavros_msgs/msg/GimbalDeviceAttitudeStatus":
        fields["q"] = _quaternion(number)
    elif type_name == "px4_msgs/msg/GimbalDeviceAttitudeStatus":
        fields["q"] = _list(number, 4)
    if type_name.startswith("px4_msgs"):
        fields |= {"timestamp": _whole(number, 50), "timestamp_sample": _whole(number, 50)}
    elif not type_name.endswith("UInt8"):
        fields["header"] = _header(number)
    return SimpleNamespace(**fields)


NUMBER = st.one_of(
    st.sampled_from((0.0, 1.0, -1.0, math.nan, math.inf, 50.0, 6.0)), st.floats(-400.0, 400.0), st.floats()
)


@pytest.mark.parametrize("stack", STACKS)
@given(st.data())
def test_whatever_numbers_come_a_packet_is_sound_or_refused_with_a_reason(
    stack: str, feed: Any, data: st.DataObject
) -> None:
    feeder = feed(STACKS[stack])
    numbers = data.draw(st.lists(NUMBER, min_size=1, max_size=12))
    turn = itertools.cycle(numbers)
    refused = [
        feeder.refusal(route.topic.rsplit("/", 1)[-1], message(route.type_name, lambda: next(turn)))
        for route in feeder.adapter.routes
    ]
    assert all(reason.replace("_", "").isalnum() for reason in refused if reason)
    for fix in feeder.kept.fixes:
        assert fix.stamp_ns > 0
        assert abs(fix.latitude_deg) <= 90.0
        assert not math.isinf(fix.altitude_m)
    for sample in feeder.kept.samples:
        assert sample.stamp_ns > 0
        assert np.isfinite(sample.angular_velocity_radps).all()
        assert np.isfinite(sample.acceleration_mps2).all()
        assert sample.map_q_base is None or np.linalg.norm(sample.map_q_base) == pytest.approx(1.0)
    for heading in feeder.kept.headings:
        assert -math.pi <= heading.yaw_rad <= math.pi
        assert not heading.sigma_rad <= 0.0
    for attitude in feeder.kept.gimbals:
        assert np.linalg.norm(attitude.quaternion_xyzw) == pytest.approx(1.0)
