# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The fast solver solves the discrete equation, whatever bounds the box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.poisson import FastPoisson, axis_basis

PAIRS = st.sampled_from(
    [("closed", "closed"), ("open", "open"), ("closed", "open"), ("open", "closed"), ("periodic", "periodic")]
)


def minus_laplacian(p: np.ndarray, kinds: tuple[tuple[str, str], ...]) -> np.ndarray:
    total = np.zeros_like(p)
    for axis, (low, high) in enumerate(kinds):
        q = np.moveaxis(p, axis, 0)
        ghost = {"closed": 1.0, "open": -1.0}
        first = q[-1] if low == "periodic" else ghost[low] * q[0]
        last = q[0] if high == "periodic" else ghost[high] * q[-1]
        padded = np.concatenate((first[None], q, last[None]))
        total += np.moveaxis(2.0 * q - padded[:-2] - padded[2:], 0, axis)
    return total


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(2, 9), st.integers(2, 12)),
    kinds=st.tuples(PAIRS, PAIRS, PAIRS),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_solution_solves(
    shape: tuple[int, int, int], kinds: tuple[tuple[str, str], ...], seed: int
) -> None:
    right = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    if not any("open" in pair for pair in kinds):
        right -= right.mean()
    solution = FastPoisson(shape, kinds).solve(right)
    left = minus_laplacian(solution.astype(np.float64), kinds) - right
    assert np.abs(left).max() <= 2e-5 * max(1.0, np.abs(solution).max())


@pytest.mark.parametrize("count", [1, 2, 5, 8, 33])
@pytest.mark.parametrize("pair", [("closed", "closed"), ("open", "closed"), ("periodic", "periodic")])
def test_eigenvectors_are_orthonormal(count: int, pair: tuple[str, str]) -> None:
    basis, values = axis_basis(count, pair)
    assert np.allclose(basis.T @ basis, np.eye(count), atol=1e-12)
    assert (values >= -1e-12).all()
