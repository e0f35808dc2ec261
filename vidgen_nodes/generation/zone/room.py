# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A room as two layers know it: its size, its openings, its fans and what its surfaces are made of.

Guarantees that a room that cannot be is refused. Leaves out more than one room and openings that begin above the floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.zone.radiation import Box
from vidgen_nodes.generation.zone.walls import Lining

_LEAST_SHARE = 1e-4  # of the height, that a layer has for radiation


@dataclass(frozen=True, slots=True)
class Airflow:
    """What a fan moves through one grille.

    Args:
        height_m: of the grille's middle above the floor.
        flow_m3_per_s: into the room above 0, out of it below.
        temperature_k: of the air that is blown in; 0: that of the air outside.
    """

    height_m: float
    flow_m3_per_s: float
    temperature_k: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.height_m, self.flow_m3_per_s, self.temperature_k)
        if not np.isfinite(numbers).all() or self.height_m < 0.0 or self.temperature_k < 0.0:
            raise ConfigError(
                f"air flow: got {self}; expected finite numbers, height and temperature 0 or above"
            )


@dataclass(frozen=True, slots=True)
class Room:
    """A square room with an upright opening and, if any, a vent in its ceiling.

    Args:
        floor_m2: area of the floor.
        height_m: of the ceiling.
        opening_m2: area of the door or window; 0: only leaks at the floor.
        opening_height_m: its height; it begins at the floor.
        ceiling_vent_m2: area of a hole in the ceiling.
        ambient_k: of the air outside.
        airflows: of the air conditioning.
        linings: of ceiling, walls and floor; None: surfaces that stay as cold as outside, which keep all heat that the
            fire radiates and take none from the gas.
    """

    floor_m2: float
    height_m: float
    opening_m2: float = 0.0
    opening_height_m: float = 0.0
    ceiling_vent_m2: float = 0.0
    ambient_k: float = 293.15
    airflows: tuple[Airflow, ...] = ()
    linings: tuple[Lining, Lining, Lining] | None = None

    def __post_init__(self) -> None:
        sizes = (self.floor_m2, self.height_m, self.ambient_k)
        others = (self.opening_m2, self.opening_height_m, self.ceiling_vent_m2)
        if not np.isfinite((*sizes, *others)).all() or min(sizes) <= 0.0 or min(others) < 0.0:
            raise ConfigError(f"room: got {self}; expected finite numbers, floor, height and ambient above 0")
        if self.opening_height_m > self.height_m:
            raise ConfigError(
                f"room: an opening of {self.opening_height_m} m is higher than the ceiling at {self.height_m} m"
            )
        if self.opening_m2 > self.opening_height_m * 4.0 * math.sqrt(self.floor_m2):
            raise ConfigError(
                f"room: an opening of {self.opening_m2} m2 and {self.opening_height_m} m does not fit into walls of "
                f"{4.0 * math.sqrt(self.floor_m2):.2f} m all around"
            )
        if self.ceiling_vent_m2 > self.floor_m2:
            raise ConfigError(
                f"room: a vent of {self.ceiling_vent_m2} m2 is larger than the ceiling's {self.floor_m2} m2"
            )
        if any(item.height_m > self.height_m for item in self.airflows):
            raise ConfigError(
                f"room: a grille of {self.airflows} is higher than the ceiling at {self.height_m} m"
            )

    @property
    def surface_m2(self) -> float:
        """Walls, floor and ceiling, without the opening."""
        return 2.0 * self.floor_m2 + self.walls_m2 - self.opening_m2

    @property
    def walls_m2(self) -> float:
        """All walls, with the opening."""
        return 4.0 * math.sqrt(self.floor_m2) * self.height_m

    def box(self, face_m: float) -> Box:
        """The room as radiation sees it when the layers meet at that height."""
        face = min(max(face_m, _LEAST_SHARE * self.height_m), (1.0 - _LEAST_SHARE) * self.height_m)
        around_m = 4.0 * math.sqrt(self.floor_m2)
        upper = lower = 0.0
        if self.opening_m2 > 0.0:
            width_m = self.opening_m2 / self.opening_height_m
            upper = width_m * max(self.opening_height_m - face, 0.0) / (around_m * (self.height_m - face))
            lower = width_m * min(self.opening_height_m, face) / (around_m * face)
        ceiling = self.ceiling_vent_m2 / self.floor_m2
        return Box(
            self.floor_m2, self.height_m, face, (min(ceiling, 1.0), min(upper, 1.0), min(lower, 1.0), 0.0)
        )
