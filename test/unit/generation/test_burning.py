# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heat of burning pieces: t^2, burn-out, the limit of air, and books that close (K9)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.burning import GROWTH_S, Burning, Curve, vent_limit_kw
from vidgen_nodes.generation.spread import Spread, solve_spread
from vidgen_nodes.packets import Ignition, Room, SpreadPlan, Vent
from vidgen_nodes.scene.building import Building, Surface

FIRE = Ignition("heap", (0.5, -0.3, 0.0), 0.0, 15.0, 400.0, 0.8, 0.35, 0.015, 14500.0, 0.8)


@pytest.fixture(scope="module")
def spread() -> Spread:
    corners = np.array([[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [1.5, 0.0, 3.0], [0.0, 0.0, 3.0]])
    surface = Surface("cladding", "wood", "wall", corners, True, material_id="wood")
    plan = SpreadPlan(fuel_depth_m=0.004)
    return solve_spread(Building("wall", (surface,)), plan, (FIRE,), 285.15)


def room(*vents: Vent) -> tuple[Room, ...]:
    return (Room("hall", ("cladding",), vents),)


def heat_over_time(burning: Burning, until_s: float, step_s: float) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(0.5 * step_s, until_s, step_s)
    return times, np.array([burning.release_kw(float(time)).sum() for time in times])


@settings(max_examples=60)
@given(peak=st.floats(5.0, 2000.0), load=st.floats(50.0, 500_000.0))
def test_a_piece_gives_off_exactly_its_fuel(peak: float, load: float) -> None:
    curve = Curve.of(np.array([peak]), np.array([load]))
    life_s = float(curve.life_s[0])
    times = np.linspace(0.0, life_s, 4001)
    rates = np.array([curve.release_kw_per_m2(np.array([time]))[0] for time in times])
    assert rates.max() <= peak * (1.0 + 1e-9)
    assert np.trapezoid(rates, times) == pytest.approx(load, rel=2e-3)
    assert curve.released_kj_per_m2(np.array([life_s]))[0] == pytest.approx(load, rel=1e-9)
    assert curve.release_kw_per_m2(np.array([-1.0]))[0] == 0.0
    assert curve.release_kw_per_m2(np.array([life_s + 1.0]))[0] == 0.0


def test_it_grows_as_the_square_of_time() -> None:
    curve = Curve.of(np.array([188.5]), np.array([139_200.0]))
    alpha = 188.5 / GROWTH_S**2
    for time in (0.5, 3.0, 11.0, 19.9):
        assert curve.release_kw_per_m2(np.array([time]))[0] == pytest.approx(alpha * time**2, rel=1e-6)


def test_the_books_close_to_one_percent(spread: Spread) -> None:
    burning = Burning(spread, (), 1.0)
    until_s = float((burning.arrival_s + burning.curve.life_s).max()) + 10.0
    times, heat = heat_over_time(burning, until_s, 0.5)
    assert heat.sum() * 0.5 == pytest.approx(burning.fuel_kj, rel=0.01)
    for share in (0.1, 0.3, 0.7):
        part = times < share * until_s
        assert heat[part].sum() * 0.5 == pytest.approx(burning.released_kj(share * until_s), rel=0.01)


def test_pieces_burn_only_between_arrival_and_burn_out(spread: Spread) -> None:
    burning = Burning(spread, (), 10.0)
    for scenario_s in (0.0, 3.0, 8.0, 20.0, 60.0):
        heat, since_s = burning.release_kw(scenario_s), burning.burning_s(scenario_s)
        alight = (since_s > 0.0) & (since_s < burning.curve.life_s)
        assert ((heat > 0.0) == alight).all()


def test_compressed_time_changes_when_and_not_how_hot(spread: Spread) -> None:
    slow, fast = Burning(spread, (), 1.0), Burning(spread, (), 25.0)
    for fire_s in (80.0, 150.0, 400.0):
        assert slow.release_kw(fire_s) == pytest.approx(fast.release_kw(fire_s / 25.0))


def test_a_small_vent_starves_the_fire_and_no_fuel_is_lost(spread: Spread) -> None:
    vent = Vent("slot", 0.3, 0.3, ((0.0, 1e9),))
    starved = Burning(spread, room(vent), 1.0)
    limit_kw = vent_limit_kw(room(vent)[0], 0.0)
    assert limit_kw == pytest.approx(1500.0 * 0.09 * 0.3**0.5)
    free = Burning(spread, (), 1.0)
    times, wanted = heat_over_time(free, 400.0, 1.0)
    assert wanted.max() > 3.0 * limit_kw
    _, heat = heat_over_time(starved, 400.0, 1.0)
    assert heat.max() <= limit_kw * 1.001
    assert heat[times > 150.0].min() > 0.5 * limit_kw
    _, whole = heat_over_time(starved, 6000.0, 1.0)
    assert whole.sum() == pytest.approx(starved.fuel_kj, rel=0.01)


def test_a_vent_that_opens_feeds_the_fire_from_then_on(spread: Spread) -> None:
    small, door = Vent("slot", 0.2, 0.2, ((0.0, 1e9),)), Vent("door", 0.9, 2.0, ((200.0, 1e9),))
    burning = Burning(spread, room(small, door), 1.0)
    before, after = (burning.release_kw(time).sum() for time in (198.0, 202.0))
    assert after > 5.0 * before
    closed = Burning(spread, room(dataclasses.replace(door, open_s=((0.0, 150.0),))), 1.0)
    assert closed.release_kw(149.0).sum() > 50.0
    assert closed.release_kw(152.0).sum() == 0.0


def test_a_room_of_surfaces_that_are_not_there_is_refused(spread: Spread) -> None:
    with pytest.raises(ConfigError, match="attic names the surface 'ceiling'"):
        Burning(spread, (Room("attic", ("ceiling",), ()),), 1.0)
