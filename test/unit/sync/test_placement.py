# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import CameraCalibration, NavState, Pose, RtkStatus
from vidgen_nodes.sensing.pose import OPTICAL_FROM_BODY, compose, pose_from_rpy
from vidgen_nodes.sync.placement import (
    COVERING,
    camera_covariance,
    carried_pose,
    placement_sigma_px,
    viewing_range_m,
)

F = 702.0
ROUND = math.sqrt(-2.0 * math.log(0.05)) / COVERING  # 95 % radius of a round error, in sigma_px


def state(position_m=0.0, tilt_rad=0.0, heading_rad=0.0, velocity=(0, 0, 0), rate=(0, 0, 0)) -> NavState:
    covariance = np.diag([position_m**2] * 3 + [tilt_rad**2] * 2 + [heading_rad**2])
    pose = Pose(np.array((0.0, 0.0, 30.0)), np.array((0.0, 0, 0, 1)))
    return NavState(
        1,
        pose,
        np.array(velocity, float),
        np.zeros(3),
        np.array(rate, float),
        covariance,
        RtkStatus.FIXED,
        1,
        (),
    )


def lens(width_px: int = 1, height_px: int = 1) -> CameraCalibration:
    """A camera that sees hardly more than its optical axis, where the formulas of one cause are exact."""
    matrix = np.array(((F, 0, 0.5), (0, F, 0.5), (0, 0, 1)))
    return CameraCalibration(1, "cam", width_px, height_px, matrix, "plumb_bob", np.zeros(5))


def sigma(
    nav: NavState,
    pitch_deg: float = 90.0,
    range_m: float = 30.0,
    boresight: float = 0.0,
    time_s: float = 0.0,
    lever=(0, 0, 0),
    cell_m: float = 0.0,
) -> float:
    camera = compose(nav.map_T_base, compose(pose_from_rpy(lever, (0, pitch_deg, 0)), OPTICAL_FROM_BODY))
    covariance = camera_covariance(
        nav, nav.map_T_base, camera, boresight_sigma_rad=boresight, time_sigma_s=time_s
    )
    return placement_sigma_px(
        covariance, camera, lens(), ground_m=math.nan, typical_range_m=range_m, cell_m=cell_m
    )


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (sigma(state(position_m=0.02)), ROUND * F * 0.02 / 30),  # 0.5 px an axis
        (sigma(state(), boresight=math.radians(0.1)), ROUND * F * math.radians(0.1)),  # 1.2 px an axis
        (
            sigma(state(rate=(0, 0, math.radians(60))), pitch_deg=0.0, time_s=0.018),
            F * math.radians(60) * 0.018,
        ),  # 13.2
        (sigma(state(velocity=(5, 0, 0)), time_s=0.018), F * 5 * 0.018 / 30),  # 2.1 px
        (sigma(state(heading_rad=0.01), pitch_deg=0.0), F * 0.01),
        (sigma(state(heading_rad=0.01), pitch_deg=90.0), 0.0),  # turns about the optical axis
        (
            sigma(state(), cell_m=0.5),
            ROUND * F * 0.5 / math.sqrt(12) / 30,
        ),  # anywhere in a cell, seen from above
        (sigma(state(), cell_m=0.5, pitch_deg=0.0), F * 0.5 / math.sqrt(12) / 30),  # seen from the side
        (
            sigma(state(heading_rad=0.01), pitch_deg=90.0, lever=(3.0, 0, 0)),
            F * 0.03 / 30,
        ),  # but swings a lever
    ],
)
def test_each_cause_alone(got: float, expected: float) -> None:
    assert got == pytest.approx(expected, rel=2e-3, abs=0.01)


def test_causes_add_in_quadrature() -> None:
    both = sigma(state(position_m=0.05), boresight=0.002)
    assert both == pytest.approx(ROUND * math.hypot(F * 0.05 / 30, F * 0.002), rel=1e-3)


