# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import Cause, Grid, LeakCause, Overlay
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import load_building
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.cell_fuel import JOINT_M
from vidgen_nodes.scene.compose import compose_scene
from vidgen_nodes.scene.flame import PLUME_CLEARANCE_M, flame_region
from vidgen_nodes.scene.gate import DEBRIS_CLEARANCE_M, audit_overlay, open_gate, pixel_mask
from vidgen_nodes.scene.leak_reach import LeakReach

GRID = Grid(-4.0, -4.0, 0.5, 16, 16)
PARAMS = GeneratorParams()
LENSES = [
    ("plumb_bob", ()),
    ("plumb_bob", (-0.28, 0.07, 1e-3, -5e-4, 0.0)),
    ("rational_polynomial", (0.2, -0.1, 1e-4, 2e-4, 0.01, 0.3, -0.05, 0.01)),
    ("equidistant", (0.02, -0.01, 0.003, -0.0005)),
]


@pytest.fixture(scope="module")
def scene_of(make):
    def build(umap, building=None, scenario=None, causes=(), lens=LENSES[0], pose=None, stamp_ns=make.NOW_NS):
        pose = pose or make.look_at((0.0, -9.0, 8.0), (0.0, 0.0, 0.0))
        calibration = make.calibration(80, 64, 70.0, *lens)
        bundle = make.bundle(umap, pose, calibration, causes, stamp_ns=stamp_ns)
        return compose_scene(bundle, building, scenario or make.scenario())

    return build


def one_cell(value, background, cell=(5, 6), dtype=float):
    layer = np.full(GRID.shape, background, dtype)
    layer[cell] = value
    return layer


def cells(mask):
    return {(int(row), int(col)) for row, col in np.argwhere(mask)}


def test_confirmed_uncertain_cell_opens_for_debris(make, scene_of):
    umap = make.uncertainty_map(GRID, uncertainty=one_cell(0.83, 0.2), elevation_m=one_cell(3.0, 0.0))
    gate = open_gate(scene_of(umap), PARAMS)
    assert cells(gate.debris_cells) == {(5, 6)}
    assert not gate.flame_cells.any()
    assert gate.floor_m[5, 6] == 3.0
    assert gate.ceiling_m[5, 6] == pytest.approx(3.0 + DEBRIS_CLEARANCE_M)
    assert np.isnan(gate.floor_m).sum() == np.isnan(gate.ceiling_m).sum() == 255
    assert gate.cells_open == 1
    assert dict(gate.permits) == {(5, 6): "debris: cell (5,6) U=0.83 n=10 over no modelled element"}


@pytest.mark.parametrize(
    "layers",
    [
        {"uncertainty": one_cell(0.49, 0.0)},
        {"uncertainty": one_cell(np.nan, 0.0)},
        {"observations": np.full(GRID.shape, 4)},
        {"elevation_m": np.full(GRID.shape, np.nan)},
        {"observed_ns": np.zeros(GRID.shape)},
        {"observed_ns": np.full(GRID.shape, 1_000_000_000_000 - 3_000_000_001)},
        {"observed_ns": np.full(GRID.shape, 1_000_000_000_001)},
    ],
    ids=["below tau", "NaN", "too few", "no elevation", "never", "not fresh", "future"],
)
def test_cell_that_misses_one_condition_stays_closed(make, scene_of, layers):
    umap = make.uncertainty_map(GRID, **{"uncertainty": one_cell(0.9, 0.0), **layers})
    assert open_gate(scene_of(umap), PARAMS).cells_open == 0


def test_limits_of_the_debris_rule_count_as_met(make, scene_of):
    umap = make.uncertainty_map(
        GRID,
        uncertainty=one_cell(0.5, 0.0),
        observations=np.full(GRID.shape, 5),
        observed_ns=np.full(GRID.shape, make.NOW_NS - 3 * make.SECOND_NS),
    )
    assert open_gate(scene_of(umap), PARAMS).cells_open == 1


