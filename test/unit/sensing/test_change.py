# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What may be claimed to have changed: the statistics of physics.md section 7, 10^4 cells a trial."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.packets import CellFlag, PointScan, Pose, SourceRef, UncertaintyMap
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.baseline_scan import baseline_of
from vidgen_nodes.sensing.change import level_of_detection_m
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper

CELLS = 100
SIGMA_M = 0.02
T0 = 1_700_000_000_000_000_000


def slab(seed: int, returns: int, slope: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner_m = 0.5 * np.arange(-CELLS // 2, CELLS // 2)
    x, y = (axis.ravel().repeat(returns) for axis in np.meshgrid(corner_m, corner_m))
    x, y = x + rng.uniform(0.001, 0.499, x.size), y + rng.uniform(0.001, 0.499, y.size)
    return np.column_stack((x, y, slope * x + rng.normal(0.0, SIGMA_M, x.size)))


def after(
    sag_m: float, registration_m: float, *, seed: int, scans: int = 1, slope: float = 0.0
) -> UncertaintyMap:
    """The map of a slab with 20 returns a cell in all, against a baseline scan with 20."""
    params = LidarParams(
        map_size_m=0.5 * CELLS,
        registration_error_m=registration_m,
        sensor_sigma_m=SIGMA_M,
        map_follows="nothing",
    )
    mapper = UncertaintyMapper(params, baseline_of(slab(seed, 20, slope)))
    pose = Pose(np.array([0.0, 0.0, 40.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    for k in range(scans):
        points = slab(seed + 1 + k, 20 // scans, slope) - (0.0, 0.0, 40.0 + sag_m)
        stamp_ns = T0 + k * 100_000_000
        source = SourceRef("points", "sensor_msgs/msg/PointCloud2", stamp_ns, bytes(32))
        umap = mapper.add_scan(
            PointScan(stamp_ns, "lidar", points.astype(np.float32), None, {}, source), pose
        )
    return umap


def claimed(umap: UncertaintyMap) -> float:
    stated = np.isfinite(umap.lod95_m)
    assert stated.mean() > 0.95
    return float(np.mean((umap.flags[stated] & CellFlag.CHANGED) > 0))


@pytest.mark.parametrize(("scans", "slope"), [(1, 0.0), (1, 0.3), (2, 0.0)])
def test_an_intact_slab_gives_five_percent_false_positives_without_registration_error(
    scans: int, slope: float
) -> None:
    share = claimed(after(0.0, 0.0, seed=11, scans=scans, slope=slope))
    assert 0.035 <= share <= 0.065


def test_with_registration_error_there_are_fewer() -> None:
    assert claimed(after(0.0, 0.01, seed=21)) <= 0.05


def test_five_centimetres_of_sag_are_found_and_one_is_not_claimed() -> None:
    assert claimed(after(0.05, 0.01, seed=31)) >= 0.95
    assert claimed(after(0.01, 0.01, seed=41)) <= 0.05


def test_the_level_of_detection_is_that_of_the_formula() -> None:
    s1, s2, n = 0.02, 0.02, 20
    lod = level_of_detection_m(np.array([s1**2 / n]), np.array([s2**2 / n]), 0.01)
    assert lod[0] == pytest.approx(0.0320, abs=5e-5)  # 1.96 (sqrt(2 * 4e-4 / 20) + 0.01)
    umap = after(0.0, 0.01, seed=51)
    assert np.nanmedian(umap.lod95_m) == pytest.approx(0.032, abs=0.002)


def test_fewer_than_ten_returns_claim_nothing() -> None:
    params = LidarParams(map_size_m=50.0, map_follows="nothing")
    mapper = UncertaintyMapper(params, baseline_of(slab(1, 9, 0.0)))
    pose = Pose(np.array([0.0, 0.0, 40.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    points = (slab(2, 20, 0.0) - (0.0, 0.0, 41.0)).astype(np.float32)
    source = SourceRef("points", "sensor_msgs/msg/PointCloud2", T0, bytes(32))
    umap = mapper.add_scan(PointScan(T0, "lidar", points, None, {}, source), pose)
    assert np.isnan(umap.lod95_m).all()
    assert not (umap.flags & CellFlag.CHANGED).any()
