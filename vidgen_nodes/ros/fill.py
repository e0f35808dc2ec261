# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Packets to messages; those on the way of every frame are in ``wire.py``. The way back is ``convert.py``
(sensors) and ``unpack.py`` (our own messages).

Large arrays are handed to messages as views, not copied: a packet must not change while its message lives
(packets are frozen, so nothing does).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, QuaternionStamped, Vector3
from nav_msgs.msg import OccupancyGrid, Odometry
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from vidgen import msg as interfaces
from visualization_msgs.msg import Marker, MarkerArray

from vidgen_nodes.delivery.ar import Marker as Shape
from vidgen_nodes.packets import (
    CameraCalibration,
    Frame,
    GimbalAttitude,
    Grid,
    Hazard,
    NavState,
    Origin,
    Overlay,
    PhysicsRef,
    Pose,
    Record,
    SourceRef,
    UncertaintyMap,
)
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sync.anchored import SyncCounts

MAP_FRAME = "map"
BASE_FRAME = "base_link"


def time(stamp_ns: int) -> Any:
    """``builtin_interfaces/Time`` of integer nanoseconds."""
    message = Time()
    message.sec, message.nanosec = divmod(int(stamp_ns), 1_000_000_000)
    return message


def set_buffer(message: Any, field: str, values: npt.NDArray[Any]) -> None:
    """Give a numeric sequence field the flat view of an array.

    The setter would copy the buffer, and an ndarray element by element (44 ms for a thermal frame); the
    serialiser takes anything with the buffer protocol, so the slot behind the setter is set.
    """
    flat = np.ascontiguousarray(values).reshape(-1)
    slot = "_" + field
    if slot not in message.__slots__:
        raise TypeError(
            f"{type(message).__name__} has no field {field}: interfaces and code do not fit, rebuild them"
        )
    setattr(message, slot, flat)


def set_header(header: Any, stamp_ns: int, frame_id: str) -> None:
    """Fill a ``std_msgs/Header`` in place."""
    header.stamp = time(stamp_ns)
    header.frame_id = frame_id


def digest(value: bytes) -> npt.NDArray[np.uint8]:
    """``uint8[32]``; zeros for an empty digest."""
    return np.array(memoryview(value or bytes(32)), dtype=np.uint8)


def image(stamp_ns: int, frame_id: str, encoding: str, pixels: npt.NDArray[Any]) -> Any:
    """``sensor_msgs/Image`` over an array (H, W) or (H, W, channels)."""
    message = Image()
    set_header(message.header, stamp_ns, frame_id)
    message.height, message.width = pixels.shape[:2]
    message.encoding = encoding
    message.step = pixels.nbytes // pixels.shape[0]
    message.is_bigendian = 0
    set_buffer(message, "data", np.ascontiguousarray(pixels).view(np.uint8))
    return message


def camera_info(
    calibration: CameraCalibration, stamp_ns: int | None = None, frame_id: str | None = None
) -> Any:
    """``sensor_msgs/CameraInfo``; with the calibration's own stamp and frame unless others are given."""
    message = CameraInfo()
    set_header(
        message.header,
        calibration.stamp_ns if stamp_ns is None else stamp_ns,
        calibration.frame_id if frame_id is None else frame_id,
    )
    message.width, message.height = calibration.width_px, calibration.height_px
    message.distortion_model = calibration.distortion_model
    message.d = calibration.distortion.tolist()
    message.k = calibration.matrix_px.reshape(9)
    message.r = np.eye(3).reshape(9)
    message.p = np.hstack([calibration.matrix_px, np.zeros((3, 1))]).reshape(12)
    return message


def source_refs(sources: Iterable[SourceRef]) -> list[Any]:
    """``vidgen/SourceRef[]``."""
    messages = []
    for source in sources:
        message = interfaces.SourceRef()
        message.topic, message.type = source.topic, source.type_name
        message.stamp = time(source.stamp_ns)
        message.sha256 = digest(source.sha256)
        messages.append(message)
    return messages


def _set_pose(message: Any, pose: Pose) -> None:
    message.position.x, message.position.y, message.position.z = pose.translation_m.tolist()
    q = message.orientation
    q.x, q.y, q.z, q.w = pose.quaternion_xyzw.tolist()


def vector(values: npt.NDArray[np.float64]) -> Any:
    """``geometry_msgs/Vector3``."""
    message = Vector3()
    message.x, message.y, message.z = values.tolist()
    return message


