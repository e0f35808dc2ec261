# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.scene.occlusion import FEW_QUADS, FlatSurfaces
from vidgen_nodes.scene.triangle_tree import TriangleTree


def random_triangles(rng, count):
    return rng.uniform((-4, -4, 0), (4, 4, 5), (count, 3, 3))


@settings(max_examples=80)
@given(seed=st.integers(0, 10**9), count=st.integers(1, 40))
def test_the_tree_and_the_plain_way_end_rays_alike(make, seed, count):
    rng = np.random.default_rng(seed)
    triangles = random_triangles(rng, count)
    rays = rng.normal(size=(200, 3))
    rays = (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)
    centre = rng.uniform((-6, -6, -1), (6, 6, 8))
    tree = TriangleTree(triangles).first_hit_m(centre, rays)
    plain = FlatSurfaces([make.mesh("m", triangles.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3))])
    expected = plain.first_hit_m(centre, rays)
    alike = np.isclose(tree, expected, rtol=1e-3) | (np.isinf(tree) & np.isinf(expected))
    # A ray through an edge within rounding may go either way.
    assert np.count_nonzero(~alike) <= 1


def test_each_hit_names_its_triangle():
    rng = np.random.default_rng(3)
    triangles = random_triangles(rng, 300)
    rays = rng.normal(size=(500, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    distance, which = TriangleTree(triangles).first_hits(np.zeros(3), rays)
    hit = which >= 0
    assert hit.any()
    assert np.array_equal(hit, np.isfinite(distance))
    points = rays[hit] * distance[hit, None]
    a, b, c = (triangles[which[hit], k] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert np.abs(np.einsum("ni,ni->n", points - a, normals)).max() < 1e-4


def test_a_tree_of_nothing_ends_no_ray():
    assert np.isinf(
        TriangleTree(np.zeros((0, 3, 3))).first_hit_m(np.zeros(3), np.ones((2, 3), np.float32))
    ).all()


def test_equal_triangles_do_not_break_the_tree():
    triangles = np.repeat(random_triangles(np.random.default_rng(1), 1), 1000, axis=0)
    target = triangles[0].mean(axis=0)
    centre = np.array([0.0, 0.0, 20.0])
    ray = (target - centre) / np.linalg.norm(target - centre)
    found = TriangleTree(triangles).first_hit_m(centre, ray[None])
    assert found[0] == pytest.approx(np.linalg.norm(target - centre), rel=1e-5)


def test_no_ray_slips_between_the_triangles_of_a_model(make):
    """A closed box of many triangles, seen from inside: every ray ends."""
    grid = np.linspace(0.0, 1.0, 9)
    u, v = (item.ravel() for item in np.meshgrid(grid, grid, indexing="ij"))
    index = np.arange(81).reshape(9, 9)
    a, b, c, d = (item.ravel() for item in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    faces = np.concatenate((np.stack((a, b, c), 1), np.stack((a, c, d), 1)))
    sides = []
    for axis in range(3):
        for level in (0.0, 1.0):
            corners = np.insert(np.column_stack((u, v)), axis, level, axis=1)
            sides.append(make.mesh(f"{axis}{level}", corners, faces))
    building = make.building(*sides)
    assert len(faces) * 6 > FEW_QUADS
    rng = np.random.default_rng(5)
    targets = np.round(rng.uniform(0, 1, (20000, 3)) * 8) / 8  # at seams and corners
    targets[np.arange(20000), rng.integers(0, 3, 20000)] = rng.integers(0, 2, 20000)
    centre = np.array([0.41, 0.53, 0.37])
    rays = targets - centre
    length = np.linalg.norm(rays, axis=1)
    depth = building.occlusion_depth(centre, (rays / length[:, None]).astype(np.float32))
    assert depth == pytest.approx(length, rel=1e-3)
