# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The points of a PointCloud2 of any vendor, by the names, types and offsets it declares.

Guarantees: the declaration is held against the bytes before a point is read; every point that comes
out is finite, not the origin and within range; every point that does not is counted by its reason.
Packed, unaligned, padded and big-endian layouts are read in place.

Leaves out: intensity, ring and other fields, motion within a scan, vendor packets and Livox
CustomMsg (set the driver to PointCloud2, ``xfer_format:=0``).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Union

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, PointScan, SourceRef

MAX_POINTS: Final = 10_000_000
Field = tuple[str, int, int, int]  # name, offset [bytes], sensor_msgs/PointField datatype, count
Bytes = Union[bytes, bytearray, memoryview, "array[int]", npt.NDArray[np.uint8]]

_TYPES: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
_TIME_NAMES: Final = ("t", "time", "timestamp", "offset_time")
_ABSOLUTE_NS: Final = 1e14  # float times above are nanoseconds since 1970 (Livox) ...
_ABSOLUTE_S: Final = 1e6  # ... and above this seconds since 1970 (Hesai)
_MAX_SCAN_S: Final = 10.0


def parse_cloud(
    width: int,
    height: int,
    fields: Sequence[Field],
    is_bigendian: bool,
    point_step: int,
    row_step: int,
    data: Bytes,
    *,
    stamp_ns: int,
    frame_id: str,
    source: SourceRef,
    min_range_m: float,
    max_range_m: float,
) -> PointScan:
    """Read the points of one cloud.

    Args:
        width: points in a row.
        height: rows.
        fields: (name, offset, datatype, count) as declared.
        is_bigendian: byte order of the data.
        point_step: bytes from point to point.
        row_step: bytes from row to row.
        data: the bytes; read, never kept.
        stamp_ns: event time of the scan.
        frame_id: frame of the points.
        source: the message it comes from.
        min_range_m: nearer points are dropped and counted as ``range``.
        max_range_m: farther points as well.

    Returns:
        Points in the sensor's frame, m. Times are seconds relative to the stamp, from the field ``t``,
        ``time``, ``timestamp`` or ``offset_time``: integers are nanoseconds, floats seconds. Absolute times
        are made relative; when the sensor's clock is not the stamp's, relative to the first point.

    Raises:
        InputError: ``bad_size``, ``missing_field``, ``bad_field``, ``too_many_points``, ``empty`` or
            ``no_valid_points``.
    """
    raw = np.frombuffer(data, dtype=np.uint8)
    _check_sizes(width, height, point_step, row_step, raw.size)
    dtype = _layout(tuple(tuple(field) for field in fields), is_bigendian, point_step)
    records = np.ndarray((height, width), dtype, buffer=raw, strides=(row_step, point_step)).reshape(-1)
    points = np.empty((records.size, 3), dtype=np.float32)
    for axis, name in enumerate("xyz"):
        points[:, axis] = records[name]
    keep, refused = _usable(points, min_range_m, max_range_m)
    if refused:
        points = points[keep]
    if not points.size:
        counts = ", ".join(f"{name} {count}" for name, count in refused.items())
        raise InputError(
            "no_valid_points",
            f"none of {records.size} points can be used ({counts}); expected returns within "
            f"{min_range_m} to {max_range_m} m. Is the LiDAR covered, or spinning up?",
        )
    times: Float32Array | None = None
    if "time" in (dtype.names or ()):
        times = _relative_times(records["time"], stamp_ns)
        times = times[keep] if refused else times
    return PointScan(stamp_ns, frame_id, points, times, refused, source)


