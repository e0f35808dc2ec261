# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The generator: a step of the smoke solver, views of one world, many viewers, and PhiFlow beside the solver.

Everything is measured in one run, turn by turn, so that a slow minute slows all of it. Figures are medians of the
processor time of this process (``..._wall``: of the clock), all of it on one thread: on a free core both are the same.

World step: one tick of a 1 MW fire, unobstructed, once the plume has reached the top; on 64 x 64 x 48 cells as large
as those of the live world, a tick of the world long (``fine``: cells of 0.15 m, 50 ms; ``live``: the box and the tick
of the solver's parameters as they are). ``tick_over_step`` is how much faster than event time that is.
View: placing the camera and drawing the simulated flight's burning house (fire on the wall, its smoke, debris, depth
against model and map, gate), each from a place of its own, as frames of a flight are. A further viewer is one more.
PhiFlow (``phiflow_peer.py``; ``pip install phiflow``, or the interpreter that VIDGEN_PHIFLOW_PYTHON names) steps a 2-D
plume on as many cells in a process of its own, with the quickest of its solvers that runs; both sides carry smoke by
MacCormack, and the divergence that each leaves is printed beside the ratio.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.generation_views import SIZES, VIEWERS, Views
from bench.growth_plot import growth_svg
from bench.phiflow import LeftOut, PhiFlow, Plane
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver
from vidgen_nodes.generation.smoke_box import Place, box_around, foot_m, walls
from vidgen_nodes.packets import BoolArray
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.resources import config_dir
from vidgen_nodes.scenario.timeline import load_scenario
from vidgen_nodes.scene.building import load_building

RESULTS = Path(__file__).with_name("generation.json")
PAGE = Path(__file__).parent.parent / "docs" / "PERFORMANCE.md"
PICTURE = PAGE.parent / "images" / "growth.svg"
MARKS = ("<!-- generation -->", "<!-- end of generation -->")
OUTSIDE = dict.fromkeys(("ceiling", "south", "north", "west", "east"), "open")
SHAPE = (48, 64, 64)
_LIVE = GeneratorParams()
# Cells z, y, x, their edge [m] and the tick [s] that a step covers.
BOXES = {
    "world_step_ms": (SHAPE, _LIVE.smoke_cell_m, _LIVE.world_tick_ms * 1e-3),
    "world_step_fine_ms": (SHAPE, 0.15, 0.05),
    "world_step_live_ms": (
        (_LIVE.smoke_cells_high, _LIVE.smoke_cells_wide, _LIVE.smoke_cells_wide),
        _LIVE.smoke_cell_m,
        _LIVE.smoke_tick_ms * 1e-3,
    ),
}
SHAPES = ((24, 32, 32), (36, 48, 48), SHAPE, (72, 96, 96))
SOURCES = (1, 2, 4, 8, 16)
WORDS = {
    "world_step_ms": "world step, 64 × 64 × 48 cells of 0.3 m, tick of 80 ms",
    "world_step_fine_ms": "world step, 64 × 64 × 48 cells of 0.15 m, tick of 50 ms",
    "world_step_live_ms": "world step, 32 × 32 × 24 cells of 0.3 m, tick of 160 ms (as live)",
    "view_640x512_ms": "view 640 × 512, the whole house from the drone",
    "view_1080p_ms": "view 1920 × 1080, the same",
    "view_4k_ms": "view 3840 × 2160, the same",
    "view_320x256_ms": "view 320 × 256, the same",
    "view_640x512_new_tick_ms": "view 640 × 512, the first of a tick",
    "view_640x512_near_ms": "view 640 × 512, fire and smoke over a fifth of the picture",
}
HOUSE = "world_step_house_ms"
WORDS[HOUSE] = "world step, 64 × 64 × 48 cells of 0.3 m among the walls of the demo's house, tick of 80 ms"
ROUNDS = 9
_RISEN_S = 2.4
_MEGAWATT = HeatSource((0.0, 0.0, 0.0), 1.0, 2.7, 1000.0, 0.35, 0.01)


CURVES = {
    "viewers_ms": "viewers of 640 × 512",
    "step_ms_by_cells": "cells of the solver",
    "step_ms_by_sources": "fires in the solver (48 × 48 × 36)",
    "tick_ms_by_sources": "fires in a tick of the world without the solver",
    "view_ms_by_sources": "fires in a view of 640 × 512",
}


