# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Composite and markers: always marked, camera kept where nothing is drawn, frames never mixed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.delivery.ar import blend, composite, markers, visible_rgb
from vidgen_nodes.delivery.label import label_in_place
from vidgen_nodes.delivery.tag_strip import FramePointer, read_strip
from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Hazard, Overlay, ThermalFrame
from vidgen_nodes.params import GeneratorParams

HEIGHT, WIDTH = 128, 160
RECORD = (FramePointer(8, 9, bytes(range(32))), "SYN")


def thermal(pixels: np.ndarray, encoding: str = "mono16") -> ThermalFrame:
    return ThermalFrame(
        stamp_ns=7,
        frame_id="thermal_optical_frame",
        encoding=encoding,
        pixels=pixels,
        sequence=0,
        calibration=None,
        radiometric=False,
        scale_k_per_count=float("nan"),
        offset_k=float("nan"),
        saturated_fraction=0.0,
        frozen=False,
        sources=(),
    )


def overlay(rgba: np.ndarray) -> Overlay:
    return Overlay(7, "thermal_optical_frame", rgba, rgba[..., 3], None)


def ramp() -> np.ndarray:
    return np.linspace(7000, 9000, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint16)


def clear() -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH, 4), np.uint8)


def test_a_transparent_overlay_leaves_the_camera_and_is_marked_all_the_same() -> None:
    rgba = clear()
    rgba[..., 0] = 255  # colour under alpha 0 must not show
    expected = visible_rgb(thermal(ramp()))
    label_in_place(expected, *RECORD)
    np.testing.assert_array_equal(composite(thermal(ramp()), overlay(rgba), *RECORD).pixels, expected)


def test_the_mark_lies_over_the_overlay() -> None:
    rgba = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    bare = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rows = label_in_place(bare, *RECORD).picture_rows
    made = composite(thermal(ramp()), overlay(rgba), *RECORD).pixels
    np.testing.assert_array_equal(made[rows:], bare[rows:])
    assert (made[:rows] == 255).all()


def test_a_composite_names_its_record() -> None:
    labelled = composite(thermal(ramp()), overlay(clear()), *RECORD)
    assert read_strip(labelled.pixels) == FramePointer(8, 9, bytes(range(16)))


@given(seed=st.integers(0, 2**32 - 1))
def test_blending_is_straight_alpha_within_one_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    rgba = rng.integers(0, 256, (24, 32, 4), dtype=np.uint8)
    rgba[rng.random((24, 32)) < 0.5, 3] = 0
    weight = rgba[..., 3:].astype(float) / 255
    expected = rgba[..., :3] * weight + rgb * (1 - weight)
    before = rgb.copy()
    blend(rgb, rgba)
    assert np.abs(rgb - expected).max() <= 1.0
    np.testing.assert_array_equal(rgb[rgba[..., 3] == 0], before[rgba[..., 3] == 0])
    opaque = rgba[..., 3] == 255
    np.testing.assert_array_equal(rgb[opaque], rgba[opaque][:, :3])


@pytest.mark.parametrize("alpha", [0, 1, 127, 254, 255])
def test_white_on_white_stays_white(alpha: int) -> None:
    rgb = np.full((8, 8, 3), 255, np.uint8)
    rgba = np.full((8, 8, 4), 255, np.uint8)
    rgba[..., 3] = alpha
    blend(rgb, rgba)
    assert rgb.min() >= 254


def test_deep_counts_are_stretched_between_quantiles() -> None:
    grey = visible_rgb(thermal(ramp()))[..., 0].ravel().astype(int)
    assert (np.diff(grey) >= 0).all()
    # Every 16th pixel tells: of a ramp that short the quantiles are good to two rows in a hundred.
    assert (grey == 0).mean() == pytest.approx(0.01, abs=0.02)
    assert (grey == 255).mean() == pytest.approx(0.01, abs=0.02)


