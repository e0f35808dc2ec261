# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The graph as function calls: a recording in, recorded frames out, in the order of event time.

The same stages as the nodes, fed in the order in which inputs take effect, so a replay that lost nothing
and this give the same bytes. Needs no ROS. Guarantees: the same recording, parameters and software give
the same frames and the same ledger root. Refused messages are counted by reason, as in the nodes.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidgen_nodes.custody.committer import ObstacleCommitter
from vidgen_nodes.custody.digest import run_digests, sha256
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.openings import OpeningStore, openings_path
from vidgen_nodes.custody.recording import Manifest
from vidgen_nodes.custody.scenario_review import scenario_reviews
from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Bundle, Fix, Frame, GimbalAttitude, Heading, ImuSample, Scenario, SourceRef
from vidgen_nodes.params import GeneratorParams, NodeParams
from vidgen_nodes.pipeline import Pipeline
from vidgen_nodes.ros import convert
from vidgen_nodes.ros.baseline import baseline_for
from vidgen_nodes.ros.inputs import ANCHOR, resolved_topic
from vidgen_nodes.ros.ordering import in_effect_order
from vidgen_nodes.ros.recorded_navigation import (
    FIX,
    GIMBAL,
    HEADING,
    IMU,
    NavInput,
    Packet,
    RecordedNavigation,
)
from vidgen_nodes.ros.replay import Recording, TimedMessage
from vidgen_nodes.scenario.timeline import load_scenario
from vidgen_nodes.scene.building import Building, load_building
from vidgen_nodes.sensing.pose import NavFilter
from vidgen_nodes.sensing.scan_pose import PosedScan, ScanPosing
from vidgen_nodes.sensing.thermal import ThermalIngest
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper
from vidgen_nodes.sync.anchored import AnchoredSync

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
    scenario_at: Callable[[int], Scenario | None] | None = None,
    wanted: Callable[[int], bool] | None = None,
    stood_in_at: Callable[[int], bool] | None = None,
) -> OfflineCounts:
    """Derive every frame of a recording.

    Args:
        recording: with at least thermal images.
        params: of the graph; only what decides the picture is used.
        ledger_path: ledger to make.
        sink: called with each bundle and its frame, after the record is durable.
        surroundings: building and scenario, to make recorded frames again: nobody's review is asked then, and
            no commitment made. None: read from the files the parameters name.
        manifests: of the recording's files, for the leaf that opens the ledger.
        scenario_at: scenario in force at a stamp, where it changed during the run.
        wanted: whether the frame at a stamp is drawn; None: every one.
        stood_in_at: whether the solver of the smoke was late for the frame at a stamp; None: it never was.

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
        graph = _Graph(recording, params, around, pipeline, ledger, sink, scenario_at, wanted, stood_in_at)
        navigation = RecordedNavigation(recording, params.rtk, graph.counts.refused)
        ordered = in_effect_order(
            navigation.understood(recording.messages()),
            lambda item: item.stamp_ns if isinstance(item, NavInput) else recording.stamp_ns(item),
            {topic: round(delay_ms * 1e6) for topic, delay_ms in _delays_ms(params).items()},
            ANCHOR,
        )
        for item in ordered:
            graph.feed(item)
    graph.close()
    return graph.counts


def _committer(recording: Recording, params: GeneratorParams, ledger: Path) -> ObstacleCommitter:
    """Salts that follow from the recording, so that the same recording gives the same ledger.

    They hide the map from everybody who has not the recording; who has it, has the map.
    """
    first = next(message.data for message in recording.messages() if message.topic == ANCHOR)
    store = OpeningStore(openings_path(ledger), secret=sha256(_SECRET_TAG + first), writable=True)
    return ObstacleCommitter(store, params.tau_uncertainty, params.min_observations)


def _delays_ms(params: NodeParams) -> dict[str, float]:
    return {
        "thermal/camera_info": params.thermal.camera_info_delay_ms,
        FIX: params.rtk.fix_delay_ms,
        HEADING: params.rtk.fix_delay_ms,
        IMU: params.sync.nav_delay_ms,
        GIMBAL: params.sync.gimbal_delay_ms,
        "points": params.sync.map_delay_ms,
    }


class _Graph:
    """The stages of one run and what flows between them."""

    def __init__(
        self,
        recording: Recording,
        params: NodeParams,
        around: Surroundings,
        pipeline: Pipeline,
        ledger: Ledger,
        sink: Sink,
        scenario_at: Callable[[int], Scenario | None] | None,
        wanted: Callable[[int], bool] | None,
        stood_in_at: Callable[[int], bool] | None,
    ) -> None:
        self._recording = recording
        self._lidar_params = params.lidar
        self._thermal = ThermalIngest(params.thermal)
        self._nav = NavFilter(params.rtk)
        self._posing = ScanPosing(params.lidar)
        self._mapper = mapper_for(params, around.building)
        self._sync = AnchoredSync(params.sync)
        self._pipeline = pipeline
        self._ledger = ledger
        self._sink = sink
        self._scenario_at = scenario_at
        self._wanted, self._stood_in_at = wanted, stood_in_at
        self._scenario = around.scenario
        self._segment = 0
        self._started_s = 0.0
        self._arrival_ns = 0
        self.counts = OfflineCounts()
        self._handlers: Mapping[str, Callable[[Any, SourceRef], None]] = {
            ANCHOR: self._on_thermal,
            "thermal/camera_info": self._on_camera_info,
            "points": self._on_points,
        }

    def feed(self, item: TimedMessage | NavInput) -> None:
        """Take one message, or a packet of the stack; a frame comes out when it is a thermal image."""
        self._started_s = time.perf_counter()
        self._arrival_ns = item.log_ns  # what was a receiver's clock is the recorder's here
        if isinstance(item, NavInput):
            try:
                self._navigate(item.packet)
            except InputError as err:
                self.counts.refused[f"{item.topic} {err.reason}"] += 1
        else:
            self._sense(item)

    def close(self) -> None:
        """Count what the filter took in and did not use, as the node does."""
        self.counts.refused.update({f"fix {reason}": n for reason, n in self._nav.refused.items() if n})

    def _navigate(self, packet: Packet) -> None:
        if isinstance(packet, Fix):
            self._nav.add_fix(packet)
        elif isinstance(packet, Heading):
            self._nav.add_heading(packet)
        elif isinstance(packet, GimbalAttitude):
            self._sync.add_gimbal(packet)
        else:
            self._on_imu(packet)

    def _sense(self, recorded: TimedMessage) -> None:
        counted = self.counts.dropped if recorded.topic == ANCHOR else self.counts.refused
        self.counts.thermal_in += recorded.topic == ANCHOR
        message = self._recording.deserialize(recorded)
        source = convert.source_ref(
            resolved_topic(recorded.topic), recorded.type_name, message, recorded.data
        )
        try:
            self._handlers[recorded.topic](message, source)
        except InputError as err:
            counted[err.reason if recorded.topic == ANCHOR else f"{recorded.topic} {err.reason}"] += 1

    def _on_camera_info(self, message: Any, source: SourceRef) -> None:
        self._thermal.add_calibration(convert.camera_calibration(message), source)

    def _on_imu(self, sample: ImuSample) -> None:
        state = self._nav.add_imu(sample)
        if state is not None:
            self._sync.add_nav(state, self._arrival_ns)
            self._map(self._posing.add_nav(state))

    def _on_points(self, message: Any, source: SourceRef) -> None:
        own = self._lidar_params
        scan = convert.point_scan(
            message, source, min_range_m=own.min_range_m, max_range_m=own.max_range_m, dialect=own.dialect
        )
        self._map(self._posing.add_scan(scan))

    def _map(self, scans: list[PosedScan]) -> None:
        for posed in scans:
            umap = self._mapper.take_scan(posed.scan, posed.map_T_lidar, posed.height_sigma_m)
            if umap is None:
                continue
            self._sync.add_map(umap, self._arrival_ns)

    def _on_thermal(self, message: Any, source: SourceRef) -> None:
        thermal = self._thermal.process(convert.thermal_image(message, source))
        bundle = self._sync.bundle(thermal, self._arrival_ns)
        if bundle.segment != self._segment:
            self._segment = bundle.segment
            self._ledger.append_segment("clock_jump", {})
        if (
            self._scenario_at is not None
            and (scenario := self._scenario_at(bundle.stamp_ns)) != self._scenario
        ):
            self._scenario = scenario
            self._pipeline.set_scenario(scenario)
        if self._wanted is not None and not self._wanted(bundle.stamp_ns):
            return
        stood_in = self._stood_in_at is not None and self._stood_in_at(bundle.stamp_ns)
        frame = self._pipeline.process(bundle, analytic=stood_in)
        self._count(bundle, frame)
        self._sink(bundle, frame)

    def _count(self, bundle: Bundle, frame: Frame) -> None:
        counts, record = self.counts, frame.record
        counts.overlay_out += 1
        counts.latency_ms.append((time.perf_counter() - self._started_s) * 1e3)
        counts.matched += not record.causes
        counts.causes.update(cause.value for cause in record.causes)
        known = bundle.nav_stamp_ns > 0
        counts.skew_ms.append((bundle.stamp_ns - bundle.nav_stamp_ns) / 1e6 if known else math.nan)
        counts.sigma_px.append(record.sigma_px)
        counts.cells_open = max(counts.cells_open, record.gate.cells_open)
        counts.pixels_drawn += record.gate.pixels_drawn
        counts.pixels_outside += record.gate.pixels_outside


def mapper_for(params: NodeParams, building: Building | None) -> UncertaintyMapper:
    """The mapper of ``lidar_node``: with ``lidar.building_file``, the building's roofs are the baseline.

    Raises:
        ConfigError: a baseline is asked for, but there is no building; or maps are not made from points.
    """
    if params.lidar.scan_source != "points":
        raise ConfigError(
            f"lidar.scan_source is {params.lidar.scan_source}: frames are derived again from points only; "
            "a run on another node's elevation map has no way back to its sensor"
        )
    if params.lidar.building_file and building is None:
        raise ConfigError(
            "lidar.building_file is set, but generator.building_file is empty; give both the same"
        )
    return UncertaintyMapper(
        params.lidar, baseline_for(params.lidar, building if params.lidar.building_file else None)
    )
