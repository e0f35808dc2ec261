# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a thermal camera adds to radiance: it tells nothing apart above its range, and it has noise.

Guarantees that noise is a function of the frame's stamp and the pixel alone, that it changes no alpha and draws
nothing where nothing is drawn, and that it is of the strength by which the overlay hides the noise of the picture
below: together they have the camera's. Noise far below a step of the display (a tenth, one sigma) would change no
byte and is left out, as are noise that stays (columns, rows) and lag.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.compiled import compiled
from vidgen_nodes.generation.palette import COLDEST_K, palette_to
from vidgen_nodes.packets import ByteArray

_ZERO_DEGC_K = 273.15
_SEEN_FROM = 0.1  # steps of the display, one sigma: a twentieth of a step is five sigma off the next byte


class ThermalSensor:
    """The camera that an overlay is drawn for.

    Args:
        hottest_degc: of what it tells apart; hotter things have the last colour.
        netd_mk: noise-equivalent temperature difference at 300 K, one sigma.
    """

    def __init__(self, hottest_degc: float, netd_mk: float) -> None:
        self.palette = palette_to(hottest_degc + _ZERO_DEGC_K)
        below, above = (float(band_radiance_w_per_m2_sr(COLDEST_K + side)) for side in (-0.5, 0.5))
        self.noise_steps = 255.0 * 1e-3 * netd_mk * (above - below) / self.palette.span_w_per_m2_sr
        self.add_noise(np.zeros((1, 1, 4), np.uint8), (0, 0, 1, 1), 0)  # compiled here, and not in a frame

    def add_noise(self, rgba: ByteArray, area: tuple[int, int, int, int], stamp_ns: int) -> None:
        """Change the colours of drawn pixels (H, W, 4) in place; ``area``: x0, y0, x1, y1, upper bounds excluded."""
        if self.noise_steps >= _SEEN_FROM:
            _roughen(rgba, area, self.noise_steps, stamp_ns)


@compiled
def _mixed(word: Any) -> Any:
    """A word of 64 bits from another, as SplitMix64 ends (Steele, Lea & Flood 2014)."""
    mixed = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@compiled
def _roughen(rgba: ByteArray, area: tuple[int, int, int, int], sigma: float, stamp_ns: int) -> None:
    """Normal noise by Box and Muller 1958, one draw a pixel."""
    x0, y0, x1, y1 = area
    width = rgba.shape[1]
    of_frame = _mixed(np.uint64(stamp_ns) + np.uint64(0x9E3779B97F4A7C15))
    for row in range(y0, y1):
        for col in range(x0, x1):
            alpha = rgba[row, col, 3] / 255.0
            if alpha <= 0.0:
                continue
            word = _mixed(of_frame + np.uint64(row * width + col))
            first = (float(word >> np.uint64(32)) + 0.5) / 4294967296.0
            second = float(word & np.uint64(0xFFFFFFFF)) / 4294967296.0
            normal = math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)
            hidden = math.sqrt(1.0 - (1.0 - alpha) * (1.0 - alpha))
            change = sigma * normal * hidden / alpha
            for channel in range(3):
                rgba[row, col, channel] = np.uint8(
                    min(max(rgba[row, col, channel] + change + 0.5, 0.0), 255.0)
                )