def odometry(state: NavState) -> Any:
    """``nav_msgs/Odometry``; the twist is in ``base_link`` as REP-105 has it."""
    message = Odometry()
    set_header(message.header, state.stamp_ns, MAP_FRAME)
    message.child_frame_id = BASE_FRAME
    _set_pose(message.pose.pose, state.map_T_base)
    message.pose.covariance = state.covariance.reshape(36)
    rotation = rotation_matrix(state.map_T_base)
    message.twist.twist.linear = vector(rotation.T @ state.velocity_mps)
    message.twist.twist.angular = vector(state.angular_velocity_radps)
    return message


_MAP_LAYERS = ("elevation_m", "variance_m2", "uncertainty", "entropy", "roughness_m", "deviation_m",
               "surface_variation", "lod95_m", "observations", "observed_ns", "flags")  # fmt: skip


def gimbal(attitude: GimbalAttitude) -> Any:
    """``geometry_msgs/QuaternionStamped``; its frame_id is what it is turned against."""
    message = QuaternionStamped()
    set_header(message.header, attitude.stamp_ns, attitude.parent)
    q = message.quaternion
    q.x, q.y, q.z, q.w = attitude.quaternion_xyzw.tolist()
    return message


def uncertainty_map(umap: UncertaintyMap) -> Any:
    """``vidgen/UncertaintyMap``."""
    message = interfaces.UncertaintyMap()
    set_header(message.header, umap.stamp_ns, MAP_FRAME)
    grid = umap.grid
    message.resolution_m, message.width, message.height = grid.resolution_m, grid.cols, grid.rows
    message.origin_east_m, message.origin_north_m = grid.origin_east_m, grid.origin_north_m
    for layer in _MAP_LAYERS:
        set_buffer(message, layer, getattr(umap, layer))
    message.digest = digest(umap.digest)
    message.sources = source_refs(umap.sources)
    return message


def overlay(packet: Overlay) -> Any:
    """``sensor_msgs/Image`` rgba8, straight alpha."""
    return image(packet.stamp_ns, packet.frame_id, "rgba8", packet.rgba)


def _physics(refs: Sequence[PhysicsRef]) -> list[Any]:
    messages = []
    for ref in refs:
        message = interfaces.PhysicsRef()
        message.element, message.source, message.version = ref.element, ref.source, ref.version
        message.parameters_sha256 = digest(ref.parameters_sha256)
        message.seed = ref.seed
        messages.append(message)
    return messages


def provenance(record: Record, frame_id: str, published_ns: int) -> Any:
    """``vidgen/Provenance`` of a durable record."""
    message = interfaces.Provenance()
    set_header(message.header, record.stamp_ns, frame_id)
    message.mission, message.sequence, message.leaf_index = record.mission, record.sequence, record.leaf_index
    message.tree_size, message.label_code, message.origin = (
        record.tree_size,
        record.label_code,
        int(record.origin),
    )
    for name in ("leaf_hash", "root", "frame_sha256", "inputs_sha256", "scenario_sha256", "physics_sha256",
                 "software_sha256", "config_sha256", "map_sha256"):  # fmt: skip
        setattr(message, name, digest(getattr(record, name)))
    message.causes = [cause.value for cause in record.causes]
    message.cells_open = record.gate.cells_open
    message.pixels_drawn, message.pixels_outside = record.gate.pixels_drawn, record.gate.pixels_outside
    message.sigma_px = record.sigma_px
    message.marks = [
        *(mark.value for mark in record.marks),
        *(item.value for item in record.gate.leaks_closed),
    ]
    message.physics = _physics(record.physics)
    message.published = time(published_ns)
    return message


def overlay_frame(frame: Frame, overlay_message: Any, info_message: Any, provenance_message: Any) -> Any:
    """``vidgen/OverlayFrame`` of messages that exist already."""
    message = interfaces.OverlayFrame()
    picture = frame.overlay
    set_header(message.header, picture.stamp_ns, picture.frame_id)
    message.overlay = overlay_message
    message.confidence = image(picture.stamp_ns, picture.frame_id, "mono8", picture.confidence)
    if info_message is not None:
        message.camera_info = info_message
    message.provenance = provenance_message
    return message


def hazard_event(hazard: Hazard, stamp_ns: int, expires_ns: int, origin: Origin, leaf_hash: bytes) -> Any:
    """``vidgen/HazardEvent``; always marked synthetic."""
    message = interfaces.HazardEvent()
    set_header(message.header, stamp_ns, MAP_FRAME)
    message.id, message.kind = hazard.identity, hazard.kind
    message.position = Point(
        x=float(hazard.position_m[0]), y=float(hazard.position_m[1]), z=float(hazard.position_m[2])
    )
    message.radius_m, message.height_m = float(hazard.radius_m), float(hazard.height_m)
    message.heat_release_kw, message.confidence = float(hazard.heat_release_kw), float(hazard.confidence)
    message.synthetic = True
    message.origin = int(origin)
    message.expires = time(expires_ns)
    message.permitted_by = list(hazard.permitted_by)
    message.leaf_hash = digest(leaf_hash)
    return message


