# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Grilles become borders of the solver's box: in the surface that they lie in, with their flow, at their times."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.air_conditioning import changes, ducts, trimmed
from vidgen_nodes.generation.flow.domain import SIDES, FlowGrid, make_domain
from vidgen_nodes.generation.generator import World
from vidgen_nodes.generation.smoke_box import SmokeBox, walls
from vidgen_nodes.generation.smoke_layer import SmokeLayer
from vidgen_nodes.packets import Grille, Ignition, Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import Building, Surface

ALWAYS = ((0.0, 1e9),)
FAN = Grille("fan", "ceiling", (0.9, 0.0, 2.7), (0.6, 0.6), -0.8, 0.0, ALWAYS)
INLET = Grille("inlet", "west", (-1.8, 0.0, 0.6), (0.6, 0.6), 0.3, 288.15, ALWAYS)
GRID = FlowGrid((-2.4, -2.4, 0.0), 0.3, (12, 16, 16))
FIRE = Ignition("bin", (-0.6, 0.0, 0.0), 0.0, 400.0, 80.0, 0.4, 0.3, 0.1, 23_000.0, 1.5)
BOX = SmokeBox(0.3, (12, 16, 16), 100_000_000)


def room(door: bool = True) -> Building:
    """3.6 m by 3.6 m by 2.7 m, with a door in the east."""
    a, top, sill = 1.8, 2.7, 2.1 if door else 0.0
    plan = [(-a, -a), (a, -a), (a, a), (-a, a)]
    surfaces = [Surface("ceiling", "gypsum", "roof", np.array([[x, y, top] for x, y in plan]), False)]
    for name, (first, second), low in (
        ("south", (plan[0], plan[1]), 0.0),
        ("east", (plan[1], plan[2]), sill),
        ("north", (plan[2], plan[3]), 0.0),
        ("west", (plan[3], plan[0]), 0.0),
    ):
        quad = np.array([[*first, low], [*second, low], [*second, top], [*first, top]])
        surfaces.append(Surface(name, "gypsum", "wall", quad, False))
    return Building("room", tuple(surfaces))


def test_the_box_ends_where_the_grilles_lie() -> None:
    grid = trimmed(GRID, [FAN, INLET], room())
    assert grid.origin_m == pytest.approx((-1.8, -2.4, 0.0))
    assert grid.shape == (8, 16, 14)  # the ceiling's own cells are the ninth level
    solid = walls(room(), grid)
    assert solid is not None
    assert not solid[:, 8, :11].any()
    assert solid[7, 8, 11]  # the wall over the door
    assert trimmed(GRID, [], room()) is GRID


def test_a_grille_carries_its_flow_over_the_cells_that_it_covers() -> None:
    grid = trimmed(GRID, [FAN, INLET], room())
    fan, inlet = ducts(grid, [FAN, INLET], 293.15)
    assert (fan.cells, inlet.cells) == (4, 4)
    assert inlet.vent.rise_k == pytest.approx(-5.0)
    ((_, boundaries),) = changes([fan, inlet], {"east": "open"}, walls(room(), grid), (0.0, 0.0))
    domain = make_domain(grid, boundaries)
    upward, _, eastward = domain.fixed_mps
    assert upward[-1].sum() * 0.09 == pytest.approx(0.8)
    assert eastward[:, :, 0].sum() * 0.09 == pytest.approx(0.3)
    assert np.count_nonzero(upward[-1]) == 4


@settings(max_examples=40)
@given(
    st.sampled_from(SIDES), st.floats(0.05, 2.0), st.floats(0.05, 2.0), st.floats(-1.0, 1.0), st.floats(0.001, 0.2)
)  # fmt: skip
def test_whatever_its_size_all_of_its_flow_goes_through(
    side: str, wide_m: float, high_m: float, off_m: float, flow: float
) -> None:
    at = {"floor": (off_m, 0.1, 0.0), "ceiling": (off_m, 0.1, 2.7)}.get(side, (off_m, off_m, 1.35))
    x, y, z = at
    x = {"west": -1.8, "east": 1.8}.get(side, x)
    y = {"south": -1.8, "north": 1.8}.get(side, y)
    grille = Grille("a", side, (x, y, z), (wide_m, high_m), flow, 0.0, ALWAYS)
    grid = trimmed(GRID, [grille], None)
    (duct,) = ducts(grid, [grille], 293.15)
    sides = {name: "open" for name in SIDES if name != "floor"}
    ((_, boundaries),) = changes([duct], sides, None, (0.0, 0.0))
    domain = make_domain(grid, boundaries)
    number = SIDES.index(side)
    plane = np.moveaxis(domain.fixed_mps[number // 2], number // 2, 0)[0 if number % 2 == 0 else -1]
    assert float(np.abs(plane).sum()) * 0.09 == pytest.approx(flow, rel=1e-4)
    assert np.count_nonzero(plane) == duct.cells


def test_where_no_solver_runs_it_is_told_that_the_fans_move_nothing() -> None:
    scenario = Scenario("fans", 1, 0, 293.15, (FIRE,), debris=False, grilles=(FAN,))
    world = World(GeneratorParams(), scenario, room())
    assert world.withheld == (
        "air_conditioning moves nothing: the analytic layer knows no rooms; set smoke_model: solver",
    )
    assert World(GeneratorParams(), dataclasses.replace(scenario, grilles=()), room()).withheld == ()


def test_fans_go_on_and_off_at_their_times() -> None:
    timed = dataclasses.replace(FAN, on_s=((5.0, 8.0),))
    grid = trimmed(GRID, [timed], room())
    found = changes(ducts(grid, [timed], 293.15), {}, None, (0.0, 0.0))
    assert [(time_s, len(boundaries.vents)) for time_s, boundaries in found] == [(0.0, 0), (5.0, 1), (8.0, 0)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"position_m": (0.9, 0.0, 2.0)}, "no surface of the building"),
        ({"position_m": (0.9, 0.0, 40.0)}, "no surface of the building"),
        ({"side": "floor", "position_m": (0.0, 1.8, 1.4)}, "begins at the lowest ignition"),
        ({"side": "west", "position_m": (1.8, 0.0, 2.5)}, "expected 4 or more"),
    ],
)
def test_a_grille_that_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        trimmed(GRID, [dataclasses.replace(FAN, **change)], room())  # type: ignore[arg-type]


