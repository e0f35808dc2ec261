# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Counts of a camera whose maker gives the constants R1, B, F, O and R2.

The calibration law of FLIR's cores: ``S = R1 / (R2 (exp(B / T) - F)) - O``, ``T`` in kelvin
(as in the R package Thermimage, function raw2temp). Guarantees that a count with no temperature
under these constants is NaN. Leaves out the maker's range of validity: see ``range_high_k``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray


@dataclass(frozen=True, slots=True)
class PlanckConstants:
    """One camera's constants, as its maker's software or the metadata of its pictures give them."""

    r1: float
    b_k: float
    f: float
    o: float
    r2: float

    def __post_init__(self) -> None:
        values = (self.r1, self.b_k, self.f, self.o, self.r2)
        if not (np.isfinite(values).all() and min(self.r1, self.b_k, self.r2) > 0.0):
            raise ConfigError(
                f"planck_r1, _b, _f, _o, _r2: got {values}, expected finite numbers with R1, B and R2 above 0. "
                "Read them off the metadata of a picture that the camera saved (exiftool: PlanckR1, PlanckB ...)."
            )

    def signal(self, temperature_k: npt.ArrayLike) -> FloatArray:
        """The part of the counts that grows with radiance: ``1 / (exp(B / T) - F)``; any shape."""
        with np.errstate(all="ignore"):
            return np.asarray(1.0 / (np.exp(self.b_k / np.asarray(temperature_k, np.float64)) - self.f))

    def temperature_of_signal_k(self, signal: npt.ArrayLike) -> FloatArray:
        """The reverse of :meth:`signal`; NaN where there is no temperature."""
        with np.errstate(all="ignore"):
            inner = 1.0 / np.asarray(signal, np.float64) + self.f
            found = self.b_k / np.log(inner)
        sound = (np.asarray(signal) > 0.0) & (inner > 1.0) & np.isfinite(inner) & np.isfinite(found)
        return np.where(sound, found, np.nan)

    def counts(self, temperature_k: npt.ArrayLike) -> FloatArray:
        """Counts of a black body; any shape, not rounded."""
        return self.r1 / self.r2 * self.signal(temperature_k) - self.o

    def temperature_k(self, counts: npt.ArrayLike) -> FloatArray:
        """Brightness temperature of counts; any shape, NaN where the constants give none."""
        with np.errstate(over="ignore"):
            signal = (np.asarray(counts, np.float64) + self.o) * self.r2 / self.r1
        return self.temperature_of_signal_k(signal)
