# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The smoke solver keeps its books, repeats itself, and refuses what it cannot solve."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, Vent
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, temperature_k

GRID = FlowGrid((-1.6, -1.6, 0.0), 0.2, (14, 16, 16))
OUTSIDE = Boundaries(dict.fromkeys(("ceiling", "south", "north", "west", "east"), "open"))
FIRE = HeatSource((0.0, 0.0, 0.0), 0.8, 1.0, 120.0, 0.3, 0.004)
STEADY = SmokeParams(source_noise=0.0, stir=0.0)


def solver(boundaries: Boundaries = OUTSIDE, params: SmokeParams | None = None, seed: int = 3) -> SmokeSolver:
    return SmokeSolver(GRID, boundaries, seed, params or SmokeParams())


def enthalpy_kj(found: np.ndarray) -> float:
    density = float(fire.air_density_kg_per_m3(293.15))
    return float(found.sum(dtype=np.float64)) * density * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * GRID.cell_m**3


def test_air_at_rest_stays_at_rest() -> None:
    own = solver()
    for _ in range(20):
        state = own.step(0.05, [])
    assert max(float(np.abs(speed).max()) for speed in state.velocity) < 1e-7


def test_the_source_releases_its_heat_and_soot() -> None:
    own = solver(Boundaries({}))
    for _ in range(40):
        state = own.step(0.05, [FIRE])
        assert state.residuals.heat_release_kw == pytest.approx(120.0, rel=0.02)
    assert enthalpy_kj(state.lightness_k) == pytest.approx(0.7 * 120.0 * 2.0, rel=0.02)
    assert float(state.soot_kg_per_m3.sum(dtype=np.float64)) * GRID.cell_m**3 == pytest.approx(
        0.008, rel=0.01
    )


def test_what_leaves_an_open_box_is_accounted_for() -> None:
    own = solver()
    out_kj = 0.0
    for _ in range(80):
        state = own.step(0.05, [FIRE])
        out_kj += state.residuals.enthalpy_out_kj
        assert state.residuals.divergence <= 1e-5
        assert state.residuals.energy_error <= 1e-6
        assert state.residuals.mass_error <= 1e-6
    assert out_kj > 10.0
    assert enthalpy_kj(state.lightness_k) + out_kj == pytest.approx(0.7 * 120.0 * 4.0, rel=0.02)


def test_soot_in_a_closed_box_does_not_drift_in_a_thousand_steps() -> None:
    grid = FlowGrid((-1.6, -1.6, 0.0), 0.4, (7, 8, 8))
    own = SmokeSolver(grid, Boundaries({}), 3, SmokeParams())
    for _ in range(10):
        state = own.step(0.1, [FIRE])
    total = float(state.soot_kg_per_m3.sum(dtype=np.float64))
    for _ in range(1000):
        state = own.step(0.1, [])
    assert float(state.soot_kg_per_m3.sum(dtype=np.float64)) == pytest.approx(total, rel=1e-3)
    assert float(state.soot_kg_per_m3.min()) >= -1e-7


def test_a_symmetric_fire_stays_symmetric() -> None:
    own = solver(params=STEADY)
    for _ in range(30):
        state = own.step(0.05, [FIRE])
    scale = float(state.lightness_k.max())
    assert np.abs(state.lightness_k - state.lightness_k[:, :, ::-1]).max() <= 1e-4 * scale
    assert np.abs(state.lightness_k - state.lightness_k[:, ::-1]).max() <= 1e-4 * scale


def test_hot_air_rises_and_the_flame_is_not_hotter_than_flames() -> None:
    own = solver(params=STEADY)
    for _ in range(30):
        state = own.step(0.05, [FIRE])
    assert float(state.w_mps[5, 7:9, 7:9].mean()) > 1.0
    assert 293.0 < float(temperature_k(state, 293.15).max()) <= 293.15 + 850.0


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    runs = []
    for seed in (3, 3, 4):
        own = solver(seed=seed)
        for _ in range(6):
            own.step(0.05, [FIRE])
        runs.append(own.snapshot().digest())
    assert runs[0] == runs[1] != runs[2]


def test_a_restored_snapshot_goes_on_as_if_nothing_had_been() -> None:
    own = solver()
    for _ in range(3):
        own.step(0.05, [FIRE])
    kept = own.snapshot()
    digest = kept.digest()
    first = own.step(0.05, [FIRE]).digest()
    own.step(0.05, [FIRE])
    assert kept.digest() == digest
    other = solver()
    other.restore(kept)
    assert other.step(0.05, [FIRE]).digest() == first


def test_smoke_leaves_through_the_vent_only() -> None:
    vent = Vent("ceiling", (-0.6, -0.6), (0.6, 0.6))
    rooms = {
        "closed": Boundaries({}),
        "open": Boundaries({}, None, (vent, Vent("west", (-0.5, 0.0), (0.5, 0.8)))),
    }
    left = {}
    for name, boundaries in rooms.items():
        own = solver(boundaries)
        for _ in range(100):
            state = own.step(0.05, [FIRE])
            assert state.residuals.divergence <= 1e-5
        left[name] = float(state.soot_kg_per_m3.sum(dtype=np.float64))
    assert left["open"] < 0.9 * left["closed"]


