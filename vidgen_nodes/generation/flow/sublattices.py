# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The cells of a box as eight sublattices of every second cell, so that a sweep over one colour is eight long loops.

Cell (2k + a, 2j + b, 2i + c) stands at place (k, j, i) of sublattice (a, b, c), and a place is a block of 2 x 2 x 2
cells. Four sublattices are red (a + b + c even), four black; all neighbours of a red cell are black. Seen from a
sublattice the two neighbours along an axis stand in one other sublattice, at the same place and one place further,
so every loop runs over whole arrays with fixed offsets. Arrays are flat with a border of zeros: one place after each
row, one row after each plane, one plane before and after; it stands for what lies outside and must stay zero.
Between two cells of air the face is open, and a pressure is 0 in solids and outside, so that of the seven-point
matrix the diagonal alone needs storing. Leaves out periodic axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.generation.flow.domain import IndexArray
from vidgen_nodes.packets import BoolArray, Float32Array

Colour = tuple[int, int, int, int]  # sublattices, 4 a + 2 b + c
RED: Colour = (0, 3, 5, 6)
BLACK: Colour = (1, 2, 4, 7)


class Members(NamedTuple):
    """Which lump (``blocks.py``) each black cell is in: its place's own, or one that has no place."""

    main: Float32Array  # (4, size): 1 where it is in the lump of its place, else 0
    which: IndexArray  # sublattice of each cell of another lump
    where: IndexArray  # index of that cell
    lump: IndexArray  # where that lump stands in the flat array of lumps


@dataclass(frozen=True, slots=True)
class Places:
    """Where the places of a lattice lie in flat arrays, and room behind them for ``more`` without a place."""

    shape: tuple[int, int, int]
    more: int = 0

    @property
    def strides(self) -> tuple[int, int, int]:
        """Steps in a flat array to the next place along z, y, x."""
        _, ny, nx = self.shape
        return (ny + 1) * (nx + 1), nx + 1, 1

    @property
    def first(self) -> int:
        """Index of the first place."""
        return self.strides[0]

    @property
    def end(self) -> int:
        """One behind the last place."""
        return self.first + self.shape[0] * self.strides[0]

    @property
    def first_more(self) -> int:
        """Index of the first that has no place."""
        return self.end + self.strides[0]

    @property
    def size(self) -> int:
        """Of a flat array."""
        return self.first_more + self.more + self.strides[0]

    def at(self, zyx: IndexArray) -> IndexArray:
        """Flat index of places (..., 3)."""
        found: IndexArray = self.first + zyx @ np.array(self.strides)
        return found

    def view(self, flat: Any) -> Any:
        """The places of flat arrays (..., size) as (..., nz, ny, nx)."""
        nz, ny, nx = self.shape
        box = flat[..., self.first : self.end].reshape(*flat.shape[:-1], nz, ny + 1, nx + 1)
        return box[..., :ny, :nx]


class Sublattices:
    """Eight sublattices of one box.

    Args:
        shape: cells (nz, ny, nx).
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        nz, ny, nx = ((count + 1) // 2 for count in shape)
        self.shape, self.places = shape, Places((nz, ny, nx))
        self._beside = {colour: self._neighbours(colour) for colour in (RED, BLACK)}

    def _neighbours(self, colour: Colour) -> tuple[IndexArray, IndexArray]:
        """Of each sublattice of a colour along z, y, x: which of the other colour, and the further one's offset."""
        other = BLACK if colour is RED else RED
        bits = np.array([4, 2, 1])
        which = np.array([[other.index(own ^ int(bit)) for bit in bits] for own in colour])
        upper = np.array([[bool(own & int(bit)) for bit in bits] for own in colour])
        return which, np.where(upper, 1, -1) * np.array(self.places.strides)

    def empty(self) -> Float32Array:
        """Zeros for the cells of one colour (4, size)."""
        return np.zeros((4, self.places.size), np.float32)

    def split(self, cells: Float32Array, colour: Colour, into: Float32Array) -> None:
        """Take the cells (nz, ny, nx) of one colour out."""
        for number, own in enumerate(colour):
            part = cells[own >> 2 :: 2, (own >> 1) & 1 :: 2, own & 1 :: 2]
            nz, ny, nx = part.shape
            self.places.view(into[number])[:nz, :ny, :nx] = part

    def join(self, given: Float32Array, colour: Colour, cells: Float32Array) -> None:
        """Put the cells of one colour back."""
        for number, own in enumerate(colour):
            part = cells[own >> 2 :: 2, (own >> 1) & 1 :: 2, own & 1 :: 2]
            nz, ny, nx = part.shape
            part[...] = self.places.view(given[number])[:nz, :ny, :nx]

    def octants(self, cells: BoolArray) -> BoolArray:
        """(8, *places) of cells (nz, ny, nx); false outside."""
        found = np.zeros((8, *self.places.shape), bool)
        for own in range(8):
            part = cells[own >> 2 :: 2, (own >> 1) & 1 :: 2, own & 1 :: 2]
            nz, ny, nx = part.shape
            found[own, :nz, :ny, :nx] = part
        return found

    def around(
        self,
        colour: Colour,
        into: Float32Array,
        scale: Float32Array,
        beside: Float32Array,
        own: Float32Array | None = None,
    ) -> None:
        """``scale`` times the sum of the six neighbours (of the other colour) and, where given, ``own``."""
        which, further = self._beside[colour]
        first, end = self.places.first, self.places.end
        if own is None:
            _around(into, scale, beside, which, further, first, end)
        else:
            _around_and_own(into, scale, beside, own, which, further, first, end)

    def less_around(
        self,
        into: Float32Array,
        weight: Float32Array,
        own: Float32Array,
        air: Float32Array,
        beside: Float32Array,
    ) -> None:
        """Of the black cells ``weight own - air times the sum of the six neighbours``."""
        _less_around(into, weight, own, air, beside, *self._beside[BLACK], self.places.first, self.places.end)

    def gathered(self, into: Float32Array, beside: Float32Array, members: Members) -> None:
        """Sum over the black cells of each lump of their six neighbours; ``into`` is a flat array of lumps."""
        _gathered(into, beside, members, *self._beside[BLACK], self.places.first, self.places.end)

    def spread(self, into: Float32Array, lumps: Float32Array, members: Members) -> None:
        """Add to every black cell what its lump has; the transpose of the sum in ``gathered``."""
        _spread(into, lumps, members, self.places.first, self.places.end)


