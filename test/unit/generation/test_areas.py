# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Burning surfaces in the world: drawn over what burns alone, logged to the last number, bit for bit the same."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable
from typing import Any

import cbor2
import numpy as np
import pytest

from test.unit.generation.conftest import GRID, START_NS, make_bundle, make_map
from test.unit.generation.reading_spy import Spy
from vidgen_nodes.generation import areas as areas_module
from vidgen_nodes.generation import spread as spread_module
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.generation.spread import decode_cells
from vidgen_nodes.packets import Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scenario.timeline import parse_scenario
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.compose import Scene, compose_scene
from vidgen_nodes.scene.gate import audit_overlay, open_gate

SPREADING = """
name: cladding
seed: 3
ambient_degc: 15.0
spread: {speedup: 30.0}
rooms:
  - name: yard
    surfaces: [brick wall]
    vents: [{name: sky, width_m: 5.0, height_m: 5.0}]
ignitions:
  - {name: heap, position_m: [-1.0, -4.4, 0.0], start_s: 0.0, growth_kw_per_s2: 15.0, peak_kw: 400.0, diameter_m: 0.8,
     fuel: wood}
"""


@pytest.fixture(scope="module")
def house() -> Building:
    """South wall at north = -4: timber from -4 to 0 east, brick from there to 4; 6 m high."""

    def wall(name: str, low: float, high: float, material: str, burns: bool) -> Surface:
        corners = np.array([[low, -4.0, 0.0], [high, -4.0, 0.0], [high, -4.0, 6.0], [low, -4.0, 6.0]])
        return Surface(name, material, "wall", corners, burns, material_id=material)

    timber, brick = (
        wall("timber wall", -4.0, 0.0, "wood", True),
        wall("brick wall", 0.0, 4.0, "masonry", False),
    )
    return Building("half timbered", (timber, brick))


@pytest.fixture(scope="module")
def plan() -> Scenario:
    return parse_scenario(SPREADING, START_NS)


@pytest.fixture
def seen(house: Building, plan: Scenario) -> Callable[[float], Scene]:
    def make(time_s: float) -> Scene:
        stamp_ns = START_NS + round(time_s * 1e9)
        umap = dataclasses.replace(
            make_map(stamp_ns, damaged=False), elevation_m=np.zeros(GRID.shape, np.float32)
        )
        return compose_scene(make_bundle(stamp_ns, umap=umap), house, plan)

    return make


def at(world: World, scene: Scene) -> WorldState:
    return world.at(scene.stamp_ns, scene, open_gate(scene, GeneratorParams()))


def drawn_voxels(state: WorldState) -> np.ndarray:
    """Centres (n, 3) of every voxel that absorbs, of the sheet."""
    field = state.fields[-1]
    places = np.argwhere(field.extinction_visible_per_m.numpy() > 1e-6)
    return np.array(field.origin_m) + (places[:, ::-1] + 0.5) * field.resolution_m


def test_flames_stand_over_what_burns_and_stop_at_the_brick(
    plan: Scenario, house: Building, seen: Callable[[float], Scene]
) -> None:
    world = World(GeneratorParams(), plan, house)
    for time_s in (5.0, 10.0, 20.0):
        state = at(world, seen(time_s))
        cells = decode_cells(state.parameters["spread"]["cells"][0])
        alight = cells[cells[:, 3] < time_s * 30.0]
        centres = drawn_voxels(state)
        assert len(centres) > 50
        half = 0.5 * 0.25 + 1e-6
        for east, north, up in centres:
            beside = np.abs(alight[:, 0] - east) <= half
            assert beside.any()
            assert up > alight[beside, 2].min() - 0.25
            assert -4.0 - 1.2 - 0.15 < north < -4.0 + 0.15
        assert centres[:, 0].max() < 0.0
    assert centres[:, 2].max() > 6.0  # past the eaves


def test_the_front_climbs_and_is_named(
    plan: Scenario, house: Building, seen: Callable[[float], Scene]
) -> None:
    world = World(GeneratorParams(), plan, house)
    assert "spread" not in at(world, seen(1.0)).parameters
    heights, heats = [], []
    for time_s in (4.0, 6.0, 8.0, 10.0, 12.0):
        state = at(world, seen(time_s))
        flame = next(item for item in state.hazards if item.identity == "flame/heap/timber wall")
        assert flame.permitted_by
        assert all("timber wall" in sentence and "heap" in sentence for sentence in flame.permitted_by)
        heights.append(flame.height_m)
        heats.append(flame.heat_release_kw)
        totals = state.parameters["flame"]["totals"]
        assert totals["heat_release"][0] == pytest.approx(flame.heat_release_kw)
    assert heights == sorted(heights)
    assert heats == sorted(heats)
    assert {ref.element for ref in state.physics} == {"flame", "smoke", "spread"}


