# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The visible mark and the tag strip, without which no picture leaves.

Guarantees: only what came through here is a ``Labelled``, and encoders take nothing else; every letter is at least
5 % of the shortest side of the finished picture high, in Chinese and in English, on an opaque band along the bottom
edge with the strip (``tag_strip.py``) below it; the same bytes for the same size, code and record. The wording
follows the label code of the record: ``SYN`` for procedural pixels, ``AIGC`` once a learned model drew any. Leaves
out the label for machines in the file (``content_label.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vidgen_nodes.delivery.glyphs import Word, load_word
from vidgen_nodes.delivery.tag_strip import (
    NARROWEST_PX,
    FramePointer,
    columns_for,
    draw_strip,
    read_strip,
    strip_height_px,
)
from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import ByteArray

TEXT = "SYNTHETIC OVERLAY"  # of markers in space, which are text and no picture
SYN, AIGC = "SYN", "AIGC"
LETTER_SHARE = 0.05  # of the shortest side
# Words that stand close together form a line of their own where the picture is too narrow for one line.
_MARKS: dict[str, tuple[tuple[str, ...], ...]] = {
    SYN: (("syn_zh",), ("syn_en",)),
    AIGC: (("aigc_ai", "aigc_zh"), ("aigc_en",)),
}
_LEGIBLE_PX = 9  # below this letters are blots; used where the width allows it
_INK_RGB = (255, 200, 0)  # amber: no grey-level picture holds it
_FILL_SHARE = 0.96  # of the width that the text may take
_CLOSE, _APART = 0.15, 0.6  # gaps between words, in letter heights
_MOST_SHARE = 0.5  # of the height of a picture that the label may cover
_STURDY_CELL_PX = 6.0  # of a strip that hides nothing


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with mark and strip; made by this module alone."""

    pixels: ByteArray  # (H, W, 3) or (H, W, 4)
    pointer: FramePointer
    code: str  # SYN | AIGC
    picture_rows: int  # rows from the top that the label does not cover; all where the label came with it


def letter_height_px(width_px: int, height_px: int, code: str = SYN) -> int:
    """Least height of a letter of the mark on a finished picture of that size."""
    required = math.ceil(LETTER_SHARE * min(width_px, height_px)) + 1  # antialiasing takes up to one row
    if required >= _LEGIBLE_PX:
        return required
    fits = (
        px for px in range(_LEGIBLE_PX, required, -1) if _line_px(_words(code), px) <= _FILL_SHARE * width_px
    )
    return next(fits, required)


def label_in_place(picture: ByteArray, pointer: FramePointer, code: str) -> Labelled:
    """Draw mark and strip over the bottom of a picture.

    Args:
        picture: (H, W, 3) rgb or (H, W, 4) rgba, writable.
        pointer: the record of the frame in it.
        code: label code of that record.

    Raises:
        InputError: not such a picture, too small for a label, or an unknown code.
    """
    _check(picture, code)
    height, width = picture.shape[:2]
    columns = columns_for(width)
    band, strip_px = _band(width, height, code), strip_height_px(width, columns)
    top = height - band.shape[0] - strip_px
    if top < (1 - _MOST_SHARE) * height:
        raise InputError(
            "mark_picture",
            f"got a picture of {width} x {height} px; a label of {height - top} px would cover most of it",
        )
    picture[top : top + band.shape[0], :, :3] = band
    picture[top : top + band.shape[0], :, 3:] = 255
    draw_strip(picture, pointer, columns)
    return Labelled(picture, pointer, code, top)


def label_below(picture: ByteArray, pointer: FramePointer, code: str) -> Labelled:
    """A new picture with the label under it: no pixel of the picture is covered, and the strip has larger cells.

    Args:
        picture: (H, W, 3) rgb or (H, W, 4) rgba.
        pointer: the record of the frame in it.
        code: label code of that record.

    Raises:
        InputError: not such a picture, too small for a label, or an unknown code.
    """
    _check(picture, code)
    height, width = picture.shape[:2]
    columns = columns_for(width, _STURDY_CELL_PX)
    band, strip_px = _band_below(width, height, code), strip_height_px(width, columns)
    even = (height + band.shape[0] + strip_px) % 2  # video encoders want even heights
    whole = np.zeros((height + band.shape[0] + strip_px + even, *picture.shape[1:]), np.uint8)
    whole[:height] = picture
    whole[height:, :, 3:] = 255
    whole[height : height + band.shape[0], :, :3] = band
    draw_strip(whole, pointer, columns)
    return Labelled(whole, pointer, code, height)


def already_labelled(picture: ByteArray, pointer: FramePointer, code: str) -> Labelled:
    """A picture that came here with its label, as a composite from the topic does.

    Args:
        picture: (H, W, 3) or (H, W, 4).
        pointer: the record that its strip must name.
        code: label code of that record.

    Raises:
        InputError: it has no such label; it must not be saved as it is.
    """
    _check(picture, code)
    found = read_strip(picture)
    if found is None or (found.leaf_index, found.prefix) != (pointer.leaf_index, pointer.prefix):
        raise InputError("not_labelled", f"the picture does not carry the tag of leaf {pointer.leaf_index}")
    return Labelled(picture, pointer, code, picture.shape[0])


def rows_above_label(pixels: ByteArray, code: str) -> int | None:
    """Rows of the picture in what ``label_below`` made and a lossless file kept; None: it is no such thing.

    Args:
        pixels: (H, W, 3) or (H, W, 4).
        code: label code.
    """
    _check(pixels, code)
    whole, width = pixels.shape[:2]
    strip_px = strip_height_px(width, columns_for(width, _STURDY_CELL_PX))
    for rows in range(whole - strip_px, 0, -1):
        band = _band_below(width, rows, code)
        height = rows + band.shape[0] + strip_px
        if height + height % 2 == whole and (pixels[rows : rows + band.shape[0], :, :3] == band).all():
            return rows
    return None


def mark_text(code: str) -> str:
    """The words of a mark, for logs and alternative texts."""
    return " ".join("".join(word.text for word in line) for line in _words(code))


def _check(picture: ByteArray, code: str) -> None:
    if picture.ndim != 3 or picture.shape[2] not in (3, 4) or picture.dtype != np.uint8 or 0 in picture.shape:
        raise InputError(
            "mark_picture",
            f"got {picture.dtype} of shape {picture.shape}, expected uint8 (H, W, 3) or (H, W, 4); "
            "convert it to rgb8 or rgba8",
        )
    if picture.shape[1] < NARROWEST_PX:
        raise InputError(
            "mark_picture", f"got a picture {picture.shape[1]} px wide; a label needs {NARROWEST_PX} px"
        )
    if code not in _MARKS:
        raise InputError("label_code", f"got label code {code!r}, expected one of {', '.join(_MARKS)}")


def _words(code: str) -> tuple[tuple[Word, ...], ...]:
    return tuple(tuple(load_word(name) for name in line) for line in _MARKS[code])


def _line_px(lines: tuple[tuple[Word, ...], ...], letter_px: int) -> int:
    """Width of the words of all lines side by side."""
    drawn = sum(_drawn_px(word, letter_px)[0] for line in lines for word in line)
    close = sum(len(line) - 1 for line in lines) * round(_CLOSE * letter_px)
    return drawn + close + (len(lines) - 1) * round(_APART * letter_px)


def _drawn_px(word: Word, letter_px: int) -> tuple[int, int]:
    rows, columns = word.coverage.shape
    height = word.height_px(letter_px)
    return max(1, round(columns * height / rows)), height


@lru_cache(maxsize=8)
def _band_below(width_px: int, height_px: int, code: str) -> ByteArray:
    """The band of a picture that grows by its label; its letters are measured against the picture as it is then."""
    strip_px = strip_height_px(width_px, columns_for(width_px, _STURDY_CELL_PX))
    finished_px = height_px
    while True:  # the shortest side grows by about a tenth of what the height grows, so this ends soon
        band = _band(width_px, finished_px, code)
        whole_px = height_px + strip_px + band.shape[0] + 1
        if letter_height_px(width_px, whole_px, code) <= letter_height_px(width_px, finished_px, code):
            return band
        finished_px = whole_px


@lru_cache(maxsize=8)
def _band(width_px: int, height_px: int, code: str) -> ByteArray:
    """The band with the words for a finished picture of that size, (band height, width, 3)."""
    letter_px = letter_height_px(width_px, height_px, code)
    words, most_px = _words(code), int(_FILL_SHARE * width_px)
    lines = [words] if _line_px(words, letter_px) <= most_px else [(line,) for line in words]
    margin = max(2, letter_px // 4)
    rows = [np.zeros((margin, width_px), np.uint8)]
    for line in lines:
        text = _line(line, letter_px)
        if text.shape[1] > most_px:  # only ever in portrait: letters keep their height
            text = cv2.resize(text, (most_px, text.shape[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)
        left = (width_px - text.shape[1]) // 2
        rows.append(np.pad(text, ((0, margin), (left, width_px - left - text.shape[1]))))
    coverage = np.concatenate(rows)[..., None].astype(np.float32) / np.float32(255.0)
    band: ByteArray = np.rint(coverage * np.array(_INK_RGB, np.float32)).astype(np.uint8)
    return band


def _line(lines: tuple[tuple[Word, ...], ...], letter_px: int) -> ByteArray:
    """Words side by side, their middles level."""
    height = max(word.height_px(letter_px) for line in lines for word in line)
    parts: list[ByteArray] = []
    for line in lines:
        for number, word in enumerate(line):
            if parts:
                parts.append(np.zeros((height, round((_CLOSE if number else _APART) * letter_px)), np.uint8))
            size = _drawn_px(word, letter_px)
            small = cv2.resize(word.coverage, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
            above = (height - size[1]) // 2
            parts.append(np.pad(small, ((above, height - size[1] - above), (0, 0))))
    return np.concatenate(parts, axis=1)
