# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The burning surfaces of one scenario on one building: solved once, then a function of event time.

Guarantees that every number read is in ``record``, that each drawn surface names the plan cells it burns on and what
opened them, and that a surface whose cells the gate keeps closed is not drawn. Leaves out the fires that the scenario
lights itself (``plume.py``): their heat is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vidgen_nodes.generation.burning import Burning
from vidgen_nodes.generation.hazards import AreaExtent, area_hazards
from vidgen_nodes.generation.physics_record import Parameters, Reading, entry
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.sheet import FlameSheet, SheetState
from vidgen_nodes.generation.sheet_model import SheetModel, sheet_parameters
from vidgen_nodes.generation.spread import solve_spread
from vidgen_nodes.generation.wind.areas import WindOnAreas
from vidgen_nodes.packets import Float32Array, FloatArray, Hazard, Ignition, Room, SpreadPlan, Vent, Wind
from vidgen_nodes.scenario.spread_plan import plan_units
from vidgen_nodes.scene.building import Building

if TYPE_CHECKING:
    from vidgen_nodes.scene.gate import Gate

_DOWN = -0.5  # cosine: flames under such surfaces are not drawn
_OFF_M = 0.02  # off the surface: in which plan cell a piece burns
_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class AreaStep:
    """All burning surfaces at one tick."""

    fields: tuple[HazardField, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    parameters: Parameters = field(default_factory=dict)  # their state, by surface


class BurningAreas:
    """The surfaces that a scenario's fires reach.

    Args:
        building: on which.
        plan: how fire spreads.
        rooms: of the scenario.
        ignitions: as read from it.
        seed: of the scenario.
        ambient_k: of the air.
        resolution_m: edge of a voxel.
        wind: of the scenario, which leans the flames; None: still air.

    Raises:
        ConfigError: a room with a surface that the building has not, or no graph can be made.
    """

    def __init__(
        self,
        building: Building,
        plan: SpreadPlan,
        rooms: tuple[Room, ...],
        ignitions: tuple[Ignition, ...],
        seed: int,
        ambient_k: float,
        resolution_m: float,
        wind: Wind | None = None,
    ) -> None:
        plan, plan_record = _read_plan(plan)
        rooms, rooms_record = _read_rooms(rooms)
        model = SheetModel()
        self._ignitions = ignitions
        spread = self._spread = solve_spread(building, plan, ignitions, ambient_k)
        self._burning = Burning(spread, rooms, plan.speedup)
        self.record: Parameters = {
            **spread.record,
            "plan": plan_record,
            "rooms": rooms_record,
            "burning": self._burning.record(),
            "model": sheet_parameters(model),
            "notes": entry(list(spread.notes), "", "what lights or spreads nothing"),
        }
        self._wind = None if wind is None else WindOnAreas(wind, building, ambient_k)
        self.sheets = self._sheets(seed, ambient_k, resolution_m, model)
        if self._wind is not None:
            self.record["wind"] = self._wind.record

    def _sheets(
        self, seed: int, ambient_k: float, resolution_m: float, model: SheetModel
    ) -> tuple[FlameSheet, ...]:
        graph, points = self._spread.graph, self._burning.points
        drawn = graph.normals[points, 2] > _DOWN
        sheets = []
        for surface in np.unique(graph.surface[points[drawn]]).tolist():
            for facing in (True, False):  # an element burns on its top apart from its sides
                level = (graph.normals[points, 2] > 0.7) == facing
                members = np.flatnonzero(drawn & level & (graph.surface[points] == surface))
                fuel = self._spread.fuels[graph.material[points[members[0]]]] if members.size else None
                if fuel is None:
                    continue
                owner = self._ignitions[int(self._spread.ignition[points[members[0]]])]
                name = f"{graph.names[surface]}{'/top' if facing else ''}"
                sheets.append(
                    FlameSheet(
                        name,
                        self._burning,
                        members,
                        fuel,
                        owner.flame_absorption_per_m,
                        seed,
                        ambient_k,
                        resolution_m,
                        model,
                        self._wind,
                        owner.radiative_fraction,
                    )
                )
        return tuple(sheets)

    @property
    def burning(self) -> Burning:
        """All pieces and their heat."""
        return self._burning

    def step(self, scenario_s: float, open_voxels: Sequence[Float32Array], gate: Gate) -> AreaStep:
        """The surfaces so long after scenario start.

        Args:
            scenario_s: seconds of event time.
            open_voxels: one for each of ``sheets``.
            gate: whose permits are named.
        """
        if scenario_s <= 0.0 or not self.sheets:
            return AreaStep()
        heat_kw = self._burning.release_kw(scenario_s)
        if not heat_kw.any():
            return AreaStep()
        burning_s = self._burning.burning_s(scenario_s)
        fields: list[HazardField] = []
        hazards: list[Hazard] = []
        states: Parameters = {}
        for sheet, is_open in zip(self.sheets, open_voxels, strict=True):
            state = sheet.state(heat_kw)
            found = None if state is None else sheet.field(state, scenario_s, burning_s, is_open)
            if state is None or found is None:
                continue
            fields.append(found)
            hazards += area_hazards(self._extent(sheet, state), gate)
            states[sheet.name] = _state_record(sheet, state, self._burning)
        if not states:
            return AreaStep()
        totals: Parameters = {
            "heat_release": entry(float(heat_kw.sum()), "kW", "all pieces, drawn or not"),
            "heat_released": entry(
                self._burning.released_kj(scenario_s), "kJ in time of fire", "since start"
            ),
            "fire_time": entry(scenario_s * self._burning.speedup, "s of fire", "event time"),
        }
        return AreaStep(tuple(fields), tuple(hazards), {"areas": states, "totals": totals})

    def _extent(self, sheet: FlameSheet, state: SheetState) -> AreaExtent:
        graph = self._spread.graph
        points = self._burning.points[state.burning]
        places_m: FloatArray = graph.points_m[points]
        centre = places_m.mean(axis=0)
        low_m = float(places_m[:, 2].min())
        radius_m = float(np.hypot(*(places_m[:, :2] - centre[:2]).T).max()) + 0.5 * graph.resolution_m
        owner = self._ignitions[int(self._spread.ignition[points[0]])]
        return AreaExtent(
            name=sheet.name,
            ignition=owner.name,
            base_m=(float(centre[0]), float(centre[1]), low_m),
            radius_m=radius_m + state.tip_offset_m,
            flame_top_m=state.drawn_top_m,
            top_m=sheet.origin_m[2] + sheet.shape[0] * sheet.resolution_m,
            heat_kw=state.heat_kw,
            soots=sheet.fuel.soot_yield > 0.0,
            places_m=places_m[:, :2] + _OFF_M * graph.normals[points, :2],
        )


def _state_record(sheet: FlameSheet, state: SheetState, burning: Burning) -> Parameters:
    area_m2 = float(burning.area_m2[state.burning].sum())
    return {
        "heat_release": entry(state.heat_kw, "kW", "t-squared growth of each piece, burn-out"),
        "burning_pieces": entry(len(state.burning), "1", "arrival times"),
        "burning_area": entry(area_m2, "m2", "arrival times"),
        "flame_top": entry(state.drawn_top_m, "m in map", "x_f = 0.067 Q'^(2/3)"),
        "longest_flame": entry(float(state.length_m.max()), "m", "x_f = 0.067 Q'^(2/3)"),
        "voxel": entry(sheet.resolution_m, "m", "parameter, coarser for large surfaces"),
        **_lean_record(sheet, state),
    }


def _lean_record(sheet: FlameSheet, state: SheetState) -> Parameters:
    """How far its flames lean; empty where they stand upright."""
    if sheet.lean is None:
        return {}
    rows = [
        [*side.lean.towards, flame.axis.lean_deg, reach_m]
        for side, flame, reach_m in zip(sheet.lean.sides, state.flames, sheet.lean.reaches_m, strict=True)
    ]
    unit = "towards east and north, deg from upright, m that smoke reaches downwind at the most"
    lengths = [flame.length_m for flame in state.flames]
    return {
        "flame_lean": entry(rows, unit, "AGA 1974, Briggs 1969"),
        "leaning_flame": entry(
            lengths, "m along its line", "x_f = 0.067 Q'^(2/3) of the pieces that it passes"
        ),
    }


def _read_plan(plan: SpreadPlan) -> tuple[SpreadPlan, Parameters]:
    """The plan made of what was read of it, and the record of that."""
    reading = Reading(plan, "scenario")
    values = {name: float(reading.get(name, unit)) for name, unit in plan_units().items()}
    return SpreadPlan(**values), reading.record


def _read_rooms(rooms: tuple[Room, ...]) -> tuple[tuple[Room, ...], Parameters]:
    read: list[Room] = []
    records: Parameters = {}
    for room in rooms:
        reading = Reading(room, "scenario")
        name, surfaces = reading.get("name", ""), reading.get("surfaces", "")
        vents = []
        vent_records: Parameters = {}
        for vent in room.vents:
            own = Reading(vent, "scenario")
            vents.append(
                Vent(
                    own.get("name", ""),
                    own.get("width_m", "m"),
                    own.get("height_m", "m"),
                    own.get("open_s", "s"),
                )
            )
            vent_records[vents[-1].name] = own.record
        read.append(Room(name, tuple(surfaces), tuple(vents)))
        records[name] = {**reading.record, "vents": vent_records}
    return tuple(read), records
