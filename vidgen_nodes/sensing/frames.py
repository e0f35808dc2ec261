# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What drone stacks say, in the units and axes of this project.

The project has ENU for ``map``, FLU for ``base_link`` (REP-103), quaternions ``(x, y, z, w)``, and yaw counted
from east, counter-clockwise. Autopilots have NED, FRD, ``(w, x, y, z)`` and headings from north, clockwise.
Plain arithmetic, exact to rounding; no message types, no state.

Left out: heights (``heights.py``), positions (``geodesy.py``) and which message carries what (``ros/adapters``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import FloatArray, RtkStatus
from vidgen_nodes.sensing.transform import Quaternion, multiply, unit

_HALF = math.sqrt(0.5)
# Half a turn about the diagonal between north and east; half a turn about the nose. Each is its own inverse.
_ENU_Q_NED: Final[Quaternion] = (_HALF, _HALF, 0.0, 0.0)
_FRD_Q_FLU: Final[Quaternion] = (1.0, 0.0, 0.0, 0.0)
_UNIT_TOLERANCE: Final = 1e-2


def enu_from_ned(ned: Sequence[float]) -> FloatArray:
    """A vector (3,) in ENU, of the same vector in NED."""
    north, east, down = (float(value) for value in ned)
    return np.array((east, north, -down))


def flu_from_frd(frd: Sequence[float]) -> FloatArray:
    """A vector (3,) in FLU, of the same vector in FRD."""
    forward, right, down = (float(value) for value in frd)
    return np.array((forward, -right, -down))


def xyzw_from_wxyz(wxyz: Sequence[float]) -> Quaternion:
    """A unit quaternion in our order.

    Raises:
        InputError: ``quaternion`` when it is not four numbers of length 1, within 1e-2.
    """
    if len(wxyz) != 4:
        raise InputError("quaternion", f"the attitude has {len(wxyz)} numbers, expected w, x, y, z")
    w, x, y, z = (float(value) for value in wxyz)
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    if not abs(norm - 1.0) <= _UNIT_TOLERANCE:
        raise InputError(
            "quaternion",
            f"the attitude quaternion has length {norm:.4g}, expected 1; the autopilot has no attitude yet",
        )
    return unit((x, y, z, w))


def enu_q_flu(ned_q_frd: Quaternion) -> Quaternion:
    """Attitude of FLU in ENU, of the attitude of FRD in NED."""
    return unit(multiply(multiply(_ENU_Q_NED, ned_q_frd), _FRD_Q_FLU))


def flu_q_flu(frd_q_frd: Quaternion) -> Quaternion:
    """The same turn between two bodies, both with FLU instead of FRD axes (a gimbal against its vehicle)."""
    x, y, z, w = frd_q_frd
    return (x, -y, -z, w)


def yaw_from_heading(heading_rad: float) -> float:
    """Yaw in map [rad, -pi..pi] of a heading counted from north, clockwise."""
    return wrapped(0.5 * math.pi - heading_rad)


def heading_from_baseline(baseline_rad: float) -> float:
    """Heading of the nose, where the second antenna lies to the right of the first.

    DJI's ``rtk_yaw`` is the direction from antenna 1 to antenna 2: a quarter turn clockwise of the nose.
    """
    return wrapped(baseline_rad - 0.5 * math.pi)


def wrapped(angle_rad: float) -> float:
    """The same angle within -pi to pi."""
    return math.remainder(angle_rad, 2.0 * math.pi)


def yaw_of(map_q_base: Quaternion) -> float:
    """Yaw in map [rad] of where base's x axis points."""
    x, y, z, w = map_q_base
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def stamp_ns_from_us(microseconds: int) -> int:
    """Nanoseconds of a counter of microseconds.

    Raises:
        InputError: ``no_stamp`` when it is 0: the autopilot has not set it.
    """
    if microseconds <= 0:
        raise InputError(
            "no_stamp", f"timestamp is {microseconds} us; expected the time of measurement, above 0"
        )
    return int(microseconds) * 1000


def rtk_from_dji(solution: int) -> RtkStatus:
    """Of DJI's ``rtk_position_info``: 50 is narrow integer (fixed), 32 to 49 float and wide lane, 16 single.

    Only 50 is good to centimetres: 48 and 49 (L1 and wide lane integer) count as float.
    """
    if solution == 50:
        return RtkStatus.FIXED
    if 32 <= solution < 50:
        return RtkStatus.FLOAT
    return RtkStatus.SINGLE if 16 <= solution < 32 else RtkStatus.NONE


def rtk_from_fix_type(fix_type: int) -> RtkStatus:
    """Of ``fix_type`` as MAVLink and PX4 have it: 5 is RTK float, 6 RTK fixed, 3 and 4 a 3-D position.

    A 2-D position has no height and counts as none. 7 (static) and 8 (extrapolated or PPP) say nothing of RTK.
    """
    if fix_type == 6:
        return RtkStatus.FIXED
    if fix_type == 5:
        return RtkStatus.FLOAT
    return RtkStatus.SINGLE if fix_type in (3, 4, 7) else RtkStatus.NONE


def covariance_from_sigmas(horizontal_m: float, vertical_m: float) -> FloatArray:
    """(3, 3) in ENU, of one sigma each way; NaN throughout where either is not known.

    A receiver that says 0 or less has not estimated it.
    """
    if not (
        math.isfinite(horizontal_m) and math.isfinite(vertical_m) and min(horizontal_m, vertical_m) > 0.0
    ):
        return np.full((3, 3), np.nan)
    horizontal_m2, vertical_m2 = horizontal_m * horizontal_m, vertical_m * vertical_m
    return np.diag((horizontal_m2, horizontal_m2, vertical_m2))


def gravity_fault(accelerations_mps2: Sequence[Sequence[float]]) -> str:
    """What is wrong with a second or more of accelerations (N, 3) in FLU, in plain words; empty if nothing.

    On average a flying body is held up by 9.8 m/s^2, up its own z axis, however it manoeuvres.
    """
    mean = np.mean(np.asarray(accelerations_mps2, dtype=np.float64).reshape(-1, 3), axis=0)
    size = float(np.linalg.norm(mean))
    if not math.isfinite(size):
        return "the accelerations are not finite"
    if size < 0.5:
        return (
            "the accelerations average to nothing: gravity was taken out, but imu/data must hold it (REP-145)"
        )
    if 0.8 <= size <= 1.2:
        return f"the accelerations average to {size:.2f}: they are in g, and must be in m/s^2"
    if not 7.0 <= size <= 13.0:
        return f"the accelerations average to {size:.1f} m/s^2; expected about 9.8"
    if mean[2] < -0.5 * size:
        return "gravity points up: the accelerations are in FRD axes, and must be in FLU (choose the stack's preset)"
    return ""
