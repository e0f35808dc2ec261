# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.packets import Fix, RtkStatus, SourceRef
from vidgen_nodes.sensing.fix_error import fix_variances_m2


def fix(rtk: RtkStatus, covariance: np.ndarray) -> Fix:
    return Fix(1, 47.0, 8.0, 400.0, covariance, rtk, SourceRef("fix", "", 1, b""))


def test_an_rtk_fix_is_as_wrong_as_it_says_and_anew_each_time() -> None:
    white, slow = fix_variances_m2(fix(RtkStatus.FIXED, np.diag((4e-4, 9e-4, 16e-4))))
    np.testing.assert_allclose(white, (4e-4, 9e-4, 16e-4))
    np.testing.assert_array_equal(slow, 0)


@pytest.mark.parametrize("rtk", [RtkStatus.SINGLE, RtkStatus.FLOAT])
def test_what_is_off_in_other_fixes_mostly_stays(rtk: RtkStatus) -> None:
    white, slow = fix_variances_m2(fix(rtk, np.eye(3) * 4.0))
    np.testing.assert_allclose(white + slow, 4.0)
    assert (slow > 5 * white).all()


@given(st.sampled_from((RtkStatus.SINGLE, RtkStatus.FLOAT, RtkStatus.FIXED)), st.floats(0, 1e6))
def test_no_receiver_is_better_than_it_can_be(rtk: RtkStatus, stated: float) -> None:
    white, slow = fix_variances_m2(fix(rtk, np.eye(3) * stated))
    floor = {RtkStatus.SINGLE: 0.5, RtkStatus.FLOAT: 0.05, RtkStatus.FIXED: 0.01}[rtk]
    assert np.sqrt(white + slow).min() >= floor * (1 - 1e-12)


def test_nothing_stated_is_not_perfect_and_status_orders_what_is_usual() -> None:
    for nothing in (np.zeros((3, 3)), np.full((3, 3), math.nan)):
        sizes = [
            math.sqrt(sum(v[0] for v in fix_variances_m2(fix(rtk, nothing)))) for rtk in list(RtkStatus)[1:]
        ]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > 1.0
