# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Derives the frames of a ledger again from a recording, with nothing but what the ledger holds.

Parameters, building and scenarios come out of the ledger's own records, so no file on this machine can
change the outcome. Leaves out the judgement on the ledger itself (``custody/verify.py``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidgen_nodes.custody.commitments_again import CommitmentReport, compare_commitments
from vidgen_nodes.custody.identity import software_identity
from vidgen_nodes.custody.ray_fields import Element, load_played
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.recording import compare_inputs, compare_manifest
from vidgen_nodes.custody.rederivation import RederivationReport, Verdict, compare_frames
from vidgen_nodes.custody.verify import Fault
from vidgen_nodes.errors import BagError, ConfigError, VerificationError
from vidgen_nodes.graph import NAMESPACE
from vidgen_nodes.packets import SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros.bagfile import storage_files
from vidgen_nodes.ros.convert import serialized_digest
from vidgen_nodes.ros.derivation import Derived, Leaf, Task, heard, leaf_hash_of, params_of
from vidgen_nodes.ros.drawing_processes import DrawingProcesses
from vidgen_nodes.ros.inputs import inputs_of, is_stack_topic, resolved_topic
from vidgen_nodes.ros.recorded_navigation import nmea_references
from vidgen_nodes.ros.replay import Recording, read_recording


@dataclass(frozen=True)
class BagComparison:
    """What a recording and a ledger have to do with each other."""

    files: str  # identical | changed | not recorded
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    messages: int
    rederivation: RederivationReport | None  # None: it could not be tried; a fault says why
    commitments: CommitmentReport | None = None  # likewise

    @property
    def ok(self) -> bool:
        """The same messages, and every frame came out identical."""
        return not self.faults and self.rederivation is not None and self.rederivation.ok


@dataclass(frozen=True)
class Effort:
    """How to derive."""

    jobs: int = 1  # processes; 0: one a core
    tolerance: int = 0  # levels of 255 by which a frame may differ from the recorded overlay; 0: none
    pictures: Path | None = (
        None  # folder of <stamp>.png overlays to compare with; None: the recording's topic
    )
    fields: Path = field(default_factory=Path)  # folder from which scenarios named other engines' files


def compare_bag(
    ledger: Path,
    bag: Path,
    remaps: Mapping[str, str],
    progress: Callable[[], None],
    effort: Effort | None = None,
) -> BagComparison:
    """Compare files and messages of a recording with a ledger, then derive every frame again.

    Args:
        ledger: the ledger.
        bag: the recording it is said to come from.
        remaps: ``{recorded topic: our topic}``, as when it was played.
        progress: called for each frame derived.
        effort: processes and tolerance; None: one process, none.

    Raises:
        BagError: there is no such recording. (One that is damaged gives faults.)
        VerificationError: the ledger cannot be read far enough.
    """
    files = storage_files(bag)
    if not files or not all(path.exists() for path in files):
        raise BagError(f"{bag}: no such recording; give the rosbag2 directory or file that was played")
    effort = effort or Effort()
    with LedgerReader(ledger) as reader, ExitStack() as stack:
        frames = [leaf for _, leaf in reader.frames()]
        if not frames:
            raise VerificationError(f"{ledger}: holds no frame to derive again")
        task = Task(ledger, bag, dict(remaps), effort.tolerance, effort.pictures, effort.fields)
        jobs = effort.jobs or os.cpu_count() or 1
        # First, so that they start while this process reads.
        processes = stack.enter_context(DrawingProcesses(task, len(frames), jobs))
        state, faults = _compare_files(reader, files)
        named = list(reader.inputs())
        try:
            nav = params_of(reader, frames[0]).rtk
            task = replace(task, remaps={**_remaps(named, bag, nav), **remaps})
            recording = heard(read_recording(bag, task.remaps, nav=nav), reader)
            found = list(_references(recording, {ref.topic for ref in named}))
            derived = processes.derive(task, progress)
            report, notes = _judge(reader, frames, derived)
            notes += _other_fields(reader, frames, report, task.fields)
            again = {frame.stamp_ns: frame.attestation for frame in derived}
            commitments = compare_commitments(ledger, frames, again)
        except BagError as err:
            where = Fault(bag.name, f"cannot be read any more: {err}", "missing")
            return BagComparison(state, (*faults, where), (), 0, None)
    notes += [f"{topic}: {why}; derived without it" for topic, why in recording.left_out.items()]
    notes += [commitments.note] if commitments.note else []
    faults += commitments.faults
    messages = compare_inputs(named, found)
    if (
        state == "identical"
    ):  # the bytes are those that were played: what no frame used was refused or lost then
        notes += [str(fault) for fault in messages if fault.kind == "inserted"]
        messages = tuple(fault for fault in messages if fault.kind != "inserted")
    return BagComparison(state, (*faults, *messages), tuple(notes), len(found), report, commitments)


def _compare_files(reader: LedgerReader, files: list[Path]) -> tuple[str, list[Fault]]:
    recorded: list[Mapping[str, object]] = []
    for _, segment in reader.segments():
        if isinstance(key := segment.get("recording"), bytes):
            listed = reader.record(key)
            recorded += [m for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
    if not recorded:
        return "not recorded", []
    by_name = {path.name: path for path in files}
    faults: list[Fault] = []
    for manifest in {str(m.get("name")): m for m in recorded}.values():
        name = str(manifest.get("name"))
        renamed = files[0] if len(files) == 1 and len(recorded) == 1 else files[0].parent / name
        faults.extend(compare_manifest(manifest, by_name.get(name, renamed)))
    return ("changed" if faults else "identical"), faults


def _remaps(named: list[SourceRef], bag: Path, nav: RtkParams) -> dict[str, str]:
    """Topics that go by the same foreign name in the ledger and in the recording; a stack's go by its own."""
    ours_by_type = {item.type_name: topic for topic, item in inputs_of(nav).items() if item.is_guessable}
    foreign = {
        r.topic: r.type_name
        for r in named
        if not r.topic.startswith(f"{NAMESPACE}/") and not is_stack_topic(r.topic)
    }
    if not foreign:
        return {}
    held = {info.name for info in read_recording(bag, need_anchor=False, nav=nav).found}
    return {
        topic: ours_by_type[kind] for topic, kind in foreign.items() if topic in held and kind in ours_by_type
    }


def _references(recording: Recording, named: set[str]) -> Iterator[SourceRef]:
    for message in recording.messages():
        recorded = recording.inputs[message.topic]
        topic = recorded if recorded in named else resolved_topic(message.topic)
        yield SourceRef(
            topic, message.type_name, recording.stamp_ns(message), serialized_digest(message.data)
        )
    try:
        yield from nmea_references(recording.nav)
    except ConfigError as err:
        raise VerificationError(f"the run's positions are not here: {err}") from err


def _judge(
    reader: LedgerReader,
    frames: list[dict[str, object]],
    derived: list[Derived],
) -> tuple[RederivationReport, list[str]]:
    notes = _software_notes(reader, frames[0])
    if len({leaf_hash_of(leaf, "config") for leaf in frames}) > 1:
        notes.append("the parameters changed during the run; frames are derived with the first ones")
    recorded = {int(str(leaf["stamp_ns"])): leaf_hash_of(leaf, "frame") for leaf in frames}
    within = {frame.stamp_ns: frame.levels for frame in derived if frame.levels is not None}
    found = [(frame.stamp_ns, frame.frame_sha256) for frame in derived]
    return compare_frames(recorded, found, within), notes


def _other_fields(
    reader: LedgerReader, frames: Sequence[Leaf], report: RederivationReport, folder: Path
) -> list[str]:
    """Another engine's files that are not those which frames that came out otherwise were made with."""
    off = {stamp_ns for stamp_ns, verdict in report.verdicts if verdict is not Verdict.IDENTICAL}
    seen: dict[bytes, str] = {}
    for leaf in frames:
        if int(str(leaf["stamp_ns"])) not in off or not isinstance(leaf.get("physics"), bytes):
            continue
        for ref, numbers in reader.physics(leaf_hash_of(leaf, "physics")):
            name, digest = ref.element, ref.parameters_sha256
            is_field = name.startswith("imported/") and not name.endswith("/state")
            if is_field and digest not in seen and isinstance(numbers, dict):
                body = reader.record(leaf_hash_of(leaf, "scenario"))
                element = Element(name, ref.source, ref.version, digest, numbers)
                played = load_played(element, body if isinstance(body, dict) else {}, (folder,))
                seen[digest] = f"{name}: {played}" if isinstance(played, str) else ""
    return [said for said in seen.values() if said]


def _software_notes(reader: LedgerReader, leaf: Leaf) -> list[str]:
    then = reader.record(leaf_hash_of(leaf, "software"))
    if not isinstance(then, dict):
        return ["the software record is not a map"]
    now = software_identity()
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return [f"{name}: {then.get(name)} then, {now.get(name)} now" for name in changed]
