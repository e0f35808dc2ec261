# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated flight as a drone's own stack would have recorded it: other topics, types, axes, units and stamps.

The message definitions are written out here (fields that the adapters read, by the names of the packages), so that
recordings of stacks can be made where no message package is installed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

DEFINITIONS = {
    "px4_msgs/msg/SensorGps": """
uint64 timestamp
uint64 timestamp_sample
float64 latitude_deg
float64 longitude_deg
float64 altitude_msl_m
float64 altitude_ellipsoid_m
uint8 fix_type
float32 eph
float32 epv
float32 heading
float32 heading_accuracy
""",
    "px4_msgs/msg/SensorCombined": """
uint64 timestamp
float32[3] gyro_rad
float32[3] accelerometer_m_s2
""",
    "px4_msgs/msg/VehicleAttitude": """
uint64 timestamp
uint64 timestamp_sample
float32[4] q
""",
    "px4_msgs/msg/GimbalDeviceAttitudeStatus": """
uint64 timestamp
uint16 device_flags
float32[4] q
""",
    "mavros_msgs/msg/GPSRAW": """
std_msgs/Header header
uint8 fix_type
uint32 h_acc
uint32 v_acc
uint32 hdg_acc
uint16 yaw
""",
    "psdk_interfaces/msg/RTKYaw": """
std_msgs/Header header
uint16 yaw
""",
}
PSDK = "/wrapper/psdk_ros2"
_Z = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))
_X = (1.0, 0.0, 0.0, 0.0)


def store_with_stacks() -> Any:
    """The standard types and those of the stacks."""
    store = get_typestore(Stores.ROS2_KILTED)
    for name, text in DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    return store


class StackWriter:
    """Writes one recording; a message of the flight becomes those that its stack would have sent."""

    def __init__(self, stack: str, store: Any, *, gimbal: bool, heading: bool) -> None:
        self._store, self._gimbal, self._heading = store, gimbal, heading
        self.convert: Callable[[str, Any], Iterator[tuple[str, str, Any]]] = getattr(self, "_" + stack)

    def new(self, name: str, *values: Any) -> Any:
        """A message."""
        return self._store.types[name](*values)

    def _generic(self, topic: str, message: Any) -> Iterator[tuple[str, str, Any]]:
        yield topic, message.__msgtype__, message
        if topic == "/imu/data" and self._gimbal:
            yield "/gimbal", "geometry_msgs/msg/Vector3Stamped", self._angles(message, "base_link")

    def _mavros(self, topic: str, message: Any) -> Iterator[tuple[str, str, Any]]:
        if topic == "/fix":
            raw = self.new("mavros_msgs/msg/GPSRAW", message.header, 6, 15, 25, 0, 65535)
            yield "/mavros/gpsstatus/gps1/raw", "mavros_msgs/msg/GPSRAW", raw
            yield "/mavros/global_position/global", message.__msgtype__, message
        elif topic == "/imu/data":
            yield "/mavros/imu/data", message.__msgtype__, message
        else:
            yield topic, message.__msgtype__, message

    def _psdk_ros2(self, topic: str, message: Any) -> Iterator[tuple[str, str, Any]]:
        if topic == "/fix":
            yield f"{PSDK}/rtk_position_info", "std_msgs/msg/UInt8", self.new("std_msgs/msg/UInt8", 50)
            yield f"{PSDK}/rtk_position", message.__msgtype__, message
        elif topic == "/imu/data":
            yield f"{PSDK}/imu", message.__msgtype__, message
            if self._gimbal:
                yield f"{PSDK}/gimbal_angles", "geometry_msgs/msg/Vector3Stamped", self._angles(message, "g")
            if self._heading:
                yield f"{PSDK}/rtk_yaw_info", "std_msgs/msg/UInt8", self.new("std_msgs/msg/UInt8", 50)
                degrees = round(math.degrees(heading_rad(message)) + 90.0) % 360  # antennas: left to right
                yield (
                    f"{PSDK}/rtk_yaw",
                    "psdk_interfaces/msg/RTKYaw",
                    self.new("psdk_interfaces/msg/RTKYaw", message.header, degrees),
                )
        elif topic == "/thermal/image_raw":
            yield f"{PSDK}/main_camera_stream", message.__msgtype__, message
        else:
            yield topic, message.__msgtype__, message

    def _px4(self, topic: str, message: Any) -> Iterator[tuple[str, str, Any]]:
        stamp = message.header.stamp
        at_us = stamp.sec * 1_000_000 + stamp.nanosec // 1000
        if topic == "/fix":
            heading = (0.3, 0.005) if self._heading else (math.nan, math.nan)
            gps = self.new(
                "px4_msgs/msg/SensorGps", at_us + 30_000, at_us, message.latitude, message.longitude,
                message.altitude - 48.0, message.altitude, 6, 0.015, 0.025, *heading,
            )  # fmt: skip
            yield "/fmu/out/vehicle_gps_position_v1", "px4_msgs/msg/SensorGps", gps
        elif topic == "/imu/data":
            q = message.orientation
            turn = times(times(ned_q_enu(), (q.x, q.y, q.z, q.w)), _X)
            attitude = self.new(
                "px4_msgs/msg/VehicleAttitude", at_us + 200, at_us, np.roll(turn, 1).astype(np.float32)
            )
            yield "/fmu/out/vehicle_attitude", "px4_msgs/msg/VehicleAttitude", attitude
            rate, push = message.angular_velocity, message.linear_acceleration
            sample = self.new(
                "px4_msgs/msg/SensorCombined", at_us,
                np.array((rate.x, -rate.y, -rate.z), np.float32),
                np.array((push.x, -push.y, -push.z), np.float32),
            )  # fmt: skip
            yield "/fmu/out/sensor_combined", "px4_msgs/msg/SensorCombined", sample
        else:
            yield topic, message.__msgtype__, message

    def _angles(self, message: Any, frame_id: str) -> Any:
        """A gimbal that holds the camera as it is bolted on in the simulation, but for a degree of yaw."""
        roll, pitch, yaw = (math.radians(angle) for angle in (0.4, 40.0, 0.3))
        header = self.new("std_msgs/msg/Header", message.header.stamp, frame_id)
        return self.new(
            "geometry_msgs/msg/Vector3Stamped",
            header,
            self.new("geometry_msgs/msg/Vector3", roll, pitch, yaw),
        )


