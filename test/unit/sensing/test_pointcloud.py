# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import array
import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import PointScan, SourceRef
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.lidar_dialect import NAMES
from vidgen_nodes.sensing.pointcloud import MAX_POINTS, parse_cloud

STAMP = 1_700_000_000_123_456_789
CODE = {"u1": 2, "u2": 4, "u4": 6, "f4": 7, "f8": 8}
XYZ = (("x", "f4", 0), ("y", "f4", 4), ("z", "f4", 8))
# layout, point step, unit of the times [s], whether they are absolute
VENDORS = {
    "livox": (
        (*XYZ, ("intensity", "f4", 12), ("tag", "u1", 16), ("line", "u1", 17), ("timestamp", "f8", 18)),
        26, 1e-9, True,
    ),
    "ouster": (
        (*XYZ, ("intensity", "f4", 16), ("t", "u4", 20), ("reflectivity", "u2", 24), ("ring", "u2", 26),
         ("ambient", "u2", 28), ("range", "u4", 32)),
        48, 1e-9, False,
    ),
    "velodyne": ((*XYZ, ("intensity", "f4", 12), ("ring", "u2", 16), ("time", "f4", 18)), 22, 1.0, False),
    "hesai": ((*XYZ, ("intensity", "f4", 12), ("ring", "u2", 16), ("timestamp", "f8", 18)), 26, 1.0, True),
    "nebula": (
        (*XYZ, ("intensity", "u1", 12), ("return_type", "u1", 13), ("channel", "u2", 14), ("azimuth", "f4", 16),
         ("elevation", "f4", 20), ("distance", "f4", 24), ("time_stamp", "u4", 28)),
        32, 1e-9, False,
    ),
    "bare": (XYZ, 12, 0.0, False),
    "double": ((("x", "f8", 0), ("y", "f8", 8), ("z", "f8", 16)), 24, 0.0, False),
}  # fmt: skip


def cloud(layout=XYZ, step: int = 12, count: int = 50, big: bool = False, seed: int = 0) -> np.ndarray:
    order = ">" if big else "<"
    dtype = np.dtype(
        {"names": [f[0] for f in layout], "formats": [order + f[1] for f in layout],
         "offsets": [f[2] for f in layout], "itemsize": step}
    )  # fmt: skip
    records = np.zeros(count, dtype)
    for axis, values in zip("xyz", np.random.default_rng(seed).uniform(1, 50, (3, count)), strict=True):
        records[axis] = values
    return records


def parse(records: np.ndarray, layout=XYZ, big: bool = False, **changes: object) -> PointScan:
    fields = [(name, offset, CODE[code], 1) for name, code, offset in layout]
    arguments = {
        "width": records.size, "height": 1, "fields": fields, "is_bigendian": big,
        "point_step": records.itemsize, "row_step": records.nbytes, "data": records.tobytes(),
        "stamp_ns": STAMP, "frame_id": "lidar", "source": SourceRef("points", "PointCloud2", STAMP, b""),
        "min_range_m": 0.5, "max_range_m": 120.0,
    }  # fmt: skip
    return parse_cloud(**{**arguments, **changes})  # type: ignore[arg-type]


