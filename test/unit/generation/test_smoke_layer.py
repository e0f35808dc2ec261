# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Solved smoke of a scenario: the fires that the analytic layer says, behind the gate, with a record."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test.unit.generation.reading_spy import Spy
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import smoke_layer
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.smoke import SmokeParams
from vidgen_nodes.generation.smoke_box import SmokeBox, box_around, wall_inertia
from vidgen_nodes.generation.smoke_layer import SmokeLayer
from vidgen_nodes.packets import Ignition
from vidgen_nodes.scene.building import Building, Surface

ROOF = Ignition(
    name="roof",
    position_m=(-2.0, 0.0, 3.0),
    start_s=0.1,
    growth_kw_per_s2=400.0,
    peak_kw=300.0,
    diameter_m=0.9,
    radiative_fraction=0.3,
    soot_yield=0.015,
    heat_of_combustion_kj_per_kg=12_500.0,
    flame_absorption_per_m=1.5,
)
BOX = SmokeBox(0.3, (12, 14, 14), 50_000_000)
FOREVER_S = float("inf")


@pytest.fixture
def layer() -> Iterator[SmokeLayer]:
    made = SmokeLayer([ROOF], 7, 293.15, BOX)
    yield made
    made.close()


def opened(layer: SmokeLayer) -> np.ndarray:
    return np.ones(layer.shape, dtype=np.float32)


def test_what_burns_is_what_the_scenario_says(layer: SmokeLayer) -> None:
    assert layer.sources(0.05) == []
    (grown,) = layer.sources(60.0)
    assert grown.heat_release_kw == 300.0
    assert grown.diameter_m == pytest.approx(0.9)
    assert grown.soot_kg_per_s == pytest.approx(0.015 * 300.0 / 12_500.0)


def test_every_number_of_model_and_solver_that_is_read_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Spy(PlumeModel())
    monkeypatch.setattr(smoke_layer, "PlumeModel", lambda: model)
    made = SmokeLayer([ROOF], 7, 293.15, BOX)
    try:
        found = made.at(40 * BOX.tick_ns, opened(made), FOREVER_S)
    finally:
        made.close()
    assert found is not None
    assert model.read == {"least_heat_kw", "smoke_from", "luminous_soot_k"}
    assert model.read <= set(made.record)
    assert set(made.record["numbers"]) == {item.name for item in dataclasses.fields(SmokeParams)}


def test_an_instant_comes_with_its_field_and_its_record(layer: SmokeLayer) -> None:
    assert layer.at(-1, opened(layer)) is None
    found = layer.at(40 * BOX.tick_ns, opened(layer), FOREVER_S)
    assert found is not None
    assert found.field is not None
    assert found.field.extinction_visible_per_m.numpy().max() > 0.0
    assert not found.field.flame_absorption_per_m.numpy().any()  # flames are the analytic layer's
    assert found.record["steps"][0] == 40
    assert found.record["divergence"][0] <= 1e-5
    assert found.record["heat_release_kw"][0] == pytest.approx(300.0, rel=0.02)
    assert len(parameters_sha256(found.record)) == len(parameters_sha256(layer.record)) == 32


def test_a_closed_gate_leaves_nothing(layer: SmokeLayer) -> None:
    found = layer.at(30 * BOX.tick_ns, np.zeros(layer.shape, dtype=np.float32), FOREVER_S)
    assert found is not None
    assert found.field is None


def test_only_the_open_part_is_handed_out(layer: SmokeLayer) -> None:
    is_open = np.zeros(layer.shape, dtype=np.float32)
    is_open[2:9, 4:10, 5:8] = 1.0
    whole = layer.at(30 * BOX.tick_ns, opened(layer), FOREVER_S)
    part = layer.at(30 * BOX.tick_ns, is_open, FOREVER_S)
    assert whole is not None
    assert part is not None
    assert whole.field is not None
    assert part.field is not None
    same = whole.field.extinction_lwir_per_m.numpy()[2:9, 4:10, 5:8]
    assert np.array_equal(part.field.extinction_lwir_per_m.numpy(), same)
    low = np.array(layer.grid.origin_m) + np.array([5, 4, 2]) * 0.3
    assert part.field.origin_m == pytest.approx(tuple(low))


