# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic world: what burns and lies where, at a tick of event time, where the gate lets it.

Guarantees that ``World.at`` is a pure function of event time, scenario, gate and map: the same inputs
give the same bytes whatever was asked before, and every number that it reads is in ``parameters``
with its unit. No open cell, any cause of doubt, or no scenario gives an empty world. Leaves out
drawing (``render.py``) and the choice of the open cells (``scene/gate.py``).

With ``smoke_model: solver`` that holds for whoever waits for the solver. A live world does not wait: a tick that is
not solved in time is drawn without it, its record says so (``solved_smoke.py``), and by that record it is made again.
"""

from __future__ import annotations

import functools
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.air_conditioning import read_grilles
from vidgen_nodes.generation.areas import BurningAreas
from vidgen_nodes.generation.debris import DebrisBox
from vidgen_nodes.generation.debris_fall import DebrisFall, choices_record
from vidgen_nodes.generation.debris_library import FallLibrary, fall_library
from vidgen_nodes.generation.hazards import fire_hazards, flame_permits
from vidgen_nodes.generation.imported import ImportedFields, ImportedStep
from vidgen_nodes.generation.lit_fires import LitFires, below_tip, lit_fires, read_ignition, state_record
from vidgen_nodes.generation.open_voxels import flame_floor_m, open_voxels
from vidgen_nodes.generation.physics_record import Parameters, Reading, entry, parameters_sha256
from vidgen_nodes.generation.place import BurningPlace, LoosePlace, Place, Where
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.plume_model import PlumeModel, model_parameters
from vidgen_nodes.generation.solved_smoke import (
    SOLVER,
    SmokeStep,
    SolvedSmokes,
    read_box,
    solved_smokes,
)
from vidgen_nodes.generation.steam_leaks import SteamLeaks, SteamStep
from vidgen_nodes.generation.wind.debris import WindOnDebris
from vidgen_nodes.generation.wind.fires import ELEMENT as WIND
from vidgen_nodes.packets import Hazard, PhysicsRef, Scenario, UncertaintyMap
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.leak_reach import LeakReach

if TYPE_CHECKING:
    from vidgen_nodes.scene.building import Building
    from vidgen_nodes.scene.compose import Scene
    from vidgen_nodes.scene.gate import Gate

PHYSICS_VERSION = "1"
_SOURCES = {
    "flame": "Heskestad 1983 flame height and width; McCaffrey 1979 centreline; Cetegen-Ahmed 1993 puffing",
    "spread": "opposed and concurrent rates of Quintiere & Harkleroad 1984, fast marching over the surfaces",
    "smoke": "Heskestad 1986 entrainment; Tewarson soot yields; Mulholland-Croarkin 2000 extinction",
    "debris": "MuJoCo rigid bodies in air, solved on planes of the slopes of the measured elevation",
    "debris/releases": "open debris cells of the gate",
    WIND: "AGA 1974 tilt of the flame; Briggs 1969 bent-over plume",
}
_KEPT_JETS = 2  # buildings whose jets in wind are kept
_KEPT = 8  # states, and places, that were or will be; saves time only


@dataclass(frozen=True, slots=True, eq=False)
class WorldState:
    """The world at one tick, as far as the gate lets it be."""

    tick: int
    fields: tuple[HazardField, ...] = ()  # one a burning fire, one a burning surface, with an open column
    debris: tuple[DebrisBox, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    physics: tuple[PhysicsRef, ...] = ()
    # By element: what ``physics[...].parameters_sha256`` is the hash of; [value, unit, source] at the leaves.
    # "smoke" has every constant of the fires and is stored once a run; "flame" has their state at this
    # tick and names the constants by hash.
    parameters: Parameters = field(default_factory=dict)
    gate: Gate | None = None  # what the state was made behind

    @property
    def field(self) -> HazardField | None:
        """The first fire's field, where there is one."""
        return self.fields[0] if self.fields else None


