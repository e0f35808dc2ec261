# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One file a drone stack: which topics it has, and how its messages become packets of ours."""

from __future__ import annotations

from vidgen_nodes.ros.adapters.generic import GenericAdapter
from vidgen_nodes.ros.adapters.mavros import MavrosAdapter
from vidgen_nodes.ros.adapters.psdk import PsdkAdapter
from vidgen_nodes.ros.adapters.px4 import Px4Adapter
from vidgen_nodes.ros.adapters.route import Adapter, NavSink

STACKS: dict[str, type[Adapter]] = {
    "generic": GenericAdapter,
    "psdk_ros2": PsdkAdapter,
    "mavros": MavrosAdapter,
    "px4": Px4Adapter,
}
"""Values of the parameter ``stack``."""

__all__ = ["STACKS", "Adapter", "NavSink"]
