# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heat in walls goes as in closed forms, and none gets lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.zone.walls import CEILING, LOWER, UPPER, Lining, Walls

BRICK = Lining(0.0007, 1600.0, 0.85, 0.2)


@pytest.mark.parametrize("dt_s", [0.5, 5.0])
def test_a_thick_wall_warms_as_the_root_of_time(dt_s: float) -> None:
    """Even flux into a half space: T = 2 q sqrt(t / (pi k rho c)) (Carslaw & Jaeger)."""
    walls = Walls((BRICK,) * 3)
    answers = walls.answers(dt_s)
    for _ in range(round(600.0 / dt_s)):
        walls.take(np.full(4, 2.0), answers)
    exact = 2.0 * 2.0 * math.sqrt(600.0 / (math.pi * 0.0007 * 1600.0 * 0.85))
    assert walls.surfaces_k == pytest.approx(np.full(4, exact), rel=0.01)


def test_a_wall_that_is_heated_for_long_lets_out_what_it_takes() -> None:
    walls = Walls((Lining(0.00017, 960.0, 1.1, 0.016),) * 3)
    for _ in range(400):
        back = walls.take(np.full(4, 0.5), walls.answers(600.0))
    assert back == pytest.approx(np.full(4, 0.5), rel=1e-6)
    assert walls.surfaces_k == pytest.approx(np.full(4, 0.5 * (0.016 / 0.00017 + 100.0)), rel=1e-6)


@settings(max_examples=40)
@given(
    steps=st.lists(st.tuples(st.floats(1e-3, 1e4), st.floats(-5.0, 20.0)), min_size=1, max_size=12),
    conductivity=st.floats(3e-5, 0.05),
    density=st.floats(20.0, 8000.0),
    depth_m=st.floats(0.0005, 0.5),
)
def test_heat_taken_is_heat_stored_and_let_out_whatever_the_steps(
    steps: list[tuple[float, float]], conductivity: float, density: float, depth_m: float
) -> None:
    walls = Walls((Lining(conductivity, density, 1.0, depth_m),) * 3)
    taken = gone = turned = 0.0
    for dt_s, flux in steps:
        back = walls.take(np.full(4, flux), walls.answers(dt_s))
        taken, gone, turned = taken + flux * dt_s, gone + float(back[0]) * dt_s, turned + abs(flux) * dt_s
    assert walls.stored_kj_per_m2[0] + gone == pytest.approx(taken, abs=1e-8 * turned + 1e-9)


@given(before=st.floats(0.1, 20.0), after=st.floats(0.1, 20.0))
def test_wall_that_changes_sides_brings_its_heat_along(before: float, after: float) -> None:
    walls = Walls((BRICK,) * 3)
    walls.take(np.array([0.0, 5.0, 1.0, 0.0]), walls.answers(100.0))
    areas = [np.array([9.0, upper, 25.0 - upper, 9.0]) for upper in (before, after)]
    heat = [float(walls.stored_kj_per_m2 @ areas[0])]
    walls.meet(*areas)
    heat.append(float(walls.stored_kj_per_m2 @ areas[1]))
    assert heat[1] == pytest.approx(heat[0], rel=1e-9)
    assert walls.surfaces_k[UPPER] >= walls.surfaces_k[LOWER] >= walls.surfaces_k[CEILING]


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_lining_that_cannot_be_is_refused(bad: float) -> None:
    for number in range(4):
        numbers = [0.001, 1000.0, 1.0, 0.1]
        numbers[number] = bad
        with pytest.raises(ConfigError, match="lining"):
            Lining(*numbers)
