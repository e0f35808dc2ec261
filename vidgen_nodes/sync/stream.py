# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One kind of input of the synchroniser: what waits, ordered by stamp, what is in effect, and what was.

Guarantees: the order of arrival changes nothing; what waits and what is kept is bounded, so that an input
costs the same at any time. Leaves out what an input means, and clocks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final, Generic, TypeVar

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import GimbalAttitude, NavState, UncertaintyMap

SILENT_NS: Final = 5_000_000_000  # an input silent that long (event time) holds up nothing

Input = TypeVar("Input", NavState, UncertaintyMap, GimbalAttitude)


class Stream(Generic[Input]):
    """Takes inputs in any order; ``enter`` puts in effect what is due at a stamp."""

    def __init__(self, delay_ms: float, jump_ms: float, room: int, *, expected: bool) -> None:
        """Make an empty stream.

        Args:
            delay_ms: from stamp to effect.
            jump_ms: stamps this far behind the newest are those of another clock.
            room: inputs that may wait, and that are kept after they were in effect.
            expected: one will come, though none has yet.
        """
        self.delay_ns = round(delay_ms * 1e6)
        self._jump_ns = round(jump_ms * 1e6)
        self._room = room
        self._expected = expected
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._stamps: list[int] = []
        self._waiting: list[Input] = []
        self._past: list[Input] = []  # what was in effect, by rising stamp
        self.current: Input | None = None
        self.watermark_ns: int | None = None

    def keep_before(self, stamp_ns: int) -> None:
        """A new segment: drop what is in effect, and all that waits but what is older than the stamp."""
        keep = bisect_left(self._stamps, stamp_ns)
        stamps, waiting = self._stamps[:keep], self._waiting[:keep]
        self.clear()
        self._stamps, self._waiting = stamps, waiting
        self.watermark_ns = stamps[-1] if stamps else None

    def add(self, item: Input) -> bool:
        """Take an input; True when there was no room and the oldest had to go.

        Raises:
            InputError: ``duplicate``.
        """
        stamp_ns = item.stamp_ns
        at = bisect_left(self._stamps, stamp_ns)
        known = at < len(self._stamps) and self._stamps[at] == stamp_ns
        if known or (self.current is not None and self.current.stamp_ns == stamp_ns):
            raise InputError(
                "duplicate", f"a second input of its kind has stamp {stamp_ns} ns; the first is used."
            )
        self._stamps.insert(at, stamp_ns)
        self._waiting.insert(at, item)
        mark_ns = self.watermark_ns
        if mark_ns is None or stamp_ns > mark_ns or stamp_ns < mark_ns - self._jump_ns:
            self.watermark_ns = stamp_ns
        if len(self._stamps) <= self._room:
            return False
        del self._stamps[0], self._waiting[0]
        return True

    def enter(self, stamp_ns: int) -> list[Input]:
        """Put in effect what is due; returns all that was, by rising stamp."""
        due = bisect_right(self._stamps, stamp_ns - self.delay_ns)
        if not due:
            return []
        entered = self._waiting[:due]
        newest = entered[-1]
        if self.current is None or newest.stamp_ns > self.current.stamp_ns:
            known_ns = self._past[-1].stamp_ns if self._past else -1
            self._past += [item for item in entered if item.stamp_ns > known_ns]
            del self._past[: -self._room]
            self.current = newest
        del self._stamps[:due], self._waiting[:due]
        return entered

    def at(self, stamp_ns: int) -> Input | None:
        """What was in effect at a stamp that younger frames have overtaken."""
        return self.before(stamp_ns - self.delay_ns)

    def before(self, stamp_ns: int) -> Input | None:
        """The newest that has been in effect and is not younger than the stamp."""
        due = bisect_right(self._past, stamp_ns, key=lambda item: item.stamp_ns)
        return self._past[due - 1] if due else None

    def has_passed(self, stamp_ns: int) -> bool:
        """Whether all that can be in effect at the stamp has come, for all one can know."""
        if self.watermark_ns is None:
            return not self._expected
        missing_ns = stamp_ns - self.delay_ns - self.watermark_ns
        return missing_ns <= 0 or missing_ns > SILENT_NS
