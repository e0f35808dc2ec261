# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The tag strip: read back exactly or not at all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.delivery.tag_strip import (
    LAYOUTS,
    NARROWEST_PX,
    FramePointer,
    columns_for,
    draw_strip,
    read_strip,
    strip_height_px,
)
from vidgen_nodes.errors import InputError

pointers = st.integers(0, 2**48 - 2).flatmap(
    lambda index: st.builds(
        FramePointer, st.just(index), st.integers(index + 1, 2**48 - 1), st.binary(min_size=16, max_size=16)
    )
)
POINTER = FramePointer(1_000_000, 1_000_001, bytes(range(7, 23)))


def picture(width: int, height: int, pointer: FramePointer, columns: int | None = None) -> np.ndarray:
    rgb = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    draw_strip(rgb, pointer, columns or columns_for(width))
    return rgb


@settings(max_examples=40)
@given(pointer=pointers, width=st.integers(NARROWEST_PX, 2000))
def test_what_was_written_is_read_at_any_width(pointer: FramePointer, width: int) -> None:
    columns = columns_for(width)
    assert read_strip(picture(width, strip_height_px(width, columns) + 3, pointer)) == pointer


@settings(max_examples=40)
@given(pointer=pointers, columns=st.sampled_from(LAYOUTS), share=st.floats(0.5, 2.0))
def test_scaling_does_not_hurt(pointer: FramePointer, columns: int, share: float) -> None:
    rgb = picture(640, 512, pointer, columns)
    size = (round(640 * share), round(512 * share))
    scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)
    assert read_strip(scaled) == pointer


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), flips=st.integers(2, 60))
def test_damaged_cells_never_read_as_another_record(seed: int, flips: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = picture(640, 512, POINTER)
    for _ in range(flips):
        row, column = rng.integers(2), rng.integers(160)
        cell = rgb[504 + 4 * row : 508 + 4 * row, 4 * column : 4 * column + 4]
        cell[:] = 255 - cell
    assert read_strip(rgb) in (None, POINTER)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(NARROWEST_PX, 700))
def test_no_strip_is_read_where_there_is_none(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    assert read_strip(rng.integers(0, 256, (160, width, 3), dtype=np.uint8)) is None
    assert read_strip(np.repeat(rng.integers(0, 2, (160, width), dtype=np.uint8) * 255, 2, axis=1)) is None


@pytest.mark.parametrize("quality", [95, 75, 50, 30])
@pytest.mark.parametrize("size", [(640, 512), (1280, 1024)])
def test_it_survives_jpeg(size: tuple[int, int], quality: int) -> None:
    _, data = cv2.imencode(".jpg", picture(*size, POINTER), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert read_strip(cv2.imdecode(data, cv2.IMREAD_COLOR)) == POINTER


def test_a_darker_and_paler_copy_is_read() -> None:
    paler = (picture(640, 512, POINTER).astype(float) * 0.3 + 90).astype(np.uint8)
    assert read_strip(paler) == POINTER
    assert read_strip(cv2.cvtColor(paler, cv2.COLOR_RGB2GRAY)) == POINTER


def test_a_picture_cut_at_the_top_still_has_its_tag_and_one_cut_below_has_none() -> None:
    rgb = picture(640, 512, POINTER)
    assert read_strip(rgb[100:]) == POINTER
    assert read_strip(rgb[:-8]) is None
    assert read_strip(rgb[:, 8:]) is None


@pytest.mark.parametrize(
    "pointer",
    [
        FramePointer(5, 5, bytes(32)),
        FramePointer(-1, 5, bytes(32)),
        FramePointer(0, 2**48, bytes(32)),
        FramePointer(0, 1, bytes(8)),
    ],
)
def test_a_pointer_that_cannot_be_is_refused(pointer: FramePointer) -> None:
    with pytest.raises(InputError) as caught:
        picture(640, 512, pointer)
    assert caught.value.reason == "strip_pointer"


@pytest.mark.parametrize(("width", "height"), [(NARROWEST_PX - 1, 512), (640, 7), (1, 1)])
def test_a_picture_too_small_is_refused(width: int, height: int) -> None:
    with pytest.raises(InputError, match="at least") as caught:
        picture(width, height, POINTER)
    assert caught.value.reason == "strip_picture"


@pytest.mark.parametrize("shape", [(1, 1), (0, 0, 3), (2, 2000), (300, 10, 3)])
def test_any_picture_may_be_asked(shape: tuple[int, ...]) -> None:
    assert read_strip(np.zeros(shape, np.uint8)) is None
