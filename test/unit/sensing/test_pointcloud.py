# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import PointScan, SourceRef
from vidgen_nodes.sensing.pointcloud import MAX_POINTS, parse_cloud

STAMP = 1_700_000_000_123_456_789
CODE = {"u1": 2, "u2": 4, "u4": 6, "f4": 7, "f8": 8}
XYZ = (("x", "f4", 0), ("y", "f4", 4), ("z", "f4", 8))
VENDORS = {
    # ecosystem of drivers: packed Livox, padded Ouster, Velodyne, packed Hesai
    "livox": (
        (*XYZ, ("intensity", "f4", 12), ("tag", "u1", 16), ("line", "u1", 17), ("timestamp", "f8", 18)),
        26,
    ),
    "ouster": ((*XYZ, ("intensity", "f4", 16), ("t", "u4", 20), ("ring", "u2", 26), ("range", "u4", 32)), 48),
    "velodyne": ((*XYZ, ("intensity", "f4", 12), ("ring", "u2", 16), ("time", "f4", 18)), 22),
    "hesai": ((*XYZ, ("intensity", "f4", 12), ("ring", "u2", 16), ("timestamp", "f8", 18)), 26),
    "bare": (XYZ, 12),
    "double": ((("x", "f8", 0), ("y", "f8", 8), ("z", "f8", 16)), 24),
}


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


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendors_layout_is_read(vendor: str, big: bool) -> None:
    layout, step = VENDORS[vendor]
    records = cloud(layout, step, big=big)
    scan = parse(records, layout, big)
    np.testing.assert_array_equal(scan.points_m, xyz(records))
    assert scan.points_m.dtype == np.float32
    assert scan.refused == {}
    assert (scan.times_s is not None) == (vendor not in ("bare", "double"))


@pytest.mark.parametrize(
    ("name", "code", "value", "expected_s"),
    [
        ("t", "u4", 25_000_000, 0.025),
        ("offset_time", "u4", 25_000_000, 0.025),
        ("time", "f4", -0.03, -0.03),
        ("timestamp", "f8", STAMP * 1e-9 + 0.05, 0.05),
        ("timestamp", "f8", float(STAMP + 50_000_000), 0.05),
        ("timestamp", "f8", 12.0, 12.0),
    ],
)
def test_times_become_seconds_from_the_stamp(name: str, code: str, value: float, expected_s: float) -> None:
    layout = (*XYZ, (name, code, 12))
    records = cloud(layout, 20)
    records[name] = value
    scan = parse(records, layout)
    assert scan.times_s is not None
    np.testing.assert_allclose(scan.times_s, expected_s, atol=1e-6)


def test_times_of_another_clock_count_from_the_first_point() -> None:
    layout = (*XYZ, ("timestamp", "f8", 12))
    records = cloud(layout, 20)
    records["timestamp"] = 1.2e9 + np.arange(50) * 1e-3
    scan = parse(records, layout)
    assert scan.times_s is not None
    np.testing.assert_allclose(scan.times_s, np.arange(50) * 1e-3, atol=1e-6)


def test_points_that_cannot_be_are_dropped_with_their_times_and_counted() -> None:
    layout = (*XYZ, ("time", "f4", 12))
    records = cloud(layout, 16)
    records["time"] = np.arange(50)
    records["x"][:3] = (np.nan, np.inf, 1e30)
    for axis in "xyz":
        records[axis][3:5] = 0.0
        records[axis][5] = 0.1
    records["z"][6] = 500.0
    scan = parse(records, layout)
    assert scan.refused == {"nan": 2, "zero": 2, "range": 3}
    np.testing.assert_array_equal(scan.times_s, np.arange(7, 50))
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
