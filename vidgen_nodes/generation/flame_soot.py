# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How much soot glows in a drawn flame: as much as sends out the share of the heat that the fire radiates.

A flame's volume, its soot and the heat that it radiates are bound together; with soot of one temperature only two of
the three can be chosen. Volume follows from the height and the burner, heat from the radiated share, so the absorption
of the soot follows from both: the same heat from a smaller flame needs denser soot. That is how FDS holds its radiated
share where a grid knows no flame temperature (FDS Technical Reference Guide, correction of the emission source term),
here for absorption and emission alike, so that Kirchhoff's law holds. Guarantees one rule for all sizes, and that what
limits cut off is told. Leaves out gas bands, soot that is cooler outside, and the fuel's own grey absorption, which is
that of flames of one size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.black_body import STEFAN_BOLTZMANN_KW_PER_M2_K4
from vidgen_nodes.generation.plume_model import MEAN_BEAM_LENGTH, PlumeModel
from vidgen_nodes.packets import FloatArray

_STEPS = 96  # of the flame's height


@dataclass(frozen=True, slots=True)
class Glow:
    """The soot of one flame."""

    absorption_per_m: float  # grey, of luminous flame
    radiated_kw: float  # what the mean flame sends out with it; less or more than asked for only at a limit


class FlameSoot:
    """The mean shape of the flames that a model draws, and the soot in them.

    Scaled height is over the flame's, scaled radius over the burner's.
    """

    def __init__(self, model: PlumeModel) -> None:
        self._model = model
        step = model.field_height / _STEPS
        self._height = step * np.arange(_STEPS + 1, dtype=np.float64)
        section = _mean_section(1.0 - self._height, self.spread(self._height))
        self._radius = np.sqrt(section)
        self._volume = float((0.5 * (section[1:] + section[:-1])).sum() * step)  # pi R^2 L

    def ragged(self, scaled_height: FloatArray) -> FloatArray:
        """Standard deviation of the noise that breaks the flame's surface up; any shape."""
        model = self._model
        # Above the tip the noise fades again, or luminous pockets would fly to twice the flame height.
        fading = 1.0 - 0.5 * np.clip(scaled_height - 1.0, 0.0, 1.0)
        return np.asarray(model.ragged_base + model.ragged_tip * np.minimum(scaled_height, 1.0) * fading)

    def spread(self, scaled_height: FloatArray) -> FloatArray:
        """Standard deviation of all that moves the surface: noise, softness and puffing; any shape."""
        model = self._model
        soft2 = model.edge_softness**2 / 12.0
        puffs2 = 0.5 * (model.puff_height * scaled_height) ** 2
        return np.asarray(np.sqrt(self.ragged(scaled_height) ** 2 + soft2 + puffs2))

    def glow(self, radiated_kw: float, diameter_m: float, flame_height_m: float) -> Glow:
        """The soot with which the mean flame sends out ``radiated_kw``, within the model's limits.

        A (1 - exp(-kappa 3.6 V / A)) sigma T^4 = radiated_kw with surface A and volume V of the mean flame and T of
        its soot: grey gas in a mean beam length (Hottel).

        Args:
            radiated_kw: the fire's radiated share of its heat.
            diameter_m: of the burning area.
            flame_height_m: at 50 % intermittency; 0: nothing to fill.
        """
        model, radius_m = self._model, 0.5 * diameter_m
        least, most = model.least_absorption_per_m, model.most_absorption_per_m
        foot_m2 = math.pi * radius_m**2
        volume_m3 = foot_m2 * flame_height_m * self._volume
        if not volume_m3 > 0.0:
            return Glow(least, 0.0)
        radii_m, heights_m = radius_m * self._radius, flame_height_m * self._height
        slant_m = np.hypot(np.diff(radii_m), np.diff(heights_m))
        surface_m2 = foot_m2 + float((math.pi * (radii_m[1:] + radii_m[:-1]) * slant_m).sum())
        black_kw = surface_m2 * STEFAN_BOLTZMANN_KW_PER_M2_K4 * model.luminous_soot_k**4
        path_m = MEAN_BEAM_LENGTH * volume_m3 / surface_m2
        emissivity = min(radiated_kw / black_kw, 1.0)
        wanted = -math.log1p(-emissivity) / path_m if emissivity < 1.0 else math.inf
        absorption_per_m = min(max(wanted, least), most)
        return Glow(absorption_per_m, black_kw * -math.expm1(-absorption_per_m * path_m))


def _mean_section(middle: FloatArray, spread: FloatArray) -> FloatArray:
    """Mean over normal noise of how much of the plane is flame: that of max(middle + spread n, 0).

    middle Phi(middle / spread) + spread phi(middle / spread), with the normal distribution and its density.
    """
    ratio = middle / spread
    below = np.array([0.5 * math.erfc(-item / math.sqrt(2.0)) for item in ratio.tolist()])
    return np.asarray(middle * below + spread * np.exp(-0.5 * ratio**2) / math.sqrt(2.0 * math.pi))
