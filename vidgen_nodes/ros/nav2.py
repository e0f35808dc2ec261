# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Tells Nav2's costmap filters about our masks, where nav2_msgs is installed.

Left out where it is not: the masks are published all the same, and a Nav2 user sets the two filters by hand.
"""

from __future__ import annotations

from typing import Any

from vidgen_nodes.ros import qos

KEEPOUT_FILTER, SPEED_PERCENT_FILTER = 0, 1


def announce_filters(node: Any) -> bool:
    """Publish, latched, one ``CostmapFilterInfo`` per mask; False when nav2_msgs is not there."""
    try:
        from nav2_msgs.msg import CostmapFilterInfo
    except ImportError:
        node.get_logger().info("nav2_msgs is not installed: no filter info is published, the masks are")
        return False
    for topic, kind in (("robot/hazard_mask", KEEPOUT_FILTER), ("robot/speed_mask", SPEED_PERCENT_FILTER)):
        message = CostmapFilterInfo()
        message.header.frame_id = "map"
        message.header.stamp = node.get_clock().now().to_msg()
        message.type = kind
        message.filter_mask_topic = node.resolve_topic_name(topic)
        message.base, message.multiplier = 0.0, 1.0
        node.create_publisher(CostmapFilterInfo, f"{topic}/filter_info", qos.MASK).publish(message)
    return True
