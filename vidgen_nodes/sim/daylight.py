# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The site as an eye sees it by day: plain shaded faces behind an overlay in the visible band.

Guarantees that edges of the house lie where the given camera puts them and that the same camera gives the same bytes.
A backdrop and no sensor: no noise, no shadows, no weather.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from vidgen_nodes.packets import BoolArray, ByteArray, CameraCalibration, Float32Array, FloatArray, Pose
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.sim import site
from vidgen_nodes.sim.damage import Damage
from vidgen_nodes.sim.texture import windows_of

_SKY: Final = np.array((178.0, 201.0, 222.0))
_GRASS: Final = np.array((98.0, 118.0, 76.0))
_GRAVEL: Final = np.array((150.0, 144.0, 134.0))
_COLOURS: Final = {
    "concrete": np.array((168.0, 166.0, 161.0)),
    "timber_cladding": np.array((176.0, 128.0, 82.0)),
    "unknown": np.array((188.0, 182.0, 172.0)),
}
_GLASS: Final = np.array((62.0, 78.0, 92.0))
_HOLE: Final = np.array((46.0, 42.0, 40.0))
_BOARD_M: Final = 0.3
_SUN: Final = np.array((0.55, -0.60, 0.58))  # unit, towards it: it lights east and south walls


def daylight(
    calibration: CameraCalibration, map_T_camera: Pose, faces: Iterable[site.Face] = site.FACES
) -> ByteArray:
    """The site without any fire, (H, W, 3) rgb8; other faces stand for another site."""
    camera = Camera(calibration, map_T_camera)
    centre_m, rays = camera.rays(1)
    rays = rays.reshape(-1, 3)
    picture = np.tile(_SKY, (len(rays), 1)) * (0.9 + 0.1 * np.clip(-rays[:, 2:3], -1.0, 1.0))
    nearest_m = np.full(len(rays), np.inf, np.float32)
    down = rays[:, 2] < -1e-4
    with np.errstate(divide="ignore", invalid="ignore"):
        ground_m = np.where(down, -centre_m[2] / rays[:, 2], np.inf).astype(np.float32)
    _ground(picture, nearest_m, centre_m, rays, ground_m)
    for face in faces:
        _face(picture, nearest_m, centre_m, rays, face)
    shape = (calibration.height_px, calibration.width_px, 3)
    rgb: ByteArray = np.clip(picture, 0.0, 255.0).round().astype(np.uint8).reshape(shape)
    return rgb


def _ground(
    picture: FloatArray,
    nearest_m: Float32Array,
    centre_m: FloatArray,
    rays: Float32Array,
    away_m: Float32Array,
) -> None:
    seen = np.isfinite(away_m)
    place = centre_m + away_m[seen, None] * rays[seen]
    strip = (np.abs(place[:, 0] - 0.2) < 7.2) & (np.abs(place[:, 1] + 0.2) < 5.2)
    tone = 1.0 + 0.05 * np.sin(place[:, 0] * 2.1 + np.sin(place[:, 1] * 1.7)) * np.exp(-away_m[seen] / 60.0)
    picture[seen] = np.where(strip[:, None], _GRAVEL, _GRASS) * tone[:, None]
    nearest_m[seen] = away_m[seen]


def _face(
    picture: FloatArray, nearest_m: Float32Array, centre_m: FloatArray, rays: Float32Array, face: site.Face
) -> None:
    """Paint one face where it is the nearest thing."""
    origin, across, up = (np.array(v) for v in (face.origin_m, face.across_m, face.up_m))
    towards = rays @ face.normal
    with np.errstate(divide="ignore", invalid="ignore"):
        away_m = ((origin - centre_m) @ face.normal / towards).astype(np.float32)
    place = centre_m + away_m[:, None] * rays - origin
    width_m, height_m = float(np.linalg.norm(across)), float(np.linalg.norm(up))
    u_m, v_m = place @ across / width_m, place @ up / height_m
    inside: BoolArray = (away_m > 0.0) & (away_m < nearest_m) & (towards < 0.0)
    inside &= (u_m >= 0.0) & (u_m <= width_m) & (v_m >= 0.0) & (v_m <= height_m)
    hit = np.flatnonzero(inside)
    light = 0.55 + 0.45 * max(0.0, float(face.normal @ _SUN))
    picture[hit] = _colours(face, u_m[hit], v_m[hit]) * light
    nearest_m[hit] = away_m[hit]


def _colours(face: site.Face, u_m: FloatArray, v_m: FloatArray) -> FloatArray:
    """Colours (n, 3) of places on a face."""
    colours = np.tile(_COLOURS[face.material], (len(u_m), 1))
    if face.combustible:
        board = np.floor(v_m / _BOARD_M)
        colours *= (1.0 + 0.07 * np.sin(board * 2.3))[:, None]
        colours[v_m % _BOARD_M < 0.03] *= 0.6
    elif face.kind == "roof":
        colours[(u_m % 3.0 < 0.06) | (v_m % 2.0 < 0.06)] *= 0.82
        _hurt(colours, site.WEST_M + u_m, site.SOUTH_M + v_m)
    else:
        colours[(v_m % 3.0 < 0.03) | (u_m % 2.4 < 0.03)] *= 0.88
    for low_u, low_v, high_u, high_v in windows_of(face.name):
        glass = (u_m > low_u) & (u_m < high_u) & (v_m > low_v) & (v_m < high_v)
        colours[glass] = _GLASS
    return colours


def _hurt(colours: FloatArray, east_m: FloatArray, north_m: FloatArray) -> None:
    damage = Damage()
    inside = damage.inside(east_m, north_m)
    colours[inside] *= (0.78 + 0.5 * damage.height_m(east_m[inside], north_m[inside]))[:, None]
    colours[damage.holed(east_m, north_m)] = _HOLE
