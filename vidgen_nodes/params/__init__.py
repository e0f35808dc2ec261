# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of every node: default, unit, range and meaning, in one frozen dataclass per node.

The nodes declare their ROS parameters from these (``ros/node.py``), the offline renderer builds the
same objects from the same YAML, and tests hold ``config/vidgen.yaml`` and the README against them.
A value out of range is refused, never clamped.
"""

from vidgen_nodes.params.actuation import ActuationParams
from vidgen_nodes.params.ar import ArParams
from vidgen_nodes.params.checked import param
from vidgen_nodes.params.custody import CustodyParams
from vidgen_nodes.params.files import NodeParams, load_node_params, make_params
from vidgen_nodes.params.generator import GeneratorParams
from vidgen_nodes.params.lidar import LidarParams
from vidgen_nodes.params.robot import RobotParams
from vidgen_nodes.params.rtk import RtkParams
from vidgen_nodes.params.sim import SimParams
from vidgen_nodes.params.sync import SyncParams
from vidgen_nodes.params.thermal import ThermalParams

__all__ = [
    "ActuationParams",
    "ArParams",
    "CustodyParams",
    "GeneratorParams",
    "LidarParams",
    "NodeParams",
    "RobotParams",
    "RtkParams",
    "SimParams",
    "SyncParams",
    "ThermalParams",
    "load_node_params",
    "make_params",
    "param",
]
