# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wind blows through the solver's box: its plume bends as the analytic layer says, and smoke goes downwind."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver
from vidgen_nodes.generation.smoke_box import SmokeBox
from vidgen_nodes.generation.smoke_layer import SmokeLayer
from vidgen_nodes.generation.wind.box import before_walls
from vidgen_nodes.generation.wind.fires import WindOnFires
from vidgen_nodes.packets import Ignition, Wind
from vidgen_nodes.scene.building import Building, Surface

FIRE = Ignition("bin", (0.0, 0.0, 0.0), 0.0, 400.0, 250.0, 0.6, 0.3, 0.1, 23_000.0, 1.5)
BOX = SmokeBox(0.3, (14, 18, 18), 100_000_000, nudging_s=0.5)


def blown(speed_mps: float, from_deg: float = 270.0) -> SmokeLayer:
    wind = WindOnFires(Wind(speed_mps, from_deg, 10.0, 0.2), [FIRE], 293.15, None)
    return SmokeLayer([FIRE], 3, 293.15, BOX, wind=wind)


def middle_of_smoke(layer: SmokeLayer) -> tuple[float, float]:
    """East and north of the mean place of soot after 8 s."""
    try:
        found = layer.at(80 * BOX.tick_ns, np.ones(layer.shape, np.float32), math.inf)
    finally:
        layer.close()
    assert found is not None
    assert found.field is not None
    soot = found.field.extinction_visible_per_m.numpy()
    _, y, x = layer.axes_m()
    total = float(soot.sum())
    return float((soot.sum((0, 1)) * x).sum()) / total, float((soot.sum((0, 2)) * y).sum()) / total


def test_smoke_goes_where_the_wind_blows_to() -> None:
    east, north = middle_of_smoke(blown(3.0))
    assert east > 1.0
    assert abs(north) < 0.4
    east, north = middle_of_smoke(blown(3.0, from_deg=0.0))
    assert north < -1.0
    assert abs(east) < 0.4


@pytest.mark.parametrize("speed_mps", [2.0, 3.0])
def test_a_plume_in_wind_bends_as_briggs_says(speed_mps: float) -> None:
    """Mean height of the heat from 4 to 8 m downwind of 300 kW, within a quarter of the two-thirds law."""
    grid = FlowGrid((-2.0, -3.0, 0.0), 0.25, (24, 24, 44))
    sides = {side: "open" for side in SIDES if side != "floor"}
    solver = SmokeSolver(
        grid, Boundaries(sides, None, (), (speed_mps, 0.0)), 3, SmokeParams(ambient_k=293.15)
    )
    source = HeatSource((0.0, 0.0, 0.0), 0.6, fire.flame_height_m(300.0, 0.6), 300.0)
    heat = np.zeros(grid.shape)
    for step in range(130):
        state = solver.step(0.1, [source])
        heat += state.lightness_k if step > 60 else 0.0
    z, _, x = grid.centres_m()
    seen = (x > 4.0) & (x < 8.0)
    found = (heat.sum(1) * z[:, None]).sum(0)[seen] / heat.sum((0, 1))[seen]
    flux = 9.81 * 0.65 * 300.0 / (math.pi * 353.0)
    expected = 1.6 * flux ** (1.0 / 3.0) * x[seen] ** (2.0 / 3.0) / speed_mps
    assert np.log(found / expected) == pytest.approx(0.0, abs=math.log(1.25))


def test_the_record_says_what_blows_and_that_nothing_is_nudged() -> None:
    layer = blown(3.0)
    layer.close()
    speed = 3.0 * (0.5 * 14 * 0.3 / 10.0) ** 0.2
    assert layer.record["wind"][0] == pytest.approx([speed, 0.0])
    assert layer.record["nudging_s"][0] == 0.0
    assert layer.record["heat_released"][0] == "upright"


def test_under_a_roof_the_air_of_the_box_is_still() -> None:
    corners = np.array([[x, y, 3.0] for x, y in ((-3.0, -3.0), (3.0, -3.0), (3.0, 3.0), (-3.0, 3.0))])
    roof = Building("roof", (Surface("roof", "concrete", "roof", corners, False),))
    wind = WindOnFires(Wind(5.0, 270.0), [FIRE], 293.15, roof)
    layer = SmokeLayer([FIRE], 3, 293.15, BOX, roof, wind=wind)
    layer.close()
    assert layer.record["wind"][0] == [0.0, 0.0]
    assert layer.record["wind"][2] == "it reaches no fire: still air"
    assert layer.record["nudging_s"][0] == 0.5
    assert len(layer.sources(60.0)) == 1


def test_without_wind_the_record_is_as_it_was() -> None:
    layer = SmokeLayer([FIRE], 3, 293.15, BOX)
    layer.close()
    assert layer.record["wind"] == [[0.0, 0.0], "m/s east, north", "not modelled: still air"]
    assert not {"heat_released", "wind_height", "air_conditioning"} & set(layer.record)


def test_a_wall_close_behind_the_windward_side_takes_its_wind() -> None:
    solid = np.zeros((4, 16, 16), bool)
    solid[:2, 5:11, 3] = True  # a low wall three cells behind the west side
    solid[:, :, 12] = True  # and one far away
    found = before_walls(solid, (3.0, 0.0), solid.shape)
    assert found is not None
    expected = solid.copy()
    expected[:2, 5:11, :3] = True
    assert np.array_equal(found, expected)
    turned = before_walls(solid[:, :, ::-1], (-3.0, 0.0), solid.shape)
    assert np.array_equal(turned, expected[:, :, ::-1])
    assert before_walls(solid, (0.0, 0.0), solid.shape) is solid
    assert before_walls(None, (3.0, 0.0), solid.shape) is None


def test_air_is_not_squeezed_between_the_side_and_a_wall() -> None:
    """A house that all but touches the windward side: its gap blows no jet of more than twice the wind."""
    grid = FlowGrid((0.0, 0.0, 0.0), 0.3, (10, 20, 20))
    house = np.zeros(grid.shape, bool)
    house[:7, 2:14, :9] = True
    speeds = []
    for solid in (house, before_walls(house, (0.0, 3.0), grid.shape)):
        sides = {side: "open" for side in SIDES if side != "floor"}
        solver = SmokeSolver(grid, Boundaries(sides, solid, (), (0.0, 3.0)), 1, SmokeParams())
        speeds.append(max(float(np.abs(face).max()) for face in solver.state.velocity))
    assert speeds[0] > 7.0
    assert speeds[1] < 5.0
