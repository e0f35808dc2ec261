# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen bench sync``: placement, clock offset, matching and cost of the synchroniser, each beside its peer.

Placement goes through the real navigation filter and the real synchroniser against the simulated truth
(``vidgen_nodes/sim/placement_trial.py``); the peer pairs each frame with the nearest pose of a 10 Hz stream.
Matching and cost: the same messages in the same order of arrival into ``ApproximateTimeSynchronizer`` (of
``message_filters`` where that is installed, else of our stand-in, which is a tenth of its cost: the table says
which) and into the anchored rule. The peer matches and no more; so does what its cost is compared with
(``us_per_message``). What a frame's pose, covariance and sigma_px cost on top stands beside it.
Absolute times are those of the machine; quote the ratios.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from bench.stages import SECOND_NS, Arrival, MatchingAlone, empty_map, straight_state, thermal_frame
from vidgen_nodes.errors import InputError
from vidgen_nodes.graph import resolve_params
from vidgen_nodes.params import RtkParams, SyncParams
from vidgen_nodes.sim.clock_trial import ClockTrial, find_clock, frames_of
from vidgen_nodes.sim.placement_trial import Trial, fly_trial
from vidgen_nodes.sim.trajectory import fly
from vidgen_nodes.sim.yawing import circle, wagging
from vidgen_nodes.sync.anchored import AnchoredSync
from vidgen_nodes.sync.placement import COVERING

_FOCAL_PX = 702.0
_FLIGHTS = 60
_OFFSET_S = 0.018
_SLOP_S = 0.02
_NAV_HZ = 200


def run(args: Any) -> int:
    """Measure everything; the table and the figures, or with ``--json`` the figures alone."""
    figures, beside = measure(args.seconds, full=not args.json)
    if not args.json:
        print(table(figures, beside))
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))
    return 0


def measure(seconds: float, *, full: bool = True) -> tuple[dict[str, float], dict[str, Any]]:
    """The figures, and what stands beside them in the table.

    Args:
        seconds: of messages for matching and cost.
        full: also what is only in the table (the cost of heading).
    """
    params = resolve_params("sim")
    rtk, sync = params.rtk, replace(params.sync, clock_offset="off")
    figures: dict[str, float] = {}
    figures |= placement(rtk, sync)
    figures["sigma_coverage"] = coverage(rtk, sync, _FLIGHTS)
    figures["offset_error_ms"] = offset_error_ms(rtk, params.sync)
    arrivals = arriving(seconds, seed=1)
    peer50, peer200 = (approximate(arrivals, queue) for queue in (50, 200))
    ours50, ours200 = (anchored(arrivals, waiting, MatchingAlone) for waiting in (50, 200))
    whole = anchored(arrivals, 50, AnchoredSync)
    figures["matched_share"], figures["ats_matched_share"] = whole["share"], peer50["share"]
    figures["us_per_message"], figures["ats_us_per_message"] = ours50["us"], peer50["us"]
    figures["added_delay_p95_ms"] = added_delay_p95_ms(params.rtk, params.sync)
    degrees = (("0.15°", 0.15), ("1°", 1.0), ("2°", 2.0)) if full else ()
    beside = {
        "cost_us": {"200": ours200["us"], "ats_200": peer200["us"], "whole": whole["us"]},
        "heading_px": {name: heading_cost_px(rtk, sync, deg) for name, deg in degrees},
        "peer": peer_name(),
    }
    return figures, beside


def peer_name() -> str:
    """Whose ApproximateTimeSynchronizer is measured."""
    from vidgen_nodes.ros.filters import ApproximateTimeSynchronizer

    installed = ApproximateTimeSynchronizer.__module__.startswith("message_filters")
    return "message_filters ATS" if installed else "ATS of our stand-in"


def placement(rtk: RtkParams, sync: SyncParams) -> dict[str, float]:
    """Noise-free sensors at 60 deg/s and 8 m/s: timing and interpolation alone, then +-18 ms on the stamps."""
    clean = fly_trial(Trial(circle, noise=False, focal_px=_FOCAL_PX), rtk, sync)
    jitter = fly_trial(Trial(circle, noise=False, jitter_s=0.018, focal_px=_FOCAL_PX), rtk, sync)
    return {
        "pose_px_p95_clean": float(np.percentile(clean.error_px, 95)),
        "pose_px_p95_nearest": float(np.percentile(clean.nearest_px, 95)),
        "pose_px_p95_jitter": float(np.percentile(jitter.error_px, 95)),
    }


