# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Leaks of a scenario in the picture: behind the gate, in both bands, with every number in the record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation import steam
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.generation.steam_leaks import ELEMENT
from vidgen_nodes.packets import Overlay, Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scenario.timeline import parse_scenario
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.gate import Gate, audit_overlay, open_gate, pixel_mask

SceneMaker = Callable[..., Scene]
PARAMS = GeneratorParams()
START_NS = 1_700_000_000_000_000_000
# The ignition opens the timber roof, and comes so late that nothing burns while steam is looked at.
TEXT = """
name: house
seed: 11
ambient_degc: 0.0
ignitions:
  - {name: roof, position_m: [-2.0, 0.0, 3.0], start_s: 9000.0, growth: slow, peak_kw: 600.0, diameter_m: 1.0,
     fuel: wood}
leaks:
  - {name: riser, position_m: [1.0, 0.0, 3.2], direction: [0.3, 0.0, 1.0], start_s: 5.0, pressure_kpa: 300.0,
     diameter_mm: 30.0}
"""


@pytest.fixture(scope="module")
def leaking() -> Scenario:
    return parse_scenario(TEXT, START_NS)


@pytest.fixture(scope="module")
def world(leaking: Scenario, building: Building) -> Iterator[World]:
    made = World(PARAMS, leaking, building)
    yield made
    made.close()


@pytest.fixture
def scene_at(make_scene: SceneMaker, leaking: Scenario) -> SceneMaker:
    return lambda time_s: dataclasses.replace(make_scene(time_s), scenario=leaking)


def at(world: World, scene: Scene) -> tuple[WorldState, Gate]:
    gate = open_gate(scene, PARAMS)
    return world.at(scene.stamp_ns, scene, gate), gate


def drawn(world: World, scene: Scene, band: Band) -> Overlay:
    state, gate = at(world, scene)
    return Renderer(PARAMS).draw(state, gate, scene, band)


@pytest.mark.parametrize("band", list(Band))
def test_a_jet_is_drawn_where_the_gate_is_open_and_nowhere_else(
    world: World, scene_at: SceneMaker, band: Band
) -> None:
    scene = scene_at(10.0)
    overlay = drawn(world, scene, band)
    gate = open_gate(scene, PARAMS)
    shown = overlay.rgba[..., 3] > 0
    assert shown.sum() > 300
    assert scene.camera is not None
    assert not (shown & ~pixel_mask(gate, scene.camera)).any()
    assert audit_overlay(overlay, gate, scene, 1_000_000).pixels_outside == 0


def test_in_daylight_steam_is_white_and_in_thermal_it_is_no_flame(world: World, scene_at: SceneMaker) -> None:
    scene = scene_at(10.0)
    visible = drawn(world, scene, Band.VISIBLE).rgba
    dense = visible[visible[..., 3] > 150]
    assert len(dense) > 50
    assert dense[:, :3].min() > 180
    state, _ = at(world, scene)
    (jet,) = state.fields
    assert 273.0 < float(jet.temperature_k.max()) <= steam.BOILING_K + 1.0
    assert not jet.flame_absorption_per_m.any()


