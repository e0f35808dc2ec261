# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The supervisor on small real processes: restarts, giving up, stopping, and leaving nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from vidgen_nodes.supervisor import EXIT_WRONG_REQUEST, ProcessSpec, Supervisor

LIVE = "import signal, sys, time; print('up', flush=True)\nwhile True: time.sleep(0.05)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\nwhile True: time.sleep(0.05)"
)
COUNTING = (
    "import signal, time\nn = 0\ndef hit(*_):\n global n; n += 1; print('hit', n, flush=True)\n"
    "signal.signal(signal.SIGINT, hit)\nprint('up', flush=True)\nend = None\n"
    "while end is None or time.monotonic() < end:\n time.sleep(0.01)\n"
    " end = end or (time.monotonic() + 0.3 if n else None)"
)


def spec(name: str, code: str, *, may_end: bool = False) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-S", "-c", code), may_end)


def until(condition: Callable[[], bool], supervisor: Supervisor | None = None, limit_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "the condition did not come true in time"
        if supervisor is not None:
            supervisor.poll()
        time.sleep(0.01)


def said(supervisor: Supervisor, name: str, text: str = "up") -> Callable[[], bool]:
    return lambda: supervisor.log_path(name).exists() and text in supervisor.log_path(name).read_text()


def test_a_process_that_is_killed_is_started_again(tmp_path: Path) -> None:
    with Supervisor([spec("a", LIVE), spec("b", LIVE)], tmp_path) as supervisor:
        until(said(supervisor, "a"))
        before = supervisor.pids
        os.kill(before["a"], signal.SIGKILL)
        until(lambda: supervisor.pids.get("a", before["a"]) != before["a"], supervisor)
        assert supervisor.restarts == {"a": 1}
        assert supervisor.pids["b"] == before["b"]


def test_a_clean_end_that_was_not_asked_for_is_a_death_too(tmp_path: Path) -> None:
    with Supervisor([spec("a", "pass")], tmp_path) as supervisor:
        until(lambda: supervisor.restarts.get("a", 0) >= 1, supervisor)


def test_a_flight_that_may_end_is_not_started_again(tmp_path: Path) -> None:
    with Supervisor([spec("sim", "pass", may_end=True)], tmp_path) as supervisor:
        until(lambda: not supervisor.pids, supervisor)
        supervisor.poll()
        assert supervisor.restarts == {}
        assert supervisor.given_up == {}


def test_wrong_parameters_are_not_tried_again(tmp_path: Path) -> None:
    code = f"import sys; sys.exit({EXIT_WRONG_REQUEST})"
    with Supervisor([spec("a", code)], tmp_path) as supervisor:
        until(lambda: bool(supervisor.given_up), supervisor)
        assert "refused its parameters" in supervisor.given_up["a"]
        assert supervisor.restarts == {}


def test_what_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    now = [0.0]
    supervisor = Supervisor([spec("a", "raise SystemExit(3)")], tmp_path, clock=lambda: now[0])
    supervisor.start()

    def advance() -> bool:
        now[0] += 0.5  # the backoff passes in no time
        return bool(supervisor.given_up)

    until(advance, supervisor)
    assert "died 6 times in a row" in supervisor.given_up["a"]
    assert supervisor.restarts == {"a": 5}


def test_the_backoff_grows(tmp_path: Path) -> None:
    now = [0.0]
    supervisor = Supervisor([spec("a", "raise SystemExit(3)")], tmp_path, clock=lambda: now[0])
    supervisor.start()
    waited = []
    for deaths in (1, 2, 3):
        until(lambda: not supervisor.pids, supervisor)
        begin_s = now[0]
        while supervisor.restarts.get("a", 0) < deaths:
            now[0] += 0.1
            supervisor.poll()
        waited.append(now[0] - begin_s)
    supervisor.stop()
    assert waited == pytest.approx([0.5, 1.0, 2.0], abs=0.15)


def test_an_interrupt_reaches_a_node_exactly_once(tmp_path: Path) -> None:
    supervisor = Supervisor([spec("a", COUNTING)], tmp_path)
    supervisor.start()
    until(said(supervisor, "a"))
    assert supervisor.stop() == {"a": 0}
    assert supervisor.log_path("a").read_text().split() == ["up", "hit", "1"]


def test_what_ignores_every_signal_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor([spec("a", STUBBORN)], tmp_path)
    supervisor.start()
    until(said(supervisor, "a"))
    pid = supervisor.pids["a"]
    assert supervisor.stop(interrupt_s=0.1, terminate_s=0.1) == {"a": -signal.SIGKILL}
    assert not psutil.pid_exists(pid)


def test_stopping_some_leaves_the_others(tmp_path: Path) -> None:
    with Supervisor([spec("a", LIVE), spec("b", LIVE)], tmp_path) as supervisor:
        until(said(supervisor, "b"))
        until(said(supervisor, "a"))
        supervisor.stop(["a"])
        supervisor.poll()
        assert set(supervisor.pids) == {"b"}
        assert supervisor.restarts == {}


def test_each_process_has_its_own_log(tmp_path: Path) -> None:
    specs = [spec(name, f"print('I am {name}')", may_end=True) for name in ("a", "b")]
    with Supervisor(specs, tmp_path / "logs") as supervisor:
        until(lambda: not supervisor.pids, supervisor)
        assert supervisor.log_path("a").read_text() == "I am a\n"
        assert supervisor.log_path("b").read_text() == "I am b\n"


def test_a_program_that_cannot_be_started_leaves_nothing_running(tmp_path: Path) -> None:
    supervisor = Supervisor([spec("a", LIVE), ProcessSpec("b", ("/nonexistent/program",))], tmp_path)
    with pytest.raises(FileNotFoundError):
        supervisor.start()
    assert supervisor.pids == {}


def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom vidgen_nodes.supervisor import *\n"
        f"s = Supervisor([ProcessSpec('a', (sys.executable, '-S', '-c', {STUBBORN!r}))], Path({str(tmp_path)!r}))\n"
        "s.start(); print(s.pids['a'], flush=True)\nwhile True: time.sleep(0.05)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        until(lambda: (tmp_path / "a.log").read_text() != "")
        assert psutil.pid_exists(child)
        parent.kill()
        parent.wait()

        def gone() -> bool:
            try:
                return psutil.Process(child).status() == psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                return True

        until(gone)
