# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from vidgen_nodes.ros import transport

SEGMENT = "fastdds_0123456789abcdef"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (
        "FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE", "OMP_NUM_THREADS", "RMW_IMPLEMENTATION",
        "FASTDDS_BUILTIN_TRANSPORTS", "ROS_DISTRO",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def segment(directory: Path, name: str = SEGMENT, size: int = transport.SEGMENT_BYTES + 4096) -> Path:
    path = directory / name
    with path.open("wb") as file:
        file.truncate(size)
    (directory / f"{name}_el").touch()
    return path


def test_profile_gives_shared_memory_the_size_that_the_code_believes_and_keeps_udp() -> None:
    root = ET.parse(transport.PROFILE).getroot()
    space = {"d": "http://www.eprosima.com"}
    kinds = {t.findtext("d:type", namespaces=space): t for t in root.iter("{http://www.eprosima.com}transport_descriptor")
             if t.find("d:type", space) is not None}  # fmt: skip
    assert set(kinds) == {"SHM", "UDPv4"}
    assert kinds["SHM"].findtext("d:segment_size", namespaces=space) == str(transport.SEGMENT_BYTES)


def test_environment_names_our_profile_and_one_thread(environment: pytest.MonkeyPatch) -> None:
    made = transport.process_environment()
    assert made["FASTDDS_DEFAULT_PROFILES_FILE"] == str(transport.PROFILE)
    assert made["OMP_NUM_THREADS"] == "1"
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" not in made
    environment.setenv("ROS_DISTRO", "jazzy")
    assert transport.process_environment()["FASTRTPS_DEFAULT_PROFILES_FILE"] == str(transport.PROFILE)


def test_environment_leaves_what_the_user_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", "/mine.xml")
    environment.setenv("OMP_NUM_THREADS", "2")
    made = transport.process_environment()
    assert "FASTDDS_DEFAULT_PROFILES_FILE" not in made
    assert made["OMP_NUM_THREADS"] == "2"


def faults_of(script: str, **variables: str) -> str:
    """transport_faults() of a fresh process, because what is in force is a matter of the whole process."""
    code = (
        f"from vidgen_nodes.ros import transport\n{script}\nprint('\\n'.join(transport.transport_faults()))"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("FASTDDS", "FASTRTPS", "OMP_", "RMW_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_prepared_process_has_no_fault() -> None:
    assert faults_of("transport.prepare_process()") == ""


def test_unprepared_process_is_told_everything_that_is_missing() -> None:
    faults = faults_of("")
    assert "No Fast DDS profile is set" in faults
    assert "OMP_NUM_THREADS=None" in faults
    assert "Memory is not kept" in faults


def test_profile_with_a_small_segment_is_told(tmp_path: Path) -> None:
    small = tmp_path / "small.xml"
    small.write_text(transport.PROFILE.read_text().replace(str(transport.SEGMENT_BYTES), "524288"))
    faults = faults_of("transport.prepare_process()", FASTDDS_DEFAULT_PROFILES_FILE=str(small))
    assert "524288 bytes, less than 67108864" in faults


def test_profile_that_does_not_exist_is_told() -> None:
    faults = faults_of("transport.prepare_process()", FASTDDS_DEFAULT_PROFILES_FILE="/nowhere.xml")
    assert "/nowhere.xml cannot be read" in faults


def test_other_middleware_is_told() -> None:
    faults = faults_of("transport.prepare_process()", RMW_IMPLEMENTATION="rmw_cyclonedds_cpp")
    assert "The middleware is rmw_cyclonedds_cpp" in faults


def test_sweep_removes_a_segment_whose_owner_is_dead(tmp_path: Path) -> None:
    segment(tmp_path)
    assert transport.sweep_stale_segments(tmp_path) == [SEGMENT]
    assert list(tmp_path.iterdir()) == []


def test_sweep_leaves_a_segment_whose_owner_holds_the_lock(tmp_path: Path) -> None:
    path = segment(tmp_path)
    with (tmp_path / f"{SEGMENT}_el").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert transport.sweep_stale_segments(tmp_path) == []
    assert path.exists()


def test_sweep_leaves_what_is_not_ours(tmp_path: Path) -> None:
    segment(tmp_path, size=549_408)
    segment(tmp_path, "fastdds_port7411")
    segment(tmp_path, "fastdds_0123456789abcdex")
    before = sorted(tmp_path.iterdir())
    assert transport.sweep_stale_segments(tmp_path) == []
    assert sorted(tmp_path.iterdir()) == before


def test_sweep_leaves_a_segment_that_is_just_being_made(tmp_path: Path) -> None:
    path = segment(tmp_path)
    (tmp_path / f"{SEGMENT}_el").unlink()
    assert transport.sweep_stale_segments(tmp_path) == []
    assert path.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_loop_and_later_ones_change_nothing(number: signal.Signals) -> None:
    class Executor:
        spins = 0

        def spin_until_future_complete(self, future: Any, timeout_sec: float) -> None:
            assert timeout_sec == transport.SPIN_S
            assert not future.done()
            self.spins += 1
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)

    executor, before = Executor(), signal.getsignal(number)
    with transport.stop_on_signals() as stop:
        transport.run_until_stopped(executor, stop)
    assert executor.spins == 1
    assert signal.getsignal(number) is before


def test_loop_ends_when_the_node_is_finished() -> None:
    class Executor:
        spins = 0

        def spin_until_future_complete(self, future: Any, timeout_sec: float) -> None:
            self.spins += 1

    executor = Executor()
    with transport.stop_on_signals() as stop:
        transport.run_until_stopped(executor, stop, lambda: executor.spins >= 3)
    assert executor.spins == 3


HELD_UP = """
import ctypes, os, signal, sys
from vidgen_nodes.ros import transport
with transport.stop_on_signals():
    transport.end_within(float(sys.argv[1]), 7)
os.kill(os.getpid(), signal.SIGINT)
os.kill(os.getpid(), signal.SIGTERM)
if sys.argv[2] == "hang":
    ctypes.PyDLL(None).pause()  # as rclpy does, without giving back the interpreter
sys.exit(5)
"""


@pytest.mark.parametrize(("limit_s", "then", "status"), [("0.2", "hang", 7), ("60", "leave", 5)])
def test_the_end_takes_no_longer_than_it_may_and_no_signal_spoils_it(
    limit_s: str, then: str, status: int
) -> None:
    done = subprocess.run([sys.executable, "-c", HELD_UP, limit_s, then], capture_output=True, timeout=30)
    assert (done.returncode, done.stderr) == (status, b"")
