# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What hangs under the drone and where: the true extrinsics and the true camera.

``config/presets/sim.yaml`` tells the nodes the same numbers; a test holds the two together.
Angles are roll, pitch, yaw (R = Rz Ry Rx) of a body-like FLU frame in base; pitch 40 looks down by 40.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import CameraCalibration, FloatArray

THERMAL_FRAME: Final = "thermal_optical_frame"
IMU_FRAME: Final = "imu_link"
LIDAR_FRAME: Final = "lidar"
ANTENNA_FRAME: Final = "gnss_link"

ANTENNA_M: Final = (-0.08, 0.0, 0.21)
CAMERA_TRANSLATION_M: Final = (0.14, 0.0, -0.11)
CAMERA_RPY_DEG: Final = (0.4, 40.0, -0.7)
LIDAR_TRANSLATION_M: Final = (0.06, 0.02, -0.16)
LIDAR_RPY_DEG: Final = (-0.3, 42.0, 0.5)

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 512
SCALE_K_PER_COUNT: Final = 0.01
# 12 um pixels behind a 7.8 mm lens; the principal point is off the middle, as it is in real cameras.
_MATRIX_PX: Final = ((650.0, 0.0, 323.4), (0.0, 650.6, 251.8), (0.0, 0.0, 1.0))

# Axes of an optical frame (x right, y down, z forward) in a body frame (x forward, y left, z up).
_BODY_R_OPTICAL: Final = Rotation.from_matrix([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def base_R_optical() -> Rotation:
    """Rotation of the camera's optical frame in base."""
    return _from_rpy(CAMERA_RPY_DEG) * _BODY_R_OPTICAL


def base_R_lidar() -> Rotation:
    """Rotation of the LiDAR in base."""
    return _from_rpy(LIDAR_RPY_DEG)


def camera_matrix_px() -> FloatArray:
    """K (3, 3); pixel (0, 0) is the centre of the first pixel."""
    return np.array(_MATRIX_PX)


def calibration(stamp_ns: int = 0) -> CameraCalibration:
    """The camera's own calibration under the given stamp; the lens has no distortion."""
    return CameraCalibration(
        stamp_ns, THERMAL_FRAME, WIDTH_PX, HEIGHT_PX, camera_matrix_px(), "plumb_bob", np.zeros(5)
    )


def _from_rpy(rpy_deg: tuple[float, float, float]) -> Rotation:
    return Rotation.from_euler("ZYX", rpy_deg[::-1], degrees=True)
