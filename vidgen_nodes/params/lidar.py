# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of lidar_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class LidarParams(Checked):
    """lidar_node: where the LiDAR sits and how the map is cut."""

    lidar_translation_m: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0], "LiDAR in base_link (FLU).", unit="m"
    )
    lidar_rpy_deg: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0], "Roll, pitch, yaw of the LiDAR in base_link.", unit="deg"
    )
    map_center_m: tuple[float, float] = param(
        [0.0, 0.0], "Centre of the map window, east and north.", unit="m"
    )
    map_size_m: float = param(40.0, "Edge of the square map window.", unit="m", low=1.0, high=2000.0)
    resolution_m: float = param(0.5, "Edge of a cell.", unit="m", low=0.02, high=10.0)
    map_rate_hz: float = param(
        5.0,
        "A map at most so often; every scan enters. 0: one after every scan.",
        unit="Hz",
        low=0.0,
        high=100.0,
    )
    sensor_sigma_m: float = param(0.02, "Range noise of the LiDAR, 1 sigma.", unit="m", low=1e-4, high=1.0)
    min_range_m: float = param(0.5, "Nearer returns are refused.", unit="m", low=0.0, high=1000.0)
    max_range_m: float = param(120.0, "Farther returns are refused.", unit="m", low=1.0, high=10000.0)
    pose_wait_ms: float = param(
        150.0,
        "A scan waits at most this long (event time) for the pose at its stamp.",
        unit="ms",
        low=0.0,
        high=2000.0,
    )
    dialect: str = param(
        "auto",
        "Whose PointCloud2 it is, which decides what the per-point times mean; auto: told from the fields. "
        "plain: no times are used.",
        choices=("auto", "livox", "ouster", "velodyne", "nebula", "hesai", "robosense", "plain"),
    )
    scan_span_ms: float = param(
        250.0,
        "A point's own time lies within this of the scan's stamp; others are refused.",
        unit="ms",
        low=1.0,
        high=1000.0,
    )
    scan_source: str = param(
        "points",
        "What the map is made from: the LiDAR's points, or elevation_map (grid_map_msgs/GridMap) of another node.",
        choices=("points", "elevation_map"),
    )
    map_follows: str = param(
        "view",
        "What the map window moves with, by whole cells: the middle of the returns, the drone, or nothing.",
        choices=("view", "drone", "nothing"),
    )
    registration_error_m: float = param(
        0.03, "How far the baseline may lie off the scans; part of the level of detection.", unit="m", low=0.0,
        high=10.0,
    )  # fmt: skip
    baseline_file: str = param(
        "",
        "Cloud of the sound building in map (.npy, .pcd, .ply) as the baseline; empty: the building's roofs.",
    )
    building_file: str = param(
        "", "Building YAML whose roofs are the baseline of the map; empty: no baseline."
    )
