# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cbor2
import pytest

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import SpreadPlan
from vidgen_nodes.scenario.timeline import parse_scenario, scenario_from_record

TEXT = """
name: house
ignitions: []
spread: {speedup: 30.0, fuel_depth_m: 0.01, preheat_degc: 150.0}
rooms:
  - name: hall
    surfaces: [ceiling, wall]
    vents:
      - {name: door, width_m: 0.9, height_m: 2.0, open_s: [[0.0, 60.0], [120.0, 300.0]]}
      - {name: slot, width_m: 0.1, height_m: 0.1}
"""


def test_what_is_written_is_what_is_read() -> None:
    scenario = parse_scenario(TEXT, 1)
    assert scenario.spread == SpreadPlan(speedup=30.0, fuel_depth_m=0.01, preheat_k=423.15)
    (hall,) = scenario.rooms
    assert hall.surfaces == ("ceiling", "wall")
    assert hall.vents[0].open_s == ((0.0, 60.0), (120.0, 300.0))
    assert hall.vents[1].open_s == ((0.0, 1e9),)


def test_true_and_false() -> None:
    head = "name: x\nignitions: []\n"
    assert parse_scenario(head, 1).spread is None
    assert parse_scenario(head + "spread: false\n", 1).spread is None
    assert parse_scenario(head + "spread: true\n", 1).spread == SpreadPlan()


def test_a_ledger_gives_the_scenario_back() -> None:
    scenario = parse_scenario(TEXT, 5)
    body = cbor2.loads(dataclass_record(scenario))
    assert scenario_from_record(body, scenario.digest) == scenario


def test_a_record_from_before_fires_could_spread_is_read() -> None:
    scenario = parse_scenario("name: old\nignitions: []\n", 5)
    body = cbor2.loads(dataclass_record(scenario))
    del body["spread"], body["rooms"]
    assert scenario_from_record(body, scenario.digest) == scenario


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("speedup: 30.0", "speedup: 0.5"), "spread.speedup"),
        (("speedup: 30.0", "speedup: .nan"), "spread.speedup"),
        (("speedup", "speed_up"), "speed_up"),
        (("spread: {speedup: 30.0, fuel_depth_m: 0.01, preheat_degc: 150.0}", "spread: fast"), "spread"),
        (("preheat_degc: 150.0", "preheat_degc: 900.0"), "preheat_degc"),
        (("height_m: 2.0", "height_m: -2.0"), "height_m"),
        (("[120.0, 300.0]", "[50.0, 300.0]"), "open_s"),
        (("[120.0, 300.0]", "[300.0, 120.0]"), "open_s"),
        (("name: slot", "name: door"), "door"),
        (("[ceiling, wall]", "[ceiling, ceiling]"), "ceiling"),
        (("surfaces: [ceiling, wall]", "surfaces: ceiling"), "surfaces"),
    ],
)
def test_what_is_wrong_is_refused_by_name(change: tuple[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse_scenario(TEXT.replace(*change), 1)
