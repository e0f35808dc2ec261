# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.surface_graph import surface_graph


def graph(make, *surfaces, step_m=0.25):
    return surface_graph(make.building(*surfaces), step_m)


def nearest(found, *point):
    return int(np.argmin(np.linalg.norm(found.points_m - point, axis=1)))


def joined(found, start, end):
    """Whether a walk over any edges gets from one point to another."""
    reached, todo = {start}, [start]
    while todo:
        for near in found.neighbours(todo.pop()).tolist():
            if near not in reached:
                reached.add(near)
                todo.append(near)
    return end in reached


def test_a_flat_wall_is_a_square_grid_of_eight_neighbours(make):
    found = graph(make, make.wall("w", 0, 0, 4, 0, high=3.0))
    assert len(found.points_m) == 16 * 12
    assert found.area_m2.sum() == pytest.approx(12.0)
    assert np.abs(found.normals[:, 1]) == pytest.approx(np.ones(192))
    inner = nearest(found, 2.1, 0.0, 1.6)
    lengths = np.sort(found.length_m[found.indptr[inner] : found.indptr[inner + 1]])
    assert lengths == pytest.approx([0.25] * 4 + [0.25 * 2**0.5] * 4)


def test_faces_in_one_plane_share_one_lattice(make):
    whole = graph(make, make.wall("w", 0.1, 0.05, 4.9, 2.45, high=3.0))
    parts = graph(
        make, make.wall("a", 0.1, 0.05, 2.5, 1.25, high=3.0), make.wall("b", 2.5, 1.25, 4.9, 2.45, high=3.0)
    )
    key = np.lexsort(np.round(whole.points_m, 6).T)
    other = np.lexsort(np.round(parts.points_m, 6).T)
    assert whole.points_m[key] == pytest.approx(parts.points_m[other])
    assert len(whole.indices) == len(parts.indices)


def test_edges_are_there_from_both_ends_with_one_length(make):
    found = graph(make, make.box("b", (0, 0, 0), (2, 1, 1.5)))
    rows = np.repeat(np.arange(len(found.points_m)), np.diff(found.indptr))
    there = dict(zip(zip(rows.tolist(), found.indices.tolist(), strict=True), found.length_m, strict=True))
    assert there
    assert all(there[b, a] == length for (a, b), length in there.items())
    assert all(a != b for a, b in there)


def test_a_fire_goes_round_corners_and_along_the_ceiling(make):
    found = graph(make, make.box("b", (0, 0, 0), (2, 1, 1.5)))
    front, back, top = nearest(found, 1, 0, 0.7), nearest(found, 1, 1, 0.7), nearest(found, 1, 0.5, 1.5)
    assert joined(found, front, back)
    assert joined(found, front, top)
    assert found.area_m2.sum() == pytest.approx(2 * (2 + 3 + 1.5))


def test_no_edge_passes_through_a_wall(make):
    """Two faces of a wall thinner than the resolution meet at its rim only."""
    found = graph(make, make.box("thin", (0, 0, 0), (4, 0.1, 3)))
    rows = np.repeat(np.arange(len(found.points_m)), np.diff(found.indptr))
    cosine = np.einsum("ni,ni->n", found.normals[rows], found.normals[found.indices])
    assert cosine.min() > -0.5
    assert joined(found, nearest(found, 2, 0, 1.5), nearest(found, 2, 0.1, 1.5))  # round the rim


def test_a_partition_parts_the_wall_that_runs_behind_it(make):
    """The wall's face is one polygon, but a partition without thickness stands before it."""
    wall, partition = make.wall("wall", 0, 0, 4, 0), make.wall("partition", 2, -3, 2, 3, high=9.0)
    floor = make.plate("floor", -1, -1, 5, 1, -1.0, kind="floor")
    with_it, without = graph(make, wall, partition, floor), graph(make, wall, floor)
    ends = [(1.6, 0, 1.5), (2.4, 0, 1.5)]
    assert joined(without, *(nearest(without, *end) for end in ends))
    wall_only = [with_it.names[index] == "wall" for index in with_it.surface]
    a, b = (nearest(with_it, *end) for end in ends)
    rows = np.repeat(np.arange(len(with_it.points_m)), np.diff(with_it.indptr))
    crossing = [
        (i, j)
        for i, j in zip(rows.tolist(), with_it.indices.tolist(), strict=True)
        if wall_only[i]
        and wall_only[j]
        and (with_it.points_m[i, 0] - 2.0) * (with_it.points_m[j, 0] - 2.0) < 0
    ]
    assert crossing == []
    assert a != b


