# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Advisory masks for planners: where not to go, where to go slowly.

Guarantees: every cell that a hazard touches is keep-out or slow, however its numbers look; a hazard
of unknown strength or size closes the whole grid. Nothing here commands motion, and the masks know
synthetic hazards only: they are no map of real obstacles.

Both masks follow the Nav2 costmap filters with ``base`` 0 and ``multiplier`` 1. Keep-out (filter
type 0): 100 do not enter, 0 free. Speed (type 1): the value is the percentage of full speed, and **0
means no limit**, not standstill; so a cell that asks for caution is never 0. Neither holds -1: both
filters take an unknown cell for a free one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import FloatArray, Grid, Hazard
from vidgen_nodes.params import RobotParams

Mask = npt.NDArray[np.int8]

FREE = 0
KEEP_OUT = 100
NO_LIMIT = 0
RADIATIVE_FRACTION = 0.35  # default of the point-source model where the fuel is not known


def hazard_masks(hazards: Iterable[Hazard], grid: Grid, params: RobotParams) -> tuple[Mask, Mask]:
    """Keep-out and speed mask over a grid.

    Args:
        hazards: in map.
        grid: cells of the masks.
        params: flux limits and speed of slow cells.

    Returns:
        Keep-out (rows, cols), 0 or 100; speed (rows, cols), 0 or the percentage of slow cells.
    """
    flux_kw_per_m2 = np.zeros(grid.shape)
    closed = np.zeros(grid.shape, np.bool_)
    slow = np.zeros(grid.shape, np.bool_)
    for hazard in hazards:
        numbers = (*hazard.position_m, hazard.radius_m, hazard.height_m, hazard.heat_release_kw)
        if not all(math.isfinite(number) for number in numbers):
            closed[:] = True
            continue
        distance_m = distance_to_cells_m(grid, hazard.position_m[0], hazard.position_m[1])
        footprint = distance_m <= hazard.radius_m
        if hazard.kind == "flame":
            flux_kw_per_m2 += radiant_flux_kw_per_m2(hazard.heat_release_kw, hazard.height_m, distance_m)
        if hazard.kind in ("smoke", "steam"):
            slow |= footprint
        else:
            closed |= footprint
    closed |= flux_kw_per_m2 >= params.keepout_kw_per_m2
    slow |= closed | (flux_kw_per_m2 >= params.slow_kw_per_m2)
    percent = max(1, round(params.slow_percent))
    keepout = np.where(closed, KEEP_OUT, FREE).astype(np.int8)
    speed = np.where(slow, percent, NO_LIMIT).astype(np.int8)
    return keepout, speed


def radiant_flux_kw_per_m2(
    heat_release_kw: float, flame_height_m: float, distance_m: FloatArray
) -> FloatArray:
    """Radiant flux on a target that faces the flame: ``chi_r Q / (4 pi R^2)``.

    Point-source model (SFPE Handbook, Beyler): the source lies on the axis at a third of the flame
    height; the target stands at the level of the base. Meant for R of at least 2.5 diameters;
    nearer, the footprint of the flame closes the cell anyway.

    Args:
        heat_release_kw: Q.
        flame_height_m: L.
        distance_m: horizontal distance of the target from the axis.
    """
    squared_m2 = np.maximum(distance_m**2 + (flame_height_m / 3.0) ** 2, 1e-6)
    return np.asarray(RADIATIVE_FRACTION * heat_release_kw / (4.0 * math.pi * squared_m2))


def distance_to_cells_m(grid: Grid, east_m: float, north_m: float) -> FloatArray:
    """Distance from a point to the nearest spot of every cell, (rows, cols); 0 in the cell it lies in."""
    half_m = grid.resolution_m / 2.0
    centre_east_m = grid.origin_east_m + (np.arange(grid.cols) + 0.5) * grid.resolution_m
    centre_north_m = grid.origin_north_m + (np.arange(grid.rows) + 0.5) * grid.resolution_m
    beside_m = np.maximum(np.abs(centre_east_m - east_m) - half_m, 0.0)
    along_m = np.maximum(np.abs(centre_north_m - north_m) - half_m, 0.0)
    distance_m: FloatArray = np.hypot(along_m[:, None], beside_m[None, :])
    return distance_m
