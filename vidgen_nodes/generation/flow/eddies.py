# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What eddies too small for the cells do: Smagorinsky's viscosity, for momentum, heat and soot.

Guarantees that heat and soot are only moved, never made, that nothing is moved into an obstacle, that momentum
goes with the mass that is exchanged, and that an exchange takes no cell beyond its neighbours, however long the
step. The viscosity is (C cell)^2 (|S|^2 - N^2 / Pr)^(1/2) (Smagorinsky 1963, Lilly 1962): light air above heavy
air stills eddies, heavy above light feeds them. C from 0.1 to 0.2 and a turbulent Prandtl number of 0.5 are in use
for fire plumes (from memory). Leaves out periodic axes, which only verification has: no eddy acts over their seam.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.generation.fire import GRAVITY_MPS2
from vidgen_nodes.generation.flow.arena import Arena
from vidgen_nodes.generation.flow.domain import Domain
from vidgen_nodes.generation.flow.momentum import Velocity, on_faces
from vidgen_nodes.packets import Float32Array

PRANDTL = 0.5
# Of what is exchanged with one neighbour at once: with six of them, heat by 1 / PRANDTL more, no more than there is.
MOST_EXCHANGED = PRANDTL / 6.0
MOST_PARTS = 4  # an exchange that asks for more is cut short


def exchange(
    velocity: Velocity, light: Float32Array, domain: Domain, constant: float, scale: float, arena: Arena
) -> tuple[Float32Array, int]:
    """Share that eddies exchange with a neighbouring cell at once (nz, ny, nx), 0 in obstacles; and how many times.

    Args:
        velocity: on the faces.
        light: (nz, ny, nx) share below 1 by which the air is lighter than that around.
        domain: where.
        constant: C.
        scale: step over cell width.
        arena: holds the result.
    """
    found = arena.empty(domain.grid.shape)
    if min(domain.grid.shape) < 3:
        found[:] = 0.0
        return found, 1
    most = MOST_EXCHANGED * MOST_PARTS
    lift = np.float32(lift_of(domain.grid.cell_m))
    _strain(*velocity, light, np.float32(constant**2 * scale), np.float32(most), lift, found)
    if not domain.air.all():
        found *= domain.air
    parts = parts_for(float(found.max()))
    if parts > 1:
        found *= np.float32(1.0 / parts)
    return found, parts


def lift_of(cell_m: float) -> float:
    """What a step of lightness from cell to cell takes from the square of a strain in speed over a cell, m2/s2."""
    return GRAVITY_MPS2 * cell_m / PRANDTL


def parts_for(share: float) -> int:
    """How many exchanges one of so large a share is cut into."""
    return min(max(1, math.ceil(share / MOST_EXCHANGED - 1e-6)), MOST_PARTS)


def mixed(content: Float32Array, share: Float32Array) -> Float32Array:
    """What cells hold (nz, ny, nx) after the exchange."""
    out = np.empty_like(content)
    _exchanged(content, share, np.float32(1.0 / PRANDTL), out)
    return out


def rubbed(velocity: Velocity, light: Float32Array, share: Float32Array, arena: Arena) -> Velocity:
    """A velocity after the exchange of momentum: of mass and speed, so that light gas pushes heavy air little.

    Mass goes where ``mixed`` takes it, and its momentum with it.

    Args:
        velocity: on the faces.
        light: (nz, ny, nx) share below 1 by which the air is lighter than that around.
        share: of ``exchange``.
        arena: for what is needed meanwhile.
    """
    found = []
    for axis, own in enumerate(velocity):
        beside, density = on_faces(share, axis, False, arena), on_faces(light, axis, False, arena)
        np.subtract(np.float32(1.0), density, out=density)
        out = np.empty_like(own)
        _rubbed(own, beside, density, np.float32(1.0 / PRANDTL), out)
        found.append(out)
    w, v, u = found
    return w, v, u


