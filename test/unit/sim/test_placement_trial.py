# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of placement that are promised, against the simulated truth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from vidgen_nodes.graph import resolve_params
from vidgen_nodes.sim.placement_trial import Trial, fly_trial
from vidgen_nodes.sim.trajectory import fly
from vidgen_nodes.sim.yawing import circle
from vidgen_nodes.sync.placement import COVERING

PARAMS = resolve_params("sim")
SYNC = replace(PARAMS.sync, clock_offset="off")


@pytest.mark.parametrize("focal_px", [600.0, 702.0])
def test_timing_and_interpolation_alone_cost_a_quarter_of_a_pixel_at_most(focal_px: float) -> None:
    """60 deg/s swinging by 200 deg/s^2, 8 m/s, noise-free sensors."""
    outcome = fly_trial(Trial(circle, seconds=6.0, noise=False, focal_px=focal_px), PARAMS.rtk, SYNC)
    ours, nearest = np.percentile(outcome.error_px, 95), np.percentile(outcome.nearest_px, 95)
    assert ours <= 0.25
    assert nearest >= 20.0 * ours


def test_jitter_costs_what_the_formula_says() -> None:
    """Physics, section 6: at most image rate x 18 ms and 1 px more; the mean square within 20 % of it."""
    jitter_s = 0.018
    trial = Trial(circle, seconds=6.0, noise=False, jitter_s=jitter_s)
    outcome = fly_trial(trial, PARAMS.rtk, SYNC)
    formula = jitter_s * outcome.image_rate_px
    assert np.all(outcome.error_px <= formula + 1.0)
    expected = math.sqrt(float(np.mean(formula**2)) / 3.0)  # uniform
    assert math.sqrt(float(np.mean(outcome.error_px**2))) == pytest.approx(expected, rel=0.2)


def test_the_stated_radius_holds_95_of_100_points() -> None:
    """Sensor noise, boresight, clock and map cells, each drawn anew for every flight."""
    source = np.random.default_rng(7)
    inside = []
    for seed in range(25):
        trial = Trial(
            fly,
            start_s=float(source.uniform(0.0, 60.0)),
            seconds=1.5,
            seed=seed,
            rate_hz=2.0,
            focal_px=650.0,
            cell_m=0.5,
            clock_ahead_s=float(source.normal(0.0, SYNC.time_sigma_ms * 1e-3)),
            boresight_rad=tuple(source.normal(0.0, math.radians(SYNC.boresight_sigma_deg), 3).tolist()),
        )
        outcome = fly_trial(trial, PARAMS.rtk, SYNC)
        inside.append(outcome.error_px <= COVERING * outcome.sigma_px[:, None])
    assert float(np.mean(inside)) == pytest.approx(0.95, abs=0.03)


def test_heading_without_a_second_antenna_is_what_costs_most() -> None:
    def sigma_px(heading_deg: float) -> float:
        rtk = replace(PARAMS.rtk, orientation_sigma_deg=(0.1, heading_deg))
        return float(np.median(fly_trial(Trial(fly, seconds=1.0, rate_hz=5.0), rtk, SYNC).sigma_px))

    assert sigma_px(2.0) > 2.5 * sigma_px(0.15)