def test_no_pixel_is_drawn_outside_the_gate(
    plan: Scenario, house: Building, seen: Callable[[float], Scene]
) -> None:
    params, scene = GeneratorParams(audit_pixels=1_000_000), seen(12.0)
    gate = open_gate(scene, params)
    state = World(params, plan, house).at(scene.stamp_ns, scene, gate)
    for band in Band:
        overlay = Renderer(params).draw(state, gate, scene, band)
        report = audit_overlay(overlay, gate, scene, params.audit_pixels)
        assert report.pixels_drawn > 500
        assert report.pixels_outside == 0


def test_bytes_do_not_depend_on_what_was_asked_before(
    plan: Scenario, house: Building, seen: Callable[[float], Scene]
) -> None:
    def content(state: WorldState) -> tuple[bytes, ...]:
        tensors = [f.emission_w_per_m3_sr.numpy().tobytes() for f in state.fields]
        return (*tensors, cbor2.dumps(state.parameters, canonical=True))

    times = (5.0, 5.05, 9.0, 14.0)
    one, two = World(GeneratorParams(), plan, house), World(GeneratorParams(), plan)
    forward = [content(at(one, seen(time_s))) for time_s in times]
    backward = [content(at(two, seen(time_s))) for time_s in reversed(times)]
    assert forward == backward[::-1]
    assert forward[0] != forward[1]


def test_without_the_word_nothing_spreads(house: Building, seen: Callable[[float], Scene]) -> None:
    text = SPREADING.replace("spread: {speedup: 30.0}", "spread: false")
    state = at(World(GeneratorParams(), parse_scenario(text, START_NS), house), seen(12.0))
    assert len(state.fields) == 1
    assert {item.identity for item in state.hazards} == {"flame/heap", "smoke/heap"}


def test_every_number_that_spread_and_burning_read_is_logged(
    plan: Scenario, house: Building, seen: Callable[[float], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Spy(plan.spread)
    vents = [Spy(vent) for vent in plan.rooms[0].vents]
    room = Spy(plan.rooms[0], vents=tuple(vents))
    spied = Spy(plan, spread=own, rooms=(room,))
    materials = {key: Spy(item) for key, item in spread_module.material_table().materials.items()}
    table = dataclasses.replace(spread_module.material_table(), materials=materials)
    monkeypatch.setattr(spread_module, "material_table", lambda: table)
    spread_module.solve_spread.cache_clear()
    state = at(World(GeneratorParams(), spied, house), seen(12.0))  # type: ignore[arg-type]
    spread_module.solve_spread.cache_clear()
    record = state.parameters["spread"]
    assert own.read == set(record["plan"]) == {item.name for item in dataclasses.fields(plan.spread)}
    assert room.read - {"vents"} == set(record["rooms"]["yard"]) - {"vents"}
    assert vents[0].read == set(record["rooms"]["yard"]["vents"]["sky"])
    read = materials["wood"].read - {"burns", "source"}  # whether it burns is the building's to say
    assert read == set(record["materials"]["wood"])
    for leaf in leaves(state.parameters):
        value, unit, source = leaf
        assert isinstance(unit, str)
        assert source
        assert not isinstance(value, float) or math.isfinite(value)


def test_every_number_of_the_picture_is_logged(
    plan: Scenario, house: Building, seen: Callable[[float], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    spies: list[Spy] = []
    real = areas_module.SheetModel

    def spied() -> Any:
        spies.append(Spy(real()))
        return spies[-1]

    monkeypatch.setattr(areas_module, "SheetModel", spied)
    monkeypatch.setattr(areas_module, "sheet_parameters", lambda spy: recorded(spy.origin))
    recorded = __import__(
        "vidgen_nodes.generation.sheet_model", fromlist=["sheet_parameters"]
    ).sheet_parameters
    state = at(World(GeneratorParams(), plan, house), seen(12.0))
    assert spies[0].read <= set(state.parameters["spread"]["model"])
    assert spies[0].read == {item.name for item in dataclasses.fields(real)}


def test_the_hash_names_the_numbers(plan: Scenario, house: Building, seen: Callable[[float], Scene]) -> None:
    state = at(World(GeneratorParams(), plan, house), seen(9.0))
    for ref in state.physics:
        content = cbor2.dumps(state.parameters[ref.element], canonical=True)
        assert hashlib.sha256(content).digest() == ref.parameters_sha256


def leaves(node: dict[str, Any]) -> list[list[Any]]:
    found = []
    for value in node.values():
        found += leaves(value) if isinstance(value, dict) else [value]
    return found
