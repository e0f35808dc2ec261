# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the model of a building says of a leak: what carries it, what it sees, what hangs over it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.leak_reach import STANDING_M, LeakReach

EDGE_M = 0.2


def reach_at(mouth, places, direction=(1.0, 0.0, 0.0)):
    return LeakReach("pipe", mouth, direction, np.array(places, float), EDGE_M, 4.0)


def test_the_nearest_element_carries_and_is_named_with_its_evidence(make):
    pipe = make.box(
        "IfcFlowSegment steam main", (0.0, 0.2, 1.0), (3.0, 0.3, 1.1), None, kind="other", path="P/S/main"
    )
    building = make.building(make.wall("wall", -3.0, 0.4, 3.0, 0.4, combustible=False), pipe)
    told = reach_at((1.0, 0.1, 1.05), [(1.5, 0.1, 1.05)]).surroundings(building)
    assert told.carrier == "P/S/main: timber, unknown whether it burns"
    assert told.carrier_m == pytest.approx(0.1)
    beyond = reach_at((4.0, 0.1, 1.05), [(4.5, 0.1, 1.05)]).surroundings(building)
    assert (beyond.carrier, beyond.carrier_m) == ("", np.inf)


@pytest.mark.parametrize(("off_m", "carried"), [(STANDING_M - 1e-6, True), (STANDING_M + 1e-6, False)])
def test_an_element_carries_up_to_the_stated_distance(make, off_m, carried):
    building = make.building(make.wall("wall", 0.0, -3.0, 0.0, 3.0))
    told = reach_at((off_m, 0.0, 1.0), [(off_m + 0.5, 0.0, 1.0)]).surroundings(building)
    assert bool(told.carrier) is carried


@settings(max_examples=80)
@given(st.integers(0, 10**9))
def test_the_distance_to_a_carrier_is_that_to_its_nearest_point(make, seed):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-0.4, 0.4, (3, 3))
    building = make.building(make.mesh("piece", corners, [[0, 1, 2]]))
    mouth = rng.uniform(-0.4, 0.4, 3)
    told = reach_at(tuple(mouth), [mouth + 1.0]).surroundings(building)
    weights = np.concatenate(
        (rng.dirichlet(np.ones(3), 4000), rng.dirichlet(np.full(3, 0.2), 4000), np.eye(3))
    )
    sampled = np.linalg.norm(weights @ corners - mouth, axis=1).min()
    if told.carrier:
        assert told.carrier_m <= sampled + 1e-9
        assert told.carrier_m >= sampled - 0.05
    else:
        assert sampled > STANDING_M


def test_a_model_without_a_place_says_nothing(make):
    building = replace(make.building(make.wall("wall", 0.5, -3.0, 0.5, 3.0)), placed=False)
    reach = reach_at((0.3, 0.0, 1.0), [(2.0, 0.0, 1.0)])
    for told in (reach.surroundings(building), reach.surroundings(None)):
        assert (told.carrier, told.in_sight.all(), told.mouth_roofed) == ("", True, False)
    grid = Grid(0.0, -1.0, 0.5, 4, 4)
    assert np.isneginf(reach.tops_m(building, grid)).all()
    assert np.isneginf(reach.tops_m(None, grid)).all()


def test_behind_a_surface_and_in_it_nothing_is_in_sight(make):
    building = make.building(make.wall("wall", 1.0, -3.0, 1.0, 3.0))
    places = [
        (0.8, 0.0, 1.0),
        (1.0, 0.0, 1.0),
        (1.2, 0.0, 1.0),
        (3.0, 2.0, 1.0),
        (1.2, 0.0, 3.5),
        (1.2, 9.0, 1.0),
    ]
    told = reach_at((0.2, 0.0, 1.0), places).surroundings(building)
    assert told.in_sight.tolist() == [True, False, False, False, False, True]


def test_a_mouth_on_a_wall_is_not_hidden_by_that_wall(make):
    building = make.building(make.wall("wall", 0.0, -3.0, 0.0, 3.0))
    told = reach_at((0.0, 0.0, 1.0), [(0.5, 0.0, 1.0), (-0.5, 0.0, 1.0)]).surroundings(building)
    assert told.in_sight.tolist() == [True, False]


def test_what_hangs_over_the_way_counts_like_what_hangs_over_the_place(make):
    canopy = make.plate("canopy", 1.0, -2.0, 2.0, 2.0, 2.5)
    places = [(0.5, 0.0, 1.0), (1.5, 0.0, 1.0), (3.0, 0.0, 1.0), (1.5, 0.0, 5.0)]
    told = reach_at((0.0, 0.0, 1.0), places).surroundings(make.building(canopy))
    assert told.roofed.tolist() == [False, True, True, False]
    assert told.mouth_roofed is False
    assert reach_at((1.5, 0.0, 1.0), places).surroundings(make.building(canopy)).mouth_roofed is True


def test_the_highest_point_of_each_cell_is_that_of_walls_and_slabs_in_it(make):
    building = make.building(
        make.wall("wall", 0.2, -3.0, 0.2, 3.0, high=4.0), make.plate("slab", 0.6, 0.0, 2.0, 1.0, 1.5)
    )
    reach = reach_at((0.3, 0.2, 1.0), [(1.5, 0.2, 1.0)])
    tops = reach.tops_m(building, Grid(0.0, 0.0, 0.5, 2, 3))
    assert tops[0].tolist() == [4.0, 1.5, 1.5]


def test_prepared_or_not_it_says_the_same(make):
    building = make.building(make.wall("wall", 1.0, -3.0, 1.0, 3.0))
    fresh, prepared = (reach_at((0.2, 0.0, 1.0), [(0.8, 0.0, 1.0), (1.2, 0.0, 1.0)]) for _ in range(2))
    prepared.prepare(building)
    assert np.array_equal(fresh.surroundings(building).in_sight, prepared.surroundings(building).in_sight)
    assert prepared.surroundings(building) is prepared.surroundings(building)


def test_a_model_of_many_triangles_says_what_a_few_polygons_say(make):
    """The tree of a large model and the plain loop agree on what a mouth sees."""
    few = make.building(make.box("wall", (1.0, -3.0, 0.0), (1.2, 3.0, 3.0), False))
    rest = [make.box(f"block {i}", (-9.0, i, 0.0), (-8.5, i + 0.5, 2.0), False) for i in range(-5, 5)]
    many = make.building(*few.surfaces, *rest)
    places = np.random.default_rng(1).uniform((0.5, -4.0, 0.1), (4.0, 4.0, 5.0), (400, 3))
    found = [reach_at((0.9, 0.3, 1.0), places, (0.0, 0.0, 1.0)).surroundings(item) for item in (few, many)]
    assert 50 < found[0].in_sight.sum() < 350
    for name in ("carrier", "carrier_m", "mouth_roofed"):
        assert getattr(found[0], name) == getattr(found[1], name)
    assert np.array_equal(found[0].in_sight, found[1].in_sight)
    assert np.array_equal(found[0].roofed, found[1].roofed)


def test_a_mouth_in_the_middle_of_a_wall_sees_nothing(make):
    wall = make.building(make.box("wall", (1.0, -3.0, 0.0), (1.4, 3.0, 3.0), False))
    places = np.random.default_rng(2).uniform((-1.0, -2.0, 0.2), (3.0, 2.0, 2.8), (200, 3))
    outside = places[(places[:, 0] < 1.0) | (places[:, 0] > 1.4)]
    told = reach_at((1.2, 0.0, 1.5), outside).surroundings(wall)
    assert not told.in_sight.any()
    assert told.mouth_roofed