def test_between_two_ticks_nothing_jumps(layer: SmokeLayer) -> None:
    """In the mean over voxels a hundredth of a tick changes about a hundredth of what a tick changes."""
    soot = []
    for share in (0.0, 0.5, 0.99, 1.0):
        found = layer.at(round((40 + share) * BOX.tick_ns), opened(layer), FOREVER_S)
        assert found is not None
        assert found.field is not None
        soot.append(found.field.extinction_visible_per_m.numpy())
    whole = np.abs(soot[3] - soot[0]).sum()
    assert whole > 0.0
    assert np.abs(soot[1] - 0.5 * (soot[0] + soot[3])).max() < 1e-5 * soot[0].max()
    assert np.abs(soot[3] - soot[2]).sum() == pytest.approx(0.01 * whole, rel=1e-2)


def test_an_older_tick_is_solved_again_to_the_same_bytes(layer: SmokeLayer) -> None:
    found = []
    for tick in (12, 60, 12):
        now = layer.at(tick * BOX.tick_ns, opened(layer), FOREVER_S)
        assert now is not None
        assert now.field is not None
        found.append((now.field.emission_w_per_m3_sr.numpy().tobytes(), now.record))
    assert found[0] == found[2]
    assert found[0] != found[1]


def test_a_long_scenario_keeps_no_more_states_than_a_short_one(layer: SmokeLayer) -> None:
    held = []
    for tick in range(0, 300, 20):
        assert layer.at(tick * BOX.tick_ns, opened(layer), FOREVER_S) is not None
        held.append(layer.states_kept)
    assert max(held) <= 16


def test_walls_of_the_building_are_no_air() -> None:
    """Smoke under a slab stays under it."""
    made = SmokeLayer([ROOF], 7, 293.15, BOX, slab(4.65))
    try:
        found = made.at(60 * BOX.tick_ns, opened(made), FOREVER_S)
    finally:
        made.close()
    assert found is not None
    assert found.field is not None
    soot = found.field.extinction_visible_per_m.numpy()
    assert made.record["walls"][0] == 14 * 14
    assert soot[:5].max() > 0.1
    assert not soot[5:].any()


def test_walls_take_heat_by_the_table_of_materials_where_it_knows_them() -> None:
    made = []
    for identity in ("concrete", "", "gypsum_board", "brick_nobody_knows"):
        found = slab(4.0)
        surface = dataclasses.replace(found.surfaces[0], material_id=identity)
        made.append(wall_inertia(Building("slab", (surface,)), box_around([ROOF], 0.3, BOX.shape)))
    concrete, nothing, board, unknown = made
    assert set(np.unique(concrete[np.isfinite(concrete)])) == {np.float32(2.9)}
    assert set(np.unique(board[np.isfinite(board)])) == {np.float32(0.45)}
    assert np.isnan(nothing).all()
    assert np.isnan(unknown).all()
    assert wall_inertia(None, box_around([ROOF], 0.3, BOX.shape)) is None
    layer = SmokeLayer(
        [ROOF], 7, 293.15, BOX, Building("slab", (dataclasses.replace(surface, material_id="concrete"),))
    )
    assert layer.record["walls_inertia_known"][0] == np.isfinite(concrete).sum() > 0  # type: ignore[index]
    layer.close()


def slab(level_m: float) -> Building:
    corners = np.array([[x, y, level_m] for x, y in ((-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0))])
    return Building("slab", (Surface("slab", "concrete", "roof", corners, False),))


def test_a_fire_on_a_roof_stands_on_it_and_not_in_it() -> None:
    made = SmokeLayer([ROOF], 7, 293.15, BOX, slab(3.0))
    assert made.record["walls"][0] == 0  # the roof is the floor of the box
    assert made.record["feet_m"]["roof"][0] == list(ROOF.position_m)


