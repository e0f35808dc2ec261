# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grid
from vidgen_nodes.params import LidarParams, NodeParams
from vidgen_nodes.resources import config_dir
from vidgen_nodes.ros.baseline import baseline_for, baseline_of_building
from vidgen_nodes.ros.sensed import mapper_for
from vidgen_nodes.scene.building import load_building

GRID = Grid(-20.0, -20.0, 0.5, 80, 80)
HOUSE = config_dir() / "buildings" / "sim_house.yaml"


def test_roofs_and_the_ground_around_them() -> None:
    layers = baseline_of_building(load_building(HOUSE))(GRID)
    roof = np.isfinite(layers.height_m)
    assert set(np.unique(layers.height_m[roof])) == {6.0}
    ground = np.isfinite(layers.ground_m)
    assert set(np.unique(layers.ground_m[ground])) == {0.0}
    assert not (roof & ground).any()
    assert ground.sum() > 500
    near = np.zeros(GRID.shape, bool)  # within 1 m of the roof there is none
    rows, cols = np.nonzero(roof)
    near[rows.min() - 2 : rows.max() + 3, cols.min() - 2 : cols.max() + 3] = True
    assert not (near & ground).any()


def test_a_scan_of_the_site_comes_before_the_building(tmp_path: Path) -> None:
    path = tmp_path / "sound.npy"
    rng = np.random.default_rng(1)
    np.save(path, np.column_stack((rng.uniform(-5, 5, (40_000, 2)), np.full(40_000, 1.25))))
    baseline = baseline_for(LidarParams(baseline_file=str(path)), load_building(HOUSE))
    assert baseline is not None
    layers = baseline(GRID)
    assert np.nanmax(np.abs(layers.height_m - 1.25)) < 1e-6
    assert baseline_for(LidarParams(), None) is None
    with pytest.raises(ConfigError, match=r"nowhere\.pcd"):
        baseline_for(LidarParams(baseline_file=str(tmp_path / "nowhere.pcd")), None)


def test_what_cannot_be_derived_again_is_refused() -> None:
    with pytest.raises(ConfigError, match="derived again"):
        mapper_for(NodeParams(lidar=LidarParams(scan_source="elevation_map")), None)
    with pytest.raises(ConfigError, match="building_file"):
        mapper_for(NodeParams(lidar=LidarParams(building_file="house.yaml")), None)
