# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Frames derived again: the same in one process and in several; altered bags and pictures change the verdict."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import pytest

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.ros import derivation, drawing_processes
from vidgen_nodes.ros.derivation import Derived, Redrawing, Task, derive_frames
from vidgen_nodes.ros.drawing_processes import DrawingProcesses
from vidgen_nodes.ros.recorded_overlays import RecordedOverlays


@pytest.fixture(scope="module")
def rendered(flight: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rendered") / "out"
    assert main(["render", str(flight), "--out", str(out), "--preset", "sim"]) == 0
    return out


@pytest.fixture(scope="module")
def stamps(rendered: Path) -> list[int]:
    with LedgerReader(rendered / "ledger.db") as reader:
        return [leaf["stamp_ns"] for _, leaf in reader.frames()]


@pytest.fixture(scope="module")
def recorded(rendered: Path) -> list[bytes]:
    with LedgerReader(rendered / "ledger.db") as reader:
        return [leaf["frame"] for _, leaf in reader.frames()]


def derived(task: Task, frames: int, jobs: int) -> list[Derived]:
    with DrawingProcesses(task, frames, jobs) as processes:
        processes.wait_until_ready()
        return processes.derive(task, lambda: None)


def test_frames_do_not_depend_on_the_number_of_processes(
    rendered: Path, flight: Path, stamps: list[int], recorded: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing_processes, "_FEWEST", 5)
    task, own, seen = Task(rendered / "ledger.db", flight), [], []
    original = Redrawing.derive
    monkeypatch.setattr(Redrawing, "derive", lambda self, bundle: own.append(1) or original(self, bundle))
    with DrawingProcesses(task, len(stamps), 2) as processes:
        processes.wait_until_ready()
        several = processes.derive(task, lambda: seen.append(1))
    assert 0 < len(own) < len(stamps), "one process drew everything"
    assert [frame.stamp_ns for frame in several] == stamps
    assert len(seen) == len(stamps)
    assert several == derived(task, len(stamps), 1)
    assert recorded == [frame.frame_sha256 for frame in several]


def test_what_a_process_has_not_begun_to_draw_is_drawn_here(
    rendered: Path, flight: Path, stamps: list[int], recorded: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing_processes, "_FEWEST", 5)
    monkeypatch.setattr(drawing_processes, "_READY", "never said")
    task = Task(rendered / "ledger.db", flight)
    with DrawingProcesses(task, len(stamps), 2) as processes:
        monkeypatch.setattr(processes, "_collect", lambda timeout_s: None)
        assert [frame.frame_sha256 for frame in processes.derive(task, lambda: None)] == recorded


def test_a_process_that_is_killed_is_named_and_does_not_hang_the_rest(
    rendered: Path, flight: Path, stamps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing_processes, "_FEWEST", 5)
    task = Task(rendered / "ledger.db", flight)
    with DrawingProcesses(task, len(stamps), 2) as processes:
        processes.wait_until_ready()
        processes._processes[0].process.kill()
        processes._processes[0].process.join()
        with pytest.raises(VerificationError, match="was killed"):
            processes.derive(task, lambda: None)


def test_few_frames_start_no_process(rendered: Path, flight: Path) -> None:
    with DrawingProcesses(Task(rendered / "ledger.db", flight), 299, 8) as processes:
        assert processes._processes == []


def test_only_the_frames_asked_for_are_drawn(rendered: Path, flight: Path, stamps: list[int]) -> None:
    task, found = Task(rendered / "ledger.db", flight), []
    derive_frames(task, stamps[10], stamps[14], lambda bundle, _: found.append(bundle.stamp_ns))
    assert found == stamps[10:14]


def test_a_frame_a_little_off_is_within_tolerance_only_beside_the_picture_that_was_recorded(
    rendered: Path, flight: Path, stamps: list[int], tmp_path: Path
) -> None:
    overlays, recorded = [], {}
    task = Task(rendered / "ledger.db", flight)

    class Spy(RecordedOverlays):
        def __init__(self, *arguments: object) -> None:
            pass

        def difference(self, overlay, expected):
            overlays.append((overlay, expected))

    with LedgerReader(task.ledger) as reader:
        recorded = {leaf["stamp_ns"]: leaf["frame"] for _, leaf in reader.frames()}
    original = derivation.leaf_hash_of
    patch = pytest.MonkeyPatch()
    patch.setattr(derivation, "RecordedOverlays", Spy)
    patch.setattr(
        derivation, "leaf_hash_of", lambda leaf, name: bytes(32) if name == "frame" else original(leaf, name)
    )
    derived(dataclasses.replace(task, tolerance=1), 1, 1)
    patch.undo()
    overlay, _ = overlays[-1]
    expected, pictures = recorded[overlay.stamp_ns], RecordedOverlays(flight, rendered / "frames")
    assert overlay.rgba.any(), "the last frame draws nothing: take a longer flight"
    assert pictures.difference(overlay, expected) == 0
    rgba = overlay.rgba.copy()
    rgba[rgba[..., 3] > 0, 0] ^= 1  # another processor
    assert pictures.difference(dataclasses.replace(overlay, rgba=rgba), expected) == 1
    picture = cv2.imread(str(rendered / "frames" / f"{overlay.stamp_ns}.png"), cv2.IMREAD_UNCHANGED)
    picture[picture[..., 3] > 0, 2] ^= 1
    cv2.imwrite(str(tmp_path / f"{overlay.stamp_ns}.png"), picture)
    assert RecordedOverlays(flight, tmp_path).difference(overlay, expected) is None
    assert RecordedOverlays(flight).difference(overlay, expected) is None  # the recording holds no overlay
