# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's state from IMU and position fixes, as a pure function of their stamps.

Attitude is the IMU's own orientation, carried by the gyro over samples that lack one. Position and
velocity come from a Kalman filter on each axis of ``map``, driven by the accelerometer (turned into
map, gravity removed) and corrected by the fixes, which are put back to the antenna's lever arm.

A fix with stamp s enters with the first IMU sample at or after ``s + fix_delay_ms``: the filter goes
back to s, applies it there and runs forward again over the samples it has kept. So the state is what it
would be had the fix come at once, and the order of arrival changes nothing.

- A fix more than ``outlier_gate_sigma`` off on any axis is refused; the fifth in a row is believed
  instead, and position and velocity start anew from it (a receiver that re-fixed, not an outlier).
- Nothing comes out before the second fix: one fix leaves the velocity unknown.
- An IMU gap above 0.5 s, 10 s without a fix, or stamps that go back by over a second start anew too.
- Heights are relative to the datum in the datum's own height system (see ``geodesy``).

Leaves out: estimated sensor biases, correlations between axes, and the correction of attitude by
motion. The accelerometer's error is white noise with ``acceleration_noise_mps2`` as the sigma of its
mean over 0.1 s, which has to cover tilt error as well (half a degree is 0.09 m/s²).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import Final

