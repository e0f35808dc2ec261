# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import CameraCalibration, SourceRef, ThermalImage
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.sensing.calibration import scaled_to
from vidgen_nodes.sensing.planck import PlanckConstants
from vidgen_nodes.sensing.temperature import ObjectTemperature
from vidgen_nodes.sensing.thermal import ThermalIngest, explain_radiometry

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


def image(stamp_ns: int, pixels: np.ndarray | None = None, encoding: str = "mono16") -> ThermalImage:
    if pixels is None:
        pixels = np.random.default_rng(stamp_ns % 2**32).integers(20000, 40000, (32, 40)).astype(np.uint16)
    return ThermalImage(stamp_ns, "cam", encoding, pixels, SourceRef("image", "Image", stamp_ns, b"i"))


def calibration(stamp_ns: int, fx: float = 600.0, width: int = 40, height: int = 32) -> CameraCalibration:
    matrix = np.array(((fx, 0, 19.5), (0, fx, 15.5), (0, 0, 1.0)))
    return CameraCalibration(stamp_ns, "cam", width, height, matrix, "plumb_bob", np.zeros(5))


def info(ingest: ThermalIngest, stamp_ns: int, fx: float = 600.0, **size: int) -> SourceRef:
    source = SourceRef("info", "CameraInfo", stamp_ns, b"c")
    ingest.add_calibration(calibration(stamp_ns, fx, **size), source)
    return source


def reason(ingest: ThermalIngest, bad: ThermalImage) -> str:
    with pytest.raises(InputError) as refusal:
        ingest.process(bad)
    return refusal.value.reason


