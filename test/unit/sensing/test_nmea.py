# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections import Counter
from datetime import datetime, timezone
from functools import reduce
from operator import xor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Fix, Heading, RtkStatus
from vidgen_nodes.sensing.nmea import NmeaReader, parse_sentence

RECORDED = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))


def sentence(body: str) -> bytes:
    return f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n".encode()


def gga(time: str = "120000.00", quality: int = 4, **changes: str) -> bytes:
    f = {
        "lat": "4723.86200",
        "ns": "N",
        "lon": "00832.73600",
        "ew": "E",
        "alt": "440.5",
        "sep": "47.5",
    } | changes
    return sentence(
        f"GNGGA,{time},{f['lat']},{f['ns']},{f['lon']},{f['ew']},{quality},12,0.6,{f['alt']},M,{f['sep']},M,1.0,0001"
    )


def rmc(time: str = "120000.00", date: str = "201126", status: str = "A") -> bytes:
    return sentence(f"GNRMC,{time},{status},4723.86200,N,00832.73600,E,3.0,90.0,{date},,,R,V")


def at(text: str) -> int:
    return (
        round(datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=timezone.utc).timestamp() * 10)
        * 10**8
    )


def reader(**changes: object) -> NmeaReader:
    made = NmeaReader("/gnss", **changes)  # type: ignore[arg-type]
    made.read(rmc())
    return made


def fix_of(made: NmeaReader, line: bytes) -> Fix:
    packet = made.read(line)
    assert isinstance(packet, Fix)
    return packet


def reason(made: NmeaReader, line: bytes) -> str:
    with pytest.raises(InputError) as refusal:
        made.read(line)
    return refusal.value.reason


def test_a_fix_has_position_stamp_and_height_above_the_ellipsoid() -> None:
    fix = fix_of(reader(), gga())
    assert (fix.latitude_deg, fix.longitude_deg) == pytest.approx((47.3977, 8.5456))
    assert fix.altitude_m == pytest.approx(488.0)
    assert fix.height_datum == "ellipsoidal"
    assert fix.stamp_ns == at("2026-11-20 12:00:00.0")
    assert np.isnan(fix.covariance_m2).all()


def test_heights_above_the_geoid_are_said_to_be_so() -> None:
    fix = fix_of(reader(heights="orthometric"), gga())
    assert (fix.altitude_m, fix.height_datum) == (440.5, "orthometric")
    without = fix_of(reader(), gga(sep=""))
    assert (without.altitude_m, without.height_datum) == (440.5, "orthometric")


@pytest.mark.parametrize(
    ("quality", "rtk"),
    [(1, RtkStatus.SINGLE), (2, RtkStatus.SINGLE), (3, RtkStatus.SINGLE), (4, RtkStatus.FIXED), (5, RtkStatus.FLOAT)],
)  # fmt: skip
def test_only_quality_four_is_rtk_fixed(quality: int, rtk: RtkStatus) -> None:
    assert fix_of(reader(), gga(quality=quality)).rtk == rtk


@pytest.mark.parametrize(
    ("quality", "expected"), [(0, "no_fix"), (6, "not_measured"), (8, "not_measured"), (9, "quality")]
)
def test_what_is_no_measurement_is_refused(quality: int, expected: str) -> None:
    assert reason(reader(), gga(quality=quality)) == expected


def test_south_and_west_are_negative() -> None:
    fix = fix_of(reader(), gga(ns="S", ew="W"))
    assert fix.latitude_deg < 0.0
    assert fix.longitude_deg < 0.0


def test_the_errors_of_the_receiver_count_east_north_up() -> None:
    made = reader()
    made.read(sentence("GNGST,120000.00,12,,,,0.011,0.012,0.02"))
    fix = fix_of(made, gga())
    np.testing.assert_allclose(np.diag(fix.covariance_m2), np.square((0.012, 0.011, 0.02)))
    assert len(fix.also) == 2
    later = fix_of(made, gga(time="120003.00"))
    assert np.isnan(later.covariance_m2).all()


def test_midnight_comes_before_the_date_of_the_new_day_is_told() -> None:
    made = NmeaReader("/gnss")
    made.read(rmc("235959.90", "311226"))
    assert fix_of(made, gga("000000.00")).stamp_ns == at("2027-01-01 00:00:00.0")
    made.read(rmc("000000.00", "010127"))
    assert fix_of(made, gga("000000.10")).stamp_ns == at("2027-01-01 00:00:00.1")
    assert fix_of(made, gga("235959.90")).stamp_ns == at("2026-12-31 23:59:59.9")


