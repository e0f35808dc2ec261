# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Flat-field and dead-pixel correction of a thermal sensor.

Guarantees: pixels that clipped stay at the top of the range, so that they are still known as clipped;
a dead pixel becomes the median of its nearest live neighbours and nothing of its own value is left;
the pixels that come in are not written to. Leaves out gain (two-point) correction and finding dead pixels.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import BoolArray, Float32Array
from vidgen_nodes.resources import EMBEDDED, file_content

Pixels = npt.NDArray[Any]

_NEIGHBOURS: Final = 4
_MAX_DEAD_SHARE: Final = 0.05
_ARRAYS: Final = ("offset", "shutter", "dead")
_ZIP: Final = b"PK"


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """What is added to each pixel, and which pixels are replaced. Made by :func:`load_correction`."""

    offset: Float32Array | None  # (H, W) in counts; zero where dead
    dead: npt.NDArray[np.intp]  # (n,) flat indices
    neighbours: npt.NDArray[np.intp]  # (n, 4) flat indices of live pixels, nearest first
    shape: tuple[int, int]

    def fits(self, pixels: Pixels) -> bool:
        """Made for images of this size, and the pixels are counts or floats that an offset means something to."""
        return pixels.shape == self.shape and pixels.dtype in (np.uint16, np.float32)

    def apply(self, pixels: Pixels, clipped_at: float) -> Pixels:
        """The corrected image, newly allocated.

        Args:
            pixels: (H, W) uint16 or float32, of this correction's size.
            clipped_at: pixels at or above this are clipped and become the top of the range; infinity: none.
        """
        top = np.iinfo(np.uint16).max if pixels.dtype == np.uint16 else np.float32(np.inf)
        if self.offset is None:
            fixed: Any = pixels.copy()
        else:
            # OpenCV rounds and saturates: no count wraps around.
            fixed = cv2.add(
                pixels, self.offset, dtype=cv2.CV_16U if pixels.dtype == np.uint16 else cv2.CV_32F
            )
        if np.isfinite(clipped_at):
            fixed[pixels >= clipped_at] = top
        if self.dead.size:
            flat = fixed.reshape(-1)
            near = np.partition(flat[self.neighbours], (1, 2), axis=1)
            flat[self.dead] = near[:, 1:3].astype(np.float64).mean(axis=1)
        return np.asarray(fixed)


def load_correction(file: str) -> Correction:
    """Read a correction from an ``.npz`` file, or take a 16-bit picture (PNG, TIFF) as a shutter frame.

    The ``.npz`` holds any of ``offset`` (H, W), counts to add; ``shutter`` (H, W), a picture of something of
    one temperature (the closed shutter), whose departure from its own median is taken off; ``dead`` (H, W),
    not zero where a pixel is dead.

    Args:
        file: its path, or what ``resources.embedded_file`` made of it.

    Raises:
        ConfigError: a file that cannot be read or holds something else.
    """
    content = file_content(file)
    if file.startswith(EMBEDDED):
        file = "(recorded)"
    is_npz = file.lower().endswith(".npz") or content.startswith(_ZIP)
    arrays = _read_npz(file, content) if is_npz else {"shutter": _read_picture(file, content)}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or any(len(shape) != 2 or 0 in shape for shape in shapes):
        raise ConfigError(f"correction_file {file}: arrays have shapes {sorted(shapes)}, expected one (H, W)")
    if any(array.dtype.kind not in "uifb" or not np.isfinite(array).all() for array in arrays.values()):
        raise ConfigError(f"correction_file {file}: expected arrays of finite numbers")
    dead = np.asarray(arrays.get("dead", np.zeros(next(iter(shapes)), bool)), bool)
    if dead.mean() > _MAX_DEAD_SHARE:
        raise ConfigError(
            f"correction_file {file}: {100 * dead.mean():.0f} % of the pixels are dead, expected at most "
            f"{100 * _MAX_DEAD_SHARE:.0f} %; is `dead` not zero where a pixel is dead, and zero elsewhere?"
        )
    return make_correction(arrays.get("offset"), arrays.get("shutter"), dead)


def make_correction(
    offset: npt.NDArray[Any] | None, shutter: npt.NDArray[Any] | None, dead: BoolArray
) -> Correction:
    """A correction of arrays (H, W); ``offset`` and ``shutter`` add up where both are given."""
    total: Float32Array | None = None
    if offset is not None or shutter is not None:
        total = np.zeros(dead.shape, np.float32)
        if offset is not None:
            total += offset.astype(np.float32)
        if shutter is not None:
            counts = shutter.astype(np.float64)
            # The lower of two middle values: whole counts stay whole, and equal pixels round alike.
            level = np.quantile(counts[~dead], 0.5, method="lower")
            total += (level - counts).astype(np.float32)
        total[dead] = 0.0
    height, width = dead.shape
    return Correction(total, np.flatnonzero(dead), _live_neighbours(dead), (height, width))


def _live_neighbours(dead: BoolArray) -> npt.NDArray[np.intp]:
    """Flat indices (n, 4) of the live pixels nearest to each dead one; ties in the order of rows."""
    height, width = dead.shape
    found = np.empty((int(dead.sum()), _NEIGHBOURS), np.intp)
    for number, (row, col) in enumerate(zip(*np.nonzero(dead), strict=True)):
        reach = 1
        while True:
            top, left = max(row - reach, 0), max(col - reach, 0)
            rows, cols = np.nonzero(~dead[top : row + reach + 1, left : col + reach + 1])
            whole = reach >= max(height, width)
            if len(rows) >= _NEIGHBOURS or (whole and len(rows)):
                break
            reach += 1
        distance = (rows + top - row) ** 2 + (cols + left - col) ** 2
        nearest = np.argsort(distance, kind="stable")[np.arange(_NEIGHBOURS) % len(rows)]
        found[number] = (rows[nearest] + top) * width + cols[nearest] + left
    return found


def _read_npz(file: str, content: bytes) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            names = list(stored.files)
            arrays = {name: np.asarray(stored[name]) for name in names if name in _ARRAYS}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as err:
        raise ConfigError(f"correction_file {file}: cannot be read: {err}") from err
    if not arrays or len(arrays) != len(names):
        raise ConfigError(
            f"correction_file {file}: holds {', '.join(names) or 'nothing'}; expected any of {', '.join(_ARRAYS)}"
        )
    return arrays


def _read_picture(file: str, content: bytes) -> npt.NDArray[Any]:
    coded = np.frombuffer(content, np.uint8)
    picture: Any = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED) if coded.size else None
    if picture is None or picture.dtype != np.uint16 or picture.ndim != 2:
        raise ConfigError(
            f"correction_file {file}: expected an .npz file, or a 16-bit picture of one channel (PNG, TIFF)"
        )
    return np.asarray(picture)
