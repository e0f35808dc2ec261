# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import SourceRef, ThermalFrame, ThermalImage
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.sensing.planck import PlanckConstants
from vidgen_nodes.sensing.temperature import ObjectTemperature
from vidgen_nodes.sensing.thermal import ThermalIngest

SC660 = {"radiometry": "planck", "planck_r1": 21106.77, "planck_b_k": 1501.0, "planck_f": 1.0, "planck_o": -7340.0,
         "planck_r2": 0.012545258}  # fmt: skip
THROUGH_AIR = {"emissivity": 0.9, "object_distance_m": 50.0, "reflected_degc": 15.0, "air_degc": 25.0}


def ingest(params: ThermalParams, pixels: np.ndarray, encoding: str = "mono16") -> ThermalFrame:
    source = SourceRef("image", "Image", 1, b"i")
    return ThermalIngest(params).process(ThermalImage(1, "cam", encoding, pixels, source))


@given(
    planck=st.booleans(),
    emissivity=st.floats(0.3, 1.0),
    distance_m=st.floats(0.0, 200.0),
    humidity=st.floats(0.0, 100.0),
    surroundings=st.tuples(st.floats(-20.0, 60.0), st.floats(-20.0, 40.0)),
    object_degc=st.floats(-20.0, 1200.0),
)
def test_there_and_back_is_within_a_millikelvin(
    planck, emissivity, distance_m, humidity, surroundings, object_degc
):
    reflected_degc, air_degc = surroundings
    chain = ObjectTemperature(
        ThermalParams(
            **(SC660 if planck else {}), emissivity=emissivity, object_distance_m=distance_m, air_degc=air_degc,
            relative_humidity_percent=humidity, reflected_degc=reflected_degc,
        )
    )  # fmt: skip
    object_k = np.array([object_degc + 273.15])
    assert chain.object_k(chain.brightness_k(object_k)) == pytest.approx(object_k, abs=1e-3)


def test_an_object_as_warm_as_all_around_it_looks_as_it_is() -> None:
    params = ThermalParams(emissivity=0.3, object_distance_m=100.0, air_degc=20.0, reflected_degc=20.0)
    assert ObjectTemperature(params).brightness_k(np.array([293.15])) == pytest.approx([293.15], abs=1e-6)


def test_bright_metal_looks_cooler_than_it_is() -> None:
    chain = ObjectTemperature(ThermalParams(emissivity=0.1, reflected_degc=20.0))
    assert chain.brightness_k(np.array([473.15]))[0] < 350.0


def test_brightness_is_passed_on_where_nothing_is_between() -> None:
    params = ThermalParams()
    frame = ingest(params, np.full((20, 20), 30000, np.uint16))
    temperature_k = ObjectTemperature(params).of(frame)
    assert temperature_k is not None
    assert temperature_k.dtype == np.float32
    assert temperature_k == pytest.approx(np.full((20, 20), 300.0), abs=1e-4)


@pytest.mark.parametrize("settings_", [{}, THROUGH_AIR], ids=["plain", "air"])
def test_sixteen_bit_and_float_images_of_one_scene_agree(settings_: dict[str, float]) -> None:
    scene_k = np.linspace(260.0, 420.0, 400).reshape(20, 20)
    params = ThermalParams(**settings_)
    counts = ObjectTemperature(params).of(ingest(params, np.rint(scene_k * 100).astype(np.uint16)))
    floats = ObjectTemperature(params).of(ingest(params, scene_k.astype(np.float32), "32FC1"))
    celsius = ObjectTemperature(params).of(ingest(params, (scene_k - 273.15).astype(np.float32), "32FC1"))
    assert counts == pytest.approx(floats, abs=0.012)
    assert celsius == pytest.approx(floats, abs=1e-3)


def test_planck_counts_through_the_whole_chain() -> None:
    """Counts made with the published formula of section 5, every term written out here."""
    params = ThermalParams(**SC660, **THROUGH_AIR)
    camera = PlanckConstants(21106.77, 1501.0, 1.0, -7340.0, 0.012545258)
    object_k = np.linspace(280.0, 380.0, 400).reshape(20, 20)
    water = 0.5 * math.exp(1.5587 + 0.06939 * 25 - 2.7816e-4 * 25**2 + 6.8455e-7 * 25**3)
    tau = 1.9 * math.exp(-math.sqrt(50) * (0.006569 - 0.002276 * math.sqrt(water)))
    tau += (1 - 1.9) * math.exp(-math.sqrt(50) * (0.01262 - 0.00667 * math.sqrt(water)))
    counts = (
        0.9 * tau * camera.counts(object_k)
        + tau * 0.1 * camera.counts(288.15)
        + (1 - tau) * camera.counts(298.15)
    )
    found = ObjectTemperature(params).of(ingest(params, np.rint(counts).astype(np.uint16)))
    assert found == pytest.approx(object_k, abs=0.01)  # half a count is 3 mK, half a step of the frame 2 mK


