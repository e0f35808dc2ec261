# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the drone is, in closed form: arcs over the south-east side of the house, looking at it.

Guarantees: position, velocity, acceleration, attitude and angular rate belong to one smooth motion
(they are derivatives of the same sums of sines), at any time, also below 0. Speed stays under 8 m/s.
Leaves out: wind and flight control; the roll that a turn needs is in it, the pitch is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import FloatArray, Pose
from vidgen_nodes.sensing.transform import Quaternion, Vector, compose, multiply, rotate, unit
from vidgen_nodes.sim import rig

GRAVITY_MPS2: Final = 9.80665


@dataclass(frozen=True, slots=True)
class Sines:
    """A constant plus sines ``(amplitude, period_s, phase_rad)``."""

    mean: float
    terms: tuple[tuple[float, float, float], ...]

    def at(self, t_s: float) -> tuple[float, float, float]:
        """Value, first and second derivative."""
        value, rate, second = self.mean, 0.0, 0.0
        for amplitude, period_s, phase in self.terms:
            omega = 2.0 * math.pi / period_s
            angle = omega * t_s + phase
            sine = amplitude * math.sin(angle)
            value += sine
            rate += amplitude * omega * math.cos(angle)
            second -= omega * omega * sine
        return value, rate, second


_AIM_M: Final = (1.2, -0.4)
_ARC_PERIOD_S: Final = 26.0
_ARC_RAD: Final = math.radians(34.0)
_RANGE_M: Final = 22.0
# A level arc needs its sideways acceleration from roll: tan(roll) = R psi'' / g.
_TURN_ROLL_RAD: Final = _RANGE_M * _ARC_RAD * (2.0 * math.pi / _ARC_PERIOD_S) ** 2 / GRAVITY_MPS2

# Of the drone, seen from the house, counter-clockwise from east.
_AZIMUTH: Final = Sines(math.radians(-15.0), ((_ARC_RAD, _ARC_PERIOD_S, 0.0),))
_RANGE: Final = Sines(_RANGE_M, ((1.2, 17.0, 0.7),))
_HEIGHT: Final = Sines(22.0, ((0.7, 11.0, 1.9), (0.08, 2.9, 0.3)))
_ROLL: Final = Sines(0.0, ((-_TURN_ROLL_RAD, _ARC_PERIOD_S, 0.0), (math.radians(0.6), 2.3, 0.4)))
_PITCH: Final = Sines(0.0, ((math.radians(0.8), 3.1, 2.2), (math.radians(0.25), 1.3, 0.9)))
_YAW_OFF_AIM: Final = Sines(0.0, ((math.radians(1.5), 5.7, 1.1), (math.radians(0.3), 1.7, 2.0)))


@dataclass(frozen=True, slots=True)
class FlightTruth:
    """What is so at one moment. Sensor poses are worked out when asked for."""

    t_s: float
    map_T_base: Pose
    map_q_base: Quaternion  # the same rotation as in map_T_base
    velocity_mps: FloatArray  # (3,) of base in map
    acceleration_mps2: FloatArray  # (3,) of base in map, gravity not in it
    angular_velocity_radps: FloatArray  # (3,) in base

    @property
    def map_T_camera(self) -> Pose:
        """The thermal camera's optical frame."""
        return compose(self.map_T_base, _BASE_T_CAMERA)

    @property
    def map_T_lidar(self) -> Pose:
        """The LiDAR."""
        return compose(self.map_T_base, _BASE_T_LIDAR)

    @property
    def antenna_m(self) -> FloatArray:
        """(3,) of the antenna in map."""
        return np.asarray(self.map_T_base.translation_m + rotate(self.map_q_base, rig.ANTENNA_M))

    @property
    def specific_force_mps2(self) -> FloatArray:
        """What an ideal accelerometer at the base origin reads, in base (REP-145: +g up at rest)."""
        x, y, z, w = self.map_q_base
        east, north, up = self.acceleration_mps2.tolist()
        return np.array(rotate((-x, -y, -z, w), (east, north, up + GRAVITY_MPS2)))


def fly(t_s: float) -> FlightTruth:
    """The truth at ``t_s`` seconds of the flight."""
    position_m, velocity, acceleration = _move(t_s)
    attitude, rates = _turn(t_s)
    pose = Pose(position_m, np.array(attitude))
    return FlightTruth(t_s, pose, attitude, velocity, acceleration, np.array(rates))


_BASE_T_CAMERA: Final = Pose(np.array(rig.CAMERA_TRANSLATION_M), rig.base_R_optical().as_quat())
_BASE_T_LIDAR: Final = Pose(np.array(rig.LIDAR_TRANSLATION_M), rig.base_R_lidar().as_quat())


def _move(t_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Position, velocity, acceleration, each (3,) in map, of a motion in polar coordinates about the aim."""
    psi, psi_rate, psi_second = _AZIMUTH.at(t_s)
    r, r_rate, r_second = _RANGE.at(t_s)
    z, z_rate, z_second = _HEIGHT.at(t_s)
    out_e, out_n = math.cos(psi), math.sin(psi)
    radial = r_second - r * psi_rate**2
    across = r * psi_second + 2.0 * r_rate * psi_rate
    return (
        np.array([_AIM_M[0] + r * out_e, _AIM_M[1] + r * out_n, z]),
        np.array([r_rate * out_e - r * psi_rate * out_n, r_rate * out_n + r * psi_rate * out_e, z_rate]),
        np.array([radial * out_e - across * out_n, radial * out_n + across * out_e, z_second]),
    )


def _turn(t_s: float) -> tuple[Quaternion, Vector]:
    """map_q_base and the angular velocity in base, from yaw, pitch, roll and their rates (R = Rz Ry Rx)."""
    psi, psi_rate, _ = _AZIMUTH.at(t_s)
    off, off_rate, _ = _YAW_OFF_AIM.at(t_s)
    roll, roll_rate, _ = _ROLL.at(t_s)
    pitch, pitch_rate, _ = _PITCH.at(t_s)
    yaw, yaw_rate = psi + math.pi + off, psi_rate + off_rate
    rates = (
        roll_rate - yaw_rate * math.sin(pitch),
        pitch_rate * math.cos(roll) + yaw_rate * math.sin(roll) * math.cos(pitch),
        -pitch_rate * math.sin(roll) + yaw_rate * math.cos(roll) * math.cos(pitch),
    )
    about_up: Quaternion = (0.0, 0.0, math.sin(0.5 * yaw), math.cos(0.5 * yaw))
    about_left: Quaternion = (0.0, math.sin(0.5 * pitch), 0.0, math.cos(0.5 * pitch))
    about_ahead: Quaternion = (math.sin(0.5 * roll), 0.0, 0.0, math.cos(0.5 * roll))
    return unit(multiply(multiply(about_up, about_left), about_ahead)), rates
