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

from vidgen_nodes.packets import Float32Array, FloatArray, Pose
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sim import ray_cast, site
from vidgen_nodes.sim.damage import CELL_M, SIZE_M, SOUTH_M, WEST_M, Damage
from vidgen_nodes.sim.noise import Numbers, draw
from vidgen_nodes.sim.readings import CLOUD_DTYPE, CLOUD_FIELDS, Cloud

RANGE_SIGMA_M: Final = 0.02
MAX_RANGE_M: Final = 100.0
_HALF_CONE_RAD: Final = math.radians(27.0)
_GOLDEN_RAD: Final = math.pi * (3.0 - math.sqrt(5.0))
_BANK: Final = 1 << 20


class LidarScan:
    """Casts scans of about ``points`` returns (0.6 ms for 30,000)."""

    def __init__(self, seed: int, points: int) -> None:
        self._numbers = Numbers(seed, "scan")
        self._pattern = _cone(points)
        self._damage = Damage()
        self._patch = np.array([WEST_M, SOUTH_M, SIZE_M, CELL_M, site.ROOF_M])
        self._room_m = np.array([site.FLOOR_M, site.WEST_M, site.EAST_M, site.SOUTH_M, site.NORTH_M])
        bank = draw(seed, "scan_bank").standard_normal(max(_BANK, 2 * points), dtype=np.float32)
        self._noise_m = bank * np.float32(RANGE_SIGMA_M)
        self.cast(
            Pose(np.array([0.0, 0.0, 9.0]), np.array([0.0, 0.0, 0.0, 1.0])), 0
        )  # compile it now, not in flight

    def cast(self, map_T_lidar: Pose, index: int) -> Cloud:
        """The cloud of scan ``index`` from the given pose; each scan turns the pattern by another angle."""
        source = self._numbers.at(index)
        spin = Rotation.from_euler("x", source.uniform(0.0, 2.0 * math.pi)).as_matrix()
        start = int(source.integers(self._noise_m.size - self._pattern.shape[1]))
        count = self._pattern.shape[1]
        cloud = np.empty((count, len(CLOUD_FIELDS)), dtype=np.float32)
        kept = ray_cast.cast(
            self._pattern,
            spin,
            rotation_matrix(map_T_lidar).copy(),
            map_T_lidar.translation_m,
            _faces_before(map_T_lidar.translation_m),
            255.0 * site.GROUND_REFLECTIVITY,
            self._patch,
            self._damage.offset_m,
            self._damage.hole,
            self._room_m,
            self._noise_m[start : start + count],
            MAX_RANGE_M,
            cloud,
        )
        data = cloud[:kept].view(np.uint8).reshape(-1)
        return Cloud(kept, CLOUD_DTYPE.itemsize, CLOUD_FIELDS, data)


def _faces_before(centre_m: FloatArray) -> FloatArray:
    """(F, FACE_SIZE) the faces that look at a place."""
    rows = []
    for face, (normal, across, up) in zip(site.FACES, _AXES, strict=True):
        to_origin = np.array(face.origin_m) - centre_m
        if float(normal @ to_origin) >= 0.0:
            continue
        away = (normal @ to_origin, across @ to_origin, up @ to_origin)
        rows.append((*normal, *across, *up, *away, 255.0 * face.reflectivity, face.kind == "roof"))
    return np.array(rows, dtype=np.float64).reshape(-1, ray_cast.FACE_SIZE)


def _axes(face: site.Face) -> tuple[FloatArray, FloatArray, FloatArray]:
    across, up = np.array(face.across_m), np.array(face.up_m)
    return face.normal, across / (across @ across), up / (up @ up)


_AXES: Final = [_axes(face) for face in site.FACES]


def _cone(points: int) -> Float32Array:
    """(3, N) unit rays about +x, even in solid angle (a sunflower)."""
    number = np.arange(points) + 0.5
    cosine = 1.0 - (1.0 - math.cos(_HALF_CONE_RAD)) * number / points
    sine = np.sqrt(1.0 - cosine**2)
    angle = _GOLDEN_RAD * number
    return np.stack([cosine, sine * np.cos(angle), sine * np.sin(angle)]).astype(np.float32)
