# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A cycle through the coarse levels is linear, symmetric and positive, whatever stands in the box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.blocks import Lumps, first_lumps
from vidgen_nodes.generation.flow.coarse import Coarse
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, make_domain
from vidgen_nodes.generation.flow.sublattices import Sublattices


def lumps_of(solid: np.ndarray, sides: dict[str, str]) -> Lumps:
    shape: tuple[int, int, int] = tuple(int(count) for count in solid.shape)  # type: ignore[assignment]
    domain = make_domain(FlowGrid((0.0, 0.0, 0.0), 0.25, shape), Boundaries(sides, solid))
    return first_lumps(domain, Sublattices(shape))[0]


def matrix_of(lumps: Lumps) -> np.ndarray:
    links, rims = lumps.conductance()
    matrix = np.zeros((len(lumps), len(lumps)))
    for one, other, link in zip(lumps.one, lumps.other, links, strict=True):
        matrix[one, other] -= link
        matrix[other, one] -= link
        matrix[one, one] += link
        matrix[other, other] += link
    np.add.at(matrix, (lumps.rim, lumps.rim), rims)
    return matrix


def answer(coarse: Coarse, lumps: Lumps, right: np.ndarray) -> np.ndarray:
    coarse.given[lumps.index] = right
    return coarse.cycle()[lumps.index].astype(np.float64)


@settings(max_examples=15)
@given(share=st.floats(0.0, 0.6), opened=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_a_cycle_is_symmetric_and_positive(share: float, opened: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    solid = random.random((16, 18, 21)) < share
    solid[0, 0, 0] = False
    lumps = lumps_of(solid, {"ceiling": "open"} if opened else {})
    coarse = Coarse(lumps)
    one, other = random.standard_normal((2, len(lumps)))
    mine, theirs = answer(coarse, lumps, one), answer(coarse, lumps, other)
    size = np.linalg.norm(mine) * np.linalg.norm(other) + np.linalg.norm(theirs) * np.linalg.norm(one)
    assert abs(mine @ other - theirs @ one) <= 1e-5 * size
    assert mine @ one > 0.0
    both = answer(coarse, lumps, one + other)
    assert np.abs(both - mine - theirs).max() <= 1e-4 * np.abs(both).max()


def test_few_lumps_are_solved_at_once() -> None:
    lumps = lumps_of(np.zeros((8, 8, 8), bool), {"ceiling": "open"})
    right = np.random.default_rng(3).standard_normal(len(lumps))
    found = answer(Coarse(lumps), lumps, right)
    assert np.abs(matrix_of(lumps) @ found - right).max() <= 1e-4


@pytest.mark.parametrize("sides", [{}, {"ceiling": "open"}])
def test_a_cycle_leaves_a_small_part(sides: dict[str, str]) -> None:
    solid = np.zeros((24, 24, 24), bool)
    solid[:, :, 11] = True
    solid[:4, 10:14, 11] = False
    lumps = lumps_of(solid, sides)
    right = np.random.default_rng(4).standard_normal(len(lumps))
    right -= right.mean()
    coarse, matrix, left = Coarse(lumps), matrix_of(lumps), right.copy()
    assert len(lumps) > 450  # there are levels to go through
    for _ in range(6):
        left -= matrix @ answer(coarse, lumps, left)
    assert np.abs(left).max() <= 0.02 * np.abs(right).max()


def test_air_without_links_needs_no_level() -> None:
    solid = np.ones((4, 4, 4), bool)
    solid[:2, :2, :2] = False
    lumps = lumps_of(solid, {})
    assert len(lumps) == 0
    assert not Coarse(lumps).cycle().any()