def coverage(rtk: RtkParams, sync: SyncParams, flights: int) -> float:
    """Share of points that fall within the 95 % radius about where they are drawn, with every error there is.

    Each flight has its own sensor noise, boresight error, clock error and part of the motion; a point of the
    ground is drawn at the middle of its map cell of 0.5 m.
    """
    source = np.random.default_rng(7)
    inside = []
    for seed in range(flights):
        trial = Trial(
            fly,
            start_s=float(source.uniform(0.0, 60.0)),
            seconds=2.0,
            seed=seed,
            rate_hz=2.0,
            focal_px=650.0,
            cell_m=0.5,
            clock_ahead_s=float(source.normal(0.0, sync.time_sigma_ms * 1e-3)),
            boresight_rad=_three(source.normal(0.0, math.radians(sync.boresight_sigma_deg), 3)),
        )
        outcome = fly_trial(trial, rtk, sync)
        inside.append(outcome.error_px <= COVERING * outcome.sigma_px[:, None])
    return float(np.mean(inside))


def heading_cost_px(rtk: RtkParams, sync: SyncParams, heading_deg: float) -> float:
    """Median sigma_px when nothing but the IMU's own heading, good to so much, tells where north is."""
    believed = replace(rtk, orientation_sigma_deg=(rtk.orientation_sigma_deg[0], heading_deg))
    trial = Trial(fly, seconds=4.0, rate_hz=5.0, focal_px=650.0)
    return float(np.median(fly_trial(trial, believed, sync).sigma_px))


def offset_error_ms(rtk: RtkParams, sync: SyncParams) -> float:
    """Worst of four flights of 10 s with a wagging nose and a camera clock that is 18 ms ahead."""
    errors = []
    for seed, start_s in ((1, 5.0), (2, 30.0), (3, 48.0), (4, 71.0)):
        counts = find_clock(ClockTrial(_OFFSET_S, wagging, seed, start_s), rtk, sync)
        errors.append(abs(counts.clock_offset_measured_ms - 1e3 * _OFFSET_S))
    return max(errors)


def arriving(seconds: float, seed: int) -> list[Arrival]:
    """50 Hz thermal, 200 Hz navigation, 10 Hz maps; 2 % of each lost, stamps with +-18 ms of jitter (navigation
    2 ms), arriving late by up to 60, 10 and 100 ms and so out of order.
    """
    source = np.random.default_rng(seed)
    arrivals = []
    for stream, rate_hz, jitter_s, low_s, high_s in (
        ("thermal", 50, 0.018, 0.005, 0.065),
        ("nav", _NAV_HZ, 0.002, 0.002, 0.012),
        ("map", 10, 0.018, 0.03, 0.13),
    ):
        for index in range(int(seconds * rate_hz)):
            if source.random() < 0.02:
                continue
            stamp_s = 10.0 + index / rate_hz + source.uniform(-jitter_s, jitter_s)
            arrivals.append(
                Arrival(stamp_s + source.uniform(low_s, high_s), stream, int(stamp_s * SECOND_NS))
            )
    return sorted(arrivals, key=lambda a: a.time_s)


def approximate(arrivals: list[Arrival], queue: int) -> dict[str, float]:
    """The peer: cost a message, and the share of thermal frames that it puts into a set."""
    from sensor_msgs.msg import Imu

    from vidgen_nodes.ros.filters import ApproximateTimeSynchronizer, SimpleFilter

    filters = {name: SimpleFilter() for name in ("thermal", "nav", "map")}
    peer = ApproximateTimeSynchronizer(list(filters.values()), queue, _SLOP_S)
    sets: list[Any] = []
    peer.registerCallback(lambda *messages: sets.append(messages[0]))
    messages = []
    for arrival in arrivals:
        message = Imu()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(arrival.stamp_ns, SECOND_NS)
        messages.append((filters[arrival.stream], message))
    warm = len(messages) // 10
    spent_ns = 0
    for index, (stream, message) in enumerate(messages):
        begin_ns = time.perf_counter_ns()
        stream.signalMessage(message)
        spent_ns += (time.perf_counter_ns() - begin_ns) * (index >= warm)
    frames = sum(arrival.stream == "thermal" for arrival in arrivals)
    return {"us": spent_ns / 1e3 / (len(messages) - warm), "share": len({id(m) for m in sets}) / frames}