def refusal(records: np.ndarray, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        parse(records, **changes)
    return caught.value.reason


def xyz(records: np.ndarray) -> np.ndarray:
    return np.stack([records[a] for a in "xyz"], axis=1).astype(np.float32)


def spread(records: np.ndarray, name: str, first: float = 0.0, unit_s: float = 1.0) -> np.ndarray:
    """Times of a scan of 0.1 s, in the unit of the field; returns them in seconds from the first point."""
    seconds = np.linspace(0.0, 0.1, records.size)
    records[name] = first + seconds / unit_s
    return seconds


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendors_layout_is_read(vendor: str, big: bool) -> None:
    layout, step, unit_s, absolute = VENDORS[vendor]
    records = cloud(layout, step, big=big)
    names = records.dtype.names
    if "intensity" in names:
        records["intensity"] = np.arange(records.size) % 200
    ring = next((name for name in ("ring", "line", "channel") if name in names), "")
    if ring:
        records[ring] = np.arange(records.size) % 32
    time = next((name for name in names if name in ("t", "time", "timestamp", "time_stamp")), "")
    if time:
        seconds = spread(records, time, STAMP * 1e-9 / unit_s if absolute else 0.0, unit_s)
    scan = parse(records, layout, big)
    np.testing.assert_array_equal(scan.points_m, xyz(records))
    assert scan.points_m.dtype == np.float32
    assert scan.refused == {}
    assert scan.dialect == (vendor if time else "unknown")
    assert (scan.intensity is None) == ("intensity" not in names)
    if ring:
        np.testing.assert_array_equal(scan.ring, np.arange(records.size) % 32)
    if time:
        assert scan.clock == ("synchronised" if absolute else "relative")
        np.testing.assert_allclose(scan.times_s, seconds, atol=1e-6)
    else:
        assert (scan.clock, scan.times_s) == ("none", None)


@pytest.mark.parametrize(
    ("name", "code", "first", "unit_s", "clock"),
    [
        ("t", "u4", 25_000_000, 1e-9, "relative"),
        ("offset_time", "u4", 0, 1e-9, "relative"),
        ("offset_time", "u4", 0, 1e-6, "relative"),  # microseconds in a field that says nothing of it
        ("time", "f4", -0.1, 1.0, "relative"),
        ("time", "f4", -100.0, 1e-3, "relative"),
        ("timestamp", "f8", STAMP * 1e-9, 1.0, "synchronised"),
        ("timestamp", "f8", float(STAMP), 1e-9, "synchronised"),
        ("timestamp", "f8", STAMP * 1e-3, 1e-6, "synchronised"),
    ],
)
def test_times_of_an_unknown_driver_are_understood_by_their_spread(
    name: str, code: str, first: float, unit_s: float, clock: str
) -> None:
    layout = (*XYZ, (name, code, 12))
    records = cloud(layout, 20)
    seconds = spread(records, name, first, unit_s)
    scan = parse(records, layout)
    offset_s = (first - (STAMP * 1e-9 / unit_s if clock == "synchronised" else 0.0)) * unit_s
    assert scan.clock == clock
    np.testing.assert_allclose(scan.times_s, seconds + offset_s, atol=2e-6)


@pytest.mark.parametrize(
    ("vendor", "first", "unit_s"), [("livox", 12.0e9, 1e-9), ("hesai", 12.0, 1.0), ("hesai", 1.2e9, 1.0)]
)
def test_times_of_another_clock_count_from_the_first_point_and_say_so(
    vendor: str, first: float, unit_s: float
) -> None:
    layout, step, _, _ = VENDORS[vendor]
    records = cloud(layout, step)
    seconds = spread(records, "timestamp", first, unit_s)
    scan = parse(records, layout)
    assert (scan.dialect, scan.clock) == (vendor, "own_clock")
    np.testing.assert_allclose(scan.times_s, seconds, atol=1e-6)
    assert scan.clock_offset_s == pytest.approx(first * unit_s - STAMP * 1e-9, abs=0.2)


def test_a_driver_that_writes_one_time_for_all_points_gives_none() -> None:
    layout, step, _, _ = VENDORS["livox"]
    records = cloud(layout, step)
    records["timestamp"] = float(STAMP)
    scan = parse(records, layout)
    assert (scan.clock, scan.times_s) == ("constant", None)


def test_points_of_a_clock_that_jumped_within_the_scan_are_dropped_and_counted() -> None:
    layout, step, _, _ = VENDORS["hesai"]
    records = cloud(layout, step)
    seconds = spread(records, "timestamp", STAMP * 1e-9)
    records["timestamp"][:7] = 5.0
    records["timestamp"][7] = np.nan
    scan = parse(records, layout)
    assert scan.refused == {"time": 8}
    np.testing.assert_allclose(scan.times_s, seconds[8:], atol=1e-6)
    np.testing.assert_array_equal(scan.points_m, xyz(records)[8:])


def test_the_dialect_that_is_asked_for_wins_over_the_one_that_is_recognised() -> None:
    layout, step, _, _ = VENDORS["hesai"]
    records = cloud(layout, step)
    spread(records, "timestamp", STAMP * 1e-9)
    assert parse(records, layout, dialect="robosense").dialect == "robosense"
    assert parse(records, layout, dialect="plain").times_s is None


def test_every_dialect_can_be_asked_for() -> None:
    item = next(item for item in dataclasses.fields(LidarParams) if item.name == "dialect")
    assert item.metadata["choices"] == NAMES


def test_a_dialect_that_does_not_fit_the_fields_is_refused_with_both() -> None:
    with pytest.raises(
        InputError, match=r"ouster, whose clouds have t \(u4\); this one has x \(f4\)"
    ) as caught:
        parse(cloud(), dialect="ouster")
    assert caught.value.reason == "dialect"


def test_points_that_cannot_be_are_dropped_with_their_times_and_counted() -> None:
    layout = (*XYZ, ("time", "f4", 12))
    records = cloud(layout, 16)
    records["time"] = np.arange(50) * 1e-3
    records["x"][:3] = (np.nan, np.inf, 1e30)
    for axis in "xyz":
        records[axis][3:5] = 0.0
        records[axis][5] = 0.1
    records["z"][6] = 500.0
    scan = parse(records, layout)
    assert scan.refused == {"nan": 2, "zero": 2, "range": 3}
    np.testing.assert_allclose(scan.times_s, np.arange(7, 50) * 1e-3, rtol=1e-6)
    np.testing.assert_array_equal(scan.points_m, xyz(records)[7:])


def test_the_origin_is_dropped_even_at_range_zero() -> None:
    records = cloud()
    for axis in "xyz":
        records[axis][0] = 0.0
    assert parse(records, min_range_m=0.0).refused == {"zero": 1}


def test_an_organised_cloud_with_padded_rows() -> None:
    records = cloud(count=50)
    rows = np.zeros((5, 10 * 12 + 7), np.uint8)
    rows[:, :120] = np.frombuffer(records.tobytes(), np.uint8).reshape(5, 120)
    scan = parse(records, width=10, height=5, row_step=127, data=array.array("B", rows.tobytes()))
    np.testing.assert_array_equal(scan.points_m, xyz(records))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"fields": [("x", 0, 7, 1), ("y", 4, 7, 1)]}, "missing_field"),
        ({"fields": [("x", 0, 5, 1), ("y", 4, 7, 1), ("z", 8, 7, 1)]}, "bad_field"),
        ({"fields": [("x", 0, 7, 3), ("y", 4, 7, 1), ("z", 8, 7, 1)]}, "bad_field"),
        ({"fields": [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 9, 7, 1)]}, "bad_field"),
        ({"fields": [("x", -4, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1)]}, "bad_field"),
        ({"fields": [("x", 0, 99, 1), ("y", 4, 7, 1), ("z", 8, 7, 1)]}, "bad_field"),
        ({"fields": [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1), ("t", 0, 2, 1)]}, "bad_field"),
        ({"fields": [("x", 0, 7, 1), ("y", 2, 7, 1), ("z", 8, 7, 1)]}, "bad_field"),
        ({"fields": [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1), ("x", 0, 7, 1)]}, "bad_field"),
        ({"fields": [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1), ("ring", 8, 7, 1)]}, "bad_field"),
        ({"fields": []}, "missing_field"),
        ({"row_step": 599}, "bad_size"),
        ({"row_step": 601}, "bad_size"),
        ({"height": 2}, "bad_size"),
        ({"width": 49}, "bad_size"),
        ({"data": b""}, "bad_size"),
        ({"point_step": 0}, "bad_size"),
        ({"width": -1}, "bad_size"),
        ({"width": 0, "row_step": 0, "data": b""}, "empty"),
        ({"width": MAX_POINTS + 1}, "too_many_points"),
        ({"min_range_m": 100.0}, "no_valid_points"),
    ],
)
def test_a_declaration_that_does_not_fit_the_bytes_is_refused(
    changes: dict[str, object], expected: str
) -> None:
    assert refusal(cloud(), **changes) == expected


