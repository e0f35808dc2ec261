# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Air in blocks of 2 x 2 x 2 cells, blocks in blocks of 2 x 2 x 2 blocks, and so on: the coarse views of a box.

Guarantees that what a wall parts within a block is never one lump: the lumps of a block are its connected parts, so
that rooms stay rooms on every level. Conductance between lumps is that of finite volumes, open area over the distance
of their centres along the axis between them; to an opening it is the area over the distance to the border.
Leaves out lumps that touch no other one: nothing coarser could say anything about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from vidgen_nodes.generation.flow.domain import Domain, IndexArray
from vidgen_nodes.generation.flow.sublattices import Places, Sublattices
from vidgen_nodes.packets import FloatArray

_LEAST_APART = 0.5  # cells that count between the centres of lumps side by side, however they are shaped
_LEAST_TO_RIM = 0.25


@dataclass(frozen=True)
class Lumps:
    """Lumps of air of one level, lengths in cells of the box.

    ``index`` is where a lump stands in the flat arrays of ``places``: the largest of a block at the block's place,
    others behind.
    """

    places: Places
    index: IndexArray  # (lumps,)
    block: IndexArray  # (lumps, 3)
    volume: FloatArray  # (lumps,)
    centre: FloatArray  # (lumps, 3)
    one: IndexArray  # (links,), lower lump of each pair side by side
    other: IndexArray  # (links,)
    axis: IndexArray  # (links,), across which they touch
    area: FloatArray  # (links,)
    rim: IndexArray  # (rims,), lumps at openings
    rim_side: IndexArray  # (rims,), 2 axis + end
    rim_area: FloatArray  # (rims,)
    counts: tuple[int, int, int]  # cells of the box

    def __len__(self) -> int:
        return len(self.index)

    def conductance(self) -> tuple[FloatArray, FloatArray]:
        """Of each link and of each rim."""
        apart = np.abs(self.centre[self.one, self.axis] - self.centre[self.other, self.axis])
        axis, upper = self.rim_side // 2, self.rim_side % 2 == 1
        edge = np.where(upper, np.array(self.counts)[axis], 0.0)
        to_rim = np.abs(self.centre[self.rim, axis] - edge)
        return self.area / np.maximum(apart, _LEAST_APART), self.rim_area / np.maximum(to_rim, _LEAST_TO_RIM)


@cache
def _parts() -> npt.NDArray[np.int8]:
    """Part of each of eight cells (4 a + 2 b + c), the largest 0, by the bits of those that are air; -1: none."""
    found = np.full((256, 8), -1, np.int8)
    for bits in range(256):
        left, parts = {cell for cell in range(8) if bits >> cell & 1}, []
        while left:
            part, edge = set(), {min(left)}
            while edge:
                part |= edge
                edge = {cell ^ step for cell in edge for step in (1, 2, 4)} & left - part
            left -= part
            parts.append(part)
        for number, part in enumerate(sorted(parts, key=len, reverse=True)):
            found[bits, sorted(part)] = number
    return found


def first_lumps(domain: Domain, lattice: Sublattices) -> tuple[Lumps, IndexArray]:
    """Lumps of single cells, and which one every cell of the eight sublattices is in (8, nz, ny, nx); -1: none."""
    bits = np.packbits(lattice.octants(domain.air), axis=0, bitorder="little")[0]
    part = np.moveaxis(_parts()[bits], -1, 0).astype(np.int64)  # (8, nz, ny, nx)
    parts = part.max(axis=0) + 1
    before = (np.cumsum(parts) - parts.ravel()).reshape(parts.shape)
    lump = np.where(part >= 0, before + part, -1)
    block = np.repeat(np.argwhere(parts > 0), parts[parts > 0], axis=0)
    is_main = np.isin(np.arange(len(block)), before[parts > 0])
    volume, centre = _sizes(lump, len(block))
    one, other, axis = _links(lump)
    rim, side = _rims(domain, lattice, lump)
    return _made(
        lattice.places.shape, block, is_main, volume, centre, (one, other, axis, np.ones(len(one))),
        (rim, side, np.ones(len(rim))), domain.grid.shape, lump,
    )  # fmt: skip


