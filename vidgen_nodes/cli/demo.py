# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen demo``: the whole graph, every node its own process, on the built-in simulated flight.

Frames are counted between two reports of the flight itself, the first of them after the first overlay,
so that what was published and what came out are counted from the same stamp on and to the same stamp.
The pictures are taken after the counted time: drawing the composite must not disturb what is measured.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from vidgen_nodes.cli.audit import conclude
from vidgen_nodes.cli.live import START_UP_S, LiveGraph, live_graph
from vidgen_nodes.cli.options import add_config, add_run_dir, number_over
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.label import already_labelled, label_below
from vidgen_nodes.delivery.tag_strip import FramePointer, read_strip
from vidgen_nodes.errors import VidgenError

if TYPE_CHECKING:
    from vidgen_nodes.ros.probe import FrameSeen, SourceCount

log = logging.getLogger(__name__)

_PICTURE_S = 10.0  # it takes about one; a busy machine more


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--seconds", type=number_over(0.0), default=20.0, help="counted time after start-up")
    add_config(parser, preset="sim")
    add_run_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Run it; 1 when no overlay came out, a pixel lay outside the gate or the ledger does not verify."""
    overrides = {"generator": {"origin": "sim", "mission": "demo"}}
    with live_graph(args, overrides, with_sim=True) as graph:
        window = _fly(graph, args.seconds)
        _save_pictures(graph)
        graph.supervisor.stop(["sim_node"])
        graph.drain(None, idle_s=0.5)
        graph.stop_all()
    inside = _inside(graph.probe.frames, window)
    duration_s = (window[1].last_stamp_ns - window[0].last_stamp_ns) / 1e9 if window else 0.0
    summary = graph.summary(
        inside,
        thermal_in=window[1].published - window[0].published if window else 0,
        rate_hz=len(inside) / duration_s if duration_s > 0 else 0.0,
        latency_ms=[(f.published_ns - f.stamp_ns) / 1e6 for f in inside],
    )
    return conclude(args, summary)


def _fly(graph: LiveGraph, seconds: float) -> tuple[SourceCount, SourceCount] | None:
    """Two reports of the flight, at least ``seconds`` apart, both after the first overlay."""

    def counted() -> list[SourceCount]:
        frames = graph.probe.frames
        return [c for c in graph.probe.source_counts if frames and c.received_s >= frames[0].arrived_s]

    if not graph.wait(lambda: bool(counted()), START_UP_S):
        return None
    graph.start_counting()
    first = counted()[0]
    graph.wait(lambda: counted()[-1].received_s - first.received_s >= seconds, seconds + 10.0)
    graph.read_cpu()
    return first, counted()[-1]


def _inside(frames: list[FrameSeen], window: tuple[SourceCount, SourceCount] | None) -> list[FrameSeen]:
    if window is None:
        return []
    first, last = window
    return [f for f in frames if first.last_stamp_ns < f.stamp_ns <= last.last_stamp_ns]


def _save_pictures(graph: LiveGraph) -> None:
    if graph.stop.is_set or not graph.probe.overlays:
        return
    pair = graph.probe.take_images(_PICTURE_S, graph.tick)
    if pair is None:
        log.warning("no composite came within %.0f s: no picture was saved", _PICTURE_S)
        return
    composite, overlay = pair
    found = read_strip(composite)
    if found is None:
        log.warning("the composite carries no tag that can be read: no picture was saved")
        return
    try:
        pointer, code = _record(Path(graph.params.generator.ledger), found)
        origin = Origin(graph.params.ar.content_producer, camera=False)
        pictures = {
            "composite.png": already_labelled(composite, pointer, code),
            "overlay.png": label_below(overlay, pointer, code),
        }
        for name, labelled in pictures.items():
            (graph.run_dir / name).write_bytes(png(labelled, origin))
    except (VidgenError, OSError) as err:
        log.warning("no picture was saved: %s", err)


def _record(ledger: Path, found: FramePointer) -> tuple[FramePointer, str]:
    """The whole pointer, and the label code, of the record that a tag names."""
    with LedgerReader(ledger) as reader:
        (row,) = reader.rows(found.leaf_index, found.leaf_index + 1)
    leaf = decode(row.leaf, f"{ledger}: leaf {row.index}")
    code = str(leaf.get("label", "")) if isinstance(leaf, dict) else ""
    return FramePointer(row.index, found.tree_size, row.leaf_hash), code