@given(
    st.integers(0, 70), st.integers(0, 4), st.integers(0, 40), st.integers(0, 900), st.binary(max_size=900)
)
def test_no_header_makes_it_crash(width: int, height: int, step: int, row_step: int, data: bytes) -> None:
    try:
        scan = parse(cloud(), width=width, height=height, point_step=step, row_step=row_step, data=data)
    except InputError:
        return
    assert len(scan.points_m) + sum(scan.refused.values()) == width * height
    assert np.isfinite(scan.points_m).all()


FIELD = st.tuples(
    st.sampled_from(("x", "y", "z", "t", "time", "timestamp", "ring", "line", "tag", "intensity", "")),
    st.integers(-5, 40),
    st.integers(0, 12),
    st.integers(0, 3),
)


@given(
    st.lists(FIELD, max_size=9),
    st.booleans(),
    st.integers(0, 40),
    st.sampled_from(NAMES),
    st.integers(0, 2**32),
)
def test_no_declaration_of_fields_makes_it_crash(
    fields: list[tuple[str, int, int, int]], big: bool, step: int, dialect: str, seed: int
) -> None:
    data = np.random.default_rng(seed).integers(0, 256, 20 * step, dtype=np.uint8).tobytes()
    given_fields = [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1), *fields] if seed % 2 else fields
    try:
        scan = parse(
            cloud(), width=20, height=1, fields=given_fields, is_bigendian=big, point_step=step,
            row_step=20 * step, data=data, dialect=dialect,
        )  # fmt: skip
    except InputError:
        return
    count = len(scan.points_m)
    assert count + sum(scan.refused.values()) == 20
    assert np.isfinite(scan.points_m).all()
    for column in (scan.times_s, scan.intensity, scan.ring):
        assert column is None or len(column) == count
    assert scan.times_s is None or np.isfinite(scan.times_s).all()


