# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a picture holds anything at all.

Guarantees that every byte outside the rectangle was looked at and is zero, transparent colours included.
Leaves out what the bytes mean. Most of an overlay is empty, and hash and audit look at the rest only.
"""

from __future__ import annotations

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


def _words(line: ByteArray) -> npt.NDArray[np.unsignedinteger]:
    """The bytes (H, n) in the widest words that divide a row: a pass over them costs by the word."""
    return line.view(next(word for word in _WORDS if line.shape[1] % word.itemsize == 0))
