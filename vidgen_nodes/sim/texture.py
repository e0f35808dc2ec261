# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How warm the site is: one picture of apparent radiance for each face of the house and for the ground.

A clear evening after a sunny day: south and west are still warm, the sky is cold, so glass looks cold.
Every picture is [up, across], in radiance steps; texel centres of the border lie on the border of the face.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.sim import damage, site
from vidgen_nodes.sim.noise import draw
from vidgen_nodes.sim.radiance import Counts, apparent_steps

_ZERO_C: Final = 273.15
_SKY_K: Final = 255.0
_FACE_TEXEL_M: Final = 0.04
GROUND_TEXEL_M: Final = 0.1
GROUND_SIZE_M: Final = 128.0
GROUND_WEST_M, GROUND_SOUTH_M = -86.0, -58.0  # where the flight looks
_WALL_DEGC: Final = {
    "wall_east": 15.5,
    "wall_east_bare": 16.5,
    "wall_north": 12.5,
    "wall_west": 22.0,
    "wall_south": 20.0,
}
_EMISSIVITY: Final = {"concrete": 0.94, "timber_cladding": 0.90, "unknown": 0.92}
# face, from across, up to across, up, m: glass
_WINDOWS_M: Final = {
    "wall_east": ((1.0, 0.9, 2.2, 2.2), (1.0, 3.7, 2.2, 5.0)),
    "wall_east_bare": ((1.15, 3.7, 2.35, 5.0),),
    "wall_south": (
        (1.5, 0.9, 3.1, 2.2),
        (5.2, 0.9, 6.8, 2.2),
        (8.9, 0.9, 10.5, 2.2),
        (1.5, 3.7, 3.1, 5.0),
        (8.9, 3.7, 10.5, 5.0),
    ),
    "wall_north": ((2.0, 3.7, 3.4, 5.0), (7.0, 3.7, 8.4, 5.0)),
    "wall_west": ((2.0, 0.9, 3.6, 2.2), (4.6, 3.7, 6.2, 5.0)),
}
# centre east, centre north, radius, m
_TREES_M: Final = ((-12, 9, 2.4), (-16, -3, 2.0), (13, 11, 2.2), (-34, 14, 3.0), (-9, 18, 2.7))


def windows_of(face: str) -> tuple[tuple[float, float, float, float], ...]:
    """Glass of a face: from across, up to across, up, in metres."""
    return _WINDOWS_M.get(face, ())


def face_texture(face: site.Face) -> Counts:
    """Apparent radiance of one face of the house."""
    across_m, up_m = (float(np.linalg.norm(v)) for v in (face.across_m, face.up_m))
    shape = (round(up_m / _FACE_TEXEL_M) + 1, round(across_m / _FACE_TEXEL_M) + 1)
    u_m, v_m = np.meshgrid(np.linspace(0.0, across_m, shape[1]), np.linspace(0.0, up_m, shape[0]))
    emissivity = np.full(shape, _EMISSIVITY[face.material])
    if face.kind == "roof":
        temperature_degc = _roof_degc(u_m, v_m, emissivity)
    else:
        temperature_degc = _wall_degc(face, u_m, v_m, emissivity)
    return apparent_steps(temperature_degc + _ZERO_C, emissivity, _SKY_K)


