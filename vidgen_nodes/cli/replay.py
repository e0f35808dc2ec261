# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen replay``: the live graph fed from a recording, with ``/clock``.

Inputs are read reliably and the synchroniser holds a frame until what counts for it has come, so a busy
machine changes no frame: the hashes are those of ``vidgen render``. Latency is from the moment a thermal
frame is handed to the middleware to the arrival of its provenance here (one hop more than the overlay's).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen_nodes.cli.audit import conclude
from vidgen_nodes.cli.live import START_UP_S, LiveGraph, live_graph
from vidgen_nodes.cli.options import add_config, add_remap, add_run_dir, number_over
from vidgen_nodes.cli.recording import opened
from vidgen_nodes.custody.segment_file import manifests, write_segment_file
from vidgen_nodes.errors import TransportError
from vidgen_nodes.ros.bagfile import storage_files
from vidgen_nodes.ros.replay import ANCHOR, replay_overrides
from vidgen_nodes.summary import RunSummary

if TYPE_CHECKING:
    from vidgen_nodes.ros.player import Player
    from vidgen_nodes.ros.replay import Recording

_REPLAY_WAIT_MS = 2000.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("bag", type=Path, help="rosbag2 directory, or a .mcap or .db3 file")
    parser.add_argument("--rate", type=number_over(0.0), default=1.0, help="speed (1: as recorded)")
    parser.add_argument("--loop", action="store_true", help="start over at the end, until Ctrl-C")
    parser.add_argument("--step", action="store_true", help="wait for Enter before each thermal frame")
    add_remap(parser)
    add_config(parser)
    add_run_dir(parser)


def _playable(recording: Recording) -> Recording:
    try:
        from vidgen_nodes.ros.player import playable
    except ImportError:
        return recording  # no ROS at all: starting the graph says so
    return playable(recording)


def run(args: argparse.Namespace) -> int:
    """Play it through; 1 when no overlay came out, a pixel lay outside the gate or the ledger does not verify."""
    recording = opened(args, "replay", _playable)
    overrides = replay_overrides(recording)
    overrides["sync"] = {"replay_wait_ms": _REPLAY_WAIT_MS, "replay_inputs": recording.derived}

    if (
        args.rate > 1.0
    ):  # there is always more to do then: real-time processes would leave nothing to the others
        os.environ.setdefault("VIDGEN_REALTIME", "0")

    def prepare(run_dir: Path) -> dict[str, dict[str, Any]]:
        segment = run_dir / "segment.cbor"
        write_segment_file(segment, manifests(storage_files(args.bag)))
        return {"generator": {"segment_file": str(segment)}}

    with live_graph(args, overrides, prepare=prepare, replaying=True) as graph:
        from vidgen_nodes.ros.player import Player

        player = Player(recording, graph.probe.node.context, rate=args.rate)
        try:
            _play(args, graph, player)
            graph.stop_all()
        finally:
            player.close()
    return conclude(args, _summary(graph, player))


def _play(args: argparse.Namespace, graph: LiveGraph, player: Player) -> None:
    player.wait_for_readers(lambda: graph.stop.is_set, START_UP_S, graph.tick)
    if not graph.wait_for_links() and not graph.stop.is_set:
        raise TransportError(
            f"the nodes did not find each other within {START_UP_S:.0f} s; see {graph.run_dir}/logs"
        )
    graph.start_counting()
    player.play(
        lambda: graph.stop.is_set,
        between=graph.tick,
        before_frame=_ask if args.step else None,
        loop=args.loop,
    )
    if not graph.stop.is_set:
        graph.drain(player.counts[ANCHOR], idle_s=2.0 + _REPLAY_WAIT_MS / 1e3)
    graph.read_cpu()


def _ask(number: int) -> None:
    print(f"frame {number}: Enter shows it", end="", file=sys.stderr, flush=True)
    sys.stdin.readline()  # at the end of a pipe nobody can press it: go on


def _summary(graph: LiveGraph, player: Player) -> RunSummary:
    frames = graph.probe.frames
    latency_ms = [(f.arrived_s - player.sent[f.stamp_ns]) * 1e3 for f in frames if f.stamp_ns in player.sent]
    span_s = frames[-1].arrived_s - frames[0].arrived_s if len(frames) > 1 else 0.0
    return graph.summary(
        frames,
        thermal_in=player.counts[ANCHOR],
        rate_hz=(len(frames) - 1) / span_s if span_s > 0 else 0.0,
        latency_ms=latency_ms,
        loops=player.loops,
    )