@compiled
def _six(beside: Any, which: Any, further: Any, q: Any, first: Any, end: Any) -> Any:
    z, y, x = beside[which[q, 0]], beside[which[q, 1]], beside[which[q, 2]]
    dz, dy, dx = further[q, 0], further[q, 1], further[q, 2]
    return (
        z[first:end], z[first + dz : end + dz], y[first:end], y[first + dy : end + dy],
        x[first:end], x[first + dx : end + dx],
    )  # fmt: skip


@compiled
def _around(into: Any, scale: Any, beside: Any, which: Any, further: Any, first: Any, end: Any) -> None:
    for q in range(4):
        z, zz, y, yy, x, xx = _six(beside, which, further, q, first, end)
        out, factor = into[q, first:end], scale[q, first:end]
        for i in range(end - first):
            out[i] = factor[i] * (((z[i] + zz[i]) + (y[i] + yy[i])) + (x[i] + xx[i]))


@compiled
def _around_and_own(
    into: Any, scale: Any, beside: Any, own: Any, which: Any, further: Any, first: Any, end: Any
) -> None:
    for q in range(4):
        z, zz, y, yy, x, xx = _six(beside, which, further, q, first, end)
        out, factor, given = into[q, first:end], scale[q, first:end], own[q, first:end]
        for i in range(end - first):
            out[i] = factor[i] * (given[i] + (((z[i] + zz[i]) + (y[i] + yy[i])) + (x[i] + xx[i])))


@compiled
def _less_around(
    into: Any, weight: Any, own: Any, air: Any, beside: Any, which: Any, further: Any, first: Any, end: Any
) -> None:
    for q in range(4):
        z, zz, y, yy, x, xx = _six(beside, which, further, q, first, end)
        out, given = into[q, first:end], own[q, first:end]
        factor, held = weight[q, first:end], air[q, first:end]
        for i in range(end - first):
            out[i] = factor[i] * given[i] - held[i] * (((z[i] + zz[i]) + (y[i] + yy[i])) + (x[i] + xx[i]))


@compiled
def _gathered(into: Any, beside: Any, own: Any, which: Any, further: Any, first: Any, end: Any) -> None:
    into[:] = np.float32(0.0)
    out = into[first:end]
    for q in range(4):
        z, zz, y, yy, x, xx = _six(beside, which, further, q, first, end)
        held = own.main[q, first:end]
        for i in range(end - first):
            out[i] += held[i] * (((z[i] + zz[i]) + (y[i] + yy[i])) + (x[i] + xx[i]))
    for n in range(len(own.lump)):
        q, i = own.which[n], own.where[n]
        total = np.float32(0.0)
        for axis in range(3):
            row = beside[which[q, axis]]
            total += row[i] + row[i + further[q, axis]]
        into[own.lump[n]] += total


@compiled
def _spread(into: Any, lumps: Any, own: Any, first: Any, end: Any) -> None:
    given = lumps[first:end]
    for q in range(4):
        out, held = into[q, first:end], own.main[q, first:end]
        for i in range(end - first):
            out[i] += held[i] * given[i]
    for n in range(len(own.lump)):
        into[own.which[n], own.where[n]] += lumps[own.lump[n]]
