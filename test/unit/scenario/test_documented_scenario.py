# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/SCENARIOS.md shows is read as it stands there, and no key is missing in it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from vidgen_nodes.packets import SpreadPlan
from vidgen_nodes.scenario import air_conditioning, imported_field, leak, spread_plan, timeline, wind

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "SCENARIOS.md").read_text(encoding="utf-8")
EXAMPLE = DOCUMENT.split("```yaml\n")[1].split("```")[0]


def test_the_example_is_a_scenario_with_everything() -> None:
    scenario = timeline.parse_scenario(EXAMPLE, 1)
    for item in dataclasses.fields(scenario):
        assert getattr(scenario, item.name), item.name


def test_every_key_is_documented() -> None:
    known = {
        *timeline._TOP_KEYS,
        *timeline._IGNITION_KEYS,
        *spread_plan._LIMITS,
        *spread_plan._ROOM_KEYS,
        *spread_plan._VENT_KEYS,
        *leak._KNOWN,
        *wind._KNOWN,
        *air_conditioning._KNOWN,
        *imported_field._KNOWN,
    }
    for key in known:
        assert re.search(rf"\b{key}:", EXAMPLE) or re.search(rf"\b{key}\b", EXAMPLE), key


def test_the_bounds_in_the_text_are_those_of_the_code() -> None:
    assert f"up to {timeline.MOST_IGNITIONS};" in DOCUMENT
    assert f"up to {leak.MOST_LEAKS}, of dry steam" in DOCUMENT
    assert f"up to {air_conditioning.MOST_GRILLES} grilles" in DOCUMENT
    assert f"up to {imported_field.MOST_IMPORTED} fields" in DOCUMENT
    assert f"at most {timeline.MOST_BYTES >> 10} kB" in DOCUMENT
    assert [
        float(said) for said in re.findall(r"\(([\d.]+)\)\n", EXAMPLE.split("spread:")[1].split("wind:")[0])
    ] == [
        SpreadPlan().speedup,
        SpreadPlan().fuel_depth_m,
        SpreadPlan().resolution_m,
        SpreadPlan().wind_head_ratio,
        SpreadPlan().wind_length_to_breadth,
    ]
