# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heat that goes into the surfaces of a room, by conduction through their depth.

Guarantees that the heat taken is the heat stored and let out at the back, to rounding, and no step that is too long:
the profile of the step's end decides (backward Euler). Leaves out heat along a surface, moisture (gypsum's water), and
properties that change with temperature. Temperatures are rises above the air outside, in K.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray

CEILING, UPPER, LOWER, FLOOR = range(
    4
)  # the surfaces of a room; upper and lower walls meet at the layers' face
_CELLS = 20
_GROWTH = 1.25  # of the cells' depth from the front on: the first is 0.3 % of the lining
_BACK_KW_PER_M2_K = (
    0.010  # still air at the back, convection and radiation together (from memory, 8 to 10 W/m2K)
)


@dataclass(frozen=True, slots=True)
class Lining:
    """What a surface is made of.

    Args:
        conductivity_kw_per_m_k: of its material.
        density_kg_per_m3: of its material.
        heat_kj_per_kg_k: its heat capacity.
        depth_m: of the lining; behind it is still air as warm as outside.
    """

    conductivity_kw_per_m_k: float
    density_kg_per_m3: float
    heat_kj_per_kg_k: float
    depth_m: float

    def __post_init__(self) -> None:
        numbers = (self.conductivity_kw_per_m_k, self.density_kg_per_m3, self.heat_kj_per_kg_k, self.depth_m)
        if not np.isfinite(numbers).all() or min(numbers) <= 0.0:
            raise ConfigError(f"lining: got {self}; expected finite numbers above 0")

    @property
    def cells_m(self) -> FloatArray:
        """Depth (20,) of the cells, from the room on."""
        parts = _GROWTH ** np.arange(_CELLS)
        return np.asarray(parts * (self.depth_m / parts.sum()))

    @property
    def capacity_kj_per_m2_k(self) -> FloatArray:
        """Heat capacity (20,) of the cells."""
        return np.asarray(self.density_kg_per_m3 * self.heat_kj_per_kg_k * self.cells_m)


@dataclass(frozen=True, slots=True)
class Response:
    """How a lining answers within a step: all at its end, from what it was at its start.

    Args:
        carry: (20, 20) profile at the start to profile at the end, without heat from the room.
        given: (20,) rise of the profile for each kW/m2 that the room gives.
        surface_k_m2_per_kw: rise of the surface itself for each kW/m2.
        back_kw_per_m2_k: from the last cell's middle to the air behind.
    """

    carry: FloatArray
    given: FloatArray
    surface_k_m2_per_kw: float
    back_kw_per_m2_k: float


@lru_cache(maxsize=64)
def response(lining: Lining, dt_s: float) -> Response:
    """Of a step of that length; kept, for most steps are as long as the one before."""
    cells_m = lining.cells_m
    capacity = lining.capacity_kj_per_m2_k
    half = 0.5 * cells_m / lining.conductivity_kw_per_m_k
    between = 1.0 / (half[:-1] + half[1:])
    back = 1.0 / (half[-1] + 1.0 / _BACK_KW_PER_M2_K)
    leaves = np.append(between, back) + np.insert(between, 0, 0.0)
    system = np.diag(capacity / dt_s + leaves) - np.diag(between, 1) - np.diag(between, -1)
    inverse = np.linalg.inv(system)
    return Response(
        inverse * (capacity / dt_s),
        inverse[:, 0].copy(),
        float(inverse[0, 0] + half[0]),
        float(back),
    )


class Walls:
    """The profiles of the four surfaces.

    Args:
        linings: of ceiling, walls and floor.
    """

    def __init__(self, linings: tuple[Lining, Lining, Lining]) -> None:
        ceiling, walls, floor = linings
        self.linings = (ceiling, walls, walls, floor)
        self.profiles_k = np.zeros((4, _CELLS))
        self.surfaces_k = np.zeros(4)

    def meet(self, before_m2: FloatArray, after_m2: FloatArray) -> None:
        """The layers' face moves: wall that changes sides brings its heat along.

        Args:
            before_m2: (4,) areas of the surfaces.
            after_m2: (4,) their areas now.
        """
        moved_m2 = float(after_m2[UPPER] - before_m2[UPPER])
        if moved_m2 == 0.0:
            return
        into, out_of = (UPPER, LOWER) if moved_m2 > 0.0 else (LOWER, UPPER)
        share = abs(moved_m2) / (float(before_m2[into]) + abs(moved_m2))
        for kept in (self.profiles_k, self.surfaces_k):
            kept[into] += share * (kept[out_of] - kept[into])

    @property
    def stored_kj_per_m2(self) -> FloatArray:
        """Heat (4,) above the air outside in the surfaces."""
        rows = zip(self.profiles_k, self.linings, strict=True)
        return np.array([float(row @ lining.capacity_kj_per_m2_k) for row, lining in rows])

    def answers(self, dt_s: float) -> list[Response]:
        """Of the four surfaces."""
        return [response(lining, dt_s) for lining in self.linings]

    def take(self, flux_kw_per_m2: FloatArray, answers: list[Response]) -> FloatArray:
        """Go on by the step of the answers; returns what leaves at the back (4,), kW/m2."""
        through = np.empty(4)
        for number, (flux, answer) in enumerate(zip(flux_kw_per_m2.tolist(), answers, strict=True)):
            profile = answer.carry @ self.profiles_k[number] + answer.given * flux
            first = float(answer.carry[0] @ self.profiles_k[number])
            self.surfaces_k[number] = first + answer.surface_k_m2_per_kw * flux
            self.profiles_k[number] = profile
            through[number] = answer.back_kw_per_m2_k * profile[-1]
        return through
