# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a picture holds anything at all.

Guarantees that every byte outside the rectangle, or the patches, was looked at and is zero, transparent colours
included. Leaves out what the bytes mean. Most of an overlay is empty, and hash and audit look at the rest only.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import ByteArray

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom; the last two excluded
_WORDS = (np.dtype(np.uint64), np.dtype(np.uint32), np.dtype(np.uint16), np.dtype(np.uint8))


def drawn_rectangle(*planes: ByteArray) -> Rectangle:
    """The smallest rectangle outside which every byte of every plane is zero; all zeros when all are.

    Args:
        planes: (H, W) or (H, W, channels), C-contiguous, of one height and width.
    """
    height, width = planes[0].shape[:2]
    lines = [plane.reshape(height, -1) for plane in planes]
    rows = np.flatnonzero(sum(np.bitwise_or.reduce(_words(line), axis=1) != 0 for line in lines))
    if not rows.size:
        return (0, 0, 0, 0)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = width, 0
    for line in lines:
        found = np.flatnonzero(np.bitwise_or.reduce(line[top:bottom], axis=0))
        if found.size:
            bytes_a_pixel = line.shape[1] // width
            left = min(left, int(found[0]) // bytes_a_pixel)
            right = max(right, int(found[-1]) // bytes_a_pixel + 1)
    return (left, top, right, bottom)


def drawn_patches(plane: ByteArray, gap_px: int, most: int) -> list[Rectangle]:
    """Rectangles outside which a plane (H, W) is zero, parted where nothing lies between; none when all is zero.

    Args:
        plane: C-contiguous.
        gap_px: more than so many empty columns, or rows, part two patches.
        most: patches; if there would be more, one rectangle holds all.
    """
    x, y, width, height = cv2.boundingRect(plane)
    if not width:
        return []
    part = plane[y : y + height, x : x + width]
    found = [
        (x + left, y + top, x + right, y + bottom)
        for left, right in _runs(cv2.reduce(part, 0, cv2.REDUCE_MAX), gap_px)
        for top, bottom in _runs(cv2.reduce(part[:, left:right], 1, cv2.REDUCE_MAX), gap_px)
    ]
    return found if len(found) <= most else [(x, y, x + width, y + height)]


def _runs(line: npt.NDArray[np.generic], gap: int) -> list[tuple[int, int]]:
    """First and past-the-last place of what is not zero, joined over gaps."""
    places = np.flatnonzero(line)
    last = np.append(np.flatnonzero(np.diff(places) > gap + 1), len(places) - 1)
    first = np.append(0, last[:-1] + 1)
    return list(zip(places[first].tolist(), (places[last] + 1).tolist(), strict=True))


def _words(line: ByteArray) -> npt.NDArray[np.unsignedinteger]:
    """The bytes (H, n) in the widest words that divide a row: a pass over them costs by the word."""
    return line.view(next(word for word in _WORDS if line.shape[1] % word.itemsize == 0))
