# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Thermal camera in, checked thermal frames out."""

from __future__ import annotations

from typing import Any

from sensor_msgs.msg import CameraInfo, Image
from vidgen.msg import ThermalFrame

from vidgen_nodes.packets import SourceRef
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.ros import convert, qos, wire
from vidgen_nodes.ros.node import VidgenNode, main_for
from vidgen_nodes.ros.transport import FRAME_NICE
from vidgen_nodes.sensing.thermal import ThermalIngest


class ThermalNode(VidgenNode[ThermalParams]):
    """``thermal/image_raw`` and ``thermal/camera_info`` to ``thermal/frame``."""

    def __init__(self) -> None:
        super().__init__("thermal_node", ThermalParams)
        self._ingest = ThermalIngest(self.params)
        self._frames = self.advertise(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME)
        self.subscribe_sensor(CameraInfo, "thermal/camera_info", self._on_info, required=False)
        self.subscribe_sensor(Image, "thermal/image_raw", self._on_image)

    def _on_info(self, message: Any, source: SourceRef) -> None:
        self._ingest.add_calibration(convert.camera_calibration(message), source)

    def _on_image(self, message: Any, source: SourceRef) -> None:
        frame = self._ingest.process(convert.thermal_image(message, source))
        self._frames.publish(wire.thermal_frame(frame, message))
        self.health.add_latency("stamp_to_frame", (self.now_ns() - frame.stamp_ns) / 1e6)
        if frame.frozen:
            self.health.causes["frozen_thermal"] += 1
        if frame.calibration is None:
            self.health.causes["no_camera_info"] += 1


def main() -> None:
    """Run the node."""
    main_for(ThermalNode, nice=FRAME_NICE)


if __name__ == "__main__":
    main()
