# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.height_march import march_heights

GRID = Grid(-4.0, -4.0, 0.5, 16, 16)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9))
def test_the_march_is_that_of_small_steps(seed):
    rng = np.random.default_rng(seed)
    heights = rng.choice([-np.inf, 0.0, 1.0, 3.0], GRID.shape).astype(np.float32)
    centre = rng.uniform((-6, -6, 3.5), (6, 6, 8))
    rays = rng.normal(size=(40, 3))
    rays[:, 2] -= 0.5
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    found = march_heights(heights, GRID, centre, rays.astype(np.float32))
    steps = np.arange(0.0, 40.0, 0.01)
    for ray, distance in zip(rays.astype(np.float32).astype(float), found, strict=True):
        points = centre + steps[:, None] * ray
        cells = np.floor((points[:, :2] + 4.0) / 0.5).astype(int)
        inside = ((cells >= 0) & (cells < 16)).all(axis=1)
        height = np.where(inside, heights[np.clip(cells[:, 1], 0, 15), np.clip(cells[:, 0], 0, 15)], -np.inf)
        below = np.flatnonzero(points[:, 2] <= height)
        expected = steps[below[0]] if len(below) else np.inf
        # Steps may jump over the corner of a column; they never find one where the march has none before.
        assert distance <= expected + 1e-3
        if np.isfinite(distance):
            at = centre + (distance + 1e-5) * ray
            col, row = np.clip(np.floor((at[:2] + 4.0) / 0.5).astype(int), 0, 15)
            near = heights[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]
            assert at[2] <= near.max() + 1e-3


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9))
def test_what_lies_beyond_a_rays_reach_is_not_found_and_all_else_is(seed):
    rng = np.random.default_rng(seed)
    heights = rng.choice([-np.inf, 0.0, 1.0, 3.0], GRID.shape).astype(np.float32)
    centre = rng.uniform((-6, -6, 0.5), (6, 6, 8))
    rays = rng.normal(size=(40, 3))
    rays = (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)
    reach = rng.uniform(0.0, 12.0, 40)
    whole, part = (
        march_heights(heights, GRID, centre, rays),
        march_heights(heights, GRID, centre, rays, reach),
    )
    clear = np.abs(whole - reach) > 1e-4  # apart from rounding at the very end
    np.testing.assert_allclose(part[clear], np.where(whole < reach, whole, np.inf)[clear], rtol=1e-5)


def test_a_single_high_cell_of_a_block_is_found_from_above_the_others():
    grid = Grid(0.0, 0.0, 0.5, 40, 40)
    for row, col in ((0, 0), (3, 4), (4, 3), (21, 38), (39, 39)):
        heights = np.zeros(grid.shape, np.float32)
        heights[row, col] = 2.0
        middle = np.array([(col + 0.5) * 0.5, (row + 0.5) * 0.5, 1.0])
        for away in ((-9.0, -7.0, 3.0), (8.0, -6.0, 0.5), (0.0, 30.0, 1.0), (-25.0, 0.0, 0.9)):
            length = np.linalg.norm(away)
            ray = (-np.array(away) / length).astype(np.float32)[None]
            found = march_heights(heights, grid, middle + away, ray)[0]
            assert length - 0.4 < found < length, (row, col, away)
