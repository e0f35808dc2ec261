# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What time an input tells: that of its stamps, or that of its arrival.

``header``: the stamps. ``arrival``: for drivers whose clock is set to nothing in particular. Then the stamps
are moved by the least that a message was seen to take in the last ten seconds (the fastest one was held up
least), so that the spacing of the camera's own clock stays and the jitter of the transport does not come in.

Guarantees: constant cost a message. A clock that is set anew (ten messages in a row over a second off) starts
the statistics anew; fewer are strays and count for nothing. Leaves out reading clocks: who calls says when a
message arrived.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

HEADER: Final = "header"
ARRIVAL: Final = "arrival"

_WINDOW_NS: Final = 10_000_000_000
_JUMP_NS: Final = 1_000_000_000
_LEAST: Final = 10  # messages before the least of them says anything


class TimeSource:
    """The time of one input, and what its arrivals tell about its clock."""

    def __init__(self, kind: str, delay_ms: float) -> None:
        """Start without knowledge.

        Args:
            kind: ``header`` or ``arrival``.
            delay_ms: least time from measuring to arriving, of the fastest message.
        """
        self._kind = kind
        self._delay_ns = round(delay_ms * 1e6)
        self.reset()

    def reset(self) -> None:
        """Forget all arrivals."""
        self._least: deque[tuple[int, int]] = deque()  # (arrival, arrival - stamp), both rising
        self._elsewhere: list[
            tuple[int, int]
        ] = []  # the same of messages in a row that are over a second off
        self._newest_ns = 0
        self._seen = 0

    def note(self, stamp_ns: int, arrival_ns: int) -> None:
        """A message with the stamp arrived, by the clock of whoever receives."""
        took_ns = arrival_ns - stamp_ns
        if self._least and abs(took_ns - self._least[0][1]) > _JUMP_NS:
            self._elsewhere.append((arrival_ns, took_ns))
            if len(self._elsewhere) < _LEAST:
                return  # a stray: one message must not move the time of all
            strays = self._elsewhere
            self.reset()
            for arrival, took in strays:
                self._keep(arrival, took)
            return
        self._elsewhere = []
        self._keep(arrival_ns, took_ns)

    def _keep(self, arrival_ns: int, took_ns: int) -> None:
        self._newest_ns = max(self._newest_ns, arrival_ns)
        self._seen += 1
        while self._least and self._least[-1][1] >= took_ns:
            self._least.pop()
        self._least.append((arrival_ns, took_ns))
        while self._least[0][0] < self._newest_ns - _WINDOW_NS:
            self._least.popleft()

    @property
    def least_ns(self) -> int | None:
        """Least of arrival minus stamp in the last ten seconds; None before ten messages."""
        return self._least[0][1] if self._seen >= _LEAST else None

    @property
    def least_ms(self) -> float:
        """The same in ms; NaN before ten messages."""
        least_ns = self.least_ns
        return math.nan if least_ns is None else least_ns * 1e-6

    @property
    def shift_ns(self) -> int:
        """What is to be added to this input's stamps; 0 for ``header``, and while too little has arrived."""
        least_ns = self.least_ns
        if self._kind == HEADER or least_ns is None:
            return 0
        return least_ns - self._delay_ns
