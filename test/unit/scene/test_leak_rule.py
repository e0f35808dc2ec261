# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the jet of a leak may stand: every place that is opened is walked to in small steps, every cause is met."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import Grid, LeakCause
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.jet_axis import JetAxis
from vidgen_nodes.scene.leak_reach import STANDING_M, LeakReach
from vidgen_nodes.scene.leak_rule import EXPLAINED_M, NOISE_M, open_leak

GRID = Grid(-8.0, -8.0, 0.5, 32, 32)
PARAMS = GeneratorParams()
EDGE_M = 0.2


def reach_of(mouth, direction, length_m=4.0, slope=0.25, name="pipe"):
    """A cone of cubes, as a jet fills it."""
    way = np.array(direction, float) / np.linalg.norm(direction)
    ticks = EDGE_M * (np.arange(-25, 26) + 0.5)
    places = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    along = places @ way
    off = np.linalg.norm(places - along[:, None] * way, axis=1)
    inside = (along > 0.0) & (along <= length_m) & (off <= slope * along + EDGE_M)
    return LeakReach(name, tuple(mouth), tuple(way), places[inside] + mouth, EDGE_M, length_m)


def at_cell(layer_value, cell, background, dtype=float):
    layer = np.full(GRID.shape, background, dtype)
    layer[cell] = layer_value
    return layer


def opened(make, mouth, direction=(0, 0, 1), building=None, umap=None, **layers):
    umap = umap or make.uncertainty_map(GRID, **layers)
    reach = reach_of(mouth, direction)
    return reach, open_leak(reach, umap, building, PARAMS, make.NOW_NS)


def test_a_leak_at_the_ground_stands_on_what_was_measured(make):
    reach, found = opened(make, (0.1, 0.1, 0.3), (1, 0, 1))
    assert found.cause is None
    assert "stands 0.30 m off the measured surface under it at 0.00 m" in found.why
    assert found.share[reach.places_m[:, 2] > EDGE_M].min() == 1.0
    assert {(16, 16)} < set(zip(found.rows.tolist(), found.cols.tolist(), strict=True))
    assert (found.floor_m >= 0.0).all()
    assert found.ceiling_m.max() <= reach.places_m[:, 2].max() + EDGE_M


CELL = (16, 16)  # of the mouth at (0.1, 0.1)


@pytest.mark.parametrize(
    ("mouth", "layers", "cause"),
    [
        ((20.0, 0.0, 0.1), {}, LeakCause.OFF_MAP),
        ((0.1, 0.1, 0.1), {"observations": at_cell(4, CELL, 10)}, LeakCause.UNOBSERVED),
        ((0.1, 0.1, 0.1), {"observed_ns": at_cell(0, CELL, 999 * 10**9, np.int64)}, LeakCause.UNOBSERVED),
        ((0.1, 0.1, 0.1), {"observed_ns": at_cell(10**13, CELL, 999 * 10**9, np.int64)}, LeakCause.UNOBSERVED),
        ((0.1, 0.1, 0.1), {"elevation_m": at_cell(np.nan, CELL, 0.0)}, LeakCause.UNOBSERVED),
        ((0.1, 0.1, 0.1), {"uncertainty": at_cell(np.nan, CELL, 0.0)}, LeakCause.UNOBSERVED),
        ((0.1, 0.1, 0.1), {"observed_ns": at_cell(996 * 10**9, CELL, 999 * 10**9, np.int64)}, LeakCause.STALE),
        ((0.1, 0.1, 0.1), {"uncertainty": at_cell(0.5, CELL, 0.0)}, LeakCause.UNCERTAIN),
        ((0.1, 0.1, 0.1), {"elevation_m": at_cell(0.5, CELL, 0.0)}, LeakCause.COVERED),
        ((0.1, 0.1, -0.5), {}, LeakCause.COVERED),
        ((0.1, 0.1, 0.8), {}, LeakCause.UNSUPPORTED),
    ],
)  # fmt: skip
def test_what_is_not_known_at_a_mouth_shuts_it_and_is_named(make, mouth, layers, cause):
    reach, found = opened(make, mouth, **layers)
    assert found.cause is cause
    assert found.why.startswith(f"{cause.value}: leak pipe at (")
    assert (len(found.rows), found.share.any(), len(found.share)) == (0, False, len(reach.places_m))


