# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""DJI M300 and M350 through psdk_ros2: ENU and FLU, but two heights, a turned antenna baseline, and no clock.

``rtk_position`` is above mean sea level and carries neither status nor covariance; ``rtk_position_info`` says
what it is worth (50: RTK fixed). Without an RTK solution ``gps_position_fused`` is taken, whose height is above
the ellipsoid: every fix says which. ``rtk_yaw`` points from antenna 1 to antenna 2, a quarter turn off the nose,
in whole degrees. Every stamp is the time of receipt on this computer; M300 has no PPS.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Heading, RtkStatus, SourceRef
from vidgen_nodes.ros import convert
from vidgen_nodes.ros.adapters.generic import gimbal_from_rpy
from vidgen_nodes.ros.adapters.route import Adapter, NavSink, Route, header_stamp_ns, no_stamp_ns
from vidgen_nodes.sensing import frames

_ROOT = "/wrapper/psdk_ros2"
_STATUS_LASTS = 5  # positions: the status is published as often as the position, so it is lost by then
_RTK_GONE_NS = 1_000_000_000
_YAW_SIGMA_RAD = math.radians(
    math.hypot(0.2, 1.0 / math.sqrt(12.0))
)  # the receiver's, and that of whole degrees


@dataclasses.dataclass(slots=True)
class _Status:
    """The newest solution type, and how many messages have relied on it."""

    value: int = 0
    source: SourceRef | None = None
    used: int = _STATUS_LASTS

    def take(self, value: int, source: SourceRef) -> None:
        self.value, self.source, self.used = value, source, 0

    def rtk(self) -> tuple[RtkStatus, tuple[SourceRef, ...]]:
        """What it says, NONE when it has not come for long, and its source when this is its first use."""
        self.used += 1
        if self.source is None or self.used > _STATUS_LASTS:
            return RtkStatus.NONE, ()
        return frames.rtk_from_dji(self.value), (self.source,) if self.used == 1 else ()


class PsdkAdapter(Adapter):
    """``/wrapper/psdk_ros2/...`` to packets."""

    warnings = (
        "psdk_ros2: set gimbal_data: 50 in psdk_params.yaml; at its default of 1 Hz the gimbal lags by a second",
        "psdk_ros2: stamps are times of receipt and the M300 has no hardware synchronisation: sigma_px shows the cost",
        "psdk_ros2: its camera streams are palettised or H.264 and hold no temperature",
    )

    def __init__(self, sink: NavSink) -> None:
        super().__init__(sink)
        self._position_status, self._yaw_status = _Status(), _Status()
        self._rtk_ns: int | None = None
        byte, fix = "std_msgs/msg/UInt8", "sensor_msgs/msg/NavSatFix"
        self.routes = (
            Route(f"{_ROOT}/rtk_position_info", byte, self._on_position_status, no_stamp_ns, required=False),
            Route(
                f"{_ROOT}/rtk_position", fix, self._on_rtk, header_stamp_ns, required=False, gives_position=True
            ),
            Route(f"{_ROOT}/gps_position_fused", fix, self._on_gps, header_stamp_ns, gives_position=True),
            Route(f"{_ROOT}/imu", "sensor_msgs/msg/Imu", self._on_imu, header_stamp_ns),
            Route(f"{_ROOT}/rtk_yaw_info", byte, self._on_yaw_status, no_stamp_ns, required=False),
            Route(
                f"{_ROOT}/rtk_yaw", "psdk_interfaces/msg/RTKYaw", self._on_yaw, header_stamp_ns,
                without="the heading of the two RTK antennas", required=False,
            ),
            Route(
                f"{_ROOT}/gimbal_angles", "geometry_msgs/msg/Vector3Stamped", self._on_gimbal, header_stamp_ns,
                required=False, gives_gimbal=True,
            ),
        )  # fmt: skip

    def _on_position_status(self, message: Any, source: SourceRef) -> None:
        self._position_status.take(int(message.data), source)

    def _on_yaw_status(self, message: Any, source: SourceRef) -> None:
        self._yaw_status.take(int(message.data), source)

    def _on_rtk(self, message: Any, source: SourceRef) -> None:
        rtk, also = self._position_status.rtk()
        if rtk < RtkStatus.FLOAT:
            raise InputError(
                "no_rtk_solution",
                f"rtk_position_info is {self._position_status.value} or has not come; expected 50 (fixed) or 32 to 49 "
                "(float). gps_position_fused is used meanwhile.",
            )
        fix = convert.fix(message, source)
        self._rtk_ns = fix.stamp_ns
        self.sink.fix(
            dataclasses.replace(
                fix, rtk=rtk, covariance_m2=np.full((3, 3), np.nan), height_datum="orthometric", also=also
            )
        )

    def _on_gps(self, message: Any, source: SourceRef) -> None:
        """The flight controller's own position: only while there is none by RTK, which it would dilute."""
        fix = convert.fix(message, source)
        if self._rtk_ns is not None and abs(fix.stamp_ns - self._rtk_ns) <= _RTK_GONE_NS:
            return
        self.sink.fix(
            dataclasses.replace(
                fix, rtk=RtkStatus.SINGLE, covariance_m2=np.full((3, 3), np.nan), height_datum="ellipsoidal"
            )
        )

    def _on_imu(self, message: Any, source: SourceRef) -> None:
        self.sink.imu(convert.imu_sample(message, source))

    def _on_yaw(self, message: Any, source: SourceRef) -> None:
        rtk, also = self._yaw_status.rtk()
        if rtk != RtkStatus.FIXED:
            raise InputError(
                "no_rtk_yaw",
                f"rtk_yaw_info is {self._yaw_status.value} or has not come; expected 50 before rtk_yaw counts",
            )
        degrees = int(message.yaw)
        if not 0 <= degrees <= 360:
            raise InputError("yaw_range", f"rtk_yaw is {degrees} deg; expected 0 to 360")
        heading_rad = frames.heading_from_baseline(math.radians(degrees))
        yaw_rad = frames.yaw_from_heading(heading_rad)
        self.sink.heading(Heading(convert.header_stamp_ns(message), yaw_rad, _YAW_SIGMA_RAD, source, also))

    def _on_gimbal(self, message: Any, source: SourceRef) -> None:
        """Its yaw counts from east already, whatever its frame_id says (the gimbal's own)."""
        self.sink.gimbal(gimbal_from_rpy(message, "map", source))
