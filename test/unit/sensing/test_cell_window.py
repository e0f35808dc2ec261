# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.cell_window import CellWindow, moved

PLACES = st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=1, max_size=20)


@given(PLACES, st.floats(0.05, 2.0))
def test_the_window_keeps_the_place_within_and_lies_on_whole_cells(
    places: list[tuple[float, float]], resolution_m: float
) -> None:
    params = LidarParams(map_size_m=20.0, resolution_m=resolution_m, map_center_m=(3.0, -4.0))
    window = CellWindow(params)
    first = window.grid
    total = np.zeros(2, np.int64)
    for east_m, north_m in places:
        shift = window.follow(east_m, north_m)
        total += shift or (0, 0)
        edge_m = window.grid.cols * resolution_m
        assert window.grid.origin_east_m < east_m < window.grid.origin_east_m + edge_m
        assert window.grid.origin_north_m < north_m < window.grid.origin_north_m + edge_m
    assert window.grid.origin_north_m == first.origin_north_m + total[0] * resolution_m
    assert window.grid.origin_east_m == first.origin_east_m + total[1] * resolution_m
    assert window.grid.shape == first.shape
    window.reset()
    assert window.grid == first


def test_small_wandering_and_unknown_places_move_nothing() -> None:
    window = CellWindow(LidarParams(map_size_m=20.0, resolution_m=0.5))
    for east_m, north_m in ((4.9, 4.9), (-4.9, 0.0), (math.nan, 0.0), (math.inf, 3.0)):
        assert window.follow(east_m, north_m) is None
    assert window.follow(5.1, 0.0) == (0, 10)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(-9, 9), st.integers(-9, 9))
def test_cells_keep_their_value_at_their_place(rows: int, cols: int, north: int, east: int) -> None:
    layer = np.arange(2 * rows * cols, dtype=np.int64).reshape(2, -1)
    new = moved(layer, (rows, cols), (north, east), -1).reshape(2, rows, cols)
    old = layer.reshape(2, rows, cols)
    for row in range(rows):
        for col in range(cols):
            inside = 0 <= row + north < rows and 0 <= col + east < cols
            assert (new[:, row, col] == (old[:, row + north, col + east] if inside else -1)).all()
