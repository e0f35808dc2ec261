# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The scene ``room``: smoke of one fire under the ceiling of a room, its roof vent shut and open.

A room of 5 by 4 by 3 m with carpet and a timber lining, so that the gate lets smoke be anywhere in it. The front is
glass to the air and nothing to the eye: through real glass a thermal camera would see nothing, and its picture here
says what it would see without. Solved by ``generation/smoke.py`` from rest, without nudging; recorded frame by frame.
Leaves out smoke that has left through the vent.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from vidgen_nodes.cli.scene import write_picture
from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, Vent
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.physics_record import Parameters, entry, parameters_sha256
from vidgen_nodes.generation.plume import HazardField, Plume
from vidgen_nodes.generation.plume_model import PlumeModel, model_parameters
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, SmokeState
from vidgen_nodes.generation.smoke_field import smoke_field
from vidgen_nodes.generation.solved_smoke import SOLVER
from vidgen_nodes.packets import (
    Bundle,
    ByteArray,
    Grid,
    PhysicsRef,
    RtkStatus,
    Scenario,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.params import GeneratorParams, NodeParams
from vidgen_nodes.scenario.timeline import parse_scenario
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.compose import compose_scene
from vidgen_nodes.scene.gate import audit_overlay, open_gate
from vidgen_nodes.sim import rig
from vidgen_nodes.sim.daylight import daylight
from vidgen_nodes.sim.site import Face
from vidgen_nodes.sim.viewpoint import looking_at

LONG_M, DEEP_M, HIGH_M = 5.0, 4.0, 3.0
_CELL_M: Final = 0.125
_STEP_S: Final = 0.05
_VOXEL_M: Final = 0.08  # of the flame
_FLAME_ENDS: Final = 1.1  # flame heights: above it the solver's smoke alone is drawn
AT_S: Final = (12.0, 30.0)
_START_NS: Final = 1_780_000_000_000_000_000
_VENT_M: Final = ((0.6, 0.6), (1.9, 1.9))  # of the roof
_SLOT: Final = Vent("west", (0.5, 0.0), (3.5, 0.4))  # for fresh air, low in the west wall
_SEED: Final = 5
_SCENARIO: Final = """
name: room
seed: 5
ambient_degc: 20.0
ignitions:
  - {name: bin, position_m: [3.2, 3.75, 0.0], start_s: 0.0, growth_kw_per_s2: 15.0, peak_kw: 200.0, diameter_m: 0.5,
     fuel: wood}
"""
_EYE = looking_at((2.3, -5.2, 1.9), (2.5, 2.0, 1.45))


def room_pictures(out: Path) -> list[Path]:
    """Solve, record and draw the room with its vent shut and open; returns the pictures."""
    params = NodeParams(generator=GeneratorParams(mission="room", origin="sim", field_resolution_m=_VOXEL_M))
    scenario = parse_scenario(_SCENARIO, _START_NS)
    made: list[Path] = []
    for index, is_open in enumerate((False, True)):
        name = "open" if is_open else "shut"
        building = Building(f"room, vent {name}", tuple(_surfaces(is_open)))
        digests = run_digests(params, building)
        fires = World(params.generator, scenario, building)
        ledger = out / f"vent_{name}" / "ledger.db"
        with Ledger.open(ledger, segment=digests.segment("start")) as writer:
            for number, (state, vents) in enumerate(_solved(scenario, is_open)):
                bundle = _bundle(number + index * len(AT_S), AT_S[number])
                scene = compose_scene(bundle, building, scenario)
                gate = open_gate(scene, params.generator)
                burning = fires.at(bundle.stamp_ns, scene, gate)
                world = _world(burning, state, scenario, vents, AT_S[number])
                renderer = Renderer(params.generator)
                overlay = renderer.draw(world, gate, scene)
                report = audit_overlay(overlay, gate, scene, params.generator.audit_pixels)
                record = writer.append_frame(digests, bundle, scene, world, overlay, report)
                for band in (Band.LWIR, Band.VISIBLE):
                    shown = overlay if band is Band.LWIR else renderer.draw(world, gate, scene, band)
                    kind = "thermal" if band is Band.LWIR else "visible"
                    path = out / f"vent_{name}_{AT_S[number]:02.0f}s_{kind}.png"

                    def backdrop(is_open: bool = is_open, band: Band = band) -> ByteArray:
                        return _backdrop(is_open, band)

                    write_picture(path, backdrop, shown.rgba, FramePointer.of(record), record.label_code)
                    made.append(path)
    return made


def _solved(scenario: Scenario, is_open: bool) -> Iterator[tuple[SmokeState, tuple[Vent, ...]]]:
    """The air at each of ``AT_S``."""
    vents = (_SLOT, Vent("ceiling", *_VENT_M)) if is_open else (_SLOT,)
    (ignition,) = scenario.ignitions
    solver = SmokeSolver(
        _grid(), Boundaries({}, None, vents), _SEED, SmokeParams(ambient_k=scenario.ambient_k)
    )
    for at_s in AT_S:
        state = solver.snapshot()
        while state.time_s < at_s - 0.5 * _STEP_S:
            heat_kw = fire.heat_release_kw(
                state.time_s + 0.5 * _STEP_S, ignition.growth_kw_per_s2, ignition.peak_kw
            )
            wide_m = ignition.diameter_m * math.sqrt(max(heat_kw, 1.0) / ignition.peak_kw)
            source = HeatSource(
                ignition.position_m,
                wide_m,
                max(fire.flame_height_m(heat_kw, wide_m), 0.2),
                heat_kw,
                ignition.radiative_fraction,
                fire.soot_release_kg_per_s(
                    heat_kw, ignition.soot_yield, ignition.heat_of_combustion_kj_per_kg
                ),
            )
            state = solver.step(_STEP_S, [source])
        yield state, vents


def _world(
    burning: WorldState, state: SmokeState, scenario: Scenario, vents: tuple[Vent, ...], at_s: float
) -> WorldState:
    """The flame of the correlations, with the record that the generator makes of it, in the solved air."""
    (ignition,) = scenario.ignitions
    field = smoke_field(
        state, _grid(), scenario.ambient_k, ignition.flame_absorption_per_m, PlumeModel().luminous_soot_k
    )
    flame = _flame(scenario, at_s)
    solver = SmokeParams(ambient_k=scenario.ambient_k)
    found = state.residuals
    record: Parameters = {
        "numbers": {
            item.name: entry(getattr(solver, item.name), "", "smoke solver, see SmokeParams")
            for item in dataclasses.fields(solver)
        },
        "model": model_parameters(PlumeModel()),
        "cells": entry(list(_grid().shape), "z, y, x", "scene"),
        "cell_m": entry(_CELL_M, "m", "scene"),
        "origin_m": entry(list(_grid().origin_m), "m in map", "scene"),
        "vents": {vent.side: entry([*vent.low_m, *vent.high_m], "m in map", "scene") for vent in vents},
        "flame_gone": entry(_FLAME_ENDS, "flame heights", "scene: the flame of the correlations ends here"),
        "step": entry(_STEP_S, "s", "scene"),
        "steps": entry(state.steps, "1", "smoke solver"),
        "time": entry(state.time_s, "s after ignition", "smoke solver"),
        **{
            item.name: entry(getattr(found, item.name), "", "residual")
            for item in dataclasses.fields(found)
            if isinstance(getattr(found, item.name), (int, float))
        },
        "state": entry(state.digest().hex(), "SHA-256", "of every number of the air"),
    }
    source = "own 3-D Boussinesq solver, vidgen_nodes/generation/smoke.py"
    ref = PhysicsRef(SOLVER, source, "1", parameters_sha256(record), _SEED)
    return dataclasses.replace(
        burning,
        fields=(field,) if flame is None else (field, flame),
        physics=(*burning.physics, ref),
        parameters={**burning.parameters, SOLVER: record},
    )


def _flame(scenario: Scenario, at_s: float) -> HazardField | None:
    """The flame itself, from the correlations: cells of the solver are too wide to hold its heat."""
    (ignition,) = scenario.ignitions
    plume = Plume(ignition, scenario.seed, scenario.ambient_k, _VOXEL_M, PlumeModel())
    state = plume.state(at_s)
    if state is None:
        return None
    open_voxels = np.zeros(plume.shape, np.float32)
    open_voxels[: math.ceil(_FLAME_ENDS * state.flame_height_m / plume.resolution_m)] = 1.0
    _, north_m, _ = plume.axes_m()
    open_voxels[:, north_m > DEEP_M] = 0.0
    return plume.field(state, open_voxels)


def _grid() -> FlowGrid:
    shape = tuple(round(size / _CELL_M) for size in (HIGH_M, DEEP_M, LONG_M))
    return FlowGrid((0.0, 0.0, 0.0), _CELL_M, shape)  # type: ignore[arg-type]


def _surfaces(is_open: bool) -> Iterator[Surface]:
    for face in _faces(is_open):
        kind = "covering" if face.name.startswith("ceiling") else face.kind
        yield Surface(face.name, face.material, kind, face.corners_m, face.combustible, path=face.name)


def _faces(is_open: bool) -> tuple[Face, ...]:
    """The inside of the room; what burns is lined with timber or carpet."""
    low, high = _VENT_M
    strips = ((0.0, 0.0, LONG_M, DEEP_M),)
    if is_open:
        strips = (
            (0.0, 0.0, LONG_M, low[1]),
            (0.0, high[1], LONG_M, DEEP_M),
            (0.0, low[1], low[0], high[1]),
            (high[0], low[1], LONG_M, high[1]),
        )  # type: ignore[assignment]
    lining = [
        Face(
            f"ceiling {number}", "roof", "timber_cladding", True, (x0, y0, HIGH_M),
            (0.0, y1 - y0, 0.0), (x1 - x0, 0.0, 0.0), 0.5,
        )
        for number, (x0, y0, x1, y1) in enumerate(strips)
    ]  # fmt: skip
    up, deep, back = (0.0, 0.0, HIGH_M), (0.0, DEEP_M, 0.0), (0.0, -DEEP_M, 0.0)
    return (
        Face("carpet", "floor", "unknown", True, (0.0, 0.0, 0.0), (LONG_M, 0.0, 0.0), deep, 0.3),
        Face("back wall", "wall", "timber_cladding", True, (0.0, DEEP_M, 0.0), (LONG_M, 0.0, 0.0), up, 0.5),
        Face("west wall", "wall", "concrete", False, (0.0, 0.0, 0.0), deep, up, 0.35),
        Face("east wall", "wall", "concrete", False, (LONG_M, DEEP_M, 0.0), back, up, 0.35),
        *lining,
    )


def _backdrop(is_open: bool, band: Band) -> ByteArray:
    """The room without fire; for the thermal camera, which sees little of it, darker and grey."""
    rgb = daylight(rig.calibration(), _EYE, _faces(is_open))
    if band is Band.VISIBLE:
        return rgb
    grey = (0.4 * rgb.mean(axis=2)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _bundle(sequence: int, at_s: float) -> Bundle:
    stamp_ns = _START_NS + round(at_s * 1e9)
    pixels = np.zeros((rig.HEIGHT_PX, rig.WIDTH_PX), np.uint16)
    thermal = ThermalFrame(
        stamp_ns, rig.THERMAL_FRAME, "mono16", pixels, sequence, rig.calibration(stamp_ns),
        False, math.nan, math.nan, 0.0, False, (),
    )  # fmt: skip
    return Bundle(
        stamp_ns, sequence, 0, thermal, _EYE, None, stamp_ns, RtkStatus.FIXED, _map(stamp_ns), 0.0, (), (), {}
    )


def _map(stamp_ns: int) -> UncertaintyMap:
    """A map that says nothing of the room: its roof hides it from any LiDAR."""
    grid = Grid(-2.2, -2.2, 0.5, 18, 20)
    nothing, unknown = np.zeros(grid.shape, np.float32), np.full(grid.shape, np.nan, np.float32)
    return UncertaintyMap(
        stamp_ns, grid, unknown, unknown, unknown, nothing + 1.0, unknown, unknown, unknown, unknown,
        np.zeros(grid.shape, np.uint16), np.zeros(grid.shape, np.int64), np.zeros(grid.shape, np.uint8),
        bytes(32), (),
    )  # fmt: skip
