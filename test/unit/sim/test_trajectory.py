# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The truth of the flight is one consistent motion, and it keeps the house in view."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.sim import rig, site
from vidgen_nodes.sim.trajectory import GRAVITY_MPS2, Sines, fly

TIMES_S = np.linspace(-3.0, 60.0, 64)
STEP_S = 1e-4


def test_sines_give_their_own_derivatives() -> None:
    sines = Sines(1.0, ((2.0, 3.0, 0.4), (0.5, 0.7, 1.0)))
    for t in (0.0, 0.3, 11.7):
        before, now, after = sines.at(t - STEP_S), sines.at(t), sines.at(t + STEP_S)
        assert (after[0] - before[0]) / (2 * STEP_S) == pytest.approx(now[1], rel=1e-4, abs=1e-5)
        assert (after[1] - before[1]) / (2 * STEP_S) == pytest.approx(now[2], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("t", TIMES_S)
def test_velocity_and_acceleration_are_derivatives_of_position(t: float) -> None:
    before, now, after = fly(t - STEP_S), fly(t), fly(t + STEP_S)
    moved = after.map_T_base.translation_m - before.map_T_base.translation_m
    np.testing.assert_allclose(moved / (2 * STEP_S), now.velocity_mps, atol=1e-6)
    gained = after.velocity_mps - before.velocity_mps
    np.testing.assert_allclose(gained / (2 * STEP_S), now.acceleration_mps2, atol=1e-6)


@pytest.mark.parametrize("t", TIMES_S)
def test_angular_velocity_is_the_derivative_of_attitude(t: float) -> None:
    before, after = (Rotation.from_quat(fly(t + s).map_T_base.quaternion_xyzw) for s in (-STEP_S, STEP_S))
    turned = (before.inv() * after).as_rotvec() / (2 * STEP_S)
    np.testing.assert_allclose(turned, fly(t).angular_velocity_radps, atol=1e-6)


def test_specific_force_is_acceleration_plus_gravity_seen_from_base() -> None:
    truth = fly(4.2)
    back = Rotation.from_quat(truth.map_T_base.quaternion_xyzw).apply(truth.specific_force_mps2)
    np.testing.assert_allclose(back - [0, 0, GRAVITY_MPS2], truth.acceleration_mps2, atol=1e-12)


@pytest.mark.parametrize("t", [0.0, 4.2, 17.0])
def test_sensors_hang_where_the_rig_says(t: float) -> None:
    truth = fly(t)
    base = Rotation.from_quat(truth.map_T_base.quaternion_xyzw)
    mounts = (
        (truth.map_T_camera, rig.CAMERA_TRANSLATION_M, rig.base_R_optical()),
        (truth.map_T_lidar, rig.LIDAR_TRANSLATION_M, rig.base_R_lidar()),
    )
    for pose, at_m, base_R_sensor in mounts:
        np.testing.assert_allclose(
            pose.translation_m, truth.map_T_base.translation_m + base.apply(at_m), atol=1e-12
        )
        turned = Rotation.from_quat(pose.quaternion_xyzw).as_matrix()
        np.testing.assert_allclose(turned, (base * base_R_sensor).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(
        truth.antenna_m, truth.map_T_base.translation_m + base.apply(rig.ANTENNA_M), atol=1e-12
    )


def test_flight_is_slow_high_and_never_still() -> None:
    truths = [fly(t) for t in np.arange(0.0, 120.0, 0.5)]
    speeds = np.array([np.linalg.norm(truth.velocity_mps) for truth in truths])
    heights = np.array([truth.map_T_base.translation_m[2] for truth in truths])
    assert speeds.max() < 8.0
    assert speeds.max() > 2.0
    assert heights.min() > 20.0
    assert heights.max() < 24.0
    ranges = [np.linalg.norm(truth.map_T_camera.translation_m - [6.2, 0.0, 3.0]) for truth in truths]
    assert min(ranges) > 22.0
    assert max(ranges) < 32.0


def test_camera_sees_the_whole_house_and_the_front_of_the_east_wall() -> None:
    corners = np.concatenate([face.corners_m for face in site.FACES])
    for t in np.arange(0.0, 120.0, 0.5):
        pose = fly(t).map_T_camera
        seen = Rotation.from_quat(pose.quaternion_xyzw).inv().apply(corners - pose.translation_m)
        pixels = (seen / seen[:, 2:]) @ rig.camera_matrix_px().T
        assert seen[:, 2].min() > 10.0
        assert pixels[:, 0].min() > 0.0
        assert pixels[:, 0].max() < rig.WIDTH_PX - 1
        assert pixels[:, 1].min() > 0.0
        assert pixels[:, 1].max() < rig.HEIGHT_PX - 1
        assert pose.translation_m[0] > site.EAST_M + 3.0


def test_camera_looks_down_and_is_level_but_for_its_mounting() -> None:
    optical = rig.base_R_optical()
    forward = optical.apply([0.0, 0.0, 1.0])
    assert np.degrees(np.arcsin(-forward[2])) == pytest.approx(40.0, abs=0.1)
    right = optical.apply([1.0, 0.0, 0.0])
    assert right[1] < -0.99  # right of the picture is right of the drone
