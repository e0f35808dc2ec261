# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far the camera's clock is ahead of navigation's, from how the picture turns when the drone does.

The picture's shift over a fifth of a second is compared with where the gyro says that the middle of the first
picture lies in the second, for every offset of a grid; the offset with the least sum of squares is refined by
a parabola. Turning moves all of the picture alike, whatever is in it. The shift by translation depends on the
depth of what is seen: it enters with factors that are known roughly (ridge regression), also for a depth that
changes with where the camera looks, since that can pass for an offset while the drone both moves and wags.
What changes more slowly than in two seconds is left out of both sides (cosines of low order are fitted along),
so that house and ground of unknown height do no harm. With gentle motion 10 s give 1.2 ms, with a nose that
wags 0.7 ms (1 sigma, simulated flight of 5 m/s at 28 m).

Guarantees: a pure function of frames and states; an estimate is ``confident`` only when its own 1 sigma is
small, the motion explains the picture, and the best offset lies well inside the range searched. A constant
offset is assumed over the window. Leaves out jitter (it averages out), drift, and every other cause of
misplacement: a boresight error moves all pictures alike and therefore changes nothing here.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from vidgen_nodes.packets import FloatArray, NavState, Pose, ThermalFrame
from vidgen_nodes.sensing.transform import Quaternion, multiply, rotation_matrix, turned, unit
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
# Noise of a shift (0.15 px of 650) over what is known of each cause: what the lens adds to a turn, to 5 %; what
# the depth makes of the way, to half; how that changes with where the camera looks, to half a radian.
_RIDGE: Final = (1.5e-1 / 650.0) ** 2 / np.square((0.05, 0.5, 0.5, 0.5))
_FLOOR_S: Final = (
    5e-4  # no estimate is better: relief, and pictures of things that move (simulated flights show it)
)
_STATE_EVERY_NS: Final = 8_000_000
_DENSE_S: Final = 0.03  # between states: rates tell how the drone turned meanwhile
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
        x, y, z, w = base_T_camera.quaternion_xyzw.tolist()
        self._base_q_camera: Quaternion = (x, y, z, w)
        self._search_ns = round(search_ms * 1e6)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a clock jump."""
        self._motion: deque[tuple[float, ...]] = deque()  # stamp, attitude (x y z w), way to the right, down
        self._last: NavState | None = None
        self._attitude: Quaternion = (0.0, 0.0, 0.0, 1.0)
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
        if last is not None and state.stamp_ns - last.stamp_ns > _FAR_NS:
            self.reset()
            last = None
        self._last = state
        right = down = 0.0
        if last is not None:
            self._attitude = unit(multiply(self._attitude, _turn_between(last, state)))
            way = self._camera_R_base @ _way_between(last, state) / range_m
            right, down = self._motion[-1][5] - float(way[0]), self._motion[-1][6] - float(way[1])
        self._motion.append(
            (float(state.stamp_ns), *multiply(self._attitude, self._base_q_camera), right, down)
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
        self._attitude = motion[:, 1:5]
        self._ways = _smoothed(self._time_s, motion[:, 5:7])
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
        self._pan, self._tilt = self._looks()

    def squares(self, offsets_s: FloatArray) -> FloatArray:
        """(K,) for offsets (K,) about the centre."""
        total = np.zeros(offsets_s.size)
        for axis, turn in enumerate(self._turned(offsets_s)):
            way = self._at(self._second_s, offsets_s, self._ways[:, axis])
            way -= self._at(self._first_s, offsets_s, self._ways[:, axis])
            causes = self._fast(np.stack([turn, way, way * self._pan, way * self._tilt], axis=2))
            rest = self._fast(self._shift[:, axis])[:, None] - causes[:, :, 0] - causes[:, :, 1]
            normal = np.einsum("nki,nkj->kij", causes, causes) + np.diag(_RIDGE)
            along = np.einsum("nki,nk->ki", causes, rest)
            explained = np.sum(along * np.linalg.solve(normal, along[:, :, None])[:, :, 0], axis=1)
            total += np.sum(rest * rest, axis=0) - explained
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
        sigma_s = math.hypot(_FLOOR_S, _STEP_S * math.sqrt(2.0 * noise / bend))
        explained = 1.0 - middle / self._whole if self._whole > 0.0 else 0.0
        offset_ns = self._centre_ns + round(offset_s * 1e9)
        return OffsetEstimate(offset_ns, sigma_s * 1e9, explained, len(self._first_s), is_inside)

    def _looks(self) -> tuple[FloatArray, FloatArray]:
        """(N, 1) each: where the camera looks in each pair, to the right of and below its look in the middle one."""
        here = np.zeros(1)
        x, y, z, w = (self._at(self._second_s, here, self._attitude[:, i])[:, 0] for i in range(4))
        ahead = np.stack(_ahead(x, y, z, w), axis=1)
        middle = len(x) // 2
        right, down = (np.array(axis) for axis in _across(x[middle], y[middle], z[middle], w[middle]))
        return (ahead @ right)[:, None], (ahead @ down)[:, None]

    def _turned(self, offsets_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Right and down (N, K): where turning brings the middle of each first picture in the second."""
        ahead = _ahead(*(self._at(self._first_s, offsets_s, self._attitude[:, i]) for i in range(4)))
        later = [self._at(self._second_s, offsets_s, self._attitude[:, i]) for i in range(4)]
        right, down, depth = (
            sum(a * b for a, b in zip(axis, ahead, strict=True))
            for axis in (*_across(*later), _ahead(*later))
        )
        return right / depth, down / depth

    def _at(self, times_s: FloatArray, offsets_s: FloatArray, signal: FloatArray) -> FloatArray:
        """(N, K): a signal of the motion at the times, by the camera's clock, less each offset."""
        return np.asarray(np.interp(times_s[:, None] - offsets_s, self._time_s, signal))

    def _fast(self, values: FloatArray) -> FloatArray:
        """Without the slow changes."""
        flat = values.reshape(values.shape[0], -1)
        return np.asarray(flat - self._slow @ (self._slow.T @ flat)).reshape(values.shape)


