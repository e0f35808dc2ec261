# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Intrinsics as they come, from a message or a file, checked once and brought to the image's size.

Guarantees: what leaves here is one of three lens models with a number of coefficients that it can have,
and describes the very pixels that the camera sends (region of interest and binning are applied).
Leaves out the model itself (``scene/camera.py``) and rectification of stereo pairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import CameraCalibration, FloatArray

MAX_EDGE_PX = 16384
COEFFICIENTS = {"plumb_bob": (0, 4, 5), "rational_polynomial": (0, 8, 12, 14), "equidistant": (4,)}
_NAMES = {"fisheye": "equidistant", "": "plumb_bob"}
_MAX_SKEW_PX = 0.05  # a lens model here has no skew; what it would move the picture's edge by


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the sensor that is sent, and how many pixels become one (``CameraInfo.roi``, ``binning``)."""

    x_px: int = 0
    y_px: int = 0
    width_px: int = 0  # 0: all
    height_px: int = 0
    binning_x: int = 1
    binning_y: int = 1


def checked_calibration(
    stamp_ns: int,
    frame_id: str,
    size_px: tuple[int, int],
    matrix: Iterable[float],
    model: str,
    coefficients: Iterable[float],
    window: Window = Window(),
) -> CameraCalibration:
    """Check intrinsics.

    Args:
        stamp_ns: of the message.
        frame_id: of the message.
        size_px: width and height of the whole sensor.
        matrix: the nine numbers of K, row by row, in pixels of the whole sensor.
        model: ``plumb_bob``, ``rational_polynomial``, ``equidistant`` (or ``fisheye``), empty without distortion.
        coefficients: of the model.
        window: what of the sensor is sent.

    Raises:
        InputError: ``image_size``, ``wrong_size``, ``not_finite``, ``uncalibrated``, ``bad_matrix``,
            ``distortion_model``, ``distortion_size`` or ``window``.
    """
    width, height = size_px
    if not (0 < width <= MAX_EDGE_PX and 0 < height <= MAX_EDGE_PX):
        raise InputError(
            "image_size", f"camera_info says {width}x{height} px; expected 1 to {MAX_EDGE_PX} each way"
        )
    intrinsic = _numbers(matrix, "k")
    if intrinsic.size != 9:
        raise InputError("wrong_size", f"camera_info.k has {intrinsic.size} numbers, expected 9")
    intrinsic = intrinsic.reshape(3, 3)
    _check_matrix(intrinsic, width, height)
    name, distortion = _checked_lens(model, _numbers(coefficients, "d"))
    whole = CameraCalibration(stamp_ns, frame_id, width, height, intrinsic, name, distortion)
    return whole if window == Window() else _windowed(whole, window)


def _numbers(values: Any, name: str) -> FloatArray:
    try:
        array: FloatArray = np.array(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as err:
        raise InputError("wrong_size", f"camera_info.{name} is no list of numbers: {err}") from err
    if not np.isfinite(array).all():
        raise InputError("not_finite", f"camera_info.{name} holds NaN or infinity; calibrate the camera")
    return array


def _check_matrix(matrix: FloatArray, width: int, height: int) -> None:
    fx, fy, cx, cy = matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]
    if not (fx > 0.0 and fy > 0.0):
        raise InputError(
            "uncalibrated",
            f"camera_info has fx={fx}, fy={fy}; expected both above 0. "
            "The driver has no calibration: give it one, or set calibration_file.",
        )
    if tuple(matrix[2]) != (0.0, 0.0, 1.0) or matrix[1, 0] != 0.0:
        raise InputError(
            "bad_matrix", "camera_info.k is no camera matrix: expected rows fx s cx, 0 fy cy, 0 0 1"
        )
    if abs(matrix[0, 1]) * height / fy > _MAX_SKEW_PX:
        raise InputError(
            "bad_matrix", f"camera_info.k has skew {matrix[0, 1]:g}; expected 0. Calibrate without skew."
        )
    if not (-width <= cx <= 2 * width and -height <= cy <= 2 * height):
        raise InputError(
            "bad_matrix",
            f"camera_info.k has its centre at {cx:g}, {cy:g} px of an image of {width}x{height}; "
            "expected it in or near the image",
        )
    if max(fx, fy) > 1e3 * max(width, height) or min(fx, fy) < 1e-2 * min(width, height):
        raise InputError(
            "bad_matrix",
            f"camera_info.k has fx={fx:g}, fy={fy:g} px for {width}x{height} px; expected pixels, not metres",
        )


def _checked_lens(model: str, distortion: FloatArray) -> tuple[str, FloatArray]:
    name = _NAMES.get(model, model)
    if name not in COEFFICIENTS:
        known = ", ".join(COEFFICIENTS)
        raise InputError("distortion_model", f"distortion_model is {model!r}; expected one of {known}")
    if distortion.size not in COEFFICIENTS[name]:
        expected = " or ".join(map(str, COEFFICIENTS[name]))
        raise InputError("distortion_size", f"{name} has {distortion.size} coefficients, expected {expected}")
    if np.abs(distortion).max(initial=0.0) > 1e6:
        raise InputError(
            "distortion_size",
            f"{name} has a coefficient of {np.abs(distortion).max():g}; expected tens at most",
        )
    return (name if distortion.size else "plumb_bob"), distortion


def _windowed(whole: CameraCalibration, window: Window) -> CameraCalibration:
    width, height = window.width_px or whole.width_px, window.height_px or whole.height_px
    if not (
        0 <= window.x_px <= whole.width_px - width
        and 0 <= window.y_px <= whole.height_px - height
        and 1 <= window.binning_x <= width
        and 1 <= window.binning_y <= height
    ):
        raise InputError(
            "window",
            f"camera_info.roi {width}x{height} at {window.x_px}, {window.y_px} with binning "
            f"{window.binning_x}x{window.binning_y} does not fit {whole.width_px}x{whole.height_px} px",
        )
    matrix = whole.matrix_px.copy()
    matrix[:2, 2] -= (window.x_px, window.y_px)
    cut = replace(whole, width_px=width, height_px=height, matrix_px=matrix)
    return _resized(cut, width // window.binning_x, height // window.binning_y, 1.0 / window.binning_x,
                    1.0 / window.binning_y)  # fmt: skip


def scaled_to(calibration: CameraCalibration, width_px: int, height_px: int) -> CameraCalibration | None:
    """The calibration of the same view resampled to another size; None when the shape of the image differs.

    Any ratio is taken, as long as both edges agree on one to the rounding (or cutting off) of a pixel.
    """
    edges = ((width_px, calibration.width_px), (height_px, calibration.height_px))
    least = max((now - 0.5) / before for now, before in edges)
    most = min((now + 1.0) / before for now, before in edges)
    if least >= most:
        return None
    ratio_x, ratio_y = (now / before for now, before in edges)
    return _resized(calibration, width_px, height_px, ratio_x, ratio_y)


def _resized(
    calibration: CameraCalibration, width_px: int, height_px: int, ratio_x: float, ratio_y: float
) -> CameraCalibration:
    matrix = calibration.matrix_px.copy()
    matrix[0] *= ratio_x
    matrix[1] *= ratio_y
    # Pixel centres are at whole numbers, so the image edge at -0.5 is what stays in place.
    matrix[:2, 2] += (0.5 * ratio_x - 0.5, 0.5 * ratio_y - 0.5)
    return replace(calibration, width_px=width_px, height_px=height_px, matrix_px=matrix)
