# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Cells from which no return comes any more although the LiDAR looks at them.

A hole is at least ``MIN_AREA_M2`` of joined cells that were hit before, lie amid cells that still are, are
not hidden behind something higher, and gave nothing at all for a second. That is no damage: glass, water, a
dark or wet surface and a gap all look the same. Cells through which the LiDAR sees something far below
do give returns; they are a changed surface and not a hole.
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
_REACH_M: Final = 2.0  # cells seen on all sides within this: amid what is seen
_HIDING_M: Final = 0.5  # so much above the line of sight hides what is behind
_MOST_STEPS: Final = 256


class Holes(CellLayers):
    """Watches where returns come from."""

    BLANK: ClassVar = {"_hit_ns": (np.int64(0), ())}
    _hit_ns: npt.NDArray[np.int64]

    def find(
        self, seen: BoolArray, height_m: FloatArray, sensor_m: FloatArray, grid: Grid, stamp_ns: int
    ) -> BoolArray:
        """Enter a scan; which cells (cells,) are holes now.

        Args:
            seen: cells with any return in this scan.
            height_m: known height of each cell; NaN: never hit.
            sensor_m: LiDAR in map, (3,).
            grid: of the cells.
            stamp_ns: of the scan.
        """
        self._hit_ns[seen] = stamp_ns
        lately = (self._hit_ns > 0) & (stamp_ns - self._hit_ns <= SILENT_NS)
        silent = (self._hit_ns > 0) & ~lately & np.isfinite(height_m)
        if not silent.any():
            return silent
        side = 2 * max(1, math.ceil(_REACH_M / grid.resolution_m)) + 1
        view = cv2.morphologyEx(
            lately.reshape(grid.shape).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)
        )
        silent &= view.ravel() > 0
        where = np.flatnonzero(silent)
        silent[where] = ~_hidden(where, height_m, sensor_m, grid)
        return _joined(silent, grid)


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
    """Whether the map rises above the line of sight from the LiDAR to each of the cells, (len(where),)."""
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
        higher = inside & (index != where) & (height_m[index] > line_m + _HIDING_M)
    return np.asarray(higher.any(axis=0))
