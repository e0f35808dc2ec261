# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What solid surfaces do to the air beside them: friction, heat that they take, and how warm that makes them.

Friction is that of a logarithmic profile between the wall and the middle of its cell, over a surface of a given
roughness or as smooth as the gas's viscosity lets it be. Heat goes over by forced convection (Reynolds' analogy with
that friction, as Colburn has it) and, where cooling or warming makes the air overturn, by natural convection: the
cube root of the sum of their cubes (Churchill 1977), which is the larger one unless both are alike. Behind the surface
lies a solid without end, in layers that double in depth down to what an hour's fire warms.

Guarantees that friction slows and never turns the air, whatever the step, that what the air loses the solid holds
to rounding, and that air at rest and as warm as its walls stays so. Leaves out radiation to surfaces, heat through
thin walls to the room behind, and openings and mirrors, which are no surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.generation.flow.domain import PERIODIC, SIDES, Domain, IndexArray
from vidgen_nodes.generation.flow.momentum import Velocity
from vidgen_nodes.packets import BoolArray, Float32Array

KARMAN = 0.41
AIR_VISCOSITY_M2_PER_S = 1.5e-5  # at ambient temperature; it grows with the temperature to the power 1.7
_GROWS = 1.7
_SMOOTH = 0.11  # roughness length of a smooth wall, in viscous lengths (nu / u*)
_SAND = 1.0 / 30.0  # roughness length of sand grains, in their heights (Nikuradse 1933)
_COLBURN = 0.71 ** (-2.0 / 3.0)  # of air's Prandtl number
# W/(m2 K^(4/3)) of natural convection in air: on upright surfaces, and on level ones that overturn (Holman, from
# memory; fire codes use the same).
NATURAL_UPRIGHT, NATURAL_LEVEL = 1.31, 1.52
LAYERS = 7
_FIRST_ROOT_S = 1.0  # depth of the first layer over sqrt(k / rho c): in a second heat goes through it
_MOST_GIVEN = (
    1.0 / 6.0
)  # of a cell's excess over its wall that one surface takes in a step: a cell has six at most


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Every face between air and a solid: the cell of air, and where the solid lies from it.

    Vents that are cut into a side do not change which faces there are, so solids outlast grilles that come and go.
    """

    cell: IndexArray  # (faces, 3): z, y, x
    axis: IndexArray  # (faces,): across which the solid lies
    upward: IndexArray  # (faces,): 1 where it lies above, -1 below, 0 beside
    inertia: Float32Array  # (faces,): k rho c of the solid, (kW/(m2 K))^2 s; NaN: not known
    shut: BoolArray  # (faces,): no vent is there now

    def __len__(self) -> int:
        return len(self.axis)


def surfaces_of(domain: Domain) -> Surfaces:
    """The solid surfaces of a domain, in the order of axes, low sides first."""
    cells, axes, upward, inertia, shut = [], [], [], [], []
    for axis, (low, _) in enumerate(domain.kinds):
        if low == PERIODIC:
            continue
        for end in (0, 1):
            air = np.moveaxis(domain.air, axis, 0)
            side = np.full_like(air[:1], SIDES[2 * axis + end] in domain.solid_sides)
            solid = np.concatenate((~air[1:], side) if end else (side, ~air[:-1]))
            found = np.argwhere(domain.air & np.moveaxis(solid, 0, axis))
            face = found.copy()
            face[:, axis] += end
            still = (domain.open_faces[axis] == 0.0) & (domain.fixed_mps[axis] == 0.0)
            shut.append(still[tuple(face.T)])
            cells.append(found)
            axes.append(np.full(len(found), axis))
            upward.append(np.full(len(found), 0 if axis else 2 * end - 1))
            inertia.append(_inertia_behind(domain, found, axis, 2 * end - 1))
    return Surfaces(
        np.concatenate(cells).astype(np.int64) if cells else np.zeros((0, 3), np.int64),
        np.concatenate(axes).astype(np.int64) if axes else np.zeros(0, np.int64),
        np.concatenate(upward).astype(np.int64) if upward else np.zeros(0, np.int64),
        np.concatenate(inertia) if inertia else np.zeros(0, np.float32),
        np.concatenate(shut) if shut else np.zeros(0, bool),
    )


def _inertia_behind(domain: Domain, cells: IndexArray, axis: int, way: int) -> Float32Array:
    """That of the solid cells that lie so from cells of air; nothing is known of the box's own sides."""
    found = np.full(len(cells), np.nan, np.float32)
    if domain.wall_inertia is None:
        return found
    behind = cells.copy()
    behind[:, axis] += way
    inside = (behind[:, axis] >= 0) & (behind[:, axis] < domain.grid.shape[axis])
    found[inside] = domain.wall_inertia[tuple(behind[inside].T)]
    return found


