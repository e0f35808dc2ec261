# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The camera behind a gimbal: where it is in base, and how fast it turns, from the angles the gimbal reports.

The newest attitude is carried to a stamp at the rate at which the two newest differ, so the answer is a function
of stamps alone. Attitudes against ``map`` (most drone gimbals report so) are brought into base with the base's
own attitude, whose error they do not share.

Axes and zero of each stack's reports are its adapter's business; which reports are in effect, and which are too
old, is ``sync.camera_mount``'s. Leaves out what a gimbal does between reports.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import FloatArray, GimbalAttitude, Pose
from vidgen_nodes.sensing.transform import (
    OPTICAL_FROM_BODY,
    Quaternion,
    compose,
    extrapolated,
    multiply,
    unit,
)

MAP: Final = "map"
PARENTS: Final = (MAP, "base_link")
_RATE_OVER_NS: Final = 200_000_000  # reports further apart say nothing of a rate


def check_parent(attitude: GimbalAttitude) -> None:
    """Refuse an attitude against a frame that is not ours.

    Raises:
        InputError: ``gimbal_frame``.
    """
    if attitude.parent not in PARENTS:
        raise InputError(
            "gimbal_frame", f"gimbal is turned against {attitude.parent!r}, expected map or base_link"
        )


class Gimbal:
    """How a camera hangs in its gimbal.

    Args:
        pivot_m: where the gimbal turns, in base.
        gimbal_T_camera: the camera's body frame (FLU) seen from the gimbal's; its lens sits off the pivot.
    """

    def __init__(self, pivot_m: tuple[float, float, float], gimbal_T_camera: Pose) -> None:
        self._pivot = np.array(pivot_m, dtype=np.float64)
        self._gimbal_T_optical = compose(gimbal_T_camera, OPTICAL_FROM_BODY)

    def base_T_camera(
        self, newest: GimbalAttitude, before: GimbalAttitude | None, stamp_ns: int, map_q_base: FloatArray
    ) -> Pose:
        """Where the camera's optical frame is in base at a stamp.

        Args:
            newest: attitude that is carried to the stamp.
            before: the one before it, which tells the rate; None: not known.
            stamp_ns: of the frame.
            map_q_base: attitude (4,) of base at that stamp.
        """
        q = _quaternion(newest.quaternion_xyzw)
        if before is not None and _tells_rate(newest, before):
            share = 1.0 + (stamp_ns - newest.stamp_ns) / (newest.stamp_ns - before.stamp_ns)
            q = extrapolated(_quaternion(before.quaternion_xyzw), q, share)
        if newest.parent == MAP:
            x, y, z, w = _quaternion(map_q_base)
            q = multiply((-x, -y, -z, w), q)
        return compose(Pose(self._pivot, np.array(unit(q))), self._gimbal_T_optical)


def turn_rate_radps(newest: GimbalAttitude, before: GimbalAttitude | None) -> FloatArray:
    """Rate (3,) [rad/s] at which a gimbal turns, in the axes of its parent; zero where two reports do not tell."""
    if before is None or not _tells_rate(newest, before):
        return np.zeros(3)
    ax, ay, az, aw = _quaternion(before.quaternion_xyzw)
    x, y, z, w = multiply(_quaternion(newest.quaternion_xyzw), (-ax, -ay, -az, aw))
    sine = math.sqrt(x * x + y * y + z * z)
    if sine < 1e-12:
        return np.zeros(3)
    angle = 2.0 * math.atan2(sine, abs(w))
    scale = math.copysign(angle, w) / sine / ((newest.stamp_ns - before.stamp_ns) * 1e-9)
    return np.array((x * scale, y * scale, z * scale))


def _tells_rate(newest: GimbalAttitude, before: GimbalAttitude) -> bool:
    return before.parent == newest.parent and 0 < newest.stamp_ns - before.stamp_ns <= _RATE_OVER_NS


def _quaternion(values: FloatArray) -> Quaternion:
    x, y, z, w = values.tolist()
    return (x, y, z, w)
