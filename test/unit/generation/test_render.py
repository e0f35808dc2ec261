# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn stays inside the gate, ends at surfaces, and moves without popping."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World
from vidgen_nodes.generation.render import Renderer, placement_confidence
from vidgen_nodes.packets import Cause, Overlay, Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.compose import Scene, seen_from
from vidgen_nodes.scene.gate import audit_overlay, open_gate, pixel_mask

SceneMaker = Callable[..., Scene]


class Chain:
    """Scene to overlay, and the gate that was open."""

    def __init__(self, params: GeneratorParams, scenario: Scenario) -> None:
        self.params = params
        self.world = World(params, scenario)
        self.renderer = Renderer(params)

    def draw(self, scene: Scene) -> Overlay:
        gate = open_gate(scene, self.params)
        return self.renderer.draw(self.world.at(scene.stamp_ns, scene, gate), gate, scene)


@pytest.fixture
def chain(params: GeneratorParams, scenario: Scenario) -> Chain:
    return Chain(params, scenario)


@pytest.mark.parametrize("distortion", [(0.0,) * 5, (-0.28, 0.09, 0.001, -0.002, 0.0)])
def test_every_drawn_pixel_sees_an_open_column(
    chain: Chain, make_scene: SceneMaker, distortion: tuple[float, ...]
) -> None:
    scene = make_scene(100.0, distortion=distortion)
    overlay = chain.draw(scene)
    gate = open_gate(scene, chain.params)
    assert scene.camera is not None
    drawn = overlay.rgba[..., 3] > 0
    assert drawn.sum() > 3000
    assert not (drawn & ~pixel_mask(gate, scene.camera)).any()
    report = audit_overlay(overlay, gate, scene, 100000)
    assert report.pixels_drawn == drawn.sum()
    assert report.pixels_outside == 0


@settings(max_examples=60)
@given(
    bearing_rad=st.floats(0.0, 2.0 * math.pi),
    elevation_rad=st.floats(0.15, 1.4),
    range_m=st.floats(6.0, 60.0),
    aside_m=st.tuples(st.floats(-6.0, 6.0), st.floats(-6.0, 6.0), st.floats(-2.0, 6.0)),
)
def test_from_anywhere_no_pixel_is_drawn_beside_a_small_fuel_patch(
    scene_from: SceneMaker,
    scenario: Scenario,
    bearing_rad: float,
    elevation_rad: float,
    range_m: float,
    aside_m: tuple[float, float, float],
) -> None:
    # The fire is wider than what is open, so the drawing touches the mask's border on all sides.
    corners = np.array([[-2.3, -0.3, 3.0], [-1.7, -0.3, 3.0], [-1.7, 0.3, 3.0], [-2.3, 0.3, 3.0]])
    patch = Building("patch", (Surface("patch", "timber", "roof", corners, True),))
    level_m = range_m * math.cos(elevation_rad)
    eye_m = (
        -2.0 + level_m * math.cos(bearing_rad),
        level_m * math.sin(bearing_rad),
        3.0 + range_m * math.sin(elevation_rad),
    )
    target_m = (-2.0 + aside_m[0], aside_m[1], 3.0 + aside_m[2])
    assume(np.linalg.norm(np.cross(np.subtract(target_m, eye_m), (0.0, 0.0, 1.0))) > 0.1)
    scene = scene_from(eye_m, target_m, patch, scenario)
    params = GeneratorParams(flame_standoff_m=0.0)
    gate = open_gate(scene, params)
    overlay = Chain(params, scenario).draw(scene)
    drawn = overlay.rgba[..., 3] > 0
    event(f"drawn: {bool(drawn.any())}")
    assert scene.camera is not None
    assert not (drawn & ~pixel_mask(gate, scene.camera)).any()
    assert audit_overlay(overlay, gate, scene, 1_000_000).pixels_outside == 0


def test_what_is_not_drawn_is_exactly_zero(chain: Chain, make_scene: SceneMaker) -> None:
    overlay = chain.draw(make_scene(100.0))
    clear = overlay.rgba[..., 3] == 0
    assert not overlay.rgba[clear].any()
    assert not overlay.confidence[clear].any()
    assert np.all(overlay.confidence[~clear] == placement_confidence(1.5))
    assert not overlay.rgba.flags.writeable
    assert not overlay.confidence.flags.writeable


