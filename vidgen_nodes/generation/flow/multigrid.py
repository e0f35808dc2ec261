# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pressure among obstacles: conjugate gradients on the black cells, with a multigrid cycle as preconditioner.

All neighbours of a red cell are black, so the red cells are eliminated exactly and the search runs on half of the
cells, with a matrix of better condition (Schur's complement). A cycle smooths black, red, red, black by Gauss and
Seidel and corrects by the coarse levels of ``coarse.py`` in between, each lump of ``blocks.py`` by one number; it is
symmetric and positive, as conjugate gradients need it (McAdams, Sifakis & Teran 2010 put multigrid in that place).
Rounds hardly grow with what stands in the box or with its size: 4 to 10 in all that was tried, rooms, mazes, oblique
walls and cells at random among it. Guarantees the same bytes for the same numbers on one machine, whatever it was
given before. Leaves out periodic axes (``box_search.py`` has them).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.generation.flow.blocks import first_lumps
from vidgen_nodes.generation.flow.coarse import Coarse
from vidgen_nodes.generation.flow.domain import Domain, IndexArray
from vidgen_nodes.generation.flow.momentum import largest
from vidgen_nodes.generation.flow.pockets import Pockets
from vidgen_nodes.generation.flow.sublattices import BLACK, RED, Members, Sublattices
from vidgen_nodes.packets import Float32Array


class Multigrid:
    """Finds the pressure of one domain without periodic axes."""

    def __init__(self, domain: Domain) -> None:
        self._lattice = lattice = Sublattices(domain.grid.shape)
        weight = np.zeros(domain.grid.shape, np.float32)
        for axis, faces in enumerate(domain.open_faces):
            ends = np.moveaxis(faces, axis, 0)
            np.moveaxis(weight, axis, 0)[...] += ends[:-1] + ends[1:]
        weight *= domain.air
        held = weight > 0.0
        inverse = np.divide(np.float32(1.0), weight, out=np.zeros_like(weight), where=held)
        self._weight, self._air, self._inverse, self._red_inverse = (lattice.empty() for _ in range(4))
        lattice.split(weight, BLACK, self._weight)
        lattice.split(held.astype(np.float32), BLACK, self._air)
        lattice.split(inverse, BLACK, self._inverse)
        lattice.split(inverse, RED, self._red_inverse)
        lumps, lump = first_lumps(domain, lattice)
        self._coarse = Coarse(lumps)
        self._members = self._members_of(lumps.index, lump[list(BLACK)])
        self._pockets = Pockets(domain)
        self._rooms = tuple(lattice.empty() for _ in range(8))

    def _members_of(self, index: IndexArray, lump: IndexArray) -> Members:
        """Of each black cell (4, nz, ny, nx); -1: in none."""
        places, main = self._lattice.places, self._lattice.empty()
        at = np.append(index, -1)[lump]
        places.view(main)[...] = (at >= 0) & (at < places.end)
        which, *zyx = np.nonzero(at >= places.end)
        return Members(main, which, places.at(np.stack(zyx, axis=-1)), at[at >= places.end])

    def search(self, right: Float32Array, least: float, most: int) -> tuple[Float32Array, int]:
        """Pressure whose push takes a divergence away.

        Args:
            right: (nz, ny, nx), 0 where there is no air; the mean of every pocket without an opening is taken from it.
            least: stops where nothing larger is left anywhere.
            most: rounds.

        Returns:
            The pressure, 0 in solids, and the rounds (1 at least).
        """
        lattice = self._lattice
        red, found, left, near, way, image, red_part, smooth = self._rooms
        self._pockets.centre(right)
        left[...] = way[...] = found[...] = np.float32(
            0.0
        )  # of an earlier search nothing stays, not even a NaN
        lattice.split(right, RED, red)
        lattice.split(right, BLACK, left)
        np.multiply(self._red_inverse, red, out=red_part)
        lattice.around(BLACK, image, self._air, red_part)
        left += image
        np.multiply(self._inverse, left, out=smooth)
        power, used = 0.0, 0
        while used < most and largest(left) > least:
            used += 1
            self._cycle(left, smooth, red_part, near)
            power, before = float(np.vdot(left, near)), power
            _follow(way, near, np.float32(power / before if used > 1 else 0.0))
            self._image(way, red_part, image)
            along = float(np.vdot(way, image))
            if not along > 0.0:  # nothing is left but rounding
                break
            _go(found, left, smooth, way, image, self._inverse, np.float32(power / along))
        lattice.around(RED, red_part, self._red_inverse, found, red)
        pressure = np.zeros_like(right)
        lattice.join(found, BLACK, pressure)
        lattice.join(red_part, RED, pressure)
        return pressure, max(used, 1)

    def _image(self, way: Float32Array, red_part: Float32Array, into: Float32Array) -> None:
        """Schur's complement of the red cells, times a pressure on the black ones."""
        self._lattice.around(RED, red_part, self._red_inverse, way)
        self._lattice.less_around(into, self._weight, way, self._air, red_part)

    def _cycle(
        self, left: Float32Array, smooth: Float32Array, red_part: Float32Array, into: Float32Array
    ) -> None:
        """What answers ``left``; ``smooth`` is it over the diagonal, and changed."""
        lattice, coarse = self._lattice, self._coarse
        lattice.around(RED, red_part, self._red_inverse, smooth)
        lattice.gathered(coarse.given, red_part, self._members)
        lattice.spread(smooth, coarse.cycle(), self._members)
        lattice.around(RED, red_part, self._red_inverse, smooth)
        lattice.around(BLACK, into, self._inverse, red_part, left)


@compiled
def _follow(way: Any, near: Any, share: Any) -> None:
    """The next way: the nearest answer and a share of the way before."""
    for q in range(4):
        own, new = way[q], near[q]
        for i in range(len(own)):
            own[i] = new[i] + share * own[i]


@compiled
def _go(found: Any, left: Any, smooth: Any, way: Any, image: Any, inverse: Any, along: Any) -> None:
    """Go along the way, and put what is left over the diagonal into ``smooth``."""
    for q in range(4):
        have, rest, start = found[q], left[q], smooth[q]
        to, less, share = way[q], image[q], inverse[q]
        for i in range(len(have)):
            have[i] += along * to[i]
            value = rest[i] - along * less[i]
            rest[i] = value
            start[i] = share[i] * value
