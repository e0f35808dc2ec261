# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Debris comes loose only over open cells, falls as a function of the stamp, and never leaves the columns."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.debris_fall import WITHIN_S, DebrisFall
from vidgen_nodes.generation.debris_ground import slopes
from vidgen_nodes.generation.debris_library import (
    REACH_M,
    SECTORS,
    SETS,
    SLOPES_RAD,
    FallLibrary,
    fall_library,
    sector_of,
)
from vidgen_nodes.generation.debris_physics import MOST_ENERGY_GAIN
from vidgen_nodes.generation.wind.debris import WindOnDebris
from vidgen_nodes.packets import Grid, UncertaintyMap, Wind
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.gate import Gate, open_gate

pytest.importorskip("mujoco")

SEED = 11
START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000


def column_gate(grid: Grid, cells: np.ndarray, elevation: np.ndarray) -> Gate:
    ceiling = elevation + np.float32(0.6)
    closed = np.zeros(grid.shape, bool)
    permits = {tuple(cell): "test" for cell in np.argwhere(cells).tolist()}
    return Gate(grid, closed, cells, elevation, ceiling, permits, (), b"gate", int(cells.sum()))


def a_map(grid: Grid, elevation: np.ndarray) -> UncertaintyMap:
    level = np.full(grid.shape, 0.7, np.float32)
    return UncertaintyMap(
        START_NS, grid, elevation, level, level, level, level, level, level, level,
        np.full(grid.shape, 9, np.uint16), np.full(grid.shape, START_NS, np.int64),
        np.zeros(grid.shape, np.uint8), b"map", (),
    )  # fmt: skip


def a_fall(
    grid: Grid, cells: np.ndarray, elevation: np.ndarray, roof: np.ndarray | None = None
) -> DebrisFall:
    gate = column_gate(grid, cells, elevation)
    return DebrisFall(gate, a_map(grid, elevation), roof, SEED, START_NS, fall_library(SEED))


def content(boxes: tuple) -> list[tuple]:
    return [(box.cell, box.corners_m.tobytes(), box.colour_rgb) for box in boxes]


GRID = Grid(-3.0, 5.0, 0.5, 12, 14)
FLAT = np.full(GRID.shape, 2.0, np.float32)
ALL = np.ones(GRID.shape, bool)


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.2, 0.5, 1.1]),
    st.floats(-2.0, WITHIN_S + 4.0),
    st.floats(0.0, 0.4),
)
def test_every_corner_is_strictly_inside_an_open_column(
    seed: int, edge_m: float, time_s: float, rough_m: float
) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid(rng.uniform(-9.0, 9.0), rng.uniform(-9.0, 9.0), edge_m, 9, 8)
    cells = rng.random(grid.shape) < 0.7
    elevation = rng.normal(3.0, rough_m, grid.shape).astype(np.float32)
    elevation[rng.random(grid.shape) < 0.1] = np.nan
    cells &= np.isfinite(elevation)
    for box in a_fall(grid, cells, elevation).at(START_NS + round(time_s * 1e9)):
        assert cells[box.cell]
        col = np.floor((box.corners_m[:, 0] - grid.origin_east_m) / edge_m).astype(int)
        row = np.floor((box.corners_m[:, 1] - grid.origin_north_m) / edge_m).astype(int)
        assert cells[row, col].all()
        assert cells[row.min() : row.max() + 1, col.min() : col.max() + 1].all()
        over = {(r, c) for r in range(row.min(), row.max() + 1) for c in range(col.min(), col.max() + 1)}
        assert over == {box.cell, *box.beside}
        assert np.all(box.corners_m[:, 2] > elevation[row, col])
        assert np.all(box.corners_m[:, 2] < (elevation + np.float32(0.6))[row, col])


