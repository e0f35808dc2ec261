# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What an adapter is: the topics of one drone stack, and how each message becomes packets of ours.

An adapter touches messages by their attributes alone, so messages of rclpy and of rosbags do alike, and a stack
is tested without its message packages. It keeps only what must be joined across messages (a status that comes
apart from its position), judges that by stamps, and never by a clock.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.packets import Fix, GimbalAttitude, Heading, ImuSample, SourceRef
from vidgen_nodes.ros import convert

# Where the message packages come from that no ROS 2 install holds by itself.
_ORIGINS = {
    "px4_msgs": "build https://github.com/PX4/px4_msgs, the branch of your firmware, in your workspace and source it",
    "mavros_msgs": "`sudo apt install ros-$ROS_DISTRO-mavros-msgs`, or build mavros in your workspace and source it",
    "psdk_interfaces": "build https://github.com/umdlife/psdk_ros2 in your workspace and source it",
}
_VERSION = re.compile(r"_v(\d+)$")


class NavSink(Protocol):
    """Where an adapter puts what it understood."""

    def fix(self, fix: Fix) -> None:
        """A position."""

    def imu(self, sample: ImuSample) -> None:
        """An IMU sample."""

    def heading(self, heading: Heading) -> None:
        """A heading."""

    def gimbal(self, attitude: GimbalAttitude) -> None:
        """An attitude of the gimbal."""


@dataclass(frozen=True, slots=True)
class Route:
    """One topic of a stack."""

    topic: str
    type_name: str  # as in px4_msgs/msg/SensorGps
    handler: Callable[[Any, SourceRef], None]
    stamp_ns: Callable[[Any], int]
    without: str = ""  # what is lost when its package is missing; empty: it cannot be done without
    required: bool = True  # nothing comes out while this topic is silent
    gives_position: bool = False  # not read where positions come from NMEA sentences
    gives_gimbal: bool = False
    versioned: bool = False  # the topic may end in _v<N>


class Adapter:
    """One drone stack: its routes, and what a pilot should know about it."""

    warnings: tuple[str, ...] = ()

    def __init__(self, sink: NavSink) -> None:
        self.sink = sink
        self.routes: tuple[Route, ...] = ()


def header_stamp_ns(message: Any) -> int:
    """Event time of a message with a header; 0 when it is not set."""
    return convert.stamp_ns(message.header.stamp)


def no_stamp_ns(message: Any) -> int:  # noqa: ARG001 (the signature of a route)
    """Event time of a message that has none: a bare number. It counts from when it is taken in."""
    return 0


def message_class(type_name: str) -> Any:
    """The class of ``package/msg/Name``, imported when it is first needed.

    Raises:
        MissingPackageError: the package is not installed, or is too old to have the message.
    """
    package, _, name = type_name.split("/")
    try:
        module = importlib.import_module(f"{package}.msg")
    except ImportError as err:
        origin = _ORIGINS.get(package, f"`sudo apt install ros-$ROS_DISTRO-{package.replace('_', '-')}`")
        raise MissingPackageError(
            f"the ROS package {package} is not installed (it has {type_name}): {origin}"
        ) from err
    if not hasattr(module, name):
        raise MissingPackageError(
            f"the installed {package} has no message {name}; install the version that your stack runs"
        )
    return getattr(module, name)


def without_version(topic: str) -> str:
    """``topic`` of ``topic_v3``."""
    return _VERSION.sub("", topic)


def newest_version(topic: str, published: Iterable[str]) -> str:
    """Of ``topic`` and its versions ``topic_v1``, ``topic_v2``, ... the newest that is published; else ``topic``."""
    versions = {topic: 0}
    for name in published:
        suffix = _VERSION.fullmatch(name[len(topic) :]) if name.startswith(topic) else None
        if suffix:
            versions[name] = int(suffix[1])
    return max(versions, key=lambda name: versions[name])
