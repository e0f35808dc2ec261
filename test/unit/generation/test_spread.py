# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""When fire reaches what: rates of the table, and nothing that does not burn ever does."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.front_kernel import concurrent_mps
from vidgen_nodes.generation.spread import (
    Spread,
    decode_cells,
    ignition_time_s,
    opposed_mps,
    solve_spread,
)
from vidgen_nodes.packets import Ignition, SpreadPlan
from vidgen_nodes.resources import config_dir
from vidgen_nodes.scene.building import Building, Surface, load_building
from vidgen_nodes.scene.materials import material_table

FIRE = Ignition("heap", (6.6, -0.35, 0.0), 0.0, 15.0, 400.0, 0.8, 0.35, 0.015, 14500.0, 0.8)
AMBIENT_K = 285.15


def wall(name: str, low: float, high: float, burns: bool | None, material_id: str = "wood") -> Surface:
    corners = np.array([[low, 0.0, 0.0], [high, 0.0, 0.0], [high, 0.0, 3.0], [low, 0.0, 3.0]])
    return Surface(name, material_id, "wall", corners, burns, material_id=material_id)


def fire_at(east: float, height: float = 0.0) -> Ignition:
    return dataclasses.replace(FIRE, position_m=(east, -0.3, height))


def solve(*surfaces: Surface, plan: SpreadPlan | None = None, at: float = 0.5) -> Spread:
    return solve_spread(Building("row", tuple(surfaces)), plan or SpreadPlan(), (fire_at(at),), AMBIENT_K)


# Rates of physics.md 2: opposed at Ts,min [mm/s], time to ignition at 30 kW/m2 [s] from 20 degC.
TABLE = [
    ("plywood", 0.33, 64.0),
    ("particle_board", 0.24, 125.0),
    ("hardboard", 0.15, 126.0),
    ("pmma", 0.17, 114.0),
    ("pu_foam", 0.50, 38.0),
    ("acrylic_carpet", 1.3, 29.0),
]


@pytest.mark.parametrize(("name", "mm_per_s", "seconds"), TABLE)
def test_rates_are_those_of_the_table_to_20_percent(name: str, mm_per_s: float, seconds: float) -> None:
    item = material_table().materials[name]
    rate = opposed_mps(item.phi_kw2_per_m3, item.krhoc, item.ignition_degc, item.ts_min_degc, 20.0)
    assert 1e3 * rate == pytest.approx(mm_per_s, rel=0.2)
    assert ignition_time_s(item.krhoc, item.ignition_degc, 20.0, 30.0) == pytest.approx(seconds, rel=0.2)


@pytest.mark.parametrize("name", [row[0] for row in TABLE])
def test_a_strip_of_each_material_burns_sideways_at_its_rate(name: str) -> None:
    item = material_table().materials[name]
    spread = solve(wall("strip", 0.0, 9.0, True, name), at=1.0)
    points, times = spread.graph.points_m, spread.arrival_s
    low = np.flatnonzero(points[:, 2] < 0.2)
    a, b = (low[np.argmin(np.abs(points[low, 0] - east))] for east in (3.0, 8.0))
    rate = (points[b, 0] - points[a, 0]) / (times[b] - times[a])
    surface_degc = AMBIENT_K - 273.15
    exact = opposed_mps(item.phi_kw2_per_m3, item.krhoc, item.ignition_degc, item.ts_min_degc, surface_degc)
    assert rate == pytest.approx(exact, rel=0.05)


def test_flames_run_up_at_two_to_a_hundred_mm_per_s() -> None:
    item = material_table().materials["wood"]
    for run_m in (0.5, 1.0, 3.0, 6.0):
        rate = concurrent_mps(
            188.5, ignition_time_s(item.krhoc, item.ignition_degc, 12.0, 30.0), run_m, 3e-4, 1.0
        )
        assert 2e-3 < rate < 0.1


def test_the_simulated_house_burns_on_its_timber_alone() -> None:
    building = load_building(config_dir() / "buildings" / "sim_house.yaml")
    spread = solve_spread(building, SpreadPlan(), (FIRE,), AMBIENT_K)
    graph, reached = spread.graph, np.isfinite(spread.arrival_s)
    assert {graph.names[index] for index in graph.surface[reached]} == {"wall_east"}
    assert reached.sum() == (graph.surface == graph.names.index("wall_east")).sum()
    assert graph.points_m[reached, 1].max() < 0.25  # the concrete begins there
    column = reached & (np.abs(graph.points_m[:, 1] + 0.375) < 0.01)
    by_height = spread.arrival_s[column][np.argsort(graph.points_m[column, 2])]
    assert (np.diff(by_height) >= 0.0).all()
    assert 120.0 < by_height[-1] < 600.0  # minutes, not seconds, to the eaves at 6 m
    assert graph.points_m[column, 2].max() > 5.8


