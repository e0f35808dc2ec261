# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Takes the divergence out of a velocity, obstacles and openings included.

Guarantees that what is left of the divergence, scaled by cell width and the largest speed that was given, is
reported as it is in the result and is at most ``limit`` wherever the solver says so. A plain box takes one exact
solve; with obstacles or cut-in openings the pressure is searched for, by multigrid (``multigrid.py``) or, where an
axis is periodic, around that solve (``box_search.py``). Leaves out compressible flow: heat does not push air aside
here, it only makes it light.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.generation.flow.box_search import BoxSearch
from vidgen_nodes.generation.flow.domain import PERIODIC, Domain
from vidgen_nodes.generation.flow.momentum import Velocity, fastest, largest
from vidgen_nodes.generation.flow.multigrid import Multigrid
from vidgen_nodes.generation.flow.pockets import Pockets
from vidgen_nodes.generation.flow.poisson import FastPoisson
from vidgen_nodes.packets import Float32Array

ROUNDS = 4  # exact solves of a plain box; from the second on they take away rounding
MOST_ITERATIONS = 200
Finder = Callable[[Float32Array, float, int], tuple[Float32Array, int]]  # as ``Multigrid.search``


@dataclass(frozen=True, slots=True)
class Projected:
    """How a projection went."""

    divergence: float  # largest, times cell width over the largest speed before
    rounds: int  # exact solves of a plain box, or rounds of the search


class Projection:
    """The projection of one domain.

    Args:
        domain: where.
        limit: of the scaled divergence.
    """

    def __init__(self, domain: Domain, limit: float) -> None:
        self._domain, self._limit = domain, limit
        self._wraps = np.array([low == PERIODIC for low, _ in domain.kinds])
        self._find, self._most = _finder(domain)
        self._pockets = Pockets(domain)
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
        speed = max(fastest(velocity), 1e-9)
        if expansion is not None:
            expansion = expansion * self._air
            self._pockets.centre(expansion)  # a closed pocket cannot grow: its pressure rises instead
            speed = max(speed, largest(expansion) / 6.0)  # what a cell gives off leaves by six faces
        least = self._limit * speed
        total = np.zeros(self._domain.grid.shape, dtype=np.float32)
        right, rounds = np.empty_like(total), 0
        while True:
            left = self._unbalance(velocity, expansion, right)
            enough = rounds > 0 or not self._domain.is_plain  # what is exact costs as much as leaving it
            if (enough and not left > least) or rounds >= self._most:
                return velocity, total, Projected(left * self._limit / least, rounds)
            found, used = self._find(right, 0.5 * least, self._most - rounds)
            _push(*velocity, found, *self._domain.open_faces, self._wraps)
            total += found
            rounds += used

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

    def _unbalance(self, velocity: Velocity, expansion: Float32Array | None, right: Float32Array) -> float:
        _divergence(*velocity, self._air, right)
        if expansion is not None:
            right += expansion
        return largest(right)


def _finder(domain: Domain) -> tuple[Finder, int]:
    """What finds a pressure that takes a divergence away, and how many rounds it may take."""
    if domain.is_plain:
        fast = FastPoisson(domain.grid.shape, domain.kinds)
        return lambda right, *_: (fast.solve(right), 1), ROUNDS
    if any(low == PERIODIC for low, _ in domain.kinds):
        return BoxSearch(domain).search, MOST_ITERATIONS
    return Multigrid(domain).search, MOST_ITERATIONS


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
