# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The stand-in behind ``filters.py``: filters over streams of messages with a ``header.stamp``.

Written from the documented behaviour of ``message_filters``, so that the same node runs with either.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.clock import ROSClock
from rclpy.duration import Duration
from rclpy.time import Time

_LOGGER = logging.getLogger(__name__)


class SimpleFilter:
    """Hands what it is given to the callbacks registered with it."""

    def __init__(self) -> None:
        self.callbacks: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}

    def registerCallback(self, cb: Callable[..., None], *args: Any) -> int:
        """Call ``cb(*messages, *args)`` for every output; returns the number of the connection."""
        connection = len(self.callbacks)
        self.callbacks[connection] = (cb, args)
        return connection

    def signalMessage(self, *msg: Any) -> None:
        """Put out messages."""
        for callback, args in list(self.callbacks.values()):
            callback(*msg, *args)


class Subscriber(SimpleFilter):
    """A subscription as a filter: ``Subscriber(node, message_type, topic, **create_subscription_arguments)``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.node, self.topic = args[0], args[2]
        kwargs.setdefault("qos_profile", 10)
        self.sub = self.node.create_subscription(*args[1:], self.callback, **kwargs)

    def callback(self, msg: Any) -> None:
        """What the subscription calls."""
        self.signalMessage(msg)

    def getTopic(self) -> str:
        """The name given."""
        return str(self.topic)

    def __getattr__(self, key: str) -> Any:
        if key == "sub":  # not made yet: creating the subscription failed
            raise AttributeError(key)
        return getattr(self.sub, key)


def _stamp(msg: Any, allow_headerless: bool, who: str) -> Time | None:
    """The stamp of a message; the arrival time for one without, if that is allowed, else None."""
    stamp = getattr(getattr(msg, "header", None), "stamp", None)
    if stamp is None:
        if allow_headerless:
            return ROSClock().now()
        _LOGGER.warning(
            "%s: a %s has no header.stamp and is left out; see allow_headerless", who, type(msg).__name__
        )
        return None
    return stamp if hasattr(stamp, "nanoseconds") else Time.from_msg(stamp)


class Cache(SimpleFilter):
    """Keeps the newest ``cache_size`` messages, in order of arrival."""

    def __init__(self, f: SimpleFilter, cache_size: int = 1, allow_headerless: bool = False) -> None:
        super().__init__()
        self.cache_size, self.allow_headerless = cache_size, allow_headerless
        self.cache_msgs: list[Any] = []
        self.cache_times: list[Time] = []
        self.connectInput(f)

    def connectInput(self, f: SimpleFilter) -> None:
        """Take the output of another filter."""
        self.incoming_connection = f.registerCallback(self.add)

    def add(self, msg: Any) -> None:
        """Keep a message and pass it on."""
        stamp = _stamp(msg, self.allow_headerless, "Cache")
        if stamp is None:
            return
        self.cache_times.append(stamp)
        self.cache_msgs.append(msg)
        if len(self.cache_msgs) > self.cache_size:
            del self.cache_msgs[0], self.cache_times[0]
        self.signalMessage(msg)

    def getInterval(self, from_stamp: Time, to_stamp: Time) -> list[Any]:
        """Messages with stamps from one to the other, both included."""
        if from_stamp > to_stamp:
            raise AssertionError("getInterval: from_stamp lies after to_stamp")
        return [
            m for m, t in zip(self.cache_msgs, self.cache_times, strict=True) if from_stamp <= t <= to_stamp
        ]

    def getElemAfterTime(self, stamp: Time) -> Any:
        """The first message kept with this stamp or a later one; None if there is none."""
        return next((m for m, t in zip(self.cache_msgs, self.cache_times, strict=True) if t >= stamp), None)

    def getElemBeforeTime(self, stamp: Time) -> Any:
        """The last message kept with this stamp or an earlier one; None if there is none."""
        kept = [m for m, t in zip(self.cache_msgs, self.cache_times, strict=True) if t <= stamp]
        return kept[-1] if kept else None

    def getLastestTime(self) -> Time | None:
        """The stamp of the message that came last (upstream spells it so)."""
        return self.cache_times[-1] if self.cache_times else None

    getLatestTime = getLastestTime

    def getOldestTime(self) -> Time | None:
        """The stamp of the message kept longest."""
        return self.cache_times[0] if self.cache_times else None

    def getLast(self) -> Any:
        """The first message with the newest stamp; None when empty."""
        newest = self.getLastestTime()
        return None if newest is None else self.getElemAfterTime(newest)


class TimeSynchronizer(SimpleFilter):
    """Puts out one message of each input when their stamps are equal."""

    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int) -> None:
        super().__init__()
        self.queue_size = queue_size
        self.lock = threading.RLock()
        self.connectInput(fs)

    def connectInput(self, fs: Sequence[SimpleFilter]) -> None:
        """Take the outputs of other filters."""
        self.queues: list[dict[int, Any]] = [{} for _ in fs]
        self.input_connections = [
            f.registerCallback(self.add, queue, index)
            for index, (f, queue) in enumerate(zip(fs, self.queues, strict=True))
        ]

    def _keep(self, msg: Any, queue: dict[int, Any], stamp_ns: int) -> None:
        queue[stamp_ns] = msg
        while len(queue) > self.queue_size:
            del queue[min(queue)]

    def _put_out(self, stamps_ns: Sequence[int]) -> None:
        """Take a set out of the queues first: it is gone even if a callback raises."""
        self.signalMessage(*[queue.pop(t) for queue, t in zip(self.queues, stamps_ns, strict=True)])

    def add(self, msg: Any, my_queue: dict[int, Any], my_queue_index: int | None = None) -> None:  # noqa: ARG002
        """Take a message of one input."""
        with self.lock:
            self._keep(msg, my_queue, Time.from_msg(msg.header.stamp).nanoseconds)
            for stamp_ns in sorted(set.intersection(*map(set, self.queues))):
                self._put_out([stamp_ns] * len(self.queues))


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """Puts out one message of each input when all stamps lie less than ``slop`` seconds apart.

    ``sync_arrival_time`` takes the time of arrival for every message instead of its stamp.
    """

    def __init__(
        self,
        fs: Sequence[SimpleFilter],
        queue_size: int,
        slop: float,
        allow_headerless: bool = False,
        sync_arrival_time: bool = False,
    ) -> None:
        self.slop = Duration(seconds=slop)
        self.allow_headerless, self.sync_arrival_time = allow_headerless, sync_arrival_time
        super().__init__(fs, queue_size)

    def add(self, msg: Any, my_queue: dict[int, Any], my_queue_index: int | None = None) -> None:
        """Take a message of one input."""
        if self.sync_arrival_time:
            stamp: Time | None = ROSClock().now()
        else:
            stamp = _stamp(msg, self.allow_headerless, "ApproximateTimeSynchronizer")
        if stamp is None:
            return
        slop_ns, new_ns = self.slop.nanoseconds, stamp.nanoseconds
        with self.lock:
            self._keep(msg, my_queue, new_ns)
            near: list[list[int]] = []
            for index, queue in enumerate(self.queues):
                if index == my_queue_index:
                    near.append([new_ns])
                    continue
                stamps = sorted(
                    (t for t in queue if abs(t - new_ns) <= slop_ns), key=lambda t: abs(t - new_ns)
                )
                if not stamps:
                    return
                near.append(stamps)
            for candidate in itertools.product(*near):
                complete = all(t in queue for queue, t in zip(self.queues, candidate, strict=True))
                if complete and max(candidate) - min(candidate) < slop_ns:
                    self._put_out(candidate)
                    return
