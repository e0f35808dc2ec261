# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What sees what in a room with a hot layer, and how much of it the layer hides.

Guarantees that view factors of a closed room add up to one and that what one body sees of another that one sees of it.
The room is square, its surfaces are ceiling, upper walls, lower walls and floor, its holes are black and as cold as
outside. Leaves out furniture and colours.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from vidgen_nodes.generation.zone.walls import CEILING, FLOOR, LOWER, UPPER
from vidgen_nodes.packets import FloatArray

_LEAST_M2 = 1e-9
_SOOT_PER_M_K = 1195.5  # absorption of soot for each share of volume and kelvin (NIST TN 1889v1)
_SOOT_KG_PER_M3 = 1800.0
_LEAST_BAR_CM, _MOST_BAR_CM = 0.01, 1000.0  # below the first, emissivity falls in proportion
_FROM_K, _TO_K = 400.0, 2500.0  # of the fits below
# Leckner (1972): ln emissivity of water vapour and carbon dioxide by powers of log10 of pressure times path in bar cm
# (rows) and of temperature in 1000 K (columns). From memory; from 400 to 700 K within 0.02 of SFPE's curves (Edwards).
_WATER = ((-2.2118, -1.1987, 0.035596), (0.85667, 0.93048, -0.14391), (-0.10838, -0.17156, 0.045915))
_DIOXIDE = (
    (-3.9893, 2.7669, -2.1081, 0.39163),
    (1.2710, -1.1090, 1.0195, -0.21897),
    (-0.23678, 0.19731, -0.19544, 0.044644),
)


class Box:
    """A room as radiation sees it.

    Args:
        floor_m2: area of the floor, and of the ceiling.
        height_m: of the ceiling.
        face_m: height of the layers' face, above 0 and below the ceiling.
        holes: (4,) shares of ceiling, upper walls, lower walls and floor that are open.
    """

    def __init__(
        self, floor_m2: float, height_m: float, face_m: float, holes: tuple[float, float, float, float]
    ) -> None:
        self.floor_m2, self.height_m, self.face_m = floor_m2, height_m, face_m
        self.side_m = math.sqrt(floor_m2)
        around_m = 4.0 * self.side_m
        self.holes = np.array(holes)
        self.areas_m2 = np.array([floor_m2, around_m * (height_m - face_m), around_m * face_m, floor_m2])
        self.solid_m2 = np.maximum(self.areas_m2 * (1.0 - self.holes), _LEAST_M2)

    @cached_property
    def seen_m2(self) -> FloatArray:
        """(4, 4) area times view factor between the surfaces, their holes included."""
        ceiling_floor = facing_squares(self.side_m, self.height_m) * self.floor_m2
        ceiling_face = facing_squares(self.side_m, self.height_m - self.face_m) * self.floor_m2
        floor_face = facing_squares(self.side_m, self.face_m) * self.floor_m2
        seen = np.zeros((4, 4))
        seen[CEILING, FLOOR] = ceiling_floor
        seen[CEILING, UPPER] = self.floor_m2 - ceiling_face
        seen[CEILING, LOWER] = ceiling_face - ceiling_floor
        seen[UPPER, FLOOR] = floor_face - ceiling_floor
        seen[LOWER, FLOOR] = self.floor_m2 - floor_face
        # The lower walls see as much of the face as of the floor, and of what is above it the ceiling's part is known.
        seen[UPPER, LOWER] = seen[LOWER, FLOOR] - seen[CEILING, LOWER]
        seen += seen.T
        seen[UPPER, UPPER] = self.areas_m2[UPPER] - 2.0 * seen[CEILING, UPPER]
        seen[LOWER, LOWER] = self.areas_m2[LOWER] - 2.0 * seen[LOWER, FLOOR]
        return np.maximum(seen, 0.0)  # rounding

    def pairs_m2(self, emissivity: float) -> FloatArray:
        """(7, 7) area times view factor times what is not hidden, of layers, surfaces and what is outside.

        Args:
            emissivity: of the upper layer, which is as much hidden behind it; the lower layer is clear.
        """
        seen, solid = self.seen_m2, 1.0 - self.holes
        hidden = np.full((4, 4), 1.0 - emissivity)
        hidden[LOWER:, LOWER:] = 1.0  # these see each other below the layer
        direct = seen * hidden
        below = seen[LOWER, FLOOR]  # of the face, by the lower walls
        face = np.array([*self.areas_m2[:LOWER], below, self.floor_m2 - below])
        layer = emissivity * face
        pairs = np.zeros((7, 7))
        pairs[2:6, 2:6] = direct * np.outer(solid, solid)
        pairs[2:6, 6] = pairs[6, 2:6] = solid * (direct @ self.holes)
        pairs[0, 2:6] = pairs[2:6, 0] = layer * solid
        pairs[0, 6] = pairs[6, 0] = layer @ self.holes
        np.fill_diagonal(pairs, 0.0)
        return pairs


