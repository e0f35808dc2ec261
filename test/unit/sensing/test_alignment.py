# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.sensing.alignment import MotionHeading, level, still_rate_radps

G = 9.80665


@given(st.floats(-math.pi, math.pi), st.floats(-1.5, 1.5), st.floats(-math.pi, math.pi))
def test_gravity_gives_the_tilt_whatever_the_heading(yaw: float, pitch: float, roll: float) -> None:
    attitude = Rotation.from_euler("ZYX", (yaw, pitch, roll))
    felt = np.tile(attitude.inv().apply((0, 0, G)), (200, 1))
    found = level(felt)
    assert found is not None
    q, sigma_rad = found
    np.testing.assert_allclose(Rotation.from_quat(q).apply(felt[0]), (0, 0, G), atol=1e-9)
    assert math.radians(1) < sigma_rad < math.radians(4)


def test_what_is_thrown_about_has_no_tilt_and_what_sways_has_less() -> None:
    up = np.tile((0.0, 0.0, G), (200, 1))
    falling = level(up * 0.5)
    swaying, calm = level(up * 1.1), level(up)
    assert falling is None
    assert swaying is not None
    assert calm is not None
    assert swaying[1] > 2 * calm[1]
    assert level(np.zeros((10, 3))) is None


def test_rest_is_quiet_in_every_axis() -> None:
    rng = np.random.default_rng(1)
    readings = np.zeros((200, 9))
    readings[:, :3] = rng.normal(0.004, 0.002, (200, 3))
    readings[:, 3:6] = np.array((0, 0, G)) + rng.normal(0, 0.05, (200, 3))
    rate = still_rate_radps(readings)
    assert rate is not None
    np.testing.assert_allclose(rate, 0.004, atol=1e-3)
    for column, shake in ((0, 0.1), (2, 0.1), (3, 2.0), (5, 2.0)):
        shaken = readings.copy()
        shaken[50, column] += shake
        assert still_rate_radps(shaken) is None
    turning = readings + np.array((0, 0, 0.1, 0, 0, 0, 0, 0, 0))
    assert still_rate_radps(turning) is None


def flown(
    yaw: float, seconds: float, swing_m: float, noise_m: float = 0.01, seed: int = 0
) -> list[tuple[float, float] | None]:
    """Fixes at 10 Hz of a drone that swings east and north, against dead reckoning turned back by the yaw."""
    rng, made, found = np.random.default_rng(seed), MotionHeading(), []
    for k in range(round(seconds * 10)):
        t = k / 10
        seen = np.array((100 + 2 * t + swing_m * math.sin(t), -50 + t + swing_m * math.cos(1.3 * t)))
        c, s = math.cos(-yaw), math.sin(-yaw)
        felt = np.array(((c, -s), (s, c))) @ (seen - (3 * t, 7))  # unknown speed and start
        fix = seen + rng.normal(0, noise_m, 2)
        found.append(made.add(round(t * 1e9), (felt[0], felt[1]), (fix[0], fix[1]), noise_m))
    return found


@settings(max_examples=20)
@given(st.floats(-math.pi, math.pi), st.integers(0, 1000))
def test_a_way_with_turns_gives_the_heading_within_its_sigma(yaw: float, seed: int) -> None:
    last = flown(yaw, 6.0, 2.0, seed=seed)[-1]
    assert last is not None
    assert abs(math.remainder(last[0] - yaw, math.tau)) < 5 * last[1]
    assert last[1] < math.radians(6.1)


def test_a_straight_way_at_one_speed_gives_none() -> None:
    assert flown(1.0, 10.0, 0.0) == [None] * 100


def test_a_way_of_the_wrong_length_is_not_believed() -> None:
    made = MotionHeading()
    for k in range(60):
        t = k / 10
        x, y = 2 * math.sin(t), 2 * math.cos(1.3 * t)
        assert made.add(round(t * 1e9), (2.0 * x, 2.0 * y), (x, y), 0.01) is None


def test_what_the_fit_cannot_explain_widens_the_sigma() -> None:
    good = flown(0.5, 6.0, 2.0, noise_m=0.005)[-1]
    made, last = MotionHeading(), None
    rng = np.random.default_rng(3)
    for k in range(60):
        t = k / 10
        x, y = 2 * math.sin(t), 2 * math.cos(1.3 * t)
        dx, dy = rng.normal(0, 0.2, 2)  # forty times what the receiver states
        last = made.add(round(t * 1e9), (x, y), (x + dx, y + dy), 0.005) or last
    assert good is not None
    assert last is not None
    assert last[1] > 1.2 * good[1]


def test_clear_forgets_the_way() -> None:
    made = MotionHeading()
    for k in range(40):
        made.add(k * 10**8, (math.sin(k), 0.0), (math.sin(k), 0.0), 0.01)
    made.clear()
    assert made.add(41 * 10**8, (0.0, 0.0), (0.0, 0.0), 0.01) is None


def test_sigma_is_never_below_what_a_model_so_plain_can_know() -> None:
    last = flown(0.0, 11.0, 20.0, noise_m=1e-3)[-1]
    assert last is not None
    assert last[1] == pytest.approx(math.radians(1.5), rel=0.2)
