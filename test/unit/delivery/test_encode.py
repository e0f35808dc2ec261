# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PNG and JPEG: what comes out of a decoder is what went in, and the file says what it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.delivery.content_label import Origin, read_label
from vidgen_nodes.delivery.encode import jpeg, png
from vidgen_nodes.delivery.label import Labelled, label_below
from vidgen_nodes.delivery.tag_strip import FramePointer, read_strip
from vidgen_nodes.errors import InputError

POINTER = FramePointer(3, 4, bytes(range(32)))


def decode(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def labelled(rgba: np.ndarray) -> Labelled:
    return label_below(rgba, POINTER, "SYN")


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 40), width=st.integers(80, 120))
def test_pixels_and_alpha_survive(seed: int, height: int, width: int) -> None:
    rgba = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    np.testing.assert_array_equal(decode(png(labelled(rgba), Origin()))[:height], rgba[..., [2, 1, 0, 3]])
    rgb = np.ascontiguousarray(rgba[..., :3])
    np.testing.assert_array_equal(decode(png(labelled(rgb), Origin()))[:height], rgb[..., ::-1])


def test_colour_under_zero_alpha_survives() -> None:
    rgba = np.zeros((5, 90, 4), np.uint8)
    rgba[..., 0] = 200
    assert (decode(png(labelled(rgba), Origin()))[:5] == [0, 0, 200, 0]).all()


def test_the_same_pixels_give_the_same_bytes() -> None:
    rgba = np.arange(64 * 96 * 4, dtype=np.uint32).astype(np.uint8).reshape(64, 96, 4)
    assert png(labelled(rgba), Origin()) == png(labelled(rgba.copy()), Origin())


@pytest.mark.parametrize("encode", [png, jpeg])
def test_every_file_carries_tag_and_label(encode: object) -> None:
    data = encode(labelled(np.full((256, 320, 3), 90, np.uint8)), Origin("acme", camera=False))  # type: ignore[operator]
    found = read_label(data)
    assert found.aigc.producer == "acme"
    assert found.aigc.reserved == bytes(range(32)).hex()
    assert found.source_type.endswith("/algorithmicMedia")
    assert read_strip(decode(data)) == FramePointer(3, 4, bytes(range(16)))


def test_jpeg_with_alpha_is_refused() -> None:
    with pytest.raises(InputError, match="use PNG"):
        jpeg(labelled(np.zeros((100, 100, 4), np.uint8)), Origin())
