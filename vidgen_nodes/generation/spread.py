# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""When fire reaches which piece of the building's surface, from materials and ignitions alone.

Opposed spread is ``V = Phi / (k rho c (Tig - Ts)^2)`` every way (Quintiere & Harkleroad 1984; the flame warms what is
next to it to Ts,min, a warmer surface counts as it is), concurrent spread up walls ``(x_f - x_p) / t_ig`` with
``x_f = 0.067 Q'^(2/3)`` over the burning length below (physics.md 2), under ceilings the same every way for a
burning length of 1 m. Guarantees: a surface that does not burn, that is unknown, or whose material lacks a number has
no speed at all, so no time; times grow along every path; the same building and plan give the same bytes. Leaves out
burning drips, radiation across a gap, and breaking glass: what no surface joins does not catch fire.
"""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from vidgen_nodes.generation.fast_marching import Speeds, arrival_times, seed_discs, stencils, tangent_axes
from vidgen_nodes.generation.physics_record import Parameters, Reading, entry
from vidgen_nodes.packets import FloatArray, Ignition, SpreadPlan
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.materials import material_table
from vidgen_nodes.scene.surface_graph import SurfaceGraph, surface_graph

FLAME_FLUX_KW_PER_M2 = 30.0  # on what a flame is about to light: 25-30 on walls (Quintiere)
_KELVIN_AT_0_DEGC = 273.15
_CEILING_RUN_M = 1.0
_MOST_POINTS = (
    200_000  # above this the points are set wider apart, so that a solution stays a matter of seconds
)
_CONTACT = 1.5  # of the distance of two points, beyond the burner's rim: what its flame touches
_SEED = 8.0  # distances of two points: so far around a start the way is taken straight where it is
_LEAST_TO_IGNITE_K = 10.0  # a surface warmer than Tig less this would burn at once
_UNITS = {
    "ignition_degc": "degC",
    "krhoc": "(kW/(m2 K))2 s",
    "phi_kw2_per_m3": "kW2/m3",
    "ts_min_degc": "degC",
    "heat_of_combustion_kj_per_g": "kJ/g",
    "soot_yield_kg_per_kg": "kg/kg",
    "density_kg_per_m3": "kg/m3",
    "mass_flux_g_per_m2_s": "g/(m2 s)",
}


@dataclass(frozen=True, slots=True)
class Fuel:
    """What a material does in a fire, in the units of the formulas."""

    opposed_mps: float
    ignition_s: float  # under the flux of a flame
    release_kw_per_m2: float
    load_kj_per_m2: float  # heat in the depth that burns away
    soot_yield: float
    heat_of_combustion_kj_per_kg: float


@dataclass(frozen=True, eq=False)
class Spread:
    """The solution: what burns when, in seconds of fire after scenario start."""

    graph: SurfaceGraph
    arrival_s: FloatArray  # (N,) inf: never
    ignition: npt.NDArray[np.int32]  # (N,) index of the ignition whose fire it is; -1 never
    fuels: tuple[Fuel | None, ...]  # by index into graph.material_ids; None: it does not spread
    record: Parameters  # every number read and the solution, for the ledger
    notes: tuple[str, ...]  # ignitions that light nothing, materials without numbers

    @property
    def burning(self) -> npt.NDArray[np.int64]:
        """Points (n,) that the fire reaches, in order of arrival."""
        reached = np.flatnonzero(np.isfinite(self.arrival_s))
        return reached[np.argsort(self.arrival_s[reached], kind="stable")]


def opposed_mps(
    phi_kw2_per_m3: float, krhoc: float, ignition_degc: float, ts_min_degc: float, surface_degc: float
) -> float:
    """Opposed (lateral, downward) rate Phi / (k rho c (Tig - Ts)^2), Ts at least Ts,min."""
    warm_degc = min(max(surface_degc, ts_min_degc), ignition_degc - _LEAST_TO_IGNITE_K)
    return phi_kw2_per_m3 / (krhoc * (ignition_degc - warm_degc) ** 2)


def ignition_time_s(krhoc: float, ignition_degc: float, surface_degc: float, flux_kw_per_m2: float) -> float:
    """Time to ignition of a thick solid, (pi / 4) k rho c ((Tig - T0) / q'')^2."""
    rise_k = max(ignition_degc - surface_degc, _LEAST_TO_IGNITE_K)
    return 0.25 * math.pi * krhoc * (rise_k / flux_kw_per_m2) ** 2


@functools.lru_cache(maxsize=4)
def _graph_of(building: Building, resolution_m: float) -> SurfaceGraph:
    area_m2 = sum(item.area_m2 for item in building.surfaces)
    return surface_graph(building, max(resolution_m, math.sqrt(area_m2 / _MOST_POINTS)))


@functools.lru_cache(maxsize=4)
def solve_spread(
    building: Building, plan: SpreadPlan, ignitions: tuple[Ignition, ...], ambient_k: float
) -> Spread:
    """Arrival times over a whole building; kept for the last few inputs, which are compared by content.

    Args:
        building: placed in ``map``; one that is not burns nowhere.
        plan: numbers of the scenario.
        ignitions: of the scenario.
        ambient_k: temperature of surfaces that no fire has warmed.

    Raises:
        ConfigError: a building from which no graph can be made.
    """
    graph = _graph_of(building, plan.resolution_m)
    surface_degc = max(ambient_k, plan.preheat_k) - _KELVIN_AT_0_DEGC
    read = [_fuel(identity, surface_degc, plan.fuel_depth_m) for identity in graph.material_ids]
    fuels = tuple(fuel if building.placed else None for fuel, _ in read)
    start_s, foot_m, lit, notes = _starts(graph, fuels, ignitions, plan)
    rates = _speeds(graph, fuels, plan)
    seeded_s = seed_discs(graph.points_m, graph.normals, rates, start_s, _SEED * graph.resolution_m)
    lit = np.where(np.isfinite(seeded_s) & (lit < 0), _nearest_lit(graph, lit), lit).astype(np.int32)
    net = stencils(graph.points_m, graph.normals, graph.indptr, graph.indices, graph.length_m)
    arrival_s, _, origin = arrival_times(net, rates, seeded_s, foot_m, 2.0 * graph.resolution_m)
    owner = _owners(arrival_s, origin, lit)
    for identity, fuel in zip(graph.material_ids, fuels, strict=True):
        burns = (graph.material == graph.material_ids.index(identity)) & (graph.combustible == 1)
        if fuel is None and burns.any():
            notes.append(f"material {identity or 'without a name'} burns, but has no numbers to spread by")
    materials = {name: record for name, (_, record) in zip(graph.material_ids, read, strict=True) if record}
    record = _record(graph, arrival_s, owner, materials, building, ignitions)
    return Spread(graph, arrival_s, owner, fuels, record, tuple(notes))


def _fuel(identity: str, surface_degc: float, depth_m: float) -> tuple[Fuel | None, Parameters]:
    """A material's rates and the record of what was read; no rates where a number is missing."""
    material = material_table().materials.get(identity)
    if material is None or not material.spreads:
        return None, {}
    reading = Reading(material, "; ".join(material.source))
    needed = [name for name in _UNITS if math.isfinite(getattr(material, name))]
    if len(needed) < len(_UNITS):
        return None, {}
    value = {name: float(reading.get(name, unit)) for name, unit in _UNITS.items()}
    heat_kj_per_kg = 1e3 * value["heat_of_combustion_kj_per_g"]
    fuel = Fuel(
        opposed_mps(
            value["phi_kw2_per_m3"],
            value["krhoc"],
            value["ignition_degc"],
            value["ts_min_degc"],
            surface_degc,
        ),
        ignition_time_s(value["krhoc"], value["ignition_degc"], surface_degc, FLAME_FLUX_KW_PER_M2),
        1e-3 * value["mass_flux_g_per_m2_s"] * heat_kj_per_kg,
        value["density_kg_per_m3"] * depth_m * heat_kj_per_kg,
        value["soot_yield_kg_per_kg"],
        heat_kj_per_kg,
    )
    usable = fuel.opposed_mps > 0.0 and fuel.release_kw_per_m2 > 0.0 and fuel.load_kj_per_m2 > 0.0
    return (fuel if usable else None), reading.record


