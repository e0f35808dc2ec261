# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The layer formulas give the published numbers, and the two zones keep their books."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import zone

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
