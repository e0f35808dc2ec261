# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the graph reads: camera and LiDAR by names of ours, navigation by the names of the drone's stack.

One list for whoever plays, renders or compares a recording; ``rtk_node`` subscribes by the same routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from vidgen_nodes.graph import NAMESPACE
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros.adapters import STACKS
from vidgen_nodes.ros.adapters.route import Route, without_version

ANCHOR: Final = "thermal/image_raw"
# Inputs in standard axes by relative name, and the one type each has.
INPUT_TYPES: Final[dict[str, str]] = {
    ANCHOR: "sensor_msgs/msg/Image",
    "thermal/camera_info": "sensor_msgs/msg/CameraInfo",
    "fix": "sensor_msgs/msg/NavSatFix",
    "imu/data": "sensor_msgs/msg/Imu",
    "points": "sensor_msgs/msg/PointCloud2",
}
_SENSORS: Final = (ANCHOR, "thermal/camera_info", "points")


@dataclass(frozen=True, slots=True)
class Input:
    """One topic that is read."""

    topic: str  # ours: relative, or absolute where a stack names it
    type_name: str
    route: Route | None  # how navigation reads it; None: camera, LiDAR

    @property
    def is_required(self) -> bool:
        """No overlay without it."""
        return self.route is None or self.route.required

    @property
    def is_guessable(self) -> bool:
        """A topic of another name may stand for it when it has the type."""
        return self.topic in INPUT_TYPES


def inputs_of(nav: RtkParams) -> dict[str, Input]:
    """By topic, what a graph with these parameters reads."""
    found = {topic: Input(topic, INPUT_TYPES[topic], None) for topic in _SENSORS}
    for route in routes_of(nav):
        found[route.topic] = Input(route.topic, route.type_name, route)
    order = [topic for topic in INPUT_TYPES if topic in found]
    return {topic: found[topic] for topic in (*order, *(t for t in found if t not in INPUT_TYPES))}


def routes_of(nav: RtkParams) -> tuple[Route, ...]:
    """The stack's routes; without those of positions where NMEA sentences give them."""
    routes = STACKS[nav.stack](cast(Any, None)).routes  # nothing is handed to it: there is no sink
    return tuple(route for route in routes if not (nav.nmea_source and route.gives_position))


def known_topics() -> set[str]:
    """Every topic that some graph reads."""
    return {topic for stack in STACKS for topic in inputs_of(RtkParams(stack=stack))}


def resolved_topic(topic: str) -> str:
    """The full name under which our nodes read an input."""
    return topic if topic.startswith("/") else f"{NAMESPACE}/{topic}"


def is_stack_topic(name: str) -> bool:
    """Whether some stack calls a topic so, in any version."""
    return without_version(name) in {topic for topic in known_topics() if topic.startswith("/")}


def gives_navigation(nav: RtkParams, held: set[str]) -> bool:
    """Whether states can come of the inputs that a recording holds."""
    routes = routes_of(nav)
    needed = {route.topic for route in routes if route.required and not route.gives_position}
    positions = {route.topic for route in routes if route.gives_position}
    return needed <= held and (bool(nav.nmea_source) or bool(positions & held))


def gives_gimbal(nav: RtkParams, held: set[str]) -> bool:
    """Whether attitudes of a gimbal can."""
    return any(route.gives_gimbal and route.topic in held for route in routes_of(nav))