def _of_points(graph: SurfaceGraph, fuels: tuple[Fuel | None, ...], name: str) -> FloatArray:
    """One number of the fuel (N,); 0 where nothing spreads. A surface must be known to burn itself."""
    by_material = np.array([0.0 if fuel is None else getattr(fuel, name) for fuel in fuels])
    return np.where(graph.combustible == 1, by_material[graph.material], 0.0)


def _speeds(graph: SurfaceGraph, fuels: tuple[Fuel | None, ...], plan: SpreadPlan) -> Speeds:
    from vidgen_nodes.generation.front_kernel import concurrent_mps  # numba: only a spreading fire needs it

    opposed, ignition_s, release = (
        _of_points(graph, fuels, name) for name in ("opposed_mps", "ignition_s", "release_kw_per_m2")
    )
    count = len(opposed)
    steep = np.sqrt(np.maximum(1.0 - graph.normals[:, 2] ** 2, 0.0))
    rise = np.where(steep > 0.26, steep, 0.0)  # 15 degrees: on flatter roofs a flame stands up
    below = (graph.normals[:, 2] < -0.7) & (opposed > 0.0)
    for place in np.flatnonzero(below):
        opposed[place] = concurrent_mps(
            release[place], ignition_s[place], _CEILING_RUN_M, opposed[place], 1.0
        )
    rise[below] = 0.0
    ahead, concurrent, flank = np.tile((0.0, 1.0), (count, 1)), np.zeros(count), np.zeros(count)
    level = graph.normals[:, 2] > 0.7
    if plan.wind_length_to_breadth > 1.0 or plan.wind_head_ratio > 1.0:
        head = opposed * plan.wind_head_ratio
        slim = math.sqrt(1.0 - 1.0 / plan.wind_length_to_breadth**2)
        half = head / (1.0 + slim)  # the start lies in the focus: head and back are half (1 +- slim)
        windward = np.array(
            [
                math.sin(math.radians(plan.wind_towards_deg)),
                math.cos(math.radians(plan.wind_towards_deg)),
                0.0,
            ]
        )
        axes = np.stack(tangent_axes(graph.normals), axis=1) @ windward
        length = np.linalg.norm(axes, axis=1, keepdims=True)
        ahead = np.where(level[:, None], axes / np.maximum(length, 1e-9), ahead)
        concurrent = np.where(level, head, concurrent)
        flank = np.where(level, half / plan.wind_length_to_breadth, flank)
        opposed = np.where(level, half * (1.0 - slim), opposed)
        rise = np.where(level, 0.0, rise)
    ignition_s = np.where(ignition_s > 0.0, ignition_s, np.inf)
    return Speeds(opposed, concurrent, ahead, flank, ignition_s, release, rise, graph.points_m[:, 2])


