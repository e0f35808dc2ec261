# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The solver in the world: who waits and who does not, what the record says, and what is left when it ends."""

from __future__ import annotations

import dataclasses
import gc
import math
import threading
from collections.abc import Callable, Iterator

import cbor2
import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.generation.smoke_box import SmokeBox
from vidgen_nodes.generation.smoke_layer import SmokeLayer
from vidgen_nodes.generation.solved_smoke import NOT_READY, REFUSED, SOLVER, STATE, SolvedSmokes, stood_in
from vidgen_nodes.packets import Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scenario.timeline import parse_scenario
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.gate import audit_overlay, open_gate, pixel_mask

SceneMaker = Callable[..., Scene]
PARAMS = GeneratorParams(
    smoke_model="solver", smoke_cell_m=0.5, smoke_cells_wide=14, smoke_cells_high=14, smoke_tick_ms=160.0
)
TEXT = """
name: house
seed: 11
ambient_degc: 18.0
ignitions:
  - {name: roof, position_m: [-2.0, 0.0, 3.0], start_s: 0.0, growth_kw_per_s2: 100.0, peak_kw: 600.0,
     diameter_m: 1.0, fuel: wood}
"""
START_NS = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def fire() -> Scenario:
    return parse_scenario(TEXT, START_NS)


@pytest.fixture
def scene_at(make_scene: SceneMaker, fire: Scenario) -> SceneMaker:
    return lambda time_s: dataclasses.replace(make_scene(time_s), scenario=fire)


@pytest.fixture
def world(fire: Scenario, building: Building) -> Iterator[World]:
    made = World(PARAMS, fire, building)
    yield made
    made.close()


def at(world: World, scene: Scene, *, analytic: bool = False) -> WorldState:
    return world.at(scene.stamp_ns, scene, open_gate(scene, PARAMS), analytic=analytic)


def content(state: WorldState) -> tuple[object, ...]:
    fields = tuple((f.origin_m, f.emission_w_per_m3_sr.numpy().tobytes()) for f in state.fields)
    return fields, state.hazards, state.physics, cbor2.dumps(state.parameters, canonical=True)


def elements(state: WorldState) -> list[str]:
    return [ref.element for ref in state.physics]


def smoke_threads() -> int:
    return sum(thread.name == "smoke" for thread in threading.enumerate())


def test_a_solved_tick_says_which_solver_drew_it_with_what(world: World, scene_at: SceneMaker) -> None:
    state = at(world, scene_at(4.0))
    assert {SOLVER, STATE} <= set(elements(state))
    assert not stood_in(elements(state))
    refs = {ref.element: ref for ref in state.physics}
    for element in (SOLVER, STATE):
        assert refs[element].parameters_sha256 == parameters_sha256(state.parameters[element])
        assert refs[element].seed == 11
        assert "Boussinesq" in refs[element].source
    assert state.parameters[STATE]["steps"][0] == 25
    assert state.parameters[STATE]["divergence"][0] <= 1e-5
    assert state.parameters[STATE]["constants_sha256"][0] == refs[SOLVER].parameters_sha256.hex()
    assert state.parameters[SOLVER]["feet_m"]["roof"][0] == [-2.0, 0.0, 3.0]
    smoke, flame = state.fields
    assert smoke.resolution_m == 0.5
    assert flame.flame_absorption_per_m.numpy().any()
    assert not smoke.flame_absorption_per_m.numpy().any()


def test_who_waits_gets_the_same_bytes_in_any_order(
    fire: Scenario, building: Building, scene_at: SceneMaker
) -> None:
    times_s = [3.0, 3.08, 3.16, 8.0]
    found = []
    for order in (times_s, times_s[::-1]):
        world = World(PARAMS, fire, building)
        try:
            found.append({time_s: content(at(world, scene_at(time_s))) for time_s in order})
        finally:
            world.close()
    assert found[0] == found[1]
    assert len(set(found[0].values())) == len(times_s)


def test_a_late_tick_is_the_analytic_one_and_says_so(
    fire: Scenario, building: Building, scene_at: SceneMaker
) -> None:
    live = World(PARAMS, fire, building, smoke_wait_s=0.0)
    plain = World(GeneratorParams(), fire, building)
    try:
        late = at(live, scene_at(60.0))  # nobody has asked before: the solver is at rest
        usual = at(plain, scene_at(60.0))
    finally:
        live.close()
    assert stood_in(elements(late))
    assert SOLVER not in elements(late)
    assert "0 of its ticks" in late.parameters[NOT_READY]["smoke"][2]
    assert content(late)[0] == content(usual)[0]


def test_the_choice_stands_for_all_frames_of_a_tick(
    fire: Scenario, building: Building, scene_at: SceneMaker
) -> None:
    live = World(PARAMS, fire, building, smoke_wait_s=0.0)
    try:
        first = at(live, scene_at(6.0))
        smokes = live._smokes[1]
        assert smokes is not None
        opened = np.ones(smokes.layer.shape, np.float32)
        # Meanwhile the solver comes by: five ticks ahead of 6.4 s and, were it ten more, with that tick still kept.
        assert smokes.layer.at(7_200_000_000, opened, math.inf) is not None
        live._states.clear()
        assert content(at(live, scene_at(6.02))) == content(first)
        assert {SOLVER, STATE} <= set(elements(at(live, scene_at(6.4))))
    finally:
        live.close()


def test_by_its_record_a_late_frame_is_made_again(world: World, scene_at: SceneMaker, fire: Scenario) -> None:
    """The bytes of a live frame do not depend on who makes it again, and when."""
    live = World(PARAMS, fire, smoke_wait_s=0.0)
    try:
        late = at(live, scene_at(60.0))
    finally:
        live.close()
    again = at(world, scene_at(60.0), analytic=stood_in(elements(late)))
    assert content(again)[0] == content(late)[0]
    assert content(at(world, scene_at(60.0)))[0] != content(late)[0]


