# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.footprint import cells_under

GRID = Grid(0.0, 0.0, 1.0, 6, 8)


def cells(corners, grid=GRID):
    return {(row, col): (low, high) for row, col, low, high in cells_under(np.array(corners, float), grid)}


def test_plate_marks_the_cells_it_shares_area_with():
    found = cells([[1, 1, 2], [3, 1, 2], [3, 2.5, 2], [1, 2.5, 2]])
    assert set(found) == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert set(found.values()) == {(2.0, 2.0)}


def test_vertical_wall_marks_every_cell_it_runs_through():
    found = cells([[0.5, 0.5, 0], [2.5, 1.6, 0], [2.5, 1.6, 3], [0.5, 0.5, 3]])
    assert set(found) == {(0, 0), (0, 1), (1, 1), (1, 2)}
    assert all(value == pytest.approx((0.0, 3.0)) for value in found.values())


def test_wall_on_a_cell_border_marks_both_sides():
    found = cells([[2, 1, 0], [2, 3, 0], [2, 3, 3], [2, 1, 3]])
    assert set(found) == {(1, 1), (1, 2), (2, 1), (2, 2)}


def test_sloped_roof_has_the_heights_it_has_in_each_cell():
    found = cells([[0, 0, 0], [4, 0, 4], [4, 1, 4], [0, 1, 0]])
    assert found == {(0, col): pytest.approx((col, col + 1)) for col in range(4)}


def test_parts_outside_the_grid_are_left_out():
    assert set(cells([[-5, -5, 1], [1, -5, 1], [1, 1, 1], [-5, 1, 1]])) == {(0, 0)}
    assert cells([[20, 20, 1], [22, 20, 1], [22, 22, 1], [20, 22, 1]]) == {}


@settings(max_examples=100)
@given(
    centre=st.tuples(st.floats(-1, 9), st.floats(-1, 7)),
    half=st.tuples(st.floats(0.05, 4), st.floats(0.05, 4)),
    angle=st.floats(0, 6.3),
    slope=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    grid=st.builds(Grid, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.3, 2), st.just(7), st.just(9)),
)
def test_every_point_of_a_quad_is_in_a_marked_cell_within_its_heights(centre, half, angle, slope, grid):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    unit = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    plan = unit * half @ turn.T + centre
    found = cells(np.column_stack((plan, plan @ slope)), grid)
    s, t = np.meshgrid(np.linspace(-0.999, 0.999, 25), np.linspace(-0.999, 0.999, 25))
    points = np.column_stack((s.ravel(), t.ravel())) * half @ turn.T + centre
    index = (points - (grid.origin_east_m, grid.origin_north_m)) / grid.resolution_m
    offset = np.abs(index - np.round(index)).min(axis=1)
    for (col, row), z, clear in zip(np.floor(index).astype(int), points @ slope, offset > 1e-3, strict=True):
        if clear and 0 <= row < grid.rows and 0 <= col < grid.cols:
            low, high = found[row, col]
            assert low - 1e-9 <= z <= high + 1e-9
