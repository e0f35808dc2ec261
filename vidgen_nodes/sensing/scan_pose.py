# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Gives each LiDAR scan the pose at its own stamp, and each point of it that of its own time.

The outcome depends on stamps alone, not on which arrived first: a scan is posed once navigation covers it from
its first point to its last, with no gap longer than ``pose_wait_ms``, and dropped otherwise. Scans come out in
order of stamps. Points that carry times are brought to the stamp; a scan without has one pose.

A LiDAR whose clock is not that of navigation is told, not waited for: scans more than ``_CLOCK_APART_NS`` from
the newest state are dropped as ``scan_clock``. Points whose time lies outside the scan are refused as
``time``; where most do, their clock is another than the stamp's, and they are taken relative to the first
(counted as ``scan_own_clock``), or the scan is dropped as ``scan_point_times`` if that does not fit either.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from vidgen_nodes.packets import BoolArray, Float32Array, NavState, PointScan, Pose
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.deskew import compensate
from vidgen_nodes.sensing.transform import compose, interpolate_pose, pose_from_rpy

_KEPT_NS: Final = 2_500_000_000  # above the longest pose_wait_ms and scan_span_ms
_KEPT_SCANS: Final = 64
_CLOCK_JUMP_NS: Final = 1_000_000_000
_CLOCK_APART_NS: Final = 10_000_000_000  # GPS and TAI time are 18 and 37 s from UTC; boot time is years
_STILL_S: Final = 1e-4  # times that differ by less are one