class World:
    """Steps a scenario on the grid of event time.

    Args:
        params: tick and resolution are read.
        scenario: None: an empty world for ever.
        building: on which fires spread; solved here and not in a frame. One that only comes with a scene is solved
            with its first frame.
        smoke_wait_s: how long a tick waits for the solver of the smoke: 0 live, inf where there is time.

    Raises:
        ConfigError: a fire too large for the resolution, a scenario that does not fit the building, fires
            that the solver's box cannot hold, or an imported field that cannot be read.
        MissingPackageError: the scenario has debris or an imported field, and what it needs is not installed.
    """

    def __init__(
        self,
        params: GeneratorParams,
        scenario: Scenario | None,
        building: Building | None = None,
        *,
        smoke_wait_s: float = math.inf,
    ) -> None:
        self.scenario = scenario
        self._params = Reading(params, "parameter")
        self.tick_ns = round(self._params.get("world_tick_ms", "ms") * 1e6)
        # Read by the renderer; part of what made the picture.
        for name, unit in (
            ("render_stride_px", "px"),
            ("sensor_hottest_degc", "degC"),
            ("sensor_netd_mk", "mK"),
        ):
            self._params.get(name, unit)
        self._is_solved = self._params.get("smoke_model", "") == "solver"
        self._box = read_box(self._params) if self._is_solved else None
        self._smoke_wait_s = smoke_wait_s
        self._smokes: tuple[bytes, SolvedSmokes | None] = b"", None  # of the building with that digest
        self._states: OrderedDict[tuple[int, Where, bool], WorldState] = OrderedDict()
        self._places: OrderedDict[Where, Place] = OrderedDict()
        self._steam: OrderedDict[bytes, SteamLeaks] = OrderedDict()  # by digest of the building; calm: one
        self._at_home = building
        self._lit: dict[bytes, LitFires] = {}  # by digest of the building; without wind there is one
        self._areas: dict[bytes, BurningAreas | None] = {}  # by digest of the building
        if scenario is None:
            return
        self._reading = Reading(scenario, "scenario")
        self._reading.get("name", "")
        self._seed = int(self._reading.get("seed", ""))
        self._start_ns = int(self._reading.get("start_ns", "ns"))
        self._ambient_k = float(self._reading.get("ambient_k", "K"))
        self._has_debris = bool(self._reading.get("debris", ""))
        ignitions = [read_ignition(item) for item in scenario.ignitions]
        self._ignitions = tuple(item for item, _ in ignitions)
        resolution_m = self._resolution_m = float(self._params.get("field_resolution_m", "m"))
        self._wind, self._grilles = self._reading.item("wind"), self._reading.item("grilles")
        self._lit_of(building)
        self._constants: Parameters = {
            **self._common(),
            "fires": {item.name: record for item, record in ignitions},
            "model": {**model_parameters(PlumeModel()), **_constants()},
        }
        if self._grilles:
            used = "the solver" if self._is_solved else "nothing: the analytic layer knows no rooms"
            _, read = read_grilles(self._grilles)
            self._constants["air_conditioning"] = {**read, "used_by": entry(used, "", "smoke_model")}
        self._constants_ref = self._physics({"smoke": self._constants})
        digest = self._constants_ref[0].parameters_sha256
        self._constants_link = entry(digest.hex(), "SHA-256", "the record of the element smoke")
        self._areas_of(building)
        self._library: FallLibrary | None = None
        if self._has_debris:  # solved here, before any frame; the record of it takes every solution
            blown = None if self._wind is None else WindOnDebris(self._wind, building)
            if blown is not None:
                blown.reached(np.zeros((1, 3)))  # compiled here and in no frame
            self._library = fall_library(self._seed, *(() if blown is None else (blown.speed_mps,)))
            self._falling: Parameters = {
                **self._common(),
                **self._library.record,
                "choices": choices_record(),
                **({} if blown is None else {"wind": blown.record}),
            }
            self._falling_ref = self._physics({"debris": self._falling})
        self._imported: ImportedFields | None = None
        if self._reading.item("imported"):
            # Where the file lies decides nothing: what it holds is in the record.
            folder = Path(params.scenario_file).parent
            self._imported = ImportedFields(
                scenario.imported, folder, self._seed, self._ambient_k, resolution_m
            )
        self._leaks = self._reading.item("leaks")
        self._jets_of(building)
        self._smokes_of(building)

    @property
    def leaks(self) -> tuple[LeakReach, ...]:
        """How far the steam of each leak could reach around the building that the world was made with."""
        return self.leaks_on(self._at_home)

    def leaks_on(self, building: Building | None) -> tuple[LeakReach, ...]:
        """How far the steam of each leak could reach around a building: for the gate."""
        jets = self._jets_of(building)
        return () if jets is None else jets.reaches

    @property
    def constants(self) -> Parameters:
        """Every number of the fires that does not change in a run; empty without a scenario."""
        if self.scenario is None:
            return {}
        parts = [("spread", areas.record) for areas in self._areas.values() if areas is not None][:1]
        parts += [(WIND, lit.wind.record) for lit in self._lit.values() if lit.wind is not None][-1:]
        if (smokes := self._smokes[1]) is not None:
            parts.append((SOLVER, smokes.record))
        parts += [("steam", item.record) for item in self._steam.values()][-1:]
        return {**self._constants, **dict(parts)}

    @property
    def withheld(self) -> tuple[str, ...]:
        """What of the scenario is not drawn as it asks for, in a sentence each."""
        smokes = self._smokes[1]
        if smokes is not None and smokes.refusal:
            return (f"smoke is drawn from the correlations: {smokes.refusal}",)
        if self.scenario is not None and self.scenario.grilles and not self._is_solved:
            return (
                "air_conditioning moves nothing: the analytic layer knows no rooms; set smoke_model: solver",
            )
        return ()

    def close(self, *, wait: bool = True) -> None:
        """Stop the solver of the smoke; ``wait``: for the step that it is taking."""
        if (smokes := self._smokes[1]) is not None:
            smokes.close(wait=wait)

    def at(self, stamp_ns: int, scene: Scene, gate: Gate, *, analytic: bool = False) -> WorldState:
        """The world at the newest tick not after ``stamp_ns``.

        Args:
            stamp_ns: event time.
            scene: its causes and its map count.
            gate: where anything may be.
            analytic: the record of this frame says that the solver of the smoke was late.
        """
        tick = stamp_ns // self.tick_ns
        place = self.survey(scene, gate)
        if place is None:
            return WorldState(tick, gate=gate)
        state = self._states.get((tick, place.where, analytic))
        if state is None:
            state = self._states[tick, place.where, analytic] = self._step(tick, place, analytic)
            if len(self._states) > _KEPT:
                self._states.popitem(last=False)
        return state

    def survey(self, scene: Scene, gate: Gate) -> Place | None:
        """What gate and map decide for every tick, worked out once; None where nothing may be."""
        umap = scene.uncertainty_map
        if self.scenario is None or scene.causes or gate.grid is None or not gate.cells_open or umap is None:
            return None
        where = (gate.digest, umap.digest, b"" if scene.building is None else scene.building.digest)
        place = self._places.get(where)
        if place is None:
            place = self._places[where] = self._survey(where, gate, umap, scene.building)
            if len(self._places) > _KEPT:
                self._places.popitem(last=False)
        return place

    def _survey(self, where: Where, gate: Gate, umap: UncertaintyMap, building: Building | None) -> Place:
        """What one gate and one map decide for every tick."""
        areas = self._areas_of(building)
        lit = self._lit_of(building)
        permits = tuple(flame_permits(plume, gate) for plume in lit.plumes)
        floor_m = flame_floor_m(gate, umap, building)
        voxels = tuple(open_voxels(plume, gate, floor_m) for plume in lit.plumes)
        sheets = () if areas is None else tuple(open_voxels(item, gate, floor_m) for item in areas.sheets)
        own = BurningPlace(
            areas, sheets, gate, () if areas is None else self._physics({"spread": areas.record})
        )
        played = () if self._imported is None else self._imported.played
        imported = tuple(open_voxels(item, gate, floor_m) for item in played)
        jets = self._jets_of(building)
        steam = () if jets is None else jets.open_voxels(gate)
        smokes = self._smokes_of(building)
        solved = None if smokes is None else (smokes, open_voxels(smokes.layer, gate, floor_m))
        loose = self._loose(gate, umap, building)
        return Place(where, lit, voxels, permits, own, loose, imported, jets, steam, solved)

    def _loose(self, gate: Gate, umap: UncertaintyMap, building: Building | None) -> LoosePlace | None:
        """The debris of one gate and one map; None where the scenario has none."""
        if self._library is None:
            return None
        assert gate.grid is not None
        roof_m = None if building is None else building.roof_height(gate.grid)
        wind = None if self._wind is None else WindOnDebris(self._wind, building)
        fall = DebrisFall(gate, umap, roof_m, self._seed, self._start_ns, self._library, wind)
        digest = entry(
            self._falling_ref[0].parameters_sha256.hex(), "SHA-256", "the record of the element debris"
        )
        releases = {**fall.record(), "constants_sha256": digest}
        physics = (*self._falling_ref, *self._physics({"debris/releases": releases}))
        return LoosePlace(fall, gate, umap, {"debris": self._falling, "debris/releases": releases}, physics)

    def _step(self, tick: int, place: Place, analytic: bool) -> WorldState:
        scenario_ns = tick * self.tick_ns - self._start_ns
        smoke = place.smoke(tick, scenario_ns, analytic)
        fields, hazards, fires = self._fires(scenario_ns * 1e-9, place, smoke)
        areas = place.area.step(scenario_ns * 1e-9)
        fields += areas.fields
        hazards += areas.hazards
        parameters: Parameters = {}
        physics: tuple[PhysicsRef, ...] = ()
        debris: tuple[DebrisBox, ...] = ()
        if place.loose is not None:
            debris, lying = place.loose.at(tick * self.tick_ns)
            hazards += lying
            if debris:
                parameters, physics = dict(place.loose.parameters), place.loose.physics
        for part in self._others(scenario_ns * 1e-9, place):
            fields += part.fields
            hazards += part.hazards
            parameters |= part.parameters
            physics = (*physics, *part.physics)
        if fires or smoke.smoke is not None:
            parameters |= smoke.parameters
            physics = (*smoke.physics, *physics)
        if fires or areas.fields:
            when = entry(tick, "ticks of event time", "event time")
            flame = {
                "tick": when,
                "fires": fires,
                "constants_sha256": self._constants_link,
                **areas.parameters,
            }
            parameters |= {"flame": flame, "smoke": self._constants}
            if areas.fields and place.area.areas is not None:
                parameters["spread"] = place.area.areas.record
                physics = (*place.area.physics, *physics)
            physics = (*self._physics({"flame": flame}), *self._constants_ref, *physics)
        if fires and place.lit.wind is not None:
            parameters[WIND] = place.lit.wind.record
            physics = (*physics, *self._physics({WIND: place.lit.wind.record}))
        return WorldState(
            tick=tick,
            fields=tuple(fields),
            debris=debris,
            hazards=tuple(hazards),
            physics=physics,
            parameters=parameters,
            gate=place.area.gate,
        )

    def _fires(
        self, scenario_s: float, place: Place, smoke: SmokeStep
    ) -> tuple[list[HazardField], list[Hazard], Parameters]:
        """The fires that the scenario lights, with the smoke of all of them where it is solved."""
        fields = [] if smoke.smoke is None else [smoke.smoke]
        hazards: list[Hazard] = []
        records: Parameters = {}
        for plume, is_open, permits in zip(place.lit.plumes, place.open_voxels, place.permits, strict=True):
            state = plume.state(scenario_s - plume.ignition.start_s)
            if state is None:
                continue
            found = plume.field(state, below_tip(is_open, plume, state) if smoke.is_solved else is_open)
            if found is not None:
                fields.append(found)
                hazards += fire_hazards(plume, state, permits)
                records[plume.ignition.name] = state_record(plume, state)
        return fields, hazards, records

    def _others(self, scenario_s: float, place: Place) -> list[ImportedStep | SteamStep]:
        """What is neither fire nor debris of ours."""
        found: list[ImportedStep | SteamStep] = []
        if self._imported is not None:
            found.append(self._imported.step(scenario_s, place.imported, place.area.gate))
        if place.jets is not None:
            found.append(place.jets.step(scenario_s, place.steam, place.area.gate))
        return found

    def _lit_of(self, building: Building | None) -> LitFires:
        """The fires among the surfaces of a building, which may keep the wind off them."""
        digest = b"" if building is None or self._wind is None else building.digest
        if digest not in self._lit:
            self._lit[digest] = lit_fires(
                self._ignitions, self._seed, self._ambient_k, self._resolution_m, self._wind, building
            )
        return self._lit[digest]

    def _jets_of(self, building: Building | None) -> SteamLeaks | None:
        """The jets among the surfaces of a building, which may keep the wind off them; None without a leak."""
        if self.scenario is None or not self._leaks:
            return None
        digest = b"" if building is None or self._wind is None else building.digest
        jets = self._steam.get(digest)
        if jets is None:
            jets = self._steam[digest] = SteamLeaks(
                self._leaks, self._seed, self._ambient_k, self._resolution_m, self._wind, building
            )
            for reach in jets.reaches:
                reach.prepare(building)
            if len(self._steam) > _KEPT_JETS:
                self._steam.popitem(last=False)
        return jets

    def _smokes_of(self, building: Building | None) -> SolvedSmokes | None:
        """The solver of the smoke around a building; None with analytic smoke and where nothing burns."""
        if self._box is None or self.scenario is None:
            return None
        digest = b"" if building is None else building.digest
        known, smokes = self._smokes
        if smokes is None or known != digest:
            if smokes is not None:
                smokes.close(wait=False)
            areas = self._areas_of(building)
            burning = None if areas is None else areas.burning
            wind, grilles = self._lit_of(building).wind, () if building is None else self._grilles
            smokes = solved_smokes(
                self._box, self._ignitions, self._seed, self._ambient_k, building, burning, self._smoke_wait_s,
                wind, grilles,
            )  # fmt: skip
            self._smokes = digest, smokes
        return smokes

    def _areas_of(self, building: Building | None) -> BurningAreas | None:
        """What spreads on a building; None where the scenario lets nothing spread or there is no building."""
        if self.scenario is None or building is None:
            return None
        if building.digest not in self._areas:
            plan, rooms = self._reading.item("spread"), self._reading.item("rooms")
            self._areas[building.digest] = (
                None
                if plan is None
                else BurningAreas(
                    building,
                    plan,
                    rooms,
                    self._ignitions,
                    self._seed,
                    self._ambient_k,
                    self._resolution_m,
                    self._wind,
                )
            )
        return self._areas[building.digest]

    def _common(self) -> Parameters:
        return {"scenario": self._reading.record, "parameters": self._params.record}

    def _physics(self, parameters: Parameters) -> tuple[PhysicsRef, ...]:
        """One reference for each element."""
        return tuple(
            PhysicsRef(element, _SOURCES[element], PHYSICS_VERSION, parameters_sha256(content), self._seed)
            for element, content in parameters.items()
        )


@functools.cache
def _constants() -> Parameters:
    return {
        "gravity": entry(fire.GRAVITY_MPS2, "m/s2", "standard"),
        "air_heat_capacity": entry(fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K, "kJ/(kg K)", "SFPE"),
        "air_density_times_temperature": entry(
            fire.AIR_DENSITY_TIMES_TEMPERATURE_KG_K_PER_M3, "kg K/m3", "ideal gas at sea level"
        ),
        "soot_extinction": entry(fire.SOOT_EXTINCTION_M2_PER_KG, "m2/kg", "Mulholland & Croarkin 2000"),
        "lwir_extinction_ratio": entry(fire.LWIR_EXTINCTION_RATIO, "1", "small-particle limit"),
    }
