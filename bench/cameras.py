# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen bench cameras``: 200 low-rate cameras on one core, each with a clock of its own.

Every camera has its synchroniser; all share navigation and map. Frames come at 1 to 5 Hz with stamps that are up
to a second off and arrive late by 5 to 65 ms, so that stamps are put right by their arrival. One process works in
order of arrival; what each frame waits for is worked out from what each really cost here. Nobody starves when the
camera that waits longest waits hardly longer than the one in the middle.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from bench.stages import SECOND_NS, empty_map, straight_state, thermal_frame
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sync.anchored import AnchoredSync

CAMERAS = 200
_NAV_HZ = 50
_START_S = 10.0


def run(args: Any) -> int:
    """Measure and print."""
    figures = many_cameras(CAMERAS, args.seconds, seed=1)
    if not args.json:
        print(
            "| cameras on one core | frames | core used | wait p99 of the slowest camera, of the one in the middle |"
        )
        print("|---|---|---|---|")
        print(
            f"| {CAMERAS} | {figures['frames']:.0f} | {100 * figures['core_share']:.0f} % | "
            f"{figures['slowest_wait_p99_ms']:.1f} ms, {figures['middle_wait_p99_ms']:.1f} ms |"
        )
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))
    return 0


def many_cameras(cameras: int, seconds: float, seed: int) -> dict[str, float]:
    """Share of the core, share of frames with a pose, and how long frames wait, by camera."""
    source = np.random.default_rng(seed)
    params = SyncParams(require_rtk=False, thermal_time_source="arrival", clock_offset="off")
    syncs = [AnchoredSync(params) for _ in range(cameras)]
    events: list[tuple[float, int, int]] = []  # arrival, camera (-1: navigation), stamp
    for index in range(int(seconds * _NAV_HZ)):
        stamp_s = _START_S + index / _NAV_HZ
        events.append((stamp_s + 0.004, -1, int(stamp_s * SECOND_NS)))
    for camera in range(cameras):
        ahead_s, rate_hz = source.uniform(-1.0, 1.0), source.uniform(1.0, 5.0)
        for taken_s in np.arange(_START_S + source.uniform(0.0, 1.0), _START_S + seconds, 1.0 / rate_hz):
            late_s = source.uniform(0.005, 0.065)
            events.append((float(taken_s + late_s), camera, int((taken_s + ahead_s) * SECOND_NS)))
    blank = empty_map()
    waits_s: list[list[float]] = [[] for _ in range(cameras)]
    posed, done_s, used_s = 0, 0.0, 0.0
    for number, (arrives_s, camera, stamp_ns) in enumerate(sorted(events)):
        begin = time.perf_counter()
        arrival_ns = int(arrives_s * SECOND_NS)
        if camera < 0:
            state = straight_state(stamp_ns)
            for sync in syncs:
                sync.add_nav(state, arrival_ns)
        else:
            frame = thermal_frame(stamp_ns, number)
            posed += syncs[camera].bundle(frame, arrival_ns).map_T_camera is not None
        cost_s = time.perf_counter() - begin
        used_s += cost_s
        done_s = max(done_s, arrives_s) + cost_s
        if camera >= 0:
            waits_s[camera].append(done_s - arrives_s)
        if number == 0:
            for sync in syncs:
                sync.add_map(blank, arrival_ns)
    slow_ms = np.sort([np.percentile(waits, 99) * 1e3 for waits in waits_s])
    frames = sum(map(len, waits_s))
    return {
        "frames": float(frames),
        "core_share": used_s / seconds,
        "posed_share": posed / frames,
        "slowest_wait_p99_ms": float(slow_ms[-1]),
        "middle_wait_p99_ms": float(np.median(slow_ms)),
    }
