# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever is drawn, a person under it stays in sight, and nothing else changes."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import CameraCalibration, Grid, Overlay, Pose, UncertaintyMap
from vidgen_nodes.params import GeneratorParams, SimParams
from vidgen_nodes.privacy.resolution import px_per_m, scales_between
from vidgen_nodes.privacy.reveal import OUTLINE_RGB, reveal_persons
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sim import person, rig
from vidgen_nodes.sim.flight import Flight

PARAMS = GeneratorParams()
CAP = round(255 * PARAMS.person_alpha_cap)
FOCAL_PX, HEIGHT_M = 600.0, 30.0
DOWN = Pose(np.array([0.0, 0.0, HEIGHT_M]), np.array([1.0, 0.0, 0.0, 0.0]))
FEET = (300, 300)
TORSO = (278, 300)


def flat_map(elevation_m: float = 0.0) -> UncertaintyMap:
    grid = Grid(-20.0, -20.0, 1.0, 40, 40)
    layer = np.zeros(grid.shape, np.float32)
    elevation = np.full(grid.shape, elevation_m, np.float32)
    whole, stamps = np.zeros(grid.shape, np.uint16), np.zeros(grid.shape, np.int64)
    flags = np.zeros(grid.shape, np.uint8)
    rest = (layer,) * 7
    return UncertaintyMap(1, grid, elevation, *rest, whole, stamps, flags, bytes(32), ())


def scene(**changes: Any) -> Scene:
    matrix = np.array([[FOCAL_PX, 0.0, 319.5], [0.0, FOCAL_PX, 255.5], [0.0, 0.0, 1.0]])
    calibration = CameraCalibration(1, "t", 640, 512, matrix, "plumb_bob", np.zeros(5))
    known = {
        "stamp_ns": 1,
        "frame_id": "t",
        "width_px": 640,
        "height_px": 512,
        "calibration": calibration,
        "camera": Camera(calibration, DOWN),
        "uncertainty_map": flat_map(),
        "building": None,
        "scenario": None,
        "causes": (),
        "sigma_px": 1.0,
    }
    return Scene(**{**known, **changes})


def drawn(left: int, top: int, right: int, bottom: int, alpha: int = 220) -> Overlay:
    rgba = np.zeros((512, 640, 4), np.uint8)
    rgba[top:bottom, left:right] = (255, 120, 0, alpha)
    confidence = np.where(rgba[..., 3] > 0, 200, 0).astype(np.uint8)
    for plane in (rgba, confidence):
        plane.setflags(write=False)
    return Overlay(1, "t", rgba, confidence, None)


def test_over_a_person_the_overlay_is_thin_and_elsewhere_as_it_was(pictures: SimpleNamespace) -> None:
    overlay = drawn(200, 150, 400, 350)
    made = reveal_persons(overlay, pictures.as_frame(pictures.standing(20, FEET)), scene(), PARAMS)
    assert made.rgba[(*TORSO, 3)] == CAP
    np.testing.assert_array_equal(made.rgba[(*TORSO, slice(3))], overlay.rgba[(*TORSO, slice(3))])
    outline = (made.rgba == (*OUTLINE_RGB, 255)).all(axis=2)
    thin = made.rgba[..., 3] == CAP
    assert outline.any()
    np.testing.assert_array_equal(made.rgba[~outline & ~thin], overlay.rgba[~outline & ~thin])
    assert thin.sum() + outline.sum() < 0.2 * (overlay.rgba[..., 3] > 0).sum()
    assert not made.rgba.flags.writeable


