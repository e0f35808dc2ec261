# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Messages to packets: the border at which everything that comes in is checked, once.

Works on attributes alone, so that messages of ``rclpy`` and messages that ``rosbags`` read from a file give
the same packets. Pixels and points are views into the message, not copies. What cannot be used is refused
with an :class:`InputError`: nothing is repaired, guessed or clamped.

Left out: the way back (``fill.py``), and every rule that needs more than one message.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    CameraCalibration,
    Fix,
    FloatArray,
    ImuSample,
    PointScan,
    RtkStatus,
    SourceRef,
    ThermalImage,
)
from vidgen_nodes.sensing.calibration import MAX_EDGE_PX, Window, checked_calibration

# Pixel type and channels of each encoding that is taken.
_ENCODINGS: dict[str, tuple[str, int]] = {
    "mono8": ("u1", 1),
    "8UC1": ("u1", 1),
    "mono16": ("u2", 1),
    "16UC1": ("u2", 1),
    "32FC1": ("f4", 1),
    "rgb8": ("u1", 3),
    "bgr8": ("u1", 3),
}
# sensor_msgs/NavSatStatus.status; drivers write GBAS for RTK fixed, and many write it for RTK float as well.
_GBAS = 2
_RTK_FIXED_VARIANCE_M2 = 0.1
_RTK_BY_STATUS = {
    -2: RtkStatus.NONE,
    -1: RtkStatus.NONE,
    0: RtkStatus.SINGLE,
    1: RtkStatus.SINGLE,
    2: RtkStatus.FIXED,
}
_QUATERNION_TOLERANCE = 1e-2
# Beyond these no drone flies, and the arithmetic of the filter would suffer.
_LOWEST_M, _HIGHEST_M = -12_000.0, 100_000.0
_MOST_VARIANCE_M2 = 1e12
_FASTEST_RADPS, _HARDEST_MPS2 = 100.0, 2000.0


def serialized_digest(raw: bytes) -> bytes:
    """SHA-256 of a serialised message in its canonical form: zero-padded to a multiple of four bytes.

    RTPS pads small messages so on the wire, and leaves large, fragmented ones as they were: without this form a
    message read from a bag and the same message received over the network would have two hashes.
    """
    digest = hashlib.sha256(raw)
    digest.update(b"\0" * (-len(raw) % 4))
    return digest.digest()


