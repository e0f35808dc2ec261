# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Masks for planners: published flux values, footprints, and doubt that closes cells."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.delivery.robot import (
    KEEP_OUT,
    RADIATIVE_FRACTION,
    distance_to_cells_m,
    hazard_masks,
    radiant_flux_kw_per_m2,
)
from vidgen_nodes.packets import Grid, Hazard
from vidgen_nodes.params import RobotParams

GRID = Grid(origin_east_m=-10.0, origin_north_m=-10.0, resolution_m=0.5, rows=40, cols=40)
FLAME = Hazard("fire", "flame", (0.25, 0.25, 0.0), 0.5, 3.0, 1000.0, 0.9, ())
DEBRIS = Hazard("tile", "debris", (5.0, -5.0, 0.0), 0.6, 0.4, 0.0, 0.9, ())


def cell_of(east_m: float, north_m: float) -> tuple[int, int]:
    return int((north_m + 10.0) / 0.5), int((east_m + 10.0) / 0.5)


def test_flux_of_the_point_source_model() -> None:
    """1000 kW at 5 m with a radiative fraction of 0.35: 1.114 kW/m2."""
    assert RADIATIVE_FRACTION == 0.35
    assert radiant_flux_kw_per_m2(1000.0, 0.0, np.array(5.0)) == pytest.approx(1.114, abs=5e-4)


def test_the_source_lies_at_a_third_of_the_flame_height() -> None:
    low = radiant_flux_kw_per_m2(1000.0, 9.0, np.array(4.0))
    assert low == pytest.approx(radiant_flux_kw_per_m2(1000.0, 0.0, np.array(5.0)))


def test_keep_out_reaches_to_where_the_flux_falls_below_the_limit() -> None:
    params = RobotParams()
    keepout, _ = hazard_masks([FLAME], GRID, params)
    reach_m = math.sqrt(0.35 * 1000.0 / (4 * math.pi * params.keepout_kw_per_m2) - 1.0)
    row, col = cell_of(0.25, 0.25)
    closed = np.flatnonzero(keepout[row, col:] == KEEP_OUT)
    nearest_edge_m = closed[-1] * 0.5 - 0.25  # of the outermost closed cell, from the axis
    assert nearest_edge_m <= reach_m < nearest_edge_m + 0.5
    assert (np.diff(closed) == 1).all()


def test_slow_travel_reaches_further_than_keep_out() -> None:
    keepout, speed = hazard_masks([FLAME], GRID, RobotParams())
    assert (speed[keepout == KEEP_OUT] == 30).all()
    assert ((speed == 30) & (keepout == 0)).sum() > (keepout == KEEP_OUT).sum()
    assert set(np.unique(speed)) == {0, 30}
    assert set(np.unique(keepout)) == {0, KEEP_OUT}


def test_inside_a_weak_flame_is_keep_out() -> None:
    ember = dataclasses.replace(FLAME, heat_release_kw=0.1, radius_m=1.0)
    keepout, _ = hazard_masks([ember], GRID, RobotParams())
    assert keepout[cell_of(0.25, 0.25)] == KEEP_OUT
    assert keepout[cell_of(1.0, 0.25)] == KEEP_OUT
    assert keepout[cell_of(2.25, 0.25)] == 0


def test_debris_closes_every_cell_it_touches() -> None:
    keepout, speed = hazard_masks([DEBRIS], GRID, RobotParams())
    rows, cols = np.nonzero(keepout)
    touched = distance_to_cells_m(GRID, 5.0, -5.0) <= 0.6
    assert set(zip(rows.tolist(), cols.tolist(), strict=True)) == set(
        zip(*map(list, np.nonzero(touched)), strict=True)
    )
    assert touched[cell_of(5.55, -5.0)]
    assert not touched[cell_of(6.1, -5.0)]
    assert (speed[touched] > 0).all()


