# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the wind of a scenario leans the flames of burning surfaces.

By the same laws as it leans other flames (``lean.py``). On level surfaces the whole wind does; on others the part that
blows along them: what presses a flame to its wall, or comes over it, moves it nowhere that can be drawn. A surface that
another one covers, or that lies in the lee of one, is in still air. Guarantees that every number read is in ``record``,
with the reason for each side of each surface. Leaves out what wind does to burning itself: no rate of spread or of
release changes with it (``SpreadPlan.wind_head_ratio`` is what a scenario says of that).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.wind.fires import LEE_HEIGHTS, read_wind
from vidgen_nodes.generation.wind.lean import Lean, lean_constants
from vidgen_nodes.packets import FloatArray, Wind
from vidgen_nodes.scenario.wind import towards
from vidgen_nodes.scene.building import Building

ATTACHED = 0.4  # assumed: flames on what burns are as thick as upright ones at this share of their height
LEAST_SHARE = 0.05  # assumed: of the wind along a surface; less leans nothing
_SAME_WAY = 20.0  # steps of a unit vector: columns that face the same way within a few degrees lean as one
_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Columns of pieces of one surface that face one way, and what leans their flames."""

    columns: _Index
    lean: Lean


@dataclass(frozen=True, slots=True, eq=False)
class SheetShape:
    """What decides how the flames of one surface lean.

    Args:
        name: of the surface.
        middles_m: (c, 3) of its columns of pieces.
        out: (c, 2) unit vectors off the surface, level; None: the surface is level.
        off_m: so far off the surface stands the middle of its flames.
        length_m: longest flame.
        fuel_kg_per_m2_s: what burns on a m2 at the peak.
        radiative_fraction: of its heat.
    """

    name: str
    middles_m: FloatArray
    out: FloatArray | None
    off_m: float
    length_m: float
    fuel_kg_per_m2_s: float
    radiative_fraction: float


class WindOnAreas:
    """The wind of a scenario on the burning surfaces of one building.

    Args:
        wind: of the scenario.
        building: whose surfaces burn, and keep the wind off each other.
        ambient_k: of the air.
    """

    def __init__(self, wind: Wind, building: Building, ambient_k: float) -> None:
        self._wind, read = read_wind(wind)
        self._building, self._ambient_k = building, ambient_k
        self._sides: Parameters = {}
        self.record: Parameters = {
            **read,
            "sides": self._sides,
            "lee_heights": entry(
                LEE_HEIGHTS, "flame heights", "assumed: a surface so near upwind is shelter"
            ),
            "least_share": entry(
                LEAST_SHARE, "1", "assumed: of the wind along a surface; less leans nothing"
            ),
            "attached": entry(
                ATTACHED,
                "1",
                "assumed: flames on what burns are as thick as upright ones at this share of their height",
            ),
            "spread_rate": entry("unchanged", "", "no law for building materials is known here"),
            **lean_constants(),
        }

    def sides(self, shape: SheetShape) -> tuple[Side, ...]:
        """The sides of a surface whose flames lean; the others stand upright."""
        columns = np.arange(len(shape.middles_m))
        if shape.out is None:
            groups = [("level", columns)]
        else:
            _, which = np.unique(np.round(shape.out * _SAME_WAY), axis=0, return_inverse=True)
            groups = []
            for number in range(int(which.max()) + 1):
                mine = columns[which.reshape(-1) == number]
                east, north = shape.out[mine].mean(axis=0).tolist()
                groups.append((f"facing {math.degrees(math.atan2(east, north)) % 360.0:.0f} deg", mine))
        found = []
        records: Parameters = {}
        for name, mine in groups:
            lean, why = self._lean(shape, mine)
            records[name] = {
                "reached": entry(lean is not None, "", why),
                **({} if lean is None else lean.record()),
            }
            if lean is not None:
                found.append(Side(mine, lean))
        self._sides[shape.name] = records
        return tuple(found)

    def _lean(self, shape: SheetShape, mine: _Index) -> tuple[Lean | None, str]:
        """What leans one side and why, or why nothing does."""
        blowing = np.array(towards(self._wind))
        middle = shape.middles_m[mine].mean(axis=0) + np.array([0.0, 0.0, 0.5 * shape.length_m])
        if shape.out is not None:
            out = shape.out[mine].mean(axis=0)
            out /= max(float(np.linalg.norm(out)), 1e-9)
            blowing = blowing - (blowing @ out) * out
            middle[:2] += shape.off_m * out
        share = float(np.linalg.norm(blowing))
        if share < LEAST_SHARE:
            return None, "the wind stands square to it"
        east, north = (blowing / share + 0.0).tolist()
        rays = np.array([[0.0, 0.0, 1.0], [-east, -north, 0.0], [east, north, 0.0]], np.float32)
        depths = self._building.occlusion_depth(middle, rays).astype(np.float64)
        over_m, upwind_m, downwind_m = depths.tolist() if self._building.placed else (math.inf,) * 3
        if math.isfinite(over_m):
            return None, f"a surface is {over_m:.2f} m over its middle"
        if upwind_m <= LEE_HEIGHTS * shape.length_m:
            return None, f"in the lee of a surface {upwind_m:.2f} m upwind"
        lean = Lean(
            towards=(east, north),
            speed_mps=share * self._wind.speed_mps,
            height_m=self._wind.height_m,
            exponent=self._wind.exponent,
            fuel_kg_per_m2_s=shape.fuel_kg_per_m2_s,
            radiative_fraction=shape.radiative_fraction,
            ambient_k=self._ambient_k,
            most_m=downwind_m,
        )
        return lean, f"{share:.2f} of the wind blows along it; no surface over it, and none near upwind"
