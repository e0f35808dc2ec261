# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Cells from which no return comes any more although the LiDAR looks at them.

A hole is at least ``MIN_AREA_M2`` of joined cells that were hit well before, lie amid cells that still are (in
all eight directions), are not hidden behind something higher, and gave nothing at all for a second. That is
no damage: glass, water, a dark or wet surface and a gap all look the same. Cells through which the LiDAR
sees something far below do give returns; they are a changed surface and not a hole.
"""

from __future__ import annotations

import math
from typing import ClassVar, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, FloatArray, Grid
from vidgen_nodes.sensing.cell_window import CellLayers

MIN_AREA_M2: Final = 0.25
SILENT_NS: Final = 1_000_000_000
_REACH_M: Final = 2.0  # cells seen in each direction within this: amid what is seen
_WELL_HIT: Final = 20.0  # returns in the last seconds before; with fewer, a second of silence is chance
_MEMORY_S: Final = 4.0
_CLEARANCE_M: Final = 0.5  # what is so much higher and comes so near the line of sight may hide the cell
_MOST_STEPS: Final = 256


class Holes(CellLayers):
    """Watches where returns come from."""

    BLANK: ClassVar = {"_hit_ns": (np.int64(0), ()), "_hits": (np.float64(0.0), ())}
    _hit_ns: npt.NDArray[np.int64]
    _hits: FloatArray  # returns of the last seconds, as of the newest

    def find(
        self,
        count: npt.NDArray[np.intp],
        height_m: FloatArray,
        sensor_m: FloatArray,
        grid: Grid,
        stamp_ns: int,
    ) -> BoolArray:
        """Enter a scan; which cells (cells,) are holes now.

        Args:
            count: returns of each cell in this scan.
            height_m: known height of each cell; NaN: never hit.
            sensor_m: LiDAR in map, (3,).
            grid: of the cells.
            stamp_ns: of the scan.
        """
        seen = np.flatnonzero(count)
        past_s = (stamp_ns - self._hit_ns[seen]) * 1e-9
        self._hits[seen] = self._hits[seen] * np.exp(-past_s / _MEMORY_S) + count[seen]
        self._hit_ns[seen] = stamp_ns
        lately = (self._hit_ns > 0) & (stamp_ns - self._hit_ns <= SILENT_NS)
        silent = (self._hits >= _WELL_HIT) & ~lately & np.isfinite(height_m)
        if not silent.any():
            return silent
        silent &= _amid(lately.reshape(grid.shape), grid).ravel()
        where = np.flatnonzero(silent)
        silent[where] = ~_hidden(where, height_m, sensor_m, grid)
        return _joined(silent, grid)


def _amid(seen: BoolArray, grid: Grid) -> BoolArray:
    """Cells with a seen one within reach in each of the eight directions, (rows, cols)."""
    reach = max(1, math.ceil(_REACH_M / grid.resolution_m))
    line, slope = np.ones((1, reach + 1), np.uint8), np.eye(reach + 1, dtype=np.uint8)
    mirrored = np.ascontiguousarray(slope[::-1])
    amid = np.ones(seen.shape, np.bool_)
    # Each line of cells with the cell itself, (x, y) in the kernel, at one end and at the other.
    for kernel, ends in (
        (line, ((0, 0), (reach, 0))),
        (line.T, ((0, 0), (0, reach))),
        (slope, ((0, 0), (reach, reach))),
        (mirrored, ((0, reach), (reach, 0))),
    ):
        for end in ends:
            amid &= cv2.dilate(seen.astype(np.uint8), kernel, anchor=end) > 0
    return amid


def _joined(cells: BoolArray, grid: Grid) -> BoolArray:
    """Those of the cells that belong to a joined area of at least ``MIN_AREA_M2``."""
    least = math.ceil(MIN_AREA_M2 / grid.resolution_m**2 - 1e-9)
    if least <= 1 or not cells.any():
        return cells
    _, labels, areas, _ = cv2.connectedComponentsWithStats(
        cells.reshape(grid.shape).astype(np.uint8), connectivity=8
    )
    large = areas[:, cv2.CC_STAT_AREA] >= least
    large[0] = False
    return np.asarray(large[labels].ravel(), dtype=np.bool_)


def _hidden(where: npt.NDArray[np.intp], height_m: FloatArray, sensor_m: FloatArray, grid: Grid) -> BoolArray:
    """Whether something higher comes near the line of sight from the LiDAR to each of the cells, (len(where),)."""
    if not where.size:
        return np.zeros(0, np.bool_)
    origin = np.array((grid.origin_east_m, grid.origin_north_m))
    start = (sensor_m[:2] - origin) / grid.resolution_m
    row, col = np.divmod(where, grid.cols)
    end = np.stack((col + 0.5, row + 0.5), axis=1)
    longest = float(np.abs(end - start).max())
    steps = min(_MOST_STEPS, max(2, math.ceil(longest)))
    share = (np.arange(steps) + 0.5) / steps
    at = start + share[:, None, None] * (end - start)  # (steps, cells, 2)
    line_m = sensor_m[2] + share[:, None] * (height_m[where] - sensor_m[2])
    at_col, at_row = np.floor(at[..., 0]).astype(np.int64), np.floor(at[..., 1]).astype(np.int64)
    inside = (at_col >= 0) & (at_col < grid.cols) & (at_row >= 0) & (at_row < grid.rows)
    index = np.where(inside, at_row * grid.cols + at_col, 0)
    with np.errstate(invalid="ignore"):  # cells never seen hide nothing
        near = height_m[index] > np.maximum(line_m, height_m[where] + 2.0 * _CLEARANCE_M) - _CLEARANCE_M
    return np.asarray((inside & near).any(axis=0))
