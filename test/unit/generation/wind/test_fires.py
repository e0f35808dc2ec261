# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wind reaches fires in the open, and none under a roof, in the lee of a wall, or named sheltered."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.wind.fires import ELEMENT, WindOnFires
from vidgen_nodes.packets import Ignition, Scenario, Wind
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.gate import open_gate

FIRE = Ignition("bin", (0.0, 0.0, 0.0), 0.0, 0.18756, 500.0, 0.8, 0.35, 0.015, 14500.0, 0.8)
WEST_WIND = Wind(5.0, 270.0)


def quad(name: str, *corners: tuple[float, float, float]) -> Building:
    return Building(name, (Surface(name, "concrete", "wall", np.array(corners), False),))


def wall(east_m: float, top_m: float = 4.0) -> Building:
    return quad("wall", (east_m, -5, 0), (east_m, 5, 0), (east_m, 5, top_m), (east_m, -5, top_m))


def reached(building: Building | None, wind: Wind = WEST_WIND) -> tuple[bool, str]:
    value, _, why = WindOnFires(wind, [FIRE], 293.15, building).record["fires"]["bin"]["reached"]
    return value, why


def test_a_fire_in_the_open_leans() -> None:
    assert reached(None)[0]
    lean = WindOnFires(WEST_WIND, [FIRE], 293.15, None).leans["bin"]
    assert lean.towards == pytest.approx((1.0, 0.0))
    assert lean.fuel_kg_per_m2_s == pytest.approx(500.0 / (0.25 * np.pi * 0.64) / 14500.0)


def test_a_roof_keeps_it_off() -> None:
    roof = quad("roof", (-5, -5, 3), (5, -5, 3), (5, 5, 3), (-5, 5, 3))
    assert reached(roof) == (False, "a surface is 3.00 m over its foot")


def test_a_wall_upwind_keeps_it_off_and_one_far_away_does_not() -> None:
    said, why = reached(wall(-2.0))
    assert not said
    assert "lee of a surface 2.00 m upwind" in why
    assert reached(wall(-50.0))[0]
    assert reached(wall(-2.0, top_m=0.3))[0]  # lower than half the flame


def test_a_wall_downwind_stops_the_flame() -> None:
    found = WindOnFires(WEST_WIND, [FIRE], 293.15, wall(1.5))
    assert found.leans["bin"].most_m == pytest.approx(1.5, abs=1e-5)
    assert found.leans["bin"].axis(500.0, 0.8, 5.0).offset_m.max() == pytest.approx(1.5, abs=1e-5)


def test_who_is_named_sheltered_is() -> None:
    assert reached(None, dataclasses.replace(WEST_WIND, sheltered=("bin",))) == (
        False,
        "the scenario says that it is sheltered",
    )


def at(scenario: Scenario, scene: Scene, params: GeneratorParams) -> WorldState:
    return World(params, scenario).at(scene.stamp_ns, scene, open_gate(scene, params))


def test_wind_is_recorded_number_by_number_and_calm_says_nothing_of_it(
    params: GeneratorParams, scenario: Scenario, make_scene: Callable[..., Scene]
) -> None:
    scene = make_scene(100.0)
    windy = at(dataclasses.replace(scenario, wind=WEST_WIND), scene, params)
    record = windy.parameters[ELEMENT]
    assert set(record["wind"]) == {item.name for item in dataclasses.fields(Wind)}
    (ref,) = [ref for ref in windy.physics if ref.element == ELEMENT]
    assert ref.parameters_sha256 == parameters_sha256(record)
    state = windy.parameters["flame"]["fires"]["roof"]
    assert state["flame_lean_deg"][0] > 20.0
    calm = at(scenario, scene, params)
    assert ELEMENT not in calm.parameters
    assert "flame_lean_deg" not in calm.parameters["flame"]["fires"]["roof"]


def test_a_hazard_covers_the_flame_that_leans(
    params: GeneratorParams, scenario: Scenario, make_scene: Callable[..., Scene]
) -> None:
    scene = make_scene(100.0)
    flame = next(
        hazard
        for hazard in at(dataclasses.replace(scenario, wind=WEST_WIND), scene, params).hazards
        if hazard.kind == "flame"
    )
    lean = WindOnFires(WEST_WIND, scenario.ignitions, scenario.ambient_k, None).leans["roof"]
    axis = lean.axis(1500.0, 1.13, 8.0)
    off_m = float(axis.offset_at(np.array(axis.tip_m)))
    foot = scenario.ignitions[0].position_m
    assert flame.height_m == pytest.approx(axis.tip_m, abs=0.02)
    assert flame.position_m[0] - flame.radius_m == pytest.approx(foot[0] - 0.565, abs=0.05)
    assert flame.position_m[0] + flame.radius_m == pytest.approx(foot[0] + off_m + 0.565, abs=0.05)


def test_a_leaning_fire_stays_in_the_open_columns(
    params: GeneratorParams, scenario: Scenario, make_scene: Callable[..., Scene]
) -> None:
    scene = make_scene(100.0)
    gate = open_gate(scene, params)
    assert gate.grid is not None
    for from_deg in (0.0, 45.0, 180.0, 290.0):
        blown = dataclasses.replace(scenario, wind=Wind(9.0, from_deg))
        field = World(params, blown).at(scene.stamp_ns, scene, gate).field
        assert field is not None
        drawn = np.argwhere(field.extinction_visible_per_m.numpy() > 0.0)
        assert len(drawn) > 300
        centres = np.array(field.origin_m) + (drawn[:, ::-1] + 0.5) * field.resolution_m
        cols = np.floor((centres[:, 0] - gate.grid.origin_east_m) / gate.grid.resolution_m).astype(int)
        rows = np.floor((centres[:, 1] - gate.grid.origin_north_m) / gate.grid.resolution_m).astype(int)
        assert gate.flame_cells[rows, cols].all()
