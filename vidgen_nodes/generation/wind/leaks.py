# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which leaks of a scenario the wind reaches on a building.

A jet under a roof, in the lee of a wall or named ``sheltered`` is that of still air. Guarantees that every number read
is in ``record``, with the reason for each leak. Leaves out how walls turn the wind: it is there or it is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vidgen_nodes.generation import steam
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.steam_field import AMBIENT_HUMIDITY, cloud_length_m
from vidgen_nodes.generation.wind.fires import read_wind
from vidgen_nodes.generation.wind.jet import JetWind, bent_constants
from vidgen_nodes.packets import FloatArray, Leak, Wind
from vidgen_nodes.scenario.wind import towards
from vidgen_nodes.scene.building import Building

LEE_M = 10.0  # assumed: five heights of a wall of two metres


class WindOnLeaks:
    """The wind of a scenario at its leaks.

    Args:
        wind: of the scenario.
        leaks: of the scenario.
        ambient_k: of the air.
        building: None: nothing stands in the way.
    """

    def __init__(
        self, wind: Wind, leaks: Sequence[Leak], ambient_k: float, building: Building | None
    ) -> None:
        self._wind, read = read_wind(wind)
        self._building = building if building is not None and building.placed else None
        self.at: dict[str, JetWind] = {}  # by name of the leak
        self.reached: Parameters = {}
        for leak in leaks:
            why = self._kept_off(leak, ambient_k)
            self.reached[leak.name] = entry(not why, "", why or "no surface over it, and none near upwind")
            if not why:
                self.at[leak.name] = JetWind(
                    towards(self._wind), self._wind.speed_mps, self._wind.height_m, self._wind.exponent
                )
        self.record: Parameters = {
            **read,
            "lee": entry(LEE_M, "m", "assumed: a surface so near upwind is shelter"),
            **bent_constants(),
        }

    def _kept_off(self, leak: Leak, ambient_k: float) -> str:
        """Why no wind blows at the middle of what the jet would be in still air; empty: it does."""
        if leak.name in self._wind.sheltered:
            return "the scenario says that it is sheltered"
        if self._building is None:
            return ""
        hole = steam.SteamLeak(
            leak.position_m,
            leak.direction,
            leak.pressure_pa,
            leak.temperature_k,
            leak.diameter_m,
            leak.discharge,
        )
        mouth: FloatArray = np.array(leak.position_m)
        ahead: FloatArray = np.array(leak.direction)
        free_m = float(self._building.occlusion_depth(mouth, ahead[None].astype(np.float32))[0])
        middle = mouth + 0.5 * min(cloud_length_m(hole, ambient_k, AMBIENT_HUMIDITY), free_m) * ahead
        east, north = towards(self._wind)
        rays = np.array([[0.0, 0.0, 1.0], [-east, -north, 0.0]], np.float32)
        over_m, upwind_m = self._building.occlusion_depth(middle, rays).astype(np.float64).tolist()
        if math.isfinite(over_m):
            return f"a surface is {over_m:.2f} m over its middle"
        return f"in the lee of a surface {upwind_m:.2f} m upwind" if upwind_m <= LEE_M else ""
