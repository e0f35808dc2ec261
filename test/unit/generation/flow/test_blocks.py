# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Coarse views of a box keep its air, its openings and its walls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from vidgen_nodes.generation.flow.blocks import Lumps, coarser, first_lumps, parts_of
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, Domain, FlowGrid, make_domain
from vidgen_nodes.generation.flow.sublattices import Sublattices

OPEN = dict.fromkeys(SIDES, "open")


def domain_of(solid: np.ndarray, sides: dict[str, str] | None = None) -> Domain:
    shape = tuple(int(count) for count in solid.shape)
    return make_domain(FlowGrid((0.0, 0.0, 0.0), 0.25, shape), Boundaries(sides or {}, solid))  # type: ignore[arg-type]


def lumps_of(domain: Domain) -> tuple[Lumps, np.ndarray]:
    """The finest lumps, and the number of that of each cell (nz, ny, nx); -1: none."""
    lattice = Sublattices(domain.grid.shape)
    lumps, lump = first_lumps(domain, lattice)
    cells = np.full(domain.grid.shape, -1)
    for own in range(8):
        part = cells[own >> 2 :: 2, (own >> 1) & 1 :: 2, own & 1 :: 2]
        nz, ny, nx = part.shape
        part[...] = lump[own][:nz, :ny, :nx]
    return lumps, cells


def hang_together(lumps: Lumps) -> int:
    """How many parts the lumps make."""
    return parts_of(len(lumps), lumps.one, lumps.other)[0]


@settings(max_examples=30)
@given(
    shape=st.tuples(st.integers(2, 9), st.integers(2, 9), st.integers(2, 11)),
    share=st.floats(0.0, 0.7),
    seed=st.integers(0, 2**32 - 1),
)
def test_lumps_are_the_connected_parts_of_blocks(
    shape: tuple[int, int, int], share: float, seed: int
) -> None:
    solid = np.random.default_rng(seed).random(shape) < share
    solid[0, 0, 0] = False
    lumps, cells = lumps_of(domain_of(solid, OPEN))
    assert (cells[solid] == -1).all()
    for number in range(len(lumps)):
        own = cells == number
        assert own.sum() == lumps.volume[number]
        assert np.allclose(np.argwhere(own).mean(axis=0) + 0.5, lumps.centre[number])
        assert ((np.argwhere(own) // 2) == lumps.block[number]).all()
        assert ndimage.label(own)[1] == 1
    for one, other, axis in zip(lumps.one, lumps.other, lumps.axis, strict=True):
        step = np.zeros(3, int)
        step[axis] = 1
        assert ((lumps.block[other] - lumps.block[one]) == step).all()
    assert len(set(lumps.index.tolist())) == len(lumps)


@settings(max_examples=30)
@given(share=st.floats(0.0, 0.7), seed=st.integers(0, 2**32 - 1))
def test_coarsening_keeps_what_hangs_together(share: float, seed: int) -> None:
    solid = np.random.default_rng(seed).random((9, 10, 13)) < share
    solid[0, 0, 0] = False
    lumps, _ = lumps_of(domain_of(solid, OPEN))
    for _ in range(4):  # of 13 cells one block is left
        above, to = coarser(lumps)
        kept = to >= 0
        volume = np.bincount(to[kept], lumps.volume[kept], len(above))
        assert np.array_equal(volume, above.volume)
        for along in range(3):
            moment = np.bincount(to[kept], (lumps.volume * lumps.centre[:, along])[kept], len(above))
            assert np.allclose(moment / np.maximum(volume, 1.0), above.centre[:, along])
        assert ((lumps.block[kept] // 2) == above.block[to[kept]]).all()
        across = (to[lumps.one] != to[lumps.other]) & kept[lumps.one] & kept[lumps.other]
        assert above.area.sum() == lumps.area[across].sum()
        assert above.rim_area.sum() == lumps.rim_area[kept[lumps.rim]].sum()
        assert not len(above) or hang_together(above) <= hang_together(lumps)
        assert len(above) <= len(lumps)
        lumps = above
    assert not len(lumps)


def test_an_open_box_has_the_conductance_of_a_coarser_lattice() -> None:
    lumps, _ = lumps_of(domain_of(np.zeros((16, 16, 16), bool), OPEN))
    for level in range(1, 4):
        links, rims = lumps.conductance()
        assert (links == 2.0**level).all()  # (2^l)^2 faces over 2^l cells
        assert (rims == 2.0 * 2.0**level).all()  # over half of that
        assert len(rims) == 6 * (16 >> level) ** 2
        lumps, _ = coarser(lumps)


@pytest.mark.parametrize("at", [5, 6])
def test_a_wall_parts_the_rooms_on_every_level(at: int) -> None:
    solid = np.zeros((12, 12, 13), bool)
    solid[:, :, at] = True
    lumps, _ = lumps_of(domain_of(solid))
    sides = 0
    while len(lumps):
        west = lumps.centre[:, 2] < at
        assert not (west[lumps.one] != west[lumps.other]).any()
        sides += int(west.any() and not west.all())
        lumps, _ = coarser(lumps)
    assert sides >= 2


def test_an_oblique_wall_parts_the_rooms_on_every_level() -> None:
    solid = np.zeros((6, 16, 16), bool)
    for row in range(16):
        solid[:, row, row] = True  # cells that touch along an edge only
    lumps, _ = lumps_of(domain_of(solid))
    while len(lumps):
        north = lumps.centre[:, 1] > lumps.centre[:, 2]
        assert not (north[lumps.one] != north[lumps.other]).any()
        lumps, _ = coarser(lumps)


def test_a_door_is_as_wide_on_every_level() -> None:
    solid = np.zeros((8, 16, 16), bool)
    solid[:, :, 8] = True
    solid[:3, 6:9, 8] = False
    lumps, _ = lumps_of(domain_of(solid))
    while len(lumps) > 2:
        through = (
            (lumps.axis == 2) & (lumps.centre[lumps.one, 2] < 8.0) & (lumps.centre[lumps.other, 2] >= 8.0)
        )
        assert lumps.area[through].sum() == 9.0
        lumps, _ = coarser(lumps)
