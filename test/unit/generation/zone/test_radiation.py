# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""In a room everything that is seen sees back, and the sum of all views is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.zone.radiation import (
    Box,
    facing_squares,
    gas_emissivity,
    shares_of_point,
    square_seen,
)

SHAPES = {
    "floor_m2": st.floats(1.0, 2000.0),
    "height_m": st.floats(1.5, 30.0),
    "face": st.floats(1e-4, 0.9999),
}


@settings(max_examples=100)
@given(**SHAPES)
def test_views_from_each_surface_add_up_to_its_area(floor_m2: float, height_m: float, face: float) -> None:
    box = Box(floor_m2, height_m, face * height_m, (0.0, 0.0, 0.0, 0.0))
    assert box.seen_m2.sum(axis=1) == pytest.approx(box.areas_m2, rel=1e-6, abs=1e-6 * floor_m2)
    assert (box.seen_m2 == box.seen_m2.T).all()
    assert (box.seen_m2 >= 0.0).all()


@settings(max_examples=100)
@given(emissivity=st.floats(0.0, 1.0), hole=st.floats(0.0, 0.9), **SHAPES)
def test_what_a_surface_sees_is_layer_surface_or_outside(
    floor_m2: float, height_m: float, face: float, emissivity: float, hole: float
) -> None:
    box = Box(floor_m2, height_m, face * height_m, (0.0, hole, 0.5 * hole, 0.0))
    pairs = box.pairs_m2(emissivity)
    assert pairs == pytest.approx(pairs.T, abs=1e-9 * floor_m2)
    itself = box.seen_m2.diagonal() * (1.0 - box.holes) ** 2 * np.array([0.0, 1.0 - emissivity, 1.0, 0.0])
    whole = box.areas_m2 * (1.0 - box.holes)
    assert pairs[2:6].sum(axis=1) + itself == pytest.approx(whole, rel=1e-6, abs=1e-6 * floor_m2)


def test_squares_face_to_face_have_the_published_view_factors() -> None:
    """0.1998 for a cube's opposite faces (Siegel & Howell); all of it when they touch."""
    assert facing_squares(1.0, 1.0) == pytest.approx(0.1998, abs=1e-4)
    assert facing_squares(1.0, 1e-6) == pytest.approx(1.0, abs=1e-4)
    assert facing_squares(1.0, 1e3) == pytest.approx(1.0 / (np.pi * 1e6), rel=1e-3)
    assert square_seen(2.0, 1.0) == pytest.approx(1.0 / 6.0)  # a side of a cube from its middle
    assert square_seen(2.0, 0.0) == pytest.approx(0.5)


@settings(max_examples=100)
@given(emissivity=st.floats(0.0, 1.0), point=st.floats(0.0, 1.2), **SHAPES)
def test_all_that_a_point_radiates_arrives(
    floor_m2: float, height_m: float, face: float, emissivity: float, point: float
) -> None:
    box = Box(floor_m2, height_m, face * height_m, (0.0, 0.0, 0.0, 0.0))
    shares, caught = shares_of_point(box, point * height_m, emissivity)
    assert float(shares.sum()) + caught == pytest.approx(1.0, abs=1e-9)
    assert (shares >= -1e-9).all()
    assert caught >= -1e-9


@pytest.mark.parametrize(
    ("gas_k", "bar_m", "water", "dioxide"),
    [(400.0, 0.1013, 0.188, 0.095), (500.0, 0.1013, 0.176, 0.095), (600.0, 0.0405, 0.105, 0.083)],
)
def test_gas_shines_as_on_the_curves_of_the_handbook(
    gas_k: float, bar_m: float, water: float, dioxide: float
) -> None:
    assert gas_emissivity(gas_k, 1.0, bar_m, 0.0, 0.0) == pytest.approx(water, abs=0.015)
    assert gas_emissivity(gas_k, 1.0, 0.0, bar_m, 0.0) == pytest.approx(0.5 * dioxide, abs=0.015)


@given(
    path_m=st.floats(0.0, 50.0),
    soot=st.floats(0.0, 0.1),
    water=st.floats(0.0, 1.0),
    gas_k=st.floats(250.0, 3000.0),
)
def test_more_gas_and_more_soot_never_shine_less(
    path_m: float, soot: float, water: float, gas_k: float
) -> None:
    found = gas_emissivity(gas_k, path_m, water, 0.5 * water, soot)
    assert 0.0 <= found <= 1.0
    assert gas_emissivity(gas_k, path_m, water, 0.5 * water, 2.0 * soot) >= found
    assert gas_emissivity(gas_k, path_m, 0.0, 0.0, 0.0) == 0.0
