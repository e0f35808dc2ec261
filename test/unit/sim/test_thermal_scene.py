# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The thermal picture: geometry against an independent projection, noise against its NETD."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.sim import rig, site
from vidgen_nodes.sim.radiance import band_radiance
from vidgen_nodes.sim.thermal_scene import ThermalScene
from vidgen_nodes.sim.trajectory import fly


@pytest.fixture(scope="module")
def scene() -> ThermalScene:
    return ThermalScene(seed=3)


@pytest.mark.parametrize(
    ("kelvin", "expected"),
    [(273.15, 35.152), (293.15, 49.373), (300.0, 54.934), (373.15, 136.778), (873.15, 1472.12)],
)
def test_band_radiance_meets_the_published_vectors(kelvin: float, expected: float) -> None:
    assert float(band_radiance(np.array(kelvin))) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("kelvin", "expected_k", "slack_k"), [(300.0, 0.050, 0.005), (273.15, 0.066, 0.007)])
def test_temporal_noise_on_a_flat_field_is_netd(
    scene: ThermalScene, kelvin: float, expected_k: float, slack_k: float
) -> None:
    frames = np.stack([scene.flat_frame(kelvin, index)[::4, ::4] for index in range(60)])
    noise_k = frames.std(axis=0, ddof=1).mean() * rig.SCALE_K_PER_COUNT
    assert noise_k == pytest.approx(expected_k, abs=slack_k)
    assert frames.mean() * rig.SCALE_K_PER_COUNT == pytest.approx(kelvin, abs=0.01)


def test_fixed_pattern_of_rows_and_columns_is_half_the_netd(scene: ThermalScene) -> None:
    mean = np.mean([scene.flat_frame(300.0, index) for index in range(100)], axis=0)
    columns, rows = mean.mean(axis=0), mean.mean(axis=1)
    pattern_k = np.hypot(columns.std(), rows.std()) * rig.SCALE_K_PER_COUNT
    assert pattern_k == pytest.approx(0.025, abs=0.003)


def test_beyond_its_range_the_camera_clips(scene: ThermalScene) -> None:
    assert (scene.flat_frame(430.0, 0) == 42315).all()
    assert (scene.flat_frame(230.0, 0) == 25315).all()


def test_frame_depends_on_index_and_pose_only(scene: ThermalScene) -> None:
    pose = fly(2.0).map_T_camera
    first = scene.frame(pose, 100)
    scene.frame(fly(9.0).map_T_camera, 450)
    np.testing.assert_array_equal(first, scene.frame(pose, 100))
    np.testing.assert_array_equal(first, ThermalScene(seed=3).frame(pose, 100))
    assert (first != scene.frame(pose, 101)).mean() > 0.5
    assert (first != ThermalScene(seed=4).frame(pose, 100)).mean() > 0.5


@pytest.mark.parametrize("t", [0.0, 5.0, 12.5, 19.0, 31.0])
def test_edges_of_the_house_lie_where_the_pinhole_model_puts_them(scene: ThermalScene, t: float) -> None:
    """Across the cold rim of the roof, find the steepest place and compare it with the projection."""
    pose = fly(t).map_T_camera
    picture = np.mean([scene.frame(pose, index) for index in range(24)], axis=0).astype(np.float32)
    roof = site.FACES[0].corners_m
    edges = [(roof[1], roof[2]), (roof[2], roof[3]), (roof[3], roof[0])]  # east, north and west rim
    misses = []
    for start, end in edges:
        for share in np.linspace(0.1, 0.9, 25):
            at, ahead = _project(pose, start + share * (end - start)), _project(pose, end)
            across = np.array([ahead[1] - at[1], at[0] - ahead[0]]) / np.linalg.norm(ahead - at)
            reach = np.arange(-1.75, 1.76, 0.125)
            places = (at + reach[:, None] * across).astype(np.float32)
            profile = cv2.remap(picture, places[None], None, cv2.INTER_LINEAR)[0]
            slope = np.abs(np.gradient(profile))
            near = slope > 0.5 * slope.max()
            misses.append(float((reach[near] * slope[near]).sum() / slope[near].sum()))
    assert len(misses) == 75
    assert abs(np.median(misses)) < 0.5
    assert np.quantile(np.abs(misses), 0.75) < 1.0


def test_picture_is_a_plausible_evening_without_fire(scene: ThermalScene) -> None:
    degc = scene.frame(fly(0.0).map_T_camera, 0) * rig.SCALE_K_PER_COUNT - 273.15
    assert degc.shape == (rig.HEIGHT_PX, rig.WIDTH_PX)
    assert degc.min() > 0.0
    assert degc.max() < 60.0
    assert degc.max() > 30.0  # the exhaust of the heating
    assert degc.std() > 2.0


def _project(pose, point_m):
    seen = Rotation.from_quat(pose.quaternion_xyzw).inv().apply(point_m - pose.translation_m)
    column, row, depth = rig.camera_matrix_px() @ seen
    return np.array([column / depth, row / depth])
