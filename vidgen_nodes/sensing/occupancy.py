# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How sure it is that there is a surface where the map says: log-odds per cell and their entropy.

OctoMap's update (Hornung et al. 2013) on the column of each cell: a hit when a scan sees the surface where
it was, a miss when it contradicts it, when it sees past it to something far below, and when something
unconfirmed floats above (ghosts raise the entropy, not the change). Never seen: p = 0.5, 1 bit.
"""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.sensing.cell_window import CellLayers

_HIT, _MISS = math.log(0.7 / 0.3), math.log(0.4 / 0.6)
_LOW, _HIGH = math.log(0.12 / 0.88), math.log(0.97 / 0.03)
KNOWN_BIT: Final = 0.5  # below it a cell counts as known


class Occupancy(CellLayers):
    """Log-odds of a surface in each cell."""

    BLANK: ClassVar = {"_odds": (np.float64(0.0), ())}
    _odds: FloatArray

    def add(self, hit: BoolArray, missed: BoolArray, ghost: BoolArray, moved: BoolArray) -> None:
        """Enter a scan: cells (cells,) that it hit, contradicted, saw ghosts over, and found moved (start anew)."""
        self._odds += np.where(hit, _HIT, np.where(missed, _MISS, 0.0))
        np.clip(self._odds, _LOW, _HIGH, out=self._odds)
        self._odds[moved] = _HIT
        self._odds[ghost] = np.maximum(self._odds[ghost] + _MISS, _LOW)

    def entropy_bit(self) -> FloatArray:
        """``H = -p log2 p - (1 - p) log2(1 - p)``, (cells,), 0..1."""
        p = 1.0 / (1.0 + np.exp(-self._odds))
        return np.asarray(-(p * np.log2(p) + (1.0 - p) * np.log2(1.0 - p)))