def test_a_hot_spot_does_not_turn_the_rest_black() -> None:
    counts = ramp()
    counts[:4, :4] = 65535
    assert int(visible_rgb(thermal(counts))[HEIGHT // 2, WIDTH // 2, 0]) == pytest.approx(127, abs=8)


@pytest.mark.parametrize("count", [0, 7500, 65535])
def test_a_flat_picture_is_no_error(count: int) -> None:
    flat = np.full((HEIGHT, WIDTH), count, np.uint16)
    assert len(np.unique(visible_rgb(thermal(flat)))) == 1


def test_what_a_float_camera_did_not_measure_is_black() -> None:
    kelvin = np.linspace(280, 320, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    kelvin[60:70] = np.nan
    rgb = visible_rgb(thermal(kelvin, "32FC1"))
    assert (rgb[60:70] == 0).all()
    assert rgb[-1, -1, 0] == 255
    assert (visible_rgb(thermal(np.full((8, 8), np.nan, np.float32), "32FC1")) == 0).all()


def test_infinite_kelvin_saturates() -> None:
    kelvin = np.full((8, 8), 300, np.float32)
    kelvin[1, 1], kelvin[2, 2] = np.inf, -np.inf
    rgb = visible_rgb(thermal(kelvin, "32FC1"))
    assert rgb[1, 1, 0] == 255
    assert rgb[2, 2, 0] == 0


def test_palettes_keep_their_colours() -> None:
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[...] = (10, 20, 30)
    assert (visible_rgb(thermal(rgb, "rgb8")) == (10, 20, 30)).all()
    assert (visible_rgb(thermal(rgb, "bgr8")) == (30, 20, 10)).all()
    grey = np.full((HEIGHT, WIDTH), 40, np.uint8)
    assert (visible_rgb(thermal(grey, "mono8")) == 40).all()


@pytest.mark.parametrize(("encoding", "dtype"), [("rgb8", np.uint8), ("bgr8", np.uint8)])
def test_the_camera_picture_itself_is_never_written_to(encoding: str, dtype: type) -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 90, dtype)
    pixels.flags.writeable = False
    composite(thermal(pixels, encoding), overlay(np.full((HEIGHT, WIDTH, 4), 255, np.uint8)), *RECORD)
    assert (pixels == 90).all()


def test_read_only_counts_from_a_message_are_taken() -> None:
    counts = np.frombuffer(ramp().tobytes(), np.uint16).reshape(HEIGHT, WIDTH)
    rgba = np.frombuffer(bytes(clear()), np.uint8).reshape(HEIGHT, WIDTH, 4)
    assert composite(thermal(counts), overlay(rgba), *RECORD).pixels.shape == (HEIGHT, WIDTH, 3)


def test_an_overlay_of_another_frame_is_refused() -> None:
    late = dataclasses.replace(overlay(clear()), stamp_ns=8)
    with pytest.raises(InputError, match="8 ns for a picture of 7 ns") as caught:
        composite(thermal(ramp()), late, *RECORD)
    assert caught.value.reason == "composite_stamp"


def test_an_overlay_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="expected the same") as caught:
        composite(thermal(ramp()), overlay(np.zeros((64, 80, 4), np.uint8)), *RECORD)
    assert caught.value.reason == "composite_size"


@pytest.mark.parametrize(
    ("pixels", "encoding"),
    [
        (np.zeros((8, 8), np.uint16), "mono8"),
        (np.zeros((8, 8, 3), np.uint8), "mono16"),
        (np.zeros((8, 8), np.uint8), "rgb8"),
        (np.zeros((8, 8), np.uint16), "bayer_rggb8"),
    ],
)
def test_an_encoding_that_does_not_fit_is_refused(pixels: np.ndarray, encoding: str) -> None:
    with pytest.raises(InputError, match=encoding) as caught:
        visible_rgb(thermal(pixels, encoding))
    assert caught.value.reason == "composite_encoding"


def hazard(kind: str, identity: str = "a") -> Hazard:
    return Hazard(identity, kind, (1.0, 2.0, 3.0), 0.5, 4.0, 900.0, 0.8, ())


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("flame", "cylinder"), ("smoke", "cylinder"), ("steam", "cylinder"), ("debris", "cube")],
)
def test_a_marker_has_the_extent_of_its_hazard_and_says_synthetic(kind: str, shape: str) -> None:
    body, label = markers([hazard(kind)])
    assert (body.shape, body.namespace) == (shape, f"synthetic/{kind}")
    assert body.centre_m == (1.0, 2.0, 5.0)
    assert body.size_m == (1.0, 1.0, 4.0)
    assert "SYNTHETIC" in label.text
    assert label.centre_m[2] > 7.0


def test_no_marker_hides_a_person_more_than_an_overlay_may() -> None:
    alpha = {kind: markers([hazard(kind)])[0].rgba[3] for kind in ("smoke", "steam", "flame", "debris")}
    assert max(alpha["smoke"], alpha["steam"]) < alpha["flame"] <= GeneratorParams().person_alpha_cap
    assert alpha["debris"] <= GeneratorParams().person_alpha_cap


def test_marker_numbers_are_stable_and_apart() -> None:
    first, again, other = (markers([hazard("flame", name)])[0] for name in ("roof", "roof", "wall"))
    assert first.number == again.number != other.number
    assert 0 <= first.number < 2**31


def test_no_hazards_no_markers() -> None:
    assert markers([]) == ()


def test_a_kind_nobody_can_draw_is_refused() -> None:
    with pytest.raises(InputError, match="'lava'") as caught:
        markers([hazard("lava")])
    assert caught.value.reason == "hazard_kind"
