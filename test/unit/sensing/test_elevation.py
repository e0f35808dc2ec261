# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.sensing.elevation import CONTRADICTIONS, MIN_VARIANCE_M2, Elevation, Fused

ONE = np.ones(1, np.intp)


def fuse(
    cell: Elevation, height_m: float, variance_m2: float, elapsed_s: float = 0.0, stamp_ns: int = 1
) -> Fused:
    return cell.fuse(ONE, np.array([height_m]), np.array([variance_m2]), elapsed_s, stamp_ns)


@given(st.floats(-0.1, 0.1), st.floats(1e-3, 1.0), st.floats(1e-3, 1.0))
def test_two_measurements_fuse_as_the_equation_says(
    apart_m: float, first_m2: float, second_m2: float
) -> None:
    cell = Elevation((1, 1))
    fuse(cell, 5.0, first_m2)
    if not fuse(cell, 5.0 + apart_m, second_m2).used[0]:
        assert apart_m**2 > 2.5**2 * (first_m2 + second_m2) * (1 - 1e-9)
        return
    total = first_m2 + second_m2
    assert cell.height_m[0] == pytest.approx((second_m2 * 5.0 + first_m2 * (5.0 + apart_m)) / total)
    assert cell.variance_m2[0] == pytest.approx(max(first_m2 * second_m2 / total, MIN_VARIANCE_M2))


def test_the_variance_has_a_floor_and_grows_while_nothing_is_seen() -> None:
    cell = Elevation((1, 1))
    for _ in range(500):
        fuse(cell, 1.0, 1e-3)
    assert cell.variance_m2[0] == MIN_VARIANCE_M2
    cell.fuse(np.zeros(1, np.intp), np.zeros(1), np.ones(1), 60.0, 2)
    assert cell.variance_m2[0] > 100 * MIN_VARIANCE_M2
    assert cell.height_m[0] == 1.0
    assert cell.observed_ns[0] == 1


def test_one_outlier_changes_nothing_and_the_third_in_a_row_is_believed() -> None:
    cell = Elevation((1, 1))
    fuse(cell, 0.0, 1e-3)
    for k in range(CONTRADICTIONS - 1):
        fused = fuse(cell, 2.0, 1e-3, stamp_ns=2 + k)
        assert fused.contradicted[0]
        assert (cell.height_m[0], cell.observations[0], cell.observed_ns[0]) == (0.0, 1, 1)
    fused = fuse(cell, 2.0, 1e-3, stamp_ns=9)
    assert fused.moved[0]
    assert not fused.contradicted[0]
    assert (cell.height_m[0], cell.observations[0], cell.observed_ns[0]) == (2.0, 1, 9)


def test_an_outlier_between_good_measurements_does_not_add_up() -> None:
    cell = Elevation((1, 1))
    for k in range(20):
        fuse(cell, 3.0 if k % 2 else 0.0, 1e-3, stamp_ns=1 + k)
    assert cell.height_m[0] == pytest.approx(0.0)
