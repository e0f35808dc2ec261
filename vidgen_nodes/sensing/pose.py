# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's state from IMU, position fixes and headings, as a pure function of their stamps.

An error-state Kalman filter (``eskf.py``) runs over the IMU samples. A fix with stamp s enters with the first
sample at or after ``s + fix_delay_ms``: the filter goes back to s, applies it there and runs forward again
over the samples it has kept (``track.py``). So the state is what it would be had the fix come at once, and the
order of arrival changes nothing. Headings of dual antennas enter in the same way.

- It starts with the orientation that the IMU reports; without one, with tilt from gravity and with heading
  from a dual antenna or, failing that, from motion. Before it has a heading it hands out nothing.
- Nothing comes out before the second fix: one fix leaves the velocity unknown.
- What a measurement is off by is weighed against what is known (chi-square): outliers are refused and counted;
  the fifth in a row is believed instead (a receiver that re-fixed), and what it measures starts anew from it.
- Without fixes the IMU carries the state for ``coast_s``, with the covariance that the error deserves.
- An IMU gap above 0.5 s, or stamps that go back by over a second, start everything anew.
- Heights of two systems never meet unless the geoid is known (``heights.py``).

Leaves out: velocities from the receiver, and that true north turns against map's by tan(latitude) / 6.4e6 rad per
metre east of the datum (0.01 degrees a kilometre at 47 N).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    Fix,
    FloatArray,
    Heading,
    ImuSample,
    NavState,
    Pose,
    RtkStatus,
    SourceRef,
)
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing.alignment import GRAVITY_MPS2, MotionHeading, level, still_rate_radps
from vidgen_nodes.sensing.fix_error import fix_variances_m2
from vidgen_nodes.sensing.site import SiteFrame
from vidgen_nodes.sensing.transform import (
    OPTICAL_FROM_BODY,
    Quaternion,
    compose,
    interpolate_pose,
    invert,
    pose_from_rpy,
    propagate_pose,
    rotate,
    unit,
)

__all__ = [
    "OPTICAL_FROM_BODY",
    "NavFilter",
    "compose",
    "interpolate_pose",
    "invert",
    "pose_from_rpy",
    "propagate_pose",
]

CLOCK_JUMP_NS: Final = 1_000_000_000
_IMU_GAP_NS: Final = 500_000_000
_SECOND_NS: Final = 1_000_000_000
_HISTORY_NS: Final = 1_200_000_000  # standing still is judged over a second
_TENTH_NS: Final = 100_000_000
_REJECTIONS_TO_RESTART: Final = 5
_MAX_PENDING: Final = 256
_STILL_RATE_VARIANCE: Final = 2e-4**2


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    """What waits to enter, in the order in which it will."""

    stamp_ns: int
    kind: int  # fixes before headings


@dataclass
class _Refusals:
    """Of one kind of measurement."""

    entered_ns: int = 0
    in_a_row: int = 0


