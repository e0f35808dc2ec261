# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The messages on the way of a frame, straight from and to CDR bytes.

rclpy builds its message objects field by field in Python: a bundle costs 0.36 ms to read, and a navigation
state, at three nodes, 0.13 ms. ``cdr.py`` takes less than a tenth of that and hands
arrays over as views. The attributes are the same, so ``convert.py`` and ``unpack.py`` take either kind.
``fill.py`` makes every other message.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from vidgen_nodes import cdr
from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    GimbalAttitude,
    NavState,
    Pose,
    SourceRef,
    ThermalFrame,
)
from vidgen_nodes.resources import message_dir
from vidgen_nodes.ros.fill import BASE_FRAME, MAP_FRAME
from vidgen_nodes.sensing.transform import rotation_matrix

_NO_DIGEST = bytes(32)
_NO_COVARIANCE = np.zeros(36)
_IDENTITY = np.eye(3).reshape(9)
_UNCALIBRATED = CameraCalibration(0, "", 0, 0, np.zeros((3, 3)), "", np.zeros(0))


@functools.cache
def store() -> Any:
    """The standard types and ours, as rosbags knows them."""
    known = get_typestore(Stores.ROS2_KILTED)
    for path in sorted(message_dir().glob("*.msg")):
        known.register(get_types_from_msg(path.read_text(encoding="utf-8"), f"vidgen/msg/{path.stem}"))
    return known


def decode(raw: bytes, type_name: str) -> Any:
    """The message in CDR bytes; arrays are views into them.

    Raises:
        Exception: whatever the reader runs into when the bytes hold no such message.
    """
    return _reader(type_name)(raw)


def encode(message: Any, type_name: str) -> bytes:
    """The CDR bytes of a message that :func:`decode` made."""
    return _writer(type_name)(message)


@functools.cache
def _reader(type_name: str) -> cdr.Reader:
    return cdr.reader(store(), type_name)


def nav_state(state: NavState) -> bytes:
    """``vidgen/NavState``; the twist is in ``base_link`` as REP-105 has it."""
    rotation = rotation_matrix(state.map_T_base)
    twist = _new(
        "geometry_msgs/msg/Twist",
        _vector(rotation.T @ state.velocity_mps),
        _vector(state.angular_velocity_radps),
    )
    odometry = _new(
        "nav_msgs/msg/Odometry",
        _header(state.stamp_ns, MAP_FRAME),
        BASE_FRAME,
        _new("geometry_msgs/msg/PoseWithCovariance", _pose(state.map_T_base), state.covariance.reshape(36)),
        _new("geometry_msgs/msg/TwistWithCovariance", twist, _NO_COVARIANCE),
    )
    return _encode(
        "vidgen/msg/NavState",
        odometry=odometry,
        velocity=_vector(state.velocity_mps),
        acceleration=_vector(state.acceleration_mps2),
        rtk_status=int(state.rtk),
        rtk_fixed=_time(state.rtk_fixed_ns),
        sources=_source_refs(state.sources),
    )


def gimbal_state(attitude: GimbalAttitude) -> bytes:
    """``vidgen/GimbalState``."""
    return _encode(
        "vidgen/msg/GimbalState",
        header=_header(attitude.stamp_ns, attitude.parent),
        attitude=_new("geometry_msgs/msg/Quaternion", *attitude.quaternion_xyzw.tolist()),
        source=_source_refs((attitude.source,))[0],
    )


def thermal_frame(frame: ThermalFrame, image_message: Any, *, corrected: bool = False) -> bytes:
    """``vidgen/ThermalFrame`` around the camera's own (decoded) image; ``corrected``: with the frame's pixels."""
    if corrected:
        image_message = _with_pixels(image_message, frame.pixels)
    return _encode(
        "vidgen/msg/ThermalFrame",
        header=_header(frame.stamp_ns, frame.frame_id),
        sequence=frame.sequence,
        image=image_message,
        calibrated=frame.calibration is not None,
        camera_info=_camera_info(frame.calibration),
        radiometric=frame.radiometric,
        scale_k_per_count=frame.scale_k_per_count,
        offset_k=frame.offset_k,
        saturated_fraction=frame.saturated_fraction,
        frozen=frame.frozen,
        sources=_source_refs(frame.sources),
    )


