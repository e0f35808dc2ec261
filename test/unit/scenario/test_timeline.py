# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Scenarios are complete and in range, or refused with the key that is wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Scenario
from vidgen_nodes.scenario.timeline import FUELS, GROWTH_KW_PER_S2, load_scenario, parse_scenario, starting_at

START_NS = 1_700_000_000_000_000_000
IGNITION = {
    "name": "north wall",
    "position_m": [1.0, 2.0, 3.0],
    "start_s": 2.0,
    "growth": "fast",
    "peak_kw": 1500.0,
    "diameter_m": 1.13,
    "fuel": "wood",
}


def scenario_text(ignition: dict[str, object] | None = None, **top: object) -> str:
    body = {"name": "test", "seed": 7, "ambient_degc": 15.0, "debris": True, **top}
    body.setdefault("ignitions", [{**IGNITION, **(ignition or {})}])
    return yaml.safe_dump(body)


def test_values_arrive_in_si_units() -> None:
    scenario = parse_scenario(scenario_text(), START_NS)
    ignition = scenario.ignitions[0]
    assert scenario.ambient_k == pytest.approx(288.15)
    assert (scenario.name, scenario.seed, scenario.debris, scenario.start_ns) == ("test", 7, True, START_NS)
    assert ignition.position_m == (1.0, 2.0, 3.0)
    assert ignition.growth_kw_per_s2 == GROWTH_KW_PER_S2["fast"]
    assert ignition.soot_yield == FUELS["wood"].soot_yield
    assert len(scenario.digest) == 32


def test_growth_classes_are_1055_over_the_growth_time_squared() -> None:
    for name, time_s in (("slow", 600), ("medium", 300), ("fast", 150), ("ultrafast", 75)):
        assert GROWTH_KW_PER_S2[name] == pytest.approx(1055 / time_s**2, rel=2e-3)


def test_explicit_values_replace_those_of_the_fuel() -> None:
    ignition = parse_scenario(scenario_text({"soot_yield": 0.1}), START_NS).ignitions[0]
    assert ignition.soot_yield == 0.1
    assert ignition.heat_of_combustion_kj_per_kg == FUELS["wood"].heat_of_combustion_kj_per_kg


@pytest.mark.parametrize(
    ("ignition", "needle"),
    [
        ({"peak_kw": float("nan")}, "ignitions[0].peak_kw: got nan"),
        ({"peak_kw": -5.0}, "ignitions[0].peak_kw: got -5.0"),
        ({"peak_kw": "1e3"}, "write 1000.0, not 1e3"),
        ({"peak_kw": True}, "ignitions[0].peak_kw: got True (bool)"),
        ({"peak_kw": float("inf")}, "ignitions[0].peak_kw"),
        ({"start_s": -0.1}, "ignitions[0].start_s"),
        ({"position_m": [1.0, 2.0]}, "ignitions[0].position_m"),
        ({"position_m": [1.0, 2.0, float("nan")]}, "ignitions[0].position_m[2]"),
        ({"growth": "explosive"}, "slow, medium, fast, ultrafast"),
        ({"growth": ["fast"]}, "ignitions[0].growth"),
        ({"growth_kw_per_s2": 0.1}, "exactly one of growth and growth_kw_per_s2"),
        ({"fuel": "unobtainium"}, "ignitions[0].fuel"),
        ({"fuel": {}}, "ignitions[0].fuel"),
        ({"soot_yield": -0.1}, "ignitions[0].soot_yield"),
        ({"colour": "blue"}, "unknown key 'colour'"),
        ({"name": ""}, "ignitions[0].name"),
        ({"diameter_m": 25.0}, "Q* ="),
    ],
)
def test_wrong_ignition_names_the_key(ignition: dict[str, object], needle: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(scenario_text(ignition), START_NS)
    assert needle in str(caught.value)


@pytest.mark.parametrize(
    ("top", "needle"),
    [
        ({"seed": -1}, "seed: got -1"),
        ({"seed": 1.5}, "seed"),
        ({"ambient_degc": float("nan")}, "ambient_degc"),
        ({"debris": 1}, "debris: got 1 (int)"),
        ({"name": 3}, "name: got 3 (int)"),
        ({"ignitions": None}, "ignitions: got None"),
        ({"ignitions": ["x"]}, "ignitions[0]: got 'x'"),
        ({"ignitions": [IGNITION, IGNITION]}, "a different name"),
        ({"winds": 3}, "unknown key 'winds'"),
    ],
)
def test_wrong_top_level_names_the_key(top: dict[str, object], needle: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(scenario_text(**top), START_NS)
    assert needle in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "a: [", "- 1", "name: x", "\x00", "? [1]\n: 2", "name: a\nname: b"]
)
def test_text_that_is_no_scenario_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_scenario(text, START_NS)


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        ("name: x\nignitions: " + "[" * 4000 + "]" * 4000, "nested too deeply"),
        ("name: x\nignitions: []\nseed: 0x" + "f" * 50000, "seed: got a number of 200000 bits"),
        ("name: x\nignitions: [[&a [x, x, x, x, x, x, x, x]"
         + "".join(f", &{b} [{', '.join([f'*{a}'] * 8)}]" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True))
         + "]]", "ignitions[0]: got [['x', "),
        ("name: x\nignitions: []\n#" + "x" * 300_000, "expected at most 256"),
    ],
    ids=["nested", "a huge number", "aliases that grow", "too long"],
)  # fmt: skip
def test_a_text_made_to_exhaust_its_reader_is_refused(content: str, needle: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(needle)):
        parse_scenario(content, START_NS)