@settings(max_examples=30)
@given(
    box=st.tuples(st.integers(0, 600), st.integers(0, 480), st.integers(1, 300), st.integers(1, 300)),
    alpha=st.integers(4, 255),
    feet=st.tuples(st.integers(0, 639), st.integers(20, 511)),
    cap=st.floats(0.02, 0.6),
)
def test_no_pixel_is_drawn_that_was_not_and_none_is_undrawn(
    pictures: SimpleNamespace,
    box: tuple[int, int, int, int],
    alpha: int,
    feet: tuple[int, int],
    cap: float,
) -> None:
    left, top, width, height = box
    overlay = drawn(left, top, min(640, left + width), min(512, top + height), alpha)
    params = GeneratorParams(person_alpha_cap=cap)
    frame = pictures.as_frame(pictures.standing(20, feet))
    made = reveal_persons(overlay, frame, scene(), params)
    np.testing.assert_array_equal(made.rgba[..., 3] > 0, overlay.rgba[..., 3] > 0)
    assert made.confidence is overlay.confidence
    outline = (made.rgba == (*OUTLINE_RGB, 255)).all(axis=2)
    assert (made.rgba[..., 3][~outline] <= overlay.rgba[..., 3][~outline]).all()
    again = reveal_persons(overlay, frame, scene(), params)
    np.testing.assert_array_equal(made.rgba, again.rgba)


def test_where_nobody_is_nothing_changes(pictures: SimpleNamespace) -> None:
    overlay = drawn(200, 150, 400, 350)
    frame = pictures.as_frame(pictures.standing(20, (560, 480)))
    assert reveal_persons(overlay, frame, scene(), PARAMS) is overlay


def test_with_nothing_drawn_nothing_is_looked_for(pictures: SimpleNamespace) -> None:
    overlay = drawn(0, 0, 0, 0)
    frame = replace(pictures.as_frame(pictures.standing(20, FEET)), pixels=np.zeros((0, 0), np.uint16))
    assert reveal_persons(overlay, frame, scene(), PARAMS) is overlay


@pytest.mark.parametrize(
    "changes",
    [
        {"uncertainty_map": None},
        {"uncertainty_map": flat_map(math.nan)},
        {"uncertainty_map": flat_map(-400.0)},  # a person is too small
        {"camera": None},
    ],
)
def test_where_persons_cannot_be_told_all_of_it_is_thin(
    pictures: SimpleNamespace, changes: dict[str, Any]
) -> None:
    overlay = drawn(200, 150, 400, 350)
    made = reveal_persons(overlay, pictures.as_frame(np.full((512, 640), 285.0)), scene(**changes), PARAMS)
    assert (made.rgba[150:350, 200:400, 3] == CAP).all()


def test_the_cap_cannot_be_switched_off() -> None:
    with pytest.raises(ConfigError, match="person_alpha_cap"):
        GeneratorParams(person_alpha_cap=1.0)


def test_scale_is_focal_length_over_range() -> None:
    ((scale,),) = px_per_m(scene(), [(300, 230, 340, 280)])
    assert scale == pytest.approx(FOCAL_PX / HEIGHT_M, rel=0.01)


@given(st.floats(4.0, 200.0), st.floats(1.0, 30.0))
def test_scales_lie_within_what_they_cover(coarse: float, ratio: float) -> None:
    scales = scales_between(coarse, coarse * ratio)
    assert 1 <= len(scales) <= 3
    assert all(coarse * 0.999 <= scale <= coarse * ratio * 1.001 for scale in scales)
    assert list(scales) == sorted(scales)


@pytest.fixture(scope="module")
def flight() -> Flight:
    return Flight(SimParams())


@pytest.mark.parametrize("t_s", [0.0, 3.3, 6.5, 9.8, 13.0, 16.2, 19.5, 22.8])
def test_the_victim_of_the_simulated_flight_is_seen_through_any_fire(
    pictures: SimpleNamespace, flight: Flight, t_s: float
) -> None:
    pose = flight.truth(t_s).map_T_camera
    frame = pictures.thermal(flight.thermal(t_s, 1), "mono16", radiometric=True)
    around = scene(camera=Camera(rig.calibration(), pose))
    made = reveal_persons(drawn(0, 0, 640, 512, 255), frame, around, PARAMS)
    image_P_map = rig.camera_matrix_px() @ rotation_matrix(pose).T
    outlines = person.outlines_px(image_P_map, pose.translation_m)
    assert outlines is not None
    for middle in outlines.mean(axis=1):
        column, row = np.rint(middle).astype(int)
        assert made.rgba[row, column, 3] == CAP
    assert (made.rgba[..., 3] == CAP).mean() < 0.1  # of the whole picture
