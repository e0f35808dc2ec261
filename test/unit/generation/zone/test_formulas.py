# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The formulas of hot layers give the published numbers."""

from __future__ import annotations

import pytest

from vidgen_nodes.generation.zone import formulas as zone_formulas
from vidgen_nodes.generation.zone.room import Room

HALL = Room(100.0, 5.0)


@pytest.mark.parametrize(
    ("time_s", "nfpa", "yamana", "aset"), [(60.0, 1.54, 1.93, 1.46), (120.0, 0.57, 1.08, 0.03)]
)
def test_layer_vectors(time_s: float, nfpa: float, yamana: float, aset: float) -> None:
    assert zone_formulas.nfpa_layer_height_m(time_s, 1000.0, HALL) == pytest.approx(nfpa, abs=0.01)
    assert zone_formulas.yamana_tanaka_height_m(time_s, 1000.0, HALL) == pytest.approx(yamana, abs=0.01)
    assert zone_formulas.aset_height_m(time_s, 1000.0, HALL, 0.3) == pytest.approx(aset, abs=0.01)


def test_walls_take_less_once_the_heat_is_through() -> None:
    early, late = (
        zone_formulas.wall_conductance_kw_per_m2_k(0.00017, 960.0, 1.1, 0.016, time_s)
        for time_s in (60.0, 4000.0)
    )
    assert early > late == pytest.approx(0.00017 / 0.016)


def test_forced_air_cools_the_layer() -> None:
    room = Room(13.0, 2.4)
    assert (
        zone_formulas.fpa_rise_k(300.0, 0.2, room, 0.02)
        > zone_formulas.fpa_rise_k(300.0, 0.6, room, 0.02)
        > 50.0
    )


def test_a_fan_that_draws_more_air_leaves_the_layer_cooler_and_more_heat_hotter() -> None:
    room = Room(24.0, 4.5)
    assert zone_formulas.fpa_rise_k(250.0, 0.2, room, 0.0106) == pytest.approx(257.6, abs=0.2)  # by hand
    rises_k = [
        zone_formulas.fpa_rise_k(*fan, room, 0.0106) for fan in ((250.0, 0.3), (250.0, 0.2), (400.0, 0.2))
    ]
    assert rises_k == sorted(rises_k)


def test_mqh_gives_what_nists_guide_gives_for_a_test_of_livermore() -> None:
    """200 kW, 6 m by 4 m by 3 m, a door of 2.06 m by 0.76 m, ten minutes: 148.1 degC in air of 33 degC."""
    walls = zone_formulas.wall_conductance_kw_per_m2_k(0.000463, 1607.0, 1.0, 0.1, 600.0)
    room = Room(24.0, 3.0, 2.06 * 0.76, 2.06)
    assert zone_formulas.mqh_rise_k(200.0, room, walls) == pytest.approx(
        148.14 - 33.0, rel=0.005
    )  # square here
