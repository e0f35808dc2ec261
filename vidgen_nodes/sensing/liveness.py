# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a thermal camera is alive, and how much of its picture is clipped.

Judged is the picture without its outer three rows, because cores write a frame counter and other
telemetry there, which would make a frozen picture look alive. Guarantees that pictures which differ in
one pixel of the rest are not called frozen, and that NaN equals NaN.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]

_TELEMETRY_ROWS: Final = 3
_SMALLEST_PX: Final = 16  # lower pictures are test patterns and are judged whole
# Full scale of 16-, 14- and 12-bit cores; a picture whose brightest pixel sits exactly there is clipped.
_FULL_SCALE: Final = (65535, 16383, 4095)


def body(pixels: Pixels) -> Pixels:
    """The picture without the rows in which there may be telemetry; a view."""
    return pixels[_TELEMETRY_ROWS:-_TELEMETRY_ROWS] if pixels.shape[0] >= _SMALLEST_PX else pixels


def thinned(inner: Pixels) -> Pixels:
    """Every 16th pixel, copied: a fair sample at a sixteenth of the cost."""
    return np.ascontiguousarray(inner[::4, ::4])


class FrozenCheck:
    """Counts pictures that are the same to the last bit."""

    def __init__(self, frames: int) -> None:
        """``frames``: so many in a row are a camera that hangs; 0: never."""
        self._frames = frames
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._run = 0
        self._sample: Pixels | None = None
        self._inner: Pixels | None = None

    def is_frozen(self, sample: Pixels, inner: Pixels) -> bool:
        """Take the next picture, by its sample and whole; ``inner`` is kept until the next call."""
        # The sample tells almost all live pictures apart; only when it does not are all pixels compared.
        same = (
            self._sample is not None
            and self._inner is not None
            and _identical(sample, self._sample)
            and _identical(inner, self._inner)
        )
        self._run = self._run + 1 if same else 1
        self._sample, self._inner = sample, inner
        return 0 < self._frames <= self._run


def clipping(inner: Pixels, limit: float) -> tuple[float, float]:
    """Where a picture clips and how much of it does.

    Args:
        inner: (H, W) or (H, W, 3), not empty.
        limit: known clipping value; infinity: full scale of an integer format, +inf of a float one.

    Returns:
        The value at or above which pixels are clipped (infinity when none is), and their share, 0 to 1.
    """
    if inner.ndim == 3:
        white = (inner == np.iinfo(inner.dtype).max).all(axis=2)
        return np.inf, float(np.count_nonzero(white) / white.size)
    if inner.dtype == np.float32:
        share = float(np.count_nonzero(inner >= np.float32(limit))) / inner.size
        return (limit if share else np.inf), share
    top = int(inner.max())
    full = top == 255 if inner.dtype == np.uint8 else top in _FULL_SCALE
    at = min(float(top) if full else np.inf, limit)
    if top < at:
        return np.inf, 0.0
    return at, float(np.count_nonzero(inner >= max(math.ceil(at), 0))) / inner.size


def _identical(a: Pixels, b: Pixels) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.flags.c_contiguous and b.flags.c_contiguous:  # bytes, so that NaN equals NaN
        return bool(np.array_equal(a.view(np.uint8), b.view(np.uint8)))
    return a.tobytes() == b.tobytes()
