# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The recent past of the filter: one row per IMU sample, so that a late fix can go back to its own stamp.

Guarantees: rows rise in stamp; memory is bounded by what the caller keeps; a row costs no allocation once the
arrays have their size. Leaves out what is believed, and when: that is ``pose.py``.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing import eskf
from vidgen_nodes.sensing.fix_error import SLOW_TIME_S
from vidgen_nodes.sensing.transform import Quaternion, multiply, unit

_FIRST_CAPACITY: Final = 512
_FIRST_SPEED_M2PS2: Final = 15.0**2
_ANYWHERE_M2: Final = 100.0**2  # about the first fix; wide against any fix, narrow enough for the arithmetic
# From memory of small MEMS units: in 100 s a bias wanders by a tenth of what it was unknown by at the start.
_WALK_PER_S: Final = 0.1**2 / 100.0
_ORIENTATION_NOISE_RAD: Final = math.radians(0.03)
# What a reported orientation does within a second or so, the gyro knows better: a first-order model of its error
# would take much of it for the drone's. So each of the ten a second is given this share of its sigma as noise too;
# on the simulated flight that makes the stated covariance the right one whatever the correlation time (5 to 60 s).
_FAST_SHARE: Final = 2.0
_STILL_SPEED_MPS: Final = 0.01
_COVARIANCE_AXES: Final = np.r_[0:3, eskf.D_ATTITUDE : eskf.D_ATTITUDE + 3]
_PLACE: Final = np.ix_(_COVARIANCE_AXES, _COVARIANCE_AXES)
USELESS_HEADING_DEG: Final = 90.0


def gate(sigma: float, freedom: int) -> float:
    """Normalised innovation squared that is as improbable as so many sigma of one normal number."""
    value = float(chdtri(freedom, math.erfc(sigma / math.sqrt(2.0))))
    return value if math.isfinite(value) else 1e300


def error_model(params: RtkParams) -> FloatArray:
    """What the filter takes for true of its sensors; see the M_ constants of ``eskf``."""
    tilt, heading = (math.radians(degrees) for degrees in params.orientation_sigma_deg)
    use_heading = params.orientation_sigma_deg[1] < USELESS_HEADING_DEG
    model = np.zeros(eskf.MODEL_SIZE)
    model[eskf.M_ACCELERATION] = params.acceleration_noise_density**2
    model[eskf.M_GYRO] = params.gyro_noise_density**2
    model[eskf.M_ACCELERATION_WALK] = params.acceleration_bias_mps2**2 * _WALK_PER_S
    model[eskf.M_GYRO_WALK] = params.gyro_bias_radps**2 * _WALK_PER_S
    model[eskf.M_ORIENTATION_TIME_S] = params.orientation_time_s
    model[eskf.M_TILT] = tilt * tilt
    model[eskf.M_HEADING] = heading * heading if use_heading else 0.0
    model[eskf.M_ORIENTATION] = _ORIENTATION_NOISE_RAD**2 + (_FAST_SHARE * tilt) ** 2
    model[eskf.M_USE_HEADING] = use_heading
    model[eskf.M_FIX_TIME_S] = SLOW_TIME_S
    model[eskf.M_GATE] = gate(params.outlier_gate_sigma, 3)
    model[eskf.M_STILL_SPEED] = _STILL_SPEED_MPS**2
    # The mean over a second, used ten times a second.
    model[eskf.M_STILL_RATE] = 10.0 * params.gyro_noise_density**2
    return model


