# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The sound state of the site that the LiDAR map is held against: a scan of it, or the building's roofs.

The ground in a ring around the building is given along, at the height of the building's base: it tells a
building that has come down from one that was registered to another datum (``sensing/change.py``).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from vidgen_nodes.packets import BoolArray, Grid
from vidgen_nodes.params import LidarParams
from vidgen_nodes.scene.building import Building
from vidgen_nodes.sensing.baseline_scan import load_baseline
from vidgen_nodes.sensing.change import Baseline, BaselineLayers

_RING_M: Final = (1.5, 8.0)  # from the walls; nearer lie eaves and rubble, farther the ground may slope


def baseline_for(params: LidarParams, building: Building | None) -> Baseline | None:
    """What the parameters ask for; None: no comparison.

    Raises:
        ConfigError: a baseline file that cannot be used.
    """
    if params.baseline_file:
        return load_baseline(Path(params.baseline_file))
    return baseline_of_building(building) if building is not None else None


def baseline_of_building(building: Building) -> Baseline:
    """The roofs of a building as they were built, and the ground around it."""
    base_m = min(float(surface.corners_m[:, 2].min()) for surface in building.surfaces)

    def cut(grid: Grid) -> BaselineLayers:
        roof_m = np.asarray(building.roof_height(grid), np.float64)
        inner, outer = (_grown(np.isfinite(roof_m), reach_m, grid) for reach_m in _RING_M)
        ground_m = np.where(outer & ~inner, base_m, np.nan)
        return BaselineLayers(roof_m, np.zeros(grid.shape), ground_m)

    return cut


def _grown(cells: BoolArray, reach_m: float, grid: Grid) -> BoolArray:
    """The cells and all within a reach of them along the axes."""
    side = 2 * math.ceil(reach_m / grid.resolution_m) + 1
    grown = cv2.dilate(cells.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray(grown > 0)
