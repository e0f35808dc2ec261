# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The damaged corner of the roof: sagged, rough and holed. The building model does not know it.

Heights are relative to the sound roof, on a 5 cm grid read without interpolation between holes.
The damage is the same in every flight: it belongs to the site and not to the seed.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.sim.noise import draw

_Index = npt.NDArray[np.intp]

WEST_M, SOUTH_M = -5.4, -3.8
SIZE_M: Final = 3.0
SAG_M: Final = 0.40
ROUGHNESS_M: Final = 0.07  # 1 sigma
CELL_M: Final = 0.05
_CELLS: Final = round(SIZE_M / CELL_M)
# centre east, centre north, half width, half length of each hole, m from the south-west corner of the patch
_HOLES_M: Final = ((1.0, 1.9, 0.35, 0.45), (2.1, 1.0, 0.40, 0.30), (1.6, 2.5, 0.30, 0.25))


class Damage:
    """Height and holes of the patch, by position in map."""

    def __init__(self) -> None:
        middle_m = (np.arange(_CELLS) + 0.5) * CELL_M
        east_m, north_m = np.meshgrid(middle_m, middle_m)
        # 0 on the rim, so that the patch hangs from the sound roof, and 1 in the middle
        bowl = 16.0 * (east_m / SIZE_M) * (1 - east_m / SIZE_M) * (north_m / SIZE_M) * (1 - north_m / SIZE_M)
        rough = cv2.GaussianBlur(draw(0, "damage").standard_normal((_CELLS, _CELLS)), (0, 0), 2.0)
        rough *= ROUGHNESS_M / rough.std()
        self.offset_m: FloatArray = -SAG_M * bowl + rough * np.minimum(1.0, 4.0 * bowl)  # [north, east]
        self.hole: BoolArray = np.zeros((_CELLS, _CELLS), dtype=np.bool_)
        for east, north, half_e, half_n in _HOLES_M:
            self.hole |= ((east_m - east) / half_e) ** 2 + ((north_m - north) / half_n) ** 2 < 1.0

    def inside(self, east_m: FloatArray, north_m: FloatArray) -> BoolArray:
        """Whether positions in map lie over the patch; any shape."""
        from_west_m, from_south_m = east_m - WEST_M, north_m - SOUTH_M
        return np.asarray(
            (from_west_m >= 0.0) & (from_west_m < SIZE_M) & (from_south_m >= 0.0) & (from_south_m < SIZE_M)
        )

    def height_m(self, east_m: FloatArray, north_m: FloatArray) -> FloatArray:
        """Offset from the sound roof at positions in map, m; positions off the patch take its rim."""
        rows, cols = _cells(east_m, north_m)
        return np.asarray(self.offset_m[rows, cols])

    def holed(self, east_m: FloatArray, north_m: FloatArray) -> BoolArray:
        """Whether there is nothing of the roof at positions in map."""
        rows, cols = _cells(east_m, north_m)
        return np.asarray(self.hole[rows, cols] & self.inside(east_m, north_m))


def _cells(east_m: FloatArray, north_m: FloatArray) -> tuple[_Index, _Index]:
    rows = np.clip(((north_m - SOUTH_M) / CELL_M).astype(np.intp), 0, _CELLS - 1)
    cols = np.clip(((east_m - WEST_M) / CELL_M).astype(np.intp), 0, _CELLS - 1)
    return rows, cols
