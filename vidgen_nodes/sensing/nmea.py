# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""NMEA 0183 sentences to fixes and headings: GGA, RMC, ZDA, GST, VTG, HDT and THS, of any talker.

Guarantees: a sentence counts only with a right checksum; a fix comes out with its GGA, at once; its stamp is
UTC of the receiver, its date from RMC or ZDA, over midnight too; quality 4 alone is RTK fixed and 5 float (2 is
differential or SBAS: single); heights are above the ellipsoid, from altitude plus geoidal separation, which
undoes what the receiver did, unless orthometric ones are asked for. What cannot be used is refused with an
``InputError``; sentences of other kinds are counted in ``ignored``.

HDT and THS carry no time: they count for the newest epoch begun before them, which is how receivers send them.
The errors of GST count for two seconds, whether it comes before the GGA of its epoch or after.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import reduce
from operator import xor
from typing import Final

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Fix, FloatArray, Heading, RtkStatus, SourceRef
from vidgen_nodes.sensing.heights import HeightSystem

TYPE_NAME: Final = "nmea0183"
_LONGEST: Final = 512  # the standard says 82 characters; RTK receivers send more
_DAY_NS: Final = 86_400_000_000_000
_ERRORS_LAST_NS: Final = 2_000_000_000
_KNOT_MPS: Final = 1852.0 / 3600.0
_RTK_BY_QUALITY: Final = {
    1: RtkStatus.SINGLE,
    2: RtkStatus.SINGLE,
    3: RtkStatus.SINGLE,
    4: RtkStatus.FIXED,
    5: RtkStatus.FLOAT,
}
_NO_MEASUREMENT: Final = {6: "dead reckoning", 7: "manual input", 8: "a simulator"}


@dataclass(frozen=True, slots=True)
class Course:
    """Speed and course over ground, for those who look; the filter makes its own from positions."""

    speed_mps: float
    course_rad: float  # in map: from east, counter-clockwise; NaN at rest


