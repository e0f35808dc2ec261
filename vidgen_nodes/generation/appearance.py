# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How fire and smoke look to the eye: the visible counterpart of ``palette.py``.

Guarantees: a flame glows as soot of its temperature does, relative to white; smoke without glow is as bright
as the daylight that it scatters, and covers by ``1 - exp(-optical depth)``; both only depend on what was
integrated along the ray. Glasses add light and cannot darken: a bright flame is therefore opaque in the
overlay. Leaves out shadows, the light that a flame throws on its surroundings, and colour by wavelength
within the smoke.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from vidgen_nodes.black_body import SECOND_RADIATION_UM_K
from vidgen_nodes.packets import ByteArray, Float32Array

LUMINANCE_UM = 0.58  # where eye and glowing soot together are strongest
WHITE_K = 1350.0  # soot that fills the picture's white; flames of common fuels hold 1200 to 1500 K
_GLOW_RGB = np.array([[0.55, 0.06, 0.0], [1.0, 0.35, 0.03], [1.0, 0.72, 0.22], [1.0, 0.93, 0.70]], np.float32)
_GLOW_AT = np.array([0.0, 0.08, 0.45, 1.0], dtype=np.float32)  # relative luminance of those colours
_SMOKE_RGB = np.array([0.24, 0.235, 0.23], dtype=np.float32)  # soot scatters a quarter of the daylight
_STEAM_RGB = np.array([0.88, 0.89, 0.90], dtype=np.float32)  # droplets scatter nearly all of it
_EXPOSURE = 2.5  # on top of that: the picture of a flame is brighter than daylight


class Band(Enum):
    """What a viewer sees by."""

    LWIR = "lwir"  # 8-14 um
    VISIBLE = "visible"


def relative_luminance(temperature_k: Float32Array) -> Float32Array:
    """Wien's law at ``LUMINANCE_UM`` over that at ``WHITE_K``; any shape, above 0 K."""
    scale = np.float32(SECOND_RADIATION_UM_K / LUMINANCE_UM)
    glow: Float32Array = np.exp(scale * (np.float32(1.0 / WHITE_K) - np.float32(1.0) / temperature_k))
    return glow


def relative_luminance_of(temperature_k: float) -> float:
    """:func:`relative_luminance` of one temperature."""
    return float(relative_luminance(np.array(temperature_k, dtype=np.float32)))


def visible_rgba(
    optical_depth: Float32Array, luminance: Float32Array, white: Float32Array | None = None
) -> ByteArray:
    """Straight-alpha RGBA (N, 4).

    Args:
        optical_depth: (N,) visible, along the ray.
        luminance: (N,) of the glow that reaches the eye, relative to soot at ``WHITE_K``.
        white: (N,) share of the view that droplets of water cover, of that which is covered; None: no droplets.
    """
    covered = -np.expm1(-optical_depth)
    glow = np.minimum(luminance * np.float32(_EXPOSURE), np.float32(1.0))
    alpha = np.float32(1.0) - (np.float32(1.0) - covered) * (np.float32(1.0) - glow)
    rgba = np.empty((len(alpha), 4), dtype=np.uint8)
    for channel in range(3):
        light = np.interp(glow, _GLOW_AT, _GLOW_RGB[:, channel]).astype(np.float32) * glow
        light += _SMOKE_RGB[channel] * covered
        if white is not None:
            light += (_STEAM_RGB[channel] - _SMOKE_RGB[channel]) * white
        share = light / np.maximum(alpha, np.float32(1e-6))
        rgba[:, channel] = np.minimum(share * np.float32(255.0), np.float32(255.0)).round()
    rgba[:, 3] = (alpha * np.float32(255.0)).round()
    return rgba
