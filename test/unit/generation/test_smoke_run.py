# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The solver's state as voxels, and the thread that solves ahead of the frames."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver
from vidgen_nodes.generation.smoke_field import band_radiance, smoke_field
from vidgen_nodes.generation.smoke_run import SmokeRun

GRID = FlowGrid((-1.2, -1.2, 0.0), 0.2, (10, 12, 12))
OUTSIDE = Boundaries(dict.fromkeys(("ceiling", "south", "north", "west", "east"), "open"))
FIRE = HeatSource((0.0, 0.0, 0.0), 0.8, 1.2, 300.0, 0.3, 0.004)


def solver() -> SmokeSolver:
    return SmokeSolver(GRID, OUTSIDE, 5, SmokeParams())


def steady(_: float) -> list[HeatSource]:
    return [FIRE]


def test_the_voxels_hold_the_soot_and_the_flame() -> None:
    own = solver()
    for _ in range(30):
        state = own.step(0.05, [FIRE])
    field = smoke_field(state, GRID, 293.15, 1.5, 1450.0)
    visible = field.extinction_visible_per_m.numpy().sum(dtype=np.float64)
    flame = field.flame_absorption_per_m.numpy().sum(dtype=np.float64)
    soot = fire.SOOT_EXTINCTION_M2_PER_KG * state.soot_kg_per_m3.sum(dtype=np.float64)
    assert flame > 0.0
    assert visible == pytest.approx(soot + flame, rel=1e-4)
    assert tuple(field.temperature_k.shape) == GRID.shape


def test_nothing_is_left_where_the_gate_is_closed() -> None:
    own = solver()
    for _ in range(30):
        state = own.step(0.05, [FIRE])
    opened = np.zeros(GRID.shape, dtype=np.float32)
    opened[:, :, :6] = 1.0
    field = smoke_field(state, GRID, 293.15, 1.5, 1450.0, opened)
    for layer in (field.extinction_lwir_per_m, field.extinction_visible_per_m, field.emission_w_per_m3_sr):
        assert not layer.numpy()[:, :, 6:].any()
        assert layer.numpy()[:, :, :6].any()
    with pytest.raises(InputError):
        smoke_field(state, GRID, 293.15, 1.5, 1450.0, opened[1:])


def test_radiance_of_the_gas_is_plancks() -> None:
    gas_k = np.array([[293.15, 700.0], [1273.15, 2100.0]], dtype=np.float32)
    assert np.allclose(band_radiance(gas_k), band_radiance_w_per_m2_sr(gas_k), rtol=5e-3)


def test_a_run_gives_the_states_that_stepping_gives() -> None:
    own, run = solver(), SmokeRun(solver(), 0.05, steady)
    try:
        for tick in range(1, 8):
            state = run.at(tick, timeout_s=60.0)
            assert state is not None
            assert state.digest() == own.step(0.05, [FIRE]).digest()
    finally:
        run.close()


def test_a_frame_never_waits_and_old_ticks_are_gone() -> None:
    gate = threading.Event()

    def held(_: float) -> list[HeatSource]:
        gate.wait(60.0)
        return [FIRE]

    run = SmokeRun(solver(), 0.05, held, ahead=2, kept=4)
    try:
        assert run.at(1) is None
        gate.set()
        assert run.at(8, timeout_s=60.0) is not None
        assert run.at(1) is None
        assert run.newest >= 8
    finally:
        gate.set()
        run.close()


def test_a_refused_step_reaches_whoever_asks() -> None:
    def broken(time_s: float) -> list[HeatSource]:
        return [HeatSource((math.inf if time_s > 0.1 else 0.0, 0.0, 0.0), 0.6, 0.8, 80.0)]

    run = SmokeRun(solver(), 0.05, broken)
    try:
        with pytest.raises(InputError) as caught:
            run.at(20, timeout_s=60.0)
        assert caught.value.reason == "not_finite"
    finally:
        run.close()


def test_a_run_that_forgets_what_it_solved_ahead_is_refused() -> None:
    with pytest.raises(ConfigError):
        SmokeRun(solver(), 0.05, steady, ahead=10, kept=5)
