# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Ways along a bent jet begin at its mouth, end at the place, and stay in the jet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.scene.jet_axis import JetAxis

ANGLES = np.linspace(0.0, 0.5 * np.pi, 60)
# A quarter of a circle from upright to level: to the east, or to the north.
BEND = JetAxis(
    np.column_stack((2.0 - 2.0 * np.cos(ANGLES), 0.0 * ANGLES, 2.0 * np.sin(ANGLES))), 0.02 + 0.3 * ANGLES
)
TICKS = np.linspace(0.0, 4.0, 40)
STRAIGHT = JetAxis(TICKS[:, None] * np.array([0.6, 0.0, 0.8]), 0.25 * TICKS)


@given(st.floats(0.05, 1.5), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_a_way_leads_from_the_mouth_to_the_place_within_the_jet(
    angle: float, out: float, aside: float
) -> None:
    radius = 0.02 + 0.3 * angle
    inward = np.array([np.cos(angle), 0.0, -np.sin(angle)])
    centre = np.array([2.0 - 2.0 * np.cos(angle), 0.0, 2.0 * np.sin(angle)])
    place = centre + radius * (out * inward + np.array([0.0, aside, 0.0]))
    ways, steps = BEND.ways_m(place[None])
    assert ways[0, 0] == pytest.approx(BEND.points_m[0])
    assert ways[0, -1] == pytest.approx(place)
    assert (steps[0, 0], steps[0, -1]) == (0.0, 1.0)
    assert (np.diff(steps[0]) > 0.0).all()
    between = ways[0, 1:-1]
    station, away = BEND.nearest(between)
    # The same share of the jet's radius off the line, on the same side of it.
    assert away == pytest.approx(np.hypot(out, aside) * BEND.at(station, BEND.radius_m), abs=0.02)
    assert between[:, 1] == pytest.approx(aside * BEND.at(station, BEND.radius_m), abs=0.02)


@given(st.floats(0.2, 3.8), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_of_a_straight_jet_the_way_is_the_straight_line(along: float, up: float, aside: float) -> None:
    place = along * np.array([0.6, 0.0, 0.8]) + 0.25 * along * np.array([-0.8 * up, aside, 0.6 * up])
    ways, steps = STRAIGHT.ways_m(place[None])
    assert ways[0] == pytest.approx(steps[0][:, None] * place, abs=1e-6)


def test_what_is_behind_the_mouth_is_so() -> None:
    places = np.array([[0.0, 0.0, -0.1], [0.3, 0.0, 0.1]])
    assert (BEND.is_before(places) > 0.0).tolist() == [False, True]


def test_no_place_has_no_way() -> None:
    ways, steps = BEND.ways_m(np.zeros((0, 3)))
    assert (ways.shape[0], steps.shape[0]) == (0, 0)
