# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Free plumes of the 3-D solver beside the correlations: centreline, speed, mass flow, flame tip, puffing.

Guarantees five fires that differ in shape (Q* 0.8 to 1.8), one resolution in units of D*, no nudging, and
numbers of the solver that are the same for all. The strength of the unrest in flames and of small eddies
(``SmokeParams.stir`` and ``eddy``) was chosen while looking at them. Pairs are taken above the flame tip
and below eight tenths of the box: its open top takes some hundredths of the mass flow below it. References are
correlations: their own scatter is as large as what is asked of the solver.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, temperature_k
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.validation.check import Check, bounded, scored
from vidgen_nodes.validation.estimator import SIGMA_FLOW, SIGMA_TEMPERATURE, SIGMA_VELOCITY, score
from vidgen_nodes.validation.picture_runs import strongest_hz

FIRES = ((100.0, 0.3), (500.0, 0.6), (1000.0, 1.0), (1500.0, 1.13), (5000.0, 2.0))  # kW, m
CELLS_A_DSTAR = 6.4
SHAPE = (56, 64, 64)
RADIATIVE_FRACTION = 0.27  # of McCaffrey's natural gas (from memory; 0.2 to 0.27 are in use)
AMBIENT_K = 293.15
_SETTLED, _END = 24.0, 64.0  # in units of sqrt(D* / g)
_CELLS_A_STEP = 1.2
_PLUME_EDGE = 0.01  # of the axial speed, where the plume ends for its mass flow
_FLAME_TIP_RISE_K = 500.0  # of the visible flame's tip (Heskestad)


@dataclass(frozen=True, eq=False)
class PlumeMeans:
    """Means over time of one plume, by height."""

    heat_kw: float
    diameter_m: float
    height_m: FloatArray
    rise_k: FloatArray  # on the axis
    speed_mps: FloatArray  # on the axis
    flow_kg_per_s: FloatArray
    convected_kw: FloatArray
    luminous: FloatArray  # share of the time in which the axis is hotter than a flame's tip
    puffing_hz: float  # strongest frequency of the axial speed one burner's width up
    flame_height_m: float
    worst_divergence: float


