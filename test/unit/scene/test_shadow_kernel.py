# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a mouth sees over a measured surface, against walking the line in small steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.scene.shadow_kernel import highest_over, lowest_in_sight, lowest_on_ways

EDGE_M = 0.5


def seen(solid_m: FloatArray, known: BoolArray, mouth_m: list[float], point_m: list[float]) -> float:
    found = lowest_in_sight(solid_m, known, EDGE_M, np.array(mouth_m), np.array([point_m]), 0.0)
    return float(found[0])


def test_over_flat_ground_all_down_to_the_ground_is_seen() -> None:
    flat, known = np.zeros((10, 10)), np.ones((10, 10), bool)
    for point in ([4.9, 0.1], [1.1, 1.2], [0.05, 4.95]):
        assert seen(flat, known, [1.1, 1.2, 0.0], point) == pytest.approx(0.0, abs=1e-9)
        assert seen(flat, known, [1.1, 1.2, 2.0], point) <= 2.0


def test_behind_a_step_the_shade_rises_with_distance() -> None:
    solid, known = np.zeros((1, 20)), np.ones((1, 20), bool)
    solid[0, 4] = 2.0  # from 2.0 to 2.5 m, one metre over the mouth; the line enters it after 1 m
    assert seen(solid, known, [1.0, 0.25, 1.0], [1.9, 0.25]) <= 1.0
    assert seen(solid, known, [1.0, 0.25, 1.0], [2.4, 0.25]) == pytest.approx(2.4)
    assert seen(solid, known, [1.0, 0.25, 1.0], [4.0, 0.25]) == pytest.approx(4.0)


def test_past_a_cell_that_is_not_known_nothing_is_seen() -> None:
    solid, known = np.zeros((3, 20)), np.ones((3, 20), bool)
    known[1, 8] = False
    assert np.isfinite(seen(solid, known, [1.0, 0.75, 1.0], [3.9, 0.75]))
    assert np.isinf(seen(solid, known, [1.0, 0.75, 1.0], [4.1, 0.75]))
    assert np.isinf(seen(solid, known, [1.0, 0.75, 1.0], [9.0, 0.75]))
    assert np.isfinite(seen(solid, known, [1.0, 0.75, 1.0], [9.0, 0.05]))  # beside it
    assert np.isinf(seen(solid, known, [1.0, 0.75, 1.0], [10.2, 0.75]))  # off the map
    assert np.isinf(seen(solid, known, [1.0, 0.75, 1.0], [-0.1, 0.75]))


@settings(max_examples=200)
@given(st.integers(0, 10**9))
def test_nothing_that_is_seen_lies_behind_or_beyond_what_small_steps_meet(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(2, 14)), int(rng.integers(2, 14)))
    solid = np.where(rng.random(shape) < 0.8, rng.uniform(0.0, 0.5, shape), rng.uniform(0.0, 4.0, shape))
    known = rng.random(shape) < 0.95
    row, col = int(rng.integers(shape[0])), int(rng.integers(shape[1]))
    inside = rng.uniform(0.0, 1.0, 2) if rng.random() < 0.8 else np.zeros(2)  # on a corner too
    mouth = np.array(
        [(col + inside[0]) * EDGE_M, (row + inside[1]) * EDGE_M, solid[row, col] + rng.uniform(0, 2)]
    )
    points = rng.uniform(-0.5, 0.5, (20, 2)) + rng.uniform(0.0, 1.0, (20, 2)) * (
        shape[1] * EDGE_M,
        shape[0] * EDGE_M,
    )
    found = lowest_in_sight(solid, known, EDGE_M, mouth, points, 0.0)
    for point, lowest in zip(points, found, strict=True):
        if not np.isfinite(lowest):
            continue
        place = np.array([*point, lowest + 1e-6])
        for share in np.linspace(0.0, 1.0, 400)[1:]:
            at = mouth + share * (place - mouth)
            i, j = int(np.floor(at[1] / EDGE_M)), int(np.floor(at[0] / EDGE_M))
            assert known[i, j]
            assert at[2] >= solid[i, j] - 1e-5 or (i, j) == (row, col)


