# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Takes the divergence out of a velocity, obstacles and openings included.

Guarantees that what is left of the divergence, scaled by cell width and largest speed, is reported as it is
in the result and is at most ``limit`` wherever the solver says so. A plain box takes one exact solve; with
obstacles or cut-in openings, conjugate gradients run with that solve as preconditioner. Leaves out
compressible flow: heat does not push air aside here, it only makes it light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.generation.flow.domain import PERIODIC, Domain
from vidgen_nodes.generation.flow.momentum import Velocity, fastest, largest
from vidgen_nodes.generation.flow.poisson import FastPoisson
from vidgen_nodes.packets import Float32Array

ROUNDS = 4  # exact solves of a plain box; from the second on they take away rounding
MOST_ITERATIONS = 200


@dataclass(frozen=True, slots=True)
class Projected:
    """How a projection went."""

    divergence: float  # largest, times cell width over the largest speed
    rounds: int  # solves with the fast solver


def floor_of(domain: Domain) -> float | None:
    """Eigenvalue that stands in for the constant where the fast solver is only a preconditioner."""
    if domain.is_plain:
        return None
    return 2.0 - 2.0 * float(np.cos(0.5 * np.pi / max(domain.grid.shape)))


class Projection:
    """The projection of one domain.

    Args:
        domain: where.
        limit: of the scaled divergence.
    """

    def __init__(self, domain: Domain, limit: float) -> None:
        self._domain, self._limit = domain, limit
        self._fast = FastPoisson(domain.grid.shape, domain.kinds, floor_of(domain))
        self._wraps = np.array([low == PERIODIC for low, _ in domain.kinds])
        self._air = domain.air.astype(np.float32)
        self._free = tuple((item > 0.0).astype(np.float32) for item in domain.open_faces)

    def apply(
        self, velocity: Velocity, expansion: Float32Array | None = None
    ) -> tuple[Velocity, Float32Array, Projected]:
        """The nearest velocity without divergence.

        Args:
            velocity: changed in place.
            expansion: (nz, ny, nx) divergence that is to be left, in speed over a cell; None: 0.

        Returns:
            The velocity, the pressure that was taken away, and how it went.
        """
        self._fix(velocity)
        if expansion is not None:
            expansion = expansion * self._air
            self._centre(expansion)  # a closed pocket cannot grow: its pressure rises instead
        least = self._limit * max(float(fastest(velocity)), 1e-9)
        if self._domain.is_plain:
            return self._plain(velocity, expansion, least)
        return self._around_obstacles(velocity, expansion, least)

    def _fix(self, velocity: Velocity) -> None:
        domain = self._domain
        for axis, (own, fixed) in enumerate(zip(velocity, domain.fixed_mps, strict=True)):
            if domain.is_plain:
                rule = np.moveaxis(domain.open_faces[axis], axis, 0)
                target, source = np.moveaxis(own, axis, 0), np.moveaxis(fixed, axis, 0)
                for end in (0, -1):
                    target[end] = np.where(rule[end] > 0.0, target[end], source[end])
            else:
                own *= self._free[axis]
                own += fixed

    def _plain(
        self, velocity: Velocity, expansion: Float32Array | None, least: float
    ) -> tuple[Velocity, Float32Array, Projected]:
        total = np.zeros(self._domain.grid.shape, dtype=np.float32)
        right, rounds = np.empty_like(total), 0
        left = self._unbalance(velocity, expansion, right)
        while rounds < ROUNDS and not (rounds and left <= least):
            pressure = self._fast.solve(right)
            _push(*velocity, pressure, *self._domain.open_faces, self._wraps)
            total += pressure
            rounds += 1
            left = self._unbalance(velocity, expansion, right)
        return velocity, total, self._report(left, least, rounds)

    def _unbalance(self, velocity: Velocity, expansion: Float32Array | None, right: Float32Array) -> float:
        _divergence(*velocity, self._air, right)
        if expansion is not None:
            right += expansion
        return largest(right)

    def _report(self, left: float, least: float, rounds: int) -> Projected:
        return Projected(left * self._limit / least, rounds)

    def _around_obstacles(
        self, velocity: Velocity, expansion: Float32Array | None, least: float
    ) -> tuple[Velocity, Float32Array, Projected]:
        """Preconditioned conjugate gradients (Hestenes & Stiefel 1952) on the cells of air."""
        faces, wraps = self._domain.open_faces, self._wraps
        total = np.zeros(self._domain.grid.shape, dtype=np.float32)
        right, rounds = np.empty_like(total), 0
        while True:
            left = self._unbalance(velocity, expansion, right)
            if left <= least or rounds >= MOST_ITERATIONS:
                return velocity, total, self._report(left, least, rounds)
            found, used = self._search(right, 0.5 * least, MOST_ITERATIONS - rounds)
            _push(*velocity, found, *faces, wraps)
            total += found
            rounds += used

    def _search(self, right: Float32Array, least: float, most: int) -> tuple[Float32Array, int]:
        """Pressure whose push takes ``right`` away; stops at ``least`` or after ``most`` rounds."""
        faces, wraps = self._domain.open_faces, self._wraps
        self._centre(right)
        found = np.zeros_like(right)
        image = np.empty_like(right)
        near = self._precondition(right)
        way = near.copy()
        power = float(np.vdot(right, near))
        used = 0
        while used < most:
            used += 1
            _stiffness(way, *faces, wraps, self._air, image)
            along = power / float(np.vdot(way, image))
            found += np.float32(along) * way
            right -= np.float32(along) * image
            if largest(right) <= least:
                break
            near = self._precondition(right)
            power, before = float(np.vdot(right, near)), power
            way *= np.float32(power / before)
            way += near
        return found, used

    def _precondition(self, right: Float32Array) -> Float32Array:
        near = self._fast.solve(right)
        near *= self._air
        self._centre(near)
        return near

    def _centre(self, values: Float32Array) -> None:
        """Take away the mean of each pocket of air that has no opening: no pressure can change it."""
        flat = values.reshape(-1)
        for pocket in self._domain.pockets:
            flat[pocket] -= np.float32(flat[pocket].mean(dtype=np.float64))