def test_flame_opens_on_the_path_and_says_so(make, scene_of):
    building = make.building(make.wall("wall_east", 0.1, 0.2, 1.9, 0.2, low=0.5, high=3.0))
    scene = scene_of(
        make.uncertainty_map(GRID), building, make.scenario(make.ignition("east_foot", 0.6, 0.2, 0.5))
    )
    gate = open_gate(scene, replace(PARAMS, flame_standoff_m=0.0))
    assert cells(gate.flame_cells) == {(8, col) for col in range(8, 12)}
    assert not gate.debris_cells.any()
    assert set(gate.floor_m[gate.flame_cells]) == {0.5}
    assert set(gate.ceiling_m[gate.flame_cells]) == {3.0 + PLUME_CLEARANCE_M}
    assert gate.permits[8, 9].startswith("flame: cell (8,9) on wall_east, path from ignition east_foot")
    with pytest.raises(KeyError):
        gate.permits[0, 0]


def test_standoff_cell_names_the_wall_it_stands_off(make, scene_of):
    building = make.building(make.wall("wall_east", 0.1, 0.2, 1.9, 0.2))
    scene = scene_of(
        make.uncertainty_map(GRID), building, make.scenario(make.ignition("east_foot", 0.6, 0.2))
    )
    gate = open_gate(scene, PARAMS)
    assert len(cells(gate.flame_cells)) == 18
    assert "at most 0.75 m off wall_east, path from ignition east_foot" in gate.permits[7, 9]
    assert list(gate.permits) == sorted(cells(gate.flame_cells))


def test_cell_of_both_rules_is_one_column_and_says_both(make, scene_of):
    building = make.building(make.wall("w", 0.1, 0.2, 1.9, 0.2, low=1.0))
    umap = make.uncertainty_map(GRID, uncertainty=one_cell(0.9, 0.0, (8, 9)))
    gate = open_gate(scene_of(umap, building, make.scenario(make.ignition("i", 0.6, 0.2, 1.0))), PARAMS)
    assert gate.floor_m[8, 9] == 0.0
    assert gate.ceiling_m[8, 9] == 3.0 + PLUME_CLEARANCE_M
    assert "flame:" in gate.permits[8, 9]
    assert "debris:" in gate.permits[8, 9]
    assert gate.cells_open == 18


def test_stray_ignition_is_named_and_does_not_close_the_rest(make, scene_of):
    building = make.building(make.wall("w", 0.1, 0.2, 1.9, 0.2))
    scenario = make.scenario(make.ignition("good", 0.6, 0.2), make.ignition("stray", -3.0, -3.0))
    gate = open_gate(scene_of(make.uncertainty_map(GRID), building, scenario), PARAMS)
    assert gate.flame_cells.any()
    assert len(gate.reasons) == 1
    assert "ignition stray" in gate.reasons[0]


@pytest.mark.parametrize(
    ("place_m", "said"),
    [
        ((300.0, 0.0, 0.0), "it lies off the LiDAR's map"),
        ((0.6, 0.2, 30.0), "what burns there (w) reaches from 0.00 to 3.00 m"),
        ((0.6, -3.0, 0.0), "there stands bare: "),
        ((-3.0, 3.0, 0.0), "nothing of the building stands there"),
    ],
    ids=["off the map", "in the air", "at a wall that nobody knows", "in the yard"],
)
def test_an_ignition_that_opens_nothing_is_told_what_is_there(make, scene_of, place_m, said):
    bare = replace(make.wall("bare", 0.1, -3.0, 1.9, -3.0), material="unknown", combustible=None)
    building = make.building(make.wall("w", 0.1, 0.2, 1.9, 0.2), bare)
    scenario = make.scenario(make.ignition("i", *place_m))
    gate = open_gate(scene_of(make.uncertainty_map(GRID), building, scenario), PARAMS)
    (why,) = gate.reasons
    assert f"it opens nothing; {said}" in why
    assert ("unknown" in why) == (said.startswith("there stands"))