def test_a_solver_that_was_late_is_drawn_again_only_when_it_is_ahead(fire: Scenario) -> None:
    layer = SmokeLayer(fire.ignitions, 11, 291.15, SmokeBox(0.5, (14, 14, 14), 160_000_000))
    live = SolvedSmokes(layer, 0.0)
    opened = np.ones(layer.shape, np.float32)
    try:
        assert not live.step(1, 3_200_000_000, opened).is_solved
        assert layer.at(3_200_000_000, opened, math.inf) is not None
        ahead = layer.lead_ticks(3_200_000_000)
        solved = live.step(2, 3_200_000_000 + 1, opened).is_solved
        assert solved == (ahead - 1 >= 5) or layer.lead_ticks(3_200_000_000) > ahead
        assert layer.at(4_800_000_000, opened, math.inf) is not None  # 10 ticks on
        assert live.step(3, 3_200_000_000 + 2, opened).is_solved
    finally:
        live.close()


def test_a_solver_that_refuses_is_named_and_the_analytic_layer_drawn(
    world: World, scene_at: SceneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(time_s: float) -> list[object]:
        raise InputError("negative_release", f"heat release is -1 kW at {time_s:.2f} s")

    smokes = world._smokes[1]
    assert smokes is not None
    monkeypatch.setattr(smokes.layer._run, "_sources_at", broken)
    assert world.withheld == ()
    state = at(world, scene_at(4.0))
    assert REFUSED in elements(state)
    assert world.withheld == ("smoke is drawn from the correlations: heat release is -1 kW at 0.08 s",)
    assert "-1 kW" in state.parameters[REFUSED]["smoke"][2]
    assert not stood_in(elements(state))  # made again, it refuses again
    assert state.fields


def test_no_pixel_outside_the_gate_in_either_band(world: World, scene_at: SceneMaker) -> None:
    scene = scene_at(5.0)
    gate = open_gate(scene, PARAMS)
    state = at(world, scene)
    for band in (Band.LWIR, Band.VISIBLE):
        overlay = Renderer(PARAMS).draw(state, gate, scene, band)
        drawn = overlay.rgba[..., 3] > 0
        assert drawn.sum() > 500
        assert scene.camera is not None
        assert not (drawn & ~pixel_mask(gate, scene.camera)).any()
        assert audit_overlay(overlay, gate, scene, 1_000_000).pixels_outside == 0


def test_from_tick_to_tick_the_picture_changes_no_more_than_with_the_analytic_layer(
    world: World, fire: Scenario, building: Building, scene_at: SceneMaker
) -> None:
    """No popping: neither where the solver's ticks meet, nor between them."""
    plain = World(GeneratorParams(), fire, building)
    steps: dict[str, list[float]] = {"solver": [], "analytic": []}
    for name, own in (("solver", world), ("analytic", plain)):
        before = None
        for number in range(12):
            scene = scene_at(6.0 + 0.08 * number)
            gate = open_gate(scene, PARAMS)
            alpha = (
                Renderer(PARAMS).draw(at(own, scene), gate, scene, Band.VISIBLE).rgba[..., 3].astype(float)
            )
            if before is not None:
                steps[name].append(float(np.abs(alpha - before).mean()))
            before = alpha
    assert max(steps["solver"]) < 1.5 * max(steps["analytic"])


def test_the_constants_are_under_review_and_take_no_thread(fire: Scenario, building: Building) -> None:
    before = smoke_threads()
    constants = World(PARAMS, fire, building).constants
    assert constants[SOLVER]["cell_m"][0] == 0.5
    assert constants[SOLVER]["numbers"]["ambient_k"][:2] == [291.15, "K"]
    assert smoke_threads() == before


def test_every_parameter_of_the_solver_is_logged(fire: Scenario, building: Building) -> None:
    record = World(PARAMS, fire, building).constants["parameters"]
    asked = {item.name for item in dataclasses.fields(PARAMS) if item.name.startswith("smoke_")}
    assert asked <= set(record)
    unasked = World(GeneratorParams(), fire, building).constants["parameters"]
    assert asked & set(unasked) == {"smoke_model"}


def test_a_world_that_is_closed_or_forgotten_leaves_no_thread(
    fire: Scenario, building: Building, scene_at: SceneMaker
) -> None:
    before = smoke_threads()
    closed = World(PARAMS, fire, building)
    at(closed, scene_at(1.0))
    assert smoke_threads() == before + 1
    closed.close()
    assert smoke_threads() == before
    forgotten = World(PARAMS, fire, building)
    at(forgotten, scene_at(1.0))
    (thread,) = [item for item in threading.enumerate() if item.name == "smoke"][before:]
    del forgotten
    gc.collect()
    thread.join(30.0)
    assert not thread.is_alive()


def test_a_scenario_without_fires_needs_no_solver(building: Building) -> None:
    empty = parse_scenario("name: a\nignitions: []\n", START_NS)
    world = World(PARAMS, empty, building)
    assert SOLVER not in world.constants
    world.close()


def test_fires_that_the_box_cannot_hold_are_refused_before_any_frame(
    fire: Scenario, building: Building
) -> None:
    (one,) = fire.ignitions
    far = dataclasses.replace(one, name="far", position_m=(40.0, 0.0, 3.0))
    with pytest.raises(ConfigError, match="larger cells"):
        World(PARAMS, dataclasses.replace(fire, ignitions=(one, far)), building)
