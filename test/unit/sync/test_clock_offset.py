# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""On the pictures and the noisy sensors of the simulated flight, through the real filter."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from vidgen_nodes.graph import resolve_params
from vidgen_nodes.packets import Pose
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sim.clock_trial import ClockTrial, find_clock, frames_of
from vidgen_nodes.sim.trajectory import FlightTruth, fly
from vidgen_nodes.sim.yawing import wagging
from vidgen_nodes.sync.clock_offset import NO_ESTIMATE, OffsetEstimate

PARAMS = resolve_params("sim")
MOUNT = PARAMS.sync


@pytest.mark.parametrize(("ahead_ms", "seed", "start_s"), [(18.0, 1, 5.0), (18.0, 2, 30.0), (-37.0, 3, 48.0)])
def test_an_offset_is_recovered_within_2_ms_by_10_s_of_motion(
    ahead_ms: float, seed: int, start_s: float
) -> None:
    counts = find_clock(ClockTrial(ahead_ms * 1e-3, wagging, seed, start_s), PARAMS.rtk, MOUNT)
    assert counts.clock_offset_measured_ms == pytest.approx(ahead_ms, abs=2.0)
    assert counts.clock_offset_sigma_ms < 1.0
    assert counts.clock_offset_ms == pytest.approx(ahead_ms, abs=2.0)  # and taken over


def test_a_gentle_flight_tells_less_and_says_so() -> None:
    """The built-in flight turns by no more than 3 deg/s to and fro: 10 s are not enough to use what they show."""
    counts = find_clock(ClockTrial(0.018, fly, 1, 5.0), PARAMS.rtk, MOUNT)
    assert 1.0 < counts.clock_offset_sigma_ms < 2.0
    assert abs(counts.clock_offset_measured_ms - 18.0) < 2.0 * counts.clock_offset_sigma_ms
    assert counts.clock_offset_ms == 0.0


def test_no_offset_is_not_mistaken_for_one() -> None:
    assert find_clock(ClockTrial(0.0, wagging, 2, 30.0), PARAMS.rtk, MOUNT).clock_offset_ms == 0.0


def test_arrivals_show_where_to_look_for_an_offset_of_seconds() -> None:
    counts = find_clock(ClockTrial(4.0, wagging, 1, 5.0, seconds=15.0, arrival_s=0.02), PARAMS.rtk, MOUNT)
    assert counts.clock_offset_ms == pytest.approx(4000.0, abs=2.0)


def still(t_s: float) -> FlightTruth:
    """Hovering: nothing turns, so nothing tells."""
    truth = fly(5.0)
    zero = np.zeros(3)
    return FlightTruth(t_s, truth.map_T_base, truth.map_q_base, zero, zero, zero)


def test_hovering_tells_nothing() -> None:
    counts = find_clock(ClockTrial(0.018, still, seconds=8.0), PARAMS.rtk, MOUNT)
    assert counts.clock_offset_ms == 0.0
    assert not counts.clock_offset_sigma_ms < 5.0  # wide, or no estimate at all


def test_a_camera_that_is_mounted_otherwise_explains_nothing() -> None:
    wrong = replace(MOUNT, camera_rpy_deg=(180.0, 40.0, 0.0))
    assert find_clock(ClockTrial(0.018, wagging, seconds=8.0), PARAMS.rtk, wrong).clock_offset_ms == 0.0


def test_frames_that_cannot_be_used_are_left_out() -> None:
    for change in ({"frozen": True}, {"calibration": None}, {"pixels": np.zeros((512, 640), np.uint16)}):
        for _, frame, anchored in frames_of(ClockTrial(0.018, wagging, seconds=5.0), PARAMS.rtk, MOUNT):
            anchored.bundle(replace(frame, **change))
        assert math.isnan(anchored.report().clock_offset_measured_ms)


def test_the_pose_is_that_of_the_time_at_which_the_picture_was_taken() -> None:
    """An offset that is in use is taken out: the same pictures under other stamps get the same poses."""
    pairs = [
        frames_of(ClockTrial(ahead_s, wagging, 1, 5.0, seconds=14.0), PARAMS.rtk, MOUNT)
        for ahead_s in (0.018, 0.0)
    ]
    turns: dict[float, list[float]] = {}
    for (_, frame, shifted), (_, same, straight) in zip(*pairs, strict=True):
        late, right = shifted.bundle(frame), straight.bundle(same)
        if late.map_T_camera is not None and right.map_T_camera is not None:
            angle = angle_rad(late.map_T_camera, right.map_T_camera)
            turns.setdefault(late.clock_offset_ns * 1e-6, []).append(angle)
    before, after = turns[0.0], turns[max(turns)]
    assert max(before) > math.radians(0.3)  # 18 ms at 17 deg/s and more
    assert max(after) < math.radians(0.06)  # 2 ms at 22 deg/s, and the noise of the gyro


def angle_rad(one: Pose, other: Pose) -> float:
    return 2.0 * math.acos(min(1.0, abs(float(one.quaternion_xyzw @ other.quaternion_xyzw))))


def test_confidence_asks_for_all_three() -> None:
    good = OffsetEstimate(18_000_000, 0.4e6, 0.95, 120, is_inside=True)
    assert good.is_confident(1.0)
    for change in ({"sigma_ns": 1.1e6}, {"explained": 0.3}, {"is_inside": False}):
        assert not replace(good, **change).is_confident(1.0)
    assert not NO_ESTIMATE.is_confident(100.0)


@pytest.mark.parametrize(("mode", "used"), [("measure", False), ("off", False)])
def test_who_asks_only_to_measure_gets_no_correction(mode: str, used: bool) -> None:
    params: SyncParams = replace(MOUNT, clock_offset=mode)
    counts = find_clock(ClockTrial(0.018, wagging, seconds=8.0), PARAMS.rtk, params)
    assert (counts.clock_offset_ms != 0.0) == used
    assert math.isnan(counts.clock_offset_measured_ms) == (mode == "off")
