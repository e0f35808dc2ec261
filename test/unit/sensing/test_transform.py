# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from vidgen_nodes.packets import NavState, Pose, RtkStatus
from vidgen_nodes.sensing import pose as pose_module
from vidgen_nodes.sensing.transform import (
    OPTICAL_FROM_BODY,
    compose,
    interpolate_pose,
    invert,
    pose_from_rpy,
    propagate_pose,
    rotation_matrix,
    slerp,
)

angle = st.floats(-math.pi, math.pi)
metres = st.floats(-100, 100)
poses = st.builds(
    lambda r, t: Pose(np.array(t), Rotation.from_rotvec(r).as_quat()),
    st.tuples(angle, angle, angle),
    st.tuples(metres, metres, metres),
)


def matrix(pose: Pose) -> np.ndarray:
    full = np.eye(4)
    full[:3, :3] = Rotation.from_quat(pose.quaternion_xyzw).as_matrix()
    full[:3, 3] = pose.translation_m
    return full


def state(
    stamp_ns: int,
    rotation: Rotation,
    position=(0.0, 0.0, 0.0),
    velocity=(0, 0, 0),
    acc=(0, 0, 0),
    rate=(0, 0, 0),
):
    return NavState(
        stamp_ns, Pose(np.array(position, float), rotation.as_quat()), np.array(velocity, float),
        np.array(acc, float), np.array(rate, float), np.eye(6), RtkStatus.FIXED, stamp_ns, (),
    )  # fmt: skip


@given(poses, poses)
def test_compose_is_the_product_of_matrices(a: Pose, b: Pose) -> None:
    np.testing.assert_allclose(matrix(compose(a, b)), matrix(a) @ matrix(b), atol=1e-9)


@given(poses)
def test_a_pose_times_its_inverse_is_nothing(pose: Pose) -> None:
    np.testing.assert_allclose(matrix(compose(pose, invert(pose))), np.eye(4), atol=1e-9)
    np.testing.assert_allclose(rotation_matrix(pose), matrix(pose)[:3, :3], atol=1e-9)


def test_optical_axes_in_the_body() -> None:
    # REP-103: the camera looks along body x, its x is right (-y), its y is down (-z).
    np.testing.assert_allclose(
        rotation_matrix(OPTICAL_FROM_BODY).T, [[0, -1, 0], [0, 0, -1], [1, 0, 0]], atol=1e-12
    )


def test_a_pitch_of_45_degrees_looks_down() -> None:
    forward = rotation_matrix(pose_from_rpy((0, 0, 0), (0.0, 45.0, 0.0)))[:, 0]
    np.testing.assert_allclose(forward, (math.sqrt(0.5), 0, -math.sqrt(0.5)), atol=1e-12)


def test_yaw_is_applied_last() -> None:
    forward = rotation_matrix(pose_from_rpy((1, 2, 3), (10.0, 30.0, 90.0)))[:, 0]
    np.testing.assert_allclose(forward, (0, math.cos(math.radians(30)), -0.5), atol=1e-12)


@pytest.mark.parametrize("degrees", [0.0, 1e-5, 30.0, 90.0, 179.9])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_slerp_takes_the_short_way_on_either_cover(degrees: float, sign: float) -> None:
    start, end = (
        Rotation.from_euler("z", 20, degrees=True),
        Rotation.from_euler("z", 20 + degrees, degrees=True),
    )
    half = slerp(tuple(start.as_quat()), tuple(sign * end.as_quat()), 0.5)
    expected = Slerp([0, 1], Rotation.concatenate([start, end]))(0.5)
    assert (Rotation.from_quat(half).inv() * expected).magnitude() < 1e-9


def test_interpolation_is_linear_and_exact_at_both_ends() -> None:
    a = state(100, Rotation.from_euler("z", 0, degrees=True), (0, 0, 0))
    b = state(200, Rotation.from_euler("z", 40, degrees=True), (4, 2, 0))
    for stamp, share in ((100, 0.0), (125, 0.25), (200, 1.0)):
        pose = interpolate_pose(a, b, stamp)
        np.testing.assert_allclose(pose.translation_m, (4 * share, 2 * share, 0), atol=1e-12)
        assert Rotation.from_quat(pose.quaternion_xyzw).as_euler("ZYX", degrees=True)[0] == pytest.approx(
            40 * share
        )
    with pytest.raises(ValueError, match="not between"):
        interpolate_pose(a, b, 201)


def test_interpolating_50_hz_poses_beats_the_nearest_by_far() -> None:
    # physics: alpha = 200 deg/s^2 sampled at 50 Hz leaves alpha dt^2 / 8 = 0.01 deg, 0.12 px at f = 702.
    rate_radps, alpha, dt = math.radians(60), math.radians(200), 0.02

    def at(t: float) -> Rotation:
        return Rotation.from_euler("z", rate_radps * t + 0.5 * alpha * t * t)

    a, b = state(0, at(0.0)), state(20_000_000, at(dt))
    worst = nearest = 0.0
    for k in range(21):
        t = k * 1e-3
        pose = interpolate_pose(a, b, k * 1_000_000)
        worst = max(worst, (Rotation.from_quat(pose.quaternion_xyzw).inv() * at(t)).magnitude() * 702)
        nearest = max(nearest, (at(0.0 if t < dt / 2 else dt).inv() * at(t)).magnitude() * 702)
    assert worst <= 0.25
    assert nearest >= 5 * worst


@given(st.integers(-50_000_000, 50_000_000), st.tuples(angle, angle, angle))
def test_propagation_is_exact_for_constant_acceleration_and_body_rate(
    dt_ns: int, rate: tuple[float, ...]
) -> None:
    start = Rotation.from_euler("ZYX", (1.0, 0.2, -0.3))
    s = state(10**18, start, (1, 2, 3), (3, 0, -1), (0.5, -2, 1), rate)
    dt = dt_ns * 1e-9
    pose = propagate_pose(s, 10**18 + dt_ns)
    expected = np.array((1, 2, 3)) + dt * np.array((3, 0, -1)) + 0.5 * dt * dt * np.array((0.5, -2, 1))
    np.testing.assert_allclose(pose.translation_m, expected, atol=1e-12)
    turned = start * Rotation.from_rotvec(np.array(rate) * dt)
    assert (Rotation.from_quat(pose.quaternion_xyzw).inv() * turned).magnitude() < 1e-9


def test_pose_offers_what_the_architecture_names() -> None:
    assert pose_module.compose is compose
    assert pose_module.OPTICAL_FROM_BODY is OPTICAL_FROM_BODY
