# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidgen_nodes.packets import Cause, Grid
from vidgen_nodes.scene.compose import compose_scene

GRID = Grid(-4.0, -4.0, 0.5, 16, 16)


@pytest.fixture
def whole(make):
    """Bundle, building and scenario that leave nothing to doubt."""
    pose = make.look_at((0.0, -9.0, 8.0), (0.0, 0.0, 0.0))
    return (
        make.bundle(make.uncertainty_map(GRID), pose, make.calibration()),
        make.building(make.wall("wall", 0, 0, 2, 0)),
        make.scenario(make.ignition("foot", 0.5, 0.0)),
    )


def with_thermal(bundle, **changes):
    return replace(bundle, thermal=replace(bundle.thermal, **changes))


def test_scene_holds_all_that_the_bundle_knows(whole):
    bundle, building, scenario = whole
    scene = compose_scene(bundle, building, scenario)
    assert scene.causes == ()
    assert (scene.stamp_ns, scene.frame_id) == (bundle.stamp_ns, "thermal")
    assert (scene.width_px, scene.height_px) == (160, 128)
    assert scene.camera is not None
    assert scene.camera.centre_m == pytest.approx([0.0, -9.0, 8.0])
    assert scene.uncertainty_map is bundle.uncertainty_map
    assert (scene.building, scene.scenario, scene.sigma_px) == (building, scenario, 0.5)


def test_missing_building_is_no_cause(whole):
    bundle, _, scenario = whole
    assert compose_scene(bundle, None, scenario).causes == ()


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda b: with_thermal(b, calibration=None), Cause.NO_CAMERA_INFO),
        (lambda b: with_thermal(b, frozen=True), Cause.FROZEN_THERMAL),
        (lambda b: with_thermal(b, pixels=np.zeros((120, 160), np.uint16)), Cause.CAMERA_INFO_MISMATCH),
        (lambda b: with_thermal(b, pixels=np.zeros((128, 161, 3), np.uint8)), Cause.CAMERA_INFO_MISMATCH),
        (
            lambda b: with_thermal(b, calibration=replace(b.thermal.calibration, distortion_model="odd")),
            Cause.NO_CAMERA_INFO,
        ),
        (lambda b: replace(b, map_T_camera=None), Cause.NO_POSE),
        (lambda b: replace(b, uncertainty_map=None), Cause.NO_MAP),
        (lambda b: replace(b, causes=(Cause.RTK_LOST,)), Cause.RTK_LOST),
    ],
)
def test_doubt_is_named(whole, spoil, cause):
    bundle, building, scenario = whole
    scene = compose_scene(spoil(bundle), building, scenario)
    assert scene.causes == (cause,)


def test_no_scenario_is_named(whole):
    bundle, building, _ = whole
    assert compose_scene(bundle, building, None).causes == (Cause.NO_SCENARIO,)


def test_causes_keep_their_order_and_appear_once(whole):
    bundle, building, _ = whole
    bundle = replace(
        with_thermal(bundle, calibration=None, frozen=True),
        causes=(Cause.RTK_LOST, Cause.FROZEN_THERMAL, Cause.MAP_STALE),
        map_T_camera=None,
        uncertainty_map=None,
    )
    assert compose_scene(bundle, building, None).causes == (
        Cause.RTK_LOST,
        Cause.FROZEN_THERMAL,
        Cause.MAP_STALE,
        Cause.NO_CAMERA_INFO,
        Cause.NO_SCENARIO,
    )


def test_no_camera_for_a_calibration_of_another_size(whole):
    bundle, building, scenario = whole
    scene = compose_scene(with_thermal(bundle, pixels=np.zeros((64, 80), np.uint16)), building, scenario)
    assert scene.camera is None


def test_scenario_that_should_have_been_reviewed_is_not_drawn(whole):
    bundle, building, scenario = whole
    assert compose_scene(bundle, building, scenario, None).causes == (Cause.NOT_REVIEWED,)
    assert compose_scene(bundle, building, None, None).causes == (Cause.NO_SCENARIO,)


def test_scene_names_the_review_that_it_is_drawn_under(whole):
    scene = compose_scene(*whole, b"signed")
    assert (scene.causes, scene.review) == ((), b"signed")
    assert compose_scene(*whole).review == b""
