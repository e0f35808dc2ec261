# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PNG: what comes out of a decoder is what went in, alpha and order of colours included."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.delivery.encode import png_rgb, png_with_alpha
from vidgen_nodes.errors import InputError


def decode(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 40), width=st.integers(1, 40))
def test_pixels_and_alpha_survive(seed: int, height: int, width: int) -> None:
    rgba = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    np.testing.assert_array_equal(decode(png_with_alpha(rgba)), rgba[..., [2, 1, 0, 3]])
    np.testing.assert_array_equal(decode(png_rgb(np.ascontiguousarray(rgba[..., :3]))), rgba[..., 2::-1])


def test_colour_under_zero_alpha_survives() -> None:
    rgba = np.zeros((5, 7, 4), np.uint8)
    rgba[..., 0] = 200
    assert (decode(png_with_alpha(rgba)) == [0, 0, 200, 0]).all()


def test_the_same_pixels_give_the_same_bytes() -> None:
    rgba = np.arange(64 * 64 * 4, dtype=np.uint32).astype(np.uint8).reshape(64, 64, 4)
    assert png_with_alpha(rgba) == png_with_alpha(rgba.copy())


def test_read_only_pixels_are_taken() -> None:
    rgba = np.frombuffer(bytes(range(64)), np.uint8).reshape(4, 4, 4)
    assert decode(png_with_alpha(rgba)).shape == (4, 4, 4)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3), (0, 4, 4)])
def test_what_has_no_alpha_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"expected uint8 \(H, W, 4\)") as caught:
        png_with_alpha(np.zeros(shape, np.uint8))
    assert caught.value.reason == "png_picture"


def test_deep_pixels_are_refused() -> None:
    with pytest.raises(InputError, match="uint16"):
        png_rgb(np.zeros((4, 4, 3), np.uint16))
