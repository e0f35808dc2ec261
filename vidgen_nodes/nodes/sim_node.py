# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The built-in flight as a drone would send it: the same topics and types, at the times of its schedule."""

from __future__ import annotations

import threading
import time
from collections import Counter

from sensor_msgs.msg import CameraInfo, Image, Imu, NavSatFix, PointCloud2

from vidgen_nodes.params import SimParams
from vidgen_nodes.ros import qos, simulated
from vidgen_nodes.ros.node import VidgenNode
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.scheduling import Priority
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, SCAN, THERMAL

_START_DELAY_S = 1.0
_LINGER_S = 1.5  # after the last message, so that reliable readers get it and the last counts are seen


class SimNode(VidgenNode[SimParams]):
    """Flies; another process makes messages ahead of their time, a thread takes each and sends it when it is due."""

    def __init__(self) -> None:
        super().__init__("sim_node", SimParams)
        self._outputs = {
            kind: self.advertise(message_type, topic, qos.SENSOR_OUTPUT[topic])
            for kind, message_type, topic in (
                (THERMAL, Image, "thermal/image_raw"),
                (CAMERA_INFO, CameraInfo, "thermal/camera_info"),
                (FIX, NavSatFix, "fix"),
                (IMU, Imu, "imu/data"),
                (SCAN, PointCloud2, "points"),
            )
        }
        self._counts: Counter[str] = Counter()
        self._last_thermal_ns = 0
        self._ended_s = 0.0
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._start_ns = 0
        self.health.waiting_for = "the flight to be prepared"
        self._maker = simulated.MessageMaker(self.params)
        self._thread = threading.Thread(target=self._guard, daemon=True)
        self._thread.start()

    def _guard(self) -> None:
        try:
            self._fly()
        except BaseException as err:  # noqa: BLE001 (told and ended by on_tick)
            if not self._stop.is_set():
                self._error = err
                self._stop.set()

    def _fly(self) -> None:
        self._maker.wait_until_ready()
        self._start_ns = self.now_ns() + round(_START_DELAY_S * 1e9)
        self._maker.start(self._start_ns)
        while not self._stop.is_set():
            made = self._maker.receive()
            if made is None:
                self._ended_s = time.monotonic()
                return
            if not made.raw:
                self.health.dropped[f"{made.kind}_not_made_in_time"] += 1
                continue
            wait_s = (self._start_ns - self.now_ns()) * 1e-9 + made.send_s
            if wait_s > 0.0:
                self._stop.wait(wait_s)
            self._outputs[made.kind].publish(made.raw)
            self._counts[made.kind] += 1
            if made.kind == THERMAL:
                self._last_thermal_ns = made.stamp_ns
                self.health.add_latency("thermal_published_after_due", max(0.0, -wait_s) * 1e3)

    def on_tick(self) -> None:
        """Counts for whoever watches; the end of the flight ends the node."""
        self.health.extra.update({f"published_{kind}": str(count) for kind, count in self._counts.items()})
        self.health.extra["last_thermal_stamp_ns"] = str(self._last_thermal_ns)
        if self._counts:
            self.health.waiting_for = ""
        if self._error is not None and not self.finished:
            self.fail(f"the flight ended with {type(self._error).__name__}: {self._error}")
        if self._ended_s and time.monotonic() - self._ended_s > _LINGER_S and not self.finished:
            late = dict(self.health.dropped)
            self.get_logger().info(
                f"flight over, published: {dict(self._counts)}"
                + (f"; this machine was too busy: {late}" if late else "")
            )
            self.finished = True

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        self._maker.close()
        self._thread.join(2.0)


def main() -> None:
    """Run the node."""
    main_for(SimNode, Priority.FRAME)


if __name__ == "__main__":
    main()
