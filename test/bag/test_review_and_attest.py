# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""From a scenario that a person validated to frames that they judged and a file that opens the cells: by command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.resources import config_dir

SCENARIO = config_dir() / "scenarios" / "sim_wall_fire.yaml"
# What `attest verify` must not need: an auditor has Python, cbor2 and cryptography.
ALONE = """
import sys
class Nothing:
    def find_spec(self, name, *rest):
        if name.split(".")[0] in ("numpy", "torch", "cv2", "rclpy", "numba", "rich", "yaml", "vidgen"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nothing())
from vidgen_nodes.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def command(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    """Exit status and the last line of stdout."""
    capsys.readouterr()
    status = main([*map(str, words), "--json"])
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Alice's key and the file that names her."""
    folder = tmp_path_factory.mktemp("people")
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr(sys, "stdout", out)
        assert main(["review", "key", "alice", "--out", str(folder / "alice.key"), "--json"]) == 0
    key = json.loads(out.getvalue())["key"]
    (folder / "reviewers.yaml").write_text(
        f"reviewers: [{{name: Alice, may: [scenario, frames], keys: ['{key}']}}]\n"
    )
    return folder


@pytest.fixture(scope="module")
def run(flight: Path, people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendering under a policy that asks for a review, which Alice gave."""
    folder = tmp_path_factory.mktemp("reviewed")
    who = [
        f"--set=generator.reviewers_file={people / 'reviewers.yaml'}",
        "--set=generator.require_review=true",
    ]
    signing = ["--key", str(people / "alice.key"), "--name", "alice"]
    words = [
        "review",
        "scenario",
        str(SCENARIO),
        "--preset",
        "sim",
        *signing,
        "--out",
        str(folder / "ok.json"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO("what?\na\nas in the drill book\n"))
        assert main(words) == 0
    words = ["render", str(flight), "--preset", "sim", "--out", str(folder / "out"), "--json", *who]
    assert main([*words, f"--set=generator.review_file={folder / 'ok.json'}"]) == 0
    return folder / "out"


def test_a_rendering_without_the_review_shows_nothing(
    flight: Path, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    who = [
        f"--set=generator.reviewers_file={people / 'reviewers.yaml'}",
        "--set=generator.require_review=true",
    ]
    _, summary = command(capsys, "render", flight, "--preset", "sim", "--out", tmp_path / "out", *who)
    assert summary["gate"]["pixels_drawn"] == 0
    assert summary["sync"]["causes"]["not_reviewed"] == summary["frames"]["overlay_out"]
    status, verified = command(capsys, "verify", tmp_path / "out", "--bag", flight)
    assert status == 0
    assert verified["bag"]["rederived"]["identical"] == summary["frames"]["overlay_out"]


def test_review_is_in_every_frame_and_verify_says_whose(
    run: Path, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["gate"]["pixels_drawn"] > 0
    status, found = command(capsys, "verify", run, "--reviewers", people / "reviewers.yaml")
    assert status == 0
    (scenario,) = found["reviews"]["scenarios"]
    assert (scenario["person"], scenario["trusted"]) == ("Alice", True)
    assert scenario["frames"] == summary["frames"]["overlay_out"]
    assert found["reviews"]["frames_without_scenario_review"] == 0


def test_sheet_shows_every_number_with_its_unit_source_and_range(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = command(capsys, "review", "scenario", SCENARIO, "--preset", "sim")
    assert status == 0
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["fires.wall_foot.peak_kw"]["allowed"] == "5 to 100000"
    assert rows["fires.wall_foot.peak_kw"]["unit"] == "kW"
    assert rows["gate.tau_uncertainty"]["allowed"] == "0 to 1"
    assert all(row["allowed"] for row in rows.values())
    assert all(row["source"] for row in rows.values())


def test_rejecting_is_a_bad_result_and_no_review_is_overwritten(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "review",
        "scenario",
        SCENARIO,
        "--preset",
        "sim",
        "--key",
        people / "alice.key",
        "--name",
        "alice",
    ]
    status, found = command(capsys, *words, "--out", tmp_path / "no.json", "--verdict", "reject")
    assert (status, found["verdict"]) == (1, "reject")
    status, found = command(capsys, *words, "--out", tmp_path / "no.json", "--verdict", "accept")
    assert status == 2
    assert "never overwritten" in found["error"]


def test_frames_are_judged_one_by_one_and_verdicts_stay(
    run: Path,
    flight: Path,
    people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: Any,
) -> None:
    with LedgerReader(run / "ledger.db") as reader:
        size, drawn = reader.size, [index for index, leaf in reader.frames() if not leaf["causes"]]
    first = drawn[0]
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\n\nr\nflame floats\ns\nq\n"))
    signing = [
        "--key",
        people / "alice.key",
        "--name",
        "alice",
        "--set",
        "generator.require_signed_reviews=true",
    ]
    signing += ["--set", f"generator.reviewers_file={people / 'reviewers.yaml'}"]
    words = ["review", "frames", run, "--from", first, "--bag", flight, "--out", tmp_path / "seen"]
    status, found = command(capsys, *words, *signing)
    assert (status, found["leaves"]) == (0, [size, size + 1])
    seen = sorted((tmp_path / "seen").iterdir())
    assert [path.stem for path in seen] == [f"{first + n:08d}" for n in range(4)]
    assert cv2.imread(str(seen[0])).shape[0] >= 512
    words = ["review", "frames", run, "--from", first, "--to", first + 2, "--together", "--name", "bob"]
    status, found = command(capsys, *words, "--verdict", "accept")
    assert (status, found["leaves"]) == (0, [size + 2])
    status, found = command(capsys, "review", "list", run, "--reviewers", people / "reviewers.yaml")
    assert status == 0
    assert [
        (row["leaf_index"], row["last_leaf"], row["verdict"], row["signed_by"]) for row in found["verdicts"]
    ] == [
        (first, first, "accept", "Alice"),
        (first + 1, first + 1, "reject", "Alice"),
        (first, first + 2, "accept", ""),
    ]
    status, found = command(capsys, "verify", run)
    assert (status, found["signed"]) == (0, size + 3)


def test_unsigned_verdict_is_refused_where_the_policy_says_so(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["review", "frames", run, "--name", "bob", "--verdict", "accept"]
    status, found = command(capsys, *words, "--set", "generator.require_signed_reviews=true")
    assert status == 2
    assert "sign with --key" in found["error"]


def test_auditor_checks_an_attestation_with_nothing_but_the_root_key(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with LedgerReader(run / "ledger.db") as reader:
        leaf = next(index for index, leaf in reader.frames() if "attestation" in leaf)
    words = ["attest", run, leaf, "--out", tmp_path / "cells"]
    status, found = command(capsys, *words, "--cells", 3, "--nonce", "auditor 7")
    assert status == 0
    assert found["bytes"][0] <= 2048
    assert command(capsys, "proof", "make", run, leaf, "--out", tmp_path / "proof")[0] == 0
    _, keys = command(capsys, "keys")
    verify = [
        "attest",
        "verify",
        tmp_path / "cells",
        "--root",
        keys["root"],
        "--nonce",
        "auditor 7",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *map(str, verify), "--proof", str(tmp_path / "proof"), "--tau", "0.5"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["log"]
    assert len(told["opened"]) == min(3, told["obstacle_cells"])
    assert min(cell["uncertainty"] for cell in told["opened"]) >= 0.5
    other = next(index for index in range(leaf + 1, leaf + 9))
    assert command(capsys, "proof", "make", run, other, "--out", tmp_path / "other")[0] == 0
    status, found = command(capsys, *verify[:-1], "--proof", tmp_path / "other")
    assert status == 1
    assert "another leaf" in found["error"]
    status, found = command(capsys, *verify[:-1], "--tau", 0.9)
    assert status == 1
    assert "asked is 0.9" in found["error"]
    assert command(capsys, *verify[:-3], "--nonce", "another")[0] == 1


@pytest.mark.parametrize(
    "words", [["attest"], ["attest", "x", "y"], ["attest", "none.db", "3", "--out", "f"]]
)
def test_wrong_request_of_attest(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(words)
    except SystemExit as err:
        status = int(err.code or 0)
    assert status == 2
    assert capsys.readouterr().err
