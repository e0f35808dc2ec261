# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The LiDAR map: what a scan costs, and whether its claims of change hold statistically.

Timed is all that ``lidar_node`` does with a parsed scan whose points carry their own times: motion
compensation, every layer, the digest. Change is judged on slabs of 100 x 100 cells with 20 returns of 2 cm
noise each, against a baseline scan of the same kind: false positives with registration error 0 (the
null of the test), a sag of 5 cm and one of 1 cm with 1 cm of it. One thread.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import numpy as np

from vidgen_nodes.packets import CellFlag, FloatArray, NavState, PointScan, Pose, RtkStatus, SourceRef
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.baseline_scan import baseline_of
from vidgen_nodes.sensing.scan_pose import ScanPosing
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper

SIGMA_M = 0.02
RETURNS = 20
EDGE_CELLS = 100
_START_NS = 1_000_000_000_000
_SCAN_NS = 100_000_000
_HEIGHT_M = 30.0
_LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def time_scans(points: int, scans: int = 15) -> float:
    """Median milliseconds a scan of so many points, downward from a drone that flies and turns."""
    params = LidarParams(map_size_m=40.0, resolution_m=0.5)
    posing, mapper = ScanPosing(params), UncertaintyMapper(params, baseline_of(_slab(1)))
    rng = np.random.default_rng(points)
    taken_ms: list[float] = []
    next_ns = _START_NS
    for index in range(scans):
        stamp_ns = _START_NS + index * _SCAN_NS
        while next_ns <= stamp_ns + _SCAN_NS:
            posing.add_nav(_state(next_ns))
            next_ns += _SCAN_NS // 10
        cloud = rng.uniform(-20.0, 20.0, (points, 3)).astype(np.float32)
        cloud[:, 2] = rng.normal(-_HEIGHT_M, SIGMA_M, points)
        times_s = np.sort(rng.uniform(0.0, 0.0999, points)).astype(np.float32)
        scan = PointScan(stamp_ns, "lidar", cloud, times_s, {}, _source(stamp_ns))
        started_s = time.perf_counter()
        for posed in posing.add_scan(scan):
            mapper.add_scan(posed.scan, posed.map_T_lidar, posed.height_sigma_m)
            taken_ms.append((time.perf_counter() - started_s) * 1e3)
    if len(taken_ms) < scans - 1:
        raise RuntimeError(f"only {len(taken_ms)} of {scans} scans were posed")
    return statistics.median(taken_ms[1:])


def claimed_share(sag_m: float, registration_m: float, seed: int) -> float:
    """Share of the cells of a slab that are claimed to have changed, after it sagged by so much."""
    params = LidarParams(
        map_size_m=0.5 * EDGE_CELLS,
        resolution_m=0.5,
        sensor_sigma_m=SIGMA_M,
        registration_error_m=registration_m,
        map_follows="nothing",
    )
    mapper = UncertaintyMapper(params, baseline_of(_slab(seed)))
    points = _slab(seed + 1) - (0.0, 0.0, sag_m + _HEIGHT_M)
    pose = Pose(np.array([0.0, 0.0, _HEIGHT_M]), _LEVEL)
    umap = mapper.add_scan(
        PointScan(_START_NS, "lidar", points.astype(np.float32), None, {}, _source(_START_NS)), pose
    )
    stated = np.isfinite(umap.lod95_m)
    if np.count_nonzero(stated) < 0.9 * stated.size:
        raise RuntimeError(f"only {np.count_nonzero(stated)} of {stated.size} cells state a difference")
    return float(np.mean((umap.flags[stated] & CellFlag.CHANGED) > 0))


def _slab(seed: int) -> FloatArray:
    """A level slab at height 0: ``RETURNS`` returns in each cell of half a metre, (N, 3) m."""
    rng = np.random.default_rng(seed)
    corner_m = 0.5 * (np.arange(EDGE_CELLS) - 0.5 * EDGE_CELLS)
    east, north = (axis.ravel().repeat(RETURNS) for axis in np.meshgrid(corner_m, corner_m))
    inside = rng.uniform(0.001, 0.499, (2, east.size))
    return np.column_stack((east + inside[0], north + inside[1], rng.normal(0.0, SIGMA_M, east.size)))


def _state(stamp_ns: int) -> NavState:
    """8 m/s east, turning at 60 deg/s."""
    t_s = (stamp_ns - _START_NS) * 1e-9
    half = 0.5 * np.radians(60.0) * t_s
    pose = Pose(np.array([8.0 * t_s, 0.0, _HEIGHT_M]), np.array([0.0, 0.0, np.sin(half), np.cos(half)]))
    still = np.zeros(3)
    return NavState(stamp_ns, pose, still, still, still, np.eye(6) * 1e-4, RtkStatus.FIXED, stamp_ns, ())


def _source(stamp_ns: int) -> SourceRef:
    return SourceRef("points", "sensor_msgs/msg/PointCloud2", stamp_ns, bytes(32))


def measure() -> dict[str, float]:
    """All figures."""
    return {
        "ms_per_scan_60k": round(time_scans(60_000), 2),
        "ms_per_scan_300k": round(time_scans(300_000, scans=7), 2),
        "false_positive_rate": round(claimed_share(0.0, 0.0, seed=3), 4),
        "sag_5cm_recall": round(claimed_share(0.05, 0.01, seed=5), 4),
        "sag_1cm_claimed": round(claimed_share(0.01, 0.01, seed=7), 4),
        "false_positive_rate_registered": round(claimed_share(0.0, 0.01, seed=9), 4),
    }


def run(args: Any) -> int:
    """``vidgen bench uncertainty [--json]``."""
    result = measure()
    if not args.json:
        for key, value in result.items():
            print(f"{key:32} {value}")
    print(json.dumps(result))
    return 0
