# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The wind of a scenario on pieces that fall: how fast it is there, and over which cells it blows.

Guarantees that every number read is in ``record``. A cell is in the lee where the building has a surface near upwind;
under a ceiling there is no wind (``debris_fall.py``). Leaves out how walls turn the wind: it is there or it is not.
"""

from __future__ import annotations

import math

import numpy as np

from vidgen_nodes.generation.debris_library import DROPS_M
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.wind.fires import LEE_HEIGHTS, read_wind
from vidgen_nodes.generation.wind.lean import LEAST_HEIGHT_M, power_law_mps
from vidgen_nodes.packets import BoolArray, FloatArray, Wind
from vidgen_nodes.scenario.wind import towards
from vidgen_nodes.scene.building import Building


class WindOnDebris:
    """The wind at pieces that come loose.

    Args:
        wind: of the scenario.
        building: that may keep it off; None: nothing does.
    """

    def __init__(self, wind: Wind, building: Building | None) -> None:
        wind, self._record = read_wind(wind)
        self._building = building if building is not None and building.placed else None
        self._towards = towards(wind)
        self.towards_rad = math.atan2(self._towards[1], self._towards[0])  # from east
        self.speed_mps = power_law_mps(wind.speed_mps, wind.height_m, wind.exponent, LEAST_HEIGHT_M)

    def reached(self, ground_m: FloatArray) -> BoolArray:
        """Whether it blows over places (n, 3) of the ground in map: no surface is near upwind of half a fall."""
        if self._building is None or not len(ground_m):
            return np.ones(len(ground_m), np.bool_)
        upwind = np.tile(np.array([-self._towards[0], -self._towards[1], 0.0]), (len(ground_m), 1))
        free_m = self._building.free_ways_m(ground_m + np.array([0.0, 0.0, 0.5 * DROPS_M[0]]), upwind)
        return np.asarray(free_m > LEE_HEIGHTS * DROPS_M[0])

    @property
    def record(self) -> Parameters:
        """Every number of it."""
        return {
            **self._record,
            "lee": entry(LEE_HEIGHTS, "heights of fall", "assumed: a surface so near upwind is shelter"),
            "speed_at_pieces": entry(
                self.speed_mps, "m/s", f"power law, {LEAST_HEIGHT_M:g} m above what they fall on"
            ),
        }
