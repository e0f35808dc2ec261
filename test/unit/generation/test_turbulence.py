# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Carried noise is centred, of unit variance, continuous, periodic, and its seed's alone."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.generation.turbulence import SLICES, SLICES_PER_SIGMA, CarriedNoise, seed_of

WHOLE = slice(None)
SIGMA_S = 0.05
PERIOD_S = SLICES * SIGMA_S / SLICES_PER_SIGMA


def noise(seed: int = 4) -> CarriedNoise:
    return CarriedNoise(seed, (12, 14), 1.5, SIGMA_S, 0.5)


def test_mean_and_variance() -> None:
    values = noise().at(np.linspace(0.0, PERIOD_S, 500, endpoint=False), WHOLE, WHOLE)
    assert float(values.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(values.std()) == pytest.approx(1.0, abs=0.05)


def test_continuous_also_across_the_period() -> None:
    times_s = np.arange(-PERIOD_S, PERIOD_S, 1e-3)
    steps = np.abs(np.diff(noise().at(times_s, WHOLE, WHOLE).numpy(), axis=0))
    assert steps.max() < 0.15


def test_a_feature_rises_with_the_flow() -> None:
    # A parcel that takes tau to a level shows there at t what the base showed at t - tau.
    base = noise().at(np.array([3.0]), WHOLE, WHOLE)
    aloft = noise().at(np.array([3.7]) - np.array([0.7]), WHOLE, WHOLE)
    assert np.allclose(base, aloft, atol=1e-4)


def test_seed_decides_and_a_window_is_a_part_of_the_whole() -> None:
    times_s = np.array([0.1, 0.2])
    whole = noise().at(times_s, WHOLE, WHOLE).numpy()
    assert np.array_equal(whole, noise().at(times_s, WHOLE, WHOLE).numpy())
    assert not np.array_equal(whole, noise(5).at(times_s, WHOLE, WHOLE).numpy())
    assert np.array_equal(whole[:, 3:7, 2:9], noise().at(times_s, slice(3, 7), slice(2, 9)).numpy())


def test_seeds_of_names_differ() -> None:
    assert len({seed_of(seed, name) for seed in (0, 1) for name in ("a", "b")}) == 4