def test_a_mouth_at_a_limit_of_what_is_known_counts_as_known(make):
    _, found = opened(
        make,
        (0.1, 0.1, STANDING_M),
        observations=5,
        observed_ns=make.NOW_NS - 3 * make.SECOND_NS,
        uncertainty=np.nextafter(np.float32(0.5), np.float32(0.0)),
    )
    assert found.cause is None


def test_a_measured_thing_beside_a_mouth_carries_it(make):
    """A tank that no model knows, a cell away."""
    tank = at_cell(3.0, (16, 17), 0.0)
    _, found = opened(make, (0.1, 0.1, 2.0), (-1, 0, 0.2), elevation_m=tank)
    assert found.cause is None
    assert "0.40 m off the measured surface in cell (16,17) at 3.00 m" in found.why
    _, alone = opened(make, (0.1, 0.1, 2.0), (-1, 0, 0.2))
    assert alone.cause is LeakCause.UNSUPPORTED


def test_before_a_measured_surface_a_jet_ends(make):
    wall = np.zeros(GRID.shape)
    wall[:, 20:] = 5.0  # from 2 m east on
    reach, found = opened(make, (0.1, 0.1, 0.4), (1, 0, 0.1), elevation_m=wall)
    shown = reach.places_m[found.share > 0.0]
    assert found.cols.max() == 19
    assert 1.5 < shown[:, 0].max() < 2.0
    _, free = opened(make, (0.1, 0.1, 0.4), (1, 0, 0.1))
    assert free.cols.max() > 22


def test_over_a_low_thing_a_jet_goes_on_and_leaves_its_shade(make):
    box = at_cell(1.0, (16, 18), 0.0)
    reach, found = opened(make, (0.1, 0.1, 0.4), (1, 0, 0.6), elevation_m=box)
    beyond = (found.share > 0.0) & (reach.places_m[:, 0] > 1.5) & (np.abs(reach.places_m[:, 1] - 0.1) < 0.2)
    assert beyond.any()
    # A line that clears the box where it begins: from 0.4 m up, 0.5 m high (less the noise) after 0.9 m.
    rise = (1.0 - NOISE_M - 0.4) / 0.9
    lowest = 0.4 + rise * (reach.places_m[beyond, 0] - 0.1)
    assert (reach.places_m[beyond, 2] + 0.5 * EDGE_M > lowest - 1e-6).all()


def test_a_wall_of_the_model_is_a_carrier_and_an_end(make):
    """A thin wall in the middle of cells that are measured as high as it is."""
    building = make.building(make.wall("wall_a", 0.2, -3.0, 0.2, 3.0, combustible=False, high=4.0))
    heights = np.zeros(GRID.shape)
    heights[10:22, 16] = 3.9
    mouth = (0.3, 0.1, 2.0)
    reach, away = opened(make, mouth, (1, 0, 0), building, elevation_m=heights)
    assert away.cause is None
    assert "stands 0.10 m off wall_a" in away.why
    assert (reach.places_m[away.share > 0.0, 0] > 0.2).all()
    assert 16 in away.cols.tolist()  # beside the wall, in its own cell
    reach, along = opened(make, mouth, (0, 1, 0), building, elevation_m=heights)
    before = reach.places_m[:, 1] < 3.0  # the wall's end
    assert (reach.places_m[(along.share > 0.0) & before, 0] > 0.2).all()
    assert (reach.places_m[(along.share > 0.0) & ~before, 0] < 0.2).any()
    reach, into = opened(make, mouth, (-1, 0, 0), building, elevation_m=heights)
    assert into.cause is LeakCause.BLOCKED or (reach.places_m[into.share > 0.0, 0] > 0.2).all()


def test_a_measured_height_that_the_model_does_not_explain_is_solid(make):
    building = make.building(make.wall("wall_a", 0.2, -3.0, 0.2, 3.0, combustible=False, high=4.0))
    for height, cause in ((4.0 + 0.9 * EXPLAINED_M, None), (4.0 + 1.1 * EXPLAINED_M, LeakCause.COVERED)):
        heights = np.zeros(GRID.shape)
        heights[10:22, 16] = height
        assert opened(make, (0.3, 0.1, 2.0), (1, 0, 0), building, elevation_m=heights)[1].cause is cause
    unplaced = replace(building, placed=False)
    heights[10:22, 16] = 4.0
    found = opened(make, (0.3, 0.1, 2.0), (1, 0, 0), unplaced, elevation_m=heights)[1]
    assert found.cause is LeakCause.COVERED


