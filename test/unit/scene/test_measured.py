# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.measured import measured_depth

GRID = Grid(-4.0, -4.0, 0.5, 16, 16)
NOTHING = np.zeros(GRID.shape, bool)


def towards(centre, *targets):
    rays = np.array(targets, float) - centre
    return (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)


def heap(make, height_m=3.0):
    """Flat ground with a heap of 5 x 5 cells about the origin."""
    elevation = np.zeros(GRID.shape)
    elevation[6:11, 6:11] = height_m
    return make.uncertainty_map(GRID, elevation_m=elevation)


def test_a_heap_hides_what_is_behind_it_and_not_what_is_above(make):
    centre = np.array([-3.9, 0.2, 1.0])
    found = measured_depth(
        heap(make), NOTHING, centre, towards(centre, (3.9, 0.2, 1.0), (3.9, 0.2, 6.0), (3.9, -3.5, 1.0))
    )
    assert found[0] == pytest.approx(3.9 - 0.5, abs=0.01)  # one cell off its edge, which could be noise
    assert np.isinf(found[1:]).all()


def test_the_ground_ends_rays_that_go_down(make):
    centre = np.array([0.0, -3.0, 5.0])
    found = measured_depth(make.uncertainty_map(GRID), NOTHING, centre, towards(centre, (0.0, 2.0, 0.0)))
    assert found[0] == pytest.approx(np.hypot(5.0, 5.0), rel=1e-5)


def test_cells_that_may_burn_and_cells_never_seen_hide_nothing(make):
    centre = np.array([-3.9, 0.2, 1.0])
    ray = towards(centre, (3.9, 0.2, 1.0))
    assert np.isinf(measured_depth(heap(make), ~NOTHING, centre, ray)).all()
    unseen = make.uncertainty_map(GRID, elevation_m=np.nan)
    assert np.isinf(measured_depth(unseen, NOTHING, centre, ray)).all()


def test_one_high_cell_hides_nothing(make):
    elevation = np.zeros(GRID.shape)
    elevation[8, 8] = 30.0
    centre = np.array([-3.9, 0.2, 1.0])
    umap = make.uncertainty_map(GRID, elevation_m=elevation)
    assert np.isinf(measured_depth(umap, NOTHING, centre, towards(centre, (3.9, 0.2, 1.0)))).all()