def _ahead(x: Any, y: Any, z: Any, w: Any) -> tuple[Any, Any, Any]:
    """The third axis of an attitude: where the camera looks."""
    return 2.0 * (x * z + w * y), 2.0 * (y * z - w * x), w * w + z * z - x * x - y * y


def _across(x: Any, y: Any, z: Any, w: Any) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The first two axes of an attitude: right and down in the picture."""
    return (
        (w * w + x * x - y * y - z * z, 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)),
        (2.0 * (x * y - w * z), w * w + y * y - x * x - z * z, 2.0 * (y * z + w * x)),
    )


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


def _turn_between(before: NavState, after: NavState) -> Quaternion:
    """How base turned from one state to the next."""
    dt_s = (after.stamp_ns - before.stamp_ns) * 1e-9
    if dt_s <= _DENSE_S:  # the rates are free of the steps by which a filter corrects its attitude
        rate = 0.5 * (before.angular_velocity_radps + after.angular_velocity_radps)
        return turned((0.0, 0.0, 0.0, 1.0), rate.tolist(), dt_s)
    x, y, z, w = before.map_T_base.quaternion_xyzw.tolist()
    p, q, r, s = after.map_T_base.quaternion_xyzw.tolist()
    turn = multiply((-x, -y, -z, w), (p, q, r, s))
    return turn if turn[3] >= 0.0 else (-turn[0], -turn[1], -turn[2], -turn[3])


def _way_between(before: NavState, after: NavState) -> FloatArray:
    """Way (3,) of base, m in base."""
    way_m = 0.5e-9 * (after.stamp_ns - before.stamp_ns) * (before.velocity_mps + after.velocity_mps)
    return np.asarray(rotation_matrix(before.map_T_base).T @ way_m)
