# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The flight: the truth at any moment, and what each sensor makes of it.

Guarantees: every sample is a pure function of seed, kind, index and time, never of the order of
calls, so that the live node and an offline recording of one seed hold the same bytes.
Leaves out: wall clocks and ROS; ``nodes/sim_node.py`` walks the schedule against a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vidgen_nodes.packets import CameraCalibration
from vidgen_nodes.params import SimParams
from vidgen_nodes.sim import faults, rig
from vidgen_nodes.sim.lidar_scan import LidarScan
from vidgen_nodes.sim.navigation import InertialUnit, Receiver
from vidgen_nodes.sim.radiance import Counts
from vidgen_nodes.sim.readings import Cloud, FixReading, ImuReading, Sample
from vidgen_nodes.sim.thermal_scene import ThermalScene
from vidgen_nodes.sim.trajectory import FlightTruth, fly


class Flight:
    """One simulated flight. Making it takes about a second (pictures and noise)."""

    def __init__(self, params: SimParams, motion: Callable[[float], FlightTruth] = fly) -> None:
        """``motion``: the truth by seconds of the flight; else than the built-in one for trials and pictures."""
        self.params = params
        self._motion = motion
        self._thermal = ThermalScene(params.seed)
        self._lidar = LidarScan(params.seed, params.lidar_points)
        self._receiver = Receiver(params.seed)
        self._inertial = InertialUnit(params.seed)

    @property
    def calibration(self) -> CameraCalibration:
        """The thermal camera, stamp 0."""
        return rig.calibration()

    def truth(self, t_s: float) -> FlightTruth:
        """Where everything is at ``t_s`` seconds of the flight."""
        return self._motion(t_s)

    def thermal(self, t_s: float, index: int) -> Counts:
        """Thermal frame (512, 640) of 0.01 K counts, new memory each time."""
        return self._thermal.frame(self._motion(t_s).map_T_camera, index)

    def imu(self, t_s: float, index: int) -> ImuReading:
        """IMU sample in ``imu_link``, whose axes and origin are those of ``base_link``."""
        return self._inertial.read(self._motion(t_s), index)

    def fix(self, t_s: float, index: int) -> FixReading:
        """RTK fix of the antenna."""
        return self._receiver.fix(self._motion(t_s).antenna_m, index)

    def scan(self, t_s: float, index: int) -> Cloud:
        """LiDAR cloud in ``lidar`` at ``t_s``, motion compensated: ``time`` is 0 for every point."""
        return self._lidar.cast(self._motion(t_s).map_T_lidar, index)

    def schedule(self, duration_s: float) -> Iterator[Sample]:
        """What to send when, with the faults asked for; 0: without end."""
        return faults.schedule(self.params, duration_s)
