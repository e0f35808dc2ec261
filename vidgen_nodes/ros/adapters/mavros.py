# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""MAVROS (PX4 or ArduPilot over MAVLink): axes and heights are ENU, FLU and ellipsoidal already; RTK status is not.

``NavSatFix.status`` of MAVROS does not tell RTK fixed from float: the receiver's own ``fix_type`` does, which
comes apart (``gpsstatus/gps1/raw``, ``mavros_msgs``). That message also has the accuracies, and the heading of a
receiver with two antennas. That yaw 0 and 65535 there mean "none" is from memory of the MAVLink messages.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from vidgen_nodes.packets import GimbalAttitude, Heading, RtkStatus, SourceRef
from vidgen_nodes.ros import convert
from vidgen_nodes.ros.adapters.gimbal import gimbal_in_map
from vidgen_nodes.ros.adapters.route import Adapter, NavSink, Route, header_stamp_ns
from vidgen_nodes.sensing import frames
from vidgen_nodes.sensing.transform import Quaternion

_STATUS_FRESH_NS = 2_000_000_000
_NO_YAW_CDEG = (0, 65535)


class MavrosAdapter(Adapter):
    """``/mavros/...`` to packets."""

    warnings = (
        "mavros: a position counts as RTK only while /mavros/gpsstatus/gps1/raw says fix_type 5 or 6",
    )

    def __init__(self, sink: NavSink) -> None:
        super().__init__(sink)
        self._status: tuple[int, Any, SourceRef] | None = None
        self._named_ns = 0
        self._yaw_rad: float | None = None
        gps, gimbal = "mavros_msgs/msg/GPSRAW", "mavros_msgs/msg/GimbalDeviceAttitudeStatus"
        self.routes = (
            Route(
                "/mavros/global_position/global", "sensor_msgs/msg/NavSatFix", self._on_fix, header_stamp_ns,
                gives_position=True,
            ),
            Route("/mavros/imu/data", "sensor_msgs/msg/Imu", self._on_imu, header_stamp_ns),
            Route("/mavros/gpsstatus/gps1/raw", gps, self._on_status, header_stamp_ns, required=False),
            Route(
                "/mavros/gimbal_control/device/attitude_status", gimbal, self._on_gimbal, header_stamp_ns,
                without="the gimbal's attitude", required=False, gives_gimbal=True,
            ),
        )  # fmt: skip

    def _on_fix(self, message: Any, source: SourceRef) -> None:
        fix = convert.fix(message, source)
        rtk, covariance = min(fix.rtk, RtkStatus.SINGLE), fix.covariance_m2
        also: tuple[SourceRef, ...] = ()
        if self._status is not None and abs(fix.stamp_ns - self._status[0]) <= _STATUS_FRESH_NS:
            stamp_ns, status, status_source = self._status
            rtk = frames.rtk_from_fix_type(int(status.fix_type))
            known = frames.covariance_from_sigmas(int(status.h_acc) * 1e-3, int(status.v_acc) * 1e-3)
            covariance = covariance if math.isnan(known[0, 0]) else known
            also = () if stamp_ns == self._named_ns else (status_source,)
            self._named_ns = stamp_ns
        self.sink.fix(
            dataclasses.replace(
                fix, rtk=RtkStatus(rtk), covariance_m2=covariance, height_datum="ellipsoidal", also=also
            )
        )

    def _on_imu(self, message: Any, source: SourceRef) -> None:
        sample = convert.imu_sample(message, source)
        if sample.map_q_base is not None:
            x, y, z, w = sample.map_q_base.tolist()
            self._yaw_rad = frames.yaw_of((x, y, z, w))
        self.sink.imu(sample)

    def _on_status(self, message: Any, source: SourceRef) -> None:
        stamp_ns = convert.header_stamp_ns(message)
        self._status = (stamp_ns, message, source)
        if int(message.yaw) in _NO_YAW_CDEG:
            return
        sigma_rad = math.radians(int(message.hdg_acc) * 1e-5)
        yaw_rad = frames.yaw_from_heading(math.radians(int(message.yaw) * 1e-2))
        self.sink.heading(Heading(stamp_ns, yaw_rad, sigma_rad if sigma_rad > 0.0 else math.nan, source))

    def _on_gimbal(self, message: Any, source: SourceRef) -> None:
        x, y, z, w = convert.unit_quaternion(message.q).tolist()
        turn: Quaternion = (x, y, z, w)
        self.sink.gimbal(
            GimbalAttitude(
                convert.header_stamp_ns(message),
                gimbal_in_map(turn, int(message.flags), self._yaw_rad),
                "map",
                source,
            )
        )
