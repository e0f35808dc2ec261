# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which recorded debris may lie or fall on a ray, why it came loose, and what solved its fall.

Guarantees that every number comes from the debris records of one frame. A piece is drawn over the open cells within
its reach of where it came loose, so those releases are told. Leaves out the very piece: where each lies follows from
the solved falls, which the record holds by hash and not by pose.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from vidgen_nodes.custody.ray_elements import Met, Numbers

_REACH_M = 2.5  # of records that do not say it: how far pieces are followed
_MOST = 6


def met_debris(
    columns: list[dict[str, Any]], records: Mapping[str, Numbers], resolution_m: float, stamp_ns: int
) -> Iterator[Met]:
    """Debris over the open debris columns that a ray meets.

    Args:
        columns: that the ray meets, as ``explanation.py`` tells them.
        records: of the elements ``debris`` and ``debris/releases``.
        resolution_m: edge of a cell.
        stamp_ns: of the frame.
    """
    loose = records.get("debris/releases")
    falls = records.get("debris", {})
    if loose is None:
        if falls:  # of a version that logged no releases
            for item in columns:
                yield Met("debris", _named(item["cell"]), item["from_m"], (), "", falls)
        return
    now_s = _seconds(falls, stamp_ns)
    rows = [row for row in loose["releases"][0] if row[5] <= now_s]
    reach_m = float(falls["reach_m"][0]) if "reach_m" in falls else _REACH_M
    for item in columns:
        near = sorted(
            (away, row) for row in rows if (away := _away_m(item["cell"], row, resolution_m)) <= reach_m
        )
        if near:
            told = tuple(_release(row, away) for away, row in near[:_MOST])
            yield Met(
                "debris",
                _named(item["cell"]),
                item["from_m"],
                told,
                "",
                {**falls, **loose},
                _why(near, falls),
            )


def _named(cell: list[int]) -> str:
    return f"cell ({cell[0]},{cell[1]})"


def _seconds(falls: Numbers, stamp_ns: int) -> float:
    """Of the frame after the start of the scenario; infinity where the record does not say when that was."""
    try:
        return (stamp_ns - int(falls["scenario"]["start_ns"][0])) * 1e-9
    except KeyError:
        return float("inf")


def _away_m(cell: list[int], row: list[Any], resolution_m: float) -> float:
    """Between the nearest edges of two cells."""
    rows, cols = (max(abs(one - other) - 1, 0) for one, other in zip(cell, row[:2], strict=True))
    return resolution_m * math.hypot(float(rows), float(cols))


def _release(row: list[Any], away_m: float) -> dict[str, Any]:
    return {
        "cell": row[:2],
        "uncertainty": row[2],
        "observations": row[3],
        "release_s": row[5],
        "pieces": row[6],
        "cells_away_m": round(away_m, 3),
        **({"in_wind": row[7]} if len(row) > 7 else {}),
    }


def _why(near: list[tuple[float, list[Any]]], falls: Numbers) -> str:
    own = sum(row[6] for away, row in near if away == 0.0)
    pieces = sum(row[6] for _, row in near)
    engine, flags = (falls.get(name, [""])[0] for name in ("engine", "cpu_flags"))
    solved = f"; their fall was solved by {engine} on a processor with {flags}" if engine else ""
    blown = sum(row[6] for _, row in near if len(row) > 7 and row[7])
    if blown:
        speed_mps, from_deg = falls["blown_at"][0], falls["wind"]["wind"]["from_deg"][0]
        solved += f"; {blown} of them in wind of {speed_mps:.1f} m/s out of {from_deg:.0f} degrees"
    return (
        f"{pieces} pieces had come loose within reach ({own} of them in this cell or the next), each from a cell "
        f"where the LiDAR confirmed damage; which of them this pixel shows, the record does not tell{solved}"
    )
