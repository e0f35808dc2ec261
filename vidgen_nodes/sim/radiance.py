# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the simulated thermal camera integrates and what it says: band radiance and counts.

Radiance is carried in whole steps of ``STEP`` so that noise can be added in integers where it is
constant, in radiance; a table turns steps into centikelvin as the camera's own calibration would.
Shares nothing with ``generation/``: what is drawn is checked against this camera, not against itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.sim.rig import SCALE_K_PER_COUNT

_C1L: Final = 1.191042972e8  # W um^4 / m^2 / sr, 2 h c^2
_C2: Final = 14387.76877  # um K, h c / k
_BAND_UM: Final = (8.0, 14.0)
NETD_K: Final = 0.050  # at 300 K
NER_W_PER_M2_SR: Final = NETD_K * 0.8378  # NETD times dL/dT at 300 K
STEP_W_PER_M2_SR: Final = 0.004  # 5 mK at 300 K
RANGE_K: Final = (253.15, 423.15)  # high gain, -20 to 150 degC; beyond, the camera clips

Counts = npt.NDArray[np.uint16]


def band_radiance(temperature_k: FloatArray) -> FloatArray:
    """Black-body radiance 8-14 um, W/m^2/sr, by Planck's law and Gauss-Legendre quadrature; any shape."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    half = 0.5 * (_BAND_UM[1] - _BAND_UM[0])
    wavelengths_um = _BAND_UM[0] + half * (nodes + 1.0)
    temperature_k = np.asarray(temperature_k, dtype=np.float64)
    total = np.zeros_like(temperature_k)
    for um, weight in zip(wavelengths_um, weights, strict=True):
        total += weight * half * _C1L / um**5 / np.expm1(_C2 / (um * temperature_k))
    return total


def apparent_steps(temperature_k: FloatArray, emissivity: FloatArray | float, sky_k: float) -> Counts:
    """What leaves a surface towards the camera, in steps: its own radiance and the sky's reflected in it."""
    sky = band_radiance(np.array(sky_k))
    radiance = emissivity * band_radiance(temperature_k) + (1.0 - np.asarray(emissivity)) * sky
    return np.asarray(np.rint(radiance / STEP_W_PER_M2_SR).astype(np.uint16))


def centikelvin_table(bias_steps: int) -> Counts:
    """(65536,) table from steps plus a bias to counts of 0.01 K, clipped to the camera's range."""
    grid_k = np.arange(200.0, 500.0, 0.05)
    radiance = (np.arange(65536, dtype=np.float64) - bias_steps) * STEP_W_PER_M2_SR
    temperature_k = np.interp(radiance, band_radiance(grid_k), grid_k)
    return np.asarray(np.rint(np.clip(temperature_k, *RANGE_K) / SCALE_K_PER_COUNT).astype(np.uint16))
