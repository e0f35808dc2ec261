# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The window of cells that the map covers, and how it moves with what the drone looks at.

Guarantees: the window moves by whole cells, so no value is ever resampled; what stays inside keeps its
value and what comes in is blank. Its place is a pure function of the scans. It moves rarely (only when
the middle of interest is a quarter of the window off its own middle), because everything that is cut
by the grid is made anew then. Leaves out: turning; the window stays aligned to east and north.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import Grid
from vidgen_nodes.params import LidarParams

_SLACK: Final = 0.25  # of the edge: how far the interest may leave the middle before the window follows
_Scalar = TypeVar("_Scalar", bound=np.generic)
Shift = tuple[int, int]  # rows north, columns east


class CellWindow:
    """Where the grid lies now; :meth:`follow` moves it."""

    def __init__(self, params: LidarParams) -> None:
        self._cells = max(1, math.ceil(params.map_size_m / params.resolution_m - 1e-9))
        self._resolution_m = params.resolution_m
        half_m = 0.5 * self._cells * params.resolution_m
        self._start_m = (params.map_center_m[0] - half_m, params.map_center_m[1] - half_m)
        self.reset()

    def reset(self) -> None:
        """Back to where the parameters put it."""
        self._offset: Shift = (0, 0)
        self.grid = self._cut()

    def follow(self, east_m: float, north_m: float) -> Shift | None:
        """Keep a place in map near the middle.

        Returns:
            By how many cells the window moved; None when it did not, or the place is not finite.
        """
        grid, edge_m = self.grid, self._cells * self._resolution_m
        off_east_m = east_m - grid.origin_east_m - 0.5 * edge_m
        off_north_m = north_m - grid.origin_north_m - 0.5 * edge_m
        far_m = max(abs(off_east_m), abs(off_north_m))
        if not math.isfinite(far_m) or far_m <= _SLACK * edge_m:
            return None
        shift = (round(off_north_m / self._resolution_m), round(off_east_m / self._resolution_m))
        self._offset = (self._offset[0] + shift[0], self._offset[1] + shift[1])
        self.grid = self._cut()
        return shift

    def _cut(self) -> Grid:
        # From the start and a whole number of cells: steps added up one by one would drift.
        rows, cols = self._offset
        return Grid(
            self._start_m[0] + cols * self._resolution_m,
            self._start_m[1] + rows * self._resolution_m,
            self._resolution_m,
            self._cells,
            self._cells,
        )


class CellLayers:
    """Values of the cells of one window, as flat arrays (..., rows * cols) that move together.

    A subclass names its layers in ``BLANK``: name -> (value of a cell never seen, leading shape).
    """

    BLANK: ClassVar[Mapping[str, tuple[Any, tuple[int, ...]]]] = {}

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.reset()

    def reset(self) -> None:
        """Every cell as never seen."""
        size = self.shape[0] * self.shape[1]
        for name, (blank, leading) in self.BLANK.items():
            setattr(self, name, np.full((*leading, size), blank, dtype=np.asarray(blank).dtype))

    def move(self, shift: Shift) -> None:
        """Follow the window: what leaves it is forgotten."""
        for name, (blank, _) in self.BLANK.items():
            setattr(self, name, moved(getattr(self, name), self.shape, shift, blank))


def moved(
    layer: npt.NDArray[_Scalar], shape: tuple[int, int], shift: Shift, blank: Any
) -> npt.NDArray[_Scalar]:
    """A flat layer (..., rows * cols) on the window moved by ``shift`` (rows north, columns east)."""
    old = layer.reshape(*layer.shape[:-1], *shape)
    new = np.full_like(old, blank)
    (new_rows, old_rows), (new_cols, old_cols) = (_overlap(n, s) for n, s in zip(shape, shift, strict=True))
    new[..., new_rows, new_cols] = old[..., old_rows, old_cols]
    return new.reshape(layer.shape)


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Along one axis, the part of the new window and of the old one that are the same place."""
    kept = max(0, length - abs(shift))
    start_new, start_old = (0, length - kept) if shift >= 0 else (length - kept, 0)
    return slice(start_new, start_new + kept), slice(start_old, start_old + kept)