def run(args: Any) -> int:
    """Measure, write ``bench/generation.json``, the table and the picture of ``docs/PERFORMANCE.md``, and print."""
    found = measure()
    PICTURE.write_text(picture(found), encoding="utf-8")
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(f"{before}{MARKS[0]}\n{table(found)}\n{MARKS[1]}{after}", encoding="utf-8")
    if not args.json:
        print(table(found))
    print(json.dumps(found))
    return 0


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """Every figure of the contract, and curves beside them."""
    views = Views()
    steps = {name: _Step(*box) for name, box in BOXES.items()}
    steps[HOUSE] = _Step(*BOXES["world_step_ms"], at_the_house=True)
    cells = {shape: _Step(shape, 0.2) for shape in SHAPES}
    sources = {count: _Step((36, 48, 48), 0.2, fires=_ring(count)) for count in SOURCES}
    peers, left_out = _peers()
    planes = {count: Plane(count) for count in peers}
    calls: dict[str, Callable[[], object]] = {
        **steps,
        **{f"cells {shape}": step for shape, step in cells.items()},
        **{f"sources {count}": step for count, step in sources.items()},
        **{f"plane {count}": plane for count, plane in planes.items()},
        **views.calls(),
    }
    spent = _in_turn(calls, rounds, {f"phiflow {count}": peer for count, peer in peers.items()})
    cpu_ms = {name: round(statistics.median(taken[0]), 2) for name, taken in spent.items()}
    wall_ms = {name: round(statistics.median(taken[1]), 2) for name, taken in spent.items()}
    ratios: dict[str, Any] = {}
    for count, suffix in ((128, ""), (256, "_256")):
        ratios[f"phiflow_step_ratio{suffix}"], ratios[f"phiflow_note{suffix}"] = None, left_out.get(count, "")
        if count in peers:
            theirs, ours = cpu_ms[f"phiflow {count}"], cpu_ms[f"plane {count}"]
            ratios[f"phiflow_step_ratio{suffix}"] = round(theirs / ours, 1)
            ratios[f"phiflow_note{suffix}"] = (
                f"{peers[count].what}: {theirs:.0f} ms, divergence left {peers[count].divergence:.0e}; "
                f"here {ours:.2f} ms, {planes[count].divergence:.0e}"
            )
    for peer in peers.values():
        peer.close()
    contract = ("world_step_ms", *(name for name in SIZES if name != "view_320x256_ms"))
    return {
        **{name: cpu_ms[name] for name in contract},
        "phiflow_step_ratio": ratios.pop("phiflow_step_ratio"),
        "viewers_ms": {str(count): cpu_ms[f"viewers {count}"] for count in VIEWERS},
        "device": f"cpu, one thread of {platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        **ratios,
        "wall_ms": {name: wall_ms[name] for name in contract},
        **{name: cpu_ms[name] for name in BOXES if name not in contract},
        HOUSE: cpu_ms[HOUSE],
        "tick_over_step": {
            **{name: round(1e3 * tick_s / cpu_ms[name], 2) for name, (_, _, tick_s) in BOXES.items()},
            HOUSE: round(1e3 * BOXES["world_step_ms"][2] / cpu_ms[HOUSE], 2),
        },
        "view_320x256_ms": cpu_ms["view_320x256_ms"],
        "view_640x512_new_tick_ms": cpu_ms["new tick"],
        "view_640x512_near_ms": cpu_ms["near"],
        "view_shows": views.shows(),
        "step_ms_by_cells": {"x".join(map(str, shape[::-1])): cpu_ms[f"cells {shape}"] for shape in SHAPES},
        "step_ms_by_sources": {str(count): cpu_ms[f"sources {count}"] for count in SOURCES},
        "tick_ms_by_sources": {str(count): cpu_ms[f"tick {count}"] for count in views.fires},
        "view_ms_by_sources": {str(count): cpu_ms[f"fires {count}"] for count in views.fires},
    }


def _peers() -> tuple[dict[int, PhiFlow], dict[int, str]]:
    """The peers that run, by cells along a side, and why the others do not."""
    peers, left_out = {}, {}
    for count in (128, 256):
        try:
            peers[count] = PhiFlow.quickest(count)
        except LeftOut as why:
            left_out[count] = str(why)
    return peers, left_out


def _in_turn(
    calls: Mapping[str, Callable[[], object]], rounds: int, peers: Mapping[str, PhiFlow]
) -> dict[str, tuple[list[float], list[float]]]:
    """Processor and wall milliseconds of every call, one after the other in each round; the first is not counted."""
    spent: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in (*calls, *peers)}
    for number in range(rounds + 1):
        for name, call in calls.items():
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            call()
            cpu_ms, wall_ms = (time.process_time() - cpu_s) * 1e3, (time.perf_counter() - wall_s) * 1e3
            if number:
                spent[name][0].append(cpu_ms)
                spent[name][1].append(wall_ms)
        for name, peer in peers.items():
            wall_s = time.perf_counter()
            cpu_ms = peer.step_ms()
            if number:
                spent[name][0].append(cpu_ms)
                spent[name][1].append((time.perf_counter() - wall_s) * 1e3)
    return spent


