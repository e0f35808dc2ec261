# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Warm bodies in thermal pictures: what is warmer than its surroundings on nearly every side, at a person's size.

A pixel belongs to a body if, on a circle of 1.25 m around it, nearly all of 24 directions are colder by the
contrast, and no two opposite ones are not: that passes bodies standing, walking and lying, alone or beside
each other, and refuses kerbs, joints and the borders of warm areas. The size comes from range and camera (pixels
per metre), the contrast from the temperature where the frame claims one, else from its own range of grey levels.

Guarantees: a pure function of frame, scale and polarity, the same for a part of the picture as for all of it;
what could not be told from a person counts as one, since this decides what must stay visible. Leaves out: who is
as warm as the surroundings, who stands behind glass or among people on all sides; limits are measured by
``bench/persons.py``. Much else is found: warm openings, vents, engines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.packets import ByteArray, Float32Array, ThermalFrame
from vidgen_nodes.privacy.ring_kernel import stands_out

CONTRAST_K: Final = 3.0  # clothed persons at night are 5 to 15 K warmer than the ground (from memory)
CONTRAST_SHARE: Final = 0.15  # of the frame's range of grey levels, where it claims no temperature
POLARITIES: Final = ("warm", "cold", "both")  # than the surroundings; cold: black-hot pictures, hot ground

_DIRECTIONS: Final = 24
_SAMPLE_STRIDE: Final = 8
_SHARES: Final = (0.01, 0.5, 0.99)
_LEAST_LEVELS: Final = 12.0  # of 255: what gain control leaves of noise