def test_the_picture_at_a_stamp_does_not_depend_on_what_was_asked_before() -> None:
    stamps = [START_NS + step * 50_000_000 for step in range(-20, 480, 7)]
    forward, backward = a_fall(GRID, ALL, FLAT), a_fall(GRID, ALL, FLAT)
    there = [content(forward.at(stamp)) for stamp in stamps]
    back = [content(backward.at(stamp)) for stamp in reversed(stamps)]
    assert there == back[::-1]
    assert there[0] != there[-1]


def test_pieces_fall_then_lie_still() -> None:
    fall = a_fall(GRID, ALL, FLAT)
    before = fall.at(START_NS - 1)
    assert before  # what had come loose before the scenario lies there
    assert content(fall.at(START_NS - SECOND_NS)) == content(before)
    after = fall.at(START_NS + round((WITHIN_S + 4.0) * 1e9))
    assert len(after) > len(before)
    assert fall.at(START_NS + 3600 * SECOND_NS) is after  # not one byte is made anew
    heights = [
        max((box.corners_m[:, 2].max() for box in fall.at(START_NS + step * 10_000_000)), default=0.0)
        for step in range(300)
    ]
    assert max(heights) > 2.4 > 2.0  # some are seen in the air


def test_other_cells_and_the_maps_window_do_not_move_a_cells_pieces() -> None:
    stamp_ns = START_NS + 5 * SECOND_NS
    everything = a_fall(GRID, ALL, FLAT).at(stamp_ns)
    half = ALL.copy()
    half[:, 7:] = False
    left = a_fall(GRID, half, FLAT).at(stamp_ns)
    assert {box.corners_m.tobytes() for box in left} <= {box.corners_m.tobytes() for box in everything}
    moved = Grid(GRID.origin_east_m + 1.0, GRID.origin_north_m - 0.5, 0.5, *GRID.shape)
    seen = a_fall(moved, ALL, FLAT).at(stamp_ns)
    shared = {box.corners_m.tobytes() for box in seen} & {box.corners_m.tobytes() for box in everything}
    assert len(shared) > 0.5 * len(everything)


def test_nothing_comes_loose_where_the_gate_is_shut_or_nothing_was_measured() -> None:
    late_ns = START_NS + 60 * SECOND_NS
    shut = a_fall(GRID, np.zeros(GRID.shape, bool), FLAT)
    assert shut.at(late_ns) == ()
    assert shut.releases == ()
    unknown = a_fall(GRID, ALL, np.full(GRID.shape, np.nan, np.float32))
    assert unknown.at(late_ns) == ()
    assert unknown.releases == ()


def test_every_piece_has_a_logged_cause_from_an_open_cell() -> None:
    cells = np.random.default_rng(3).random(GRID.shape) < 0.5
    fall = a_fall(GRID, cells, FLAT)
    assert fall.releases
    for release in fall.releases:
        assert cells[release.cell]
        assert (release.uncertainty, release.observations) == (pytest.approx(0.7), 9)
        assert release.observed_ns == START_NS
    late = fall.at(START_NS + 60 * SECOND_NS)
    assert len(late) <= sum(release.pieces for release in fall.releases)
    rows, unit, _ = fall.record()["releases"]
    assert len(rows) == len(fall.releases)
    assert all(len(row) == len(unit.split(",")) for row in rows)


def test_a_tilted_roof_is_descended_and_steep_ones_are_left() -> None:
    rows = np.arange(GRID.rows, dtype=np.float32)[:, None]
    for slope, left in ((0.45, False), (0.9, True)):
        elevation = np.broadcast_to(2.0 - slope * 0.5 * rows, GRID.shape).astype(
            np.float32
        )  # falls to the north
        index, azimuth = slopes(elevation, 0.5)
        assert np.all(index == (2 if left else 1))
        assert azimuth == pytest.approx(np.full(GRID.shape, np.pi / 2))
        fall = a_fall(GRID, ALL, elevation)
        assert all(release.slope_rad == SLOPES_RAD[2 if left else 1] for release in fall.releases)
        lying = fall.at(START_NS + 60 * SECOND_NS)
        assert bool(lying) is not left  # 40 degrees is steeper than what friction holds


