# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen explain`` on a rendered flight that plays another engine's field and a leak of steam."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.explanation import Explanation, explain_pixel
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.generation.fields.file import write_npz
from vidgen_nodes.generation.fields.run import FieldRun, FieldSeries
from vidgen_nodes.params import SimParams
from vidgen_nodes.resources import config_dir
from vidgen_nodes.sim.recording import write_recording


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s of flight at 5 Hz; our own fire is put off, so that the imported field and the steam are all there is."""
    folder = tmp_path_factory.mktemp("fields")
    axis, high = np.arange(0.0, 2.6, 0.25), np.arange(0.0, 3.1, 0.25)
    times = np.array([0.0, 30.0])
    shape = (2, len(high), len(axis), len(axis))
    warm = np.linspace(900.0, 500.0, len(high), dtype=np.float32)[None, :, None, None]
    burns = np.float32(400.0) * (high < 1.5)[None, :, None, None]
    series = {
        "temperature_k": FieldSeries(times, np.broadcast_to(warm, shape).astype(np.float32)),
        "soot_kg_per_m3": FieldSeries(times, np.full(shape, 1e-3, np.float32)),
        "heat_release_kw_per_m3": FieldSeries(times, np.broadcast_to(burns, shape).astype(np.float32)),
    }
    write_npz(folder / "annex.npz", FieldRun("FDS", "FDS-6.10.1", (), axis, axis, high, series))
    plan = yaml.safe_load((config_dir() / "scenarios" / "sim_wall_fire.yaml").read_text(encoding="utf-8"))
    plan["ignitions"][0]["start_s"] = 500.0
    plan["debris"] = False
    plan["imported"] = [{"file": "annex.npz", "start_s": 0.0, "translation_m": [5.6, -1.6, 0.0]}]
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    write_recording(folder / "flight", SimParams(thermal_rate_hz=5.0, lidar_points=8000), 3.0)
    words = ["render", str(folder / "flight"), "--preset", "sim", "--out", str(folder / "out"), "--json"]
    assert main([*words, "--set", f"generator.scenario_file={folder / 'plan.yaml'}"]) == 0
    return folder / "out"


def explained(run: Path, folders: tuple[Path, ...]) -> list[Explanation]:
    """Drawn pixels of the last frame."""
    with LedgerReader(run / "ledger.db") as reader:
        index, leaf = list(reader.frames())[-1]
        picture = cv2.imread(str(run / "frames" / f"{leaf['stamp_ns']}.png"), cv2.IMREAD_UNCHANGED)
        drawn = np.argwhere(picture[:512, :, 3] > 0)
        chosen = drawn[np.random.default_rng(3).integers(0, len(drawn), 60)]
        return [explain_pixel(reader, index, leaf, float(x), float(y), folders) for y, x in chosen.tolist()]


def test_every_pixel_of_an_imported_field_names_engine_file_values_cells_and_rule(run: Path) -> None:
    told = explained(run, (run.parent,))
    assert {item.verdict for item in told} == {"element"}
    kinds = set()
    for item in told:
        (element,) = item.elements
        kinds.add(element["kind"])
        assert element["name"] == "FDS FDS-6.10.1, imported/0"
        state = element["state"]
        assert isinstance(state, dict)
        assert state["files_sha256"]["annex.npz"][0] in str(element["why"])
        assert 285.0 < state["ray_highest_temperature"][0] <= 900.0
        assert 0.0 < state["ray_soot_column"][0] < 1e-2
        assert any("path from ignition wall_foot" in str(column["why"]) for column in item.columns)
    assert kinds == {"flame", "smoke"}


def test_verify_finds_the_file_where_it_is_told_and_says_where_it_looked(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", str(run), "--bag", str(run.parent / "flight"), "--jobs", "1", "--json"]
    assert main([*words, "--fields", str(run.parent)]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["bag"]["rederived"]
    assert said["identical"] > 10
    assert said["different"] == said["inputs_missing"] == 0
    assert main([*words, "--fields", str(run)]) == 2
    assert "annex.npz: No such file or directory; it lies beside" in capsys.readouterr().err
    with np.load(run.parent / "annex.npz") as played:
        content = {**played}
    (run / "other").mkdir()
    np.savez(run / "other" / "annex.npz", **{**content, "temperature_k": content["temperature_k"] + 200.0})
    assert main([*words, "--fields", str(run / "other")]) == 1
    (note,) = json.loads(capsys.readouterr().out.splitlines()[-1])["notes"]
    assert note.startswith("imported/0: ")
    assert note.endswith("annex.npz is not the file that was shown: its hash differs from the recorded one")
    assert main([*words, "--fields", str(run / "nowhere")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_without_its_file_the_field_is_still_named_by_engine_and_hash(run: Path) -> None:
    for item in explained(run, ()):
        (element,) = item.elements
        assert element["kind"] == "imported field"
        assert "SHA-256" in str(element["why"])
        assert "the values along the ray need the files" in str(element["why"])


def test_the_command_finds_the_file_where_it_is_told_and_reads_well(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with LedgerReader(run / "ledger.db") as reader:
        index, leaf = list(reader.frames())[-1]
    picture = cv2.imread(str(run / "frames" / f"{leaf['stamp_ns']}.png"), cv2.IMREAD_UNCHANGED)
    y, x = np.argwhere(picture[:512, :, 3] == picture[:512, :, 3].max())[0].tolist()
    words = ["explain", str(run), str(index), str(x), str(y)]
    assert main([*words, "--fields", str(run.parent)]) == 0
    said = capsys.readouterr().out
    assert "FDS FDS-6.10.1 computed it: annex.npz (SHA-256 " in said
    assert "degC warm" in said
    assert "the gate let it be drawn there" in said
    assert "None" not in said
    assert main([*words, "--json"]) == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert content["elements"][0]["kind"] == "imported field"
    assert content["notes"] == []
