# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What only whole processes show: exit status, signals, shared memory left behind, frames lost between two."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vidgen_nodes.ros import transport

pytestmark = pytest.mark.system
WAIT_S = 30.0
NODE = [sys.executable, "-m", "vidgen_nodes.nodes.thermal_node"]

PUBLISHER = """
import vidgen_nodes.nodes, sys, time, numpy as np, rclpy
from sensor_msgs.msg import Image
from vidgen_nodes.ros import fill
rclpy.init(); node = rclpy.create_node("camera"); images = node.create_publisher(Image, "img", 5)
while not images.get_subscription_count(): time.sleep(0.02)
time.sleep(0.5)
pixels, due = np.zeros((512, 640), np.uint16), time.monotonic()
for number in range(int(sys.argv[1])):
    due += 0.02
    time.sleep(max(0.0, due - time.monotonic()))
    images.publish(fill.image(number + 1, "f", "mono16", pixels))
time.sleep(0.5)
node.destroy_node(); rclpy.shutdown()
"""
SUBSCRIBER = """
import vidgen_nodes.nodes, rclpy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from vidgen_nodes.ros import qos, transport
rclpy.init(signal_handler_options=SignalHandlerOptions.NO); node = rclpy.create_node("reader"); got = []
profile = qos.sensor_input("thermal/image_raw", "best_effort")
profile.depth = 100  # the transport is tested, not how soon a busy machine lets the reader run
node.create_subscription(Image, "img", lambda m: got.append(m.header.stamp.nanosec), profile)
executor = transport.make_executor(node.context); executor.add_node(node)
with transport.stop_on_signals() as stop:
    print("ready", flush=True)
    transport.run_until_stopped(executor, stop)
print(len(got), flush=True)
executor.remove_node(node); executor.shutdown(); node.destroy_node(); rclpy.shutdown()
"""


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"not within {WAIT_S} s: {what}")


def segments_of(pid: int) -> set[str]:
    """The shared-memory segments that a process made: those whose lock it holds."""
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    held = {
        int(words[5].rsplit(":", 1)[1]) for words in locks if words[1] == "FLOCK" and words[4] == str(pid)
    }
    names = set()
    for lock in transport.SHARED_MEMORY.glob("fast*_el"):
        with contextlib.suppress(FileNotFoundError):
            name = lock.name.removesuffix("_el")
            size = (transport.SHARED_MEMORY / name).stat().st_size
            if "port" not in name and size >= transport.SEGMENT_BYTES and lock.stat().st_ino in held:
                names.add(name)
    return names


@pytest.fixture
def running(domain: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(NODE, env=transport.process_environment(), text=True, stderr=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_node_with_status_0_and_nothing_left_behind(
    running: subprocess.Popen[str], number: signal.Signals
) -> None:
    segments = until(lambda: segments_of(running.pid), "its shared memory")
    running.send_signal(number)
    running.send_signal(number)
    assert running.wait(WAIT_S) == 0
    assert not [name for name in segments if (transport.SHARED_MEMORY / name).exists()]


def test_killed_node_leaves_a_segment_that_the_sweep_removes_and_no_other(
    running: subprocess.Popen[str],
) -> None:
    other = subprocess.Popen(NODE, env=transport.process_environment(), stderr=subprocess.DEVNULL)
    try:
        stale = until(lambda: segments_of(running.pid), "its shared memory")
        until(lambda: segments_of(other.pid), "shared memory of the other")
        assert not stale & set(transport.sweep_stale_segments())
        running.kill()
        running.wait(WAIT_S)
        removed = set(transport.sweep_stale_segments())
        # Fast DDS in the other process may have been first.
        assert not [name for name in stale if (transport.SHARED_MEMORY / name).exists()]
        live = segments_of(other.pid)
        assert live
        assert not live & removed
        assert all(
            (transport.SHARED_MEMORY / name).stat().st_size >= transport.SEGMENT_BYTES for name in live
        )
    finally:
        other.send_signal(signal.SIGINT)
        assert other.wait(WAIT_S) == 0


def test_wrong_parameter_ends_a_node_with_status_2_and_one_line(domain: int) -> None:
    done = subprocess.run(
        [*NODE, "--ros-args", "-p", "frozen_frames:=-3"],
        env=transport.process_environment(), capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "frozen_frames" in done.stderr


def test_best_effort_thermal_frames_cross_processes_without_loss(domain: int) -> None:
    frames, environment = 200, transport.process_environment()
    reader = subprocess.Popen(
        [sys.executable, "-c", SUBSCRIBER], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout is not None
        assert reader.stdout.readline().strip() == "ready"
        subprocess.run(
            [sys.executable, "-c", PUBLISHER, str(frames)], env=environment, timeout=WAIT_S, check=True
        )
        os.kill(reader.pid, signal.SIGINT)
        out, _ = reader.communicate(timeout=WAIT_S)
        assert int(out) == frames
    finally:
        reader.kill()