class _Step:
    """One tick of a solver whose plume has risen; a call is a step."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        cell_m: float,
        tick_s: float = 0.05,
        fires: list[HeatSource] | None = None,
        *,
        at_the_house: bool = False,
    ) -> None:
        _, ny, nx = shape
        grid = FlowGrid((-0.5 * nx * cell_m, -0.5 * ny * cell_m, 0.0), cell_m, shape)
        solid = None
        self._fires = fires or [_MEGAWATT]
        if at_the_house:
            grid, solid, foot = _house(shape, cell_m)
            self._fires = [replace(_MEGAWATT, position_m=foot)]
        self._solver = SmokeSolver(grid, Boundaries(OUTSIDE, solid), 1, SmokeParams())
        self._tick_s = tick_s
        for _ in range(round(_RISEN_S / tick_s)):
            self()

    def __call__(self) -> object:
        return self._solver.step(self._tick_s, self._fires)


def _house(shape: tuple[int, int, int], cell_m: float) -> tuple[FlowGrid, BoolArray, Place]:
    """The box around the demo's fire, the cells of the house in it, and where the fire stands."""
    building = load_building(config_dir() / "buildings" / "sim_house.yaml")
    lit = load_scenario(config_dir() / "scenarios" / "sim_wall_fire.yaml", 1).ignitions
    grid = box_around(lit, cell_m, shape)
    solid = walls(building, grid)
    assert solid is not None
    return grid, solid, foot_m(lit[0], grid, solid)


def _ring(count: int) -> list[HeatSource]:
    """Fires of 200 kW on a ring."""
    turn = 2.0 * math.pi / count
    places = [(1.8 * math.cos(i * turn), 1.8 * math.sin(i * turn), 0.0) for i in range(count)]
    return [HeatSource(place, 0.5, 1.45, 200.0, 0.35, 0.002) for place in places]


def growth(curve: Mapping[str, float], sizes: list[float]) -> float:
    """Exponent of a curve between its first and its last point: 1 is linear, less is better."""
    values = list(curve.values())
    return math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0])


def table(found: Mapping[str, Any]) -> str:
    """Markdown, as it stands in ``docs/PERFORMANCE.md``."""
    rows = [("generator, one thread", "p50", "target"), ("---",) * 3]
    targets = {
        **dict.fromkeys(("world_step_ms", HOUSE), "≤ 40 ms"),
        **dict.fromkeys(("view_640x512_ms", "view_640x512_near_ms"), "≤ 6 ms"),
    }
    for name, value in found.items():
        if name.startswith(("world_step", "view_")) and isinstance(value, float):
            rows.append((WORDS[name], f"{value:.1f} ms", targets.get(name, "")))
    for name, faster in found["tick_over_step"].items():
        target = "≥ 2×" if name in ("world_step_ms", HOUSE) else ""
        rows.append(
            (f"that tick over the step: {WORDS[name].removeprefix('world step, ')}", f"{faster:.1f}×", target)
        )
    for suffix, words in (("", "128 × 128"), ("_256", "256 × 256")):
        ratio, note = found[f"phiflow_step_ratio{suffix}"], found[f"phiflow_note{suffix}"]
        rows.append(
            (
                f"PhiFlow's step over ours, {words}",
                f"{ratio}× ({note})" if ratio else f"none: {note}",
                "≥ 20×",
            )
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n\n" + curves(found)


def curves(found: Mapping[str, Any]) -> str:
    """Growth in viewers, cells and fires, with the exponent of each."""
    rows = [("growing", "ms", "exponent"), ("---",) * 3]
    for name, words in CURVES.items():
        curve = found[name]
        sizes = [float(_product(key)) for key in curve]
        listed = ", ".join(f"{key}: {value:.1f}" for key, value in curve.items())
        rows.append((words, listed, f"{growth(curve, sizes):.2f}"))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def picture(found: Mapping[str, Any]) -> str:
    """The curves as an SVG."""
    return growth_svg(
        {
            words.split(" (")[0].removesuffix(" without the solver"): {
                float(_product(key)): value for key, value in found[name].items()
            }
            for name, words in CURVES.items()
        }
    )


def _product(key: str) -> int:
    return math.prod(int(part) for part in key.split("x"))
