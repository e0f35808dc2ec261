# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The camera behind a gimbal: ``base_T_camera`` at the stamp of a frame, from the angles the gimbal reports.

An attitude with stamp s is in effect at t when ``s + delay <= t``, as every input is; the newest in effect is
carried to t at the rate at which the two newest differ. So the answer is a function of stamps alone.
Attitudes against ``map`` (most drone gimbals report so) are brought into base with the base's own attitude.

Axes and zero of each stack's reports are its adapter's business. Leaves out what a gimbal does between reports.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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

_ROOM: Final = 512
_JUMP_NS: Final = 1_000_000_000
_RATE_OVER_NS: Final = 200_000_000  # reports further apart say nothing of a rate
_PARENTS: Final = ("map", "base_link")


class Gimbal:
    """What the gimbal reported, and where it holds the camera.

    Args:
        pivot_m: where the gimbal turns, in base.
        gimbal_T_camera: the camera's body frame (FLU) seen from the gimbal's; its lens sits off the pivot.
        delay_ms: an attitude takes effect this long after its stamp.
        stale_ms: an older one is none.
    """

    def __init__(
        self,
        pivot_m: tuple[float, float, float],
        gimbal_T_camera: Pose,
        *,
        delay_ms: float,
        stale_ms: float,
    ) -> None:
        self._pivot = np.array(pivot_m, dtype=np.float64)
        self._gimbal_T_optical = compose(gimbal_T_camera, OPTICAL_FROM_BODY)
        self._delay_ns, self._stale_ns = round(delay_ms * 1e6), round(stale_ms * 1e6)
        self._stamps: list[int] = []
        self._attitudes: list[GimbalAttitude] = []

    def reset(self) -> None:
        """Forget every report, as after a clock jump."""
        self._stamps.clear()
        self._attitudes.clear()

    def add(self, attitude: GimbalAttitude) -> None:
        """Take a report; one that is over a second behind the newest starts anew.

        Raises:
            InputError: ``gimbal_frame`` or ``duplicate``.
        """
        if attitude.parent not in _PARENTS:
            raise InputError(
                "gimbal_frame", f"gimbal is turned against {attitude.parent!r}, expected map or base_link"
            )
        if self._stamps and self._stamps[-1] - attitude.stamp_ns > _JUMP_NS:
            self.reset()
        index = bisect_left(self._stamps, attitude.stamp_ns)
        if index < len(self._stamps) and self._stamps[index] == attitude.stamp_ns:
            raise InputError(
                "duplicate", f"a second gimbal attitude has stamp {attitude.stamp_ns} ns; the first is used."
            )
        self._stamps.insert(index, attitude.stamp_ns)
        self._attitudes.insert(index, attitude)
        if len(self._stamps) > _ROOM:
            del self._stamps[0], self._attitudes[0]

    def base_T_camera(self, stamp_ns: int, map_q_base: FloatArray) -> Pose:
        """Where the camera's optical frame is in base at a stamp.

        Args:
            stamp_ns: of the frame.
            map_q_base: attitude (4,) of base at that stamp.

        Raises:
            InputError: ``no_gimbal`` or ``gimbal_stale``.
        """
        due = bisect_right(self._stamps, stamp_ns - self._delay_ns)
        if not due:
            raise InputError("no_gimbal", "no gimbal attitude is in effect yet; check its topic and stamps")
        newest = self._attitudes[due - 1]
        age_ns = stamp_ns - newest.stamp_ns
        if age_ns > self._stale_ns:
            raise InputError(
                "gimbal_stale",
                f"the newest gimbal attitude is {age_ns / 1e6:.0f} ms old, expected at most "
                f"{self._stale_ns / 1e6:.0f}. Raise the gimbal's rate (psdk_ros2: gimbal_data: 50).",
            )
        q = _quaternion(newest.quaternion_xyzw)
        if due > 1:
            before = self._attitudes[due - 2]
            apart_ns = newest.stamp_ns - before.stamp_ns
            if before.parent == newest.parent and apart_ns <= _RATE_OVER_NS:
                q = extrapolated(_quaternion(before.quaternion_xyzw), q, 1.0 + age_ns / apart_ns)
        if newest.parent == "map":
            x, y, z, w = _quaternion(map_q_base)
            q = multiply((-x, -y, -z, w), q)
        return compose(Pose(self._pivot, np.array(unit(q))), self._gimbal_T_optical)


def _quaternion(values: FloatArray) -> Quaternion:
    x, y, z, w = values.tolist()
    return (x, y, z, w)
