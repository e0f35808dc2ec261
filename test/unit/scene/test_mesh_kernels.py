# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.footprint import cells_under
from vidgen_nodes.scene.mesh_kernels import cells_under_triangles

GRID = Grid(-3.0, -2.5, 0.5, 11, 13)
SEEDS = st.integers(0, 10**9)
THOROUGH = settings(max_examples=80)


def random_triangles(rng, count, kind="any"):
    triangles = rng.uniform((-4, -4, 0), (4, 4, 5), (count, 3, 3))
    if kind == "vertical":
        triangles[:, 2, :2] = triangles[:, 0, :2]
    if kind == "lattice":  # corners on cell edges
        triangles = np.round(triangles * 2) / 2
    return triangles


@THOROUGH
@given(seed=SEEDS, kind=st.sampled_from(["any", "vertical", "lattice"]))
def test_cells_are_those_of_the_plain_way(seed, kind):
    triangles = random_triangles(np.random.default_rng(seed), 6, kind)
    found = sorted(zip(*(item.tolist() for item in cells_under_triangles(triangles, GRID)), strict=True))
    expected = sorted(cell for triangle in triangles for cell in cells_under(triangle, GRID))
    assert [cell[:2] for cell in found] == [cell[:2] for cell in expected]
    assert np.array(found).ravel() == pytest.approx(np.array(expected, float).ravel(), abs=1e-9)


def test_triangles_far_away_or_without_area_mark_nothing():
    far = np.array(
        [[[1e6, 1e6, 0], [1e6 + 1, 1e6, 0], [1e6, 1e6 + 1, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]], float
    )
    assert len(cells_under_triangles(far, GRID)[0]) == 0
    assert len(cells_under_triangles(np.zeros((0, 3, 3)), GRID)[0]) == 0


@THOROUGH
@given(seed=SEEDS)
def test_solid_voxels_shut_a_box_tight(make, seed):
    rng = np.random.default_rng(seed)
    low, size = rng.uniform(0.5, 1.5, 3), rng.uniform(1.0, 3.0, 3)
    solid = make.building(make.box("b", low, low + size)).solid_voxels(np.zeros(3), 0.25, (24, 24, 24))
    outside, count = ndimage.label(~solid, np.ones((3, 3, 3)))  # even diagonal steps do not get in
    assert count >= 2
    middle = tuple(((low + 0.5 * size) / 0.25).astype(int)[::-1])
    assert outside[middle] != outside[0, 0, 0]


def test_solid_voxels_are_those_that_a_surface_touches(make):
    solid = make.building(make.plate("p", 1.0, 1.0, 2.0, 3.0, 0.6)).solid_voxels(np.zeros(3), 0.5, (4, 8, 6))
    assert solid.shape == (4, 8, 6)
    assert set(np.argwhere(solid)[:, 0]) == {1}
    assert solid[1, 2:6, 2:4].all()  # what lies inside
    assert not solid[1, 0, :].any()
    assert not solid[1, :, 0].any()


@pytest.mark.parametrize(
    ("origin", "edge", "shape"),
    [((0, 0, np.nan), 0.5, (2, 2, 2)), ((0, 0, 0), 0.0, (2, 2, 2)), ((0, 0, 0), 1.0, (2, 0, 2))],
)
def test_a_lattice_that_cannot_be_is_refused(make, origin, edge, shape):
    with pytest.raises(ConfigError, match="voxels"):
        make.building(make.plate("p", 0, 0, 1, 1, 0)).solid_voxels(np.array(origin), edge, shape)
