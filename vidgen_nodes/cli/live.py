# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A live graph for the length of a ``with``: run directory, processes, probe and table.

``demo``, ``up`` and ``replay`` differ in what feeds the graph and when it ends; what they share is here.
Guarantees: nothing starts before the request is known to be right; on the way out every process has ended.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from vidgen_nodes.cameras import extra_cameras
from vidgen_nodes.cli.audit import custody_state
from vidgen_nodes.cli.loading import read_models_ahead
from vidgen_nodes.cli.options import make_run_dir, resolved
from vidgen_nodes.cli.table import GraphTable, drops
from vidgen_nodes.errors import ConfigError, MissingPackageError
from vidgen_nodes.graph import (
    NAMESPACE,
    merge_overrides,
    preset_remaps,
    ros_arguments,
    specs_for,
    write_params,
)
from vidgen_nodes.params import NodeParams
from vidgen_nodes.ros.diagnostics import WITHHOLDING
from vidgen_nodes.summary import RunSummary, percentiles
from vidgen_nodes.supervisor import Supervisor, python_module

if TYPE_CHECKING:
    from vidgen_nodes.ros.probe import FrameSeen, Probe
    from vidgen_nodes.ros.transport import StopRequest

log = logging.getLogger(__name__)

START_UP_S = 60.0
_LOOK_AROUND_S = 1.0
_EXPLAIN_EVERY_S = 6.0  # nodes say within five seconds why nothing comes out
_LINKS = ("thermal/frame", "drone/nav_state", "uncertainty/map", "bundle", "provenance")

Layer = Mapping[str, Mapping[str, Any]]