def test_noise_from_map_to_map_hardly_ever_chooses_another_slope() -> None:
    rows = np.arange(GRID.rows, dtype=np.float32)[:, None]
    noise = np.random.default_rng(5)
    border = 0.5 * (SLOPES_RAD[0] + SLOPES_RAD[1])
    tilted = np.broadcast_to(-np.tan(border - 0.06) * 0.5 * rows, GRID.shape)
    flipped = [
        np.mean(slopes((tilted + noise.normal(0.0, 0.02, GRID.shape)).astype(np.float32), 0.5)[0] != 0)
        for _ in range(20)
    ]
    assert np.mean(flipped) < 0.01  # 0.06 rad short of the next slope; single cells would flip one time in 27


def test_walls_are_noslopes() -> None:
    elevation = FLAT.copy()
    elevation[:, 6:] = 9.0
    assert np.all(slopes(elevation, 0.5)[0] == 0)


def test_under_a_modelled_roof_pieces_come_from_under_the_ceiling() -> None:
    roof = FLAT + np.float32(2.8)
    fall = a_fall(GRID, ALL, FLAT, roof)
    assert all(release.drop_m == 2.7 for release in fall.releases)
    assert all(release.drop_m == 0.5 for release in a_fall(GRID, ALL, FLAT, FLAT).releases)


def test_millimetres_of_noise_move_pieces_by_millimetres() -> None:
    stamp_ns = START_NS + 7 * SECOND_NS
    noise = np.random.default_rng(1).normal(0.0, 0.002, GRID.shape).astype(np.float32)
    quiet = {box.cell: box.corners_m for box in a_fall(GRID, ALL, FLAT).at(stamp_ns)}
    noisy = {box.cell: box.corners_m for box in a_fall(GRID, ALL, FLAT + noise).at(stamp_ns)}
    common = quiet.keys() & noisy.keys()
    assert len(common) > 0.9 * len(quiet)
    off = np.array([np.abs(quiet[cell] - noisy[cell]).max() for cell in common])
    assert np.median(off) < 0.01


