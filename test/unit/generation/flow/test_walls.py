# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Solid surfaces slow the air without turning it, take no more heat than it loses, and soak it up like a solid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, Vent, make_domain
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.flow.walls import WallNumbers, Walls, surfaces_of
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver

GRID = FlowGrid((0.0, 0.0, 0.0), 0.2, (4, 5, 6))
FIRE = HeatSource((0.6, 0.5, 0.0), 0.4, 0.5, 40.0, 0.3, 0.001)
GYPSUM = WallNumbers(293.15, 1.2, 1.0, 0.001, 0.45)
ADIABATIC = WallNumbers(293.15, 1.2, 1.0, 0.001, 0.0)
MIRRORS = dict.fromkeys(("floor", "ceiling", "south", "north", "west", "east"), "mirror")


def walls(
    numbers: WallNumbers = GYPSUM, boundaries: Boundaries | None = None, grid: FlowGrid = GRID
) -> Walls:
    return Walls(make_domain(grid, boundaries or Boundaries({})), numbers)


def still(grid: FlowGrid = GRID) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    nz, ny, nx = grid.shape
    return tuple(np.zeros(s, np.float32) for s in ((nz + 1, ny, nx), (nz, ny + 1, nx), (nz, ny, nx + 1)))  # type: ignore[return-value]


def test_a_closed_box_has_all_its_sides_as_surfaces_and_a_mirror_none() -> None:
    found = surfaces_of(make_domain(GRID, Boundaries({})))
    assert len(found) == 2 * (5 * 6 + 4 * 6 + 4 * 5)
    assert np.count_nonzero(found.upward == 1) == np.count_nonzero(found.upward == -1) == 30
    assert len(surfaces_of(make_domain(GRID, Boundaries(MIRRORS)))) == 0


def test_solids_outlast_a_grille_that_comes_and_goes() -> None:
    grille = Boundaries(
        {}, None, (Vent("west", (0.0, 0.0), (1.0, 0.4), 0.1), Vent("east", (0.0, 0.0), (1.0, 0.4)))
    )
    off, on = SmokeSolver(GRID, Boundaries({}), 3, SmokeParams()), SmokeSolver(GRID, grille, 3, SmokeParams())
    warm = off.step(0.05, [FIRE])
    assert warm.wall_rise_k.max() > 0.0
    blown = on.advance(warm, 0.05, [FIRE])
    assert off.walls.held_kj(blown.wall_rise_k) > off.walls.held_kj(warm.wall_rise_k)
    off.restore(blown)


def test_openings_vents_and_sides_the_wind_blows_through_are_no_surfaces() -> None:
    shut = len(surfaces_of(make_domain(GRID, Boundaries({}))))
    free = Boundaries({}, None, (Vent("west", (0.0, 0.0), (1.0, 0.4)),))
    blown = Boundaries(
        {}, None, (Vent("west", (0.0, 0.0), (1.0, 0.4), 0.1), Vent("east", (0.0, 0.0), (1.0, 0.4), -0.1))
    )
    windy = Boundaries(dict.fromkeys(("west", "east"), "open"), None, (), (2.0, 0.0))
    for boundaries, gone in ((free, 10), (blown, 20), (windy, 40)):
        assert np.count_nonzero(surfaces_of(make_domain(GRID, boundaries)).shut) == shut - gone


def test_an_obstacle_is_touched_from_all_its_sides() -> None:
    solid = np.zeros(GRID.shape, bool)
    solid[1, 2, 3] = True
    found = surfaces_of(make_domain(GRID, Boundaries(MIRRORS, solid)))
    assert sorted(map(tuple, found.cell.tolist())) == [
        (0, 2, 3), (1, 1, 3), (1, 2, 2), (1, 2, 4), (1, 3, 3), (2, 2, 3)
    ]  # fmt: skip
    assert sorted(found.upward.tolist()) == [-1, 0, 0, 0, 0, 1]


