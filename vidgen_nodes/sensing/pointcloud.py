# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The points of a PointCloud2 of any vendor, by the names, types and offsets it declares.

Guarantees: the declaration is held against the bytes before a point is read; every point that comes
out is finite, not the origin and within range; every point that does not is counted by its reason.
Packed, unaligned, padded and big-endian layouts are read in place. What the fields of each driver
mean is in ``lidar_dialect.py``.

Leaves out: fields other than x, y, z, time, intensity and ring; motion within a scan.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Union

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import BoolArray, Float32Array, PointScan, SourceRef
from vidgen_nodes.sensing.lidar_dialect import AUTO, NO_TIMES, Dialect, detect, point_times

MAX_POINTS: Final = 10_000_000
Field = tuple[str, int, int, int]  # name, offset [bytes], sensor_msgs/PointField datatype, count
Bytes = Union[bytes, bytearray, memoryview, "array[int]", npt.NDArray[np.uint8]]

_TYPES: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
_ALLOWED: Final = {
    "time": ("f4", "f8", "u4", "i4"),
    "intensity": ("f4", "f8", "u1", "u2", "u4"),
    "ring": ("u1", "u2"),
}


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
    dialect: str = AUTO,
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
        dialect: whose layout it is, one of ``lidar_dialect.NAMES``.

    Returns:
        Points in the sensor's frame, m. Times are seconds relative to the stamp; a point whose time cannot
        be is dropped and counted as ``time``.

    Raises:
        InputError: ``bad_size``, ``missing_field``, ``bad_field``, ``dialect``, ``too_many_points``,
            ``empty`` or ``no_valid_points``.
    """
    raw = np.frombuffer(data, dtype=np.uint8)
    _check_sizes(width, height, point_step, row_step, raw.size)
    kind, dtype = _layout(tuple(tuple(field) for field in fields), is_bigendian, point_step, dialect)
    records = np.ndarray((height, width), dtype, buffer=raw, strides=(row_step, point_step)).reshape(-1)
    points = np.empty((records.size, 3), dtype=np.float32)
    for axis, name in enumerate("xyz"):
        points[:, axis] = records[name]
    keep, refused = _usable(points, min_range_m, max_range_m)
    held = dtype.names or ()
    times = point_times(kind, records["time"], stamp_ns) if "time" in held else NO_TIMES
    if times.seconds is not None:
        wrong = keep & ~np.isfinite(times.seconds)
        if wrong.any():
            keep &= ~wrong
            refused["time"] = int(np.count_nonzero(wrong))
    if refused:
        points = points[keep]
    if not points.size:
        counts = ", ".join(f"{name} {count}" for name, count in refused.items())
        raise InputError(
            "no_valid_points",
            f"none of {records.size} points can be used ({counts}); expected returns within "
            f"{min_range_m} to {max_range_m} m. Is the LiDAR covered, or spinning up?",
        )

    def kept(values: npt.NDArray[np.generic] | None, dtype: type[Any]) -> npt.NDArray[Any] | None:
        if values is None:
            return None
        return (values[keep] if refused else values).astype(dtype)

    return PointScan(
        stamp_ns, frame_id, points, kept(times.seconds, np.float32), refused, source,
        intensity=kept(records["intensity"] if "intensity" in held else None, np.float32),
        ring=kept(records["ring"] if "ring" in held else None, np.uint16),
        dialect=kind.name, clock=times.clock, clock_offset_s=times.offset_s,
    )  # fmt: skip


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
def _layout(
    fields: tuple[Field, ...], is_bigendian: bool, point_step: int, wanted: str
) -> tuple[Dialect, np.dtype[np.void]]:
    """The dialect, and the fields that are read as a dtype of ``point_step`` bytes under our names."""
    declared: dict[str, Field] = {}
    for field in fields:
        declared.setdefault(field[0], field)
    kind = detect({name: _TYPES.get(field[2], "?") for name, field in declared.items()}, wanted)
    chosen: dict[str, Field] = {}
    for name in "xyz":
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise InputError(
                "missing_field", f"cloud has no field {name!r}; it has {known}. Expected x, y and z."
            )
        chosen[name] = declared[name]
    for ours, vendors in (("time", kind.time), ("intensity", "intensity"), ("ring", kind.ring)):
        if vendors in declared:
            chosen[ours] = declared[vendors]
    order = ">" if is_bigendian else "<"
    formats = [order + _checked_code(ours, field, fields, point_step) for ours, field in chosen.items()]
    _check_overlap(chosen, formats)
    offsets = [field[1] for field in chosen.values()]
    return kind, np.dtype(
        {"names": list(chosen), "formats": formats, "offsets": offsets, "itemsize": point_step}
    )


def _checked_code(ours: str, field: Field, fields: tuple[Field, ...], point_step: int) -> str:
    name, offset, datatype, count = field
    code, wanted = _TYPES.get(datatype, ""), _ALLOWED.get(ours, ("f4", "f8"))
    if code not in wanted or count not in (0, 1):  # some drivers write count 0 and mean 1
        raise InputError(
            "bad_field",
            f"field {name!r} has datatype {datatype} and count {count}; expected one "
            f"{' or '.join(wanted)} (sensor_msgs/PointField).",
        )
    if offset < 0 or offset + int(code[1]) > point_step:
        raise InputError(
            "bad_field",
            f"field {name!r} lies at bytes {offset} to {offset + int(code[1])}; point_step is {point_step}.",
        )
    if sum(other[0] == name for other in fields) > 1:
        raise InputError("bad_field", f"field {name!r} is declared twice; expected once.")
    return code


def _check_overlap(chosen: dict[str, Field], formats: list[str]) -> None:
    spans = sorted((field[1], field[1] + int(code[-1]), field[0])
                   for field, code in zip(chosen.values(), formats, strict=True))  # fmt: skip
    for (_, end, name), (start, _, following) in pairwise(spans):
        if start < end:
            raise InputError(
                "bad_field",
                f"fields {name!r} and {following!r} share byte {start} of a point; expected their own.",
            )


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
