# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""For glasses and ground stations: the composite picture and the world-locked markers.

Guarantees: no composite leaves without the visible mark, whether or not anything is drawn in it; a
pixel with alpha 0 shows the camera and nothing else, and heads that could be recognised as mosaics; a
picture is never blended with the overlay of another frame. Grey levels of the composite are for looking
at: no temperature can be read off them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.delivery.label import TEXT, Labelled, label_in_place
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import ByteArray, Hazard, Overlay, ThermalFrame
from vidgen_nodes.privacy.heads import EVERY_HEAD, HeadPolicy, hide_heads

# OpenCV's own annotations know no 8-bit arrays: what goes in and comes out of it is not typed further.
Picture = npt.NDArray[Any]

_LOW_SHARE, _HIGH_SHARE = 0.01, 0.99  # of the pixels, darker than black and brighter than white
_SAMPLE_STRIDE = 4  # every 16th pixel says where they lie


@dataclass(frozen=True, slots=True)
class Marker:
    """One world-locked shape, as ``visualization_msgs/Marker`` wants it."""

    namespace: str  # synthetic/<kind>
    number: int  # stable through the life of the hazard
    shape: str  # cylinder | cube | text
    centre_m: tuple[float, float, float]  # in map
    size_m: tuple[float, float, float]  # full extents; of a text only the last, its letter height
    rgba: tuple[float, float, float, float]  # 0..1
    text: str


# How each kind of hazard looks. Nobody knows whether a person stands behind a marker in somebody's glasses: none is
# more opaque than an overlay may be over a person.
_LOOK: dict[str, tuple[str, tuple[float, float, float, float]]] = {
    "flame": ("cylinder", (1.0, 0.35, 0.0, 0.35)),
    "smoke": ("cylinder", (0.25, 0.25, 0.25, 0.3)),
    "steam": ("cylinder", (0.9, 0.9, 0.95, 0.3)),
    "debris": ("cube", (0.55, 0.45, 0.35, 0.35)),
}
_LETTER_M = 0.3


def composite(
    thermal: ThermalFrame,
    overlay: Overlay,
    pointer: FramePointer,
    code: str,
    heads: HeadPolicy = EVERY_HEAD,
) -> Labelled:
    """The camera picture with the overlay burnt in, mark and tag strip along the bottom edge.

    Args:
        thermal: any encoding that ``thermal_node`` accepts; deep pictures are stretched between
            their 1 % and 99 % quantiles.
        overlay: of the same frame, same size, straight alpha.
        pointer: record of that frame.
        code: label code of that record.
        heads: which heads become mosaics.

    Returns:
        (H, W, 3) rgb8, newly allocated.

    Raises:
        InputError: see ``blended``; or too small for a label.
    """
    return label_in_place(blended(thermal, overlay, heads), pointer, code)


def blended(thermal: ThermalFrame, overlay: Overlay, heads: HeadPolicy = EVERY_HEAD) -> ByteArray:
    """The camera picture with the overlay burnt in, still without a label: for whoever labels it.

    Returns:
        (H, W, 3) rgb8, newly allocated.

    Raises:
        InputError: overlay and picture are not of the same frame or size, or the encoding is unknown.
    """
    if overlay.stamp_ns != thermal.stamp_ns:
        raise InputError(
            "composite_stamp",
            f"got an overlay of {overlay.stamp_ns} ns for a picture of {thermal.stamp_ns} ns; pair them by stamp",
        )
    if overlay.rgba.shape[:2] != thermal.pixels.shape[:2]:
        raise InputError(
            "composite_size",
            f"got an overlay of {overlay.rgba.shape[:2]} px for a picture of {thermal.pixels.shape[:2]} px, "
            "expected the same; check camera_info",
        )
    rgb = visible_rgb(thermal)
    hide_heads(rgb, thermal, heads)
    blend(rgb, overlay.rgba)
    return rgb