@dataclass(frozen=True, slots=True)
class WallNumbers:
    """What surfaces are like.

    Args:
        ambient_k: temperature of still air, and of solids at first.
        density_kg_per_m3: of still air.
        heat_capacity_kj_per_kg_k: of air.
        roughness_m: height of sand grains that would rub as much; 0: smooth.
        inertia: k rho c of solids of which it is not known, (kW/(m2 K))^2 s; 0: they take no heat.
    """

    ambient_k: float
    density_kg_per_m3: float
    heat_capacity_kj_per_kg_k: float
    roughness_m: float
    inertia: float


class Walls:
    """The solid surfaces of one domain.

    Args:
        domain: where.
        numbers: what they are like.
    """

    def __init__(self, domain: Domain, numbers: WallNumbers) -> None:
        self.surfaces, self._numbers, self._cell_m = surfaces_of(domain), numbers, domain.grid.cell_m
        self._depths = _FIRST_ROOT_S * 2.0 ** np.arange(LAYERS)  # s^(1/2)
        known = self.surfaces.inertia
        self._root = np.sqrt(np.where(np.isnan(known), numbers.inertia, known)).astype(np.float32)
        self._rate, self._taken = (np.empty(len(known), np.float32) for _ in range(2))

    def cold(self) -> Float32Array:
        """Solids as warm as still air: rise (faces, layers)."""
        return np.zeros((len(self.surfaces), LAYERS), np.float32)

    def held_kj(self, rise_k: Float32Array) -> float:
        """Heat in the solids above still air's temperature."""
        return float(self._root.astype(np.float64) @ (rise_k @ self._depths)) * self._cell_m**2

    def touch(
        self, velocity: Velocity, lightness_k: Float32Array, rise_k: Float32Array, dt_s: float
    ) -> tuple[Float32Array, float]:
        """Rub the air and let the solids take its heat.

        Args:
            velocity: on the faces; slowed in place.
            lightness_k: (nz, ny, nx) of the air; changed in place.
            rise_k: (faces, layers) of the solids above still air.
            dt_s: for so long.

        Returns:
            The solids' rise afterwards, and what the air lost in units of a cell's lightness.
        """
        own, numbers = self.surfaces, self._numbers
        warmed = rise_k.copy()
        if not len(own):
            return warmed, 0.0
        per_k = numbers.density_kg_per_m3 * numbers.heat_capacity_kj_per_kg_k * self._cell_m
        _law(
            *velocity, lightness_k, warmed, own.cell, own.axis, own.upward, own.shut, np.float32(self._cell_m),
            np.float32(dt_s), np.float32(numbers.ambient_k), np.float32(per_k), np.float32(numbers.roughness_m),
            self._root, self._rate, self._taken,
        )  # fmt: skip
        _slow(*velocity, own.cell, own.axis, np.float32(dt_s), self._rate)
        lost = _cool(lightness_k, own.cell, self._taken)
        below, inverse, above = _conduction(self._depths, dt_s)
        _soak(warmed, self._taken, np.float32(per_k / self._depths[0]), self._root, below, inverse, above)
        return warmed, lost


def _conduction(depths: Any, dt_s: float) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Thomas's factors of one implicit step of conduction through the layers; nothing leaves the deepest."""
    between = dt_s / (0.5 * (depths[1:] + depths[:-1]))
    below = np.concatenate(([0.0], between)) / depths  # to the layer nearer to the surface
    above = np.concatenate((between, [0.0])) / depths
    middle = 1.0 + below + above
    inverse, ratio = np.empty(len(depths)), np.empty(len(depths))
    for layer in range(len(depths)):
        inverse[layer] = 1.0 / (middle[layer] - (below[layer] * ratio[layer - 1] if layer else 0.0))
        ratio[layer] = above[layer] * inverse[layer]
    return below.astype(np.float32), inverse.astype(np.float32), ratio.astype(np.float32)


@njit(cache=True, error_model="numpy", nogil=True)
def _friction_speed(speed: Any, middle: Any, sand: Any, viscosity: Any) -> Any:
    """That u* for which u* / 0.41 ln(y / z0) is the speed, z0 = 0.11 nu / u* + s / 30; at least the laminar layer's."""
    found = np.float32(0.06) * speed
    for _ in range(3):
        rest = sand + np.float32(_SMOOTH) * viscosity / found
        found = np.float32(KARMAN) * speed / np.log(max(middle / rest, np.float32(2.0)))
    return max(found, np.sqrt(viscosity * speed / middle))