def plume_means(heat_kw: float, diameter_m: float) -> PlumeMeans:
    """Run one fire and average it."""
    star_m = fire.characteristic_diameter_m(heat_kw, AMBIENT_K)
    cell_m = star_m / CELLS_A_DSTAR
    nz, ny, nx = SHAPE
    grid = FlowGrid((-0.5 * nx * cell_m, -0.5 * ny * cell_m, 0.0), cell_m, SHAPE)
    sides = dict.fromkeys(("ceiling", "south", "north", "west", "east"), "open")
    solver = SmokeSolver(grid, Boundaries(sides), 1, SmokeParams(ambient_k=AMBIENT_K))
    tip_m = fire.flame_height_m(heat_kw, diameter_m)
    source = HeatSource((0.0, 0.0, 0.0), diameter_m, tip_m, heat_kw, RADIATIVE_FRACTION)
    unit_s = math.sqrt(star_m / fire.GRAVITY_MPS2)
    dt_s = _CELLS_A_STEP * cell_m / (1.93 * heat_kw**0.2)
    sums = [np.zeros(SHAPE), np.zeros(SHAPE), np.zeros(nz), np.zeros(nz)]
    puffs: list[float] = []
    puff_level = int(diameter_m / cell_m)
    worst = 0.0
    axis = (slice(None), slice(ny // 2 - 1, ny // 2 + 1), slice(nx // 2 - 1, nx // 2 + 1))
    while solver.state.time_s < _END * unit_s:
        state = solver.step(dt_s, [source])
        worst = max(worst, state.residuals.divergence)
        if state.time_s < _SETTLED * unit_s:
            continue
        gas_k = temperature_k(state, AMBIENT_K)
        upward = 0.5 * (state.w_mps[1:] + state.w_mps[:-1])
        flux = (upward * state.lightness_k).sum(axis=(1, 2), dtype=np.float64)
        tip = (gas_k[axis].mean(axis=(1, 2)) - AMBIENT_K) > _FLAME_TIP_RISE_K
        for total, item in zip(sums, (gas_k, upward, flux, tip), strict=True):
            total += item
        puffs.append(float(state.w_mps[puff_level][axis[1:]].mean()))
    count = len(puffs)
    gas, rising, flux, luminous = (total / count for total in sums)
    return PlumeMeans(
        heat_kw=heat_kw,
        diameter_m=diameter_m,
        height_m=np.asarray((np.arange(nz) + 0.5) * cell_m, dtype=np.float64),
        rise_k=gas[axis].mean(axis=(1, 2)) - AMBIENT_K,
        speed_mps=rising[axis].mean(axis=(1, 2)),
        flow_kg_per_s=_mass_flow(gas, rising, axis, cell_m),
        convected_kw=flux * cell_m**2 * float(fire.air_density_kg_per_m3(AMBIENT_K)),
        luminous=luminous,
        puffing_hz=strongest_hz(np.array(puffs), 1.0 / dt_s, 0.5 * fire.puffing_frequency_hz(diameter_m)),
        flame_height_m=tip_m,
        worst_divergence=worst,
    )


def _mass_flow(gas_k: FloatArray, upward: FloatArray, axis: tuple[slice, ...], cell_m: float) -> FloatArray:
    edge = _PLUME_EDGE * upward[axis].mean(axis=(1, 2))
    inside = upward > edge[:, None, None]
    flow = fire.air_density_kg_per_m3(gas_k) * upward * inside
    return np.asarray(flow.sum(axis=(1, 2)) * cell_m**2)


def plume_checks(tell: Callable[[str], None]) -> list[Check]:
    """K1 to K4 and K11 from five fires.

    Args:
        tell: is told what runs.
    """
    runs = []
    for heat_kw, diameter_m in FIRES:
        tell(f"plume of {heat_kw:.0f} kW, burner {diameter_m} m")
        runs.append(plume_means(heat_kw, diameter_m))
    return [*_centreline(runs), *_flow(runs), _flame_tip(runs), _puffing(runs)]


def _far(run: PlumeMeans) -> FloatArray:
    """Which levels count: above the tip, below eight tenths of the box, every third so that pairs differ."""
    chosen = (run.height_m > run.flame_height_m) & (run.height_m < 0.8 * run.height_m[-1])
    chosen[np.arange(len(chosen)) % 3 != 0] = False
    return np.asarray(chosen)


def _centreline(runs: list[PlumeMeans]) -> list[Check]:
    rise, speed, mc_rise, mc_speed, he_rise = [], [], [], [], []
    for run in runs:
        far = _far(run)
        height = run.height_m[far]
        rise.append(run.rise_k[far])
        speed.append(run.speed_mps[far])
        mc_rise.append(fire.centreline_temperature_rise_k(height, run.heat_kw, AMBIENT_K))
        mc_speed.append(fire.centreline_velocity_mps(height, run.heat_kw))
        he_rise.append(
            fire.plume_temperature_rise_k(height, run.heat_kw, run.diameter_m, RADIATIVE_FRACTION, AMBIENT_K)
        )
    found, seen = np.concatenate(rise), np.concatenate(speed)
    limits, most = (0.90, 1.15), 0.21
    return [
        scored("K2", "plume centreline rise against McCaffrey, solver, nudging off, z > L, 5 fires",
               score(found, np.concatenate(mc_rise), SIGMA_TEMPERATURE), limits, most, "1.06/0.21"),
        scored("K2", "the same against Heskestad",
               score(found, np.concatenate(he_rise), SIGMA_TEMPERATURE), limits, most, "1.06/0.21"),
        scored("K3", "plume centreline speed against McCaffrey, solver",
               score(seen, np.concatenate(mc_speed), SIGMA_VELOCITY), (0.92, 1.10), 0.12, "1.01/0.10 (6.7.1)"),
    ]  # fmt: skip


def _flow(runs: list[PlumeMeans]) -> list[Check]:
    found, expected, lost = [], [], 0.0
    for run in runs:
        far = _far(run)
        found.append(run.flow_kg_per_s[far])
        expected.append(
            fire.entrained_mass_flow_kg_per_s(
                run.height_m[far], run.heat_kw, run.diameter_m, RADIATIVE_FRACTION
            )
        )
        convective = (1.0 - RADIATIVE_FRACTION) * run.heat_kw
        lost = max(lost, float(np.abs(run.convected_kw[far] / convective - 1.0).max()))
    result = score(np.concatenate(found), np.concatenate(expected), SIGMA_FLOW)
    return [
        scored("K4", "plume mass flow against Heskestad, solver", result, (0.95, 1.15), 0.08, "1.12/0.05"),
        bounded("K9", "convected heat through every level above the flame against Qc, worst of 5 fires", lost, 0.05),
        bounded("K13a", "worst divergence of 5 plumes, scaled", max(r.worst_divergence for r in runs), 1e-5),
    ]  # fmt: skip


def _flame_tip(runs: list[PlumeMeans]) -> Check:
    worst = 0.0
    for run in runs:
        below = np.flatnonzero(run.luminous < 0.5)
        hot = np.flatnonzero(run.luminous >= 0.5)
        above = below[below > (hot[0] if hot.size else 0)]
        tip_m = float(run.height_m[above[0]]) if above.size else math.inf
        ratio = tip_m / run.flame_height_m - 1.0
        worst = ratio if abs(ratio) > abs(worst) else worst
    return bounded(
        "K1", "flame height, solver: 50 % of the time hotter by 500 K, against Heskestad, worst of 5 fires "
        "(the source has that height: a check of consistency)", worst, 0.15,
    )  # fmt: skip


def _puffing(runs: list[PlumeMeans]) -> Check:
    ratios = [run.puffing_hz / fire.puffing_frequency_hz(run.diameter_m) for run in runs]
    worst = max((ratio - 1.0 for ratio in ratios), key=abs)
    row = bounded(
        "K11",
        "puffing, solver: strongest frequency (above half the law's) of the axial speed a burner's width up, "
        "over 1.5 / sqrt(D), worst of 5 fires",
        worst,
        0.20,
    )
    return dataclasses.replace(row, found=f"{row.found} of " + ", ".join(f"{ratio:.2f}" for ratio in ratios))
