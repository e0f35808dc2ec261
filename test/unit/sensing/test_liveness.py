# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.sensing.liveness import FrozenCheck, body, clipping, thinned


@given(
    st.integers(0, 2**32 - 1), st.integers(16, 40), st.integers(1, 40), st.sampled_from(["u1", "u2", "f4"])
)
def test_one_other_pixel_anywhere_in_the_body_is_life(seed: int, height: int, width: int, code: str) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 200, (height, width)).astype(code)
    row, col = int(rng.integers(3, height - 3)), int(rng.integers(width))
    other = pixels.copy()
    other[row, col] += 1
    check = FrozenCheck(2)
    seen = [
        check.is_frozen(thinned(body(p)), body(p))
        for p in (pixels, pixels.copy(), other, other.copy(), pixels)
    ]
    assert seen == [False, True, False, True, False]


def test_nan_does_not_make_a_frozen_picture_look_alive() -> None:
    pixels = np.full((20, 20), np.nan, np.float32)
    check = FrozenCheck(2)
    assert [check.is_frozen(thinned(p), p) for p in (pixels, pixels.copy())] == [False, True]


def test_another_size_or_type_begins_anew() -> None:
    check = FrozenCheck(2)
    for pixels in (
        np.zeros((20, 20), np.uint8),
        np.zeros((20, 20), np.uint16),
        np.zeros((20, 24), np.uint16),
    ):
        assert not check.is_frozen(thinned(pixels), pixels)


@pytest.mark.parametrize(
    ("pixels", "limit", "expected"),
    [
        (np.array([[1, 65535]], np.uint16), np.inf, (65535.0, 0.5)),
        (np.array([[1, 15000]], np.uint16), np.inf, (np.inf, 0.0)),
        (np.array([[1, 15000]], np.uint16), 14000.0, (14000.0, 0.5)),
        (np.array([[1, 255]], np.uint8), np.inf, (255.0, 0.5)),
        (np.array([[300.0, np.inf, np.nan, 500.0]], np.float32), np.inf, (np.inf, 0.25)),
        (np.array([[300.0, np.inf, np.nan, 500.0]], np.float32), 400.0, (400.0, 0.5)),
        (np.array([[[255, 255, 255], [255, 255, 0]]], np.uint8), np.inf, (np.inf, 0.5)),
        (np.array([[1, 65535]], np.uint16), 1e9, (65535.0, 0.5)),
        (np.array([[1, 2]], np.uint16), -7.0, (-7.0, 1.0)),
    ],
)
def test_where_a_picture_clips(pixels: np.ndarray, limit: float, expected: tuple[float, float]) -> None:
    assert clipping(pixels, limit) == expected
