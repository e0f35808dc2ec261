# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The visible mark: large enough, readable, at an edge, in both languages, the same every time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidgen_nodes.delivery import label
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import jpeg, png
from vidgen_nodes.delivery.glyphs import load_word
from vidgen_nodes.delivery.label import (
    LETTER_SHARE,
    already_labelled,
    label_below,
    label_in_place,
    letter_height_px,
    mark_text,
)
from vidgen_nodes.delivery.tag_strip import FramePointer, read_strip, strip_height_px
from vidgen_nodes.errors import ConfigError, InputError

SIZES = [(640, 512), (512, 640), (1920, 1080), (1280, 1024), (320, 256), (160, 120)]
POINTER = FramePointer(41, 42, bytes(range(32)))
CODES = ["SYN", "AIGC"]
MAKERS = [label_in_place, label_below]


def marked(make: object, width: int, height: int, code: str = "SYN", shade: int = 128) -> label.Labelled:
    return make(np.full((height, width, 3), shade, np.uint8), POINTER, code)  # type: ignore[operator]


def is_ink(picture: np.ndarray) -> np.ndarray:
    """Where letters have been drawn (amber: much more red than blue)."""
    return picture[..., 0].astype(int) - picture[..., 2].astype(int) > 100


def letter_heights(picture: np.ndarray) -> list[int]:
    """Heights of what blank columns part from each other, line by line; hyphens and the like left out."""
    ink = is_ink(picture)
    heights = []
    for top, bottom in runs(ink.any(axis=1)):
        line = ink[top:bottom]
        tall = []
        for left, right in runs(line.any(axis=0)):
            rows = np.flatnonzero(line[:, left:right].any(axis=1))
            tall.append(int(rows[-1] - rows[0] + 1))
        heights += [height for height in tall if height > 0.6 * max(tall)]
    return heights


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("code", CODES)
def test_every_letter_of_the_decoded_picture_is_a_twentieth_of_the_shortest_side(
    make: object, width: int, height: int, code: str
) -> None:
    data = png(marked(make, width, height, code), Origin())
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    heights = letter_heights(picture)
    shortest = min(picture.shape[:2])
    # Below about 200 px two letters run into each other; no letter is missing from what they make.
    assert len(heights) >= (18 if code == "SYN" and width >= 320 else 1)
    assert min(heights) >= LETTER_SHARE * shortest
    assert letter_height_px(picture.shape[1], picture.shape[0], code) >= LETTER_SHARE * shortest


@pytest.mark.parametrize("code", CODES)
def test_letters_are_as_large_after_a_lossy_encoder(code: str) -> None:
    data = jpeg(marked(label_below, 640, 512, code), Origin(), quality=60)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    rows = np.flatnonzero(is_ink(picture).any(axis=1))
    assert rows[-1] - rows[0] + 1 >= LETTER_SHARE * min(picture.shape[:2])


def test_the_words_name_the_kind_of_content_in_two_languages() -> None:
    assert mark_text("SYN") == "合成 SYNTHETIC OVERLAY"
    assert mark_text("AIGC") == "AI合成演练画面 AI-GENERATED"
    assert (
        marked(label_in_place, 640, 512, "SYN").pixels != marked(label_in_place, 640, 512, "AIGC").pixels
    ).any()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("code", CODES)
def test_mark_and_strip_stand_at_the_bottom_edge_and_cover_nothing_else(
    width: int, height: int, code: str
) -> None:
    labelled = marked(label_in_place, width, height, code)
    assert (labelled.pixels[: labelled.picture_rows] == 128).all()
    assert (labelled.pixels[labelled.picture_rows :] != 128).any(axis=2).all()
    assert labelled.picture_rows > height / 2
    columns = np.flatnonzero(is_ink(labelled.pixels).any(axis=0))
    assert 0 < columns[0] <= columns[-1] < width - 1


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_label_below_covers_no_pixel_and_gives_an_even_height(width: int, height: int) -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (height, width, 4), dtype=np.uint8)
    labelled = label_below(rgba, POINTER, "SYN")
    np.testing.assert_array_equal(labelled.pixels[:height], rgba)
    assert (labelled.pixels[height:, :, 3] == 255).all()
    assert labelled.pixels.shape[0] % 2 == 0
    assert read_strip(labelled.pixels) == FramePointer(41, 42, bytes(range(16)))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_the_letters_stand_out_on_any_picture(shade: int) -> None:
    """Contrast ratio of letters to band at least 7 (WCAG 2.2, enhanced), whatever lies under the band."""

    def luminance(rgb: np.ndarray) -> float:
        share = rgb.astype(float) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    labelled = marked(label_in_place, 640, 512, shade=shade)
    last = 512 - strip_height_px(640, 160)
    band = labelled.pixels[labelled.picture_rows : last].reshape(-1, 3)
    lights = np.array([luminance(pixel) for pixel in np.unique(band, axis=0)])
    assert (lights.max() + 0.05) / (lights.min() + 0.05) >= 7


def test_the_same_size_code_and_record_give_the_same_bytes() -> None:
    first, second = marked(label_in_place, 640, 512, shade=10), marked(label_in_place, 640, 512, shade=240)
    np.testing.assert_array_equal(first.pixels[first.picture_rows :], second.pixels[second.picture_rows :])


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (79, 400), (400, 1), (1, 400)])
def test_a_picture_too_small_for_a_label_is_refused_or_labelled_never_bare(
    make: object, width: int, height: int
) -> None:
    if make is label_below and (width, height) == (400, 1):  # grows by its label, so there is room
        assert read_strip(marked(make, width, height).pixels) is not None
        return
    with pytest.raises(InputError) as caught:
        marked(make, width, height)
    assert caught.value.reason in ("strip_picture", "mark_picture")


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((400, 400), np.uint8),
        np.zeros((400, 400, 2), np.uint8),
        np.zeros((400, 400, 3), np.uint16),
        np.zeros((0, 400, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_picture_is_refused(make: object, picture: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected uint8") as caught:
        make(picture, POINTER, "SYN")  # type: ignore[operator]
    assert caught.value.reason == "mark_picture"


def test_an_unknown_label_code_is_refused() -> None:
    with pytest.raises(InputError, match="SYN, AIGC"):
        marked(label_in_place, 640, 512, "NONE")


def test_a_picture_counts_as_labelled_only_with_the_tag_of_its_record() -> None:
    labelled = marked(label_in_place, 640, 512)
    assert already_labelled(labelled.pixels, POINTER, "SYN").pointer == POINTER
    with pytest.raises(InputError, match="tag of leaf 40"):
        already_labelled(labelled.pixels, FramePointer(40, 42, bytes(32)), "SYN")
    with pytest.raises(InputError, match="tag of leaf 41"):
        already_labelled(np.full((512, 640, 3), 128, np.uint8), POINTER, "SYN")


def test_a_missing_glyph_picture_is_an_error_not_a_missing_mark() -> None:
    with pytest.raises(ConfigError, match="install again"):
        load_word("nothing")


@pytest.mark.parametrize("name", ["syn_zh", "syn_en", "aigc_ai", "aigc_zh", "aigc_en"])
def test_every_letter_lies_where_the_index_says(name: str) -> None:
    word = load_word(name)
    ink = word.coverage >= 128
    assert len(word.letters) == len(word.text.replace(" ", ""))
    for left, top, right, bottom in word.letters:
        rows = np.flatnonzero(ink[:, left:right].any(axis=1))
        assert (int(rows[0]), int(rows[-1]) + 1) == (top, bottom)
