# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Builders of small scenes, shared by the tests of ``vidgen_nodes.scene``."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Grid,
    Ignition,
    Pose,
    RtkStatus,
    Scenario,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.scene.building import Building, Surface

SECOND_NS = 1_000_000_000
NOW_NS = 1_000 * SECOND_NS


def calibration(width=160, height=128, focal=150.0, model="plumb_bob", distortion=()):
    matrix = np.array([[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]])
    return CameraCalibration(NOW_NS, "thermal", width, height, matrix, model, np.array(distortion, float))


def look_at(position, target):
    """Pose of an optical frame at ``position`` that looks at ``target`` with its x axis level."""
    forward = np.subtract(target, position) / np.linalg.norm(np.subtract(target, position))
    right = np.cross(forward, (0.0, 0.0, 1.0))
    if np.linalg.norm(right) < 1e-6:
        right = np.array((1.0, 0.0, 0.0))
    right = right / np.linalg.norm(right)
    rotation = np.column_stack((right, np.cross(forward, right), forward))
    from scipy.spatial.transform import Rotation

    return Pose(np.array(position, float), Rotation.from_matrix(rotation).as_quat())


def surface(name, corners, combustible=True, kind="wall", material="timber"):
    return Surface(name, material, kind, np.array(corners, float), combustible)


def wall(name, x0, y0, x1, y1, combustible=True, low=0.0, high=3.0):
    return surface(name, [[x0, y0, low], [x1, y1, low], [x1, y1, high], [x0, y0, high]], combustible)


def plate(name, x0, y0, x1, y1, z, combustible=False, kind="roof"):
    return surface(name, [[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], combustible, kind)


def building(*surfaces):
    return Building("test", tuple(surfaces))


def ignition(name, x, y, z=0.0):
    return Ignition(name, (x, y, z), 0.0, 0.01, 500.0, 0.5, 0.35, 0.015, 15000.0, 1.5)


def scenario(*ignitions):
    return Scenario("test", NOW_NS, 1, 293.0, tuple(ignitions), True, b"s" * 32)


def uncertainty_map(grid, stamp_ns=NOW_NS - SECOND_NS, **layers):
    """Flat ground at height 0, seen ten times a second ago and certain, unless ``layers`` say otherwise."""

    def layer(name, value, dtype=np.float32):
        return np.array(np.broadcast_to(layers.get(name, value), grid.shape), dtype)

    return UncertaintyMap(
        stamp_ns,
        grid,
        layer("elevation_m", 0.0),
        layer("variance_m2", 0.01),
        layer("uncertainty", 0.0),
        layer("entropy", 0.1),
        layer("roughness_m", 0.01),
        layer("deviation_m", 0.0),
        layer("surface_variation", 0.001),
        layer("lod95_m", 0.1),
        layer("observations", 10, np.uint16),
        layer("observed_ns", stamp_ns, np.int64),
        layer("flags", 0, np.uint8),
        b"m" * 32,
        (),
    )


def bundle(umap, pose, calib, causes=(), frozen=False, stamp_ns=NOW_NS, shape=None):
    shape = shape or (calib.height_px, calib.width_px)
    thermal = ThermalFrame(
        stamp_ns,
        "thermal",
        "mono16",
        np.zeros(shape, np.uint16),
        0,
        calib,
        False,
        np.nan,
        np.nan,
        0.0,
        frozen,
        (),
    )
    return Bundle(
        stamp_ns, 0, 0, thermal, pose, None, stamp_ns, RtkStatus.FIXED, umap, 0.5, tuple(causes), (), {}
    )


@pytest.fixture(scope="session")
def make():
    return SimpleNamespace(
        SECOND_NS=SECOND_NS,
        NOW_NS=NOW_NS,
        Grid=Grid,
        calibration=calibration,
        look_at=look_at,
        surface=surface,
        wall=wall,
        plate=plate,
        building=building,
        ignition=ignition,
        scenario=scenario,
        uncertainty_map=uncertainty_map,
        bundle=bundle,
    )
