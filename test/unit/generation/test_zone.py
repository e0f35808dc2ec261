# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The layer formulas give the published numbers, and the two zones keep their books."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire, zone

HALL = zone.Room(100.0, 5.0)


@pytest.mark.parametrize(
    ("time_s", "nfpa", "yamana", "aset"), [(60.0, 1.54, 1.93, 1.46), (120.0, 0.57, 1.08, 0.03)]
)
def test_layer_vectors(time_s: float, nfpa: float, yamana: float, aset: float) -> None:
    assert zone.nfpa_layer_height_m(time_s, 1000.0, HALL) == pytest.approx(nfpa, abs=0.01)
    assert zone.yamana_tanaka_height_m(time_s, 1000.0, HALL) == pytest.approx(yamana, abs=0.01)
    assert zone.aset_height_m(time_s, 1000.0, HALL, 0.3) == pytest.approx(aset, abs=0.01)


def test_walls_take_less_once_the_heat_is_through() -> None:
    early, late = (zone.wall_conductance_kw_per_m2_k(0.00017, 960.0, 1.1, 0.016, t) for t in (60.0, 4000.0))
    assert early > late == pytest.approx(0.00017 / 0.016)


@settings(max_examples=25, deadline=None)
@given(heat_kw=st.floats(10.0, 3000.0), floor_m2=st.floats(10.0, 400.0), height_m=st.floats(2.2, 12.0))
def test_a_sealed_layer_only_descends_and_keeps_its_soot(
    heat_kw: float, floor_m2: float, height_m: float
) -> None:
    model = zone.ZoneModel(zone.Room(floor_m2, height_m))
    before = height_m
    for _ in range(8):
        layers = model.step(5.0, heat_kw, 0.5, 0.001)
        assert layers.height_m <= before + 1e-9
        before = layers.height_m
        if layers.height_m > 0.0:
            assert layers.smoke_kg == pytest.approx(0.001 * layers.time_s, rel=1e-6)
        assert layers.upper_k > 293.15


def test_a_ceiling_vent_and_a_door_hold_the_layer_up() -> None:
    rooms = (zone.Room(30.0, 3.0), zone.Room(30.0, 3.0, 2.0, 2.0), zone.Room(30.0, 3.0, 2.0, 2.0, 3.0))
    heights = [zone.ZoneModel(room).step(200.0, 300.0, 0.6).height_m for room in rooms]
    assert heights[0] < heights[1] < heights[2]


def test_forced_air_cools_the_layer() -> None:
    room = zone.Room(13.0, 2.4, wall_conductance_kw_per_m2_k=0.02)
    assert zone.fpa_rise_k(300.0, 0.2, room) > zone.fpa_rise_k(300.0, 0.6, room) > 50.0


@pytest.mark.parametrize(
    "bad", [{"floor_m2": 0.0}, {"height_m": float("nan")}, {"opening_m2": -1.0}, {"opening_height_m": 9.0}]
)
def test_a_room_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        zone.Room(**({"floor_m2": 10.0, "height_m": 3.0} | bad))


FAN = zone.Airflow(4.8, -6.0)


def settled(room: zone.Room, heat_kw: float = 500.0) -> zone.Layers:
    model = zone.ZoneModel(room, radiation_lost=1.0)
    for _ in range(30):
        layers = model.step(20.0, heat_kw, 1.0, 0.002)
    return layers


def test_an_exhaust_holds_the_layer_where_the_plume_brings_what_it_draws() -> None:
    """Steady state of smoke control: plume mass flow at the face = flow times density of the layer (NFPA 92)."""
    layers = settled(zone.Room(100.0, 5.0, airflows=(FAN,)))
    brought = fire.entrained_mass_flow_kg_per_s(layers.height_m, 500.0, 1.0, 0.35)
    assert float(brought) == pytest.approx(6.0 * float(fire.air_density_kg_per_m3(layers.upper_k)), rel=0.01)
    # Heat: what the plume convects goes out with it.
    carried = float(brought) * (layers.upper_k - 293.15)
    assert carried == pytest.approx(0.65 * 500.0, rel=0.01)
    assert layers.smoke_kg == pytest.approx(
        0.002 * 100.0 * (5.0 - layers.height_m) / 6.0, rel=0.01
    )  # soot over the time that the fan takes to change the layer's volume


