# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a node knows of its own health, and the one plain sentence why nothing comes out of it.

Pure bookkeeping: no ROS, no clock (every call is given the time). ``node.py`` feeds it and publishes it.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field

from vidgen_nodes.errors import InputError

STARTUP_S = 4.0  # the first verdict, so that it is out within five seconds of the start
SILENCE_S = 3.0  # no output for so long is silence
MAX_CLOCK_OFFSET_S = 1.0

OK, WARN, ERROR = 0, 1, 2
WITHHOLDING = "withholding"  # name of the value that holds ``NodeHealth.withholding``


@dataclass(slots=True)
class InputHealth:
    """One topic that comes in. ``required``: without it nothing can come out."""

    topic: str
    required: bool = True
    received: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    last_refusal: str = ""
    publishers: int = 0
    incompatible_policy: str = ""
    last_s: float = -math.inf  # when the newest came
    last_good_s: float = -math.inf  # when the newest that was not refused came
    offset_s: float = math.nan  # node clock minus stamp of the newest
    rate_hz: float = 0.0
    _seen: int = 0

    def arrive(self, now_s: float, offset_s: float = math.nan) -> None:
        """A message came in at ``now_s``, ``offset_s`` after its stamp by the node's clock."""
        self.received += 1
        self.last_s = self.last_good_s = now_s
        self.offset_s = offset_s

    def refuse(self, error: InputError, before_s: float) -> None:
        """The message that just arrived was refused; ``before_s``: ``last_good_s`` before it."""
        self.refused[error.reason] += 1
        self.last_refusal = str(error)
        self.last_good_s = before_s

    def trouble(self, now_s: float) -> str:
        """Why this topic gives nothing to work with; empty when it does."""
        if self.last_good_s >= now_s - SILENCE_S:
            return ""
        if self.received and self.last_s >= now_s - SILENCE_S:
            reasons = ", ".join(f"{reason} {count}x" for reason, count in self.refused.most_common())
            return f"messages arrive on {self.topic} but are refused ({reasons}): {self.last_refusal}"
        if self.received:
            return f"nothing has come on {self.topic} for {now_s - self.last_s:.1f} s: has the publisher stopped?"
        if self.incompatible_policy:
            return (
                f"a publisher of {self.topic} exists, but its QoS does not fit ({self.incompatible_policy}): "
                "publish it with that policy or set the parameter input_reliability to best_effort"
            )
        if self.publishers == 0:
            return f"nobody publishes {self.topic}: start its driver, or remap the topic to the name the driver uses"
        return f"{self.topic} has {self.publishers} publisher(s), but no message has come yet"


