# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Momentum only moves: light gas drags heavy air along by its little mass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.arena import Arena
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, make_domain
from vidgen_nodes.generation.flow.eddies import mixed, rubbed
from vidgen_nodes.generation.flow.inertia import carry_momentum, pairs_for
from vidgen_nodes.generation.flow.transport import carry

SHAPE = (5, 6, 7)
NO_WRAPS = (False, False, False)


def speeds_through(
    shape: tuple[int, int, int], random: np.random.Generator, fastest: float
) -> list[np.ndarray]:
    """Speeds on the borders of boxes; none through the border of the whole."""
    found = []
    for axis in range(3):
        faces = tuple(count + (1 if place == axis else 0) for place, count in enumerate(shape))
        speed = random.uniform(-fastest, fastest, faces).astype(np.float32)
        ends = np.moveaxis(speed, axis, 0)
        ends[0] = ends[-1] = 0.0
        found.append(speed)
    return found


def planes(value: float) -> tuple[np.ndarray, ...]:
    nz, ny, nx = SHAPE
    shapes = ((ny, nx), (nz, nx), (nz, ny))
    return tuple(np.full(shape, value, np.float32) for shape in shapes for _ in range(2))


def carried(
    speed: np.ndarray, density: np.ndarray, by: list[np.ndarray], *, upward: bool, end: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    pairs = pairs_for(SHAPE, Arena())
    z, y, x = by
    return carry_momentum(speed, density, (z, y, x), 1.0, planes(end), NO_WRAPS, pairs, upward=upward)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), upward=st.booleans(), lightest=st.floats(0.15, 1.0))
def test_mass_and_momentum_of_a_closed_box_stay(seed: int, upward: bool, lightest: float) -> None:
    random = np.random.default_rng(seed)
    density = random.uniform(lightest, 1.0, SHAPE).astype(np.float32)
    speed = random.standard_normal(SHAPE).astype(np.float32)
    found, left = carried(speed, density, speeds_through(SHAPE, random, 0.12), upward=upward)
    assert float(left.sum(dtype=np.float64)) == pytest.approx(float(density.sum(dtype=np.float64)), rel=1e-5)
    before, after = (float((a * b).sum(dtype=np.float64)) for a, b in ((speed, density), (found, left)))
    assert after == pytest.approx(before, abs=1e-4)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), value=st.floats(-5.0, 5.0))
def test_a_uniform_speed_stays_uniform_whatever_the_densities(seed: int, value: float) -> None:
    random = np.random.default_rng(seed)
    density = random.uniform(0.2, 1.0, SHAPE).astype(np.float32)
    by = speeds_through(SHAPE, random, 0.2)
    found, _ = carried(np.full(SHAPE, value, np.float32), density, by, upward=True, end=value)
    assert found == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_light_jet_sets_heavy_air_in_motion_by_its_mass_alone(axis: int, sign: float) -> None:
    density, speed = np.ones(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    hot = [2, 2, 2]
    density[tuple(hot)], speed[tuple(hot)] = 0.25, 4.0
    by = [np.zeros_like(item) for item in speeds_through(SHAPE, np.random.default_rng(0), 0.0)]
    # Half a cell of the hot gas goes over into its neighbour; nothing else moves.
    face = list(hot)
    face[axis] += 1 if sign > 0.0 else 0
    by[axis][tuple(face)] = 0.5 * sign
    found, left = carried(speed, density, by, upward=True)
    beside = list(hot)
    beside[axis] += int(sign)
    assert float(found[tuple(beside)] * left[tuple(beside)]) == pytest.approx(0.125 * 4.0, rel=0.5)
    assert float((found * left).sum(dtype=np.float64)) == pytest.approx(1.0, rel=1e-5)
    assert left[tuple(beside)] == pytest.approx(1.125, rel=1e-5)
    assert float(found[tuple(beside)]) < 0.75  # by volume it would be 4 / 3


def test_a_box_that_would_lose_all_its_mass_keeps_its_speed() -> None:
    density, speed = np.full(SHAPE, 0.5, np.float32), np.full(SHAPE, 2.0, np.float32)
    by = [np.zeros_like(item) for item in speeds_through(SHAPE, np.random.default_rng(0), 0.0)]
    by[2][2, 2, 2], by[2][2, 2, 3] = -0.6, 0.6
    found, left = carried(speed, density, by, upward=False)
    assert np.isfinite(found).all()
    assert found == pytest.approx(2.0, abs=1e-5)
    assert left.min() > 0.0


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), lightest=st.floats(0.0, 0.85))
def test_the_exchange_of_light_and_heavy_air_keeps_momentum_and_makes_no_motion(
    seed: int, lightest: float
) -> None:
    domain = make_domain(FlowGrid((0.0, 0.0, 0.0), 0.5, SHAPE), Boundaries({}))
    random = np.random.default_rng(seed)
    light = random.uniform(0.0, lightest, SHAPE).astype(np.float32)
    share = np.full(SHAPE, 0.08, np.float32)
    velocity = tuple(random.standard_normal(item.shape).astype(np.float32) for item in domain.open_faces)
    before = [item.copy() for item in velocity]
    after = rubbed(velocity, light, share, Arena())  # type: ignore[arg-type]
    for axis, (old, new) in enumerate(zip(before, after, strict=True)):
        cells = np.moveaxis(1.0 - light, axis, 0)
        had = np.moveaxis(np.concatenate((cells[:1], 0.5 * (cells[1:] + cells[:-1]), cells[-1:])), 0, axis)
        has = mixed(np.ascontiguousarray(had), np.full(had.shape, 0.08, np.float32))  # mass goes with heat
        moving, moved = (had * old).sum(dtype=np.float64), (has * new).sum(dtype=np.float64)
        assert float(moved) == pytest.approx(float(moving), abs=1e-3)
        assert float((has * new**2).sum()) < float((had * old**2).sum())


def test_mass_that_is_carried_is_what_the_heat_leaves() -> None:
    """The mass of momentum and the heat take the same fluxes: a hot lump that drifts keeps its momentum."""
    random = np.random.default_rng(4)
    heat = random.uniform(0.0, 0.8, SHAPE).astype(np.float32)
    by = speeds_through(SHAPE, random, 0.1)
    _, mass = carried(random.standard_normal(SHAPE).astype(np.float32), 1.0 - heat, by, upward=True)
    z, y, x = by
    left, _ = carry(heat, (z, y, x), 1.0, planes(0.0), NO_WRAPS, upward=True)
    room, _ = carry(np.ones_like(heat), (z, y, x), 1.0, planes(1.0), NO_WRAPS, upward=True)
    assert mass == pytest.approx(room - left, abs=2e-6)


def test_an_arena_hands_out_different_arrays_until_it_begins_again() -> None:
    arena = Arena()
    arena.begin()
    first, second = arena.empty((2, 3)), arena.empty((2, 3))
    assert first is not second
    arena.begin()
    assert arena.empty((2, 3)) is first
    assert arena.empty((2, 3)) is second
