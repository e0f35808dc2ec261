# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Position fixes and IMU in, the drone's state out."""

from __future__ import annotations

from typing import Any

from nav_msgs.msg import Odometry
from sensor_msgs.msg import Imu, NavSatFix
from vidgen.msg import NavState

from vidgen_nodes.packets import SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros import convert, fill, qos, wire
from vidgen_nodes.ros.node import VidgenNode, main_for
from vidgen_nodes.sensing.pose import NavFilter


class RtkNode(VidgenNode[RtkParams]):
    """``fix`` and ``imu/data`` to ``drone/nav_state`` and, while somebody listens, ``drone/odometry``."""

    def __init__(self) -> None:
        super().__init__("rtk_node", RtkParams)
        self._filter = NavFilter(self.params)
        self._states = self.advertise(NavState, "drone/nav_state", qos.NAV_STATE)
        self._odometry = self.advertise(Odometry, "drone/odometry", qos.ODOMETRY, primary=False)
        self.subscribe_sensor(NavSatFix, "fix", self._on_fix)
        self.subscribe_sensor(Imu, "imu/data", self._on_imu)

    def _on_fix(self, message: Any, source: SourceRef) -> None:
        self._filter.add_fix(convert.fix(message, source))

    def _on_imu(self, message: Any, source: SourceRef) -> None:
        state = self._filter.add_imu(convert.imu_sample(message, source))
        if state is None:
            return
        self._states.publish(wire.nav_state(state))
        if self._odometry.is_wanted:
            self._odometry.publish(fill.odometry(state))

    def on_tick(self) -> None:
        """Say what the filter waits for."""
        self.health.waiting_for = self._filter.waiting_for
        self.health.dropped.update(
            {f"fix {k}": n - self.health.dropped[f"fix {k}"] for k, n in self._filter.refused.items()}
        )


def main() -> None:
    """Run the node."""
    main_for(RtkNode)


if __name__ == "__main__":
    main()
