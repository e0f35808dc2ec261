# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen verify --bag`` makes the salted commitments again where the secret is at hand, and says where it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.commitments_again import compare_commitments
from vidgen_nodes.custody.openings import OpeningStore, openings_path
from vidgen_nodes.custody.reader import LedgerReader


@pytest.fixture(scope="module")
def rendered(flight: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rendered") / "out"
    assert main(["render", str(flight), "--out", str(out), "--preset", "sim"]) == 0
    return out


@pytest.fixture
def run(rendered: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copytree(rendered, tmp_path / "run", ignore=shutil.ignore_patterns("frames"))
    return tmp_path / "run"


def verify(run: Path, flight: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = main(["verify", str(run), "--bag", str(flight), "--json"])
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def committed(run: Path) -> list[dict[str, Any]]:
    with LedgerReader(run / "ledger.db") as reader:
        return [leaf for _, leaf in reader.frames() if "attestation" in leaf]


def test_every_commitment_is_made_again(run: Path, flight: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(committed(run))
    assert count > 5
    status, result = verify(run, flight, capsys)
    assert (status, result["faults"]) == (0, [])
    assert result["bag"]["commitments"] == {"frames": count, "checked": count, "faults": 0}
    assert not [note for note in result["notes"] if "commitments" in note]


def test_without_the_secret_nothing_is_called_checked(
    run: Path, flight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(committed(run))
    openings_path(run / "ledger.db").unlink()
    status, result = verify(run, flight, capsys)
    assert status == 0
    assert result["bag"]["commitments"] == {"frames": count, "checked": 0, "faults": 0}
    (note,) = (note for note in result["notes"] if "commitments" in note)
    assert note.endswith(f"{count} of {count} frames are not checked: secret not here (ledger.openings.db)")


def test_the_openings_of_another_run_do_not_fit(
    run: Path, flight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, count = openings_path(run / "ledger.db"), len(committed(run))
    path.unlink()
    with OpeningStore(path, writable=True):
        pass
    status, result = verify(run, flight, capsys)
    assert status == 1
    assert result["fault_count"] == count
    assert all("or the openings are of another run" in fault for fault in result["faults"])


def test_openings_that_cannot_be_read_are_not_here(
    run: Path, flight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    openings_path(run / "ledger.db").write_bytes(b"no database" * 100)
    status, result = verify(run, flight, capsys)
    assert status == 0
    assert result["bag"]["commitments"]["checked"] == 0
    assert any("cannot be used for openings" in note for note in result["notes"])


def test_a_commitment_to_anything_else_is_a_fault(run: Path) -> None:
    ledger = run / "ledger.db"
    frames = committed(run)
    stamps = [int(leaf["stamp_ns"]) for leaf in frames]
    same = {stamp: leaf["attestation"] for stamp, leaf in zip(stamps, frames, strict=True)}
    assert compare_commitments(ledger, frames, same).faults == ()
    for other in (bytes(32), None):
        (fault,) = compare_commitments(ledger, frames, {**same, stamps[2]: other}).faults
        assert fault.where == f"frame at {stamps[2]} ns"
    bare = [{name: value for name, value in leaf.items() if name != "attestation"} for leaf in frames]
    assert len(compare_commitments(ledger, bare, same).faults) == len(frames)
    del same[stamps[0]]
    report = compare_commitments(ledger, frames, same)
    assert (report.checked, report.faults) == (len(frames) - 1, ())
    assert "1 of" in report.note