def write_as(
    stack: str, flight: Path, path: Path, *, gimbal: bool = False, heading: bool = False,
    plugin: StoragePlugin = StoragePlugin.MCAP, undefined: bool = False,
) -> Path:  # fmt: skip
    """Write a recording in standard topics again, as one of a stack.

    Args:
        stack: whose messages.
        flight: recording of the simulated flight.
        path: directory to make.
        gimbal: with a gimbal, where the stack is written with one here.
        heading: with the heading of two antennas.
        plugin: storage.
        undefined: leave out the definitions of the stack's types, as sqlite3 recordings of Humble do.
    """
    store = store_with_stacks()
    made = StackWriter(stack, store, gimbal=gimbal, heading=heading)
    connections: dict[str, Any] = {}
    with Reader(flight) as source, Writer(path, version=9, storage_plugin=plugin) as target:
        for connection, log_ns, raw in source.messages():
            message = store.deserialize_cdr(raw, connection.msgtype)
            for topic, kind, item in made.convert(connection.topic, message):
                if topic not in connections:
                    options: dict[str, Any] = {"typestore": store}
                    if undefined and kind in DEFINITIONS:
                        options = {"msgdef": "", "rihs01": "RIHS01_" + 64 * "0"}
                    connections[topic] = target.add_connection(topic, kind, **options)
                target.write(connections[topic], log_ns, store.serialize_cdr(item, kind))
    return path


def times(a: Any, b: Any) -> np.ndarray:
    """Product of quaternions (x, y, z, w): first b, then a."""
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    return np.array(
        (
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        )
    )


def ned_q_enu() -> np.ndarray:
    """Half a turn about x, then a quarter about z: x and y change places, z turns round."""
    return times(_Z, _X)


def heading_rad(imu: Any) -> float:
    """From north, clockwise, of a ``sensor_msgs/Imu``."""
    q = imu.orientation
    yaw = math.atan2(2.0 * (q.w * q.z + q.x * q.y), 1.0 - 2.0 * (q.y * q.y + q.z * q.z))
    return math.pi / 2.0 - yaw
