# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Runs ``vidgen`` as a user does, in a ROS domain of its own, and looks for what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from vidgen_nodes.params import SimParams
from vidgen_nodes.sim.recording import write_recording

ROOT = Path(__file__).resolve().parents[2]


class Vidgen:
    """Starts commands whose run directory is ``run_dir``."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        # Above 101 the ports of a domain lie among those the kernel hands out.
        domain = str(10 + os.getpid() % 90)
        self.environment = {**os.environ, "ROS_DOMAIN_ID": domain, "OMP_NUM_THREADS": "1"}

    def start(self, *words: str | Path, own_dir: bool = True) -> subprocess.Popen[str]:
        """Start a command that is still running when this returns."""
        command = [sys.executable, "-m", "vidgen_nodes.cli", *map(str, words), "--json"]
        if own_dir:
            command += ["--run-dir", str(self.run_dir)]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(
        self, *words: str | Path, own_dir: bool = True, limit_s: float = 90.0
    ) -> tuple[int, dict[str, Any], str]:
        """Exit status, the last line of stdout and stderr."""
        return finished(self.start(*words, own_dir=own_dir), limit_s)

    def processes(self) -> list[psutil.Process]:
        """Nodes of this run that are alive."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            if process.info["status"] != psutil.STATUS_ZOMBIE and any(
                str(self.run_dir) in word for word in words
            ):
                found.append(process)
        return found

    def node(self, name: str) -> psutil.Process | None:
        """The process of one node, if it is alive."""
        return next((p for p in self.processes() if f"vidgen_nodes.nodes.{name}" in p.info["cmdline"]), None)


class Peer:
    """A node of the test's own, in the ROS domain of the graph, spun on a thread."""

    def __init__(self, domain: int) -> None:
        from vidgen_nodes.ros import transport

        transport.prepare_process()
        import rclpy
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from rclpy.signals import SignalHandlerOptions

        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("peer", namespace="vidgen", context=self._context, enable_rosout=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, name="peer", daemon=True)
        self._thread.start()

    def create_subscription(self, *arguments: Any) -> None:
        """Listen."""
        self._node.create_subscription(*arguments)

    def call(self, kind: Any, name: str, fields: dict[str, Any], limit_s: float = 30.0) -> Any:
        """The answer of a service of the graph."""
        client = self._node.create_client(kind, name)
        try:
            assert client.wait_for_service(timeout_sec=limit_s), f"nobody offers {name}"
            answered = threading.Event()
            future = client.call_async(kind.Request(**fields))
            future.add_done_callback(lambda _: answered.set())
            assert answered.wait(limit_s), f"{name} did not answer within {limit_s} s"
            return future.result()
        finally:
            self._node.destroy_client(client)

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._thread.join(5.0)
        self._node.destroy_node()
        self._context.try_shutdown()


def finished(process: subprocess.Popen[str], limit_s: float = 90.0) -> tuple[int, dict[str, Any], str]:
    """Wait for a command; its result."""
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"did not end within {limit_s} s:\n{err[-3000:]}")
    lines = out.splitlines()
    assert lines, f"nothing on stdout, status {process.returncode}:\n{err[-3000:]}"
    return process.returncode, json.loads(lines[-1]), err


def happened(condition: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    """Wait for a condition."""
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"did not happen within {limit_s} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def finish() -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Waits for a command that was started."""
    return finished


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Waits for a condition."""
    return happened


@pytest.fixture
def vidgen(tmp_path: Path) -> Iterator[Vidgen]:
    """A runner; whatever its run leaves behind is a failure, and is killed."""
    runner = Vidgen(tmp_path / "run")
    yield runner
    left = runner.processes()
    for process in left:
        process.kill()
    assert not left, f"left behind: {[p.info['cmdline'] for p in left]}"


@pytest.fixture
def peer(vidgen: Vidgen) -> Iterator[Peer]:
    """A node beside the graph."""
    made = Peer(int(vidgen.environment["ROS_DOMAIN_ID"]))
    yield made
    made.close()


@pytest.fixture(scope="session")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the simulated flight at 25 Hz."""
    path = tmp_path_factory.mktemp("recording") / "flight"
    write_recording(path, SimParams(thermal_rate_hz=25.0, lidar_points=12000), 2.0)
    return path


@pytest.fixture(scope="session")
def real_composite() -> Path:
    """A real recording; skips where it is not present."""
    data = Path(os.environ.get("VIDGEN_SHARED_DATA", ROOT.parent / "shared" / "data"))
    bag = data / "rosbag2" / "real_composite"
    if not bag.is_dir():
        pytest.skip(f"no real recording at {bag}; set VIDGEN_SHARED_DATA")
    return bag
