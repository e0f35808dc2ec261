# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a thermal image is worth: its calibration, its radiometry, and whether the camera is alive.

Guarantees: pixels, stamp and frame id pass untouched; a temperature is claimed only where the
parameters allow it; the calibration in force depends on stamps alone (newest with
``stamp + camera_info_delay_ms <= image stamp``) and not on the order of arrival.

Radiometry ``auto``: 16-bit counts are linear with the parameters' scale and offset; 32FC1 is kelvin
when the median pixel is above 200, else degrees Celsius (no scene has a median of -73 °C, and none
of +200 °C fills half an image without being kelvin); 8-bit and colour claim nothing. ``linear``
applies the parameters to every single-channel encoding; a palette is never a temperature.

Leaves out: flat-field and atmospheric correction, H.264 or other packed streams. Whether the
calibration fits the image is decided where the scene is composed; here it is only scaled when the
image is an exact multiple or fraction of the calibrated size.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import deque
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import CameraCalibration, SourceRef, ThermalFrame, ThermalImage
from vidgen_nodes.params import ThermalParams

CLOCK_JUMP_NS: Final = 1_000_000_000  # a stamp this far back is another clock, not a late frame
OVERTAKEN_NS: Final = 200_000_000  # an image this far behind younger ones still counts
_RECENT: Final = 256
_MAX_PENDING: Final = 512
_KELVIN_MEDIAN: Final = 200.0
_ZERO_CELSIUS_K: Final = 273.15
_FORMATS: Final[dict[str, tuple[np.dtype[np.generic], int]]] = {
    "mono8": (np.dtype(np.uint8), 2),
    "mono16": (np.dtype(np.uint16), 2),
    "16UC1": (np.dtype(np.uint16), 2),
    "32FC1": (np.dtype(np.float32), 2),
    "rgb8": (np.dtype(np.uint8), 3),
    "bgr8": (np.dtype(np.uint8), 3),
}
# Full scale of 16-, 14- and 12-bit cores; a frame whose brightest pixel sits exactly there is clipped.
_FULL_SCALE: Final = (65535, 16383, 4095)

Pixels = npt.NDArray[np.generic]


