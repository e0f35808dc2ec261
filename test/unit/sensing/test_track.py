# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing.track import Track

MS = 1_000_000
PARAMS = RtkParams(antenna_m=[0.3, 0.1, 0.5])
LEVEL = (0.0, 0.0, 0.0, 1.0)


def track(rows: int, rate: float = 0.2, force: tuple[float, float, float] = (0.5, 0.0, 9.80665)) -> Track:
    made = Track(PARAMS)
    for k in range(rows):
        row = made.append(k * 5 * MS, np.array((0.0, 0.0, rate)), np.array(force))
        if k == 0:
            made.begin(0, LEVEL, 1e-4, 1e-3)
            made.place(0, np.zeros(3), np.full(3, 1e-4))
        else:
            made.run(row - 1)
    return made


def test_a_constant_turn_and_push_are_integrated_exactly() -> None:
    made = track(201, rate=0.0)
    np.testing.assert_allclose(made.velocity_mps(200), (0.5, 0, 0), atol=1e-12)
    np.testing.assert_allclose(made.position_m(200) - made.position_m(0), (0.25, 0, 0), atol=1e-9)
    turned = track(201, rate=0.2)
    assert turned.yaw_rad(200) == pytest.approx(0.2)


@settings(max_examples=25)
@given(st.integers(1, 100 * 5 * MS - 1))
def test_a_row_made_in_between_changes_the_rest_by_next_to_nothing(stamp_ns: int) -> None:
    plain, cut = track(101), track(101)
    row = cut.row_at(stamp_ns)
    assert row is not None
    assert int(cut.stamps[row]) == stamp_ns
    assert cut.count == (101 if stamp_ns % (5 * MS) == 0 else 102)
    cut.run(row)
    assert np.all(np.diff(cut.stamps[: cut.count]) > 0)
    last, end = plain.count - 1, cut.count - 1
    np.testing.assert_allclose(cut.position_m(end), plain.position_m(last), atol=1e-6)
    np.testing.assert_allclose(cut.attitude(end), plain.attitude(last), atol=1e-12)
    np.testing.assert_allclose(cut.covariance(end), plain.covariance(last), rtol=1e-3, atol=1e-9)


def test_stamps_outside_have_no_row() -> None:
    made = track(11)
    made.drop_before(10 * MS)
    assert made.row_at(9 * MS) is None
    assert made.row_at(51 * MS) is None
    assert made.row_at(10 * MS) == 0


def test_growing_and_dropping_lose_nothing_that_is_kept() -> None:
    long = track(1200)
    short = track(300)
    np.testing.assert_array_equal(long.position_m(299), short.position_m(299))
    wanted = long.covariance(1199)
    long.drop_before(1000 * 5 * MS)
    assert long.count == 200
    np.testing.assert_array_equal(long.covariance(199), wanted)
    for _ in range(700):  # inserting between two rows grows too
        assert long.row_at(int(long.stamps[long.count - 2] + long.stamps[long.count - 1]) // 2) is not None
        long.append(int(long.stamps[long.count - 1]) + 5 * MS, np.zeros(3), np.array((0, 0, 9.8)))
        long.run(long.count - 2)


def test_a_first_place_is_known_as_well_as_the_fix_and_the_arm() -> None:
    made = track(1)
    sigma = np.sqrt(np.diag(made.covariance(0)))
    arm_sigma = math.sqrt(
        0.5**2 * 1e-4 + 0.1**2 * 1e-3
    )  # tilt at the height of the mast, heading at its offset
    assert sigma[0] == pytest.approx(math.hypot(0.01, arm_sigma), rel=1e-3)
    np.testing.assert_allclose(made.position_m(0), (-0.3, -0.1, -0.5), atol=1e-12)


@given(st.floats(-math.pi, math.pi))
def test_a_level_state_is_turned_to_its_heading_and_keeps_its_tilt(yaw: float) -> None:
    made = track(5)
    tilted = Rotation.from_euler("ZYX", (0.0, 0.1, -0.2))
    made.begin(4, tuple(tilted.as_quat().tolist()), 1e-4, 0.0)
    made.turn(4, yaw, 0.01)
    found = Rotation.from_quat(made.attitude(4)).as_euler("ZYX")
    assert math.remainder(found[0] - yaw, math.tau) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found[1:], (0.1, -0.2), atol=1e-9)
    np.testing.assert_allclose(np.diag(made.covariance(4))[3:], (1e-4, 1e-4, 0.01), rtol=1e-9)


def test_an_orientation_believed_at_the_start_is_off_by_its_own_error() -> None:
    made = Track(PARAMS)
    made.append(0, np.zeros(3), np.array((0, 0, 9.8)))
    made.begin_as_reported(0, LEVEL)
    tilt, heading = (math.radians(d) for d in PARAMS.orientation_sigma_deg)
    np.testing.assert_allclose(np.sqrt(np.diag(made.covariance(0))[3:]), (tilt, tilt, heading), rtol=0.01)
    # What it reports again a moment later is the same error again, not new knowledge.
    for k in range(1, 40):
        row = made.append(k * 5 * MS, np.zeros(3), np.array((0, 0, 9.8)))
        made.note_orientation(row, np.array(LEVEL))
        made.run(row - 1)
    assert math.sqrt(made.covariance(39)[5, 5]) > 0.95 * heading
