# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn is anchored in the world and moves without jumps: from tick to tick, map to map, size to size."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from test.unit.generation.conftest import GRID, START_NS, make_map
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.packets import CameraCalibration, Pose, Scenario, UncertaintyMap
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.compose import Scene, seen_from
from vidgen_nodes.scene.gate import Gate, open_gate

SceneMaker = Callable[..., Scene]
BANDS = (Band.LWIR, Band.VISIBLE)
MAP_S = 0.2
SEEN_S = 100.0


class Eye:
    """The fire of the house alone, without debris, as any camera sees it."""

    def __init__(self, params: GeneratorParams, scenario: Scenario) -> None:
        self.params = params
        self.world = World(params, dataclasses.replace(scenario, debris=False))
        self.renderer = Renderer(params)

    def picture(self, scene: Scene, band: Band = Band.LWIR) -> np.ndarray:
        """Premultiplied colour and alpha (H, W, 4)."""
        gate = open_gate(scene, self.params)
        return premultiplied(self.renderer, self.world.at(scene.stamp_ns, scene, gate), gate, scene, band)


def premultiplied(renderer: Renderer, state: WorldState, gate: Gate, scene: Scene, band: Band) -> np.ndarray:
    rgba = renderer.draw(state, gate, scene, band).rgba.astype(np.float32)
    rgba[..., :3] *= rgba[..., 3:] / 255.0
    return rgba


@pytest.fixture
def eye(params: GeneratorParams, scenario: Scenario) -> Eye:
    return Eye(params, scenario)


def measured(time_s: float) -> UncertaintyMap:
    """The map in force: a new one every 0.2 s, with a centimetre of noise on every height."""
    number = math.floor(time_s / MAP_S + 1e-6)
    umap = make_map(START_NS + round(number * MAP_S * 1e9))
    noise_m = np.random.default_rng(number).normal(0.0, 0.01, GRID.shape).astype(np.float32)
    digest = hashlib.sha256(umap.digest + bytes(noise_m)).digest()
    return dataclasses.replace(umap, elevation_m=umap.elevation_m + noise_m, digest=digest)


@pytest.mark.parametrize("band", BANDS)
def test_no_tick_jumps_though_the_map_is_noise_and_changes(
    eye: Eye, make_scene: SceneMaker, band: Band
) -> None:
    """Change of the picture from tick to tick over what is drawn: the largest stays near the usual one."""
    tick_s = 1e-3 * eye.params.world_tick_ms
    changes, last = [], None
    for index in range(40):
        time_s = SEEN_S + index * tick_s
        picture = eye.picture(make_scene(time_s, umap=measured(time_s)), band)
        if last is not None:
            drawn = (picture[..., 3] > 0) | (last[..., 3] > 0)
            changes.append(float(np.abs(picture - last)[drawn].mean()))
        last = picture
    assert np.median(changes) > 0.5  # it burns
    assert max(changes) < 2.0 * np.median(changes), changes


def test_frames_of_one_tick_differ_by_nothing_but_the_camera(eye: Eye, make_scene: SceneMaker) -> None:
    tick_s = 1e-3 * eye.params.world_tick_ms
    umap = make_map(START_NS + round(SEEN_S * 1e9))
    begin_s = (math.floor(SEEN_S / tick_s) + 1) * tick_s
    pictures = [eye.picture(make_scene(begin_s + share * tick_s, umap=umap)) for share in (0.01, 0.5, 0.99)]
    assert pictures[0].any()
    assert all((picture == pictures[0]).all() for picture in pictures)


@settings(max_examples=15)
@given(
    turn_rad=st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.floats(-0.1, 0.1)),
    band=st.sampled_from(BANDS),
)
def test_a_turn_of_the_camera_moves_the_picture_as_it_moves_the_world(
    steady: tuple[Eye, WorldState, Gate, Scene], turn_rad: tuple[float, float, float], band: Band
) -> None:
    """A pure rotation moves every pixel by K R' K^-1, whatever its depth: so does what is drawn."""
    eye, state, gate, scene = steady
    assert scene.camera is not None
    assert scene.calibration is not None
    pose, matrix = scene.camera.map_T_camera, scene.calibration.matrix_px
    turn = Rotation.from_rotvec(turn_rad)
    turned = Pose(pose.translation_m, (Rotation.from_quat(pose.quaternion_xyzw) * turn).as_quat())
    seen = seen_from(scene, scene.calibration, turned, 1.0)
    before = premultiplied(eye.renderer, state, gate, scene, band)
    after = premultiplied(eye.renderer, state, gate, seen, band)
    moved = cv2.warpPerspective(
        before, matrix @ turn.inv().as_matrix() @ np.linalg.inv(matrix), before.shape[1::-1]
    )
    drawn = (moved[..., 3] > 0) | (after[..., 3] > 0)
    assert drawn.sum() > 1000
    # Rays of a coarser raster fall elsewhere in voxels: a few shades, and no other place.
    assert float(np.abs(after - moved)[drawn].mean()) < 2.0  # of 255; unmoved: 7 to 50


