# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Gives each LiDAR scan the pose at its own stamp, once two navigation states bracket it.

The outcome depends on stamps alone, not on which arrived first: a scan is posed when the nearest state on each
side is at most ``pose_wait_ms`` of event time away, and dropped otherwise. Scans come out in order of stamps.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass

from vidgen_nodes.packets import NavState, PointScan, Pose
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.transform import compose, interpolate_pose, pose_from_rpy

_KEPT_NS = 2_500_000_000  # above the longest pose_wait_ms
_KEPT_SCANS = 64
_CLOCK_JUMP_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PosedScan:
    """A scan with ``map_T_lidar`` at its stamp."""

    scan: PointScan
    map_T_lidar: Pose


class ScanPosing:
    """Feed it states and scans; each call returns the scans that have become ready, oldest first."""

    def __init__(self, params: LidarParams) -> None:
        self._wait_ns = round(params.pose_wait_ms * 1e6)
        self._base_T_lidar = pose_from_rpy(params.lidar_translation_m, params.lidar_rpy_deg)
        self.dropped: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget everything but the counts, as after a clock jump."""
        self._states: list[NavState] = []
        self._scans: list[PointScan] = []
        self._released_ns = 0

    @property
    def waiting_for(self) -> str:
        """What is missing, in plain words; empty when nothing is."""
        return "drone/nav_state: no pose yet" if not self._states else ""

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
        if scan.stamp_ns <= self._released_ns:
            if scan.stamp_ns > self._released_ns - _CLOCK_JUMP_NS:
                self.dropped["scan_out_of_order"] += 1
                return []
            self.reset()
        insort(self._scans, scan, key=lambda s: s.stamp_ns)
        if len(self._scans) > _KEPT_SCANS:
            del self._scans[0]
            self.dropped["scan_no_pose"] += 1
        return self._ready()

    def _ready(self) -> list[PosedScan]:
        ready = []
        while self._scans and self._states and self._states[-1].stamp_ns >= self._scans[0].stamp_ns:
            scan = self._scans.pop(0)
            pose = self._pose_at(scan.stamp_ns)
            if pose is None:
                self.dropped["scan_no_pose"] += 1
                continue
            self._released_ns = scan.stamp_ns
            ready.append(PosedScan(scan, compose(pose, self._base_T_lidar)))
        return ready

    def _pose_at(self, stamp_ns: int) -> Pose | None:
        """map_T_base at a stamp, between two states that are near enough."""
        index = bisect_left(self._states, stamp_ns, key=lambda s: s.stamp_ns)
        after = self._states[index]
        if after.stamp_ns == stamp_ns:
            return after.map_T_base
        if index == 0 or after.stamp_ns - stamp_ns > self._wait_ns:
            return None
        before = self._states[index - 1]
        return (
            interpolate_pose(before, after, stamp_ns) if stamp_ns - before.stamp_ns <= self._wait_ns else None
        )
