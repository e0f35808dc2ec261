# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Derives frames from a ledger's own records and a recording, spread over processes.

Sensing must run from the first message on, drawing need not: every process runs the sensing up to the last frame of
its share and draws that share alone, later shares being smaller for it. Guarantees: the frames do not depend on the
number of processes. Leaves out what follows from the frames (``rederive.py``).
"""

from __future__ import annotations

import itertools
import multiprocessing
import queue
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vidgen_nodes.custody.identity import params_from_config
from vidgen_nodes.custody.leaf import physics_refs
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.generation.solved_smoke import stood_in
from vidgen_nodes.packets import Bundle, Cause, Frame, Scenario
from vidgen_nodes.params import NodeParams
from vidgen_nodes.ros.inputs import resolved_topic
from vidgen_nodes.ros.offline import Surroundings, run_offline
from vidgen_nodes.ros.recorded_overlays import RecordedOverlays
from vidgen_nodes.ros.replay import Recording, read_recording
from vidgen_nodes.scenario.timeline import scenario_from_record
from vidgen_nodes.scene.building import Building

Leaf = Mapping[str, object]
_DRAWING_SHARE = 0.73  # of the cost of a frame (11 of 15 ms); only balances the processes
_FEWEST = 20  # frames that are worth a process of their own
_POLL_S = 0.1


@dataclass(frozen=True)
class Task:
    """What is derived from what."""

    ledger: Path
    bag: Path
    remaps: dict[str, str] = field(default_factory=dict)
    tolerance: int = 0
    pictures: Path | None = None


@dataclass(frozen=True)
class Derived:
    """One frame made again."""

    stamp_ns: int
    frame_sha256: bytes
    levels: int | None = (
        None  # largest difference to the recorded overlay, where that is within the tolerance
    )


class _Enough(Exception):  # noqa: N818  # no error: the share is done
    pass


def derive_in_parallel(
    task: Task, stamps: Sequence[int], jobs: int, progress: Callable[[], None]
) -> list[Derived]:
    """Derive every frame of a recording again, by stamp.

    Args:
        task: ledger and recording.
        stamps: of the recorded frames, ascending, ns.
        jobs: processes at most.
        progress: called in this process for each frame.

    Raises:
        BagError: the recording is damaged.
        VerificationError: the ledger's records cannot be used, or a process was killed.
    """
    shares = _shares(stamps, min(jobs, max(1, len(stamps) // _FEWEST)))
    if len(shares) == 1:
        return derive_share(task, *shares[0], progress)
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    ticks: Any = context.Queue()
    with ProcessPoolExecutor(len(shares), context, _remember_ticks, (ticks,)) as pool:
        futures = [pool.submit(_derive_ticking, task, low, high) for low, high in shares]
        try:
            while _pass_on(ticks, progress) or not all(future.done() for future in futures):
                pass
            derived = [frame for future in futures for frame in future.result()]
        except BrokenProcessPool as err:
            raise VerificationError(
                "a process that derived frames was killed; try again with --jobs 1"
            ) from err
    return sorted(derived, key=lambda frame: frame.stamp_ns)


def _pass_on(ticks: Any, progress: Callable[[], None]) -> bool:
    try:
        ticks.get(timeout=_POLL_S)
    except queue.Empty:
        return False
    progress()
    return True


_ticks: Any = None


def _remember_ticks(ticks: Any) -> None:
    global _ticks  # a queue reaches a pool's process in no other way
    _ticks = ticks


def _derive_ticking(task: Task, low: int, high: int) -> list[Derived]:
    return derive_share(task, low, high, lambda: _ticks.put(None))


def _shares(stamps: Sequence[int], jobs: int) -> list[tuple[int, int]]:
    """Stamps from (inclusive) and to (exclusive) of each process, of equal cost."""
    ratio, count = _DRAWING_SHARE, len(stamps)
    ends = [round(count * (1 - ratio**k) / (1 - ratio**jobs)) for k in range(1, jobs)]
    bounds = [-(1 << 63), *(stamps[end] for end in ends), 1 << 63]
    return list(itertools.pairwise(bounds))


def derive_share(task: Task, low: int, high: int, progress: Callable[[], None]) -> list[Derived]:
    """Derive the frames with stamps from ``low`` up to (not including) ``high``."""
    with LedgerReader(task.ledger) as reader:
        recorded = {int(str(leaf["stamp_ns"])): leaf for _, leaf in reader.frames()}
    derived: list[Derived] = []
    pictures = RecordedOverlays(task.bag, task.pictures) if task.tolerance else None

    def sink(bundle: Bundle, frame: Frame) -> None:
        found, levels = frame.record.frame_sha256, None
        leaf = recorded.get(bundle.stamp_ns)
        if pictures is not None and leaf is not None and found != (expected := leaf_hash_of(leaf, "frame")):
            difference = pictures.difference(frame.overlay, expected)
            levels = difference if difference is not None and difference <= task.tolerance else None
        derived.append(Derived(bundle.stamp_ns, found, levels))
        progress()

    derive_frames(task, low, high, sink)
    return derived


def derive_frames(task: Task, low: int, high: int, sink: Callable[[Bundle, Frame], None]) -> None:
    """Make the frames with stamps from ``low`` up to (not including) ``high`` again, each handed to ``sink``.

    The record in a frame is that of a passing ledger; the one that counts stands in the ledger of the task.
    """
    with LedgerReader(task.ledger) as reader:
        frames = [leaf for _, leaf in reader.frames()]
        params = params_of(reader, frames[0])
        scenarios: dict[bytes, Scenario] = {}
        by_stamp = {int(str(leaf["stamp_ns"])): _scenario(reader, leaf, scenarios) for leaf in frames}
        solved = params.generator.smoke_model == "solver"
        late = frozenset(int(str(leaf["stamp_ns"])) for leaf in frames if solved and _stood_in(reader, leaf))
        start = by_stamp[min(by_stamp)]
        around = Surroundings(building_of(reader, frames[0]), start)
        recording = heard(read_recording(task.bag, task.remaps, nav=params.rtk), reader)

    def wanted(stamp_ns: int) -> bool:
        if stamp_ns >= high and stamp_ns > low:
            raise _Enough
        return stamp_ns >= low

    again = _Again(wanted, lambda stamp_ns: by_stamp.get(stamp_ns, start), late.__contains__)
    _run(recording, params, around, sink, again)


@dataclass(frozen=True)
class _Again:
    """What the records say of frames, by stamp."""

    wanted: Callable[[int], bool]
    scenario_at: Callable[[int], Scenario | None]
    stood_in_at: Callable[[int], bool]


def _run(
    recording: Recording,
    params: NodeParams,
    around: Surroundings,
    sink: Callable[[Bundle, Frame], None],
    again: _Again,
) -> None:
    with tempfile.TemporaryDirectory(prefix="vidgen-verify-") as folder:
        path = Path(folder) / "ledger.db"
        try:
            run_offline(
                recording,
                params,
                path,
                sink,
                surroundings=around,
                scenario_at=again.scenario_at,
                wanted=again.wanted,
                stood_in_at=again.stood_in_at,
            )
        except _Enough:
            return
        except ConfigError as err:
            raise VerificationError(f"the run's inputs are not here: {err}") from err


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
