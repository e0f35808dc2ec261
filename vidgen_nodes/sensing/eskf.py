# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The error-state Kalman filter, as compiled functions over plain arrays: prediction and corrections.

Equations after Solà 2017, "Quaternion kinematics for the error-state Kalman filter" (arXiv:1711.02508),
section 7 (global angular errors), in own words: the attitude error is a rotation vector in ``map``,
``R_true = exp(error) R``. The 21 errors: position, velocity, attitude, gyro bias, accelerometer bias, error
of the orientation that the IMU itself reports (first-order Gauss-Markov: it drifts, so averaging it does not
make it exact), slow error of position fixes that are not RTK fixed (the same, for the same reason).

Guarantees: the same rows give the same bits, on every machine on which the compiler keeps IEEE order (no
fast-math, no BLAS). Left out: the earth's rotation (15 degrees an hour, it goes into the gyro bias), coning
within a sample, and the change of the error's frame by an injected correction (second order).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import ByteArray, FloatArray

StampArray = npt.NDArray[np.int64]

# Columns of a nominal state.
POSITION, VELOCITY, QUATERNION, GYRO_BIAS, ACCELERATION_BIAS = 0, 3, 6, 10, 13
ORIENTATION_ERROR, FIX_ERROR, ORIENTATION_ZERO, REFUSED, NOMINAL_SIZE = 16, 19, 22, 25, 26
# Rows and columns of a covariance.
D_POSITION, D_VELOCITY, D_ATTITUDE, D_GYRO, D_ACCELERATION, D_ORIENTATION, D_FIX, SIZE = (
    0, 3, 6, 9, 12, 15, 18, 21,
)  # fmt: skip
# Columns of a reading: what the IMU measured, then the mean rate over a second of standing still.
GYRO, FORCE, STILL_RATE, READING_SIZE = 0, 3, 6, 9
# Bits of a row.
HAS_ORIENTATION, IS_STILL = 1, 2
# Entries of the error model.
(
    M_ACCELERATION, M_GYRO, M_ACCELERATION_WALK, M_GYRO_WALK, M_ORIENTATION_TIME_S, M_TILT, M_HEADING, M_ORIENTATION,
    M_USE_HEADING, M_FIX_TIME_S, M_FIX_EAST, M_FIX_NORTH, M_FIX_UP, M_GATE, M_STILL_SPEED, M_STILL_RATE, MODEL_SIZE,
) = range(17)  # fmt: skip

GRAVITY_MPS2: Final = 9.80665
# An IMU whose orientation was off so often in a row (5 s) has begun another one: its zero is learned anew.
_RELEARN_AFTER = 50.0
# Faster is not standing still, however quiet the IMU is.
_STILL_LIMIT_MPS = 0.15


@compiled
def rotation(q: FloatArray, out: FloatArray) -> None:
    """Write the matrix (3, 3) of a unit quaternion (x, y, z, w) to ``out``."""
    x, y, z, w = q[0], q[1], q[2], q[3]
    out[0, 0] = 1.0 - 2.0 * (y * y + z * z)
    out[0, 1] = 2.0 * (x * y - z * w)
    out[0, 2] = 2.0 * (x * z + y * w)
    out[1, 0] = 2.0 * (x * y + z * w)
    out[1, 1] = 1.0 - 2.0 * (x * x + z * z)
    out[1, 2] = 2.0 * (y * z - x * w)
    out[2, 0] = 2.0 * (x * z - y * w)
    out[2, 1] = 2.0 * (y * z + x * w)
    out[2, 2] = 1.0 - 2.0 * (x * x + y * y)


@compiled
def _product(
    ax: float, ay: float, az: float, aw: float, bx: float, by: float, bz: float, bw: float, out: FloatArray
) -> None:
    """Hamilton product a b at length 1."""
    x = aw * bx + ax * bw + ay * bz - az * by
    y = aw * by - ax * bz + ay * bw + az * bx
    z = aw * bz + ax * by - ay * bx + az * bw
    w = aw * bw - ax * bx - ay * by - az * bz
    norm = math.sqrt(x * x + y * y + z * z + w * w)
    out[0], out[1], out[2], out[3] = x / norm, y / norm, z / norm, w / norm