def test_a_scene_of_the_gate_itself(params: GeneratorParams, make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(100.0)
    gate, umap = open_gate(scene, params), scene.uncertainty_map
    assert umap is not None
    roof_m = scene.building.roof_height(umap.grid) if scene.building is not None else None
    fall = DebrisFall(gate, umap, roof_m, SEED, START_NS, fall_library(SEED))
    boxes = fall.at(scene.stamp_ns)
    assert boxes
    assert {box.cell for box in boxes} <= {tuple(cell) for cell in np.argwhere(gate.debris_cells).tolist()}


def test_the_library_repeats_and_keeps_its_promises() -> None:
    first, second = FallLibrary(5), FallLibrary(5)
    assert first.record == second.record
    assert first.record["solutions_sha256"] != fall_library(SEED).record["solutions_sha256"]
    assert first.record["energy_gain"][0] <= MOST_ENERGY_GAIN
    assert first.record["rest_penetration_m"][0] <= 2e-3
    for key in SETS:
        for cluster in first.clusters(*key):
            half = 0.5 * cluster.lasts_s
            between = cluster.corners_m(half + 0.25 * cluster.solution.sample_s)
            edges = np.linalg.norm(between[:, 1] - between[:, 0], axis=1)
            assert edges == pytest.approx(2.0 * cluster.half_m[:, 0], rel=1e-6)  # boxes stay boxes
            assert cluster.corners_m(cluster.lasts_s + 9.0) is cluster.end_m


def test_a_tick_with_pieces_in_the_air_is_cheap() -> None:
    fall = a_fall(GRID, ALL, FLAT)
    fall.at(START_NS)
    costs_ms = []
    for step in range(60):
        start = time.perf_counter()
        fall.at(START_NS + step * 50_000_000)
        costs_ms.append(1e3 * (time.perf_counter() - start))
    assert np.median(costs_ms) < 5.0  # 0.3 ms on a quiet machine, 168 open cells


def test_solutions_are_not_to_be_written_to() -> None:
    box = a_fall(GRID, ALL, FLAT).at(START_NS)[0]
    with pytest.raises(ValueError, match="read-only"):
        box.corners_m[0, 0] = 1.0
    assert dataclasses.is_dataclass(box)


WEST_WIND = Wind(12.0, 270.0)


def in_wind(
    elevation: np.ndarray, building: Building | None = None, cells: np.ndarray = ALL, wind: Wind = WEST_WIND
) -> DebrisFall:
    blown = WindOnDebris(wind, building)
    gate = column_gate(GRID, cells, elevation)
    library = fall_library(SEED, blown.speed_mps)
    return DebrisFall(gate, a_map(GRID, elevation), None, SEED, START_NS, library, blown)


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(-2.0, WITHIN_S + 4.0),
    st.floats(0.0, 0.5),
    st.sampled_from([0.0, 77.0, 200.0]),
)
def test_in_wind_too_every_corner_is_strictly_inside_an_open_column(
    seed: int, time_s: float, slope: float, from_deg: float
) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.random(GRID.shape) < 0.7
    rise = slope * GRID.resolution_m * np.arange(GRID.cols)
    elevation = (2.0 + rise[None, :] + rng.normal(0.0, 0.01, GRID.shape)).astype(np.float32)
    fall = in_wind(elevation, cells=cells, wind=dataclasses.replace(WEST_WIND, from_deg=from_deg))
    for box in fall.at(START_NS + round(time_s * 1e9)):
        rows = np.floor((box.corners_m[:, 1] - GRID.origin_north_m) / GRID.resolution_m).astype(int)
        cols = np.floor((box.corners_m[:, 0] - GRID.origin_east_m) / GRID.resolution_m).astype(int)
        assert cells[rows, cols].all()
        assert (box.corners_m[:, 2] > elevation[rows, cols]).all()
        assert (box.corners_m[:, 2] < elevation[rows, cols] + np.float32(0.6)).all()


@pytest.mark.parametrize(("from_deg", "way"), [(270.0, (1.0, 0.0)), (90.0, (-1.0, 0.0)), (180.0, (0.0, 1.0))])
def test_on_level_ground_light_pieces_go_downwind_and_no_heavy_one_far(
    from_deg: float, way: tuple[float, float]
) -> None:
    blown = WindOnDebris(Wind(12.0, from_deg), None)
    library = fall_library(SEED, blown.speed_mps)
    assert (np.cos(blown.towards_rad), np.sin(blown.towards_rad)) == pytest.approx(way, abs=1e-12)
    drifts = []
    for windy, still in zip(library.clusters(0, 0, 0), library.clusters(0, 0), strict=True):
        alone = len(windy.half_m) == 1  # pieces that hit each other may end anywhere
        drifts += [(windy.solution.positions_m[-1] - still.solution.positions_m[-1])[0, 0]] * alone
    assert min(drifts) > 0.0
    assert max(drifts) < 0.5


def test_still_air_stays_what_it_is_where_wind_is_kept_off() -> None:
    wall = np.array([[-8.0, 0.0, 0.0], [-8.0, 20.0, 0.0], [-8.0, 20.0, 9.0], [-8.0, 0.0, 9.0]])
    near = wall + np.array([4.0, 0.0, 0.0])  # 1 m upwind of the first cells
    still = {box.cell: box.corners_m.tobytes() for box in a_fall(GRID, ALL, FLAT).at(START_NS)}
    far = in_wind(FLAT, Building("far", (Surface("wall", "brick", "wall", wall, False),)))
    lee = in_wind(FLAT, Building("near", (Surface("wall", "brick", "wall", near, False),)))
    assert all(item.is_blown for item in far.releases)
    assert {item.cell[1] for item in lee.releases if not item.is_blown} == {0, 1, 2}
    shown = {box.cell: box.corners_m.tobytes() for box in lee.at(START_NS) if box.cell[1] < 2}
    assert shown
    assert shown.items() <= {cell: corners for cell, corners in still.items() if cell in shown}.items()
    moved = {box.cell: box.corners_m.tobytes() for box in far.at(START_NS)}
    assert all(moved[cell] != still[cell] for cell in moved.keys() & still.keys())


