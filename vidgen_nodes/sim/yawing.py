# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Motions that are hard on synchronisation: 8 m/s round a circle, yawing at 60 deg/s with a swing on top, and
the built-in flight with its nose wagging, as a pilot does to let the clocks be compared, or swinging wide.

Guarantees: position, velocity, acceleration, attitude and rate are derivatives of one another, as those of the
built-in flight (``trajectory``). Leaves out the roll that a real turn this tight would need.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vidgen_nodes.packets import Pose
from vidgen_nodes.sensing.transform import multiply, rotate, unit
from vidgen_nodes.sim.trajectory import FlightTruth, fly

SPEED_MPS: Final = 8.0
YAW_RATE_RADPS: Final = math.radians(60.0)
HEIGHT_M: Final = 40.0
SWING_RADPS2: Final = math.radians(200.0)  # most that the yaw rate changes in a second

_SWING_HZ: Final = 1.0
_WAGS: Final = ((math.radians(3.0), 0.45), (math.radians(2.0), 1.1))  # amplitude, Hz
_SWINGS: Final = ((math.radians(20.0), YAW_RATE_RADPS / (2.0 * math.pi * math.radians(20.0))),)
_SWING_RAD: Final = SWING_RADPS2 / (2.0 * math.pi * _SWING_HZ) ** 2


def circle(t_s: float) -> FlightTruth:
    """The truth at ``t_s`` seconds."""
    angle = YAW_RATE_RADPS * t_s
    sine, cosine = math.sin(angle), math.cos(angle)
    radius_m = SPEED_MPS / YAW_RATE_RADPS
    swing = 2.0 * math.pi * _SWING_HZ
    yaw = angle + _SWING_RAD * math.sin(swing * t_s)
    rate = YAW_RATE_RADPS + _SWING_RAD * swing * math.cos(swing * t_s)
    attitude = (0.0, 0.0, math.sin(0.5 * yaw), math.cos(0.5 * yaw))
    return FlightTruth(
        t_s,
        Pose(np.array((radius_m * sine, -radius_m * cosine, HEIGHT_M)), np.array(attitude)),
        attitude,
        SPEED_MPS * np.array((cosine, sine, 0.0)),
        SPEED_MPS * YAW_RATE_RADPS * np.array((-sine, cosine, 0.0)),
        np.array((0.0, 0.0, rate)),
    )


def wagging(t_s: float) -> FlightTruth:
    """The truth at ``t_s`` seconds of the built-in flight, with a yaw of up to 5 deg to and fro (22 deg/s at most)."""
    return _turned_to_and_fro(t_s, _WAGS)


def swinging(t_s: float) -> FlightTruth:
    """The same with 20 deg to either side, and 60 deg/s when the nose passes the house."""
    return _turned_to_and_fro(t_s, _SWINGS)


def _turned_to_and_fro(t_s: float, swings: tuple[tuple[float, float], ...]) -> FlightTruth:
    truth = fly(t_s)
    half = rate = 0.0
    for amplitude, hertz in swings:
        circular = 2.0 * math.pi * hertz
        half += 0.5 * amplitude * math.sin(circular * t_s)
        rate += amplitude * circular * math.cos(circular * t_s)
    attitude = unit(multiply((0.0, 0.0, math.sin(half), math.cos(half)), truth.map_q_base))
    x, y, z, w = attitude
    return FlightTruth(
        t_s,
        Pose(truth.map_T_base.translation_m, np.array(attitude)),
        attitude,
        truth.velocity_mps,
        truth.acceleration_mps2,
        truth.angular_velocity_radps + np.array(rotate((-x, -y, -z, w), (0.0, 0.0, rate))),
    )