@compiled
def _half_angle_scale(angle: float) -> float:
    """sin(angle / 2) / angle."""
    return math.sin(0.5 * angle) / angle if angle > 1e-9 else 0.5


@compiled
def _move(
    before: FloatArray,
    after: FloatArray,
    earlier: FloatArray,
    later: FloatArray,
    dt_s: float,
    force: FloatArray,
    turn: FloatArray,
) -> None:
    """Carry the nominal state over ``dt_s``; readings are taken as linear in between.

    Also gives the mean specific force in map (3,) and the mean rotation (3, 3), which the covariance needs.
    """
    after[:] = before
    rx = 0.5 * (earlier[0] + later[0]) - before[GYRO_BIAS]
    ry = 0.5 * (earlier[1] + later[1]) - before[GYRO_BIAS + 1]
    rz = 0.5 * (earlier[2] + later[2]) - before[GYRO_BIAS + 2]
    angle = dt_s * math.sqrt(rx * rx + ry * ry + rz * rz)
    scale = dt_s * _half_angle_scale(angle)
    q = before[QUATERNION : QUATERNION + 4]
    _product(q[0], q[1], q[2], q[3], rx * scale, ry * scale, rz * scale, math.cos(0.5 * angle),
             after[QUATERNION : QUATERNION + 4])  # fmt: skip
    start, end = np.empty((3, 3)), np.empty((3, 3))
    rotation(q, start)
    rotation(after[QUATERNION : QUATERNION + 4], end)
    for i in range(3):
        first = last = 0.0
        for j in range(3):
            bias = before[ACCELERATION_BIAS + j]
            first += start[i, j] * (earlier[FORCE + j] - bias)
            last += end[i, j] * (later[FORCE + j] - bias)
            turn[i, j] = 0.5 * (start[i, j] + end[i, j])
        force[i] = 0.5 * (first + last)
        if i == 2:
            first -= GRAVITY_MPS2
            last -= GRAVITY_MPS2
        speed = before[VELOCITY + i]
        after[POSITION + i] += dt_s * speed + dt_s * dt_s * (2.0 * first + last) / 6.0
        after[VELOCITY + i] += 0.5 * dt_s * (first + last)


@compiled
def _spread(
    matrix: FloatArray,
    out: FloatArray,
    dt_s: float,
    force: FloatArray,
    turn: FloatArray,
    keep_orientation: float,
    keep_fix: float,
) -> None:
    """``out = F matrix``: the error's transition F applied to the rows of a (21, 21) matrix."""
    half = 0.5 * dt_s * dt_s
    for c in range(SIZE):
        ax, ay, az = matrix[D_ATTITUDE, c], matrix[D_ATTITUDE + 1, c], matrix[D_ATTITUDE + 2, c]
        gx, gy, gz = matrix[D_GYRO, c], matrix[D_GYRO + 1, c], matrix[D_GYRO + 2, c]
        bx, by, bz = matrix[D_ACCELERATION, c], matrix[D_ACCELERATION + 1, c], matrix[D_ACCELERATION + 2, c]
        tilted = (
            ay * force[2] - az * force[1],
            az * force[0] - ax * force[2],
            ax * force[1] - ay * force[0],
        )  # attitude error x specific force
        for i in range(3):
            pull = tilted[i] - (turn[i, 0] * bx + turn[i, 1] * by + turn[i, 2] * bz)
            speed = matrix[D_VELOCITY + i, c]
            out[D_POSITION + i, c] = matrix[D_POSITION + i, c] + dt_s * speed + half * pull
            out[D_VELOCITY + i, c] = speed + dt_s * pull
            out[D_ATTITUDE + i, c] = matrix[D_ATTITUDE + i, c] - dt_s * (
                turn[i, 0] * gx + turn[i, 1] * gy + turn[i, 2] * gz
            )
            out[D_GYRO + i, c] = matrix[D_GYRO + i, c]
            out[D_ACCELERATION + i, c] = matrix[D_ACCELERATION + i, c]
            out[D_ORIENTATION + i, c] = keep_orientation * matrix[D_ORIENTATION + i, c]
            out[D_FIX + i, c] = keep_fix * matrix[D_FIX + i, c]


