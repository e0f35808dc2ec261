# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Thermal frames, the drone's state and maps in, one bundle a thermal frame out."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from rclpy.clock import Clock, ClockType
from vidgen.msg import GimbalState, NavState, SensorBundle, SyncReport, ThermalFrame, UncertaintyMap

from vidgen_nodes.errors import InputError
from vidgen_nodes.params import SyncParams
from vidgen_nodes.ros import convert, fill, qos, unpack, wire
from vidgen_nodes.ros.node import VidgenNode
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.scheduling import Priority
from vidgen_nodes.sync.anchored import AnchoredSync
from vidgen_nodes.sync.counts import clock_words

_POLL_S = 0.005


class SyncNode(VidgenNode[SyncParams]):
    """``thermal/frame``, ``drone/nav_state``, ``uncertainty/map`` to ``bundle`` and ``sync/report``; with
    ``camera_on_gimbal`` from ``drone/gimbal_state`` too.

    Live, a frame goes out in the callback that it came in with. Only with ``replay_wait_ms`` are frames held
    until the inputs that count for them have come; then messages and a timer look again, and nothing blocks.
    """

    def __init__(self) -> None:
        super().__init__("sync_node", SyncParams)
        self._sync = AnchoredSync(self.params)
        self._calibrations = unpack.CalibrationCache()
        self._held: deque[tuple[Any, float, int]] = deque()
        self._bundles = self.advertise(SensorBundle, "bundle", qos.BUNDLE)
        self._reports = self.advertise(SyncReport, "sync/report", qos.SYNC_REPORT, primary=False)
        self.subscribe_frequent(NavState, "drone/nav_state", qos.NAV_STATE, self._on_nav, required=False)
        if self.params.camera_on_gimbal:
            self.subscribe_frequent(
                GimbalState, "drone/gimbal_state", qos.GIMBAL_STATE, self._on_gimbal, required=False
            )
        self.subscribe_frequent(
            UncertaintyMap, "uncertainty/map", qos.UNCERTAINTY_MAP, self._on_map, required=False
        )
        self._newest_map_ns: int | None = None
        self.subscribe_frequent(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME, self._on_thermal)
        if self.params.replay_wait_ms > 0.0:
            self.create_timer(_POLL_S, self._release, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _on_nav(self, message: Any) -> None:
        self._sync.add_nav(unpack.nav_state(message), self.now_ns())
        self._release()

    def _on_gimbal(self, message: Any) -> None:
        self._sync.add_gimbal(unpack.gimbal_state(message))
        self._release()

    def _on_map(self, message: Any) -> None:
        umap = unpack.uncertainty_map(message)
        self._newest_map_ns = umap.stamp_ns
        self._sync.add_map(umap, self.now_ns())
        self._release()

    def _on_thermal(self, message: Any) -> None:
        if self.params.replay_wait_ms > 0.0:
            deadline_s = time.monotonic() + self.params.replay_wait_ms * 1e-3
            self._held.append((message, deadline_s, self.now_ns()))
            self._release()
        else:
            self._bundle(message, self.now_ns())

    def _release(self) -> None:
        while self._held:
            message, deadline_s, arrival_ns = self._held[0]
            ready = self._sync.ready_for(convert.stamp_ns(message.header.stamp))
            if not ready and time.monotonic() < deadline_s:
                return
            self._held.popleft()
            if not ready:
                self.health.causes["replay_wait_ran_out"] += 1
            self._bundle(message, arrival_ns)

    def _bundle(self, message: Any, arrival_ns: int) -> None:
        try:
            bundle = self._sync.bundle(unpack.thermal_frame(message, self._calibrations), arrival_ns)
        except InputError as err:
            self.health.dropped[err.reason] += 1
            return
        self._bundles.publish(wire.bundle(bundle, message))
        self.health.causes.update(cause.value for cause in bundle.causes)
        self.health.add_latency("stamp_to_bundle", (self.now_ns() - bundle.stamp_ns) / 1e6)
        self._sync.observe()  # only now: the frame has gone its way

    def on_tick(self) -> None:
        """Publish the report; with the newest map's age, which says whether the LiDAR side lives."""
        counts = self._sync.report()
        self._reports.publish(fill.sync_report(counts, self.now_ns()))
        self.health.extra.update(clock_words(counts))
        if self._newest_map_ns is not None:
            self.health.extra["newest_map_age_s"] = f"{(self.now_ns() - self._newest_map_ns) * 1e-9:.2f}"

    def close(self) -> None:
        """What is held goes out, then the last report."""
        while self._held:
            message, _, arrival_ns = self._held.popleft()
            self._bundle(message, arrival_ns)
        self._reports.publish(fill.sync_report(self._sync.report(), self.now_ns()))


def main() -> None:
    """Run the node."""
    main_for(SyncNode, Priority.FRAME)


if __name__ == "__main__":
    main()
