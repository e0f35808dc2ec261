# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One image from one process to another: our process start against rclpy as installed (goals G1-G4).

Two real processes per measurement. Latency is from the stamp taken before the message is filled to the
entry of the subscriber's callback. ``ours`` calls ``ros.transport.prepare_process``; ``plain`` is rclpy
with the middleware's own defaults and its default executor.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from array import array
from typing import Any

import numpy as np

SIZES = {"thermal": (640, 512, "mono16", 2), "hd": (1920, 1080, "bgr8", 3)}


def measure_hop(
    size: str, *, ours: bool, reliable: bool, rate_hz: float, count: int, domain: int
) -> dict[str, float]:
    """Publish ``count`` images and return latency (ms), loss (share) and CPU (ms a message)."""
    environment = dict(os.environ, ROS_DOMAIN_ID=str(domain))
    if not ours:
        for name in ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"):
            environment.pop(name, None)
    base = [
        sys.executable,
        "-m",
        "bench.hop",
        size,
        str(int(ours)),
        str(int(reliable)),
        str(rate_hz),
        str(count),
    ]
    listener = subprocess.Popen([*base, "listen"], env=environment, stdout=subprocess.PIPE, text=True)
    talker = subprocess.Popen([*base, "talk"], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        limit_s = count / rate_hz + 60.0
        sent = json.loads(talker.communicate(timeout=limit_s)[0].splitlines()[-1])
        heard = json.loads(listener.communicate(timeout=limit_s)[0].splitlines()[-1])
    finally:
        for process in (talker, listener):
            if process.poll() is None:
                process.kill()
                process.wait()
    latencies_ms = np.array(heard["latencies_ms"] or [float("nan")])
    return {
        "p50_ms": float(np.percentile(latencies_ms, 50)),
        "p95_ms": float(np.percentile(latencies_ms, 95)),
        "loss": 1.0 - len(heard["latencies_ms"]) / count,
        "cpu_pub_ms": sent["cpu_ms"] / count,
        "cpu_sub_ms": heard["cpu_ms"] / max(1, len(heard["latencies_ms"])),
    }


def _run(size: str, ours: bool, reliable: bool, rate_hz: float, count: int, role: str) -> None:
    if ours:
        from vidgen_nodes.ros.transport import prepare_process

        prepare_process()
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import Image

    rclpy.init()
    node = rclpy.create_node(f"hop_{role}")
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    qos = QoSProfile(depth=5, reliability=policy)
    executor: Any
    if ours:
        from rclpy.experimental import EventsExecutor

        executor = EventsExecutor()
    else:
        executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(node)
    if role == "listen":
        _listen(node, executor, Image, qos, rate_hz, count)
    else:
        _talk(node, executor, Image, qos, size, rate_hz, count)
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown()


def _listen(node: Any, executor: Any, image_type: Any, qos: Any, rate_hz: float, count: int) -> None:
    latencies_ms: list[float] = []
    last_s = [0.0]

    def on_image(msg: Any) -> None:
        now_ns = time.time_ns()
        latencies_ms.append((now_ns - msg.header.stamp.sec * 10**9 - msg.header.stamp.nanosec) / 1e6)
        np.frombuffer(msg.data, np.uint8)
        last_s[0] = time.monotonic()

    node.create_subscription(image_type, "hop", on_image, qos)
    started_s = time.monotonic()
    begin_cpu_s = None
    limit_s = count / rate_hz + 12.0
    while len(latencies_ms) < count and time.monotonic() - started_s < limit_s:
        executor.spin_once(timeout_sec=0.1)
        if latencies_ms and begin_cpu_s is None:
            begin_cpu_s = time.process_time()
    cpu_ms = 0.0 if begin_cpu_s is None else (time.process_time() - begin_cpu_s) * 1e3
    print(json.dumps({"latencies_ms": latencies_ms, "cpu_ms": cpu_ms}))


def _talk(node: Any, executor: Any, image_type: Any, qos: Any, size: str, rate_hz: float, count: int) -> None:
    width, height, encoding, bytes_per_px = SIZES[size]
    pixels = np.random.default_rng(1).integers(0, 255, width * height * bytes_per_px, dtype=np.uint8)
    publisher = node.create_publisher(image_type, "hop", qos)
    deadline_s = time.monotonic() + 10.0
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline_s:
        executor.spin_once(timeout_sec=0.05)
    time.sleep(0.5)  # discovery is mutual; the other side may still be matching
    begin_cpu_s = time.process_time()
    next_s = time.monotonic()
    for _ in range(count):
        time.sleep(max(0.0, next_s - time.monotonic()))
        next_s += 1.0 / rate_hz
        msg = image_type()
        now_ns = time.time_ns()
        msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(now_ns, 10**9)
        msg.width, msg.height, msg.encoding, msg.step = width, height, encoding, width * bytes_per_px
        data = array("B")
        data.frombytes(memoryview(pixels))
        msg.data = data
        publisher.publish(msg)
    cpu_ms = (time.process_time() - begin_cpu_s) * 1e3
    end_s = time.monotonic() + 2.0  # reliable writers must stay until the last sample is acknowledged
    while time.monotonic() < end_s:
        executor.spin_once(timeout_sec=0.1)
    print(json.dumps({"cpu_ms": cpu_ms}))


if __name__ == "__main__":
    _size, _ours, _reliable, _rate, _count, _role = sys.argv[1:7]
    _run(_size, bool(int(_ours)), bool(int(_reliable)), float(_rate), int(_count), _role)
