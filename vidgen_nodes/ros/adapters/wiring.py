# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Connects an adapter to the graph: one subscription a route, and the version of a topic that is really there.

A package that a stack cannot do without ends the node with a sentence that names it; one whose loss costs only
part (a heading, a gimbal) is told once, and the rest works.
"""

from __future__ import annotations

from typing import Any

from vidgen_nodes.errors import ConfigError, MissingPackageError
from vidgen_nodes.packets import SourceRef
from vidgen_nodes.ros import qos
from vidgen_nodes.ros.adapters.route import (
    Adapter,
    Route,
    header_stamp_ns,
    message_class,
    newest_version,
)
from vidgen_nodes.ros.convert import serialized_digest


class Wiring:
    """The subscriptions of one adapter on one node."""

    def __init__(self, node: Any, adapter: Adapter, *, with_positions: bool) -> None:
        """Subscribe.

        Args:
            node: a node of ours (``ros/node.py``).
            adapter: of the stack.
            with_positions: false where positions come from elsewhere.

        Raises:
            ConfigError: a message package is missing that the stack cannot do without.
        """
        self._node = node
        self._subscribed: dict[str, tuple[str, Any]] = {}  # by route topic: what is subscribed
        self._classes: dict[str, Any] = {}
        self._routes = [route for route in adapter.routes if with_positions or not route.gives_position]
        for route in self._routes:
            if self._load(route):
                self._subscribe(route, node.resolve_topic_name(route.topic))

    def look(self) -> None:
        """Move to a newer version of a topic that has come up; called once a second."""
        versioned = [route for route in self._routes if route.versioned and route.topic in self._subscribed]
        if not versioned:
            return
        node = self._node
        published = [name for name, _ in node.get_topic_names_and_types() if node.count_publishers(name)]
        for route in versioned:
            name, source = self._subscribed[route.topic]
            newest = newest_version(node.resolve_topic_name(route.topic), published)
            if newest != name and newest in published:
                node.destroy_subscription(source.sub)
                del node.health.inputs[name]
                node.get_logger().info(f"reading {newest} instead of {name}")
                self._subscribe(route, newest)

    def _load(self, route: Route) -> bool:
        try:
            self._classes[route.topic] = message_class(route.type_name)
        except MissingPackageError as err:
            if not route.without:
                raise ConfigError(f"{self._node.get_name()}: {err}") from err
            self._node.get_logger().warning(f"without {route.without}: {err}")
            return False
        return True

    def _subscribe(self, route: Route, name: str) -> None:
        node, stamp_ns = self._node, route.stamp_ns

        def take(message: Any, raw: bytes) -> None:
            at_ns = stamp_ns(message)
            if (
                at_ns and stamp_ns is not header_stamp_ns
            ):  # of a header's stamp the node has taken note itself
                node.health.inputs[name].offset_s = (node.now_ns() - at_ns) * 1e-9
            route.handler(message, SourceRef(name, route.type_name, at_ns, serialized_digest(raw)))

        profile = qos.stack_input(route.type_name, node.input_reliability)
        source = node.subscribe_raw(self._classes[route.topic], name, profile, take, required=route.required)
        self._subscribed[route.topic] = (name, source)
