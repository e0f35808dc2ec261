# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which camera calibration counts at a stamp, scaled to the image that it is asked for.

Guarantees: what is in force depends on stamps alone (newest with ``stamp + delay <= image stamp``) and
not on the order of arrival; equal calibrations are one object, so that users can cache by object. A
calibration that does not have the image's shape is given out as it is, for the scene to refuse.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Final

from vidgen_nodes.packets import CameraCalibration, SourceRef
from vidgen_nodes.sensing.calibration import scaled_to

_MAX_PENDING: Final = 512


class CalibrationInForce:
    """The calibrations of one camera in the order of their stamps."""

    def __init__(self, delay_ns: int, fixed: CameraCalibration | None = None) -> None:
        """``fixed`` outranks all that come; they are named as sources all the same."""
        self._delay_ns = delay_ns
        self._fixed = fixed
        self._pending: list[tuple[int, int, CameraCalibration, SourceRef]] = []
        self._arrivals = 0
        self._known: dict[tuple[object, ...], CameraCalibration] = {}
        self._scaled: dict[tuple[int, int, int], tuple[CameraCalibration, CameraCalibration]] = {}
        self.dropped = 0  # more were waiting for an image than are kept
        self.forget()

    def forget(self) -> None:
        """Forget what is in force, not what waits."""
        self._current: CameraCalibration | None = None
        self._current_stamp_ns = 0
        self._before: CameraCalibration | None = None  # for images that were overtaken

    def keep_before(self, stamp_ns: int) -> None:
        """Of what waits, keep only older stamps: after a jump back the rest is of the other clock."""
        self._pending = [item for item in self._pending if item[0] < stamp_ns]

    def drop_all(self) -> None:
        """Forget everything that came."""
        self._pending.clear()
        self.forget()

    def add(self, calibration: CameraCalibration, source: SourceRef) -> None:
        """Take a calibration; it counts from its stamp plus the delay on."""
        self._arrivals += 1
        # The arrival number keeps insort from comparing calibrations when stamps are equal.
        insort(self._pending, (calibration.stamp_ns, self._arrivals, self._shared(calibration), source))
        if len(self._pending) > _MAX_PENDING:
            del self._pending[0]
            self.dropped += 1

    def enter(self, stamp_ns: int) -> tuple[SourceRef, ...]:
        """Bring into force what counts at an image's stamp; returns the messages that newly do."""
        if not self._pending:
            return ()
        due = bisect_right(self._pending, stamp_ns - self._delay_ns, key=lambda item: item[0])
        if due == 0:
            return ()
        entered, self._pending = self._pending[:due], self._pending[due:]
        newest_ns, _, calibration, _ = entered[-1]
        if newest_ns >= self._current_stamp_ns:
            self._before = self._current
            self._current, self._current_stamp_ns = calibration, newest_ns
        return tuple(item[3] for item in entered)

    def at(self, stamp_ns: int, width_px: int, height_px: int) -> CameraCalibration | None:
        """What is in force for an image of this stamp and size; None when nothing is."""
        if self._fixed is not None:
            calibration: CameraCalibration | None = self._fixed
        else:
            in_effect = self._current_stamp_ns + self._delay_ns <= stamp_ns
            calibration = self._current if in_effect else self._before
        if calibration is None or (calibration.width_px, calibration.height_px) == (width_px, height_px):
            return calibration
        key = (id(calibration), width_px, height_px)
        if key not in self._scaled:  # kept with its origin, so that no other object can get the same id
            self._scaled[key] = (calibration, scaled_to(calibration, width_px, height_px) or calibration)
        return self._scaled[key][1]

    def _shared(self, calibration: CameraCalibration) -> CameraCalibration:
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
