# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The key ``air_conditioning`` of a scenario: read, hashed, recorded and refused."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grille
from vidgen_nodes.scenario.air_conditioning import FASTEST_MPS, parse_grilles
from vidgen_nodes.scenario.timeline import parse_scenario, scenario_digest, scenario_from_record

BASE = "name: a\nignitions: []\n"
FULL = """air_conditioning:
  - name: roof_fan
    kind: exhaust
    side: ceiling
    position_m: [1.0, 2.0, 3.0]
    size_m: [0.6, 0.8]
    flow_m3_per_s: 1.5
    on_s: [[10.0, 20.0], [30.0, 40.0]]
  - name: inlet
    kind: supply
    side: west
    position_m: [-4.0, 2.0, 0.5]
    size_m: [1.0, 0.4]
    flow_m3_per_s: 0.8
    temperature_degc: 16.0
"""


def test_grilles_are_read_in_the_units_of_the_solver() -> None:
    roof_fan, inlet = parse_scenario(BASE + FULL, 1).grilles
    times = ((10.0, 20.0), (30.0, 40.0))
    assert roof_fan == Grille("roof_fan", "ceiling", (1.0, 2.0, 3.0), (0.6, 0.8), -1.5, 0.0, times)
    assert inlet == Grille("inlet", "west", (-4.0, 2.0, 0.5), (1.0, 0.4), 0.8, 289.15, ((0.0, 1e9),))


def test_they_count_in_the_digest_and_come_back_from_the_record() -> None:
    scenario = parse_scenario(BASE + FULL, 1)
    assert scenario.digest != parse_scenario(BASE, 1).digest
    assert scenario_digest(scenario) == scenario.digest
    body = cbor2.loads(dataclass_record(scenario))
    assert scenario_from_record(body, scenario.digest) == scenario


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: exhaust", "kind: extract", "supply or exhaust"),
        ("side: ceiling", "side: roof", "side of the room"),
        ("flow_m3_per_s: 1.5", "flow_m3_per_s: -1.5", "kind says which way"),
        ("flow_m3_per_s: 1.5", "flow_m3_per_s: .nan", "0.001 to 100"),
        ("flow_m3_per_s: 1.5", "flow_m3_per_s: 90.0", "divide by 3600"),
        ("size_m: [0.6, 0.8]", "size_m: [0.6, 0.0]", r"size_m\[1\]"),
        ("size_m: [0.6, 0.8]", "size_m: 0.6", "width, height"),
        ("position_m: [1.0, 2.0, 3.0]", "position_m: [1.0, .inf, 3.0]", r"position_m\[1\]"),
        ("temperature_degc: 16.0", "temperature_degc: 289.0", "-30 to 80"),
        ("    on_s:", "    temperature_degc: 20.0\n    on_s:", "only a supply"),
        ("[30.0, 40.0]]", "[15.0, 40.0]]", "20 to 1e"),
        ("name: inlet", "name: roof_fan", "different name"),
        ("    kind: supply\n", "", "kind is missing"),
        ("kind: supply", "kind: supply\n    speed: 2", "unknown key"),
    ],
)
def test_what_no_grille_is_is_refused_with_its_key(old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_scenario(BASE + FULL.replace(old, new), 1)
    assert str(caught.value).startswith("air_conditioning")


@given(st.floats(0.001, 100.0), st.floats(0.05, 20.0), st.floats(0.05, 20.0))
def test_no_accepted_grille_blows_faster_than_fans_do(
    flow_m3_per_s: float, width_m: float, height_m: float
) -> None:
    entry = {
        "name": "a", "kind": "supply", "side": "floor", "position_m": [0.0, 0.0, 0.0],
        "size_m": [width_m, height_m], "flow_m3_per_s": flow_m3_per_s,
    }  # fmt: skip
    if flow_m3_per_s > FASTEST_MPS * width_m * height_m:
        with pytest.raises(ConfigError, match="at most 20 m/s"):
            parse_grilles([entry])
    else:
        (grille,) = parse_grilles([entry])
        assert grille.flow_m3_per_s == flow_m3_per_s
