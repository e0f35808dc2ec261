# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of rtk_node."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class RtkParams(Checked):
    """rtk_node: datum, heights, antennas and filter."""

    stack: str = param(
        "generic",
        "Whose messages are read: standard topics in standard axes (fix, imu/data, gimbal), or a drone stack's own.",
        choices=("generic", "psdk_ros2", "mavros", "px4"),
    )
    nmea_source: str = param(
        "",
        "Positions from NMEA sentences instead of a topic: a file, /dev/ttyUSB0@115200 or tcp://host:port; "
        "empty: from the topic.",
    )
    publish_tf: bool = param(
        True,
        "Send map -> base_link to TF where tf2 is installed. Off where something else does: a frame has one parent.",
    )
    thermal_frame: str = param(
        "", "Also send base_link -> this optical frame, where the driver sends none (psdk_ros2); empty: not."
    )
    lidar_frame: str = param("", "Also send base_link -> this LiDAR frame; empty: not.")
    datum_latitude_deg: float = param(
        math.nan, "Latitude of the origin of map; NaN: the first fix becomes the datum.", unit="deg"
    )
    datum_longitude_deg: float = param(
        math.nan, "Longitude of the origin of map; NaN: the first fix.", unit="deg"
    )
    datum_altitude_m: float = param(
        math.nan, "Height of the origin of map, in datum_height; NaN: the first fix.", unit="m"
    )
    height_datum: str = param(
        "ellipsoidal",
        "What NavSatFix.altitude means: above the WGS 84 ellipsoid, or above the geoid (mean sea level).",
        choices=("ellipsoidal", "orthometric"),
    )
    datum_height: str = param(
        "",
        "What datum_altitude_m means; empty: the same as height_datum. The two differing needs a geoid below.",
        choices=("", "ellipsoidal", "orthometric"),
    )
    geoid_undulation_m: float = param(
        math.nan,
        "Height of the geoid above the ellipsoid at the site (-106 to 85); NaN: not known.",
        unit="m",
    )
    geoid_grid: str = param(
        "",
        "The same from a grid: a CSV file (latitude_deg, longitude_deg, undulation_m), a .tif or .gtx file of PROJ, "
        "or the EPSG code of a height system, like EPSG:3855, whose grid PROJ has. Empty: none.",
    )
    antenna_m: tuple[float, float, float] = param([0.0, 0.0, 0.0], "Antenna in base_link (FLU).", unit="m")
    antenna_baseline_yaw_deg: float = param(
        0.0,
        "Yaw in base_link of the line from the main to the second antenna (0 ahead, 90 to the left), for sources "
        "that give the heading of that line.",
        unit="deg",
        low=-360.0,
        high=360.0,
    )
    heading_sigma_deg: float = param(
        0.3, "Error of a dual-antenna heading that states none, 1 sigma.", unit="deg", low=0.001, high=90.0
    )
    fix_delay_ms: float = param(
        40.0,
        "A fix, and a dual-antenna heading, takes effect this long after its stamp.",
        unit="ms",
        low=0.0,
        high=1000.0,
    )
    fix_time_sigma_ms: float = param(
        1.0,
        "Error of the fixes' stamps against the IMU's, 1 sigma; at 10 m/s a millisecond is a centimetre.",
        unit="ms",
        low=0.0,
        high=1000.0,
    )
    # On simulated flights that swing by 200 deg/s^2, 50 and 100 Hz place the picture alike (1.7 px at the 95th
    # percentile with real noise; 0.25 and 0.1 px without any), and every state costs three processes a message.
    output_rate_hz: float = param(50.0, "At most so many states a second.", unit="Hz", low=1.0, high=1000.0)
    coast_s: float = param(
        30.0,
        "Without a fix the IMU alone carries the state so long, with growing covariance; then it ends.",
        unit="s",
        low=0.1,
        high=600.0,
    )
    acceleration_noise_density: float = param(
        0.01, "White noise of the accelerometer, vibration included.", unit="m/s^2/√Hz", low=1e-5, high=10.0
    )
    gyro_noise_density: float = param(
        3e-4, "White noise of the gyro, vibration included.", unit="rad/s/√Hz", low=1e-7, high=1.0
    )
    acceleration_bias_mps2: float = param(
        0.1, "Bias of the accelerometer at the start, 1 sigma.", unit="m/s^2", low=0.0, high=10.0
    )
    gyro_bias_radps: float = param(
        0.003, "Bias of the gyro at the start, 1 sigma.", unit="rad/s", low=0.0, high=1.0
    )
    orientation_sigma_deg: tuple[float, float] = param(
        [0.3, 2.0],
        "Error of the IMU's own orientation, 1 sigma: tilt, heading. A heading of 90 or more means that its zero is "
        "not east: heading then comes from two antennas or from motion.",
        unit="deg",
    )
    orientation_time_s: float = param(
        20.0,
        "The error of the IMU's own orientation drifts with this correlation time.",
        unit="s",
        low=0.1,
        high=1e5,
    )
    outlier_gate_sigma: float = param(
        5.0,
        "Fixes less probable than this many sigma are refused (chi-square of the normalised innovation).",
        low=1.0,
        high=100.0,
    )
    zero_velocity: bool = param(
        True, "On the ground (quiet IMU, no speed) the filter may take velocity and turn rate for zero."
    )
