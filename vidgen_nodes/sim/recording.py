# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the flight as a rosbag2 recording (MCAP), as a drone's recorder would have.

Guarantees: the same parameters give the same messages; they lie in the bag in the order and under
the receive time in which they were sent. Needs no ROS. The bag can be replayed by any rosbag2 player.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from vidgen_nodes.params import SimParams
from vidgen_nodes.sim import rig
from vidgen_nodes.sim.flight import Flight
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, SCAN, THERMAL, Sample

START_NS: Final = 1_780_000_000_000_000_000  # epoch of second 0: any fixed moment will do
TOPICS: Final = {
    THERMAL: ("/thermal/image_raw", "sensor_msgs/msg/Image"),
    CAMERA_INFO: ("/thermal/camera_info", "sensor_msgs/msg/CameraInfo"),
    IMU: ("/imu/data", "sensor_msgs/msg/Imu"),
    FIX: ("/fix", "sensor_msgs/msg/NavSatFix"),
    SCAN: ("/points", "sensor_msgs/msg/PointCloud2"),
}
_NO_TIME: Final = QosTime(0, 0)
_SENSOR_QOS: Final = Qos(
    QosHistory.KEEP_LAST,
    10,
    QosReliability.BEST_EFFORT,
    QosDurability.VOLATILE,
    _NO_TIME,
    _NO_TIME,
    QosLiveliness.AUTOMATIC,
    _NO_TIME,
    False,
)


def write_recording(
    path: Path, params: SimParams, duration_s: float, start_ns: int = START_NS
) -> dict[str, int]:
    """Fly for ``duration_s`` and write it all down.

    Args:
        path: directory to make; must not exist yet.
        params: seed, rates and faults.
        duration_s: length, > 0. A second takes about 42 MB.
        start_ns: event time of second 0.

    Returns:
        Messages written, by topic.

    Raises:
        rosbags.rosbag2.WriterError: ``path`` exists.
        ValueError: ``duration_s`` is not above 0.
    """
    if not duration_s > 0.0:
        raise ValueError(f"duration_s: got {duration_s}, expected more than 0: a recording has an end")
    writing = _Messages(Flight(params), start_ns)
    written = dict.fromkeys((topic for topic, _ in TOPICS.values()), 0)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {
            kind: writer.add_connection(
                topic, name, typestore=writing.store, offered_qos_profiles=(_SENSOR_QOS,)
            )
            for kind, (topic, name) in TOPICS.items()
        }
        for sample in writing.flight.schedule(duration_s):
            topic, name = TOPICS[sample.kind]
            data = writing.store.serialize_cdr(writing.message(sample), name)
            writer.write(connections[sample.kind], start_ns + round(sample.send_s * 1e9), data)
            written[topic] += 1
    return written


class _Messages:
    """Makes the message of a sample. Typed Any where rosbags builds its classes at run time."""

    def __init__(self, flight: Flight, start_ns: int) -> None:
        self.flight = flight
        self.store = get_typestore(Stores.ROS2_KILTED)
        self._start_ns = start_ns

    def message(self, sample: Sample) -> Any:
        make = {
            THERMAL: self._image,
            CAMERA_INFO: self._camera_info,
            IMU: self._imu,
            FIX: self._fix,
            SCAN: self._cloud,
        }
        return make[sample.kind](sample)

    def _new(self, name: str, *values: Any) -> Any:
        return self.store.types[name](*values)

    def _header(self, sample: Sample, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(self._start_ns + sample.stamp_ns, 1_000_000_000)
        stamp = self._new("builtin_interfaces/msg/Time", seconds, nanoseconds)
        return self._new("std_msgs/msg/Header", stamp, frame_id)

    def _image(self, sample: Sample) -> Any:
        counts = self.flight.thermal(sample.truth_t_s, sample.index)
        height, width = counts.shape
        data = counts.astype("<u2", copy=False).view(np.uint8).reshape(-1)
        header = self._header(sample, rig.THERMAL_FRAME)
        return self._new("sensor_msgs/msg/Image", header, height, width, "mono16", 0, 2 * width, data)

    def _camera_info(self, sample: Sample) -> Any:
        camera = self.flight.calibration
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
        reading = self.flight.imu(sample.truth_t_s, sample.index)
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
        reading = self.flight.fix(sample.truth_t_s, sample.index)
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
        cloud = self.flight.scan(sample.truth_t_s, sample.index)
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