def stamp_ns(stamp: Any) -> int:
    """Nanoseconds of a ``builtin_interfaces/Time``; zero means "not set" there and here."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def source_ref(topic: str, type_name: str, message: Any, raw: bytes) -> SourceRef:
    """Name one input message: resolved topic, ROS type, header stamp, hash of its serialised bytes."""
    return SourceRef(topic, type_name, stamp_ns(message.header.stamp), serialized_digest(raw))


def header_stamp_ns(message: Any) -> int:
    """The header stamp of a sensor message.

    Raises:
        InputError: ``no_stamp`` when it is zero or negative, ``bad_stamp`` when it is no time.
    """
    nanoseconds = int(message.header.stamp.nanosec)
    if not 0 <= nanoseconds < 1_000_000_000:
        raise InputError("bad_stamp", f"header.stamp.nanosec is {nanoseconds}; expected 0 to 999999999")
    value = stamp_ns(message.header.stamp)
    if value <= 0:
        raise InputError(
            "no_stamp", f"header.stamp is {value} ns; expected the time of measurement. Set it in the driver."
        )
    return value


def _floats(values: Any, count: int | None, name: str) -> FloatArray:
    array: FloatArray = np.array(values, dtype=np.float64).reshape(-1)
    if count is not None and array.size != count:
        raise InputError("wrong_size", f"{name} has {array.size} numbers, expected {count}")
    return array


def image_pixels(image: Any) -> npt.NDArray[np.generic]:
    """The pixels of a ``sensor_msgs/Image`` as a read-only view: (H, W) or (H, W, 3), native byte order.

    Raises:
        InputError: encoding, size, step or length that do not fit together.
    """
    width, height, step = int(image.width), int(image.height), int(image.step)
    if image.encoding not in _ENCODINGS:
        raise InputError(
            "encoding",
            f"image encoding is {image.encoding!r}; expected one of {', '.join(_ENCODINGS)}. "
            "Convert it in the driver (compressed or Bayer images are not decoded here).",
        )
    if not (0 < width <= MAX_EDGE_PX and 0 < height <= MAX_EDGE_PX):
        raise InputError("image_size", f"image is {width}x{height} px; expected 1 to {MAX_EDGE_PX} each way")
    if int(image.is_bigendian) not in (0, 1):
        raise InputError("is_bigendian", f"is_bigendian is {image.is_bigendian}; expected 0 or 1")
    code, channels = _ENCODINGS[image.encoding]
    dtype = np.dtype((">" if image.is_bigendian else "<") + code)
    row_bytes = width * channels * dtype.itemsize
    length = len(image.data)
    if step < row_bytes:
        raise InputError("step", f"step is {step} bytes; {width} px of {image.encoding} need {row_bytes}")
    if length != step * height:
        raise InputError(
            "data_size", f"image data has {length} bytes; step {step} x height {height} is {step * height}"
        )
    flat = np.frombuffer(image.data, dtype=np.uint8).reshape(height, step)[:, :row_bytes]
    pixels: npt.NDArray[np.generic] = flat.view(dtype)
    if channels > 1:
        pixels = pixels.reshape(height, width, channels)
    if not dtype.isnative:
        pixels = pixels.astype(dtype.newbyteorder("="))
    if code == "f4" and not np.isfinite(pixels).any():
        raise InputError("nan_image", "no pixel of the 32FC1 image is finite; expected kelvin")
    pixels.flags.writeable = False
    return pixels


def pixel_encoding(image: Any) -> str:
    """The encoding by the name that packets use: what OpenCV calls 8UC1 is mono8."""
    return "mono8" if image.encoding == "8UC1" else str(image.encoding)


def thermal_image(message: Any, source: SourceRef) -> ThermalImage:
    """``sensor_msgs/Image`` of the thermal camera."""
    stamp, frame_id = header_stamp_ns(message), message.header.frame_id
    return ThermalImage(stamp, frame_id, pixel_encoding(message), image_pixels(message), source)


def camera_calibration(message: Any) -> CameraCalibration:
    """``sensor_msgs/CameraInfo``; the stamp may be that of any earlier image.

    Region of interest and binning are applied: what comes out describes the pixels that are sent.

    Raises:
        InputError: no stamp, or one of the reasons of ``sensing.calibration.checked_calibration``.
    """
    # rosbags keeps the field names of the file: ROS 1 and old ROS 2 tools wrote capital letters.
    k, d, r, p = (getattr(message, name, None) for name in "kdrp")
    k, d = (message.K if k is None else k), (message.D if d is None else d)
    for name, value in (("r", r), ("p", p)):  # not used, but what is not a number there is no calibration
        if value is not None and not np.isfinite(_floats(value, None, f"camera_info.{name}")).all():
            raise InputError("not_finite", f"camera_info.{name} holds NaN or infinity; calibrate the camera")
    return checked_calibration(
        header_stamp_ns(message),
        message.header.frame_id,
        (int(message.width), int(message.height)),
        k,
        message.distortion_model,
        d,
        _window(message),
    )


def _window(message: Any) -> Window:
    roi = getattr(message, "roi", None)
    binning = (int(getattr(message, "binning_x", 0)), int(getattr(message, "binning_y", 0)))
    return Window(
        *((int(roi.x_offset), int(roi.y_offset), int(roi.width), int(roi.height)) if roi else (0, 0, 0, 0)),
        *(count or 1 for count in binning),  # 0 and 1 mean the same there
    )


def fix(message: Any, source: SourceRef) -> Fix:
    """``sensor_msgs/NavSatFix``.

    Status -1 and -2 are NONE, 0 and 1 (SBAS) SINGLE, 2 (GBAS) FIXED. Many receivers write 2 for an RTK float
    solution as well, which is decimetres off: status 2 with a horizontal variance above 0.1 m^2 is FLOAT.

    Raises:
        InputError: position NaN or out of range, covariance that cannot be, unknown status.
    """
    stamp = header_stamp_ns(message)
    latitude, longitude, altitude = float(message.latitude), float(message.longitude), float(message.altitude)
    status = int(message.status.status)
    if status not in _RTK_BY_STATUS:
        raise InputError("status", f"NavSatFix status is {status}, expected -2 to 2")
    rtk = _RTK_BY_STATUS[status]
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise InputError(
            "not_finite", f"fix is at {latitude}, {longitude} deg; expected numbers (is there a fix yet?)"
        )
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        raise InputError(
            "position_range", f"fix is at {latitude}, {longitude} deg; expected -90..90, -180..180"
        )
    if math.isinf(altitude):
        raise InputError("not_finite", "fix altitude is infinite; expected metres, or NaN when not measured")
    if not (math.isnan(altitude) or _LOWEST_M <= altitude <= _HIGHEST_M):
        raise InputError(
            "altitude_range",
            f"fix altitude is {altitude} m; expected {_LOWEST_M:g} to {_HIGHEST_M:g} (is it in mm?)",
        )
    covariance = _fix_covariance(message)
    if status == _GBAS and max(covariance[0, 0], covariance[1, 1]) > _RTK_FIXED_VARIANCE_M2:
        rtk = RtkStatus.FLOAT
    return Fix(stamp, latitude, longitude, altitude, covariance, rtk, source)


def _fix_covariance(message: Any) -> FloatArray:
    """(3, 3) m^2, ENU; NaN where the receiver states none."""
    covariance = _floats(message.position_covariance, 9, "position_covariance").reshape(3, 3)
    kind = int(message.position_covariance_type)
    if not 0 <= kind <= 3:
        raise InputError("covariance_type", f"position_covariance_type is {kind}, expected 0 to 3")
    if kind == 0:
        return np.full((3, 3), np.nan)
    possible = np.isfinite(covariance).all() and (np.abs(covariance) <= _MOST_VARIANCE_M2).all()
    if not possible or not np.allclose(covariance, covariance.T) or np.linalg.eigvalsh(covariance)[0] < -1e-9:
        raise InputError(
            "covariance", f"position_covariance {covariance.tolist()} is no covariance, m^2 in ENU"
        )
    return covariance


def imu_sample(message: Any, source: SourceRef) -> ImuSample:
    """``sensor_msgs/Imu`` (REP-145); ``orientation_covariance[0] == -1`` means that orientation is not measured.

    Raises:
        InputError: not finite, quaternion not of unit length, rates or acceleration declared absent.
    """
    stamp = header_stamp_ns(message)
    for name in ("orientation", "angular_velocity", "linear_acceleration"):
        count = len(getattr(message, f"{name}_covariance"))
        if count != 9:
            raise InputError("wrong_size", f"{name}_covariance has {count} numbers, expected 9")
    if message.angular_velocity_covariance[0] == -1 or message.linear_acceleration_covariance[0] == -1:
        raise InputError(
            "incomplete", "this Imu message carries no angular velocity or acceleration; both are needed"
        )
    turn, pull = message.angular_velocity, message.linear_acceleration
    rate = (float(turn.x), float(turn.y), float(turn.z))
    acceleration = (float(pull.x), float(pull.y), float(pull.z))
    if not all(map(math.isfinite, (*rate, *acceleration))):
        raise InputError("not_finite", "angular_velocity or linear_acceleration holds NaN or infinity")
    if max(map(abs, rate)) > _FASTEST_RADPS or max(map(abs, acceleration)) > _HARDEST_MPS2:
        raise InputError(
            "range",
            f"angular_velocity {list(rate)}, linear_acceleration {list(acceleration)}; expected rad/s up to "
            f"{_FASTEST_RADPS:g} and m/s^2 up to {_HARDEST_MPS2:g} (degrees, or raw counts?)",
        )
    if math.isnan(message.orientation_covariance[0]):
        raise InputError(
            "covariance", "orientation_covariance[0] is NaN; expected a variance, 0 (unknown) or -1 (none)"
        )
    orientation: FloatArray | None = None
    if message.orientation_covariance[0] != -1:
        orientation = unit_quaternion(message.orientation)
    return ImuSample(stamp, orientation, np.array(rate), np.array(acceleration), source)


def unit_quaternion(q: Any) -> FloatArray:
    """(x, y, z, w), of unit length.

    Raises:
        InputError: ``quaternion`` when its length is off by more than 1e-2.
    """
    values = np.array((q.x, q.y, q.z, q.w), dtype=np.float64)
    norm = math.hypot(*values.tolist())
    if not abs(norm - 1.0) <= _QUATERNION_TOLERANCE:
        raise InputError(
            "quaternion",
            f"the orientation quaternion has length {norm:.4g}, expected 1; if the sensor gives no "
            "orientation the driver must set orientation_covariance[0] to -1",
        )
    return values / norm


def point_scan(
    message: Any, source: SourceRef, *, min_range_m: float, max_range_m: float, dialect: str = "auto"
) -> PointScan:
    """``sensor_msgs/PointCloud2`` of any vendor; ``dialect`` as in ``sensing.lidar_dialect``."""
    from vidgen_nodes.sensing.pointcloud import parse_cloud

    fields: Sequence[tuple[str, int, int, int]] = [
        (str(f.name), int(f.offset), int(f.datatype), int(f.count)) for f in message.fields
    ]
    return parse_cloud(
        int(message.width), int(message.height), fields, bool(message.is_bigendian),
        int(message.point_step), int(message.row_step), message.data,
        stamp_ns=header_stamp_ns(message), frame_id=message.header.frame_id, source=source,
        min_range_m=min_range_m, max_range_m=max_range_m, dialect=dialect,
    )  # fmt: skip
