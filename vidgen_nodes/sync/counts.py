# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the synchroniser counts: every thermal frame under exactly one word.

Guarantees: ``thermal_in == bundles_out + sum(drops)`` and ``thermal_in == matched + sum(unmatched)`` at any
moment, whatever came in.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import Bundle

_WINDOW: Final = 5000  # bundles behind the percentiles


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """What ``SyncReport.msg`` says, since the start. Percentiles are over the last 5000 bundles."""

    thermal_in: int
    bundles_out: int
    matched: int  # bundles with pose and map in force and no cause
    drops: dict[str, int]  # thermal frames without a bundle, by reason
    causes: dict[str, int]  # a bundle may have several
    late: dict[str, int]
    skew_ms_p50: float  # age of the navigation state; NaN: none
    skew_ms_p99: float
    sigma_px_p50: float  # expected placement error; NaN: no pose
    sigma_px_p99: float
    segment: int
    segment_cause: str  # why the newest segment began; empty for the first
    unmatched: dict[
        str, int
    ]  # frames that are not matched: by the reason of the drop, else by the first cause
    overflows: dict[str, int]  # inputs for which there was no room, by kind
    marks: dict[str, int]  # doubts that hide nothing
    clock_offset_ms: float  # applied: the camera's clock minus navigation's; 0 until it is known well
    clock_offset_measured_ms: float  # newest estimate; NaN: none
    clock_offset_sigma_ms: float  # of that, 1 sigma; NaN: none
    least_delay_ms: dict[str, float]  # least of arrival minus stamp, by input; NaN: not known


class Tally:
    """Counts of a running synchroniser."""

    def __init__(self) -> None:
        self.thermal_in = self.bundles_out = self.matched = 0
        self.drops: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.unmatched: Counter[str] = Counter()
        self.late: Counter[str] = Counter()
        self.overflows: Counter[str] = Counter()
        self.marks: Counter[str] = Counter()
        self._skews_ms: deque[float] = deque(maxlen=_WINDOW)
        self._sigmas_px: deque[float] = deque(maxlen=_WINDOW)

    def drop(self, reason: str) -> None:
        """A frame yields no bundle."""
        self.drops[reason] += 1
        self.unmatched[reason] += 1

    def put_out(self, bundle: Bundle, age_ms: float) -> None:
        """A frame yields this one; ``age_ms`` of its navigation state, NaN without one."""
        self.bundles_out += 1
        self.causes.update(cause.value for cause in bundle.causes)
        self.marks.update(mark.value for mark in bundle.marks)
        if bundle.causes:
            self.unmatched[bundle.causes[0].value] += 1
        else:
            self.matched += 1
        if not math.isnan(age_ms):
            self._skews_ms.append(age_ms)
        if not math.isnan(bundle.sigma_px):
            self._sigmas_px.append(bundle.sigma_px)

    def skews_ms(self) -> tuple[float, float]:
        """50th and 99th percentile."""
        return _percentiles(self._skews_ms)

    def sigmas_px(self) -> tuple[float, float]:
        """50th and 99th percentile."""
        return _percentiles(self._sigmas_px)


def clock_words(counts: SyncCounts) -> dict[str, str]:
    """What diagnostics say of clocks and of messages that were lost for want of room; nothing that is not known."""
    words: dict[str, str] = {}
    if not math.isnan(counts.clock_offset_measured_ms):
        words["camera_clock_ahead_ms"] = (
            f"{counts.clock_offset_measured_ms:+.1f} +- {counts.clock_offset_sigma_ms:.1f} measured, "
            f"{counts.clock_offset_ms:+.1f} in use"
        )
    for name, least_ms in counts.least_delay_ms.items():
        if not math.isnan(least_ms):
            words[f"least_delay_{name}_ms"] = f"{least_ms:.1f}"
    for name, count in counts.overflows.items():
        words[f"no_room_{name}"] = str(count)
    return words


def _percentiles(values: deque[float]) -> tuple[float, float]:
    if not values:
        return math.nan, math.nan
    p50, p99 = np.percentile(np.array(values), (50, 99))
    return float(p50), float(p99)
