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
from vidgen_nodes.scene.jet_axis import JetAxis

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
        yield from met_jet(
            ray, spans, name, jet, numbers["model"], cells[:_MOST_CELLS], why, numbers.get("wind")
        )


def met_jet(
    ray: Ray,
    spans: list[Span],
    name: str,
    jet: Numbers,
    model: Numbers,
    cells: tuple[dict[str, Any], ...] = (),
    permit: str = "",
    wind: Numbers | None = None,
) -> Iterator[Met]:
    """One jet, a cone from its hole or bent along its recorded line, where a ray is inside some spans."""
    leak = jet["leak"]
    along, places = ray.points(spans)
    near_m = ray.blur_rad * along + 2.0 * jet["voxel"][0]
    # A Gaussian has no edge: twice the visible half-width holds all of it that shades a pixel.
    if "line" in jet:
        rows = np.array(jet["line"][0], np.float64)
        line = JetAxis(np.ascontiguousarray(rows[:, :3]), rows[:, 3])
        station, off_axis = line.nearest(places)
        inside = (line.is_before(places) >= -near_m) | (station > 0.0)
        inside &= off_axis <= 2.0 * line.at(station, line.radius_m) + near_m
    else:
        away_m = places - np.array(leak["position_m"][0])
        on_axis = away_m @ np.array(leak["direction"][0])
        off_axis = np.sqrt(np.maximum((away_m**2).sum(axis=1) - on_axis**2, 0.0))
        inside = (on_axis >= -near_m) & (on_axis <= jet["length"][0] + near_m)
        inside &= off_axis <= 2.0 * np.maximum(on_axis, 0.0) * np.tan(model["half_angle"][0]) + near_m
    if not inside.any():
        return
    why = (
        f"the scenario opens leak {name}: {jet['mass_flow'][0]:.3f} kg/s of steam at "
        f"{leak['pressure_pa'][0] / 1e5:.1f} bar through {1e3 * leak['diameter_m'][0]:.1f} mm; the jet is "
        f"{jet['length'][0]:.1f} m long{_bent(jet, wind)}{permit}"
    )
    blown = {} if wind is None else {f"wind.{key}": item for key, item in wind["wind"].items()}
    yield Met(
        ELEMENT, f"leak {name}", float(along[inside][0]), cells, "", {**leak, **jet, **model, **blown}, why
    )


def _bent(jet: Numbers, wind: Numbers | None) -> str:
    """What the wind does to a jet, in words; empty in still air."""
    if wind is None:
        return ""
    if "line" not in jet:
        return f"; no wind bends it: {jet['in_wind'][2]}"
    speed_mps, from_deg = wind["wind"]["speed_mps"][0], wind["wind"]["from_deg"][0]
    return f" along its line, which the wind of {speed_mps:.1f} m/s out of {from_deg:.0f} degrees bends"
