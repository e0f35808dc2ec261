# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Samples of the flight as serialised ROS messages, for the live drone and for a recording alike.

Guarantees: the same sample gives the same bytes. Needs no ROS: these types have had the same fields in
every ROS 2 since Foxy, and ``cdr.py`` writes them in a fraction of the time that message objects of rclpy take.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from rosbags.typesys import Stores, get_typestore

from vidgen_nodes import cdr
from vidgen_nodes.sim import rig
from vidgen_nodes.sim.flight import Flight
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, SCAN, THERMAL, Sample

TYPES: Final = {
    THERMAL: "sensor_msgs/msg/Image",
    CAMERA_INFO: "sensor_msgs/msg/CameraInfo",
    IMU: "sensor_msgs/msg/Imu",
    FIX: "sensor_msgs/msg/NavSatFix",
    SCAN: "sensor_msgs/msg/PointCloud2",
}


class Messages:
    """Makes the messages of a flight. Typed Any where rosbags builds its classes at run time."""

    def __init__(self, flight: Flight, start_ns: int) -> None:
        """``start_ns`` is the event time of second 0 of the flight."""
        self.store = get_typestore(Stores.ROS2_KILTED)
        self._flight = flight
        self._camera = flight.calibration
        self._start_ns = start_ns
        self._writers = {kind: cdr.writer(self.store, name) for kind, name in TYPES.items()}
        self._makers = {
            THERMAL: self._image,
            CAMERA_INFO: self._camera_info,
            IMU: self._imu,
            FIX: self._fix,
            SCAN: self._cloud,
        }

    def serialise(self, sample: Sample) -> bytes:
        """The message of a sample as CDR."""
        return self._writers[sample.kind](self._makers[sample.kind](sample))

    def _new(self, name: str, *values: Any) -> Any:
        return self.store.types[name](*values)

    def _header(self, sample: Sample, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(self._start_ns + sample.stamp_ns, 1_000_000_000)
        stamp = self._new("builtin_interfaces/msg/Time", seconds, nanoseconds)
        return self._new("std_msgs/msg/Header", stamp, frame_id)

    def _image(self, sample: Sample) -> Any:
        counts = self._flight.thermal(sample.truth_t_s, sample.index)
        height, width = counts.shape
        data = counts.astype("<u2", copy=False).view(np.uint8).reshape(-1)
        header = self._header(sample, rig.THERMAL_FRAME)
        return self._new("sensor_msgs/msg/Image", header, height, width, "mono16", 0, 2 * width, data)

    def _camera_info(self, sample: Sample) -> Any:
        camera = self._camera
        projection = np.hstack([camera.matrix_px, np.zeros((3, 1))]).reshape(-1)
        return self._new(
            "sensor_msgs/msg/CameraInfo",
            self._header(sample, camera.frame_id),
            camera.height_px,
            camera.width_px,
            camera.distortion_model,
            camera.distortion,
            camera.matrix_px.reshape(-1),
            np.eye(3).reshape(-1),
            projection,
            0,
            0,
            self._new("sensor_msgs/msg/RegionOfInterest", 0, 0, 0, 0, False),
        )

    def _imu(self, sample: Sample) -> Any:
        reading = self._flight.imu(sample.truth_t_s, sample.index)
        return self._new(
            "sensor_msgs/msg/Imu",
            self._header(sample, rig.IMU_FRAME),
            self._new("geometry_msgs/msg/Quaternion", *map(float, reading.orientation_xyzw)),
            reading.orientation_covariance,
            self._new("geometry_msgs/msg/Vector3", *map(float, reading.angular_velocity_radps)),
            reading.angular_velocity_covariance,
            self._new("geometry_msgs/msg/Vector3", *map(float, reading.acceleration_mps2)),
            reading.acceleration_covariance,
        )

    def _fix(self, sample: Sample) -> Any:
        reading = self._flight.fix(sample.truth_t_s, sample.index)
        services = 1 | 2 | 8  # GPS, GLONASS, Galileo
        return self._new(
            "sensor_msgs/msg/NavSatFix",
            self._header(sample, rig.ANTENNA_FRAME),
            self._new("sensor_msgs/msg/NavSatStatus", reading.status, services),
            reading.latitude_deg,
            reading.longitude_deg,
            reading.altitude_m,
            reading.covariance_m2,
            reading.covariance_type,
        )

    def _cloud(self, sample: Sample) -> Any:
        cloud = self._flight.scan(sample.truth_t_s, sample.index)
        return self._new(
            "sensor_msgs/msg/PointCloud2",
            self._header(sample, rig.LIDAR_FRAME),
            1,
            cloud.width,
            [self._new("sensor_msgs/msg/PointField", *field) for field in cloud.fields],
            False,
            cloud.point_step,
            cloud.width * cloud.point_step,
            cloud.data,
            True,
        )
