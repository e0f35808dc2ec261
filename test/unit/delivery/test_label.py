# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The visible mark: large enough, readable, at an edge, the same every time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidgen_nodes.delivery.label import GLYPH_SHARE, draw_mark, glyph_height_px
from vidgen_nodes.errors import InputError

SIZES = [(640, 512), (512, 640), (1920, 1080), (320, 256), (160, 120), (80, 60), (64, 512), (2000, 40)]


def marked(width: int, height: int, shade: int = 128) -> np.ndarray:
    picture = np.full((height, width, 3), shade, np.uint8)
    draw_mark(picture)
    return picture


def ink_rows(picture: np.ndarray) -> np.ndarray:
    """Rows of the picture in which letters have been drawn (amber: much more red than blue)."""
    red_over_blue = picture[..., 0].astype(int) - picture[..., 2].astype(int)
    return np.flatnonzero((red_over_blue > 60).any(axis=1))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_letters_are_at_least_a_twentieth_of_the_shortest_side(width: int, height: int, shade: int) -> None:
    rows = ink_rows(marked(width, height, shade))
    drawn_px = rows[-1] - rows[0] + 1
    # Antialiasing may leave the outermost row of a letter faint.
    assert drawn_px >= GLYPH_SHARE * min(width, height) - 1
    assert glyph_height_px(width, height) >= math.ceil(GLYPH_SHARE * min(width, height))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_whole_text_fits_and_stands_at_the_bottom_edge(width: int, height: int) -> None:
    picture = marked(width, height)
    ink = picture[..., 0].astype(int) - picture[..., 2].astype(int) > 60
    columns = np.flatnonzero(ink.any(axis=0))
    assert columns[0] > 0
    assert columns[-1] < width - 1
    assert ink_rows(picture)[0] > height * 0.6
    band = np.flatnonzero((picture != 128).any(axis=(1, 2)))
    assert band[-1] == height - 1
    assert (picture[: band[0]] == 128).all()


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_the_letters_stand_out_on_any_picture(shade: int) -> None:
    """Contrast ratio of letters to band at least 7 (WCAG 2.2, enhanced), whatever lies under the band."""

    def luminance(rgb: np.ndarray) -> float:
        share = rgb.astype(float) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    rows = ink_rows(marked(640, 512, shade))
    band = marked(640, 512, shade)[rows[0] : rows[-1] + 1].reshape(-1, 3)
    lights = np.array([luminance(pixel) for pixel in np.unique(band, axis=0)])
    assert (lights.max() + 0.05) / (lights.min() + 0.05) >= 7


def test_the_same_size_gives_the_same_bytes() -> None:
    first, second = marked(640, 512, 10), marked(640, 512, 240)
    rows = ink_rows(first)
    np.testing.assert_array_equal(first[rows[0] :], second[rows[0] :])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (8, 8), (1, 400), (400, 1)])
def test_a_tiny_picture_does_not_break_it(width: int, height: int) -> None:
    assert (marked(width, height) != 128).any()


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected uint8") as caught:
        draw_mark(picture)
    assert caught.value.reason == "mark_picture"
