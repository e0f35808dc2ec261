# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PX4's messages against a recorded log (a vehicle turned by hand on the ground, no GPS) and against hand-made ones."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import RtkStatus
from vidgen_nodes.ros.adapters.px4 import Px4Adapter
from vidgen_nodes.sensing.frames import gravity_fault, wrapped, yaw_of


def columns(data: dict[str, Any], name: str, count: int) -> np.ndarray:
    return np.stack([data[f"{name}[{index}]"] for index in range(count)], axis=1)


@pytest.fixture(scope="module")
def flown(px4_log: dict[str, Any], feed: Any) -> Any:
    """The whole log through the adapter, in order of its stamps."""
    feeder = feed(Px4Adapter)
    sensors, attitudes = px4_log["sensor_combined"], px4_log["vehicle_attitude"]
    gyro, acceleration = columns(sensors, "gyro_rad", 3), columns(sensors, "accelerometer_m_s2", 3)
    turns = columns(attitudes, "q", 4)
    events = [(int(t), 1, i) for i, t in enumerate(sensors["timestamp"])]
    events += [(int(t), 0, i) for i, t in enumerate(attitudes["timestamp"])]
    for stamp_us, kind, index in sorted(events):
        if kind:
            feeder.give(
                "sensor_combined",
                SimpleNamespace(
                    timestamp=stamp_us, gyro_rad=gyro[index], accelerometer_m_s2=acceleration[index]
                ),
            )
        else:
            feeder.give(
                "vehicle_attitude", SimpleNamespace(timestamp=stamp_us, timestamp_sample=0, q=turns[index])
            )
    return feeder


def test_every_recorded_sample_comes_out_with_its_own_stamp(flown: Any, px4_log: dict[str, Any]) -> None:
    stamps = [sample.stamp_ns for sample in flown.kept.samples]
    np.testing.assert_array_equal(stamps, px4_log["sensor_combined"]["timestamp"].astype(np.int64) * 1000)
    oriented = [sample for sample in flown.kept.samples if sample.map_q_base is not None]
    assert len(oriented) > 0.98 * len(px4_log["vehicle_attitude"]["timestamp"])
    assert all(len(sample.also) == 1 for sample in oriented)
    assert len({sample.also[0].stamp_ns for sample in oriented}) == len(oriented)  # each attitude enters once


def test_recorded_gravity_points_up_in_base_and_in_map(flown: Any) -> None:
    assert gravity_fault([sample.acceleration_mps2 for sample in flown.kept.samples]) == ""
    oriented = [sample for sample in flown.kept.samples if sample.map_q_base is not None]
    turns = Rotation.from_quat(np.array([sample.map_q_base for sample in oriented]))
    in_map = turns.apply(np.array([sample.acceleration_mps2 for sample in oriented]))
    assert in_map[:, 2].mean() == pytest.approx(9.8, abs=0.3)
    assert np.abs(in_map[:, :2].mean(axis=0)).max() < 0.3  # though the vehicle was rolled by 22 degrees


def test_the_recorded_attitude_turns_as_the_gyroscope_says(flown: Any) -> None:
    """Attitude and rates are separate topics: had one of them other axes, this would not hold."""
    oriented = [sample for sample in flown.kept.samples if sample.map_q_base is not None]
    turns = Rotation.from_quat(np.array([sample.map_q_base for sample in oriented]))
    between = (turns[:-50].inv() * turns[50:]).as_rotvec()
    rates = np.array([sample.angular_velocity_radps for sample in flown.kept.samples])
    at = np.array([sample.stamp_ns for sample in flown.kept.samples])
    stamps = np.array([sample.stamp_ns for sample in oriented])
    summed = np.vstack([np.zeros(3), np.cumsum(rates[1:] * np.diff(at)[:, None] * 1e-9, axis=0)])
    total = summed[np.searchsorted(at, stamps[50:])] - summed[np.searchsorted(at, stamps[:-50])]
    for axis in range(3):
        slope, _ = np.polyfit(total[:, axis], between[:, axis], 1)
        assert slope == pytest.approx(1.0, abs=0.1), "xyz"[axis]


