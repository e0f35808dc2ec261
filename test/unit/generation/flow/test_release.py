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


@settings(max_examples=50)
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


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), time_s=st.floats(0.0, 100.0), heat_kw=st.floats(50.0, 3000.0))
def test_the_unrest_in_a_flame_shoves_no_flame_about(seed: int, time_s: float, heat_kw: float) -> None:
    grid = FlowGrid((-1.5, -1.5, 0.0), 0.2, (18, 15, 15))
    domain = make_domain(grid, Boundaries({}))
    release = Release(domain, SmokeParams(), seed)
    flame = HeatSource((0.1, -0.2, 0.0), 1.0, 1.8, heat_kw)
    light = np.random.default_rng(seed).uniform(0.0, 220.0, grid.shape).astype(np.float32)
    velocity = tuple(np.zeros(faces.shape, np.float32) for faces in domain.open_faces)
    release.stir(velocity, light, time_s, 0.05, [flame])  # type: ignore[arg-type]
    mass = 1.0 - light.astype(np.float64) / 293.15
    for own in velocity:
        cells = own[
            : grid.shape[0], : grid.shape[1], : grid.shape[2]
        ]  # a push is on the lower face of its cell
        assert float(np.abs(own).max()) > 0.0
        assert float((mass * cells).sum()) == pytest.approx(0.0, abs=1e-5 * float(np.abs(cells).sum()))


def test_a_flame_of_one_eddy_is_stirred_too() -> None:
    grid = FlowGrid((-1.5, -1.5, 0.0), 0.5, (6, 6, 6))
    domain = make_domain(grid, Boundaries({}))
    velocity = tuple(np.zeros(faces.shape, np.float32) for faces in domain.open_faces)
    still = np.zeros(grid.shape, np.float32)
    Release(domain, SmokeParams(), 1).stir(
        velocity,  # type: ignore[arg-type]
        still,
        0.0,
        0.05,
        [HeatSource((0.25, 0.25, 0.0), 0.1, 0.2, 5.0)],
    )
    assert all(np.count_nonzero(own) == 1 for own in velocity)
