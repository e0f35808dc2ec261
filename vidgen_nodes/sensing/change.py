# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What has changed against the sound building: difference, level of detection, and whether to compare at all.

Level of detection at 95 % (M3C2, Lague et al. 2013)::

    LoD95 = 1.96 (sqrt(s1^2 / n1 + s2^2 / n2) + registration)

A difference below it is not claimed; with fewer than ``MIN_RETURNS`` on either side none is stated.

A baseline registered to another datum differs everywhere by much the same. So does a building that has come
down as a whole; the two are told apart by what has not come down: where the ground around the
building, or any fair part of what is compared, is where it should be, the datum is right and the difference
stands. Where nothing agrees the baseline is not used, and it is said why: unknown is not damage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import BoolArray, FloatArray, Grid

MIN_RETURNS: Final = 10
_OFFSET_M: Final = 0.5  # a median difference above it asks for the check
_AGREES_M: Final = 0.3
_AGREE_SHARE: Final = 0.1
_AGREE_CELLS: Final = 8
_STEP_M: Final = 0.5


@dataclass(frozen=True, slots=True)
class BaselineLayers:
    """The sound surface on one grid; each (rows, cols)."""

    height_m: FloatArray  # in map, at the middle of the cell; NaN: unknown
    variance_m2: FloatArray  # of that height, s2^2 / n2; 0 for a model
    ground_m: FloatArray  # height of the ground where it tells the datum (around a building); NaN: unknown


Baseline = Callable[[Grid], BaselineLayers]


def level_of_detection_m(
    variance_m2: FloatArray, baseline_variance_m2: FloatArray, registration_m: float
) -> FloatArray:
    """LoD95 from the variances ``s^2 / n`` of both heights and the error of registration, m."""
    return np.asarray(1.96 * (np.sqrt(variance_m2 + baseline_variance_m2) + registration_m))


class Change:
    """Compares heights with the baseline cut to the present grid.

    ``refused`` says in plain words why there is nothing to compare with; empty when there is.
    """

    def __init__(self, baseline: Baseline | None, grid: Grid) -> None:
        """Cut the baseline.

        Raises:
            ConfigError: as :meth:`cut`.
        """
        self._baseline = baseline
        self.refused = "" if baseline is not None else "no baseline was given"
        self.cut(grid)

    def cut(self, grid: Grid) -> None:
        """Take the baseline on another grid.

        Raises:
            ConfigError: a baseline that is not on the grid.
        """
        self._height_m: FloatArray | None = None
        if self._baseline is None:
            return
        layers = self._baseline(grid)
        if layers.height_m.shape != grid.shape:
            raise ConfigError(
                f"baseline: got shape {layers.height_m.shape}, expected {grid.shape} as the map"
            )
        self._height_m = _without_steps(layers.height_m.astype(np.float64)).ravel()
        self._variance_m2 = layers.variance_m2.astype(np.float64).ravel()
        self._ground_m = layers.ground_m.astype(np.float64).ravel()

    def compare(
        self, height_m: FloatArray, variance_m2: FloatArray, fresh: BoolArray, registration_m: float
    ) -> tuple[FloatArray, FloatArray]:
        """Height minus baseline and LoD95, each (cells,) m; NaN: not known.

        Args:
            height_m: measured, (cells,).
            variance_m2: ``s1^2 / n1``; NaN where too few returns say it.
            fresh: cells seen lately; only these tell whether the datum is right.
            registration_m: error of registration.
        """
        if self._height_m is None:
            nothing = np.full(height_m.size, np.nan)
            return nothing, nothing.copy()
        difference = height_m - self._height_m
        self.refused = self._doubt(difference[fresh], (height_m - self._ground_m)[fresh])
        if self.refused:
            nothing = np.full(height_m.size, np.nan)
            return nothing, nothing.copy()
        lod = level_of_detection_m(variance_m2, self._variance_m2, registration_m)
        lod[np.isnan(difference)] = np.nan
        return difference, lod

    @staticmethod
    def _doubt(difference_m: FloatArray, ground_difference_m: FloatArray) -> str:
        """Why the baseline cannot be used, or nothing."""
        known = difference_m[np.isfinite(difference_m)]
        offset_m = float(np.median(known)) if known.size else 0.0
        if abs(offset_m) <= _OFFSET_M:
            return ""
        references = np.concatenate((known, ground_difference_m[np.isfinite(ground_difference_m)]))
        agree = int(np.count_nonzero(np.abs(references) <= _AGREES_M))
        if agree >= max(_AGREE_CELLS, _AGREE_SHARE * references.size):
            return ""
        return (
            f"the building lies {offset_m:+.2f} m off what the LiDAR sees, and {agree} of {references.size} cells "
            "in view agree with it (ground around it included); check the datum's height and the building's "
            "origin, or fly so that the ground beside the building is seen"
        )


def _without_steps(baseline_m: FloatArray) -> FloatArray:
    """The baseline with NaN where it steps, or ends, between a cell and one of its eight neighbours."""
    padded = np.pad(baseline_m, 1, mode="edge")
    rows, cols = baseline_m.shape
    windows = np.stack([padded[r : r + rows, c : c + cols] for r in range(3) for c in range(3)])
    steps: BoolArray = ~(windows.max(axis=0) - windows.min(axis=0) <= _STEP_M)  # NaN compares false
    return np.where(steps, np.nan, baseline_m)
