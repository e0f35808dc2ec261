# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Cloud files as the baseline, written here and recorded by real LiDARs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import CellFlag, Grid, PointScan, Pose, SourceRef
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.baseline_scan import baseline_of, load_baseline, read_points
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper

SHARED = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
POINTS = np.random.default_rng(1).uniform(-5, 5, (500, 3)).astype(np.float32)
LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def write_pcd(path: Path, kind: str) -> None:
    head = "VERSION 0.7\nFIELDS intensity x y z\nSIZE 1 4 4 4\nTYPE U F F F\nCOUNT 1 1 1 1\n"
    head += f"WIDTH 500\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 500\nDATA {kind}\n"
    if kind == "ascii":
        body = "".join(f"7 {x!r} {y!r} {z!r}\n" for x, y, z in POINTS.tolist()).encode()
    else:
        records = np.zeros(500, [("i", "u1"), ("p", "<f4", (3,))])
        records["p"] = POINTS
        body = records.tobytes()
    path.write_bytes(f"# .PCD v0.7\n{head}".encode() + body)


def write_ply(path: Path, kind: str) -> None:
    head = f"ply\nformat {kind} 1.0\ncomment made here\nelement vertex 500\nproperty double x\nproperty double y\n"
    head += "property double z\nproperty uchar red\nelement face 0\nproperty list uchar int vertex_index\nend_header\n"
    if kind == "ascii":
        body = "".join(f"{x!r} {y!r} {z!r} 9\n" for x, y, z in POINTS.tolist()).encode()
    else:
        records = np.zeros(500, [("p", ">f8" if "big" in kind else "<f8", (3,)), ("r", "u1")])
        records["p"] = POINTS
        body = records.tobytes()
    path.write_bytes(head.encode() + body)


@pytest.mark.parametrize(
    "kind", ["ascii", "binary", "ply ascii", "ply binary_big_endian", "ply binary_little_endian", "npy"]
)
def test_every_kind_of_file_gives_the_same_points(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"cloud.{'npy' if kind == 'npy' else 'ply' if 'ply' in kind else 'pcd'}"
    if kind == "npy":
        np.save(path, POINTS)
    elif "ply" in kind:
        write_ply(path, kind.split()[1])
    else:
        write_pcd(path, kind)
    np.testing.assert_allclose(read_points(path), POINTS, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cloud.las", b"LASF"),
        ("missing.pcd", None),
        ("cloud.pcd", b"FIELDS x y z\n"),
        ("cloud.pcd", b"FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 9\nDATA binary\nshort"),
        ("cloud.pcd", b"FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 1\nDATA binary_compressed\n\0\0\0"),
        ("cloud.pcd", b"FIELDS a b c\nSIZE 4 4 4\nTYPE F F F\nPOINTS 0\nDATA binary\n"),
        ("cloud.ply", b"solid stl"),
        ("cloud.ply", b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n"),
        ("cloud.npy", b"\x93NUMPY"),
    ],
)
def test_what_is_no_cloud_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=name):
        read_points(path)


def test_points_without_a_number_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "cloud.npy"
    np.save(path, np.array([[1.0, 2.0, 3.0], [np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0]]))
    assert read_points(path).tolist() == [[1.0, 2.0, 3.0]]
    np.save(path, np.full((3, 3), np.nan))
    with pytest.raises(ConfigError, match="no finite point"):
        load_baseline(path)


def test_the_baseline_keeps_centimetres_far_from_the_origin() -> None:
    """Coordinates of a national grid: hundreds of kilometres, where float32 has steps of 3 to 60 cm."""
    rng = np.random.default_rng(2)
    corner = np.array([492_000.0, 5_432_000.0])
    x, y = corner[0] + rng.uniform(0, 4, 4000), corner[1] + rng.uniform(0, 4, 4000)
    points = np.column_stack((x, y, 300.0 + rng.normal(0, 0.01, 4000)))
    layers = baseline_of(points)(Grid(corner[0], corner[1], 0.5, 8, 8))
    np.testing.assert_allclose(layers.height_m, 300.0, atol=0.02)
    assert (layers.variance_m2 < 1e-5).all()


# Rooms seen from within are ceiling over floor: few cells have one surface, and steps say nothing of change.
REAL = [
    ("nebula_pandar40p_1673400149711850138.pcd", 0),
    ("nebula_qt64_1673401196087570870.pcd", 0),
    ("small_gicp_source.ply", 20),
]


@pytest.mark.parametrize(("name", "comparable"), REAL)
def test_a_real_scan_does_not_differ_from_itself(name: str, comparable: int) -> None:
    """The same cloud as baseline and, seen with 2 cm more noise, as scans: nothing is claimed to have changed."""
    path = SHARED / "lidar" / name
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    points = read_points(path)
    assert len(points) > 30_000
    mapper = UncertaintyMapper(
        LidarParams(map_size_m=30.0, resolution_m=0.5, map_follows="nothing"), baseline_of(points)
    )
    rng = np.random.default_rng(3)
    for k in range(5):
        stamp_ns = 1_000_000_000_000 + k * 100_000_000
        seen = (points + rng.normal(0.0, 0.02, points.shape)).astype(np.float32)
        source = SourceRef("points", "sensor_msgs/msg/PointCloud2", stamp_ns, bytes(32))
        umap = mapper.add_scan(PointScan(stamp_ns, "lidar", seen, None, {}, source), Pose(np.zeros(3), LEVEL))
    assert mapper.baseline_refused == ""
    known = np.isfinite(umap.elevation_m)
    assert known.sum() > 60
    values = umap.uncertainty[known]
    assert ((values >= 0) & (values <= 1)).all()
    stated = np.isfinite(umap.lod95_m)
    assert stated.sum() >= comparable
    claimed = (umap.flags & CellFlag.CHANGED) > 0
    assert claimed.sum() <= max(1, 0.05 * stated.sum())
    assert np.nanmax(umap.surface_variation) <= 1 / 3