def test_no_smoke_enters_an_obstacle() -> None:
    solid = np.zeros(GRID.shape, dtype=bool)
    solid[9:11, 4:12, 4:12] = True
    own = solver(Boundaries(OUTSIDE.sides, solid))
    for _ in range(40):
        state = own.step(0.05, [FIRE])
    assert not state.soot_kg_per_m3[solid].any()
    assert state.soot_kg_per_m3[11:].max() > 0.0


def test_wind_leans_the_plume() -> None:
    calm, windy = solver(params=STEADY), solver(Boundaries(OUTSIDE.sides, None, (), (1.5, 0.0)), STEADY)
    centres = []
    for own in (calm, windy):
        for _ in range(30):
            state = own.step(0.05, [FIRE])
        level = state.soot_kg_per_m3[8].sum(axis=0, dtype=np.float64)
        centres.append(float((level * np.arange(16)).sum() / level.sum()))
    assert centres[1] > centres[0] + 2.0


def test_a_long_step_is_cut_and_says_so() -> None:
    own = solver(params=dataclasses.replace(STEADY, cells_a_step=0.5))
    for _ in range(15):
        state = own.step(0.1, [FIRE])
    assert state.residuals.substeps > 1
    assert any("sub-steps" in note for note in state.residuals.notes)


@pytest.mark.parametrize("step_s", [0.5, 1.0])
def test_a_step_from_rest_is_cut_by_what_its_own_heat_lifts(step_s: float) -> None:
    own = solver(params=STEADY)
    state = own.step(step_s, [FIRE])
    found = state.residuals
    fastest_mps = max(float(np.abs(part).max()) for part in state.velocity)
    assert fastest_mps * step_s / found.substeps <= 2.0 * STEADY.cells_a_step * own.grid.cell_m
    assert fastest_mps < 12.0  # a plume of this fire rises at some metres in a second
    assert found.substeps > 1
    assert any("sub-steps" in note for note in found.notes)


@pytest.mark.parametrize("step_s", [30.0, 1000.0])
def test_a_step_from_rest_that_nothing_can_solve_is_refused(step_s: float) -> None:
    own = solver(params=STEADY)
    before = own.snapshot()
    with pytest.raises(InputError) as caught:
        own.step(step_s, [FIRE])
    assert caught.value.reason == "step_too_long"
    assert own.snapshot() is before


def test_a_step_that_would_need_too_many_parts_is_refused() -> None:
    own = solver(params=dataclasses.replace(STEADY, cells_a_step=0.1, most_substeps=2))
    for _ in range(10):
        own.step(0.005, [FIRE])
    before = own.snapshot()
    with pytest.raises(InputError) as caught:
        own.step(2.0, [FIRE])
    assert caught.value.reason == "step_too_long"
    assert own.snapshot() is before


@settings(max_examples=20)
@given(dt_s=st.one_of(st.floats(max_value=0.0), st.sampled_from([math.nan, math.inf, -math.inf])))
def test_a_step_that_is_none_is_refused(dt_s: float) -> None:
    with pytest.raises(InputError) as caught:
        solver().step(dt_s, [])
    assert caught.value.reason == "bad_step"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"heat_release_kw": -1.0}, "negative_release"),
        ({"soot_kg_per_s": -1e-3}, "negative_release"),
        ({"radiative_fraction": 1.5}, "negative_release"),
        ({"heat_release_kw": math.nan}, "not_finite"),
        ({"position_m": (0.0, math.inf, 0.0)}, "not_finite"),
    ],
)
def test_a_source_that_cannot_be_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        dataclasses.replace(FIRE, **change)  # type: ignore[arg-type]
    assert caught.value.reason == reason


def test_a_fire_outside_the_air_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        solver().step(0.05, [dataclasses.replace(FIRE, position_m=(50.0, 0.0, 0.0))])
    assert caught.value.reason == "source_outside"


@pytest.mark.parametrize("name", ["w_mps", "v_mps", "u_mps", "lightness_k", "soot_kg_per_m3"])
def test_a_state_that_is_not_finite_is_refused(name: str) -> None:
    own = solver()
    broken = getattr(own.state, name).copy()
    broken[1, 2, 3] = math.nan
    with pytest.raises(InputError) as caught:
        own.restore(dataclasses.replace(own.state, **{name: broken}))
    assert caught.value.reason == "not_finite"


def test_a_state_of_another_grid_is_refused() -> None:
    other = SmokeSolver(FlowGrid((0.0, 0.0, 0.0), 0.2, (4, 4, 4)), OUTSIDE, 1, SmokeParams())
    with pytest.raises(InputError) as caught:
        solver().restore(other.state)
    assert caught.value.reason == "wrong_grid"


@pytest.mark.parametrize(
    "change", [{"ambient_k": 0.0}, {"most_substeps": 0}, {"stir": -1.0}, {"cells_a_step": math.nan}]
)
def test_numbers_of_the_solver_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        SmokeParams(**change)  # type: ignore[arg-type]
