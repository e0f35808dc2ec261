# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pressure among obstacles in a box with a periodic axis: conjugate gradients around the exact solve of the plain box.

Guarantees a search for every pairing of borders. Rounds grow with the obstacles (17 to 70 where walls make rooms),
so it is for verification; ``multigrid.py`` is for everything else, and ``device.py`` does the same as here in torch,
where a round costs little.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.generation.flow.domain import PERIODIC, Domain
from vidgen_nodes.generation.flow.momentum import largest
from vidgen_nodes.generation.flow.pockets import Pockets
from vidgen_nodes.generation.flow.poisson import FastPoisson
from vidgen_nodes.packets import Float32Array


def floor_of(domain: Domain) -> float | None:
    """Eigenvalue that stands in for the constant where the fast solver is only a preconditioner."""
    if domain.is_plain:
        return None
    return 2.0 - 2.0 * float(np.cos(0.5 * np.pi / max(domain.grid.shape)))


class BoxSearch:
    """Finds the pressure of one domain."""

    def __init__(self, domain: Domain) -> None:
        self._faces, self._pockets = domain.open_faces, Pockets(domain)
        self._fast = FastPoisson(domain.grid.shape, domain.kinds, floor_of(domain))
        self._wraps = np.array([low == PERIODIC for low, _ in domain.kinds])
        self._air = domain.air.astype(np.float32)

    def search(self, right: Float32Array, least: float, most: int) -> tuple[Float32Array, int]:
        """Pressure whose push takes ``right`` away (Hestenes & Stiefel 1952); as ``Multigrid.search``."""
        self._pockets.centre(right)
        found, left = np.zeros_like(right), right
        image = np.empty_like(right)
        near = self._precondition(left)
        way = near.copy()
        power = float(np.vdot(left, near))
        used = 0
        while used < most:
            used += 1
            _stiffness(way, *self._faces, self._wraps, self._air, image)
            along = power / float(np.vdot(way, image))
            found += np.float32(along) * way
            left -= np.float32(along) * image
            if largest(left) <= least:
                break
            near = self._precondition(left)
            power, before = float(np.vdot(left, near)), power
            way *= np.float32(power / before)
            way += near
        return found, used

    def _precondition(self, left: Float32Array) -> Float32Array:
        near = self._fast.solve(left)
        near *= self._air
        self._pockets.centre(near)
        return near


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
