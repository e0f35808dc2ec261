# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The true house and the ground around it, as they stand when the drone flies.

The ground is the plane z = 0 of map. The building model (``config/buildings/sim_house.yaml``) shows
the same house as it was built; what it does not know is the damaged roof (``damage.py``).
The walls stand off the cell borders of the map grid so that each falls clearly into one cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import FloatArray

DATUM_LATITUDE_DEG: Final = 47.3977
DATUM_LONGITUDE_DEG: Final = 8.5456
DATUM_ALTITUDE_M: Final = 488.0  # ellipsoidal, of z = 0

WEST_M, EAST_M = -5.8, 6.2
SOUTH_M, NORTH_M = -4.2, 3.8
ROOF_M: Final = 6.0
FLOOR_M: Final = 2.9  # upper floor, seen only through holes in the roof


@dataclass(frozen=True, slots=True)
class Face:
    """A rectangle ``origin + u * across + v * up``, u and v in 0..1; across x up points out of the house."""

    name: str
    kind: str  # wall | roof
    material: str
    combustible: bool | None  # None: not known
    origin_m: tuple[float, float, float]
    across_m: tuple[float, float, float]
    up_m: tuple[float, float, float]
    reflectivity: float  # of the LiDAR's wavelength, 0..1

    @property
    def corners_m(self) -> FloatArray:
        """(4, 3), counter-clockwise seen from outside."""
        origin, across, up = (np.array(v) for v in (self.origin_m, self.across_m, self.up_m))
        return np.stack([origin, origin + across, origin + across + up, origin + up])

    @property
    def normal(self) -> FloatArray:
        """(3,) unit, outwards."""
        cross = np.cross(self.across_m, self.up_m)
        return np.asarray(cross / np.linalg.norm(cross))


_LONG, _WIDE = EAST_M - WEST_M, NORTH_M - SOUTH_M
_UP: Final = (0.0, 0.0, ROOF_M)
_ALONG: Final = (_LONG, 0.0, 0.0)
_BACK: Final = (-_LONG, 0.0, 0.0)
_INTO: Final = (0.0, _WIDE, 0.0)
_OUT: Final = (0.0, -_WIDE, 0.0)
# The east wall is clad in timber from its southern end up to here, ground to eaves; beyond it is bare concrete.
CLAD_TO_M: Final = 0.25
_CLAD: Final = (0.0, CLAD_TO_M - SOUTH_M, 0.0)
_BARE: Final = (0.0, NORTH_M - CLAD_TO_M, 0.0)
FACES: Final = (
    Face("roof_main", "roof", "concrete", False, (WEST_M, SOUTH_M, ROOF_M), _ALONG, _INTO, 0.35),
    Face("wall_east", "wall", "timber_cladding", True, (EAST_M, SOUTH_M, 0.0), _CLAD, _UP, 0.5),
    Face("wall_east_bare", "wall", "concrete", False, (EAST_M, CLAD_TO_M, 0.0), _BARE, _UP, 0.35),
    Face("wall_north", "wall", "unknown", None, (EAST_M, NORTH_M, 0.0), _BACK, _UP, 0.3),
    Face("wall_west", "wall", "concrete", False, (WEST_M, NORTH_M, 0.0), _OUT, _UP, 0.35),
    Face("wall_south", "wall", "concrete", False, (WEST_M, SOUTH_M, 0.0), _ALONG, _UP, 0.35),
)
GROUND_REFLECTIVITY: Final = 0.25
