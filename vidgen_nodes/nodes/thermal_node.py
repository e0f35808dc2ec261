# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Thermal camera in, checked thermal frames out."""

from __future__ import annotations

import dataclasses
from typing import Any

from sensor_msgs.msg import CameraInfo, Image
from vidgen.msg import ThermalFrame

from vidgen_nodes.packets import CameraCalibration, SourceRef
from vidgen_nodes.packets import ThermalFrame as Frame
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.ros import convert, fill, qos, wire
from vidgen_nodes.ros.node import VidgenNode
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.scheduling import Priority
from vidgen_nodes.sensing.temperature import ObjectTemperature
from vidgen_nodes.sensing.thermal import ThermalIngest

_CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
_BEHIND_STAMP = 12  # bytes of CDR: its own header, seconds, nanoseconds


class ThermalNode(VidgenNode[ThermalParams]):
    """``thermal/image_raw`` and ``thermal/camera_info`` to ``thermal/frame``.

    ``thermal/temperature`` (32FC1, kelvin) goes out only while somebody subscribes and the camera is radiometric.
    """

    def __init__(self) -> None:
        super().__init__("thermal_node", ThermalParams)
        self._ingest = ThermalIngest(self.params)
        self._temperature = ObjectTemperature(self.params)
        self._temperature_due_ns = 0
        self._said = ""
        self._frames = self.advertise(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME)
        self._temperatures = self.advertise(Image, "thermal/temperature", qos.TEMPERATURE, primary=False)
        self._info_topic = self.resolve_topic_name("thermal/camera_info")
        self._info: tuple[bytes, CameraCalibration] | None = None
        info = qos.sensor_input("thermal/camera_info", self.input_reliability)
        self.subscribe_raw(CameraInfo, "thermal/camera_info", info, self._on_info, required=False)
        self.subscribe_sensor(Image, "thermal/image_raw", self._on_image)

    def _on_info(self, message: Any, raw: bytes) -> None:
        source = convert.source_ref(self._info_topic, _CAMERA_INFO, message, raw)
        content = bytes(raw[_BEHIND_STAMP:])
        if self._info is None or self._info[0] != content:
            self._info = (content, convert.camera_calibration(message))
        # Cameras repeat theirs with every image: what was checked once is the same under another stamp.
        stamp_ns = convert.header_stamp_ns(message)
        self._ingest.add_calibration(dataclasses.replace(self._info[1], stamp_ns=stamp_ns), source)

    def _on_image(self, message: Any, source: SourceRef) -> None:
        image = convert.thermal_image(message, source)
        frame = self._ingest.process(image)
        corrected = frame.pixels is not image.pixels
        self._frames.publish(wire.thermal_frame(frame, message, corrected=corrected))
        self.health.add_latency("stamp_to_frame", (self.now_ns() - frame.stamp_ns) / 1e6)
        if frame.frozen:
            self.health.causes["frozen_thermal"] += 1
        if frame.calibration is None:
            self.health.causes["no_camera_info"] += 1
        if self._temperatures.is_wanted:
            self._publish_temperature(frame)

    def _publish_temperature(self, frame: Frame) -> None:
        period_ns = round(1e9 / self.params.temperature_rate_hz)
        # A clock that jumped back would otherwise keep the stream silent until it has caught up.
        if not 0 < self._temperature_due_ns - frame.stamp_ns <= period_ns:
            temperature_k = self._temperature.of(frame)
            if temperature_k is not None:
                self._temperature_due_ns = frame.stamp_ns + period_ns
                self._temperatures.publish(fill.image(frame.stamp_ns, frame.frame_id, "32FC1", temperature_k))

    def on_tick(self) -> None:
        """Say what is claimed of the pictures, and warn once when nothing is."""
        if not self._ingest.frames:
            return
        why = self._ingest.why_not_radiometric
        self.health.extra["radiometric"] = f"no: {why}" if why else "yes"
        for token, count in self._ingest.not_radiometric.items():
            self.health.extra[f"not_radiometric {token}"] = str(count)
        if why and why != self._said:
            self.get_logger().warning(f"no temperature is claimed: {why}")
        self._said = why


def main() -> None:
    """Run the node."""
    main_for(ThermalNode, Priority.FRAME)


if __name__ == "__main__":
    main()