def test_nothing_can_be_cut_into_a_mirror() -> None:
    with pytest.raises(ConfigError, match="mirror"):
        make_domain(GRID, Boundaries(MIRRORS, None, (Vent("west", (0.0, 0.0), (1.0, 0.4)),)))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    fast_mps=st.floats(1e-7, 40.0),
    dt_s=st.floats(1e-4, 1e4),
    rough_m=st.sampled_from([0.0, 1e-4, 1e-3, 0.05, 1.0]),
    hot_k=st.floats(-50.0, 270.0),
)
def test_friction_slows_and_never_turns_the_air_whatever_the_step(
    seed: int, fast_mps: float, dt_s: float, rough_m: float, hot_k: float
) -> None:
    drawn = np.random.default_rng(seed)
    velocity = tuple((fast_mps * drawn.uniform(-1.0, 1.0, item.shape)).astype(np.float32) for item in still())
    before = [item.copy() for item in velocity]
    air = (hot_k * drawn.uniform(0.0, 1.0, GRID.shape)).astype(np.float32)
    own = walls(WallNumbers(293.15, 1.2, 1.0, rough_m, 0.45))
    own.touch(velocity, air, own.cold(), dt_s)  # type: ignore[arg-type]
    for after, was in zip(velocity, before, strict=True):
        assert (np.abs(after) <= np.abs(was)).all()
        assert (after * was >= 0.0).all()
    assert max(float(np.abs(item).max()) for item in velocity) > 0.0
    assert velocity[2][2, 2, 2] == before[2][2, 2, 2]  # away from every surface nothing rubs


def test_friction_is_that_of_the_log_law() -> None:
    grid = FlowGrid((0.0, 0.0, 0.0), 0.2, (1, 1, 8))
    sides = {**MIRRORS, "floor": "closed"}
    own = walls(ADIABATIC, Boundaries(sides), grid)
    w, v, u = still(grid)
    u[:] = 3.0
    own.touch((w, v, u), np.zeros(grid.shape, np.float32), own.cold(), 0.01)
    rate = (3.0 / u[0, 0, 4] - 1.0) / 0.01  # two halves of a cell's friction meet on each inner face
    drag_mps = np.sqrt(rate * 3.0 * 0.2)
    profile_mps = drag_mps / 0.41 * np.log(0.1 / (0.001 / 30.0 + 0.11 * 1.5e-5 / drag_mps))
    assert profile_mps == pytest.approx(3.0, rel=0.02)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    dt_s=st.floats(1e-3, 500.0),
    hot_k=st.floats(-40.0, 260.0),
    fast_mps=st.floats(0.0, 20.0),
)
def test_heat_into_walls_equals_the_loss_of_the_gas_and_overtakes_nothing(
    seed: int, dt_s: float, hot_k: float, fast_mps: float
) -> None:
    drawn = np.random.default_rng(seed)
    air = (hot_k * drawn.uniform(0.0, 1.0, GRID.shape)).astype(np.float32)
    velocity = tuple(np.full_like(item, fast_mps) for item in still())
    own, before = walls(), air.copy()
    warmed, lost_k = own.touch(velocity, air, own.cold(), dt_s)  # type: ignore[arg-type]
    cell_kj = 1.2 * 1.0 * GRID.cell_m**3
    assert lost_k == pytest.approx(float((before.astype(float) - air).sum()), rel=1e-5, abs=1e-4)
    assert own.held_kj(warmed) == pytest.approx(lost_k * cell_kj, rel=1e-4, abs=1e-6)
    assert (np.abs(air) <= np.abs(before)).all()
    assert (air * before >= 0.0).all()


def test_walls_warmer_than_the_gas_give_heat_back() -> None:
    own = walls()
    hot = own.cold()
    hot[:] = 100.0
    air = np.zeros(GRID.shape, np.float32)
    warmed, lost_k = own.touch(still(), air, hot, 1.0)
    assert lost_k < 0.0
    assert float(air[0].min()) > 0.0
    assert own.held_kj(warmed) < own.held_kj(hot)


