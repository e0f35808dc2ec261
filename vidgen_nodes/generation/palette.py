# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Colours of apparent temperatures: grey smoke, dark red, orange, yellow-white.

Guarantees colours that grow brighter with temperature. These are display colours for people, not the
colours of flames: the band is far infrared.
"""

from __future__ import annotations

import numpy as np

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.generation.radiance import apparent_temperature_k
from vidgen_nodes.packets import ByteArray, Float32Array

_STOPS_K = (300.0, 430.0, 560.0, 700.0, 830.0, 950.0, 1060.0, 1180.0)
_STOPS_RGB = (
    (120, 122, 128),
    (138, 134, 134),
    (104, 48, 34),
    (176, 34, 10),
    (236, 92, 10),
    (255, 162, 30),
    (255, 222, 96),
    (255, 250, 214),
)
_ENTRIES = 1024
_LOW_W_PER_M2_SR = float(band_radiance_w_per_m2_sr(_STOPS_K[0]))
_HIGH_W_PER_M2_SR = float(band_radiance_w_per_m2_sr(_STOPS_K[-1]))


def _table() -> ByteArray:
    radiance = np.linspace(_LOW_W_PER_M2_SR, _HIGH_W_PER_M2_SR, _ENTRIES)
    kelvin = apparent_temperature_k(radiance)
    channels = [np.interp(kelvin, _STOPS_K, channel) for channel in zip(*_STOPS_RGB, strict=True)]
    table: ByteArray = np.stack(channels, axis=1).round().astype(np.uint8)
    table.setflags(write=False)
    return table


_TABLE = _table()


def colour_of_radiance(radiance_w_per_m2_sr: Float32Array) -> ByteArray:
    """RGB (..., 3) of the apparent temperature that belongs to a band radiance (...)."""
    scale = (_ENTRIES - 1) / (_HIGH_W_PER_M2_SR - _LOW_W_PER_M2_SR)
    index = ((radiance_w_per_m2_sr - _LOW_W_PER_M2_SR) * scale).clip(0, _ENTRIES - 1)
    colours: ByteArray = np.take(_TABLE, index.astype(np.int32), axis=0)
    return colours
