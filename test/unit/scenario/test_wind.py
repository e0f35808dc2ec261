# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The key ``wind`` of a scenario: read, hashed, recorded and refused."""

from __future__ import annotations

import math

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Wind
from vidgen_nodes.scenario.timeline import parse_scenario, scenario_digest, scenario_from_record
from vidgen_nodes.scenario.wind import towards

FIRE = (
    "{name: bin, position_m: [0, 0, 0], start_s: 0, growth: fast, peak_kw: 500, diameter_m: 0.8, fuel: wood}"
)
BASE = f"name: a\nignitions: [{FIRE}]\n"
FULL = "wind: {speed_mps: 5.0, from_deg: 270.0, height_m: 6.0, exponent: 0.2, sheltered: [bin]}\n"
# Of BASE at event time 1, before scenarios could have wind and air conditioning.
DIGEST_BEFORE = "601a2e932d1eeb603905d912127b8d8a4dee2588fdb9baabb2d919439bf76ad8"


def test_it_is_read_as_the_file_has_it() -> None:
    assert parse_scenario(BASE + FULL, 1).wind == Wind(5.0, 270.0, 6.0, 0.2, ("bin",))
    assert parse_scenario(BASE, 1).wind is None
    assert parse_scenario(BASE + "wind: {speed_mps: 2, from_deg: 0}", 1).wind == Wind(2.0, 0.0, 10.0, 0.14)


def test_a_scenario_without_it_keeps_the_digest_that_it_had() -> None:
    assert parse_scenario(BASE, 1).digest.hex() == DIGEST_BEFORE
    assert not {"wind", "grilles"} & set(cbor2.loads(dataclass_record(parse_scenario(BASE, 1))))


def test_it_counts_in_the_digest_and_comes_back_from_the_record() -> None:
    scenario = parse_scenario(BASE + FULL, 1)
    assert scenario.digest.hex() != DIGEST_BEFORE
    assert scenario_digest(scenario) == scenario.digest
    body = cbor2.loads(dataclass_record(scenario))
    assert scenario_from_record(body, scenario.digest) == scenario


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("speed_mps: 5.0", "speed_mps: -5.0", "above 0"),
        ("speed_mps: 5.0", "speed_mps: .nan", "0.1 to 30"),
        ("speed_mps: 5.0", "speed_mps: 100.0", "m/s"),
        ("speed_mps: 5.0", "speed_mps: 5 m/s", "above 0 in m/s"),
        ("from_deg: 270.0", "from_deg: W", "not radians, no letters"),
        ("from_deg: 270.0", "from_deg: -90.0", "0 to 360"),
        ("from_deg: 270.0", "from_deg: 400.0", "clockwise from north"),
        ("height_m: 6.0", "height_m: 0.0", "0.5 to 100"),
        ("exponent: 0.2", "exponent: 2.0", "0 to 0.6"),
        ("sheltered: [bin]", "sheltered: [tree]", r"names of ignitions \(bin\)"),
        ("sheltered: [bin]", "sheltered: bin", "list of names"),
        ("sheltered: [bin]", "gusts: 3", "unknown key"),
        ("speed_mps: 5.0, ", "", "speed_mps is missing"),
    ],
)
def test_what_no_wind_is_is_refused_with_its_key(old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_scenario(BASE + FULL.replace(old, new), 1)
    assert str(caught.value).startswith("wind")


@given(st.floats(0.0, 360.0))
def test_it_blows_away_from_where_it_comes(from_deg: float) -> None:
    east, north = towards(Wind(1.0, from_deg))
    assert math.hypot(east, north) == pytest.approx(1.0)
    off_deg = math.degrees(math.atan2(-east, -north)) - from_deg
    assert (off_deg + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=1e-6)


def test_fire_runs_where_the_wind_blows_to() -> None:
    plan = parse_scenario(BASE + FULL + "spread: {wind_head_ratio: 3.0}", 1).spread
    assert plan is not None
    assert (plan.wind_towards_deg, plan.wind_head_ratio) == (90.0, 3.0)
    same = parse_scenario(BASE + FULL + "spread: {wind_towards_deg: 90.5}", 1).spread
    assert same is not None
    assert same.wind_towards_deg == 90.5
    bare = parse_scenario(BASE + FULL + "spread: true", 1).spread
    assert bare is not None
    assert bare.wind_head_ratio == 1.0  # no number is made up for how much faster


def test_two_winds_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected one wind"):
        parse_scenario(BASE + FULL + "spread: {wind_towards_deg: 270.0}", 1)
