# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heat between two layers of gas, the four surfaces of a room, its fire and what is outside.

Radiation from surface to surface through the hot layer, from layer to surfaces and from the fire, natural convection
and that of the ceiling jet, all solved together with the walls (``walls.py``). Guarantees that what one gives
another takes, to rounding, and temperatures of the step's end, so that no step is too long. Leaves out colours (the gas
is grey), reflection (sooted surfaces are black; paint and gypsum have 0.9), radiation of the cold layer's gas, and
where the fire stands (in the middle). Temperatures are rises above the air outside, in K.

Numbers that are not named where they stand are those of CFAST (NIST TN 1889v1), none of them fitted here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.generation.zone.radiation import Box, shares_of_point
from vidgen_nodes.generation.zone.walls import CEILING, FLOOR, LOWER, UPPER, Response, Walls
from vidgen_nodes.packets import FloatArray

_BOLTZMANN_KW_PER_M2_K4 = 5.670e-11
# Natural convection, h = C dT^(1/3) in kW/m2K (Holman), of ceiling, upper walls, lower walls and floor.
_NATURAL = np.array([1.52e-3, 1.31e-3, 1.31e-3, 1.52e-3])
# Flux of a ceiling jet into a cold ceiling, 0.0397 Qc H^-0.64 r^-1.36 (Alpert, friction 0.03), meant over a circle.
_JET_FLUX, _JET_POWER = 0.0397, 1.36
_JET_RISE, _RISE_POWER = 5.38, 2.0 / 3.0  # of the jet, 5.38 (Q / r)^(2/3) / H (Alpert)


@dataclass(frozen=True, slots=True)
class Release:
    """What a fire gives off.

    Args:
        radiated_kw: by radiation.
        carried_kw: with its plume.
        above_kw: of that, what the plume has beyond gas that is as warm as the upper layer.
        height_m: above the floor that it radiates from.
    """

    radiated_kw: float
    carried_kw: float
    above_kw: float
    height_m: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a step moved.

    Args:
        upper_k, lower_k: rises of the layers at its end.
        flux_kw_per_m2: (4,) into the surfaces.
        outside_kw: radiation through the holes.
    """

    upper_k: float
    lower_k: float
    flux_kw_per_m2: FloatArray
    outside_kw: float


def exchange(
    box: Box,
    walls: Walls,
    answers: list[Response],
    rises_k: tuple[float, float],
    capacities_kw_per_k: tuple[float, float],
    emissivity: float,
    release: Release,
    ambient_k: float,
) -> Exchange:
    """Heat of one step, linear around the temperatures at its start.

    Args:
        box: the room.
        walls: their profiles at the start.
        answers: of the walls to this step.
        rises_k: of upper and lower layer.
        capacities_kw_per_k: heat capacity of the layers over the length of the step.
        emissivity: of the upper layer.
        release: of the fire.
        ambient_k: of the air outside.
    """
    rises = np.concatenate((rises_k, walls.surfaces_k))  # upper layer, lower layer, then the four surfaces
    given, received, outside = _radiation(box, rises, emissivity, ambient_k)
    _convect(given, received, box, rises, release)
    shares, caught = shares_of_point(box, release.height_m, emissivity)
    received[0] += release.radiated_kw * caught
    received[2:] += release.radiated_kw * shares * (1.0 - box.holes)
    # What the layers store and the walls take: a wall's surface is where it would be, and as much above as it is given.
    stiff = box.solid_m2 / np.array([answer.surface_k_m2_per_kw for answer in answers])
    alone = np.array([answer.carry[0] @ row for answer, row in zip(answers, walls.profiles_k, strict=True)])
    held = np.concatenate((capacities_kw_per_k, stiff))
    found = np.linalg.solve(given + np.diag(held), received + held * np.concatenate((rises_k, alone)))
    through_holes = float(outside[0] + outside[1:] @ found)
    return Exchange(
        float(found[0]),
        float(found[1]),
        (found[2:] - alone) * stiff / box.solid_m2,
        through_holes + release.radiated_kw * float(shares @ box.holes),
    )


def jet_film_kw_per_m2_k(box: Box, carried_kw: float) -> float:
    """Of the ceiling under a jet, on average: its flux into a cold ceiling over its rise, both Alpert's."""
    power = _JET_POWER - _RISE_POWER
    local = _JET_FLUX / _JET_RISE * math.pow(carried_kw, 1.0 / 3.0) * math.pow(box.height_m, _JET_POWER - 1.0)
    return 2.0 / (2.0 - power) * local * math.pow(_radius_m(box), -power)


def jet_share(box: Box) -> float:
    """Of a plume's heat, what its jet leaves in a cold ceiling."""
    power = 2.0 - _JET_POWER
    return min(2.0 * math.pi / power * _JET_FLUX * math.pow(_radius_m(box) / box.height_m, power), 1.0)


def _radius_m(box: Box) -> float:
    """Of a round ceiling as large."""
    return math.sqrt(box.floor_m2 / math.pi)


def _convect(given: FloatArray, received: FloatArray, box: Box, rises: FloatArray, release: Release) -> None:
    """Add convection to what bodies give (6, 6) for each kelvin and receive (6,).

    The ceiling has the jet before it: h (T_jet - T) = h (T_jet - T_layer) + h (T_layer - T). The second part is as
    everywhere; the first is what a jet of the heat that the plume has above the layer gives to a ceiling as warm as
    the layer (after Evans 1984).
    """
    films = _NATURAL * np.cbrt(np.abs(rises[[0, 0, 1, 1]] - rises[2:])) * box.solid_m2
    if release.carried_kw > 0.0:
        jet = jet_film_kw_per_m2_k(box, release.carried_kw) * box.solid_m2[CEILING]
        films[CEILING] = max(films[CEILING], jet)
        beyond_kw = jet_share(box) * release.above_kw * (1.0 - box.holes[CEILING])
        received[0] -= beyond_kw
        received[2 + CEILING] += beyond_kw
    for number, gas in ((CEILING, 0), (UPPER, 0), (LOWER, 1), (FLOOR, 1)):
        film, surface = films[number], 2 + number
        given[gas, gas] += film
        given[surface, surface] += film
        given[gas, surface] -= film
        given[surface, gas] -= film


def _radiation(
    box: Box, rises: FloatArray, emissivity: float, ambient_k: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Between layers and surfaces, linear around their rises now: net heat given = given @ rises - received.

    Returns:
        given: (6, 6) kW/K; received: (6,) kW; outside: (7,) of the radiation through the holes, in kW, then in kW/K.
    """
    pairs = box.pairs_m2(emissivity)
    was_k = ambient_k + np.append(rises, 0.0)
    slope = 4.0 * _BOLTZMANN_KW_PER_M2_K4 * was_k**3
    level = slope * (0.25 * was_k - np.append(rises, 0.0))
    sums = pairs.sum(axis=1)
    given = np.diag(sums * slope) - pairs * slope
    received = pairs @ level - sums * level
    return given[:6, :6], received[:6], np.concatenate(([received[6]], -given[6, :6]))
