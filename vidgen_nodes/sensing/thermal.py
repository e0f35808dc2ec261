# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a thermal image is worth: its calibration, its radiometry, and whether the camera is alive.

Guarantees: stamp and frame id pass untouched, and so do pixels unless a correction file or Planck
constants are given; a temperature is claimed only where the parameters and the values themselves allow
it (``radiometry.py``); clipping and freezing are judged on the pixels as they came. Leaves out H.264 and
other packed streams. Whether the calibration fits the image is decided where the scene is composed.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import CameraCalibration, SourceRef, ThermalFrame, ThermalImage
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.sensing.calibration_file import load_calibration
from vidgen_nodes.sensing.calibration_in_force import CalibrationInForce
from vidgen_nodes.sensing.correction import load_correction
from vidgen_nodes.sensing.liveness import FrozenCheck, body, clipping, thinned
from vidgen_nodes.sensing.radiometry import Claim, Radiometry

CLOCK_JUMP_NS: Final = 1_000_000_000  # a stamp this far back is another clock, not a late frame
OVERTAKEN_NS: Final = 200_000_000  # an image this far behind younger ones still counts
_RECENT: Final = 256
_ENOUGH: Final = 4096  # samples; of more, every 16th says what the values mean
_FORMATS: Final[dict[str, tuple[np.dtype[np.generic], int]]] = {
    "mono8": (np.dtype(np.uint8), 2),
    "mono16": (np.dtype(np.uint16), 2),
    "16UC1": (np.dtype(np.uint16), 2),
    "32FC1": (np.dtype(np.float32), 2),
    "rgb8": (np.dtype(np.uint8), 3),
    "bgr8": (np.dtype(np.uint8), 3),
}

Pixels = npt.NDArray[np.generic]


class ThermalIngest:
    """Turns thermal images into thermal frames, one after the other in the order of their stamps."""

    def __init__(self, params: ThermalParams) -> None:
        """Read the files that the parameters name.

        Raises:
            ConfigError: a file that cannot be read or used, or parameters that contradict each other.
        """
        fixed = load_calibration(params.calibration_file) if params.calibration_file else None
        self._calibrations = CalibrationInForce(round(params.camera_info_delay_ms * 1e6), fixed)
        self._correction = load_correction(params.correction_file) if params.correction_file else None
        self._radiometry = Radiometry(params)
        self._frozen = FrozenCheck(params.frozen_frames)
        self._recent: deque[int] = deque(maxlen=_RECENT)  # stamps, to tell doubles
        self._newest_ns = 0
        self._sequence = 0
        self.not_radiometric: Counter[str] = (
            Counter()
        )  # frames without temperature, by token of radiometry.WHY
        self.why_not_radiometric = (
            ""  # since when the newest frames are not, as a sentence; empty when they are
        )
        self._said = ""

    @property
    def frames(self) -> int:
        """So many frames were made."""
        return self._sequence

    @property
    def calibrations_dropped(self) -> int:
        """So many camera_infos were dropped because more waited for an image than are kept."""
        return self._calibrations.dropped

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
        self._calibrations.add(calibration, source)

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
        inner = body(image.pixels)
        sample = thinned(inner)
        if image.encoding == "32FC1" and not (np.isfinite(sample).any() or np.isfinite(image.pixels).any()):
            raise InputError("all_nan", "image of 32FC1 holds no finite pixel; expected temperatures.")
        self._check_stamp(image.stamp_ns)
        self._recent.append(image.stamp_ns)
        self._newest_ns = max(self._newest_ns, image.stamp_ns)
        entered = self._calibrations.enter(image.stamp_ns)
        claim = self._claim(image, sample)
        clipped_at, saturated = clipping(inner, self._radiometry.clips_at(claim, inner.dtype))
        height, width = image.pixels.shape[:2]
        frame = ThermalFrame(
            stamp_ns=image.stamp_ns,
            frame_id=image.frame_id,
            encoding=image.encoding,
            pixels=self._put_right(image.pixels, claim, clipped_at),
            sequence=self._sequence,
            calibration=self._calibrations.at(image.stamp_ns, width, height),
            radiometric=claim.radiometric,
            scale_k_per_count=claim.scale_k_per_count,
            offset_k=claim.offset_k,
            saturated_fraction=saturated,
            frozen=self._frozen.is_frozen(sample, inner),
            sources=(image.source, *entered),
        )
        self._sequence += 1
        return frame

    def reset(self) -> None:
        """Forget calibrations and the frozen check, as after a clock jump. The sequence goes on."""
        self._calibrations.drop_all()
        self._forget()

    def _forget(self) -> None:
        self._newest_ns = 0
        self._recent.clear()
        self._frozen.reset()

    def _check_stamp(self, stamp_ns: int) -> None:
        behind_ns = self._newest_ns - stamp_ns
        if (
            behind_ns <= CLOCK_JUMP_NS and stamp_ns in self._recent
        ):  # further back it is a recording that begins again
            raise InputError("duplicate", f"a second image has stamp {stamp_ns} ns; only the first is used.")
        if behind_ns <= OVERTAKEN_NS:
            return
        if behind_ns <= CLOCK_JUMP_NS:
            raise InputError(
                "out_of_order",
                f"image is {behind_ns / 1e6:.1f} ms older than the newest; expected rising stamps. "
                "Check the transport and the camera's clock.",
            )
        # What waits from before the jump belongs to the other clock; what is as old as the image to this one.
        self._calibrations.keep_before(self._newest_ns - CLOCK_JUMP_NS)
        self._calibrations.forget()
        self._forget()

    def _claim(self, image: ThermalImage, sample: Pixels) -> Claim:
        few = _few(sample)
        claim = self._radiometry.claim(image.encoding, few)
        if claim.radiometric and self._correction is not None and not self._correction.fits(image.pixels):
            claim = Claim(why_not="correction")
        if claim.why_not:
            self.not_radiometric[claim.why_not] += 1
        if claim.why_not != self._said:  # the sentence is for people: made when the answer changes
            self._said = claim.why_not
            self.why_not_radiometric = self._radiometry.explain(claim, image.encoding, few)
        return claim

    def _put_right(self, pixels: Pixels, claim: Claim, clipped_at: float) -> Pixels:
        if self._correction is not None and self._correction.fits(pixels):
            pixels = self._correction.apply(pixels, clipped_at)
            pixels.flags.writeable = False
        if claim.radiometric:
            pixels = self._radiometry.linear_counts(pixels)
        return pixels


def explain_radiometry(params: ThermalParams, image: ThermalImage) -> str:
    """One sentence why no temperature is claimed of such an image; empty when one is.

    Raises:
        ConfigError: see :class:`ThermalIngest`.
        InputError: an image that cannot be used at all.
    """
    ingest = ThermalIngest(params)
    ingest.process(image)
    return ingest.why_not_radiometric


def _few(sample: Pixels) -> Pixels:
    return sample[::4, ::4] if sample.shape[0] * sample.shape[1] > _ENOUGH else sample


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
