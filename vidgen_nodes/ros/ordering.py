# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Puts recorded messages into the order in which they take effect.

A message takes effect at its stamp plus the declared delay of its input. Messages of one topic keep the
order of the recorder (that is what a live reader sees); between topics, event time decides, whatever the
recorder's disorder within the window. A topic whose stamps go back by over a second begins anew (a clock that
was set, a bag that was played again into the recording): what it sends from then on comes after all that is
older, beside what other topics send anew. Leaves out what the messages mean.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

WINDOW_NS = 2_000_000_000
_JUMP_NS = 1_000_000_000
_MOST_BYTES = 512 * 2**20  # held back at most; a stream minutes ahead of the others is let go


class Timed(Protocol):
    """A recorded message, or what was made of one."""

    @property
    def topic(self) -> str:
        """Whose order is kept."""

    @property
    def log_ns(self) -> int:
        """When the recorder wrote it."""

    @property
    def data(self) -> bytes:
        """What is held back with it."""


Message = TypeVar("Message", bound=Timed)


def in_effect_order(
    messages: Iterable[Message],
    stamp_of: Callable[[Message], int],
    delays_ns: Mapping[str, int],
    last_at_equal: str,
) -> Iterator[Message]:
    """Yield every message once.

    Args:
        messages: in the order of the recorder.
        stamp_of: event time of a message, ns.
        delays_ns: by topic, from stamp to effect.
        last_at_equal: topic that comes after the others when they take effect at the same time.
    """
    heap: list[tuple[int, int, int, int, Message]] = []
    newest_ns: dict[str, int] = {}
    runs: dict[str, int] = {}  # how often a topic began anew
    held = 0
    for number, message in enumerate(messages):
        effect_ns = stamp_of(message) + delays_ns.get(message.topic, 0)
        before_ns = newest_ns.get(message.topic, effect_ns)
        if before_ns - effect_ns > _JUMP_NS:
            runs[message.topic] = runs.get(message.topic, 0) + 1
        else:  # never before its own predecessor on the topic
            effect_ns = max(effect_ns, before_ns)
        newest_ns[message.topic] = effect_ns
        run, is_last = runs.get(message.topic, 0), int(message.topic == last_at_equal)
        heapq.heappush(heap, (run, effect_ns, is_last, number, message))
        held += len(message.data)
        while held > _MOST_BYTES or heap[0][-1].log_ns + WINDOW_NS < message.log_ns:
            held -= len(heap[0][-1].data)
            yield heapq.heappop(heap)[-1]
    while heap:
        yield heapq.heappop(heap)[-1]