def test_a_gap_of_stone_or_of_something_unknown_stops_it() -> None:
    for burns, identity in ((False, "masonry"), (None, ""), (None, "wood")):
        spread = solve(
            wall("a", 0.0, 2.0, True), wall("gap", 2.0, 3.0, burns, identity), wall("b", 3.0, 5.0, True)
        )
        graph, reached = spread.graph, np.isfinite(spread.arrival_s)
        assert {graph.names[index] for index in graph.surface[reached]} == {"a"}
    whole = solve(wall("a", 0.0, 2.0, True), wall("gap", 2.0, 3.0, True), wall("b", 3.0, 5.0, True))
    assert np.isfinite(whole.arrival_s).all()


def test_what_burns_without_numbers_does_not_spread_and_is_named() -> None:
    spread = solve(wall("a", 0.0, 2.0, True), wall("roofing", 2.0, 3.0, True, "bitumen"))
    graph = spread.graph
    on_roofing = graph.surface == graph.names.index("roofing")
    assert not np.isfinite(spread.arrival_s[on_roofing]).any()
    assert any("bitumen" in note for note in spread.notes)


def test_an_ignition_that_touches_nothing_is_named() -> None:
    spread = solve(wall("a", 0.0, 2.0, True), at=7.0)
    assert not np.isfinite(spread.arrival_s).any()
    assert any("heap touches nothing" in note for note in spread.notes)
    assert len(spread.burning) == 0


def test_a_building_that_nobody_placed_burns_nowhere() -> None:
    lost = Building("row", (wall("a", 0.0, 2.0, True),), placed=False, placement="nobody said where")
    spread = solve_spread(lost, SpreadPlan(), (fire_at(0.5),), AMBIENT_K)
    assert not np.isfinite(spread.arrival_s).any()


def test_a_warmer_surface_burns_faster() -> None:
    cold = solve(wall("a", 0.0, 4.0, True))
    warm = solve(wall("a", 0.0, 4.0, True), plan=SpreadPlan(preheat_k=473.15))
    assert np.median(warm.arrival_s) < 0.6 * np.median(cold.arrival_s)


def test_fire_on_a_roof_runs_with_the_wind() -> None:
    corners = np.array([[-4.0, -4.0, 3.0], [4.0, -4.0, 3.0], [4.0, 4.0, 3.0], [-4.0, 4.0, 3.0]])
    roof = Surface("roof", "wood", "roof", corners, True, material_id="wood")
    plan = SpreadPlan(wind_towards_deg=90.0, wind_head_ratio=5.0, wind_length_to_breadth=2.0)
    fire = dataclasses.replace(FIRE, position_m=(0.0, 0.0, 3.0))
    spread = solve_spread(Building("flat", (roof,)), plan, (fire,), AMBIENT_K)
    points, times = spread.graph.points_m, spread.arrival_s

    def at(east: float, north: float) -> float:
        top = np.flatnonzero(points[:, 2] > 2.9)
        return float(times[top[np.argmin(np.hypot(points[top, 0] - east, points[top, 1] - north))]])

    assert at(3.0, 0.0) < 0.5 * at(0.0, 3.0) < 0.5 * at(-3.0, 0.0)
    assert at(0.0, 3.0) == pytest.approx(at(0.0, -3.0), rel=0.2)


def test_the_record_holds_every_number_and_every_piece() -> None:
    spread = solve(wall("a", 0.0, 2.0, True))
    cells = decode_cells(spread.record["cells"][0])
    reached = np.isfinite(spread.arrival_s)
    assert len(cells) == reached.sum()
    assert cells[:, 3] == pytest.approx(spread.arrival_s[reached])
    assert spread.record["surfaces"][0] == ["a"]
    item = material_table().materials["wood"]
    for name, (value, unit, source) in spread.record["materials"]["wood"].items():
        assert value == getattr(item, name)
        assert unit
        assert source


@settings(max_examples=25)
@given(
    kinds=st.lists(
        st.sampled_from([("wood", True), ("plywood", True), ("concrete", False), ("glass", False), ("", None),
                         ("gypsum_board", False), ("laminate", None), ("pmma", True)]),
        min_size=1,
        max_size=6,
    ),
    start=st.integers(0, 5),
    preheat_k=st.floats(0.0, 570.0),
)  # fmt: skip
def test_no_piece_of_class_a_or_of_unknown_material_ever_burns(
    kinds: list[tuple[str, bool | None]], start: int, preheat_k: float
) -> None:
    surfaces = [wall(f"w{i}", float(i), i + 1.0, burns, name) for i, (name, burns) in enumerate(kinds)]
    spread = solve(*surfaces, plan=SpreadPlan(preheat_k=preheat_k), at=start + 0.5)
    graph, reached = spread.graph, np.isfinite(spread.arrival_s)
    assert (graph.combustible[reached] == 1).all()
    allowed = graph.reachable(np.flatnonzero(reached & (spread.arrival_s < math.inf)))
    assert not (reached & ~allowed).any()
    burns = [index for index, (_, yes) in enumerate(kinds) if yes]
    if start not in burns and start - 1 not in burns and start + 1 not in burns:
        assert not reached.any()