@dataclass(slots=True)
class OutputHealth:
    """One topic that goes out. ``primary``: the node is silent when this one is."""

    topic: str
    primary: bool = True
    published: int = 0
    last_s: float = -math.inf
    rate_hz: float = 0.0
    _seen: int = 0

    def publish(self, now_s: float) -> None:
        """A message went out."""
        self.published += 1
        self.last_s = now_s


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What goes into one ``diagnostic_msgs/DiagnosticStatus``."""

    level: int
    message: str
    values: tuple[tuple[str, str], ...]


class NodeHealth:
    """Counts of one node, and the verdict on them."""

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._last_snapshot_s = started_s
        self.inputs: dict[str, InputHealth] = {}
        self.outputs: dict[str, OutputHealth] = {}
        self.dropped: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.waiting_for = ""  # plain words, set by the node: what is missing before anything can come out
        self.idle = (
            ""  # plain words, set by the node: why nothing needs to come out; then silence is no fault
        )
        self.withheld: Counter[str] = Counter()  # parts of what was asked for that are not drawn, by cause
        self.withholding = ""  # plain words, set by the node: which part, and why; empty: none
        self.doubt = ""  # plain words, set by the node: what makes its output worse than it could be
        self.fault = ""  # plain words, set by the node: what is broken
        self.extra: dict[str, str] = {}  # further values of this node, as they are to be published
        self._latency_ms: dict[str, deque[float]] = {}

    def add_input(self, topic: str, *, required: bool = True) -> InputHealth:
        """Register a topic that comes in."""
        return self.inputs.setdefault(topic, InputHealth(topic, required))

    def add_output(self, topic: str, *, primary: bool = True) -> OutputHealth:
        """Register a topic that goes out."""
        return self.outputs.setdefault(topic, OutputHealth(topic, primary))

    def add_latency(self, name: str, value_ms: float) -> None:
        """Note one latency; the newest 1000 are kept."""
        self._latency_ms.setdefault(name, deque(maxlen=1000)).append(value_ms)

    def why_silent(self, now_s: float) -> str:
        """One sentence why nothing comes out; empty when something does, or when it is too early to say."""
        primary = [output for output in self.outputs.values() if output.primary]
        newest_s = max((output.last_s for output in primary), default=math.inf)
        if now_s - self._started_s < STARTUP_S or newest_s >= now_s - SILENCE_S:
            return ""
        if self.fault:
            return self.fault
        if self.idle:
            return ""
        for entry in self.inputs.values():
            trouble = entry.trouble(now_s) if entry.required else ""
            if trouble:
                return trouble
        offset = self.clock_trouble()
        if self.waiting_for:
            return f"waiting for {self.waiting_for}" + (f"; also, {offset}" if offset else "")
        if offset:
            return offset
        drops = ", ".join(f"{reason} {count}x" for reason, count in self.dropped.most_common())
        optional = [entry.trouble(now_s) for entry in self.inputs.values() if not entry.required]
        silent = ", ".join(output.topic for output in primary)
        return f"inputs arrive, but nothing goes out on {silent}" + (
            f"; dropped: {drops}" if drops else "".join(f"; {text}" for text in optional[:1] if text)
        )

    def clock_trouble(self) -> str:
        """A sentence when stamps and the node's clock are more than a second apart."""
        for entry in self.inputs.values():
            if abs(entry.offset_s) > MAX_CLOCK_OFFSET_S:
                side = "behind" if entry.offset_s > 0 else "ahead of"
                return (
                    f"stamps on {entry.topic} are {abs(entry.offset_s):.1f} s {side} this node's clock: synchronise "
                    "the clocks (PTP, NTP), or set use_sim_time when a recording plays"
                )
        return ""

    def snapshot(self, now_s: float) -> Snapshot:
        """Level, sentence and numbers as of now; rates are over the time since the last call."""
        period_s = max(now_s - self._last_snapshot_s, 1e-9)
        self._last_snapshot_s = now_s
        values: list[tuple[str, str]] = []
        for entry in self.inputs.values():
            entry.rate_hz, entry._seen = (entry.received - entry._seen) / period_s, entry.received  # noqa: SLF001
            values += self._input_values(entry, now_s)
        for output in self.outputs.values():
            output.rate_hz, output._seen = (output.published - output._seen) / period_s, output.published  # noqa: SLF001
            values += [
                (f"{output.topic} published", str(output.published)),
                (f"{output.topic} rate_hz", f"{output.rate_hz:.1f}"),
            ]
        values += [(f"dropped {reason}", str(count)) for reason, count in sorted(self.dropped.items())]
        values += [(f"cause {cause}", str(count)) for cause, count in sorted(self.causes.items())]
        values += [(f"withheld {cause}", str(count)) for cause, count in sorted(self.withheld.items())]
        values += [(WITHHOLDING, self.withholding)] if self.withholding else []
        values += self.extra.items()
        for name, samples in self._latency_ms.items():
            ordered = sorted(samples)
            for share in (50, 95, 99, 100):
                index = min(len(ordered) - 1, len(ordered) * share // 100)
                values.append((f"{name} p{share}_ms", f"{ordered[index]:.2f}"))
        return Snapshot(*self._verdict(now_s), tuple(values))

    @staticmethod
    def _input_values(entry: InputHealth, now_s: float) -> list[tuple[str, str]]:
        values = [
            (f"{entry.topic} received", str(entry.received)),
            (f"{entry.topic} rate_hz", f"{entry.rate_hz:.1f}"),
        ]
        if entry.received:
            values.append((f"{entry.topic} age_s", f"{now_s - entry.last_s:.2f}"))
        if not math.isnan(entry.offset_s):
            values.append((f"{entry.topic} clock_minus_stamp_s", f"{entry.offset_s:.4f}"))
        return values + [
            (f"{entry.topic} refused {reason}", str(n)) for reason, n in sorted(entry.refused.items())
        ]

    def _verdict(self, now_s: float) -> tuple[int, str]:
        if self.fault:
            return ERROR, self.fault
        silent = self.why_silent(now_s)
        if silent:
            return (ERROR if any(o.published for o in self.outputs.values()) else WARN), silent
        if self.clock_trouble():
            return WARN, self.clock_trouble()
        if self.idle:
            return OK, self.idle
        if self.waiting_for:
            return WARN, f"waiting for {self.waiting_for}"
        if self.doubt:
            return WARN, self.doubt
        if self.withholding:
            return OK, f"running; {self.withholding}"
        if self.causes:
            cause, count = self.causes.most_common(1)[0]
            return OK, f"running; most frequent cause of a transparent overlay: {cause} ({count}x)"
        return OK, "running"