@njit(cache=True, error_model="numpy", nogil=True)
def _law(
    w: Any, v: Any, u: Any, theta: Any, rise: Any, cell: Any, axis: Any, upward: Any, shut: Any, width: Any, dt: Any,
    ambient: Any, per_k: Any, rough: Any, root: Any, rate: Any, taken: Any,
) -> None:  # fmt: skip
    """Rate at which every surface slows its cell (1/s), and the lightness that it takes from it."""
    half, one, none = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    still = np.float32(1e-6)
    middle, sand = half * width, rough * np.float32(_SAND)
    inner = np.float32(0.5 * _FIRST_ROOT_S)  # from the surface to the first layer
    third = np.float32(1.0 / 3.0)
    for f in range(len(axis)):
        k, j, i = cell[f, 0], cell[f, 1], cell[f, 2]
        up, north, east = (
            half * (w[k, j, i] + w[k + 1, j, i]),
            half * (v[k, j, i] + v[k, j + 1, i]),
            half * (u[k, j, i] + u[k, j, i + 1]),
        )
        rate[f] = taken[f] = none
        if not shut[f]:
            continue
        if axis[f] == 0:
            speed = np.sqrt(north * north + east * east)
        elif axis[f] == 1:
            speed = np.sqrt(up * up + east * east)
        else:
            speed = np.sqrt(up * up + north * north)
        dense = one - min(theta[k, j, i] / ambient, np.float32(0.9))
        rubs = none
        if speed > still:
            viscosity = np.float32(AIR_VISCOSITY_M2_PER_S) * dense ** np.float32(-_GROWS)
            rubs = _friction_speed(speed, middle, sand, viscosity)
            rate[f] = rubs * rubs / (speed * width)
        if root[f] == none:
            continue
        excess = theta[k, j, i] / dense - rise[f, 0]
        if excess == none:
            continue
        forced = (
            none if speed <= still else per_k / width * dense * np.float32(_COLBURN) * rubs * rubs / speed
        )
        natural = none  # its cube over the excess
        if upward[f] == 0:
            natural = np.float32((1e-3 * NATURAL_UPRIGHT) ** 3)
        elif (excess > none) == (upward[f] > 0):
            natural = np.float32((1e-3 * NATURAL_LEVEL) ** 3)
        passes = (forced * forced * forced + natural * abs(excess)) ** third
        gone = passes / (one + passes * inner / root[f]) * excess * dt / per_k
        wall = ambient * rise[f, 0] / (ambient + rise[f, 0])
        most = np.float32(_MOST_GIVEN) * (theta[k, j, i] - wall)
        taken[f] = min(gone, most) if excess > none else max(gone, most)


@njit(cache=True, error_model="numpy", nogil=True)
def _slow(w: Any, v: Any, u: Any, cell: Any, axis: Any, dt: Any, rate: Any) -> None:
    """Half of a cell's friction goes to each of its faces along the surface; implicit, so it never turns them."""
    one, half = np.float32(1.0), np.float32(0.5)
    for f in range(len(axis)):
        k, j, i = cell[f, 0], cell[f, 1], cell[f, 2]
        left = one / (one + half * dt * rate[f])
        if axis[f] != 0:
            w[k, j, i] *= left
            w[k + 1, j, i] *= left
        if axis[f] != 1:
            v[k, j, i] *= left
            v[k, j + 1, i] *= left
        if axis[f] != 2:
            u[k, j, i] *= left
            u[k, j, i + 1] *= left


@njit(cache=True, error_model="numpy", nogil=True)
def _cool(theta: Any, cell: Any, taken: Any) -> Any:
    """Take from every cell what its surfaces take, and return the sum."""
    lost = 0.0
    for f in range(len(taken)):
        k, j, i = cell[f, 0], cell[f, 1], cell[f, 2]
        before = theta[k, j, i]
        theta[k, j, i] = before - taken[f]
        taken[f] = before - theta[k, j, i]  # as it was rounded: the solid gets what the air has lost
        lost += taken[f]
    return lost


@njit(cache=True, error_model="numpy", nogil=True)
def _soak(rise: Any, taken: Any, gain: Any, root: Any, below: Any, inverse: Any, ratio: Any) -> None:
    """Put what was taken into the first layer and let it go deeper, implicit; arrays (faces, layers)."""
    faces, layers = rise.shape
    for f in range(faces):
        row = rise[f]
        if root[f] == np.float32(0.0):
            continue
        row[0] = (row[0] + gain * taken[f] / root[f]) * inverse[0]
        for n in range(1, layers):
            row[n] = (row[n] + below[n] * row[n - 1]) * inverse[n]
        for n in range(layers - 2, -1, -1):
            row[n] += ratio[n] * row[n + 1]