def test_the_recorded_yaw_is_the_heading_of_the_local_position(flown: Any, px4_log: dict[str, Any]) -> None:
    local = px4_log["vehicle_local_position"]
    oriented = [sample for sample in flown.kept.samples if sample.map_q_base is not None]
    stamps = np.array([sample.stamp_ns for sample in oriented])
    for stamp_us, heading in zip(local["timestamp"][::50], local["yaw"][::50], strict=True):
        nearest = oriented[int(np.abs(stamps - int(stamp_us) * 1000).argmin())]
        assert nearest.map_q_base is not None
        x, y, z, w = nearest.map_q_base.tolist()
        assert wrapped(yaw_of((x, y, z, w)) - (math.pi / 2 - float(heading))) == pytest.approx(0.0, abs=0.03)


def test_the_recorded_magnetic_field_lies_still_in_map_and_points_down(
    flown: Any, px4_log: dict[str, Any]
) -> None:
    field = columns(px4_log["sensor_combined"], "magnetometer_ga", 3) * (1.0, -1.0, -1.0)
    oriented = [(i, s.map_q_base) for i, s in enumerate(flown.kept.samples) if s.map_q_base is not None]
    in_map = Rotation.from_quat(np.array([q for _, q in oriented])).apply(field[[i for i, _ in oriented]])
    mean = in_map.mean(axis=0)
    assert mean[1] > 0.0  # north
    assert mean[2] < 0.0  # the northern hemisphere
    assert in_map.std(axis=0).max() < 0.1 * np.linalg.norm(mean)


def sensor_gps(**changes: Any) -> SimpleNamespace:
    values = {
        "timestamp": 2_000_000, "timestamp_sample": 1_990_000, "latitude_deg": 47.4, "longitude_deg": 8.5,
        "altitude_msl_m": 450.0, "altitude_ellipsoid_m": 498.0, "eph": 0.02, "epv": 0.03, "fix_type": 6,
        "heading": math.nan, "heading_accuracy": 0.0,
    }  # fmt: skip
    return SimpleNamespace(**{**values, **changes})


def test_a_position_has_the_height_above_the_ellipsoid_and_the_stamp_of_the_measurement(feed: Any) -> None:
    feeder = feed(Px4Adapter)
    source = feeder.give("vehicle_gps_position", sensor_gps())
    (fix,) = feeder.kept.fixes
    assert (fix.stamp_ns, fix.altitude_m, fix.height_datum, fix.rtk) == (
        1_990_000_000, 498.0, "ellipsoidal", RtkStatus.FIXED,
    )  # fmt: skip
    np.testing.assert_allclose(np.diag(fix.covariance_m2), (4e-4, 4e-4, 9e-4))
    assert fix.source == source
    assert feeder.kept.headings == []


def test_the_integers_of_older_messages_are_read(feed: Any) -> None:
    old = SimpleNamespace(
        timestamp=5_000_000, lat=474000000, lon=85000000, alt=450000, alt_ellipsoid=498000, eph=1.2, epv=2.0, fix_type=3
    )  # fmt: skip
    feeder = feed(Px4Adapter)
    feeder.give("vehicle_gps_position", old)
    (fix,) = feeder.kept.fixes
    assert (fix.latitude_deg, fix.longitude_deg) == pytest.approx((47.4, 8.5))
    assert (fix.altitude_m, fix.rtk) == (pytest.approx(498.0), RtkStatus.SINGLE)


