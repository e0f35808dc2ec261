# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Residual, variation and planarity against numpy's eigenvalues; the height at the middle against the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.packets import Grid, Pose
from vidgen_nodes.sensing.cell_returns import add_up, locate
from vidgen_nodes.sensing.surface_shape import Shape, SurfaceShape

RESOLUTION_M = 0.5
GRID = Grid(0.0, 0.0, RESOLUTION_M, 1, 1)
LEVEL = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))


def shape_of(*scans: np.ndarray) -> Shape:
    shape = SurfaceShape(GRID.shape)
    for points in scans:
        sums = add_up(locate(points, LEVEL, GRID), 1)
        shape.add(sums, np.zeros(1, np.intp), sums.count > 0, np.zeros(1, bool), 0.0)
    return shape.describe(RESOLUTION_M)


def eigenvalues(points: np.ndarray) -> np.ndarray:
    centred = points - points.mean(axis=0)
    return np.linalg.eigvalsh(centred.T @ centred)


@given(
    st.integers(0, 10_000),
    st.integers(12, 200),
    st.floats(0.0, 0.3),
    st.tuples(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0)),
)
def test_flatness_is_that_of_the_eigenvalues(
    seed: int, count: int, sigma_m: float, slope: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0.001, 0.499, (2, count))
    points = np.column_stack((x, y, slope[0] * x + slope[1] * y + rng.normal(0, 1, count) * sigma_m))
    l0, l1, l2 = eigenvalues(points)
    found = shape_of(points)
    tolerance = 1e-6  # float32 fractions of a cell
    assert found.residual_m[0] == pytest.approx(np.sqrt(max(l0, 0.0) / (count - 3)), rel=1e-3, abs=1e-4)
    assert found.variation[0] == pytest.approx(l0 / (l0 + l1 + l2), rel=1e-3, abs=tolerance)
    assert found.planarity[0] == pytest.approx((l1 - l0) / l2, rel=1e-3, abs=1e-3)


def test_a_cloud_without_direction_is_a_third() -> None:
    points = np.random.default_rng(1).normal(0.25, 0.04, (5000, 3))
    found = shape_of(points)
    assert found.variation[0] == pytest.approx(1 / 3, abs=0.02)
    assert found.planarity[0] < 0.06


def test_one_line_of_returns_is_not_rough() -> None:
    x = np.linspace(0.01, 0.49, 40)
    z = np.random.default_rng(2).normal(0.0, 0.01, 40)
    assert shape_of(np.column_stack((x, 0.5 * x, z))).residual_m[0] < 1e-4


def test_the_drift_between_scans_is_not_roughness() -> None:
    rng = np.random.default_rng(3)
    scans = []
    for drift_m in (0.0, 0.3, -0.3):
        x, y = rng.uniform(0.01, 0.49, (2, 30))
        scans.append(np.column_stack((x, y, drift_m + rng.normal(0, 0.01, 30))))
    assert shape_of(*scans).residual_m[0] < 0.015


@pytest.mark.parametrize("count", [20, 60])
def test_the_height_at_the_middle_is_as_sure_as_it_says(count: int) -> None:
    """A steep cell that is sampled on one side only: the error fits the stated variance."""
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(400):
        x, y = rng.uniform(0.0, 0.35, count), rng.uniform(0.001, 0.499, count)
        z = 1.5 * x + rng.normal(0.0, 0.02, count)
        found = shape_of(np.column_stack((x, y, z)))
        errors.append((found.middle_m[0] - 1.5 * 0.25) / np.sqrt(found.middle_variance_m2[0]))
    assert np.mean(errors) == pytest.approx(0.0, abs=0.2)
    assert np.std(errors) == pytest.approx(1.0, abs=0.15)


def test_too_few_returns_say_nothing() -> None:
    points = np.random.default_rng(5).uniform(0.1, 0.4, (7, 3))
    found = shape_of(points)
    assert np.isnan([found.residual_m[0], found.variation[0], found.middle_m[0]]).all()