def test_no_building_means_no_flame_and_says_so(make, scene_of):
    umap = make.uncertainty_map(GRID, uncertainty=one_cell(0.9, 0.0))
    gate = open_gate(scene_of(umap, None, make.scenario(make.ignition("i", 0.6, 0.2))), PARAMS)
    assert not gate.flame_cells.any()
    assert gate.cells_open == 1
    assert gate.reasons[0].startswith("no_building")


@pytest.mark.parametrize("cause", list(Cause))
def test_any_cause_closes_the_gate(make, scene_of, cause):
    building = make.building(make.wall("w", 0.1, 0.2, 1.9, 0.2))
    umap = make.uncertainty_map(GRID, uncertainty=0.9)
    scenario = make.scenario(make.ignition("i", 0.6, 0.2))
    assert open_gate(scene_of(umap, building, scenario), PARAMS).cells_open == 256
    gate = open_gate(scene_of(umap, building, scenario, (cause,)), PARAMS)
    assert gate.cells_open == 0
    assert gate.reasons == (cause.value,)
    assert not (gate.flame_cells | gate.debris_cells).any()


def test_no_map_closes_the_gate_whatever_the_causes_say(make, scene_of):
    scene = replace(scene_of(make.uncertainty_map(GRID)), uncertainty_map=None)
    gate = open_gate(scene, PARAMS)
    assert (gate.grid, gate.cells_open, gate.reasons) == (None, 0, ("no_map",))
    assert not pixel_mask(gate, scene.camera).any()
    assert open_gate(replace(scene_of(make.uncertainty_map(GRID)), scenario=None), PARAMS).reasons == (
        "no_scenario",
    )


def test_digest_binds_cells_extents_and_grid(make, scene_of):
    def digest(grid=GRID, **layers):
        return open_gate(scene_of(make.uncertainty_map(grid, **layers)), PARAMS).digest

    first = digest(uncertainty=one_cell(0.9, 0.0))
    assert digest(uncertainty=one_cell(0.7, 0.1)) == first  # the same cells, the same columns
    assert digest(uncertainty=one_cell(0.9, 0.0, (5, 7))) != first
    assert digest(uncertainty=one_cell(0.9, 0.0), elevation_m=0.01) != first
    assert digest(replace(GRID, origin_east_m=-3.5), uncertainty=one_cell(0.9, 0.0)) != first
    assert len(first) == 32


def test_gate_is_a_function_of_the_stamp_in_whatever_order_frames_come(make, scene_of):
    seen_ns = make.NOW_NS - np.arange(256).reshape(GRID.shape) * 20_000_000
    umap = make.uncertainty_map(GRID, uncertainty=0.9, observed_ns=seen_ns)
    stamps = [
        make.NOW_NS + int(offset * 1e6) for offset in np.random.default_rng(4).uniform(-3000, 5000, 200)
    ]
    stamps += [int(seen_ns[3, 3]) + 3 * make.SECOND_NS + off for off in (-1, 0, 1)]
    scenario = make.scenario()
    for stamp_ns in stamps:
        gate = open_gate(scene_of(umap, None, scenario, stamp_ns=stamp_ns), PARAMS)
        age_ns = stamp_ns - seen_ns
        assert np.array_equal(gate.debris_cells, (age_ns >= 0) & (age_ns <= 3 * make.SECOND_NS))