def test_clipped_pixels_are_no_number() -> None:
    pixels = np.full((20, 20), 30000, np.uint16)
    pixels[5], pixels[6] = 65535, 29000
    found = ObjectTemperature(ThermalParams()).of(ingest(ThermalParams(), pixels))
    assert found is not None
    assert np.isposinf(found[5]).all()
    assert np.isfinite(np.delete(found, 5, axis=0)).all()


@pytest.mark.parametrize("mode", [{}, THROUGH_AIR, SC660], ids=["linear", "air", "planck"])
def test_what_is_out_of_the_cameras_range_is_no_number(mode: dict[str, float]) -> None:
    params = ThermalParams(**mode, range_low_k=253.15, range_high_k=423.15)
    camera = PlanckConstants(21106.77, 1501.0, 1.0, -7340.0, 0.012545258)
    scene_k = np.array([250.0, 253.2, 300.0, 423.0, 423.15, 430.0]).repeat(70).reshape(21, 20)
    counts = camera.counts(scene_k) if "planck_r1" in mode else scene_k * 100
    frame = ingest(params, np.rint(counts).astype(np.uint16))
    found = ObjectTemperature(params).of(frame)
    assert found is not None
    assert np.isneginf(found[scene_k == 250.0]).all()
    assert np.isposinf(found[scene_k == 430.0]).all()
    assert np.isfinite(found[(scene_k > 253.0) & (scene_k < 423.1)]).all()
    assert frame.saturated_fraction > 0.0


@pytest.mark.parametrize("encoding", ["mono16", "32FC1"])
def test_a_pixel_at_the_very_end_of_the_range_is_clipped(encoding: str) -> None:
    params = ThermalParams(range_low_k=253.15, range_high_k=423.15)
    scene = np.array([253.15, 253.16, 423.14, 423.15]).repeat(100).reshape(20, 20)
    pixels = np.rint(scene * 100).astype(np.uint16) if encoding == "mono16" else scene.astype(np.float32)
    found = ObjectTemperature(params).of(ingest(params, pixels, encoding))
    assert found is not None
    assert [bool(np.isinf(found.ravel()[k])) for k in (0, 100, 200, 300)] == [True, False, False, True]


def test_nothing_is_said_of_a_picture_without_temperature() -> None:
    params = ThermalParams()
    assert ObjectTemperature(params).of(ingest(params, np.full((20, 20), 90, np.uint8), "mono8")) is None


def test_a_pixel_that_was_not_measured_stays_so() -> None:
    pixels = np.full((20, 20), 300.0, np.float32)
    pixels[3, 3] = np.nan
    for params in (ThermalParams(), ThermalParams(**THROUGH_AIR)):
        found = ObjectTemperature(params).of(ingest(params, pixels, "32FC1"))
        assert found is not None
        assert np.isnan(found[3, 3])
        assert np.isnan(found).sum() == 1


def test_more_air_than_can_be_seen_through_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="transmission"):
        ObjectTemperature(
            ThermalParams(object_distance_m=2000.0, air_degc=40.0, relative_humidity_percent=100.0)
        )


@given(
    emissivity=st.floats(0.3, 1.0), distance_m=st.floats(0.0, 200.0),
    degc=st.lists(st.floats(-100.0, 1400.0), min_size=1, max_size=50),
)  # fmt: skip
def test_the_fast_way_of_float_pictures_says_the_same(emissivity, distance_m, degc) -> None:
    params = ThermalParams(radiometry="kelvin", emissivity=emissivity, object_distance_m=distance_m)
    chain = ObjectTemperature(params)
    brightness_k = np.array([degc], np.float32) + np.float32(273.15)
    frame = ThermalFrame(1, "cam", "32FC1", brightness_k, 0, None, True, 1.0, 0.0, 0.0, False, ())
    found, exact = chain.of(frame), chain.object_k(brightness_k.astype(np.float64))
    assert found is not None
    both = np.isfinite(found) & np.isfinite(exact)
    assert chain.brightness_k(found[both].astype(np.float64)) == pytest.approx(brightness_k[both], abs=2e-3)
    # Only within a tenth of a kelvin of where temperatures end may one say more than the other.
    assert (np.isfinite(found) == np.isfinite(exact))[exact > 200.0].all()
