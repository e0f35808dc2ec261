# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which jets of steam a ray passes, and the columns that were open for each.

Guarantees that a jet is only met in columns that the record of the frame names for its very leak, and that every number
comes from that record and the physics records. Leaves out what a jet's mean leaves out: eddies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vidgen_nodes.custody.ray_elements import Met, Numbers, Ray, Span
from vidgen_nodes.custody.trace import LeakColumns
from vidgen_nodes.packets import Grid

ELEMENT = "steam"
_MOST_CELLS = 6


def steam_columns(
    leaks: Sequence[LeakColumns], grid: Grid, ray: Ray, stamp_ns: int
) -> Iterator[dict[str, Any]]:
    """The columns open for leaks that a ray passes, with what the LiDAR knew of each."""
    for leak in leaks:
        for place, from_m, to_m in ray.columns(leak.rows, grid):
            row = leak.rows[place]
            age_ms = (stamp_ns - int(row["observed_ns"])) / 1e6
            known = f"U={float(row['uncertainty']):.2f} by n={int(row['observations'])} returns"
            yield {
                "cell": [int(row["row"]), int(row["col"])],
                "rule": ELEMENT,
                "leak": leak.name,
                "floor_m": float(row["floor_m"]),
                "ceiling_m": float(row["ceiling_m"]),
                "from_m": from_m,
                "to_m": to_m,
                "uncertainty": float(row["uncertainty"]),
                "observations": int(row["observations"]),
                "age_ms": age_ms,
                "why": f"steam: the LiDAR knows it, {known}, the newest {age_ms:.0f} ms old; {leak.why}",
            }


def met_steam(
    ray: Ray, seen: Sequence[Mapping[str, Any]], depth_m: float, numbers: Mapping[str, Any]
) -> Iterator[Met]:
    """Jets that a ray passes, each in its own columns.

    Args:
        ray: of the pixel.
        seen: columns of :func:`steam_columns` that nothing hides.
        depth_m: where the ray ends.
        numbers: record of the element steam.
    """
    for name, jet in numbers["leaks"].items():
        own = [item for item in seen if item.get("leak") == name]
        spans = [(float(item["from_m"]), min(float(item["to_m"]), depth_m)) for item in own]
        cells = tuple(
            {key: item[key] for key in ("cell", "uncertainty", "observations", "age_ms")} for item in own
        )
        why = f"; {own[0]['why'].partition('; ')[2]}" if own else ""
        yield from met_jet(ray, spans, name, jet, numbers["model"], cells[:_MOST_CELLS], why)


def met_jet(
    ray: Ray,
    spans: list[Span],
    name: str,
    jet: Numbers,
    model: Numbers,
    cells: tuple[dict[str, Any], ...] = (),
    permit: str = "",
) -> Iterator[Met]:
    """One jet, a cone from its hole, where a ray is inside some spans."""
    leak = jet["leak"]
    along, places = ray.points(spans)
    away_m = places - np.array(leak["position_m"][0])
    on_axis = away_m @ np.array(leak["direction"][0])
    off_axis = np.sqrt(np.maximum((away_m**2).sum(axis=1) - on_axis**2, 0.0))
    near_m = ray.blur_rad * along + 2.0 * jet["voxel"][0]
    inside = (on_axis >= -near_m) & (on_axis <= jet["length"][0] + near_m)
    # A Gaussian has no edge: twice the visible half-width holds all of it that shades a pixel.
    inside &= off_axis <= 2.0 * np.maximum(on_axis, 0.0) * np.tan(model["half_angle"][0]) + near_m
    if not inside.any():
        return
    why = (
        f"the scenario opens leak {name}: {jet['mass_flow'][0]:.3f} kg/s of steam at "
        f"{leak['pressure_pa'][0] / 1e5:.1f} bar through {1e3 * leak['diameter_m'][0]:.1f} mm; the jet is "
        f"{jet['length'][0]:.1f} m long{permit}"
    )
    yield Met(ELEMENT, f"leak {name}", float(along[inside][0]), cells, "", {**leak, **jet, **model}, why)