def test_beyond_what_burns_a_jet_is_cut_off(
    leaking: Scenario, building: Building, scene_at: SceneMaker
) -> None:
    """Ten metres beside the house nothing is open, whatever leaks there."""
    (leak,) = leaking.leaks
    away = dataclasses.replace(leaking, leaks=(dataclasses.replace(leak, position_m=(9.0, 9.0, 1.0)),))
    scene = dataclasses.replace(scene_at(10.0), scenario=away)
    state, _ = at(World(PARAMS, away, building), scene)
    assert state.fields == ()
    assert state.hazards == ()


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(-60, 60), st.integers(-60, 60), st.integers(-10, 60)),
    st.sampled_from([(1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, -0.8)]),
    st.sampled_from([0.004, 0.03]),
)
def test_wherever_it_leaks_no_voxel_stands_over_a_closed_cell(
    leaking: Scenario,
    building: Building,
    scene_from: SceneMaker,
    tenths: tuple[int, int, int],
    direction: tuple[float, float, float],
    diameter_m: float,
) -> None:
    (leak,) = leaking.leaks
    place = (0.1 * tenths[0], 0.1 * tenths[1], 0.1 * tenths[2] + 3.0)
    moved = dataclasses.replace(leak, position_m=place, direction=direction, diameter_m=diameter_m)
    scenario = dataclasses.replace(leaking, leaks=(moved,))
    scene = scene_from((1.0, -20.0, 20.0), (0.0, 0.0, 4.0), building, scenario)
    state, gate = at(World(PARAMS, scenario, building), scene)
    assert gate.grid is not None
    for field in state.fields:
        places = np.argwhere(field.extinction_visible_per_m.numpy() > 0.0)
        centres = np.array(field.origin_m) + (places[:, ::-1] + 0.5) * field.resolution_m
        cols = np.floor((centres[:, 0] - gate.grid.origin_east_m) / gate.grid.resolution_m).astype(int)
        rows = np.floor((centres[:, 1] - gate.grid.origin_north_m) / gate.grid.resolution_m).astype(int)
        assert gate.flame_cells[rows, cols].all()
        assert (centres[:, 2] + 0.5 * field.resolution_m > gate.floor_m[rows, cols]).all()
    shown = Renderer(PARAMS).draw(state, gate, scene, Band.VISIBLE).rgba[..., 3] > 0
    assert scene.camera is not None
    assert not (shown & ~pixel_mask(gate, scene.camera)).any()


def test_it_blows_from_its_second_on_and_does_not_jump(world: World, scene_at: SceneMaker) -> None:
    amounts = []
    for time_s in (4.96, 5.2, 5.6, 6.4, 60.0):
        state, _ = at(world, scene_at(time_s))
        amounts.append(sum(float(field.extinction_visible_per_m.sum()) for field in state.fields))
    assert amounts[0] == 0.0
    assert 0.0 < amounts[1] < amounts[2] < amounts[3]
    assert amounts[3] == amounts[4]


def test_the_record_has_every_number_and_the_hazard_its_permits(world: World, scene_at: SceneMaker) -> None:
    state, _ = at(world, scene_at(10.0))
    (ref,) = [item for item in state.physics if item.element == ELEMENT]
    assert ref.parameters_sha256 == parameters_sha256(state.parameters[ELEMENT])
    record = state.parameters[ELEMENT]["leaks"]["riser"]
    assert record["choked"][0] is True
    assert record["mass_flow"][:2] == [pytest.approx(0.195, rel=0.05), "kg/s"]
    assert record["leak"]["pressure_pa"] == [300_000.0, "Pa, absolute", "scenario"]
    (hazard,) = state.hazards
    assert (hazard.identity, hazard.kind) == ("steam/riser", "steam")
    assert hazard.permitted_by
    assert world.constants[ELEMENT] == state.parameters[ELEMENT]  # under review like the fires


def test_every_number_of_a_leak_that_is_read_is_logged(leaking: Scenario, building: Building) -> None:
    record = World(PARAMS, leaking, building).constants[ELEMENT]
    (leak,) = leaking.leaks
    assert set(record["leaks"]["riser"]["leak"]) == {item.name for item in dataclasses.fields(leak)}
    logged = {entry[0] for entry in record["model"].values()}
    for name in dir(steam):
        value = getattr(steam, name)
        if name.isupper() and isinstance(value, float):
            assert value in logged, name


def test_a_long_jet_takes_coarser_voxels_and_says_so(leaking: Scenario, building: Building) -> None:
    (leak,) = leaking.leaks
    huge = dataclasses.replace(leaking, leaks=(dataclasses.replace(leak, diameter_m=0.2),))
    record = World(GeneratorParams(field_resolution_m=0.05), huge, building).constants[ELEMENT]
    assert record["leaks"]["riser"]["voxel"][0] > 0.05
