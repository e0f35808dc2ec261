# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen explain`` on a rendered flight: every drawn pixel has its cells, elements, rule and numbers."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.explanation import CAUSES, Explanation, explain_pixel, find_frame
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Cause
from vidgen_nodes.params import SimParams
from vidgen_nodes.sim.recording import write_recording


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 s of flight at 5 Hz: the fire is on the wall by then."""
    folder = tmp_path_factory.mktemp("explained")
    write_recording(folder / "flight", SimParams(thermal_rate_hz=5.0, lidar_points=8000), 5.0)
    words = ["render", str(folder / "flight"), "--preset", "sim", "--out", str(folder / "out"), "--json"]
    assert main(words) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def told(run: Path) -> list[tuple[Explanation, int]]:
    """Pixels of the last frame with the alpha that they have: drawn ones, the rim of the drawing, and others."""
    with LedgerReader(run / "ledger.db") as reader:
        index, leaf = list(reader.frames())[-1]
        picture = cv2.imread(str(run / "frames" / f"{leaf['stamp_ns']}.png"), cv2.IMREAD_UNCHANGED)
        alpha = picture[:512, :, 3]
        rng = np.random.default_rng(5)
        drawn = np.argwhere(alpha > 0)
        empty = np.argwhere(alpha == 0)
        rim = np.argwhere((cv2.dilate(alpha, np.ones((5, 5))) > 0) & (alpha == 0))
        places = np.concatenate([item[rng.integers(0, len(item), 80)] for item in (drawn, empty, rim)])
        return [
            (explain_pixel(reader, index, leaf, float(x), float(y)), int(alpha[y, x]))
            for y, x in places.tolist()
        ]


def test_every_drawn_pixel_is_traced_to_what_is_on_its_ray(told: list[tuple[Explanation, int]]) -> None:
    drawn = [item for item, alpha in told if alpha > 0]
    assert len(drawn) == 80
    assert {item.verdict for item in drawn} == {"element"}
    for item in drawn:
        assert item.columns
        assert all(column["why"] for column in item.columns)
        assert item.physics
        assert item.parameters["tau_uncertainty"] == 0.5


def test_where_nothing_is_open_nothing_is_drawn(told: list[tuple[Explanation, int]]) -> None:
    verdicts = Counter(item.verdict for item, _ in told)
    assert verdicts["closed"] > 30
    assert all(alpha == 0 for item, alpha in told if item.verdict in ("closed", "hidden", "open"))


def test_a_pixel_of_the_burning_wall_names_pieces_element_rule_and_numbers(
    told: list[tuple[Explanation, int]],
) -> None:
    burning = [
        element
        for item, alpha in told
        for element in item.elements
        if alpha > 0 and element["name"] == "burning surface wall_east"
    ]
    assert burning
    for element in burning:
        assert element["ignition"] == "wall_foot"
        cells: Any = element["cells"]
        assert cells
        assert all("timber_cladding, burns by combustible: true" in cell["bim"] for cell in cells)
        assert all(cell["position_m"][0] == pytest.approx(6.2) for cell in cells)
        state: Any = element["state"]
        assert state["wood.phi_kw2_per_m3"][0] == 12.9
        assert state["heat_release"][0] > 0.0
    traced = next(item for item, _ in told if any(e["name"] == burning[0]["name"] for e in item.elements))
    assert any("path from ignition wall_foot" in str(column["why"]) for column in traced.columns)
    assert {item["element"] for item in traced.physics} >= {"flame", "smoke", "spread"}


def test_a_pixel_of_debris_names_cell_uncertainty_and_returns(told: list[tuple[Explanation, int]]) -> None:
    found = [
        column
        for item, _ in told
        for column in item.columns
        if column["rule"] == "debris" and any(e["kind"] == "debris" for e in item.elements)
    ]
    assert found
    for column in found:
        assert column["uncertainty"] >= 0.5  # type: ignore[operator]
        assert column["observations"] >= 5  # type: ignore[operator]
        assert 0.0 <= column["age_ms"] <= 3000.0  # type: ignore[operator]


def test_a_transparent_frame_says_why(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(run), "seq:0", "5", "5"]) == 0
    said = capsys.readouterr().out
    assert "the frame is transparent because" in said
    assert "no_pose: no pose of the camera was known" in said


def test_every_cause_has_words() -> None:
    assert set(CAUSES) == {cause.value for cause in Cause}


def test_index_number_and_stamp_name_one_frame(run: Path) -> None:
    with LedgerReader(run / "ledger.db") as reader:
        index, leaf = list(reader.frames())[-1]
        for text in (str(index), f"leaf:{index}", f"seq:{leaf['seq']}", str(leaf["stamp_ns"])):
            assert find_frame(reader, text) == (index, leaf)
        for text in ("0", "999999", "seq:77777", "last", "-1", "seq:"):
            with pytest.raises(ConfigError):
                find_frame(reader, text)
        with pytest.raises(InputError):
            explain_pixel(reader, index, leaf, 640.0, 3.0)
        with pytest.raises(InputError, match="Y from 0 to 511; the mark below a saved picture is no part"):
            explain_pixel(reader, index, leaf, 5.0, 580.0)


def test_one_line_for_machines(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(run), "seq:24", "320", "250", "--json"]) == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert content["seq"] == 24
    assert content["verdict"] in ("closed", "hidden", "open", "element")
    assert content["records"]["view"]


def test_it_needs_nothing_but_the_ledger(run: Path, tmp_path: Path) -> None:
    shutil.copy(run / "ledger.db", tmp_path / "alone.db")
    with LedgerReader(tmp_path / "alone.db") as reader, LedgerReader(run / "ledger.db") as other:
        index, leaf = list(reader.frames())[-1]
        assert explain_pixel(reader, index, leaf, 300.0, 250.0) == explain_pixel(
            other, index, leaf, 300.0, 250.0
        )


def test_a_record_of_an_older_version_is_not_guessed_about(run: Path) -> None:
    with LedgerReader(run / "ledger.db") as reader:
        index, leaf = list(reader.frames())[-1]
        old = {name: value for name, value in leaf.items() if name not in ("view", "columns", "paths")}
        assert explain_pixel(reader, index, old, 300.0, 250.0).verdict == "untraceable"


def test_an_altered_record_is_found(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(run / "ledger.db", tmp_path / "ledger.db")
    with LedgerReader(tmp_path / "ledger.db") as reader:
        _, leaf = list(reader.frames())[-1]
    for name in ("view", "columns", "paths"):
        with sqlite3.connect(tmp_path / "ledger.db") as connection:
            for (trigger,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                connection.execute(f"DROP TRIGGER {trigger}")
            connection.execute("UPDATE blobs SET data = ? WHERE sha256 = ?", (b"\xa0", leaf[name]))
        connection.close()
        assert main(["verify", str(tmp_path / "ledger.db"), "--json"]) == 1
        faults = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
        assert any(f"{name} record" in fault for fault in faults)


def test_the_explanation_is_plain_data(told: list[tuple[Explanation, int]]) -> None:
    assert json.dumps(dataclasses.asdict(told[0][0]), default=lambda value: value.hex())
