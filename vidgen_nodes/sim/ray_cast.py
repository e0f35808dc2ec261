# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rays of the simulated LiDAR against the house, its damaged roof and the ground, one after the other.

Guarantees: a pure function of the arguments, without a matrix library: the same bytes on every machine.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray

# Columns of a face: unit normal, across and up over their squared lengths, its distance from the sensor along each of
# the three, echo strength at normal incidence, and whether it is the roof that holds the damage.
NORMAL, ACROSS, UP, AWAY, ECHO, IS_ROOF, FACE_SIZE = 0, 3, 6, 9, 12, 13, 14
# Entries of the damaged patch: west, south, size, cell, height of the sound roof.
WEST, SOUTH, SIZE, CELL, ROOF, PATCH_SIZE = 0, 1, 2, 3, 4, 5
_STEPS: Final = 6  # fixed-point steps onto the height field; its slopes are well below 1


@compiled
def _on_damage(
    x: float, y: float, z: float, centre: FloatArray, reach: float, patch: FloatArray, offset: FloatArray,
    hole: BoolArray, room: FloatArray,
) -> float:  # fmt: skip
    """Range at which a ray that meets the sound roof at ``reach`` meets what is there instead."""
    cells = offset.shape[0]
    east, north = centre[0] + x * reach - patch[WEST], centre[1] + y * reach - patch[SOUTH]
    if not (0.0 <= east < patch[SIZE] and 0.0 <= north < patch[SIZE]):
        return reach
    for step in range(_STEPS + 1):
        row = min(max(int(north / patch[CELL]), 0), cells - 1)
        col = min(max(int(east / patch[CELL]), 0), cells - 1)
        if step == _STEPS:
            break
        reach = (patch[ROOF] + offset[row, col] - centre[2]) / z
        east, north = centre[0] + x * reach - patch[WEST], centre[1] + y * reach - patch[SOUTH]
    inside = 0.0 <= east < patch[SIZE] and 0.0 <= north < patch[SIZE]
    if not (inside and hole[row, col]):
        return reach
    # Through a hole: the floor below, or the inside of an outer wall. room: floor, west, east, south, north.
    reach = (room[0] - centre[2]) / z
    reach = min(reach, (room[2 if x > 0.0 else 1] - centre[0]) / x)
    return float(min(reach, (room[4 if y > 0.0 else 3] - centre[1]) / y))


@compiled
def _turn_all(rays: Float32Array, turn: FloatArray, turned: Float32Array) -> None:
    """``turned = turn @ rays``, (3, N) both."""
    for axis in range(3):
        a, b, c = np.float32(turn[axis, 0]), np.float32(turn[axis, 1]), np.float32(turn[axis, 2])
        for i in range(rays.shape[1]):
            turned[axis, i] = a * rays[0, i] + b * rays[1, i] + c * rays[2, i]


@compiled
def _hit_face(
    face: Float32Array, rays: Float32Array, number: int, reach_m: Float32Array, hit: npt.NDArray[np.int8]
) -> None:
    """Note the rays (3, N) that meet a face before anything else. One loop without branches: four rays at a time."""
    nx, ny, nz = face[NORMAL], face[NORMAL + 1], face[NORMAL + 2]
    ax, ay, az = face[ACROSS], face[ACROSS + 1], face[ACROSS + 2]
    ux, uy, uz = face[UP], face[UP + 1], face[UP + 2]
    away, at_u, at_v = face[AWAY], face[AWAY + 1], face[AWAY + 2]
    nothing, one = np.float32(0.0), np.float32(1.0)
    for i in range(rays.shape[1]):
        x, y, z = rays[0, i], rays[1, i], rays[2, i]
        facing = nx * x + ny * y + nz * z
        reach = away / facing
        u = (ax * x + ay * y + az * z) * reach - at_u
        v = (ux * x + uy * y + uz * z) * reach - at_v
        meets = (
            (facing < nothing) & (reach < reach_m[i])
            & (u >= nothing) & (u <= one) & (v >= nothing) & (v <= one)
        )  # fmt: skip
        reach_m[i] = reach if meets else reach_m[i]
        hit[i] = number if meets else hit[i]


@compiled
def cast(
    rays: Float32Array,
    turn: FloatArray,
    mounted: FloatArray,
    centre: FloatArray,
    faces: FloatArray,
    ground_echo: float,
    patch: FloatArray,
    offset: FloatArray,
    hole: BoolArray,
    room: FloatArray,
    noise_m: Float32Array,
    most_m: float,
    cloud: Float32Array,
) -> int:
    """Cast every ray; returns how many came back, written to the first rows of ``cloud``.

    Args:
        rays: (3, N) unit rays of the pattern.
        turn: (3, 3) turns the pattern in the LiDAR frame.
        mounted: (3, 3) from the LiDAR frame to map.
        centre: (3,) of the LiDAR, m in map.
        faces: (F, FACE_SIZE) those that look at it.
        ground_echo: strength of the echo of the ground at normal incidence.
        patch: (PATCH_SIZE,) where the damage lies.
        offset: (cells, cells) its height against the sound roof, m, north by east.
        hole: (cells, cells) where there is none.
        room: (5,) floor, west, east, south, north of the inside, m in map.
        noise_m: (N,) of each range.
        most_m: no echo comes from farther.
        cloud: (N, 5) x y z m in the LiDAR frame, echo, time 0; written.
    """
    rays_at = np.empty((6, rays.shape[1]), np.float32)  # in the LiDAR frame, then in map
    _turn_all(rays, turn, rays_at[:3])
    _turn_all(rays_at[:3], mounted, rays_at[3:])
    reach_m = np.empty(rays.shape[1], np.float32)
    hit = np.full(rays.shape[1], -1, np.int8)  # number of the face; the ground where there is none
    height = np.float32(centre[2])
    for i in range(rays.shape[1]):
        to_ground = -height / rays_at[5, i]
        reach_m[i] = to_ground if to_ground > 0.0 else np.float32(np.inf)
    for k in range(faces.shape[0]):
        _hit_face(faces[k].astype(np.float32), rays_at[3:], np.int8(k), reach_m, hit)
    count = 0
    for i in range(rays.shape[1]):
        x, y, z, reach = float(rays_at[3, i]), float(rays_at[4, i]), float(rays_at[5, i]), float(reach_m[i])
        echo = abs(z) * ground_echo
        if hit[i] >= 0:
            face = faces[hit[i]]
            echo = -(face[NORMAL] * x + face[NORMAL + 1] * y + face[NORMAL + 2] * z) * face[ECHO]
            if face[IS_ROOF] > 0.0:
                reach = _on_damage(x, y, z, centre, reach, patch, offset, hole, room)
        if not reach < most_m:
            continue
        reach += noise_m[i]
        for axis in range(3):
            cloud[count, axis] = rays_at[axis, i] * reach
        cloud[count, 3], cloud[count, 4] = echo, 0.0
        count += 1
    return count