class Track:
    """Rows of stamp, reading, state and covariance, oldest first."""

    def __init__(self, params: RtkParams) -> None:
        self.count = 0
        self._model = error_model(params)
        self._lever = np.array(params.antenna_m)
        self._bias_variances = (params.gyro_bias_radps**2, params.acceleration_bias_mps2**2)
        self._position_gate = self._model[eskf.M_GATE]
        self._heading_gate = gate(params.outlier_gate_sigma, 1)
        self._allocate(_FIRST_CAPACITY)
        self._compile()

    def _allocate(self, capacity: int) -> None:
        self.stamps = np.zeros(capacity, dtype=np.int64)
        self.readings = np.zeros((capacity, eskf.READING_SIZE))
        self._orientations = np.zeros((capacity, 4))
        self._bits = np.zeros(capacity, dtype=np.uint8)
        self._states = np.zeros((capacity, eskf.NOMINAL_SIZE))
        self._covariances = np.zeros((capacity, eskf.SIZE, eskf.SIZE))

    @property
    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return (self.stamps, self.readings, self._orientations, self._bits, self._states, self._covariances)

    def _compile(self) -> None:
        """Have the machine code ready before the first sample, not when it comes."""
        for k in range(2):
            self.append(k * 1_000_000, np.zeros(3), np.zeros(3))
        self.begin(0, (0.0, 0.0, 0.0, 1.0), 1.0, 1.0)
        self.run(0)
        self.use_position(1, np.zeros(3), np.ones(3))
        self.use_heading(1, 0.0, 1.0)
        self.clear()

    def clear(self) -> None:
        """Forget every row."""
        self.count = 0

    def append(self, stamp_ns: int, rate_radps: FloatArray, force_mps2: FloatArray) -> int:
        """A new newest row, its state still to be worked out; returns its number."""
        if self.count == len(self.stamps):
            self._grow()
        row = self.count
        self.stamps[row] = stamp_ns
        self.readings[row, :3] = rate_radps
        self.readings[row, 3:6] = force_mps2
        self._bits[row] = 0
        self.count += 1
        return row

    def _grow(self) -> None:
        old = self._columns
        self._allocate(2 * len(self.stamps))
        for before, after in zip(old, self._columns, strict=True):
            after[: self.count] = before[: self.count]

    def note_orientation(self, row: int, map_q_base: FloatArray) -> None:
        """Use the orientation that the IMU reports when ``run`` comes by this row."""
        self._orientations[row] = map_q_base
        self._bits[row] |= eskf.HAS_ORIENTATION

    def note_still(self, row: int, rate_radps: FloatArray) -> None:
        """The IMU has been quiet for a second before this row, at that mean rate (3,)."""
        self.readings[row, eskf.STILL_RATE :] = rate_radps
        self._bits[row] |= eskf.IS_STILL

    def begin(self, row: int, map_q_base: Quaternion, tilt_variance: float, heading_variance: float) -> None:
        """Start with an attitude known to variances [rad²], and nothing else."""
        variances = np.zeros(eskf.SIZE)
        variances[eskf.D_VELOCITY : eskf.D_VELOCITY + 3] = _FIRST_SPEED_M2PS2
        variances[eskf.D_ATTITUDE : eskf.D_ATTITUDE + 3] = (tilt_variance, tilt_variance, heading_variance)
        variances[eskf.D_GYRO : eskf.D_GYRO + 3] = self._bias_variances[0]
        variances[eskf.D_ACCELERATION : eskf.D_ACCELERATION + 3] = self._bias_variances[1]
        tilt, heading = self._model[eskf.M_TILT], self._model[eskf.M_HEADING]
        variances[eskf.D_ORIENTATION : eskf.D_ORIENTATION + 3] = (tilt, tilt, heading)
        self._states[row] = 0.0
        self._states[row, eskf.QUATERNION : eskf.QUATERNION + 4] = map_q_base
        self._covariances[row] = np.diag(variances)

    def begin_as_reported(self, row: int, map_q_base: Quaternion) -> None:
        """Start with the orientation that the IMU reports: the attitude is off by what that is off by."""
        tilt, heading = self._model[eskf.M_TILT], self._model[eskf.M_HEADING]
        noise = _ORIENTATION_NOISE_RAD**2
        self.begin(row, map_q_base, tilt + noise, heading + noise)
        for axis, variance in enumerate((tilt, tilt, heading)):
            i, j = eskf.D_ATTITUDE + axis, eskf.D_ORIENTATION + axis
            self._covariances[row, i, j] = self._covariances[row, j, i] = -variance

    def know_rate_bias(self, row: int, rate_radps: FloatArray, variance: float) -> None:
        """The gyro shows this (3,) at rest, to a variance [rad²/s²]."""
        self._states[row, eskf.GYRO_BIAS : eskf.GYRO_BIAS + 3] = rate_radps
        _detach(self._covariances[row], eskf.D_GYRO, np.full(3, min(variance, self._bias_variances[0])))

    def turn(self, row: int, yaw_rad: float, variance: float) -> None:
        """Give a level state of unknown heading its heading: turn it about up; position and speed are unknown again."""
        state, covariance = self._states[row], self._covariances[row]
        about_up = (0.0, 0.0, math.sin(0.5 * yaw_rad), math.cos(0.5 * yaw_rad))
        state[eskf.QUATERNION : eskf.QUATERNION + 4] = unit(multiply(about_up, self.attitude(row)))
        c, s = math.cos(yaw_rad), math.sin(yaw_rad)
        whole = np.eye(eskf.SIZE)
        for block in (eskf.D_ATTITUDE, eskf.D_ORIENTATION):
            whole[block : block + 2, block : block + 2] = ((c, -s), (s, c))
        covariance[:] = whole @ covariance @ whole.T
        _detach(covariance, eskf.D_ATTITUDE + 2, np.array([variance]))
        state[: eskf.QUATERNION] = 0.0
        _detach(covariance, eskf.D_POSITION, np.zeros(3))
        _detach(covariance, eskf.D_VELOCITY, np.full(3, _FIRST_SPEED_M2PS2))

    def place(self, row: int, antenna_m: FloatArray, variance_m2: FloatArray) -> None:
        """The first position, or one to start anew from: whatever was known of position and speed is forgotten."""
        state, covariance = self._states[row], self._covariances[row]
        state[eskf.POSITION : eskf.POSITION + 3] = antenna_m - self.arm(row)
        state[eskf.VELOCITY : eskf.VELOCITY + 3] = 0.0
        _detach(covariance, eskf.D_POSITION, np.full(3, _ANYWHERE_M2))
        _detach(covariance, eskf.D_VELOCITY, np.full(3, _FIRST_SPEED_M2PS2))
        eskf.use_position(state, covariance, antenna_m, variance_m2, self._lever, np.inf)

    def set_fix_error(self, row: int, slow_m2: FloatArray, *, anew: bool) -> None:
        """The slow error that fixes have from here on, variances (3,); anew: another one than before."""
        self._model[eskf.M_FIX_EAST : eskf.M_FIX_UP + 1] = slow_m2
        if anew:
            self._states[row, eskf.FIX_ERROR : eskf.FIX_ERROR + 3] = 0.0
            _detach(self._covariances[row], eskf.D_FIX, slow_m2)

    def use_position(self, row: int, antenna_m: FloatArray, variance_m2: FloatArray) -> float:
        """Correct by a position (3,); returns the normalised innovation squared, negative when refused."""
        return eskf.use_position(
            self._states[row],
            self._covariances[row],
            antenna_m,
            variance_m2,
            self._lever,
            self._position_gate,
        )

    def use_heading(self, row: int, yaw_rad: float, variance: float) -> float:
        """Correct by the yaw of base; returns the same."""
        return eskf.use_heading(
            self._states[row], self._covariances[row], yaw_rad, variance, self._heading_gate
        )

    def forget_heading(self, row: int, yaw_rad: float, variance: float) -> None:
        """Believe a yaw of base against what was known."""
        off = yaw_rad - self.yaw_rad(row)
        state, covariance = self._states[row], self._covariances[row]
        about_up = (0.0, 0.0, math.sin(0.5 * off), math.cos(0.5 * off))
        state[eskf.QUATERNION : eskf.QUATERNION + 4] = unit(multiply(about_up, self.attitude(row)))
        _detach(covariance, eskf.D_ATTITUDE + 2, np.array([variance]))
        # The IMU's own heading said otherwise: its error is at least what it was just seen to be.
        k = eskf.D_ORIENTATION + 2
        state[eskf.ORIENTATION_ERROR + 2] = -math.remainder(off, math.tau)
        _detach(covariance, k, np.array([max(variance, float(self._model[eskf.M_HEADING]))]))

    def yaw_rad(self, row: int) -> float:
        """Where the x axis of base points in map: from east, counter-clockwise."""
        x, y, z, w = self.attitude(row)
        return math.atan2(2.0 * (x * y + z * w), 1.0 - 2.0 * (y * y + z * z))

    def run(self, first: int) -> None:
        """Carry the state of row ``first`` forward to the newest."""
        self._run(first, self.count - 1)

    def _run(self, first: int, last: int) -> None:
        eskf.run(
            first, last, self._model, self.stamps, self.readings,
            self._orientations, self._bits, self._states, self._covariances,
        )  # fmt: skip

    def row_at(self, stamp_ns: int) -> int | None:
        """The row at a stamp, made between two others if need be; None outside of the rows."""
        row = int(np.searchsorted(self.stamps[: self.count], stamp_ns))
        if row < self.count and self.stamps[row] == stamp_ns:
            return row
        if row == 0 or row == self.count:
            return None
        if self.count == len(self.stamps):
            self._grow()
        end = self.count
        for rows in self._columns:
            rows[row + 1 : end + 1] = rows[row:end].copy()
        self.count += 1
        before, after = int(self.stamps[row - 1]), int(self.stamps[row + 1])
        share = (stamp_ns - before) / (after - before)
        self.stamps[row] = stamp_ns
        self.readings[row] = (1.0 - share) * self.readings[row - 1] + share * self.readings[row + 1]
        self._bits[row] = 0
        self._run(row - 1, row)
        return row

    def drop_before(self, stamp_ns: int) -> None:
        """Forget the rows before a stamp."""
        row = int(np.searchsorted(self.stamps[: self.count], stamp_ns))
        kept = self.count - row
        for rows in self._columns:
            rows[:kept] = rows[row : self.count].copy()
        self.count = kept

    def since(self, stamp_ns: int) -> FloatArray:
        """The readings (n, 9) from a stamp on."""
        return self.readings[int(np.searchsorted(self.stamps[: self.count], stamp_ns)) : self.count]

    def attitude(self, row: int) -> Quaternion:
        """``map_q_base``."""
        x, y, z, w = self._states[row, eskf.QUATERNION : eskf.QUATERNION + 4].tolist()
        return (x, y, z, w)

    def position_m(self, row: int) -> FloatArray:
        """(3,) of base in map, a copy."""
        position: FloatArray = self._states[row, :3].copy()
        return position

    def velocity_mps(self, row: int) -> FloatArray:
        """(3,) of base in map, a copy."""
        velocity: FloatArray = self._states[row, 3:6].copy()
        return velocity

    def rate_radps(self, row: int) -> FloatArray:
        """(3,) in base, without the bias."""
        rate: FloatArray = self.readings[row, :3] - self._states[row, eskf.GYRO_BIAS : eskf.GYRO_BIAS + 3]
        return rate

    def force_mps2(self, row: int) -> FloatArray:
        """Specific force (3,) in base, without the bias."""
        bias = self._states[row, eskf.ACCELERATION_BIAS : eskf.ACCELERATION_BIAS + 3]
        force: FloatArray = self.readings[row, 3:6] - bias
        return force

    def biases(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Gyro [rad/s] and accelerometer [m/s²], each (3,), copies."""
        state = self._states[row]
        return (
            state[eskf.GYRO_BIAS : eskf.GYRO_BIAS + 3].copy(),
            state[eskf.ACCELERATION_BIAS : eskf.ACCELERATION_BIAS + 3].copy(),
        )

    def covariance(self, row: int) -> FloatArray:
        """(6, 6) of position [m] and attitude [rad] in map, a copy."""
        placed: FloatArray = self._covariances[row][_PLACE]
        return placed

    def refused_orientation(self, row: int) -> bool:
        """Whether the orientation that the IMU reported here was too far off."""
        return bool(self._bits[row] & eskf.HAS_ORIENTATION) and self._states[row, eskf.REFUSED] > 0.0

    def arm(self, row: int) -> FloatArray:
        """Antenna minus base (3,) in map."""
        arm: FloatArray = self._turn_of(row) @ self._lever
        return arm

    def _turn_of(self, row: int) -> FloatArray:
        turn = np.empty((3, 3))
        eskf.rotation(self._states[row, eskf.QUATERNION : eskf.QUATERNION + 4], turn)
        return turn


def _detach(covariance: FloatArray, first: int, variances: FloatArray) -> None:
    """Give errors ``first`` and following new variances (n,) and no correlation with any other, in place."""
    last = first + len(variances)
    covariance[first:last, :] = 0.0
    covariance[:, first:last] = 0.0
    covariance[first:last, first:last] = np.diag(variances)
