# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The world is a pure function of event time, gate and map, and logs every number that it reads."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable
from typing import Any

import cbor2
import numpy as np
import pytest

from test.unit.generation.reading_spy import Spy
from vidgen_nodes.custody.digest import canonical
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.packets import Cause, Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.gate import open_gate

SceneMaker = Callable[..., Scene]


def at(world: World, scene: Scene, params: GeneratorParams) -> WorldState:
    return world.at(scene.stamp_ns, scene, open_gate(scene, params))


def content(state: WorldState) -> tuple[Any, ...]:
    fields = tuple(
        (f.origin_m, f.temperature_k.numpy().tobytes(), f.emission_w_per_m3_sr.numpy().tobytes())
        for f in state.fields
    )
    debris = tuple(box.corners_m.tobytes() for box in state.debris)
    return (
        state.tick,
        fields,
        debris,
        state.hazards,
        state.physics,
        cbor2.dumps(state.parameters, canonical=True),
    )


def test_fire_smoke_and_debris_are_there_with_what_permits_them(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    state = at(World(params, scenario), make_scene(100.0), params)
    assert {hazard.kind for hazard in state.hazards} == {"flame", "smoke", "debris"}
    assert all(hazard.permitted_by for hazard in state.hazards)
    assert {ref.element for ref in state.physics} == {"flame", "smoke", "debris", "debris/releases"}
    flame = next(hazard for hazard in state.hazards if hazard.kind == "flame")
    assert flame.heat_release_kw == 1500.0
    assert flame.height_m == pytest.approx(3.228, abs=1e-3)
    debris = next(hazard for hazard in state.hazards if hazard.kind == "debris")
    assert debris.confidence == pytest.approx(0.8, abs=1e-6)
    assert len([hazard for hazard in state.hazards if hazard.kind == "debris"]) == 1


def test_order_of_calls_changes_nothing(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    times_s = [60.0, 60.02, 60.08, 61.0, 80.0]
    scenes = [make_scene(time_s) for time_s in times_s]
    forward_world, backward_world = World(params, scenario), World(params, scenario)
    forward = [content(at(forward_world, scene, params)) for scene in scenes]
    backward = [content(at(backward_world, scene, params)) for scene in reversed(scenes)]
    assert forward == backward[::-1]
    assert forward[0][1] == forward[1][1]  # one tick
    assert forward[0][1] != forward[2][1]


def test_tick_is_the_newest_not_after_the_stamp(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    world = World(params, scenario)
    tick_ns = round(params.world_tick_ms * 1e6)
    for time_s in (60.0, 60.0799, 60.08):
        scene = make_scene(time_s)
        assert at(world, scene, params).tick == scene.stamp_ns // tick_ns


def test_before_ignition_there_is_debris_only(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    state = at(World(params, scenario), make_scene(0.0), params)
    assert state.fields == ()
    assert {hazard.kind for hazard in state.hazards} == {"debris"}


@pytest.mark.parametrize("cause", list(Cause))
def test_any_cause_empties_the_world(
    cause: Cause, params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    state = at(World(params, scenario), make_scene(100.0, causes=(cause,)), params)
    assert content(state)[1:] == ((), (), (), (), cbor2.dumps({}))


def test_no_scenario_is_an_empty_world(params: GeneratorParams, make_scene: SceneMaker) -> None:
    state = at(World(params, None), make_scene(100.0), params)
    assert state.fields == state.debris == state.hazards == state.physics == ()
    assert state.field is None


def test_no_building_no_flame(params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker) -> None:
    scene = dataclasses.replace(make_scene(100.0), building=None)
    state = at(World(params, scenario), scene, params)
    assert state.fields == ()
    assert {hazard.kind for hazard in state.hazards} == {"debris"}


def test_field_is_empty_under_the_roof_and_outside_the_columns(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    scene = make_scene(100.0)
    gate = open_gate(scene, params)
    field = World(params, scenario).at(scene.stamp_ns, scene, gate).field
    assert field is not None
    assert gate.grid is not None
    nz, ny, nx = field.temperature_k.shape
    drawn = np.argwhere(field.extinction_lwir_per_m.numpy() > 0.0)
    centres = np.array(field.origin_m) + (drawn[:, ::-1] + 0.5) * field.resolution_m
    cols = np.floor((centres[:, 0] - gate.grid.origin_east_m) / gate.grid.resolution_m).astype(int)
    rows = np.floor((centres[:, 1] - gate.grid.origin_north_m) / gate.grid.resolution_m).astype(int)
    assert len(drawn) > 1000
    assert gate.flame_cells[rows, cols].all()
    half = 0.5 * field.resolution_m
    assert np.all(centres[:, 2] + half > gate.floor_m[rows, cols])
    assert np.all(centres[:, 2] - half < gate.ceiling_m[rows, cols])
    assert drawn.max() < max(nz, ny, nx)


def test_every_number_read_is_logged(scenario: Scenario, make_scene: SceneMaker) -> None:
    spies = [Spy(ignition) for ignition in scenario.ignitions]
    params, spied = Spy(GeneratorParams()), Spy(scenario, ignitions=tuple(spies))
    scene = make_scene(100.0)
    gate = open_gate(scene, GeneratorParams())
    state = World(params, spied).at(scene.stamp_ns, scene, gate)  # type: ignore[arg-type]
    Renderer(params).draw(state, gate, scene)  # type: ignore[arg-type]
    record = state.parameters["smoke"]
    assert params.read == set(record["parameters"])
    # What these hold is read number by number, and logged so: below, and in test_areas.py.
    assert spied.read - {"ignitions", "spread", "rooms", "imported", "leaks", "wind", "grilles"} == set(
        record["scenario"]
    )
    for spy in spies:
        assert spy.read <= set(record["fires"][scenario.ignitions[0].name])
        assert spy.read == {item.name for item in dataclasses.fields(scenario.ignitions[0])}
    for leaf in leaves(state.parameters):
        value, unit, source = leaf
        assert isinstance(unit, str)
        assert source
        assert not isinstance(value, float) or math.isfinite(value)


def leaves(node: dict[str, Any]) -> list[list[Any]]:
    found = []
    for value in node.values():
        found += leaves(value) if isinstance(value, dict) else [value]
    return found


def test_each_element_names_the_hash_of_its_numbers(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    state = at(World(params, scenario), make_scene(100.0), params)
    for ref in state.physics:
        assert ref.parameters_sha256 == parameters_sha256(state.parameters[ref.element])
        assert ref.parameters_sha256 == hashlib.sha256(canonical(state.parameters[ref.element])).digest()
        assert ref.seed == scenario.seed
    later = at(World(params, scenario), make_scene(101.0), params)
    assert later.parameters["flame"]["tick"] != state.parameters["flame"]["tick"]
    assert later.parameters["smoke"] == state.parameters["smoke"]
    link = state.parameters["flame"]["constants_sha256"][0]
    assert bytes.fromhex(link) == parameters_sha256(state.parameters["smoke"])
