# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How each LiDAR driver writes a PointCloud2: which fields it has, and what its per-point times mean.

A dialect is recognised by names and datatypes, and by nothing else being said: Livox and Hesai both pack 26
bytes with a double at offset 18, but the one holds nanoseconds and the other seconds. Offsets and the point
step are taken from each message, so packed, padded and unaligned layouts of one dialect are all read.

Times come out as seconds from the header stamp, whatever the unit and the clock were, together with a word
on that clock. Leaves out vendor packets and Livox CustomMsg (set that driver to PointCloud2, ``xfer_format:=0``).

The Robosense layout and the end-of-scan stamp of Velodyne are from memory; the others from the drivers' sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import FloatArray

AUTO: Final = "auto"
MAX_SCAN_S: Final = 1.0  # a point further than this from the middle of its scan has a wrong time
_MIN_SCAN_S: Final = 0.002
_UNITS_S: Final = (1.0, 1e-3, 1e-6, 1e-9)
# A double above this that says nothing else is nanoseconds: 1e14 s are three million years.
_NANOSECONDS_FROM: Final = 1e14


@dataclass(frozen=True, slots=True)
class Dialect:
    """One driver's way of writing a cloud. ``marks``: field name to the codes by which it is recognised."""

    name: str
    marks: Mapping[str, tuple[str, ...]]
    time: str  # name of the per-point time; empty: none
    unit_s: float  # of that field; 0: found from the values
    absolute: bool  # counted from the epoch of the sensor's clock, not from the header stamp
    ring: str = "ring"


_FLOATS: Final = ("f4", "f8")
_RINGS: Final = ("u1", "u2")

# In the order in which they are tried.
DIALECTS: Final = (
    Dialect(
        "livox", {"tag": ("u1",), "line": ("u1",), "timestamp": ("f8",)}, "timestamp", 1e-9, True, "line"
    ),
    Dialect("ouster", {"t": ("u4",)}, "t", 1e-9, False),
    Dialect("velodyne", {"ring": _RINGS, "time": ("f4",)}, "time", 1.0, False),
    Dialect("nebula", {"channel": _RINGS, "time_stamp": ("u4",)}, "time_stamp", 1e-9, False, "channel"),
    Dialect("hesai", {"ring": _RINGS, "timestamp": ("f8",)}, "timestamp", 1.0, True),
)
_ROBOSENSE: Final = Dialect("robosense", {"ring": ("u2",), "timestamp": ("f8",)}, "timestamp", 1.0, True)
_PLAIN: Final = Dialect("plain", {}, "", 0.0, False)
_TIME_NAMES: Final = ("t", "time", "timestamp", "time_stamp", "offset_time")
NAMES: Final = (AUTO, *(dialect.name for dialect in DIALECTS), "robosense", "plain")


@dataclass(frozen=True, slots=True)
class PointTimes:
    """When each point was measured. ``clock`` says against what.

    ``relative``: the driver counts from the stamp. ``synchronised``: absolute, and the stamp's clock.
    ``own_clock``: absolute in another clock than the stamp's, so counted from the first point.
    ``constant``: all within 2 ms, which no turning LiDAR is: one time for all, or times that start anew with every
    packet (a recorded Nebula scan does that). Used as if there were none. ``none``: the driver gives none.
    """

    clock: str
    seconds: FloatArray | None  # (N,) from the stamp; NaN where the value cannot be
    offset_s: float  # sensor clock minus stamp at the first point; NaN unless absolute


NO_TIMES: Final = PointTimes("none", None, float("nan"))


def clock_doubt(dialect: str, clock: str, offset_s: float) -> tuple[str, str]:
    """What is wrong with the times of a scan's points, and what to do; empty where nothing is.

    Args:
        dialect: name.
        clock: as in :class:`PointTimes`.
        offset_s: sensor clock minus stamp; NaN unless absolute.
    """
    if clock == "own_clock":
        what = f"the LiDAR's own clock is {span_words(offset_s)} its stamps ({dialect})"
        return (
            f"{what}: times within a scan count from its first point",
            "synchronise the LiDAR's clock by PTP",
        )
    if clock == "constant":
        return (
            f"all points of a scan have one time ({dialect}): motion is not compensated",
            "have the driver give per-point times",
        )
    return "", ""


