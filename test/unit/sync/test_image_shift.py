# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidgen_nodes.sync.image_shift import reduced, shift_between, template

RNG = np.random.default_rng(5)
SCENE = cv2.GaussianBlur(RNG.normal(0.0, 400.0, (700, 900)).astype(np.float32), (0, 0), 6.0) * 12.0 + 29000.0


def seen(right_px: float, down_px: float, zoom: float = 1.0, turn_deg: float = 0.0) -> np.ndarray:
    """640 x 512 counts of the scene, its content moved by so much, zoomed and turned about the middle."""
    warp = cv2.getRotationMatrix2D((450.0, 350.0), turn_deg, zoom)
    warp[:, 2] += (right_px - 130.0, down_px - 94.0)
    return cv2.warpAffine(SCENE, warp, (640, 512), flags=cv2.INTER_CUBIC).astype(np.uint16)


def shift_px(first: np.ndarray, second: np.ndarray) -> tuple[float, float] | None:
    before, after = reduced(first), reduced(second)
    assert before is not None
    assert after is not None
    made = template(before)
    assert made is not None
    shift = shift_between(made, after)
    return None if shift is None else (shift[0] * first.shape[1], shift[1] * first.shape[0])


@pytest.mark.parametrize("moved", [(0.0, 0.0), (0.4, -0.3), (3.3, 1.7), (-24.0, 9.5), (60.0, -35.0)])
@pytest.mark.parametrize(("zoom", "turn_deg"), [(1.0, 0.0), (1.02, 1.0)])
def test_a_shift_is_found_to_a_fraction_of_a_pixel(
    moved: tuple[float, float], zoom: float, turn_deg: float
) -> None:
    assert shift_px(seen(0.0, 0.0), seen(*moved, zoom, turn_deg)) == pytest.approx(moved, abs=0.3)


def test_gain_control_changes_nothing() -> None:
    first, second = seen(0.0, 0.0), seen(5.0, 2.0)
    low, high = float(second.min()), float(second.max())
    stretched = ((second - low) / (high - low) * 255.0).astype(np.uint8)
    assert shift_px(first, stretched) == pytest.approx((5.0, 2.0), abs=0.4)


def test_a_frame_is_not_changed_by_being_compared() -> None:
    """OpenCV's phase correlation weights its arguments in place when their size needs no padding."""
    before, after = reduced(seen(0.0, 0.0)), reduced(seen(5.0, 2.0))
    assert before is not None
    assert after is not None
    made, copies = template(before), (before.copy(), after.copy())
    assert made is not None
    first = shift_between(made, after)
    assert np.array_equal(before, copies[0])
    assert np.array_equal(after, copies[1])
    assert shift_between(made, after) == first


def test_pictures_of_different_things_have_no_shift() -> None:
    other = RNG.normal(29000.0, 200.0, (512, 640)).astype(np.uint16)
    assert shift_px(seen(0.0, 0.0), other) is None
    assert shift_px(seen(0.0, 0.0), seen(300.0, 0.0)) is None


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((512, 640), 29000, np.uint16),
        np.full((512, 640), np.nan, np.float32),
        np.where(np.arange(640) == 3, np.nan, np.ones((512, 640))).astype(np.float32),
    ],
)
def test_a_flat_frame_and_one_without_numbers_cannot_be_followed(pixels: np.ndarray) -> None:
    assert reduced(pixels) is None


def test_frames_of_other_encodings_and_sizes() -> None:
    for pixels in (
        np.repeat(RNG.integers(0, 255, (48, 64, 1), np.uint8), 3, axis=2),
        RNG.normal(300.0, 5.0, (240, 320)).astype(np.float32),
        seen(0.0, 0.0)[::-1, ::-1],  # a view that is not contiguous
    ):
        small = reduced(pixels)
        assert small is not None
        assert small.shape == (128, 160)
        assert small.mean() == pytest.approx(0.0, abs=1e-4)
        assert small.std() == pytest.approx(1.0, abs=1e-3)