class ThermalIngest:
    """Turns thermal images into thermal frames, one after the other in the order of their stamps."""

    def __init__(self, params: ThermalParams) -> None:
        self._params = params
        self._delay_ns = round(params.camera_info_delay_ms * 1e6)
        self._pending: list[tuple[int, int, CameraCalibration, SourceRef]] = []
        self._arrivals = 0
        self._known: dict[tuple[object, ...], CameraCalibration] = {}
        self._scaled: dict[tuple[int, int, int], CameraCalibration] = {}
        self._current: CameraCalibration | None = None
        self._before: CameraCalibration | None = None  # the one before, for images that were overtaken
        self._recent: deque[int] = deque(maxlen=_RECENT)  # stamps, to tell doubles
        self._current_stamp_ns = 0
        self._newest_ns = 0
        self._sequence = 0
        self._run = 0
        self._last_sample: Pixels | None = None
        self._last_pixels: Pixels | None = None
        self.calibrations_dropped = 0  # more were waiting for an image than are kept

    def add_calibration(self, calibration: CameraCalibration, source: SourceRef) -> None:
        """Take a camera_info; it counts from ``stamp + camera_info_delay_ms`` on.

        Raises:
            InputError: ``zero_stamp``, or ``uncalibrated`` when the focal length is not positive.
        """
        if calibration.stamp_ns <= 0:
            raise InputError(
                "zero_stamp", "camera_info has stamp 0; expected the time of the image it is for."
            )
        matrix = calibration.matrix_px
        if matrix.shape != (3, 3) or not (
            matrix[0, 0] > 0 and matrix[1, 1] > 0 and np.isfinite(matrix).all()
        ):
            raise InputError(
                "uncalibrated",
                f"camera_info has K = {matrix.ravel().tolist()}; expected a finite 3x3 matrix with positive focal "
                "lengths. Calibrate the camera and load the result in its driver.",
            )
        self._arrivals += 1
        # The arrival number keeps insort from comparing calibrations when stamps are equal.
        insort(self._pending, (calibration.stamp_ns, self._arrivals, self._shared(calibration), source))
        if len(self._pending) > _MAX_PENDING:
            del self._pending[0]
            self.calibrations_dropped += 1

    def process(self, image: ThermalImage) -> ThermalFrame:
        """Make the frame of one image.

        An image that younger ones overtook is taken if it is at most 0.2 s behind. A stamp more than a second
        behind the newest one is a clock that jumped: calibration and frozen check start anew (the sequence
        goes on).

        Raises:
            InputError: ``zero_stamp``, ``unsupported_encoding``, ``bad_shape``, ``bad_dtype``, ``all_nan``,
                ``duplicate`` or ``out_of_order``.
        """
        _check_image(image)
        sample = np.ascontiguousarray(image.pixels[::4, ::4])
        if image.encoding == "32FC1" and not (np.isfinite(sample).any() or np.isfinite(image.pixels).any()):
            raise InputError("all_nan", "image of 32FC1 holds no finite pixel; expected temperatures.")
        self._check_stamp(image.stamp_ns)
        self._recent.append(image.stamp_ns)
        self._newest_ns = max(self._newest_ns, image.stamp_ns)
        entered = self._enter(image.stamp_ns)
        radiometric, scale, offset = self._radiometry(image.encoding, sample)
        frame = ThermalFrame(
            stamp_ns=image.stamp_ns,
            frame_id=image.frame_id,
            encoding=image.encoding,
            pixels=image.pixels,
            sequence=self._sequence,
            calibration=self._calibration_for(image.pixels, image.stamp_ns),
            radiometric=radiometric,
            scale_k_per_count=scale,
            offset_k=offset,
            saturated_fraction=_saturated_fraction(sample),
            frozen=self._is_frozen(sample, image.pixels),
            sources=(image.source, *entered),
        )
        self._sequence += 1
        return frame

    def reset(self) -> None:
        """Forget calibrations and the frozen check, as after a clock jump. The sequence goes on."""
        self._pending.clear()
        self._forget()

    def _forget(self) -> None:
        self._current, self._before, self._current_stamp_ns, self._newest_ns = None, None, 0, 0
        self._recent.clear()
        self._run, self._last_sample, self._last_pixels = 0, None, None

    def _check_stamp(self, stamp_ns: int) -> None:
        if stamp_ns in self._recent:
            raise InputError("duplicate", f"a second image has stamp {stamp_ns} ns; only the first is used.")
        behind_ns = self._newest_ns - stamp_ns
        if behind_ns <= OVERTAKEN_NS:
            return
        if behind_ns <= CLOCK_JUMP_NS:
            raise InputError(
                "out_of_order",
                f"image is {behind_ns / 1e6:.1f} ms older than the newest; expected rising stamps. "
                "Check the transport and the camera's clock.",
            )
        # What waits from before the jump belongs to the other clock; what is as old as the image to this one.
        limit_ns = self._newest_ns - CLOCK_JUMP_NS
        self._pending = [item for item in self._pending if item[0] < limit_ns]
        self._forget()

    def _enter(self, stamp_ns: int) -> tuple[SourceRef, ...]:
        due = bisect_right(self._pending, stamp_ns - self._delay_ns, key=lambda item: item[0])
        if due == 0:
            return ()
        entered, self._pending = self._pending[:due], self._pending[due:]
        newest_ns, _, calibration, _ = entered[-1]
        if newest_ns >= self._current_stamp_ns:
            self._before = self._current
            self._current, self._current_stamp_ns = calibration, newest_ns
        return tuple(item[3] for item in entered)

    def _shared(self, calibration: CameraCalibration) -> CameraCalibration:
        """The first calibration with the same content, so that users can cache by object."""
        key = (
            calibration.frame_id,
            calibration.width_px,
            calibration.height_px,
            calibration.distortion_model,
            calibration.matrix_px.tobytes(),
            calibration.distortion.tobytes(),
        )
        if len(self._known) > _MAX_PENDING:  # a zoom lens: bounded, at the price of a cache miss
            self._known.clear()
            self._scaled.clear()
        return self._known.setdefault(key, calibration)

    def _calibration_for(self, pixels: Pixels, stamp_ns: int) -> CameraCalibration | None:
        in_effect = self._current_stamp_ns + self._delay_ns <= stamp_ns
        calibration = self._current if in_effect else self._before
        height, width = pixels.shape[:2]
        if calibration is None or (calibration.width_px, calibration.height_px) == (width, height):
            return calibration
        if calibration.width_px <= 0 or width * calibration.height_px != height * calibration.width_px:
            return calibration
        key = (id(calibration), width, height)
        if key not in self._scaled:
            self._scaled[key] = _scale(calibration, width, height)
        return self._scaled[key]

    def _radiometry(self, encoding: str, sample: Pixels) -> tuple[bool, float, float]:
        mode = self._params.radiometry
        if mode == "none" or sample.ndim == 3:
            return False, math.nan, math.nan
        if mode == "linear" or sample.dtype == np.uint16:
            return True, self._params.scale_k_per_count, self._params.offset_k
        if encoding == "32FC1":
            kelvin = _median(sample) > _KELVIN_MEDIAN
            return True, 1.0, 0.0 if kelvin else _ZERO_CELSIUS_K
        return False, math.nan, math.nan

    def _is_frozen(self, sample: Pixels, pixels: Pixels) -> bool:
        # One pixel in sixteen tells almost all live frames apart; only when it does not are all compared.
        same = (
            self._last_sample is not None
            and self._last_pixels is not None
            and _identical(sample, self._last_sample)
            and _identical(pixels, self._last_pixels)
        )
        self._run = self._run + 1 if same else 1
        self._last_sample, self._last_pixels = sample, pixels
        return 0 < self._params.frozen_frames <= self._run


