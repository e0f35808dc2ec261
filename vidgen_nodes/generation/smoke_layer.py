# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The solved smoke of a scenario's ignitions, tick by tick, as voxels that a gate has opened.

It stands where ``plume.py``'s voxels of the same fires would: one lattice around all ignitions, anchored in the
world, filled by the solver instead of by texture. Guarantees that what burns is what the analytic layer says
(growth, size and flame height of each fire), and that every tick comes with a record of solver, processor,
numbers, seed, step count and residuals. Leaves out fires that spread over surfaces, and the choice between
this and the analytic layer.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from llvmlite import binding  # type: ignore[import-untyped]  # it has none

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, SmokeState
from vidgen_nodes.generation.smoke_field import smoke_field
from vidgen_nodes.generation.smoke_run import SmokeRun
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Ignition

SOLVER_VERSION = "1"
SHAPE = (48, 64, 64)  # cells around the ignitions; one core keeps up with this many at a tick of 80 ms
_MARGIN = 0.25  # of the box's width that is kept free around the ignitions


@dataclass(frozen=True, eq=False)
class SolvedSmoke:
    """One tick of it."""

    field: HazardField
    record: Parameters


class SmokeLayer:
    """The solved smoke of a scenario.

    Args:
        ignitions: what burns, and from when (``start_s``).
        seed: of the scenario.
        ambient_k: temperature of the air.
        cell_m: edge of a cell.
        tick_s: length of a tick; tick 0 is the start of the scenario.
        wind_mps: (east, north).
        solid: cells of ``SHAPE`` that are no air; None: all of them are.
        device: cpu, or a torch device.

    Raises:
        ConfigError: no ignition, or ignitions that the box cannot hold.
    """

    def __init__(
        self,
        ignitions: Sequence[Ignition],
        seed: int,
        ambient_k: float,
        cell_m: float,
        tick_s: float,
        *,
        wind_mps: tuple[float, float] = (0.0, 0.0),
        solid: BoolArray | None = None,
        device: str = "cpu",
    ) -> None:
        self.ignitions, self.ambient_k, self.tick_s, self.seed = tuple(ignitions), ambient_k, tick_s, seed
        self.model, self.params = PlumeModel(), SmokeParams(ambient_k=ambient_k)
        self.grid = box_around(self.ignitions, cell_m)
        self.shape, self.resolution_m = self.grid.shape, cell_m
        sides = {side: "open" for side in SIDES if side != "floor"}
        boundaries = Boundaries(sides, solid, (), wind_mps)
        solver = SmokeSolver(self.grid, boundaries, seed, self.params, device)
        self._run = SmokeRun(solver, tick_s, self.sources)

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cell centres in map along z, y, x."""
        return self.grid.centres_m()

    def sources(self, time_s: float) -> list[HeatSource]:
        """What burns so long after the start of the scenario."""
        found = []
        for item in self.ignitions:
            heat_kw = fire.heat_release_kw(time_s - item.start_s, item.growth_kw_per_s2, item.peak_kw)
            if heat_kw < self.model.least_heat_kw:
                continue
            diameter_m = item.diameter_m * math.sqrt(heat_kw / item.peak_kw)
            soot = fire.soot_release_kg_per_s(heat_kw, item.soot_yield, item.heat_of_combustion_kj_per_kg)
            height_m = fire.flame_height_m(heat_kw, diameter_m)
            found.append(
                HeatSource(item.position_m, diameter_m, height_m, heat_kw, item.radiative_fraction, soot)
            )
        return found

    def at(self, tick: int, open_voxels: Float32Array, wait_s: float = 0.0) -> SolvedSmoke | None:
        """The smoke at a tick where the gate lets it be.

        Args:
            tick: since the start of the scenario; before it there is none.
            open_voxels: ``shape``, share of each voxel that is open.
            wait_s: how long to wait for the solver; 0 for a live frame.

        Returns:
            None before the start, and where the solver has not come so far.

        Raises:
            InputError: the solver refused a step.
        """
        if tick < 0:
            return None
        state = self._run.at(tick, wait_s)
        if state is None:
            return None
        absorption = max(item.flame_absorption_per_m for item in self.ignitions)
        found = smoke_field(
            state, self.grid, self.ambient_k, absorption, self.model.luminous_soot_k, open_voxels
        )
        return SolvedSmoke(found, self._record(state))

    def close(self) -> None:
        """Stop the solver."""
        self._run.close()

    def _record(self, state: SmokeState) -> Parameters:
        found = state.residuals
        star_m = fire.characteristic_diameter_m(max(found.heat_release_kw, 1e-3), self.ambient_k)
        source = "smoke solver"
        return {
            **_constants(self.params),
            "version": entry(SOLVER_VERSION, "", source),
            "processor": entry(_processor(), "", "this machine"),
            "seed": entry(self.seed, "", "scenario"),
            "cells": entry(list(self.shape), "z, y, x", source),
            "cell_m": entry(self.resolution_m, "m", "parameter"),
            "steps": entry(state.steps, "1", source),
            "substeps": entry(found.substeps, "1", source),
            "heat_release_kw": entry(found.heat_release_kw, "kW", "volume integral of the source"),
            "cells_a_dstar": entry(star_m / self.resolution_m, "1", "D* over the cell"),
            "divergence": entry(found.divergence, "1", "residual, times cell over largest speed"),
            "energy_error": entry(found.energy_error, "1", "residual"),
            "mass_error": entry(found.mass_error, "1", "residual"),
            "nudging_kw": entry(found.nudging_kw, "kW", "residual"),
            "notes": entry("; ".join(found.notes), "", source),
        }


def box_around(ignitions: Sequence[Ignition], cell_m: float) -> FlowGrid:
    """The lattice of ``SHAPE`` whose floor is the lowest ignition and whose middle is between all of them.

    Raises:
        ConfigError: no ignition, or one too near the box's sides.
    """
    if not ignitions:
        raise ConfigError("smoke solver: the scenario has no ignition; leave smoke_model analytic")
    places = np.array([item.position_m for item in ignitions], dtype=np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    width_m = np.array([SHAPE[2], SHAPE[1]]) * cell_m
    if ((high - low)[:2] > (1.0 - 2.0 * _MARGIN) * width_m).any():
        raise ConfigError(
            f"smoke solver: ignitions lie {float((high - low)[:2].max()):.1f} m apart and the box is "
            f"{float(width_m.min()):.1f} m wide; take larger cells"
        )
    east, north = (0.5 * (low + high)[:2] - 0.5 * width_m).tolist()
    return FlowGrid((east, north, float(low[2])), cell_m, SHAPE)


def _constants(params: SmokeParams) -> Parameters:
    """Every number of the solver, by name."""
    return {
        item.name: entry(getattr(params, item.name), "", "smoke solver, see SmokeParams")
        for item in dataclasses.fields(params)
    }


@functools.cache
def _processor() -> str:
    """The processor that kernels are compiled for: another one may round otherwise."""
    return str(binding.get_host_cpu_name())