def anchored(arrivals: list[Arrival], waiting: int, rule: type[AnchoredSync]) -> dict[str, float]:
    """Ours; the share is of matchable frames: those after the first state and map could be in effect.

    Args:
        arrivals: messages.
        waiting: states of navigation (200 a second) that wait to take effect, by a delay that long.
        rule: whose.
    """
    delay_ms = 1e3 * waiting / _NAV_HZ
    params = SyncParams(
        nav_delay_ms=delay_ms,
        pose_stale_ms=delay_ms + 200.0,
        rtk_stale_ms=delay_ms + 1000.0,
        clock_offset="off",
    )
    sync, blank = rule(params), empty_map()
    packets: list[tuple[Any, Any]] = []
    for number, arrival in enumerate(arrivals):
        if arrival.stream == "nav":
            packets.append((sync.add_nav, straight_state(arrival.stamp_ns)))
        elif arrival.stream == "map":
            packets.append((sync.add_map, replace(blank, stamp_ns=arrival.stamp_ns)))
        else:
            packets.append((sync.bundle, thermal_frame(arrival.stamp_ns, number)))
    warm = len(packets) // 10
    spent_ns, matchable, matched = 0, 0, 0
    for index, (take, packet) in enumerate(packets):
        begin_ns = time.perf_counter_ns()
        try:
            taken = take(packet)
        except InputError:
            taken = None  # not matched: the share below shows it
        spent_ns += (time.perf_counter_ns() - begin_ns) * (index >= warm)
        if arrivals[index].stream == "thermal" and index >= warm:
            matchable += 1
            matched += taken is not None and not taken.causes
    return {"us": spent_ns / 1e3 / (len(packets) - warm), "share": matched / matchable}


def added_delay_p95_ms(rtk: RtkParams, sync: SyncParams) -> float:
    """From a frame's coming to its bundle, with real pictures and the search for the clock offset running."""
    delays_ms: list[float] = []
    for _, frame, anchored_sync in frames_of(ClockTrial(_OFFSET_S, seconds=8.0), rtk, sync):
        begin_ns = time.perf_counter_ns()
        anchored_sync.bundle(frame)
        delays_ms.append((time.perf_counter_ns() - begin_ns) / 1e6)
        anchored_sync.observe()
    return float(np.percentile(delays_ms, 95))


def table(figures: dict[str, float], beside: dict[str, Any]) -> str:
    """Markdown, as it stands in the README."""
    ats, cost_us, heading = beside["peer"], beside["cost_us"], beside["heading_px"]
    px = {name.removeprefix("pose_px_p95_"): value for name, value in figures.items() if "px" in name}
    headings = ", ".join(f"{name}: {value:.1f}" for name, value in heading.items())
    share, peer_share = (figures[name] * 100 for name in ("matched_share", "ats_matched_share"))
    us, ats_us = figures["us_per_message"], figures["ats_us_per_message"]
    covered, off_ms = figures["sigma_coverage"] * 100, figures["offset_error_ms"]
    rows = (
        ("synchronisation", "ours", "peer", "target"),
        ("---",) * 4,
        (
            "placement p95, clean, yaw 60°/s, 8 m/s, f = 702 px",
            f"{px['clean']:.2f} px",
            f"nearest 10 Hz pose {px['nearest']:.1f} px",
            "≤ 0.25 px, ≥ 20×",
        ),
        (
            "the same, ±18 ms on the stamps",
            f"{px['jitter']:.1f} px",
            "",
            f"≤ f·dt·(ω + v/Z) = {_formula_px():.1f} px, + 1 px",
        ),
        ("points within the stated 95 % radius", f"{covered:.1f} %", "", "95 ± 3 %"),
        ("sigma_px by error of heading (one antenna: 0.5 to 2°)", f"{headings} px", "", ""),
        ("clock offset of 18 ms after 10 s of motion", f"off by {off_ms:.2f} ms", "", "≤ 2 ms"),
        ("thermal frames matched", f"{share:.2f} %", f"{ats} {peer_share:.1f} %", "100 % of matchable"),
        (
            "cost a message, 50 waiting",
            f"{us:.1f} µs ({cost_us['whole']:.0f} µs with pose and covariance)",
            f"{ats} {ats_us:.0f} µs",
            "≥ 10×",
        ),
        (
            "cost a message, 200 waiting",
            f"{cost_us['200']:.1f} µs",
            f"{ats} {cost_us['ats_200']:.0f} µs",
            "flat",
        ),
        ("delay added, p95", f"{figures['added_delay_p95_ms']:.2f} ms", "", "≤ 1 ms"),
    )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _formula_px() -> float:
    """Of 18 ms at 60 deg/s and 8 m/s, 40 m above ground, looking down by 40 deg: f (w dt + v dt / Z)."""
    range_m = 40.0 / math.sin(math.radians(40.0))
    return _FOCAL_PX * 0.018 * (math.radians(60.0) + 8.0 / range_m)


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
