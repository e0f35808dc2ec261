# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which ROS 2 is here, and whether our interfaces are built. Imports ROS only to find out.

Findings are ``(works, what, how to fix it)``.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path


def inspect_installation() -> Iterator[tuple[bool, str, str]]:
    """Look; ends early where there is no ROS at all."""
    if importlib.util.find_spec("rclpy") is None:
        yield False, "ROS 2 is not here: rclpy cannot be found", "run `make setup`, or source a ROS 2 install"
        return
    wheels = importlib.util.find_spec("ros_wheels_bootstrapper") is not None
    distro = os.environ.get("ROS_DISTRO", "")
    source = "PyPI wheels" if wheels else "a full install"
    yield True, f"ROS 2 {distro + ' ' if distro else ''}from {source}", ""
    try:
        from vidgen import msg
    except ImportError as err:
        yield (
            False,
            f"our interfaces are not built ({err})",
            "run `make setup`, or `colcon build` and source it",
        )
    else:
        yield True, f"interfaces built: {Path(str(msg.__file__)).parent}", ""
    real = importlib.util.find_spec("message_filters") is not None
    yield (
        True,
        "message_filters of ROS 2" if real else "message_filters: stand-in (the package is not installed)",
        "",
    )
    yield True, f"ROS_DOMAIN_ID {os.environ.get('ROS_DOMAIN_ID') or '0 (not set)'}", ""
