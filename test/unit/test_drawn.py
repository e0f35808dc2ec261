# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The rectangle around what is drawn: against a plain search, for any width and for each single byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.drawn import drawn_patches, drawn_rectangle


@given(st.integers(1, 9), st.integers(1, 19), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_agrees_with_a_plain_search(height: int, width: int, count: int, seed: int) -> None:
    numbers = np.random.default_rng(seed)
    rgba = np.zeros((height, width, 4), np.uint8)
    confidence = np.zeros((height, width), np.uint8)
    for _ in range(count):
        rgba.reshape(-1)[numbers.integers(rgba.size)] = numbers.integers(1, 256)
        confidence.reshape(-1)[numbers.integers(confidence.size)] = numbers.integers(0, 2)
    rows, cols = np.nonzero(rgba.any(axis=2) | (confidence > 0))
    expected = (0, 0, 0, 0)
    if rows.size:
        expected = (int(cols.min()), int(rows.min()), int(cols.max()) + 1, int(rows.max()) + 1)
    assert drawn_rectangle(rgba, confidence) == expected


@pytest.mark.parametrize("channel", range(4))
@pytest.mark.parametrize("width", [8, 10, 11])
def test_a_single_byte_of_any_channel_counts(channel: int, width: int) -> None:
    rgba = np.zeros((6, width, 4), np.uint8)
    rgba[4, width - 1, channel] = 1
    assert drawn_rectangle(rgba) == (width - 1, 4, width, 5)


def test_nothing_drawn_is_an_empty_rectangle() -> None:
    assert drawn_rectangle(np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6), np.uint8)) == (0, 0, 0, 0)


@given(st.integers(0, 2**32 - 1), st.integers(0, 8), st.integers(0, 12), st.integers(1, 8))
def test_patches_hold_every_pixel_lie_apart_and_are_few(
    seed: int, spots: int, gap_px: int, most: int
) -> None:
    numbers = np.random.default_rng(seed)
    plane = np.zeros((50, 70), np.uint8)
    for _ in range(spots):
        row, col = numbers.integers(45), numbers.integers(60)
        plane[row : row + numbers.integers(1, 6), col : col + numbers.integers(1, 11)] = 1
    patches = drawn_patches(plane, gap_px, most)
    assert len(patches) <= most
    covered = np.zeros(plane.shape, np.uint8)
    for left, top, right, bottom in patches:
        covered[top:bottom, left:right] += 1
        assert plane[top:bottom, left:right].any()
    assert covered.max() <= 1
    assert not plane[covered == 0].any()


def test_two_spots_far_apart_are_two_patches() -> None:
    plane = np.zeros((40, 60), np.uint8)
    plane[3:5, 2:6] = plane[30:31, 40:50] = 9
    assert drawn_patches(plane, 8, 4) == [(2, 3, 6, 5), (40, 30, 50, 31)]
    assert drawn_patches(plane, 40, 4) == [(2, 3, 50, 31)]
    assert drawn_patches(plane, 8, 1) == [(2, 3, 50, 31)]