def test_a_fire_in_a_wall_stands_beside_it_and_the_record_says_where() -> None:
    corners = np.array([[-2.0, -9.0, 0.0], [-2.0, 9.0, 0.0], [-2.0, 9.0, 9.0], [-2.0, -9.0, 9.0]])
    wall = Building("wall", (Surface("wall", "timber", "wall", corners, True),))
    odd = dataclasses.replace(BOX, shape=(12, 15, 15))  # the fire is in the middle of a cell, as is the wall
    made = SmokeLayer([ROOF], 7, 293.15, odd, wall)
    (east, north, up), unit, _ = made.record["feet_m"]["roof"]
    assert abs(east + 2.0) == pytest.approx(0.3)
    assert (north, up, unit) == (0.0, 3.0, "m in map")
    (source,) = made.sources(60.0)
    assert source.position_m == (east, north, up)


def test_a_fire_among_walls_is_refused() -> None:
    levels = np.arange(3.0, 4.6, 0.1)
    floors = tuple(dataclasses.replace(slab(z).surfaces[0], name=f"slab {z:.1f}") for z in levels)
    with pytest.raises(ConfigError, match="no air within two cells"):
        SmokeLayer([ROOF], 7, 293.15, BOX, Building("stack", floors))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"growth_kw_per_s2": -1.0}, "growth"),
        ({"peak_kw": -300.0}, "peak"),
        ({"soot_yield": -0.1}, "soot"),
        ({"position_m": (-2.0, 0.0, float("nan"))}, "finite"),
    ],
)
def test_numbers_that_no_fire_has_are_refused_before_any_frame(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SmokeLayer([dataclasses.replace(ROOF, **change)], 7, 293.15, BOX)  # type: ignore[arg-type]


def test_a_device_that_is_not_here_is_refused_before_any_frame() -> None:
    with pytest.raises(ConfigError, match="'cuda:77' is not here"):
        SmokeLayer([ROOF], 7, 293.15, dataclasses.replace(BOX, device="cuda:77"))


def test_a_tick_that_breaks_cfl_is_cut_and_says_so() -> None:
    made = SmokeLayer([ROOF], 7, 293.15, dataclasses.replace(BOX, tick_ns=400_000_000))
    try:
        found = made.at(10 * 400_000_000, opened(made), FOREVER_S)
    finally:
        made.close()
    assert found is not None
    assert found.record["substeps"][0] > 1
    assert "cut into" in found.record["notes"][0]


@settings(max_examples=30)
@given(
    st.tuples(*(st.integers(-90, 90).map(lambda tenths: 0.1 * tenths + 0.013) for _ in range(3))),
    st.sampled_from((0.1, 0.3, 1.0)),
    st.integers(8, 40),
)
def test_the_box_holds_every_fire_or_is_refused(
    away_m: tuple[float, float, float], cell_m: float, wide: int
) -> None:
    other = dataclasses.replace(
        ROOF,
        position_m=(
            ROOF.position_m[0] + away_m[0],
            ROOF.position_m[1] + away_m[1],
            ROOF.position_m[2] + away_m[2],
        ),
    )
    across_m = max(abs(away_m[0]), abs(away_m[1]))
    if across_m > 0.5 * wide * cell_m or abs(away_m[2]) > 0.75 * wide * cell_m:
        with pytest.raises(ConfigError, match="larger cells"):
            box_around([ROOF, other], cell_m, (wide, wide, wide))
        return
    grid = box_around([ROOF, other], cell_m, (wide, wide, wide))
    low = np.array(grid.origin_m)
    high = low + cell_m * wide
    for item in (ROOF, other):
        place = np.array(item.position_m)
        assert (place >= low - 1e-9).all()
        assert (place <= high).all()


def test_the_box_stands_on_the_lowest_ignition_and_holds_all() -> None:
    grid = box_around([ROOF], 0.15, (48, 64, 64))
    assert grid.origin_m == pytest.approx((-2.0 - 4.8, -4.8, 3.0))
    with pytest.raises(ConfigError, match="no ignition"):
        box_around([], 0.15, (48, 64, 64))
