# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Moving smoke and heat: a 3-D solver for the hot, light air around fires at low speed.

What is carried as heat is the lightness of the air, ``theta = T_a (T - T_a) / T``: its sum times
``rho_a cp`` is the enthalpy of the real, thinner gas exactly, and ``g theta / T_a`` its true buoyancy, so a
flame of 800 K is lifted by less than g, as in nature. Heated gas expands, and momentum is carried with the
gas's own mass (``flow/inertia.py``): light gas that mixes into heavy air moves it little.

Guarantees that a step is a pure function of state, sources and step (same machine, same bytes), that heat and
soot change only by what sources release, walls take and the border lets through, and that every step says how far it is
from that (``Residuals``). What is not finite is refused. Leaves out combustion (the sources say where heat
is released), radiation within the gas and to walls, and means: the analytic layer is the authority
for those, and validation runs without nudging.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow import momentum
from vidgen_nodes.generation.flow.domain import Boundaries, Domain, FlowGrid, make_domain
from vidgen_nodes.generation.flow.host import Before, Flow, HostFlow, Numbers
from vidgen_nodes.generation.flow.release import HeatSource, Release
from vidgen_nodes.generation.flow.walls import WallNumbers, Walls
from vidgen_nodes.packets import Float32Array

MOST_TEMPERATURE_K = 2200.0  # what a state is said to have at most; counted, and never changed in the state
_CELLS_A_SWEEP = 0.9
_OVERSHOT = 2.0  # times cells_a_step that the air may reach in a sub-step before the step is taken again in more parts


@dataclass(frozen=True, slots=True)
class SmokeParams:
    """Numbers of the solver.

    Args:
        ambient_k: temperature of still air.
        cells_a_step: the fastest air may cross so many cells in one step; more is cut into sub-steps.
        most_substeps: a step that would need more is refused.
        divergence_limit: of what the projection leaves, scaled by cell width and largest speed.
        wall_roughness_m: sand grains on solid surfaces, floors and ceilings included; 0: smooth.
        wall_inertia_kw2_s_per_m4_k2: k rho c of solids of which it is not known, that of paper-faced gypsum board
            (``config/materials.yaml``); 0: they take no heat.
        source_noise: relative standard deviation of the heat released in a cell of a source, about its mean.
        stir: strength of the unrest in flames, of their own scale (``flow/release.py``); chosen while looking at
            the free plumes of K1 to K4.
        eddy: Smagorinsky's constant; chosen while looking at them and at the smoke layer of K6: more of it
            makes plumes rise faster and the layer fall too fast.
        viscosity_m2_per_s: of the fluid beside what the limiter does; air's own 1.5e-5 is below what cells see.
    """

    ambient_k: float = 293.15
    cells_a_step: float = 5.0
    most_substeps: int = 16
    divergence_limit: float = 1e-5
    wall_roughness_m: float = 0.001
    wall_inertia_kw2_s_per_m4_k2: float = 0.45
    source_noise: float = 0.1
    viscosity_m2_per_s: float = 0.0
    stir: float = 0.63
    eddy: float = 0.16

    def __post_init__(self) -> None:
        numbers = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        least = {"ambient_k": 150.0, "cells_a_step": 0.1, "most_substeps": 1.0, "divergence_limit": 1e-7}
        for name, value in numbers.items():
            if not math.isfinite(value) or value < least.get(name, 0.0):
                raise ConfigError(
                    f"smoke solver: {name} is {value}, expected a finite number from {least.get(name, 0.0)}"
                )


@dataclass(frozen=True, slots=True)
class Residuals:
    """How far one step is from what it should have done."""

    divergence: float = 0.0  # largest left, times cell width over the largest speed
    energy_error: float = 0.0  # share of the enthalpy in the box and released that is unaccounted for
    mass_error: float = 0.0  # the same of soot
    heat_release_kw: float = 0.0  # volume integral of what the sources gave, radiated share included
    enthalpy_out_kj: float = 0.0  # that left through the border in this step
    wall_loss_kj: float = 0.0  # that solid surfaces took in this step
    nudging_kw: float = 0.0  # heat added or taken to follow the analytic layer
    substeps: int = 0
    cells_crossed: float = 0.0  # by the fastest air in one sub-step
    solves: int = 0  # of the pressure in an open box, or rounds of the search for it
    notes: tuple[str, ...] = ()  # what was corrected, in words