def house(make):
    """Walls 3 m high and a flat roof, 4 m wide, in the middle of cells."""
    corners = [(-2.2, -2.2), (2.2, -2.2), (2.2, 2.2), (-2.2, 2.2)]
    walls = [
        make.wall(f"wall_{i}", *a, *b, combustible=False)
        for i, (a, b) in enumerate(zip(corners, corners[1:] + corners[:1], strict=True))
    ]
    heights = np.zeros(GRID.shape)
    heights[11:21, 11:21] = 3.0  # every cell that a wall or the roof touches
    return make.building(*walls, make.plate("roof", -2.2, -2.2, 2.2, 2.2, 3.0)), heights


@pytest.mark.parametrize("mouth", [(0.1, 0.1, 1.5), (2.15, 0.1, 1.5), (-2.05, 2.1, 0.2)])
def test_under_a_roof_nothing_is_open_not_even_beside_the_wall(make, mouth):
    building, heights = house(make)
    for direction in ((1, 0, 0), (0, 0, 1), (-1, 1, 0.2)):
        found = opened(make, mouth, direction, building, elevation_m=heights)[1]
        assert found.cause is LeakCause.COVERED


def test_a_leak_outside_a_house_fills_nothing_inside_it(make):
    building, heights = house(make)
    for mouth, direction in (((2.3, 0.1, 1.0), (-0.2, 1, 0.1)), ((2.3, 0.1, 2.6), (-0.3, 0, 1))):
        reach, found = opened(make, mouth, direction, building, elevation_m=heights)
        assert found.cause is None
        places = reach.places_m[found.share > 0.0]
        inside = (np.abs(places[:, :2]) < 2.2).all(axis=1) & (places[:, 2] < 3.0)
        assert not inside.any()


def test_beside_a_wall_on_the_side_that_nobody_has_seen_it_is_not_observed(make):
    building, heights = house(make)
    mouth, direction = (2.3, 0.1, 1.0), (1, 0, 0.1)
    assert opened(make, mouth, direction, building, elevation_m=heights)[1].cause is None
    counts = np.full(GRID.shape, 10)
    counts[:, 21:] = 0  # all that lies east of the wall's own cells
    found = opened(make, mouth, direction, building, elevation_m=heights, observations=counts)[1]
    assert found.cause is LeakCause.UNOBSERVED
    inside = opened(make, (2.1, 0.1, 1.0), direction, building, elevation_m=heights, observations=counts)[1]
    assert inside.cause is LeakCause.COVERED


def random_site(make, rng):
    """A building with a wall or none, a map with holes, the walls, where one is, and how near it a mouth is."""
    heights = np.where(
        rng.random(GRID.shape) < 0.15, rng.uniform(0.0, 3.0, GRID.shape), rng.uniform(0, 0.1, GRID.shape)
    )
    x = float(rng.uniform(-3.0, 3.0))
    walls = []
    if rng.random() < 0.6:
        walls = [make.wall("wall", x, -4.0, x, 4.0, combustible=False, high=3.0)]
        heights[8:24, int((x + 8.0) / 0.5)] = 3.0
    building = make.building(*walls)
    umap = make.uncertainty_map(
        GRID,
        elevation_m=np.where(rng.random(GRID.shape) < 0.03, np.nan, heights),
        uncertainty=np.where(rng.random(GRID.shape) < 0.03, 0.9, 0.1),
        observations=np.where(rng.random(GRID.shape) < 0.03, 1, 20),
        observed_ns=make.NOW_NS - np.where(rng.random(GRID.shape) < 0.03, 4 * 10**9, 10**9),
    )
    near = rng.uniform(-0.6, 0.6) if walls else rng.uniform(-1.0, 1.0)
    return building, umap, walls, x, near


