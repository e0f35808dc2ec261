# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A pixel of debris names what came loose within reach, when, why, and what solved its fall."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.ray_debris import met_debris

START_NS = 10**18
FALLS = {
    "engine": ["MuJoCo 4.0.0", "", "rigid bodies"],
    "cpu_flags": ["AVX2", "", ""],
    "scenario": {"start_ns": [START_NS, "ns", "scenario"]},
}
COLUMN = {"cell": [20, 20], "from_m": 12.0}


def releases(*rows: list[Any]) -> dict[str, Any]:
    return {"debris": FALLS, "debris/releases": {"releases": [list(rows), "", ""]}}


def row(cell: tuple[int, int], release_s: float, pieces: int = 3) -> list[Any]:
    return [*cell, 0.7, 14, START_NS, release_s, pieces]


def test_a_release_names_cell_cause_time_and_engine() -> None:
    (met,) = met_debris([COLUMN], releases(row((20, 21), 3.0)), 0.5, START_NS + 5 * 10**9)
    assert (met.kind, met.name, met.from_m) == ("debris", "cell (20,20)", 12.0)
    assert "MuJoCo 4.0.0 on a processor with AVX2" in met.why
    (cell,) = met.cells
    assert (cell["cell"], cell["uncertainty"], cell["observations"]) == ([20, 21], 0.7, 14)
    assert (cell["release_s"], cell["pieces"], cell["cells_away_m"]) == (3.0, 3, 0.0)


def test_what_has_not_come_loose_yet_is_not_told() -> None:
    assert not list(met_debris([COLUMN], releases(row((20, 20), 5.1)), 0.5, START_NS + 5 * 10**9))


@given(st.integers(-12, 12), st.integers(-12, 12), st.sampled_from([0.25, 0.5, 1.0]))
def test_only_what_a_piece_can_reach_is_told(rows: int, cols: int, edge_m: float) -> None:
    met = list(met_debris([COLUMN], releases(row((20 + rows, 20 + cols), 0.0)), edge_m, START_NS + 10**9))
    nearest_m = edge_m * (max(abs(rows) - 1, 0) ** 2 + max(abs(cols) - 1, 0) ** 2) ** 0.5
    assert bool(met) == (nearest_m <= 2.5)


def test_nearest_come_first_and_many_are_cut_but_counted() -> None:
    rows = [row((20 + away, 20), 0.0, pieces=1) for away in (4, 0, 3, 1, 2, 0, 1, 2)]
    (met,) = met_debris([COLUMN], releases(*rows), 0.5, START_NS + 10**9)
    away = [cell["cells_away_m"] for cell in met.cells]
    assert away == sorted(away)
    assert len(met.cells) < len(rows)
    assert met.why.startswith("8 pieces")


def test_a_record_without_releases_is_told_by_column() -> None:
    (met,) = met_debris([COLUMN], {"debris": FALLS}, 0.5, START_NS)
    assert met.state is FALLS
    assert not list(met_debris([COLUMN], {}, 0.5, START_NS))


def test_a_record_that_does_not_say_when_it_began_hides_nothing() -> None:
    records = releases(row((20, 20), 1e6))
    records["debris"] = {"engine": ["MuJoCo 4.0.0", "", ""]}
    assert list(met_debris([COLUMN], records, 0.5, START_NS))
    assert pytest.approx(12.0) == next(met_debris([COLUMN], records, 0.5, START_NS)).from_m


def test_pieces_that_fell_in_wind_are_told_with_it() -> None:
    record = releases([*row((20, 20), 1.0), True], [*row((20, 21), 1.0, 2), False])
    wind = {"blown_at": [2.3, "m/s", ""], "wind": {"wind": {"from_deg": [270.0, "deg", ""]}}}
    record["debris"] = {**FALLS, **wind}
    (met,) = met_debris([COLUMN], record, 0.5, START_NS + 5 * 10**9)
    assert "; 3 of them in wind of 2.3 m/s out of 270 degrees" in met.why
    assert [item["in_wind"] for item in met.cells] == [True, False]
