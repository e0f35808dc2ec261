# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The solved smoke of a scenario's ignitions, at any instant, as voxels that a gate has opened.

One lattice around all ignitions, anchored in the world, filled by the solver instead of by texture: soot at the
temperature of its gas. The flames themselves, and the soot in them, are the analytic layer's: cells of the solver
are too wide to hold their heat. Guarantees that what burns is what the analytic layer says (growth, size and flame
height of each fire), that a building's surfaces are walls to the air, that between two ticks of the solver nothing
jumps, and that every instant comes with a record of solver, processor, numbers, seed, step count and residuals.
Leaves out the soot of surfaces that burn (they give their heat), openings that the building does not have as a gap,
and the choice between this and the analytic layer (``solved_smoke.py``).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from llvmlite import binding  # type: ignore[import-untyped]  # it has none

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation import fire, nudging
from vidgen_nodes.generation.burning import Burning
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.nudging import Nudging
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, SmokeState
from vidgen_nodes.generation.smoke_box import SmokeBox, box_around, checked, foot_m, walls
from vidgen_nodes.generation.smoke_field import between, opened_field
from vidgen_nodes.generation.smoke_run import SmokeRun
from vidgen_nodes.generation.surface_heat import SurfaceHeat
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Ignition
from vidgen_nodes.scene.building import Building

SOLVER_VERSION = "3"
_BESIDE = 0.75  # burning diameters from the axis: soot so near is part of the flame of the analytic layer
_UNITS = {
    "ambient_k": "K",
    "cells_a_step": "cells",
    "viscosity_m2_per_s": "m2/s",
    "divergence_limit": "1, times cell over largest speed",
}


@dataclass(frozen=True, eq=False)
class SolvedSmoke:
    """One instant of it."""

    field: HazardField | None  # None: none of it is open
    record: Parameters  # its state; what does not change is ``SmokeLayer.record``


