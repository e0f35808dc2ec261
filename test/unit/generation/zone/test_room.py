# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rooms that cannot be are refused, and holes are shares of the surface that they are in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.zone.room import Airflow, Room
from vidgen_nodes.generation.zone.walls import LOWER, UPPER


@pytest.mark.parametrize(
    "bad", [{"floor_m2": 0.0}, {"height_m": float("nan")}, {"opening_m2": -1.0}, {"opening_height_m": 9.0}]
)
def test_a_room_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Room(**({"floor_m2": 10.0, "height_m": 3.0} | bad))  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [(float("nan"), 1.0), (-0.1, 1.0), (1.0, float("inf"))])
def test_a_flow_of_air_that_cannot_be_is_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(ConfigError):
        Airflow(*bad)
    with pytest.raises(ConfigError, match="higher than the ceiling"):
        Room(10.0, 3.0, airflows=(Airflow(3.5, 1.0),))


def test_an_opening_without_a_height_and_one_larger_than_the_walls_are_refused() -> None:
    with pytest.raises(ConfigError, match="opening"):
        Room(10.0, 3.0, opening_m2=1.0)
    with pytest.raises(ConfigError, match="opening"):
        Room(10.0, 3.0, opening_m2=40.0, opening_height_m=3.0)
    with pytest.raises(ConfigError, match="vent"):
        Room(10.0, 3.0, ceiling_vent_m2=10.5)


@given(face_m=st.floats(0.0, 3.0))
def test_a_door_takes_its_area_from_the_walls_on_both_sides_of_the_face(face_m: float) -> None:
    room = Room(16.0, 3.0, 1.8, 2.0, 0.5)
    box = room.box(face_m)
    assert box.solid_m2[UPPER] + box.solid_m2[LOWER] == pytest.approx(48.0 - 1.8)
    assert box.solid_m2[0] == pytest.approx(15.5)
    assert room.surface_m2 == pytest.approx(16.0 * 2.0 + 48.0 - 1.8)
