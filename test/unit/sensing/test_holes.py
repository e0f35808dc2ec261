# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What counts as a hole; test_uncertainty.py shows it on whole maps."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.packets import BoolArray, Grid
from vidgen_nodes.sensing.holes import Holes

ABOVE = np.array([5.0, 5.0, 30.0])


def found(
    silent: BoolArray, resolution_m: float, *, hits: int = 10, beyond: BoolArray | None = None
) -> BoolArray:
    """Ten scans of everything, then fifteen without the silent cells (and those beyond what is seen)."""
    rows, cols = silent.shape
    grid = Grid(0.0, 0.0, resolution_m, rows, cols)
    holes = Holes(silent.shape)
    height_m = np.zeros(silent.size)
    quiet = silent if beyond is None else silent | beyond
    for k in range(25):
        count = np.full(silent.size, hits, np.intp)
        count[quiet.ravel() & (k >= 10)] = 0
        result = holes.find(count, height_m, ABOVE, grid, 1_000_000_000 + k * 100_000_000)
    return result.reshape(silent.shape)


@pytest.mark.parametrize(
    ("resolution_m", "cells", "is_hole"), [(0.5, 1, True), (0.1, 4, False), (0.1, 5, True)]
)
def test_a_quarter_of_a_square_metre_is_a_hole(resolution_m: float, cells: int, is_hole: bool) -> None:
    silent = np.zeros((40, 40), bool)
    silent[20 : 20 + cells, 20 : 20 + cells] = True
    assert (found(silent, resolution_m) == (silent & is_hole)).all()


def test_cells_seldom_hit_fall_silent_by_chance() -> None:
    silent = np.zeros((20, 20), bool)
    silent[10, 10] = True
    assert not found(silent, 0.5, hits=1).any()


@pytest.mark.parametrize("edge", ["straight", "slanted", "corner"])
def test_beyond_the_edge_of_what_is_seen_there_are_no_holes(edge: str) -> None:
    row, col = np.mgrid[:30, :30]
    beyond = {"straight": col > 15, "slanted": row + col > 35, "corner": (row > 20) | (col > 20)}[edge]
    assert not found(np.zeros((30, 30), bool), 0.5, beyond=beyond).any()