def visible_rgb(thermal: ThermalFrame) -> ByteArray:
    """The thermal picture as something to look at, (H, W, 3), newly allocated.

    Raises:
        InputError: an encoding that cannot be shown.
    """
    pixels: Picture = thermal.pixels
    layout = (thermal.encoding, pixels.dtype.name, pixels.ndim)
    if layout in (("mono16", "uint16", 2), ("16UC1", "uint16", 2)):
        return _grey_rgb(_stretch_counts(pixels))
    if layout == ("32FC1", "float32", 2):
        return _grey_rgb(_stretch_floats(pixels))
    if layout == ("mono8", "uint8", 2):
        return _grey_rgb(pixels)
    if layout == ("rgb8", "uint8", 3):
        return np.array(pixels, np.uint8)
    if layout == ("bgr8", "uint8", 3):
        return np.ascontiguousarray(pixels[..., ::-1])
    raise InputError(
        "composite_encoding",
        f"got {thermal.encoding} as {pixels.dtype} of shape {pixels.shape}, "
        "expected mono8, mono16, 16UC1, 32FC1, rgb8 or bgr8",
    )


def blend(rgb: ByteArray, rgba: ByteArray) -> None:
    """Lay a straight-alpha picture over another, in place; only the drawn rectangle is touched.

    Args:
        rgb: (H, W, 3), writable.
        rgba: (H, W, 4).
    """
    alpha = cv2.extractChannel(rgba, 3)
    left, top, width, height = cv2.boundingRect(alpha)
    if not width:
        return
    window = np.s_[top : top + height, left : left + width]
    drawn = cv2.cvtColor(rgba[window], cv2.COLOR_RGBA2RGB)
    weight = cv2.cvtColor(alpha[window], cv2.COLOR_GRAY2RGB)
    shown = cv2.multiply(drawn, weight, scale=1.0 / 255.0)
    kept = cv2.multiply(rgb[window], cv2.bitwise_not(weight), scale=1.0 / 255.0)
    rgb[window] = cv2.add(shown, kept)


def markers(hazards: Iterable[Hazard]) -> tuple[Marker, ...]:
    """Shape and floating label of every hazard. Smoke and steam are translucent.

    Raises:
        InputError: a hazard of unknown kind.
    """
    return tuple(marker for hazard in hazards for marker in _markers_of(hazard))


def _markers_of(hazard: Hazard) -> tuple[Marker, Marker]:
    if hazard.kind not in _LOOK:
        raise InputError(
            "hazard_kind", f"got hazard kind {hazard.kind!r}, expected one of {', '.join(_LOOK)}"
        )
    shape, rgba = _LOOK[hazard.kind]
    east, north, base = hazard.position_m
    # Marker ids are 32-bit numbers; a checksum keeps one through restarts without a table.
    number = zlib.crc32(hazard.identity.encode()) & 0x7FFFFFFF
    body = Marker(
        namespace=f"synthetic/{hazard.kind}",
        number=number,
        shape=shape,
        centre_m=(east, north, base + hazard.height_m / 2),
        size_m=(2 * hazard.radius_m, 2 * hazard.radius_m, hazard.height_m),
        rgba=rgba,
        text="",
    )
    label = Marker(
        namespace="synthetic/label",
        number=number,
        shape="text",
        centre_m=(east, north, base + hazard.height_m + _LETTER_M),
        size_m=(0.0, 0.0, _LETTER_M),
        rgba=(1.0, 0.78, 0.0, 1.0),
        text=f"{TEXT}: {hazard.kind}",
    )
    return body, label


def _grey_rgb(grey: Picture) -> ByteArray:
    rgb: Picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    return rgb


def _stretch_counts(counts: Picture) -> Picture:
    low, high = _quantiles(counts[::_SAMPLE_STRIDE, ::_SAMPLE_STRIDE].ravel())
    above = cv2.subtract(counts, np.array([low]))  # stays at 0 below
    return cv2.convertScaleAbs(above, alpha=255.0 / max(high - low, 1.0))


def _stretch_floats(values: Picture) -> Picture:
    sample = values[::_SAMPLE_STRIDE, ::_SAMPLE_STRIDE].ravel()
    finite = sample[np.isfinite(sample)]
    if not finite.size:
        return np.zeros(values.shape, np.uint8)
    low, high = _quantiles(finite)
    scaled = (values - np.float32(low)) * np.float32(255.0 / max(high - low, 1e-6))
    # What was not measured is black.
    grey: Picture = np.clip(np.nan_to_num(scaled, nan=0.0), 0.0, 255.0).astype(np.uint8)
    return grey


def _quantiles(sample: Picture) -> tuple[float, float]:
    last = sample.size - 1
    low, high = int(_LOW_SHARE * last), int(_HIGH_SHARE * last)
    ordered = np.partition(sample, (low, high))
    return float(ordered[low]), float(ordered[high])