@settings(max_examples=50)
@given(st.integers(0, 10**9))
def test_every_open_place_is_reached_through_known_air(make, seed):
    """From the mouth to each open place: known cells only, above what was measured or the model explains, no wall."""
    rng = np.random.default_rng(seed)
    building, umap, walls, x, near = random_site(make, rng)
    mouth = (x + near, float(rng.uniform(-3.0, 3.0)), float(rng.uniform(0.0, 1.5)))
    way = rng.normal(size=3)
    reach = reach_of(mouth, way / np.linalg.norm(way))
    found = open_leak(reach, umap, building, PARAMS, make.NOW_NS)
    assert (found.cause is None) == bool(found.share.any())
    assert found.cause is None or not len(found.rows)
    columns = set(zip(found.rows.tolist(), found.cols.tolist(), strict=True))
    assert len(columns) == len(found.rows)
    tops = {int((x + 8.0) / 0.5)} if walls else set()
    for index in np.flatnonzero(found.share > 0.0):
        place = reach.places_m[index] + (0.0, 0.0, 0.5 * EDGE_M)  # of the cube, the top is open in any case
        cell = tuple(np.floor((place[[1, 0]] + 8.0) / 0.5).astype(int).tolist())
        assert cell in columns
        number = next(i for i, it in enumerate(zip(found.rows, found.cols, strict=True)) if it == cell)
        assert found.floor_m[number] <= place[2] <= found.ceiling_m[number] + 1e-4
        for share in np.linspace(0.0, 1.0, 60):
            at = reach.mouth_m + share * (place - reach.mouth_m)
            row, col = np.floor((at[[1, 0]] + 8.0) / 0.5).astype(int).tolist()
            assert umap.observations[row, col] >= 5
            assert umap.uncertainty[row, col] < 0.5
            assert make.NOW_NS - umap.observed_ns[row, col] <= 3 * 10**9
            height = umap.elevation_m[row, col]
            assert np.isfinite(height)
            explained = col in tops and 8 <= row < 24 and abs(height - 3.0) <= EXPLAINED_M
            # A line to the top of a cube that is open in part may cross what covers its lower part.
            assert explained or at[2] >= height - NOISE_M - EDGE_M or share == 0.0
        if (
            walls
            and abs(reach.places_m[index][1]) < 4.0
            and place[2] < 3.0
            and abs(mouth[1]) < 4.0
            and 0.0 <= mouth[2] < 3.0
        ):
            assert (reach.places_m[index][0] - x) * (mouth[0] - x) > -1e-9 or abs(near) < 0.03


@settings(max_examples=30)
@given(st.integers(0, 10**9))
def test_to_know_less_never_opens_more(make, seed):
    rng = np.random.default_rng(seed)
    heights = np.where(rng.random(GRID.shape) < 0.1, rng.uniform(0.0, 2.0, GRID.shape), 0.0)
    mouth = (float(rng.uniform(-3, 3)), float(rng.uniform(-3, 3)), float(rng.uniform(0.1, 0.4)))
    way = rng.normal(size=3)
    reach = reach_of(mouth, way / np.linalg.norm(way))
    known = make.uncertainty_map(GRID, elevation_m=heights)
    before = open_leak(reach, known, None, PARAMS, make.NOW_NS)
    for layer, value in (
        ("observations", 0),
        ("uncertainty", 0.7),
        ("observed_ns", 0),
        ("elevation_m", np.nan),
    ):
        less = getattr(known, layer).copy()
        less[rng.random(GRID.shape) < 0.1] = value
        after = open_leak(reach, replace(known, **{layer: less}), None, PARAMS, make.NOW_NS)
        assert (after.share <= before.share).all()


def test_it_is_the_same_in_a_window_that_moved_by_whole_cells(make):
    heights = np.random.default_rng(3).uniform(0.0, 0.3, GRID.shape)
    reach = reach_of((0.1, 0.1, 0.5), (1, 0.3, 0.2))
    whole = open_leak(reach, make.uncertainty_map(GRID, elevation_m=heights), None, PARAMS, make.NOW_NS)
    moved = Grid(-6.0, -7.0, 0.5, 28, 28)
    part = make.uncertainty_map(moved, elevation_m=heights[2:30, 4:32])
    found = open_leak(reach, part, None, PARAMS, make.NOW_NS)
    assert np.array_equal(found.share, whole.share)
    assert np.array_equal(found.rows + 2, whole.rows)
    assert np.array_equal(found.cols + 4, whole.cols)
    assert np.array_equal(found.floor_m, whole.floor_m)


