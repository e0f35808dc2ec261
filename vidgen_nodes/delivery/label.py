# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The visible mark that no composite leaves without.

Guarantees: glyphs at least 5 % of the shortest side of the picture high, on an opaque band along the
bottom edge, the same bytes for the same size of picture. It needs no font file, so that a missing
font cannot drop the mark. The machine-readable label is custody's.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import ByteArray

TEXT = "SYNTHETIC OVERLAY"
GLYPH_SHARE = 0.05  # of the shortest side
_LEGIBLE_PX = 9  # below this letters are blots; used where the width allows it
_INK_RGB = (255, 200, 0)  # amber: no grey-level picture holds it
_BAND_RGB = (0, 0, 0)
_FILL_SHARE = 0.96  # of the width that the text may take


def glyph_height_px(width_px: int, height_px: int) -> int:
    """Height of the letters of the mark on a picture of that size."""
    required = math.ceil(GLYPH_SHARE * min(width_px, height_px))
    glyphs_height, glyphs_width = _glyphs().shape
    fitting = int(_FILL_SHARE * width_px * glyphs_height / glyphs_width)
    return max(required, min(_LEGIBLE_PX, fitting))


def draw_mark(rgb: ByteArray) -> None:
    """Draw the mark into a picture, in place.

    Args:
        rgb: (H, W, 3), writable.

    Raises:
        InputError: not such a picture.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise InputError(
            "mark_picture",
            f"got {rgb.dtype} of shape {rgb.shape}, expected uint8 (H, W, 3); convert it to rgb8",
        )
    band = _band(rgb.shape[1], rgb.shape[0])
    rgb[rgb.shape[0] - band.shape[0] :] = band


@lru_cache(maxsize=1)
def _glyphs() -> ByteArray:
    """Coverage of the text, large, cropped to its ink."""
    font, scale, thickness = cv2.FONT_HERSHEY_SIMPLEX, 3.0, 8
    (width, height), baseline = cv2.getTextSize(TEXT, font, scale, thickness)
    canvas = np.zeros((height + 2 * baseline, width + 2 * baseline), np.uint8)
    cv2.putText(canvas, TEXT, (baseline, height + baseline // 2), font, scale, 255, thickness, cv2.LINE_AA)
    left, top, width, height = cv2.boundingRect(canvas)
    return canvas[top : top + height, left : left + width]


@lru_cache(maxsize=8)
def _band(width_px: int, height_px: int) -> ByteArray:
    """The band with the text, (band height, width, 3)."""
    glyphs = _glyphs()
    glyph_px = glyph_height_px(width_px, height_px)
    text_px = max(1, min(round(glyphs.shape[1] * glyph_px / glyphs.shape[0]), width_px))
    small = cv2.resize(glyphs, (text_px, glyph_px), interpolation=cv2.INTER_AREA)
    margin = max(1, glyph_px // 3)
    coverage = np.zeros((glyph_px + 2 * margin, width_px, 1), np.float32)
    left = (width_px - text_px) // 2
    coverage[margin : margin + glyph_px, left : left + text_px, 0] = small / np.float32(255.0)
    ink, ground = np.array(_INK_RGB, np.float32), np.array(_BAND_RGB, np.float32)
    band: ByteArray = np.rint(ground + coverage * (ink - ground)).astype(np.uint8)
    return band[: min(band.shape[0], height_px)]