RECORDED = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
PCD_CODES = {("F", 4): (7, "f4"), ("U", 1): (2, "u1"), ("U", 2): (4, "u2"), ("U", 4): (6, "u4")}


def recorded_cloud(path: Path) -> tuple[np.ndarray, list[tuple[str, int, int, int]]]:
    """A binary PCD as the records and fields of the cloud that it was saved from."""
    if not path.is_file():
        pytest.skip(f"no recording at {path}; set VIDGEN_SHARED_DATA")
    raw = path.read_bytes()
    end = raw.index(b"\n", raw.index(b"DATA binary")) + 1
    header = dict(line.split(" ", 1) for line in raw[:end].decode().splitlines() if line[0] != "#")
    offset, fields, formats = 0, [], []
    for name, kind, size in zip(*(header[key].split() for key in ("FIELDS", "TYPE", "SIZE")), strict=True):
        datatype, code = PCD_CODES[kind, int(size)]
        fields.append((name, offset, datatype, 1))
        formats.append((name, "<" + code))
        offset += int(size)
    return np.frombuffer(raw, np.dtype(formats), count=int(header["POINTS"]), offset=end), fields


def test_a_recorded_scan_whose_times_start_anew_with_every_packet_gives_none() -> None:
    """A turn of 0.1 s of a VLP-16, decoded by Nebula: its times end at 1.3 ms, the length of one packet."""
    records, fields = recorded_cloud(RECORDED / "rosbag2" / "nebula_vlp16" / "1673400472138016708.pcd")
    scan = parse(records, fields=fields, min_range_m=0.3)
    assert (scan.dialect, scan.clock, scan.times_s) == ("nebula", "constant", None)
    assert len(scan.points_m) + sum(scan.refused.values()) == 14831
    np.testing.assert_array_equal(scan.ring, records["channel"])
    np.testing.assert_array_equal(scan.intensity, records["intensity"])
    # The file states range and angles beside x, y, z: they agree, so the offsets are those of the file.
    np.testing.assert_allclose(np.linalg.norm(scan.points_m, axis=1), records["distance"], rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "count"),
    [("nebula_pandar40p_1673400149711850138.pcd", 56762), ("nebula_qt64_1673401196087570870.pcd", 34158)],
)
def test_recorded_points_without_times_are_read_as_they_are(name: str, count: int) -> None:
    records, fields = recorded_cloud(RECORDED / "lidar" / name)
    scan = parse(records, fields=fields, min_range_m=0.1)
    assert (scan.dialect, scan.times_s, scan.ring) == ("unknown", None, None)
    assert len(scan.points_m) + sum(scan.refused.values()) == count
    assert len(scan.points_m) > 0.9 * count
