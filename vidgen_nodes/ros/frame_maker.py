# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""From bundles to recorded frames, on the one thread that owns torch, the pipeline and the ledger.

Guarantees: ``publish`` is called only for frames that are durable in the ledger; a bundle for which there was
no time leaves its inputs to the next, so that every input stands in some record. Left out: topics.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent import futures
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from vidgen_nodes.custody.committer import ObstacleCommitter
from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.frame_review import CAUSE as REVIEW
from vidgen_nodes.custody.frame_review import FrameReview, check_signature, reviewed_frames, segment_of
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.openings import OpeningStore, openings_path
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.scenario_review import scenario_reviews
from vidgen_nodes.custody.segment_file import read_segment_file
from vidgen_nodes.custody.signer import HeadSigner, keys_of, signing_of
from vidgen_nodes.errors import InputError, VidgenError
from vidgen_nodes.generation.generator import World
from vidgen_nodes.packets import Bundle, Frame, Scenario, UncertaintyMap
from vidgen_nodes.params import NodeParams
from vidgen_nodes.pipeline import Pipeline
from vidgen_nodes.ros.diagnostics import NodeHealth
from vidgen_nodes.ros.foresight import Foresight
from vidgen_nodes.ros.worker import LatestWorker
from vidgen_nodes.scenario.timeline import load_scenario, parse_scenario, starting_at
from vidgen_nodes.scene.building import Progress, load_building

T = TypeVar("T")
_MAPS_KEPT = 8  # five a second come, ten at most; a bundle names one that is 0.3 to 0.5 s old
_QUEUE = 4  # frames that may wait when live: longer, and an old overlay helps nobody
_REPLAY_QUEUE = 200  # a recording has time, and every frame of it is wanted
_ANSWER_S = 2.0
NO_ANSWER = "no_answer"
REFUSED = "scenario_refused"  # cause of the segment that says so
_LONGEST_REASON = 1000  # characters


def with_inputs_of(dropped: Bundle, following: Bundle) -> Bundle:
    """The later of two bundles, with the inputs of the earlier one, which yields no frame.

    Every input must stand in some record; which frame of two is not made changes nothing about what came in.
    """
    late = Counter(dropped.late) + Counter(following.late)
    return replace(following, sources=(*dropped.sources, *following.sources), late=dict(late))


