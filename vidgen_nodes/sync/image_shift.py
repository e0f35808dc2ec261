# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far the picture moved between two thermal frames, to a tenth of a pixel of the full image.

The frames are reduced to 160 x 128 and made comparable (mean 0, deviation 1), so that gain control changes
nothing. The start is phase correlation (Kuglin & Hines 1975); Gauss-Newton steps on an affine model follow
(Lucas & Kanade 1981, with the gradients of the template as Baker & Matthews 2004 have it). The affine terms
take up zoom, roll and the slant of the ground, which would pull a plain shift off by half a pixel.

Guarantees: a shift only where the pictures agree afterwards. Leaves out what the shift means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import Float32Array, FloatArray

_SIZE_PX: Final = (160, 128)
_STEPS: Final = 3
_LEAST_AGREEMENT: Final = 0.7  # correlation of the two pictures after the shift
_FLAT: Final = 1e-6
_STEEPEST: Final = 0.2  # change of scale, roll or shear between two frames that is still believed


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A frame that others are compared with."""

    picture: Float32Array  # (128, 160), mean 0, deviation 1
    gradients: Float32Array  # (6, 128 * 160): by shift and by affine term, weighted
    inverse: FloatArray  # (6, 6) of their normal matrix


def reduced(pixels: npt.NDArray[np.generic]) -> Float32Array | None:
    """The frame at 160 x 128, mean 0 and deviation 1; None when it is flat or holds no number.

    Args:
        pixels: (H, W) or (H, W, 3) of uint8, uint16 or float32.
    """
    one = pixels[:, :, 1] if pixels.ndim == 3 else pixels
    small = cv2.resize(np.ascontiguousarray(one), _SIZE_PX, interpolation=cv2.INTER_AREA).astype(np.float32)
    mean, deviation = cv2.meanStdDev(small)
    level, spread = float(mean[0, 0]), float(deviation[0, 0])
    if not spread > _FLAT * max(1.0, abs(level)):  # NaN too
        return None
    return np.asarray((small - np.float32(level)) / np.float32(spread), dtype=np.float32)


def template(picture: Float32Array) -> Template | None:
    """Prepare a reduced frame; None when nothing in it can be followed."""
    along = cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3, scale=0.125) * _WEIGHT
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3, scale=0.125) * _WEIGHT
    gradients = np.empty((6, picture.size), np.float32)
    for row, (gradient, factor) in enumerate(
        ((along, None), (down, None), (along, _X), (along, _Y), (down, _X), (down, _Y))
    ):
        gradients[row] = (gradient if factor is None else gradient * factor).reshape(-1)
    normal = (gradients @ gradients.T).astype(np.float64)
    try:
        inverse = np.linalg.inv(normal)
    except np.linalg.LinAlgError:
        return None
    return Template(picture, gradients, inverse) if np.isfinite(inverse).all() else None


def shift_between(before: Template, picture: Float32Array) -> tuple[float, float] | None:
    """Where the middle of ``before`` lies in ``picture``: right and down, as shares of width and height.

    None when the pictures do not agree: too far apart, covered, or nothing to see.
    """
    # It weights what it is given in place, where no padding is needed (seen in OpenCV 4.14): hand it copies.
    (dx, dy), _ = cv2.phaseCorrelate(before.picture.copy(), picture.copy(), _WEIGHT)
    warp = np.array(((1.0, 0.0, dx), (0.0, 1.0, dy)))
    for _ in range(_STEPS):
        error = (_warped(picture, warp) - before.picture) * _WEIGHT
        step = before.inverse @ (before.gradients @ error.reshape(-1))
        warp -= np.array(((step[2], step[3], step[0]), (step[4], step[5], step[1])))
    turned = warp[:, :2] - np.eye(2)
    if not (np.isfinite(warp).all() and np.abs(turned).max() < _STEEPEST):
        return None
    ours, theirs = _warped(picture, warp) * _WEIGHT, before.picture * _WEIGHT
    agreement = float(np.vdot(ours, theirs)) / (float(np.linalg.norm(ours) * np.linalg.norm(theirs)) + _FLAT)
    if agreement < _LEAST_AGREEMENT:
        return None
    return float(warp[0, 2]) / _SIZE_PX[0], float(warp[1, 2]) / _SIZE_PX[1]


def _warped(picture: Float32Array, warp: FloatArray) -> Float32Array:
    """The picture read at ``warp`` of each pixel, both counted from the middle."""
    centred = warp.copy()
    centred[:, 2] += _MIDDLE - warp[:, :2] @ _MIDDLE
    return np.asarray(
        cv2.warpAffine(
            picture,
            centred,
            _SIZE_PX,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


_MIDDLE: Final = 0.5 * (np.array(_SIZE_PX) - 1.0)
_WEIGHT: Final = np.asarray(cv2.createHanningWindow(_SIZE_PX, cv2.CV_32F))
_X: Final = (np.arange(_SIZE_PX[0]) - _MIDDLE[0]).astype(np.float32)[None, :]
_Y: Final = (np.arange(_SIZE_PX[1]) - _MIDDLE[1]).astype(np.float32)[:, None]