class NavFilter:
    """Feed it IMU samples, fixes and headings; it hands out states on a grid of event time.

    Attributes:
        refused: measurements that entered and were not used, by reason.
        fixes_used: so many fixes have been believed.
        fix_nis: normalised innovation squared of the newest fix that corrected the state (3 degrees of freedom).
    """

    def __init__(self, params: RtkParams) -> None:
        # Imported here because it brings a compiler along, which those who only need poses do not pay for.
        from vidgen_nodes.sensing.track import USELESS_HEADING_DEG, Track

        self._track = Track(params)
        self.site = SiteFrame(params)
        self._fix_delay_ns = round(params.fix_delay_ms * 1e6)
        self._period_ns = round(1e9 / params.output_rate_hz)
        self._fix_time_variance = (params.fix_time_sigma_ms * 1e-3) ** 2
        self._coast_ns = round(params.coast_s * 1e9)
        self._gyro_variance = params.gyro_noise_density**2
        self._heading_sigma_rad = math.radians(params.heading_sigma_deg)
        self._imu_has_heading = params.orientation_sigma_deg[1] < USELESS_HEADING_DEG
        self._tilt_variance = math.radians(params.orientation_sigma_deg[0]) ** 2
        self._zero_velocity = params.zero_velocity
        self.refused: dict[str, int] = {}
        self.fixes_used = 0
        self.fix_nis = math.nan
        self._motion = MotionHeading()
        self._pending: list[tuple[_Due, Fix | Heading]] = []
        self._start()
        self._forget_stamps()

    def _start(self) -> None:
        self._track.clear()
        self._motion.clear()
        self._sources: list[SourceRef] = []
        self._level = False  # tilt is known
        self._headed = False  # heading is known too
        self._oriented = False  # the IMU has reported an orientation
        self._last_imu_ns = 0
        self._tenth = self._oriented_tenth = -1
        self._heading_rejected = 0
        self._lose_position()

    def _lose_position(self) -> None:
        self._accepted = 0
        self._rejected_in_a_row = 0
        self._accepted_ns = 0
        self._rtk = RtkStatus.NONE
        self._rtk_fixed_ns = 0
        self._placed = False

    def _forget_stamps(self) -> None:
        self._last_ns: dict[type, int] = {Fix: 0, Heading: 0}
        self._entered_ns = 0
        self._bucket = -1

    def reset(self) -> None:
        """Start anew, as after a clock jump. The datum stays: map does not move under what was drawn."""
        self._start()
        self._pending.clear()
        self._forget_stamps()

    @property
    def waiting_for(self) -> str:
        """What is missing before there is a pose, in plain words; empty when nothing is."""
        if not self._last_imu_ns:
            return "imu/data: no sample yet"
        if not self._level:
            return (
                "imu/data carries no orientation (orientation_covariance[0] is -1); tilt from gravity needs "
                "a calm second"
            )
        if not self._headed:
            return (
                "heading: the IMU gives none; a dual-antenna heading, or some seconds of flight with "
                "changes of speed under an RTK fix, will give it"
            )
        if self._accepted >= 2:
            return ""
        if self._accepted == 1:
            return "fix: a second position, to know the velocity"
        if self._pending:
            ahead_s = (self._pending[0][0].stamp_ns - self._last_imu_ns) * 1e-9
            if abs(ahead_s) > 1.0:
                return f"fix: its stamps are {ahead_s:+.1f} s off those of imu/data; set both clocks alike"
        if self.refused:
            reasons = ", ".join(f"{name} {count}" for name, count in sorted(self.refused.items()))
            return f"fix: no position could be used ({reasons})"
        return "fix: no position yet"

    @property
    def biases(self) -> tuple[FloatArray, FloatArray] | None:
        """Gyro [rad/s] and accelerometer [m/s^2] biases, (3,) each in base; None before there is a pose."""
        return self._track.biases(self._track.count - 1) if self._accepted >= 2 else None

    def add_fix(self, fix: Fix) -> None:
        """Take a fix; it enters at ``stamp + fix_delay_ms``.

        Raises:
            InputError: ``no_fix`` (status NONE), ``no_altitude``, ``duplicate`` or ``out_of_order``.
        """
        if fix.rtk == RtkStatus.NONE:
            raise InputError("no_fix", "fix has status NO_FIX; expected a position. Wait for the receiver.")
        if math.isnan(fix.altitude_m):
            raise InputError(
                "no_altitude",
                "fix has altitude NaN; expected metres. Configure the receiver for a 3-D solution.",
            )
        self._queue(fix, 0, "fix")

    def add_heading(self, heading: Heading) -> None:
        """Take the heading of a dual antenna; it enters at ``stamp + fix_delay_ms``.

        Raises:
            InputError: ``not_finite``, ``duplicate`` or ``out_of_order``.
        """
        if not math.isfinite(heading.yaw_rad) or math.isinf(heading.sigma_rad) or heading.sigma_rad < 0.0:
            raise InputError(
                "not_finite",
                f"heading is {heading.yaw_rad} rad, sigma {heading.sigma_rad}; expected a finite yaw, and a "
                "sigma or NaN",
            )
        self._queue(heading, 1, "heading")

    def _queue(self, item: Fix | Heading, kind: int, name: str) -> None:
        due = _Due(item.stamp_ns, kind)
        if self._entered_ns - item.stamp_ns > CLOCK_JUMP_NS:
            self._forget_stamps()  # another clock, it seems: the IMU's jump will clear the rest
        index = bisect_left(self._pending, due, key=lambda entry: entry[0])
        known = index < len(self._pending) and self._pending[index][0] == due
        if known or item.stamp_ns == self._last_ns[type(item)]:
            raise InputError(
                "duplicate", f"a second {name} has stamp {item.stamp_ns} ns; only the first is used."
            )
        if item.stamp_ns < self._entered_ns:
            late_ms = (self._entered_ns - item.stamp_ns) / 1e6
            raise InputError(
                "out_of_order",
                f"{name} is {late_ms:.1f} ms older than a fix or heading already used; raise fix_delay_ms.",
            )
        insort(self._pending, (due, item), key=lambda entry: entry[0])
        if len(self._pending) > _MAX_PENDING:
            del self._pending[0]
            self._count("overflow")

    def add_imu(self, sample: ImuSample) -> NavState | None:
        """Advance to a sample; returns a state with the first sample of each output period.

        Raises:
            InputError: ``duplicate`` or ``out_of_order`` stamp.
        """
        stamp_ns = sample.stamp_ns
        self._check_imu_stamp(stamp_ns)
        self._last_imu_ns = stamp_ns
        self._advance(sample)
        while self._pending and self._pending[0][0].stamp_ns + self._fix_delay_ns <= stamp_ns:
            self._enter(self._pending.pop(0)[1])
        if self._accepted and stamp_ns - self._accepted_ns > self._coast_ns:
            self._lose_position()
            self._count("fix_gap")
        self._trim(stamp_ns)
        bucket = stamp_ns // self._period_ns
        if self._accepted < 2 or bucket == self._bucket:
            return None
        self._bucket = bucket
        return self._state()

    def _check_imu_stamp(self, stamp_ns: int) -> None:
        behind_ns = self._last_imu_ns - stamp_ns
        if behind_ns > CLOCK_JUMP_NS:
            limit_ns = stamp_ns + CLOCK_JUMP_NS
            waiting = [entry for entry in self._pending if entry[0].stamp_ns <= limit_ns]
            self.reset()
            self._pending = waiting
        elif behind_ns == 0 and self._last_imu_ns:
            raise InputError(
                "duplicate", f"a second imu sample has stamp {stamp_ns} ns; only the first is used."
            )
        elif behind_ns > 0:
            raise InputError(
                "out_of_order",
                f"imu sample is {behind_ns / 1e6:.1f} ms older than the newest; expected rising stamps.",
            )
        elif self._last_imu_ns and -behind_ns > _IMU_GAP_NS:
            self._start()
            self._count("imu_gap")

    def _advance(self, sample: ImuSample) -> None:
        """Append a row for the sample and carry the state to it, if there is one."""
        track, stamp_ns = self._track, sample.stamp_ns
        row = track.append(stamp_ns, sample.angular_velocity_radps, sample.acceleration_mps2)
        self._sources += (*sample.also, sample.source)
        tenth = stamp_ns // _TENTH_NS
        reported = sample.map_q_base
        if reported is not None:
            if not self._headed and (self._imu_has_heading or not self._level):
                self._begin_as_reported(row, reported)
                return
            # Its error drifts: ten times a second say as much as every time.
            if tenth != self._oriented_tenth:
                self._oriented_tenth = tenth
                track.note_orientation(row, reported)
        if tenth != self._tenth:
            self._tenth = tenth
            self._note_rest(row, stamp_ns)
        if self._level:
            track.run(row - 1)
            if track.refused_orientation(row):
                self._count("orientation_outlier")
        elif stamp_ns - int(track.stamps[0]) >= _SECOND_NS:
            self._begin_level(row, stamp_ns)

    def _note_rest(self, row: int, stamp_ns: int) -> None:
        track = self._track
        if self._zero_velocity and self._placed and stamp_ns - int(track.stamps[0]) >= _SECOND_NS:
            rate = still_rate_radps(track.since(stamp_ns - _SECOND_NS))
            if rate is not None:
                track.note_still(row, rate)

    def _begin_as_reported(self, row: int, map_q_base: FloatArray) -> None:
        x, y, z, w = map_q_base.tolist()
        self._track.begin_as_reported(row, unit((x, y, z, w)))
        self._track.drop_before(self._last_imu_ns)
        self._motion.clear()
        self._level = True
        self._headed = self._imu_has_heading

    def _begin_level(self, row: int, stamp_ns: int) -> None:
        """Tilt from a second of gravity, and the gyro's bias if it was a second of rest."""
        track = self._track
        window = track.since(stamp_ns - _SECOND_NS)
        upright = level(window[:, 3:6])
        if upright is None:
            track.drop_before(stamp_ns - _SECOND_NS // 2)  # tried again in half a second
            return
        q, sigma_rad = upright
        track.begin(row, q, sigma_rad * sigma_rad, 0.0)
        rate = still_rate_radps(window)
        if rate is not None:
            track.know_rate_bias(row, rate, _STILL_RATE_VARIANCE + self._gyro_variance)
        track.drop_before(stamp_ns)
        self._level = True

    def _trim(self, stamp_ns: int) -> None:
        track = self._track
        limit_ns = stamp_ns - self._fix_delay_ns - _HISTORY_NS
        # In blocks, so that moving the rows up costs little per sample.
        if self._level and int(track.stamps[0]) < limit_ns - _SECOND_NS // 2:
            track.drop_before(limit_ns)
        if not self._accepted and len(self._sources) > track.count:
            # Samples that no state can be made from any more have entered nothing.
            del self._sources[: len(self._sources) - track.count]

    def _enter(self, item: Fix | Heading) -> None:
        """Apply a measurement at its own stamp and run forward again to the newest sample."""
        self._sources += (item.source, *item.also)
        self._entered_ns = self._last_ns[type(item)] = item.stamp_ns
        if not self._level:
            self._count("no_attitude")
            return
        row = self._track.row_at(item.stamp_ns)
        if row is None:
            self._count("older_than_imu")
            return
        try:
            used = self._use_fix(row, item) if isinstance(item, Fix) else self._use_heading(row, item)
        except InputError as err:
            self._count(err.reason)
            return
        if used:
            self._track.run(row)

    def _use_fix(self, row: int, fix: Fix) -> bool:
        antenna_m = self.site.position_m(fix)
        white_m2, slow_m2 = fix_variances_m2(fix)
        if not self._headed and not self._head_by_motion(row, fix.stamp_ns, antenna_m, white_m2 + slow_m2):
            return False
        self._track.set_fix_error(row, slow_m2, anew=not self._placed or fix.rtk != self._rtk)
        if self._placed:
            if self._accepted >= 2:  # before, the velocity is not known
                white_m2 = white_m2 + self._fix_time_variance * np.square(self._track.velocity_mps(row))
            nis = self._track.use_position(row, antenna_m, white_m2)
            if nis < 0.0:
                self._count("outlier")
                self._rejected_in_a_row += 1
                if self._rejected_in_a_row < _REJECTIONS_TO_RESTART:
                    return False
                self._lose_position()
                self._count("restart")
                self._track.set_fix_error(row, slow_m2, anew=True)
            else:
                self.fix_nis = nis
        if not self._placed:
            self._track.place(row, antenna_m, white_m2)
            self._placed = True
        self.fixes_used += 1
        self._accepted += 1
        self._rejected_in_a_row = 0
        self._accepted_ns = fix.stamp_ns
        self._rtk = fix.rtk
        if fix.rtk == RtkStatus.FIXED:
            self._rtk_fixed_ns = fix.stamp_ns
        return True

    def _head_by_motion(
        self, row: int, stamp_ns: int, antenna_m: FloatArray, variance_m2: FloatArray
    ) -> bool:
        flown_x, flown_y, _ = (self._track.position_m(row) + self._track.arm(row)).tolist()
        east, north, _ = antenna_m.tolist()
        sigma_m = math.sqrt(float(variance_m2[:2].max()))
        found = self._motion.add(stamp_ns, (flown_x, flown_y), (east, north), sigma_m)
        if found is None:
            return False
        yaw_rad, sigma_rad = found
        self._turn(row, yaw_rad, sigma_rad)
        return True

    def _use_heading(self, row: int, heading: Heading) -> bool:
        stated = heading.sigma_rad
        sigma_rad = stated if stated > 0.0 else self._heading_sigma_rad  # NaN is not above 0
        if not self._headed:
            self._turn(row, heading.yaw_rad - self._track.yaw_rad(row), sigma_rad)
            return True
        if self._track.use_heading(row, heading.yaw_rad, sigma_rad * sigma_rad) >= 0.0:
            self._heading_rejected = 0
            return True
        self._count("heading_outlier")
        self._heading_rejected += 1
        if self._heading_rejected < _REJECTIONS_TO_RESTART:
            return False
        self._heading_rejected = 0
        self._count("heading_restart")
        self._track.forget_heading(row, heading.yaw_rad, sigma_rad * sigma_rad)
        return True

    def _turn(self, row: int, yaw_rad: float, sigma_rad: float) -> None:
        self._track.turn(row, yaw_rad, sigma_rad * sigma_rad)
        self._motion.clear()
        self._headed = True

    def _state(self) -> NavState:
        track, row = self._track, self._track.count - 1
        q: Quaternion = track.attitude(row)
        fx, fy, fz = track.force_mps2(row).tolist()
        east, north, up = rotate(q, (fx, fy, fz))
        sources, self._sources = tuple(self._sources), []
        return NavState(
            stamp_ns=self._last_imu_ns,
            map_T_base=Pose(track.position_m(row), np.array(q)),
            velocity_mps=track.velocity_mps(row),
            acceleration_mps2=np.array((east, north, up - GRAVITY_MPS2)),
            angular_velocity_radps=track.rate_radps(row),
            covariance=track.covariance(row),
            rtk=self._rtk,
            rtk_fixed_ns=self._rtk_fixed_ns,
            sources=sources,
        )

    def _count(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