@pytest.mark.parametrize("cell_m", [0.05, 0.13, 0.2, 0.5, 1.0])
def test_however_fine_the_map_no_cell_under_an_open_place_is_left_out(make, cell_m):
    count = int(12.0 / cell_m)
    grid = Grid(-6.0, -6.0, cell_m, count, count)
    reach = reach_of((0.1, 0.1, 0.4), (1, 0.4, 0.3))
    found = open_leak(reach, make.uncertainty_map(grid), None, PARAMS, make.NOW_NS)
    columns = set(zip(found.rows.tolist(), found.cols.tolist(), strict=True))
    whole = reach.places_m[found.share == 1.0]
    assert len(whole) > 100
    for share in (-0.49, -0.2, 0.1, 0.3, 0.49):
        at = np.floor((whole[:, :2] + share * EDGE_M + 6.0) / cell_m).astype(int)
        under = {(row, col) for col, row in at.tolist()}
        middles = {
            (row, col)
            for row, col in under
            if (
                np.abs(whole[:, :2] - (np.array([col, row]) + 0.5) * cell_m + 6.0).max(axis=1) < 0.5 * EDGE_M
            ).any()
        }
        assert middles <= columns


def test_a_fine_map_cuts_a_jet_where_a_coarse_one_does(make):
    wall = make.building(make.wall("wall", 2.03, -5.0, 2.03, 5.0, combustible=False))
    opened_m = []
    for cell_m in (0.1, 0.5):
        count = int(12.0 / cell_m)
        grid = Grid(-6.0, -6.0, cell_m, count, count)
        reach = reach_of((0.1, 0.1, 0.4), (1, 0, 0.2))
        found = open_leak(reach, make.uncertainty_map(grid), wall, PARAMS, make.NOW_NS)
        opened_m.append(float(found.share.sum()))
        assert (reach.places_m[found.share > 0.0, 0] < 2.03 + 0.5 * EDGE_M).all()
    assert opened_m[0] == pytest.approx(opened_m[1], rel=0.1)


def test_a_jet_without_a_place_is_too_small(make):
    reach = LeakReach("pipe", (0.1, 0.1, 0.2), (0.0, 0.0, 1.0), np.zeros((0, 3)), 0.1, 0.05)
    reach.prepare(None)
    found = open_leak(reach, make.uncertainty_map(GRID), None, PARAMS, make.NOW_NS)
    assert found.cause is LeakCause.TOO_SMALL


def bent_reach(mouth, direction, towards, length_m=4.0, slope=0.25, straight=False):
    """Cubes about a line that leaves along a direction and is bent more and more to another."""
    way, wind = np.array(direction, float), np.array(towards, float)
    way /= np.linalg.norm(way)
    along = np.linspace(0.0, length_m, 41)
    points = along[:, None] * way
    if not straight:
        turned = np.outer(1.0 - along / length_m, way) + np.outer(along / length_m, wind)
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        points = np.vstack((np.zeros(3), np.cumsum(np.diff(along)[:, None] * turned[:-1], axis=0)))
    axis = JetAxis(points + mouth, 0.01 + slope * along)
    ticks = EDGE_M * (np.arange(-25, 26) + 0.5)
    places = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3) + mouth
    station, away = axis.nearest(places)
    inside = (away <= axis.at(station, axis.radius_m)) & (axis.is_before(places) > 0.0)
    inside &= station < len(along) - 1.001
    return LeakReach("pipe", tuple(mouth), tuple(way), places[inside], EDGE_M, length_m, axis)


