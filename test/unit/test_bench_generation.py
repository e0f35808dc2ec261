# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the generator's bench: what is committed is whole, what the page shows is what was measured."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import pytest

from bench.generation import CURVES, MARKS, PAGE, PICTURE, RESULTS, growth, picture, table
from bench.phiflow import INTERPRETER, LeftOut, PhiFlow, Plane

CONTRACT = ("world_step_ms", "view_640x512_ms", "view_1080p_ms", "view_4k_ms", "viewers_ms", "device")


def test_the_committed_figures_hold_the_contract() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    for name in CONTRACT:
        assert found[name]
    assert {"1", "4", "16"} <= set(found["viewers_ms"])
    assert "phiflow_step_ratio" in found
    for suffix in ("", "_256"):
        assert found[f"phiflow_step_ratio{suffix}"] is not None or found[f"phiflow_note{suffix}"]
    # What was timed held everything that a view has to show.
    for part in (
        "flame_voxels",
        "smoke_voxels",
        "debris_pieces",
        "pixels_of_debris",
        "pixels_that_the_building_changes",
    ):
        assert found["view_shows"][part] > 0


def test_the_page_shows_the_committed_figures() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert f"{MARKS[0]}\n{table(found)}\n{MARKS[1]}" in PAGE.read_text(encoding="utf-8")


def test_growth_is_the_exponent_of_a_curve() -> None:
    assert growth({"1": 2.0, "4": 8.0}, [1.0, 4.0]) == pytest.approx(1.0)
    assert growth({"1": 2.0, "4": 4.0}, [1.0, 4.0]) == pytest.approx(0.5)
    assert growth({"1": 2.0, "4": 32.0}, [1.0, 4.0]) == pytest.approx(2.0)


def test_without_phiflow_the_ratio_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if importlib.util.find_spec("phi") is None:
        monkeypatch.delenv(INTERPRETER, raising=False)
        with pytest.raises(LeftOut, match="pip install phiflow"):
            PhiFlow.quickest(16)
    monkeypatch.setenv(INTERPRETER, str(tmp_path / "python"))
    with pytest.raises(LeftOut, match="cannot be started"):
        PhiFlow.quickest(16)


def test_our_plane_keeps_to_its_tolerance() -> None:
    plane = Plane(32)
    plane()
    assert math.isfinite(plane.divergence)
    assert 0.0 < plane.divergence <= 1e-5


def test_the_picture_shows_every_curve_as_measured() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    made = picture(found)
    assert PICTURE.read_text(encoding="utf-8") == made
    assert made.count("<polyline") == len(CURVES) + 1
