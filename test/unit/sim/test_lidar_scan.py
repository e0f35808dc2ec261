# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every return lies on a true surface; the damaged roof shows in the returns and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.sim import damage, site
from vidgen_nodes.sim.lidar_scan import RANGE_SIGMA_M, LidarScan
from vidgen_nodes.sim.trajectory import fly

TIMES_S = (0.0, 7.3, 18.9)


@pytest.fixture(scope="module")
def lidar() -> LidarScan:
    return LidarScan(seed=5, points=30_000)


def returns(lidar: LidarScan, t: float, index: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) in map and unit rays towards them."""
    pose = fly(t).map_T_lidar
    points = lidar.cast(pose, index).points
    local = np.stack([points["x"], points["y"], points["z"]], axis=1).astype(np.float64)
    rotation = Rotation.from_quat(pose.quaternion_xyzw)
    away = rotation.apply(local)
    return away + pose.translation_m, away / np.linalg.norm(away, axis=1, keepdims=True)


def off_surface_m(points_m: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Distance along its ray from each point to the nearest sound surface that may have returned it; (N,)."""
    best = np.abs(points_m[:, 2] / rays[:, 2])
    for face in site.FACES:
        slant = rays @ face.normal
        along = (points_m - face.origin_m) @ face.normal / np.where(np.abs(slant) < 1e-9, 1e-9, slant)
        foot = points_m - along[:, None] * rays - face.origin_m
        across, up = np.array(face.across_m), np.array(face.up_m)
        u, v = foot @ across / (across @ across), foot @ up / (up @ up)
        on = (u > -1e-3) & (u < 1.001) & (v > -1e-3) & (v < 1.001) & (slant < 0)
        best = np.where(on, np.minimum(best, np.abs(along)), best)
    return best


def on_damage(points_m: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Points whose ray meets the sound roof over the damaged patch or within its depth of it."""
    at_roof = points_m - rays * ((points_m[:, 2:] - site.ROOF_M) / rays[:, 2:])
    return damage.Damage().inside(at_roof[:, 0], at_roof[:, 1]) & (points_m[:, 0] < site.EAST_M)


@pytest.mark.parametrize("t", TIMES_S)
def test_returns_lie_on_true_surfaces_within_range_noise(lidar: LidarScan, t: float) -> None:
    points_m, rays = returns(lidar, t)
    sound = ~on_damage(points_m, rays)
    miss_m = off_surface_m(points_m, rays)[sound]
    assert sound.sum() > 25_000
    assert (miss_m > 4.0 * RANGE_SIGMA_M).mean() < 3e-4  # 6e-5 expected of a normal distribution
    assert miss_m.max() < 6.0 * RANGE_SIGMA_M
    assert np.sqrt(np.mean(miss_m**2)) == pytest.approx(RANGE_SIGMA_M, rel=0.03)


def test_damaged_patch_sags_is_rough_and_has_holes(lidar: LidarScan) -> None:
    parts = [returns(lidar, 1.0 + 0.1 * index, index) for index in range(10)]
    points_m, rays = (np.concatenate(both) for both in zip(*parts, strict=True))
    hurt = points_m[on_damage(points_m, rays)]
    below_m = site.ROOF_M - hurt[:, 2]
    through = below_m > 1.0
    assert len(hurt) > 1000
    assert 0.03 < through.mean() < 0.35
    assert (hurt[through][:, 2] > site.FLOOR_M - 0.2).all()  # nothing falls through the upper floor
    middle = (
        ~through
        & (np.abs(hurt[:, 0] - damage.WEST_M - damage.SIZE_M / 2) < 0.8)
        & (np.abs(hurt[:, 1] - damage.SOUTH_M - damage.SIZE_M / 2) < 0.8)
    )
    assert below_m[middle].mean() > 0.25
    miss_m = hurt[~through, 2] - site.ROOF_M - damage.Damage().height_m(hurt[~through, 0], hurt[~through, 1])
    assert np.median(np.abs(miss_m)) < 2.0 * RANGE_SIGMA_M
    rough = damage.Damage().offset_m
    assert (rough[20:40, 20:40] - np.median(rough[20:40, 20:40])).std() > 3.0 * RANGE_SIGMA_M


def test_pattern_covers_roof_and_east_wall(lidar: LidarScan) -> None:
    points_m, _ = returns(lidar, 0.0)
    roof = (np.abs(points_m[:, 2] - site.ROOF_M) < 0.1) & (points_m[:, 0] < site.EAST_M)
    wall = (np.abs(points_m[:, 0] - site.EAST_M) < 0.1) & (points_m[:, 2] > 0.3) & (points_m[:, 2] < 5.7)
    counts, _, _ = np.histogram2d(
        points_m[roof, 0], points_m[roof, 1], bins=(24, 16), range=((-5.8, 6.2), (-4.2, 3.8))
    )
    assert np.median(counts) >= 5
    assert wall.sum() > 200


def test_scan_depends_on_its_index_only(lidar: LidarScan) -> None:
    pose = fly(3.0).map_T_lidar
    first = lidar.cast(pose, 30).data.copy()
    lidar.cast(pose, 31)
    np.testing.assert_array_equal(first, lidar.cast(pose, 30).data)
    np.testing.assert_array_equal(first, LidarScan(seed=5, points=30_000).cast(pose, 30).data)
    assert not np.array_equal(first, LidarScan(seed=6, points=30_000).cast(pose, 30).data)


def test_cloud_layout_fits_its_fields(lidar: LidarScan) -> None:
    cloud = lidar.cast(fly(3.0).map_T_lidar, 1)
    assert [field[0] for field in cloud.fields] == ["x", "y", "z", "intensity", "time"]
    assert cloud.data.dtype == np.uint8
    assert cloud.data.size == cloud.width * cloud.point_step
    assert 29_000 < cloud.width <= 30_000
    assert np.isfinite(np.stack([cloud.points[name] for name, *_ in cloud.fields])).all()
    assert (cloud.points["time"] == 0.0).all()
    assert cloud.points["intensity"].min() >= 0.0
    assert cloud.points["intensity"].max() <= 255.0
    assert np.ptp(cloud.points["intensity"]) > 20.0
