# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The mannequin stands where it says, is as large as it says, and is the warmest thing there."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sim import person, rig, site
from vidgen_nodes.sim.thermal_scene import ThermalScene
from vidgen_nodes.sim.trajectory import fly


@pytest.fixture(scope="module")
def scene() -> ThermalScene:
    return ThermalScene(seed=3)


def outlines(t_s: float) -> np.ndarray:
    pose = fly(t_s).map_T_camera
    found = person.outlines_px(rig.camera_matrix_px() @ rotation_matrix(pose).T, pose.translation_m)
    assert found is not None
    return found


@pytest.mark.parametrize("t_s", [0.0, 6.5, 13.0, 19.5])
def test_outlines_lie_where_an_independent_projection_puts_the_ellipsoids(t_s: float) -> None:
    camera = Camera(rig.calibration(), fly(t_s).map_T_camera)
    turn, up = np.meshgrid(np.linspace(0, 2 * np.pi, 60), np.linspace(-np.pi / 2, np.pi / 2, 40))
    ball = np.stack([np.cos(up) * np.cos(turn), np.cos(up) * np.sin(turn), np.sin(up)], axis=-1).reshape(
        -1, 3
    )
    for part, outline in zip(person.PARTS, outlines(t_s), strict=True):
        middle_m = np.add(person.FEET_M, (0.0, 0.0, part.middle_m))
        pixels, _ = camera.project(middle_m + ball * (part.radius_m, part.radius_m, part.half_height_m))
        np.testing.assert_allclose(outline.min(axis=0), pixels.min(axis=0), atol=0.5)
        np.testing.assert_allclose(outline.max(axis=0), pixels.max(axis=0), atol=0.5)


@pytest.mark.parametrize("t_s", [0.0, 6.5, 13.0, 19.5])
def test_it_is_warmer_than_the_wall_behind(scene: ThermalScene, t_s: float) -> None:
    counts = scene.frame(fly(t_s).map_T_camera, 1)
    for part, outline in zip(person.PARTS, outlines(t_s), strict=True):
        column, row = np.rint(outline.mean(axis=0)).astype(int)
        assert counts[row, column] * rig.SCALE_K_PER_COUNT - 273.15 == pytest.approx(part.degc, abs=1.5)


def test_it_stands_before_the_wall_and_not_in_it() -> None:
    east, north, up = person.FEET_M
    assert east - max(part.radius_m for part in person.PARTS) > site.EAST_M
    assert site.SOUTH_M < north < site.NORTH_M
    assert up == 0.0
    top = max(part.middle_m + part.half_height_m for part in person.PARTS)
    assert top == pytest.approx(person.HEIGHT_M, abs=0.01)


def test_off_the_picture_nothing_is_painted() -> None:
    view = np.zeros((rig.HEIGHT_PX, rig.WIDTH_PX), np.int16)
    pose = fly(0.0).map_T_camera
    image_P_map = rig.camera_matrix_px() @ rotation_matrix(pose).T
    behind = pose.translation_m + 100.0 * (np.array(person.FEET_M) - pose.translation_m)
    assert person.paint(view, image_P_map, behind) is None
    assert person.paint(view, image_P_map, np.array(person.FEET_M)) is None
    assert not view.any()
