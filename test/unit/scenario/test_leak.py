# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The key ``leaks`` of a scenario: read, hashed, recorded and refused."""

from __future__ import annotations

import math

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import steam
from vidgen_nodes.packets import Leak
from vidgen_nodes.scenario.leak import LIMITS, boiling_degc
from vidgen_nodes.scenario.timeline import parse_scenario, scenario_digest, scenario_from_record

BASE = "name: a\nignitions: []\n"
FULL = """leaks:
  - name: riser
    position_m: [1.0, 2.0, 3.0]
    direction: [0.0, 3.0, 4.0]
    start_s: 2.5
    pressure_kpa: 600.0
    temperature_degc: 200.0
    diameter_mm: 10.0
    discharge: 0.8
"""


def test_a_leak_is_read_in_the_units_of_the_solver() -> None:
    (leak,) = parse_scenario(BASE + FULL, 1).leaks
    assert leak == Leak("riser", (1.0, 2.0, 3.0), (0.0, 0.6, 0.8), 2.5, 600_000.0, 473.15, 0.01, 0.8)


def test_what_is_not_said_is_saturated_steam_from_the_start() -> None:
    text = (
        "leaks: [{name: a, position_m: [0, 0, 1], direction: [0, 0, 1], pressure_kpa: 600, diameter_mm: 5}]"
    )
    (leak,) = parse_scenario(BASE + text, 1).leaks
    assert (leak.start_s, leak.discharge) == (0.0, 0.62)
    assert leak.temperature_k == pytest.approx(432.0, abs=5.0)  # steam tables: 158.8 degC


def test_it_counts_in_the_digest_and_comes_back_from_the_record() -> None:
    with_leak, without = parse_scenario(BASE + FULL, 1), parse_scenario(BASE, 1)
    assert with_leak.digest != without.digest
    for scenario in (with_leak, without):
        body = cbor2.loads(dataclass_record(scenario))
        assert scenario_from_record(body, scenario.digest) == scenario
        assert scenario_digest(scenario) == scenario.digest
    older = cbor2.loads(dataclass_record(without))
    del older["leaks"]
    assert scenario_from_record(older, without.digest) == without


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pressure_kpa: 600.0", "pressure_kpa: 90.0", "102 to 10000"),
        ("pressure_kpa: 600.0", "pressure_kpa: .nan", "102 to 10000"),
        ("temperature_degc: 200.0", "temperature_degc: 120.0", "dry steam"),
        ("diameter_mm: 10.0", "diameter_mm: -3.0", "0.5 to 200"),
        ("direction: [0.0, 3.0, 4.0]", "direction: [0.0, 0.0, 0.0]", "not nothing"),
        ("direction: [0.0, 3.0, 4.0]", "direction: up", "any length"),
        ("start_s: 2.5", "start_s: -1.0", "0 to 1e\\+06"),
        ("discharge: 0.8", "discharge: 1.3", "0.3 to 1"),
        ("name: riser", "nam: riser", "unknown key"),
        ("    pressure_kpa: 600.0\n", "", "pressure_kpa is missing"),
    ],
)
def test_what_no_leak_is_is_refused_with_its_key(old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_scenario(BASE + FULL.replace(old, new), 1)


def test_two_leaks_of_one_name_are_refused() -> None:
    twice = FULL + FULL.replace("leaks:\n", "")
    with pytest.raises(ConfigError, match="different name"):
        parse_scenario(BASE + twice, 1)


@given(
    st.floats(*LIMITS["pressure_kpa"]),
    st.floats(*LIMITS["diameter_mm"]),
    st.tuples(*(st.floats(-10.0, 10.0) for _ in range(3))).filter(lambda way: math.hypot(*way) > 1e-3),
)
def test_every_leak_that_is_accepted_has_a_jet(
    pressure_kpa: float, diameter_mm: float, way: tuple[float, float, float]
) -> None:
    entry = {
        "name": "a", "position_m": [0.0, 0.0, 1.0], "direction": list(way),
        "pressure_kpa": pressure_kpa, "diameter_mm": diameter_mm,
    }  # fmt: skip
    (leak,) = parse_scenario(BASE + f"leaks: [{_flow(entry)}]", 1).leaks
    hole = steam.SteamLeak(
        leak.position_m, leak.direction, leak.pressure_pa, leak.temperature_k, leak.diameter_m, leak.discharge
    )
    assert steam.mass_flow_kg_per_s(hole) > 0.0


def _flow(entry: dict[str, object]) -> str:
    def shown(value: object) -> str:
        if isinstance(value, list):
            return "[" + ", ".join(shown(item) for item in value) + "]"
        return f"{value:.12f}" if isinstance(value, float) else str(value)

    return "{" + ", ".join(f"{name}: {shown(value)}" for name, value in entry.items()) + "}"


@pytest.mark.parametrize(
    ("pressure_kpa", "tables"), [(101.325, 100.0), (300.0, 133.5), (1000.0, 179.9), (2000.0, 212.4)]
)
def test_boiling_points_are_near_the_steam_tables(pressure_kpa: float, tables: float) -> None:
    assert boiling_degc(pressure_kpa) == pytest.approx(tables, abs=5.0)