def _starts(
    graph: SurfaceGraph, fuels: tuple[Fuel | None, ...], ignitions: tuple[Ignition, ...], plan: SpreadPlan
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int32], list[str]]:
    """Times and feet (N,) of the points that ignitions touch, whose they are, and which ignitions touch nothing."""
    count = len(graph.points_m)
    start_s, foot_m = np.full(count, np.inf), np.zeros(count)
    lit = np.full(count, -1, np.int32)
    ignition_s, speed = _of_points(graph, fuels, "ignition_s"), _of_points(graph, fuels, "opposed_mps")
    notes: list[str] = []
    for index, ignition in enumerate(ignitions):
        away_m = np.linalg.norm(graph.points_m - ignition.position_m, axis=1)
        reach_m = 0.5 * ignition.diameter_m + _CONTACT * graph.resolution_m
        touched = np.flatnonzero((away_m <= reach_m) & (speed > 0.0))
        if not touched.size:
            notes.append(
                f"ignition {ignition.name} touches nothing within {reach_m:.2f} m that fire spreads on"
            )
            continue
        when_s = ignition.start_s * plan.speedup + ignition_s[touched]
        first = when_s < start_s[touched]
        touched, when_s = touched[first], when_s[first]
        start_s[touched], lit[touched] = when_s, index
        foot_m[touched] = max(
            float(graph.points_m[touched, 2].min(initial=math.inf)) - 0.5 * graph.resolution_m,
            ignition.position_m[2],
        )
    return start_s, foot_m, lit, notes


def _nearest_lit(graph: SurfaceGraph, lit: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Whose the nearest point is that an ignition touches (N,); -1 where none is touched."""
    touched = np.flatnonzero(lit >= 0)
    if not touched.size:
        return lit
    _, near = cKDTree(graph.points_m[touched]).query(graph.points_m)
    return lit[touched[near]]


def _owners(
    arrival_s: FloatArray, origin: npt.NDArray[np.int64], lit: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """Whose fire each point burns with: that of the point it caught fire from."""
    owner = np.where(origin < 0, lit, -1).astype(np.int32)
    for point in np.argsort(arrival_s, kind="stable"):
        if not math.isfinite(arrival_s[point]):
            break
        if origin[point] >= 0:
            owner[point] = owner[origin[point]]
    return owner


def _record(
    graph: SurfaceGraph,
    arrival_s: FloatArray,
    owner: npt.NDArray[np.int32],
    materials: Parameters,
    building: Building,
    ignitions: tuple[Ignition, ...],
) -> Parameters:
    """Materials, and the points that burn: place, time and element of each, so that any pixel can be traced."""
    reached = np.flatnonzero(np.isfinite(arrival_s))
    used = sorted(set(graph.surface[reached].tolist()))
    rows = np.column_stack(
        (
            graph.points_m[reached],
            arrival_s[reached],
            graph.area_m2[reached],
            np.searchsorted(used, graph.surface[reached]),
            owner[reached],
        )
    ).astype("<f4")
    evidence = {item.name: item.evidence() for item in building.surfaces}
    layout = "float32 rows: east, north, up [m in map], arrival [s of fire], area [m2], element, ignition"
    return {
        "materials": materials,
        "material_table": entry(material_table().digest.hex(), "SHA-256", "config/materials.yaml"),
        "flame_flux": entry(FLAME_FLUX_KW_PER_M2, "kW/m2", "Quintiere: 25-30 on walls"),
        "resolution": entry(graph.resolution_m, "m", "scenario, wider for large buildings"),
        "points": entry(len(graph.points_m), "1", "surface graph of the building"),
        "surfaces": entry([graph.names[index] for index in used], "", "building"),
        "ignitions": entry([item.name for item in ignitions], "", "scenario"),
        "elements": entry([evidence[graph.names[index]] for index in used], "", "building"),
        "cells": entry(rows.tobytes(), layout, "fast marching"),
        "cells_sha256": entry(hashlib.sha256(rows.tobytes()).hexdigest(), "SHA-256", "of the cells"),
    }


def decode_cells(cells: bytes) -> npt.NDArray[np.float32]:
    """Rows (n, 7) of a record's cells: east, north, up, arrival, area, element, ignition."""
    return np.frombuffer(cells, "<f4").reshape(-1, 7)
