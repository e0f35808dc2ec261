# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A scenario of leaks and no fire, from a recording to the last pixel: drawn, recorded, explained, derived again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.explanation import Explanation, explain_pixel
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.trace import STEAM, decode_columns
from vidgen_nodes.params import SimParams
from vidgen_nodes.scene.leak_reach import STANDING_M
from vidgen_nodes.scene.leak_rule import EXPLAINED_M, NOISE_M
from vidgen_nodes.sim.recording import write_recording

# The drone has not seen what lies west of the house, and nothing of what lies in it.
SCENARIO = """
name: leaks
ambient_degc: 12.0
ignitions: []
leaks:
  - {name: riser, position_m: [6.35, -2.6, 2.2], direction: [0.25, 0.0, 1.0], start_s: 0.5, pressure_kpa: 400.0,
     diameter_mm: 25.0}
  - {name: boiler_room, position_m: [2.0, 0.0, 1.5], direction: [1.0, 0.0, 0.0], pressure_kpa: 300.0, diameter_mm: 20.0}
  - {name: far_side, position_m: [-8.0, 0.0, 0.3], direction: [-1.0, 0.0, 0.3], pressure_kpa: 300.0, diameter_mm: 20.0}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaks")
    (folder / "leaks.yaml").write_text(SCENARIO, encoding="utf-8")
    write_recording(folder / "flight", SimParams(thermal_rate_hz=5.0, lidar_points=8000), 4.0)
    words = ["render", str(folder / "flight"), "--preset", "sim", "--out", str(folder / "out"), "--json"]
    assert main([*words, "--set", f"generator_node.scenario_file={folder / 'leaks.yaml'}"]) == 0
    return folder


@pytest.fixture(scope="module")
def told(run: Path) -> list[tuple[Explanation, int]]:
    """Pixels of the last frame with their alpha: drawn ones, the rim of the drawing, and others."""
    with LedgerReader(run / "out" / "ledger.db") as reader:
        index, leaf = list(reader.frames())[-1]
        picture = cv2.imread(str(run / "out" / "frames" / f"{leaf['stamp_ns']}.png"), cv2.IMREAD_UNCHANGED)
        alpha = picture[:512, :, 3]
        rng = np.random.default_rng(5)
        rim = (cv2.dilate(alpha, np.ones((5, 5))) > 0) & (alpha == 0)
        groups = [np.argwhere(item) for item in (alpha > 0, alpha == 0, rim)]
        places = np.concatenate([item[rng.integers(0, len(item), 60)] for item in groups])
        return [
            (explain_pixel(reader, index, leaf, float(x), float(y)), int(alpha[y, x]))
            for y, x in places.tolist()
        ]


def test_the_leak_alone_is_drawn_and_the_others_are_counted_by_cause(run: Path) -> None:
    summary = json.loads((run / "out" / "summary.json").read_text())
    assert summary["gate"]["pixels_drawn"] > 2000
    assert summary["gate"]["pixels_outside"] == 0
    shown = summary["sync"]["matched"]
    assert shown > 5
    closed = summary["gate"]["leaks_closed"]  # the roof over the boiler room is seen from the second map on
    assert closed["leak_unobserved"] == shown
    assert shown - 3 <= closed["leak_covered"] <= shown
    assert summary["custody"]["verified"] is True


def test_every_drawn_pixel_names_the_cells_and_what_carries_the_pipe(
    told: list[tuple[Explanation, int]],
) -> None:
    drawn = [item for item, alpha in told if alpha > 0]
    assert len(drawn) == 60
    for item in drawn:
        assert item.verdict == "element"
        said = {
            name: item.parameters[name] for name in ("leak_standing_m", "leak_noise_m", "leak_explained_m")
        }
        assert said == {
            "leak_standing_m": STANDING_M,
            "leak_noise_m": NOISE_M,
            "leak_explained_m": EXPLAINED_M,
        }
        (jet,) = item.elements
        assert (jet["kind"], jet["name"]) == ("steam", "leak riser")
        assert "stands 0.15 m off wall_east: timber_cladding" in str(jet["why"])
        cells: Any = jet["cells"]
        assert cells
        for cell in cells:
            assert cell["uncertainty"] < 0.5
            assert cell["observations"] >= 5
            assert 0.0 <= cell["age_ms"] <= 3000.0
        assert (
            next(column["cell"] for column in item.columns if column["rule"] == "steam") == cells[0]["cell"]
        )


def test_where_no_jet_is_nothing_is_drawn_and_the_shut_leaks_are_named(
    told: list[tuple[Explanation, int]],
) -> None:
    verdicts = Counter(item.verdict for item, _ in told)
    assert verdicts["closed"] > 30
    assert all(alpha == 0 for item, alpha in told if item.verdict in ("closed", "hidden", "open"))
    for item, _ in told:
        notes = sorted(note.partition(":")[0] for note in item.notes)
        assert notes == ["leak_covered", "leak_unobserved"]


def test_the_leaf_holds_what_is_open_for_each_leak_and_the_numbers_of_the_rule(run: Path) -> None:
    with LedgerReader(run / "out" / "ledger.db") as reader:
        _, leaf = list(reader.frames())[-1]
        assert leaf["gate"]["leaks_closed"] == 2
        record: Any = reader.record(leaf["columns"])
    columns = decode_columns(record)
    assert columns.leaks is not None
    assert [(leak.name, leak.cause) for leak in columns.leaks] == [
        ("riser", ""),
        ("boiler_room", "leak_covered"),
        ("far_side", "leak_unobserved"),
    ]
    riser = columns.leaks[0].rows
    assert len(riser) > 3
    assert set(riser["rule"].tolist()) == {STEAM}
    assert (riser["floor_m"] < riser["ceiling_m"]).all()
    assert set(record["leak_rule"]) == {"standing", "noise", "explained"}
    assert {reason.partition(":")[0] for reason in columns.reasons} == {"leak_covered", "leak_unobserved"}


def test_the_frames_are_derived_again_bit_for_bit(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["verify", str(run / "out" / "ledger.db"), "--bag", str(run / "flight"), "--json"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    counts = result["bag"]["rederived"]
    assert counts["identical"] == 20
    assert (counts["different"], counts["inputs_missing"]) == (0, 0)


def test_the_command_reads_well(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LedgerReader(run / "out" / "ledger.db") as reader:
        _, leaf = list(reader.frames())[-1]
    picture = cv2.imread(str(run / "out" / "frames" / f"{leaf['stamp_ns']}.png"), cv2.IMREAD_UNCHANGED)
    y, x = np.unravel_index(int(picture[:512, :, 3].argmax()), (512, 640))
    assert main(["explain", str(run / "out"), f"seq:{leaf['seq']}", str(x), str(y)]) == 0
    text = capsys.readouterr().out
    assert "the ray passes steam of leak riser" in text
    assert "over cell (" in text
    assert "which the LiDAR knows: U=0." in text
    assert "note: leak_covered: leak boiler_room at (2.00, 0.00, 1.50) m, cell (" in text
    assert "stands 0.15 m off wall_east: timber_cladding, burns by combustible: true" in text
