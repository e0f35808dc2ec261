# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.sensing import band_radiance as band


def test_published_vectors() -> None:
    temperature_k = (273.15, 293.15, 300.0, 373.15, 573.15, 873.15, 1273.15)
    expected = (35.152, 49.373, 54.934, 136.778, 545.62, 1472.12, 2961.56)
    assert band_radiance_w_per_m2_sr(temperature_k) == pytest.approx(expected, rel=2e-5)
    assert float(band_radiance_w_per_m2_sr(300.0, (7.5, 13.5))) == pytest.approx(55.49, rel=1e-4)
    slope = np.diff(band_radiance_w_per_m2_sr([299.5, 300.5, 372.65, 373.65]))[[0, 2]]
    assert slope == pytest.approx([0.8378, 1.397], rel=5e-4)


def test_the_way_back_is_within_a_millikelvin() -> None:
    temperature_k = np.linspace(band.LOW_K + 0.1, band.HIGH_K - 0.1, 30011)
    exact = band.temperature_k(band_radiance_w_per_m2_sr(temperature_k))
    by_table = band.temperature_k(band.table_radiance_w_per_m2_sr(temperature_k))
    assert np.abs(exact - temperature_k).max() < 1e-3
    assert np.abs(by_table - temperature_k).max() < 1e-6


def test_outside_the_table_there_is_no_number() -> None:
    assert np.isnan(band.table_radiance_w_per_m2_sr([149.0, 3501.0])).all()
    assert np.isnan(band.temperature_k([0.0, -5.0, 1e9])).all()
