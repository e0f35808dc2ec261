# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Flames of burning surfaces lean with the wind along them, as other flames do; burning itself stays."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test.unit.generation.conftest import GRID, START_NS, make_bundle, make_map
from test.unit.generation.reading_spy import Spy
from vidgen_nodes.custody.ray_elements import Ray, met_areas
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.generation.sheet_model import SheetModel
from vidgen_nodes.generation.wind import lean as lean_module
from vidgen_nodes.generation.wind.areas import SheetShape, WindOnAreas
from vidgen_nodes.generation.wind.lean import Lean
from vidgen_nodes.generation.wind.sheet_lean import SheetLean, Sweep
from vidgen_nodes.packets import Scenario, Wind
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
ignitions:
  - {name: heap, position_m: [-1.0, -4.4, 0.0], start_s: 0.0, growth_kw_per_s2: 15.0, peak_kw: 400.0, diameter_m: 0.8,
     fuel: wood}
"""
WEST_WIND = Wind(6.0, 270.0)  # along the wall, towards the east
NORTH_WIND, SOUTH_WIND = Wind(6.0, 0.0), Wind(6.0, 180.0)
PARAMS = GeneratorParams()


def wall(name: str, low: float, high: float, material: str, burns: bool, north: float = -4.0) -> Surface:
    corners = np.array([[low, north, 0.0], [high, north, 0.0], [high, north, 6.0], [low, north, 6.0]])
    return Surface(name, material, "wall", corners, burns, material_id=material)


@pytest.fixture(scope="module")
def house() -> Building:
    """South wall at north = -4: timber from -4 to 0 east, brick from there to 4; 6 m high."""
    walls = (wall("timber wall", -4.0, 0.0, "wood", True), wall("brick wall", 0.0, 4.0, "masonry", False))
    return Building("half timbered", walls)


@pytest.fixture(scope="module")
def plan() -> Scenario:
    return parse_scenario(SPREADING, START_NS)


def blown(plan: Scenario, wind: Wind | None) -> Scenario:
    return dataclasses.replace(plan, wind=wind)


def seen(house: Building, scenario: Scenario, time_s: float) -> Scene:
    stamp_ns = START_NS + round(time_s * 1e9)
    flat = np.zeros(GRID.shape, np.float32)
    umap = dataclasses.replace(make_map(stamp_ns, damaged=False), elevation_m=flat)
    return compose_scene(make_bundle(stamp_ns, umap=umap), house, scenario)


def at(world: World, scene: Scene) -> WorldState:
    return world.at(scene.stamp_ns, scene, open_gate(scene, PARAMS))


def sheet_bytes(state: WorldState) -> bytes:
    field = state.fields[-1]
    layers = (field.emission_w_per_m3_sr, field.extinction_visible_per_m, field.temperature_k)
    return b"".join(np.ascontiguousarray(layer.numpy()).tobytes() for layer in layers)


def flame_middle(state: WorldState, low_m: float, high_m: float) -> float:
    """Mean place, east, of what glows between two heights."""
    field = state.fields[-1]
    glow = field.flame_absorption_per_m.numpy()
    up = field.origin_m[2] + (np.arange(len(glow)) + 0.5) * field.resolution_m
    east = field.origin_m[0] + (np.arange(glow.shape[2]) + 0.5) * field.resolution_m
    weights = glow[(up >= low_m) & (up < high_m)].sum(axis=(0, 1))
    return float((weights * east).sum() / weights.sum())


def test_flames_lean_along_the_wall_and_more_the_higher(plan: Scenario, house: Building) -> None:
    states = {}
    for name, wind in (
        ("calm", None),
        ("east", WEST_WIND),
        ("west", dataclasses.replace(WEST_WIND, from_deg=90.0)),
    ):
        scenario = blown(plan, wind)
        states[name] = at(World(PARAMS, scenario, house), seen(house, scenario, 9.0))
    for low_m, high_m, least_m in ((0.5, 1.0, 0.1), (1.5, 2.0, 0.3)):
        calm, east, west = (flame_middle(states[name], low_m, high_m) for name in ("calm", "east", "west"))
        assert west < calm - least_m
        assert east > calm + 0.5 * least_m  # the open columns end near the brick
    (rows,) = (states["west"].parameters["flame"]["areas"]["timber wall"]["flame_lean"][0],)
    ((towards_east, towards_north, lean_deg, reach_m),) = rows
    assert (towards_east, towards_north) == pytest.approx((-1.0, 0.0), abs=1e-12)
    assert 20.0 < lean_deg < 80.0
    assert reach_m > 1.0
    calm_top, leaning_top = (
        states[name].parameters["flame"]["areas"]["timber wall"]["flame_top"][0] for name in ("calm", "west")
    )
    assert leaning_top < calm_top


@pytest.mark.parametrize("wind", [NORTH_WIND, SOUTH_WIND])
def test_wind_square_to_the_wall_leaves_its_flames_as_in_still_air(
    plan: Scenario, house: Building, wind: Wind
) -> None:
    calm = at(World(PARAMS, plan, house), seen(house, plan, 8.0))
    scenario = blown(plan, wind)
    square = at(World(PARAMS, scenario, house), seen(house, scenario, 8.0))
    assert sheet_bytes(square) == sheet_bytes(calm)
    (side,) = square.parameters["spread"]["wind"]["sides"]["timber wall"].values()
    assert side["reached"][0] is False
    assert side["reached"][2] == "the wind stands square to it"


def test_what_burns_when_is_what_it_is_in_still_air(plan: Scenario, house: Building) -> None:
    records = []
    for wind in (None, WEST_WIND):
        scenario = blown(plan, wind)
        state = at(World(PARAMS, scenario, house), seen(house, scenario, 8.0))
        area = state.parameters["flame"]["areas"]["timber wall"]
        records.append((state.parameters["spread"]["cells"], area["heat_release"], area["burning_pieces"]))
    assert records[0] == records[1]


@settings(max_examples=12)
@given(st.floats(0.1, 30.0), st.floats(0.0, 360.0), st.sampled_from([4.0, 9.0, 30.0]))
def test_in_any_wind_no_pixel_and_no_voxel_is_outside_the_gate(
    plan: Scenario, house: Building, speed_mps: float, from_deg: float, time_s: float
) -> None:
    scenario = blown(plan, Wind(speed_mps, from_deg))
    scene = seen(house, scenario, time_s)
    gate = open_gate(scene, PARAMS)
    state = World(PARAMS, scenario, house).at(scene.stamp_ns, scene, gate)
    assert gate.grid is not None
    for field in state.fields:
        places = np.argwhere(field.extinction_visible_per_m.numpy() > 0.0)
        centres = np.array(field.origin_m) + (places[:, ::-1] + 0.5) * field.resolution_m
        rows = np.floor((centres[:, 1] - gate.grid.origin_north_m) / gate.grid.resolution_m).astype(int)
        cols = np.floor((centres[:, 0] - gate.grid.origin_east_m) / gate.grid.resolution_m).astype(int)
        assert gate.flame_cells[rows, cols].all()
        assert (centres[:, 2] <= gate.ceiling_m[rows, cols] + 0.5 * field.resolution_m).all()
    for band in Band:
        overlay = Renderer(PARAMS).draw(state, gate, scene, band)
        assert audit_overlay(overlay, gate, scene, 1_000_000).pixels_outside == 0


def test_every_number_of_the_wind_that_leans_surfaces_is_logged(plan: Scenario, house: Building) -> None:
    spy = Spy(WEST_WIND)
    scenario = blown(plan, spy)  # type: ignore[arg-type]
    state = at(World(PARAMS, scenario, house), seen(house, blown(plan, WEST_WIND), 8.0))
    wind = state.parameters["spread"]["wind"]
    assert spy.read
    assert spy.read <= wind["wind"].keys()
    (side,) = wind["sides"]["timber wall"].values()
    assert {item.name for item in dataclasses.fields(Lean)} == side.keys() - {"reached"}
    logged = [item[0] for name, item in wind.items() if name not in ("wind", "sides")]
    for name in dir(lean_module):
        value = getattr(lean_module, name)
        if name.isupper() and not name.startswith("_") and isinstance(value, float):
            assert value in logged, name
    (ref,) = [item for item in state.physics if item.element == "spread"]
    assert ref.parameters_sha256 == parameters_sha256(state.parameters["spread"])


def test_still_air_is_not_spoken_of(plan: Scenario, house: Building) -> None:
    state = at(World(PARAMS, plan, house), seen(house, plan, 8.0))
    assert "wind" not in state.parameters["spread"]
    assert "flame_lean" not in state.parameters["flame"]["areas"]["timber wall"]


@settings(max_examples=12)
@given(st.sampled_from([3.0, 12.0]), st.sampled_from([90.0, 235.0, 270.0, 300.0]), st.integers(0, 10**6))
def test_a_ray_through_a_leaning_flame_meets_the_surface_and_is_told_the_wind(
    plan: Scenario, house: Building, speed_mps: float, from_deg: float, pick: int
) -> None:
    scenario = blown(plan, Wind(speed_mps, from_deg))
    state = at(World(PARAMS, scenario, house), seen(house, scenario, 6.0))
    field = state.fields[-1]
    places = np.argwhere(field.extinction_visible_per_m.numpy() > 1e-3)
    place = np.array(field.origin_m) + (places[pick % len(places)][::-1] + 0.5) * field.resolution_m
    start = np.array([place[0] + 3.0, place[1] - 12.0, place[2] + 2.0])
    ray = Ray(start, (place - start) / np.linalg.norm(place - start))
    far_m = float(np.linalg.norm(place - start)) + 0.1
    flame, spread = state.parameters["flame"], state.parameters["spread"]
    (met,) = met_areas(ray, [(0.0, far_m)], flame, spread)
    assert met.name == "burning surface timber wall"
    assert "; the wind leans them by up to" in met.why


def test_hazards_cover_the_tips_that_lean(plan: Scenario, house: Building) -> None:
    scenario = blown(plan, dataclasses.replace(WEST_WIND, from_deg=90.0))
    state = at(World(PARAMS, scenario, house), seen(house, scenario, 6.0))
    field = state.fields[-1]
    places = np.argwhere(field.flame_absorption_per_m.numpy() > 0.2)
    centres = np.array(field.origin_m) + (places[:, ::-1] + 0.5) * field.resolution_m
    flame = next(item for item in state.hazards if item.identity == "flame/heap/timber wall")
    away = np.hypot(centres[:, 0] - flame.position_m[0], centres[:, 1] - flame.position_m[1])
    assert np.quantile(away, 0.99) <= flame.radius_m + 0.3


def shape(out: tuple[float, float] | None, length_m: float = 1.5) -> SheetShape:
    directions = None if out is None else np.array([out, out])
    return SheetShape(
        "cladding", np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]), directions, 0.4, length_m, 0.01, 0.3
    )


def made(wind: Wind, *walls: Surface) -> WindOnAreas:
    return WindOnAreas(wind, Building("yard", walls), 293.15)


@given(st.floats(0.0, 360.0), st.floats(0.0, 2.0 * math.pi))
def test_along_a_wall_blows_its_part_of_the_wind(from_deg: float, faces_rad: float) -> None:
    wind = Wind(8.0, from_deg)
    out = (math.cos(faces_rad), math.sin(faces_rad))
    blowing = np.array([-math.sin(math.radians(from_deg)), -math.cos(math.radians(from_deg))])
    part = abs(blowing @ np.array([-out[1], out[0]]))
    sides = made(wind).sides(shape(out))
    assert bool(sides) == (part >= 0.05)
    for side in sides:
        assert side.lean.speed_mps == pytest.approx(8.0 * part)
        assert side.lean.towards @ np.array(out) == pytest.approx(0.0, abs=1e-9)
        assert side.lean.towards @ blowing == pytest.approx(part)


def test_a_level_surface_has_the_whole_wind() -> None:
    (side,) = made(WEST_WIND).sides(shape(None))
    assert side.lean.speed_mps == 6.0
    assert side.lean.towards == pytest.approx((1.0, 0.0))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (wall("lee", -9.0, 9.0, "masonry", False, north=3.0), "in the lee of a surface 3.00 m upwind"),
        (
            Surface(
                "roof", "masonry", "roof", np.array([[-5, -5, 4], [5, -5, 4], [5, 5, 4], [-5, 5, 4.0]]), False
            ),
            "a surface is",
        ),
    ],
)
def test_what_stands_before_or_over_it_keeps_the_wind_off(other: Surface, why: str) -> None:
    areas = made(NORTH_WIND, other)
    assert areas.sides(shape(None)) == ()
    assert areas.record["sides"]["cladding"]["level"]["reached"][2].startswith(why)


def test_a_wall_downwind_stops_the_flame() -> None:
    (side,) = made(SOUTH_WIND, wall("stop", -9.0, 9.0, "masonry", False, north=3.0)).sides(shape(None))
    assert side.lean.most_m == pytest.approx(3.0)


def test_sides_that_face_other_ways_lean_apart() -> None:
    two = dataclasses.replace(shape((0.0, 1.0)), out=np.array([[0.0, 1.0], [1.0, 0.0]]))
    sides = made(Wind(8.0, 200.0)).sides(two)
    assert sorted(side.columns.tolist() for side in sides) == [[0], [1]]
    assert {tuple(np.round(np.abs(side.lean.towards), 6)) for side in sides} == {(1.0, 0.0), (0.0, 1.0)}


def sweep(seed: int, count: int) -> tuple[Sweep, dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(20 * 20, count, replace=False))
    flame = rng.random((4, count))
    layers = {"flame": flame, "rise_k": 900.0 * flame, "soot": 1e-4 * flame, "skin": np.zeros_like(flame)}
    rows, cols = 10 + chosen // 20, 10 + chosen % 20
    return Sweep((12, 40, 40), 0.1, rows, cols), layers, rows * 40 + cols


EVERY = np.ones(120, bool)


@given(st.integers(0, 10**6), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.integers(0, 8))
def test_moved_as_one_nothing_is_lost_and_nothing_gained(
    seed: int, north: float, east: float, up: int
) -> None:
    swept, layers, own = sweep(seed, 120)
    swept.add(layers, EVERY, (0.1 * up, north, east))
    moved, cells = swept.found()
    for name in ("flame", "rise_k", "soot"):
        whole = moved[name].sum(axis=1)
        assert whole[up : up + 4] == pytest.approx(layers[name].sum(axis=1), rel=1e-9)
        assert whole.sum() == pytest.approx(layers[name].sum(), rel=1e-9)
    weights, before = moved["flame"].sum(axis=0), layers["flame"].sum(axis=0)
    for value, now, then in ((10.0 * east, cells % 40, own % 40), (10.0 * north, cells // 40, own // 40)):
        assert (weights * now).sum() / weights.sum() == pytest.approx(
            (before * then).sum() / before.sum() + value, abs=1e-6
        )


@given(st.integers(0, 10**6), st.lists(st.tuples(*[st.floats(-5.0, 5.0)] * 3), max_size=6))
def test_of_all_that_comes_to_a_voxel_the_most_stays(
    seed: int, moves: list[tuple[float, float, float]]
) -> None:
    swept, layers, _ = sweep(seed, 120)
    for move in moves:
        swept.add(layers, EVERY, move)
    moved, _ = swept.found()
    for name in ("flame", "rise_k", "soot"):
        assert moved[name].max(initial=0.0) <= layers[name].max() + 1e-12
        assert moved[name].min(initial=0.0) >= 0.0


def test_moved_nowhere_it_stays_where_it_is_and_the_others_are_left_out() -> None:
    swept, layers, own = sweep(1, 120)
    swept.add(layers, np.arange(120) < 60, (0.0, 0.0, 0.0))
    moved, cells = swept.found()
    assert cells.tolist() == own[:60].tolist()
    assert moved["flame"][:4] == pytest.approx(layers["flame"][:, :60])
    assert not moved["flame"][4:].any()


@given(st.floats(0.1, 30.0), st.floats(0.3, 8.0), st.floats(0.25, 12.0), st.floats(50.0, 2000.0))
def test_a_flame_is_as_long_as_what_it_passes_makes_it(
    speed_mps: float, tall_m: float, wide_m: float, line: float
) -> None:
    """x_f = 0.067 Q'^(2/3) of the heat on its way; across a narrow strip that is less than the whole height's."""
    model = SheetModel()
    upright_m = float(model.flame_length * line ** (2.0 / 3.0))
    (side,) = made(Wind(speed_mps, 270.0)).sides(shape((0.0, -1.0), upright_m))
    lean = SheetLean((side,), 2, model, 14_500.0, upright_m, line * wide_m)
    lines, foot_m = np.full(2, line), np.zeros(2)
    length_m = np.full(2, max(upright_m, tall_m))
    (flame,) = lean.flames(
        line * wide_m, lines, foot_m, np.full(2, tall_m), length_m, np.full(2, 0.5 * wide_m)
    )
    assert flame.line_kw_per_m == pytest.approx((flame.length_m / model.flame_length) ** 1.5)
    assert flame.length_m <= length_m[0] + 1e-9
    assert flame.tip_m**2 + flame.tip_offset_m**2 == pytest.approx(flame.length_m**2, rel=1e-3)
    passed = wide_m / max(flame.tip_offset_m / flame.tip_m, 1e-9)
    if passed > 1.5 * tall_m:
        assert flame.length_m == pytest.approx(length_m[0])
    steps = list(lean.steps(0, flame, 0.1))
    assert steps[0].path_m == 0.0
    assert steps[0].moved_m[0] == (0.0, 0.0, 0.0)
    ups = [move[0] for step in steps for move in step.moved_m]
    assert np.diff(ups).max(initial=0.0) < 0.2  # no level is left out
    assert all(move[2] <= lean.reaches_m[0] + 1e-9 for step in steps for move in step.moved_m)
