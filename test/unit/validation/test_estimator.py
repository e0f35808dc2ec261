# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""NIST's estimator finds the bias and scatter that were put in, and rows say what they miss."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.validation.check import as_json, as_markdown, bounded, scored
from vidgen_nodes.validation.estimator import score
from vidgen_nodes.validation.formulas import formula_checks


@settings(max_examples=30)
@given(bias=st.floats(0.3, 3.0), scatter=st.floats(0.15, 0.5), seed=st.integers(0, 1000))
def test_bias_and_scatter_are_found(bias: float, scatter: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    reference = np.exp(random.normal(0.0, 1.0, 20_000))
    seen = reference * np.exp(random.normal(0.0, 0.07, 20_000))
    model = bias * reference * np.exp(random.normal(-0.5 * scatter**2, scatter, 20_000))
    found = score(model, seen, 0.07)
    assert found.delta == pytest.approx(bias, rel=0.03)
    assert found.sigma == pytest.approx(scatter, rel=0.05)


def test_no_model_scatters_less_than_its_reference() -> None:
    assert score([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 0.08).sigma == pytest.approx(0.08)


@pytest.mark.parametrize("bad", [[1.0], [1.0, -2.0], [1.0, math.nan], [1.0, 0.0]])
def test_pairs_without_a_logarithm_are_refused(bad: list[float]) -> None:
    with pytest.raises(InputError):
        score(bad, [1.0] * len(bad), 0.07)


def test_a_row_that_misses_says_by_how_much() -> None:
    row = scored("K2", "x", score([1.5, 3.0, 4.5], [1.0, 2.0, 3.0], 0.07), (0.9, 1.15), 0.21)
    assert not row.passed
    assert "+0.350" in row.missed_by
    assert "missed" in as_markdown([row])
    number = bounded("K13", "y", math.nan, 1.0)
    assert not number.passed
    content = json.loads(json.dumps(as_json([row, number])))
    assert set(content["K2 x"]) >= {"delta", "sigma", "limit", "passed"}


def test_every_formula_gives_its_published_number() -> None:
    missed = [check for check in formula_checks() if not check.passed]
    assert not missed, missed
