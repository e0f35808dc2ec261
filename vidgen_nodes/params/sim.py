# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of sim_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class SimParams(Checked):
    """sim_node: the built-in flight."""

    seed: int = param(1, "Seed of every random number of the flight.", low=0)
    duration_s: float = param(0.0, "Stop publishing after this; 0: fly on.", unit="s", low=0.0, high=1e6)
    thermal_rate_hz: float = param(50.0, "Thermal frames.", unit="Hz", low=1.0, high=60.0)
    imu_rate_hz: float = param(200.0, "IMU samples.", unit="Hz", low=10.0, high=1000.0)
    fix_rate_hz: float = param(10.0, "Position fixes.", unit="Hz", low=0.5, high=50.0)
    lidar_rate_hz: float = param(10.0, "LiDAR scans.", unit="Hz", low=0.5, high=20.0)
    lidar_points: int = param(30000, "Points of a scan.", low=100, high=1000000)
    jitter_ms: float = param(
        0.0, "Uniform jitter on the stamps, plus or minus.", unit="ms", low=0.0, high=100.0
    )
    drop_fraction: float = param(0.0, "Share of messages lost, each stream alike.", low=0.0, high=1.0)
    reorder_fraction: float = param(0.0, "Share of messages swapped with their successor.", low=0.0, high=1.0)
    thermal_clock_offset_ms: float = param(
        0.0, "The thermal camera's clock is ahead by this.", unit="ms", low=-10000.0, high=10000.0
    )
