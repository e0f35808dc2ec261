# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Range decides at which sizes persons are looked for, and nothing known means every size."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.packets import CameraCalibration, Cause, Grid, Pose, UncertaintyMap
from vidgen_nodes.privacy.local_scale import (
    COARSEST_PX_PER_M,
    FINEST_PX_PER_M,
    every_scale,
    local_px_per_m,
    searches,
)
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.compose import Scene

FOCAL_PX, HEIGHT_M = 600.0, 30.0
WIDTH, HEIGHT = 640, 512


def measured(elevation_m: np.ndarray) -> UncertaintyMap:
    grid = Grid(-20.0, -20.0, 1.0, 40, 40)
    layer = np.zeros(grid.shape, np.float32)
    whole, stamps = np.zeros(grid.shape, np.uint16), np.zeros(grid.shape, np.int64)
    flags = np.zeros(grid.shape, np.uint8)
    rest = (layer,) * 7
    return UncertaintyMap(1, grid, elevation_m.astype(np.float32), *rest, whole, stamps, flags, bytes(32), ())


def looking(quaternion_xyzw: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)) -> Scene:
    matrix = np.array([[FOCAL_PX, 0.0, 319.5], [0.0, FOCAL_PX, 255.5], [0.0, 0.0, 1.0]])
    calibration = CameraCalibration(1, "t", WIDTH, HEIGHT, matrix, "plumb_bob", np.zeros(5))
    pose = Pose(np.array([0.0, 0.0, HEIGHT_M]), np.array(quaternion_xyzw))
    ground = measured(np.zeros((40, 40)))
    return Scene(1, "t", WIDTH, HEIGHT, calibration, Camera(calibration, pose), ground, None, None, (), 1.0)


def test_straight_down_on_flat_ground_one_scale_holds_everywhere() -> None:
    local = local_px_per_m(looking())
    assert local is not None
    np.testing.assert_allclose(local, FOCAL_PX / HEIGHT_M, rtol=0.01)


def test_on_what_stands_higher_persons_are_larger() -> None:
    heights = np.zeros((40, 40))
    heights[15:25, 15:25] = 12.0  # right below the camera
    local = local_px_per_m(replace(looking(), uncertainty_map=measured(heights)))
    assert local is not None
    assert local[5:7, 7:9] == pytest.approx(FOCAL_PX / (HEIGHT_M - 12.0), rel=0.01)
    assert local[0, 0] == pytest.approx(FOCAL_PX / HEIGHT_M, rel=0.01)
    scales = [scale for scale, _ in searches(local, WIDTH, HEIGHT)]
    assert scales[0] < FOCAL_PX / HEIGHT_M
    assert scales[-1] > FOCAL_PX / (HEIGHT_M - 12.0)
    whole, near = next(p for _, p in searches(local, WIDTH, HEIGHT)), [*searches(local, WIDTH, HEIGHT)][-1][1]
    assert whole == (0, 0, WIDTH, HEIGHT)
    assert near[0] > 0  # the finest is looked for on the high place alone
    assert near[3] < HEIGHT


def test_above_the_horizon_nothing_is_known() -> None:
    level = (-math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # optical axis along north, picture upright
    local = local_px_per_m(looking(level))
    assert local is not None
    assert np.isnan(local[:6]).all()
    assert np.isfinite(local[6:]).all()
    assert [scale for scale, _ in searches(local, WIDTH, HEIGHT)] == list(every_scale())


@pytest.mark.parametrize("cause", [Cause.POSE_STALE, Cause.RTK_LOST, Cause.GIMBAL_STALE])
def test_a_pose_in_doubt_gives_no_range(cause: Cause) -> None:
    assert local_px_per_m(replace(looking(), causes=(cause,))) is None
    assert local_px_per_m(replace(looking(), camera=None)) is None


def test_without_map_and_building_nothing_is_known() -> None:
    assert local_px_per_m(replace(looking(), uncertainty_map=None)) is None
    whole = (0, 0, WIDTH, HEIGHT)
    assert [*searches(None, WIDTH, HEIGHT)] == [(scale, whole) for scale in every_scale()]


@given(st.lists(st.floats(0.5, 2000.0) | st.just(math.nan), min_size=192, max_size=192))
def test_every_place_is_searched_at_its_own_scale(values: list[float]) -> None:
    """At one that is no farther from it than a search bears, if it is a usual one."""
    local = np.array(values).reshape(12, 16)
    found = [*searches(local, WIDTH, HEIGHT)]
    for row in range(12):
        for col in range(16):
            x, y = (col + 0.5) * WIDTH / 16, (row + 0.5) * HEIGHT / 12
            here = [s for s, (a, b, c, d) in found if a <= x < c and b <= y < d]
            own = local[row, col]
            if math.isnan(own):
                assert here == list(every_scale())
            elif COARSEST_PX_PER_M <= own <= FINEST_PX_PER_M:
                assert min(abs(math.log(s / own)) for s in here) <= math.log(1.28)
