# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen up``: the graph as supervised processes, for hosts where ``ros2 launch`` is not at hand."""

from __future__ import annotations

import argparse
import math

from vidgen_nodes.cli.audit import conclude, custody_state
from vidgen_nodes.cli.live import live_graph
from vidgen_nodes.cli.options import add_config, add_run_dir, number_over
from vidgen_nodes.graph import parse_topic_remaps
from vidgen_nodes.summary import RunSummary, percentiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    add_config(parser)
    add_run_dir(parser)
    parser.add_argument(
        "--seconds", type=number_over(0.0), default=math.inf, help="stop after this (default: Ctrl-C)"
    )
    parser.add_argument("--sim", action="store_true", help="fly the simulated drone too (use --preset sim)")
    parser.add_argument(
        "--remap",
        action="append",
        default=[],
        metavar="/FOREIGN:=OURS",
        help="e.g. /cam0/image:=thermal/image_raw",
    )
    parser.add_argument("--mission", default="unnamed", help="name of the run, part of every record")


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C; the summary counts from the start."""
    overrides = {"generator": {"origin": "sim" if args.sim else "live", "mission": args.mission}}
    remaps = parse_topic_remaps(args.remap)
    with live_graph(args, overrides, with_sim=args.sim, remaps=remaps) as graph:
        graph.start_counting()
        graph.wait(lambda: False, args.seconds)
        graph.read_cpu()
        if args.sim:
            graph.supervisor.stop(["sim_node"])
            graph.drain(None, idle_s=0.5)
        graph.stop_all()
        frames, dropped, sync = graph.probe.frames, graph.dropped(), graph.probe.sync
    span_s = (frames[-1].stamp_ns - frames[0].stamp_ns) / 1e9 if len(frames) > 1 else 0.0
    summary = RunSummary(
        thermal_in=sync.thermal_in,
        overlay_out=graph.probe.overlays,
        dropped=dropped,
        rate_hz=(len(frames) - 1) / span_s if span_s > 0 else 0.0,
        latency_ms=[(f.published_ns - f.stamp_ns) / 1e6 for f in frames],
        matched=sync.matched,
        skew_ms=sync.skew_ms,
        sigma_px=percentiles([f.sigma_px for f in frames], (50, 99)),
        cells_open=max((f.cells_open for f in frames), default=0),
        pixels_drawn=sum(f.pixels_drawn for f in frames),
        pixels_outside=sum(f.pixels_outside for f in frames),
        custody=custody_state(graph.run_dir / "ledger.db"),
        causes=sync.causes,
        extra={
            "run_dir": str(graph.run_dir),
            "restarts": graph.supervisor.restarts,
            "cpu_percent": graph.cpu,
        },
    )
    return conclude(args, summary)