def test_a_heading_is_that_of_base_at_the_newest_epoch() -> None:
    made = reader(baseline_yaw_deg=90.0)
    assert reason(made, sentence("GNHDT,90.0,T")) == "no_time"
    fix = fix_of(made, gga())
    for line, yaw_deg in ((sentence("GNHDT,0.0,T"), 0.0), (sentence("GNTHS,90.0,A"), -90.0)):
        heading = made.read(line)
        assert isinstance(heading, Heading)
        assert math.degrees(heading.yaw_rad) == pytest.approx(yaw_deg)
        assert heading.stamp_ns == fix.stamp_ns
    assert reason(made, sentence("GNTHS,,V")) == "no_fix"


def test_speed_and_course() -> None:
    made = reader()
    assert made.course is not None
    assert made.course.speed_mps == pytest.approx(3.0 * 1852 / 3600)
    assert made.course.course_rad == pytest.approx(0.0)
    made.read(sentence("GNVTG,0.0,T,,M,10.0,N,18.5,K,A"))
    assert made.course.course_rad == pytest.approx(math.pi / 2)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", "not_nmea"),
        (b"\xff\x00", "not_nmea"),
        (b"# a comment", "not_nmea"),
        (b"$GNGGA,120000.00", "no_checksum"),
        (gga()[:-4] + b"00", "checksum"),
        (b"$" + b"A" * 600 + b"*00", "too_long"),
        (sentence("GNGGA,120000.00"), "field"),
        (gga(time="126000.00"), "field"),
        (gga(time="12:00:00"), "field"),
        (gga(lat="4760.00000"), "field"),
        (gga(lat="9923.00000"), "field"),
        (gga(lat="nan"), "field"),
        (gga(lat=""), "field"),
        (gga(ns="X"), "field"),
        (gga(alt="1e3"), "field"),
        (rmc(date="990099"), "field"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(line: bytes, expected: str) -> None:
    assert reason(reader(), line) == expected


def test_without_a_date_there_is_no_stamp() -> None:
    made = NmeaReader("/gnss")
    made.read(rmc(status="V"))
    assert reason(made, gga()) == "no_date"


@given(
    st.one_of(
        st.binary(max_size=120),
        st.text(alphabet=st.characters(codec="ascii"), max_size=90).map(lambda t: sentence("GNGGA," + t)),
    )
)
def test_nothing_but_input_errors_ever_comes_out(line: bytes) -> None:
    with contextlib.suppress(InputError):
        reader().read(line)


@given(st.integers(1, len(gga()) - 6), st.integers(0, 7))
def test_a_flipped_bit_never_makes_a_position(index: int, bit: int) -> None:
    damaged = bytearray(gga())
    damaged[index] ^= 1 << bit
    with pytest.raises(InputError):
        reader().read(bytes(damaged))
    with pytest.raises(InputError):
        parse_sentence(bytes(damaged))


def read(made: NmeaReader, line: bytes, refused: Counter[str]) -> Fix | Heading | None:
    try:
        return made.read(line)
    except InputError as err:
        refused[err.reason] += 1
        return None


def recorded(name: str) -> tuple[list[Fix], Counter[str]]:
    path = RECORDED / "rtk_gnss" / name
    if not path.exists():
        pytest.skip(f"no recording at {path}; set VIDGEN_SHARED_DATA")
    made, fixes, refused = NmeaReader("/gnss"), [], Counter[str]()
    for line in path.read_bytes().splitlines():
        packet = read(made, line, refused)
        fixes += [packet] if isinstance(packet, Fix) else []
    return fixes, refused


def test_a_recorded_trimble_has_eighteen_rtk_fixes() -> None:
    fixes, refused = recorded("gpsd_trimble_nmea-rtk.nmea")
    # The first GGA comes before the first RMC has told the date; the rest of what is refused are comments.
    assert refused.pop("no_date") == 1
    assert set(refused) == {"not_nmea"}
    assert Counter(fix.rtk for fix in fixes) == {RtkStatus.SINGLE: 103, RtkStatus.FIXED: 18}
    stamps = [fix.stamp_ns for fix in fixes]
    assert stamps == sorted(set(stamps))
    assert datetime.fromtimestamp(stamps[0] / 1e9, timezone.utc).date().isoformat() == "2020-03-18"
    assert max(b - a for a, b in itertools.pairwise(stamps)) > 600e9  # the gap of eleven minutes
    assert all(fix.height_datum == "ellipsoidal" for fix in fixes)
    assert fixes[0].altitude_m == pytest.approx(278.161 - 31.442)


def test_a_recorded_f9p_without_rtk_claims_none() -> None:
    fixes, _ = recorded("gpsd_ublox-zed-f9p-nmea.nmea")
    assert len(fixes) == 29
    assert {fix.rtk for fix in fixes} == {RtkStatus.SINGLE}
    assert fixes[0].latitude_deg == pytest.approx(-45.8775672)
    # GST follows its GGA: it counts for the next one.
    assert np.sqrt(fixes[1].covariance_m2[2, 2]) == pytest.approx(4.0)
