# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at a running graph from outside: topics that lack an end, ends whose QoS do not fit.

Reads the discovery data of the middleware only; subscribes to nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, qos_check_compatible
from rclpy.signals import SignalHandlerOptions

from vidgen_nodes.graph import NAMESPACE
from vidgen_nodes.ros.replay import INPUT_TYPES

_LINKS = ("thermal/frame", "drone/nav_state", "uncertainty/map", "bundle", "overlay/image_raw", "provenance")


def survey(seconds: float) -> tuple[int, list[tuple[str, str]]]:
    """Look for so long.

    Returns:
        How many of our nodes run here, and ``(what is wrong, how to fix it)``.
    """
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node("doctor", namespace=NAMESPACE, context=context, enable_rosout=False)
    try:
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:  # discovery has no end that could be waited for
            time.sleep(0.1)
        running = _ours(node)
        return len(running), list(_troubles(node)) if running else []
    finally:
        node.destroy_node()
        context.try_shutdown()


def _ours(node: Node) -> list[str]:
    found = node.get_node_names_and_namespaces()
    return [name for name, space in found if space == NAMESPACE and name.endswith("_node")]


def _troubles(node: Node) -> Iterator[tuple[str, str]]:
    for topic in (*INPUT_TYPES, *_LINKS):
        full = f"{NAMESPACE}/{topic}"
        writers = node.get_publishers_info_by_topic(full)
        readers = node.get_subscriptions_info_by_topic(full)
        if readers and not writers:
            fix = (
                "start its driver, or remap the topic"
                if topic in INPUT_TYPES
                else "look into the log of its node"
            )
            yield f"nobody publishes {full}", fix
        for writer in writers:
            for reader in readers:
                yield from _misfit(full, writer, reader)


def _misfit(topic: str, writer: Any, reader: Any) -> Iterator[tuple[str, str]]:
    if writer.topic_type != reader.topic_type:
        yield (
            f"{topic}: {writer.node_name} writes {writer.topic_type}, {reader.node_name} reads {reader.topic_type}",
            "remap the topic that has the right type",
        )
        return
    verdict, reason = qos_check_compatible(writer.qos_profile, reader.qos_profile)
    if verdict == QoSCompatibility.ERROR:
        yield (
            f"{topic}: the QoS of {writer.node_name} and {reader.node_name} do not fit: {reason}",
            "let the driver publish reliably, or set input_reliability to best_effort",
        )
