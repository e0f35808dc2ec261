# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Standard messages in standard axes: what a receiver's own driver, a simulator or ArduPilot's DDS sends.

``fix`` and ``imu/data`` (REP-145: ENU, FLU, gravity held), and ``gimbal`` where there is one: roll, pitch, yaw
[rad] of the camera body, in the frame that its header names (``map``: yaw from east; ``base_link``: from the nose).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import GimbalAttitude, SourceRef
from vidgen_nodes.ros import convert
from vidgen_nodes.ros.adapters.route import Adapter, NavSink, Route, header_stamp_ns
from vidgen_nodes.sensing.transform import pose_from_rpy

_PARENTS = ("map", "base_link")
_MOST_RAD = 4.0 * math.pi


class GenericAdapter(Adapter):
    """No conversion: what is not in standard axes needs its stack's preset."""

    def __init__(self, sink: NavSink) -> None:
        super().__init__(sink)
        self.routes = (
            Route("fix", "sensor_msgs/msg/NavSatFix", self._on_fix, header_stamp_ns, gives_position=True),
            Route("imu/data", "sensor_msgs/msg/Imu", self._on_imu, header_stamp_ns),
            Route(
                "gimbal",
                "geometry_msgs/msg/Vector3Stamped",
                self._on_gimbal,
                header_stamp_ns,
                required=False,
                gives_gimbal=True,
            ),
        )

    def _on_fix(self, message: Any, source: SourceRef) -> None:
        self.sink.fix(convert.fix(message, source))

    def _on_imu(self, message: Any, source: SourceRef) -> None:
        self.sink.imu(convert.imu_sample(message, source))

    def _on_gimbal(self, message: Any, source: SourceRef) -> None:
        self.sink.gimbal(gimbal_from_rpy(message, str(message.header.frame_id), source))


def gimbal_from_rpy(message: Any, parent: str, source: SourceRef) -> GimbalAttitude:
    """Of a ``geometry_msgs/Vector3Stamped`` with roll, pitch, yaw [rad] in FLU.

    Raises:
        InputError: ``gimbal_frame`` for a parent that is neither map nor base_link, ``gimbal_angles``, ``no_stamp``.
    """
    if parent not in _PARENTS:
        raise InputError(
            "gimbal_frame", f"gimbal has frame_id {parent!r}; expected {' or '.join(_PARENTS)}, which says "
            "what its yaw counts from",
        )  # fmt: skip
    rpy_rad = (float(message.vector.x), float(message.vector.y), float(message.vector.z))
    if not all(abs(angle) <= _MOST_RAD for angle in rpy_rad):  # false for NaN
        raise InputError(
            "gimbal_angles",
            f"gimbal has roll, pitch, yaw {rpy_rad}; expected numbers within two turns, in rad",
        )
    turn = pose_from_rpy((0.0, 0.0, 0.0), tuple(np.degrees(rpy_rad))).quaternion_xyzw
    return GimbalAttitude(convert.header_stamp_ns(message), turn, parent, source)
