# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The offset of the camera's clock that is in use: estimated all the time, taken over when it is known well.

Guarantees: an estimate is taken over only when it is confident (see ``clock_offset``) and differs from the one
in use by over 3 sigma and 1 ms, so that frames do not wander with its noise; it is rounded to 0.1 ms. What is
in use changes between frames only, as a function of the frames and states so far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from vidgen_nodes.packets import NavState, Pose, ThermalFrame
from vidgen_nodes.sync.clock_offset import NO_ESTIMATE, ClockOffset, OffsetEstimate

APPLY: Final = "apply"
OFF: Final = "off"

_EVERY: Final = 12  # frames looked at between two estimates: about a second
_LEAST_CHANGE_NS: Final = 1_000_000
_ROUND_NS: Final = 100_000
_LEAST_SIGMAS: Final = 3.0


class CameraClock:
    """``offset_ns``: what is to be taken off thermal stamps; 0 until it is known."""

    def __init__(self, mode: str, sigma_ms: float, search_ms: float, base_T_camera: Pose) -> None:
        """Start without knowledge.

        Args:
            mode: ``apply``, ``measure`` or ``off``.
            sigma_ms: 1 sigma at which an estimate is good enough.
            search_ms: offsets up to this are looked for.
            base_T_camera: the camera's optical frame in base.
        """
        self._mode = mode
        self._sigma_ms = sigma_ms
        self._search_ns = round(search_ms * 1e6)
        self._estimator = ClockOffset(base_T_camera, search_ms)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a clock jump."""
        self._estimator.reset()
        self._unseen: tuple[ThermalFrame, int] | None = None
        self._looked = 0
        self.measured: OffsetEstimate = NO_ESTIMATE
        self.offset_ns = 0
        self.sigma_s = 0.0  # of the offset in use

    def follow(self, states: Sequence[NavState], range_m: float) -> None:
        """Navigation states in the order in which they took effect; ``range_m`` to what the camera sees."""
        if self._mode != OFF:
            for state in states:
                self._estimator.add_state(state, range_m)

    def keep(self, thermal: ThermalFrame, stamp_ns: int, rough_ns: int | None) -> None:
        """Note a frame for :meth:`observe`.

        Args:
            thermal: the frame.
            stamp_ns: its stamp before any offset is taken off.
            rough_ns: the offset as far as the arrival of messages tells it; None: not known.
        """
        if self._mode == OFF or not self._estimator.is_due(stamp_ns):
            return
        far = rough_ns is not None and abs(rough_ns) > self._search_ns
        self._estimator.search_around(rough_ns if far and rough_ns is not None else 0)
        self._unseen = (thermal, stamp_ns)

    def observe(self) -> None:
        """Look at the frame noted last (0.6 ms of one core, 2 ms once a second): after it has gone its way."""
        if self._unseen is None:
            return
        (thermal, stamp_ns), self._unseen = self._unseen, None
        self._estimator.add_frame(thermal, stamp_ns)
        self._looked += 1
        if self._looked % _EVERY == 0:
            self.measured = self._estimator.estimate()
            self._take_over(self.measured)

    def _take_over(self, estimate: OffsetEstimate) -> None:
        if self._mode != APPLY or not estimate.is_confident(self._sigma_ms):
            return
        change_ns = abs(estimate.offset_ns - self.offset_ns)
        if change_ns > max(_LEAST_CHANGE_NS, _LEAST_SIGMAS * estimate.sigma_ns):
            self.offset_ns = _ROUND_NS * round(estimate.offset_ns / _ROUND_NS)
            self.sigma_s = estimate.sigma_ns * 1e-9

    @property
    def measured_ms(self) -> tuple[float, float]:
        """Newest estimate and its 1 sigma; NaN without one."""
        if math.isinf(self.measured.sigma_ns):
            return math.nan, math.nan
        return self.measured.offset_ns * 1e-6, self.measured.sigma_ns * 1e-6
