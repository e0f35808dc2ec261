# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Leaks of a scenario in the picture: behind the gate, in both bands, with every number in the record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from test.unit.generation.reading_spy import Spy
from vidgen_nodes.generation import steam, steam_leaks
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.generation.steam_leaks import ELEMENT
from vidgen_nodes.generation.wind import jet as jet_in_wind
from vidgen_nodes.packets import FloatArray, LeakCause, Overlay, Scenario, UncertaintyMap, Wind
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scenario.timeline import parse_scenario
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.gate import Gate, audit_overlay, open_gate, pixel_mask
from vidgen_nodes.scene.raster import see_boxes

SceneMaker = Callable[..., Scene]
PARAMS = GeneratorParams()
START_NS = 1_700_000_000_000_000_000
# A pipe on the roof; nothing burns.
TEXT = """
name: house
seed: 11
ambient_degc: 0.0
ignitions: []
leaks:
  - {name: riser, position_m: [-2.0, 1.0, 3.2], direction: [0.3, 0.0, 1.0], start_s: 5.0, pressure_kpa: 300.0,
     diameter_mm: 30.0}
"""
FIRE = """
  - {name: roof, position_m: [-2.0, 0.0, 3.0], start_s: 0.0, growth: ultrafast, peak_kw: 1500.0, diameter_m: 1.13,
     fuel: wood}
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
    gate = open_gate(scene, PARAMS, world.leaks)
    return world.at(scene.stamp_ns, scene, gate), gate


def drawn(world: World, scene: Scene, band: Band) -> tuple[Overlay, Gate]:
    state, gate = at(world, scene)
    return Renderer(PARAMS).draw(state, gate, scene, band), gate


def meets(camera: Camera, boxes_m: FloatArray, pixels: FloatArray) -> FloatArray:
    """Whether the ray of each pixel comes within a hair of a box: not the code of mask or audit."""
    ways = camera.directions(pixels)
    found = np.zeros(len(pixels), bool)
    for low, high in zip(boxes_m[:, :3] - 1e-6, boxes_m[:, 3:] + 1e-6, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.sort(
                np.stack(((low - camera.centre_m) / ways, (high - camera.centre_m) / ways)), axis=0
            )
        found |= np.nanmax(ends[0], axis=1).clip(0.0) <= np.nanmin(ends[1], axis=1)
    return found


def boxes_of(gate: Gate) -> FloatArray:
    """The columns of the leaks, worked out anew from their cells."""
    assert gate.grid is not None
    made = []
    for item in gate.steam:
        for row, col, low, high in zip(item.rows, item.cols, item.floor_m, item.ceiling_m, strict=True):
            west = gate.grid.origin_east_m + col * gate.grid.resolution_m
            south = gate.grid.origin_north_m + row * gate.grid.resolution_m
            edge = gate.grid.resolution_m
            made.append((west, south, low, west + edge, south + edge, high))
    return np.array(made, np.float64).reshape(-1, 6)


@pytest.mark.parametrize("band", list(Band))
def test_a_jet_alone_is_drawn_where_the_gate_is_open_and_nowhere_else(
    world: World, scene_at: SceneMaker, band: Band
) -> None:
    scene = scene_at(10.0)
    overlay, gate = drawn(world, scene, band)
    shown = overlay.rgba[..., 3] > 0
    assert shown.sum() > 300
    assert not gate.flame_cells.any()
    assert scene.camera is not None
    assert not (shown & ~pixel_mask(gate, scene.camera)).any()
    report = audit_overlay(overlay, gate, scene, 1_000_000)
    assert (report.pixels_outside, report.leaks_closed) == (0, ())


def test_a_pixel_off_the_columns_of_steam_is_found_by_the_audit(world: World, scene_at: SceneMaker) -> None:
    """Were steam drawn beside what is open for it, the audit would say so."""
    scene = scene_at(10.0)
    overlay, gate = drawn(world, scene, Band.VISIBLE)
    assert not gate.debris_cells[gate.steam[0].rows, gate.steam[0].cols].any()
    only_steam = dataclasses.replace(gate, debris_cells=np.zeros_like(gate.debris_cells))
    rgba = np.roll(overlay.rgba, 60, axis=1)
    moved = dataclasses.replace(overlay, rgba=np.ascontiguousarray(rgba))
    assert audit_overlay(overlay, only_steam, scene, 1_000_000).pixels_outside == 0
    assert audit_overlay(moved, only_steam, scene, 1_000_000).pixels_outside > 100


def test_a_gate_that_is_not_told_of_leaks_lets_no_steam_be(world: World, scene_at: SceneMaker) -> None:
    scene = scene_at(10.0)
    gate = open_gate(scene, PARAMS)
    state = world.at(scene.stamp_ns, scene, gate)
    assert (gate.steam, state.fields, state.hazards) == ((), (), ())


def test_in_daylight_steam_is_white_and_in_thermal_it_is_no_flame(world: World, scene_at: SceneMaker) -> None:
    scene = scene_at(10.0)
    visible = drawn(world, scene, Band.VISIBLE)[0].rgba
    dense = visible[visible[..., 3] > 150]
    assert len(dense) > 50
    assert dense[:, :3].min() > 180
    state, _ = at(world, scene)
    (jet,) = state.fields
    assert 273.0 < float(jet.temperature_k.max()) <= steam.BOILING_K + 1.0
    assert not jet.flame_absorption_per_m.any()


@pytest.mark.parametrize(
    ("place", "cause"),
    [
        ((9.0, 9.0, 5.0), LeakCause.UNSUPPORTED),
        ((-2.0, 1.0, 1.5), LeakCause.COVERED),
        ((-2.0, 1.0, -2.0), LeakCause.COVERED),
        ((60.0, 0.0, 1.0), LeakCause.OFF_MAP),
        ((2.0, -1.0, 2.8), LeakCause.UNCERTAIN),  # on the damaged patch
    ],
)
def test_a_leak_that_may_not_be_draws_nothing_and_names_its_cause(
    leaking: Scenario,
    building: Building,
    scene_at: SceneMaker,
    place: tuple[float, float, float],
    cause: LeakCause,
) -> None:
    (leak,) = leaking.leaks
    scenario = dataclasses.replace(leaking, leaks=(dataclasses.replace(leak, position_m=place),))
    scene = dataclasses.replace(scene_at(10.0), scenario=scenario)
    world = World(PARAMS, scenario, building)
    overlay, gate = drawn(world, scene, Band.VISIBLE)
    state, _ = at(world, scene)
    assert (state.fields, state.hazards) == ((), ())
    assert not overlay.rgba.any()
    assert audit_overlay(overlay, gate, scene, 100).leaks_closed == (cause,)
    assert [reason.partition(":")[0] for reason in gate.reasons] == [cause.value]


def stands_in(field: HazardField, boxes: FloatArray) -> bool:
    """Whether every voxel with anything in it stands in a box: in plan its middle, no higher than the box."""
    places = np.argwhere(field.extinction_visible_per_m.numpy() > 0.0)
    centres = np.array(field.origin_m) + (places[:, ::-1] + 0.5) * field.resolution_m
    half = 0.5 * field.resolution_m
    within = (centres[:, None, :2] >= boxes[None, :, :2]) & (centres[:, None, :2] < boxes[None, :, 3:5])
    within = within.all(axis=2)
    within &= centres[:, None, 2] + half > boxes[None, :, 2]
    within &= centres[:, None, 2] + half <= boxes[None, :, 5] + 1e-5
    return bool(within.any(axis=1).all())


@settings(max_examples=25)
@given(
    st.tuples(st.integers(-60, 60), st.integers(-60, 60), st.integers(-30, 30)),
    st.sampled_from([(1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, -0.8)]),
    st.sampled_from([0.004, 0.03]),
    st.booleans(),
)
@example((0, 0, 0), (0.0, 0.0, 1.0), 0.03, True)
def test_wherever_it_leaks_no_voxel_and_no_pixel_leaves_what_is_open_for_it(
    leaking: Scenario,
    building: Building,
    scene_from: SceneMaker,
    tenths: tuple[int, int, int],
    direction: tuple[float, float, float],
    diameter_m: float,
    burns: bool,
) -> None:
    (leak,) = leaking.leaks
    place = (0.1 * tenths[0], 0.1 * tenths[1], 0.1 * tenths[2] + 3.0)
    moved = dataclasses.replace(leak, position_m=place, direction=direction, diameter_m=diameter_m)
    fires = parse_scenario(TEXT.replace("[]", FIRE, 1), START_NS).ignitions if burns else ()
    scenario = dataclasses.replace(leaking, leaks=(moved,), ignitions=fires)
    scene = scene_from((1.0, -20.0, 20.0), (0.0, 0.0, 4.0), building, scenario)
    state, gate = at(World(PARAMS, scenario, building), scene)
    assert gate.grid is not None
    jets = [item for item in state.fields if item.whiteness > 0.0]
    assert bool(jets) <= (gate.steam[0].cause is None)
    boxes = boxes_of(gate)
    for field in jets:
        assert stands_in(field, boxes)
    assert scene.camera is not None
    alone = dataclasses.replace(state, fields=tuple(jets), debris=())
    only_steam = dataclasses.replace(
        gate, flame_cells=np.zeros_like(gate.flame_cells), debris_cells=np.zeros_like(gate.debris_cells)
    )
    shown = Renderer(PARAMS).draw(alone, only_steam, scene, Band.VISIBLE).rgba[..., 3] > 0
    pixels = np.argwhere(shown)[:, ::-1].astype(np.float64)
    assert meets(scene.camera, boxes, pixels).all()
    everything = Renderer(PARAMS).draw(state, gate, scene, Band.VISIBLE)
    assert not ((everything.rgba[..., 3] > 0) & ~pixel_mask(gate, scene.camera)).any()
    assert audit_overlay(everything, gate, scene, 10**6).pixels_outside == 0
    # Beside fire and debris a jet changes no pixel further off its own columns than the picture is blurred.
    fires_only = dataclasses.replace(
        state, fields=tuple(item for item in state.fields if item.whiteness == 0.0)
    )
    rest = Renderer(PARAMS).draw(fires_only, gate, scene, Band.VISIBLE)
    changed = (everything.rgba != rest.rgba).any(axis=2)
    # Rays stand a stride apart, and voxels shade up to half a voxel off their middle: 2 pixels from here.
    near = 2 * (PARAMS.render_stride_px + 2) + 1
    own = cv2.dilate(see_boxes(boxes, scene.camera).astype(np.uint8), np.ones((near, near), np.uint8))
    assert not (changed & (own == 0)).any()


def test_a_fire_is_drawn_as_if_no_leak_were_there(
    leaking: Scenario, building: Building, scene_from: SceneMaker
) -> None:
    """What fire may fill, and how it looks, does not depend on leaks that are shut or far away."""
    fires = parse_scenario(TEXT.replace("[]", FIRE, 1), START_NS).ignitions
    (leak,) = leaking.leaks
    inside = dataclasses.replace(leak, position_m=(1.0, 0.0, 1.5))
    found = []
    for leaks in ((), (inside,)):
        scenario = dataclasses.replace(leaking, ignitions=fires, leaks=leaks)
        scene = scene_from((1.0, -20.0, 20.0), (0.0, 0.0, 4.0), building, scenario)
        state, gate = at(World(PARAMS, scenario, building), scene)
        picture = Renderer(PARAMS).draw(state, gate, scene).rgba
        layers = (gate.flame_cells, gate.floor_m, gate.ceiling_m, picture)
        found.append(b"".join(np.ascontiguousarray(layer).tobytes() for layer in layers))
        assert picture.any()
    assert found[0] == found[1]


def test_what_was_seen_too_long_ago_closes_a_jet_that_stood_there(
    leaking: Scenario, building: Building, world: World, scene_at: SceneMaker
) -> None:
    scene = scene_at(10.0)
    umap = scene.uncertainty_map
    assert umap is not None

    def seen(cells: tuple[slice, slice], age_s: float) -> Gate:
        times = umap.observed_ns.copy()
        times[cells] -= round(age_s * 1e9)
        old: UncertaintyMap = dataclasses.replace(umap, observed_ns=times, digest=bytes([int(age_s)]) * 32)
        return at(world, dataclasses.replace(scene, uncertainty_map=old))[1]

    whole = (slice(None), slice(None))
    beyond = (slice(None), slice(18, None))  # from 1 m west of the middle on
    assert seen(whole, 2.0).steam[0].cause is None
    assert seen(whole, 4.0).leaks_closed == (LeakCause.STALE,)
    part = seen(beyond, 4.0).steam[0]
    assert part.cause is None
    assert part.cols.max() == 17
    assert seen(whole, 2.0).steam[0].cols.max() > 18


def test_it_blows_from_its_second_on_and_does_not_jump(world: World, scene_at: SceneMaker) -> None:
    amounts = []
    for time_s in (4.96, 5.2, 5.6, 6.4, 60.0):
        state, _ = at(world, scene_at(time_s))
        amounts.append(sum(float(field.extinction_visible_per_m.sum()) for field in state.fields))
    assert amounts[0] == 0.0
    assert 0.0 < amounts[1] < amounts[2] < amounts[3]
    assert amounts[3] == amounts[4]


def test_the_record_has_every_number_and_the_hazard_its_permits(world: World, scene_at: SceneMaker) -> None:
    state, gate = at(world, scene_at(10.0))
    (ref,) = [item for item in state.physics if item.element == ELEMENT]
    assert ref.parameters_sha256 == parameters_sha256(state.parameters[ELEMENT])
    record = state.parameters[ELEMENT]["leaks"]["riser"]
    assert record["choked"][0] is True
    assert record["mass_flow"][:2] == [pytest.approx(0.195, rel=0.05), "kg/s"]
    assert record["leak"]["pressure_pa"] == [300_000.0, "Pa, absolute", "scenario"]
    (hazard,) = state.hazards
    assert (hazard.identity, hazard.kind) == ("steam/riser", "steam")
    (said,) = hazard.permitted_by
    row, col = int(gate.steam[0].rows[0]), int(gate.steam[0].cols[0])
    assert said.startswith(f"steam: cells ({row},{col})")
    assert "leak riser stands 0.20 m off roof: timber, burns" in said
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


def test_a_short_jet_takes_finer_voxels_and_is_drawn(leaking: Scenario, building: Building) -> None:
    (leak,) = leaking.leaks
    small = dataclasses.replace(leaking, leaks=(dataclasses.replace(leak, diameter_m=0.0005),))
    world = World(PARAMS, small, building)
    assert world.constants[ELEMENT]["leaks"]["riser"]["voxel"][0] < 0.05
    assert len(world.leaks[0].places_m) > 5


def test_a_long_jet_takes_coarser_voxels_and_says_so(leaking: Scenario, building: Building) -> None:
    (leak,) = leaking.leaks
    huge = dataclasses.replace(leaking, leaks=(dataclasses.replace(leak, diameter_m=0.2),))
    record = World(GeneratorParams(field_resolution_m=0.05), huge, building).constants[ELEMENT]
    assert record["leaks"]["riser"]["voxel"][0] > 0.05


def test_every_number_of_the_model_that_is_read_is_logged(
    leaking: Scenario, building: Building, scene_at: SceneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Spy(PlumeModel())
    monkeypatch.setattr(steam_leaks, "PlumeModel", lambda: model)
    made = World(PARAMS, leaking, building)
    assert at(made, scene_at(60.0))[0].fields
    assert model.read
    assert model.read <= set(made.constants["steam"]["leaks"]["riser"])


WEST_WIND = Wind(9.0, 270.0)


@settings(max_examples=25)
@given(
    st.tuples(st.integers(-60, 60), st.integers(-60, 60), st.integers(-30, 30)),
    st.sampled_from([(1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, -0.8)]),
    st.sampled_from([0.004, 0.03]),
    st.floats(0.1, 25.0),
    st.floats(0.0, 360.0),
)
def test_in_any_wind_no_voxel_and_no_pixel_leaves_what_is_open_for_the_leak(
    leaking: Scenario,
    building: Building,
    scene_from: SceneMaker,
    tenths: tuple[int, int, int],
    direction: tuple[float, float, float],
    diameter_m: float,
    speed_mps: float,
    from_deg: float,
) -> None:
    (leak,) = leaking.leaks
    place = (0.1 * tenths[0], 0.1 * tenths[1], 0.1 * tenths[2] + 3.0)
    moved = dataclasses.replace(leak, position_m=place, direction=direction, diameter_m=diameter_m)
    scenario = dataclasses.replace(leaking, leaks=(moved,), wind=Wind(speed_mps, from_deg))
    scene = scene_from((1.0, -20.0, 20.0), (0.0, 0.0, 4.0), building, scenario)
    state, gate = at(World(PARAMS, scenario, building), scene)
    boxes = boxes_of(gate)
    for field in state.fields:
        assert stands_in(field, boxes)
    assert scene.camera is not None
    for band in Band:
        overlay = Renderer(PARAMS).draw(state, gate, scene, band)
        shown = overlay.rgba[..., 3] > 0
        assert meets(scene.camera, boxes, np.argwhere(shown)[:, ::-1].astype(np.float64)).all()
        assert not (shown & ~pixel_mask(gate, scene.camera)).any()
        assert audit_overlay(overlay, gate, scene, 10**6).pixels_outside == 0


def test_wind_carries_a_jet_downwind(leaking: Scenario, building: Building, scene_from: SceneMaker) -> None:
    (leak,) = leaking.leaks
    upright = dataclasses.replace(leak, direction=(0.0, 0.0, 1.0))
    middles = []
    for wind in (None, WEST_WIND, dataclasses.replace(WEST_WIND, from_deg=90.0)):
        scenario = dataclasses.replace(leaking, wind=wind, leaks=(upright,))
        scene = scene_from((1.0, -20.0, 20.0), (0.0, 0.0, 4.0), building, scenario)
        state, gate = at(World(PARAMS, scenario, building), scene)
        (jet,) = state.fields
        weights = jet.extinction_visible_per_m.numpy().sum(axis=(0, 1))
        east = jet.origin_m[0] + (np.arange(len(weights)) + 0.5) * jet.resolution_m
        middles.append(float((weights * east).sum() / weights.sum()))
        (hazard,) = state.hazards
        assert abs(hazard.position_m[0] - middles[-1]) < hazard.radius_m
        assert ("bent by the wind" in gate.steam[0].why) == (wind is not None)
    calm, east, west = middles
    assert calm == pytest.approx(-2.0, abs=0.1)
    assert west < calm - 0.3
    assert east > calm + 0.3


def test_in_wind_every_number_is_logged_and_in_calm_nothing_of_it(
    leaking: Scenario, building: Building
) -> None:
    calm = World(PARAMS, leaking, building).constants[ELEMENT]
    assert "wind" not in calm
    assert not {"line", "in_wind"} & calm["leaks"]["riser"].keys()
    spy = Spy(WEST_WIND)
    blown = World(PARAMS, dataclasses.replace(leaking, wind=spy), building).constants[ELEMENT]
    assert spy.read
    assert spy.read <= blown["wind"]["wind"].keys()
    assert {item.name for item in dataclasses.fields(Wind)} == blown["wind"]["wind"].keys()
    logged = {entry[0] for name, entry in blown["wind"].items() if name != "wind"}
    for name in dir(jet_in_wind):
        value = getattr(jet_in_wind, name)
        if name.isupper() and not name.startswith("_") and isinstance(value, float):
            assert value in logged, name
    jet = blown["leaks"]["riser"]
    assert jet["in_wind"][0] is True
    rows = np.array(jet["line"][0])
    assert rows[0, :3] == pytest.approx((-2.0, 1.0, 3.2))
    assert rows[-1, 0] > -1.0
    assert blown["leaks"]["riser"]["leak"] == calm["leaks"]["riser"]["leak"]


@pytest.mark.parametrize(
    ("wind", "walls", "why"),
    [
        (dataclasses.replace(WEST_WIND, sheltered=("riser",)), (), "the scenario says"),
        (WEST_WIND, (-4.0,), "in the lee of a surface"),
        (WEST_WIND, (-40.0,), ""),
    ],
)
def test_what_the_wind_does_not_reach_is_a_jet_of_still_air(
    leaking: Scenario, building: Building, wind: Wind, walls: tuple[float, ...], why: str
) -> None:
    def wall(x: float) -> Surface:
        corners = np.array([(x, -9.0, 0.0), (x, 9.0, 0.0), (x, 9.0, 12.0), (x, -9.0, 12.0)])
        return Surface("windbreak", "brick", "wall", corners, False)

    house = Building("house", (*building.surfaces, *map(wall, walls)))
    made = World(PARAMS, dataclasses.replace(leaking, wind=wind), house)
    calm = World(PARAMS, leaking, house)
    reached, _, said = made.constants[ELEMENT]["leaks"]["riser"]["in_wind"]
    assert reached == (not why)
    assert said.startswith(why)
    same = made.leaks[0].places_m.tobytes() == calm.leaks[0].places_m.tobytes()
    assert same == bool(why)


def test_jets_stand_as_the_building_of_the_scene_lets_the_wind_be(
    leaking: Scenario, building: Building, scene_from: SceneMaker
) -> None:
    """A building that comes with a later scene decides anew which leaks the wind reaches."""
    corners = np.array([(-4.0, -9.0, 0.0), (-4.0, 9.0, 0.0), (-4.0, 9.0, 12.0), (-4.0, -9.0, 12.0)])
    shield = Surface("windbreak", "brick", "wall", corners, False)
    lee = Building("house", (*building.surfaces, shield))
    scenario = dataclasses.replace(leaking, wind=WEST_WIND)
    world = World(PARAMS, scenario, building)
    assert world.leaks_on(building)[0].axis is not None
    assert world.leaks_on(lee)[0].axis is None
    assert world.leaks_on(building) is world.leaks
    scene = scene_from((1.0, -20.0, 20.0), (0.0, 0.0, 4.0), lee, scenario)
    gate = open_gate(scene, PARAMS, world.leaks_on(lee))
    state = world.at(scene.stamp_ns, scene, gate)
    assert state.parameters[ELEMENT]["leaks"]["riser"]["in_wind"][0] is False