def _check_sizes(width: int, height: int, point_step: int, row_step: int, length: int) -> None:
    count = width * height
    if width < 0 or height < 0 or point_step <= 0:
        raise InputError(
            "bad_size",
            f"cloud has width {width}, height {height}, point_step {point_step}; expected above 0.",
        )
    if count == 0:
        raise InputError("empty", f"cloud is {width} x {height} points; expected at least one.")
    if count > MAX_POINTS:
        raise InputError("too_many_points", f"cloud has {count} points; at most {MAX_POINTS} are taken.")
    padding = row_step - width * point_step
    uncounted = height == 1 and padding >= point_step  # a whole point more than the width says
    if padding < 0 or uncounted or length != row_step * height:
        raise InputError(
            "bad_size",
            f"cloud of {width} x {height} points, point_step {point_step}, row_step {row_step} has {length} bytes; "
            f"expected row_step >= {width * point_step} and row_step * height bytes. The driver's header is wrong.",
        )


@lru_cache(maxsize=64)
def _layout(fields: tuple[Field, ...], is_bigendian: bool, point_step: int) -> np.dtype[np.void]:
    """The declared fields that are read, as a dtype of ``point_step`` bytes; the time field is ``time``."""
    order = ">" if is_bigendian else "<"
    declared: dict[str, Field] = {}
    for field in fields:
        declared.setdefault(field[0], field)
    chosen: list[tuple[str, Field]] = []
    for name in "xyz":
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise InputError(
                "missing_field", f"cloud has no field {name!r}; it has {known}. Expected x, y and z."
            )
        chosen.append((name, declared[name]))
    chosen += [("time", declared[name]) for name in _TIME_NAMES if name in declared][:1]
    formats: list[str] = []
    for name, (vendor_name, offset, datatype, count) in chosen:
        code = _TYPES.get(datatype, "")
        wanted = ("f4", "f8") if name != "time" else ("f4", "f8", "u4", "i4")
        if code not in wanted or count not in (0, 1):  # some drivers write count 0 and mean 1
            raise InputError(
                "bad_field",
                f"field {vendor_name!r} has datatype {datatype} and count {count}; expected one "
                f"{' or '.join(wanted)} (sensor_msgs/PointField).",
            )
        if offset < 0 or offset + int(code[1]) > point_step:
            raise InputError(
                "bad_field",
                f"field {vendor_name!r} lies at bytes {offset} to {offset + int(code[1])}; point_step is {point_step}.",
            )
        formats.append(order + code)
    offsets = [field[1] for _, field in chosen]
    names = [name for name, _ in chosen]
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": point_step})


def _usable(points: Float32Array, min_range_m: float, max_range_m: float) -> tuple[BoolArray, dict[str, int]]:
    """Which points are finite, not 0,0,0 and within range; and how many are not, by reason."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.einsum("ij,ij->i", points, points)
        keep: BoolArray = (squared >= min_range_m**2) & (squared <= max_range_m**2) & (squared > 0.0)
    dropped = squared.size - int(np.count_nonzero(keep))
    if not dropped:
        return keep, {}
    rest = points[~keep]
    nan = int(np.count_nonzero(~np.isfinite(rest).all(axis=1)))
    zero = int(np.count_nonzero((rest == 0.0).all(axis=1)))
    counts = {"nan": nan, "zero": zero, "range": dropped - nan - zero}
    return keep, {name: count for name, count in counts.items() if count}


def _relative_times(values: npt.NDArray[np.generic], stamp_ns: int) -> Float32Array:
    if values.dtype.kind in "iu":
        return (values.astype(np.float64) * 1e-9).astype(np.float32)
    seconds: FloatArray = values.astype(np.float64)
    finite = seconds[np.isfinite(seconds)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest > _ABSOLUTE_NS:
        seconds, largest = (seconds - stamp_ns) * 1e-9, np.inf
    elif largest > _ABSOLUTE_S:
        seconds, largest = seconds - stamp_ns * 1e-9, np.inf
    if largest == np.inf and float(np.nanmax(np.abs(seconds))) > _MAX_SCAN_S:
        seconds = seconds - float(np.nanmin(seconds))
    return seconds.astype(np.float32)
