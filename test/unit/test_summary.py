# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The summary: keys that scripts rely on, and nothing made up."""

from __future__ import annotations

import dataclasses
import json
import math
import random

import numpy as np
import pytest

from vidgen_nodes.summary import CustodyState, RunSummary, json_line, percentiles

GOOD = RunSummary(
    thermal_in=100,
    overlay_out=99,
    dropped={"duplicate": 1},
    rate_hz=49.96,
    latency_ms=[1.0, 2.0, 3.0],
    matched=90,
    skew_ms={"p50": 5.0, "p99": 9.0},
    sigma_px={"p50": math.nan, "p99": math.nan},
    cells_open=3,
    pixels_drawn=500,
    pixels_outside=0,
    custody=CustodyState(100, "ab", True),
)


def test_the_keys_of_the_contract() -> None:
    content = json.loads(json_line(GOOD.as_dict()))
    assert set(content["frames"]) == {"thermal_in", "overlay_out", "dropped"}
    assert set(content["latency_ms"]) == {"p50", "p95", "p99", "max"}
    assert set(content["sync"]) >= {"matched", "skew_ms", "sigma_px"}
    assert set(content["gate"]) == {"cells_open", "pixels_drawn", "pixels_outside"}
    assert set(content["custody"]) == {"records", "root", "verified"}
    assert content["rate_hz"] == 49.96


def test_leaks_that_were_kept_shut_are_counted_by_cause_where_there_are_any() -> None:
    shut = dataclasses.replace(GOOD, leaks_closed={"leak_covered": 7})
    assert shut.as_dict()["gate"]["leaks_closed"] == {"leak_covered": 7}
    assert shut.faults() == []


def test_what_the_gate_kept_shut_is_told_where_there_is_any() -> None:
    shut = dataclasses.replace(GOOD, withheld="ignition stray: it opens nothing")
    assert shut.as_dict()["gate"]["withheld"] == "ignition stray: it opens nothing"
    assert shut.faults() == []


def test_what_was_not_measured_is_null_and_not_zero() -> None:
    empty = dataclasses.replace(GOOD, latency_ms=[])
    content = json.loads(json_line(empty.as_dict()))
    assert content["latency_ms"] == {"p50": None, "p95": None, "p99": None, "max": None}
    assert content["sync"]["sigma_px"] == {"p50": None, "p99": None}


def test_a_good_run_has_no_fault() -> None:
    assert GOOD.faults() == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"overlay_out": 0}, "no overlay"),
        ({"pixels_outside": 1}, "outside"),
        ({"custody": CustodyState(0, "", False, ("leaf 3: changed",))}, "leaf 3: changed"),
    ],
)
def test_each_fault_is_told(change: dict[str, object], word: str) -> None:
    faults = dataclasses.replace(GOOD, **change).faults()  # type: ignore[arg-type]
    assert len(faults) == 1
    assert word in faults[0]


def test_percentiles_are_those_of_numpy() -> None:
    generator = random.Random(7)
    for count in (1, 2, 3, 10, 101):
        values = [generator.gauss(0.0, 5.0) for _ in range(count)]
        ours = percentiles([*values, math.nan], (50, 95, 99))
        assert list(ours.values()) == pytest.approx(list(np.percentile(values, (50, 95, 99))))