def test_under_a_ceiling_no_wind_blows_on_pieces() -> None:
    roof_m = np.full(GRID.shape, 5.0, np.float32)
    blown = WindOnDebris(WEST_WIND, None)
    gate, umap = column_gate(GRID, ALL, FLAT), a_map(GRID, FLAT)
    library = fall_library(SEED, blown.speed_mps)
    inside = DebrisFall(gate, umap, roof_m, SEED, START_NS, library, blown)
    assert not any(item.is_blown for item in inside.releases)
    late_ns = START_NS + 60 * SECOND_NS
    assert content(inside.at(late_ns)) == content(a_fall(GRID, ALL, FLAT, roof_m).at(late_ns))


def test_the_record_says_who_was_in_wind_and_of_still_air_nothing_new() -> None:
    rows, unit, _ = in_wind(FLAT).record()["releases"]
    assert unit.endswith(", in wind")
    assert all(row[7] is True for row in rows)
    rows, unit, _ = a_fall(GRID, ALL, FLAT).record()["releases"]
    assert unit.endswith("pieces")
    assert all(len(row) == 7 for row in rows)


def test_wind_belongs_to_what_a_library_is_and_solves_still_air_as_before() -> None:
    still, blown = fall_library(SEED), fall_library(SEED, WindOnDebris(WEST_WIND, None).speed_mps)
    assert still is not blown
    assert "blown_at" not in still.record
    assert blown.record["blown_at"][0] == pytest.approx(12.0 * (0.5 / 10.0) ** 0.14)
    assert still.record["solutions_sha256"] != blown.record["solutions_sha256"]
    for key in SETS:
        for one, other in zip(still.clusters(*key), blown.clusters(*key), strict=True):
            assert one.solution.positions_m.tobytes() == other.solution.positions_m.tobytes()
    again = FallLibrary(SEED, wind_mps=blown.wind_mps)
    assert again.record == blown.record


@settings(max_examples=50)
@given(st.floats(-10.0, 10.0), st.floats(-4.0, 4.0))
def test_the_sector_is_the_nearest_of_those_solved(wind_rad: float, descent_rad: float) -> None:
    step = 2.0 * np.pi / SECTORS
    off = (wind_rad - descent_rad - step * sector_of(wind_rad, descent_rad) + np.pi) % (2.0 * np.pi) - np.pi
    assert abs(off) <= 0.5 * step + 1e-9


def test_no_piece_is_drawn_farther_from_what_released_it_than_explanations_look() -> None:
    """Only the western cells release; a storm blows pieces east, over cells that are open."""
    blown = WindOnDebris(Wind(30.0, 270.0, 0.5), None)
    grid = Grid(-3.0, 5.0, 0.5, 40, 14)
    flat = np.full(grid.shape, 2.0, np.float32)
    measured = flat.copy()
    measured[:, 1:] = np.nan
    library = fall_library(SEED, blown.speed_mps)
    gate = column_gate(grid, np.ones(grid.shape, bool), flat)
    fall = DebrisFall(gate, a_map(grid, measured), None, SEED, START_NS, library, blown)
    assert {item.cell[1] for item in fall.releases} == {0}
    farthest_m = 0.0
    for step in range(600):
        for box in fall.at(START_NS + step * SECOND_NS // 25):
            farthest_m = max(farthest_m, box.corners_m[:, 0].mean() - grid.origin_east_m)
    assert 1.5 < farthest_m <= REACH_M + grid.resolution_m  # from the western edge of their cells
    ends = [cluster.solution.positions_m[-1, :, 0].max() for cluster in library.clusters(0, 0, 0)]
    assert max(ends) > 2.0 * REACH_M  # some are blown farther
