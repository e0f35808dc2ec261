# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import CameraCalibration, SourceRef, ThermalImage
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.sensing.thermal import ThermalIngest

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
        ("linear", "mono8", np.uint8, 100, (True, 0.04, -10.0)),
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


@pytest.mark.parametrize("mode", ["auto", "linear"])
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
    moved[1, 1] += 1  # not on the subsample
    assert not ingest.process(image(T0 + 6, moved)).frozen


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
