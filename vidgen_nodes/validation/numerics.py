# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the solver against what is exact: divergence, vortex, books, symmetry, rest, replay.

Guarantees that every number is measured here and now. Leaves out physics: correlations are in ``plume_runs.py``
and ``room_runs.py``.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, SmokeState
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.validation.check import Check, bounded

_GRID = FlowGrid((-1.6, -1.6, 0.0), 0.2, (14, 16, 16))
_FIRE = HeatSource((0.0, 0.0, 0.0), 0.8, 1.0, 120.0, 0.3, 0.004)
_OUTSIDE = Boundaries({side: "open" for side in SIDES if side != "floor"})


def numeric_checks() -> list[Check]:
    """K9, K10 and K13."""
    return [*_vortex(), *_books(), _drift(), _mirror(), _rest(), _replay(), _obstacles()]


def _vortex() -> list[Check]:
    checks = []
    for viscosity in (0.0, 0.1):
        coarse, fine = _vortex_error(32, viscosity), _vortex_error(64, viscosity)
        order = math.log2(coarse[0] / fine[0])
        name = f"travelling Taylor vortex 64 x 64, viscosity {viscosity}, CFL 0.5"
        checks += [
            bounded("K13b", f"{name}: root mean square error of the speed", fine[0], 0.02),
            bounded("K13b", f"{name}: kinetic energy, relative", fine[1], 0.05),
            Check(
                "K13b",
                f"{name}: order of accuracy from 32 to 64",
                f"{order:.2f}",
                ">= 1.8",
                order >= 1.8,
                missed_by="" if order >= 1.8 else f"{1.8 - order:.2f}",
            ),
        ]
    return checks


def taylor_vortex(count: int, viscosity: float, time_s: float) -> tuple[FloatArray, FloatArray]:
    """Speeds east on faces (count, count + 1) and north (count + 1, count) of NIST's travelling vortex, box 2 pi."""
    step = 2.0 * np.pi / count
    face, cell = np.arange(count + 1) * step, (np.arange(count) + 0.5) * step
    fade = 2.0 * np.exp(-2.0 * viscosity * time_s)
    east = 1.0 - fade * np.cos(face[None] - time_s) * np.sin(cell[:, None] - time_s)
    north = 1.0 + fade * np.sin(cell[None] - time_s) * np.cos(face[:, None] - time_s)
    return np.asarray(east), np.asarray(north)


def vortex_solver(count: int, viscosity: float) -> SmokeSolver:
    """A solver that holds the vortex at time 0."""
    grid = FlowGrid((0.0, 0.0, 0.0), 2.0 * np.pi / count, (1, count, count))
    round_ = {
        **dict.fromkeys(("south", "north", "west", "east"), "periodic"),
        **dict.fromkeys(("floor", "ceiling"), "mirror"),
    }
    solver = SmokeSolver(grid, Boundaries(round_), 1, SmokeParams(viscosity_m2_per_s=viscosity))
    east, north = (item.astype(np.float32)[None] for item in taylor_vortex(count, viscosity, 0.0))
    before = (solver.state.w_mps, north, east)
    solver.restore(dataclasses.replace(solver.state, u_mps=east, v_mps=north, before=before))
    return solver


def _vortex_error(count: int, viscosity: float) -> tuple[float, float]:
    solver = vortex_solver(count, viscosity)
    steps = math.ceil(2.0 / (0.5 * solver.grid.cell_m / 3.0))
    for _ in range(steps):
        solver.step(2.0 / steps, [])
    state = solver.state
    east, north = taylor_vortex(count, viscosity, 2.0)
    error = math.sqrt(float(((state.u_mps[0, :, :-1] - east[:, :-1]) ** 2).mean()))
    got, true = (
        float((u[:, :-1] ** 2).mean() + (v[:-1] ** 2).mean())
        for u, v in ((state.u_mps[0], state.v_mps[0]), (east, north))
    )
    return error, got / true - 1.0


def _enthalpy_kj(state: SmokeState) -> float:
    density = float(fire.air_density_kg_per_m3(293.15)) * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K
    return float(state.lightness_k.sum(dtype=np.float64)) * density * _GRID.cell_m**3


