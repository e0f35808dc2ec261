# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.columns import Gate


def gate_of(open_cells, floor_m, ceiling_m, grid):
    nan = np.float32(np.nan)
    floor = np.where(open_cells, floor_m, nan).astype(np.float32)
    ceiling = np.where(open_cells, ceiling_m, nan).astype(np.float32)
    return Gate(
        grid, open_cells, np.zeros_like(open_cells), floor, ceiling, {}, (), b"", int(open_cells.sum())
    )


def test_one_box_for_each_open_cell():
    cells = np.zeros((3, 4), bool)
    cells[1, 2] = cells[2, 0] = True
    gate = gate_of(cells, np.full((3, 4), 1.0), np.full((3, 4), 2.5), Grid(10.0, 20.0, 0.5, 3, 4))
    assert gate.columns_m.tolist() == [[11.0, 20.5, 1.0, 11.5, 21.0, 2.5], [10.0, 21.0, 1.0, 10.5, 21.5, 2.5]]


def test_equal_columns_merge_to_rectangles():
    cells = np.ones((5, 6), bool)
    floor = np.zeros((5, 6))
    floor[:, 3:] = 1.0
    gate = gate_of(cells, floor, np.full((5, 6), 3.0), Grid(0.0, 0.0, 1.0, 5, 6))
    assert gate.boxes_m.tolist() == [[0, 0, 0, 3, 5, 3], [3, 0, 1, 6, 5, 3]]


def test_closed_gate_has_no_boxes():
    none = np.zeros((0, 0), bool)
    gate = Gate(None, none, none, none.astype(np.float32), none.astype(np.float32), {}, ("no_map",), b"", 0)
    assert gate.boxes_m.shape == gate.columns_m.shape == (0, 6)


@settings(max_examples=80)
@given(seed=st.integers(0, 10**6), levels=st.integers(1, 3))
def test_merged_boxes_fill_the_same_space_once(seed, levels):
    rng = np.random.default_rng(seed)
    grid = Grid(-1.0, 2.0, 0.5, 7, 9)
    cells = rng.random(grid.shape) < rng.random()
    floor, ceiling = rng.integers(0, levels, grid.shape), 5 + rng.integers(0, levels, grid.shape)
    gate = gate_of(cells, floor, ceiling, grid)
    covered = np.zeros(grid.shape, int)
    for x0, y0, z0, x1, y1, z1 in gate.boxes_m:
        rows = slice(round((y0 - 2.0) / 0.5), round((y1 - 2.0) / 0.5))
        cols = slice(round((x0 + 1.0) / 0.5), round((x1 + 1.0) / 0.5))
        covered[rows, cols] += 1
        assert (floor[rows, cols] == z0).all()
        assert (ceiling[rows, cols] == z1).all()
    assert np.array_equal(covered, cells.astype(int))
    assert len(gate.boxes_m) <= len(gate.columns_m) == cells.sum()
