# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The key ``imported`` of a scenario: read, hashed, recorded and refused."""

from __future__ import annotations

import dataclasses
import math

import cbor2
import pytest

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import ImportedField
from vidgen_nodes.scenario.timeline import parse_scenario, scenario_from_record

BASE = "name: a\nignitions: []\n"
FULL = """imported:
  - file: fields/run.npz
    engine: OpenFOAM
    version: v2512
    start_s: 3.5
    translation_m: [1.0, -2.0, 0.5]
    yaw_deg: 90.0
"""


def test_an_entry_is_read_with_its_place_and_time() -> None:
    (field,) = parse_scenario(BASE + FULL, 1).imported
    assert field == ImportedField("fields/run.npz", "OpenFOAM", "v2512", 3.5, (1.0, -2.0, 0.5), math.pi / 2)
    (short,) = parse_scenario(BASE + "imported: [{file: a.smv}]", 1).imported
    assert short == ImportedField("a.smv", "", "", 0.0, (0.0, 0.0, 0.0), 0.0)


def test_it_counts_in_the_digest_and_comes_back_from_the_record() -> None:
    with_field, without = parse_scenario(BASE + FULL, 1), parse_scenario(BASE, 1)
    assert with_field.digest != without.digest
    for scenario in (with_field, without):
        body = cbor2.loads(dataclass_record(scenario))
        assert scenario_from_record(body, scenario.digest) == scenario
    del body["imported"]  # a ledger from before there was such a key
    assert scenario_from_record(body, without.digest) == without
    assert dataclasses.replace(with_field, imported=()) != with_field


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("imported: run.npz", "list"),
        ("imported: [run.npz]", "mapping"),
        ("imported: [{start_s: 1.0}]", "file is missing"),
        ("imported: [{file: ''}]", "not empty"),
        ("imported: [{file: ../run.npz}]", "beside the scenario"),
        ("imported: [{file: a.npz, start_s: -1.0}]", "start_s"),
        ("imported: [{file: a.npz, start_s: .nan}]", "start_s"),
        ("imported: [{file: a.npz, yaw_deg: 4000.0}]", "yaw_deg"),
        ("imported: [{file: a.npz, translation_m: [1.0, 2.0]}]", "east, north, up"),
        ("imported: [{file: a.npz, translation_m: [1.0, .inf, 0.0]}]", "translation_m"),
        ("imported: [{file: a.npz, engine: 6}]", "engine"),
        ("imported: [{file: a.npz, scale: 2.0}]", "unknown key"),
        (f"imported: [{', '.join(['{file: a.npz}'] * 17)}]", "at most 16"),
    ],
)
def test_wrong_entries_are_refused(entry: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        parse_scenario(BASE + entry, 1)
