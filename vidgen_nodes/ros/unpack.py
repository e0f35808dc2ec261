# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Our own messages back to packets.

They come from our nodes, which checked their content when it entered; what is checked again here is only what
a foreign or stale publisher could break (sizes, digests, names of causes). The same duck typing as ``convert.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Cause,
    GimbalAttitude,
    Grid,
    Hazard,
    Mark,
    NavState,
    Overlay,
    Pose,
    RtkStatus,
    SourceRef,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.ros.convert import (
    camera_calibration,
    header_stamp_ns,
    image_pixels,
    pixel_encoding,
    stamp_ns,
    unit_quaternion,
)

_MAP_LAYERS = ("elevation_m", "variance_m2", "uncertainty", "entropy", "roughness_m", "deviation_m",
               "surface_variation", "lod95_m", "observations", "observed_ns", "flags")  # fmt: skip


def _array(values: Any) -> npt.NDArray[np.float64]:
    return np.array((values.x, values.y, values.z), dtype=np.float64)


def pose(message: Any) -> Pose:
    """``geometry_msgs/Pose``."""
    q = message.orientation
    return Pose(_array(message.position), np.array((q.x, q.y, q.z, q.w), dtype=np.float64))


def source_refs(messages: Any) -> tuple[SourceRef, ...]:
    """``vidgen/SourceRef[]``."""
    return tuple(
        SourceRef(m.topic, m.type, stamp_ns(m.stamp), np.asarray(m.sha256, dtype=np.uint8).tobytes())
        for m in messages
    )


def nav_state(message: Any) -> NavState:
    """``vidgen/NavState``."""
    odometry = message.odometry
    map_T_base = pose(odometry.pose.pose)
    return NavState(
        stamp_ns=header_stamp_ns(odometry),
        map_T_base=map_T_base,
        velocity_mps=_array(message.velocity),
        acceleration_mps2=_array(message.acceleration),
        angular_velocity_radps=_array(odometry.twist.twist.angular),
        covariance=np.array(odometry.pose.covariance, dtype=np.float64).reshape(6, 6),
        rtk=RtkStatus(int(message.rtk_status)),
        rtk_fixed_ns=stamp_ns(message.rtk_fixed),
        sources=source_refs(message.sources),
    )


def gimbal_state(message: Any) -> GimbalAttitude:
    """``vidgen/GimbalState``.

    Raises:
        InputError: ``quaternion`` when its length is off.
    """
    q = message.attitude
    unit_quaternion(q)  # checked only: to the last bit it is what rtk_node sent
    return GimbalAttitude(
        header_stamp_ns(message),
        np.array((q.x, q.y, q.z, q.w), dtype=np.float64),
        str(message.header.frame_id),
        source_refs((message.source,))[0],
    )


