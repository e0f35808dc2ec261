# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Nudging draws a free plume to the analytic centreline, within its bound, and leaves everything else alone."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.nudging import MOST_SHARE, Nudging
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, SmokeState, temperature_k
from vidgen_nodes.generation.smoke_run import SmokeRun

AMBIENT_K = 293.15
GRID = FlowGrid((-3.0, -3.0, 0.0), 0.25, (24, 24, 24))
SIDES_OPEN = {side: "open" for side in SIDES if side != "floor"}
HEAT_KW = 300.0
FIRE = HeatSource((0.0, 0.0, 0.0), 0.7, float(fire.flame_height_m(HEAT_KW, 0.7)), HEAT_KW, 0.35, 0.001)
STEP_S, STEPS = 0.08, 90


def run(
    time_s: float, fires: tuple[HeatSource, ...] = (FIRE,), solid: np.ndarray | None = None
) -> list[SmokeState]:
    """The states of the later half, nudged with a time constant; 0: not at all."""
    solver = SmokeSolver(GRID, Boundaries(SIDES_OPEN, solid), 5, SmokeParams(ambient_k=AMBIENT_K))
    nudging = Nudging(solver.domain, AMBIENT_K, time_s) if time_s else None
    states = []
    for number in range(STEPS):
        state = solver.step(STEP_S, fires)
        if nudging is not None:
            state = nudging.applied(state, fires, STEP_S)
            solver.restore(state)
        if number >= STEPS // 2:
            states.append(state)
    return states


def off_by(states: list[SmokeState]) -> float:
    """Mean distance, in logarithms, of the mean rise around the axis from the analytic one above the flame."""
    z_m, y_m, x_m = GRID.centres_m()
    levels = np.flatnonzero((z_m > FIRE.height_m + 0.5) & (z_m < 4.5))
    away2 = y_m[:, None] ** 2 + x_m[None, :] ** 2
    mean = np.mean([temperature_k(state, AMBIENT_K) - AMBIENT_K for state in states], axis=0)
    centre_k = fire.centreline_temperature_rise_k(z_m, HEAT_KW, AMBIENT_K)
    width_m = fire.half_width_m(z_m, HEAT_KW, 0.7, AMBIENT_K + centre_k, AMBIENT_K)
    errors = []
    for level in levels:
        shape = np.exp(away2 * (-np.log(2.0) / width_m[level] ** 2))
        wanted = float((shape * centre_k[level] * shape).sum() / shape.sum())
        errors.append(abs(np.log(float((shape * mean[level]).sum() / shape.sum()) / wanted)))
    return float(np.mean(errors))


@pytest.fixture(scope="module")
def nudged() -> list[SmokeState]:
    return run(0.5)


def test_the_mean_is_nearer_to_the_analytic_centreline(nudged: list[SmokeState]) -> None:
    assert off_by(nudged) < 0.85 * off_by(run(0.0))


def test_the_power_is_recorded_and_bounded(nudged: list[SmokeState]) -> None:
    powers = np.array([state.residuals.nudging_kw for state in nudged])
    assert powers.max() > 0.0
    assert powers.max() <= MOST_SHARE * (1.0 - FIRE.radiative_fraction) * HEAT_KW * (1.0 + 1e-6)
    held = [state for state in nudged if "nudging held" in " ".join(state.residuals.notes)]
    bound = MOST_SHARE * (1.0 - FIRE.radiative_fraction) * HEAT_KW
    assert all(state.residuals.nudging_kw == pytest.approx(bound) for state in held)


def test_the_heat_that_comes_and_goes_is_what_the_record_says() -> None:
    solver = SmokeSolver(GRID, Boundaries(SIDES_OPEN), 5, SmokeParams(ambient_k=AMBIENT_K))
    nudging = Nudging(solver.domain, AMBIENT_K, 0.5)
    kj_a_k = (
        float(fire.air_density_kg_per_m3(AMBIENT_K)) * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * GRID.cell_m**3
    )
    powers = []
    for _ in range(STEPS):
        before = solver.step(STEP_S, [FIRE])
        after = nudging.applied(before, [FIRE], STEP_S)
        solver.restore(after)
        change = after.lightness_k.astype(np.float64) - before.lightness_k
        powers.append(after.residuals.nudging_kw)
        assert np.abs(change).sum() * kj_a_k / STEP_S == pytest.approx(powers[-1], rel=1e-3, abs=1e-6)
        assert after.lightness_k.min() >= min(float(before.lightness_k.min()), 0.0)
        assert after.soot_kg_per_m3 is before.soot_kg_per_m3
    assert max(powers) > 0.0


def test_without_it_no_heat_is_added() -> None:
    assert all(state.residuals.nudging_kw == 0.0 for state in run(0.0))


def test_a_plume_against_a_wall_or_beside_another_is_left_alone() -> None:
    """The correlation is of a plume in the open: anywhere else it would be wrong to follow it."""
    wall = np.zeros(GRID.shape, bool)
    wall[:, :, :10] = True
    beside = HeatSource((0.9, 0.0, 0.0), 0.7, FIRE.height_m, HEAT_KW, 0.35, 0.001)
    for states in (run(0.5, solid=wall), run(0.5, (FIRE, beside))):
        assert all(state.residuals.nudging_kw == 0.0 for state in states)


def test_a_run_that_begins_again_forgets() -> None:
    solver = SmokeSolver(GRID, Boundaries(SIDES_OPEN), 5, SmokeParams(ambient_k=AMBIENT_K))
    made = SmokeRun(solver, STEP_S, lambda _: [FIRE], nudging=Nudging(solver.domain, AMBIENT_K, 0.5))
    try:
        first = made.at(40, float("inf"))
        assert made.at(80, float("inf")) is not None
        again = made.at(40, float("inf"))
    finally:
        made.close()
    assert first is not None
    assert again is not None
    assert first.residuals.nudging_kw > 0.0
    assert first.digest() == again.digest()


@pytest.mark.parametrize("time_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(time_s: float) -> None:
    solver = SmokeSolver(GRID, Boundaries(SIDES_OPEN), 5, SmokeParams())
    with pytest.raises(ConfigError, match="time constant"):
        Nudging(solver.domain, AMBIENT_K, time_s)
