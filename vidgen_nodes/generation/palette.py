# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Colours of apparent temperatures: grey smoke, dark red, orange, yellow-white.

Guarantees colours that grow brighter with temperature, up to the hottest that the camera tells apart: what is hotter
has the last colour, as in the camera's own picture. These are display colours for people, not the colours of flames:
the band is far infrared.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.generation.radiance import apparent_temperature_k
from vidgen_nodes.packets import ByteArray, Float32Array

COLDEST_K = 300.0  # the first colour
# Share of the way from the coldest to the hottest, and the colour there.
_STOPS = (
    (0.0, (120, 122, 128)),
    (0.148, (138, 134, 134)),
    (0.295, (104, 48, 34)),
    (0.455, (176, 34, 10)),
    (0.602, (236, 92, 10)),
    (0.739, (255, 162, 30)),
    (0.864, (255, 222, 96)),
    (1.0, (255, 250, 214)),
)
_ENTRIES = 1024


class Palette:
    """The colours from ``COLDEST_K`` to the hottest temperature that a camera tells apart.

    Args:
        hottest_k: above ``COLDEST_K``.
    """

    def __init__(self, hottest_k: float) -> None:
        self._low, high = (float(band_radiance_w_per_m2_sr(item)) for item in (COLDEST_K, hottest_k))
        self.span_w_per_m2_sr = high - self._low
        kelvin = apparent_temperature_k(np.linspace(self._low, high, _ENTRIES))
        shares, colours = zip(*_STOPS, strict=True)
        stops_k = COLDEST_K + np.array(shares) * (hottest_k - COLDEST_K)
        channels = [np.interp(kelvin, stops_k, channel) for channel in zip(*colours, strict=True)]
        self._table: ByteArray = np.stack(channels, axis=1).round().astype(np.uint8)
        whole = np.zeros((_ENTRIES, 4), np.uint8)
        whole[:, :3] = self._table
        self._words: npt.NDArray[np.uint32] = whole.view("<u4")[:, 0]

    def of(self, radiance_w_per_m2_sr: Float32Array) -> ByteArray:
        """RGB (..., 3) of the apparent temperature that belongs to a band radiance (...)."""
        colours: ByteArray = np.take(self._table, self._place(radiance_w_per_m2_sr), axis=0)
        return colours

    def words_of(self, radiance_w_per_m2_sr: Float32Array) -> npt.NDArray[np.uint32]:
        """The same as words (...) of four bytes, little-endian, the highest of which is 0: for alpha."""
        return np.take(self._words, self._place(radiance_w_per_m2_sr))

    def _place(self, radiance_w_per_m2_sr: Float32Array) -> npt.NDArray[np.int32]:
        scale = (_ENTRIES - 1) / self.span_w_per_m2_sr
        index = ((radiance_w_per_m2_sr - self._low) * scale).clip(0, _ENTRIES - 1)
        return index.astype(np.int32)


@functools.cache
def palette_to(hottest_k: float) -> Palette:
    """The palette up to a temperature, made once."""
    return Palette(hottest_k)
