# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The jet's voxels carry the steam that leaves the hole, and hide both bands."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import steam
from vidgen_nodes.generation.steam_field import (
    AMBIENT_HUMIDITY,
    axial,
    cloud_length_m,
    fitting_resolution_m,
    jet_length_m,
    steam_field,
)

LEAK = steam.SteamLeak((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), 600e3, 450.0, 0.005)


def test_every_section_carries_the_same_steam() -> None:
    along = np.linspace(0.3, 0.9 * jet_length_m(LEAK), 12)
    speed, width, share = axial(LEAK, along)
    radius = np.linspace(0.0, 6.0, 2000)
    flow = []
    for u, b, y in zip(speed, width, share, strict=True):
        r = radius * b
        profile = u * np.exp(-((r / b) ** 2)) * y * np.exp(-((r / (1.2 * b)) ** 2))
        density = float(steam.mixed(y, steam.expanded(LEAK).temperature_k, 293.15).density_kg_per_m3)
        flow.append(density * float(np.trapezoid(profile * 2.0 * np.pi * r, r)))
    assert np.allclose(flow, steam.mass_flow_kg_per_s(LEAK), rtol=0.01)
    assert (np.diff(share) < 0.0).all()


def test_the_cloud_is_opaque_in_both_bands_and_ends() -> None:
    leak = steam.SteamLeak((0.0, 0.0, 1.0), (0.0, 0.0, 1.0), 300e3, 410.0, 0.04)
    field = steam_field(leak, 0.5, 278.15, 0.9)
    lwir, visible = field.extinction_lwir_per_m.numpy(), field.extinction_visible_per_m.numpy()
    assert np.isfinite(lwir).all()
    assert (lwir >= visible).all()
    through = visible.sum(axis=1).max() * field.resolution_m
    assert math.exp(-through) < 0.1
    assert not visible[-1].any()
    assert field.temperature_k.numpy().min() == pytest.approx(278.15, abs=0.5)


def test_dry_warm_air_hides_less_than_cold_damp_air() -> None:
    warm, cold = (steam_field(LEAK, 0.2, *air) for air in ((303.15, 0.2), (275.15, 0.95)))
    assert warm.extinction_visible_per_m.sum() < 0.5 * cold.extinction_visible_per_m.sum()


def test_a_leak_beyond_the_lattice_is_refused() -> None:
    with pytest.raises(ConfigError, match="coarser"):
        steam_field(LEAK, 0.005, 263.15)


def test_the_same_leak_gives_the_same_bytes() -> None:
    first, second = (steam_field(LEAK, 0.2).emission_w_per_m3_sr.numpy().tobytes() for _ in range(2))
    assert first == second


def test_the_lattice_ends_where_the_air_has_taken_up_the_droplets() -> None:
    cold, warm = (cloud_length_m(LEAK, kelvin, 0.5) for kelvin in (265.0, 303.15))
    assert warm < 0.25 * cold <= 0.25 * jet_length_m(LEAK)
    field = steam_field(LEAK, 0.02, 293.15)
    visible = field.extinction_visible_per_m.numpy()
    for axis, ends in ((0, (0, -1)), (1, (0, -1)), (2, (-1,))):
        for end in ends:
            assert np.take(visible, end, axis=axis).max() < 0.05 * visible.max()


@settings(max_examples=20)
@given(st.floats(0.02, 0.5), st.floats(250.0, 310.0), st.integers(1000, 100_000))
def test_a_long_jet_is_made_coarser_until_it_fits(resolution_m: float, ambient_k: float, most: int) -> None:
    found_m = fitting_resolution_m(LEAK, resolution_m, ambient_k, most)
    eighth_m = (
        cloud_length_m(LEAK, ambient_k, AMBIENT_HUMIDITY) / 8.0
    )  # a short one gets voxels no longer than that
    assert found_m >= min(resolution_m, max(eighth_m, 0.02))
    assert steam_field(LEAK, found_m, ambient_k).temperature_k.numel() <= most
