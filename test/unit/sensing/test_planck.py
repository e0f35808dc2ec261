# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.sensing.planck import PlanckConstants

SC660 = PlanckConstants(21106.77, 1501.0, 1.0, -7340.0, 0.012545258)
T300 = PlanckConstants(14364.633, 1385.4, 1.0, -5753.0, 0.010603162)
MIKRON = PlanckConstants(21106.77, 9758.74, 29.376, 1278.9, 0.03766)


def test_published_vectors_of_the_sc660() -> None:
    assert float(SC660.counts(293.15)) == pytest.approx(17452.3, abs=0.05)
    assert float(SC660.temperature_k(18109)) - 273.15 == pytest.approx(23.624, abs=5e-4)
    assert float(SC660.counts(300.5) - SC660.counts(299.5)) == pytest.approx(191.0, abs=0.1)


# The Mikron is a pyrometer of short waves: below red heat its signal is nothing beside its offset.
@pytest.mark.parametrize(
    ("camera", "low_k"), [(SC660, 253.15), (T300, 253.15), (MIKRON, 600.0)], ids=["sc660", "t300", "mikron"]
)
def test_there_and_back_is_within_a_millikelvin(camera: PlanckConstants, low_k: float) -> None:
    temperature_k = np.linspace(low_k, 1473.15, 20001)
    counts = camera.counts(temperature_k)
    assert np.abs(camera.temperature_k(counts) - temperature_k).max() < 1e-4
    assert (np.diff(counts) > 0).all()


@given(
    st.floats(0, 1e300), st.floats(0.1, 1e6), st.floats(-1e3, 1e3), st.floats(-1e6, 1e6), st.floats(1e-6, 1e3)
)
def test_any_count_has_a_temperature_above_zero_or_none(
    r1: float, b: float, f: float, o: float, r2: float
) -> None:
    if r1 == 0.0:
        with pytest.raises(ConfigError):
            PlanckConstants(r1, b, f, o, r2)
        return
    found = PlanckConstants(r1, b, f, o, r2).temperature_k(np.array([-1e9, 0, 1, 7340, 16383, 65535, 1e9]))
    assert (np.isnan(found) | (found > 0.0)).all()


@pytest.mark.parametrize("name", ["r1", "b_k", "f", "o", "r2"])
def test_constants_that_are_no_numbers_are_refused(name: str) -> None:
    good = {"r1": 21106.77, "b_k": 1501.0, "f": 1.0, "o": -7340.0, "r2": 0.0125}
    with pytest.raises(ConfigError, match="PlanckR1"):
        PlanckConstants(**{**good, name: math.nan})