def test_the_heading_of_two_antennas_counts_from_east(feed: Any) -> None:
    feeder = feed(Px4Adapter)
    feeder.give("vehicle_gps_position", sensor_gps(heading=math.radians(30.0), heading_accuracy=0.01))
    (heading,) = feeder.kept.headings
    assert (heading.yaw_rad, heading.sigma_rad) == pytest.approx((math.radians(60.0), 0.01))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"latitude_deg": math.nan}, "not_finite"),
        ({"altitude_ellipsoid_m": math.inf}, "not_finite"),
        ({"longitude_deg": 181.0}, "position_range"),
        ({"timestamp": 0, "timestamp_sample": 0}, "no_stamp"),
    ],
)
def test_a_position_that_cannot_be_is_refused(feed: Any, changes: dict[str, float], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        feed(Px4Adapter).give("vehicle_gps_position", sensor_gps(**changes))
    assert caught.value.reason == reason


def test_an_attitude_that_is_older_than_the_sample_is_turned_on_to_it(feed: Any) -> None:
    feeder = feed(Px4Adapter)
    feeder.give("vehicle_attitude", SimpleNamespace(timestamp=1_000_000, q=(1.0, 0.0, 0.0, 0.0)))
    sample = SimpleNamespace(
        timestamp=1_020_000, gyro_rad=(0.0, 0.0, 1.0), accelerometer_m_s2=(0.0, 0.0, -9.8)
    )
    feeder.give("sensor_combined", sample)
    x, y, z, w = feeder.kept.samples[0].map_q_base.tolist()
    # Heading 0 is yaw 90 degrees; 1 rad/s about down for 20 ms takes 0.02 rad off it.
    assert yaw_of((x, y, z, w)) == pytest.approx(math.pi / 2 - 0.02, abs=1e-9)
    sample.timestamp = 1_024_000
    feeder.give("sensor_combined", sample)
    assert feeder.kept.samples[1].map_q_base is None  # an attitude counts once


def test_a_sample_goes_without_an_attitude_that_is_stale(feed: Any) -> None:
    feeder = feed(Px4Adapter)
    feeder.give("vehicle_attitude", SimpleNamespace(timestamp=1_000_000, q=(1.0, 0.0, 0.0, 0.0)))
    sample = SimpleNamespace(
        timestamp=1_060_000, gyro_rad=(0.0, 0.0, 0.0), accelerometer_m_s2=(0.0, 0.0, -9.8)
    )
    feeder.give("sensor_combined", sample)
    assert feeder.kept.samples[0].map_q_base is None
    sample.gyro_rad = (0.0, math.nan, 0.0)
    with pytest.raises(InputError, match="gyro_rad"):
        feeder.give("sensor_combined", sample)


@pytest.mark.parametrize(("flags", "yaw_deg"), [(32, 90.0 - 40.0 - 10.0), (0, 40.0), (64, 80.0), (16, 80.0)])
def test_the_gimbals_yaw_counts_from_the_nose_or_from_north_as_its_flags_say(
    feed: Any, flags: int, yaw_deg: float
) -> None:
    feeder = feed(Px4Adapter)
    heading = Rotation.from_euler("ZYX", (40.0, 0.0, 15.0), degrees=True).as_quat()
    feeder.give("vehicle_attitude", SimpleNamespace(timestamp=1_000_000, q=np.roll(heading, 1)))
    gimbal = Rotation.from_euler("ZYX", (10.0, -30.0, 0.0), degrees=True).as_quat()
    feeder.give(
        "gimbal_device_attitude_status",
        SimpleNamespace(timestamp=1_010_000, q=np.roll(gimbal, 1), device_flags=flags),
    )
    (attitude,) = feeder.kept.gimbals
    assert attitude.parent == "map"
    forward = Rotation.from_quat(attitude.quaternion_xyzw).apply((1.0, 0.0, 0.0))
    assert math.degrees(math.atan2(forward[1], forward[0])) == pytest.approx(yaw_deg)
    assert math.degrees(math.asin(forward[2])) == pytest.approx(
        -30.0
    )  # from the horizon, whatever the vehicle's roll


def test_a_gimbal_that_counts_from_the_nose_waits_for_the_vehicles_attitude(feed: Any) -> None:
    with pytest.raises(InputError) as caught:
        feed(Px4Adapter).give(
            "gimbal_device_attitude_status",
            SimpleNamespace(timestamp=1, q=(1.0, 0.0, 0.0, 0.0), device_flags=32),
        )
    assert caught.value.reason == "gimbal_yaw"