@dataclass(frozen=True, slots=True)
class PosedScan:
    """A scan with ``map_T_lidar`` at its stamp; its points are as seen at the stamp."""

    scan: PointScan
    map_T_lidar: Pose
    height_sigma_m: float = 0.0  # of the pose, 1 sigma


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A scan and the event times of its first and last point."""

    scan: PointScan
    first_ns: int
    last_ns: int


class ScanPosing:
    """Feed it states and scans; each call returns the scans that have become ready, oldest first.

    ``dropped`` counts scans that were not used, ``noted`` scans and points that were put right or refused.
    """

    def __init__(self, params: LidarParams) -> None:
        self._wait_ns = round(params.pose_wait_ms * 1e6)
        self._span_s = params.scan_span_ms * 1e-3
        self._base_T_lidar = pose_from_rpy(params.lidar_translation_m, params.lidar_rpy_deg)
        self.dropped: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget everything but the counts, as after a clock jump."""
        self._states: list[NavState] = []
        self._scans: list[_Waiting] = []
        self._released_ns = 0
        self._apart_ns = 0

    @property
    def waiting_for(self) -> str:
        """What is missing or wrong, in plain words; empty when nothing is."""
        if not self._states:
            return "drone/nav_state: no pose yet"
        if self._apart_ns:
            return (
                f"points on navigation's clock: scan stamps are {self._apart_ns / 1e9:+.1f} s off "
                "drone/nav_state; synchronise the LiDAR (PTP, gPTP, NTP) or stamp its scans on arrival"
            )
        return ""

    def add_nav(self, state: NavState) -> list[PosedScan]:
        """Take a navigation state. A stamp more than a second back starts anew."""
        if self._states and state.stamp_ns < self._states[-1].stamp_ns - _CLOCK_JUMP_NS:
            self.reset()
        insort(self._states, state, key=lambda s: s.stamp_ns)
        oldest_ns = self._states[-1].stamp_ns - _KEPT_NS
        while self._states[0].stamp_ns < oldest_ns:
            del self._states[0]
        return self._ready()

    def add_scan(self, scan: PointScan) -> list[PosedScan]:
        """Take a scan; one older than a scan already put out is dropped as out of order."""
        if self._states and self._is_apart(scan.stamp_ns):
            return []
        if scan.stamp_ns <= self._released_ns:
            if scan.stamp_ns > self._released_ns - _CLOCK_JUMP_NS:
                self.dropped["scan_out_of_order"] += 1
                return []
            self.reset()
        waiting = self._timed(scan)
        if waiting is None:
            return []
        insort(self._scans, waiting, key=lambda w: w.scan.stamp_ns)
        if len(self._scans) > _KEPT_SCANS:
            del self._scans[0]
            self.dropped["scan_no_pose"] += 1
        return self._ready()

    def _is_apart(self, stamp_ns: int) -> bool:
        """Whether a scan's stamp cannot be of navigation's clock; counts it."""
        apart_ns = stamp_ns - self._states[-1].stamp_ns
        if abs(apart_ns) <= _CLOCK_APART_NS:
            self._apart_ns = 0
            return False
        self._apart_ns = apart_ns
        self.dropped["scan_clock"] += 1
        return True

    def _timed(self, scan: PointScan) -> _Waiting | None:
        """The scan with usable point times, or none if it has no pose for them; None: dropped."""
        times_s = scan.times_s
        if times_s is None or not times_s.size:
            return _Waiting(scan, scan.stamp_ns, scan.stamp_ns)
        first_s, last_s = float(times_s.min()), float(times_s.max())  # NaN if any is
        if not (-self._span_s <= first_s and last_s <= self._span_s):
            kept, times_s = self._within(times_s)
            if kept is None:
                self.dropped["scan_point_times"] += 1
                return None
            scan = dataclasses.replace(scan, points_m=scan.points_m[kept], times_s=times_s)
            first_s, last_s = float(times_s.min()), float(times_s.max())
        if max(abs(first_s), abs(last_s)) < _STILL_S:
            scan = dataclasses.replace(scan, times_s=None)
            first_s = last_s = 0.0
        first_ns, last_ns = (scan.stamp_ns + round(time_s * 1e9) for time_s in (first_s, last_s))
        return _Waiting(scan, min(first_ns, scan.stamp_ns), max(last_ns, scan.stamp_ns))

    def _within(self, times_s: Float32Array) -> tuple[BoolArray | None, Float32Array]:
        """Which points have a time within the scan, and these times; None: too few."""
        with np.errstate(invalid="ignore"):
            kept = np.abs(times_s) <= self._span_s
        if 2 * np.count_nonzero(kept) >= kept.size:
            self.noted["points time"] += int(np.count_nonzero(~kept))
            return kept, times_s[kept]
        finite = np.isfinite(times_s)
        if 2 * np.count_nonzero(finite) < kept.size:
            return None, times_s
        own_s = times_s - times_s[finite].min()
        with np.errstate(invalid="ignore"):
            kept = finite & (own_s <= self._span_s)
        if 2 * np.count_nonzero(kept) < kept.size:
            return None, times_s
        self.noted["scan_own_clock"] += 1
        self.noted["points time"] += int(np.count_nonzero(~kept))
        return kept, own_s[kept]

    def _ready(self) -> list[PosedScan]:
        ready: list[PosedScan] = []
        if not self._states:
            return ready
        newest_ns = self._states[-1].stamp_ns
        while self._scans and self._scans[-1].scan.stamp_ns - newest_ns > _CLOCK_APART_NS:
            self._is_apart(self._scans.pop().scan.stamp_ns)
        while self._scans and newest_ns >= self._scans[0].last_ns:
            waiting = self._scans.pop(0)
            states = self._around(waiting)
            if not states:
                self.dropped["scan_no_pose"] += 1
                continue
            self._released_ns = waiting.scan.stamp_ns
            ready.append(self._posed(waiting.scan, states))
        return ready

    def _around(self, waiting: _Waiting) -> list[NavState]:
        """The states from at or before the first point to at or after the last; none if there is a gap."""
        first = bisect_left(self._states, waiting.first_ns, key=lambda s: s.stamp_ns)
        last = bisect_left(self._states, waiting.last_ns, key=lambda s: s.stamp_ns)
        if self._states[first].stamp_ns != waiting.first_ns:
            first -= 1
        if first < 0:
            return []
        states = self._states[first : last + 1]
        too_far = (
            waiting.first_ns - states[0].stamp_ns > self._wait_ns
            or states[-1].stamp_ns - waiting.last_ns > self._wait_ns
            or any(b.stamp_ns - a.stamp_ns > 2 * self._wait_ns for a, b in pairwise(states))
        )
        return [] if too_far else states

    def _posed(self, scan: PointScan, states: list[NavState]) -> PosedScan:
        after = states[bisect_left(states, scan.stamp_ns, key=lambda s: s.stamp_ns)]
        pose = after.map_T_base
        if after.stamp_ns != scan.stamp_ns:
            before = states[bisect_left(states, scan.stamp_ns, key=lambda s: s.stamp_ns) - 1]
            pose = interpolate_pose(before, after, scan.stamp_ns)
        map_T_lidar = compose(pose, self._base_T_lidar)
        if scan.times_s is not None:
            points_m = compensate(
                scan.points_m, scan.times_s, states, scan.stamp_ns, self._base_T_lidar, map_T_lidar
            )
            scan = dataclasses.replace(scan, points_m=points_m, times_s=None)
        sigma_m = float(np.sqrt(max(after.covariance[2, 2], 0.0)))
        return PosedScan(scan, map_T_lidar, sigma_m if np.isfinite(sigma_m) else np.inf)
