# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Band radiance gives the reference values, and the table inverts it."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.generation import radiance


@pytest.mark.parametrize(
    ("temperature_k", "expected"),
    [
        (273.15, 35.152),
        (293.15, 49.373),
        (300.0, 54.934),
        (373.15, 136.778),
        (573.15, 545.62),
        (873.15, 1472.12),
        (1273.15, 2961.56),
    ],
)
def test_band_radiance_vectors(temperature_k: float, expected: float) -> None:
    assert float(band_radiance_w_per_m2_sr(temperature_k)) == pytest.approx(expected, rel=1e-4)
    assert float(radiance.table_radiance_w_per_m2_sr(temperature_k)) == pytest.approx(expected, rel=1e-3)


def test_slope_at_300_k() -> None:
    low, high = band_radiance_w_per_m2_sr([299.5, 300.5])
    assert high - low == pytest.approx(0.8378, abs=2e-4)


def test_inverse_is_within_5_mk_from_minus_20_to_1200_degc() -> None:
    temperature_k = np.linspace(253.15, 1473.15, 5001)
    back = radiance.apparent_temperature_k(band_radiance_w_per_m2_sr(temperature_k))
    assert np.abs(back - temperature_k).max() < 5e-3


def test_table_for_look_up_by_index_matches() -> None:
    table = radiance.radiance_table()
    index = round((300.0 - radiance.TABLE_LOW_K) / radiance.TABLE_STEP_K)
    assert float(table[index]) == pytest.approx(54.934, rel=1e-4)