@settings(max_examples=40)
@given(st.integers(0, 10**9))
def test_every_open_place_of_a_bent_jet_is_reached_through_known_air(make, seed):
    """Along the way that steam takes: known cells only, above what was measured, no wall."""
    rng = np.random.default_rng(seed)
    building, umap, walls, x, near = random_site(make, rng)
    mouth = np.array((x + near, float(rng.uniform(-3.0, 3.0)), float(rng.uniform(0.0, 1.5))))
    turn = rng.uniform(0.0, 2.0 * np.pi)
    reach = bent_reach(mouth, rng.normal(size=3), (np.cos(turn), np.sin(turn), 0.1))
    found = open_leak(reach, umap, building, PARAMS, make.NOW_NS)
    assert (found.cause is None) == bool(found.share.any())
    columns = set(zip(found.rows.tolist(), found.cols.tolist(), strict=True))
    tops = {int((x + 8.0) / 0.5)} if walls else set()
    lifted = reach.ways_m + 0.5 * EDGE_M * reach.steps[..., None] * np.array([0.0, 0.0, 1.0])
    for index in np.flatnonzero(found.share > 0.0):
        way = lifted[index]
        assert tuple(np.floor((way[-1][[1, 0]] + 8.0) / 0.5).astype(int).tolist()) in columns
        for start, end in itertools.pairwise(way):
            for share in np.linspace(0.0, 1.0, 8)[1:]:
                at = start + share * (end - start)
                row, col = np.floor((at[[1, 0]] + 8.0) / 0.5).astype(int).tolist()
                assert umap.observations[row, col] >= 5
                assert umap.uncertainty[row, col] < 0.5
                assert make.NOW_NS - umap.observed_ns[row, col] <= 3 * 10**9
                height = umap.elevation_m[row, col]
                assert np.isfinite(height)
                explained = col in tops and 8 <= row < 24 and abs(height - 3.0) <= EXPLAINED_M
                at_mouth = (row, col) == tuple(np.floor((mouth[[1, 0]] + 8.0) / 0.5).astype(int).tolist())
                assert explained or at_mouth or at[2] >= height - NOISE_M - EDGE_M
            if walls and (start[0] - x) * (end[0] - x) < 0.0:
                crossing = start + (x - start[0]) / (end[0] - start[0]) * (end - start)
                assert abs(crossing[1]) > 4.0 - 0.01 or not -0.01 < crossing[2] < 2.99 or abs(near) < 0.03


@settings(max_examples=25)
@given(st.integers(0, 10**9))
def test_of_a_line_that_nothing_bends_the_rule_says_what_it_says_of_straight_jets(make, seed):
    rng = np.random.default_rng(seed)
    heights = np.where(
        rng.random(GRID.shape) < 0.15, rng.uniform(0.0, 3.0, GRID.shape), rng.uniform(0, 0.1, GRID.shape)
    )
    umap = make.uncertainty_map(
        GRID, elevation_m=heights, observations=np.where(rng.random(GRID.shape) < 0.03, 1, 20)
    )
    walls = [make.wall("wall", 2.0, -4.0, 2.0, 4.0, combustible=False, high=3.0)] * (rng.random() < 0.5)
    building = make.building(*walls)
    mouth = rng.uniform((-2.0, -2.0, 0.0), (1.5, 2.0, 1.5))
    bent = bent_reach(mouth, rng.normal(size=3), (1.0, 0.0, 0.0), straight=True)
    plain = LeakReach("pipe", tuple(mouth), tuple(bent.axis.points_m[1] - mouth), bent.places_m, EDGE_M, 4.0)
    one, other = (open_leak(item, umap, building, PARAMS, make.NOW_NS) for item in (bent, plain))
    assert one.cause == other.cause
    # Radii begin a little above nothing, so that ways near the mouth are not quite straight.
    assert np.mean(np.abs(one.share - other.share) > 0.02) < 0.02


def test_a_jet_that_is_bent_over_a_wall_stands_behind_it(make):
    """In a straight line the place behind the wall is hidden; the way over the wall is free."""
    walls = make.building(make.wall("wall", 1.6, -6.0, 1.6, 6.0, combustible=False, high=1.9))
    heights = np.zeros(GRID.shape)
    heights[:, 19] = 1.9
    umap = make.uncertainty_map(GRID, elevation_m=heights)
    mouth = np.array((0.1, 0.1, 0.3))
    bent = bent_reach(mouth, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    plain = LeakReach("pipe", tuple(mouth), (0.0, 0.0, 1.0), bent.places_m, EDGE_M, 4.0)
    over, hidden = (open_leak(item, umap, walls, PARAMS, make.NOW_NS) for item in (bent, plain))
    behind = (bent.places_m[:, 0] > 1.8) & (bent.places_m[:, 2] > 2.0)
    assert behind.sum() > 20
    assert over.share[behind].mean() > hidden.share[behind].mean() + 0.1
    assert "bent by the wind" in over.why
    high = np.zeros(GRID.shape)
    high[:, 19] = 5.0
    shut = open_leak(bent, make.uncertainty_map(GRID, elevation_m=high), None, PARAMS, make.NOW_NS)
    assert not shut.share[bent.places_m[:, 0] > 1.7].any()
