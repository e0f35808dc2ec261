# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled loop that ends a picture: what may not be drawn is taken away, and the rest gets its confidence.

Guarantees one pass over the pixels, so the same bytes on every run. Leaves out how they were painted (``render.py``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import ByteArray


@compiled
def take_away(
    words: npt.NDArray[np.uint32],
    mask: ByteArray,
    area: tuple[int, int, int, int],
    least: int,
    value: int,
    confidence: ByteArray,
) -> None:
    """Clear the pixels outside the mask or fainter than the least alpha; the others get the confidence.

    Args:
        words: (H, W) pixels, alpha in the highest byte; changed in place.
        mask: (H, W) 0 where nothing may be drawn.
        area: x0, y0, x1, y1, upper bounds excluded: what is looked at.
        least: word of the faintest pixel that is kept.
        value: confidence of what is kept.
        confidence: (H, W), written in the area.
    """
    x0, y0, x1, y1 = area
    # In the types of the arrays, and row by row: so many pixels are taken at once.
    least32, nothing, value8 = np.uint32(least), np.uint32(0), np.uint8(value)
    for row in range(y0, y1):
        line, shown, sure = words[row, x0:x1], mask[row, x0:x1], confidence[row, x0:x1]
        for col in range(x1 - x0):
            kept = (line[col] >= least32) & (shown[col] != np.uint8(0))
            line[col] = line[col] if kept else nothing
            sure[col] = value8 if kept else np.uint8(0)
