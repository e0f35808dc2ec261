# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen up``: the graph as supervised processes, for hosts where ``ros2 launch`` is not at hand."""

from __future__ import annotations

import argparse
import math

from vidgen_nodes.cli.audit import conclude
from vidgen_nodes.cli.live import live_graph
from vidgen_nodes.cli.options import add_config, add_run_dir, number_over
from vidgen_nodes.graph import parse_topic_remaps


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
    frames = graph.probe.frames
    span_s = (frames[-1].stamp_ns - frames[0].stamp_ns) / 1e9 if len(frames) > 1 else 0.0
    summary = graph.summary(
        frames,
        thermal_in=graph.probe.sync.thermal_in,
        rate_hz=(len(frames) - 1) / span_s if span_s > 0 else 0.0,
        latency_ms=[(f.published_ns - f.stamp_ns) / 1e6 for f in frames],
        overlay_out=graph.probe.overlays,
    )
    return conclude(args, summary)
