# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Position and velocity along each axis of map: the Kalman filter between and at the fixes.

The three axes are independent, so plain numbers beat small matrices: a step costs a few microseconds.
Leaves out everything about time order and about which fix is believed; that is ``pose.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import Fix, RtkStatus, SourceRef
from vidgen_nodes.sensing.transform import Quaternion, Vector

# 1 sigma no receiver is believed to beat: horizontal, vertical, m.
_FLOOR_M: Final = {
    RtkStatus.SINGLE: (0.5, 1.0),
    RtkStatus.FLOAT: (0.05, 0.1),
    RtkStatus.FIXED: (0.01, 0.015),
}
# 1 sigma where the receiver states no covariance, m.
_USUAL_M: Final = {
    RtkStatus.SINGLE: (2.5, 5.0),
    RtkStatus.FLOAT: (0.4, 0.8),
    RtkStatus.FIXED: (0.014, 0.02),
}

Axes = tuple[Vector, Vector, Vector]  # per axis of map: variance of position, cross term, of velocity


@dataclass(slots=True)
class Step:
    """What is known at one stamp. ``drive`` is the mean acceleration in map since the step before."""

    stamp_ns: int
    map_q_base: Quaternion
    rate_radps: Vector
    acceleration_mps2: Vector  # in map, gravity removed
    drive_mps2: Vector
    source: SourceRef | None
    position_m: Vector = (0.0, 0.0, 0.0)
    velocity_mps: Vector = (0.0, 0.0, 0.0)
    axes: Axes | None = None  # None: no position yet


def fix_variances_m2(fix: Fix, lever_variance_m2: float) -> Vector:
    """Variance of a fix along east, north and up, m^2; never below what a receiver can know.

    Args:
        fix: with the covariance that the receiver states, if it does.
        lever_variance_m2: what the heading error adds at the antenna's lever arm.
    """
    floor_h, floor_v = _FLOOR_M[fix.rtk]
    usual_h, usual_v = _USUAL_M[fix.rtk]
    east, north, up = np.diagonal(fix.covariance_m2).tolist()
    return (
        _variance(east, floor_h, usual_h) + lever_variance_m2,
        _variance(north, floor_h, usual_h) + lever_variance_m2,
        _variance(up, floor_v, usual_v) + lever_variance_m2,
    )


def _variance(stated_m2: float, floor_m: float, usual_m: float) -> float:
    """NaN or zero means that the receiver states nothing (NavSatFix.COVARIANCE_TYPE_UNKNOWN)."""
    if not (math.isfinite(stated_m2) and stated_m2 > 0.0):
        return usual_m * usual_m
    return max(stated_m2, floor_m * floor_m)


def predict(before: Step, after: Step, density: float) -> None:
    """Carry ``before`` to the stamp of ``after``: constant acceleration, white noise of a density [m²/s³] on it.

    Bar-Shalom, Li and Kirubarajan 2001, section 6.2.2.
    """
    if before.axes is None:
        after.axes = None
        return
    dt = (after.stamp_ns - before.stamp_ns) * 1e-9
    half = 0.5 * dt * dt
    px, py, pz = before.position_m
    vx, vy, vz = before.velocity_mps
    ax, ay, az = after.drive_mps2
    after.position_m = (px + vx * dt + ax * half, py + vy * dt + ay * half, pz + vz * dt + az * half)
    after.velocity_mps = (vx + ax * dt, vy + ay * dt, vz + az * dt)
    q_pp, q_pv, q_vv = density * dt * dt * dt / 3.0, density * half, density * dt
    x, y, z = before.axes
    after.axes = (
        (x[0] + dt * (2.0 * x[1] + dt * x[2]) + q_pp, x[1] + dt * x[2] + q_pv, x[2] + q_vv),
        (y[0] + dt * (2.0 * y[1] + dt * y[2]) + q_pp, y[1] + dt * y[2] + q_pv, y[2] + q_vv),
        (z[0] + dt * (2.0 * z[1] + dt * z[2]) + q_pp, z[1] + dt * z[2] + q_pv, z[2] + q_vv),
    )


def update(step: Step, measured: Vector, variances: Vector) -> None:
    """Kalman update of each axis by a position, in place."""
    assert step.axes is not None
    positions, velocities, axes = [], [], []
    for z, r, p, v, (pp, pv, vv) in zip(
        measured, variances, step.position_m, step.velocity_mps, step.axes, strict=True
    ):
        total = pp + r
        gain_p, gain_v = pp / total, pv / total
        positions.append(p + gain_p * (z - p))
        velocities.append(v + gain_v * (z - p))
        axes.append((gain_p * r, gain_v * r, vv - gain_v * pv))
    step.position_m = (positions[0], positions[1], positions[2])
    step.velocity_mps = (velocities[0], velocities[1], velocities[2])
    step.axes = (axes[0], axes[1], axes[2])
