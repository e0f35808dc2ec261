# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Hazards in, advisory masks and events for planners out. Nothing here commands motion."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import PointCloud2
from vidgen.msg import HazardArray, HazardEvent, UncertaintyMap

from vidgen_nodes.delivery.robot import hazard_masks
from vidgen_nodes.packets import Grid
from vidgen_nodes.params import RobotParams
from vidgen_nodes.ros import convert, fill, nav2, qos, unpack, wire
from vidgen_nodes.ros.node import VidgenNode
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.scheduling import Priority

_HAZARD_EVENT = "vidgen/msg/HazardEvent"
_EXPIRY_S = 2.0  # no word from the generator for so long: what it said no longer counts


class RobotNode(VidgenNode[RobotParams]):
    """``hazards`` on the grid of ``uncertainty/map``: ``robot/hazard_mask``, ``robot/speed_mask``, events."""

    def __init__(self) -> None:
        super().__init__("robot_node", RobotParams)
        self._grid: Grid | None = None
        self._hazards: Any = None
        self._events_by_id: dict[str, Any] = {}
        self._heard_s = self._published_s = -np.inf
        self._keepout = self.advertise(OccupancyGrid, "robot/hazard_mask", qos.MASK)
        self._speed = self.advertise(OccupancyGrid, "robot/speed_mask", qos.MASK)
        self._events = self.advertise(HazardEvent, "robot/events", qos.EVENTS, primary=False)
        self._points = None
        if self.params.publish_hazard_points:
            self._points = self.advertise(
                PointCloud2, "robot/hazard_points", qos.HAZARD_POINTS, primary=False
            )
        nav2.announce_filters(self)
        self.subscribe_frequent(UncertaintyMap, "uncertainty/map", qos.UNCERTAINTY_MAP, self._on_map)
        self.subscribe_frequent(HazardArray, "hazards", qos.HAZARDS, self._on_hazards)

    def _on_map(self, message: Any) -> None:
        self._grid = unpack.grid(message)

    def _on_hazards(self, message: Any) -> None:
        self._heard_s = time.monotonic()
        changed = self._hazards is None or _content(message) != _content(self._hazards)
        self._hazards = message
        self._tell_events(message)
        if changed or time.monotonic() - self._published_s >= 1.0 / self.params.publish_rate_hz:
            self._publish_masks()

    def _tell_events(self, message: Any) -> None:
        """An event when a hazard appears, and one that expires at once when it is gone."""
        now = {event.id: event for event in message.hazards}
        for identity, event in now.items():
            if identity not in self._events_by_id:
                self._events.publish(wire.encode(event, _HAZARD_EVENT))
        for identity, event in self._events_by_id.items():
            if identity not in now:
                event.header.stamp = event.expires = message.header.stamp
                event.confidence = 0.0
                self._events.publish(wire.encode(event, _HAZARD_EVENT))
        self._events_by_id = now

    def _publish_masks(self) -> None:
        if self._grid is None or self._hazards is None:
            return
        self._published_s = time.monotonic()
        hazards, stamp_ns = unpack.hazards(self._hazards), convert.stamp_ns(self._hazards.header.stamp)
        keepout, speed = hazard_masks(hazards, self._grid, self.params)
        self._keepout.publish(fill.occupancy(stamp_ns, self._grid, keepout))
        self._speed.publish(fill.occupancy(stamp_ns, self._grid, speed))
        if self._points is not None:
            self._points.publish(fill.hazard_points(stamp_ns, hazards))

    def on_tick(self) -> None:
        """Clear the masks when the generator has gone silent: an old hazard is not a hazard."""
        self.health.waiting_for = (
            "" if self._grid is not None else "uncertainty/map: it gives the grid of the masks"
        )
        if self._hazards is None:
            return
        silent_s = time.monotonic() - self._heard_s
        self.health.extra["hazards_age_s"] = f"{silent_s:.1f}"
        if silent_s > _EXPIRY_S and self._hazards.hazards:
            self.health.causes["hazards_expired"] += 1
            self.get_logger().warning(f"no hazards message for {silent_s:.1f} s: masks cleared, events ended")
            empty = HazardArray()
            empty.header.stamp, empty.header.frame_id = self.get_clock().now().to_msg(), fill.MAP_FRAME
            self._hazards = empty
            self._tell_events(empty)
            self._publish_masks()


def _content(message: Any) -> list[tuple[Any, ...]]:
    return [(h.id, h.kind, h.radius_m, h.height_m, h.heat_release_kw) for h in message.hazards]


def main() -> None:
    """Run the node."""
    main_for(RobotNode, Priority.BACKGROUND)


if __name__ == "__main__":
    main()
