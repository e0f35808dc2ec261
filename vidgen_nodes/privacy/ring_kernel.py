# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled loop of ``warm_bodies``: which pixels stand out of the ring around them.

Guarantees: comparisons only, so the same bytes on every machine; NaN never stands out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import ByteArray, Float32Array


@compiled
def stands_out(
    levels: Float32Array, reach: int, axes: npt.NDArray[np.int64], contrast: np.float32, neighbours: int
) -> ByteArray:
    """1 where a pixel is above nearly all of its ring by the contrast.

    Args:
        levels: (H + 2 reach, W + 2 reach), C-contiguous: the picture with a border of what lies beyond it.
        reach: at least the largest of the ``axes``.
        axes: (n, 2) rows and columns from a pixel to one end of each axis of the ring; the other is opposite.
        contrast: in the unit of the levels.
        neighbours: so many ends may be less than that below, but never both of one axis.

    Returns:
        (H, W).
    """
    width = levels.shape[1]
    steps = axes[:, 0] * width + axes[:, 1]
    flat = levels.ravel()
    found = np.zeros((levels.shape[0] - 2 * reach, width - 2 * reach), np.uint8)
    for row in range(found.shape[0]):
        first = (row + reach) * width + reach
        for col in range(found.shape[1]):
            at = first + col
            floor = flat[at] - contrast
            near, stands = 0, floor == floor
            for step in steps:
                ahead, behind = flat[at + step] >= floor, flat[at - step] >= floor
                near += ahead + behind
                if near > neighbours or (ahead and behind):
                    stands = False
                    break
            found[row, col] = stands
    return found
