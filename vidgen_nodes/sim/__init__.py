# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The built-in flight: a drone with a thermal camera, RTK, IMU and LiDAR over a house.

Everything a real drone would send, with the truth beside it. No ROS and no wall clock in here.
"""

from __future__ import annotations

from vidgen_nodes.sim.flight import Flight
from vidgen_nodes.sim.readings import Cloud, FixReading, ImuReading, Sample
from vidgen_nodes.sim.trajectory import FlightTruth

__all__ = ["Cloud", "FixReading", "Flight", "FlightTruth", "ImuReading", "Sample"]
