# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Momentum is carried at second order: the travelling Taylor vortex of NIST's verification suite."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver

ROUND = {
    **dict.fromkeys(("south", "north", "west", "east"), "periodic"),
    **dict.fromkeys(("floor", "ceiling"), "mirror"),
}


def vortex(count: int, viscosity: float, time_s: float) -> tuple[np.ndarray, np.ndarray]:
    step = 2.0 * np.pi / count
    face, cell = np.arange(count + 1) * step, (np.arange(count) + 0.5) * step
    fade = 2.0 * np.exp(-2.0 * viscosity * time_s)
    east = 1.0 - fade * np.cos(face[None] - time_s) * np.sin(cell[:, None] - time_s)
    north = 1.0 + fade * np.sin(cell[None] - time_s) * np.cos(face[:, None] - time_s)
    return east, north


def error_after_two_seconds(count: int, viscosity: float) -> tuple[float, float]:
    """Root mean square error of the speed, and relative error of the kinetic energy."""
    grid = FlowGrid((0.0, 0.0, 0.0), 2.0 * np.pi / count, (1, count, count))
    solver = SmokeSolver(grid, Boundaries(ROUND), 1, SmokeParams(viscosity_m2_per_s=viscosity))
    east, north = (item.astype(np.float32)[None] for item in vortex(count, viscosity, 0.0))
    solver.restore(
        dataclasses.replace(solver.state, u_mps=east, v_mps=north, before=(solver.state.w_mps, north, east))
    )
    steps = int(np.ceil(2.0 / (0.5 * grid.cell_m / 3.0)))
    for _ in range(steps):
        state = solver.step(2.0 / steps, [])
    east, north = vortex(count, viscosity, 2.0)
    found = state.u_mps[0, :, :-1], state.v_mps[0, :-1]
    truth = east[:, :-1], north[:-1]
    error = float(np.sqrt(((found[0] - truth[0]) ** 2).mean()))
    energies = [float((u**2).mean() + (v**2).mean()) for u, v in (found, truth)]
    return error, energies[0] / energies[1] - 1.0


@pytest.mark.parametrize("viscosity", [0.0, 0.1])
def test_travelling_taylor_vortex(viscosity: float) -> None:
    coarse, _ = error_after_two_seconds(32, viscosity)
    fine, energy = error_after_two_seconds(64, viscosity)
    assert fine <= 0.02
    assert abs(energy) <= 0.05
    assert np.log2(coarse / fine) >= 1.8
