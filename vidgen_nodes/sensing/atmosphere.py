# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""From what reaches the camera to what the object is: emissivity, reflection and the air between.

The measuring equation of infrared thermometry, in any signal that is linear in radiance:
``S = eps tau S_object + tau (1 - eps) S_reflected + (1 - tau) S_air``, with FLIR's transmission of air
(as in the R package Thermimage). Guarantees that there and back is exact to rounding, and NaN where the
air and the reflections alone explain more than was seen. Leaves out smoke, windows and the sun.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray

_A1, _A2 = 0.006569, 0.01262
_B1, _B2 = -0.002276, -0.00667
_X: Final = 1.9
_WATER: Final = (1.5587, 0.06939, -2.7816e-4, 6.8455e-7)
_LEAST_TRANSMISSION: Final = 0.2  # below, the fit is far outside the distances that it was made for


def water_g_per_m3(air_degc: float, relative_humidity: float) -> float:
    """Water in the air. ``relative_humidity`` from 0 to 1."""
    c0, c1, c2, c3 = _WATER
    return relative_humidity * math.exp(c0 + air_degc * (c1 + air_degc * (c2 + air_degc * c3)))


def transmission(distance_m: float, air_degc: float, relative_humidity: float) -> float:
    """Share of long-wave infrared that air lets through, 0 to 1 (Thermimage, raw2temp; no window).

    Raises:
        ConfigError: so far or so damp that the formula means nothing.
    """
    path, damp = math.sqrt(distance_m), math.sqrt(water_g_per_m3(air_degc, relative_humidity))
    tau = _X * math.exp(-path * (_A1 + _B1 * damp)) + (1.0 - _X) * math.exp(-path * (_A2 + _B2 * damp))
    if not _LEAST_TRANSMISSION <= tau <= 1.0 + 1e-9:
        raise ConfigError(
            f"object_distance_m {distance_m:g}, air_degc {air_degc:g}, relative_humidity_percent "
            f"{100 * relative_humidity:g}: the air's transmission would be {tau:.3f}, expected "
            f"{_LEAST_TRANSMISSION} to 1; nothing can be measured through so much air. Use a smaller distance."
        )
    return min(tau, 1.0)


@dataclass(frozen=True, slots=True)
class Path:
    """All that lies between an object and the camera, in one signal that is linear in radiance."""

    emissivity: float
    transmission: float
    reflected: float  # signal of what the object mirrors
    air: float  # signal of the air

    def received(self, object_signal: npt.ArrayLike) -> FloatArray:
        """What the camera sees of an object; any shape."""
        seen = (
            self.emissivity * np.asarray(object_signal, np.float64) + (1.0 - self.emissivity) * self.reflected
        )
        return np.asarray(self.transmission * seen + (1.0 - self.transmission) * self.air)

    def emitted(self, received: npt.ArrayLike) -> FloatArray:
        """What a black body at the object's temperature would send; NaN where that is not above zero."""
        left = np.asarray(received, np.float64) - (1.0 - self.transmission) * self.air
        left = left / self.transmission - (1.0 - self.emissivity) * self.reflected
        return np.where(left > 0.0, left / self.emissivity, np.nan)