def ground_texture() -> Counts:
    """Apparent radiance of the ground, [north, east], from the south-west corner of its window."""
    cells = round(GROUND_SIZE_M / GROUND_TEXEL_M) + 1
    east_m, north_m = np.meshgrid(
        GROUND_WEST_M + np.arange(cells) * GROUND_TEXEL_M, GROUND_SOUTH_M + np.arange(cells) * GROUND_TEXEL_M
    )
    degc = 10.5 + 0.7 * _clouds(1, (cells, cells), 40) + 0.45 * _clouds(2, (cells, cells), 4)
    emissivity = np.full(degc.shape, 0.97)
    degc -= 1.5 * _soft(_within(east_m, 6.0, 11.0) & _within(north_m, -2.5, 6.5), 8)  # evening shade
    paved = np.abs(east_m + 24.0 - 0.05 * north_m) < 3.0  # the street
    paved |= _within(east_m, -22.0, 7.5) & _within(north_m, -8.8, -6.2)  # the drive
    paved |= _within(east_m, 7.0, 9.5) & _within(north_m, -8.8, -2.0)
    degc = np.where(paved, 17.5 + 0.3 * _clouds(3, degc.shape, 12), degc)
    emissivity[paved] = 0.95
    strip = _within(east_m, -6.8, 7.2) & _within(north_m, -5.2, 4.8) & ~paved
    degc = np.where(strip, 13.5 + 0.25 * _clouds(4, degc.shape, 3), degc)  # gravel along the walls
    for number, (tree_e, tree_n, radius) in enumerate(_TREES_M):
        away = np.hypot(east_m - tree_e, north_m - tree_n) + 0.35 * _clouds(20 + number, degc.shape, 8)
        leaves = 1.0 + 0.25 * _clouds(30 + number, degc.shape, 6)
        degc += 2.6 * leaves * np.clip((radius - away) / 1.2, 0.0, 1.0)
    degc += 9.0 * np.exp(-((east_m - 8.2) ** 2 + (north_m + 7.4) ** 2) / (2 * 0.35**2))  # a warm manhole
    return apparent_steps(degc + _ZERO_C, emissivity, _SKY_K)


def _roof_degc(u_m: FloatArray, v_m: FloatArray, emissivity: FloatArray) -> FloatArray:
    degc: FloatArray = 18.0 + 0.35 * _clouds(5, u_m.shape, 25) + 0.15 * _clouds(6, u_m.shape, 2)
    degc[(np.abs(u_m % 3.0) < 0.06) | (np.abs(v_m % 2.0) < 0.06)] -= 1.6  # joints between the slabs
    rim = (u_m < 0.25) | (v_m < 0.25) | (u_m > u_m.max() - 0.25) | (v_m > v_m.max() - 0.25)
    degc[rim] = 14.0
    emissivity[rim] = 0.80
    sky_light = _within(u_m, 5.6, 6.8) & _within(v_m, 5.0, 6.4)
    degc[sky_light], emissivity[sky_light] = 16.0, 0.85
    degc += 22.0 * _soft(_within(u_m, 8.95, 9.65) & _within(v_m, 5.25, 5.95), 2)  # exhaust of the heating
    patch = damage.Damage()
    east_m, north_m = site.WEST_M + u_m, site.SOUTH_M + v_m
    hurt = patch.inside(east_m, north_m)
    sag_m = -patch.height_m(east_m, north_m)
    degc[hurt] += (1.5 + 6.0 * sag_m * (1.0 + 0.4 * _clouds(7, u_m.shape, 4)))[hurt]
    degc[patch.holed(east_m, north_m)] = 22.5  # one sees the heated rooms
    return degc


def _wall_degc(face: site.Face, u_m: FloatArray, v_m: FloatArray, emissivity: FloatArray) -> FloatArray:
    degc: FloatArray = _WALL_DEGC[face.name] + 0.25 * _clouds(10 + len(face.name), u_m.shape, 12) + 0.15 * v_m
    if face.combustible:
        degc[v_m % 0.3 < 0.05] -= 0.9  # gaps between the boards
        degc += 0.4 * np.sin(np.floor(v_m / 0.3) * 2.3)
    degc[np.abs(v_m - site.FLOOR_M) < 0.12] += 1.2  # the slab of the upper floor leaks heat
    for low_u, low_v, high_u, high_v in _WINDOWS_M[face.name]:
        frame = _within(u_m, low_u - 0.08, high_u + 0.08) & _within(v_m, low_v - 0.08, high_v + 0.08)
        glass = _within(u_m, low_u, high_u) & _within(v_m, low_v, high_v)
        degc[frame] += 2.0
        degc[glass], emissivity[glass] = 15.0, 0.86
    return degc


def _clouds(number: int, shape: tuple[int, ...], texels: float) -> FloatArray:
    """Smooth random field of unit variance whose blobs are about so many texels wide."""
    small = (max(2, round(shape[0] / texels)) + 1, max(2, round(shape[1] / texels)) + 1)
    field = cv2.resize(
        draw(0, "texture", number).standard_normal(small), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC
    )
    return np.asarray((field - field.mean()) / field.std())


def _within(value_m: FloatArray, low_m: float, high_m: float) -> BoolArray:
    return np.asarray((value_m > low_m) & (value_m < high_m))


def _soft(mask: BoolArray, texels: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float64), (0, 0), texels))