class CalibrationCache:
    """Gives the same object for the same calibration, so that what is computed from it is computed once."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._calibration: CameraCalibration | None = None

    def get(self, message: Any) -> CameraCalibration:
        """The packet of a ``sensor_msgs/CameraInfo``."""
        key = (
            message.header.stamp.sec, message.header.stamp.nanosec, message.header.frame_id, message.width,
            message.height, message.distortion_model, bytes(np.asarray(message.k)), tuple(message.d),
        )  # fmt: skip
        if self._calibration is None or key != self._key:
            self._key, self._calibration = key, camera_calibration(message)
        return self._calibration


def thermal_frame(message: Any, calibrations: CalibrationCache) -> ThermalFrame:
    """``vidgen/ThermalFrame``; pixels are a view into the message."""
    return ThermalFrame(
        stamp_ns=header_stamp_ns(message),
        frame_id=message.header.frame_id,
        encoding=pixel_encoding(message.image),
        pixels=image_pixels(message.image),
        sequence=int(message.sequence),
        calibration=calibrations.get(message.camera_info) if message.calibrated else None,
        radiometric=bool(message.radiometric),
        scale_k_per_count=float(message.scale_k_per_count),
        offset_k=float(message.offset_k),
        saturated_fraction=float(message.saturated_fraction),
        frozen=bool(message.frozen),
        sources=source_refs(message.sources),
    )


def grid(message: Any) -> Grid:
    """The grid of a ``vidgen/UncertaintyMap``."""
    rows, cols = int(message.height), int(message.width)
    return Grid(
        float(message.origin_east_m), float(message.origin_north_m), float(message.resolution_m), rows, cols
    )


def uncertainty_map(message: Any) -> UncertaintyMap:
    """``vidgen/UncertaintyMap``.

    Raises:
        InputError: ``map_size`` when a layer does not have width x height values.
    """
    cells = grid(message)
    layers: dict[str, Any] = {}
    for name in _MAP_LAYERS:
        values = np.asarray(getattr(message, name))
        if values.size != cells.rows * cells.cols:
            raise InputError(
                "map_size", f"map layer {name} has {values.size} values, expected {cells.rows} x {cells.cols}"
            )
        layers[name] = values.reshape(cells.shape)
    return UncertaintyMap(
        stamp_ns=header_stamp_ns(message),
        grid=cells,
        digest=np.asarray(message.digest, dtype=np.uint8).tobytes(),
        sources=source_refs(message.sources),
        **layers,
    )


def causes(names: Any) -> tuple[Cause, ...]:
    """Names of causes; an unknown one is an error, because it may be a reason not to draw."""
    try:
        return tuple(Cause(name) for name in names)
    except ValueError as err:
        raise InputError("unknown_cause", f"{err}: the publisher runs another version of vidgen") from err


def marks(names: Any) -> tuple[Mark, ...]:
    """Names of marks; an unknown one is an error, because a doubt must not get lost."""
    try:
        return tuple(Mark(name) for name in names)
    except ValueError as err:
        raise InputError("unknown_mark", f"{err}: the publisher runs another version of vidgen") from err


def bundle(message: Any, umap: UncertaintyMap | None, calibrations: CalibrationCache) -> Bundle:
    """``vidgen/SensorBundle`` with the map whose digest it names.

    Args:
        message: the message.
        umap: the map with ``message.map_digest``; None when it is not known here: the packet then fails closed.
        calibrations: one for the whole stream.
    """
    doubts = causes(message.causes)
    if message.map_valid and umap is None:
        doubts = (*doubts, Cause.MAP_MISSING)
    covariance = np.array(message.map_pose_camera.covariance, dtype=np.float64).reshape(6, 6)
    return Bundle(
        stamp_ns=header_stamp_ns(message),
        sequence=int(message.sequence),
        segment=int(message.segment),
        thermal=thermal_frame(message.thermal, calibrations),
        map_T_camera=pose(message.map_pose_camera.pose) if message.pose_valid else None,
        pose_covariance=covariance if message.pose_valid else None,
        nav_stamp_ns=stamp_ns(message.nav_stamp),
        rtk=RtkStatus(int(message.rtk_status)),
        uncertainty_map=umap if message.map_valid else None,
        sigma_px=float(message.sigma_px),
        causes=doubts,
        sources=source_refs(message.sources),
        late=dict(zip(message.late_inputs, (int(n) for n in message.late_counts), strict=True)),
        marks=marks(message.marks),
        clock_offset_ns=int(message.clock_offset_ns),
    )


def hazards(message: Any) -> tuple[Hazard, ...]:
    """The hazards of a ``vidgen/HazardArray``."""
    return tuple(
        Hazard(
            identity=m.id,
            kind=m.kind,
            position_m=(float(m.position.x), float(m.position.y), float(m.position.z)),
            radius_m=float(m.radius_m),
            height_m=float(m.height_m),
            heat_release_kw=float(m.heat_release_kw),
            confidence=float(m.confidence),
            permitted_by=tuple(m.permitted_by),
        )
        for m in message.hazards
    )


def digest(value: Any) -> bytes:
    """The bytes of a ``uint8[32]``."""
    return np.asarray(value, dtype=np.uint8).tobytes()


def frame_pointer(message: Any) -> FramePointer:
    """Which record a frame has, from ``Provenance``."""
    return FramePointer(int(message.leaf_index), int(message.tree_size), digest(message.leaf_hash))


def overlay(message: Any) -> Overlay:
    """An rgba8 ``sensor_msgs/Image`` as a packet without confidence and calibration; pixels are a view.

    Raises:
        InputError: another encoding, or sizes that do not fit.
    """
    height, width = int(message.height), int(message.width)
    if message.encoding != "rgba8" or len(message.data) != 4 * height * width or not height * width:
        raise InputError(
            "overlay_image",
            f"overlay is {width}x{height} {message.encoding} of {len(message.data)} bytes, "
            "expected rgba8 without padding; is another publisher on this topic?",
        )
    rgba = np.frombuffer(message.data, dtype=np.uint8).reshape(height, width, 4)
    return Overlay(header_stamp_ns(message), message.header.frame_id, rgba, rgba[:, :, 3], None)