@compiled
def _predict(
    before: FloatArray,
    after: FloatArray,
    earlier: FloatArray,
    later: FloatArray,
    dt_s: float,
    covariance: FloatArray,
    grown: FloatArray,
    model: FloatArray,
) -> None:
    """State and covariance from one row to the next."""
    force, turn = np.empty(3), np.empty((3, 3))
    _move(before, after, earlier, later, dt_s, force, turn)
    keep_o = math.exp(-dt_s / model[M_ORIENTATION_TIME_S])
    keep_f = math.exp(-dt_s / model[M_FIX_TIME_S])
    after[ORIENTATION_ERROR : ORIENTATION_ERROR + 3] *= keep_o
    after[FIX_ERROR : FIX_ERROR + 3] *= keep_f
    once = np.empty((SIZE, SIZE))
    _spread(covariance, once, dt_s, force, turn, keep_o, keep_f)
    _spread(once.T, grown, dt_s, force, turn, keep_o, keep_f)
    for i in range(SIZE):
        for j in range(i):
            grown[i, j] = grown[j, i]
    density = model[M_ACCELERATION]
    for i in range(3):
        grown[D_POSITION + i, D_POSITION + i] += density * dt_s * dt_s * dt_s / 3.0
        grown[D_POSITION + i, D_VELOCITY + i] += 0.5 * density * dt_s * dt_s
        grown[D_VELOCITY + i, D_POSITION + i] += 0.5 * density * dt_s * dt_s
        grown[D_VELOCITY + i, D_VELOCITY + i] += density * dt_s
        grown[D_ATTITUDE + i, D_ATTITUDE + i] += model[M_GYRO] * dt_s
        grown[D_GYRO + i, D_GYRO + i] += model[M_GYRO_WALK] * dt_s
        grown[D_ACCELERATION + i, D_ACCELERATION + i] += model[M_ACCELERATION_WALK] * dt_s
        orientation = model[M_HEADING] if i == 2 else model[M_TILT]
        grown[D_ORIENTATION + i, D_ORIENTATION + i] += orientation * (1.0 - keep_o * keep_o)
        grown[D_FIX + i, D_FIX + i] += model[M_FIX_EAST + i] * (1.0 - keep_f * keep_f)


@compiled
def _update(
    state: FloatArray,
    covariance: FloatArray,
    jacobian: FloatArray,
    residual: FloatArray,
    variance: FloatArray,
    gate: float,
) -> float:
    """Correct by three measurements at once unless their normalised innovation squared is above the gate.

    A row of zeros in the jacobian (3, 21) with residual 0 and variance 1 is no measurement.
    Returns the normalised innovation squared; negative: refused.
    """
    cross, s, inverse = np.zeros((SIZE, 3)), np.zeros((3, 3)), np.empty((3, 3))
    for i in range(SIZE):
        for j in range(3):
            for k in range(SIZE):
                cross[i, j] += covariance[i, k] * jacobian[j, k]
    for i in range(3):
        s[i, i] = variance[i]
        for j in range(3):
            for k in range(SIZE):
                s[i, j] += jacobian[i, k] * cross[k, j]
    _invert(s, inverse)
    nis = 0.0
    for i in range(3):
        for j in range(3):
            nis += residual[i] * inverse[i, j] * residual[j]
    if not nis <= gate:
        return -nis
    _apply(state, covariance, cross, inverse, residual)
    return nis


@compiled
def _invert(matrix: FloatArray, out: FloatArray) -> None:
    """Inverse of a (3, 3) matrix, by cofactors."""
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            c, d = (j + 1) % 3, (j + 2) % 3
            out[j, i] = matrix[a, c] * matrix[b, d] - matrix[a, d] * matrix[b, c]
    out /= matrix[0, 0] * out[0, 0] + matrix[0, 1] * out[1, 0] + matrix[0, 2] * out[2, 0]


@compiled
def _apply(
    state: FloatArray, covariance: FloatArray, cross: FloatArray, inverse: FloatArray, residual: FloatArray
) -> None:
    """Kalman gain from cross covariance (21, 3) and inverse innovation covariance (3, 3), and its use."""
    correction, gain = np.zeros(SIZE), np.zeros((SIZE, 3))
    for i in range(SIZE):
        for j in range(3):
            for k in range(3):
                gain[i, j] += cross[i, k] * inverse[k, j]
            correction[i] += gain[i, j] * residual[j]
    for i in range(SIZE):
        for j in range(i, SIZE):
            value = covariance[i, j]
            for k in range(3):
                value -= gain[i, k] * cross[j, k]
            covariance[i, j] = value
            covariance[j, i] = value
    _inject(state, correction)


