# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Frames with solved smoke: the same bytes rendered twice, and live frames for which the solver was late made again."""

from __future__ import annotations

import functools
import threading
from pathlib import Path

import pytest

from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.generation.solved_smoke import NOT_READY, SOLVER
from vidgen_nodes.graph import merge_overrides, resolve_params
from vidgen_nodes.params import NodeParams
from vidgen_nodes.pipeline import Pipeline
from vidgen_nodes.ros import offline
from vidgen_nodes.ros.derivation import Task, derive_frames
from vidgen_nodes.ros.offline import load_surroundings, run_offline
from vidgen_nodes.ros.replay import Recording, read_recording, replay_overrides

SOLVED = {"generator": {"smoke_model": "solver", "smoke_cell_m": 0.4, "smoke_cells_wide": 20}}


@pytest.fixture(scope="module")
def recording(flight: Path) -> Recording:
    return read_recording(flight)


@pytest.fixture(scope="module")
def params(recording: Recording) -> NodeParams:
    return resolve_params("sim", overrides=merge_overrides(replay_overrides(recording), SOLVED))


def run(recording: Recording, params: NodeParams, ledger: Path) -> list[tuple[bytes, tuple[str, ...]]]:
    """Hash and elements of every frame."""
    found = []
    run_offline(recording, params, ledger, lambda _, frame: found.append(frame.record))
    assert not verify_ledger(ledger).faults
    return [(item.frame_sha256, tuple(ref.element for ref in item.physics)) for item in found]


def test_rendered_twice_every_frame_has_the_same_bytes(
    recording: Recording, params: NodeParams, tmp_path: Path
) -> None:
    first, second = (run(recording, params, tmp_path / name / "ledger.db") for name in ("one", "two"))
    assert first == second
    drawn = [elements for _, elements in first if elements]
    assert drawn
    assert all(NOT_READY not in elements for elements in drawn)
    assert any(SOLVER in elements for elements in drawn)
    assert not [thread for thread in threading.enumerate() if thread.name == "smoke"]


def test_frames_that_did_not_wait_are_made_again_by_their_record(
    recording: Recording, params: NodeParams, flight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger.db"
    with monkeypatch.context() as patch:
        patch.setattr(offline, "Pipeline", functools.partial(Pipeline, smoke_wait_s=0.0))
        live = run(recording, params, ledger)
    assert any(NOT_READY in elements for _, elements in live)  # nobody waits for the first tick
    again: list[bytes] = []
    derive_frames(Task(ledger, flight), 0, 1 << 62, lambda _, frame: again.append(frame.record.frame_sha256))
    with LedgerReader(ledger) as reader:
        recorded = [leaf["frame"] for _, leaf in reader.frames()]
    assert again == recorded == [sha256 for sha256, _ in live]


def test_another_scenario_ends_the_solver_of_the_one_before(
    recording: Recording, params: NodeParams, tmp_path: Path
) -> None:
    around = load_surroundings(params, recording.first_frame_ns())
    digests = run_digests(params, around.building)
    bundles = []
    run_offline(recording, params, tmp_path / "first.db", lambda bundle, _: bundles.append(bundle))
    with Ledger.open(tmp_path / "ledger.db", segment=digests.segment("start")) as ledger:
        pipeline = Pipeline(params.generator, around.building, around.scenario, ledger, digests)
        seen = []
        for _ in range(3):
            pipeline.process(bundles[-1])
            seen += [item for item in threading.enumerate() if item.name == "smoke" and item not in seen]
            assert pipeline.set_world(pipeline.world_of(around.scenario))
        assert len(seen) == 3
        pipeline.close()
    for thread in seen:
        thread.join(60.0)
        assert not thread.is_alive()
