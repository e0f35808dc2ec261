# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The victim of the simulated flight: a featureless mannequin before the burning wall, warmer than all around.

Three ellipsoids of one temperature each, drawn as their outlines seen from the camera. Guarantees: where it
stands and which pixels it covers are known exactly (``outlines_px``). Leaves out the LiDAR, which does not see
it, and everything that could tell one person from another: it has no face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.sim.radiance import apparent_steps

FEET_M: Final = (
    7.3,
    -0.85,
    0.0,
)  # between the fire at the foot of the east wall and the drone, a little aside
HEIGHT_M: Final = 1.75
_SKY_K: Final = 255.0
_EMISSIVITY: Final = 0.98
_NEAR_M: Final = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """An upright ellipsoid of revolution."""

    name: str
    middle_m: float  # above the feet
    half_height_m: float
    radius_m: float
    degc: float  # clothes by night, bare skin of the head


PARTS: Final = (
    Part("legs", 0.45, 0.48, 0.16, 24.0),
    Part("torso", 1.12, 0.36, 0.23, 26.0),
    Part("head", 1.60, 0.15, 0.11, 31.0),
)
_TURN: Final = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
_ROUND: Final = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)  # (24, 2)
_MIDDLES_M: Final = np.array(FEET_M) + np.array([[0.0, 0.0, part.middle_m] for part in PARTS])
_STRETCH_M: Final = np.array([[part.radius_m, part.radius_m, part.half_height_m] for part in PARTS])
_STEPS: Final = [int(apparent_steps(np.array(part.degc + 273.15), _EMISSIVITY, _SKY_K)) for part in PARTS]


def outlines_px(image_P_map: FloatArray, centre_m: FloatArray) -> FloatArray | None:
    """Outlines (3, 24, 2) of legs, torso and head in the picture; None if it is not before the camera.

    The rim of an ellipsoid seen from afar is a circle on the unit sphere that it is scaled from.

    Args:
        image_P_map: (3, 3) from map axes, relative to the camera, to homogeneous pixels.
        centre_m: (3,) of the camera in map.
    """
    towards_m = _MIDDLES_M - centre_m
    sight = towards_m / _STRETCH_M
    sight /= np.sqrt((sight**2).sum(axis=1, keepdims=True))
    level = np.maximum(np.sqrt((sight[:, :2] ** 2).sum(axis=1)), 1e-9)
    right = np.stack([-sight[:, 1] / level, sight[:, 0] / level, np.zeros(len(sight))], axis=1)
    up = np.stack([right[:, 1] * sight[:, 2], -right[:, 0] * sight[:, 2], -level], axis=1)  # right x sight
    rims_m = (_ROUND @ np.stack([right, up], axis=1)) * _STRETCH_M[:, None] + towards_m[:, None]
    pixels = rims_m @ image_P_map.T
    if pixels[..., 2].min() < _NEAR_M:
        return None
    return np.asarray(pixels[..., :2] / pixels[..., 2:])


def paint(
    view: npt.NDArray[np.int16], image_P_map: FloatArray, centre_m: FloatArray
) -> tuple[int, int, int, int] | None:
    """Paint the mannequin into a picture of radiance steps, in place.

    Returns:
        The box of pixels touched (left, top, right, bottom); None if it is off the picture.
    """
    outlines = outlines_px(image_P_map, centre_m)
    if outlines is None:
        return None
    corners = np.rint(outlines.clip(-4000.0, 4000.0)).astype(np.int32)
    for outline, steps in zip(corners, _STEPS, strict=True):
        cv2.fillConvexPoly(view, outline, (steps,))
    (left, top), (right, bottom) = corners.min(axis=(0, 1)).tolist(), corners.max(axis=(0, 1)).tolist()
    height, width = view.shape
    box = (max(0, left), max(0, top), min(width, right + 1), min(height, bottom + 1))
    return box if box[0] < box[2] and box[1] < box[3] else None