def test_debris_far_smaller_than_a_cell_closes_its_cell() -> None:
    pebble = dataclasses.replace(DEBRIS, radius_m=0.01, position_m=(5.1, -5.1, 0.0))
    keepout, _ = hazard_masks([pebble], GRID, RobotParams())
    assert keepout[cell_of(5.1, -5.1)] == KEEP_OUT
    assert (keepout == KEEP_OUT).sum() == 1


def test_two_fires_add_up() -> None:
    weak = dataclasses.replace(FLAME, heat_release_kw=100.0)
    params = RobotParams()
    one, _ = hazard_masks([weak], GRID, params)
    two, _ = hazard_masks([weak, dataclasses.replace(weak, identity="twin")], GRID, params)
    assert (two == KEEP_OUT).sum() > (one == KEEP_OUT).sum()
    assert (two[one == KEEP_OUT] == KEEP_OUT).all()


def test_smoke_slows_and_does_not_stop() -> None:
    smoke = dataclasses.replace(FLAME, kind="smoke", radius_m=2.0)
    keepout, speed = hazard_masks([smoke], GRID, RobotParams())
    assert not keepout.any()
    assert speed[cell_of(0.25, 0.25)] == 30
    assert speed[cell_of(6.0, 6.0)] == 0


@pytest.mark.parametrize("name", ["heat_release_kw", "radius_m", "height_m"])
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_hazard_of_unknown_size_closes_everything(name: str, number: float) -> None:
    keepout, speed = hazard_masks([dataclasses.replace(FLAME, **{name: number})], GRID, RobotParams())
    assert (keepout == KEEP_OUT).all()
    assert (speed > 0).all()


@pytest.mark.parametrize("percent", [1.0, 1.4, 30.0, 100.0])
def test_a_slow_cell_never_reads_as_no_limit(percent: float) -> None:
    """0 means no limit to a speed filter, so caution is never 0."""
    _, speed = hazard_masks([FLAME], GRID, RobotParams(slow_percent=percent))
    assert speed[cell_of(0.25, 0.25)] == round(percent) >= 1


def test_without_hazards_nothing_is_closed() -> None:
    keepout, speed = hazard_masks([], GRID, RobotParams())
    assert keepout.shape == speed.shape == GRID.shape
    assert keepout.dtype == speed.dtype == np.int8
    assert not keepout.any()
    assert not speed.any()


def test_a_hazard_outside_the_grid_still_radiates_into_it() -> None:
    outside = dataclasses.replace(FLAME, position_m=(-12.0, 0.0, 0.0))
    keepout, _ = hazard_masks([outside], GRID, RobotParams())
    assert keepout[cell_of(-9.9, 0.0)] == KEEP_OUT
    assert keepout[cell_of(9.9, 0.0)] == 0


@given(
    east_m=st.floats(-15, 15),
    north_m=st.floats(-15, 15),
    radius_m=st.floats(0, 5),
    heat_release_kw=st.floats(0, 1e5),
    kind=st.sampled_from(["flame", "debris", "smoke", "steam", "something new"]),
)
def test_every_cell_a_hazard_touches_asks_for_caution(
    east_m: float, north_m: float, radius_m: float, heat_release_kw: float, kind: str
) -> None:
    hazard = Hazard("x", kind, (east_m, north_m, 0.0), radius_m, 2.0, heat_release_kw, 0.5, ())
    keepout, speed = hazard_masks([hazard], GRID, RobotParams())
    touched = distance_to_cells_m(GRID, east_m, north_m) <= radius_m
    assert (speed[touched] > 0).all()
    if kind not in ("smoke", "steam"):
        assert (keepout[touched] == KEEP_OUT).all()


def test_rows_grow_north_and_columns_east() -> None:
    distance_m = distance_to_cells_m(GRID, -9.9, 9.9)
    assert np.unravel_index(distance_m.argmin(), distance_m.shape) == (39, 0)
    assert distance_m[39, 0] == 0.0
