# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How flat the surface in each cell is, and how high at the middle of the cell.

From the covariance of the returns of the last seconds, with eigenvalues l0 <= l1 <= l2: plane residual
``sqrt(l0)``, surface variation ``l0 / (l0 + l1 + l2)`` (0..1/3; Pauly et al. 2002) and planarity
``(l1 - l0) / l2``. Returns are centred scan by scan before they are added up, so that the drift of the
pose between scans is not taken for roughness. The height at the middle of the cell is that of the plane of
regression, so a slope sampled unevenly does not look like a change.

A cell whose returns also lie far below its top spans a wall, an eave or a hole and says nothing. Leaves
out: steps lower than that within one cell (a parapet), which do count as rough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.sensing.cell_passes import smallest_roots
from vidgen_nodes.sensing.cell_returns import CellSums, Indices
from vidgen_nodes.sensing.cell_window import CellLayers

MEMORY_S: Final = 4.0  # time constant of all sums
_WALL_SHARE: Final = 0.02
_MIN_FREEDOM: Final = 6.0
_NEWTON_STEPS: Final = 24
_NEWTON_ENDS: Final = 1e-6  # a step so small against the root is the last


@dataclass(frozen=True, slots=True)
class Shape:
    """What the returns of each cell say, (cells,); NaN: too few, or a cell that spans a wall."""

    residual_m: FloatArray  # 1 sigma off the plane, across it
    variation: FloatArray  # 0..1/3
    planarity: FloatArray  # 0..1
    middle_m: FloatArray  # height of the plane at the middle of the cell
    middle_variance_m2: FloatArray  # of that height: s^2 / n and the leverage of uneven sampling
    returns: FloatArray  # effective number behind it


class SurfaceShape(CellLayers):
    """Decaying sums of the returns of the top surface of each cell."""

    BLANK: ClassVar = {
        "_weight": (np.float64(0.0), ()),
        "_weight2": (np.float64(0.0), ()),
        "_below": (np.float64(0.0), ()),
        "_freedom": (np.float64(0.0), ()),
        "_sums": (np.float64(0.0), (3,)),
        "_moments": (np.float64(0.0), (6,)),
    }
    _weight: FloatArray
    _weight2: FloatArray
    _below: FloatArray
    _freedom: FloatArray
    _sums: FloatArray
    _moments: FloatArray

    def add(
        self, sums: CellSums, below: Indices, used: BoolArray, moved: BoolArray, elapsed_s: float
    ) -> None:
        """Enter a scan.

        Args:
            sums: of the returns of the top surface; heights in map.
            below: returns far below the top, per cell.
            used: cells that take the scan.
            moved: cells in which all that came before is void.
            elapsed_s: event time since the scan before.
        """
        decay = math.exp(-elapsed_s / MEMORY_S)
        kept = np.where(moved, 0.0, decay)
        count = used * sums.count
        self._weight = self._weight * kept + count
        self._weight2 = self._weight2 * (kept * kept) + count
        self._below = self._below * kept + below
        self._freedom = self._freedom * kept + used * np.maximum(sums.count - 1, 0)
        self._sums = self._sums * kept + count * sums.mean
        self._moments = self._moments * kept + used * sums.moments

    def describe(self, resolution_m: float) -> Shape:
        """What the sums say now."""
        heard = (self._freedom - 2.0 >= _MIN_FREEDOM) & ~(self._below > _WALL_SHARE * self._weight)
        index = np.flatnonzero(heard)
        moments, freedom = self._moments[:, index], self._freedom[index] - 2.0
        xx, xy, yy, xz, yz, zz = moments
        l0, trace, planarity = _flatness(
            (xx * resolution_m**2, xy * resolution_m**2, yy * resolution_m**2),
            (xz * resolution_m, yz * resolution_m, zz),
        )
        weight, weight2 = self._weight[index], self._weight2[index]
        # Old returns count less: the effective number is (sum w)^2 / sum w^2 (Kish).
        count = weight * weight / weight2
        middle, variance = _middle(moments, freedom, self._sums[:, index] / weight, count)
        values = (np.sqrt(l0 / freedom), l0 / trace, planarity, middle, variance)
        layers = np.full((len(values), heard.size), np.nan)
        layers[:, index] = values
        returns = np.zeros(heard.size)
        returns[index] = count
        return Shape(layers[0], layers[1], layers[2], layers[3], layers[4], returns)


def _middle(
    moments: FloatArray, freedom: FloatArray, mean: FloatArray, count: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Height of the plane of regression at the middle of each cell, and its variance."""
    xx, xy, yy, xz, yz, zz = moments
    ridge = 1e-3 * (xx + yy) + 1e-12  # returns on one line leave the slope across it open: take the flattest
    xx, yy = xx + ridge, yy + ridge
    determinant = xx * yy - xy * xy
    slope_x, slope_y = (xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant
    spread = np.maximum(zz - slope_x * xz - slope_y * yz, 0.0) / freedom
    east, north = mean[0] - 0.5, mean[1] - 0.5
    leverage = (east * east * yy - 2.0 * east * north * xy + north * north * xx) / determinant
    return mean[2] - slope_x * east - slope_y * north, spread * (1.0 / count + leverage)


def _flatness(
    level: tuple[FloatArray, FloatArray, FloatArray], upright: tuple[FloatArray, FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Smallest eigenvalue, trace and planarity of symmetric matrices, xx xy yy and xz yz zz.

    The smallest root of the characteristic polynomial by Newton's steps from 0, where it is convex and rises
    to the root from one side; plus and times only, so every processor gives the same bytes.
    """
    xx, xy, yy = level
    xz, yz, zz = upright
    trace = xx + yy + zz
    minors = xx * yy - xy * xy + xx * zz - xz * xz + yy * zz - yz * yz
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    root = np.empty_like(trace)
    smallest_roots(trace, minors, determinant, _NEWTON_STEPS, _NEWTON_ENDS, root)
    rest, product = trace - root, minors - root * (trace - root)
    half = np.sqrt(np.maximum(0.25 * rest * rest - product, 0.0))
    largest = np.maximum(0.5 * rest + half, np.finfo(np.float64).tiny)
    return root, np.maximum(trace, np.finfo(np.float64).tiny), (0.5 * rest - half - root) / largest
