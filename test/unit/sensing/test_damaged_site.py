# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated house scanned from the true poses: what the map says of sound and damaged roof, and the gate."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vidgen_nodes.packets import BoolArray, CellFlag, PointScan, SourceRef, UncertaintyMap
from vidgen_nodes.params import GeneratorParams, LidarParams
from vidgen_nodes.resources import config_dir
from vidgen_nodes.ros.baseline import baseline_of_building
from vidgen_nodes.scene.building import load_building
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper
from vidgen_nodes.sim import damage, site
from vidgen_nodes.sim.lidar_scan import LidarScan
from vidgen_nodes.sim.trajectory import fly

PARAMS = LidarParams(map_size_m=32.0, resolution_m=0.5)
START_NS = 1_000_000_000_000
GATE = GeneratorParams()


def scans(count: int = 40) -> list[tuple[PointScan, float]]:
    lidar = LidarScan(seed=5, points=20_000)
    made = []
    for k in range(count):
        points = lidar.cast(fly(0.1 * k).map_T_lidar, k).points
        cloud = np.stack([points["x"], points["y"], points["z"]], axis=1)
        stamp_ns = START_NS + k * 100_000_000
        source = SourceRef("points", "sensor_msgs/msg/PointCloud2", stamp_ns, bytes(32))
        made.append((PointScan(stamp_ns, "lidar", cloud, None, {}, source), 0.1 * k))
    return made


@pytest.fixture(scope="module")
def flown() -> list[tuple[PointScan, float]]:
    return scans()


def final_map(flown: list[tuple[PointScan, float]], mapper: UncertaintyMapper) -> UncertaintyMap:
    for scan, t_s in flown:
        umap = mapper.add_scan(scan, fly(t_s).map_T_lidar)
    return umap


def places(umap: UncertaintyMap) -> tuple[BoolArray, BoolArray]:
    """Cells wholly over the damaged patch, and cells of the sound roof."""
    grid = umap.grid
    east = grid.origin_east_m + (np.arange(grid.cols) + 0.5) * grid.resolution_m
    north = grid.origin_north_m + (np.arange(grid.rows) + 0.5) * grid.resolution_m
    x, y = np.meshgrid(east, north)
    hurt = damage.Damage().inside(x, y)
    roof = (x > site.WEST_M) & (x < site.EAST_M) & (y > site.SOUTH_M) & (y < site.NORTH_M)
    return hurt, roof & ~hurt


def opened(umap: UncertaintyMap) -> BoolArray:
    """As ``scene/gate.py`` opens cells for debris."""
    return np.asarray(
        (umap.uncertainty >= GATE.tau_uncertainty)
        & (umap.observations >= GATE.min_observations)
        & (umap.stamp_ns - umap.observed_ns <= GATE.cell_fresh_ms * 1e6)
    )


def test_the_damaged_roof_opens_the_gate_and_nothing_else_does(flown: list[tuple[PointScan, float]]) -> None:
    umap = final_map(flown, UncertaintyMapper(PARAMS))
    hurt, _ = places(umap)
    assert opened(umap)[hurt].sum() >= 2
    assert not opened(umap)[~hurt].any()


def test_against_the_building_most_of_the_damage_shows(flown: list[tuple[PointScan, float]]) -> None:
    building = load_building(config_dir() / "buildings" / "sim_house.yaml")
    mapper = UncertaintyMapper(PARAMS, baseline_of_building(building))
    umap = final_map(flown, mapper)
    assert mapper.baseline_refused == ""
    hurt, sound = places(umap)
    assert opened(umap)[hurt].mean() > 0.3
    assert not opened(umap)[~hurt].any()
    changed = (umap.flags & CellFlag.CHANGED) > 0
    assert changed[hurt].mean() > 0.3
    assert changed[sound].mean() < 0.02
    assert not (umap.flags & CellFlag.HOLE).any()  # what falls through a hole returns from the room below


def test_the_house_come_down_as_a_whole_is_told_from_a_wrong_datum(
    flown: list[tuple[PointScan, float]],
) -> None:
    building = load_building(config_dir() / "buildings" / "sim_house.yaml")
    taller = dataclasses.replace(
        building,
        surfaces=tuple(
            dataclasses.replace(s, corners_m=s.corners_m - (0.0, 0.0, -3.0 if s.kind == "roof" else 0.0))
            for s in building.surfaces
        ),
    )  # as built the roof was 3 m higher than it lies now
    fallen = UncertaintyMapper(PARAMS, baseline_of_building(taller))
    umap = final_map(flown, fallen)
    assert fallen.baseline_refused == ""
    _, sound = places(umap)
    known = sound & np.isfinite(umap.lod95_m)
    assert known.sum() > 100
    assert ((umap.flags[known] & CellFlag.CHANGED) > 0).all()
    raised = dataclasses.replace(
        building,
        surfaces=tuple(
            dataclasses.replace(s, corners_m=s.corners_m - (0.0, 0.0, -3.0)) for s in building.surfaces
        ),
    )
    shifted = UncertaintyMapper(PARAMS, baseline_of_building(raised))
    umap = final_map(flown, shifted)
    assert "m off" in shifted.baseline_refused
    assert not opened(umap)[sound].any()
