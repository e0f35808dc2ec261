# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Position fixes, headings and IMU of a drone stack in, the drone's state out."""

from __future__ import annotations

import sys

from geometry_msgs.msg import QuaternionStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from vidgen.msg import GimbalState, NavState

from vidgen_nodes.packets import Fix, GimbalAttitude, Heading, ImuSample
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros import fill, qos, wire
from vidgen_nodes.ros.adapters import STACKS
from vidgen_nodes.ros.adapters.nmea import POLL_S, NmeaFeed
from vidgen_nodes.ros.adapters.wiring import Wiring
from vidgen_nodes.ros.node import VidgenNode
from vidgen_nodes.ros.parameters import graph_params
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.ros.transforms import Transforms, mounts
from vidgen_nodes.sensing.frames import gravity_fault
from vidgen_nodes.sensing.pose import NavFilter

_GRAVITY_SAMPLES = 300


class RtkNode(VidgenNode[RtkParams]):
    """The topics of a stack to ``drone/nav_state`` and ``drone/gimbal_state``; to whoever listens, ``drone/odometry``
    and ``drone/gimbal``.

    It is the sink of the stack's adapter: what it understood comes in by ``fix``, ``imu``, ``heading``, ``gimbal``.
    """

    def __init__(self) -> None:
        super().__init__("rtk_node", RtkParams)
        self._filter = NavFilter(self.params)
        self._to_weigh: list[list[float]] | None = []  # accelerations, until gravity was judged
        self._states = self.advertise(NavState, "drone/nav_state", qos.NAV_STATE)
        self._odometry = self.advertise(Odometry, "drone/odometry", qos.ODOMETRY, primary=False)
        self._gimbal_states = self.advertise(
            GimbalState, "drone/gimbal_state", qos.GIMBAL_STATE, primary=False
        )
        self._gimbals = self.advertise(QuaternionStamped, "drone/gimbal", qos.GIMBAL, primary=False)
        self._transforms = self._make_transforms() if self.params.publish_tf else None
        adapter = STACKS[self.params.stack](self)
        for warning in adapter.warnings:
            self.get_logger().warning(warning)
        self._wiring = Wiring(self, adapter, with_positions=not self.params.nmea_source)
        self._nmea = NmeaFeed(self, self, self.params) if self.params.nmea_source else None
        if self._nmea is not None:
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._nmea_timer = self.create_timer(POLL_S, self._nmea.drain, clock=steady)

    def _make_transforms(self) -> Transforms | None:
        params = graph_params(sys.argv, rtk=self.params)
        made = Transforms(self, mounts(params))
        if made.missing:
            self.get_logger().info(made.missing)
            return None
        return made

    def fix(self, fix: Fix) -> None:
        """A position of the stack."""
        self._filter.add_fix(fix)

    def heading(self, heading: Heading) -> None:
        """A heading of the stack."""
        self._filter.add_heading(heading)

    def imu(self, sample: ImuSample) -> None:
        """A sample of the stack; a state comes out with the first of each period."""
        if self._to_weigh is not None:
            self._to_weigh.append(sample.acceleration_mps2.tolist())
        state = self._filter.add_imu(sample)
        if state is None:
            return
        self._states.publish(wire.nav_state(state))
        if self._odometry.is_wanted:
            self._odometry.publish(fill.odometry(state))
        if self._transforms is not None:
            self._transforms.send_state(state)

    def gimbal(self, attitude: GimbalAttitude) -> None:
        """An attitude of the gimbal: passed on in our axes."""
        if self._gimbal_states.is_wanted:
            self._gimbal_states.publish(wire.gimbal_state(attitude))
        if self._gimbals.is_wanted:
            self._gimbals.publish(fill.gimbal(attitude))
        if self._transforms is not None:
            self._transforms.send_gimbal(attitude)

    def on_tick(self) -> None:
        """Look for newer versions of topics, and say what the filter waits for."""
        self._wiring.look()
        if self._to_weigh is not None and len(self._to_weigh) >= _GRAVITY_SAMPLES:
            self._weigh(self._to_weigh)
        self.health.waiting_for = self._filter.waiting_for
        if self._nmea is not None and self._nmea.trouble:
            self.health.waiting_for = self._nmea.trouble
        self.health.dropped.update(
            {f"fix {k}": n - self.health.dropped[f"fix {k}"] for k, n in self._filter.refused.items()}
        )

    def close(self) -> None:
        """Let go of the receiver."""
        if self._nmea is not None:
            self._nmea.close()

    def _weigh(self, accelerations: list[list[float]]) -> None:
        """Once: whether the accelerations hold gravity, up, in m/s^2. If not, no pose can be right."""
        self._to_weigh = None
        fault = gravity_fault(accelerations)
        if fault:
            self.get_logger().error(fault)
            self.health.extra["imu"] = fault


def main() -> None:
    """Run the node."""
    main_for(RtkNode)


if __name__ == "__main__":
    main()
