# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import NavState, PointScan, Pose, RtkStatus, SourceRef
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.scan_pose import PosedScan, ScanPosing

MS = 1_000_000
START_NS = 1_000_000_000_000


def state(ms: float, east_m: float) -> NavState:
    pose = Pose(np.array([east_m, 0.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    zero = np.zeros(3)
    stamp_ns = START_NS + round(ms * MS)
    return NavState(stamp_ns, pose, zero, zero, zero, np.eye(6), RtkStatus.FIXED, stamp_ns, ())


def scan(ms: float) -> PointScan:
    stamp_ns = START_NS + round(ms * MS)
    source = SourceRef("/points", "sensor_msgs/msg/PointCloud2", stamp_ns, bytes(32))
    return PointScan(stamp_ns, "lidar", np.zeros((1, 3), np.float32), None, {}, source)


@pytest.fixture
def posing() -> ScanPosing:
    return ScanPosing(LidarParams(pose_wait_ms=150.0, lidar_translation_m=(1.0, 0.0, 0.0)))


def east_m(posed: PosedScan) -> float:
    return float(posed.map_T_lidar.translation_m[0])


def test_scan_waits_for_the_state_after_it_and_is_interpolated(posing: ScanPosing) -> None:
    assert posing.add_nav(state(0, 0.0)) == []
    assert posing.add_scan(scan(5)) == []
    (posed,) = posing.add_nav(state(10, 10.0))
    assert east_m(posed) == pytest.approx(5.0 + 1.0)


def test_order_of_arrival_does_not_change_the_pose() -> None:
    results = []
    for order in ((0, 1, 2), (2, 0, 1), (0, 2, 1)):
        posing = ScanPosing(LidarParams())
        calls = [
            lambda p: p.add_nav(state(0, 0.0)),
            lambda p: p.add_nav(state(10, 10.0)),
            lambda p: p.add_scan(scan(4)),
        ]
        results += [east_m(posed) for index in order for posed in calls[index](posing)]
    assert results == pytest.approx([4.0, 4.0, 4.0])


def test_state_at_the_very_stamp_is_taken_as_it_is(posing: ScanPosing) -> None:
    posing.add_scan(scan(10))
    (posed,) = posing.add_nav(state(10, 3.0))
    assert east_m(posed) == 4.0


@pytest.mark.parametrize("gap", [(0.0, 300.0, 100.0), (0.0, 300.0, 200.0)])
def test_scan_in_a_gap_of_navigation_is_dropped_and_counted(
    posing: ScanPosing, gap: tuple[float, float, float]
) -> None:
    before_ms, after_ms, scan_ms = gap
    posing.add_nav(state(before_ms, 0.0))
    posing.add_scan(scan(scan_ms))
    assert posing.add_nav(state(after_ms, 0.0)) == []
    assert posing.dropped == {"scan_no_pose": 1}


def test_scan_before_the_first_state_is_dropped(posing: ScanPosing) -> None:
    posing.add_scan(scan(0))
    assert posing.add_nav(state(10, 0.0)) == []
    assert posing.dropped == {"scan_no_pose": 1}


def test_scan_older_than_one_put_out_is_out_of_order(posing: ScanPosing) -> None:
    for ms in range(0, 60, 10):
        posing.add_nav(state(ms, 0.0))
    assert len(posing.add_scan(scan(45))) == 1
    assert posing.add_scan(scan(35)) == []
    assert posing.dropped == {"scan_out_of_order": 1}


def test_scans_without_any_state_are_bounded(posing: ScanPosing) -> None:
    for ms in range(100):
        posing.add_scan(scan(ms))
    assert posing.dropped["scan_no_pose"] == 36
    assert posing.waiting_for


def test_clock_that_jumps_back_starts_anew(posing: ScanPosing) -> None:
    for ms in (5000, 5010):
        posing.add_nav(state(ms, 0.0))
    assert len(posing.add_scan(scan(5005))) == 1
    posing.add_nav(state(0, 0.0))
    posing.add_scan(scan(5))
    (posed,) = posing.add_nav(state(10, 10.0))
    assert east_m(posed) == pytest.approx(6.0)


@pytest.mark.parametrize("apart_s", [-1e9, -37.0, 18.0, 1e9])
def test_a_lidar_on_another_clock_is_told_and_not_waited_for(posing: ScanPosing, apart_s: float) -> None:
    good = [posing.add_scan(scan(0.0)), posing.add_nav(state(0, 0.0))]
    for ms in range(10, 200, 10):
        posing.add_nav(state(ms, 0.0))
        assert posing.add_scan(scan(ms + apart_s * 1e3)) == []
        good.append(posing.add_scan(scan(ms - 5)))
    assert sum(map(len, good)) == 20
    assert posing.dropped == {"scan_clock": 19}
    assert posing.add_scan(scan(ms + apart_s * 1e3)) == []
    assert f"{apart_s:+.1f}"[:3] in posing.waiting_for
    assert "synchronise" in posing.waiting_for
    posing.add_scan(scan(195))
    assert posing.waiting_for == ""


def test_a_scan_of_another_clock_that_came_before_any_pose_is_dropped_with_the_first(
    posing: ScanPosing,
) -> None:
    posing.add_scan(scan(60_000))
    posing.add_scan(scan(5))
    posing.add_nav(state(0, 0.0))
    assert len(posing.add_nav(state(10, 0.0))) == 1
    assert posing.dropped == {"scan_clock": 1}


def timed(ms: float, times_s: list[float]) -> PointScan:
    points = np.arange(3 * len(times_s), dtype=np.float32).reshape(-1, 3)
    return dataclasses.replace(scan(ms), points_m=points, times_s=np.array(times_s, np.float32))


def posed_with(times_s: list[float]) -> tuple[ScanPosing, list[PosedScan]]:
    posing = ScanPosing(LidarParams(scan_span_ms=250.0))
    for ms in range(0, 1000, 10):
        posing.add_nav(state(ms, 0.0))
    return posing, posing.add_scan(timed(500, times_s))


def test_points_whose_time_lies_outside_the_scan_are_refused_and_counted() -> None:
    posing, (posed,) = posed_with([0.0, 0.05, 3.0, math.nan, 0.1, -7.0, 0.06])
    assert posed.scan.points_m[:, 0].tolist() == [0.0, 3.0, 12.0, 18.0]
    assert posing.noted == {"points time": 3}
    assert not posing.dropped


def test_point_times_of_another_clock_count_from_the_first_point() -> None:
    posing, (posed,) = posed_with([5.0, 5.02, 5.04, 5.06, 9.9])
    assert len(posed.scan.points_m) == 4
    assert posing.noted == {"scan_own_clock": 1, "points time": 1}


@pytest.mark.parametrize("times_s", [[math.nan] * 4, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [-math.inf, 4.0, 8.0]])
def test_a_scan_whose_point_times_make_no_sense_is_dropped(times_s: list[float]) -> None:
    posing, posed = posed_with(times_s)
    assert posed == []
    assert posing.dropped == {"scan_point_times": 1}


def test_equal_point_times_are_one_pose() -> None:
    posing, (posed,) = posed_with([0.0] * 5)
    assert not posing.noted
    assert posed.scan.points_m[:, 0].tolist() == [0.0, 3.0, 6.0, 9.0, 12.0]


@settings(max_examples=60)
@given(st.lists(st.floats(width=32), min_size=1, max_size=30))
def test_any_point_times_give_a_scan_or_a_count(times_s: list[float]) -> None:
    posing, posed = posed_with(times_s)
    assert len(posed) + sum(posing.dropped.values()) == 1
    if posed:
        assert len(posed[0].scan.points_m) + posing.noted["points time"] == len(times_s)
        assert np.isfinite(posed[0].scan.points_m).all()
