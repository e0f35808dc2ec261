# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A flame is as full as its heat asks for, and gives all of it, however few cells it covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, make_domain
from vidgen_nodes.generation.flow.release import FLAME_KW_PER_M3, HeatSource, Release, slimness
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver

STEADY = SmokeParams(source_noise=0.0, stir=0.0)


@settings(max_examples=50, deadline=None)
@given(heat_kw=st.floats(20.0, 20_000.0), width=st.floats(0.3, 1.4))
def test_a_flame_has_the_volume_of_its_heat_within_what_flames_look_like(
    heat_kw: float, width: float
) -> None:
    diameter_m = width * fire.characteristic_diameter_m(heat_kw, 293.15)
    height_m = fire.flame_height_m(heat_kw, diameter_m)
    slim = slimness(heat_kw, diameter_m, height_m)
    assert 0.5 <= slim <= 1.0
    volume_m3 = 0.25 * math.pi * diameter_m**2 * height_m / (2.0 * slim + 1.0)
    if 0.5 < slim < 1.0:
        assert heat_kw / volume_m3 == pytest.approx(FLAME_KW_PER_M3, rel=0.02)


@pytest.mark.parametrize(
    ("heat_kw", "diameter_m", "height_m"), [(0.0, 1.0, 1.0), (100.0, 0.0, 1.0), (100.0, 1.0, 0.0)]
)
def test_a_flame_without_size_or_heat_has_an_outline_too(
    heat_kw: float, diameter_m: float, height_m: float
) -> None:
    assert slimness(heat_kw, diameter_m, height_m) == 0.5


@pytest.mark.parametrize("cell_m", [0.1, 0.2, 0.45])
def test_the_released_volume_is_the_flames_own(cell_m: float) -> None:
    shape = (math.ceil(3.6 / cell_m), math.ceil(2.7 / cell_m), math.ceil(2.7 / cell_m))
    grid = FlowGrid((-0.5 * shape[2] * cell_m, -0.5 * shape[1] * cell_m, 0.0), cell_m, shape)
    release = Release(make_domain(grid, Boundaries({})), STEADY, 1)
    source = HeatSource((0.0, 0.0, 0.0), 1.0, 2.7, 1000.0, 0.3)
    state = SmokeSolver(grid, Boundaries({}), 1, STEADY).state
    given_ = release.into(state, 0.01, [source])
    assert given_.heat_release_kw == pytest.approx(1000.0, rel=1e-3)
    heated = given_.lightness_k.astype(np.float64)
    height = (np.arange(shape[0]) + 0.5) * cell_m
    slim = slimness(1000.0, 1.0, 2.7)
    middle_m = float((heated.sum(axis=(1, 2)) * height).sum() / heated.sum())
    assert middle_m == pytest.approx(2.7 / (2.0 * slim + 2.0), abs=0.3 * cell_m)