def test_equal_scene_opens_the_same_gate_again(make, scene_of):
    umap = make.uncertainty_map(GRID, uncertainty=one_cell(0.9, 0.0))
    scenario = make.scenario()
    first = open_gate(scene_of(umap, None, scenario), PARAMS)
    assert open_gate(scene_of(umap, None, scenario, stamp_ns=make.NOW_NS + 20_000_000), PARAMS) is first
    assert open_gate(scene_of(umap, None, scenario), replace(PARAMS, tau_uncertainty=0.95)).cells_open == 0
    copy = make.uncertainty_map(GRID, uncertainty=one_cell(0.9, 0.0, (1, 1)))  # same digest, other content
    assert cells(open_gate(scene_of(copy, None, scenario), PARAMS).debris_cells) == {(1, 1)}


# Properties over random maps, buildings, scenarios and cameras.


def random_case(make, seed, lens=LENSES[0]):
    rng = np.random.default_rng(seed)
    grid = Grid(
        float(rng.uniform(-6, -3)), float(rng.uniform(-6, -3)), float(rng.choice([0.4, 0.5, 1.0])), 14, 17
    )
    known = [True, True, False, None]
    surfaces, ignitions = [], []
    for index in range(rng.integers(1, 7)):
        x, y = rng.uniform(-4, 3, 2)
        kind = rng.random()
        if kind < 0.25:  # a slanted piece of a model: triangles that share a corner
            corners = rng.uniform((-4, -4, 0), (4, 4, 5), (4, 3))
            surfaces.append(make.mesh(f"s{index}", corners, [[0, 1, 2], [0, 2, 3]], known[rng.integers(4)]))
        elif kind < 0.75:
            angle, length = rng.choice([0, np.pi / 2, rng.uniform(0, 6.3)]), rng.uniform(0.5, 5)
            end = (x + length * np.cos(angle), y + length * np.sin(angle))
            low = rng.uniform(0, 2)
            surfaces.append(make.wall(f"s{index}", x, y, *end, known[rng.integers(4)], low, low + 2))
        else:
            dx, dy, low = *rng.uniform(0.5, 3, 2), rng.uniform(0, 4)
            surfaces.append(make.plate(f"s{index}", x, y, x + dx, y + dy, low, known[rng.integers(4)]))
        if rng.random() < 0.6:
            weight = rng.dirichlet(np.ones(4))
            ignitions.append(make.ignition(f"on{index}", *(weight @ surfaces[-1].corners_m)))
    ignitions.append(make.ignition("free", *rng.uniform((-6, -6, 0), (6, 6, 4))))
    shape = grid.shape
    umap = make.uncertainty_map(
        grid,
        uncertainty=np.where(rng.random(shape) < 0.1, np.nan, rng.random(shape) ** 2),
        observations=rng.integers(0, 12, shape),
        observed_ns=np.where(rng.random(shape) < 0.1, 0, make.NOW_NS - rng.integers(0, 5 * 10**9, shape)),
        elevation_m=np.where(rng.random(shape) < 0.1, np.nan, rng.choice([0, rng.uniform(0, 5)], shape)),
    )
    target = rng.uniform((-3, -3, 0), (3, 3, 3))
    pose = make.look_at(rng.uniform((-12, -12, 0.5), (12, 12, 20)), target)
    params = replace(
        PARAMS,
        tau_uncertainty=float(rng.uniform(0, 1)),
        min_observations=int(rng.integers(1, 8)),
        flame_standoff_m=float(rng.choice([0.0, 0.75, 1.5])),
    )
    return umap, make.building(*surfaces), make.scenario(*ignitions), pose, params


