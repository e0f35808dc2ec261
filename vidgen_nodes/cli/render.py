# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen render``: a recording through the same pipeline offline, as fast as it goes.

Writes ``frames/<stamp>.png`` (overlay, straight alpha, its label below it), ``ledger.db``, its signed tree head,
``params.yaml`` and ``summary.json`` into an empty directory. Frames and ledger root depend on the recording, the
parameters and the software alone; ``summary.json`` also holds timings, composites and video also a signature (C2PA).
Latency is from taking up a thermal frame to its durable record.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidgen_nodes.cli.audit import conclude, custody_state
from vidgen_nodes.cli.credentials import credentials_of
from vidgen_nodes.cli.loading import read_models_ahead
from vidgen_nodes.cli.options import add_config, add_remap, make_empty, resolved
from vidgen_nodes.cli.recording import opened
from vidgen_nodes.custody.segment_file import manifests
from vidgen_nodes.custody.signer import keys_of, sign_ledger, signing_of
from vidgen_nodes.delivery.ar import composite
from vidgen_nodes.delivery.content_credentials import Credentials
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.delivery.video import VideoFile
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.graph import merge_overrides, write_params
from vidgen_nodes.packets import Bundle, Frame
from vidgen_nodes.privacy.heads import HeadPolicy
from vidgen_nodes.ros.bagfile import storage_files
from vidgen_nodes.ros.offline import OfflineCounts, run_offline
from vidgen_nodes.ros.replay import ANCHOR, Recording, replay_overrides
from vidgen_nodes.summary import CustodyState, RunSummary, json_line, percentiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("bag", type=Path, help="rosbag2 directory, or a .mcap or .db3 file")
    parser.add_argument("--out", type=Path, required=True, help="directory to write into; new or empty")
    parser.add_argument("--video", type=Path, help="also write the composite as a video (.mp4)")
    parser.add_argument("--composite", action="store_true", help="also write composite/<stamp>.png")
    add_remap(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Render; 1 when no overlay came out, a pixel lay outside the gate or the ledger does not verify."""
    recording = opened(args, "render")
    params = resolved(args, merge_overrides(replay_overrides(recording)))
    read_models_ahead([params.generator.building_file], quiet=args.json)
    keys, signing = keys_of(params.custody), signing_of(params.custody)
    make_empty(args.out)
    write_params(args.out / "params.yaml", params)
    files = manifests(storage_files(args.bag))
    started_s = time.perf_counter()
    with ExitStack() as stack:
        progress = stack.enter_context(_progress(args.json))
        task = progress.add_task("rendering", total=recording.counts[ANCHOR])
        origin = Origin(params.ar.content_producer, camera=params.generator.origin != "sim")
        credentials = credentials_of(keys) if args.video or args.composite else None
        video = None
        if args.video:
            video = stack.enter_context(VideoFile(args.video, _rate_hz(recording), origin, credentials))
        heads = HeadPolicy(params.ar.head_mosaic_px_per_m, params.ar.nearest_person_m)
        writer = _Writer(args.out, origin, credentials if args.composite else None, video, heads)

        def sink(bundle: Bundle, frame: Frame) -> None:
            writer.write(bundle, frame)
            progress.advance(task)

        counts = run_offline(recording, params, args.out / "ledger.db", sink, manifests=files)
    sign_ledger(args.out / "ledger.db", keys, signing)
    elapsed_s = time.perf_counter() - started_s
    summary = _summary(counts, elapsed_s, custody_state(args.out / "ledger.db"), str(args.out))
    (args.out / "summary.json").write_text(json_line(summary.as_dict()) + "\n", encoding="utf-8")
    return conclude(args, summary)


class _Writer:
    """Writes what was asked for of each frame."""

    def __init__(
        self,
        out: Path,
        origin: Origin,
        credentials: Credentials | None,
        video: VideoFile | None,
        heads: HeadPolicy,
    ) -> None:
        self._frames = out / "frames"
        self._frames.mkdir()
        self._origin, self._credentials = origin, credentials
        self._composites = out / "composite" if credentials is not None else None
        if self._composites is not None:
            self._composites.mkdir()
        self._video = video
        self._heads = heads

    def write(self, bundle: Bundle, frame: Frame) -> None:
        """Write one frame."""
        name = f"{bundle.stamp_ns}.png"
        pointer, code = FramePointer.of(frame.record), frame.record.label_code
        _write(self._frames / name, png(label_below(frame.overlay.rgba, pointer, code), self._origin))
        if self._composites is None and self._video is None:
            return
        labelled = composite(bundle.thermal, frame.overlay, pointer, code, self._heads)
        if self._composites is not None and self._credentials is not None:
            picture = png(labelled, self._origin)
            _write(self._composites / name, self._credentials.sign(picture, code, self._origin, {}))
        if self._video is not None:
            self._video.write(labelled)


def _rate_hz(recording: Recording) -> float:
    span_s = (recording.end_ns - recording.start_ns) / 1e9
    return recording.counts[ANCHOR] / span_s if span_s > 0 else 25.0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}") from err


def _progress(quiet: bool) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal)


def _summary(counts: OfflineCounts, elapsed_s: float, custody: CustodyState, out: str) -> RunSummary:
    return RunSummary(
        thermal_in=counts.thermal_in,
        overlay_out=counts.overlay_out,
        dropped=counts.dropped,
        rate_hz=counts.overlay_out / elapsed_s if elapsed_s > 0 else 0.0,
        latency_ms=counts.latency_ms,
        matched=counts.matched,
        skew_ms=percentiles(counts.skew_ms, (50, 99)),
        sigma_px=percentiles(counts.sigma_px, (50, 99)),
        cells_open=counts.cells_open,
        pixels_drawn=counts.pixels_drawn,
        pixels_outside=counts.pixels_outside,
        custody=custody,
        causes=counts.causes,
        leaks_closed=counts.leaks_closed,
        withheld=counts.withheld,
        extra={"refused": dict(counts.refused), "out": out},
    )
