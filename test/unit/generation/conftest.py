# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A small wooden house with a damaged roof patch, seen from 28 m away and 40 degrees above."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Cause,
    Grid,
    Pose,
    RtkStatus,
    Scenario,
    SourceRef,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scenario.timeline import parse_scenario
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.compose import Scene, compose_scene

Point = tuple[float, float, float]

START_NS = 1_700_000_000_000_000_000
WIDTH_PX, HEIGHT_PX = 640, 512
ROOF_M = 3.0
GRID = Grid(-10.0, -10.0, 0.5, 40, 40)
SCENARIO = """
name: house
seed: 11
ambient_degc: 18.0
debris: true
ignitions:
  - name: roof
    position_m: [-2.0, 0.0, 3.0]
    start_s: 0.0
    growth: ultrafast
    peak_kw: 1500.0
    diameter_m: 1.13
    fuel: wood
"""


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def scene_from() -> Callable[..., Scene]:
    """``scene_from(eye_m, target_m, building, scenario)`` 100 s after the start, over an undamaged roof."""

    def make(eye_m: Point, target_m: Point, building: Building, scenario: Scenario) -> Scene:
        stamp_ns = START_NS + 100_000_000_000
        bundle = make_bundle(stamp_ns, pose=look_at(eye_m, target_m), umap=make_map(stamp_ns, damaged=False))
        return compose_scene(bundle, building, scenario)

    return make


@pytest.fixture
def params() -> GeneratorParams:
    return GeneratorParams()


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return parse_scenario(SCENARIO, START_NS)


@pytest.fixture(scope="session")
def building() -> Building:
    """10 x 8 m, flat timber roof at 3 m, brick walls."""
    west, east, south, north, top = -5.0, 5.0, -4.0, 4.0, ROOF_M
    plan = [(west, south), (east, south), (east, north), (west, north)]
    surfaces = [Surface("roof", "timber", "roof", np.array([[x, y, top] for x, y in plan]), True)]
    for index, (a, b) in enumerate(zip(plan, [*plan[1:], plan[0]], strict=True)):
        quad = np.array([[*a, 0.0], [*b, 0.0], [*b, top], [*a, top]])
        surfaces.append(Surface(f"wall {index}", "brick", "wall", quad, False))
    return Building("house", tuple(surfaces))


def elevation_m() -> np.ndarray:
    layer = np.zeros(GRID.shape, np.float32)
    layer[12:28, 10:30] = ROOF_M
    layer[16:21, 22:27] -= 0.25  # the damaged patch sags
    return layer


def make_map(stamp_ns: int, damaged: bool = True) -> UncertaintyMap:
    uncertainty = np.full(GRID.shape, 0.05, np.float32)
    if damaged:
        uncertainty[16:21, 22:27] = 0.8
    level = np.full(GRID.shape, 0.01, np.float32)
    return UncertaintyMap(
        stamp_ns=stamp_ns,
        grid=GRID,
        elevation_m=elevation_m(),
        variance_m2=level,
        uncertainty=uncertainty,
        entropy=level,
        roughness_m=level,
        deviation_m=level,
        surface_variation=level,
        lod95_m=level,
        observations=np.full(GRID.shape, 50, np.uint16),
        observed_ns=np.full(GRID.shape, stamp_ns, np.int64),
        flags=np.zeros(GRID.shape, np.uint8),
        digest=hashlib.sha256(f"{stamp_ns} {damaged}".encode()).digest(),
        sources=(),
    )


def look_at(eye_m: tuple[float, float, float], target_m: tuple[float, float, float]) -> Pose:
    """An optical frame (z forward, x right, y down) at ``eye_m`` that looks at ``target_m``."""
    forward = np.subtract(target_m, eye_m)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    rotation = np.stack((right, np.cross(forward, right), forward), axis=1)
    return Pose(np.array(eye_m), Rotation.from_matrix(rotation).as_quat())


def view_pose() -> Pose:
    away, height = 28.0 * math.cos(math.radians(40)), 28.0 * math.sin(math.radians(40))
    return look_at((1.0, -away, ROOF_M + 1.0 + height), (0.0, 0.0, ROOF_M + 1.5))


def calibration(distortion: tuple[float, ...] = (0.0,) * 5) -> CameraCalibration:
    matrix = np.array([[702.0, 0.0, 319.5], [0.0, 702.0, 255.5], [0.0, 0.0, 1.0]])
    return CameraCalibration(
        START_NS, "thermal", WIDTH_PX, HEIGHT_PX, matrix, "plumb_bob", np.array(distortion)
    )


def make_bundle(
    stamp_ns: int,
    pose: Pose | None = None,
    umap: UncertaintyMap | None = None,
    causes: tuple[Cause, ...] = (),
    distortion: tuple[float, ...] = (0.0,) * 5,
    sigma_px: float = 1.5,
) -> Bundle:
    pixels = np.full((HEIGHT_PX, WIDTH_PX), 20000, np.uint16)
    source = SourceRef("thermal/image_raw", "sensor_msgs/msg/Image", stamp_ns, bytes(32))
    thermal = ThermalFrame(
        stamp_ns,
        "thermal",
        "mono16",
        pixels,
        1,
        calibration(distortion),
        False,
        math.nan,
        math.nan,
        0.0,
        False,
        (source,),
    )
    return Bundle(
        stamp_ns=stamp_ns,
        sequence=1,
        segment=0,
        thermal=thermal,
        map_T_camera=pose or view_pose(),
        pose_covariance=np.eye(6) * 1e-4,
        nav_stamp_ns=stamp_ns,
        rtk=RtkStatus.FIXED,
        uncertainty_map=make_map(stamp_ns) if umap is None else umap,
        sigma_px=sigma_px,
        causes=causes,
        sources=(source,),
        late={},
    )


SceneMaker = Callable[..., Scene]


@pytest.fixture
def make_scene(building: Building, scenario: Scenario) -> SceneMaker:
    """Scene at so many seconds after scenario start; the map is as old as the scenario's start."""

    def make(time_s: float, **changes: object) -> Scene:
        stamp_ns = START_NS + round(time_s * 1e9)
        changes.setdefault("umap", make_map(stamp_ns))
        return compose_scene(make_bundle(stamp_ns, **changes), building, scenario)  # type: ignore[arg-type]

    return make
