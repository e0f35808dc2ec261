# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Samples of the simulated flight as ROS messages, with the same content as ``sim/recording.py`` writes.

They are made in a process of their own (:class:`MessageMaker`): making a picture takes several milliseconds of
interpreter, in which the thread that must send another on time would wait.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import struct
import time
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, NavSatFix, NavSatStatus, PointCloud2, PointField

from vidgen_nodes.params import SimParams
from vidgen_nodes.ros import fill
from vidgen_nodes.ros.transport import BACKGROUND_NICE
from vidgen_nodes.sim import Flight, rig
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, KINDS, SCAN, THERMAL, Sample

_SERVICES = NavSatStatus.SERVICE_GPS | NavSatStatus.SERVICE_GLONASS | NavSatStatus.SERVICE_GALILEO
_HEADER = struct.Struct("<Bqd")
_READY = b"ready"
# A machine too busy to make every picture on time loses pictures, as a camera does; the flight keeps its time.
_COSTLY = (THERMAL, SCAN)
_OVERDUE_NS = 100_000_000


class Made(NamedTuple):
    """One serialised message and when it is due."""

    kind: str
    stamp_ns: int
    send_s: float  # after the start of the flight
    raw: bytes  # empty: there was no time to make it


class MessageMaker:
    """Makes the messages of a flight in another process, in the order in which they are to be sent."""

    def __init__(self, params: SimParams) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_make, args=(params, theirs), name="flight", daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_ready(self) -> None:
        """Return when the flight can start.

        Raises:
            EOFError: the other process failed; its traceback is on stderr.
        """
        self._connection.recv_bytes()

    def start(self, start_ns: int) -> None:
        """Say which event time second 0 of the flight is."""
        self._connection.send_bytes(struct.pack("<q", start_ns))

    def receive(self) -> Made | None:
        """The next message, waiting for it to be made; None at the end of the flight.

        Raises:
            EOFError: the other process ended early, or :meth:`close` was called.
        """
        data = self._connection.recv_bytes()
        if not data:
            return None
        kind, stamp_ns, send_s = _HEADER.unpack_from(data)
        return Made(KINDS[kind], stamp_ns, send_s, data[_HEADER.size :])

    def close(self) -> None:
        """End the other process; may be called twice."""
        self._process.terminate()
        self._process.join(5.0)


def _make(params: SimParams, connection: Connection) -> None:
    """The other process. It ends when the flight does, or when nobody holds the other end any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the node ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(BACKGROUND_NICE)  # it works ahead; what is measured must not wait for the drone
    try:
        flight = Flight(params)
        connection.send_bytes(_READY)
        (start_ns,) = struct.unpack("<q", connection.recv_bytes())
        messages = Messages(flight, start_ns)
        for sample in flight.schedule(params.duration_s):
            head = _HEADER.pack(KINDS.index(sample.kind), start_ns + sample.stamp_ns, sample.send_s)
            overdue_ns = time.time_ns() - start_ns - round(sample.send_s * 1e9)
            skip = sample.kind in _COSTLY and overdue_ns > _OVERDUE_NS
            connection.send_bytes(head + (b"" if skip else serialize_message(messages.make(sample))))
        connection.send_bytes(b"")
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return


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
