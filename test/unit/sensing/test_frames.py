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
from vidgen_nodes.packets import RtkStatus
from vidgen_nodes.sensing import frames

NUMBER = st.floats(-1e3, 1e3)
ANGLE = st.floats(-20.0, 20.0)
DEGREES = st.floats(-179.9, 179.9)


@given(NUMBER, NUMBER, NUMBER)
def test_axes_change_there_and_back_and_stay_right_handed(x: float, y: float, z: float) -> None:
    for change in (frames.enu_from_ned, frames.flu_from_frd):
        np.testing.assert_array_equal(change(change((x, y, z))), (x, y, z))
        unit = [change(axis) for axis in np.eye(3)]
        np.testing.assert_array_equal(np.cross(unit[0], unit[1]), unit[2])


def test_north_east_down_by_hand() -> None:
    np.testing.assert_array_equal(frames.enu_from_ned((1.0, 2.0, 3.0)), (2.0, 1.0, -3.0))
    np.testing.assert_array_equal(frames.flu_from_frd((1.0, 2.0, 3.0)), (1.0, -2.0, -3.0))


@pytest.mark.parametrize(
    ("roll", "pitch", "yaw", "nose", "left"),
    [
        (0, 0, 0, (0, 1, 0), (-1, 0, 0)),  # NED: nose north, so left is west
        (0, 0, 90, (1, 0, 0), (0, 1, 0)),  # nose east, left is north
        (0, 90, 0, (0, 0, 1), (-1, 0, 0)),  # pitched up
        (90, 0, 0, (0, 1, 0), (0, 0, 1)),  # rolled right: the left side is up
    ],
)
def test_an_attitude_in_ned_shows_where_nose_and_left_side_point(
    roll: float, pitch: float, yaw: float, nose: tuple[float, ...], left: tuple[float, ...]
) -> None:
    x, y, z, w = Rotation.from_euler("ZYX", (yaw, pitch, roll), degrees=True).as_quat()
    turn = Rotation.from_quat(frames.enu_q_flu(frames.xyzw_from_wxyz((w, x, y, z))))
    np.testing.assert_allclose(turn.apply((1, 0, 0)), nose, atol=1e-12)
    np.testing.assert_allclose(turn.apply((0, 1, 0)), left, atol=1e-12)


@given(DEGREES, st.floats(-80, 80), DEGREES, NUMBER, NUMBER, NUMBER)
def test_turning_a_vector_and_changing_axes_commute(
    roll: float, pitch: float, yaw: float, x: float, y: float, z: float
) -> None:
    ned = Rotation.from_euler("ZYX", (yaw, pitch, roll), degrees=True)
    enu = Rotation.from_quat(frames.enu_q_flu(tuple(ned.as_quat())))
    one_way = frames.enu_from_ned(ned.apply((x, y, z)))
    np.testing.assert_allclose(enu.apply(frames.flu_from_frd((x, y, z))), one_way, atol=1e-9)
    body = Rotation.from_quat(frames.flu_q_flu(tuple(ned.as_quat())))
    np.testing.assert_allclose(
        body.apply(frames.flu_from_frd((x, y, z))), frames.flu_from_frd(ned.apply((x, y, z))), atol=1e-9
    )


@given(st.floats(-179.0, 179.0), st.floats(-80, 80), DEGREES)
def test_yaw_is_read_off_an_attitude_whatever_the_tilt(yaw: float, pitch: float, roll: float) -> None:
    turn = Rotation.from_euler("ZYX", (yaw, pitch, roll), degrees=True).as_quat()
    assert frames.yaw_of(tuple(turn)) == pytest.approx(math.radians(yaw), abs=1e-9)


@given(ANGLE)
def test_a_heading_becomes_a_yaw_and_back(heading: float) -> None:
    yaw = frames.yaw_from_heading(heading)
    assert -math.pi <= yaw <= math.pi
    assert math.cos(yaw) == pytest.approx(math.sin(heading), abs=1e-9)  # east part of the nose
    assert math.sin(yaw) == pytest.approx(math.cos(heading), abs=1e-9)  # north part
    assert frames.wrapped(frames.yaw_from_heading(yaw) - heading) == pytest.approx(0.0, abs=1e-9)


def test_the_antenna_baseline_of_dji_is_a_quarter_turn_off_the_nose() -> None:
    """ANT2 lies to the right: with the nose north, the baseline points east (90 degrees)."""
    assert frames.heading_from_baseline(math.radians(90)) == pytest.approx(0.0, abs=1e-12)
    assert frames.heading_from_baseline(math.radians(0)) == pytest.approx(-math.pi / 2)


@pytest.mark.parametrize(
    "wxyz", [(0, 0, 0, 0), (1, 1, 0, 0), (math.nan, 0, 0, 1), (1, 0, 0), (1, 0, 0, 0, 0)]
)
def test_what_is_no_attitude_is_refused(wxyz: tuple[float, ...]) -> None:
    with pytest.raises(InputError) as caught:
        frames.xyzw_from_wxyz(wxyz)
    assert caught.value.reason == "quaternion"


def test_the_scalar_part_goes_last() -> None:
    assert frames.xyzw_from_wxyz((0.5, 0.5, -0.5, 0.5)) == (0.5, -0.5, 0.5, 0.5)


def test_microseconds_that_are_not_set_are_refused() -> None:
    assert frames.stamp_ns_from_us(112_614_307) == 112_614_307_000
    with pytest.raises(InputError, match="above 0"):
        frames.stamp_ns_from_us(0)


@pytest.mark.parametrize(
    ("solution", "expected"),
    [(0, 0), (8, 0), (16, 1), (31, 1), (32, 2), (34, 2), (48, 2), (49, 2), (50, 3), (51, 0), (255, 0)],
)
def test_only_narrow_integer_is_rtk_fixed_on_dji(solution: int, expected: int) -> None:
    assert frames.rtk_from_dji(solution) == RtkStatus(expected)


@pytest.mark.parametrize(
    ("fix_type", "expected"),
    [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 3), (7, 1), (8, 0), (99, 0)],
)
def test_rtk_by_fix_type(fix_type: int, expected: int) -> None:
    assert frames.rtk_from_fix_type(fix_type) == RtkStatus(expected)


def test_a_covariance_that_was_not_estimated_is_not_known() -> None:
    np.testing.assert_allclose(np.diag(frames.covariance_from_sigmas(0.02, 0.03)), (4e-4, 4e-4, 9e-4))
    for horizontal, vertical in ((0.0, 0.1), (math.nan, 0.1), (0.1, -1.0), (math.inf, 0.1)):
        assert np.isnan(frames.covariance_from_sigmas(horizontal, vertical)).all()


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        ((0.0, 0.0, 9.8), ""),
        ((1.0, 0.4, 9.6), ""),
        ((0.0, 0.0, 0.02), "gravity was taken out"),
        ((0.0, 0.0, 1.0), "they are in g"),
        ((0.0, 0.0, 98.0), "expected about 9.8"),
        ((0.3, 0.0, -9.8), "gravity points up"),
        ((math.nan, 0.0, 9.8), "not finite"),
    ],
)
def test_what_gravity_says_of_the_accelerations(mean: tuple[float, ...], words: str) -> None:
    fault = frames.gravity_fault(np.random.default_rng(0).normal(mean, 0.1, (400, 3)))
    assert words in fault
    assert bool(words) == bool(fault)
