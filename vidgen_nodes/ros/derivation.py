# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Derives frames again from a ledger's own records and a recording, recording nothing.

Guarantees: parameters, building and scenarios come out of the ledger, so no file on this machine can change the
outcome. Leaves out what follows from the frames (``rederive.py``) and the sharing among processes
(``drawing_processes.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from vidgen_nodes.custody.commitments_again import CommittedFrames, SecretOnly, secret_of
from vidgen_nodes.custody.committer import ObstacleCommitter
from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.identity import params_from_config
from vidgen_nodes.custody.leaf import physics_refs
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.rederivation import FrameHashes
from vidgen_nodes.errors import ConfigError, InputError, VerificationError
from vidgen_nodes.generation.solved_smoke import stood_in
from vidgen_nodes.packets import Bundle, Cause, Frame, Scenario
from vidgen_nodes.params import NodeParams
from vidgen_nodes.pipeline import Pipeline
from vidgen_nodes.ros.inputs import resolved_topic
from vidgen_nodes.ros.recorded_overlays import RecordedOverlays
from vidgen_nodes.ros.replay import Recording, read_recording
from vidgen_nodes.ros.sensed import Sensing
from vidgen_nodes.scenario.timeline import scenario_from_record
from vidgen_nodes.scene.building import Building

Leaf = Mapping[str, object]
_NO_SCENARIO = "the ledger"  # in place of a file: what a scenario names lies beside it


@dataclass(frozen=True)
class Task:
    """What is derived from what."""

    ledger: Path
    bag: Path
    remaps: dict[str, str] = field(default_factory=dict)
    tolerance: int = 0
    pictures: Path | None = None
    fields: Path = field(default_factory=Path)  # folder from which scenarios named other engines' files


@dataclass(frozen=True)
class Derived:
    """One frame made again."""

    stamp_ns: int
    frame_sha256: bytes
    levels: int | None = (
        None  # largest difference to the recorded overlay, where that is within the tolerance
    )
    attestation: bytes | None = None  # the commitment to its obstacles, made again; None: none, or not made


class Redrawing:
    """Makes recorded frames again, as their records say. A context manager."""

    def __init__(self, task: Task) -> None:
        """Read what the records say.

        Raises:
            VerificationError: they cannot be used.
        """
        self._task = task
        with LedgerReader(task.ledger) as reader:
            frames = [leaf for _, leaf in reader.frames()]
            self._params = params_of(reader, frames[0])
            self._building = building_of(reader, frames[0])
            scenarios: dict[bytes, Scenario] = {}
            self._scenarios = {_stamp_ns(leaf): _scenario(reader, leaf, scenarios) for leaf in frames}
            solved = self._params.generator.smoke_model == "solver"
            self._late = frozenset(_stamp_ns(leaf) for leaf in frames if solved and _stood_in(reader, leaf))
        self._recorded = {_stamp_ns(leaf): leaf for leaf in frames}
        self._scenario = self._first = self._scenarios[min(self._scenarios)]
        self._pictures = RecordedOverlays(task.bag, task.pictures) if task.tolerance else None
        self._pipeline: Pipeline | None = None
        self._hashes = FrameHashes()

    def bundles(self) -> Iterator[Bundle]:
        """What the recording yields for each thermal frame.

        Raises:
            BagError: the recording is damaged.
        """
        with LedgerReader(self._task.ledger) as reader:
            recording = heard(read_recording(self._task.bag, self._task.remaps, nav=self._params.rtk), reader)
        return Sensing(recording, self._params, self._building).bundles()

    def prepare(self) -> Pipeline:
        """Get ready to draw; done by the first frame otherwise."""
        if self._pipeline is None:
            digests = run_digests(self._params, self._building)
            own, (secret, _) = self._params.generator, secret_of(self._task.ledger)
            own = replace(own, scenario_file=str(self._task.fields / _NO_SCENARIO))
            if secret:
                committer = ObstacleCommitter(SecretOnly(secret), own.tau_uncertainty, own.min_observations)
                self._hashes = CommittedFrames(committer)
            self._pipeline = Pipeline(own, self._building, self._scenario, self._hashes, digests)
        return self._pipeline

    def draw(self, bundle: Bundle) -> Frame:
        """Make a frame again. The record in it is in no ledger; the one that counts is in that of the task.

        Raises:
            InputError: no frame comes of it.
        """
        pipeline = self.prepare()
        scenario = self._scenarios.get(bundle.stamp_ns, self._first)
        if scenario != self._scenario:
            self._scenario = scenario
            pipeline.set_world(pipeline.world_of(scenario))
        return pipeline.process(bundle, analytic=bundle.stamp_ns in self._late)

    def derive(self, bundle: Bundle) -> Derived | None:
        """Make a frame again and look how far it is off; None: none comes of it."""
        try:
            frame = self.draw(bundle)
        except InputError:
            return None
        found, levels = frame.record.frame_sha256, None
        leaf = self._recorded.get(bundle.stamp_ns)
        if self._pictures is not None and leaf is not None:
            expected = leaf_hash_of(leaf, "frame")
            difference = None if found == expected else self._pictures.difference(frame.overlay, expected)
            levels = difference if difference is not None and difference <= self._task.tolerance else None
        return Derived(bundle.stamp_ns, found, levels, getattr(self._hashes, "attestation", None))

    def close(self) -> None:
        """Stop what works ahead."""
        if self._pipeline is not None:
            self._pipeline.close()

    def __enter__(self) -> Redrawing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def derive_frames(task: Task, low: int, high: int, sink: Callable[[Bundle, Frame], None]) -> None:
    """Make the frames with stamps from ``low`` up to (not including) ``high`` again, each handed to ``sink``.

    The record in a frame is in no ledger; the one that counts stands in the ledger of the task.

    Raises:
        BagError: the recording is damaged.
        VerificationError: the ledger's records cannot be used.
    """
    with Redrawing(task) as redrawing:
        for bundle in redrawing.bundles():
            if bundle.stamp_ns >= high and bundle.stamp_ns > low:
                return
            if bundle.stamp_ns >= low:
                try:
                    frame = redrawing.draw(bundle)
                except InputError:
                    continue
                sink(bundle, frame)


def _stamp_ns(leaf: Leaf) -> int:
    return int(str(leaf["stamp_ns"]))


def heard(recording: Recording, reader: LedgerReader) -> Recording:
    """The recording without what the run could not read: topics of message packages that it may have lacked.

    Those are topics a stack can do without, nothing of which entered any frame of the ledger.
    """
    optional = {
        ours
        for ours in recording.inputs
        if (route := recording.wanted[ours].route) is not None and route.without
    }
    if not optional:
        return recording
    named = {ref.topic for ref in reader.inputs()}
    kept = {
        ours: recorded
        for ours, recorded in recording.inputs.items()
        if ours not in optional or named & {recorded, resolved_topic(ours)}
    }
    left_out = dict.fromkeys(optional - kept.keys(), "nothing of it entered a frame of the run")
    counts = {ours: recording.counts[ours] for ours in kept}
    return replace(recording, inputs=kept, counts=counts, left_out={**recording.left_out, **left_out})


def params_of(reader: LedgerReader, leaf: Leaf) -> NodeParams:
    """The parameters under which a frame was made.

    Raises:
        VerificationError: the record cannot be used.
    """
    try:
        return params_from_config(reader.record(leaf_hash_of(leaf, "config")))
    except ConfigError as err:
        raise VerificationError(f"the parameters in the ledger cannot be used: {err}") from err


def _scenario(reader: LedgerReader, leaf: Leaf, known: dict[bytes, Scenario]) -> Scenario | None:
    causes = leaf["causes"]
    if leaf["scenario"] is None or (isinstance(causes, list) and Cause.NOT_REVIEWED.value in causes):
        return None  # nobody had validated it: nothing was drawn, as with none
    key = leaf_hash_of(leaf, "scenario")
    if key not in known:
        body = _map(reader, key, "scenario")
        try:
            known[key] = scenario_from_record(body, key)
        except (TypeError, KeyError) as err:
            raise VerificationError(f"scenario record {key.hex()}: is of another version: {err}") from err
    return known[key]


def _stood_in(reader: LedgerReader, leaf: Leaf) -> bool:
    """Whether the solver of the smoke was late for a frame; a physics record that is gone says no."""
    if isinstance(leaf["causes"], list) and leaf["causes"]:
        return False
    try:
        refs = physics_refs(reader.record(leaf_hash_of(leaf, "physics")))
    except VerificationError:
        return False
    return stood_in([ref.element for ref in refs])


def building_of(reader: LedgerReader, leaf: Leaf) -> Building | None:
    """The building model of a frame; None: it had none.

    Raises:
        VerificationError: the record cannot be used.
    """
    if leaf["building"] is None:
        return None
    key = leaf_hash_of(leaf, "building")
    body = _map(reader, key, "building")
    try:
        return Building.from_record(body)
    except (TypeError, KeyError, ValueError) as err:
        raise VerificationError(f"building record {key.hex()}: is of another version: {err}") from err


def _map(reader: LedgerReader, key: bytes, what: str) -> dict[str, Any]:
    body = reader.record(key)
    if not isinstance(body, dict):
        raise VerificationError(f"{what} record {key.hex()}: got {type(body).__name__}, expected a map")
    return body


def leaf_hash_of(leaf: Leaf, name: str) -> bytes:
    """A hash that a frame leaf names.

    Raises:
        VerificationError: it is none.
    """
    value = leaf.get(name)
    if not isinstance(value, bytes):
        raise VerificationError(f"frame leaf: {name}: got {type(value).__name__}, expected a hash")
    return value
