# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Sublattices hold every cell once, and a sweep sees the six neighbours that a cell has."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.sublattices import BLACK, RED, Colour, Members, Places, Sublattices

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 8), st.integers(1, 9))
SEEDS = st.integers(0, 2**32 - 1)


def colour_of(shape: tuple[int, int, int], colour: Colour) -> np.ndarray:
    return np.indices(shape).sum(axis=0) % 2 == (0 if colour is RED else 1)


def six_around(cells: np.ndarray) -> np.ndarray:
    padded = np.pad(cells.astype(np.float64), 1)
    inner = slice(1, -1)
    total = np.zeros(cells.shape)
    for axis in range(3):
        for ends in (slice(None, -2), slice(2, None)):
            total += padded[tuple(ends if axis == own else inner for own in range(3))]
    return total


def ones(lattice: Sublattices, colour: Colour) -> np.ndarray:
    """1 where there is a cell of a colour."""
    found = lattice.empty()
    lattice.split(np.ones(lattice.shape, np.float32), colour, found)
    return found


@settings(max_examples=40)
@given(shape=SHAPES, seed=SEEDS)
def test_what_is_split_joins_again(shape: tuple[int, int, int], seed: int) -> None:
    lattice, cells = Sublattices(shape), np.random.default_rng(seed).random(shape, np.float32)
    back = np.full(shape, np.nan, np.float32)
    for colour in (RED, BLACK):
        held = lattice.empty()
        lattice.split(cells, colour, held)
        assert np.count_nonzero(held) <= colour_of(shape, colour).sum()
        lattice.join(held, colour, back)
    assert np.array_equal(back, cells)


@settings(max_examples=40)
@given(shape=SHAPES, seed=SEEDS)
def test_a_sweep_sums_the_six_neighbours(shape: tuple[int, int, int], seed: int) -> None:
    lattice, cells = Sublattices(shape), np.random.default_rng(seed).random(shape, np.float32)
    for colour, other in ((RED, BLACK), (BLACK, RED)):
        beside, own, found, both = (lattice.empty() for _ in range(4))
        lattice.split(cells, other, beside)
        lattice.split(cells, colour, own)
        lattice.around(colour, found, ones(lattice, colour), beside)
        lattice.around(colour, both, ones(lattice, colour), beside, own)
        back, with_own = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        lattice.join(found, colour, back)
        lattice.join(both, colour, with_own)
        here = colour_of(shape, colour)
        assert np.allclose(back[here], six_around(cells)[here], atol=1e-5)
        assert np.allclose(with_own[here], (six_around(cells) + cells)[here], atol=1e-5)


@settings(max_examples=40)
@given(shape=SHAPES, seed=SEEDS)
def test_the_border_stays_zero(shape: tuple[int, int, int], seed: int) -> None:
    lattice, random = Sublattices(shape), np.random.default_rng(seed)
    beside, weight, own, found = (lattice.empty() for _ in range(4))
    lattice.split(random.random(shape, np.float32), RED, beside)
    lattice.split(random.random(shape, np.float32), BLACK, own)
    lattice.split(random.random(shape, np.float32), BLACK, weight)
    lattice.less_around(found, weight, own, ones(lattice, BLACK), beside)
    assert np.array_equal(found != 0.0, (found != 0.0) & (ones(lattice, BLACK) != 0.0))


@settings(max_examples=40)
@given(shape=SHAPES, seed=SEEDS)
def test_spreading_is_the_transpose_of_gathering(shape: tuple[int, int, int], seed: int) -> None:
    lattice, random = Sublattices(shape), np.random.default_rng(seed)
    places = Places(lattice.places.shape, 2)
    black = np.argwhere(ones(lattice, BLACK) > 0.0)
    apart = random.permutation(len(black))[: min(3, len(black))]  # cells of lumps without a place
    main = ones(lattice, BLACK)
    main[tuple(black[apart].T)] = 0.0
    lump = places.first_more + random.integers(0, 2, len(apart))
    members = Members(main, black[apart, 0], black[apart, 1], lump)
    beside, cells = lattice.empty(), lattice.empty()
    lattice.split(random.random(shape, np.float32), RED, beside)
    lattice.around(BLACK, cells, ones(lattice, BLACK), beside)
    gathered, lumps = np.full(places.size, 7.0, np.float32), np.zeros(places.size, np.float32)
    lattice.gathered(gathered, beside, members)
    places.view(lumps)[...] = random.random(places.shape)
    lumps[places.first_more : places.first_more + 2] = random.random(2)
    spread = lattice.empty()
    lattice.spread(spread, lumps, members)
    assert np.isclose(np.vdot(gathered, lumps), np.vdot(cells, spread), rtol=1e-4)
    assert np.isclose(gathered.sum(), cells.sum(), rtol=1e-4)
