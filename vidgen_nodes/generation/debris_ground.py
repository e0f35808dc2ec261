# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the measured elevation slopes under debris, to the nearest slope that the library has solved.

Guarantees that walls and roof edges count as steps and not as slopes. Leaves out steps themselves: whoever
places a piece lifts or hides it there.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.generation.debris_library import SLOPES_RAD
from vidgen_nodes.packets import Float32Array, FloatArray

IndexArray = npt.NDArray[np.int64]


def slopes(elevation_m: Float32Array, edge_m: float) -> tuple[IndexArray, FloatArray]:
    """Index into ``SLOPES_RAD`` and direction of descent [rad from east] of each cell, from the cells around it.

    Steps between neighbours are averaged over 3 x 3 cells, so that centimetres of noise from map to map do not choose
    another fall. A neighbour more than one edge higher or lower is a wall or the ground beside it, and does not count.
    """
    padded = np.pad(elevation_m.astype(np.float64), 1, constant_values=np.nan)
    own = padded[1:-1, 1:-1]
    gradient = []
    for after, before in ((padded[1:-1, 2:], padded[1:-1, :-2]), (padded[2:, 1:-1], padded[:-2, 1:-1])):
        steps = np.stack((after - own, own - before))
        counts = np.abs(steps) <= edge_m  # False for NaN
        total = _around(np.where(counts, steps, 0.0).sum(axis=0))
        gradient.append(total / np.maximum(_around(counts.sum(axis=0).astype(np.float64)), 1.0) / edge_m)
    tilt_rad = np.arctan(np.hypot(gradient[0], gradient[1]))
    borders = [0.5 * (low + high) for low, high in itertools.pairwise(SLOPES_RAD)]
    return np.searchsorted(borders, tilt_rad), np.arctan2(-gradient[1], -gradient[0])


def _around(values: FloatArray) -> FloatArray:
    """Sums over 3 x 3 cells."""
    return np.asarray(cv2.boxFilter(values, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT))
