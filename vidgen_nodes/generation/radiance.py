# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Band radiance of a black body between 8 and 14 um by table, and back to temperature.

Guarantees 5 mK for the inverse from -20 to 1200 degC; the exact function is in ``vidgen_nodes/black_body.py``.
Leaves out emissivity and the air between: those belong to who uses it.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.packets import Float32Array, FloatArray

TABLE_LOW_K = 200.0
TABLE_HIGH_K = 2400.0
TABLE_STEP_K = 0.5


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
