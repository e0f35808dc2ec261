# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.generation.thermal_sensor import ThermalSensor

WHOLE = (0, 0, 200, 150)


def grey(alpha: int, value: int = 128) -> np.ndarray:
    picture = np.full((150, 200, 4), value, np.uint8)
    picture[..., 3] = alpha
    return picture


@given(hottest_degc=st.floats(60.0, 1900.0), above_k=st.floats(0.0, 900.0))
def test_what_is_hotter_than_the_range_looks_like_its_end(hottest_degc: float, above_k: float) -> None:
    palette = ThermalSensor(hottest_degc, 0.0).palette
    seen = palette.of(
        band_radiance_w_per_m2_sr(np.array([hottest_degc + 273.15, hottest_degc + 273.15 + above_k]))
    )
    assert (np.abs(seen[0].astype(int) - seen[1]) <= 1).all()
    assert (np.abs(seen[1].astype(int) - (255, 250, 214)) <= 1).all()


@given(hottest_degc=st.floats(60.0, 1900.0))
def test_within_the_range_colours_tell_temperatures_apart(hottest_degc: float) -> None:
    palette = ThermalSensor(hottest_degc, 0.0).palette
    kelvin = np.linspace(300.0, hottest_degc + 273.15, 6)
    colours = palette.of(band_radiance_w_per_m2_sr(kelvin))
    assert len(np.unique(colours, axis=0)) == 6


@pytest.mark.parametrize("alpha", [255, 128, 40])
def test_overlay_and_picture_together_have_the_cameras_noise(alpha: int) -> None:
    sensor = ThermalSensor(150.0, 4000.0)
    picture = grey(alpha)
    sensor.add_noise(picture, WHOLE, 7)
    share = alpha / 255.0
    own = share * (picture[..., 0].astype(float) - 128.0)
    left = (1.0 - share) * sensor.noise_steps  # of the picture below
    assert np.hypot(own.std(), left) == pytest.approx(sensor.noise_steps, rel=0.03)
    assert abs(own.mean()) < 0.1 * sensor.noise_steps


@settings(max_examples=30)
@given(stamp_ns=st.integers(0, 2**62), alpha=st.integers(0, 255))
def test_noise_is_a_function_of_stamp_and_pixel_and_touches_no_alpha(stamp_ns: int, alpha: int) -> None:
    sensor = ThermalSensor(150.0, 4000.0)
    whole, part = grey(alpha), grey(alpha)
    sensor.add_noise(whole, WHOLE, stamp_ns)
    sensor.add_noise(part, (20, 30, 60, 90), stamp_ns)
    assert np.array_equal(whole[30:90, 20:60], part[30:90, 20:60])
    assert (part[:30] == grey(alpha)[:30]).all()
    assert (whole[..., 3] == alpha).all()
    if alpha == 0:
        assert (whole == grey(0)).all()


def test_noise_is_another_one_in_the_next_frame() -> None:
    sensor = ThermalSensor(150.0, 4000.0)
    one, two = grey(255), grey(255)
    sensor.add_noise(one, WHOLE, 1_000_000_000)
    sensor.add_noise(two, WHOLE, 1_020_000_000)
    correlation = np.corrcoef(one[..., 0].ravel(), two[..., 0].ravel())[0, 1]
    assert abs(correlation) < 0.03


def test_noise_that_no_display_shows_changes_no_byte() -> None:
    picture = grey(255)
    ThermalSensor(907.0, 50.0).add_noise(picture, WHOLE, 7)
    assert (picture == grey(255)).all()
