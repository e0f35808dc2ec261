# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which record a picture belongs to, written into its pixels so that it survives encoders and scaling.

Rows of black and white cells across the full width at the bottom edge: leaf index (6 bytes), tree size (6 bytes),
the first 16 bytes of the leaf hash, CRC-32, and 64 cells of a known pattern that say where black ends. Guarantees: a
reading that is not what was written needs a CRC-32 collision and a leaf beyond its tree; else nothing is read. It is
a pointer, not a proof: the proof is the log. Leaves out pictures that were cropped at the sides or the bottom,
turned, or scaled by different factors in the two directions.
"""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import ByteArray, Float32Array, Record

PREFIX_BYTES = 16
CELLS = 320
LAYOUTS = (160, 80, 40)  # cells a row
NARROWEST_PX = 80
_NUMBER_BYTES = 6
_PAYLOAD_BYTES = 2 * _NUMBER_BYTES + PREFIX_BYTES
_DATA_CELLS = 8 * (_PAYLOAD_BYTES + 4)
_KNOWN = np.tile(np.array([1, 0, 0, 1, 1, 0, 1, 0], np.uint8), (CELLS - _DATA_CELLS) // 8)
_MOST_KNOWN_WRONG = 3
_LEAST_CONTRAST = 24.0  # levels of 255 between black and white
_DOUBTFUL = 12  # cells nearest to the threshold that may each be read the other way round


@dataclass(frozen=True, slots=True)
class FramePointer:
    """A leaf of a log as it stood when the leaf was added."""

    leaf_index: int
    tree_size: int  # leaves then
    leaf_hash: bytes  # 32 bytes; the first 16 where it was read from a picture

    @classmethod
    def of(cls, record: Record) -> FramePointer:
        """The pointer to a frame's record."""
        return cls(record.leaf_index, record.tree_size, record.leaf_hash)

    @property
    def prefix(self) -> bytes:
        """What the strip holds of the leaf hash."""
        return self.leaf_hash[:PREFIX_BYTES]


def columns_for(width_px: int, cell_px: float = 4.0) -> int:
    """Cells a row on a picture of that width: as many as may be with cells of that size, or the fewest there are."""
    return next((columns for columns in LAYOUTS if width_px >= cell_px * columns), LAYOUTS[-1])


