# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The highest surface of each cell, told apart from what floats above it.

A top rises at once by returns within ``BAND_M`` of it. What is seen higher is a ghost (smoke, a bird)
until it proves solid: seen ``REPEATS`` scans in a row at about one height, with ``_PROOF`` returns within the
band of its top, and since then either as many as the surface below gave, or none from below and two thirds of the
higher returns in that band. A plume, whose returns are few or spread over its depth, fulfils neither;
where it is opaque and its top level for longer than ``_OPAQUE_NS``, no LiDAR can tell it from a surface and it is
believed. A top that no return has confirmed for a second while lower ones come is given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, Float32Array
from vidgen_nodes.sensing.cell_returns import CellReturns, Indices
from vidgen_nodes.sensing.cell_window import CellLayers

BAND_M: Final = 0.5
REPEATS: Final = 3
_LOST_NS: Final = 1_000_000_000
_OPAQUE_NS: Final = 3_000_000_000
_PROOF: Final = 10
_Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tops:
    """What a scan says of the tops, each (cells,)."""

    top_m: Float32Array  # -inf: never seen
    ghost: BoolArray  # returns above the top that nothing confirms


class TopSurface(CellLayers):
    """Highest surface per cell; feed it every scan."""

    BLANK: ClassVar = {
        "_top_m": (np.float32(-np.inf), ()),
        "_top_ns": (np.int64(0), ()),
        "_above_m": (np.float32(np.nan), ()),
        "_above_ns": (np.int64(0), ()),
        "_in_a_row": (np.int64(0), ()),
        "_returns": (
            np.int64(0),
            (3,),
        ),  # while in a row: near the top seen, above the old top, on the old top
    }
    _top_m: Float32Array
    _top_ns: _Integers
    _above_m: Float32Array
    _above_ns: _Integers
    _in_a_row: _Integers
    _returns: _Integers

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
        self._returns[:, ~repeats & seen] = 0
        risen = above & (self._in_a_row >= REPEATS)
        if above.any():
            self._count(returns, scan_m, above)
            risen &= self._solid(stamp_ns)
        lost = seen & (scan_m < self._top_m - BAND_M) & (stamp_ns - self._top_ns > _LOST_NS)
        ghost = above & ~risen
        self._top_m = np.where(
            lost | risen, scan_m, np.where(ghost, self._top_m, np.maximum(self._top_m, scan_m))
        )
        confirmed = seen & ~ghost & (scan_m >= self._top_m - BAND_M)
        if ghost.any():
            confirmed |= ghost & (self._near(returns, self._top_m, ghost) > 0)
        self._top_ns[confirmed] = stamp_ns
        return Tops(self._top_m, ghost)

    def _count(self, returns: CellReturns, scan_m: Float32Array, above: BoolArray) -> None:
        """Add the returns of the cells that see something above their top to what speaks for and against it."""
        higher = above[returns.cell] & (returns.z_m > self._top_m[returns.cell] + BAND_M)
        self._returns[0] += self._near(returns, scan_m, above)
        self._returns[1] += np.bincount(returns.cell[higher], minlength=above.size)
        self._returns[2] += self._near(returns, self._top_m, above)

    def _solid(self, stamp_ns: int) -> BoolArray:
        """Which cells have seen a surface and no plume above their top."""
        near, above, below = self._returns
        opaque = stamp_ns - self._above_ns > _OPAQUE_NS
        solid = (near >= _PROOF) & np.where(below > 0, near >= below, (3 * near >= 2 * above) | opaque)
        return np.asarray(solid)

    def _near(self, returns: CellReturns, level_m: Float32Array, asked: BoolArray) -> Indices:
        """Returns within the band of a level per cell, in the cells asked for."""
        with np.errstate(invalid="ignore"):  # tops never seen
            near = asked[returns.cell] & (np.abs(returns.z_m - level_m[returns.cell]) <= BAND_M)
        return np.bincount(returns.cell[near], minlength=asked.size)