def _books() -> list[Check]:
    open_box, sealed = (SmokeSolver(_GRID, item, 3, SmokeParams()) for item in (_OUTSIDE, Boundaries({})))
    released, out_kj, walls_kj, heat, divergence = 0.0, 0.0, 0.0, 0.0, 0.0
    for _ in range(120):
        state = open_box.step(0.05, [_FIRE])
        released += 0.7 * 120.0 * 0.05
        out_kj += state.residuals.enthalpy_out_kj
        walls_kj += state.residuals.wall_loss_kj
        heat = max(heat, abs(state.residuals.heat_release_kw / 120.0 - 1.0))
        divergence = max(divergence, state.residuals.divergence)
        closed = sealed.step(0.05, [_FIRE])
    soot = float(closed.soot_kg_per_m3.sum(dtype=np.float64)) * _GRID.cell_m**3 / (0.004 * 6.0) - 1.0
    energy = (_enthalpy_kj(state) + out_kj + walls_kj) / released - 1.0
    indoors = (_enthalpy_kj(closed) + sealed.walls.held_kj(closed.wall_rise_k)) / released - 1.0
    return [
        bounded("K9", "volume integral of the heat source over Q, relative, worst of 120 steps", heat, 0.02),
        bounded("K10", "soot in a sealed box over what was released, relative", soot, 0.01),
        bounded("K13a", "divergence after projection, scaled, worst of 120 steps", divergence, 1e-5),
        bounded(
            "K13d",
            "enthalpy in an open box, outflow and loss to walls over heat released, relative",
            energy,
            0.02,
        ),
        bounded(
            "K13d",
            "enthalpy in a sealed box and heat in its solids over heat released, relative",
            indoors,
            0.02,
        ),
    ]


def _drift() -> Check:
    grid = FlowGrid((-1.6, -1.6, 0.0), 0.4, (7, 8, 8))
    solver = SmokeSolver(grid, Boundaries({}), 3, SmokeParams())
    for _ in range(10):
        solver.step(0.1, [_FIRE])
    before = float(solver.state.soot_kg_per_m3.sum(dtype=np.float64))
    for _ in range(1000):
        solver.step(0.1, [])
    drift = float(solver.state.soot_kg_per_m3.sum(dtype=np.float64)) / before - 1.0
    return bounded("K13c", "soot in a closed box after 1000 steps, relative drift", drift, 1e-3)


def _mirror() -> Check:
    solver = SmokeSolver(_GRID, _OUTSIDE, 3, SmokeParams(source_noise=0.0, stir=0.0))
    for _ in range(30):
        solver.step(0.05, [_FIRE])
    field = solver.state.lightness_k
    error = float(np.abs(field - field[:, :, ::-1]).max()) / float(field.max())
    return bounded("K13e", "a symmetric source: mirror error of the heat, relative", error, 1e-4)


def _rest() -> Check:
    solver = SmokeSolver(_GRID, _OUTSIDE, 3, SmokeParams())
    for _ in range(50):
        solver.step(0.05, [])
    fastest = max(float(np.abs(item).max()) for item in solver.state.velocity)
    return bounded("K13f", "air at rest stays at rest, 50 steps", fastest, 1e-7, "m/s")


def _replay() -> Check:
    digests = []
    for _ in range(2):
        solver = SmokeSolver(_GRID, _OUTSIDE, 3, SmokeParams())
        for _ in range(20):
            solver.step(0.05, [_FIRE])
        digests.append(solver.state.digest())
    same = digests[0] == digests[1]
    return Check(
        "K13h",
        "two runs of one seed: SHA-256 of every field",
        "same" if same else "different",
        "same",
        same,
        missed_by="" if same else "bytes",
    )


def _obstacles() -> Check:
    solid = np.zeros(_GRID.shape, dtype=bool)
    solid[8:10, 3:13, 3:13] = True
    solid[:6, :, 11] = True
    solid[:3, 6:9, 11] = False
    solver = SmokeSolver(_GRID, Boundaries(_OUTSIDE.sides, solid), 3, SmokeParams())
    worst = 0.0
    for _ in range(30):
        worst = max(worst, solver.step(0.05, [_FIRE]).residuals.divergence)
    return bounded("K13a", "the same around a shelf and a wall with a door, 30 steps", worst, 1e-5)