def facing_squares(side_m: float, apart_m: float) -> float:
    """View factor of two equal squares face to face (Siegel & Howell)."""
    x = side_m / apart_m
    root = math.sqrt(1.0 + x * x)
    arcs = 2.0 * x * (root * math.atan(x / root) - math.atan(x))
    return 2.0 / (math.pi * x * x) * (0.5 * math.log1p(x**4 / (1.0 + 2.0 * x * x)) + arcs)


def square_seen(side_m: float, apart_m: float) -> float:
    """Share of all directions in which a point over the middle of a square sees it."""
    squared = side_m * side_m
    return math.asin(squared / (squared + 4.0 * apart_m * apart_m)) / math.pi


def shares_of_point(box: Box, height_m: float, emissivity: float) -> tuple[FloatArray, float]:
    """Of what a point in the middle radiates: shares (4,) that reach the surfaces, and what the layer keeps."""
    point_m = min(max(height_m, 0.0), box.height_m)
    ceiling = square_seen(box.side_m, box.height_m - point_m)
    floor = square_seen(box.side_m, point_m)
    face = square_seen(box.side_m, box.face_m - point_m)
    if point_m < box.face_m:
        ways = np.array([ceiling, face - ceiling, 1.0 - face - floor, floor])
        kept = np.array([emissivity, emissivity, 0.0, 0.0]) * ways
    else:
        ways = np.array([ceiling, 1.0 - face - ceiling, face - floor, floor])
        kept = emissivity * ways
    return ways - kept, float(kept.sum())


def gas_emissivity(
    gas_k: float, path_m: float, water_bar: float, dioxide_bar: float, soot_kg_per_m3: float
) -> float:
    """Of a grey layer of soot, water vapour and carbon dioxide; half of the last lies under the water's bands.

    Args:
        gas_k: temperature.
        path_m: mean path of rays.
        water_bar: partial pressure of water vapour.
        dioxide_bar: partial pressure of carbon dioxide.
        soot_kg_per_m3: in it.
    """
    gas = _leckner(_WATER, gas_k, water_bar * path_m) + 0.5 * _leckner(_DIOXIDE, gas_k, dioxide_bar * path_m)
    soot = math.exp(-_SOOT_PER_M_K * gas_k * soot_kg_per_m3 / _SOOT_KG_PER_M3 * path_m)
    return 1.0 - soot * (1.0 - gas)


def _leckner(table: tuple[tuple[float, ...], ...], gas_k: float, bar_m: float) -> float:
    bar_cm = 100.0 * max(bar_m, 0.0)
    path = math.log10(min(max(bar_cm, _LEAST_BAR_CM), _MOST_BAR_CM))
    heat = 1e-3 * min(max(gas_k, _FROM_K), _TO_K)
    logarithm = sum(
        sum(part * heat**power for power, part in enumerate(row)) * path**order
        for order, row in enumerate(table)
    )
    return math.exp(logarithm) * min(bar_cm / _LEAST_BAR_CM, 1.0)
