# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.sensing.occupancy import KNOWN_BIT, Occupancy

YES, NO = np.ones(1, bool), np.zeros(1, bool)
HIT, MISS, GHOST = (YES, NO, NO, NO), (NO, YES, NO, NO), (YES, NO, YES, NO)


def after(*scans: tuple[np.ndarray, ...]) -> float:
    cell = Occupancy((1, 1))
    for scan in scans:
        cell.add(*scan)
    return float(cell.entropy_bit()[0])


def entropy_bit(p: float) -> float:
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def test_never_seen_is_one_bit_and_one_hit_is_that_of_the_octomap_model() -> None:
    assert after() == 1.0
    assert after(HIT) == pytest.approx(entropy_bit(0.7))
    assert after(MISS) == pytest.approx(entropy_bit(0.4))
    assert after(HIT, MISS) == pytest.approx(entropy_bit(1 / (1 + np.exp(-np.log(7 / 3) - np.log(2 / 3)))))


def test_it_stays_within_the_clamps() -> None:
    assert after(*[HIT] * 50) == pytest.approx(entropy_bit(0.97))
    assert after(*[MISS] * 50) == pytest.approx(entropy_bit(0.12))
    assert after(*[HIT] * 50) < KNOWN_BIT


def test_ghosts_over_a_known_surface_raise_the_entropy() -> None:
    assert after(*[HIT] * 50, GHOST) > after(*[HIT] * 50) + 0.05


@given(st.lists(st.sampled_from([HIT, MISS, GHOST, (NO, NO, YES, NO), (YES, NO, NO, YES)]), max_size=40))
def test_the_entropy_is_between_none_and_one_bit(scans: list[tuple[np.ndarray, ...]]) -> None:
    assert 0.0 < after(*scans) <= 1.0
