# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Burning surfaces give their heat to the solver's air: all of it, in air, and no soot twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.areas import BurningAreas
from vidgen_nodes.generation.flow.domain import FlowGrid
from vidgen_nodes.generation.smoke_box import SmokeBox, air_near, box_around, walls
from vidgen_nodes.generation.smoke_layer import SmokeLayer
from vidgen_nodes.generation.surface_heat import LEAST_KW, SurfaceHeat
from vidgen_nodes.packets import Scenario
from vidgen_nodes.resources import config_dir
from vidgen_nodes.scenario.timeline import load_scenario
from vidgen_nodes.scene.building import Building, load_building

BOX = SmokeBox(0.4, (20, 20, 20), 160_000_000)


@pytest.fixture(scope="module")
def house() -> Building:
    return load_building(config_dir() / "buildings" / "sim_house.yaml")


@pytest.fixture(scope="module")
def plan() -> Scenario:
    return load_scenario(Path(config_dir() / "scenarios" / "sim_wall_fire.yaml"), 0)


@pytest.fixture(scope="module")
def areas(house: Building, plan: Scenario) -> BurningAreas:
    return BurningAreas(house, plan.spread, plan.rooms, plan.ignitions, plan.seed, plan.ambient_k, 0.15)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def grid(plan: Scenario) -> FlowGrid:
    return box_around(plan.ignitions, BOX.cell_m, BOX.shape)


@pytest.fixture(scope="module")
def solid(house: Building, grid: FlowGrid) -> np.ndarray:
    found = walls(house, grid)
    assert found is not None
    return found


def test_the_sources_hold_the_heat_of_the_pieces_and_stand_in_air(
    areas: BurningAreas, grid: FlowGrid, solid: np.ndarray
) -> None:
    heat = SurfaceHeat(areas.burning, grid, solid)
    assert heat.sources(0.0) == []
    assert heat.record()["outside"][0] == 0
    for time_s in (5.0, 9.0, 14.0):
        found = heat.sources(time_s)
        whole_kw = float(areas.burning.release_kw(time_s).sum())
        given_kw = sum(item.heat_release_kw for item in found)
        assert whole_kw - LEAST_KW * heat.record()["blocks"][0] <= given_kw <= whole_kw * (1.0 + 1e-9)
        assert given_kw > 100.0
        for item in found:
            x, y, z = np.floor((np.array(item.position_m) - grid.origin_m) / grid.cell_m + 1e-4).astype(int)
            assert not solid[z, y, x]
            assert item.position_m[0] > 6.2  # in front of the east wall and not in the house
            assert item.soot_kg_per_s == 0.0


def test_they_lift_the_air_before_the_wall(plan: Scenario, house: Building, areas: BurningAreas) -> None:
    opened = np.ones(BOX.shape, np.float32)
    released = []
    for burning in (None, areas.burning):
        layer = SmokeLayer(plan.ignitions, plan.seed, plan.ambient_k, BOX, house, burning)
        try:
            found = layer.at(10_000_000_000, opened, float("inf"))
        finally:
            layer.close()
        assert found is not None
        assert found.field is not None
        released.append(found.record["heat_release_kw"][0])
        assert bool(layer.record["surfaces"]) == (burning is not None)
    whole_kw = float(areas.burning.release_kw(9.9).sum())
    assert released[0] == pytest.approx(400.0, rel=0.02)
    assert released[1] - released[0] == pytest.approx(whole_kw, rel=0.1)


@settings(max_examples=100)
@example((0.0, 1.0, 0.0), 1, 0.5)  # on the border of two cells, of which one is a wall
@given(
    st.tuples(*(st.floats(-1.0, 5.0) for _ in range(3))),
    st.integers(0, 2**32 - 1),
    st.floats(0.0, 0.95),
)
def test_what_is_called_air_is_air(place: tuple[float, float, float], seed: int, filled: float) -> None:
    lattice = FlowGrid((0.0, 0.0, 0.0), 0.5, (8, 8, 8))
    blocked = np.random.default_rng(seed).random(lattice.shape) < filled
    found = air_near(np.array(place), lattice, blocked)
    inside = all(0.0 <= value < 4.0 for value in place)
    if found is None:
        if inside:
            x, y, z = (int(value / 0.5) for value in place)
            near = blocked[z : z + 3, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            assert near.all()
        return
    assert inside or min(place) > -1e-3
    x, y, z = np.floor(np.array(found) / 0.5 + 1e-4).astype(int)
    assert not blocked[z, y, x]
    assert np.abs(np.array(found) - place).max() <= 1.5 + 1e-6
    assert found[2] >= place[2] - 1e-9
