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

from vidgen_nodes.packets import Float32Array, FloatArray, ThermalFrame
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.sensing import band_radiance
from vidgen_nodes.sensing.atmosphere import Path, transmission
from vidgen_nodes.sensing.liveness import body
from vidgen_nodes.sensing.radiometry import ZERO_CELSIUS_K, planck_constants

_COUNTS: Final = 65536
_HAIR_K: Final = 1e-6  # a count at the limit must not miss it by rounding


class ObjectTemperature:
    """Brightness temperature to the temperature of the surface, for one set of parameters."""

    def __init__(self, params: ThermalParams) -> None:
        """Prepare.

        Raises:
            ConfigError: Planck constants missing, or more air than can be seen through.
        """
        self._planck = planck_constants(params)
        self._low_k, self._high_k = params.range_low_k, params.range_high_k or np.inf
        tau = transmission(params.object_distance_m, params.air_degc, params.relative_humidity_percent / 100)
        mirrored, air = (
            float(self._signal(np.float64(value + ZERO_CELSIUS_K)))
            for value in (params.reflected_degc, params.air_degc)
        )
        self.path = Path(params.emissivity, tau, mirrored, air)
        self._plain = params.emissivity == 1.0 and tau == 1.0
        self._table: Float32Array | None = None
        self._table_of = (np.nan, np.nan)

    def of(self, frame: ThermalFrame) -> Float32Array | None:
        """Kelvin (H, W): +inf where the camera clipped, -inf below its range; None if not radiometric."""
        if not frame.radiometric:
            return None
        pixels: Any = frame.pixels
        scale, offset = frame.scale_k_per_count, frame.offset_k
        if pixels.dtype != np.uint16:
            brightness_k: Any = pixels.astype(np.float64) * scale + offset
            return self.object_k(brightness_k).astype(np.float32)
        if self._table is None or self._table_of != (scale, offset):
            self._table = self.object_k(np.arange(_COUNTS, dtype=np.float64) * scale + offset).astype(
                np.float32
            )
            self._table_of = (scale, offset)
        temperature_k: Float32Array = self._table.take(pixels)
        if frame.saturated_fraction > 0.0:  # clipped pixels are the brightest of their frame
            temperature_k[pixels >= body(pixels).max()] = np.inf
        return temperature_k

    def object_k(self, brightness_k: FloatArray) -> FloatArray:
        """Of brightness temperatures, any shape; what is out of the camera's range is infinite."""
        if self._plain:
            found = np.where(brightness_k > 0.0, brightness_k, np.nan)
        else:
            found = self._temperature_k(self.path.emitted(self._signal(brightness_k)))
        found = np.where(brightness_k >= self._high_k - _HAIR_K, np.inf, found)
        return np.where(brightness_k < self._low_k, -np.inf, found)

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