def test_flame_is_bright_below_and_smoke_grey_above(chain: Chain, make_scene: SceneMaker) -> None:
    scene = make_scene(100.0)
    rgba = chain.draw(scene).rgba.astype(int)
    assert scene.camera is not None
    pixels, _ = scene.camera.project(np.array([[-2.0, 0.0, 3.6], [-2.0, 0.0, 8.0]]))
    (x0, y0), (x1, y1) = pixels.round().astype(int)
    flame, smoke = rgba[y0, x0], rgba[y1, x1]
    assert flame[0] > 200
    assert flame[0] > flame[2] + 60
    assert flame[3] > 60
    assert 0 < smoke[3] < flame[3]
    assert abs(smoke[0] - smoke[2]) < 40


@pytest.mark.parametrize("cause", list(Cause))
def test_any_cause_gives_a_transparent_frame(chain: Chain, make_scene: SceneMaker, cause: Cause) -> None:
    overlay = chain.draw(make_scene(100.0, causes=(cause,)))
    assert not overlay.rgba.any()
    assert not overlay.confidence.any()
    assert overlay.rgba.shape == (512, 640, 4)


def test_world_of_an_earlier_frame_is_not_drawn_under_doubt(chain: Chain, make_scene: SceneMaker) -> None:
    good, doubtful = make_scene(100.0), make_scene(100.0, causes=(Cause.POSE_STALE,))
    gate = open_gate(good, chain.params)
    world = chain.world.at(good.stamp_ns, good, gate)
    assert not chain.renderer.draw(world, gate, doubtful).rgba.any()


