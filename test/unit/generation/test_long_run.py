# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""An hour of a scenario with all that a world can hold keeps no more than its last minutes alone do."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import itertools
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from test.unit.generation.conftest import GRID, START_NS, make_bundle, make_map
from vidgen_nodes.generation.fields.file import write_npz
from vidgen_nodes.generation.fields.run import FieldRun, FieldSeries
from vidgen_nodes.generation.generator import World
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.packets import Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scenario.timeline import parse_scenario
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.compose import Scene, compose_scene
from vidgen_nodes.scene.gate import open_gate

HOUR_S = 3600
SAMPLES = 30  # of the 45,000 ticks of an hour; every one with a map of its own, as the live graph has them
LAST_SAMPLES = 12  # more than any part of a world keeps states of
ALL_THERE_IS = """
name: everything
seed: 11
ambient_degc: 18.0
debris: true
spread: {speedup: 1.0}
imported:
  - {file: annex.npz, start_s: 5.0, translation_m: [-3.0, -1.0, 3.0]}
leaks:
  - {name: main, position_m: [-2.5, 0.5, 3.2], direction: [1.0, 0.0, 0.3], pressure_kpa: 300.0, diameter_mm: 20.0}
ignitions:
  - {name: roof, position_m: [-2.0, 0.0, 3.0], growth: ultrafast, peak_kw: 1500.0, diameter_m: 1.13,
     fuel: wood, start_s: 0}
"""


@pytest.fixture
def everything(tmp_path: Path) -> tuple[GeneratorParams, Scenario]:
    axis, times = np.linspace(0.0, 2.0, 6), np.linspace(0.0, 60.0, 5)
    values = np.full((5, 6, 6, 6), 900.0, np.float32)
    series = {
        "temperature_k": FieldSeries(times, values),
        "soot_kg_per_m3": FieldSeries(times, values * np.float32(1e-6)),
    }
    write_npz(tmp_path / "annex.npz", FieldRun("FDS", "FDS-6.10.1", (), axis, axis, axis, series))
    params = dataclasses.replace(GeneratorParams(), scenario_file=str(tmp_path / "plan.yaml"))
    return params, parse_scenario(ALL_THERE_IS, START_NS)


@pytest.fixture
def wooden(building: Building) -> Building:
    """The house, with a roof whose material has numbers, so that fire spreads over it."""
    surfaces = tuple(
        dataclasses.replace(item, material_id="wood") if item.name == "roof" else item
        for item in building.surfaces
    )
    return Building("wooden house", surfaces)


def scenes(building: Building, scenario: Scenario) -> Iterator[Scene]:
    """An hour, sparsely; the map's window follows a drone that goes to and fro."""
    for number, time_s in enumerate(np.linspace(0.0, HOUR_S, SAMPLES).tolist()):
        stamp_ns = START_NS + round(time_s * 1e9)
        umap = make_map(stamp_ns)
        shift_m = GRID.resolution_m * (number % 7 - 3)
        grid = dataclasses.replace(GRID, origin_east_m=GRID.origin_east_m + shift_m)
        digest = hashlib.sha256(umap.digest + bytes([number % 7])).digest()
        umap = dataclasses.replace(umap, grid=grid, digest=digest)
        yield compose_scene(make_bundle(stamp_ns, umap=umap), building, scenario)


def tensors_kept() -> int:
    return sum(1 for item in gc.get_objects() if type(item) is torch.Tensor)


@dataclass(frozen=True)
class Kept:
    """What a run leaves in memory at its end."""

    world_bytes: int  # given back with the world and the renderer
    world_tensors: int
    after_bytes: int  # still there without them: tables and kernels that are learnt once


def kept_after(
    first: int, building: Building, everything: tuple[GeneratorParams, Scenario]
) -> tuple[Kept, set[str]]:
    """Live through the hour from one of its samples to the end; tracing is on."""
    params, scenario = everything
    world, renderer = World(params, scenario, building), Renderer(params)
    shown = set()
    try:
        for scene in itertools.islice(scenes(building, scenario), first, None):
            gate = open_gate(scene, params, world.leaks)
            state = world.at(scene.stamp_ns, scene, gate)
            renderer.draw(state, gate, scene)
            shown |= {ref.element for ref in state.physics}
            del state, gate, scene
        gc.collect()
        with_world_bytes, with_world_tensors = tracemalloc.get_traced_memory()[0], tensors_kept()
    finally:
        world.close()
    del world, renderer
    gc.collect()
    after_bytes = tracemalloc.get_traced_memory()[0]
    return Kept(with_world_bytes - after_bytes, with_world_tensors - tensors_kept(), after_bytes), shown


def test_an_hour_keeps_no_more_than_its_last_minutes_alone(
    wooden: Building, everything: tuple[GeneratorParams, Scenario]
) -> None:
    gc.collect()  # empties the interpreter's own lists of freed objects: what is taken from them is never seen
    tracemalloc.start()
    try:
        minutes, _ = kept_after(SAMPLES - LAST_SAMPLES, wooden, everything)
        hour, shown = kept_after(0, wooden, everything)
        again, _ = kept_after(0, wooden, everything)
    finally:
        tracemalloc.stop()
    assert shown >= {"flame", "smoke", "spread", "debris/releases", "imported/0", "steam"}
    # What burns decides how much a world keeps, and both end with the same fire: only history differs.
    # The bound is 6 kB for each of the samples that only one of them saw.
    assert hour.world_bytes <= minutes.world_bytes + 100_000, (minutes, hour)
    assert hour.world_tensors <= minutes.world_tensors, (minutes, hour)
    # Outside the world, what is learnt once has been learnt after the first hour.
    assert again.after_bytes <= hour.after_bytes + 100_000, (hour, again)
