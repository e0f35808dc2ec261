# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Thermal frames as pictures of temperature: emissivity, reflection and air taken into account.

Guarantees: nothing comes out of a frame that is not radiometric; a pixel that clipped is infinite and
never a number; a pixel with no temperature is NaN. Leaves out emissivity that differs across the image.
One parameter set has one path: 16-bit frames go through a table that is made once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import Float32Array, FloatArray, ThermalFrame
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.sensing import band_radiance
from vidgen_nodes.sensing.atmosphere import Path, transmission
from vidgen_nodes.sensing.liveness import body
from vidgen_nodes.sensing.radiometry import ZERO_CELSIUS_K, planck_constants

_COUNTS: Final = 65536
_LOWEST_K, _STEP_K, _STEPS = 150.0, 0.05, 67000  # up to 3500 K, as far as band radiance goes
_BLOCK_ROWS: Final = 32
_HAIR_K: Final = 1e-4  # a count at the limit must not miss it by rounding


class ObjectTemperature:
    """Brightness temperature to the temperature of the surface, for one set of parameters."""

    def __init__(self, params: ThermalParams) -> None:
        """Prepare.

        Raises:
            ConfigError: Planck constants missing, or more air than can be seen through.
        """
        self._planck = planck_constants(params)
        self._low_k, self._high_k = params.range_low_k or -np.inf, params.range_high_k or np.inf
        tau = transmission(params.object_distance_m, params.air_degc, params.relative_humidity_percent / 100)
        mirrored, air = (
            float(self._signal(np.float64(value + ZERO_CELSIUS_K)))
            for value in (params.reflected_degc, params.air_degc)
        )
        self.path = Path(params.emissivity, tau, mirrored, air)
        self._plain = params.emissivity == 1.0 and tau == 1.0
        self._table: Float32Array | None = None
        self._table_of = (np.nan, np.nan)
        self._fine: Float32Array | None = None

    def of(self, frame: ThermalFrame) -> Float32Array | None:
        """Kelvin (H, W): +inf where the camera clipped, -inf below its range; None if not radiometric."""
        if not frame.radiometric:
            return None
        pixels: Any = frame.pixels
        scale, offset = frame.scale_k_per_count, frame.offset_k
        if pixels.dtype != np.uint16:
            return self._of_floats(
                pixels.astype(np.float32, copy=False) * np.float32(scale) + np.float32(offset)
            )
        if self._table is None or self._table_of != (scale, offset):
            self._table = self.object_k(np.arange(_COUNTS, dtype=np.float64) * scale + offset).astype(
                np.float32
            )
            self._table_of = (scale, offset)
        temperature_k: Float32Array = self._table.take(pixels)
        if frame.saturated_fraction > 0.0:  # clipped pixels are the brightest of their frame
            temperature_k[pixels >= body(pixels).max()] = np.inf
        return temperature_k

    def _of_floats(self, brightness_k: Float32Array) -> Float32Array:
        """:meth:`object_k` of a picture, to 2 mK of brightness: interpolated in a table of 0.05 K, much faster."""
        if self._plain:
            return self._within_range(
                brightness_k, np.where(brightness_k > 0.0, brightness_k, np.float32(np.nan))
            )
        if self._fine is None:
            grid_k = _LOWEST_K + _STEP_K * np.arange(_STEPS, dtype=np.float64)
            self._fine = self._object_k(grid_k).astype(np.float32)
        found = np.empty_like(brightness_k)
        for first in range(0, len(found), _BLOCK_ROWS):  # few rows at a time stay in the cache
            rows = slice(first, first + _BLOCK_ROWS)
            found[rows] = _interpolated(self._fine, brightness_k[rows])
        return self._within_range(brightness_k, found)

    def object_k(self, brightness_k: FloatArray) -> FloatArray:
        """Of brightness temperatures, any shape; what is out of the camera's range is infinite."""
        return self._within_range(brightness_k, self._object_k(brightness_k))

    def _object_k(self, brightness_k: FloatArray) -> FloatArray:
        if self._plain:
            return np.where(brightness_k > 0.0, brightness_k, np.nan)
        return self._temperature_k(self.path.emitted(self._signal(brightness_k)))

    def _within_range(self, brightness_k: npt.NDArray[Any], found: npt.NDArray[Any]) -> npt.NDArray[Any]:
        found[brightness_k >= self._high_k - _HAIR_K] = np.inf
        found[brightness_k <= self._low_k + _HAIR_K] = -np.inf
        return found

    def brightness_k(self, object_k: FloatArray) -> FloatArray:
        """What the camera would say of surfaces of these temperatures: the way back, for checks."""
        return self._temperature_k(self.path.received(self._signal(object_k)))

    def _signal(self, temperature_k: Any) -> FloatArray:
        if self._planck is not None:
            return self._planck.signal(temperature_k)
        return band_radiance.table_radiance_w_per_m2_sr(temperature_k)

    def _temperature_k(self, signal: FloatArray) -> FloatArray:
        if self._planck is not None:
            return self._planck.temperature_of_signal_k(signal)
        return band_radiance.temperature_k(signal)


def _interpolated(table: Float32Array, brightness_k: Float32Array) -> Float32Array:
    at = (brightness_k - np.float32(_LOWEST_K)) * np.float32(1.0 / _STEP_K)
    at[~((at >= 0.0) & (at < _STEPS - 1))] = np.nan
    cell = np.nan_to_num(at, nan=0.0).astype(np.int32)
    low = table.take(cell)
    return np.asarray(low + (table.take(cell + 1) - low) * (at - cell.astype(np.float32)), np.float32)
