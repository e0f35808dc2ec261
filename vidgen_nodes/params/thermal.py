# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of thermal_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class ThermalParams(Checked):
    """thermal_node: what the counts mean, how the sensor is corrected, and when a calibration counts."""

    radiometry: str = param(
        "auto",
        "What values mean: linear (scale and offset below), planck (R1, B, F, O, R2 below, 16-bit), kelvin or "
        "celsius (32FC1), none (no temperature is ever claimed), auto (linear for mono16/16UC1, kelvin or celsius "
        "for 32FC1 by their size). 8-bit and colour images never have a temperature, nor have values that no scene "
        "can have.",
        choices=("auto", "linear", "none", "planck", "kelvin", "celsius"),
    )
    scale_k_per_count: float = param(
        0.01, "Kelvin per count of a linear camera.", unit="K", low=1e-6, high=10.0
    )
    offset_k: float = param(0.0, "Kelvin at count 0 of a linear camera.", unit="K", low=-1000.0, high=1000.0)
    planck_r1: float = param(0.0, "Planck constant R1 of the camera; 0: not known.", low=0.0)
    planck_b_k: float = param(0.0, "Planck constant B of the camera.", unit="K", low=0.0)
    planck_f: float = param(1.0, "Planck constant F of the camera.")
    planck_o: float = param(0.0, "Planck constant O of the camera.", unit="counts")
    planck_r2: float = param(0.0, "Planck constant R2 of the camera.", low=0.0)
    range_low_k: float = param(
        0.0, "The camera measures nothing colder; 0: not known.", unit="K", low=0.0, high=5000.0
    )
    range_high_k: float = param(
        0.0,
        "The camera clips above this; 0: not known, only full scale counts.",
        unit="K",
        low=0.0,
        high=5000.0,
    )
    emissivity: float = param(
        1.0, "Of what is looked at, for thermal/temperature; 1: brightness temperature.", low=0.05, high=1.0
    )
    reflected_degc: float = param(
        20.0, "What surfaces mirror, for thermal/temperature.", unit="degC", low=-100.0, high=1000.0
    )
    air_degc: float = param(
        20.0, "Air between camera and object, for thermal/temperature.", unit="degC", low=-40.0, high=80.0
    )
    relative_humidity_percent: float = param(
        50.0, "Of that air, for thermal/temperature.", unit="%", low=0.0, high=100.0
    )
    object_distance_m: float = param(
        0.0, "Length of the path through that air; 0: no air.", unit="m", low=0.0, high=2000.0
    )
    temperature_rate_hz: float = param(
        10.0, "At most so many thermal/temperature a second (event time).", unit="Hz", low=0.1, high=60.0
    )
    calibration_file: str = param(
        "", "Camera calibration (YAML of the ROS calibrator); it outranks camera_info. Empty: camera_info."
    )
    correction_file: str = param(
        "",
        "Flat field and dead pixels: .npz with offset, shutter, dead, or a 16-bit picture of the shutter. Empty: none.",
    )
    camera_info_delay_ms: float = param(
        20.0, "A camera_info takes effect this long after its stamp.", unit="ms", low=0.0, high=1000.0
    )
    frozen_frames: int = param(
        5,
        "So many pixel-identical frames in a row (the outer 3 rows aside) mean that the camera hangs; 0 turns the "
        "check off. A driver that repeats a slow camera's pictures needs more.",
        low=0,
        high=1000,
    )
