# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of thermal_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class ThermalParams(Checked):
    """thermal_node: what the counts mean and when a calibration counts."""

    radiometry: str = param(
        "auto",
        "What counts mean: linear (scale and offset below), none (no temperature is ever claimed), "
        "auto (linear for mono16/16UC1 when scale is set, kelvin for 32FC1, none for 8-bit).",
        choices=("auto", "linear", "none"),
    )
    scale_k_per_count: float = param(
        0.01, "Kelvin per count of a linear camera.", unit="K", low=1e-6, high=10.0
    )
    offset_k: float = param(0.0, "Kelvin at count 0 of a linear camera.", unit="K", low=-1000.0, high=1000.0)
    camera_info_delay_ms: float = param(
        20.0, "A camera_info takes effect this long after its stamp.", unit="ms", low=0.0, high=1000.0
    )
    frozen_frames: int = param(
        5,
        "So many pixel-identical frames in a row mean that the camera hangs; 0 turns the check off.",
        low=0,
        high=1000,
    )
