# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A pocket's mean goes, and nothing else."""

from __future__ import annotations

import numpy as np

from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, make_domain
from vidgen_nodes.generation.flow.pockets import Pockets

GRID = FlowGrid((0.0, 0.0, 0.0), 0.25, (6, 7, 9))


def test_each_closed_pocket_has_no_mean_afterwards_and_the_open_one_is_left_alone() -> None:
    solid = np.zeros(GRID.shape, bool)
    solid[:, :, 3] = solid[:, :, 6] = True
    solid[3, :, 7:] = True  # the highest of four rooms has the open ceiling's eastern part
    domain = make_domain(GRID, Boundaries({"ceiling": "open"}, solid))
    assert [len(pocket) for pocket in domain.pockets] == [3 * 7 * 2]
    values = np.random.default_rng(1).random(GRID.shape, np.float32)
    before = values.copy()
    Pockets(domain).centre(values)
    inside = np.zeros(GRID.shape, bool)
    inside[:3, :, 7:] = True
    assert abs(float(values[inside].mean(dtype=np.float64))) <= 1e-7
    assert np.ptp((before - values)[inside]) <= 1e-7
    assert np.array_equal(values[~inside], before[~inside])


def test_air_without_a_closed_pocket_is_left_alone() -> None:
    values = np.ones(GRID.shape, np.float32)
    Pockets(make_domain(GRID, Boundaries({"ceiling": "open"}))).centre(values)
    assert (values == 1.0).all()


def test_a_single_cell_of_air_in_solids_keeps_nothing() -> None:
    solid = np.ones(GRID.shape, bool)
    solid[2, 3, 4] = False
    values = np.full(GRID.shape, 3.0, np.float32)
    Pockets(make_domain(GRID, Boundaries({}, solid))).centre(values)
    assert values[2, 3, 4] == 0.0
    assert values.sum() == 3.0 * (values.size - 1)
