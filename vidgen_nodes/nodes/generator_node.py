# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles in; recorded overlays out. Nothing is published that is not durable in the ledger first."""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from sensor_msgs.msg import CameraInfo, Image
from vidgen.msg import HazardArray, OverlayFrame, Provenance, SensorBundle, UncertaintyMap
from vidgen.srv import Review, SetScenario

from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.segment_file import read_segment_file
from vidgen_nodes.errors import InputError, VidgenError
from vidgen_nodes.packets import Frame
from vidgen_nodes.packets import UncertaintyMap as MapPacket
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.pipeline import Pipeline
from vidgen_nodes.ros import convert, fill, qos, unpack
from vidgen_nodes.ros.node import VidgenLifecycleNode, graph_params, main_for
from vidgen_nodes.ros.worker import LatestWorker
from vidgen_nodes.scenario.timeline import load_scenario, parse_scenario
from vidgen_nodes.scene.building import load_building

_MAPS_KEPT = 8
_QUEUE = 2
_REPLAY_QUEUE = 100  # a replay may fall behind for two seconds and must lose nothing
_HAZARDS_EVERY_NS = 100_000_000
_HAZARD_EXPIRY_NS = 1_000_000_000
_SERVICE_S = 2.0
_VERDICTS = ("accept", "reject", "note")


