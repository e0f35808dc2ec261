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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from llvmlite import binding  # type: ignore[import-untyped]  # it has none

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation import fire, nudging
from vidgen_nodes.generation.air_conditioning import changes, ducts, ducts_record, read_grilles, trimmed
from vidgen_nodes.generation.burning import Burning
from vidgen_nodes.generation.flow.domain import SIDES
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.smoke import SeenAir, SmokeAir, SmokeParams
from vidgen_nodes.generation.smoke_box import SmokeBox, box_around, checked, foot_m, wall_inertia, walls
from vidgen_nodes.generation.smoke_field import between, opened_field
from vidgen_nodes.generation.smoke_plan import SmokePlan, SmokeTicks
from vidgen_nodes.generation.smoke_process import SmokeProcess
from vidgen_nodes.generation.smoke_sources import SmokeSources
from vidgen_nodes.generation.surface_heat import SurfaceHeat
from vidgen_nodes.generation.wind.box import before_walls, outside_leaning, wind_on_box, wind_record
from vidgen_nodes.generation.wind.fires import WindOnFires
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grille, Ignition
from vidgen_nodes.scene.building import Building

SOLVER_VERSION = "4"
_BESIDE = 0.75  # burning diameters from the axis: soot so near is part of the flame of the analytic layer
_UNITS = {
    "ambient_k": "K",
    "cells_a_step": "cells",
    "viscosity_m2_per_s": "m2/s",
    "wall_roughness_m": "m",
    "wall_inertia_kw2_s_per_m4_k2": "(kW/(m2 K))^2 s",
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
        wind: on those of the fires that it reaches; None: still air.
        grilles: of the air conditioning; the box ends at the surfaces that they lie in.
        apart: solved in a process of its own; for a live world, which never waits.

    Raises:
        ConfigError: no ignition, ignitions that the box cannot hold, a number that no fire has, a flame in which
            there is no air, or grilles that do not fit the box.
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
        wind: WindOnFires | None = None,
        grilles: Sequence[Grille] = (),
        apart: bool = False,
    ) -> None:
        for item in ignitions:
            checked(item)
        self.ignitions, self.ambient_k, self.box, self.seed = tuple(ignitions), ambient_k, box, seed
        self.model, self.params = PlumeModel(), SmokeParams(ambient_k=ambient_k)
        read, grille_record = read_grilles(grilles)
        self.grid = trimmed(box_around(self.ignitions, box.cell_m, box.shape), read, building)
        self.shape, self.resolution_m = self.grid.shape, box.cell_m
        built = walls(building, self.grid)
        wind_mps = wind_on_box(wind, self.grid)
        solid = before_walls(built, wind_mps, self.grid.shape)
        feet_m = {item.name: foot_m(item, self.grid, solid) for item in self.ignitions}
        surfaces = None if burning is None else SurfaceHeat(burning, self.grid, solid)
        self.sources = SmokeSources(self.ignitions, feet_m, self.model.least_heat_kw, surfaces)
        self._leans = {} if wind is None else wind.leans
        sides = {side: "open" for side in SIDES if side != "floor"}
        cut = ducts(self.grid, read, ambient_k)
        inertia = wall_inertia(building, self.grid)
        (_, first), *later = changes(cut, sides, solid, wind_mps, inertia)
        # The correlation that plumes are drawn to is of still air.
        self._nudging_s = 0.0 if self._leans else box.nudging_s
        plan = SmokePlan(
            self.grid, first, seed, self.params, box.tick_ns * 1e-9, self.sources, self._nudging_s, box.device,
            tuple(later),
        )  # fmt: skip
        _try_out(plan)
        self.record: Parameters = self._constants(built, inertia)
        if wind is not None:
            still = 0 if solid is None or built is None else int(solid.sum()) - int(built.sum())
            self.record |= wind_record(wind_mps, self.grid, still)
        if cut:
            self.record["air_conditioning"] = ducts_record(cut, grille_record, box.cell_m)
        self._run: SmokeTicks = SmokeProcess(plan) if apart else plan.run()

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cell centres in map along z, y, x."""
        return self.grid.centres_m()

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
        """Whether the solver works."""
        return self._run.is_running

    def close(self, *, wait: bool = True) -> None:
        """Stop the solver; ``wait``: for the step that it is taking."""
        self._run.close(wait=wait)

    def _outside_flames(self, air: SmokeAir, time_s: float) -> SmokeAir:
        """Soot as it leaves flames: none up to ``smoke_from`` of their height, all of it from the tip on."""
        soot = air.soot_kg_per_m3.copy()
        z_m, y_m, x_m = self.grid.centres_m()
        for name, source in self.sources.by_name(time_s).items():
            lean = self._leans.get(name)
            if lean is not None:
                soot *= outside_leaning(source, lean, self.grid, self.model.smoke_from, _BESIDE)
                continue
            east, north, up = source.position_m
            away_m = np.hypot(y_m[:, None] - north, x_m[None, :] - east)
            inside_m = _BESIDE * source.diameter_m + self.resolution_m
            beside = np.clip((away_m - inside_m) / self.resolution_m, 0.0, 1.0)
            levels = slice(0, int(np.searchsorted(z_m, up + source.height_m)))
            start = self.model.smoke_from
            left = np.clip(((z_m[levels] - up) / source.height_m - start) / (1.0 - start), 0.0, 1.0)
            left = left * left * (3.0 - 2.0 * left)
            soot[levels] *= np.maximum(beside, left[:, None, None]).astype(np.float32)
        return SeenAir(air.steps, air.lightness_k, soot, air.residuals)

    def _constants(self, solid: BoolArray | None, inertia: Float32Array | None) -> Parameters:
        source = "smoke solver"
        blocked = np.zeros(self.grid.shape, bool) if solid is None else solid
        known = np.full(self.grid.shape, np.nan, np.float32) if inertia is None else inertia
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
            "processor": entry(_processor(self.box.device), "", "this machine"),
            "seed": entry(self.seed, "", "scenario"),
            "cells": entry(list(self.shape), "z, y, x", "parameter"),
            "cell_m": entry(self.resolution_m, "m", "parameter"),
            "origin_m": entry(list(self.grid.origin_m), "m in map", "around the ignitions"),
            "tick": entry(self.box.tick_ns, "ns", "parameter"),
            "wind": entry([0.0, 0.0], "m/s east, north", "not modelled: still air"),
            "walls": entry(int(blocked.sum()), "cells", "surfaces of the building"),
            "walls_sha256": entry(
                hashlib.sha256(np.packbits(blocked).tobytes()).hexdigest(), "SHA-256", "of the cells, packed"
            ),
            "walls_inertia_known": entry(
                int(np.isfinite(known).sum()), "cells", "k rho c from config/materials.yaml"
            ),
            "walls_inertia_sha256": entry(
                hashlib.sha256(known.astype("<f4").tobytes()).hexdigest(),
                "SHA-256",
                "of k rho c, NaN: not known",
            ),
            "feet_m": {
                name: entry(list(place_m), "m in map", "the ignition, or the nearest cell of air")
                for name, place_m in self.sources.feet_m.items()
            },
            "surfaces": {} if self.sources.surfaces is None else self.sources.surfaces.record(),
            "least_heat_kw": entry(self.model.least_heat_kw, "kW", "assumed: below this nothing burns"),
            "flame_beside": entry(
                _BESIDE, "burning diameters", "assumed: soot so near the axis is the flame's"
            ),
            "smoke_from": entry(
                self.model.smoke_from, "flame heights", "assumed: soot leaves the flame from here"
            ),
            "luminous_soot_k": entry(self.model.luminous_soot_k, "K", "assumed: of soot that glows"),
            "luminous_flame": entry(False, "", "flames are drawn by the analytic layer"),
            "nudging_s": entry(self._nudging_s, "s", "parameter; 0: none"),
            "nudging_mean_s": entry(nudging.MEAN_S, "s", "over which the solver's mean is taken"),
            "nudging_most": entry(nudging.MOST_SHARE, "of the convected heat", "bound"),
        }

    def _state_record(self, air: SmokeAir, share: float) -> Parameters:
        found = air.residuals
        star_m = fire.characteristic_diameter_m(max(found.heat_release_kw, 1e-3), self.ambient_k)
        source = "smoke solver"
        return {
            "steps": entry(air.steps, "1", source),
            "share": entry(share, "1", "of the way to the next tick"),
            "substeps": entry(found.substeps, "1", source),
            "heat_release_kw": entry(found.heat_release_kw, "kW", "volume integral of the source"),
            "cells_a_dstar": entry(star_m / self.resolution_m, "1", "D* over the cell"),
            "cells_crossed": entry(found.cells_crossed, "cells", "by the fastest air in a sub-step"),
            "divergence": entry(found.divergence, "1", "residual, times cell over largest speed"),
            "energy_error": entry(found.energy_error, "1", "residual"),
            "mass_error": entry(found.mass_error, "1", "residual"),
            "nudging_kw": entry(found.nudging_kw, "kW", "residual"),
            "wall_loss_kj": entry(found.wall_loss_kj, "kJ", "heat that solid surfaces took in the step"),
            "notes": entry("; ".join(found.notes), "", source),
        }


@functools.cache
def _processor(device: str) -> str:
    """The processor that works it out: another one may round otherwise."""
    if torch.device(device).type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return str(binding.get_host_cpu_name())


def _try_out(plan: SmokePlan) -> None:
    """One step with every fire at its peak, thrown away: what cannot be solved is refused before any frame.

    It also compiles what would else be compiled beside the frames.
    """
    solver = plan.solver()
    try:
        solver.advance(solver.state, plan.tick_s, plan.sources(plan.sources.grown_s() + 1.0))
    except InputError as err:
        raise ConfigError(f"smoke solver: {err}; or leave smoke_model analytic") from err
