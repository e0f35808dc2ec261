# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A ray through a recorded fire meets flame low and smoke above; where a solver draws the air, the flame alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.ray_elements import Ray, met_fires
from vidgen_nodes.custody.ray_fields import elements_of
from vidgen_nodes.generation.wind.lean import Lean

FLAME: dict[str, Any] = {
    "fires": {
        "bin": {
            "heat_release_kw": [300.0, "kW", ""],
            "burning_diameter_m": [0.7, "m", ""],
            "flame_height_m": [1.5, "m", ""],
            "time_s": [12.0, "s", ""],
        }
    }
}
SMOKE: dict[str, Any] = {
    "model": {"field_height": [2.5, "", ""], "field_half_widths": [2.0, "", ""]},
    "scenario": {"ambient_k": [293.0, "K", ""]},
    "fires": {
        "bin": {
            "position_m": [[10.0, 0.0, 0.0], "m", ""],
            "peak_kw": [400.0, "kW", ""],
            "diameter_m": [0.8, "m", ""],
        }
    },
}


def level_ray(up_m: float, north_m: float = 0.0) -> Ray:
    return Ray(np.array([0.0, north_m, up_m]), np.array([1.0, 0.0, 0.0]), 1e-4)


def kinds(up_m: float, gone: float | None = None, north_m: float = 0.0) -> list[str]:
    return [item.kind for item in met_fires(level_ray(up_m, north_m), [(0.0, 20.0)], FLAME, SMOKE, gone)]


def test_flame_low_and_smoke_high() -> None:
    assert "flame" in kinds(0.5)
    assert kinds(3.0) == ["smoke"]
    assert kinds(30.0) == []
    assert kinds(1.0, north_m=9.0) == []


def test_where_a_solver_draws_the_air_the_fire_is_its_flame_alone() -> None:
    assert kinds(0.5, gone=1.4) == ["flame"]
    assert kinds(3.0, gone=1.4) == []


@given(st.floats(-1.0, 12.0), st.floats(-3.0, 3.0))
def test_a_solver_takes_smoke_away_and_adds_nothing_above_its_flame(up_m: float, north_m: float) -> None:
    with_solver, without = kinds(up_m, 1.4, north_m), kinds(up_m, None, north_m)
    assert "smoke" not in with_solver
    assert bool(with_solver) <= bool(without)
    assert not with_solver or up_m <= 1.4 * 1.5 + 0.01


def test_why_says_who_lit_it_how_long_ago_and_how_large_it_is() -> None:
    (met,) = met_fires(level_ray(0.5), [(9.9, 10.1)], FLAME, SMOKE, 1.4)
    assert met.why == (
        "the scenario lit it at (10.00, 0.00, 0.00) m; it has burnt for 12.0 s and releases 300 of 400 kW, "
        "so its flame is 1.50 m high over 0.70 m"
    )
    assert met.from_m == pytest.approx(9.9)


LEAN = Lean((0.0, 1.0), 4.0, 10.0, 0.0, 0.05, 0.35, 293.0)  # blown north, across the rays
WIND: dict[str, Any] = {"fires": {"bin": {"reached": [True, "", ""], **LEAN.record()}}}


def blown(up_m: float, north_m: float, wind: dict[str, Any] = WIND) -> list[str]:
    met = met_fires(level_ray(up_m, north_m), [(0.0, 20.0)], FLAME, SMOKE, None, wind)
    return [item.kind for item in met]


def test_a_leaning_fire_is_met_along_its_line() -> None:
    axis = LEAN.axis(300.0, 0.7, 4.0)
    tip_m = float(axis.offset_at(np.array(axis.tip_m)))
    assert axis.lean_deg > 50.0
    assert "flame" in blown(0.5 * axis.tip_m, 0.5 * tip_m)
    assert "flame" not in blown(
        0.5 * axis.tip_m, -0.8
    )  # as far upwind of its foot as it would not be upright
    assert blown(3.4, 0.0) == []  # right over its foot
    upright = {"fires": {"bin": {"reached": [False, "", "in the lee"]}}}
    assert blown(3.4, 0.0, upright) == kinds(3.4) == ["smoke"]


@given(st.floats(0.05, 3.0), st.floats(-1.0, 1.0))
def test_whatever_the_height_the_line_itself_is_part_of_the_fire(up_m: float, share: float) -> None:
    axis = LEAN.axis(300.0, 0.7, 10.0)
    off_m = float(axis.offset_at(np.array(up_m)))
    within = float(axis.path_at(np.array(up_m))) < 3.9  # top of the field
    assert bool(blown(up_m, off_m + 0.2 * share)) or not within


def test_its_reason_tells_the_lean_and_the_numbers_of_the_wind() -> None:
    state = {**FLAME["fires"]["bin"], "flame_lean_deg": [52.4, "deg", ""]}
    (met, *_) = met_fires(level_ray(0.3), [(0.0, 20.0)], {"fires": {"bin": state}}, SMOKE, None, WIND)
    assert met.why.endswith("and the wind leans it by 52 degrees")
    assert met.state["wind.speed_mps"] == [4.0, "m/s", "scenario"]


def test_wind_itself_is_nothing_that_a_ray_meets() -> None:
    assert elements_of([{"element": "wind", "numbers": WIND, "version": "1", "source": ""}]) == []