@njit(cache=True, error_model="numpy", nogil=True)
def _strain(
    w: Any, v: Any, u: Any, light: Any, factor: Any, most: Any, lift: Any, out: Any
) -> None:  # fmt: skip
    """Factor times the rate at which every cell makes eddies, at most ``most``.

    Along z and y a cell at a side of the box has one neighbour, a cell away, where others have two, two cells apart;
    along x it takes its neighbour's.
    """
    nz, ny, nx = out.shape
    one, two, quarter, none = np.float32(1.0), np.float32(2.0), np.float32(0.25), np.float32(0.0)
    for k in range(nz):
        below, above = max(k - 1, 0), min(k + 1, nz - 1)
        on_z = one if above - below == 2 else two
        rise = lift / np.float32(above - below)
        for j in range(ny):
            south, north = max(j - 1, 0), min(j + 1, ny - 1)
            on_y = one if north - south == 2 else two
            for i in range(1, nx - 1):
                xx = u[k, j, i + 1] - u[k, j, i]
                yy = v[k, j + 1, i] - v[k, j, i]
                zz = w[k + 1, j, i] - w[k, j, i]
                xy = on_y * ((u[k, north, i] + u[k, north, i + 1]) - (u[k, south, i] + u[k, south, i + 1]))
                xy += (v[k, j, i + 1] + v[k, j + 1, i + 1]) - (v[k, j, i - 1] + v[k, j + 1, i - 1])
                xz = on_z * ((u[above, j, i] + u[above, j, i + 1]) - (u[below, j, i] + u[below, j, i + 1]))
                xz += (w[k, j, i + 1] + w[k + 1, j, i + 1]) - (w[k, j, i - 1] + w[k + 1, j, i - 1])
                yz = on_z * ((v[above, j, i] + v[above, j + 1, i]) - (v[below, j, i] + v[below, j + 1, i]))
                yz += on_y * ((w[k, north, i] + w[k + 1, north, i]) - (w[k, south, i] + w[k + 1, south, i]))
                straight = two * (xx * xx + yy * yy + zz * zz)
                across = quarter * quarter * (xy * xy + xz * xz + yz * yz)
                stilled = rise * (light[above, j, i] - light[below, j, i]) / (one - light[k, j, i])
                found = factor * np.sqrt(max(straight + across - stilled, none))
                out[k, j, i] = min(most, found)
            out[k, j, 0], out[k, j, nx - 1] = out[k, j, 1], out[k, j, nx - 2]


@njit(cache=True, error_model="numpy", nogil=True)
def _exchanged(q: Any, share: Any, factor: Any, out: Any) -> None:
    nz, ny, nx = q.shape
    for k in range(nz):
        for j in range(ny):
            row, own, to = q[k, j], share[k, j], out[k, j]
            for i in range(nx):
                to[i] = row[i]
            for i in range(1, nx):
                least = min(own[i - 1], own[i])
                to[i] -= factor * least * (row[i] - row[i - 1])
            for i in range(nx - 1):
                least = min(own[i + 1], own[i])
                to[i] += factor * least * (row[i + 1] - row[i])
            for side in range(4):
                kk = k - 1 if side == 0 else (k + 1 if side == 1 else k)
                jj = j - 1 if side == 2 else (j + 1 if side == 3 else j)
                if kk < 0 or kk >= nz or jj < 0 or jj >= ny:
                    continue
                other, theirs = q[kk, jj], share[kk, jj]
                for i in range(nx):
                    least = min(theirs[i], own[i])
                    to[i] += factor * least * (other[i] - row[i])


@njit(cache=True, error_model="numpy", nogil=True)
def _rubbed(q: Any, share: Any, density: Any, factor: Any, out: Any) -> None:
    """Speed after the exchange; ``factor`` times as much mass is exchanged as momentum.

    Neighbours trade their speeds by the mass of the lighter one; what the heavier one loses of its mass besides
    brings its speed along.
    """
    nz, ny, nx = q.shape
    gain, weight = np.empty(nx, np.float32), np.empty(nx, np.float32)
    none = np.float32(0.0)
    for k in range(nz):
        for j in range(ny):
            row, own, mass, to = q[k, j], share[k, j], density[k, j], out[k, j]
            for i in range(nx):
                gain[i] = none
                weight[i] = mass[i]
            for i in range(1, nx):
                least, more = min(own[i - 1], own[i]), factor * (mass[i - 1] - mass[i])
                gain[i] -= least * (min(mass[i - 1], mass[i]) + max(more, none)) * (row[i] - row[i - 1])
                weight[i] += least * more
            for i in range(nx - 1):
                least, more = min(own[i + 1], own[i]), factor * (mass[i + 1] - mass[i])
                gain[i] += least * (min(mass[i + 1], mass[i]) + max(more, none)) * (row[i + 1] - row[i])
                weight[i] += least * more
            for side in range(4):
                kk = k - 1 if side == 0 else (k + 1 if side == 1 else k)
                jj = j - 1 if side == 2 else (j + 1 if side == 3 else j)
                if kk < 0 or kk >= nz or jj < 0 or jj >= ny:
                    continue
                other, theirs, others = q[kk, jj], share[kk, jj], density[kk, jj]
                for i in range(nx):
                    least, more = min(theirs[i], own[i]), factor * (others[i] - mass[i])
                    gain[i] += least * (min(others[i], mass[i]) + max(more, none)) * (other[i] - row[i])
                    weight[i] += least * more
            for i in range(nx):
                to[i] = row[i] + gain[i] / weight[i]
