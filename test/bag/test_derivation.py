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
from vidgen_nodes.ros import derivation
from vidgen_nodes.ros.derivation import Task, derive_in_parallel, derive_share
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


def test_frames_do_not_depend_on_the_number_of_processes(
    rendered: Path, flight: Path, stamps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derivation, "_FEWEST", 5)
    task, seen = Task(rendered / "ledger.db", flight), []
    several = derive_in_parallel(task, stamps, 2, lambda: seen.append(1))
    alone = derive_in_parallel(task, stamps, 1, lambda: None)
    assert several == alone
    assert [frame.stamp_ns for frame in several] == stamps
    assert len(seen) == len(stamps)
    with LedgerReader(rendered / "ledger.db") as reader:
        assert [leaf["frame"] for _, leaf in reader.frames()] == [frame.frame_sha256 for frame in several]


def test_shares_cover_every_frame_once_and_late_ones_are_smaller() -> None:
    stamps = list(range(100, 1100))
    for jobs in (1, 2, 3, 8):
        shares = derivation._shares(stamps, jobs)
        counts = [sum(low <= stamp < high for stamp in stamps) for low, high in shares]
        assert (len(counts), sum(counts)) == (jobs, 1000)
        assert counts == sorted(counts, reverse=True)


def test_a_share_draws_only_its_frames(rendered: Path, flight: Path, stamps: list[int]) -> None:
    task = Task(rendered / "ledger.db", flight)
    found = derive_share(task, stamps[10], stamps[14], lambda: None)
    assert [frame.stamp_ns for frame in found] == stamps[10:14]


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
    derive_share(dataclasses.replace(task, tolerance=1), stamps[-2], 1 << 63, lambda: None)
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