def test_fire_stops_where_fuel_stops(make):
    parts = [
        make.wall("a", 0, 0, 2, 0),
        make.wall("gap", 2, 0, 3, 0, combustible=False),
        make.wall("b", 3, 0, 5, 0),
    ]
    for unknown in (False, None):
        parts[1] = make.wall("gap", 2, 0, 3, 0, combustible=unknown)
        found = graph(make, *parts)
        reached = found.reachable(np.array([nearest(found, 0.1, 0, 0.1)]))
        names = {found.names[index] for index in found.surface[reached]}
        assert names == {"a"}
        assert reached.sum() == 8 * 12
        assert not found.reachable(np.array([nearest(found, 2.5, 0, 1)])).any()


def test_what_is_behind_a_board_is_not_there(make):
    wall = make.box("wall", (0, 0, 0), (4, 0.2, 3))
    board = make.box("board", (0, -0.0125, 0), (4, 0.0, 1.5), combustible=False)
    found = graph(make, wall, board)
    front = (found.surface == found.names.index("wall")) & (found.normals[:, 1] < -0.9)
    assert found.points_m[front, 2].min() > 1.5
    back = (found.surface == found.names.index("wall")) & (found.normals[:, 1] > 0.9)
    assert found.points_m[back, 2].min() < 0.5


def test_strips_narrower_than_the_resolution_are_a_row_of_points(make):
    found = graph(make, make.wall("strip", 0.03, 0.0, 0.08, 0.0, high=2.0))
    assert len(found.points_m) == 8
    assert found.area_m2.sum() == pytest.approx(0.1)
    assert joined(found, 0, 7)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**9))
def test_areas_add_up_and_points_lie_on_their_faces(make, seed):
    rng = np.random.default_rng(seed)
    surfaces = []
    for index in range(4):
        base, u, v = rng.uniform(-20, 20, 3), rng.normal(size=3), rng.normal(size=3)
        far = 30.0 * index  # apart, so that nothing is covered
        corners = base + far + np.array([np.zeros(3), 2 * u, 2 * u + 1.5 * v, 1.5 * v])
        surfaces.append(make.surface(f"s{index}", corners, [True, False, None, True][index]))
    building = make.building(*surfaces)
    found = surface_graph(building, 0.2)
    assert found.area_m2.sum() == pytest.approx(sum(item.area_m2 for item in building.surfaces))
    for index, item in enumerate(building.surfaces):
        own = found.points_m[found.surface == index]
        normal = np.cross(item.corners_m[1] - item.corners_m[0], item.corners_m[3] - item.corners_m[0])
        off = (own - item.corners_m[0]) @ (normal / np.linalg.norm(normal))
        assert np.abs(off).max() < 1e-6
        burns = {True: 1, False: 0, None: -1}[item.combustible]
        assert set(found.combustible[found.surface == index]) == {burns}


def test_the_same_building_gives_the_same_bytes(make):
    first, second = (
        graph(make, make.box("b", (0, 0, 0), (2, 1, 1.5)), make.wall("w", 0, 3, 4, 3)) for _ in range(2)
    )
    for name in ("points_m", "normals", "area_m2", "indptr", "indices", "length_m", "material"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


def test_a_building_of_nothing_is_a_graph_of_nothing(make):
    found = graph(make)
    assert (len(found.points_m), len(found.indices), list(found.indptr)) == (0, 0, [0])


@pytest.mark.parametrize("step_m", [0.0, -1.0, float("nan"), 1e-5])
def test_a_resolution_that_cannot_be_is_refused(make, step_m):
    with pytest.raises(ConfigError, match="surface graph"):
        graph(make, make.wall("w", 0, 0, 4, 0), step_m=step_m)