@njit(cache=True, error_model="numpy", nogil=True)
def _divergence(w: Any, v: Any, u: Any, air: Any, out: Any) -> None:
    """Minus the net outflow of each cell of air, in speed."""
    nz, ny, nx = air.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                out[k, j, i] = air[k, j, i] * (
                    (w[k, j, i] - w[k + 1, j, i])
                    + (v[k, j, i] - v[k, j + 1, i])
                    + (u[k, j, i] - u[k, j, i + 1])
                )


@njit(cache=True, error_model="numpy", nogil=True)
def _push(w: Any, v: Any, u: Any, p: Any, cz: Any, cy: Any, cx: Any, wraps: Any) -> None:
    """Take the gradient of a pressure from the velocity; outside an opening the pressure is 0."""
    nz, ny, nx = p.shape
    for k in range(nz):
        below = k - 1 if k > 0 else nz - 1
        for j in range(ny):
            south = j - 1 if j > 0 else ny - 1
            keep_z = np.float32(1.0) if k > 0 or wraps[0] else np.float32(0.0)
            keep_y = np.float32(1.0) if j > 0 or wraps[1] else np.float32(0.0)
            for i in range(nx):
                w[k, j, i] -= cz[k, j, i] * (p[k, j, i] - keep_z * p[below, j, i])
                v[k, j, i] -= cy[k, j, i] * (p[k, j, i] - keep_y * p[k, south, i])
            for i in range(1, nx):
                u[k, j, i] -= cx[k, j, i] * (p[k, j, i] - p[k, j, i - 1])
            first, last = p[k, j, 0], p[k, j, nx - 1]
            if wraps[2]:
                u[k, j, 0] -= cx[k, j, 0] * (first - last)
                u[k, j, nx] = u[k, j, 0]
            else:
                u[k, j, 0] -= cx[k, j, 0] * first
                u[k, j, nx] += cx[k, j, nx] * last
    if wraps[0]:
        w[nz] = w[0]
    else:
        w[nz] += cz[nz] * p[nz - 1]
    if wraps[1]:
        v[:, ny] = v[:, 0]
    else:
        v[:, ny] += cy[:, ny] * p[:, ny - 1]


@njit(cache=True, error_model="numpy", nogil=True)
def _stiffness(p: Any, cz: Any, cy: Any, cx: Any, wraps: Any, air: Any, out: Any) -> None:
    """Divergence of the push of a pressure."""
    nz, ny, nx = p.shape
    one, none = np.float32(1.0), np.float32(0.0)
    for k in range(nz):
        below, above = (k - 1 if k > 0 else nz - 1), (k + 1 if k < nz - 1 else 0)
        has_below = one if k > 0 or wraps[0] else none
        has_above = one if k < nz - 1 or wraps[0] else none
        for j in range(ny):
            south, north = (j - 1 if j > 0 else ny - 1), (j + 1 if j < ny - 1 else 0)
            has_south = one if j > 0 or wraps[1] else none
            has_north = one if j < ny - 1 or wraps[1] else none
            for i in range(nx):
                own = p[k, j, i]
                out[k, j, i] = (
                    cz[k, j, i] * (own - has_below * p[below, j, i])
                    + cz[k + 1, j, i] * (own - has_above * p[above, j, i])
                    + cy[k, j, i] * (own - has_south * p[k, south, i])
                    + cy[k, j + 1, i] * (own - has_north * p[k, north, i])
                )
            west = p[k, j, nx - 1] if wraps[2] else none
            east = p[k, j, 0] if wraps[2] else none
            for i in range(1, nx):
                out[k, j, i] += cx[k, j, i] * (p[k, j, i] - p[k, j, i - 1])
            for i in range(nx - 1):
                out[k, j, i] += cx[k, j, i + 1] * (p[k, j, i] - p[k, j, i + 1])
            out[k, j, 0] += cx[k, j, 0] * (p[k, j, 0] - west)
            out[k, j, nx - 1] += cx[k, j, nx] * (p[k, j, nx - 1] - east)
            for i in range(nx):
                out[k, j, i] *= air[k, j, i]
