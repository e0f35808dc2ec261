# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import GimbalAttitude, Pose, SourceRef
from vidgen_nodes.sensing.gimbal import Gimbal, check_parent, turn_rate_radps
from vidgen_nodes.sensing.transform import OPTICAL_FROM_BODY, compose, extrapolated, rotation_matrix

MS = 1_000_000
T0 = 10**18
LEVEL = np.array((0.0, 0.0, 0.0, 1.0))
NO_OFFSET = Pose(np.zeros(3), LEVEL)
HUNG = Gimbal((0.1, 0.0, -0.2), NO_OFFSET)


def report(stamp_ns: int, rotation: Rotation, parent: str = "base_link") -> GimbalAttitude:
    return GimbalAttitude(stamp_ns, rotation.as_quat(), parent, SourceRef("gimbal", "", stamp_ns, b""))


def yaw(degrees: float) -> Rotation:
    return Rotation.from_euler("z", degrees, degrees=True)


def turned(pose: Pose) -> Rotation:
    """The camera's body in base."""
    back = Pose(np.zeros(3), np.array((0.5, -0.5, 0.5, 0.5)))
    return Rotation.from_quat(compose(pose, back).quaternion_xyzw)


def test_a_camera_that_looks_down_by_ninety_degrees() -> None:
    pose = HUNG.base_T_camera(report(T0, Rotation.from_euler("y", 90, degrees=True)), None, T0, LEVEL)
    np.testing.assert_allclose(rotation_matrix(pose)[:, 2], (0, 0, -1), atol=1e-12)  # optical z is down
    np.testing.assert_allclose(pose.translation_m, (0.1, 0, -0.2))


def test_the_lens_swings_about_the_pivot() -> None:
    hung = Gimbal((0, 0, 0), Pose(np.array((0.05, 0, 0)), LEVEL))
    pose = hung.base_T_camera(report(T0, yaw(90)), None, T0, LEVEL)
    np.testing.assert_allclose(pose.translation_m, (0, 0.05, 0), atol=1e-12)


def test_angles_against_map_lose_what_the_drone_has_turned() -> None:
    pose = HUNG.base_T_camera(report(T0, yaw(100), "map"), None, T0, yaw(70).as_quat())
    assert turned(pose).as_euler("ZYX", degrees=True)[0] == pytest.approx(30)


def test_a_turning_gimbal_is_carried_to_the_frame() -> None:
    # 100 degrees a second, towards the other side of 180.
    before, newest = report(T0 + 20 * MS, yaw(172)), report(T0 + 40 * MS, yaw(174))
    off = turned(HUNG.base_T_camera(newest, before, T0 + 70 * MS, LEVEL)) * yaw(177).inv()
    assert off.magnitude() < 1e-9
    np.testing.assert_allclose(turn_rate_radps(newest, before), (0, 0, math.radians(100)), atol=1e-9)


@pytest.mark.parametrize(
    "before",
    [None, report(T0 - 201 * MS, yaw(10)), report(T0 - 20 * MS, yaw(10), "map"), report(T0, yaw(10))],
)
def test_reports_that_tell_no_rate_are_held_as_they_are(before: GimbalAttitude | None) -> None:
    newest = report(T0, yaw(20))
    off = turned(HUNG.base_T_camera(newest, before, T0 + 50 * MS, LEVEL)) * yaw(20).inv()
    assert off.magnitude() < 1e-12
    np.testing.assert_array_equal(turn_rate_radps(newest, before), np.zeros(3))


def test_an_attitude_against_a_frame_of_somebody_elses_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        check_parent(report(T0, yaw(1), "world"))
    assert refusal.value.reason == "gimbal_frame"


@given(st.floats(-180.0, 180.0), st.floats(-40.0, 40.0), st.sampled_from((1.0, -1.0)), st.integers(1, 200))
def test_the_rate_is_that_between_two_reports_on_either_cover(
    start_deg: float, step_deg: float, sign: float, apart_ms: int
) -> None:
    before, newest = report(T0, yaw(start_deg)), report(T0 + apart_ms * MS, yaw(start_deg + step_deg))
    flipped = GimbalAttitude(newest.stamp_ns, sign * newest.quaternion_xyzw, newest.parent, newest.source)
    expected = math.radians(step_deg) / (apart_ms * 1e-3)
    np.testing.assert_allclose(turn_rate_radps(flipped, before), (0, 0, expected), atol=1e-6)


@given(st.floats(-math.pi, math.pi), st.floats(-1.0, 1.0), st.floats(0.0, 3.0), st.sampled_from((1.0, -1.0)))
def test_extrapolation_goes_on_at_the_same_rate_on_either_cover(
    start: float, step: float, share: float, sign: float
) -> None:
    a, b = (Rotation.from_euler("z", angle).as_quat() for angle in (start, start + step))
    q = extrapolated(tuple(a.tolist()), tuple((sign * b).tolist()), share)
    off = Rotation.from_quat(q) * Rotation.from_euler("z", start + share * step).inv()
    assert off.magnitude() < 1e-7


def test_without_an_offset_the_optical_frame_is_that_of_the_body() -> None:
    pose = HUNG.base_T_camera(report(T0, Rotation.identity()), None, T0, LEVEL)
    np.testing.assert_allclose(pose.quaternion_xyzw, OPTICAL_FROM_BODY.quaternion_xyzw, atol=1e-12)