def test_pixels_stamp_and_frame_pass_untouched() -> None:
    raw = image(T0)
    frame = ThermalIngest(ThermalParams()).process(raw)
    assert frame.pixels is raw.pixels
    assert (frame.stamp_ns, frame.frame_id, frame.sequence) == (T0, "cam", 0)
    assert frame.sources == (raw.source,)
    assert frame.calibration is None


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (image(0), "zero_stamp"),
        (image(T0, encoding="h264"), "unsupported_encoding"),
        (image(T0, np.zeros((0, 4), np.uint16)), "bad_shape"),
        (image(T0, np.zeros((4, 4, 3), np.uint16)), "bad_shape"),
        (image(T0, np.zeros((4, 4), np.uint8), "rgb8"), "bad_shape"),
        (image(T0, np.zeros((4, 4), np.uint8)), "bad_dtype"),
        (image(T0, np.full((8, 8), np.nan, np.float32), "32FC1"), "all_nan"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(bad: ThermalImage, expected: str) -> None:
    ingest = ThermalIngest(ThermalParams())
    assert reason(ingest, bad) == expected
    assert ingest.process(image(T0)).sequence == 0


def test_one_finite_pixel_off_the_subsample_is_enough() -> None:
    pixels = np.full((8, 8), np.nan, np.float32)
    pixels[1, 1] = 20.0
    ThermalIngest(ThermalParams()).process(image(T0, pixels, "32FC1"))


def test_duplicates_and_older_frames_are_refused_and_a_jump_back_is_not() -> None:
    ingest = ThermalIngest(ThermalParams())
    ingest.process(image(T0))
    assert reason(ingest, image(T0)) == "duplicate"
    assert reason(ingest, image(T0 - 999 * MS)) == "out_of_order"
    assert ingest.process(image(T0 - 200 * MS)).stamp_ns == T0 - 200 * MS
    assert reason(ingest, image(T0 - 200 * MS)) == "duplicate"
    info(ingest, T0 - 30)  # waits; not yet in effect before the jump, and of the old clock
    frame = ingest.process(image(T0 - 2000 * MS))
    assert frame.sequence == 2
    assert frame.calibration is None


@pytest.mark.parametrize(
    ("mode", "encoding", "dtype", "value", "expected"),
    [
        ("auto", "mono16", np.uint16, 30000, (True, 0.04, -10.0)),
        ("auto", "16UC1", np.uint16, 30000, (True, 0.04, -10.0)),
        ("auto", "mono8", np.uint8, 100, (False, math.nan, math.nan)),
        ("linear", "mono8", np.uint8, 100, (False, math.nan, math.nan)),
        ("linear", "32FC1", np.float32, 7500.0, (True, 0.04, -10.0)),
        ("celsius", "32FC1", np.float32, 700.0, (True, 1.0, 273.15)),
        ("kelvin", "32FC1", np.float32, 700.0, (True, 1.0, 0.0)),
        ("kelvin", "mono16", np.uint16, 300, (False, math.nan, math.nan)),
        ("celsius", "16UC1", np.uint16, 30, (False, math.nan, math.nan)),
        ("auto", "32FC1", np.float32, 295.0, (True, 1.0, 0.0)),
        ("auto", "32FC1", np.float32, 22.0, (True, 1.0, 273.15)),
        ("none", "mono16", np.uint16, 30000, (False, math.nan, math.nan)),
    ],
)
def test_what_counts_mean(
    mode: str, encoding: str, dtype: type, value: float, expected: tuple[object, ...]
) -> None:
    ingest = ThermalIngest(ThermalParams(radiometry=mode, scale_k_per_count=0.04, offset_k=-10.0))
    frame = ingest.process(image(T0, np.full((8, 8), value, dtype), encoding))
    np.testing.assert_equal((frame.radiometric, frame.scale_k_per_count, frame.offset_k), expected)


@pytest.mark.parametrize("mode", ["auto", "linear", "kelvin", "celsius"])
def test_a_palette_is_never_a_temperature(mode: str) -> None:
    frame = ThermalIngest(ThermalParams(radiometry=mode)).process(
        image(T0, np.zeros((8, 8, 3), np.uint8), "rgb8")
    )
    assert not frame.radiometric
    assert math.isnan(frame.scale_k_per_count)


@pytest.mark.parametrize("full", [65535, 16383, 4095])
def test_clipped_pixels_are_counted(full: int) -> None:
    pixels = np.full((64, 64), 3000, np.uint16)
    pixels[:32] = full
    assert ThermalIngest(ThermalParams()).process(image(T0, pixels)).saturated_fraction == 0.5


def test_a_bright_pixel_below_full_scale_is_not_clipped() -> None:
    pixels = np.full((64, 64), 3000, np.uint16)
    pixels[:32] = 15000
    assert ThermalIngest(ThermalParams()).process(image(T0, pixels)).saturated_fraction == 0.0


def test_the_fifth_identical_frame_is_frozen_and_one_other_pixel_thaws_it() -> None:
    ingest = ThermalIngest(ThermalParams(frozen_frames=5))
    still = np.full((32, 40), 30000, np.uint16)
    frozen = [ingest.process(image(T0 + k, still.copy())).frozen for k in range(6)]
    assert frozen == [False, False, False, False, True, True]
    moved = still.copy()
    moved[5, 5] += 1  # not on the subsample
    assert not ingest.process(image(T0 + 6, moved)).frozen


def test_a_frame_counter_in_the_outer_rows_does_not_hide_a_frozen_camera() -> None:
    ingest = ThermalIngest(ThermalParams(frozen_frames=3))
    frozen = []
    for k in range(4):
        pixels = np.full((32, 40), 30000, np.uint16)
        pixels[:3], pixels[-3:] = 7 * k, 65535 - k
        frozen.append(ingest.process(image(T0 + k, pixels)).frozen)
    assert frozen == [False, False, True, True]


def test_the_frozen_check_can_be_turned_off() -> None:
    ingest = ThermalIngest(ThermalParams(frozen_frames=0))
    still = np.full((32, 40), 30000, np.uint16)
    assert not any(ingest.process(image(T0 + k, still)).frozen for k in range(10))


def test_a_calibration_takes_effect_after_its_delay() -> None:
    ingest = ThermalIngest(ThermalParams(camera_info_delay_ms=20.0))
    source = info(ingest, T0)
    early = ingest.process(image(T0 + 20 * MS - 1))
    assert early.calibration is None
    assert source not in early.sources
    on_time = ingest.process(image(T0 + 20 * MS))
    assert on_time.calibration is not None
    assert on_time.sources[1:] == (source,)
    assert ingest.process(image(T0 + 40 * MS)).sources[1:] == ()


def test_a_late_calibration_is_a_source_but_does_not_replace_a_newer_one() -> None:
    ingest = ThermalIngest(ThermalParams(camera_info_delay_ms=0.0))
    info(ingest, T0 + 10, fx=700.0)
    ingest.process(image(T0 + 20))
    late = info(ingest, T0, fx=600.0)
    frame = ingest.process(image(T0 + 30))
    assert frame.calibration is not None
    assert frame.calibration.matrix_px[0, 0] == 700.0
    assert late in frame.sources


def test_equal_calibrations_are_one_object() -> None:
    ingest = ThermalIngest(ThermalParams(camera_info_delay_ms=0.0))
    info(ingest, T0)
    first = ingest.process(image(T0 + 1)).calibration
    info(ingest, T0 + 2)
    assert ingest.process(image(T0 + 3)).calibration is first


@given(st.lists(st.integers(0, 200), min_size=1, max_size=20, unique=True), st.integers(0, 2**32))
def test_the_calibration_in_force_does_not_depend_on_the_order_of_arrival(
    offsets: list[int], seed: int
) -> None:
    results = []
    for order in (sorted(offsets), random.Random(seed).sample(offsets, len(offsets))):
        ingest = ThermalIngest(ThermalParams(camera_info_delay_ms=20.0))
        for offset in order:
            info(ingest, T0 + offset * MS, fx=100.0 + offset)
        frames = [ingest.process(image(T0 + t * MS)) for t in (50, 120, 400)]
        results.append([(f.calibration and f.calibration.matrix_px[0, 0], f.sources) for f in frames])
    assert results[0] == results[1]
    entered = [s.stamp_ns for _, sources in results[0] for s in sources[1:]]
    assert entered == [T0 + offset * MS for offset in sorted(offsets)]


def test_a_calibration_of_twice_the_size_is_scaled_about_the_image_edge() -> None:
    ingest = ThermalIngest(ThermalParams(camera_info_delay_ms=0.0))
    info(ingest, T0, width=80, height=64)
    scaled = ingest.process(image(T0)).calibration
    assert scaled is not None
    assert (scaled.width_px, scaled.height_px) == (40, 32)
    assert scaled.matrix_px[0, 0] == 300.0
    assert scaled.matrix_px[0, 2] == pytest.approx((19.5 + 0.5) / 2 - 0.5)
    assert ingest.process(image(T0 + 1)).calibration is scaled


@given(
    st.integers(40, 2000),
    st.integers(40, 2000),
    st.floats(0.2, 4.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_a_calibration_is_scaled_by_any_uniform_ratio(
    width: int, height: int, ratio: float, u: float, v: float
) -> None:
    size = (round(width * ratio), round(height * ratio))
    scaled = scaled_to(calibration(T0, width=width, height=height), *size)
    assert scaled is not None
    assert (scaled.width_px, scaled.height_px) == size
    # A direction meets the same share of the image before and after.
    before, after = calibration(T0, width=width, height=height).matrix_px, scaled.matrix_px
    for axis, (old, new) in enumerate(((width, size[0]), (height, size[1]))):
        at = before[axis, axis] * (u - v) + before[axis, 2]
        found = after[axis, axis] * (u - v) + after[axis, 2]
        assert (found + 0.5) / new == pytest.approx((at + 0.5) / old, abs=1e-9)


@given(st.integers(100, 2000), st.integers(100, 2000), st.integers(2, 30))
def test_a_calibration_is_not_scaled_to_another_aspect(width: int, height: int, percent: int) -> None:
    assert (
        scaled_to(calibration(T0, width=width, height=height), width, height + height * percent // 100 + 1)
        is None
    )


def test_a_calibration_of_another_shape_is_left_for_the_scene_to_refuse() -> None:
    ingest = ThermalIngest(ThermalParams(camera_info_delay_ms=0.0))
    info(ingest, T0, width=80, height=60)
    left = ingest.process(image(T0)).calibration
    assert left is not None
    assert left.width_px == 80


@pytest.mark.parametrize(
    ("stamp_ns", "fx", "expected"), [(0, 600.0, "zero_stamp"), (T0, 0.0, "uncalibrated")]
)
def test_a_calibration_that_cannot_be_used_is_refused(stamp_ns: int, fx: float, expected: str) -> None:
    with pytest.raises(InputError) as refusal:
        info(ThermalIngest(ThermalParams()), stamp_ns, fx)
    assert refusal.value.reason == expected


def test_reset_forgets_the_calibration_and_keeps_counting() -> None:
    ingest = ThermalIngest(ThermalParams(camera_info_delay_ms=0.0))
    info(ingest, T0)
    ingest.process(image(T0 + 1))
    ingest.reset()
    frame = ingest.process(image(T0 + 2))
    assert frame.calibration is None
    assert frame.sequence == 1


CALIBRATION = """
image_width: 80
image_height: 64
camera_name: boson
camera_matrix: {rows: 3, cols: 3, data: [500.0, 0.0, 39.5, 0.0, 500.0, 31.5, 0.0, 0.0, 1.0]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.2, 0.05, 0.0, 0.0, 0.0]}
"""


def test_a_calibration_file_counts_from_the_first_frame_and_outranks_camera_info(tmp_path: Path) -> None:
    path = tmp_path / "boson.yaml"
    path.write_text(CALIBRATION)
    ingest = ThermalIngest(ThermalParams(calibration_file=str(path), camera_info_delay_ms=0.0))
    first = ingest.process(image(T0)).calibration
    assert first is not None
    assert (first.width_px, first.matrix_px[0, 0]) == (40, 250.0)  # the image is half as large
    source = info(ingest, T0 + 1, fx=900.0)
    second = ingest.process(image(T0 + 2))
    assert second.calibration is first
    assert source in second.sources


def test_a_camera_without_calibration_claims_nothing_and_says_why() -> None:
    rng = np.random.default_rng(1)
    raw = image(T0, rng.integers(2900, 3300, (32, 40)).astype(np.uint16))  # a bolometer's bare counts
    ingest = ThermalIngest(ThermalParams())
    frame = ingest.process(raw)
    assert not frame.radiometric
    assert math.isnan(frame.scale_k_per_count)
    assert ingest.not_radiometric == {"implausible": 1}
    assert "31 K at the median" in ingest.why_not_radiometric


def test_sixteen_bit_gain_control_claims_nothing() -> None:
    stretched = np.linspace(0, 65535, 32 * 40).reshape(32, 40).astype(np.uint16)
    assert not ThermalIngest(ThermalParams()).process(image(T0, stretched)).radiometric


@pytest.mark.parametrize("value", [140.0, 5000.0])
def test_kelvin_that_no_scene_can_have_is_not_claimed(value: float) -> None:
    pixels = np.full((8, 8), value, np.float32)
    assert (
        not ThermalIngest(ThermalParams(radiometry="kelvin")).process(image(T0, pixels, "32FC1")).radiometric
    )


def test_floats_that_may_be_kelvin_or_celsius_are_not_claimed() -> None:
    pixels = np.full((8, 8), 400.0, np.float32)
    pixels[:2] = 20.0  # a fire that fills most of a picture in degrees Celsius
    ingest = ThermalIngest(ThermalParams())
    assert not ingest.process(image(T0, pixels, "32FC1")).radiometric
    assert "set radiometry to kelvin or celsius" in ingest.why_not_radiometric
    chosen = ThermalIngest(ThermalParams(radiometry="celsius")).process(image(T0, pixels, "32FC1"))
    assert chosen.offset_k == 273.15


def test_when_the_camera_becomes_radiometric_nothing_is_held_against_it() -> None:
    ingest = ThermalIngest(ThermalParams())
    ingest.process(image(T0, np.full((32, 40), 3000, np.uint16)))
    ingest.process(image(T0 + 1))
    assert ingest.why_not_radiometric == ""


@pytest.mark.parametrize(
    ("encoding", "pixels", "words"),
    [
        ("mono8", np.full((8, 8), 100, np.uint8), "mono8 is gain-controlled"),
        ("rgb8", np.zeros((8, 8, 3), np.uint8), "rgb8 is a palette"),
        ("mono16", np.full((8, 8), 3000, np.uint16), "would mean 30 K"),
        ("mono16", np.full((8, 8), 30000, np.uint16), ""),
    ],
)
def test_a_doctor_gets_one_line(encoding: str, pixels: np.ndarray, words: str) -> None:
    line = explain_radiometry(ThermalParams(), image(T0, pixels, encoding))
    assert words in line
    assert bool(line) == bool(words)
    assert "\n" not in line


PLANCK = {"radiometry": "planck", "planck_r1": 21106.77, "planck_b_k": 1501.0, "planck_f": 1.0,
          "planck_o": -7340.0, "planck_r2": 0.012545258}  # fmt: skip


def test_planck_counts_come_out_linear_in_kelvin() -> None:
    counts = np.linspace(15000, 60000, 32 * 40).reshape(32, 40).astype(np.uint16)
    frame = ThermalIngest(ThermalParams(**PLANCK)).process(image(T0, counts))
    assert frame.radiometric
    stated_k = frame.scale_k_per_count * frame.pixels.astype(float) + frame.offset_k
    true_k = PlanckConstants(21106.77, 1501.0, 1.0, -7340.0, 0.012545258).temperature_k(counts)
    assert np.abs(stated_k - true_k).max() < 0.0025


def test_planck_without_constants_is_refused() -> None:
    with pytest.raises(ConfigError, match="R1, B and R2 above 0"):
        ThermalIngest(ThermalParams(radiometry="planck"))


def test_the_range_of_the_camera_tells_clipped_pixels() -> None:
    pixels = np.full((32, 40), 30000, np.uint16)
    pixels[8:16] = 42315  # 150 degC in centikelvin
    frame = ThermalIngest(ThermalParams(range_high_k=423.15)).process(image(T0, pixels))
    assert frame.saturated_fraction == pytest.approx(8 / 26)
    assert ThermalIngest(ThermalParams()).process(image(T0, pixels)).saturated_fraction == 0.0


def test_pixels_are_corrected_and_clipped_ones_stay_clipped(tmp_path: Path) -> None:
    path = tmp_path / "flat.npz"
    offset = np.full((32, 40), -100.0)
    dead = np.zeros((32, 40), np.uint8)
    dead[10, 10] = 1
    np.savez(path, offset=offset, dead=dead)
    pixels = np.full((32, 40), 30000, np.uint16)
    pixels[10, 10], pixels[20] = 0, 65535
    raw = image(T0, pixels)
    frame = ThermalIngest(ThermalParams(correction_file=str(path))).process(raw)
    assert frame.radiometric
    assert set(np.unique(frame.pixels)) == {29900, 65535}
    assert frame.saturated_fraction > 0.0
    assert raw.pixels[10, 10] == 0


def test_a_correction_of_another_size_leaves_the_picture_and_claims_nothing(tmp_path: Path) -> None:
    path = tmp_path / "flat.npz"
    np.savez(path, offset=np.zeros((16, 16)))
    raw = image(T0)
    ingest = ThermalIngest(ThermalParams(correction_file=str(path)))
    frame = ingest.process(raw)
    assert frame.pixels is raw.pixels
    assert not frame.radiometric
    assert ingest.not_radiometric == {"correction": 1}


@given(
    st.sampled_from(["auto", "linear", "none", "planck", "kelvin", "celsius"]),
    st.sampled_from(["mono8", "mono16", "16UC1", "32FC1", "rgb8", "bgr8"]),
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.floats(0.0, 1.0),
)
def test_what_is_claimed_is_possible_and_8_bit_claims_nothing(
    mode: str, encoding: str, seed: int, shape: tuple[int, int], spread: float
) -> None:
    rng = np.random.default_rng(seed)
    if encoding in ("rgb8", "bgr8", "mono8"):
        pixels: np.ndarray = rng.integers(0, 256, (*shape, 3) if encoding != "mono8" else shape).astype(
            np.uint8
        )
    elif encoding == "32FC1":
        pixels = (rng.normal(300.0, 1000.0 * spread, shape)).astype(np.float32)
        pixels.ravel()[1::3] = rng.choice([np.nan, np.inf, -np.inf, 20.0])
    else:
        pixels = rng.integers(0, 65536, shape).astype(np.uint16)
    params = ThermalParams(**{**(PLANCK if mode == "planck" else {}), "radiometry": mode})
    frame = ThermalIngest(params).process(image(T0, pixels, encoding))
    temperature_k = ObjectTemperature(params).of(frame)
    assert (temperature_k is None) == (not frame.radiometric)
    assert 0.0 <= frame.saturated_fraction <= 1.0
    if pixels.dtype == np.uint8 or mode == "none":
        assert not frame.radiometric
    if temperature_k is None:
        assert math.isnan(frame.scale_k_per_count)
        assert math.isnan(frame.offset_k)
    else:
        assert temperature_k.shape == shape
        assert not (np.isfinite(temperature_k) & (temperature_k <= 0.0)).any()
