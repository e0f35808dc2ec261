# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of robot_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class RobotParams(Checked):
    """robot_node: advisory masks for planners."""

    publish_rate_hz: float = param(
        1.0, "Masks at most so often, and on change.", unit="Hz", low=0.1, high=20.0
    )
    keepout_kw_per_m2: float = param(
        2.5,
        "Radiant flux at or above this is keep-out (tenability limit for people).",
        unit="kW/m^2",
        low=0.1,
        high=100.0,
    )
    slow_kw_per_m2: float = param(
        1.0, "Radiant flux at or above this asks for slow travel.", unit="kW/m^2", low=0.01, high=100.0
    )
    slow_percent: float = param(
        30.0, "Speed limit in slow cells, share of the full speed.", unit="%", low=1.0, high=100.0
    )
    publish_hazard_points: bool = param(False, "Also publish robot/hazard_points (opt-in).")