@dataclass
class LiveGraph:
    """What a command works with while the graph runs."""

    run_dir: Path
    params: NodeParams
    params_file: Path
    supervisor: Supervisor
    probe: Probe
    stop: StopRequest
    table: GraphTable
    node_names: tuple[str, ...]
    cameras: tuple[str, ...]  # beside the first
    cpu: dict[str, float] = field(default_factory=dict)  # percent of one core, by node
    _cpu_from: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lost_before: dict[str, int] = field(default_factory=dict)
    _alone_s: float = 0.0
    _explained_s: float = field(default_factory=time.monotonic)
    _explained: str = ""

    def tick(self) -> None:
        """Keep the processes alive, the table fresh, and say what is wrong. About twenty times a second.

        Raises:
            ConfigError: a node refused its parameters, or another graph answers in this ROS domain.
        """
        self.supervisor.poll()
        self.table.update(
            self.supervisor.pids, self.probe.nodes, self.supervisor.restarts, self.probe.overlays
        )
        for name, why in self.supervisor.given_up.items():
            raise ConfigError(f"{name} {why}\n{_tail(self.supervisor.log_path(name))}")
        now_s = time.monotonic()
        if now_s - self._alone_s > 1.0:
            self._alone_s = now_s
            self._check_alone()
        if now_s - self._explained_s > _EXPLAIN_EVERY_S:
            self._explained_s = now_s
            self._explain()

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Whether ``condition`` came true in time and before an interrupt."""
        self.probe.wait(lambda: self.stop.is_set or condition(), timeout_s, self.tick)
        return condition()

    def wait_for_links(self) -> bool:
        """Whether all nodes report and have found each other, so that the first frame is not lost."""
        linked_s: list[float] = []

        def ready() -> bool:
            if self.probe.unlinked(_LINKS):
                linked_s.clear()
                return False
            linked_s.append(time.monotonic())
            nodes = self.probe.nodes
            return all(n in nodes and nodes[n].received_s > linked_s[0] for n in self.node_names)

        return self.wait(ready, START_UP_S)

    def drain(self, expected: int | None, idle_s: float) -> None:
        """Wait until ``expected`` overlays are out, or none came for ``idle_s``."""
        newest = [self.probe.overlays, time.monotonic()]

        def done() -> bool:
            if self.probe.overlays != newest[0]:
                newest[:] = [self.probe.overlays, time.monotonic()]
            enough = expected is not None and self.probe.overlays >= expected
            return enough or time.monotonic() - newest[1] > idle_s

        self.probe.wait(done, 30.0, self.supervisor.poll)

    def stop_all(self) -> None:
        """Stop every node, and say who did not end well."""
        self.supervisor.poll()
        for name, code in self.supervisor.stop().items():
            if code not in (0, -signal.SIGINT):
                log.warning("%s ended with status %d; see %s", name, code, self.supervisor.log_path(name))

    def start_counting(self) -> None:
        """Measure the CPU time of each node, and count what is lost, from now on: start-up is over."""
        self._lost_before = self._lost()
        self._cpu_from = {name: (time.monotonic(), used) for name, used in self._cpu_seconds().items()}

    def read_cpu(self) -> None:
        """Put into ``cpu`` what each node used since :meth:`start_counting`."""
        now_s = time.monotonic()
        for name, used_s in self._cpu_seconds().items():
            if name in self._cpu_from:
                from_s, before_s = self._cpu_from[name]
                self.cpu[name] = 100.0 * (used_s - before_s) / max(now_s - from_s, 1e-9)

    def _cpu_seconds(self) -> dict[str, float]:
        found = {}
        for name, pid in self.supervisor.pids.items():
            with suppress(psutil.Error):
                times = psutil.Process(pid).cpu_times()
                found[name] = times.user + times.system
        return found

    def dropped(self) -> dict[str, int]:
        """Frames lost since :meth:`start_counting` by reason: the synchroniser's own, each other node's sum."""
        lost = {name: count - self._lost_before.get(name, 0) for name, count in self._lost().items()}
        return {name: count for name, count in lost.items() if count > 0}

    def _lost(self) -> dict[str, int]:
        found = {reason: count for reason, count in self.probe.sync.drops.items() if count}
        for name, health in self.probe.nodes.items():
            if name != "sync_node" and (count := drops(health.values)):
                found[name] = count
        return found

    def summary(
        self, frames: Sequence[FrameSeen], *, thermal_in: int, rate_hz: float, latency_ms: Sequence[float],
        overlay_out: int | None = None, **extra: Any,
    ) -> RunSummary:  # fmt: skip
        """What the run came to, after :meth:`stop_all`.

        Args:
            frames: those that count; outside the gate none at all may be.
            thermal_in: thermal frames that went in while those came out.
            rate_hz: of overlays.
            latency_ms: thermal stamp or arrival to overlay published.
            overlay_out: where more came out than could be remembered.
            extra: what only this command tells.
        """
        sync = self.probe.sync
        return RunSummary(
            thermal_in=thermal_in,
            overlay_out=len(frames) if overlay_out is None else overlay_out,
            dropped=self.dropped(),
            rate_hz=rate_hz,
            latency_ms=latency_ms,
            matched=sync.matched,
            skew_ms=sync.skew_ms,
            sigma_px=percentiles([f.sigma_px for f in frames], (50, 99)),
            cells_open=max((f.cells_open for f in frames), default=0),
            pixels_drawn=sum(f.pixels_drawn for f in frames),
            pixels_outside=sum(f.pixels_outside for f in self.probe.frames),
            custody=custody_state(self.run_dir / "ledger.db"),
            causes=sync.causes,
            leaks_closed=Counter(cause for f in frames for cause in f.leaks_closed),
            withheld=self._withheld(),
            extra={
                "run_dir": str(self.run_dir),
                "restarts": self.supervisor.restarts,
                "cpu_percent": self.cpu,
                **({"cameras": self._ledgers()} if self.cameras else {}),
                **extra,
            },
        )

    def _withheld(self) -> str:
        generator = self.probe.nodes.get("generator_node")
        return "" if generator is None else generator.values.get(WITHHOLDING, "")

    def _ledgers(self) -> dict[str, dict[str, Any]]:
        states = {name: custody_state(self.run_dir / name / "ledger.db") for name in self.cameras}
        return {name: {"records": s.records, "verified": s.verified} for name, s in states.items()}

    def _check_alone(self) -> None:
        """A second graph under the same names would mix its frames with ours."""
        # A killed writer stays known to the middleware until its lease runs out.
        ours = 1 + self.supervisor.restarts.get("generator_node", 0)
        if self.probe.writers("provenance") > ours:
            raise _not_alone()

    def _explain(self) -> None:
        wrong = [f"{n}: {h.message}" for n, h in sorted(self.probe.nodes.items()) if h.level and h.message]
        text = "\n".join(wrong)
        if text and text != self._explained and not sys.stderr.isatty():
            log.warning("%s", text)
        self._explained = text


@contextmanager
def live_graph(
    args: argparse.Namespace,
    overrides: Layer,
    *,
    prepare: Callable[[Path], Layer] = lambda _: {},
    with_sim: bool = False,
    replaying: bool = False,
    remaps: tuple[tuple[str, str], ...] = (),
) -> Iterator[LiveGraph]:
    """Start the graph; stop it on the way out.

    Args:
        args: parsed ``--preset``, ``--config``, ``--set``, ``--run-dir``, ``--json``.
        overrides: what the command itself needs.
        prepare: called with the new run directory before anything starts; returns more overrides.
        with_sim: fly the simulated drone.
        replaying: nodes take their time from ``/clock`` and read sensors reliably.
        remaps: ``(our topic, foreign topic)``; they win over those of the preset.

    Raises:
        ConfigError: the request is wrong.
        MissingPackageError: ROS 2 or our interfaces are not there.
    """
    asked = resolved(args, overrides)  # a wrong request leaves no directory behind
    transport, observing = _ros()
    # Several nodes load it, and none can show how far it is.
    read_models_ahead([asked.generator.building_file, asked.lidar.building_file], quiet=args.json)
    run_dir = make_run_dir(args)
    ledger = str(run_dir / "ledger.db")
    own = {"generator": {"ledger": ledger}, "custody": {"ledger": ledger}}
    params = resolved(args, merge_overrides(overrides, own, prepare(run_dir)))
    params_file = run_dir / "params.yaml"
    write_params(params_file, params)
    # A replay publishes under our own names, whatever the drone of the preset calls its topics.
    topics = {} if replaying else {**dict(preset_remaps(args.preset)), **dict(remaps)}
    started = [(spec, params_file) for spec in specs_for(params, with_sim=with_sim, remaps=topics.items())]
    cameras = () if replaying else extra_cameras(args.config)
    for camera in cameras:
        folder = run_dir / camera.name
        folder.mkdir()
        own = camera.overrides_in(folder, overrides)
        its_params = resolved(args, own)
        write_params(folder / "params.yaml", its_params)
        started += [(spec, folder / "params.yaml") for spec in camera.specs(its_params, topics.items())]
    processes = [
        python_module(
            spec.process, spec.module, ros_arguments(spec, file, replaying=replaying), may_end=spec.may_end
        )
        for spec, file in started
    ]
    if swept := transport.sweep_stale_segments():
        log.info("removed %d stale shared-memory segments", len(swept))
    for fault in transport.transport_faults():
        log.warning("%s", fault)
    with ExitStack() as stack:
        stack.callback(transport.sweep_stale_segments)  # of a node that had to be killed
        stop = stack.enter_context(transport.stop_on_signals())
        stack.enter_context(_only_one_here())
        probe = stack.enter_context(observing())
        _look_around(probe)
        supervisor = stack.enter_context(
            Supervisor(processes, run_dir / "logs", transport.process_environment())
        )
        table = stack.enter_context(GraphTable(f"vidgen {args.command}  {run_dir}", shown=not args.json))
        names = tuple(spec.process for spec, _ in started)
        cameras_named = tuple(camera.name for camera in cameras)
        yield LiveGraph(run_dir, params, params_file, supervisor, probe, stop, table, names, cameras_named)


@contextmanager
def _only_one_here() -> Iterator[None]:
    """One graph a ROS domain on this host; the system frees the claim however its holder ends.

    Raises:
        ConfigError: there is another one, which must not be brought down by this one.
    """
    domain = os.environ.get("ROS_DOMAIN_ID", "").strip() or "0"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        try:
            # The leading NUL makes it a name and no file; it reaches as far as this host's loopback.
            claim.bind(f"\0{NAMESPACE}/domain/{domain[:50]}")
        except OSError as err:
            if err.errno != errno.EADDRINUSE:
                raise ConfigError(
                    f"ROS domain {domain}: cannot be claimed on this host: {err.strerror}"
                ) from err
            raise _not_alone() from err
        yield


def _look_around(probe: Probe) -> None:
    """Nothing of ours runs yet: whoever publishes is a graph on another host, as far as it is found in this time.

    Raises:
        ConfigError: there is one.
    """
    until_s = time.monotonic() + _LOOK_AROUND_S
    while time.monotonic() < until_s:
        if probe.writers("provenance"):
            raise _not_alone()
        time.sleep(0.05)


def _not_alone() -> ConfigError:
    return ConfigError(
        f"another graph publishes {NAMESPACE}/provenance in this ROS domain; "
        "stop it, or give this one a ROS_DOMAIN_ID of its own"
    )


def _ros() -> tuple[Any, Any]:
    try:
        from vidgen_nodes.ros import transport

        transport.prepare_process()
        from vidgen_nodes.ros.probe import observing
    except ImportError as err:
        raise MissingPackageError(
            f"ROS 2 or the vidgen interfaces are missing ({err}); run `make setup`, or source a ROS 2 workspace in "
            "which this package was built. `vidgen doctor` says more"
        ) from err
    return transport, observing


def _tail(path: Path, lines: int = 8) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
