# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A jet of steam: what flows, what condenses, and that the books close."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation import steam

LEAK = steam.SteamLeak((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), 600e3, 450.0, 0.005)


def test_a_leak_is_choked_above_the_critical_ratio() -> None:
    def at(ratio: float) -> steam.SteamLeak:
        return steam.SteamLeak((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), ratio * steam.AMBIENT_PA, 450.0, 0.005)

    assert at(1.84).is_choked
    assert not at(1.82).is_choked
    below, above = steam.mass_flow_kg_per_s(at(1.8324)), steam.mass_flow_kg_per_s(at(1.8326))
    assert below == pytest.approx(above, rel=1e-3)


def test_choked_flow_is_the_textbooks() -> None:
    # Cd A p0 / sqrt(R T0) times 0.6673 for gamma 1.3.
    area = 0.25 * math.pi * 0.005**2
    expected = 0.62 * area * 600e3 / math.sqrt(461.5 * 450.0) * 0.6673
    assert steam.mass_flow_kg_per_s(LEAK) == pytest.approx(expected, rel=1e-3)


def test_what_leaves_the_hole_is_what_the_expanded_jet_carries() -> None:
    jet = steam.expanded(LEAK)
    density = steam.AMBIENT_PA / (461.5 * jet.temperature_k)
    assert 0.25 * math.pi * jet.diameter_m**2 * density * jet.speed_mps == pytest.approx(
        jet.mass_flow_kg_per_s
    )
    assert jet.diameter_m > LEAK.diameter_m * math.sqrt(LEAK.discharge)


@settings(max_examples=60)
@given(
    share=st.floats(0.0, 1.0),
    steam_k=st.floats(373.15, 600.0),
    ambient_k=st.floats(255.0, 315.0),
    humidity=st.floats(0.0, 1.0),
)
def test_mixing_keeps_water_and_enthalpy(
    share: float, steam_k: float, ambient_k: float, humidity: float
) -> None:
    whole = steam.mixed([0.0, share, 1.0], steam_k, ambient_k, humidity)
    water = whole.vapour + whole.liquid
    assert (whole.vapour >= 0.0).all()
    assert (whole.liquid >= -1e-12).all()
    assert water[1] == pytest.approx(water[0] + share * (water[2] - water[0]), abs=1e-9)
    heat = steam.enthalpy_kj_per_kg(whole.temperature_k, 1.0 - water, water)
    assert heat[1] == pytest.approx(heat[0] + share * (heat[2] - heat[0]), rel=1e-6)


def test_the_latent_heat_is_released_once() -> None:
    air, water = np.array([0.0]), np.array([1.0])
    gas = steam.enthalpy_kj_per_kg(np.array([373.2]), air, water)
    liquid = 4.19 * 373.15
    assert float(gas[0]) - liquid == pytest.approx(2257.0, abs=1.0)


def test_a_mixture_with_little_steam_condenses_and_is_warmer_than_without() -> None:
    damp = steam.mixed(0.1, 420.0, 283.15)
    assert float(damp.liquid) > 0.005
    assert float(steam.droplet_extinction_per_m(damp.liquid * damp.density_kg_per_m3)) > 1.0
    dry = (0.1 * 2.0 * 420.0 + 0.9 * 283.15) / (0.2 + 0.9)
    assert float(damp.temperature_k) > dry


def test_pure_steam_is_dry_and_clear() -> None:
    assert float(steam.mixed(1.0, 420.0, 293.15).liquid) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"direction": (1.0, 1.0, 0.0)}, ConfigError),
        ({"pressure_pa": 90e3}, ConfigError),
        ({"temperature_k": 350.0}, ConfigError),
        ({"diameter_m": 0.0}, ConfigError),
        ({"diameter_m": math.nan}, InputError),
    ],
)
def test_a_leak_that_cannot_be_is_refused(change: dict[str, object], error: type[Exception]) -> None:
    given_ = {
        "position_m": (0.0, 0.0, 0.0),
        "direction": (0.0, 0.0, 1.0),
        "pressure_pa": 600e3,
        "temperature_k": 450.0,
        "diameter_m": 0.005,
    }
    with pytest.raises(error):
        steam.SteamLeak(**(given_ | change))  # type: ignore[arg-type]
