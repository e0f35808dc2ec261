# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph against the plain design, in turns in one run (goals G13-G15).

Both are fed by the same ``sim_node`` at the same rate. Ours is ``vidgen demo`` as a user starts it, plus a
viewer's subscription to the overlay; the plain design is ``bench/plain.py`` on the middleware's own
defaults. Latency is from the thermal stamp to the overlay handed to the middleware. CPU counts every
process but the simulated drone.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from vidgen_nodes.graph import resolve_params, ros_arguments, specs_for, write_params

MIDDLEWARE_DEFAULTS = Path(__file__).with_name("middleware_defaults.xml")
_START_UP_S = 8.0


def compare(seconds: float, rounds: int, domain: int) -> dict[str, Any]:
    """Run both designs in turns and return the medians over the rounds.

    Args:
        seconds: counted time of each run.
        rounds: how often each design runs.
        domain: ROS domain; one further is used for the plain design.
    """
    ours, plain = [], []
    for _ in range(rounds):
        ours.append(run_ours(seconds, domain))
        plain.append(run_plain(seconds, domain + 1))

    def median(runs: list[dict[str, Any]], key: str) -> float:
        return round(statistics.median(run[key] for run in runs), 3)

    result = {f"e2e_{name}_ms": median(ours, f"{name}_ms") for name in ("p50", "p95", "p99")}
    result |= {"delivered": median(ours, "delivered"), "fps": median(ours, "fps")}
    result |= {"cpu_ms_per_overlay": median(ours, "cpu_ms_per_overlay")}
    result |= {f"plain_e2e_{name}_ms": median(plain, f"{name}_ms") for name in ("p50", "p95", "p99")}
    result |= {"plain_fps": median(plain, "fps"), "plain_delivered": median(plain, "delivered")}
    result |= {"plain_cpu_ms_per_overlay": median(plain, "cpu_ms_per_overlay")}
    nodes = sorted({name for run in ours for name in run["cpu_percent"]})
    result["cpu_percent"] = {n: round(statistics.median(r["cpu_percent"][n] for r in ours), 1) for n in nodes}
    return result


def run_ours(seconds: float, domain: int) -> dict[str, Any]:
    """One ``vidgen demo``."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "vidgen_nodes.cli", "demo", "--json"]
        command += ["--seconds", str(seconds), "--run-dir", f"{directory}/run"]
        done = subprocess.run(
            command,
            env=dict(os.environ, ROS_DOMAIN_ID=str(domain)),
            capture_output=True,
            text=True,
            timeout=seconds + 120,
        )
    if done.returncode != 0:
        raise RuntimeError(f"vidgen demo ended with {done.returncode}:\n{done.stderr[-2000:]}")
    summary = json.loads(done.stdout.splitlines()[-1])
    frames, latency, cpu = summary["frames"], summary["latency_ms"], summary["cpu_percent"]
    used = sum(percent for name, percent in cpu.items() if name != "sim_node")
    return {
        **{f"{name}_ms": latency[name] for name in ("p50", "p95", "p99")},
        "delivered": frames["overlay_out"] / frames["thermal_in"],
        "fps": summary["rate_hz"],
        "cpu_ms_per_overlay": used / 100.0 / summary["rate_hz"] * 1e3,
        "cpu_percent": cpu,
    }


def run_plain(seconds: float, domain: int) -> dict[str, Any]:
    """One run of the plain design."""
    environment = dict(
        os.environ, ROS_DOMAIN_ID=str(domain), FASTDDS_DEFAULT_PROFILES_FILE=str(MIDDLEWARE_DEFAULTS)
    )
    params = resolve_params("sim")
    sim = next(spec for spec in specs_for(params, with_sim=True) if spec.name == "sim_node")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "params.yaml"
        write_params(file, params)
        commands = [
            [sys.executable, "-m", "bench.plain", "generator"],
            [sys.executable, "-m", "bench.plain", "sync"],
            [sys.executable, "-m", sim.module, *ros_arguments(sim, file)],
        ]
        with _running(commands, environment) as processes:
            time.sleep(_START_UP_S)  # a measurement, not a test: both designs are long up by then
            begin_s, cpu_s = time.time(), _cpu_s(processes[:2])
            time.sleep(seconds)
            end_s, cpu_s = time.time(), _cpu_s(processes[:2]) - cpu_s
            processes[0].send_signal(signal.SIGINT)
            result = json.loads(processes[0].communicate(timeout=20)[0].splitlines()[-1])
    counted = [
        (latency, at)
        for latency, at in zip(result["latencies_ms"], result["published_s"], strict=True)
        if begin_s <= at < end_s
    ]
    latencies_ms = np.array([latency for latency, _ in counted] or [float("nan")])
    return {
        **{f"p{rank}_ms": float(np.percentile(latencies_ms, rank)) for rank in (50, 95, 99)},
        "delivered": len(counted) / (seconds * params.sim.thermal_rate_hz),
        "fps": len(counted) / seconds,
        "cpu_ms_per_overlay": cpu_s * 1e3 / max(1, len(counted)),
    }


@contextmanager
def _running(commands: list[list[str]], environment: dict[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    processes = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for command in commands
    ]
    try:
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _cpu_s(processes: list[subprocess.Popen[str]]) -> float:
    times = [psutil.Process(process.pid).cpu_times() for process in processes]
    return sum(t.user + t.system for t in times)


def run(args: Any) -> int:
    """``vidgen bench pipeline [--seconds S] [--json]``."""
    result = compare(args.seconds, rounds=2, domain=int(os.environ.get("ROS_DOMAIN_ID", "70")))
    if not args.json:
        for key, value in result.items():
            print(f"{key:28} {value}")
    print(json.dumps(result))
    return 0
