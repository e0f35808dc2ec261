# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The two zones keep their books of gas and heat, with fans, doors and walls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.zone.model import Books, Layers, ZoneModel
from vidgen_nodes.generation.zone.room import Airflow, Room
from vidgen_nodes.generation.zone.walls import Lining

BOARD = Lining(0.00017, 960.0, 1.1, 0.016)
CONCRETE = Lining(0.0014, 2300.0, 0.88, 0.15)
STEEL = Lining(0.045, 7850.0, 0.46, 0.002)
FAN = Airflow(4.8, -6.0)


def left_over(books: Books) -> float:
    """Of the heat that came in, the share that is nowhere."""
    found = books.carried + books.radiated + books.conducted + books.in_layers + books.in_walls
    return (books.released + books.blown - found) / (books.released + abs(books.blown))


@settings(max_examples=25)
@given(heat_kw=st.floats(10.0, 3000.0), floor_m2=st.floats(10.0, 400.0), height_m=st.floats(2.2, 12.0))
def test_a_sealed_layer_only_descends_and_keeps_its_soot(
    heat_kw: float, floor_m2: float, height_m: float
) -> None:
    model = ZoneModel(Room(floor_m2, height_m))
    before = height_m
    for _ in range(8):
        layers = model.step(5.0, heat_kw, 0.5, 0.001)
        assert layers.height_m <= before + 1e-9
        before = layers.height_m
        if layers.height_m > 0.0:
            assert layers.smoke_kg == pytest.approx(0.001 * layers.time_s, rel=1e-6)
        assert layers.upper_k > 293.15
    assert left_over(model.books) == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=30)
@given(
    courses=st.lists(
        st.tuples(st.floats(1e-3, 60.0), st.sampled_from([0.0, 5.0, 100.0, 800.0, 5000.0])), min_size=1, max_size=5
    ),
    door_m=st.floats(0.0, 2.0),
    vent_m2=st.floats(0.0, 2.0),
    fan=st.floats(-2.0, 2.0),
    grille_m=st.floats(0.0, 3.0),
    supplied_k=st.sampled_from([0.0, 280.0, 330.0]),
    linings=st.tuples(*[st.sampled_from([BOARD, CONCRETE, STEEL])] * 3) | st.none(),
    radiative=st.floats(0.0, 0.6),
)  # fmt: skip
def test_heat_released_is_heat_stored_or_gone_whatever_the_steps(
    courses: list[tuple[float, float]],
    door_m: float,
    vent_m2: float,
    fan: float,
    grille_m: float,
    supplied_k: float,
    linings: tuple[Lining, Lining, Lining] | None,
    radiative: float,
) -> None:
    room = Room(
        16.0, 3.0, 0.9 * door_m, door_m, vent_m2, airflows=(Airflow(grille_m, fan, supplied_k),), linings=linings
    )  # fmt: skip
    model = ZoneModel(room, radiative)
    for dt_s, heat_kw in courses:
        layers = model.step(dt_s, heat_kw, 0.5, 0.001)
        assert 0.0 <= layers.height_m <= 3.0
        assert layers.upper_k > 270.0
        assert layers.lower_k > 270.0
        assert layers.smoke_kg >= 0.0
    books = model.books
    if books.released + abs(books.blown) > 1.0:
        assert left_over(books) == pytest.approx(0.0, abs=1e-6)


def test_a_ceiling_vent_and_a_door_hold_the_layer_up() -> None:
    rooms = (Room(30.0, 3.0), Room(30.0, 3.0, 2.0, 2.0), Room(30.0, 3.0, 2.0, 2.0, 3.0))
    heights = [ZoneModel(room).step(200.0, 300.0, 0.6).height_m for room in rooms]
    assert heights[0] < heights[1] < heights[2]


def settled(room: Room, heat_kw: float = 500.0) -> Layers:
    model = ZoneModel(room)
    for _ in range(30):
        layers = model.step(20.0, heat_kw, 1.0, 0.002)
    return layers


