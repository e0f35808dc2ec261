# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Points measured while the drone flies and turns come out where they were in the world."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import NavState, PointScan, Pose, RtkStatus, SourceRef
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.deskew import interpolate_path
from vidgen_nodes.sensing.scan_pose import PosedScan, ScanPosing
from vidgen_nodes.sensing.transform import compose, pose_from_rpy

START_NS = 1_000_000_000_000
MOUNT = ((0.2, -0.1, -0.3), (1.0, 40.0, -2.0))
PARAMS = LidarParams(lidar_translation_m=MOUNT[0], lidar_rpy_deg=MOUNT[1])


def base_at(t_s: float) -> Pose:
    """8 m/s, yaw 60 deg/s, some roll and climb."""
    return pose_from_rpy((8.0 * t_s, -1.0, 30.0 + 1.5 * t_s), (10.0 * t_s, 0.0, 60.0 * t_s))


def state(t_s: float) -> NavState:
    zero, stamp_ns = np.zeros(3), START_NS + round(t_s * 1e9)
    return NavState(stamp_ns, base_at(t_s), zero, zero, zero, np.eye(6) * 4e-4, RtkStatus.FIXED, stamp_ns, ())


def measured(world_m: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """World points as the LiDAR measures them, each at its own time."""
    points = np.empty_like(world_m)
    for index, t_s in enumerate(times_s):
        pose = compose(base_at(float(t_s)), pose_from_rpy(*MOUNT))
        points[index] = (
            Rotation.from_quat(pose.quaternion_xyzw).inv().apply(world_m[index] - pose.translation_m)
        )
    return points


def scan(points: np.ndarray, times_s: np.ndarray | None, stamp_s: float) -> PointScan:
    stamp_ns = START_NS + round(stamp_s * 1e9)
    source = SourceRef("/points", "sensor_msgs/msg/PointCloud2", stamp_ns, bytes(32))
    relative = None if times_s is None else (times_s - stamp_s).astype(np.float32)
    return PointScan(stamp_ns, "lidar", points.astype(np.float32), relative, {}, source)


def in_world(posed: PosedScan) -> np.ndarray:
    turned = Rotation.from_quat(posed.map_T_lidar.quaternion_xyzw).apply(posed.scan.points_m)
    return np.asarray(turned + posed.map_T_lidar.translation_m)


@pytest.mark.parametrize("stamp_s", [0.5, 0.55, 0.6])  # of the first, a middle and the last point
def test_each_point_takes_the_pose_of_its_own_time(stamp_s: float) -> None:
    rng = np.random.default_rng(1)
    world = np.column_stack((rng.uniform(-20, 30, (400, 2)), rng.uniform(-1, 6, 400)))
    times = np.sort(rng.uniform(0.5, 0.6, 400))
    cloud = measured(world, times)
    posing = ScanPosing(PARAMS)
    for t_s in np.arange(0.4, 0.7, 0.01):
        posing.add_nav(state(float(t_s)))
    (posed,) = posing.add_scan(scan(cloud, times, stamp_s))
    assert posed.scan.times_s is None
    assert np.abs(in_world(posed) - world).max() < 0.01
    (rigid,) = ScanPosing.add_scan(posing, scan(cloud, None, stamp_s + 0.001))
    assert np.abs(in_world(rigid) - world).max() > 1.0


def test_a_scan_waits_for_the_pose_of_its_last_point() -> None:
    posing = ScanPosing(PARAMS)
    times = np.linspace(0.5, 0.6, 50)
    cloud = measured(np.full((50, 3), 3.0), times)
    for t_s in np.arange(0.4, 0.59, 0.01):
        posing.add_nav(state(float(t_s)))
    assert posing.add_scan(scan(cloud, times, 0.5)) == []
    assert posing.add_nav(state(0.59)) == []
    (posed,) = posing.add_nav(state(0.601))
    np.testing.assert_allclose(in_world(posed), 3.0, atol=0.01)
    assert posed.height_sigma_m == pytest.approx(0.02)


def test_times_outside_the_states_are_an_error() -> None:
    states = [state(0.0), state(0.1)]
    with pytest.raises(ValueError, match="not within"):
        interpolate_path(states, np.array([0.05, 0.2]), START_NS)


def test_the_path_passes_through_the_states_and_the_short_way() -> None:
    a, b = state(0.0), state(0.1)
    flipped = NavState(
        b.stamp_ns, Pose(b.map_T_base.translation_m, -b.map_T_base.quaternion_xyzw), b.velocity_mps,
        b.acceleration_mps2, b.angular_velocity_radps, b.covariance, b.rtk, b.rtk_fixed_ns, (),
    )  # fmt: skip
    times = np.array([0.0, 0.05, 0.1])
    path, other = interpolate_path([a, b], times, START_NS), interpolate_path([a, flipped], times, START_NS)
    np.testing.assert_allclose(path.rotations, other.rotations, atol=1e-12)
    for index, end in ((0, a), (2, b)):
        expected = Rotation.from_quat(end.map_T_base.quaternion_xyzw).as_matrix()
        np.testing.assert_allclose(path.rotations[index], expected, atol=1e-9)
        np.testing.assert_allclose(path.translations_m[index], end.map_T_base.translation_m)