@settings(max_examples=100)
@given(st.integers(0, 10**9))
def test_what_small_steps_do_not_meet_is_seen(seed: int) -> None:
    """The rule shuts no more than a line of sight asks: a little higher than what is met, all is seen."""
    rng = np.random.default_rng(seed)
    shape = (12, 12)
    solid = np.where(rng.random(shape) < 0.9, 0.0, rng.uniform(0.0, 3.0, shape))
    known = np.ones(shape, bool)
    mouth = np.array([3.1, 2.9, solid[5, 6] + 0.6])
    for point in rng.uniform(0.05, 5.95, (10, 2)):
        height = rng.uniform(0.0, 4.0)
        place = np.array([*point, height])
        steps = mouth + np.linspace(0.0, 1.0, 4000)[:, None] * (place - mouth)
        cells = np.floor(steps[:, :2] / EDGE_M).astype(int)
        free = (steps[:, 2] > solid[cells[:, 1], cells[:, 0]] + 1e-3).all()
        found = lowest_in_sight(solid, known, EDGE_M, mouth, np.array([point]), 0.0)[0]
        if free:
            assert found <= height + 1e-2


def test_the_highest_of_several_slabs_is_found_and_upright_ones_cover_nothing() -> None:
    def slab(z: float) -> list[list[list[float]]]:
        corners = [[0.0, 0.0, z], [2.0, 0.0, z], [2.0, 2.0, z + 1.0], [0.0, 2.0, z + 1.0]]
        return [[corners[0], corners[1], corners[2]], [corners[0], corners[2], corners[3]]]

    wall = [[[0.0, 1.0, 0.0], [2.0, 1.0, 0.0], [2.0, 1.0, 9.0]]]
    triangles = np.array(slab(1.0) + slab(3.0) + wall)
    found = highest_over(triangles, np.array([[1.0, 1.0], [0.5, 0.25], [2.5, 1.0], [1.0, -0.1]]))
    assert found[:2] == pytest.approx([3.5, 3.125])
    assert np.isneginf(found[2:]).all()


@settings(max_examples=200)
@given(st.integers(0, 10**9), st.integers(1, 6))
def test_a_way_in_straight_pieces_sees_what_the_line_sees(seed: int, pieces: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(2, 14)), int(rng.integers(2, 14)))
    solid = np.where(rng.random(shape) < 0.8, rng.uniform(0.0, 0.5, shape), rng.uniform(0.0, 4.0, shape))
    known = rng.random(shape) < 0.95
    size = EDGE_M * np.array([shape[1], shape[0]])
    mouth = np.append(rng.uniform(0.0, 1.0, 2) * size, rng.uniform(0.5, 3.0))
    ends = np.column_stack((rng.uniform(-0.1, 1.1, (20, 2)) * size, rng.uniform(0.0, 4.0, 20)))
    shares = np.linspace(0.0, 1.0, pieces + 1)
    ways = mouth + shares[None, :, None] * (ends[:, None] - mouth)
    steps = np.tile(shares, (20, 1))
    one = lowest_on_ways(solid, known, EDGE_M, ways, steps, 0.05)
    other = lowest_in_sight(solid, known, EDGE_M, mouth, np.ascontiguousarray(ends[:, :2]), 0.05)
    assert one == pytest.approx(other, abs=1e-6)


def test_a_way_over_a_step_is_free_where_the_line_is_not() -> None:
    solid, known = np.zeros((1, 20)), np.ones((1, 20), bool)
    solid[0, 6] = 2.0
    up_and_over = np.array([[[1.0, 0.25, 0.5], [2.0, 0.25, 2.5], [4.0, 0.25, 2.5], [5.0, 0.25, 1.0]]])
    steps = np.array([[0.0, 0.3, 0.7, 1.0]])
    assert lowest_on_ways(solid, known, EDGE_M, up_and_over, steps, 0.0)[0] <= 1.0
    assert lowest_in_sight(solid, known, EDGE_M, up_and_over[0, 0], up_and_over[:, -1, :2], 0.0)[0] > 2.0
    solid[0, 6] = 3.0  # the way has to rise by half a metre there, of which it makes 0.3 to 0.7
    assert lowest_on_ways(solid, known, EDGE_M, up_and_over, steps, 0.0)[0] == pytest.approx(
        1.0 + 0.5 / 0.5, rel=0.3
    )