def reachable(fuel, grid, scenario):
    """Cells with fuel joined to an ignition, by walking from span to span of heights."""
    size, half = grid.resolution_m, grid.resolution_m / 2
    spans = {}
    for low, high in zip(*fuel.spans_m, strict=True):
        for cell in cells(np.isfinite(low)):
            spans.setdefault(cell, []).append((float(low[cell]), float(high[cell])))
    todo = []
    for (row, col), found in spans.items():
        west, south = grid.origin_east_m + col * size, grid.origin_north_m + row * size
        for item in scenario.ignitions:
            x, y, z = item.position_m
            away = np.hypot(x - np.clip(x, west, west + size), y - np.clip(y, south, south + size))
            todo += [
                (row, col, low, high)
                for low, high in found
                if away <= half + 1e-9 and low - half - 1e-6 <= z <= high + half + 1e-6
            ]
    reached = set()
    while todo:
        row, col, low, high = span = todo.pop()
        if span in reached:
            continue
        reached.add(span)
        for near in [(row + i, col + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
            todo += [
                (*near, bottom, top)
                for bottom, top in spans.get(near, [])
                if bottom <= high + JOINT_M and low <= top + JOINT_M
            ]
    return {span[:2] for span in reached}


SEEDS = st.integers(0, 10**9)
THOROUGH = settings(max_examples=100)


@THOROUGH
@given(seed=SEEDS)
def test_every_debris_cell_satisfies_the_rule_and_no_other_does(make, scene_of, seed):
    umap, building, scenario, pose, params = random_case(make, seed)
    gate = open_gate(scene_of(umap, building, scenario, pose=pose), params)
    for cell in np.ndindex(umap.grid.shape):
        age_ns = make.NOW_NS - int(umap.observed_ns[cell])
        allowed = (
            umap.uncertainty[cell] >= np.float32(params.tau_uncertainty)
            and umap.observations[cell] >= params.min_observations
            and umap.observed_ns[cell] > 0
            and 0 <= age_ns <= params.cell_fresh_ms * 1e6
            and np.isfinite(umap.elevation_m[cell])
        )
        assert bool(gate.debris_cells[cell]) == bool(allowed)
        if allowed:
            assert gate.floor_m[cell] <= umap.elevation_m[cell] < gate.ceiling_m[cell]


@THOROUGH
@given(seed=SEEDS)
def test_every_flame_cell_hangs_on_a_combustible_path_from_an_ignition(make, scene_of, seed):
    umap, building, scenario, pose, params = random_case(make, seed)
    gate = open_gate(scene_of(umap, building, scenario, pose=pose), params)
    grid = umap.grid
    path = reachable(building.combustible_cells(grid), grid, scenario)
    expected = {
        (row, col)
        for row in range(grid.rows)
        for col in range(grid.cols)
        if any(
            np.hypot(row - r, col - c) * grid.resolution_m <= params.flame_standoff_m + 1e-9 for r, c in path
        )
    }
    assert cells(gate.flame_cells) == expected
    assert set(gate.permits) == cells(gate.flame_cells | gate.debris_cells)
    assert all("flame" in gate.permits[cell] for cell in expected)
    assert np.array_equal(np.isfinite(gate.floor_m), gate.flame_cells | gate.debris_cells)
    assert (gate.floor_m < gate.ceiling_m)[gate.open_cells].all()


@THOROUGH
@given(seed=SEEDS)
def test_without_known_fuel_no_flame_opens(make, scene_of, seed):
    umap, building, scenario, pose, params = random_case(make, seed)
    damp = [
        replace(item, combustible=None if item.combustible else item.combustible)
        for item in building.surfaces
    ]
    gate = open_gate(scene_of(umap, make.building(*damp), scenario, pose=pose), params)
    assert not gate.flame_cells.any()
    if params.flame_standoff_m == 0.0:
        fuel = building.combustible_cells(umap.grid)
        flame = open_gate(scene_of(umap, building, scenario, pose=pose), params).flame_cells
        assert not (flame & ~fuel.combustible).any()


@THOROUGH
@given(seed=SEEDS, cause=st.sampled_from(list(Cause)))
def test_any_doubt_closes_any_gate(make, scene_of, seed, cause):
    umap, building, scenario, pose, params = random_case(make, seed)
    scene = scene_of(umap, building, scenario, (cause,), pose=pose)
    gate = open_gate(scene, params)
    assert (gate.cells_open, len(gate.permits), len(gate.boxes_m)) == (0, 0, 0)
    assert not pixel_mask(gate, Camera(scene.calibration, pose)).any()


def assert_not_grown(before, after):
    assert not (after.cells & ~before.cells).any()
    assert (after.floor_m >= before.floor_m)[after.cells].all()
    assert (after.ceiling_m <= before.ceiling_m)[after.cells].all()


@THOROUGH
@given(seed=SEEDS)
def test_turning_a_cell_unknown_can_only_shrink_the_flame_region(make, seed):
    umap, building, scenario, _, params = random_case(make, seed)
    fuel, grid = building.combustible_cells(umap.grid), umap.grid
    before = flame_region(fuel, grid, scenario.ignitions, params.flame_standoff_m)
    rng = np.random.default_rng(seed + 1)
    for cell in list(rng.permutation(sorted(cells(fuel.combustible))))[:5]:
        cell = tuple(cell)
        layers = {"combustible": False, "unknown": True, "lowest_m": np.nan, "highest_m": np.nan}
        layers |= {"span_low_m": np.nan, "span_high_m": np.nan}
        changed = {name: np.array(getattr(fuel, name)) for name in layers}
        for name, value in layers.items():
            changed[name][(..., *cell)] = value
        less = replace(fuel, **changed)
        assert_not_grown(before, flame_region(less, grid, scenario.ignitions, params.flame_standoff_m))


@THOROUGH
@given(seed=SEEDS)
def test_turning_a_surface_unknown_can_only_shrink_the_flame_region(make, seed):
    umap, building, scenario, _, params = random_case(make, seed)

    def region(item):
        fuel = item.combustible_cells(umap.grid)
        return flame_region(fuel, umap.grid, scenario.ignitions, params.flame_standoff_m)

    before = region(building)
    for index in range(len(building.surfaces)):
        surfaces = list(building.surfaces)
        surfaces[index] = replace(surfaces[index], combustible=None)
        assert_not_grown(before, region(make.building(*surfaces)))


@settings(max_examples=80)
@given(seed=SEEDS, lens=st.sampled_from(LENSES))
def test_no_pixel_of_the_mask_misses_the_open_columns(make, scene_of, seed, lens):
    umap, building, scenario, pose, params = random_case(make, seed)
    scene = scene_of(umap, building, scenario, lens=lens, pose=pose)
    gate = open_gate(scene, params)
    mask = pixel_mask(gate, scene.camera)
    assert mask.shape == (64, 80)
    rows, cols = np.indices(mask.shape).reshape(2, -1)
    rays = Camera(scene.calibration, pose).directions(np.column_stack((cols, rows)))
    met = np.zeros(len(rays), bool)
    centre, grid = np.asarray(pose.translation_m), umap.grid
    for row, col in cells(gate.open_cells):
        # Walk the ray through the cell: where it is over the cell, is it ever between floor and ceiling?
        enter, leave = np.zeros(len(rays)), np.full(len(rays), np.inf)
        sides = (
            (0, grid.origin_east_m + col * grid.resolution_m),
            (1, grid.origin_north_m + row * grid.resolution_m),
        )
        for axis, low in sides:
            with np.errstate(divide="ignore"):
                ends = np.sort(
                    (np.array([[low], [low + grid.resolution_m]]) - centre[axis]) / rays[:, axis], 0
                )
            enter, leave = np.maximum(enter, ends[0]), np.minimum(leave, ends[1])
        z = np.sort(centre[2] + np.stack((enter, np.minimum(leave, 1e6))) * rays[:, 2], axis=0)
        met |= (enter <= leave) & (z[1] >= gate.floor_m[row, col]) & (z[0] <= gate.ceiling_m[row, col])
    assert met[mask.ravel()].all()
    rgba = np.zeros((64, 80, 4), np.uint8)
    rgba[mask] = 200
    report = audit_overlay(Overlay(make.NOW_NS, "thermal", rgba, rgba[..., 3], None), gate, scene, 10**6)
    assert (report.pixels_drawn, report.pixels_outside) == (int(mask.sum()), 0)
    rgba[~mask] = 200
    report = audit_overlay(Overlay(make.NOW_NS, "thermal", rgba, rgba[..., 3], None), gate, scene, 10**6)
    assert report.pixels_drawn == mask.size
    assert report.pixels_outside == int((~met).sum())


def test_a_pitched_timber_roof_of_a_model_opens_its_cells_and_names_its_way(
    make, scene_of, ifc_site, tmp_path
):
    site = ifc_site("IFC4")
    roof = site.box("IfcRoof", "roof", (-3.9, -3.9, 1), (7, 7, 0.2), yaw=(1, 0, 0.5), up=(-0.5, 0, 1))
    site.give(site.material("Timber"), roof)
    site.write(tmp_path / "m.ifc")
    (tmp_path / "h.yaml").write_text("ifc: m.ifc\nmap_T_ifc: {translation_m: [0, 0, 0]}\n")
    building = load_building(tmp_path / "h.yaml")
    scenario = make.scenario(make.ignition("eaves", -3.2, -3.2, 1.35))
    scene = scene_of(make.uncertainty_map(GRID), building, scenario)
    gate = open_gate(scene, PARAMS)
    fuel = building.combustible_cells(GRID)
    assert fuel.highest_m[8, 10] > fuel.highest_m[8, 4] + 1.0
    assert gate.flame_cells[fuel.combustible].all()
    sentence = gate.permits[8, 8]
    assert f"P/S/B/L1/roof [{roof.GlobalId}]: Timber, burns by material 'Timber' is wood" in sentence
    mask = pixel_mask(gate, scene.camera)
    assert mask.any()
    rgba = np.zeros((*mask.shape, 4), np.uint8)
    rgba[mask] = 200
    report = audit_overlay(Overlay(make.NOW_NS, "thermal", rgba, rgba[..., 3], None), gate, scene, 10**6)
    assert (report.pixels_drawn, report.pixels_outside) == (int(mask.sum()), 0)


def test_a_model_that_nobody_placed_opens_nothing_and_says_what_to_do(make, scene_of):
    placed = make.building(make.wall("w", 0.1, 0.2, 1.9, 0.2))
    scenario = make.scenario(make.ignition("i", 0.6, 0.2))
    building = replace(placed, placed=False, placement="not placed in map: give map_T_ifc", digest=b"")
    gate = open_gate(scene_of(make.uncertainty_map(GRID), building, scenario), PARAMS)
    assert not gate.flame_cells.any()
    assert gate.reasons[-1].startswith("building_not_placed: not placed in map: give map_T_ifc")
    assert open_gate(scene_of(make.uncertainty_map(GRID), placed, scenario), PARAMS).flame_cells.any()


def test_debris_names_the_elements_it_lies_on(make, scene_of):
    building = make.building(make.plate("roof_main", -3, -3, 3, 3, 4.0))
    umap = make.uncertainty_map(GRID, uncertainty=one_cell(0.83, 0.2), elevation_m=4.0)
    gate = open_gate(scene_of(umap, building), PARAMS)
    assert gate.permits[5, 6] == "debris: cell (5,6) U=0.83 n=10 over roof_main: timber, does not burn"


# Steam: the rule itself is tested in test_leak_rule.py.


def pipe_at(mouth, name="pipe"):
    heights = mouth[2] + 0.2 * (np.arange(6) + 0.5)
    return LeakReach(name, mouth, (0.0, 0.0, 1.0), np.array([(*mouth[:2], z) for z in heights]), 0.2, 1.2)


def test_leaks_open_columns_of_their_own_and_change_nothing_of_fire_and_debris(make, scene_of):
    building = make.building(make.wall("w", 0.1, 0.2, 1.9, 0.2))
    umap = make.uncertainty_map(GRID, uncertainty=one_cell(0.9, 0.0))
    scene = scene_of(umap, building, make.scenario(make.ignition("i", 0.6, 0.2)))
    leaks = (
        pipe_at((0.6, 0.05, 0.2)),
        pipe_at((-1.9, -1.4, 0.2), "second"),
        pipe_at((-3.9, 3.9, 2.0), "high"),
    )
    without, gate = open_gate(scene, PARAMS), open_gate(scene, PARAMS, leaks)
    for layer in ("flame_cells", "debris_cells", "floor_m", "ceiling_m"):
        assert np.array_equal(getattr(gate, layer), getattr(without, layer), equal_nan=True)
    assert np.array_equal(gate.open_cells, without.open_cells)
    assert dict(gate.permits) == dict(without.permits)
    assert gate.digest != without.digest
    assert [(item.name, item.cause) for item in gate.steam] == [
        ("pipe", None),
        ("second", None),
        ("high", LeakCause.UNSUPPORTED),
    ]
    assert gate.leaks_closed == (LeakCause.UNSUPPORTED,)
    assert gate.cells_open == without.cells_open + 1  # the first stands where fire is open too
    assert [reason.partition(":")[0] for reason in gate.reasons] == ["leak_unsupported"]
    own = gate.columns_m[len(without.columns_m) :]
    assert np.allclose(own[0], (0.5, 0.0, 0.2, 1.0, 0.5, 1.4), atol=1e-6)
    assert np.array_equal(gate.boxes_m[-2:], own)


def test_any_cause_shuts_the_leaks_too_and_names_the_frames_cause_only(make, scene_of):
    leaks = (pipe_at((0.6, 0.05, 0.2)),)
    umap = make.uncertainty_map(GRID)
    for cause in Cause:
        gate = open_gate(scene_of(umap, causes=(cause,)), PARAMS, leaks)
        assert (gate.steam, gate.leaks_closed, gate.cells_open) == ((), (), 0)


def test_a_gate_with_leaks_is_a_function_of_the_stamp_in_whatever_order_frames_come(make, scene_of):
    seen_ns = np.full(GRID.shape, make.NOW_NS)
    seen_ns[:, 10:] -= 2 * make.SECOND_NS
    umap, scenario = make.uncertainty_map(GRID, observed_ns=seen_ns), make.scenario()
    leaks = (pipe_at((0.6, 0.05, 0.2)), pipe_at((1.6, 0.05, 0.2), "east"))
    for offset in np.random.default_rng(4).uniform(-100, 5000, 60):
        stamp_ns = make.NOW_NS + int(offset * 1e6)
        gate = open_gate(scene_of(umap, None, scenario, stamp_ns=stamp_ns), PARAMS, leaks)
        for item, age_ns in zip(
            gate.steam, (stamp_ns - make.NOW_NS, stamp_ns - make.NOW_NS + 2 * 10**9), strict=True
        ):
            fresh = 0 <= age_ns <= 3 * make.SECOND_NS
            assert item.cause is (None if fresh else LeakCause.UNOBSERVED if age_ns < 0 else LeakCause.STALE)


def test_the_same_gate_is_kept_for_the_same_leaks_and_not_for_others(make, scene_of):
    umap, scenario = make.uncertainty_map(GRID), make.scenario()
    leaks = (pipe_at((0.6, 0.05, 0.2)),)
    first = open_gate(scene_of(umap, None, scenario), PARAMS, leaks)
    assert open_gate(scene_of(umap, None, scenario, stamp_ns=make.NOW_NS + 1), PARAMS, leaks) is first
    others = (pipe_at((0.6, 0.05, 0.2)),)
    again = open_gate(scene_of(umap, None, scenario), PARAMS, others)
    assert again is not first
    assert again.digest == first.digest
    assert open_gate(scene_of(umap, None, scenario), PARAMS).steam == ()