class FrameMaker:
    """Made when the generator is configured; :meth:`close` ends it."""

    def __init__(
        self,
        graph: NodeParams,
        health: NodeHealth,
        publish: Callable[[Frame], None],
        progress: Progress | None = None,
    ) -> None:
        """Load building and scenario, open the ledger, make the pipeline on its thread.

        Raises:
            ConfigError: a file that is wrong.
            CustodyError: the ledger cannot be written.
        """
        params = self._params = graph.generator
        self._health, self._publish = health, publish
        self._maps: OrderedDict[bytes, UncertaintyMap] = OrderedDict()
        self._segment: int | None = None
        self._newest_ns = 0
        self._foresight = Foresight(round(graph.sync.map_delay_ms * 1e6), round(params.world_tick_ms * 1e6))
        building = (
            load_building(Path(params.building_file), progress=progress) if params.building_file else None
        )
        self._building = building
        scenario = None
        if params.scenario_file:  # a broken file must not wait for the first frame
            scenario = load_scenario(Path(params.scenario_file), params.scenario_start_ns or 1)
        self._starts_with_first = None if params.scenario_start_ns else scenario
        recording = read_segment_file(Path(params.segment_file)) if params.segment_file else None
        digests = run_digests(graph, building)
        path, keys, signing = Path(params.ledger), keys_of(graph.custody), signing_of(graph.custody)
        cause = "restart" if path.exists() else "start"
        self._reviews = scenario_reviews(params, digests)
        segment = digests.segment(cause, recording) | self._reviews.recorded
        with ExitStack() as undo:
            store = undo.enter_context(OpeningStore(openings_path(path), writable=True))
            committer = ObstacleCommitter(store, params.tau_uncertainty, params.min_observations)
            self._ledger = undo.enter_context(
                Ledger.open(path, segment=segment, committer=committer, live=True)
            )
            self._signer = HeadSigner(path, keys, signing)
            self._files = undo.pop_all()
        self._worker = LatestWorker(
            "pipeline",
            self._make,
            size=_REPLAY_QUEUE if params.origin == "replay" else _QUEUE,
            merge=with_inputs_of,
            dropped=self._note_drop,
            idle=lambda: self._foresight.work(self._pipeline, list(self._maps.values())),
        )
        self._stop_solving: Callable[[], None] = lambda: None
        try:
            self._pipeline: Pipeline = self._worker.call(
                lambda: Pipeline(
                    params,
                    building,
                    scenario,
                    self._ledger,
                    digests,
                    self._reviews,
                    smoke_wait_s=math.inf if params.origin == "replay" else 0.0,  # live, no frame waits
                )
            ).result()
        except BaseException:
            self.close()
            raise
        self._stop_solving = self._pipeline.close

    @property
    def error(self) -> BaseException | None:
        """What ended the thread, if anything did."""
        return self._worker.error

    def add_map(self, umap: UncertaintyMap) -> None:
        """Keep a map under its digest, and foresee frames with it."""
        self._maps[umap.digest] = umap
        while len(self._maps) > _MAPS_KEPT:
            self._maps.popitem(last=False)

    def find_map(self, digest: bytes) -> UncertaintyMap | None:
        """The map of that digest, if it is one of the newest."""
        return self._maps.get(digest)

    def add_bundle(self, bundle: Bundle) -> None:
        """Queue a bundle; returns at once."""
        self._worker.put(bundle)

    def set_scenario(self, text: str, start_ns: int, review: bytes = b"") -> Scenario:
        """Put a scenario in force from the next frame on; one that is refused stands in the ledger with the reason.

        Args:
            text: YAML.
            start_ns: event time of its second 0; 0: it starts with the newest frame.
            review: signed statement by which it was validated; empty: the one at hand, if it is of this scenario.

        Raises:
            ConfigError: the text is no scenario.
            InputError: the pipeline does not answer, or a review is asked and there is none that holds: the
                scenario before stays in force.
        """
        try:
            return self._take_scenario(text, start_ns, review)
        except VidgenError as err:
            refusal = _refusal(text, err)
            if getattr(err, "reason", "") != NO_ANSWER:  # else the ledger's thread would not answer either
                self._on_thread(lambda: self._ledger.append_segment(REFUSED, refusal))
            raise

    def _take_scenario(self, text: str, start_ns: int, review: bytes) -> Scenario:
        if not start_ns and not self._newest_ns:
            raise InputError(
                "no_frame_yet", "no frame has come yet, so that now is not known; give a start time"
            )
        scenario = parse_scenario(text, start_ns or self._newest_ns)
        world = self._pipeline.world_of(scenario)  # here and not between two frames
        self._on_thread(lambda: self._review_and_replace(world, review))
        return scenario

    def review(self, fields: Mapping[str, Any], statement: bytes = b"") -> int:
        """Add a verdict to the ledger; returns its leaf index.

        Args:
            fields: of :class:`FrameReview`.
            statement: the same, signed by the reviewer; empty: unsigned.

        Raises:
            InputError: no such frame, no verdict, or an unsigned one where signatures are asked; nothing was added.
            VerificationError: the signature does not hold, or is by nobody who counts.
        """
        review = FrameReview.of(fields)
        if self._params.require_signed_reviews and not statement:
            raise InputError(
                "unsigned_review",
                "generator.require_signed_reviews is set: sign with vidgen review frames --key",
            )
        with LedgerReader(self._ledger.path) as reader:
            frames = reviewed_frames(reader, review)
        if statement:
            asked = self._reviews.reviewers if self._reviews.reviewers.persons else None
            check_signature(review, statement, frames, asked)
        return self._on_thread(lambda: self._append_review(review, statement))

    def close(self) -> None:
        """Finish what waits, close the ledger, sign its end."""
        self._worker.stop()
        self._stop_solving()
        self._files.close()
        self._signer.close()

    def _make(self, bundle: Bundle) -> None:
        if self._segment is not None and bundle.segment != self._segment:
            self._ledger.append_segment("clock_jump", {})
        self._segment, self._newest_ns = bundle.segment, bundle.stamp_ns
        if self._starts_with_first is not None:  # as it was read: its file may have changed since
            self._replace_scenario(starting_at(self._starts_with_first, bundle.stamp_ns))
        frame = self._pipeline.process(bundle)
        self._publish(frame)
        self._health.extra["signed_leaves"] = str(self._signer.signed_size)
        self._health.extra["tree_heads"] = self._signer.fault or "signed"
        self._health.extra["reviewed_by"] = self._reviews.person or self._reviews.fault or "nobody"
        self._foresight.note(bundle)
        self._health.causes.update(cause.value for cause in frame.record.causes)
        self._health.withheld.update(cause.value for cause in frame.record.gate.leaks_closed)
        self._health.withholding = "; ".join((*frame.record.gate.withheld, *self._pipeline.world.withheld))

    def _replace_scenario(self, scenario: Scenario) -> None:
        self._starts_with_first = None
        self._pipeline.set_world(self._pipeline.world_of(scenario))

    def _review_and_replace(self, world: World, review: bytes) -> None:
        before = self._reviews.state
        self._reviews.statement = review or self._reviews.statement
        try:
            replaced = self._pipeline.set_world(world, if_reviewed=True)
        except BaseException:
            self._reviews.state = before
            raise
        if not replaced:
            fault, self._reviews.state = self._reviews.fault, before
            name = "" if world.scenario is None else world.scenario.name
            raise InputError("not_reviewed", f"scenario {name}: {fault}; nothing changed")
        self._starts_with_first = None

    def _append_review(self, review: FrameReview, statement: bytes) -> int:
        self._ledger.append_segment(REVIEW, segment_of(review, statement))
        return self._ledger.size - 1

    def _note_drop(self) -> None:
        self._health.dropped["generator_busy"] += 1

    def _on_thread(self, function: Callable[[], T]) -> T:
        try:
            return self._worker.call(function).result(_ANSWER_S)
        except futures.TimeoutError as err:  # not the builtin one before Python 3.11
            raise InputError(NO_ANSWER, f"the pipeline did not answer within {_ANSWER_S} s") from err


def _refusal(text: str, err: VidgenError) -> dict[str, object]:
    """What a refused scenario leaves in the ledger: its hash and why."""
    content = text.encode(errors="replace")
    return {
        REFUSED: {
            "yaml_sha256": hashlib.sha256(content).digest(),
            "bytes": len(content),
            "why": str(err)[:_LONGEST_REASON],
        }
    }
