# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Puts recorded messages into the order in which they take effect.

A message takes effect at its stamp plus the declared delay of its input. Messages of one topic keep the
order of the recorder (that is what a live reader sees); between topics, event time decides, whatever the
recorder's disorder within the window. Leaves out what the messages mean.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping

from vidgen_nodes.ros.replay import TimedMessage

WINDOW_NS = 2_000_000_000
_MOST_BYTES = 512 * 2**20  # held back at most; a stream minutes ahead of the others is let go


def in_effect_order(
    messages: Iterable[TimedMessage],
    stamp_of: Callable[[TimedMessage], int],
    delays_ns: Mapping[str, int],
    last_at_equal: str,
) -> Iterator[TimedMessage]:
    """Yield every message once.

    Args:
        messages: in the order of the recorder.
        stamp_of: event time of a message, ns.
        delays_ns: by topic, from stamp to effect.
        last_at_equal: topic that comes after the others when they take effect at the same time.
    """
    heap: list[tuple[int, int, int, TimedMessage]] = []
    newest_ns: dict[str, int] = {}
    held = 0
    for number, message in enumerate(messages):
        effect_ns = stamp_of(message) + delays_ns.get(message.topic, 0)
        # Never before its own predecessor on the topic.
        effect_ns = newest_ns[message.topic] = max(effect_ns, newest_ns.get(message.topic, effect_ns))
        heapq.heappush(heap, (effect_ns, int(message.topic == last_at_equal), number, message))
        held += len(message.data)
        while held > _MOST_BYTES or heap[0][3].log_ns + WINDOW_NS < message.log_ns:
            held -= len(heap[0][3].data)
            yield heapq.heappop(heap)[3]
    while heap:
        yield heapq.heappop(heap)[3]