@pytest.fixture(scope="module")
def steady(building: Building, scenario: Scenario) -> tuple[Eye, WorldState, Gate, Scene]:
    from test.unit.generation.conftest import make_bundle
    from vidgen_nodes.scene.compose import compose_scene

    eye = Eye(GeneratorParams(), scenario)
    stamp_ns = START_NS + round(SEEN_S * 1e9)
    scene = compose_scene(make_bundle(stamp_ns, umap=make_map(stamp_ns)), building, scenario)
    gate = open_gate(scene, eye.params)
    return eye, eye.world.at(stamp_ns, scene, gate), gate, scene


def sized(lens: CameraCalibration, width_px: int) -> CameraCalibration:
    scale = width_px / lens.width_px
    matrix = lens.matrix_px * scale
    matrix[:2, 2] += 0.5 * (scale - 1.0)  # pixel 0 has its middle at 0
    matrix[2, 2] = 1.0
    return dataclasses.replace(
        lens, width_px=width_px, height_px=round(lens.height_px * scale), matrix_px=matrix
    )


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("width_px", [320, 1920, 3840])
def test_a_picture_of_any_size_shows_the_same(
    steady: tuple[Eye, WorldState, Gate, Scene], width_px: int, band: Band
) -> None:
    eye, state, gate, scene = steady
    assert scene.camera is not None
    assert scene.calibration is not None
    usual = premultiplied(eye.renderer, state, gate, scene, band)
    seen = seen_from(scene, sized(scene.calibration, width_px), scene.camera.map_T_camera, 1.0)
    other = premultiplied(eye.renderer, state, gate, seen, band)
    small = (320, 256)
    one, two = (cv2.resize(item, small, interpolation=cv2.INTER_AREA) for item in (usual, other))
    drawn = (one[..., 3] > 8) | (two[..., 3] > 8)
    assert drawn.sum() > 500
    assert float(np.abs(one - two)[drawn].mean()) < (
        4.0 if width_px < 640 else 0.5
    )  # two pixels off: 8 to 11


@settings(max_examples=15)
@given(behind_m=st.floats(7.0, 60.0), share=st.floats(0.2, 0.8), band=st.sampled_from(BANDS))
def test_a_wall_hides_what_is_behind_it_and_nothing_that_is_before_it(
    steady: tuple[Eye, WorldState, Gate, Scene], behind_m: float, share: float, band: Band
) -> None:
    """A screen stands across the line of sight; its edge runs upright through the drawing."""
    eye, state, gate, scene = steady
    assert scene.camera is not None
    assert scene.building is not None
    free = premultiplied(eye.renderer, state, gate, scene, band)
    columns = np.flatnonzero((free[..., 3] > 0).any(axis=0))
    edge_px = columns[0] + share * (columns[-1] - columns[0])

    def screened(north_m: float) -> np.ndarray:
        """The screen at this north, from far west up to the edge's column."""
        camera = scene.camera
        assert camera is not None
        (way,) = camera.directions(np.array([[edge_px, 256.0]]))
        east_m = float(camera.centre_m[0] + (north_m - camera.centre_m[1]) * way[0] / way[1])
        corners = [
            [-90.0, north_m, 0.0],
            [east_m, north_m, 0.0],
            [east_m, north_m, 90.0],
            [-90.0, north_m, 90.0],
        ]
        screen = Surface("screen", "steel", "wall", np.array(corners), False)
        assert scene.building is not None
        walled = Building("screened", (*scene.building.surfaces, screen))
        return premultiplied(eye.renderer, state, gate, dataclasses.replace(scene, building=walled), band)

    before = screened(-6.0)
    margin_px = 24  # the edge leans a little in the picture, and a block of rays is 4 pixels wide
    left, right = slice(0, max(int(edge_px) - margin_px, 0)), slice(int(edge_px) + margin_px, None)
    assert not before[:, left].any()
    assert (before[:, right] == free[:, right]).all()
    assert (screened(behind_m) == free).all()