def test_same_inputs_give_the_same_bytes(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    first, second = Chain(params, scenario), Chain(params, scenario)
    scenes = [make_scene(100.0), make_scene(103.0)]
    forward = [first.draw(scene).rgba.tobytes() for scene in scenes]
    backward = [second.draw(scene).rgba.tobytes() for scene in reversed(scenes)]
    assert forward == backward[::-1]


def test_next_tick_is_much_nearer_than_the_next_second(chain: Chain, make_scene: SceneMaker) -> None:
    """Median over many starts of the mean change of the premultiplied picture."""

    def picture(time_s: float) -> np.ndarray:
        rgba = chain.draw(make_scene(time_s)).rgba.astype(np.float32)
        return rgba[..., :3] * rgba[..., 3:] / 255.0

    near, far = [], []
    for start_s in np.arange(100.0, 104.0, 0.37):
        base = picture(start_s)
        near.append(np.abs(picture(start_s + 0.05) - base).mean())
        far.append(np.abs(picture(start_s + 1.0) - base).mean())
    assert 0.0 < np.median(near) < 0.5 * np.median(far)


def test_a_wall_in_front_hides_the_fire(chain: Chain, make_scene: SceneMaker, building: Building) -> None:
    scene = make_scene(100.0)
    screen = np.array([[-40.0, -6.0, 0.0], [40.0, -6.0, 0.0], [40.0, -6.0, 60.0], [-40.0, -6.0, 60.0]])
    hidden = Building("screened", (*building.surfaces, Surface("screen", "steel", "wall", screen, False)))
    assert chain.draw(scene).rgba.any()
    assert not chain.draw(dataclasses.replace(scene, building=hidden)).rgba.any()


def test_what_was_measured_in_front_hides_the_fire(chain: Chain, make_scene: SceneMaker) -> None:
    scene = make_scene(100.0)
    umap = scene.uncertainty_map
    assert umap is not None
    gate = open_gate(scene, chain.params)
    world = chain.world.at(scene.stamp_ns, scene, gate)
    heap_m = umap.elevation_m.copy()
    heap_m[2:7, 8:30] = 14.0  # no model knows it: in front of the house, higher than the line of sight
    heaped = dataclasses.replace(scene, uncertainty_map=dataclasses.replace(umap, elevation_m=heap_m))
    without = Renderer(chain.params).draw(dataclasses.replace(world, debris=()), gate, scene)
    behind = Renderer(chain.params).draw(dataclasses.replace(world, debris=()), gate, heaped)
    assert (without.rgba[..., 3] > 0).sum() > 2000
    assert (behind.rgba[..., 3] > 0).sum() < 0.5 * (without.rgba[..., 3] > 0).sum()


def test_looking_away_draws_nothing(chain: Chain, make_scene: SceneMaker) -> None:
    scene = make_scene(100.0)
    assert scene.camera is not None
    pose = scene.camera.map_T_camera
    turned = dataclasses.replace(pose, quaternion_xyzw=np.array([0.0, 0.0, 0.0, 1.0]))  # straight up
    assert not chain.draw(make_scene(100.0, pose=turned)).rgba.any()


def test_from_inside_the_smoke_it_still_draws_inside_the_gate(chain: Chain, make_scene: SceneMaker) -> None:
    scene = make_scene(100.0)
    assert scene.camera is not None
    pose = dataclasses.replace(scene.camera.map_T_camera, translation_m=np.array([-2.3, -0.8, 6.0]))
    scene = make_scene(100.0, pose=pose)
    overlay = chain.draw(scene)
    assert overlay.rgba.any()
    assert audit_overlay(overlay, open_gate(scene, chain.params), scene, 20000).pixels_outside == 0


def test_image_size_that_the_stride_does_not_divide(
    params: GeneratorParams, scenario: Scenario, make_scene: SceneMaker
) -> None:
    odd = Chain(dataclasses.replace(params, render_stride_px=7), scenario)
    overlay = odd.draw(make_scene(100.0))
    assert overlay.rgba.shape == (512, 640, 4)
    assert overlay.rgba.any()


def test_the_eye_sees_the_flame_glow_and_the_smoke_dark(chain: Chain, make_scene: SceneMaker) -> None:
    scene = make_scene(100.0)
    gate = open_gate(scene, chain.params)
    world = chain.world.at(scene.stamp_ns, scene, gate)
    seen = chain.renderer.draw(world, gate, scene, Band.VISIBLE)
    assert scene.camera is not None
    low, high = (
        tuple(scene.camera.project(np.array([[-2.0, 0.0, 3.0 + up_m]]))[0][0].round().astype(int))
        for up_m in (0.5, 5.0)
    )
    flame, smoke = (seen.rgba[y, x].astype(int) for x, y in (low, high))
    assert flame[0] > 200
    assert flame[0] > flame[2]
    assert smoke[:3].max() < 110
    assert smoke[3] > 100
    lwir = chain.renderer.draw(world, gate, scene).rgba
    assert int(lwir[high[1], high[0], 3]) < smoke[3] // 2  # soot lets long waves through


@pytest.mark.parametrize("size", [(320, 256), (1920, 1080), (3840, 2160)])
def test_another_viewer_of_the_same_world_draws_inside_the_same_gate(
    chain: Chain, make_scene: SceneMaker, size: tuple[int, int]
) -> None:
    scene = make_scene(100.0)
    assert scene.camera is not None
    assert scene.calibration is not None
    width, height = size
    focal = 1.1 * width
    matrix = np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
    glasses = dataclasses.replace(
        scene.calibration, width_px=width, height_px=height, matrix_px=matrix, frame_id="glasses"
    )
    seen = seen_from(scene, glasses, scene.camera.map_T_camera, 2.0)
    gate = open_gate(scene, chain.params)
    overlay = chain.renderer.draw(chain.world.at(scene.stamp_ns, scene, gate), gate, seen, Band.VISIBLE)
    assert (overlay.frame_id, overlay.rgba.shape) == ("glasses", (height, width, 4))
    report = audit_overlay(overlay, gate, seen, 20000)
    assert report.pixels_drawn > 0.002 * width * height
    assert report.pixels_outside == 0


def test_confidence_falls_with_the_placement_error() -> None:
    assert placement_confidence(0.0) == 255
    assert placement_confidence(10.0) == 94
    assert placement_confidence(1000.0) == 1
    assert placement_confidence(float("nan")) == 1
