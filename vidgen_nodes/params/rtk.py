# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of rtk_node."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class RtkParams(Checked):
    """rtk_node: datum, antenna and filter."""

    datum_latitude_deg: float = param(
        math.nan, "Latitude of the origin of map; NaN: the first fix becomes the datum.", unit="deg"
    )
    datum_longitude_deg: float = param(
        math.nan, "Longitude of the origin of map; NaN: the first fix.", unit="deg"
    )
    datum_altitude_m: float = param(
        math.nan, "Height of the origin of map, in height_datum; NaN: the first fix.", unit="m"
    )
    height_datum: str = param(
        "ellipsoidal",
        "What NavSatFix.altitude and the datum height mean.",
        choices=("ellipsoidal", "orthometric"),
    )
    antenna_m: tuple[float, float, float] = param([0.0, 0.0, 0.0], "Antenna in base_link (FLU).", unit="m")
    fix_delay_ms: float = param(
        40.0, "A fix takes effect this long after its stamp.", unit="ms", low=0.0, high=1000.0
    )
    output_rate_hz: float = param(100.0, "At most so many states a second.", unit="Hz", low=1.0, high=1000.0)
    acceleration_noise_mps2: float = param(
        0.3, "White noise on the accelerometer that the filter assumes.", unit="m/s^2", low=1e-4, high=100.0
    )
    outlier_gate_sigma: float = param(
        5.0, "Fixes further off than this many sigma are refused.", low=1.0, high=100.0
    )
    orientation_sigma_deg: tuple[float, float] = param(
        [0.2, 0.5], "Error of the IMU's orientation, 1 sigma: tilt, heading.", unit="deg"
    )