def test_a_solid_soaks_up_heat_as_a_body_without_end_does() -> None:
    """A steady small flux for ten minutes: the surface rises by 2 q sqrt(t / (pi k rho c)) (Carslaw & Jaeger)."""
    grid = FlowGrid((0.0, 0.0, 0.0), 0.2, (1, 1, 1))
    own = walls(GYPSUM, Boundaries({**MIRRORS, "ceiling": "closed"}), grid)
    rise, taken_kj = own.cold(), 0.0
    for _ in range(600):
        air = np.full(grid.shape, 100.0, np.float32)
        rise, lost_k = own.touch(still(grid), air, rise, 1.0)
        taken_kj += lost_k * 1.2 * grid.cell_m**3
    flux_kw_per_m2 = taken_kj / 600.0 / grid.cell_m**2
    surface_k = 2.0 * flux_kw_per_m2 * np.sqrt(600.0 / (np.pi * 0.45))
    assert 1.0 < surface_k < 80.0
    assert float(rise[0, 0]) == pytest.approx(surface_k, rel=0.08)


def test_a_cold_ceiling_takes_more_than_a_cold_floor_from_the_same_hot_gas() -> None:
    lost = []
    for side in ("ceiling", "floor"):
        own = walls(GYPSUM, Boundaries({**MIRRORS, side: "closed"}))
        air = np.full(GRID.shape, 80.0, np.float32)
        lost.append(own.touch(still(), air, own.cold(), 1.0)[1])
    assert lost[0] > lost[1] == 0.0  # air at rest over a cold floor lies stable


def test_walls_of_no_inertia_take_no_heat_and_mirrors_rub_nothing() -> None:
    air = np.full(GRID.shape, 80.0, np.float32)
    own = walls(ADIABATIC)
    assert own.touch(still(), air, own.cold(), 1.0)[1] == 0.0
    assert (air == 80.0).all()
    velocity = tuple(np.full_like(item, 2.0) for item in still())
    smooth = walls(GYPSUM, Boundaries(MIRRORS))
    smooth.touch(velocity, air, smooth.cold(), 1.0)  # type: ignore[arg-type]
    assert all((item == 2.0).all() for item in velocity)


def test_in_a_sealed_room_all_heat_is_in_the_air_or_in_its_walls() -> None:
    solver = SmokeSolver(FlowGrid((0.0, 0.0, 0.0), 0.2, (8, 6, 6)), Boundaries({}), 3, SmokeParams())
    walls_kj = 0.0
    for _ in range(40):
        state = solver.step(0.05, [FIRE])
        walls_kj += state.residuals.wall_loss_kj
        assert state.residuals.energy_error <= 1e-6
    air_kj = float(state.lightness_k.sum(dtype=np.float64)) * 353.0 / 293.15 * 0.2**3
    assert walls_kj > 0.2
    assert solver.walls.held_kj(state.wall_rise_k) == pytest.approx(walls_kj, rel=1e-4)
    assert air_kj + walls_kj == pytest.approx(0.7 * 40.0 * 2.0, rel=0.01)


def test_a_state_with_walls_of_another_box_is_refused() -> None:
    one = SmokeSolver(GRID, Boundaries({}), 3, SmokeParams())
    other = SmokeSolver(GRID, Boundaries(MIRRORS), 3, SmokeParams())
    with pytest.raises(InputError, match="solids"):
        other.restore(one.state)


def test_the_solid_behind_a_surface_decides_how_warm_it_gets() -> None:
    solid = np.zeros(GRID.shape, bool)
    solid[3, :, :3] = True  # one half of a ceiling of concrete, the other of something that nobody named
    inertia = np.where(solid, np.float32(2.9), np.float32(np.nan))
    solid[3] = True
    own = walls(GYPSUM, Boundaries(MIRRORS, solid, (), (0.0, 0.0), inertia))
    assert np.isnan(own.surfaces.inertia).sum() == 15
    air = np.full(GRID.shape, 80.0, np.float32)
    rise, _ = own.touch(still(), air, own.cold(), 1.0)
    concrete = own.surfaces.cell[:, 2] < 3
    assert 0.0 < rise[concrete, 0].max() < 0.5 * rise[~concrete, 0].min()


def test_an_inertia_that_no_solid_has_is_refused() -> None:
    for wrong in (np.full(GRID.shape, -1.0, np.float32), np.full((1, 1, 1), 1.0, np.float32)):
        with pytest.raises(ConfigError, match="inertia"):
            make_domain(GRID, Boundaries({}, None, (), (0.0, 0.0), wrong))
