# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The navigation sensors: an RTK receiver and an inertial unit with their errors.

Fixes have white noise of RTK size, honestly stated in their covariance. The attitude error drifts
slowly, as fused attitude does: it is a function of time, so two samples close in time share it.
Gyro and accelerometer have a constant bias and white noise per sample.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from pyproj import Transformer

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.sensing.transform import Quaternion, multiply, turned, unit
from vidgen_nodes.sim import site
from vidgen_nodes.sim.noise import Numbers, draw
from vidgen_nodes.sim.readings import FixReading, ImuReading
from vidgen_nodes.sim.trajectory import FlightTruth, Sines

_BASE_LINE_KM: Final = 0.8
FIX_SIGMA_M: Final = (0.01 + 1e-3 * _BASE_LINE_KM, 0.01 + 1e-3 * _BASE_LINE_KM, 0.015 + 1e-3 * _BASE_LINE_KM)
ATTITUDE_SIGMA_DEG: Final = (0.10, 0.10, 0.15)  # roll, pitch, yaw; about the axes of map
GYRO_SIGMA_RADPS: Final = 0.002
GYRO_BIAS_RADPS: Final = 0.0005
ACCELERATION_SIGMA_MPS2: Final = 0.05
ACCELERATION_BIAS_MPS2: Final = 0.02
_DRIFT_TERMS: Final = 3
_DRIFT_PERIOD_S: Final = (9.0, 60.0)
_DIAGONAL_KNOWN: Final = 2  # NavSatFix.COVARIANCE_TYPE_DIAGONAL_KNOWN
_LEVEL: Final[Quaternion] = (0.0, 0.0, 0.0, 1.0)
_GBAS: Final = 2  # NavSatStatus.STATUS_GBAS_FIX


class Receiver:
    """The RTK receiver, always fixed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._to_enu = Transformer.from_pipeline(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
            f"+step +proj=topocentric +ellps=WGS84 +lat_0={site.DATUM_LATITUDE_DEG} "
            f"+lon_0={site.DATUM_LONGITUDE_DEG} +h_0={site.DATUM_ALTITUDE_M}"
        )

    def fix(self, antenna_m: FloatArray, index: int) -> FixReading:
        """Fix ``index`` of an antenna (3,) in map."""
        sigma = np.array(FIX_SIGMA_M)
        east, north, up = antenna_m + sigma * draw(self._seed, "fix", index).standard_normal(3)
        longitude, latitude, altitude = self._to_enu.transform(east, north, up, direction="INVERSE")
        covariance = np.diag(sigma**2).reshape(-1)
        return FixReading(
            float(latitude), float(longitude), float(altitude), covariance, _DIAGONAL_KNOWN, _GBAS
        )


class InertialUnit:
    """The IMU with its fused attitude."""

    def __init__(self, seed: int) -> None:
        self._numbers = Numbers(seed, "imu")
        source = draw(seed, "drift")
        self._drift = [_drift(source, math.radians(sigma)) for sigma in ATTITUDE_SIGMA_DEG]
        self._gyro_bias = source.normal(0.0, GYRO_BIAS_RADPS, 3)
        self._acceleration_bias = source.normal(0.0, ACCELERATION_BIAS_MPS2, 3)
        self._covariances = (
            np.diag(np.radians(ATTITUDE_SIGMA_DEG) ** 2).reshape(-1),
            np.diag([GYRO_SIGMA_RADPS**2] * 3).reshape(-1),
            np.diag([ACCELERATION_SIGMA_MPS2**2] * 3).reshape(-1),
        )

    def attitude_error_rad(self, t_s: float) -> FloatArray:
        """(3,) rotation vector in map by which the reported attitude is off."""
        return np.array([sines.at(t_s)[0] for sines in self._drift])

    def read(self, truth: FlightTruth, index: int) -> ImuReading:
        """Sample ``index``, measured at the moment of ``truth``."""
        noise = self._numbers.at(index).standard_normal((2, 3))
        error = turned(_LEVEL, self.attitude_error_rad(truth.t_s).tolist(), 1.0)
        return ImuReading(
            np.array(unit(multiply(error, truth.map_q_base))),
            self._covariances[0],
            truth.angular_velocity_radps + self._gyro_bias + GYRO_SIGMA_RADPS * noise[0],
            self._covariances[1],
            truth.specific_force_mps2 + self._acceleration_bias + ACCELERATION_SIGMA_MPS2 * noise[1],
            self._covariances[2],
        )


def _drift(source: np.random.Generator, sigma_rad: float) -> Sines:
    """Sines of random period and phase with the given root mean square."""
    amplitude = sigma_rad * math.sqrt(2.0 / _DRIFT_TERMS)
    periods_s = source.uniform(*_DRIFT_PERIOD_S, _DRIFT_TERMS)
    phases = source.uniform(0.0, 2.0 * math.pi, _DRIFT_TERMS)
    return Sines(0.0, tuple((amplitude, float(p), float(a)) for p, a in zip(periods_s, phases, strict=True)))
