# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Band radiance of a black body between 8 and 14 um, and back to temperature.

Guarantees 1e-6 relative against Planck's law for the exact function, and 5 mK for the table's
inverse from -20 to 1200 degC. Leaves out emissivity and the air between: those belong to who uses it.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import Float32Array, FloatArray

BAND_UM = (8.0, 14.0)
FIRST_RADIATION_W_UM4_PER_M2_SR = 1.191042972e8  # 2 h c^2, CODATA 2018
SECOND_RADIATION_UM_K = 14387.76877  # h c / k, CODATA 2018

TABLE_LOW_K = 200.0
TABLE_HIGH_K = 2400.0
TABLE_STEP_K = 0.5


def band_radiance_w_per_m2_sr(temperature_k: npt.ArrayLike) -> FloatArray:
    """Planck's law integrated over 8-14 um by 32-point Gauss-Legendre quadrature.

    Args:
        temperature_k: any shape, above 0 K.
    """
    nodes, weights = np.polynomial.legendre.leggauss(32)
    half_um = 0.5 * (BAND_UM[1] - BAND_UM[0])
    wavelength_um = 0.5 * (BAND_UM[0] + BAND_UM[1]) + half_um * nodes
    temperature = np.asarray(temperature_k, dtype=np.float64)[..., None]
    exponent = SECOND_RADIATION_UM_K / (wavelength_um * temperature)
    spectral = FIRST_RADIATION_W_UM4_PER_M2_SR / wavelength_um**5 / np.expm1(exponent)
    return np.asarray((spectral * weights).sum(axis=-1) * half_um)


@functools.cache
def _table() -> tuple[FloatArray, FloatArray]:
    steps = round((TABLE_HIGH_K - TABLE_LOW_K) / TABLE_STEP_K)
    temperature_k = TABLE_LOW_K + TABLE_STEP_K * np.arange(steps + 1, dtype=np.float64)
    radiance = band_radiance_w_per_m2_sr(temperature_k)
    for array in (temperature_k, radiance):
        array.setflags(write=False)
    return temperature_k, radiance


def radiance_table() -> Float32Array:
    """Radiance at ``TABLE_LOW_K + i * TABLE_STEP_K``, W/(m2 sr), for look-up by index (read-only copy)."""
    return _table()[1].astype(np.float32)


def table_radiance_w_per_m2_sr(temperature_k: npt.ArrayLike) -> FloatArray:
    """The same as ``band_radiance_w_per_m2_sr`` by table (1e-5 relative); ends of the table hold beyond it."""
    temperatures, radiances = _table()
    return np.asarray(np.interp(np.asarray(temperature_k, dtype=np.float64), temperatures, radiances))


def apparent_temperature_k(radiance_w_per_m2_sr: npt.ArrayLike) -> FloatArray:
    """Temperature of the black body with this band radiance; ends of the table hold beyond it."""
    temperatures, radiances = _table()
    return np.asarray(np.interp(np.asarray(radiance_w_per_m2_sr, dtype=np.float64), radiances, temperatures))
