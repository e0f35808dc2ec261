# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.flame import PLUME_CLEARANCE_M, flame_region, standoff_disc

GRID = Grid(0.0, 0.0, 1.0, 12, 12)


def region(building, *ignitions, standoff_m=0.0):
    return flame_region(building.combustible_cells(GRID), GRID, ignitions, standoff_m)


def cells(found):
    return {(int(row), int(col)) for row, col in np.argwhere(found.cells)}


def test_path_runs_along_the_wall_of_the_ignition_only(make):
    building = make.building(make.wall("near", 1.1, 2.5, 4.9, 2.5), make.wall("far", 1.1, 8.5, 4.9, 8.5))
    found = region(building, make.ignition("foot", 1.5, 2.5))
    assert cells(found) == {(2, col) for col in range(1, 5)}
    assert found.refused == ()
    assert found.ignitions == {found.path[2, 1]: ("foot",)}
    assert (found.path[8] == 0).all()


def test_path_turns_corners_and_crosses_diagonals(make):
    building = make.building(make.wall("a", 1.1, 2.5, 2.9, 2.5), make.wall("b", 3.5, 3.1, 3.5, 4.9))
    assert cells(region(building, make.ignition("i", 1.5, 2.5))) == {(2, 1), (2, 2), (3, 3), (4, 3)}


@pytest.mark.parametrize("combustible", [None, False])
def test_gap_of_anything_else_ends_the_path(make, combustible):
    building = make.building(
        make.wall("a", 1.1, 2.5, 2.9, 2.5),
        make.wall("gap", 3.1, 2.5, 3.9, 2.5, combustible=combustible),
        make.wall("b", 4.1, 2.5, 5.9, 2.5),
    )
    assert cells(region(building, make.ignition("i", 1.5, 2.5))) == {(2, 1), (2, 2)}


@pytest.mark.parametrize(
    "position",
    [
        (1.5, 5.5, 0.0),
        (1.5, 2.5, 4.0),
        (1.5, 2.5, -1.0),
        (1.5, 3.6, 0.0),
        (-50.0, 2.5, 0.0),
        (np.nan, 2.5, 0.0),
    ],
)
def test_ignition_off_the_fuel_opens_nothing_and_is_named(make, position):
    building = make.building(make.wall("a", 1.1, 2.5, 4.9, 2.5))
    found = region(building, make.ignition("stray", *position), standoff_m=2.0)
    assert cells(found) == set()
    assert len(found.refused) == 1
    assert "ignition stray" in found.refused[0]


def test_ignition_within_half_a_cell_counts(make):
    building = make.building(make.wall("a", 1.1, 2.5, 4.9, 2.5))
    assert cells(region(building, make.ignition("i", 1.5, 3.4)))
    assert cells(region(building, make.ignition("i", 1.5, 2.5, 3.4)))


@pytest.mark.parametrize("combustible", [None, False])
def test_ignition_on_what_is_not_known_to_burn_opens_nothing(make, combustible):
    building = make.building(make.wall("a", 1.1, 2.5, 4.9, 2.5, combustible=combustible))
    found = region(building, make.ignition("stray", 1.5, 2.5), standoff_m=2.0)
    assert cells(found) == set()
    assert "stray" in found.refused[0]


def test_standoff_widens_the_path_and_keeps_its_heights(make):
    building = make.building(make.wall("a", 4.1, 5.5, 6.9, 5.5, low=1.0, high=4.0))
    found = region(building, make.ignition("i", 5.5, 5.5, 2.0), standoff_m=1.0)
    assert cells(found) == {(5, col) for col in range(3, 8)} | {(r, c) for r in (4, 6) for c in range(4, 7)}
    assert set(found.floor_m[found.cells]) == {1.0}
    assert set(found.ceiling_m[found.cells]) == {4.0 + PLUME_CLEARANCE_M}
    assert np.isnan(found.floor_m[~found.cells]).all()
    assert (found.path > 0).sum() == 3


def test_standoff_disc_is_measured_between_cell_centres():
    half = replace(GRID, resolution_m=0.5)
    assert standoff_disc(half, 0.0).shape == (1, 1)
    assert standoff_disc(half, 0.75).sum() == 9
    assert standoff_disc(half, 0.5).sum() == 5
    assert standoff_disc(half, 1.0).sum() == 13


def test_two_ignitions_on_one_path_are_both_named(make):
    building = make.building(make.wall("a", 1.1, 2.5, 4.9, 2.5))
    found = region(building, make.ignition("one", 1.5, 2.5), make.ignition("two", 4.5, 2.5))
    assert list(found.ignitions.values()) == [("one", "two")]


def storeys(make, gap_m, between=None):
    parts = [
        make.wall("ground", 1.1, 2.5, 4.9, 2.5, high=3.0),
        make.wall("first", 1.1, 2.5, 4.9, 2.5, low=3.0 + gap_m, high=6.0),
    ]
    return make.building(*parts, *([between] if between else []))


def test_a_slab_between_two_storeys_ends_the_path(make):
    found = region(storeys(make, 0.2), make.ignition("foot", 1.5, 2.5))
    assert np.nanmax(found.ceiling_m) == pytest.approx(3.0 + PLUME_CLEARANCE_M)
    assert np.nanmin(found.floor_m) == 0.0
    upper = region(storeys(make, 0.2), make.ignition("upper", 1.5, 2.5, 5.0))
    assert np.nanmin(upper.floor_m) == pytest.approx(3.2)


def test_a_joint_between_boards_does_not_end_the_path(make):
    found = region(storeys(make, 0.03), make.ignition("foot", 1.5, 2.5))
    assert np.nanmax(found.ceiling_m) == pytest.approx(6.0 + PLUME_CLEARANCE_M)


def test_a_timber_stair_joins_the_storeys(make):
    stair = make.mesh("stair", [[3.2, 2.1, 0.5], [3.8, 2.1, 0.5], [3.5, 2.9, 5.0]], [[0, 1, 2]])
    found = region(storeys(make, 0.2, stair), make.ignition("foot", 1.5, 2.5))
    assert np.nanmax(found.ceiling_m) == pytest.approx(6.0 + PLUME_CLEARANCE_M)
