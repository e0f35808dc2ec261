# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Samples of the simulated flight as ROS messages, with the same content as ``sim/recording.py`` writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import Imu, NavSatFix, NavSatStatus, PointCloud2, PointField

from vidgen_nodes.ros import fill
from vidgen_nodes.sim import Flight, rig
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, SCAN, THERMAL, Sample

_SERVICES = NavSatStatus.SERVICE_GPS | NavSatStatus.SERVICE_GLONASS | NavSatStatus.SERVICE_GALILEO


class Messages:
    """Makes the message of a sample; ``start_ns`` is the event time of second 0 of the flight."""

    def __init__(self, flight: Flight, start_ns: int) -> None:
        self._flight = flight
        self._start_ns = start_ns
        self._makers = {
            THERMAL: self._image,
            CAMERA_INFO: self._camera_info,
            IMU: self._imu,
            FIX: self._fix,
            SCAN: self._cloud,
        }

    def make(self, sample: Sample) -> Any:
        """The message, header filled."""
        return self._makers[sample.kind](sample, self._start_ns + sample.stamp_ns)

    def _image(self, sample: Sample, stamp_ns: int) -> Any:
        counts = self._flight.thermal(sample.truth_t_s, sample.index)
        return fill.image(stamp_ns, rig.THERMAL_FRAME, "mono16", counts)

    def _camera_info(self, sample: Sample, stamp_ns: int) -> Any:  # noqa: ARG002
        return fill.camera_info(self._flight.calibration, stamp_ns)

    def _imu(self, sample: Sample, stamp_ns: int) -> Any:
        reading = self._flight.imu(sample.truth_t_s, sample.index)
        message = Imu()
        fill.set_header(message.header, stamp_ns, rig.IMU_FRAME)
        q = message.orientation
        q.x, q.y, q.z, q.w = map(float, reading.orientation_xyzw)
        message.orientation_covariance = reading.orientation_covariance
        message.angular_velocity = fill.vector(reading.angular_velocity_radps)
        message.angular_velocity_covariance = reading.angular_velocity_covariance
        message.linear_acceleration = fill.vector(reading.acceleration_mps2)
        message.linear_acceleration_covariance = reading.acceleration_covariance
        return message

    def _fix(self, sample: Sample, stamp_ns: int) -> Any:
        reading = self._flight.fix(sample.truth_t_s, sample.index)
        message = NavSatFix()
        fill.set_header(message.header, stamp_ns, rig.ANTENNA_FRAME)
        message.status.status, message.status.service = reading.status, _SERVICES
        message.latitude, message.longitude = reading.latitude_deg, reading.longitude_deg
        message.altitude = reading.altitude_m
        message.position_covariance = reading.covariance_m2
        message.position_covariance_type = reading.covariance_type
        return message

    def _cloud(self, sample: Sample, stamp_ns: int) -> Any:
        cloud = self._flight.scan(sample.truth_t_s, sample.index)
        message = PointCloud2()
        fill.set_header(message.header, stamp_ns, rig.LIDAR_FRAME)
        message.height, message.width = 1, cloud.width
        message.fields = [
            PointField(name=name, offset=offset, datatype=datatype, count=count)
            for name, offset, datatype, count in cloud.fields
        ]
        message.is_bigendian, message.is_dense = False, True
        message.point_step, message.row_step = cloud.point_step, cloud.point_step * cloud.width
        fill.set_buffer(message, "data", np.ascontiguousarray(cloud.data))
        return message
