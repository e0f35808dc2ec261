# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Solved smoke of a scenario: the fires that the analytic layer says, behind the gate, with a record."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import smoke_layer
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.smoke_layer import SmokeLayer, box_around
from vidgen_nodes.packets import Ignition

ROOF = Ignition(
    name="roof",
    position_m=(-2.0, 0.0, 3.0),
    start_s=0.1,
    growth_kw_per_s2=400.0,
    peak_kw=300.0,
    diameter_m=0.9,
    radiative_fraction=0.3,
    soot_yield=0.015,
    heat_of_combustion_kj_per_kg=12_500.0,
    flame_absorption_per_m=1.5,
)


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmokeLayer]:
    monkeypatch.setattr(smoke_layer, "SHAPE", (12, 14, 14))
    made = SmokeLayer([ROOF], 7, 293.15, 0.3, 0.05)
    yield made
    made.close()


def test_what_burns_is_what_the_scenario_says(layer: SmokeLayer) -> None:
    assert layer.sources(0.05) == []
    (grown,) = layer.sources(60.0)
    assert grown.heat_release_kw == 300.0
    assert grown.diameter_m == pytest.approx(0.9)
    assert grown.soot_kg_per_s == pytest.approx(0.015 * 300.0 / 12_500.0)


def test_a_tick_comes_with_its_field_and_its_record(layer: SmokeLayer) -> None:
    opened = np.ones(layer.shape, dtype=np.float32)
    assert layer.at(-1, opened) is None
    found = layer.at(40, opened, wait_s=60.0)
    assert found is not None
    assert found.field.extinction_visible_per_m.numpy().max() > 0.0
    assert found.record["steps"][0] == 40
    assert found.record["divergence"][0] <= 1e-5
    assert found.record["heat_release_kw"][0] == pytest.approx(300.0, rel=0.02)
    assert len(parameters_sha256(found.record)) == 32


def test_a_closed_gate_leaves_nothing(layer: SmokeLayer) -> None:
    found = layer.at(30, np.zeros(layer.shape, dtype=np.float32), wait_s=60.0)
    assert found is not None
    assert not found.field.extinction_lwir_per_m.numpy().any()
    assert not found.field.emission_w_per_m3_sr.numpy().any()


def test_the_box_stands_on_the_lowest_ignition_and_holds_all() -> None:
    grid = box_around([ROOF], 0.15)
    assert grid.origin_m == pytest.approx((-2.0 - 4.8, -4.8, 3.0))
    with pytest.raises(ConfigError, match="no ignition"):
        box_around([], 0.15)
    far = Ignition(**{name: getattr(ROOF, name) for name in ROOF.__slots__} | {"position_m": (9.0, 0.0, 3.0)})
    with pytest.raises(ConfigError, match="apart"):
        box_around([ROOF, far], 0.15)
