# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Returns land in their cells and add up there, to the last bit as whole-array arithmetic has it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import Grid, Pose
from vidgen_nodes.sensing.cell_passes import smallest_roots
from vidgen_nodes.sensing.cell_returns import CellReturns, add_near, add_up, locate
from vidgen_nodes.sensing.transform import pose_from_rpy, rotation_matrix

GRID = Grid(-3.0, 2.0, 0.5, 11, 14)


def in_arrays(points: np.ndarray, pose: Pose) -> CellReturns:
    """The same by numpy."""
    kind = points.dtype
    shift = (pose.translation_m - (GRID.origin_east_m, GRID.origin_north_m, 0.0)).astype(kind)
    turn = rotation_matrix(pose).astype(kind)
    east, north, z = (row[0] * points[:, 0] + row[1] * points[:, 1] + row[2] * points[:, 2] + offset
                      for row, offset in zip(turn, shift, strict=True))  # fmt: skip
    east, north = east * kind.type(1.0 / GRID.resolution_m), north * kind.type(1.0 / GRID.resolution_m)
    inside = (east >= 0) & (east < GRID.cols) & (north >= 0) & (north < GRID.rows) & np.isfinite(z)
    east, north, z = east[inside], north[inside], z[inside]
    col, row = east.astype(np.intp), north.astype(np.intp)
    east, north, z = ((v).astype(np.float32) for v in (east - col, north - row, z))
    return CellReturns(row * GRID.cols + col, east, north, z, inside.size - int(inside.sum()))


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from([np.float32, np.float64]), broken=st.integers(0, 5))
def test_passes_agree_with_arrays_bit_for_bit(seed: int, kind: type, broken: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(0.0, 4.0, (200, 3)).astype(kind)
    points[rng.integers(0, 200, broken), rng.integers(0, 3, broken)] = rng.choice([np.nan, np.inf, -np.inf])
    pose = pose_from_rpy(rng.normal((0.0, 4.0, 5.0), 2.0), rng.uniform(-60.0, 60.0, 3))
    with np.errstate(invalid="ignore"):
        expected = in_arrays(points, pose)
    found = locate(points, pose, GRID)
    assert found.outside == expected.outside
    for name in ("cell", "east", "north", "z_m"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()

    cells = GRID.rows * GRID.cols
    level = rng.normal(5.0, 1.0, cells).astype(np.float32)
    sums, below = add_near(found, level, 0.5, 1.0)
    height = found.z_m - level[found.cell]
    kept = np.abs(height) <= 0.5
    cell, x, y, z = found.cell[kept], found.east[kept], found.north[kept], height[kept]
    count = np.bincount(cell, minlength=cells)
    assert (sums.count == count).all()
    assert (below == np.bincount(found.cell[height < -1.0], minlength=cells)).all()
    totals = [np.bincount(cell, weights=v, minlength=cells) for v in (x, y, z)]
    assert np.array_equal(sums.mean, np.array(totals) / np.maximum(count, 1))
    for row, (a, b) in enumerate(((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))):
        product = np.bincount(cell, weights=(x, y, z)[a] * (x, y, z)[b], minlength=cells)
        assert np.array_equal(sums.moments[row], product - totals[a] * totals[b] / np.maximum(count, 1))


def test_without_a_level_every_return_counts() -> None:
    points = np.array([[0.1, 2.1, -40.0], [0.2, 2.2, 90.0], [50.0, 2.0, 0.0]], np.float32)
    returns = locate(points, Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])), GRID)
    assert returns.outside == 1
    sums = add_up(returns, GRID.rows * GRID.cols)
    assert sums.count.sum() == 2
    assert sums.mean[2].max() == pytest.approx(25.0)


@example([15.893783714613367] * 3)
@given(st.lists(st.floats(0.0, 100.0), min_size=3, max_size=3))
def test_smallest_root_is_the_smallest_eigenvalue(values: list[float]) -> None:
    a, b, c = values
    root = np.empty(1)
    trace, minors, determinant = a + b + c, a * b + b * c + a * c, a * b * c
    smallest_roots(np.array([trace]), np.array([minors]), np.array([determinant]), 200, 1e-9, root)
    assert root[0] == pytest.approx(min(values), rel=1e-3, abs=1e-5 * max(1.0, max(values)))