def test_an_exhaust_takes_from_the_layer_that_it_lies_in() -> None:
    room = zone.Room(100.0, 5.0)
    low = zone.ZoneModel(zone.Room(100.0, 5.0, airflows=(zone.Airflow(0.2, -6.0),)))
    plain, high = zone.ZoneModel(room), zone.ZoneModel(zone.Room(100.0, 5.0, airflows=(FAN,)))
    found = [model.step(30.0, 500.0, 1.0, 0.002) for model in (plain, low, high)]
    assert found[0] == found[1]  # cold air comes in at the floor as fast as it is drawn out there
    assert found[2].height_m > found[0].height_m + 0.5
    assert found[2].smoke_kg < found[0].smoke_kg


def test_what_is_blown_into_the_layer_deepens_and_cools_it() -> None:
    plain = zone.ZoneModel(zone.Room(100.0, 5.0)).step(20.0, 500.0, 1.0)
    supplied = zone.Room(100.0, 5.0, airflows=(zone.Airflow(4.5, 1.5, 283.15),))
    blown = zone.ZoneModel(supplied).step(20.0, 500.0, 1.0)
    assert blown.height_m < plain.height_m
    assert blown.upper_k < plain.upper_k


@settings(max_examples=60, deadline=None)
@given(
    face_m=st.floats(0.1, 2.8),
    upper_k=st.floats(300.0, 900.0),
    net=st.floats(-3.0, 3.0),
)
def test_the_opening_balances_what_fans_leave_over(face_m: float, upper_k: float, net: float) -> None:
    """Integrated over the height of the opening: out less in is what the fans bring in, where the layer can give it."""
    room = zone.Room(30.0, 3.0, 1.8, 2.0, airflows=(zone.Airflow(2.9, -1.0),))
    layers = zone.Layers(0.0, face_m, upper_k, 0.0)
    plane_m = zone._plane_with_fans_m(room, layers, net)
    outside, inside = 353.0 / 293.15, 353.0 / upper_k
    height = (np.arange(20000) + 0.5) * 2.0 / 20000
    pressure = (outside - inside) * 9.81 * (np.maximum(height, min(face_m, 2.0)) - plane_m)
    speed = np.where(
        pressure > 0.0, np.sqrt(2.0 * np.abs(pressure) / inside), -np.sqrt(2.0 * np.abs(pressure) / outside)
    )
    moved = 0.68 * 0.9 * np.where(speed > 0.0, inside, outside) * speed
    through = float(moved.sum()) * 2.0 / 20000
    if plane_m > min(face_m, 2.0) + 1e-6:
        assert through == pytest.approx(net, abs=0.01)
    else:
        assert net >= through - 0.01  # more is blown in than buoyancy drives out: cold air leaves as well


@pytest.mark.parametrize("bad", [(float("nan"), 1.0), (-0.1, 1.0), (1.0, float("inf"))])
def test_a_flow_of_air_that_cannot_be_is_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(ConfigError):
        zone.Airflow(*bad)
    with pytest.raises(ConfigError, match="higher than the ceiling"):
        zone.Room(10.0, 3.0, airflows=(zone.Airflow(3.5, 1.0),))


def test_a_fan_that_draws_more_air_leaves_the_layer_cooler_and_more_heat_hotter() -> None:
    room = zone.Room(24.0, 4.5, wall_conductance_kw_per_m2_k=0.0106)
    assert zone.fpa_rise_k(250.0, 0.2, room) == pytest.approx(257.6, abs=0.2)  # worked by hand
    rises_k = [zone.fpa_rise_k(*fan, room) for fan in ((250.0, 0.3), (250.0, 0.2), (400.0, 0.2))]
    assert rises_k == sorted(rises_k)
