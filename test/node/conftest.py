# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes in this process, in a ROS domain of their own, driven by the executor that they run with in earnest."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import vidgen_nodes.nodes  # noqa: F401 (sets the process up before rclpy comes in)

WAIT_S = 20.0


class Bench:
    """One context; makes nodes, spins them all, and takes them down."""

    def __init__(self, domain: int, folder: Path) -> None:
        self._domain, self._folder = domain, folder
        self._nodes: list[Any] = []
        self._executor: Any = None

    def start(
        self,
        node_class: Callable[[], Any],
        others: dict[str, dict[str, Any]] | None = None,
        **parameters: Any,
    ) -> Any:
        """Make the node under test, first of all.

        Args:
            node_class: the node.
            others: parameters of nodes that are added later, by node name.
            parameters: parameters of this node.
        """
        import rclpy
        from rclpy.signals import SignalHandlerOptions

        from vidgen_nodes.ros.node import VidgenLifecycleNode
        from vidgen_nodes.ros.transport import make_executor

        sections = {
            **(others or {}),
            re.sub(r"(?<!^)(?=[A-Z])", "_", getattr(node_class, "__name__", "")).lower(): parameters,
        }
        file = self._folder / "params.yaml"
        file.write_text(
            yaml.safe_dump({f"/**/{n}": {"ros__parameters": v} for n, v in sections.items() if v})
        )
        arguments = ["--ros-args", "--params-file", str(file)] if any(sections.values()) else []
        rclpy.init(args=arguments, domain_id=self._domain, signal_handler_options=SignalHandlerOptions.NO)
        self._executor = make_executor(rclpy.get_default_context())
        node = self.add(node_class())
        if isinstance(node, VidgenLifecycleNode):
            node.activate_if_asked()
        return node

    def add(self, node: Any) -> Any:
        """Spin another node as well."""
        self._nodes.append(node)
        self._executor.add_node(node)
        return node

    def peer(self) -> Any:
        """A plain node to publish and listen with."""
        from rclpy.node import Node

        return self.add(Node("peer", namespace="vidgen", use_global_arguments=False))

    def until(self, condition: Callable[[], Any], what: str, each: Callable[[], None] = lambda: None) -> Any:
        """Spin until the condition holds; ``each`` is called on the way."""
        deadline_s = time.monotonic() + WAIT_S
        while time.monotonic() < deadline_s:
            result = condition()
            if result:
                return result
            each()
            self._executor.spin_once(timeout_sec=0.02)
        raise AssertionError(f"not within {WAIT_S} s: {what}")

    def close(self) -> None:
        """Take everything down; safe when nothing was started."""
        import rclpy

        for node in self._nodes:
            if hasattr(node, "close"):
                node.close()
            self._executor.remove_node(node)
        if self._executor is not None:
            self._executor.shutdown()
        for node in self._nodes:
            node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> int:
    """A ROS domain that no other test run on this machine is likely to use at the same time."""
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    number = 102 + os.getpid() % 100  # up to 101 and from 215 on is what people and distributions pick
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    return number


@pytest.fixture
def bench(domain: int, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(domain, tmp_path)
    yield made
    made.close()
