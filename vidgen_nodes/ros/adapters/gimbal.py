# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""MAVLink's gimbal attitude (GIMBAL_DEVICE_ATTITUDE_STATUS), in map.

Its roll and pitch always count from the horizon. Only the yaw counts from north or from the nose, as flags say:
so "in the vehicle's frame" does not mean that the vehicle's tilt is in it.
"""

from __future__ import annotations

import math

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.sensing import frames
from vidgen_nodes.sensing.transform import Quaternion, multiply

_YAW_LOCK, _YAW_IN_VEHICLE_FRAME, _YAW_IN_EARTH_FRAME = 16, 32, 64


def gimbal_in_map(frd_q_gimbal: Quaternion, flags: int, vehicle_yaw_rad: float | None) -> FloatArray:
    """``map_q_gimbal`` (4,), FLU.

    Args:
        frd_q_gimbal: the status' quaternion, (x, y, z, w).
        flags: GIMBAL_DEVICE_FLAGS; where neither frame is named (older devices), yaw lock decides.
        vehicle_yaw_rad: yaw of the vehicle in map; None: not known.

    Raises:
        InputError: ``gimbal_yaw`` when the yaw counts from the nose, and where the nose points is not known.
    """
    in_earth = bool(flags & _YAW_IN_EARTH_FRAME) or (
        not flags & _YAW_IN_VEHICLE_FRAME and bool(flags & _YAW_LOCK)
    )
    if in_earth:
        return np.array(frames.enu_q_flu(frd_q_gimbal))
    if vehicle_yaw_rad is None:
        raise InputError(
            "gimbal_yaw", "the gimbal's yaw counts from the nose, and no attitude of the vehicle has come yet"
        )
    half = 0.5 * vehicle_yaw_rad
    return np.array(multiply((0.0, 0.0, math.sin(half), math.cos(half)), frames.flu_q_flu(frd_q_gimbal)))