def _check_image(image: ThermalImage) -> None:
    if image.stamp_ns <= 0:
        raise InputError("zero_stamp", "image has stamp 0; expected the time of exposure. Check the driver.")
    expected = _FORMATS.get(image.encoding)
    if expected is None:
        raise InputError(
            "unsupported_encoding",
            f"image has encoding {image.encoding!r}; expected one of {', '.join(_FORMATS)}. "
            "Decode video streams before they come here.",
        )
    dtype, ndim = expected
    shape = image.pixels.shape
    if image.pixels.ndim != ndim or 0 in shape or (ndim == 3 and shape[2] != 3):
        raise InputError(
            "bad_shape",
            f"image of {image.encoding} has shape {shape}; expected (height, width{', 3' if ndim == 3 else ''}) "
            "with no zero.",
        )
    if image.pixels.dtype != dtype:
        raise InputError(
            "bad_dtype", f"image of {image.encoding} has pixels of {image.pixels.dtype}; expected {dtype}."
        )


def _identical(a: Pixels, b: Pixels) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.flags.c_contiguous and b.flags.c_contiguous:  # bytes, so that NaN equals NaN
        return bool(np.array_equal(a.view(np.uint8), b.view(np.uint8)))
    return a.tobytes() == b.tobytes()


def _median(sample: Pixels) -> float:
    """Of the finite pixels; 0 if there are none."""
    values = sample.astype(np.float64)
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else 0.0


def _saturated_fraction(sample: Pixels) -> float:
    """Share of clipped pixels, 0..1: at full scale of an integer format, +inf in a float one."""
    if sample.dtype == np.float32:
        return float(np.count_nonzero(sample == np.inf)) / sample.size
    if sample.ndim == 3:
        white = (sample[..., 0] == 255) & (sample[..., 1] == 255) & (sample[..., 2] == 255)
        return float(np.count_nonzero(white) / white.size)
    top = int(sample.max())
    full = top == 255 if sample.dtype == np.uint8 else top in _FULL_SCALE
    return float(np.count_nonzero(sample == top)) / sample.size if full else 0.0


def _scale(calibration: CameraCalibration, width_px: int, height_px: int) -> CameraCalibration:
    factor = width_px / calibration.width_px
    matrix = calibration.matrix_px.copy()
    matrix[:2] *= factor
    # Pixel centres are at whole numbers, so the image edge at -0.5 is what stays in place.
    matrix[:2, 2] += 0.5 * factor - 0.5
    return replace(calibration, width_px=width_px, height_px=height_px, matrix_px=matrix)