def hazard_array(frame: Frame, expiry_ns: int) -> Any:
    """``vidgen/HazardArray`` of one frame; expires ``expiry_ns`` after the frame's stamp."""
    message = interfaces.HazardArray()
    record = frame.record
    set_header(message.header, record.stamp_ns, MAP_FRAME)
    message.hazards = [
        hazard_event(h, record.stamp_ns, record.stamp_ns + expiry_ns, record.origin, record.leaf_hash)
        for h in frame.hazards
    ]
    message.causes = [cause.value for cause in record.causes]
    return message


def occupancy(stamp_ns: int, grid: Grid, cells: npt.NDArray[np.int8]) -> Any:
    """``nav_msgs/OccupancyGrid`` of cells (rows, cols): 0 to 100, -1 unknown."""
    message = OccupancyGrid()
    set_header(message.header, stamp_ns, MAP_FRAME)
    message.info.map_load_time = time(stamp_ns)
    message.info.resolution = float(grid.resolution_m)
    message.info.width, message.info.height = grid.cols, grid.rows
    message.info.origin.position.x = float(grid.origin_east_m)
    message.info.origin.position.y = float(grid.origin_north_m)
    message.info.origin.orientation.w = 1.0
    set_buffer(message, "data", np.ascontiguousarray(cells, dtype=np.int8))
    return message


def sync_report(counts: SyncCounts, now_ns: int) -> Any:
    """``vidgen/SyncReport``."""
    message = interfaces.SyncReport()
    set_header(message.header, now_ns, "")
    for name in ("thermal_in", "bundles_out", "matched", "skew_ms_p50", "skew_ms_p99", "sigma_px_p50",
                 "sigma_px_p99", "segment"):  # fmt: skip
        setattr(message, name, getattr(counts, name))
    message.drop_reasons, message.drop_counts = list(counts.drops), list(counts.drops.values())
    message.causes, message.cause_counts = list(counts.causes), list(counts.causes.values())
    message.late_inputs, message.late_counts = list(counts.late), list(counts.late.values())
    message.unmatched_reasons = list(counts.unmatched)
    message.unmatched_counts = list(counts.unmatched.values())
    message.marks, message.mark_counts = list(counts.marks), list(counts.marks.values())
    message.clock_offset_ms = counts.clock_offset_ms
    message.clock_offset_measured_ms = counts.clock_offset_measured_ms
    message.clock_offset_sigma_ms = counts.clock_offset_sigma_ms
    return message


def hazard_points(stamp_ns: int, hazards: Sequence[Hazard]) -> Any:
    """``sensor_msgs/PointCloud2`` of float32 x y z radius height, one point a hazard, in ``map``."""
    message = PointCloud2()
    set_header(message.header, stamp_ns, MAP_FRAME)
    names = ("x", "y", "z", "radius", "height")
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(names)
    ]
    rows = np.array([(*h.position_m, h.radius_m, h.height_m) for h in hazards], dtype="<f4").reshape(
        -1, len(names)
    )
    message.height, message.width = 1, len(rows)
    message.point_step, message.row_step = 4 * len(names), 4 * len(names) * len(rows)
    message.is_dense = True
    set_buffer(message, "data", rows.view(np.uint8))
    return message


_SHAPES = {"cylinder": Marker.CYLINDER, "cube": Marker.CUBE, "text": Marker.TEXT_VIEW_FACING}


def marker_array(stamp_ns: int, shapes: Iterable[Shape], lifetime_s: float) -> Any:
    """``visualization_msgs/MarkerArray`` in ``map``; markers vanish by themselves after ``lifetime_s``."""
    message = MarkerArray()
    for shape in shapes:
        marker = Marker()
        marker.header.stamp, marker.header.frame_id = time(stamp_ns), MAP_FRAME
        marker.ns, marker.id, marker.type, marker.action = (
            shape.namespace,
            shape.number,
            _SHAPES[shape.shape],
            Marker.ADD,
        )
        centre, scale, color = marker.pose.position, marker.scale, marker.color
        centre.x, centre.y, centre.z = map(float, shape.centre_m)
        marker.pose.orientation.w = 1.0
        scale.x, scale.y, scale.z = map(float, shape.size_m)
        color.r, color.g, color.b, color.a = map(float, shape.rgba)
        seconds = int(lifetime_s)
        marker.lifetime.sec, marker.lifetime.nanosec = seconds, round((lifetime_s - seconds) * 1e9)
        marker.text = shape.text
        message.markers.append(marker)
    return message
