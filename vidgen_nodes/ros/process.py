# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The one way in which the process of a node starts, spins and ends.

A parameter that is wrong ends it with one line and exit status 2. Anything else unexpected ends it with status 1:
the supervisor starts it again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.ros import transport
from vidgen_nodes.ros.node import VidgenLifecycleNode
from vidgen_nodes.scheduling import Priority, set_priority


def main_for(node_class: Callable[[], Any], priority: Priority = Priority.NORMAL) -> None:
    """Run a node until a signal or until it is finished, shut down once, and exit with its status.

    Args:
        node_class: makes the node.
        priority: ``FRAME`` for what every thermal frame passes through, ``BACKGROUND`` for what none waits for.
    """
    transport.prepare_process()
    set_priority(priority)
    status = 0
    with transport.stop_on_signals() as stop:
        try:
            rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
            node = node_class()
        except ConfigError as err:
            sys.stderr.write(f"{err}\n")
            status = 2
        except rclpy.exceptions.ROSInterruptException:
            status = 0
        else:
            status = _run(node, stop)
        rclpy.try_shutdown()
    sys.exit(status)


def _run(node: Any, stop: transport.StopRequest) -> int:
    executor = transport.make_executor(node.context)
    executor.add_node(node)
    try:
        if isinstance(node, VidgenLifecycleNode):
            node.activate_if_asked()
        transport.settle_memory()
        transport.run_until_stopped(executor, stop, lambda: node.finished)
    finally:
        node.close()
        transport.end_within(transport.END_S, int(node.exit_status) if sys.exc_info()[0] is None else 1)
        executor.remove_node(node)
        executor.shutdown()  # it holds the context: without this Fast DDS would leave its segment behind
        node.destroy_node()
    return int(node.exit_status)