def test_an_exhaust_holds_the_layer_where_the_plume_brings_what_it_draws() -> None:
    """Steady state of smoke control: plume mass flow at the face = flow times density of the layer (NFPA 92)."""
    layers = settled(Room(100.0, 5.0, airflows=(FAN,)))
    brought = fire.entrained_mass_flow_kg_per_s(layers.height_m, 500.0, 1.0, 0.35)
    assert float(brought) == pytest.approx(6.0 * float(fire.air_density_kg_per_m3(layers.upper_k)), rel=0.01)
    # Heat: what the plume convects goes out with it.
    carried = float(brought) * (layers.upper_k - 293.15)
    assert carried == pytest.approx(0.65 * 500.0, rel=0.01)
    assert layers.smoke_kg == pytest.approx(
        0.002 * 100.0 * (5.0 - layers.height_m) / 6.0, rel=0.01
    )  # soot over the time that the fan takes to change the layer's volume


def test_an_exhaust_takes_from_the_layer_that_it_lies_in() -> None:
    room = Room(100.0, 5.0)
    low = ZoneModel(Room(100.0, 5.0, airflows=(Airflow(0.2, -6.0),)))
    plain, high = ZoneModel(room), ZoneModel(Room(100.0, 5.0, airflows=(FAN,)))
    found = [model.step(30.0, 500.0, 1.0, 0.002) for model in (plain, low, high)]
    # Cold air comes in at the floor as fast as it is drawn out there.
    assert found[0].height_m == pytest.approx(found[1].height_m, rel=1e-9)
    assert found[0].upper_k == pytest.approx(found[1].upper_k, rel=1e-9)
    assert found[2].height_m > found[0].height_m + 0.5
    assert found[2].smoke_kg < found[0].smoke_kg


def test_what_is_blown_into_the_layer_deepens_and_cools_it() -> None:
    plain = ZoneModel(Room(100.0, 5.0)).step(20.0, 500.0, 1.0)
    supplied = Room(100.0, 5.0, airflows=(Airflow(4.5, 1.5, 283.15),))
    blown = ZoneModel(supplied).step(20.0, 500.0, 1.0)
    assert blown.height_m < plain.height_m
    assert blown.upper_k < plain.upper_k


def test_walls_cool_the_layer_and_warm_the_air_below_it() -> None:
    doors = {"opening_m2": 1.6, "opening_height_m": 2.0}
    bare, lined, thick = (
        ZoneModel(Room(12.96, 2.4, linings=linings, **doors)).step(300.0, 200.0, 0.5)
        for linings in (None, (BOARD,) * 3, (CONCRETE,) * 3)
    )
    assert bare.lower_k == 293.15
    assert lined.lower_k > 294.0
    assert bare.upper_k > lined.upper_k > thick.upper_k > 350.0


def test_the_layer_cools_once_the_fire_is_out_and_nothing_is_lost_from_the_books() -> None:
    model = ZoneModel(Room(12.96, 2.4, 1.6, 2.0, linings=(CONCRETE,) * 3))
    model.step(600.0, 300.0, 0.5)
    hot_k, held_kj = model.layers.upper_k, model.books.in_walls
    model.step(600.0, 0.0, 0.5)
    assert 293.15 < model.layers.upper_k < hot_k - 50.0
    assert model.books.in_walls == pytest.approx(held_kj, rel=0.05)  # concrete gives back slowly
    assert model.books.released == pytest.approx(180000.0)
    assert left_over(model.books) == pytest.approx(0.0, abs=1e-6)


def test_long_steps_and_short_ones_lead_to_the_same_room() -> None:
    room = Room(12.96, 2.4, 1.6, 2.0, linings=(BOARD,) * 3)
    whole, pieces = ZoneModel(room), ZoneModel(room)
    whole.step(120.0, 200.0, 0.5)
    for _ in range(1200):
        pieces.step(0.1, 200.0, 0.5)
    assert pieces.layers.time_s == pytest.approx(whole.layers.time_s)
    assert pieces.layers.upper_k - 293.15 == pytest.approx(whole.layers.upper_k - 293.15, rel=0.01)
    assert pieces.layers.height_m == pytest.approx(whole.layers.height_m, rel=0.01)


def test_a_fire_on_a_table_makes_a_hotter_layer() -> None:
    low, high = (
        ZoneModel(Room(30.0, 3.0, 2.0, 2.0)).step(100.0, 200.0, 0.5, base_m=base_m) for base_m in (0.0, 0.8)
    )
    assert high.upper_k > low.upper_k + 10.0
