# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The summary of a run, with the same keys however the run was made.

Guarantees: what was not measured is null in JSON, never zero. Leaves out where the numbers come from:
``ros/probe.py`` observes a live graph, ``ros/offline.py`` counts as it goes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CustodyState:
    """What the offline check of the ledger said."""

    records: int
    root: str  # hex; empty if there is no ledger
    verified: bool
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run. Frames are counted from the same stamp on, on both sides."""

    thermal_in: int
    overlay_out: int
    dropped: Mapping[str, int]
    rate_hz: float
    latency_ms: Sequence[float]  # thermal stamp or arrival to overlay published
    matched: int
    skew_ms: Mapping[str, float]  # p50, p99: age of navigation at the thermal stamp
    sigma_px: Mapping[str, float]  # p50, p99: expected placement error
    cells_open: int
    pixels_drawn: int
    pixels_outside: int
    custody: CustodyState
    causes: Mapping[str, int] = field(default_factory=dict)  # why overlays were transparent, by frames
    extra: Mapping[str, Any] = field(default_factory=dict)
    leaks_closed: Mapping[str, int] = field(
        default_factory=dict
    )  # why leaks of steam were kept shut, by frames
    withheld: str = ""  # what of the scenario was not drawn at the end, and why; empty: nothing

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN is null."""
        latency = percentiles(self.latency_ms, (50, 95, 99))
        latency["max"] = max(self.latency_ms, default=math.nan)
        content = {
            "frames": {
                "thermal_in": self.thermal_in,
                "overlay_out": self.overlay_out,
                "dropped": dict(self.dropped),
            },
            "rate_hz": self.rate_hz,
            "latency_ms": latency,
            "sync": {
                "matched": self.matched,
                "skew_ms": dict(self.skew_ms),
                "sigma_px": dict(self.sigma_px),
                "causes": dict(self.causes),
            },
            "gate": {
                "cells_open": self.cells_open,
                "pixels_drawn": self.pixels_drawn,
                "pixels_outside": self.pixels_outside,
                **({"leaks_closed": dict(self.leaks_closed)} if self.leaks_closed else {}),
                **({"withheld": self.withheld} if self.withheld else {}),
            },
            "custody": {
                "records": self.custody.records,
                "root": self.custody.root,
                "verified": self.custody.verified,
            },
            **self.extra,
        }
        plain: dict[str, Any] = _rounded(content)
        return plain

    def faults(self) -> list[str]:
        """Why the run is bad, in sentences; empty if it is good."""
        found = []
        if self.overlay_out == 0:
            found.append("no overlay came out")
        if self.pixels_outside:
            found.append(f"{self.pixels_outside} audited pixels lay outside what the gate opened")
        if not self.custody.verified:
            found.append(
                "the ledger does not verify: " + ("; ".join(self.custody.faults) or "it holds no record")
            )
        return found


def percentiles(values: Sequence[float], ranks: Sequence[int]) -> dict[str, float]:
    """``{"p50": ...}`` of the finite values; NaN where there are none."""
    finite = sorted(v for v in values if math.isfinite(v))
    if not finite:
        return {f"p{rank}": math.nan for rank in ranks}
    return {f"p{rank}": _at(finite, (len(finite) - 1) * rank / 100.0) for rank in ranks}


def _at(ordered: Sequence[float], place: float) -> float:
    """Linear between neighbours, as ``numpy.percentile`` does; ``vidgen doctor`` must run without numpy."""
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


def json_line(content: Mapping[str, Any]) -> str:
    """One line that any JSON parser reads."""
    return json.dumps(_rounded(content), allow_nan=False, default=str)


def _rounded(value: Any) -> Any:
    """Floats to a thousandth (more would pretend), NaN and infinity to null."""
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value