@compiled
def _inject(state: FloatArray, correction: FloatArray) -> None:
    """Add an error (21,) to a nominal state."""
    for i in range(6):
        state[i] += correction[i]
    x, y, z = correction[D_ATTITUDE], correction[D_ATTITUDE + 1], correction[D_ATTITUDE + 2]
    angle = math.sqrt(x * x + y * y + z * z)
    scale = _half_angle_scale(angle)
    q = state[QUATERNION : QUATERNION + 4]
    _product(x * scale, y * scale, z * scale, math.cos(0.5 * angle), q[0], q[1], q[2], q[3], q)
    for i in range(12):
        state[GYRO_BIAS + i] += correction[D_GYRO + i]


@compiled
def _use_orientation(
    state: FloatArray, covariance: FloatArray, measured: FloatArray, model: FloatArray
) -> None:
    """Correct by the orientation (x, y, z, w) that the IMU reports: attitude plus its own slow error."""
    residual, variance, jacobian = np.zeros(3), np.ones(3), np.zeros((3, SIZE))
    used = 3 if model[M_USE_HEADING] > 0.0 else 2
    q = state[QUATERNION : QUATERNION + 4]
    if used == 3:
        off = np.empty(4)
        _product(measured[0], measured[1], measured[2], measured[3], -q[0], -q[1], -q[2], q[3], off)
        length = math.sqrt(off[0] * off[0] + off[1] * off[1] + off[2] * off[2])
        sign = -1.0 if off[3] < 0.0 else 1.0  # q and -q are one attitude
        scale = 2.0 * sign if length < 1e-9 else 2.0 * sign * math.atan2(length, sign * off[3]) / length
        for i in range(3):
            residual[i] = off[i] * scale
    else:
        # Only where it says that down is: the up axis it sees in base, turned into map.
        said, turn = np.empty((3, 3)), np.empty((3, 3))
        rotation(measured, said)
        rotation(q, turn)
        for j in range(3):
            residual[0] += turn[1, j] * said[2, j]
            residual[1] -= turn[0, j] * said[2, j]
    for i in range(used):
        jacobian[i, D_ATTITUDE + i] = jacobian[i, D_ORIENTATION + i] = 1.0
        residual[i] -= state[ORIENTATION_ZERO + i] + state[ORIENTATION_ERROR + i]
        variance[i] = model[M_ORIENTATION]
    if _update(state, covariance, jacobian, residual, variance, model[M_GATE]) >= 0.0:
        state[REFUSED] = 0.0
        return
    state[REFUSED] += 1.0
    if state[REFUSED] < _RELEARN_AFTER:
        return
    state[REFUSED] = 0.0
    for i in range(used):
        k = D_ORIENTATION + i
        covariance[k, :] = 0.0
        covariance[:, k] = 0.0
        covariance[k, k] = model[M_HEADING] if i == 2 else model[M_TILT]
        state[ORIENTATION_ZERO + i] += residual[i] + state[ORIENTATION_ERROR + i]
        state[ORIENTATION_ERROR + i] = 0.0


@compiled
def _stand_still(state: FloatArray, covariance: FloatArray, reading: FloatArray, model: FloatArray) -> None:
    """Zero velocity and zero rate, if the filter itself holds standing still for possible."""
    for i in range(3):
        sigma = math.sqrt(covariance[D_VELOCITY + i, D_VELOCITY + i])
        if sigma > _STILL_LIMIT_MPS or abs(state[VELOCITY + i]) > min(3.0 * sigma + 0.01, _STILL_LIMIT_MPS):
            return
    velocity, rate = np.zeros((3, SIZE)), np.zeros((3, SIZE))
    speed_off, rate_off = np.empty(3), np.empty(3)
    for i in range(3):
        velocity[i, D_VELOCITY + i] = 1.0
        speed_off[i] = -state[VELOCITY + i]
    _update(state, covariance, velocity, speed_off, np.full(3, model[M_STILL_SPEED]), model[M_GATE])
    for i in range(3):
        rate[i, D_GYRO + i] = 1.0
        rate_off[i] = reading[STILL_RATE + i] - state[GYRO_BIAS + i]
    _update(state, covariance, rate, rate_off, np.full(3, model[M_STILL_RATE]), model[M_GATE])