@pytest.mark.parametrize("pitch_deg", [15.0, 40.0, 90.0])
@pytest.mark.parametrize("heading_rad", [0.002, 0.02])
def test_nineteen_of_twenty_random_errors_are_shorter_than_is_said(
    pitch_deg: float, heading_rad: float
) -> None:
    """Over the whole picture of a plane, whatever the shape of the error."""
    rng = np.random.default_rng(3)
    nav = state(0.05, 0.004, heading_rad)
    base_T_camera = compose(pose_from_rpy((0.4, 0.1, -0.3), (2, pitch_deg, -5)), OPTICAL_FROM_BODY)
    camera = compose(nav.map_T_base, base_T_camera)
    covariance = camera_covariance(nav, nav.map_T_base, camera, boresight_sigma_rad=0.0, time_sigma_s=0.0)
    stated = placement_sigma_px(
        covariance, camera, lens(640, 512), ground_m=math.nan, typical_range_m=30.0, cell_m=0.3
    )
    rotation = Rotation.from_quat(camera.quaternion_xyzw)
    inside, count = 0, 4000
    for error in rng.multivariate_normal(np.zeros(6), nav.covariance, count):
        x, y = rng.uniform(-320, 320) / F, rng.uniform(-256, 256) / F
        seen = camera.translation_m + rotation.apply((30 * x, 30 * y, 30))
        seen[:2] += rng.uniform(-0.15, 0.15, 2)
        q = (Rotation.from_rotvec(error[3:]) * Rotation.from_quat(nav.map_T_base.quaternion_xyzw)).as_quat()
        wrong = compose(Pose(nav.map_T_base.translation_m + error[:3], q), base_T_camera)
        u, v, w = Rotation.from_quat(wrong.quaternion_xyzw).inv().apply(seen - wrong.translation_m)
        inside += F * math.hypot(u / w - x, v / w - y) <= COVERING * stated
    assert inside / count == pytest.approx(0.95, abs=0.015)


def test_what_may_have_happened_since_the_state_grows_with_its_age() -> None:
    nav = state()

    def at(age_s: float) -> float:
        camera = compose(nav.map_T_base, compose(pose_from_rpy((0, 0, 0), (0, 40, 0)), OPTICAL_FROM_BODY))
        covariance = camera_covariance(
            nav, nav.map_T_base, camera, boresight_sigma_rad=0.0, time_sigma_s=0.0, age_s=age_s
        )
        return placement_sigma_px(covariance, camera, lens(640, 512), ground_m=0.0, typical_range_m=30.0)

    assert at(0.0) == 0.0
    assert at(0.025) < 0.2  # the live path
    assert at(0.2) == pytest.approx(64.0 * at(0.025), rel=1e-6)


def turning(time_s: float, swing_deg: float) -> NavState:
    """Yaw of 60 deg/s that swings by so much at 1 Hz."""
    period = 2.0 * math.pi
    yaw = math.radians(60.0 * time_s + swing_deg * math.sin(period * time_s))
    rate = math.radians(60.0 + swing_deg * period * math.cos(period * time_s))
    pose = Pose(np.zeros(3), np.array((0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))))
    zero = np.zeros(3)
    rates = np.array((0.0, 0.0, rate))
    return NavState(round(time_s * 1e9), pose, zero, zero, rates, np.eye(6), RtkStatus.FIXED, 1, ())


def test_a_pose_is_carried_with_the_change_of_its_rate() -> None:
    """200 deg/s^2, 25 ms: the live path's worst. A quarter of a pixel is 0.020 deg at f = 702."""
    worst = {"carried": 0.0, "constant": 0.0}
    for time_s in np.arange(0.0, 1.0, 0.01):
        now, before, truth = (turning(time_s + d, 5.07) for d in (0.0, -0.03, 0.025))
        for name, older in (("carried", before), ("constant", None)):
            q = carried_pose(now, older, truth.stamp_ns).quaternion_xyzw
            angle = (
                Rotation.from_quat(q).inv() * Rotation.from_quat(truth.map_T_base.quaternion_xyzw)
            ).magnitude()
            worst[name] = max(worst[name], math.degrees(angle))
    assert worst["carried"] < 0.020 < 0.05 < worst["constant"]


def test_an_old_state_is_carried_at_its_own_rate() -> None:
    now, before = turning(1.0, 5.07), turning(0.97, 5.07)
    later_ns = now.stamp_ns + 150_000_000
    assert np.array_equal(
        carried_pose(now, before, later_ns).quaternion_xyzw, carried_pose(now, None, later_ns).quaternion_xyzw
    )


def test_the_range_follows_the_look_down_to_the_ground() -> None:
    def look(pitch_deg: float) -> Pose:
        return compose(pose_from_rpy((0, 0, 30), (0, pitch_deg, 0)), OPTICAL_FROM_BODY)

    assert viewing_range_m(look(90), 0.0, 50.0) == pytest.approx(30.0)
    assert viewing_range_m(look(30), 5.0, 50.0) == pytest.approx(50.0)
    for pose, ground in ((look(0), 0.0), (look(-20), 0.0), (look(90), math.nan), (look(90), 31.0)):
        assert viewing_range_m(pose, ground, 50.0) == 50.0
