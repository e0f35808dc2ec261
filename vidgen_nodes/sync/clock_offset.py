# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far the camera's clock is ahead of navigation's, from how the picture turns when the drone does.

The picture's shift over a fifth of a second is compared with what navigation says the camera did in that
time, for every offset of a grid; the offset with the least sum of squares is refined by a parabola. Turning
moves all of the picture alike, whatever is in it. The shift by translation depends on the depth of what is
seen: it enters with a free factor, and everything slower than two seconds is left out of both sides
(cosines of low order are fitted along), so that house and ground of unknown height do no harm.

Guarantees: a pure function of frames and states; an estimate is ``confident`` only when its own 1 sigma is
small, the motion explains the picture, and the best offset lies well inside the range searched. A constant
offset is assumed over the window. Leaves out jitter (it averages out), drift, and every other cause of
misplacement: a boresight error moves all pictures alike and therefore changes nothing here.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import FloatArray, NavState, Pose, ThermalFrame
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sync.image_shift import Template, reduced, shift_between, template

_LAG_NS: Final = 190_000_000  # between the two frames of a pair, at least
_LONGEST_LAG_NS: Final = 450_000_000
_EVERY_NS: Final = 75_000_000  # a frame is looked at so often, at most
_WINDOW_NS: Final = 20_000_000_000
_LEAST_PAIRS: Final = 40
_SLOWEST_S: Final = 2.2  # what changes more slowly is left out of the comparison
_SMOOTH_S: Final = 1.0  # the way is averaged over so long: a filter's corrections are no motion
_LEAST_EXPLAINED: Final = 0.6  # share of the picture's motion that navigation explains
_STEP_S: Final = 2e-3
_COARSE: Final = 5  # steps
_STATE_EVERY_NS: Final = 8_000_000
_FAR_NS: Final = 1_000_000_000  # between states: a gap across which nothing is integrated


@dataclass(frozen=True, slots=True)
class OffsetEstimate:
    """The camera's clock minus navigation's. ``sigma_ns`` is inf when nothing could be estimated."""

    offset_ns: int
    sigma_ns: float  # 1 sigma
    explained: float  # share of the picture's motion that navigation explains at this offset
    pairs: int
    is_inside: bool  # of the range searched

    def is_confident(self, sigma_ms: float) -> bool:
        """Whether the offset may be used, when 1 sigma of so much is good enough."""
        return self.is_inside and self.sigma_ns <= sigma_ms * 1e6 and self.explained >= _LEAST_EXPLAINED


NO_ESTIMATE: Final = OffsetEstimate(0, math.inf, 0.0, 0, False)


@dataclass(frozen=True, slots=True)
class _Pair:
    first_ns: int
    second_ns: int
    right: float  # shift of the picture's middle, in focal lengths
    down: float


