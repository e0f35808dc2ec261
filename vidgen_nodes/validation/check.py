# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One row of the validation table, and the table as JSON and Markdown.

Guarantees that a row that misses its limit says by how much. Leaves out the checks themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidgen_nodes.validation.estimator import Score


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        key: its number in the reference table.
        what: what is compared with what.
        found: in words, what came out.
        limit: in words, what is asked.
        passed: whether it is so.
        delta: bias factor; None where the check is no comparison of pairs.
        sigma: relative scatter.
        fds: delta / sigma that FDS 6.7.4 itself reaches, if published.
        missed_by: in words; empty if nothing is missed.
    """

    key: str
    what: str
    found: str
    limit: str
    passed: bool
    delta: float | None = None
    sigma: float | None = None
    fds: str = "-"
    missed_by: str = ""


def scored(
    key: str, what: str, result: Score, delta: tuple[float, float], most_sigma: float, fds: str = "-"
) -> Check:
    """A row of pairs: passed where bias and scatter lie within their limits."""
    misses = []
    if not delta[0] <= result.delta <= delta[1]:
        edge = delta[0] if result.delta < delta[0] else delta[1]
        misses.append(f"delta by {result.delta - edge:+.3f}")
    if not result.sigma <= most_sigma:
        misses.append(f"sigma by {result.sigma - most_sigma:+.3f}")
    return Check(
        key=key,
        what=what,
        found=f"{result.pairs} pairs",
        limit=f"delta {delta[0]:.2f}-{delta[1]:.2f}, sigma <= {most_sigma:.2f}",
        passed=not misses,
        delta=result.delta,
        sigma=result.sigma,
        fds=fds,
        missed_by=", ".join(misses),
    )


def bounded(key: str, what: str, found: float, most: float, unit: str = "", fds: str = "-") -> Check:
    """A row of one number that may be at most so large in size; one that is not finite has failed."""
    passed = math.isfinite(found) and abs(found) <= most
    return Check(
        key=key,
        what=what,
        found=f"{found:.3g} {unit}".strip(),
        limit=f"<= {most:.3g} {unit}".strip(),
        passed=passed,
        fds=fds,
        missed_by="" if passed else f"{abs(found) - most:.3g} {unit}".strip(),
    )


def as_json(checks: Sequence[Check]) -> dict[str, Any]:
    """What ``validation.json`` holds: by check its delta, sigma, limit and verdict, and the words beside."""
    return {
        f"{check.key} {check.what}": {
            "delta": check.delta,
            "sigma": check.sigma,
            "limit": check.limit,
            "passed": bool(check.passed),
            "found": check.found,
            "missed_by": check.missed_by,
            "fds": check.fds,
        }
        for check in checks
    }


def as_markdown(checks: Sequence[Check]) -> str:
    """The table."""
    rows = [
        "| # | check | found | delta | sigma | limit | FDS 6.7.4 delta/sigma | passed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for check in checks:
        delta = "" if check.delta is None else f"{check.delta:.3f}"
        sigma = "" if check.sigma is None else f"{check.sigma:.3f}"
        verdict = "yes" if check.passed else f"**no**, missed: {check.missed_by}"
        rows.append(
            f"| {check.key} | {check.what} | {check.found} | {delta} | {sigma} | {check.limit} | {check.fds} "
            f"| {verdict} |"
        )
    return "\n".join(rows)