class GeneratorNode(VidgenLifecycleNode[GeneratorParams]):
    """``bundle`` and ``uncertainty/map`` to overlay, provenance and hazards; owns the one writer of the ledger."""

    def __init__(self) -> None:
        super().__init__("generator_node", GeneratorParams)
        self._maps: OrderedDict[bytes, MapPacket] = OrderedDict()
        self._calibrations = unpack.CalibrationCache()
        self._segment: int | None = None
        self._newest_ns = self._hazards_ns = 0
        self._worker: LatestWorker[Any] | None = None
        self._overlays = self.advertise(Image, "overlay/image_raw", qos.OVERLAY)
        self._infos = self.advertise(CameraInfo, "overlay/camera_info", qos.OVERLAY, primary=False)
        self._provenances = self.advertise(Provenance, "provenance", qos.PROVENANCE, primary=False)
        self._hazards = self.advertise(HazardArray, "hazards", qos.HAZARDS, primary=False)
        self._frames = self.advertise(OverlayFrame, "overlay/frame", qos.OVERLAY_FRAME, primary=False)
        self.subscribe(UncertaintyMap, "uncertainty/map", qos.UNCERTAINTY_MAP, self._on_map, required=False)
        self.subscribe(SensorBundle, "bundle", qos.BUNDLE, self._on_bundle)
        self.create_service(SetScenario, "~/set_scenario", self._on_set_scenario)
        self.create_service(Review, "~/review", self._on_review)

    def configure(self) -> None:
        """Load building and scenario, open the ledger, make the pipeline on its own thread."""
        params = self.params
        building = load_building(Path(params.building_file)) if params.building_file else None
        scenario = None
        if (
            params.scenario_file
        ):  # read now even if it starts later: a broken file must not wait for the first frame
            scenario = load_scenario(Path(params.scenario_file), params.scenario_start_ns or 1)
        self._scenario_pending = scenario is not None and not params.scenario_start_ns
        recording = read_segment_file(Path(params.segment_file)) if params.segment_file else None
        digests = run_digests(graph_params(sys.argv, generator=params), building)
        self._ledger = Ledger.open(Path(params.ledger), segment=digests.segment("start", recording))
        size = _REPLAY_QUEUE if params.origin == "replay" else _QUEUE
        self._worker = LatestWorker(
            "pipeline", self._process, size=size, merge=unpack.merge_bundles, dropped=self._on_drop
        )
        made = self._worker.call(lambda: Pipeline(params, building, scenario, self._ledger, digests))
        self._pipeline = made.result()

    def _on_map(self, message: Any) -> None:
        umap = unpack.uncertainty_map(message)
        self._maps[umap.digest] = umap
        while len(self._maps) > _MAPS_KEPT:
            self._maps.popitem(last=False)

    def _on_bundle(self, message: Any) -> None:
        if self.is_active and self._worker is not None:
            self._worker.put(message)
        else:
            self.health.dropped["inactive"] += 1

    def _on_drop(self) -> None:
        self.health.dropped["generator_busy"] += 1

    def _process(self, message: Any) -> None:
        try:
            bundle = unpack.bundle(message, self._maps.get(message.map_digest.tobytes()), self._calibrations)
        except InputError as err:
            self.health.dropped[err.reason] += 1
            return
        if self._segment is not None and bundle.segment != self._segment:
            self._ledger.append_segment("clock_jump", {})
        self._segment, self._newest_ns = bundle.segment, bundle.stamp_ns
        if self._scenario_pending:
            self._scenario_pending = False
            self._pipeline.set_scenario(load_scenario(Path(self.params.scenario_file), bundle.stamp_ns))
        frame = self._pipeline.process(bundle)
        self._publish(frame)
        self.health.causes.update(cause.value for cause in frame.record.causes)

    def _publish(self, frame: Frame) -> None:
        picture = frame.overlay
        overlay = fill.overlay(picture)
        published_ns = self.now_ns()
        self._overlays.publish(overlay)
        provenance = fill.provenance(frame.record, picture.frame_id, published_ns)
        info = None
        if picture.calibration is not None:
            info = fill.camera_info(picture.calibration, picture.stamp_ns, picture.frame_id)
            self._infos.publish(info)
        self._provenances.publish(provenance)
        self.health.add_latency("stamp_to_overlay", (published_ns - picture.stamp_ns) / 1e6)
        if not 0 <= picture.stamp_ns - self._hazards_ns < _HAZARDS_EVERY_NS:
            self._hazards_ns = picture.stamp_ns
            self._hazards.publish(fill.hazard_array(frame, _HAZARD_EXPIRY_NS))
        if self._frames.is_wanted:
            self._frames.publish(fill.overlay_frame(frame, overlay, info, provenance))

    def _on_set_scenario(self, request: Any, response: Any) -> Any:
        try:
            start_ns = convert.stamp_ns(request.start) or self._newest_ns or self.now_ns()
            scenario = parse_scenario(request.yaml, start_ns)
            self._on_worker(lambda: self._pipeline.set_scenario(scenario))
        except (VidgenError, TimeoutError) as err:
            response.success, response.message = False, str(err)
            return response
        self._scenario_pending = False
        response.success, response.message = (
            True,
            f"scenario {scenario.name} is in force from {start_ns} ns on",
        )
        response.scenario_sha256 = fill.digest(scenario.digest)
        return response

    def _on_review(self, request: Any, response: Any) -> Any:
        response.success = False
        if request.verdict not in _VERDICTS or not request.reviewer:
            response.message = f"got verdict {request.verdict!r} by {request.reviewer!r}; expected a name and one of {_VERDICTS}"
            return response
        try:
            response.review_leaf_index = self._on_worker(lambda: self._append_review(request))
        except (VidgenError, TimeoutError) as err:
            response.message = str(err)
            return response
        response.success, response.message = True, f"added as leaf {response.review_leaf_index}"
        return response

    def _append_review(self, request: Any) -> int:
        if request.leaf_index >= self._ledger.size:
            raise InputError(
                "no_such_leaf", f"leaf {request.leaf_index} does not exist; there are {self._ledger.size}"
            )
        names = ("leaf_index", "reviewer", "verdict", "comment", "seconds_viewed")
        self._ledger.append_segment("review", {"review": {name: getattr(request, name) for name in names}})
        return self._ledger.size - 1

    def _on_worker(self, function: Any) -> Any:
        if self._worker is None:
            raise InputError("inactive", "the generator is not configured yet; activate it first")
        return self._worker.call(function).result(_SERVICE_S)

    def on_tick(self) -> None:
        """A pipeline that broke ends the node: no record, no frame."""
        error = self._worker.error if self._worker else None
        if error is not None and not self.finished:
            self.fail(f"the pipeline stopped and nothing more is published: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Finish what waits, then close the ledger."""
        if self._worker is not None:
            self._worker.stop()
            self._ledger.close()


def main() -> None:
    """Run the node."""
    main_for(GeneratorNode)


if __name__ == "__main__":
    main()
