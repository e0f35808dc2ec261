# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where to start: tilt from gravity, standing still from a quiet IMU, heading from the way flown.

Each answer comes with its sigma, or not at all. Left out: heading from the course over ground, which a
drone need not look along.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.sensing.transform import Quaternion

GRAVITY_MPS2: Final = 9.80665
# Within a second at rest every axis stays within these (peak to peak), and the rate under this. From memory of
# small MEMS units with the motors off; with rotors turning the accelerometer shows metres per second squared.
_QUIET_RATE_RADPS: Final = 0.06
_QUIET_FORCE_MPS2: Final = 0.8
_STILL_RATE_RADPS: Final = 0.03
# Tilt from gravity in the air: a drone that is not at rest still weighs itself to about this, over a second.
_LEVEL_SIGMA_MPS2: Final = 0.3
_MOST_TURBULENT_MPS2: Final = 3.0
# Heading from motion.
_WINDOW_S: Final = 12.0
_MIN_FIXES: Final = 10
_GOOD_ENOUGH_RAD: Final = math.radians(6.0)
_SCALE_OFF: Final = 0.2  # the flown way must have its right length
_FLOOR_RAD: Final = math.radians(1.5)


def still_rate_radps(readings: FloatArray) -> FloatArray | None:
    """Mean rate (3,) of a window of readings (n, >= 6) at rest; None when it is not at rest."""
    spread = readings[:, :6].max(axis=0) - readings[:, :6].min(axis=0)
    if (spread[:3] > _QUIET_RATE_RADPS).any() or (spread[3:] > _QUIET_FORCE_MPS2).any():
        return None
    mean: FloatArray = readings[:, :3].mean(axis=0)
    return mean if float(np.abs(mean).max()) <= _STILL_RATE_RADPS else None


def level(forces_mps2: FloatArray) -> tuple[Quaternion, float] | None:
    """Attitude with yaw 0 (base x towards east) that turns the mean specific force of (n, 3) upright.

    Returns:
        map_q_base and the sigma of its tilt [rad]; None while the drone is thrown about too much to tell.
    """
    mean = forces_mps2.mean(axis=0)
    length = float(np.linalg.norm(mean))
    off = math.hypot(
        length - GRAVITY_MPS2, float(forces_mps2.std(axis=0).max()) / math.sqrt(len(forces_mps2))
    )
    if off > _MOST_TURBULENT_MPS2 or not length > 0.0:
        return None
    x, y, z = (mean / length).tolist()  # the up axis of map, seen in base
    roll, pitch = math.atan2(y, z), math.atan2(-x, math.hypot(y, z))
    cr, sr, cp, sp = math.cos(roll / 2), math.sin(roll / 2), math.cos(pitch / 2), math.sin(pitch / 2)
    return (sr * cp, cr * sp, -sr * sp, cr * cp), math.hypot(off, _LEVEL_SIGMA_MPS2) / GRAVITY_MPS2


@dataclass(frozen=True, slots=True)
class _Point:
    stamp_ns: int
    flown_m: tuple[float, float]  # by dead reckoning in a level frame of unknown heading
    antenna_m: tuple[float, float]  # by the receiver, in map
    sigma_m: float


class MotionHeading:
    """Heading from comparing the way the accelerometer felt with the way the receiver saw.

    Dead reckoning in a level frame of unknown yaw gives the way up to a rotation, a start, a speed and (biases,
    tilt) a constant acceleration. With east + i north as one complex number the rotation is a factor, so one linear
    least-squares fit per fix does it, and the factor's length, which must be 1, tells whether it can be believed.
    """

    def __init__(self) -> None:
        self._points: deque[_Point] = deque()

    def clear(self) -> None:
        """Forget the way."""
        self._points.clear()

    def add(
        self, stamp_ns: int, flown_m: tuple[float, float], antenna_m: tuple[float, float], sigma_m: float
    ) -> tuple[float, float] | None:
        """Take a fix.

        Args:
            stamp_ns: of the fix, rising.
            flown_m: dead reckoning at the stamp, x and y of the level frame.
            antenna_m: east and north.
            sigma_m: of the fix, horizontal.

        Returns:
            Yaw of the level frame in map and its sigma [rad]; None while the way flown does not tell.
        """
        self._points.append(_Point(stamp_ns, flown_m, antenna_m, sigma_m))
        while stamp_ns - self._points[0].stamp_ns > _WINDOW_S * 1e9:
            self._points.popleft()
        if len(self._points) < _MIN_FIXES:
            return None
        return self._fit()

    def _fit(self) -> tuple[float, float] | None:
        first = self._points[0]
        t = np.array([(p.stamp_ns - first.stamp_ns) * 1e-9 for p in self._points])
        flown = np.array([complex(*p.flown_m) for p in self._points])
        seen = np.array([complex(*p.antenna_m) for p in self._points])
        weight = 1.0 / np.array([p.sigma_m for p in self._points])
        # What a start, a speed and a constant acceleration explain says nothing of the heading.
        free, _ = np.linalg.qr(np.stack([weight, weight * t, weight * t * t], axis=1))
        flown, seen = ((way - way[0]) * weight for way in (flown, seen))
        flown, seen = (way - free @ (free.T @ way) for way in (flown, seen))
        energy = float(np.vdot(flown, flown).real)
        if not energy > 0.0:
            return None
        turn = complex(np.vdot(flown, seen)) / energy
        left = seen - turn * flown
        # Where the fit is worse than the receiver says, the accelerometer is to blame: the sigma grows with it.
        noise = max(1.0, float(np.vdot(left, left).real) / (2 * len(t) - 8))
        sigma = math.sqrt(noise / energy)
        if sigma > _GOOD_ENOUGH_RAD or abs(abs(turn) - 1.0) > _SCALE_OFF:
            return None
        return math.atan2(turn.imag, turn.real), math.hypot(sigma, _FLOOR_RAD)
