# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Makes parts of a picture unrecognisable: few cells of one colour each.

A mosaic so coarse leaves no face, and unlike a small blur it cannot be undone from one picture. Guarantees: no part
keeps more than 64 colours, whatever its size, also where parts overlap (``mosaic``), or anything finer than the squares
asked for (``coarsen``); everything else stays to the byte; what is warm stays visible as warm. Leaves out which parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.packets import BoolArray, ByteArray

MOST_CELLS: Final = 8  # either way; identification wants tens of pixels across a face


def mosaic(picture: ByteArray, parts: Iterable[Rectangle]) -> None:
    """Turn parts of a picture into mosaics, in place.

    Parts that overlap become one, so that two mosaics never show the same face twice.

    Args:
        picture: (H, W, channels), writable.
        parts: left, top, right, bottom (the last two excluded); cut at the border of the picture.
    """
    height, width = picture.shape[:2]
    inside = [(max(0, p[0]), max(0, p[1]), min(width, p[2]), min(height, p[3])) for p in parts]
    for left, top, right, bottom in joined(
        part for part in inside if part[0] < part[2] and part[1] < part[3]
    ):
        part = picture[top:bottom, left:right]
        cells = (min(MOST_CELLS, right - left), min(MOST_CELLS, bottom - top))
        coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
        part[:] = np.asarray(
            cv2.resize(coarse, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
        ).reshape(part.shape)


def coarsen(picture: ByteArray, parts: Iterable[tuple[Rectangle, int]]) -> None:
    """Turn parts of a picture into squares of one colour each, in place; nothing around them is touched.

    Parts that touch share one grid, the coarsest of theirs, so that no two mosaics show the same face.

    Args:
        picture: (H, W, channels), writable.
        parts: rectangle (cut at the border of the picture) and least side of the squares, px.
    """
    height, width = picture.shape[:2]
    sides = np.zeros((height, width), np.int32)
    for (left, top, right, bottom), side_px in parts:
        inside = sides[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        np.maximum(inside, side_px, out=inside)
    count, groups, stats, _ = cv2.connectedComponentsWithStats((sides > 0).astype(np.uint8), connectivity=8)
    original = picture.copy()
    for group, (x, y, across, down, _) in enumerate(stats[1:count].tolist(), 1):
        here = np.s_[y : y + down, x : x + across]
        inside = groups[here] == group
        _paint(picture, original, (x, y, x + across, y + down), inside, int(sides[here][inside].max()))


def _paint(
    picture: ByteArray, original: ByteArray, around: Rectangle, inside: BoolArray, side_px: int
) -> None:
    """Squares of a grid that begins at the corner of ``around``; those at its end may be smaller."""
    left, top, right, bottom = around
    part = original[top:bottom, left:right]
    height, width = part.shape[:2]
    cells = (-(-width // side_px), -(-height // side_px))
    padded = cv2.copyMakeBorder(
        part, 0, cells[1] * side_px - height, 0, cells[0] * side_px - width, cv2.BORDER_REPLICATE
    )
    coarse = cv2.resize(padded, cells, interpolation=cv2.INTER_AREA)
    fine = np.asarray(
        cv2.resize(coarse, (cells[0] * side_px, cells[1] * side_px), interpolation=cv2.INTER_NEAREST)
    )
    fine = fine.reshape(cells[1] * side_px, cells[0] * side_px, -1)[:height, :width]
    picture[top:bottom, left:right][inside] = fine[inside]


def joined(parts: Iterable[Rectangle]) -> list[Rectangle]:
    """Rectangles that do not overlap, around those given."""
    found: list[Rectangle] = []
    for part in parts:
        merged = part
        while touching := [other for other in found if _overlap(merged, other)]:
            found = [other for other in found if other not in touching]
            for other in touching:
                merged = _around(merged, other)
        found.append(merged)
    return found


def enlarged(part: Rectangle, factor: float) -> Rectangle:
    """A rectangle about the same middle."""
    left, top, right, bottom = part
    more_x, more_y = (
        round((right - left) * (factor - 1.0) / 2.0),
        round((bottom - top) * (factor - 1.0) / 2.0),
    )
    return (left - more_x, top - more_y, right + more_x, bottom + more_y)


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _around(a: Rectangle, b: Rectangle) -> Rectangle:
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
