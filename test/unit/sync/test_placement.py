# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import NavState, Pose, RtkStatus
from vidgen_nodes.sensing.pose import OPTICAL_FROM_BODY, compose, pose_from_rpy
from vidgen_nodes.sync.placement import camera_covariance, placement_sigma_px, viewing_range_m

F = 702.0


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


def sigma(
    nav: NavState,
    pitch_deg: float = 90.0,
    range_m: float = 30.0,
    boresight: float = 0.0,
    time_s: float = 0.0,
    lever=(0, 0, 0),
) -> float:
    camera = compose(nav.map_T_base, compose(pose_from_rpy(lever, (0, pitch_deg, 0)), OPTICAL_FROM_BODY))
    covariance = camera_covariance(
        nav, nav.map_T_base, camera, boresight_sigma_rad=boresight, time_sigma_s=time_s
    )
    return placement_sigma_px(covariance, camera, F, range_m)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (sigma(state(position_m=0.02)), F * 0.02 / 30),  # 0.5 px
        (sigma(state(), boresight=math.radians(0.1)), F * math.radians(0.1)),  # 1.2 px
        (
            sigma(state(rate=(0, 0, math.radians(60))), pitch_deg=0.0, time_s=0.018),
            F * math.radians(60) * 0.018,
        ),  # 13.2
        (sigma(state(velocity=(5, 0, 0)), time_s=0.018), F * 5 * 0.018 / 30),  # 2.1 px
        (sigma(state(heading_rad=0.01), pitch_deg=0.0), F * 0.01),
        (sigma(state(heading_rad=0.01), pitch_deg=90.0), 0.0),  # turns about the optical axis
        (
            sigma(state(heading_rad=0.01), pitch_deg=90.0, lever=(3.0, 0, 0)),
            F * 0.03 / 30,
        ),  # but swings a lever
    ],
)
def test_each_cause_alone(got: float, expected: float) -> None:
    assert got == pytest.approx(expected, rel=2e-3, abs=1e-9)


def test_causes_add_in_quadrature() -> None:
    both = sigma(state(position_m=0.05), boresight=0.002)
    assert both == pytest.approx(math.hypot(F * 0.05 / 30, F * 0.002))


def test_the_covariance_is_that_of_random_errors() -> None:
    rng = np.random.default_rng(3)
    nav = state(0.05, 0.004, 0.008)
    base_T_camera = compose(pose_from_rpy((0.4, 0.1, -0.3), (2, 40, -5)), OPTICAL_FROM_BODY)
    camera = compose(nav.map_T_base, base_T_camera)
    stated = placement_sigma_px(
        camera_covariance(nav, nav.map_T_base, camera, boresight_sigma_rad=0.0, time_sigma_s=0.0),
        camera,
        F,
        30.0,
    )
    target = camera.translation_m + 30.0 * Rotation.from_quat(camera.quaternion_xyzw).apply((0, 0, 1))
    pixels = []
    for error in rng.multivariate_normal(np.zeros(6), nav.covariance, 4000):
        q = (Rotation.from_rotvec(error[3:]) * Rotation.from_quat(nav.map_T_base.quaternion_xyzw)).as_quat()
        wrong = compose(Pose(nav.map_T_base.translation_m + error[:3], q), base_T_camera)
        x, y, z = Rotation.from_quat(wrong.quaternion_xyzw).inv().apply(target - wrong.translation_m)
        pixels.append((F * x / z, F * y / z))
    worst = math.sqrt(np.linalg.eigvalsh(np.cov(np.array(pixels).T))[-1])
    assert stated == pytest.approx(worst, rel=0.05)


def test_the_range_follows_the_look_down_to_the_ground() -> None:
    def look(pitch_deg: float) -> Pose:
        return compose(pose_from_rpy((0, 0, 30), (0, pitch_deg, 0)), OPTICAL_FROM_BODY)

    assert viewing_range_m(look(90), 0.0, 50.0) == pytest.approx(30.0)
    assert viewing_range_m(look(30), 5.0, 50.0) == pytest.approx(50.0)
    for pose, ground in ((look(0), 0.0), (look(-20), 0.0), (look(90), math.nan), (look(90), 31.0)):
        assert viewing_range_m(pose, ground, 50.0) == 50.0
