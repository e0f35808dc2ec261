# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The graph as function calls: a recording in, recorded frames out, in the order of event time.

The same stages as the nodes, fed in the order in which inputs take effect (``sensed.py``), so a replay that lost
nothing and this give the same bytes. Needs no ROS. Guarantees: the same recording, parameters and software give
the same frames and the same ledger root.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from vidgen_nodes.custody.committer import ObstacleCommitter
from vidgen_nodes.custody.digest import run_digests, sha256
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.openings import OpeningStore, openings_path
from vidgen_nodes.custody.recording import Manifest
from vidgen_nodes.custody.scenario_review import scenario_reviews
from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Bundle, Frame, Scenario
from vidgen_nodes.params import GeneratorParams, NodeParams
from vidgen_nodes.pipeline import Pipeline
from vidgen_nodes.ros.inputs import ANCHOR
from vidgen_nodes.ros.replay import Recording
from vidgen_nodes.ros.sensed import Sensing
from vidgen_nodes.scenario.timeline import load_scenario
from vidgen_nodes.scene.building import Building, load_building

_SECRET_TAG = b"vidgen/secret of a rendering/1\0"  # the ledger holds the hash of the message without it
Sink = Callable[[Bundle, Frame], None]


@dataclass
class OfflineCounts:
    """What happened, for the summary."""

    thermal_in: int = 0
    overlay_out: int = 0
    dropped: Counter[str] = field(default_factory=Counter)  # thermal frames that gave no overlay, by reason
    refused: Counter[str] = field(default_factory=Counter)  # other messages, "topic reason"
    causes: Counter[str] = field(default_factory=Counter)
    matched: int = 0
    latency_ms: list[float] = field(default_factory=list)  # taking up a thermal frame to its durable record
    skew_ms: list[float] = field(default_factory=list)
    sigma_px: list[float] = field(default_factory=list)
    cells_open: int = 0  # most at a time
    pixels_drawn: int = 0
    pixels_outside: int = 0
    leaks_closed: Counter[str] = field(
        default_factory=Counter
    )  # why leaks of steam were kept shut, by frames
    withheld: str = ""  # what the gate kept shut in the last frame that it opened at all, and why

    def add(self, bundle: Bundle, frame: Frame, elapsed_s: float) -> None:
        """Count a frame that took so long from taking up the thermal image to its durable record."""
        record, known = frame.record, bundle.nav_stamp_ns > 0
        self.overlay_out += 1
        self.latency_ms.append(elapsed_s * 1e3)
        self.matched += not record.causes
        self.causes.update(cause.value for cause in record.causes)
        self.skew_ms.append((bundle.stamp_ns - bundle.nav_stamp_ns) / 1e6 if known else math.nan)
        self.sigma_px.append(record.sigma_px)
        self.cells_open = max(self.cells_open, record.gate.cells_open)
        self.pixels_drawn += record.gate.pixels_drawn
        self.pixels_outside += record.gate.pixels_outside
        self.leaks_closed.update({cause.value for cause in record.gate.leaks_closed})
        if not record.causes:
            self.withheld = "; ".join(record.gate.withheld)


@dataclass(frozen=True)
class Surroundings:
    """Building and scenario of a run, read once."""

    building: Building | None
    scenario: Scenario | None


def load_surroundings(params: NodeParams, first_stamp_ns: int) -> Surroundings:
    """Read the files the parameters name.

    Args:
        params: of the graph.
        first_stamp_ns: scenario second 0 where the parameters leave it open.

    Raises:
        ConfigError: a file that is wrong.
    """
    own = params.generator
    start_ns = own.scenario_start_ns or first_stamp_ns
    return Surroundings(
        load_building(Path(own.building_file)) if own.building_file else None,
        load_scenario(Path(own.scenario_file), start_ns) if own.scenario_file else None,
    )


def run_offline(
    recording: Recording,
    params: NodeParams,
    ledger_path: Path,
    sink: Sink,
    *,
    surroundings: Surroundings | None = None,
    manifests: list[Manifest] | None = None,
    wanted: Callable[[int], bool] | None = None,
) -> OfflineCounts:
    """Derive every frame of a recording.

    Args:
        recording: with at least thermal images.
        params: of the graph; only what decides the picture is used.
        ledger_path: ledger to make.
        sink: called with each bundle and its frame, after the record is durable.
        surroundings: building and scenario, for a picture of them: nobody's review is asked then, and no
            commitment made. None: read from the files the parameters name.
        manifests: of the recording's files, for the leaf that opens the ledger.
        wanted: whether the frame at a stamp is drawn; None: every one.

    Raises:
        BagError: the recording is damaged; frames before the damage were made.
        CustodyError: the ledger cannot be written.
    """
    around = surroundings or load_surroundings(params, recording.first_frame_ns())
    digests = run_digests(params, around.building)
    own, again = params.generator, surroundings is not None
    reviews = None if again else scenario_reviews(own, digests)
    segment = digests.segment("start", manifests) | (reviews.recorded if reviews else {})
    with ExitStack() as stack:
        committer = None if again else stack.enter_context(_committer(recording, own, ledger_path))
        ledger = stack.enter_context(Ledger.open(ledger_path, segment=segment, committer=committer))
        pipeline = Pipeline(own, around.building, around.scenario, ledger, digests, reviews)
        stack.callback(pipeline.close)
        sensing = Sensing(recording, params, around.building)
        counts = OfflineCounts(dropped=sensing.dropped, refused=sensing.refused)
        segment_number = 0
        for bundle in sensing.bundles():
            if bundle.segment != segment_number:
                segment_number = bundle.segment
                ledger.append_segment("clock_jump", {})
            if wanted is not None and not wanted(bundle.stamp_ns):
                continue
            try:
                frame = pipeline.process(bundle)
            except InputError as err:
                counts.dropped[err.reason] += 1
                continue
            counts.add(bundle, frame, time.perf_counter() - sensing.started_s)
            sink(bundle, frame)
        counts.withheld = "; ".join(filter(None, (counts.withheld, *pipeline.world.withheld)))
    counts.thermal_in = sensing.thermal_in
    return counts


def _committer(recording: Recording, params: GeneratorParams, ledger: Path) -> ObstacleCommitter:
    """Salts that follow from the recording, so that the same recording gives the same ledger.

    They hide the map from everybody who has not the recording; who has it, has the map.
    """
    first = next(message.data for message in recording.messages() if message.topic == ANCHOR)
    store = OpeningStore(openings_path(ledger), secret=sha256(_SECRET_TAG + first), writable=True)
    return ObstacleCommitter(store, params.tau_uncertainty, params.min_observations)