def test_more_fires_than_a_tick_can_bear_are_refused() -> None:
    fires = [{**IGNITION, "name": f"f{number}"} for number in range(65)]
    assert len(parse_scenario(scenario_text(ignitions=fires[:64]), START_NS).ignitions) == 64
    with pytest.raises(ConfigError, match=r"ignitions: got .*, expected a list of at most 64"):
        parse_scenario(scenario_text(ignitions=fires), START_NS)


def test_a_pipe_as_scenario_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match=r"scenario .*pipe\.yaml: is a pipe"):
        load_scenario(tmp_path / "pipe.yaml", START_NS)


def test_missing_key_and_missing_fuel_terms_are_named() -> None:
    body = {key: value for key, value in IGNITION.items() if key != "diameter_m"}
    with pytest.raises(ConfigError, match="diameter_m is missing"):
        parse_scenario(scenario_text(ignitions=[body]), START_NS)
    body = {key: value for key, value in IGNITION.items() if key != "fuel"}
    with pytest.raises(ConfigError, match=r"flame_absorption_per_m.*soot_yield"):
        parse_scenario(scenario_text(ignitions=[body]), START_NS)


@pytest.mark.parametrize("start_ns", [-1, 1.0, True, None])
def test_start_stamp_must_be_whole_nanoseconds(start_ns: object) -> None:
    with pytest.raises(ConfigError, match="start_ns"):
        parse_scenario(scenario_text(), start_ns)  # type: ignore[arg-type]


def test_digest_ignores_spelling_and_covers_every_value() -> None:
    text = scenario_text()
    first = parse_scenario(text, START_NS)
    assert parse_scenario("# comment\n" + text, START_NS).digest == first.digest
    changed = [
        parse_scenario(text, START_NS + 1),
        parse_scenario(scenario_text(seed=8), START_NS),
        parse_scenario(scenario_text(debris=False), START_NS),
        parse_scenario(scenario_text(ambient_degc=15.5), START_NS),
        *(parse_scenario(scenario_text({key: value}), START_NS) for key, value in _other_values().items()),
    ]
    assert len({scenario.digest for scenario in [first, *changed]}) == 1 + len(changed)


def test_another_start_is_the_scenario_that_says_so() -> None:
    assert starting_at(parse_scenario(scenario_text(), 1), START_NS) == parse_scenario(
        scenario_text(), START_NS
    )


def test_digest_is_the_hash_of_what_the_ledger_stores() -> None:
    scenario = parse_scenario(scenario_text(), START_NS)
    assert scenario.digest == hashlib.sha256(dataclass_record(scenario)).digest()


def _other_values() -> dict[str, object]:
    return {
        "name": "south wall",
        "position_m": [1.0, 2.0, 3.1],
        "start_s": 2.5,
        "growth": "slow",
        "peak_kw": 1501.0,
        "diameter_m": 1.2,
        "soot_yield": 0.02,
        "heat_of_combustion_kj_per_kg": 14000.0,
        "radiative_fraction": 0.3,
        "flame_absorption_per_m": 0.9,
    }


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=8), st.lists, max_leaves=6))
def test_any_value_for_a_key_parses_or_is_refused(value: object) -> None:
    for key in IGNITION:
        try:
            scenario = parse_scenario(scenario_text({key: value}), START_NS)
        except ConfigError:
            continue
        assert isinstance(scenario, Scenario)
        assert all(v == v for v in dataclasses.astuple(scenario.ignitions[0])[2:])


def test_file_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml"):
        load_scenario(tmp_path / "missing.yaml", START_NS)
    path = tmp_path / "bad.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load_scenario(path, START_NS)
    path.write_text(scenario_text(), encoding="utf-8")
    assert load_scenario(path, START_NS).digest == parse_scenario(scenario_text(), START_NS).digest