import numpy as np

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Fix, ImuSample, NavState, Pose, RtkStatus, SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing.axis_filter import Step, fix_variances_m2, predict, update
from vidgen_nodes.sensing.geodesy import LocalFrame
from vidgen_nodes.sensing.transform import (
    OPTICAL_FROM_BODY,
    Vector,
    compose,
    interpolate_pose,
    invert,
    pose_from_rpy,
    propagate_pose,
    rotate,
    turned,
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

GRAVITY_MPS2: Final = 9.80665
CLOCK_JUMP_NS: Final = 1_000_000_000
_IMU_GAP_NS: Final = 500_000_000
_FIX_GAP_NS: Final = 10_000_000_000
_HISTORY_NS: Final = 500_000_000
_NOISE_TIME_S: Final = 0.1
_FIRST_SPEED_SIGMA_MPS: Final = 15.0
_REJECTIONS_TO_RESTART: Final = 5
_MAX_PENDING: Final = 256
_GYRO_DRIFT_RADPS: Final = math.radians(0.1)


class NavFilter:
    """Feed it IMU samples and fixes; it hands out states on a grid of event time."""

    def __init__(self, params: RtkParams) -> None:
        self._antenna = params.antenna_m
        self._gate = params.outlier_gate_sigma
        self._fix_delay_ns = round(params.fix_delay_ms * 1e6)
        self._period_ns = round(1e9 / params.output_rate_hz)
        self._density = params.acceleration_noise_mps2**2 * _NOISE_TIME_S
        self._tilt_sigma_rad, self._heading_sigma_rad = (
            math.radians(d) for d in params.orientation_sigma_deg
        )
        self._lever_variance_m2 = (
            math.dist((0.0, 0.0, 0.0), params.antenna_m) * self._heading_sigma_rad
        ) ** 2
        self._datum = (params.datum_latitude_deg, params.datum_longitude_deg, params.datum_altitude_m)
        if math.isnan(self._datum[0]) != math.isnan(self._datum[1]):
            raise ConfigError(
                "datum_latitude_deg and datum_longitude_deg: got one of them, expected both or none"
            )
        self.frame: LocalFrame | None = None
        if not any(math.isnan(value) for value in self._datum):
            self.frame = _local_frame(self._datum)
        self.refused: dict[str, int] = {}  # fixes that entered and were not used, by reason
        self._start()
        self._pending: list[tuple[int, Fix]] = []
        self._last_fix_ns = 0
        self._bucket = -1

    def _start(self) -> None:
        self._steps: list[Step] = []
        self._sources: list[SourceRef] = []
        self._oriented_ns = 0
        self._last_imu_ns = 0
        self._lose_position()

    def _lose_position(self) -> None:
        self._accepted = 0
        self._rejected_in_a_row = 0
        self._accepted_ns = 0
        self._rtk = RtkStatus.NONE
        self._rtk_fixed_ns = 0
        for step in self._steps:
            step.axes = None

    def reset(self) -> None:
        """Start anew, as after a clock jump. The datum stays: map does not move under what was drawn."""
        self._start()
        self._pending.clear()
        self._last_fix_ns = 0
        self._bucket = -1

    @property
    def waiting_for(self) -> str:
        """What is missing before there is a pose, in plain words; empty when nothing is."""
        if not self._last_imu_ns:
            return "imu/data: no sample yet"
        if not self._steps:
            return "imu/data carries no orientation (orientation_covariance[0] is -1), and no other source gives it"
        if self._accepted >= 2:
            return ""
        if self._accepted == 1:
            return "fix: a second position, to know the velocity"
        if self._pending:
            ahead_s = (self._pending[0][0] - self._last_imu_ns) * 1e-9
            if abs(ahead_s) > 1.0:
                return f"fix: its stamps are {ahead_s:+.1f} s off those of imu/data; set both clocks alike"
        if self.refused:
            reasons = ", ".join(f"{name} {count}" for name, count in sorted(self.refused.items()))
            return f"fix: no position could be used ({reasons})"
        return "fix: no position yet"

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
        if self._last_fix_ns - fix.stamp_ns > CLOCK_JUMP_NS:
            self._last_fix_ns = 0  # another clock, it seems: the IMU's jump will clear the rest
        index = bisect_left(self._pending, fix.stamp_ns, key=lambda item: item[0])
        known = index < len(self._pending) and self._pending[index][0] == fix.stamp_ns
        if known or fix.stamp_ns == self._last_fix_ns:
            raise InputError(
                "duplicate", f"a second fix has stamp {fix.stamp_ns} ns; only the first is used."
            )
        if fix.stamp_ns < self._last_fix_ns:
            late_ms = (self._last_fix_ns - fix.stamp_ns) / 1e6
            raise InputError(
                "out_of_order", f"fix is {late_ms:.1f} ms older than one already used; raise fix_delay_ms."
            )
        insort(self._pending, (fix.stamp_ns, fix), key=lambda item: item[0])
        if len(self._pending) > _MAX_PENDING:
            del self._pending[0]
            self._count("overflow")

    def add_imu(self, sample: ImuSample) -> NavState | None:
        """Advance to a sample; returns a state with the first sample of each output period.

        Raises:
            InputError: ``duplicate`` or ``out_of_order`` stamp.
        """
        self._check_imu_stamp(sample.stamp_ns)
        self._last_imu_ns = sample.stamp_ns
        if not self._advance(sample):
            return None
        while self._pending and self._pending[0][0] + self._fix_delay_ns <= sample.stamp_ns:
            self._enter(self._pending.pop(0)[1])
        if self._accepted and sample.stamp_ns - self._accepted_ns > _FIX_GAP_NS:
            self._lose_position()
            self._count("fix_gap")
        self._trim(sample.stamp_ns)
        bucket = sample.stamp_ns // self._period_ns
        if self._accepted < 2 or bucket == self._bucket:
            return None
        self._bucket = bucket
        return self._state()

    def _check_imu_stamp(self, stamp_ns: int) -> None:
        behind_ns = self._last_imu_ns - stamp_ns
        if behind_ns > CLOCK_JUMP_NS:
            waiting = [item for item in self._pending if item[0] <= stamp_ns + CLOCK_JUMP_NS]
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

    def _advance(self, sample: ImuSample) -> bool:
        """Append a step for the sample; False while there is no attitude."""
        last = self._steps[-1] if self._steps else None
        rx, ry, rz = sample.angular_velocity_radps.tolist()
        if sample.map_q_base is not None:
            x, y, z, w = sample.map_q_base.tolist()
            q = unit((x, y, z, w))
            self._oriented_ns = sample.stamp_ns
        elif last is None or sample.stamp_ns - self._oriented_ns > _IMU_GAP_NS:
            if last is not None:
                self._start()
                self._last_imu_ns = sample.stamp_ns
            return False
        else:
            middle = [0.5 * (a + b) for a, b in zip(last.rate_radps, (rx, ry, rz), strict=True)]
            q = turned(last.map_q_base, middle, (sample.stamp_ns - last.stamp_ns) * 1e-9)
        bx, by, bz = sample.acceleration_mps2.tolist()
        ax, ay, az = rotate(q, (bx, by, bz))
        az -= GRAVITY_MPS2
        drive = (ax, ay, az)
        if last is not None:
            lx, ly, lz = last.acceleration_mps2
            drive = (0.5 * (ax + lx), 0.5 * (ay + ly), 0.5 * (az + lz))
        step = Step(sample.stamp_ns, q, (rx, ry, rz), (ax, ay, az), drive, sample.source)
        if last is not None:
            predict(last, step, self._density)
        self._steps.append(step)
        self._sources.append(sample.source)
        return True

    def _trim(self, stamp_ns: int) -> None:
        limit_ns = stamp_ns - self._fix_delay_ns - _HISTORY_NS
        # In blocks, so that moving the list up costs little per sample.
        if self._steps[0].stamp_ns < limit_ns - _HISTORY_NS:
            keep = bisect_left(self._steps, limit_ns, key=lambda step: step.stamp_ns)
            del self._steps[:keep]
        if not self._accepted and len(self._sources) > len(self._steps):
            # Samples that no state can be made from any more have entered nothing.
            del self._sources[: len(self._sources) - len(self._steps)]

    def _enter(self, fix: Fix) -> None:
        """Apply a fix at its own stamp and run forward again to the newest sample."""
        self._sources.append(fix.source)
        self._last_fix_ns = fix.stamp_ns
        at = self._step_at(fix.stamp_ns)
        if at is None:
            self._count("older_than_imu")
            return
        try:
            antenna_m = self._map_position(fix)
        except InputError as err:
            self._count(err.reason)
            return
        step = self._steps[at]
        lx, ly, lz = rotate(step.map_q_base, self._antenna)
        measured = (antenna_m[0] - lx, antenna_m[1] - ly, antenna_m[2] - lz)
        variances = fix_variances_m2(fix, self._lever_variance_m2)
        if self._correct(step, measured, variances):
            self._accepted += 1
            self._rejected_in_a_row = 0
            self._accepted_ns = fix.stamp_ns
            self._rtk = fix.rtk
            if fix.rtk == RtkStatus.FIXED:
                self._rtk_fixed_ns = fix.stamp_ns
            for before, after in zip(self._steps[at:], self._steps[at + 1 :], strict=False):
                predict(before, after, self._density)

    def _correct(self, step: Step, measured: Vector, variances: Vector) -> bool:
        if step.axes is not None:
            worst = max(
                abs(z - p) / math.sqrt(axis[0] + r)
                for z, p, axis, r in zip(measured, step.position_m, step.axes, variances, strict=True)
            )
            if worst <= self._gate:
                update(step, measured, variances)
                return True
            self._count("outlier")
            self._rejected_in_a_row += 1
            if self._rejected_in_a_row < _REJECTIONS_TO_RESTART:
                return False
            self._lose_position()
            self._count("restart")
        first_speed = _FIRST_SPEED_SIGMA_MPS**2
        x, y, z = variances
        step.position_m, step.velocity_mps = measured, (0.0, 0.0, 0.0)
        step.axes = ((x, 0.0, first_speed), (y, 0.0, first_speed), (z, 0.0, first_speed))
        return True

    def _step_at(self, stamp_ns: int) -> int | None:
        """Index of the step at a stamp, made between two samples if need be; None before the first."""
        index = bisect_left(self._steps, stamp_ns, key=lambda step: step.stamp_ns)
        if index < len(self._steps) and self._steps[index].stamp_ns == stamp_ns:
            return index
        if index == 0 or index == len(self._steps):
            return None
        before, after = self._steps[index - 1], self._steps[index]
        q = turned(before.map_q_base, before.rate_radps, (stamp_ns - before.stamp_ns) * 1e-9)
        between = Step(stamp_ns, q, before.rate_radps, after.drive_mps2, after.drive_mps2, None)
        predict(before, between, self._density)
        self._steps.insert(index, between)
        return index

    def _map_position(self, fix: Fix) -> Vector:
        if self.frame is None:
            given = (fix.latitude_deg, fix.longitude_deg, fix.altitude_m)
            lat, lon, height = (f if math.isnan(d) else d for d, f in zip(self._datum, given, strict=True))
            self.frame = LocalFrame(lat, lon, height)
        x, y, z = self.frame.to_enu(fix.latitude_deg, fix.longitude_deg, fix.altitude_m).tolist()
        return (x, y, z)

    def _state(self) -> NavState | None:
        step = self._steps[-1]
        if step.axes is None:
            return None
        drift = ((step.stamp_ns - self._oriented_ns) * 1e-9 * _GYRO_DRIFT_RADPS) ** 2
        tilt, heading = self._tilt_sigma_rad**2 + drift, self._heading_sigma_rad**2 + drift
        x, y, z = step.axes
        covariance = np.zeros((6, 6))
        covariance.flat[::7] = (x[0], y[0], z[0], tilt, tilt, heading)
        sources, self._sources = tuple(self._sources), []
        return NavState(
            stamp_ns=step.stamp_ns,
            map_T_base=Pose(np.array(step.position_m), np.array(step.map_q_base)),
            velocity_mps=np.array(step.velocity_mps),
            acceleration_mps2=np.array(step.acceleration_mps2),
            angular_velocity_radps=np.array(step.rate_radps),
            covariance=covariance,
            rtk=self._rtk,
            rtk_fixed_ns=self._rtk_fixed_ns,
            sources=sources,
        )

    def _count(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1


def _local_frame(datum: tuple[float, float, float]) -> LocalFrame:
    try:
        return LocalFrame(*datum)
    except InputError as err:
        raise ConfigError(f"datum_latitude_deg, datum_longitude_deg, datum_altitude_m: {err}") from err