def _sizes(lump: IndexArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Volume and centre of every lump of cells of the eight sublattices."""
    own, *zyx = np.nonzero(lump >= 0)
    held = lump[lump >= 0]
    volume = np.bincount(held, minlength=count).astype(np.float64)
    along = [2.0 * at + (own >> bit & 1) + 0.5 for at, bit in zip(zyx, (2, 1, 0), strict=True)]
    return volume, np.stack([np.bincount(held, cells, count) / volume for cells in along], axis=1)


def _links(lump: IndexArray) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Lumps on both sides of every open face between blocks, the lower one first, and the axis across it."""
    ones, others, axes = [], [], []
    for axis in range(3):
        bit = 4 >> axis
        for upper in (own for own in range(8) if own & bit):
            one = np.moveaxis(lump[upper], axis, 0)[:-1].ravel()
            other = np.moveaxis(lump[upper ^ bit], axis, 0)[1:].ravel()
            both = (one >= 0) & (other >= 0)
            ones.append(one[both])
            others.append(other[both])
            axes.append(np.full(both.sum(), axis))
    return np.concatenate(ones), np.concatenate(others), np.concatenate(axes)


def _rims(domain: Domain, lattice: Sublattices, lump: IndexArray) -> tuple[IndexArray, IndexArray]:
    """The lump and the side of every cell at an opening."""
    rims, sides = [], []
    for side in range(6):
        axis, end = side // 2, side % 2
        opened = np.zeros(domain.grid.shape, bool)
        place = 0 if end == 0 else domain.grid.shape[axis] - 1
        faces = np.moveaxis(domain.open_faces[axis], axis, 0)[0 if end == 0 else -1]
        np.moveaxis(opened, axis, 0)[place] = faces == 2.0
        found = lump[lattice.octants(opened)]
        rims.append(found)
        sides.append(np.full(len(found), side))
    return np.concatenate(rims), np.concatenate(sides)


def parts_of(count: int, one: IndexArray, other: IndexArray) -> tuple[int, IndexArray]:
    """How many parts hang together by links, and which of them each of ``count`` lumps is in."""
    from scipy import sparse  # takes 0.1 s, and only a box with walls needs it
    from scipy.sparse import csgraph

    graph = sparse.coo_array((np.ones(len(one), np.int8), (one, other)), shape=(count, count))
    parts, label = csgraph.connected_components(graph, directed=False)
    return int(parts), label.astype(np.int64)


def coarser(lumps: Lumps) -> tuple[Lumps, IndexArray]:
    """Lumps of twice the width, and which of them each lump is in; -1: none."""
    block = lumps.block // 2
    shape = tuple((count + 1) // 2 for count in lumps.places.shape)
    key = np.ravel_multi_index(tuple(block.T), shape)
    inside = key[lumps.one] == key[lumps.other]
    count, label = parts_of(len(lumps), lumps.one[inside], lumps.other[inside])
    volume: FloatArray = np.bincount(label, lumps.volume, count).astype(np.float64)
    of_block = np.zeros(count, np.int64)
    of_block[label] = key
    order = np.lexsort((-volume, of_block))  # by block, its largest part first
    to = np.argsort(order)[label]
    volume, of_block = volume[order], of_block[order]
    is_main = np.diff(of_block, prepend=-1) != 0
    centre = np.stack([np.bincount(to, lumps.volume * along, count) for along in lumps.centre.T], axis=1)
    out = ~inside
    links = (to[lumps.one[out]], to[lumps.other[out]], lumps.axis[out], lumps.area[out])
    return _made(
        shape, np.stack(np.unravel_index(of_block, shape), axis=1), is_main, volume, centre / volume[:, None], links,
        (to[lumps.rim], lumps.rim_side, lumps.rim_area), lumps.counts, to,
    )  # fmt: skip


def _made(
    shape: tuple[int, ...],
    block: IndexArray,
    is_main: npt.NDArray[np.bool_],
    volume: FloatArray,
    centre: FloatArray,
    links: tuple[IndexArray, IndexArray, IndexArray, FloatArray],
    rims: tuple[IndexArray, IndexArray, FloatArray],
    counts: tuple[int, int, int],
    lump: IndexArray,
) -> tuple[Lumps, IndexArray]:
    """Lumps with links, one link and rim for each pair; ``lump`` is numbered anew, -1 where nothing is linked."""
    one, other, axis, area = _summed(*links, len(block))
    linked = np.zeros(len(block), bool)
    linked[one] = linked[other] = True
    new = np.append(np.where(linked, np.cumsum(linked) - 1, -1), -1)
    places = Places(shape, int((linked & ~is_main).sum()))  # type: ignore[arg-type]
    index = places.at(block)
    index[linked & ~is_main] = places.first_more + np.arange(places.more)
    held = linked[rims[0]]
    rim, side, _, rim_area = _summed(rims[0][held], rims[1][held], rims[1][held], rims[2][held], 6)
    found = Lumps(
        places, index[linked], block[linked], volume[linked], centre[linked], new[one], new[other], axis, area,
        new[rim], side, rim_area, counts,
    )  # fmt: skip
    return found, new[lump]


def _summed(
    one: IndexArray, other: IndexArray, axis: IndexArray, area: FloatArray, count: int
) -> tuple[IndexArray, IndexArray, IndexArray, FloatArray]:
    """Each pair once, with the sum of its areas."""
    pairs, first, which = np.unique(one * count + other, return_index=True, return_inverse=True)
    if not len(pairs):
        return one, other, axis, area
    return pairs // count, pairs % count, axis[first], np.bincount(which, area).astype(np.float64)
