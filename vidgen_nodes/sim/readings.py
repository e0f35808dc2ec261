# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the sensors of the flight hand out: plain arrays and numbers, ready to be put into messages.

Field meanings follow the ROS messages they fill (``sensor_msgs``): covariances are row-major,
Imu follows REP-145 (FLU, gravity included), NavSatFix altitude is ellipsoidal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import ByteArray, FloatArray

THERMAL: Final = "thermal"
CAMERA_INFO: Final = "camera_info"
IMU: Final = "imu"
FIX: Final = "fix"
SCAN: Final = "scan"
KINDS: Final = (THERMAL, CAMERA_INFO, IMU, FIX, SCAN)

# name, offset in bytes, sensor_msgs/PointField datatype (7 = FLOAT32), count
CLOUD_FIELDS: Final = (
    ("x", 0, 7, 1),
    ("y", 4, 7, 1),
    ("z", 8, 7, 1),
    ("intensity", 12, 7, 1),
    ("time", 16, 7, 1),
)
CLOUD_DTYPE: Final = np.dtype([(name, "<f4") for name, _, _, _ in CLOUD_FIELDS])


@dataclass(frozen=True, slots=True)
class Sample:
    """One message to send: which, of what moment, under which stamp, and when.

    Times are seconds from the start of the flight; the stamp is what the message claims, the truth
    is when it was measured.
    """

    kind: str  # one of KINDS
    index: int  # number in its stream, counting those that were dropped
    truth_t_s: float
    stamp_s: float
    send_s: float

    @property
    def stamp_ns(self) -> int:
        """The stamp in whole nanoseconds from the start of the flight (may be below 0 with jitter)."""
        return round(self.stamp_s * 1e9)


@dataclass(frozen=True, slots=True)
class ImuReading:
    """One sample of the IMU."""

    orientation_xyzw: FloatArray  # (4,) map_q_base
    orientation_covariance: FloatArray  # (9,) rad^2
    angular_velocity_radps: FloatArray  # (3,) FLU
    angular_velocity_covariance: FloatArray  # (9,)
    acceleration_mps2: FloatArray  # (3,) FLU, gravity included
    acceleration_covariance: FloatArray  # (9,)


@dataclass(frozen=True, slots=True)
class FixReading:
    """One position fix."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float  # ellipsoidal, of the antenna
    covariance_m2: FloatArray  # (9,) ENU
    covariance_type: int  # NavSatFix.COVARIANCE_TYPE_*
    status: int  # NavSatStatus: 2 = GBAS, which is how drivers report RTK fixed


@dataclass(frozen=True, slots=True)
class Cloud:
    """An unorganised cloud: height 1, dense, little endian."""

    width: int  # points
    point_step: int  # bytes
    fields: tuple[tuple[str, int, int, int], ...]  # name, offset, datatype, count
    data: ByteArray  # (width * point_step,)

    @property
    def points(self) -> np.ndarray[tuple[int, ...], np.dtype[np.void]]:
        """The same bytes as a structured array (width,) of x, y, z [m], intensity, time [s]."""
        return self.data.view(CLOUD_DTYPE)
