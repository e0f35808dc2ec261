# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The correlations give the published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidgen_nodes.generation import fire

AMBIENT_K = 295.15  # 22 degC, as in NIST's correlation cases


@pytest.mark.parametrize(
    ("heat_kw", "diameter_m", "height_m"),
    [(100, 0.3, 1.177), (500, 0.6, 2.211), (1000, 1.0, 2.704), (1500, 1.13, 3.228), (5000, 2.0, 5.050)],
)
def test_flame_height_vectors(heat_kw: float, diameter_m: float, height_m: float) -> None:
    assert fire.flame_height_m(heat_kw, diameter_m) == pytest.approx(height_m, abs=1e-3)


def test_flame_height_is_never_negative() -> None:
    assert fire.flame_height_m(10.0, 3.0) == 0.0


def test_mccaffrey_centreline_nist_vector() -> None:
    # NIST correlation case: Q = 1245 kW, z = 6 m, 22 degC gives 153.21 degC; it takes 0 degC as 273 K.
    rise = float(fire.centreline_temperature_rise_k(6.0, 1245.0, 295.0))
    assert 22.0 + rise == pytest.approx(153.21, abs=0.02)


def test_mccaffrey_fits_of_1979_within_8_percent() -> None:
    heat_kw = 57.5
    for x, rise in ((0.05, 800.0), (0.12, 63 / 0.12), (0.4, 21.6 * 0.4 ** (-5 / 3))):
        height_m = x * heat_kw**0.4
        assert float(fire.centreline_temperature_rise_k(height_m, heat_kw, 293.15)) == pytest.approx(
            rise, rel=0.08
        )


def test_heskestad_plume_nist_vector() -> None:
    diameter_m = math.sqrt(4 * 1.075 / math.pi)
    rise = float(fire.plume_temperature_rise_k(6.0, 1245.0, diameter_m, 0.40, AMBIENT_K))
    assert 22.0 + rise == pytest.approx(133.78, abs=0.1)


def test_velocity_is_continuous_at_the_region_borders() -> None:
    for border in (fire.CONTINUOUS_FLAME_END, fire.INTERMITTENT_FLAME_END):
        height = border * 1000.0**0.4
        below, above = fire.centreline_velocity_mps([height * 0.9999, height * 1.0001], 1000.0)
        assert below == pytest.approx(above, rel=0.02)


def test_rise_time_is_the_integral_of_one_over_velocity() -> None:
    heights = np.linspace(0.0, 8.0, 400001)[1:]
    slowness = 1.0 / fire.centreline_velocity_mps(heights, 1500.0)
    numeric = np.cumsum(slowness) * (heights[1] - heights[0])
    for height in (1.0, 3.0, 8.0):
        index = int(np.searchsorted(heights, height))
        assert float(fire.rise_time_s(heights[index], 1500.0)) == pytest.approx(numeric[index], rel=5e-3)


def test_half_width_above_the_virtual_origin() -> None:
    origin = fire.virtual_origin_m(1000.0, 1.0)
    assert float(fire.half_width_m(origin + 5.0, 1000.0, 1.0, 4 * 293.0, 293.0)) == pytest.approx(
        0.12 * 2 * 5.0
    )


def test_zukoski_constant_at_293_k() -> None:
    assert float(fire.zukoski_mass_flow_kg_per_s(1.0, 1.0, 293.0)) == pytest.approx(0.0765, abs=5e-4)


def test_heskestad_and_zukoski_entrainment_agree_within_their_scatter() -> None:
    heights = np.linspace(5.0, 12.0, 8)
    ratio = fire.entrained_mass_flow_kg_per_s(heights, 1500.0, 1.13, 0.3) / fire.zukoski_mass_flow_kg_per_s(
        heights, 1500.0, 293.0
    )
    assert np.all((ratio > 0.7) & (ratio < 1.3))


def test_t_squared_growth() -> None:
    assert fire.heat_release_kw(150.0, 0.04689, 1e6) == pytest.approx(1055.0, rel=1e-4)
    assert fire.heat_release_kw(150.0, 0.04689, 500.0) == 500.0
    assert fire.heat_release_kw(-1.0, 0.04689, 500.0) == 0.0


def test_smoke_optics() -> None:
    # 10 m visibility of reflecting signs (S = 3 / K) is 0.0345 g/m3 of soot.
    assert 3.0 / float(fire.soot_extinction_per_m(0.0345e-3)) == pytest.approx(10.0, rel=2e-3)
    # 10 m of that smoke lets 5 % of visible light through and about 83 % of LWIR.
    assert math.exp(-0.3 * 10) == pytest.approx(0.05, abs=0.001)
    assert math.exp(-0.3 * fire.LWIR_EXTINCTION_RATIO * 10) == pytest.approx(0.83, abs=0.01)
    assert fire.soot_release_kg_per_s(1450.0, 0.015, 14500.0) == pytest.approx(1.5e-3)


def test_scaling_groups() -> None:
    assert fire.characteristic_diameter_m(1000.0, 293.15) == pytest.approx(0.96, abs=5e-3)
    assert fire.dimensionless_heat_release(1105.63, 1.0, 293.15) == pytest.approx(1.0, rel=1e-4)
    assert fire.puffing_frequency_hz(1.0) == 1.5
    assert fire.radiant_flux_kw_per_m2(1000.0, 0.35, 5.0) == pytest.approx(1.114, abs=1e-3)
