# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pressure among obstacles: conjugate gradients on the black cells, with a multigrid cycle as preconditioner.

All neighbours of a red cell are black, so the red cells are eliminated exactly and the search runs on half of the
cells, with a matrix of better condition (Schur's complement). A cycle smooths black, red, red, black by Gauss and
Seidel and corrects by the coarse levels of ``coarse.py`` in between, each lump of ``blocks.py`` by one number; it is
symmetric and positive, as conjugate gradients need it (McAdams, Sifakis & Teran 2010 put multigrid in that place).
Guarantees as many rounds for rooms, mazes and oblique walls as for an open box, within a few (5 to 9), and the same
bytes for the same numbers on one machine. Leaves out periodic axes (``box_search.py`` has them).
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
from vidgen_nodes.generation.flow.sublattices import BLACK, RED, Sublattices
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
        inverse = np.where(
            weight > 0.0, np.float32(1.0) / np.maximum(weight, np.float32(1.0)), np.float32(0.0)
        )
        self._weight, self._air, self._inverse, self._red_inverse = (lattice.empty() for _ in range(4))
        lattice.split(weight, BLACK, self._weight)
        lattice.split((weight > 0.0).astype(np.float32), BLACK, self._air)
        lattice.split(inverse, BLACK, self._inverse)
        lattice.split(inverse, RED, self._red_inverse)
        lumps, lump = first_lumps(domain, lattice)
        self._coarse = Coarse(lumps)
        self._main = lattice.empty()
        self._more = self._members(lumps.index, lump[list(BLACK)])
        self._pockets = Pockets(domain)
        self._rooms = tuple(lattice.empty() for _ in range(8))

    def _members(self, index: IndexArray, lump: IndexArray) -> tuple[IndexArray, IndexArray, IndexArray]:
        """Mark black cells of the lumps that are their blocks' own; of the others: sublattice, index, lump's index."""
        places = self._lattice.places
        at = np.append(index, -1)[lump]
        self._lattice.places.view(self._main)[...] = (at >= 0) & (at < places.end)
        number, *zyx = np.nonzero(at >= places.end)
        return number, places.at(np.stack(zyx, axis=-1)), at[at >= places.end]

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
        lattice.split(right, RED, red)
        lattice.split(right, BLACK, left)
        np.multiply(self._red_inverse, red, out=red_part)
        lattice.around(BLACK, image, self._air, red_part)
        left += image
        found[...] = np.float32(0.0)
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
        lattice.gathered(coarse.given, self._main, red_part)
        number, index, to = self._more
        lattice.gather_more(coarse.given, red_part, number, index, to)
        answer = coarse.cycle()
        first, end = lattice.places.first, lattice.places.end
        smooth[:, first:end] += self._main[:, first:end] * answer[first:end]
        smooth[number, index] += answer[to]
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
def _go(
    found: Any, left: Any, smooth: Any, way: Any, image: Any, inverse: Any, along: Any
) -> None:  # fmt: skip
    """Go along the way, and put what is left over the diagonal into ``smooth``."""
    for q in range(4):
        have, rest, start = found[q], left[q], smooth[q]
        to, less, share = way[q], image[q], inverse[q]
        for i in range(len(have)):
            have[i] += along * to[i]
            value = rest[i] - along * less[i]
            rest[i] = value
            start[i] = share[i] * value