def test_one_outside_the_box_and_two_planes_on_a_side_are_refused() -> None:
    with pytest.raises(ConfigError, match="take more cells"):
        trimmed(dataclasses.replace(GRID, shape=(8, 16, 16)), [FAN], room())
    lower = dataclasses.replace(FAN, name="lower", position_m=(0.9, 0.0, 1.5))
    with pytest.raises(ConfigError, match="one plane a side"):
        ducts(trimmed(GRID, [FAN, lower], None), [FAN, lower], 293.15)


def test_a_sealed_room_that_is_only_drawn_from_is_refused() -> None:
    with pytest.raises(ConfigError, match="more than it lets go"):
        SmokeLayer([FIRE], 1, 293.15, BOX, room(door=False), grilles=[FAN])


def held_m(grilles: list[Grille], building: Building) -> tuple[float, dict[str, object]]:
    """Mean soot of the upper half of the room after 30 s, as extinction per m."""
    layer = SmokeLayer([FIRE], 1, 293.15, BOX, building, grilles=grilles)
    try:
        found = layer.at(300 * BOX.tick_ns, np.ones(layer.shape, np.float32), math.inf)
    finally:
        layer.close()
    assert found is not None
    assert found.field is not None
    assert found.record["divergence"][0] <= 1e-5
    east = found.field.origin_m[0]
    cols = slice(round((-1.5 - east) / 0.3), round((1.5 - east) / 0.3))
    soot = found.field.extinction_visible_per_m.numpy()[4:8, 3:13, cols]
    return float(soot.mean()), layer.record


def test_an_exhaust_takes_smoke_out_of_the_room_and_both_are_recorded() -> None:
    without, _ = held_m([dataclasses.replace(FAN, on_s=((1e6, 1e9),))], room())
    with_fan, record = held_m([FAN], room())
    assert with_fan < 0.8 * without
    told = record["air_conditioning"]["fan"]  # type: ignore[index]
    assert {item.name for item in dataclasses.fields(Grille)} | {"cells", "face_speed"} == set(told)
    assert told["flow_m3_per_s"][0] == -0.8
    assert told["face_speed"][0] == pytest.approx(-0.8 / (4 * 0.09))


def test_a_fan_that_goes_on_later_gives_the_same_air_until_then() -> None:
    late = dataclasses.replace(FAN, on_s=((4.0, 1e9),))
    found = []
    for grilles in ([dataclasses.replace(FAN, on_s=((1e6, 1e9),))], [late]):
        layer = SmokeLayer([FIRE], 1, 293.15, BOX, room(), grilles=grilles)
        opened = np.ones(layer.shape, np.float32)
        states = [layer.at(tick * BOX.tick_ns, opened, math.inf) for tick in (38, 60, 20)]
        layer.close()
        found.append([item.field.emission_w_per_m3_sr.numpy() for item in states if item and item.field])
    never, later = found
    assert np.array_equal(never[0], later[0])
    assert not np.array_equal(never[1], later[1])
    assert np.array_equal(never[2], later[2])  # asked for again after the fan went on


def test_a_process_of_its_own_comes_to_the_same_air_when_a_fan_goes_on() -> None:
    late = dataclasses.replace(FAN, on_s=((1.0, 2.0),))
    found = []
    for apart in (False, True):
        layer = SmokeLayer([FIRE], 1, 293.15, BOX, room(), grilles=[late, INLET], apart=apart)
        try:
            states = [
                layer.at(tick * BOX.tick_ns, np.ones(layer.shape, np.float32), 120.0) for tick in (8, 14, 24)
            ]
        finally:
            layer.close()
        fields = [state.field for state in states if state is not None]
        found.append([field.extinction_lwir_per_m.numpy().tobytes() for field in fields if field is not None])
    assert len(found[0]) == 3
    assert found[0] == found[1]