# OpenCV's annotations know few kinds of arrays: what goes in and comes out of it is not typed further.
Levels = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is looked for."""

    ring_m: float  # radius of the circle that has to be colder
    neighbours: int  # of the 24 directions that may be as warm
    centre_m: float  # what is averaged
    least_m: float  # what is narrower either way is a wire, an edge or noise
    margin_m: float  # counted as well around what was found
    working_px_per_m: float  # finer tells no more and costs more
    cold_outside: bool  # beyond the picture: somebody at its edge counts


# The ring lies beyond arms and, from the middle of someone who lies, beyond head and feet; somebody may stand beside;
# clothes are colder than a face. A person has 4 x 15 working pixels.
BODY: Final = Shape(1.25, 6, 0.3, 0.22, 0.3, 9.0, cold_outside=True)
# Shoulders lie below a head, over a third of the ring. A head has 5 x 7 working pixels.
HEAD: Final = Shape(0.3, 9, 0.0, 0.16, 0.05, 30.0, cold_outside=False)


def warm_bodies(
    frame: ThermalFrame,
    px_per_m: float,
    polarity: str = "warm",
    window: Rectangle | None = None,
    shape: Shape = BODY,
) -> ByteArray:
    """Where the warm bodies are.

    Args:
        frame: any encoding that ``thermal_node`` accepts; colours count by their lightness.
        px_per_m: pixels to a metre where persons may be (focal length in px over range in m).
        polarity: one of ``POLARITIES``.
        window: left, top, right, bottom (the last two excluded) of what is asked for; None: all.
        shape: whole bodies, or heads.

    Returns:
        (height, width) of the window: 1 where a body is, with the margin of the shape around it, else 0.
    """
    height, width = frame.pixels.shape[:2]
    window = window or (0, 0, width, height)
    found, (left, top), step = _search(frame, px_per_m, polarity, window, shape)
    whole: Levels = cv2.resize(found, None, fx=step, fy=step, interpolation=cv2.INTER_NEAREST)
    x, y = window[0] - left, window[1] - top
    return whole[y : y + window[3] - window[1], x : x + window[2] - window[0]]


def warm_boxes(
    frame: ThermalFrame, px_per_m: float, polarity: str = "warm", shape: Shape = BODY
) -> tuple[Rectangle, ...]:
    """A rectangle around each in the whole picture; those that touch share one. Arguments as above."""
    height, width = frame.pixels.shape[:2]
    found, _, step = _search(frame, px_per_m, polarity, (0, 0, width, height), shape)
    count, _, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    return tuple(
        (x * step, y * step, min(width, (x + across) * step), min(height, (y + down) * step))
        for x, y, across, down, _ in stats[1:count].tolist()
    )


def _search(
    frame: ThermalFrame, px_per_m: float, polarity: str, window: Rectangle, shape: Shape
) -> tuple[ByteArray, tuple[int, int], int]:
    """What is found in and around a window, in cells; the pixel where they begin, and pixels a cell."""
    step = max(1, round(px_per_m / shape.working_px_per_m))
    scale = px_per_m / step
    reach = math.ceil((shape.ring_m + shape.margin_m + shape.centre_m) * scale) + 2
    left, top = (max(0, edge // step - reach) for edge in window[:2])
    right, bottom = (-(-edge // step) + reach for edge in window[2:])
    part = frame.pixels[top * step : bottom * step, left * step : right * step]
    levels, contrast = _levels(frame, part)
    cells = _shrunk(levels, step).astype(np.float32)
    found = np.zeros(cells.shape, np.uint8)
    if polarity != "cold":
        found |= _surrounded(cells, scale, contrast, shape)
    if polarity != "warm":
        found |= _surrounded(-cells, scale, contrast, shape)
    return found, (left * step, top * step), step


def prepare() -> None:
    """Compile or load what is compiled, so that the first picture with something drawn does not wait for it."""
    _surrounded(np.zeros((8, 8), np.float32), 1.0, 1.0, BODY)


def _levels(frame: ThermalFrame, part: npt.NDArray[np.generic]) -> tuple[Levels, float]:
    """The part as numbers that grow with warmth, and the contrast in them."""
    levels = _grey(part, frame.encoding)
    floats = levels.dtype.kind == "f"
    if frame.radiometric and not floats:
        return levels, CONTRAST_K / frame.scale_k_per_count
    sample = _grey(frame.pixels[::_SAMPLE_STRIDE, ::_SAMPLE_STRIDE], frame.encoding).ravel()
    if floats:
        sample = sample[np.isfinite(sample)]
    low, middle, high = _quantiles(sample) if sample.size else (0.0, 0.0, 0.0)
    if floats:  # what was not measured is no body, what clipped is hot
        levels = np.nan_to_num(levels, nan=low, neginf=low, posinf=2.0 * high - low)
    if frame.radiometric:
        return levels, CONTRAST_K / frame.scale_k_per_count
    # The lesser half of the range: neither a fire nor the sky in view may make a person too faint to count.
    span = 2.0 * min(middle - low, high - middle)
    return levels, max(CONTRAST_SHARE * span, _LEAST_LEVELS if levels.dtype == np.uint8 else 1e-6)


def _grey(pixels: npt.NDArray[np.generic], encoding: str) -> Levels:
    if pixels.ndim == 2:
        return pixels
    code = cv2.COLOR_BGR2GRAY if encoding == "bgr8" else cv2.COLOR_RGB2GRAY
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), code))


def _quantiles(sample: Levels) -> tuple[float, float, float]:
    places = [int(share * (sample.size - 1)) for share in _SHARES]
    ordered = np.partition(sample, places)
    low, middle, high = (float(ordered[place]) for place in places)
    return low, middle, high


def _shrunk(levels: Levels, step: int) -> Levels:
    """Means of blocks of ``step`` x ``step``; blocks at the right and lower border of the picture may be smaller."""
    if step == 1:
        return levels
    height, width = levels.shape
    below, beside = -height % step, -width % step
    if below or beside:
        levels = np.asarray(cv2.copyMakeBorder(levels, 0, below, 0, beside, cv2.BORDER_REPLICATE))
    size = (levels.shape[1] // step, levels.shape[0] // step)
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA))


def _surrounded(cells: Float32Array, scale: float, contrast: float, shape: Shape) -> ByteArray:
    """(H, W) 1 at and next to what is warmer than its ring by the contrast."""
    side = max(1, round(shape.centre_m * scale)) | 1
    centre: Float32Array = np.asarray(cv2.blur(cells, (side, side)), np.float32) if side > 1 else cells
    reach = math.ceil(shape.ring_m * scale)
    beyond = cv2.BORDER_CONSTANT if shape.cold_outside else cv2.BORDER_REPLICATE
    around = cv2.copyMakeBorder(centre, *(reach,) * 4, beyond, value=-math.inf)
    axes = _ring(shape.ring_m * scale)
    found = stands_out(np.asarray(around, np.float32), reach, axes, np.float32(contrast), shape.neighbours)
    return _grown(_without_specks(found, shape.least_m * scale), shape.margin_m * scale)


@lru_cache(maxsize=32)
def _ring(radius: float) -> npt.NDArray[np.int64]:
    """(n, 2) rows and columns, in cells, to half of the directions; the other half are their opposites."""
    angles = 2.0 * np.pi * np.arange(_DIRECTIONS // 2) / _DIRECTIONS
    return np.rint(radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)).astype(np.int64)


def _without_specks(found: ByteArray, least: float) -> ByteArray:
    side = round(least)
    if side < 2:
        return found
    return np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)), np.uint8)


def _grown(found: ByteArray, radius: float) -> ByteArray:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.dilate(found, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.uint8)