def strip_height_px(width_px: int, columns: int) -> int:
    """Rows of the picture that the strip takes."""
    return round(CELLS // columns * width_px / columns)


def draw_strip(rows: ByteArray, pointer: FramePointer, columns: int) -> None:
    """Draw the strip over the bottom of a picture, in place; alpha becomes opaque.

    Args:
        rows: (H, W, C), writable.
        pointer: what to write.
        columns: cells a row, one of ``LAYOUTS``.

    Raises:
        InputError: the picture is too small for it, or a number that 6 bytes do not hold.
    """
    height, width = rows.shape[:2]
    strip_px = strip_height_px(width, columns)
    if width < NARROWEST_PX or strip_px > height:
        raise InputError(
            "strip_picture",
            f"got a picture of {width} x {height} px; the tag strip needs at least {NARROWEST_PX} x "
            f"{strip_height_px(max(width, NARROWEST_PX), columns)}",
        )
    cells = np.concatenate((np.unpackbits(np.frombuffer(_payload(pointer), np.uint8)), _KNOWN)) * np.uint8(
        255
    )
    rows[height - strip_px :, :, :3] = cells[_cell_of_pixel(width, columns), None]
    rows[height - strip_px :, :, 3:] = 255


def read_strip(picture: npt.NDArray[Any]) -> FramePointer | None:
    """What the strip of a picture says.

    Args:
        picture: (H, W) or (H, W, C) of 8 or 16 bits, at any scale.

    Returns:
        None: there is no strip, or it cannot be read beyond doubt.
    """
    for columns in LAYOUTS:
        height, width = picture.shape[:2]
        strip_px = strip_height_px(width, columns)
        if columns <= width and CELLS // columns <= strip_px <= height:
            pointer = _decode(_levels(picture[height - strip_px :], columns))
            if pointer is not None:
                return pointer
    return None


def _payload(pointer: FramePointer) -> bytes:
    if not 0 <= pointer.leaf_index < pointer.tree_size < 1 << (8 * _NUMBER_BYTES):
        raise InputError(
            "strip_pointer",
            f"got leaf {pointer.leaf_index} of {pointer.tree_size}; expected a leaf of the tree, below 2^48",
        )
    if len(pointer.prefix) != PREFIX_BYTES:
        raise InputError("strip_pointer", f"got a leaf hash of {len(pointer.leaf_hash)} bytes, expected 32")
    numbers = [number.to_bytes(_NUMBER_BYTES, "big") for number in (pointer.leaf_index, pointer.tree_size)]
    said = b"".join(numbers) + pointer.prefix
    return said + zlib.crc32(said).to_bytes(4, "big")


@lru_cache(maxsize=8)
def _cell_of_pixel(width: int, columns: int) -> npt.NDArray[np.intp]:
    height = strip_height_px(width, columns)
    down = np.arange(height) * (CELLS // columns) // height
    along = np.arange(width) * columns // width
    index: npt.NDArray[np.intp] = down[:, None] * columns + along
    return index


def _levels(rows: npt.NDArray[Any], columns: int) -> Float32Array:
    """Mean level of the middle of each cell, (CELLS,)."""
    grey = rows.astype(np.float32) if rows.ndim == 2 else rows[..., :3].astype(np.float32).mean(axis=2)
    sums = np.pad(grey.cumsum(axis=0, dtype=np.float64).cumsum(axis=1), ((1, 0), (1, 0)))
    top, bottom = _middles(grey.shape[0], CELLS // columns)
    left, right = _middles(grey.shape[1], columns)
    area = (bottom - top)[:, None] * (right - left)
    total = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
    levels: Float32Array = (total / area).astype(np.float32).reshape(-1)
    return levels


@lru_cache(maxsize=64)
def _middles(pixels: int, cells: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """First and last (not included) pixel of the middle of each cell, along one side."""
    edges = -(-np.arange(cells + 1) * pixels // cells)
    trim = (edges[1:] - edges[:-1]) // 4  # an encoder smears a cell into its neighbours
    return (edges[:-1] + trim).astype(np.intp), (edges[1:] - trim).astype(np.intp)


def _decode(levels: Float32Array) -> FramePointer | None:
    known = levels[_DATA_CELLS:]
    white, black = float(known[_KNOWN == 1].mean()), float(known[_KNOWN == 0].mean())
    if white - black < _LEAST_CONTRAST:
        return None
    doubt = levels - np.float32((white + black) / 2)
    bits = (doubt > 0).astype(np.uint8)
    if int((bits[_DATA_CELLS:] != _KNOWN).sum()) > _MOST_KNOWN_WRONG:
        return None
    data = bits[:_DATA_CELLS]
    if (pointer := _checked(data)) is not None:
        return pointer
    # One or two wrong cells are the usual damage of a strong encoder. These 78 tries make a chance reading of a
    # damaged strip 78 times likelier, one in fifty million; more would buy little.
    doubtful = np.argsort(np.abs(doubt[:_DATA_CELLS]), kind="stable")[:_DOUBTFUL].tolist()
    for wrong in (*itertools.combinations(doubtful, 1), *itertools.combinations(doubtful, 2)):
        data[list(wrong)] ^= 1
        if (pointer := _checked(data)) is not None:
            return pointer
        data[list(wrong)] ^= 1
    return None


def _checked(bits: ByteArray) -> FramePointer | None:
    packed = np.packbits(bits).tobytes()
    said, crc = packed[:_PAYLOAD_BYTES], packed[_PAYLOAD_BYTES:]
    index, size = (int.from_bytes(said[at : at + _NUMBER_BYTES], "big") for at in (0, _NUMBER_BYTES))
    if zlib.crc32(said) != int.from_bytes(crc, "big") or index >= size:
        return None
    return FramePointer(index, size, said[2 * _NUMBER_BYTES :])
