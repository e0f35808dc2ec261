# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes a recording into the live graph, with ``/clock``, at the pace of the recorder.

Guarantees: the serialised bytes go out unchanged and in recorded order; nothing is published before
every input has its reader; publishers offer at least reliable delivery, so that a reliable reader loses
nothing. ``/clock`` shows the recorder's time (not the stamps), at 100 Hz and with every message.
Blocks the calling thread; leaves the reading to ``ros/replay.py``.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import QosDurability
from rosgraph_msgs.msg import Clock

from vidgen_nodes.errors import BagError, MissingPackageError, TransportError
from vidgen_nodes.graph import NAMESPACE
from vidgen_nodes.ros.adapters.route import message_class
from vidgen_nodes.ros.inputs import ANCHOR, INPUT_TYPES
from vidgen_nodes.ros.qos import sensor_input, stack_input
from vidgen_nodes.ros.replay import Recording, TimedMessage

_CLOCK_PERIOD_NS = 10_000_000


class Player:
    """Plays one recording. ``sent`` maps each thermal stamp to the monotonic time it was handed over."""

    def __init__(self, recording: Recording, context: Any, *, rate: float = 1.0) -> None:
        self._recording = recording
        self._rate = rate
        self._node = Node("replay", namespace=NAMESPACE, context=context, enable_rosout=False)
        self._clock = self._node.create_publisher(
            Clock, "/clock", QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1)
        )
        self._publishers = {
            topic: self._node.create_publisher(
                message_class(recording.wanted[topic].type_name), topic, _offered(topic, recording)
            )
            for topic in recording.inputs
        }
        self.counts = dict.fromkeys(recording.inputs, 0)
        self.sent: dict[int, float] = {}
        self.loops = 0

    def wait_for_readers(
        self, stop: Callable[[], bool], timeout_s: float, between: Callable[[], None] = lambda: None
    ) -> None:
        """Return when every input has a reader.

        Raises:
            TransportError: not in time; names the topics.
        """
        deadline_s = time.monotonic() + timeout_s
        while not stop():
            waiting = [t for t, p in self._publishers.items() if p.get_subscription_count() == 0]
            if not waiting:
                return
            if time.monotonic() > deadline_s:
                raise TransportError(
                    f"nobody reads {', '.join(waiting)} after {timeout_s:.0f} s; look into the logs of the nodes, "
                    "and check ROS_DOMAIN_ID and the QoS with `vidgen doctor`"
                )
            between()
            time.sleep(0.02)

    def play(
        self,
        stop: Callable[[], bool],
        *,
        between: Callable[[], None] = lambda: None,
        before_frame: Callable[[int], None] | None = None,
        loop: bool = False,
    ) -> None:
        """Publish the whole recording, again and again with ``loop``, until ``stop()``.

        Args:
            stop: asked between messages.
            between: called a hundred times a second while waiting.
            before_frame: called with the number of each thermal frame before it goes out (stepping).
            loop: start over at the end.

        Raises:
            BagError: the recording is damaged; everything before the damage was published.
        """
        while not stop():
            self._pass(stop, between, before_frame)
            if not loop:
                return
            self.loops += 1

    def close(self) -> None:
        """Take the node down."""
        self._node.destroy_node()

    def _pass(
        self,
        stop: Callable[[], bool],
        between: Callable[[], None],
        before_frame: Callable[[int], None] | None,
    ) -> None:
        origin_s: float | None = None
        first_ns = 0
        for message in self._recording.messages():
            if origin_s is None:
                origin_s, first_ns = time.monotonic(), message.log_ns
            due_s = origin_s + (message.log_ns - first_ns) / self._rate / 1e9
            self._wait_until(due_s, message.log_ns, stop, between)
            if stop():
                return
            if before_frame is not None and message.topic == ANCHOR:
                before_frame(self.counts[ANCHOR])
                origin_s += max(0.0, time.monotonic() - due_s)  # what stepping took does not count
            self._publish(message)

    def _wait_until(
        self, due_s: float, log_ns: int, stop: Callable[[], bool], between: Callable[[], None]
    ) -> None:
        while (left_s := due_s - time.monotonic()) > 0 and not stop():
            between()
            step_s = min(left_s, _CLOCK_PERIOD_NS / 1e9)
            time.sleep(step_s)
            if step_s < left_s:
                self._publish_clock(log_ns - int((left_s - step_s) * self._rate * 1e9))

    def _publish(self, message: TimedMessage) -> None:
        self._publish_clock(message.log_ns)
        if message.topic == ANCHOR:
            self.sent[self._recording.stamp_ns(message)] = time.monotonic()
        self._publishers[message.topic].publish(message.data)
        self.counts[message.topic] += 1

    def _publish_clock(self, now_ns: int) -> None:
        clock = Clock()
        clock.clock.sec, clock.clock.nanosec = divmod(now_ns, 1_000_000_000)
        self._clock.publish(clock)


def playable(recording: Recording) -> Recording:
    """The recording without the topics whose message packages are not installed here (``left_out`` says so).

    Raises:
        BagError: its stack cannot do without one of them.
    """
    left_out = dict(recording.left_out)
    for topic in recording.inputs:
        item = recording.wanted[topic]
        try:
            message_class(item.type_name)
        except MissingPackageError as err:
            if item.route is None or not item.route.without:
                raise BagError(
                    f"{recording.path}: {recording.inputs[topic]} cannot be published: {err}. "
                    "`vidgen render` needs no message package"
                ) from err
            left_out[topic] = f"without {item.route.without}: {err}"
    inputs = {ours: recorded for ours, recorded in recording.inputs.items() if ours not in left_out}
    return dataclasses.replace(
        recording,
        inputs=inputs,
        counts={ours: recording.counts[ours] for ours in inputs},
        left_out=left_out,
    )


def _offered(topic: str, recording: Recording) -> QoSProfile:
    """The recorded offer where it promises more than ours; never less than reliable."""
    recorded = recording.qos.get(topic)
    if topic in INPUT_TYPES:
        least = sensor_input(topic, "reliable").depth
    else:
        least = stack_input(recording.wanted[topic].type_name, "reliable").depth
    latched = recorded is not None and recorded.durability is QosDurability.TRANSIENT_LOCAL
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=max(least, recorded.depth if recorded is not None else 0),
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
