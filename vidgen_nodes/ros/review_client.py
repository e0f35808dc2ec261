# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Hands verdicts to the generator that is running: it owns the one writer of its ledger.

Guarantees: a verdict is in the ledger when ``add`` returns. Leaves out verdicts on a ledger that nobody writes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from vidgen.srv import Review

from vidgen_nodes.errors import InputError
from vidgen_nodes.graph import NAMESPACE
from vidgen_nodes.ros.transport import make_executor

_SERVICE = "generator_node/review"
_FIND_S = 10.0
_ANSWER_S = 10.0
_SPIN_S = 0.05


class ReviewClient:
    """Made by :func:`reviewing`."""

    def __init__(self, context: Any) -> None:
        self._node = Node("reviewer", namespace=NAMESPACE, context=context, enable_rosout=False)
        self._executor = make_executor(context)
        self._executor.add_node(self._node)
        self._client = self._node.create_client(Review, _SERVICE)

    def check(self) -> None:
        """Wait for the generator.

        Raises:
            InputError: none answers in this ROS domain.
        """
        if not self._client.wait_for_service(_FIND_S):
            raise InputError(
                "no_generator",
                f"no generator offers {NAMESPACE}/{_SERVICE} in this ROS domain; is the graph up?",
            )

    def add(self, fields: dict[str, Any], statement: bytes) -> int:
        """Add a verdict; returns the leaf that holds it.

        Raises:
            InputError: it was refused, or nobody answered.
        """
        request = Review.Request(
            leaf_index=fields["leaf_index"],
            last_leaf_index=fields["last_leaf"],
            reviewer=fields["reviewer"],
            verdict=fields["verdict"],
            comment=fields["comment"],
            seconds_viewed=fields["seconds_viewed"],
            statement=list(statement),
        )
        future = self._client.call_async(request)
        until_s = time.monotonic() + _ANSWER_S
        while not future.done() and time.monotonic() < until_s:
            self._executor.spin_once(timeout_sec=_SPIN_S)
        answer = future.result() if future.done() else None
        if answer is None:
            raise InputError("no_answer", f"the generator did not answer within {_ANSWER_S:g} s")
        if not answer.success:
            raise InputError("refused", f"the generator refused the verdict: {answer.message}")
        return int(answer.review_leaf_index)

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()


@contextmanager
def reviewing() -> Iterator[ReviewClient]:
    """A client in a ROS context of its own.

    Raises:
        InputError: no generator is running.
    """
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        client = ReviewClient(context)
        try:
            client.check()
            yield client
        finally:
            client.close()
    finally:
        context.try_shutdown()