class NmeaReader:
    """One receiver: sentences in, packets out.

    Args:
        topic: names the receiver in the sources of what is made from its packets.
        heights: which heights to hand out, ``ellipsoidal`` or ``orthometric`` (the receiver's own geoid).
        baseline_yaw_deg: yaw in base of the line from the main to the second antenna.
    """

    def __init__(self, topic: str, heights: str = "ellipsoidal", baseline_yaw_deg: float = 0.0) -> None:
        self._topic = topic
        self._heights = HeightSystem(heights)
        self._baseline_rad = math.radians(baseline_yaw_deg)
        self._date: tuple[int, int] | None = None  # midnight, ns; time of day it was told at, ns
        self._date_source: SourceRef | None = None
        self._errors: tuple[int, FloatArray, SourceRef] | None = None  # time of day, variances, from
        self._epoch_ns = 0
        self.course: Course | None = None
        self.ignored: Counter[str] = Counter()

    def read(self, line: bytes) -> Fix | Heading | None:
        """Take one line, with or without its end; gives a fix for a GGA and a heading for an HDT or THS.

        Raises:
            InputError: ``not_nmea``, ``too_long``, ``no_checksum``, ``checksum``, ``field``, ``no_fix``,
                ``not_measured``, ``quality``, ``no_date`` or ``no_time``.
        """
        address, fields = parse_sentence(line)
        kind = address[-3:]
        if address.startswith("P") or kind not in _KINDS:
            self.ignored[address] += 1
            return None
        if len(fields) < _KINDS[kind]:
            raise InputError("field", f"{address} has {len(fields)} fields, expected {_KINDS[kind]} or more")
        if kind == "GGA":
            return self._fix(fields, line)
        if kind in ("HDT", "THS"):
            return self._heading(kind, fields, line)
        if kind == "VTG":
            self._take_course(fields[4], fields[0])
        elif kind == "GST":
            self._take_errors(fields, line)
        elif kind == "ZDA":
            self._take_date(fields[0], f"{fields[1]}{fields[2]}{fields[3][2:]}", line)
        elif fields[1] == "A":  # RMC; V says that it is not valid
            self._take_date(fields[0], fields[8], line)
            self._take_course(fields[6], fields[7])
        return None

    def _fix(self, fields: list[str], line: bytes) -> Fix:
        quality = _whole(fields[5], "GGA quality")
        if quality == 0:
            raise InputError("no_fix", "GGA quality is 0: no fix yet. Wait for the receiver.")
        if quality in _NO_MEASUREMENT:
            raise InputError(
                "not_measured",
                f"GGA quality {quality} is {_NO_MEASUREMENT[quality]}; expected a measured position",
            )
        if quality not in _RTK_BY_QUALITY:
            raise InputError("quality", f"GGA quality is {quality}, expected 0 to 8")
        time_ns = _time_of_day_ns(fields[0])
        latitude, longitude = _angle(fields[1], fields[2], "NS"), _angle(fields[3], fields[4], "EW")
        altitude, separation = _metres(fields[8], fields[9]), _metres(fields[10], fields[11])
        has = HeightSystem.ORTHOMETRIC
        if self._heights == HeightSystem.ELLIPSOIDAL and not math.isnan(separation):
            altitude, has = altitude + separation, HeightSystem.ELLIPSOIDAL
        stamp_ns = self._stamp_ns(time_ns)
        self._epoch_ns = stamp_ns
        covariance, also = np.full((3, 3), np.nan), [self._date_source]
        if self._errors is not None and _apart_ns(time_ns, self._errors[0]) <= _ERRORS_LAST_NS:
            covariance = np.diag(self._errors[1])
            also.append(self._errors[2])
        return Fix(
            stamp_ns, latitude, longitude, altitude, covariance, _RTK_BY_QUALITY[quality],
            self._source(line, stamp_ns), has.value, tuple(source for source in also if source is not None),
        )  # fmt: skip

    def _heading(self, kind: str, fields: list[str], line: bytes) -> Heading | None:
        mode = fields[1].strip()
        if not fields[0] or (kind == "THS" and mode != "A"):
            raise InputError("no_fix", f"{kind} carries no heading; the second antenna has no solution")
        if kind == "HDT" and mode != "T":
            raise InputError("field", f"HDT says {mode!r}, expected T (true north)")
        degrees = _number(fields[0], f"{kind} heading")
        if not 0.0 <= degrees <= 360.0:
            raise InputError("field", f"{kind} heading is {degrees}, expected 0 to 360 degrees")
        if not self._epoch_ns:
            raise InputError("no_time", f"{kind} came before any GGA, which would tell its time")
        yaw_rad = math.remainder(0.5 * math.pi - math.radians(degrees) - self._baseline_rad, math.tau)
        return Heading(self._epoch_ns, yaw_rad, math.nan, self._source(line, self._epoch_ns))

    def _take_date(self, time: str, date: str, line: bytes) -> None:
        time_ns = _time_of_day_ns(time)
        try:
            day = datetime.strptime(date, "%d%m%y").replace(tzinfo=timezone.utc)
        except ValueError as err:
            raise InputError("field", f"date is {date!r}, expected ddmmyy") from err
        midnight_ns = int(day.timestamp()) * 1_000_000_000
        self._date = (midnight_ns, time_ns)
        self._date_source = self._source(line, midnight_ns + time_ns)

    def _take_errors(self, fields: list[str], line: bytes) -> None:
        if not (fields[5] and fields[6] and fields[7]):
            self._errors = None  # the receiver does not know them now
            return
        time_ns = _time_of_day_ns(fields[0])
        north, east, up = (_number(value, "GST sigma") for value in fields[5:8])
        if min(north, east, up) < 0.0:
            raise InputError("field", f"GST sigmas are {north}, {east}, {up}; expected metres")
        stamp_ns = self._stamp_ns(time_ns) if self._date else 0
        variances = np.square(np.array((east, north, up)))
        self._errors = (time_ns, variances, self._source(line, stamp_ns))

    def _take_course(self, knots: str, degrees: str) -> None:
        if knots:
            course = 0.5 * math.pi - math.radians(_number(degrees, "course")) if degrees else math.nan
            self.course = Course(_number(knots, "speed") * _KNOT_MPS, course)

    def _stamp_ns(self, time_ns: int) -> int:
        if self._date is None:
            raise InputError("no_date", "no RMC or ZDA has told the date yet; have the receiver send one")
        midnight_ns, told_ns = self._date
        days = round((told_ns - time_ns) / _DAY_NS)  # midnight lies between the two
        return midnight_ns + days * _DAY_NS + time_ns

    def _source(self, line: bytes, stamp_ns: int) -> SourceRef:
        return SourceRef(self._topic, TYPE_NAME, stamp_ns, hashlib.sha256(line.strip()).digest())


