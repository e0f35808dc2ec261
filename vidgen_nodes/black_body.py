# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Planck's law over a band: what cameras integrate and what fire sends out.

Guarantees 1e-6 relative against the exact integral from 150 to 3500 K. Leaves out emissivity, a camera's spectral
response, and tables (``sensing/band_radiance.py``, ``generation/radiance.py``: they end differently). The simulated
camera integrates for itself (``sim/radiance.py``): what is drawn is checked against it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import FloatArray

BAND_UM: Final = (8.0, 14.0)
FIRST_RADIATION_W_UM4_PER_M2_SR: Final = 1.191042972e8  # 2 h c^2, CODATA 2018
SECOND_RADIATION_UM_K: Final = 14387.76877  # h c / k, CODATA 2018
STEFAN_BOLTZMANN_KW_PER_M2_K4: Final = 5.670374419e-11  # CODATA 2018; all wavelengths
_NODES: Final = 32


def band_radiance_w_per_m2_sr(
    temperature_k: npt.ArrayLike, band_um: tuple[float, float] = BAND_UM
) -> FloatArray:
    """Radiance of a black body in a band, by Gauss-Legendre quadrature.

    Args:
        temperature_k: any shape, above 0 K.
        band_um: lower and upper wavelength.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half_um = 0.5 * (band_um[1] - band_um[0])
    wavelength_um = band_um[0] + half_um * (1.0 + nodes)
    temperature = np.asarray(temperature_k, np.float64)[..., None]
    exponent = SECOND_RADIATION_UM_K / (wavelength_um * temperature)
    spectral = FIRST_RADIATION_W_UM4_PER_M2_SR / wavelength_um**5 / np.expm1(exponent)
    return np.asarray((spectral * weights).sum(axis=-1) * half_um)
