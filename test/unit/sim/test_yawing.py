# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.sim.trajectory import FlightTruth
from vidgen_nodes.sim.yawing import SPEED_MPS, SWING_RADPS2, YAW_RATE_RADPS, circle, swinging, wagging


@pytest.mark.parametrize("motion", [circle, wagging, swinging])
@pytest.mark.parametrize("t_s", [0.0, 0.31, 7.7])
def test_velocity_acceleration_and_rate_are_derivatives(
    motion: Callable[[float], FlightTruth], t_s: float
) -> None:
    step = 1e-4
    before, now, after = (motion(t_s + d) for d in (-step, 0.0, step))
    moved = (after.map_T_base.translation_m - before.map_T_base.translation_m) / (2 * step)
    np.testing.assert_allclose(now.velocity_mps, moved, atol=1e-4)
    np.testing.assert_allclose(
        now.acceleration_mps2, (after.velocity_mps - before.velocity_mps) / (2 * step), atol=1e-4
    )
    turn = Rotation.from_quat(before.map_q_base).inv() * Rotation.from_quat(after.map_q_base)
    np.testing.assert_allclose(now.angular_velocity_radps, turn.as_rotvec() / (2 * step), atol=1e-4)


def test_the_circle_is_as_hard_as_it_says() -> None:
    rates = np.array([circle(t).angular_velocity_radps[2] for t in np.arange(0.0, 6.0, 0.001)])
    assert rates.mean() == pytest.approx(YAW_RATE_RADPS, rel=1e-3)
    assert np.abs(np.diff(rates)).max() / 0.001 == pytest.approx(SWING_RADPS2, rel=1e-2)
    assert math.hypot(*circle(1.0).velocity_mps) == pytest.approx(SPEED_MPS)
