# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The plain design: what a capable user would write in an afternoon. The peer of ``bench/pipeline.py``.

One node puts a single ``ApproximateTimeSynchronizer`` over all topics and republishes what matched; a
second takes those with a ``TimeSynchronizer``, converts as cv_bridge does (a copy each way), stretches the
contrast with a percentile over the whole frame, evaluates the same plume formulas on every pixel in
float numpy and blends. Reliable QoS, middleware as installed, default executor, no record of anything.
It gets the camera pose for free (the formulas are evaluated in the image plane), which favours it.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from array import array
from typing import Any

import numpy as np
import rclpy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image, Imu, NavSatFix, PointCloud2

from vidgen_nodes.generation.fire import centreline_temperature_rise_k, flame_height_m
from vidgen_nodes.ros.filters import ApproximateTimeSynchronizer, Subscriber, TimeSynchronizer

SLOP_S = 0.02
QUEUE = 50
TOPICS = (
    ("thermal/image_raw", Image),
    ("thermal/camera_info", CameraInfo),
    ("fix", NavSatFix),
    ("imu/data", Imu),
    ("points", PointCloud2),
)


class PlainSync:
    """Matches all five streams and sends the set on under the thermal stamp."""

    def __init__(self, node: Any) -> None:
        qos = QoSProfile(depth=10)
        self._out = {name: node.create_publisher(kind, f"plain/{name}", qos) for name, kind in TOPICS}
        subscribers = [Subscriber(node, kind, name, qos_profile=qos) for name, kind in TOPICS]
        self._filter = ApproximateTimeSynchronizer(subscribers, QUEUE, SLOP_S)
        self._filter.registerCallback(self._on_set)

    def _on_set(self, *messages: Any) -> None:
        for (name, _), message in zip(TOPICS, messages, strict=True):
            message.header.stamp = messages[0].header.stamp
            self._out[name].publish(message)

    def result(self) -> dict[str, Any]:
        return {}


class PlainGenerator:
    """Draws every matched set."""

    def __init__(self, node: Any) -> None:
        qos = QoSProfile(depth=10)
        self._overlay = node.create_publisher(Image, "plain/overlay", qos)
        subscribers = [Subscriber(node, kind, f"plain/{name}", qos_profile=qos) for name, kind in TOPICS]
        self._filter = TimeSynchronizer(subscribers, 10)
        self._filter.registerCallback(self._on_set)
        self._latencies_ms: list[float] = []
        self._published_s: list[float] = []

    def _on_set(self, image: Any, info: Any, _fix: Any, _imu: Any, cloud: Any) -> None:
        counts = np.frombuffer(image.data, np.uint16).reshape(image.height, image.width).copy()
        points = (
            np.frombuffer(cloud.data, np.uint8).reshape(-1, cloud.point_step)[:, :12].copy().view(np.float32)
        )
        roughness_m = float(np.nanstd(points[:, 2]))
        rgba = draw_whole_frame(counts, float(info.k[0]), roughness_m)
        out = Image()
        out.header, out.height, out.width = image.header, image.height, image.width
        out.encoding, out.step = "rgba8", image.width * 4
        data = array("B")
        data.frombytes(rgba.tobytes())  # the two copies of cv2_to_imgmsg
        out.data = data
        self._overlay.publish(out)
        now_ns = time.time_ns()
        stamp = image.header.stamp
        self._latencies_ms.append((now_ns - stamp.sec * 10**9 - stamp.nanosec) / 1e6)
        self._published_s.append(now_ns / 1e9)

    def result(self) -> dict[str, Any]:
        return {"latencies_ms": self._latencies_ms, "published_s": self._published_s}


def draw_whole_frame(counts: np.ndarray, focal_px: float, roughness_m: float) -> np.ndarray:
    """The formulas of the first generator on every pixel, in float64. Returns (H, W, 4) uint8."""
    height, width = counts.shape
    low, high = np.percentile(counts, (1, 99))
    grey = np.clip((counts.astype(np.float64) - low) / max(1.0, high - low), 0.0, 1.0)
    rows, cols = np.mgrid[0:height, 0:width].astype(np.float64)
    range_m, power_kw, diameter_m = 28.0, 1500.0, 1.13
    across_m = (cols - width / 2) * range_m / focal_px
    above_m = np.maximum((height * 0.75 - rows) * range_m / focal_px, 0.0)
    rise_k = centreline_temperature_rise_k(above_m + 0.05, power_kw, 293.15)
    sigma_m = 0.12 * np.sqrt(rise_k / 293.0 + 1.0) * (above_m + diameter_m)
    rise_k = rise_k * np.exp(-0.5 * (across_m / sigma_m) ** 2)
    tip_m = flame_height_m(power_kw, diameter_m)
    kappa = np.where(above_m < tip_m, 0.8, 0.1 + 0.0 * roughness_m)
    alpha = 1.0 - np.exp(-kappa * rise_k / 800.0 * 2.0 * sigma_m)
    alpha[rows > height * 0.75] = 0.0
    colour = np.stack([np.minimum(1.0, rise_k / 400.0), rise_k / 900.0, rise_k / 2000.0], axis=-1)
    blended = colour * alpha[..., None] + grey[..., None] * (1.0 - alpha[..., None])
    return (np.concatenate([blended, alpha[..., None]], axis=-1) * 255.0).clip(0, 255).astype(np.uint8)


def _main(role: str) -> None:
    running = [True]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: running.__setitem__(0, False))
    rclpy.init(signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
    node = rclpy.create_node(f"plain_{role}", namespace="/vidgen")
    plain = PlainSync(node) if role == "sync" else PlainGenerator(node)
    executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(node)
    while running[0]:
        executor.spin_once(timeout_sec=0.1)
    print(json.dumps(plain.result()), flush=True)
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    _main(sys.argv[1])