@compiled
def run(
    first: int,
    last: int,
    model: FloatArray,
    stamps: StampArray,
    readings: FloatArray,
    orientations: FloatArray,
    bits: ByteArray,
    states: FloatArray,
    covariances: FloatArray,
) -> None:
    """Carry row ``first`` forward to row ``last``, using on the way what the IMU says of orientation and rest.

    Args:
        first: row that is known.
        last: row to reach.
        model: (16,) variances and densities, see the M_ constants.
        stamps: (n,) int64 ns, rising.
        readings: (n, 9) rate [rad/s], specific force [m/s²] in base, mean rate at rest.
        orientations: (n, 4) as the IMU reports it, where the row's bit says so.
        bits: (n,) uint8, HAS_ORIENTATION and IS_STILL.
        states: (n, 26) nominal states; rows after ``first`` are written.
        covariances: (n, 21, 21); the same.
    """
    for row in range(first + 1, last + 1):
        dt_s = (stamps[row] - stamps[row - 1]) * 1e-9
        _predict(
            states[row - 1], states[row], readings[row - 1], readings[row], dt_s,
            covariances[row - 1], covariances[row], model,
        )  # fmt: skip
        if bits[row] & HAS_ORIENTATION:
            _use_orientation(states[row], covariances[row], orientations[row], model)
        if bits[row] & IS_STILL:
            _stand_still(states[row], covariances[row], readings[row], model)


@compiled
def use_position(
    state: FloatArray,
    covariance: FloatArray,
    antenna_m: FloatArray,
    variance_m2: FloatArray,
    lever_m: FloatArray,
    gate: float,
) -> float:
    """Correct by the position (3,) of the antenna in map.

    Args:
        state: (26,), changed in place unless refused.
        covariance: (21, 21), the same.
        antenna_m: measured.
        variance_m2: (3,) of its white error, east north up.
        lever_m: (3,) antenna in base.
        gate: largest normalised innovation squared, chi-square with 3 degrees of freedom.

    Returns:
        The normalised innovation squared; negative: refused.
    """
    turn, jacobian, residual, arm = np.empty((3, 3)), np.zeros((3, SIZE)), np.empty(3), np.empty(3)
    rotation(state[QUATERNION : QUATERNION + 4], turn)
    for i in range(3):
        arm[i] = turn[i, 0] * lever_m[0] + turn[i, 1] * lever_m[1] + turn[i, 2] * lever_m[2]
        residual[i] = antenna_m[i] - state[POSITION + i] - state[FIX_ERROR + i] - arm[i]
        jacobian[i, D_POSITION + i] = jacobian[i, D_FIX + i] = 1.0
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        jacobian[i, D_ATTITUDE + a] = arm[b]  # attitude error x arm
        jacobian[i, D_ATTITUDE + b] = -arm[a]
    return _update(state, covariance, jacobian, residual, variance_m2, gate)


@compiled
def use_heading(
    state: FloatArray, covariance: FloatArray, yaw_rad: float, variance_rad2: float, gate: float
) -> float:
    """Correct by the yaw of base in map (where its x axis points, from east, counter-clockwise).

    Returns the normalised innovation squared (1 degree of freedom); negative: refused, also while base points
    so steeply up or down that it has no heading.
    """
    turn, jacobian, residual, variance = np.empty((3, 3)), np.zeros((3, SIZE)), np.zeros(3), np.ones(3)
    rotation(state[QUATERNION : QUATERNION + 4], turn)
    x, y, z = turn[0, 0], turn[1, 0], turn[2, 0]
    level = x * x + y * y
    if level < 0.25:
        return -np.inf
    off = yaw_rad - math.atan2(y, x)
    residual[0] = math.atan2(math.sin(off), math.cos(off))
    jacobian[0, D_ATTITUDE] = -z * x / level
    jacobian[0, D_ATTITUDE + 1] = -z * y / level
    jacobian[0, D_ATTITUDE + 2] = 1.0
    variance[0] = variance_rad2
    return _update(state, covariance, jacobian, residual, variance, gate)
