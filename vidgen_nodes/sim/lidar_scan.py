# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The LiDAR: rays cast analytically against the true house, its damaged roof and the ground.

Guarantees: every return lies on a true surface but for Gaussian range noise along its ray
(``RANGE_SIGMA_M``); the damaged patch returns its own heights, its holes return the rooms below.
The cloud is motion compensated to the scan's stamp, as most drivers hand it out: all points are in
the LiDAR frame at that moment and ``time`` is 0. Leaves out: beam width, mixed edges, several returns.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Pose
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sim import site
from vidgen_nodes.sim.damage import Damage
from vidgen_nodes.sim.noise import draw
from vidgen_nodes.sim.readings import CLOUD_DTYPE, CLOUD_FIELDS, Cloud

RANGE_SIGMA_M: Final = 0.02
MAX_RANGE_M: Final = 100.0
_HALF_CONE_RAD: Final = math.radians(27.0)
_GOLDEN_RAD: Final = math.pi * (3.0 - math.sqrt(5.0))
_BANK: Final = 1 << 20
_DAMAGE_STEPS: Final = 6  # fixed-point steps onto the height field; its slopes are well below 1


class LidarScan:
    """Casts scans of about ``points`` returns."""

    def __init__(self, seed: int, points: int) -> None:
        self._seed = seed
        self._pattern = _cone(points)
        self._damage = Damage()
        bank = draw(seed, "scan_bank").standard_normal(max(_BANK, 2 * points), dtype=np.float32)
        self._noise_m = bank * np.float32(RANGE_SIGMA_M)

    def cast(self, map_T_lidar: Pose, index: int) -> Cloud:
        """The cloud of scan ``index`` from the given pose; each scan turns the pattern by another angle."""
        source = draw(self._seed, "scan", index)
        spin = Rotation.from_euler("x", source.uniform(0.0, 2.0 * math.pi)).as_matrix().astype(np.float32)
        start = int(source.integers(self._noise_m.size - self._pattern.shape[1]))
        rays = spin @ self._pattern  # (3, N) in the LiDAR frame
        directions = rotation_matrix(map_T_lidar).astype(np.float32) @ rays
        range_m, echo = self._first_hit(map_T_lidar.translation_m, directions)
        kept = range_m < MAX_RANGE_M
        range_m += self._noise_m[start : start + range_m.size]
        cloud = np.zeros((range_m.size, len(CLOUD_FIELDS)), dtype=np.float32)
        np.multiply(rays.T, range_m[:, None], out=cloud[:, :3])
        cloud[:, 3] = echo
        if not kept.all():
            cloud = cloud[kept]
        return Cloud(len(cloud), CLOUD_DTYPE.itemsize, CLOUD_FIELDS, cloud.view(np.uint8).reshape(-1))

    def _first_hit(self, centre_m: FloatArray, directions: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Range to the first surface (inf: none) and echo strength 0..255, each (N,), along rays (3, N)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            range_m = np.float32(-centre_m[2]) / directions[2]
            range_m[~(range_m > 0.0)] = np.inf
            echo = np.abs(directions[2]) * np.float32(255.0 * site.GROUND_REFLECTIVITY)
            for face in site.FACES:
                if float(face.normal @ (centre_m - face.origin_m)) <= 0.0:
                    continue
                hit_m, facing = _hit_face(face, centre_m, directions)
                nearer = hit_m < range_m
                if face.kind == "roof":
                    self._bend_to_damage(centre_m, directions, hit_m, nearer)
                np.copyto(range_m, hit_m, where=nearer)
                np.copyto(echo, facing * np.float32(255.0 * face.reflectivity), where=nearer)
        return range_m, echo

    def _bend_to_damage(
        self, centre_m: FloatArray, directions: Float32Array, hit_m: Float32Array, nearer: BoolArray
    ) -> None:
        """Move roof hits over the damaged patch onto its height field, or through its holes."""
        on_roof = np.flatnonzero(nearer)
        at_m = centre_m[:2, None] + directions[:2, on_roof] * hit_m[on_roof]
        chosen = on_roof[self._damage.inside(at_m[0], at_m[1])]
        if not chosen.size:
            return
        ray = directions[:, chosen].astype(np.float64)
        reach_m = hit_m[chosen].astype(np.float64)
        for _ in range(_DAMAGE_STEPS):
            at_m = centre_m[:2, None] + ray[:2] * reach_m
            height_m = site.ROOF_M + self._damage.height_m(at_m[0], at_m[1])
            reach_m = (height_m - centre_m[2]) / ray[2]
        at_m = centre_m[:2, None] + ray[:2] * reach_m
        through = self._damage.holed(at_m[0], at_m[1])
        reach_m[through] = _room_range(centre_m, ray[:, through])
        hit_m[chosen] = reach_m


def _cone(points: int) -> Float32Array:
    """(3, N) unit rays about +x, even in solid angle (a sunflower)."""
    number = np.arange(points) + 0.5
    cosine = 1.0 - (1.0 - math.cos(_HALF_CONE_RAD)) * number / points
    sine = np.sqrt(1.0 - cosine**2)
    angle = _GOLDEN_RAD * number
    return np.stack([cosine, sine * np.cos(angle), sine * np.sin(angle)]).astype(np.float32)


def _hit_face(
    face: site.Face, centre_m: FloatArray, directions: Float32Array
) -> tuple[Float32Array, Float32Array]:
    """Range to a face along each ray (3, N) (inf: missed) and the cosine of incidence, each (N,)."""
    to_origin = np.array(face.origin_m) - centre_m
    across, up = np.array(face.across_m), np.array(face.up_m)
    across, up = across / (across @ across), up / (up @ up)
    rates = np.stack([-face.normal, across, up]).astype(np.float32) @ directions  # (3, N)
    facing = rates[0]
    hit_m = np.float32(-(face.normal @ to_origin)) / facing
    u = rates[1] * hit_m - np.float32(across @ to_origin)
    v = rates[2] * hit_m - np.float32(up @ to_origin)
    hit_m[~((facing > 0.0) & (u >= 0.0) & (u <= 1.0) & (v >= 0.0) & (v <= 1.0))] = np.inf
    return hit_m, facing


def _room_range(centre_m: FloatArray, ray: FloatArray) -> FloatArray:
    """Range to the upper floor or the inside of an outer wall, for rays (3, N) that fell through the roof; (N,)."""
    floor_m = (site.FLOOR_M - centre_m[2]) / ray[2]
    east_m = (np.where(ray[0] > 0.0, site.EAST_M, site.WEST_M) - centre_m[0]) / ray[0]
    north_m = (np.where(ray[1] > 0.0, site.NORTH_M, site.SOUTH_M) - centre_m[1]) / ray[1]
    return np.asarray(np.minimum(floor_m, np.minimum(east_m, north_m)))