def bundle(packet: Bundle, thermal_message: Any) -> bytes:
    """``vidgen/SensorBundle`` around the (decoded) message that the thermal frame came in."""
    posed = packet.map_T_camera is not None and packet.pose_covariance is not None
    pose = _pose(packet.map_T_camera if posed else None)
    covariance = packet.pose_covariance.reshape(36) if packet.pose_covariance is not None else _NO_COVARIANCE
    umap = packet.uncertainty_map
    return _encode(
        "vidgen/msg/SensorBundle",
        header=_header(packet.stamp_ns, packet.thermal.frame_id),
        sequence=packet.sequence,
        segment=packet.segment,
        thermal=thermal_message,
        pose_valid=posed,
        map_pose_camera=_new(
            "geometry_msgs/msg/PoseWithCovariance", pose, covariance if posed else _NO_COVARIANCE
        ),
        nav_stamp=_time(packet.nav_stamp_ns),
        rtk_status=int(packet.rtk),
        map_valid=umap is not None,
        map_stamp=_time(umap.stamp_ns if umap is not None else 0),
        map_digest=_digest(umap.digest if umap is not None else _NO_DIGEST),
        sigma_px=packet.sigma_px,
        causes=[cause.value for cause in packet.causes],
        sources=_source_refs(packet.sources),
        late_inputs=list(packet.late),
        late_counts=np.array(list(packet.late.values()), dtype=np.uint32),
        marks=[mark.value for mark in packet.marks],
        clock_offset_ns=packet.clock_offset_ns,
    )


def _with_pixels(message: Any, pixels: npt.NDArray[Any]) -> Any:
    """The same ``sensor_msgs/Image`` of other pixels: rows without padding, in this machine's byte order."""
    data = np.ascontiguousarray(pixels).view(np.uint8).reshape(-1)
    little = 0 if sys.byteorder == "little" else 1
    return dataclasses.replace(message, is_bigendian=little, step=data.size // pixels.shape[0], data=data)


def _encode(type_name: str, **fields: Any) -> bytes:
    return _writer(type_name)(store().types[type_name](**fields))


@functools.cache
def _writer(type_name: str) -> cdr.Writer:
    return cdr.writer(store(), type_name)


def _new(type_name: str, *fields: Any) -> Any:
    return store().types[type_name](*fields)


def _time(stamp_ns: int) -> Any:
    return _new("builtin_interfaces/msg/Time", *divmod(int(stamp_ns), 1_000_000_000))


def _header(stamp_ns: int, frame_id: str) -> Any:
    return _new("std_msgs/msg/Header", _time(stamp_ns), frame_id)


def _vector(values: npt.NDArray[np.float64]) -> Any:
    return _new("geometry_msgs/msg/Vector3", *values.tolist())


def _pose(pose: Pose | None) -> Any:
    """Identity where there is none, as a ROS message has it by default."""
    position = (0.0, 0.0, 0.0) if pose is None else pose.translation_m.tolist()
    quaternion = (0.0, 0.0, 0.0, 1.0) if pose is None else pose.quaternion_xyzw.tolist()
    return _new(
        "geometry_msgs/msg/Pose",
        _new("geometry_msgs/msg/Point", *position),
        _new("geometry_msgs/msg/Quaternion", *quaternion),
    )


def _digest(value: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(value or _NO_DIGEST, dtype=np.uint8)


def _source_refs(sources: Iterable[SourceRef]) -> list[Any]:
    return [
        _new("vidgen/msg/SourceRef", s.topic, s.type_name, _time(s.stamp_ns), _digest(s.sha256))
        for s in sources
    ]


def _camera_info(calibration: CameraCalibration | None) -> Any:
    """All zero where there is none; the thermal frame then says that it is not calibrated."""
    if calibration is None:
        calibration = _UNCALIBRATED
    return _new(
        "sensor_msgs/msg/CameraInfo",
        _header(calibration.stamp_ns, calibration.frame_id),
        calibration.height_px,
        calibration.width_px,
        calibration.distortion_model,
        calibration.distortion,
        calibration.matrix_px.reshape(9),
        _IDENTITY,
        np.hstack([calibration.matrix_px, np.zeros((3, 1))]).reshape(12),
        0,  # binning: none
        0,
        _new("sensor_msgs/msg/RegionOfInterest", 0, 0, 0, 0, False),
    )
