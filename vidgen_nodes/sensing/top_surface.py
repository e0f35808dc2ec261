# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The highest surface of each cell, told apart from what floats above it.

A top rises at once by returns within ``BAND_M`` of it. What is seen higher is a ghost (smoke, a bird)
until it proves solid: seen ``REPEATS`` scans in a row at about one height, with either as many returns as
the surface below still gives, or nothing below any more and most returns within the band of its top.
A plume, whose returns are few or spread over its depth, fulfils neither; where it is opaque and flat for
longer than ``_OPAQUE_NS``, no LiDAR can tell it from a surface and it is believed. A top that no return has
confirmed for a second while lower ones come is given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from vidgen_nodes.packets import BoolArray, Float32Array
from vidgen_nodes.sensing.cell_returns import CellReturns, Indices
from vidgen_nodes.sensing.cell_window import CellLayers

BAND_M: Final = 0.5
REPEATS: Final = 3
_LOST_NS: Final = 1_000_000_000
_OPAQUE_NS: Final = 3_000_000_000


@dataclass(frozen=True, slots=True)
class Tops:
    """What a scan says of the tops, each (cells,)."""

    top_m: Float32Array  # -inf: never seen
    ghost: BoolArray  # returns above the top that nothing confirms
    seen: BoolArray  # any return at all


class TopSurface(CellLayers):
    """Highest surface per cell; feed it every scan."""

    BLANK: ClassVar = {
        "_top_m": (np.float32(-np.inf), ()),
        "_top_ns": (np.int64(0), ()),
        "_above_m": (np.float32(np.nan), ()),
        "_above_ns": (np.int64(0), ()),
        "_in_a_row": (np.int64(0), ()),
    }
    _top_m: Float32Array
    _top_ns: np.ndarray[tuple[int], np.dtype[np.int64]]
    _above_m: Float32Array
    _above_ns: np.ndarray[tuple[int], np.dtype[np.int64]]
    _in_a_row: np.ndarray[tuple[int], np.dtype[np.int64]]

    def add(self, returns: CellReturns, stamp_ns: int) -> Tops:
        """Enter a scan and say where the tops are now."""
        scan_m = np.full(self._top_m.size, -np.inf, np.float32)
        np.maximum.at(scan_m, returns.cell, returns.z_m)
        seen = np.isfinite(scan_m)
        above = seen & np.isfinite(self._top_m) & (scan_m > self._top_m + BAND_M)
        with np.errstate(invalid="ignore"):
            repeats = above & (np.abs(scan_m - self._above_m) <= BAND_M)
        self._above_ns = np.where(above & ~repeats, stamp_ns, self._above_ns)
        row = np.where(repeats, self._in_a_row + 1, above.astype(np.int64))
        self._in_a_row = np.where(seen, row, self._in_a_row)
        self._above_m = np.where(seen, np.where(above, scan_m, np.float32(np.nan)), self._above_m)
        risen = above & (self._in_a_row >= REPEATS)
        if risen.any():
            risen &= self._solid(returns, scan_m, risen, stamp_ns)
        lost = seen & (scan_m < self._top_m - BAND_M) & (stamp_ns - self._top_ns > _LOST_NS)
        ghost = above & ~risen
        self._top_m = np.where(
            lost | risen, scan_m, np.where(ghost, self._top_m, np.maximum(self._top_m, scan_m))
        )
        confirmed = seen & ~ghost & (scan_m >= self._top_m - BAND_M)
        if ghost.any():
            confirmed |= ghost & (self._near(returns, self._top_m, ghost) > 0)
        self._top_ns[confirmed] = stamp_ns
        return Tops(self._top_m, ghost, seen)

    def _solid(
        self, returns: CellReturns, scan_m: Float32Array, asked: BoolArray, stamp_ns: int
    ) -> BoolArray:
        """Which of the cells asked for see a surface and no plume above their old top."""
        higher = returns.z_m > self._top_m[returns.cell] + BAND_M
        of_interest = asked[returns.cell] & higher
        above = np.bincount(returns.cell[of_interest], minlength=asked.size)
        near, below = self._near(returns, scan_m, asked), self._near(returns, self._top_m, asked)
        opaque = stamp_ns - self._above_ns > _OPAQUE_NS
        return np.where(below > 0, near >= below, (2 * near >= above) | opaque)

    def _near(self, returns: CellReturns, level_m: Float32Array, asked: BoolArray) -> Indices:
        """Returns within the band of a level per cell, in the cells asked for."""
        with np.errstate(invalid="ignore"):  # tops never seen
            near = asked[returns.cell] & (np.abs(returns.z_m - level_m[returns.cell]) <= BAND_M)
        return np.bincount(returns.cell[near], minlength=asked.size)