class SmokeAir(Protocol):
    """What drawing needs to know of the air at one instant; a ``SmokeState`` has it."""

    @property
    def steps(self) -> int:
        """Taken since the start."""

    @property
    def lightness_k(self) -> Float32Array:
        """Theta of the module's text (nz, ny, nx)."""

    @property
    def soot_kg_per_m3(self) -> Float32Array:
        """Of air at ambient density (nz, ny, nx)."""

    @property
    def residuals(self) -> Residuals:
        """Of the last step."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenAir:
    """That, and no more."""

    steps: int
    lightness_k: Float32Array
    soot_kg_per_m3: Float32Array
    residuals: Residuals


@dataclass(frozen=True, eq=False)
class SmokeState:
    """The air at one instant; arrays are not to be changed.

    Velocity lies on faces: ``w_mps`` (nz + 1, ny, nx), ``v_mps`` (nz, ny + 1, nx), ``u_mps`` (nz, ny, nx + 1).
    """

    time_s: float
    steps: int
    w_mps: Float32Array
    v_mps: Float32Array
    u_mps: Float32Array
    lightness_k: Float32Array  # (nz, ny, nx): theta of the module's text
    soot_kg_per_m3: Float32Array  # (nz, ny, nx), of air at ambient density
    pressure: Float32Array  # over density, in m2/s2, of the last step
    before: momentum.Velocity  # one sub-step earlier: with it the speed is known half a step ahead
    before_s: float  # length of that sub-step; 0: there was none
    wall_rise_k: Float32Array  # (surfaces, layers) of the solids above still air (``flow/walls.py``)
    residuals: Residuals

    def digest(self) -> bytes:
        """SHA-256 of every number of the state."""
        found = hashlib.sha256(f"{self.time_s!r} {self.steps}".encode())
        arrays = (
            *self.velocity,
            self.lightness_k,
            self.soot_kg_per_m3,
            self.pressure,
            *self.before,
            self.wall_rise_k,
        )
        for array in arrays:
            found.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
        return found.digest()

    @property
    def velocity(self) -> momentum.Velocity:
        """On the faces across z, y, x."""
        return self.w_mps, self.v_mps, self.u_mps


class SmokeSolver:
    """Steps the air of one box.

    Args:
        grid: its cells.
        boundaries: what bounds it.
        seed: of the unrest in the sources.
        params: numbers of the solver.
        device: cpu, or as torch names another one (``flow/device.py``).

    Raises:
        ConfigError: a box in which no flow exists (``make_domain``).
    """

    def __init__(
        self, grid: FlowGrid, boundaries: Boundaries, seed: int, params: SmokeParams, device: str = "cpu"
    ) -> None:
        self.grid, self.params, self.seed = grid, params, seed
        self.domain: Domain = make_domain(grid, boundaries)
        self._release = Release(self.domain, params, seed)
        self.walls = Walls(
            self.domain,
            WallNumbers(
                params.ambient_k,
                float(fire.air_density_kg_per_m3(params.ambient_k)),
                fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K,
                params.wall_roughness_m,
                params.wall_inertia_kw2_s_per_m4_k2,
            ),
        )
        numbers = Numbers(params.ambient_k, params.viscosity_m2_per_s, params.eddy, params.divergence_limit)
        inflow_k = tuple(lightness_k(plane, params.ambient_k) for plane in self.domain.inflow_rise_k)
        self._flow = _flow(self.domain, numbers, inflow_k, device)
        self.state = self._still()

    def _still(self) -> SmokeState:
        """Air at ambient temperature that moves with the wind as obstacles let it."""
        velocity = tuple(
            np.full(fixed.shape, speed, dtype=np.float32)
            for fixed, speed in zip(
                self.domain.fixed_mps, (0.0, self.domain.wind_mps[1], self.domain.wind_mps[0]), strict=True
            )
        )
        nothing = np.zeros(self.grid.shape, dtype=np.float32)
        w, v, u = self._flow.still(velocity)  # type: ignore[arg-type]
        rest = np.zeros_like(nothing)
        return SmokeState(
            0.0, 0, w, v, u, nothing, rest, rest.copy(), (w, v, u), 0.0, self.walls.cold(), Residuals()
        )

    def snapshot(self) -> SmokeState:
        """The state now; later steps leave it as it is."""
        return self.state

    def restore(self, state: SmokeState) -> None:
        """Go on from a state.

        Raises:
            InputError: of another grid, or with a number that is not finite.
        """
        self._check(state)
        self.state = state

    def step(self, dt_s: float, sources: Sequence[HeatSource]) -> SmokeState:
        """Go on by one step from the state now; see ``advance``."""
        self.state = self.advance(self.state, dt_s, sources)
        return self.state

    def advance(self, state: SmokeState, dt_s: float, sources: Sequence[HeatSource]) -> SmokeState:
        """The state one step later; a function of what it is given alone.

        Args:
            state: of this grid.
            dt_s: step; cut into equal sub-steps while the fastest air would cross too many cells.
            sources: what releases heat and soot meanwhile.

        Raises:
            InputError: a number that is not finite, heat release below 0, or too many sub-steps.
        """
        if not (math.isfinite(dt_s) and dt_s > 0.0):
            raise InputError("bad_step", f"smoke step: got {dt_s} s, expected a finite number above 0")
        speed = momentum.fastest(state.velocity)
        if not math.isfinite(speed):
            raise InputError(
                "not_finite", "smoke step: a velocity is not finite; go back to an earlier snapshot"
            )
        crossed = (speed + self._release.gain_mps(state, dt_s)) * dt_s / self.grid.cell_m
        found, total, parts, crossed = self._cut(state, dt_s, crossed, sources)
        notes = (f"{dt_s} s cut into {parts} sub-steps: {crossed:.1f} cells crossed",) if parts > 1 else ()
        heat_kw = total.heat_release_kw / parts
        residuals = dataclasses.replace(
            total, substeps=parts, heat_release_kw=heat_kw, notes=(*notes, *dict.fromkeys(total.notes))
        )
        self._check(found)
        return dataclasses.replace(found, steps=state.steps + 1, residuals=residuals)

    def _cut(
        self, state: SmokeState, dt_s: float, crossed: float, sources: Sequence[HeatSource]
    ) -> tuple[SmokeState, Residuals, int, float]:
        """The state one step later, in as many parts as it takes: residuals, parts, and cells crossed in the step."""
        parts = max(1, math.ceil(crossed / self.params.cells_a_step))
        while parts <= self.params.most_substeps:
            found, total, reached = self._in_parts(state, dt_s, parts, sources)
            if not reached > self.params.cells_a_step * _OVERSHOT:
                return found, total, parts, crossed
            crossed, parts = reached * parts, 2 * parts
        raise InputError(
            "step_too_long",
            f"smoke step: in {dt_s} s the air crosses {crossed:.1f} cells, which takes {parts} sub-steps; "
            f"expected at most {self.params.most_substeps}; take a shorter step or larger cells",
        )

    def _in_parts(
        self, state: SmokeState, dt_s: float, parts: int, sources: Sequence[HeatSource]
    ) -> tuple[SmokeState, Residuals, float]:
        """The state after equal sub-steps, the residuals of all of them, and how many cells air crosses in one.

        What heat lifts within a sub-step shows at its end only: at its beginning the air may have been at rest. It
        ends with the first sub-step that goes too far.
        """
        found, total, reached = state, Residuals(), 0.0
        for _ in range(parts):
            found = self._substep(found, dt_s / parts, sources)
            total = _together(total, found.residuals)
            reached = momentum.fastest(found.velocity) * dt_s / parts / self.grid.cell_m
            if reached > self.params.cells_a_step * _OVERSHOT:
                break
        return found, total, reached

    def _substep(self, state: SmokeState, dt_s: float, sources: Sequence[HeatSource]) -> SmokeState:
        params, cell_m = self.params, self.grid.cell_m
        scale = dt_s / cell_m
        given = self._release.into(state, dt_s, sources)
        ahead = _ahead(state, dt_s)
        crossed = momentum.fastest(ahead) * scale
        sweeps = max(1, math.ceil(crossed / _CELLS_A_SWEEP))
        upward = state.steps % 2 == 0
        velocity = momentum.copied(state.velocity)
        self._release.stir(velocity, given.lightness_k, state.time_s, dt_s, sources)
        had_k = float(given.lightness_k.sum(dtype=np.float64))
        wall_rise_k, lost_k = self.walls.touch(velocity, given.lightness_k, state.wall_rise_k, dt_s)
        grown = given.lightness_k - state.lightness_k
        grown *= np.float32(cell_m / (dt_s * params.ambient_k))
        before = Before(
            velocity, state.velocity, ahead, state.pressure, given.lightness_k, given.soot_kg_per_m3, grown, sweeps,
            upward,
        )  # fmt: skip
        after = self._flow.move(before, dt_s)
        how, notes = after.projected, given.notes
        soot = float(given.soot_kg_per_m3.sum(dtype=np.float64))
        if how.divergence > params.divergence_limit:
            notes = (*notes, f"divergence {how.divergence:.1e} left after {how.rounds} solves")
        kj_a_k = self._release.kj_per_k_cell
        residuals = Residuals(
            divergence=how.divergence,
            energy_error=_unaccounted(after.lightness_k, had_k, after.heat_in - lost_k),
            mass_error=_unaccounted(after.soot_kg_per_m3, soot, after.soot_in),
            heat_release_kw=given.heat_release_kw,
            enthalpy_out_kj=-after.heat_in * kj_a_k,
            wall_loss_kj=lost_k * kj_a_k,
            cells_crossed=crossed,
            solves=how.rounds,
            notes=notes,
        )
        return SmokeState(
            state.time_s + dt_s, state.steps, *after.velocity, after.lightness_k, after.soot_kg_per_m3,
            after.pressure, state.velocity, dt_s, wall_rise_k, residuals,
        )  # fmt: skip

    def _check(self, state: SmokeState) -> None:
        if state.lightness_k.shape != self.grid.shape:
            raise InputError(
                "wrong_grid", f"smoke state: got {state.lightness_k.shape} cells, expected {self.grid.shape}"
            )
        if state.wall_rise_k.shape != self.walls.cold().shape:
            raise InputError(
                "wrong_walls",
                f"smoke state: got solids of {state.wall_rise_k.shape}, expected {self.walls.cold().shape}",
            )
        for name in ("w_mps", "v_mps", "u_mps", "lightness_k", "soot_kg_per_m3", "wall_rise_k"):
            if getattr(state, name).size and not math.isfinite(momentum.largest(getattr(state, name))):
                raise InputError(
                    "not_finite",
                    f"smoke state: {name} is not finite at {state.time_s:.3f} s; nothing is drawn of it",
                )


def _flow(domain: Domain, numbers: Numbers, inflow_k: tuple[Float32Array, ...], device: str) -> Flow:
    if device == "cpu":
        return HostFlow(domain, numbers, inflow_k)
    from vidgen_nodes.generation.flow.device import DeviceFlow  # torch takes seconds and 150 MB

    return DeviceFlow(domain, numbers, inflow_k, device)


def temperature_k(state: SmokeAir, ambient_k: float) -> Float32Array:
    """Gas temperature (nz, ny, nx): T_a / (1 - theta / T_a), at most ``MOST_TEMPERATURE_K``."""
    least = np.float32(ambient_k / MOST_TEMPERATURE_K)
    share = np.float32(1.0) - state.lightness_k * np.float32(1.0 / ambient_k)
    return np.asarray(np.float32(ambient_k) / np.maximum(share, least))


def lightness_k(rise_k: Float32Array, ambient_k: float) -> Float32Array:
    """Lightness of air that is so much warmer: T_a dT / (T_a + dT); any shape."""
    return np.asarray(np.float32(ambient_k) * rise_k / (np.float32(ambient_k) + rise_k))


def _ahead(state: SmokeState, dt_s: float) -> momentum.Velocity:
    """Velocity half a step ahead, as it changed in the step before."""
    if state.before_s == 0.0:
        return state.velocity
    share = np.float32(0.5 * dt_s / state.before_s)
    w, v, u = (now + share * (now - before) for now, before in zip(state.velocity, state.before, strict=True))
    return w, v, u


def _unaccounted(after: Float32Array, total: float, entered: float) -> float:
    error = float(after.sum(dtype=np.float64)) - total - entered
    return abs(error) / max(abs(total), abs(entered), 1e-12)


def _together(total: Residuals, part: Residuals) -> Residuals:
    """Worst of the errors, sum of what flows."""
    return Residuals(
        divergence=max(total.divergence, part.divergence),
        energy_error=max(total.energy_error, part.energy_error),
        mass_error=max(total.mass_error, part.mass_error),
        heat_release_kw=total.heat_release_kw + part.heat_release_kw,
        enthalpy_out_kj=total.enthalpy_out_kj + part.enthalpy_out_kj,
        wall_loss_kj=total.wall_loss_kj + part.wall_loss_kj,
        cells_crossed=max(total.cells_crossed, part.cells_crossed),
        solves=total.solves + part.solves,
        notes=(*total.notes, *part.notes),
    )