# Fields that each kind must have.
_KINDS: Final = {"GGA": 12, "RMC": 9, "ZDA": 4, "GST": 8, "VTG": 5, "HDT": 2, "THS": 2}


def parse_sentence(line: bytes) -> tuple[str, list[str]]:
    """Address (talker and kind) and fields of a sentence.

    Raises:
        InputError: ``not_nmea``, ``too_long``, ``no_checksum`` or ``checksum``.
    """
    if len(line) > _LONGEST:
        raise InputError("too_long", f"sentence has {len(line)} bytes, expected at most {_LONGEST}")
    text = line.strip()
    if not text.startswith(b"$") or not text.isascii():
        raise InputError("not_nmea", f"got {text[:20]!r}, expected an NMEA sentence ($...*hh)")
    body, star, told = text[1:].partition(b"*")
    if not star or len(told) != 2:
        raise InputError("no_checksum", f"sentence {text[:20]!r}... ends without *hh; it is cut off")
    made = f"{reduce(xor, body, 0):02X}"
    if told.decode("ascii").upper() != made:
        raise InputError(
            "checksum", f"checksum is {told.decode('ascii')}, expected {made}: a byte was damaged"
        )
    address, *fields = body.decode("ascii").split(",")
    return address, fields


def _number(text: str, name: str) -> float:
    # float() alone would take "nan", "1e5" and "1_0".
    if not text or text.strip("0123456789.-+") or "_" in text:
        raise InputError("field", f"{name} is {text!r}, expected a number")
    try:
        return float(text)
    except ValueError as err:
        raise InputError("field", f"{name} is {text!r}, expected a number") from err


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InputError("field", f"{name} is {text!r}, expected a whole number")
    return int(text)


def _metres(text: str, unit: str) -> float:
    """NaN where nothing is told."""
    if not text:
        return math.nan
    if unit != "M":
        raise InputError("field", f"GGA height is in {unit!r}, expected M")
    return _number(text, "GGA height")


def _time_of_day_ns(text: str) -> int:
    """``hhmmss.sss``, to the nanosecond that its digits say."""
    whole, _, fraction = text.partition(".")
    if len(whole) != 6 or not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise InputError("field", f"time is {text!r}, expected hhmmss.ss")
    hours, minutes, seconds = int(whole[:2]), int(whole[2:4]), int(whole[4:])
    if hours > 23 or minutes > 59 or seconds > 60:
        raise InputError("field", f"time is {text!r}, expected hhmmss.ss")
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + int((fraction + "000000000")[:9])


def _apart_ns(a_ns: int, b_ns: int) -> int:
    """Between two times of day, over midnight."""
    apart_ns = abs(a_ns - b_ns)
    return min(apart_ns, _DAY_NS - apart_ns)


def _angle(text: str, side: str, sides: str) -> float:
    """``dddmm.mmmm`` and the letter of its side, in degrees."""
    if side not in tuple(sides):
        raise InputError("field", f"side is {side!r}, expected {' or '.join(sides)}")
    value = _number(text, "position")
    degrees, minutes = divmod(value, 100.0)
    limit = 90.0 if sides == "NS" else 180.0
    angle = degrees + minutes / 60.0
    if value < 0.0 or minutes >= 60.0 or angle > limit:
        raise InputError(
            "field", f"position is {text!r}, expected degrees and minutes up to {limit:g} degrees"
        )
    return -angle if side == sides[1] else angle
