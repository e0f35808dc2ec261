# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PX4 over uXRCE-DDS (``px4_msgs``): NED and FRD, ``(w, x, y, z)``, microseconds, best effort, ``_vN`` topics.

The IMU and the attitude are topics of their own here: a sample takes the newest attitude along, turned on to its
own stamp. A position comes from the receiver, not from PX4's own filter, whose errors would be correlated.
Both heights are given; the one above the ellipsoid is used.

Stamps are those of the autopilot: with ``UXRCE_DDS_SYNCT`` off, or in simulated time, they are not ROS time.
Field names are those of px4_msgs 1.14 and later, with the integers of earlier ones read too (from memory).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Fix, FloatArray, GimbalAttitude, Heading, ImuSample, SourceRef
from vidgen_nodes.ros.adapters.gimbal import gimbal_in_map
from vidgen_nodes.ros.adapters.route import Adapter, NavSink, Route
from vidgen_nodes.sensing import frames
from vidgen_nodes.sensing.transform import Quaternion, turned

_ATTITUDE_FRESH_NS = 50_000_000
_SAMPLE_BEFORE_US = 1_000_000  # timestamp_sample lies this much before timestamp at most; else it is not set


class Px4Adapter(Adapter):
    """``/fmu/out/...`` to packets."""

    warnings = (
        "px4: stamps are ROS time only with UXRCE_DDS_SYNCT=1, and never in simulated time",
        "px4: vehicle_gps_position, sensor_combined, vehicle_attitude must be in the agent's dds_topics.yaml",
    )

    def __init__(self, sink: NavSink) -> None:
        super().__init__(sink)
        self._attitude: tuple[int, Quaternion, SourceRef] | None = None
        self._taken_ns = 0
        self.routes = (
            _route("vehicle_gps_position", "SensorGps", self._on_gps, gives_position=True),
            _route("sensor_combined", "SensorCombined", self._on_sensors),
            _route("vehicle_attitude", "VehicleAttitude", self._on_attitude),
            _route(
                "gimbal_device_attitude_status", "GimbalDeviceAttitudeStatus", self._on_gimbal,
                without="the gimbal's attitude", required=False, gives_gimbal=True,
            ),
        )  # fmt: skip

    def _on_gps(self, message: Any, source: SourceRef) -> None:
        self.sink.fix(fix(message, source))
        heading = dual_antenna_heading(message, source)
        if heading is not None:
            self.sink.heading(heading)

    def _on_attitude(self, message: Any, source: SourceRef) -> None:
        turn = frames.enu_q_flu(frames.xyzw_from_wxyz(message.q))
        self._attitude = (stamp_ns(message), turn, source)

    def _on_sensors(self, message: Any, source: SourceRef) -> None:
        at_ns = stamp_ns(message)
        rate = _vector(message.gyro_rad, "gyro_rad")
        acceleration = _vector(message.accelerometer_m_s2, "accelerometer_m_s2")
        turn, also = self._attitude_at(at_ns, rate)
        self.sink.imu(ImuSample(at_ns, turn, rate, acceleration, source, also))

    def _attitude_at(self, at_ns: int, rate: FloatArray) -> tuple[FloatArray | None, tuple[SourceRef, ...]]:
        """The newest attitude, once: with the first sample that it can be turned on to."""
        if self._attitude is None:
            return None, ()
        from_ns, turn, source = self._attitude
        if from_ns == self._taken_ns or abs(at_ns - from_ns) > _ATTITUDE_FRESH_NS:
            return None, ()
        self._taken_ns = from_ns
        return np.array(turned(turn, rate.tolist(), (at_ns - from_ns) * 1e-9)), (source,)

    def _on_gimbal(self, message: Any, source: SourceRef) -> None:
        yaw_rad = None if self._attitude is None else frames.yaw_of(self._attitude[1])
        turn = gimbal_in_map(frames.xyzw_from_wxyz(message.q), int(message.device_flags), yaw_rad)
        self.sink.gimbal(GimbalAttitude(stamp_ns(message), turn, "map", source))


def _route(topic: str, name: str, handler: Callable[[Any, SourceRef], None], **options: Any) -> Route:
    return Route(f"/fmu/out/{topic}", f"px4_msgs/msg/{name}", handler, stamp_ns, versioned=True, **options)


def stamp_ns(message: Any) -> int:
    """When it was measured: ``timestamp_sample`` where the message has it, else ``timestamp``."""
    sent_us = int(message.timestamp)
    sampled_us = int(getattr(message, "timestamp_sample", 0))
    is_set = sampled_us > 0 and 0 <= sent_us - sampled_us < _SAMPLE_BEFORE_US
    return frames.stamp_ns_from_us(sampled_us if is_set else sent_us)


def fix(message: Any, source: SourceRef) -> Fix:
    """Of ``SensorGps``.

    Raises:
        InputError: ``not_finite``, ``position_range`` or ``no_stamp``.
    """
    if hasattr(message, "latitude_deg"):
        latitude, longitude = float(message.latitude_deg), float(message.longitude_deg)
        altitude = float(message.altitude_ellipsoid_m)
    else:
        latitude, longitude = int(message.lat) * 1e-7, int(message.lon) * 1e-7
        altitude = int(message.alt_ellipsoid) * 1e-3
    if not (math.isfinite(latitude) and math.isfinite(longitude) and math.isfinite(altitude)):
        raise InputError(
            "not_finite", f"SensorGps is at {latitude}, {longitude} deg, {altitude} m; expected numbers"
        )
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        raise InputError("position_range", f"SensorGps is at {latitude}, {longitude} deg; off the globe")
    return Fix(
        stamp_ns(message), latitude, longitude, altitude,
        frames.covariance_from_sigmas(float(message.eph), float(message.epv)),
        frames.rtk_from_fix_type(int(message.fix_type)), source, "ellipsoidal",
    )  # fmt: skip


def dual_antenna_heading(message: Any, source: SourceRef) -> Heading | None:
    """The receiver's heading, where it has two antennas; NaN says that it has not. PX4 has taken the offset off."""
    heading_rad = float(getattr(message, "heading", math.nan))
    if not math.isfinite(heading_rad):
        return None
    sigma_rad = float(getattr(message, "heading_accuracy", math.nan))
    return Heading(
        stamp_ns(message), frames.yaw_from_heading(heading_rad), sigma_rad if sigma_rad > 0.0 else math.nan, source
    )  # fmt: skip


def _vector(frd: Sequence[float], name: str) -> FloatArray:
    vector = frames.flu_from_frd(frd)
    if not np.isfinite(vector).all():
        raise InputError("not_finite", f"{name} holds NaN or infinity: {list(frd)}")
    return vector