def span_words(ahead_s: float) -> str:
    """``3.2 s behind``, ``66.1 days ahead of``."""
    size = abs(ahead_s)
    text = f"{size / 86400.0:.1f} days" if size >= 2 * 86400.0 else f"{size:.1f} s"
    return f"{text} {'ahead of' if ahead_s > 0.0 else 'behind'}"


def detect(codes: Mapping[str, str], wanted: str = AUTO) -> Dialect:
    """The dialect of a cloud.

    Args:
        codes: numpy code (``f4``, ``u2``, ...) by field name, as the message declares it.
        wanted: one of :data:`NAMES`; anything but ``auto`` is held against the fields.

    Raises:
        InputError: ``dialect`` when the fields are not those of the dialect that was asked for.
    """
    if wanted == AUTO:
        for dialect in DIALECTS:
            if _fits(dialect, codes):
                return dialect
        time = next((name for name in _TIME_NAMES if name in codes), "")
        ring = next((name for name in ("ring", "line", "channel") if name in codes), "ring")
        return Dialect("unknown", {}, time, 0.0, False, ring)
    known = {dialect.name: dialect for dialect in (*DIALECTS, _ROBOSENSE, _PLAIN)}
    dialect = known[wanted]
    if not _fits(dialect, codes):
        expected = ", ".join(f"{name} ({' or '.join(kinds)})" for name, kinds in dialect.marks.items())
        held = ", ".join(f"{name} ({code})" for name, code in codes.items())
        raise InputError(
            "dialect",
            f"lidar dialect is set to {wanted}, whose clouds have {expected}; this one has {held or 'no fields'}. "
            "Set it to auto or to the driver that runs.",
        )
    return dialect


def _fits(dialect: Dialect, codes: Mapping[str, str]) -> bool:
    return all(codes.get(name) in kinds for name, kinds in dialect.marks.items())


def point_times(dialect: Dialect, values: npt.NDArray[np.generic], stamp_ns: int) -> PointTimes:
    """Seconds from the stamp, of the values of the dialect's time field.

    Args:
        dialect: from :func:`detect`.
        values: (N,) as the message holds them.
        stamp_ns: header stamp of the cloud.
    """
    raw: FloatArray = values.astype(np.float64)
    finite = raw[np.isfinite(raw)] if values.dtype.kind == "f" else raw
    if not finite.size:
        return NO_TIMES
    middle = float(np.median(finite[:: max(1, finite.size // 1024)]))
    low, high = float(finite.min()), float(finite.max())
    unit_s = dialect.unit_s or _found_unit_s(values.dtype, low, high, middle)
    if (high - low) * unit_s < _MIN_SCAN_S and finite.size > 1:
        return PointTimes("constant", None, float("nan"))
    absolute = dialect.absolute or (dialect.unit_s == 0.0 and abs(middle) * unit_s > MAX_SCAN_S)
    if not absolute:
        return PointTimes("relative", _within(raw * unit_s, 0.0), float("nan"))
    stamp = stamp_ns * (1e-9 / unit_s)
    offset_s = (middle - stamp) * unit_s
    if abs(offset_s) <= MAX_SCAN_S:
        return PointTimes("synchronised", _within((raw - stamp) * unit_s, offset_s), offset_s)
    near = finite[np.abs(finite - middle) * unit_s <= MAX_SCAN_S]
    first = float(near.min())
    return PointTimes("own_clock", _within((raw - first) * unit_s, (middle - first) * unit_s), offset_s)


def _within(seconds: FloatArray, middle_s: float) -> FloatArray:
    """NaN where a time is further from the middle of the scan than a scan can last."""
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(seconds - middle_s) <= MAX_SCAN_S)
    if wrong.any():
        seconds[wrong] = np.nan
    return seconds


def _found_unit_s(dtype: np.dtype[np.generic], low: float, high: float, middle: float) -> float:
    """The unit of an unknown driver: what its type suggests, unless the scan would then last too long or no time."""
    usual = 1e-9 if dtype.kind in "iu" or abs(middle) > _NANOSECONDS_FROM else 1.0
    spread = high - low
    if spread == 0.0 or _MIN_SCAN_S <= spread * usual <= MAX_SCAN_S:
        return usual
    fitting = [unit for unit in _UNITS_S if _MIN_SCAN_S <= spread * unit <= MAX_SCAN_S]
    return fitting[0] if fitting else usual
