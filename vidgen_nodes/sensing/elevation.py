# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Height of each cell and its variance: one Kalman filter a cell.

After Fankhauser et al. 2014, "Robot-centric elevation mapping with uncertainty estimates"::

    h' = (var_p h + var_h p) / (var_p + var_h)      var' = var_h var_p / (var_h + var_p)

with a Mahalanobis gate. The third measurement in a row that the gate turns away is believed: the surface
has moved. A cell not seen for a while grows less sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.sensing.cell_returns import Indices
from vidgen_nodes.sensing.cell_window import CellLayers

GATE_SIGMA: Final = 2.5
MIN_VARIANCE_M2: Final = 1e-4
CONTRADICTIONS: Final = 3
_WALK_M2_PER_S: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Fused:
    """What became of a scan, each (cells,)."""

    used: BoolArray  # the cell took the scan
    contradicted: BoolArray  # the gate turned it away
    moved: BoolArray  # taken, and all that was known before is void


class Elevation(CellLayers):
    """Height [m in map], variance [m^2], returns counted and event time of the newest, per cell."""

    BLANK: ClassVar = {
        "height_m": (np.float64(np.nan), ()),
        "variance_m2": (np.float64(np.nan), ()),
        "observations": (np.int64(0), ()),
        "observed_ns": (np.int64(0), ()),
        "_turned_away": (np.int64(0), ()),
    }
    height_m: FloatArray
    variance_m2: FloatArray
    observations: npt.NDArray[np.int64]
    observed_ns: npt.NDArray[np.int64]
    _turned_away: npt.NDArray[np.int64]

    def fuse(
        self, count: Indices, measured_m: FloatArray, variance_m2: FloatArray, elapsed_s: float, stamp_ns: int
    ) -> Fused:
        """Enter the mean height of the returns of each cell.

        Args:
            count: returns behind it, (cells,); 0: not measured.
            measured_m: mean height.
            variance_m2: of that mean.
            elapsed_s: event time since the scan before.
            stamp_ns: of the scan.
        """
        seen = count > 0
        prior = self.variance_m2 + _WALK_M2_PER_S * elapsed_s
        fresh = seen & np.isnan(self.height_m)
        with np.errstate(invalid="ignore"):
            off = seen & ((measured_m - self.height_m) ** 2 > GATE_SIGMA**2 * (prior + variance_m2))
        self._turned_away = np.where(seen, np.where(off, self._turned_away + 1, 0), self._turned_away)
        moved = self._turned_away >= CONTRADICTIONS
        start = fresh | moved
        keep = seen & ~off & ~fresh
        gain = prior / (prior + variance_m2)
        filtered = np.where(keep, self.height_m + gain * (measured_m - self.height_m), self.height_m)
        self.height_m = np.where(start, measured_m, filtered)
        narrowed = np.where(keep, np.maximum(gain * variance_m2, MIN_VARIANCE_M2), prior)
        self.variance_m2 = np.where(start, np.maximum(variance_m2, MIN_VARIANCE_M2), narrowed)
        self._turned_away[moved] = 0
        used = start | keep
        self.observations = np.where(moved, 0, self.observations) + np.where(used, count, 0)
        self.observed_ns[used] = stamp_ns
        return Fused(used, off & ~moved, moved)
