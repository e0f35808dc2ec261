# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import GimbalAttitude, Pose, SourceRef
from vidgen_nodes.sensing.gimbal import Gimbal
from vidgen_nodes.sensing.transform import OPTICAL_FROM_BODY, compose, extrapolated, rotation_matrix

MS = 1_000_000
T0 = 10**18
LEVEL = np.array((0.0, 0.0, 0.0, 1.0))
NO_OFFSET = Pose(np.zeros(3), LEVEL)


def gimbal(**changes: object) -> Gimbal:
    known: dict[str, object] = {"delay_ms": 0.0, "stale_ms": 100.0}
    return Gimbal((0.1, 0.0, -0.2), NO_OFFSET, **{**known, **changes})  # type: ignore[arg-type]


def report(stamp_ns: int, rotation: Rotation, parent: str = "base_link") -> GimbalAttitude:
    return GimbalAttitude(stamp_ns, rotation.as_quat(), parent, SourceRef("gimbal", "", stamp_ns, b""))


def yaw(degrees: float) -> Rotation:
    return Rotation.from_euler("z", degrees, degrees=True)


def turned(pose: Pose) -> Rotation:
    """The camera's body in base."""
    back = Pose(np.zeros(3), np.array((0.5, -0.5, 0.5, 0.5)))
    return Rotation.from_quat(compose(pose, back).quaternion_xyzw)


def test_a_camera_that_looks_down_by_ninety_degrees() -> None:
    made = gimbal()
    made.add(report(T0, Rotation.from_euler("y", 90, degrees=True)))
    pose = made.base_T_camera(T0, LEVEL)
    np.testing.assert_allclose(rotation_matrix(pose)[:, 2], (0, 0, -1), atol=1e-12)  # optical z is down
    np.testing.assert_allclose(pose.translation_m, (0.1, 0, -0.2))


def test_the_lens_swings_about_the_pivot() -> None:
    made = Gimbal((0, 0, 0), Pose(np.array((0.05, 0, 0)), LEVEL), delay_ms=0.0, stale_ms=100.0)
    made.add(report(T0, yaw(90)))
    np.testing.assert_allclose(made.base_T_camera(T0, LEVEL).translation_m, (0, 0.05, 0), atol=1e-12)


def test_angles_against_map_lose_what_the_drone_has_turned() -> None:
    made = gimbal()
    made.add(report(T0, yaw(100), "map"))
    assert turned(made.base_T_camera(T0, yaw(70).as_quat())).as_euler("ZYX", degrees=True)[
        0
    ] == pytest.approx(30)


def test_a_turning_gimbal_is_carried_to_the_frame() -> None:
    made = gimbal()
    for k in range(3):
        made.add(
            report(T0 + 20 * k * MS, yaw(170 + 2 * k))
        )  # 100 degrees a second, towards the other side of 180
    off = turned(made.base_T_camera(T0 + 70 * MS, LEVEL)) * yaw(177).inv()
    assert off.magnitude() < 1e-9


def test_what_is_not_in_effect_yet_changes_nothing() -> None:
    made = gimbal(delay_ms=15.0)
    made.add(report(T0, yaw(10)))
    before = made.base_T_camera(T0 + 20 * MS, LEVEL)
    made.add(report(T0 + 10 * MS, yaw(50)))
    np.testing.assert_array_equal(
        before.quaternion_xyzw, made.base_T_camera(T0 + 20 * MS, LEVEL).quaternion_xyzw
    )


def test_none_and_stale_are_refused() -> None:
    made = gimbal()
    with pytest.raises(InputError) as none:
        made.base_T_camera(T0, LEVEL)
    made.add(report(T0, yaw(0)))
    with pytest.raises(InputError) as stale:
        made.base_T_camera(T0 + 101 * MS, LEVEL)
    assert (none.value.reason, stale.value.reason) == ("no_gimbal", "gimbal_stale")


def test_duplicates_and_unknown_frames_are_refused_and_a_jump_starts_anew() -> None:
    made = gimbal()
    made.add(report(T0, yaw(0)))
    for bad, reason in ((report(T0, yaw(1)), "duplicate"), (report(T0 + 1, yaw(1), "world"), "gimbal_frame")):
        with pytest.raises(InputError) as refusal:
            made.add(bad)
        assert refusal.value.reason == reason
    made.add(report(T0 - 2000 * MS, yaw(5)))
    with pytest.raises(InputError):
        made.base_T_camera(T0, LEVEL)  # what was there before the jump is gone


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_arrival_changes_nothing(seed: int) -> None:
    reports = [report(T0 + 20 * k * MS, yaw(3.0 * k)) for k in range(8)]
    shuffled = random.Random(seed).sample(reports, len(reports))
    poses = []
    for order in (reports, shuffled):
        made = gimbal()
        for item in order:
            made.add(item)
        poses.append(made.base_T_camera(T0 + 150 * MS, LEVEL).quaternion_xyzw.tobytes())
    assert poses[0] == poses[1]


@given(st.floats(-math.pi, math.pi), st.floats(-1.0, 1.0), st.floats(0.0, 3.0), st.sampled_from((1.0, -1.0)))
def test_extrapolation_goes_on_at_the_same_rate_on_either_cover(
    start: float, step: float, share: float, sign: float
) -> None:
    a, b = (Rotation.from_euler("z", angle).as_quat() for angle in (start, start + step))
    q = extrapolated(tuple(a.tolist()), tuple((sign * b).tolist()), share)
    off = Rotation.from_quat(q) * Rotation.from_euler("z", start + share * step).inv()
    assert off.magnitude() < 1e-7


def test_without_an_offset_the_optical_frame_is_that_of_the_body() -> None:
    made = gimbal()
    made.add(report(T0, Rotation.identity()))
    np.testing.assert_allclose(
        made.base_T_camera(T0, LEVEL).quaternion_xyzw, OPTICAL_FROM_BODY.quaternion_xyzw, atol=1e-12
    )