class ClockOffset:
    """Feed it states in the order of their stamps, and frames; ask it now and then."""

    def __init__(self, base_T_camera: Pose, search_ms: float) -> None:
        """Start without knowledge.

        Args:
            base_T_camera: the camera's optical frame in base.
            search_ms: offsets up to this, either way, are looked for.
        """
        self._camera_R_base = rotation_matrix(base_T_camera).T
        self._search_ns = round(search_ms * 1e6)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a clock jump."""
        self._motion: deque[tuple[int, float, float, float, float]] = deque()
        self._last: NavState | None = None
        self._frames: deque[tuple[int, Template]] = deque()
        self._looked_ns = 0
        self._pairs: deque[_Pair] = deque()
        self._centre_ns = 0

    def search_around(self, offset_ns: int) -> None:
        """Look for offsets about this one, as where the statistics of arrival say that it lies."""
        self._centre_ns = offset_ns

    def add_state(self, state: NavState, range_m: float) -> None:
        """Follow navigation: how the middle of the picture moves by turning, and by going at ``range_m``."""
        last = self._last
        if last is not None and state.stamp_ns - last.stamp_ns < _STATE_EVERY_NS:
            if state.stamp_ns < last.stamp_ns:
                self.reset()
            return
        self._last = state
        if last is None:
            self._motion.append((state.stamp_ns, 0.0, 0.0, 0.0, 0.0))
            return
        if state.stamp_ns - last.stamp_ns > _FAR_NS:
            self.reset()
            return
        turn, way = _between(last, state, self._camera_R_base)
        _, right, down, going_right, going_down = self._motion[-1]
        # A static point straight ahead moves by -a_y - d_x / Z to the right and by a_x - d_y / Z down.
        self._motion.append(
            (
                state.stamp_ns,
                right - turn[1],
                down + turn[0],
                going_right - way[0] / range_m,
                going_down - way[1] / range_m,
            )
        )
        while self._motion[0][0] < state.stamp_ns - _WINDOW_NS - 2 * _FAR_NS - abs(self._centre_ns):
            self._motion.popleft()

    def is_due(self, stamp_ns: int) -> bool:
        """Whether a frame of that stamp would be looked at."""
        return stamp_ns - self._looked_ns >= _EVERY_NS

    def add_frame(self, thermal: ThermalFrame, stamp_ns: int) -> None:
        """Look at a frame; nothing happens when it is not due, frozen or uncalibrated.

        Args:
            thermal: the frame.
            stamp_ns: its time by the camera's clock.
        """
        calibration = thermal.calibration
        if calibration is None or thermal.frozen or not self.is_due(stamp_ns):
            return
        self._looked_ns = stamp_ns
        picture = reduced(thermal.pixels)
        if picture is None:
            return
        before = None
        while self._frames and stamp_ns - self._frames[0][0] >= _LAG_NS:
            before = self._frames.popleft()
        if before is not None:
            self._frames.appendleft(before)
            shift = shift_between(before[1], picture) if stamp_ns - before[0] <= _LONGEST_LAG_NS else None
            if shift is not None:
                height_px, width_px = thermal.pixels.shape[:2]
                right = shift[0] * width_px / float(calibration.matrix_px[0, 0])
                down = shift[1] * height_px / float(calibration.matrix_px[1, 1])
                self._pairs.append(_Pair(before[0], stamp_ns, right, down))
        made = template(picture)
        if made is not None:
            self._frames.append((stamp_ns, made))
        while self._pairs and self._pairs[0].first_ns < stamp_ns - _WINDOW_NS:
            self._pairs.popleft()

    def estimate(self) -> OffsetEstimate:
        """The offset over the last 20 s (1 ms of one core)."""
        if not self._motion or len(self._pairs) < _LEAST_PAIRS:
            return NO_ESTIMATE
        reach_ns = self._search_ns + 2_000_000
        oldest_ns = self._motion[0][0] + self._centre_ns + reach_ns
        newest_ns = self._motion[-1][0] + self._centre_ns - reach_ns
        pairs = [p for p in self._pairs if p.first_ns >= oldest_ns and p.second_ns <= newest_ns]
        if len(pairs) < _LEAST_PAIRS:
            return NO_ESTIMATE
        fit = _Fit(np.array(self._motion), pairs, self._centre_ns)
        reach = round(self._search_ns * 1e-9 / (_STEP_S * _COARSE))
        coarse = _STEP_S * _COARSE * np.arange(-reach, reach + 1.0)
        best = int(np.argmin(fit.squares(coarse)))
        fine = float(coarse[best]) + _STEP_S * np.arange(-_COARSE, _COARSE + 1.0)
        return fit.refine(fine, is_inside=0 < best < coarse.size - 1)


class _Fit:
    """Sums of squares of what the motion at an offset leaves unexplained, slow changes and depth fitted along."""

    def __init__(self, motion: FloatArray, pairs: list[_Pair], centre_ns: int) -> None:
        origin_ns = pairs[0].first_ns
        self._time_s = (motion[:, 0] - float(origin_ns - centre_ns)) * 1e-9
        self._turns = motion[:, 1:3]
        self._ways = _smoothed(self._time_s, motion[:, 3:5])
        self._first_s = np.array([p.first_ns - origin_ns for p in pairs]) * 1e-9
        self._second_s = np.array([p.second_ns - origin_ns for p in pairs]) * 1e-9
        self._shift = np.array([(p.right, p.down) for p in pairs])
        self._centre_ns = centre_ns
        span_s = float(self._second_s[-1] - self._second_s[0])
        phase = math.pi * (self._second_s - self._second_s[0]) / span_s
        orders = np.arange(1 + math.ceil(2.0 * span_s / _SLOWEST_S))
        self._slow, _ = np.linalg.qr(np.cos(phase[:, None] * orders))
        rate_hz = (len(pairs) - 1) / span_s
        lag_s = float(np.mean(self._second_s - self._first_s))
        # Pairs that overlap share their errors: so many of them are worth one.
        self._overlap = max(1.0, rate_hz * lag_s)
        self._freedom = max(1.0, 2.0 * (len(pairs) - orders.size - 1))
        self._whole = float(np.sum(self._fast(self._shift) ** 2))

    def squares(self, offsets_s: FloatArray) -> FloatArray:
        """(K,) for offsets (K,) about the centre."""
        total = np.zeros(offsets_s.size)
        for axis in (0, 1):
            turn = self._moved(self._turns[:, axis], offsets_s)
            way = self._fast(self._moved(self._ways[:, axis], offsets_s))
            rest = self._fast(self._shift[:, axis, None] - turn)
            power = np.maximum(np.sum(way * way, axis=0), 1e-12)
            total += np.sum(rest * rest, axis=0) - np.sum(rest * way, axis=0) ** 2 / power
        return total

    def refine(self, offsets_s: FloatArray, *, is_inside: bool) -> OffsetEstimate:
        """The best of a fine grid, by the parabola through it and its neighbours."""
        sums = self.squares(offsets_s)
        best = min(max(int(np.argmin(sums)), 1), sums.size - 2)
        left, middle, right = sums[best - 1 : best + 2].tolist()
        bend = left - 2.0 * middle + right
        if not bend > 0.0:
            return NO_ESTIMATE
        offset_s = float(offsets_s[best]) + _STEP_S * 0.5 * (left - right) / bend
        noise = middle / self._freedom * self._overlap
        sigma_s = math.sqrt(2.0 * noise / (bend / _STEP_S**2))
        explained = 1.0 - middle / self._whole if self._whole > 0.0 else 0.0
        offset_ns = self._centre_ns + round(offset_s * 1e9)
        return OffsetEstimate(offset_ns, sigma_s * 1e9, explained, len(self._first_s), is_inside)

    def _moved(self, signal: FloatArray, offsets_s: FloatArray) -> FloatArray:
        """(N, K): what the motion gives for each pair at each offset."""
        time_s = self._time_s
        second = np.interp(self._second_s[:, None] - offsets_s, time_s, signal)
        first = np.interp(self._first_s[:, None] - offsets_s, time_s, signal)
        return np.asarray(second - first)

    def _fast(self, values: FloatArray) -> FloatArray:
        """Without the slow changes."""
        return np.asarray(values - self._slow @ (self._slow.T @ values))


def _smoothed(time_s: FloatArray, signals: FloatArray) -> FloatArray:
    """Means over ``_SMOOTH_S`` about each time (less near the ends), of signals (N, K)."""
    half_s = np.minimum(0.5 * _SMOOTH_S, np.minimum(time_s - time_s[0], time_s[-1] - time_s))
    narrow = half_s < 1e-3
    wide_s = np.where(narrow, 1.0, 2.0 * half_s)
    result = np.array(signals)
    for column in range(signals.shape[1]):
        signal = signals[:, column]
        area = np.concatenate(([0.0], np.cumsum(0.5 * (signal[1:] + signal[:-1]) * np.diff(time_s))))
        ahead, behind = (np.interp(time_s + sign * half_s, time_s, area) for sign in (1.0, -1.0))
        result[:, column] = np.where(narrow, signal, (ahead - behind) / wide_s)
    return result


def _between(before: NavState, after: NavState, camera_R_base: FloatArray) -> tuple[list[float], list[float]]:
    """Rotation vector [rad] and way [m] of the camera from one state to the next, in camera axes."""
    x, y, z, w = before.map_T_base.quaternion_xyzw.tolist()
    p, q, r, s = after.map_T_base.quaternion_xyzw.tolist()
    # Vector part of conjugate(before) * after; twice that is the rotation vector of so small an angle.
    sign = 2.0 if x * p + y * q + z * r + w * s >= 0.0 else -2.0
    turn = np.array(
        (w * p - x * s - y * r + z * q, w * q + x * r - y * s - z * p, w * r - x * q + y * p - z * s)
    )
    way = rotation_matrix(before.map_T_base).T @ (
        0.5 * (before.velocity_mps + after.velocity_mps) * ((after.stamp_ns - before.stamp_ns) * 1e-9)
    )
    both = (camera_R_base @ np.stack([sign * turn, way], axis=1)).T
    return both[0].tolist(), both[1].tolist()
