# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the processes of the graph, restarts what dies, and leaves none behind.

Guarantees: each node is its own session with its own log; an interrupt reaches each node exactly
once and only from here; whatever does not end in time is terminated, then killed; if this process is
killed outright, the kernel kills the nodes. Not thread-safe: one thread starts and polls (the kernel
ties the death signal to the thread that forked). Leaves out: what the nodes do, and ROS.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

log = logging.getLogger(__name__)

# A node ends with this when its parameters are wrong: starting it again changes nothing.
EXIT_WRONG_REQUEST = 2
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 10.0
_HEALTHY_AFTER_S = 20.0  # a node that lived so long starts its backoff anew
_MOST_RESTARTS = 5  # within _HEALTHY_AFTER_S of each other; then it is given up
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child may not load libraries between fork and exec.
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process to keep alive. ``may_end``: exit status 0 is its natural end."""

    name: str
    command: tuple[str, ...]
    may_end: bool = False


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: subprocess.Popen[bytes] | None = None
    log_file: IO[bytes] | None = None
    started_s: float = 0.0
    restart_at_s: float | None = None
    restarts: int = 0
    quick_deaths: int = 0
    returncodes: list[int] = field(default_factory=list)
    given_up: str = ""


class Supervisor:
    """Keeps a set of processes alive; a context manager that stops them all on the way out."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        log_dir: Path,
        environment: Mapping[str, str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._children = {spec.name: _Child(spec) for spec in specs}
        self._log_dir = log_dir
        self._environment = dict(os.environ if environment is None else environment)
        self._clock = clock

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start every process that is not running."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        try:
            for child in self._children.values():
                if child.process is None:
                    self._launch(child)
        except BaseException:
            self.stop()
            raise

    @property
    def pids(self) -> dict[str, int]:
        """Running processes."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process is not None and child.process.returncode is None
        }

    @property
    def restarts(self) -> dict[str, int]:
        """How often each process was started again, those that never were left out."""
        return {name: child.restarts for name, child in self._children.items() if child.restarts}

    @property
    def given_up(self) -> dict[str, str]:
        """Processes that will not be started again, and why."""
        return {name: child.given_up for name, child in self._children.items() if child.given_up}

    def log_path(self, name: str) -> Path:
        """Where a process writes what it says."""
        return self._log_dir / f"{name}.log"

    def poll(self) -> None:
        """Notice who died; start again whose time has come. Call it a few times a second."""
        now_s = self._clock()
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, now_s)
            if child.restart_at_s is not None and now_s >= child.restart_at_s:
                child.restart_at_s = None
                child.restarts += 1
                log.warning("%s: started again (restart %d)", child.spec.name, child.restarts)
                self._launch(child)

    def stop(
        self,
        names: Sequence[str] | None = None,
        *,
        interrupt_s: float = 5.0,
        terminate_s: float = 2.0,
    ) -> dict[str, int]:
        """Interrupt, then terminate, then kill. Returns the exit status by name (negative: signal).

        Args:
            names: only these; None: all.
            interrupt_s: how long they have after SIGINT.
            terminate_s: how long they have after SIGTERM.
        """
        chosen = [c for name, c in self._children.items() if names is None or name in names]
        for child in chosen:
            child.restart_at_s = None
        running = [child for child in chosen if child.process is not None]
        for number, limit_s in (
            (signal.SIGINT, interrupt_s),
            (signal.SIGTERM, terminate_s),
            (signal.SIGKILL, 5.0),
        ):
            running = [child for child in running if not _ended(child)]
            for child in running:
                if number != signal.SIGINT:
                    log.warning("%s: did not end in time, sending %s", child.spec.name, number.name)
                _signal(child, number)
            deadline_s = self._clock() + limit_s
            for child in running:
                _wait(child, deadline_s - self._clock())
        result: dict[str, int] = {}
        for child in chosen:
            if child.process is not None and _ended(child):
                child.returncodes.append(child.process.returncode)
                self._forget(child)
            if child.returncodes:
                result[child.spec.name] = child.returncodes[-1]
        return result

    def _launch(self, child: _Child) -> None:
        self.log_path(child.spec.name).parent.mkdir(parents=True, exist_ok=True)  # a camera has a folder
        child.log_file = self.log_path(child.spec.name).open("ab")
        child.process = subprocess.Popen(
            child.spec.command,
            stdin=subprocess.DEVNULL,
            stdout=child.log_file,
            stderr=subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )
        child.started_s = self._clock()

    def _bury(self, child: _Child, now_s: float) -> None:
        assert child.process is not None
        code = child.process.returncode
        lived_s = now_s - child.started_s
        child.returncodes.append(code)
        self._forget(child)
        name = child.spec.name
        if code == 0 and child.spec.may_end:
            log.info("%s: ended", name)
            return
        child.quick_deaths = 1 if lived_s >= _HEALTHY_AFTER_S else child.quick_deaths + 1
        where = f"{_said(code)} after {lived_s:.1f} s; see {self.log_path(name)}"
        if code == EXIT_WRONG_REQUEST:
            child.given_up = f"refused its parameters: {where}"
        elif child.quick_deaths > _MOST_RESTARTS:
            child.given_up = f"died {child.quick_deaths} times in a row: {where}"
        if child.given_up:
            log.error("%s: %s; not started again", name, child.given_up)
            return
        backoff_s = min(_FIRST_BACKOFF_S * 2.0 ** (child.quick_deaths - 1), _LONGEST_BACKOFF_S)
        child.restart_at_s = now_s + backoff_s
        log.error("%s: %s; starting it again in %.1f s", name, where, backoff_s)

    @staticmethod
    def _forget(child: _Child) -> None:
        child.process = None
        if child.log_file is not None:
            child.log_file.close()
            child.log_file = None


def python_module(name: str, module: str, arguments: Sequence[str], *, may_end: bool = False) -> ProcessSpec:
    """A process that runs ``python -m module`` with the interpreter that runs now."""
    return ProcessSpec(name, (sys.executable, "-m", module, *arguments), may_end)


def _die_with(parent: int) -> Callable[[], None]:
    def before_exec() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return before_exec


def _ended(child: _Child) -> bool:
    return child.process is None or child.process.poll() is not None


def _wait(child: _Child, limit_s: float) -> None:
    assert child.process is not None
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(max(limit_s, 0.0))


def _signal(child: _Child, number: signal.Signals) -> None:
    assert child.process is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, number)


def _said(code: int) -> str:
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"ended with status {code}"