class SmokeLayer:
    """The solved smoke of a scenario.

    Args:
        ignitions: what burns, and from when (``start_s``).
        seed: of the scenario.
        ambient_k: temperature of the air.
        box: cells and ticks.
        building: whose surfaces stand in the air; None: nothing does.
        burning: surfaces that burn and give their heat; None: none do.
        wind_mps: (east, north).
        device: cpu, or a torch device.

    Raises:
        ConfigError: no ignition, ignitions that the box cannot hold, a number that no fire has, or a flame in which
            there is no air.
    """

    def __init__(
        self,
        ignitions: Sequence[Ignition],
        seed: int,
        ambient_k: float,
        box: SmokeBox,
        building: Building | None = None,
        burning: Burning | None = None,
        *,
        wind_mps: tuple[float, float] = (0.0, 0.0),
        device: str = "cpu",
    ) -> None:
        for item in ignitions:
            checked(item)
        self.ignitions, self.ambient_k, self.box, self.seed = tuple(ignitions), ambient_k, box, seed
        self.model, self.params = PlumeModel(), SmokeParams(ambient_k=ambient_k)
        self.grid = box_around(self.ignitions, box.cell_m, box.shape)
        self.shape, self.resolution_m = self.grid.shape, box.cell_m
        solid = walls(building, self.grid)
        self._feet_m = {item.name: foot_m(item, self.grid, solid) for item in self.ignitions}
        self._surfaces = None if burning is None else SurfaceHeat(burning, self.grid, solid)
        sides = {side: "open" for side in SIDES if side != "floor"}
        solver = SmokeSolver(self.grid, Boundaries(sides, solid, (), wind_mps), seed, self.params, device)
        tick_s = box.tick_ns * 1e-9
        self._try_out(solver, tick_s)
        drawn = Nudging(solver.domain, ambient_k, box.nudging_s) if box.nudging_s > 0.0 else None
        self.record: Parameters = self._constants(solid, wind_mps)
        self._run = SmokeRun(solver, tick_s, self.sources, nudging=drawn)

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cell centres in map along z, y, x."""
        return self.grid.centres_m()

    def sources(self, time_s: float) -> list[HeatSource]:
        """What gives heat so long after the start of the scenario."""
        return self._fires(time_s) + ([] if self._surfaces is None else self._surfaces.sources(time_s))

    def _fires(self, time_s: float) -> list[HeatSource]:
        """What the scenario has lit."""
        found = []
        for item in self.ignitions:
            heat_kw = fire.heat_release_kw(time_s - item.start_s, item.growth_kw_per_s2, item.peak_kw)
            if heat_kw < self.model.least_heat_kw:
                continue
            diameter_m = item.diameter_m * math.sqrt(heat_kw / item.peak_kw)
            soot = fire.soot_release_kg_per_s(heat_kw, item.soot_yield, item.heat_of_combustion_kj_per_kg)
            height_m = fire.flame_height_m(heat_kw, diameter_m)
            found.append(
                HeatSource(
                    self._feet_m[item.name], diameter_m, height_m, heat_kw, item.radiative_fraction, soot
                )
            )
        return found

    def at(self, scenario_ns: int, open_voxels: Float32Array, wait_s: float = 0.0) -> SolvedSmoke | None:
        """The smoke so long after the start of the scenario, where the gate lets it be.

        Args:
            scenario_ns: 0 or more.
            open_voxels: ``shape``, share of each voxel that is open.
            wait_s: how long to wait for the solver; 0 for a live frame, inf: until it is done.

        Returns:
            None before the start, and where the solver has not come so far.

        Raises:
            InputError: the solver refused a step.
        """
        if scenario_ns < 0:
            return None
        tick, past_ns = divmod(scenario_ns, self.box.tick_ns)
        # The later one first: waiting for it, the earlier one is done as well, and still kept.
        later = self._run.at(tick + 1, wait_s) if past_ns else None
        earlier = self._run.at(tick, wait_s)
        if earlier is None or (past_ns and later is None):
            return None
        share = past_ns / self.box.tick_ns
        seen = earlier if later is None else between(earlier, later, share)
        seen = self._outside_flames(seen, scenario_ns * 1e-9)
        found = opened_field(seen, self.grid, self.ambient_k, 0.0, self.model.luminous_soot_k, open_voxels)
        return SolvedSmoke(found, self._state_record(earlier, share))

    @property
    def newest_tick(self) -> int:
        """The last tick that the solver has done."""
        return self._run.newest

    def lead_ticks(self, scenario_ns: int) -> int:
        """How many ticks the solver is ahead of what is asked for; below 0: late."""
        return self._run.newest - -(-scenario_ns // self.box.tick_ns)

    @property
    def states_kept(self) -> int:
        """How many states of the air are held; bounded however long the scenario is."""
        return self._run.states_kept

    @property
    def is_running(self) -> bool:
        """Whether the solver's thread lives."""
        return self._run.is_running

    def close(self, *, wait: bool = True) -> None:
        """Stop the solver; ``wait``: for the step that it is taking."""
        self._run.close(wait=wait)

    def _outside_flames(self, state: SmokeState, time_s: float) -> SmokeState:
        """Soot as it leaves flames: none up to ``smoke_from`` of their height, all of it from the tip on."""
        soot = state.soot_kg_per_m3.copy()
        z_m, y_m, x_m = self.grid.centres_m()
        for source in self._fires(time_s):
            east, north, up = source.position_m
            away_m = np.hypot(y_m[:, None] - north, x_m[None, :] - east)
            inside_m = _BESIDE * source.diameter_m + self.resolution_m
            beside = np.clip((away_m - inside_m) / self.resolution_m, 0.0, 1.0)
            levels = slice(0, int(np.searchsorted(z_m, up + source.height_m)))
            start = self.model.smoke_from
            left = np.clip(((z_m[levels] - up) / source.height_m - start) / (1.0 - start), 0.0, 1.0)
            left = left * left * (3.0 - 2.0 * left)
            soot[levels] *= np.maximum(beside, left[:, None, None]).astype(np.float32)
        return dataclasses.replace(state, soot_kg_per_m3=soot)

    def _try_out(self, solver: SmokeSolver, tick_s: float) -> None:
        """One step with every fire at its peak, thrown away: what cannot be solved is refused before any frame.

        It also compiles what the thread would else compile beside the frames.
        """
        grown_s = max(
            item.start_s + math.sqrt(item.peak_kw / item.growth_kw_per_s2) for item in self.ignitions
        )
        try:
            solver.advance(solver.state, tick_s, self.sources(grown_s + 1.0))
        except InputError as err:
            raise ConfigError(f"smoke solver: {err}; or leave smoke_model analytic") from err

    def _constants(self, solid: BoolArray | None, wind_mps: tuple[float, float]) -> Parameters:
        source = "smoke solver"
        blocked = np.zeros(self.grid.shape, bool) if solid is None else solid
        return {
            "numbers": {
                item.name: entry(
                    getattr(self.params, item.name),
                    _UNITS.get(item.name, "1"),
                    "smoke solver, see SmokeParams",
                )
                for item in dataclasses.fields(self.params)
            },
            "version": entry(SOLVER_VERSION, "", source),
            "processor": entry(_processor(), "", "this machine"),
            "seed": entry(self.seed, "", "scenario"),
            "cells": entry(list(self.shape), "z, y, x", "parameter"),
            "cell_m": entry(self.resolution_m, "m", "parameter"),
            "origin_m": entry(list(self.grid.origin_m), "m in map", "around the ignitions"),
            "tick": entry(self.box.tick_ns, "ns", "parameter"),
            "wind": entry(list(wind_mps), "m/s east, north", "not modelled: still air"),
            "walls": entry(int(blocked.sum()), "cells", "surfaces of the building"),
            "walls_sha256": entry(
                hashlib.sha256(np.packbits(blocked).tobytes()).hexdigest(), "SHA-256", "of the cells, packed"
            ),
            "feet_m": {
                name: entry(list(place_m), "m in map", "the ignition, or the nearest cell of air")
                for name, place_m in self._feet_m.items()
            },
            "surfaces": {} if self._surfaces is None else self._surfaces.record(),
            "least_heat_kw": entry(self.model.least_heat_kw, "kW", "assumed: below this nothing burns"),
            "flame_beside": entry(
                _BESIDE, "burning diameters", "assumed: soot so near the axis is the flame's"
            ),
            "smoke_from": entry(
                self.model.smoke_from, "flame heights", "assumed: soot leaves the flame from here"
            ),
            "luminous_flame": entry(False, "", "flames are drawn by the analytic layer"),
            "nudging_s": entry(self.box.nudging_s, "s", "parameter; 0: none"),
            "nudging_mean_s": entry(nudging.MEAN_S, "s", "over which the solver's mean is taken"),
            "nudging_most": entry(nudging.MOST_SHARE, "of the convected heat", "bound"),
        }

    def _state_record(self, state: SmokeState, share: float) -> Parameters:
        found = state.residuals
        star_m = fire.characteristic_diameter_m(max(found.heat_release_kw, 1e-3), self.ambient_k)
        source = "smoke solver"
        return {
            "steps": entry(state.steps, "1", source),
            "share": entry(share, "1", "of the way to the next tick"),
            "substeps": entry(found.substeps, "1", source),
            "heat_release_kw": entry(found.heat_release_kw, "kW", "volume integral of the source"),
            "cells_a_dstar": entry(star_m / self.resolution_m, "1", "D* over the cell"),
            "cells_crossed": entry(found.cells_crossed, "cells", "by the fastest air in a sub-step"),
            "divergence": entry(found.divergence, "1", "residual, times cell over largest speed"),
            "energy_error": entry(found.energy_error, "1", "residual"),
            "mass_error": entry(found.mass_error, "1", "residual"),
            "nudging_kw": entry(found.nudging_kw, "kW", "residual"),
            "notes": entry("; ".join(found.notes), "", source),
        }


@functools.cache
def _processor() -> str:
    """The processor that kernels are compiled for: another one may round otherwise."""
    return str(binding.get_host_cpu_name())
