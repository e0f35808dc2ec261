# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which recorded fires and burning pieces of surface a ray passes.

Guarantees that every number comes from the physics records of one frame. A fire is the volume that its field may fill
at its peak; a burning piece is the volume before and above it up to the smoke. Leaves out which part of that volume
glowed: turbulence decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.spread import decode_cells
from vidgen_nodes.generation.wind.lean import Lean, lean_of_record
from vidgen_nodes.packets import FloatArray, Grid

STEP_M = 0.05  # along a ray
_MOST_CELLS = 6
Span = tuple[float, float]
Numbers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ray:
    """Where a pixel looks, in ``map``."""

    start_m: FloatArray  # (3,)
    direction: FloatArray  # (3,) unit
    blur_rad: float = 0.0  # half angle within which neighbouring rays colour the pixel

    def through(self, low_m: FloatArray, high_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distances (n,) at which the ray enters and leaves boxes (n, 3); it misses where they are out of order."""
        safe = np.where(np.abs(self.direction) < 1e-15, 1e-15, self.direction)
        a, b = (low_m - self.start_m) / safe, (high_m - self.start_m) / safe
        return np.minimum(a, b).max(axis=1, initial=-np.inf), np.maximum(a, b).min(axis=1, initial=np.inf)

    def columns(self, rows: npt.NDArray[np.void], grid: Grid) -> Iterator[tuple[int, float, float]]:
        """The columns over cells that it passes: place in ``rows``, where it comes in (0 or more) and where out, in m.

        Args:
            rows: each with ``row``, ``col``, ``floor_m`` and ``ceiling_m``.
            grid: of the cells.
        """
        edge = grid.resolution_m
        west = grid.origin_east_m + rows["col"].astype(np.float64) * edge
        south = grid.origin_north_m + rows["row"].astype(np.float64) * edge
        low_m = np.column_stack((west, south, rows["floor_m"])).astype(np.float64)
        high_m = np.column_stack((west + edge, south + edge, rows["ceiling_m"])).astype(np.float64)
        first_m, last_m = self.through(low_m, high_m)
        for place in np.flatnonzero(last_m > np.maximum(first_m, 0.0)).tolist():
            yield place, max(float(first_m[place]), 0.0), float(last_m[place])

    def points(self, spans: list[Span]) -> tuple[FloatArray, FloatArray]:
        """Distances (n,) and places (n, 3) along the ray inside some spans."""
        pieces = [np.arange(low, high, STEP_M) for low, high in spans if high > low]
        along = np.sort(np.concatenate(pieces)) if pieces else np.zeros(0)
        return along, self.start_m + along[:, None] * self.direction


@dataclass(frozen=True, slots=True)
class Met:
    """One thing on a ray."""

    kind: str  # flame | smoke | steam | debris | imported field, or what a new element calls itself
    name: str
    from_m: float  # from the camera
    cells: tuple[dict[str, Any], ...]  # pieces of surface behind it, the nearest first
    ignition: str
    state: Numbers  # [value, unit, source] by name
    why: str = ""  # one sentence: by which rule it is there, and how large it is


def met_fires(
    ray: Ray,
    spans: list[Span],
    flame: Numbers,
    smoke: Numbers,
    flame_gone: float | None = None,
    wind: Numbers | None = None,
) -> Iterator[Met]:
    """Fires that the scenario lit itself.

    Args:
        ray: of the pixel.
        spans: where it is inside open columns and nothing hides it.
        flame: record of the element flame.
        smoke: of the element smoke: the constants of the fires.
        flame_gone: flame heights above which a solver draws the air and nothing of a fire is left; None: no solver.
        wind: of the element wind; None: still air.
    """
    along, places = ray.points(spans)
    model = smoke.get("model", {})
    for name, state in flame.get("fires", {}).items():
        constants = smoke["fires"][name]
        east, north, up = constants["position_m"][0]
        peak_kw, diameter_m = constants["peak_kw"][0], constants["diameter_m"][0]
        above = places[:, 2] - up
        top_m = model["field_height"][0] * fire.flame_height_m(peak_kw, diameter_m)
        ambient_k = smoke["scenario"]["ambient_k"][0]
        away = np.hypot(places[:, 0] - east, places[:, 1] - north)
        lean = _lean(name, wind)
        if lean is not None:
            above, away = _along(lean, state, top_m, places - (east, north, up))
        height = np.clip(above, 1e-3, top_m)
        centre_k = ambient_k + fire.centreline_temperature_rise_k(height, peak_kw, ambient_k)
        wide = np.maximum(
            fire.half_width_m(height, peak_kw, diameter_m, centre_k, ambient_k), 0.45 * diameter_m
        )
        near_m = ray.blur_rad * along
        inside = (above >= -near_m) & (above <= top_m + near_m)
        inside &= away <= model["field_half_widths"][0] * wide + near_m
        tip_m = state["flame_height_m"][0]
        in_flame = inside & (above <= 1.3 * tip_m) & (away <= 0.75 * diameter_m + near_m)
        if flame_gone is not None:
            in_flame = inside = inside & (above <= flame_gone * tip_m + near_m)
        for kind, where in (("flame", in_flame), ("smoke", inside & ~in_flame)):
            if where.any():
                first = float(along[where][0])
                told = {**state, **constants, **(_wind_of(wind, name) if lean is not None else {})}
                yield Met(kind, f"fire {name}", first, (), name, told, _lit(state, constants))


def met_areas(ray: Ray, spans: list[Span], flame: Numbers, spread: Numbers) -> Iterator[Met]:
    """Surfaces that burn.

    Args:
        ray: of the pixel.
        spans: where it is inside open columns and nothing hides it.
        flame: record of the element flame.
        spread: of the element spread: the cells and when each burns.
    """
    areas = flame.get("areas", {})
    if not areas or not spread:
        return
    along, places = ray.points(spans)
    cells = decode_cells(spread["cells"][0]).astype(np.float64)
    surfaces, owners = np.array(spread["surfaces"][0]), spread["ignitions"][0]
    now_s = flame["totals"]["fire_time"][0]
    alight = cells[cells[:, 3] <= now_s]
    reach_m, smoke = spread["model"]["depth_m"][0], spread["model"]["smoke_height"][0]
    spacing_m = spread["resolution"][0]
    of_materials = {
        f"{name}.{key}": item for name, own in spread["materials"].items() for key, item in own.items()
    }
    for name, state in areas.items():
        mine = alight[surfaces[alight[:, 5].astype(int)] == name.removesuffix("/top")]
        if not len(mine) or not len(places):
            continue
        away = _away_downwind(places, mine, state)
        foot_m, tip_m = float(mine[:, 2].min()), state["flame_top"][0]
        top_m = foot_m + smoke * (tip_m - foot_m)
        if "flame_lean" in state:  # smoke goes up on a steeper line than the flame that it leaves
            top_m = max(top_m, float(mine[:, 2].max()) + smoke * state["longest_flame"][0])
        above = places[:, 2, None] - mine[None, :, 2]
        near_m = (ray.blur_rad * along)[:, None]
        inside = (away <= reach_m + near_m) & (above >= -0.5 * spacing_m - STEP_M - near_m)
        inside &= places[:, 2, None] <= top_m + near_m
        if not inside.any():
            continue
        first = int(np.flatnonzero(inside.any(axis=1))[0])
        off_m = np.linalg.norm(places[:, None] - mine[None, :, :3], axis=2).min(axis=0)
        order = [int(number) for number in np.argsort(off_m, kind="stable") if inside[:, number].any()]
        told = tuple(
            _cell(mine[number], spread["elements"][0], off_m[number]) for number in order[:_MOST_CELLS]
        )
        kind = "flame" if places[inside.any(axis=1), 2].min() <= tip_m else "smoke"
        yield Met(
            kind,
            f"burning surface {name}",
            float(along[first]),
            told,
            owners[int(mine[0, 6])],
            {**state, **of_materials},
            _burning(name, state, owners[int(mine[0, 6])]),
        )


def _lit(state: Numbers, constants: Numbers) -> str:
    east, north, up = constants["position_m"][0]
    return (
        f"the scenario lit it at ({east:.2f}, {north:.2f}, {up:.2f}) m; it has burnt for {state['time_s'][0]:.1f} s "
        f"and releases {state['heat_release_kw'][0]:.0f} of {constants['peak_kw'][0]:.0f} kW, "
        f"so its flame is {state['flame_height_m'][0]:.2f} m high over {state['burning_diameter_m'][0]:.2f} m"
        + (
            f" and the wind leans it by {state['flame_lean_deg'][0]:.0f} degrees"
            if "flame_lean_deg" in state
            else ""
        )
    )


def _wind_of(wind: Numbers | None, name: str) -> dict[str, Any]:
    """The numbers of the wind on one fire; empty without."""
    return {} if wind is None else {f"wind.{key}": item for key, item in wind["fires"][name].items()}


def _lean(name: str, wind: Numbers | None) -> Lean | None:
    """What leans a fire."""
    own = {} if wind is None else dict(wind["fires"].get(name, {}))
    if not own or not own.pop("reached")[0]:
        return None
    return lean_of_record(own)


def _along(
    lean: Lean, state: Numbers, top_m: float, from_foot_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Way up a leaning fire's line and distance from it (n,) of places (n, 3)."""
    axis = lean.axis(state["heat_release_kw"][0], state["burning_diameter_m"][0], top_m)
    level = from_foot_m[:, 2]
    downwind = from_foot_m[:, :2] @ np.array(lean.towards) - axis.offset_at(level)
    across = from_foot_m[:, :2] @ np.array([-lean.towards[1], lean.towards[0]])
    away = np.hypot(downwind / axis.stretch_at(level), across)
    return np.where(level > 0.0, axis.path_at(level), level), away


def _away_downwind(places: FloatArray, cells: FloatArray, state: Numbers) -> FloatArray:
    """Level distance (n, c) of places (n, 3) from pieces, or from where the wind carries what leaves them."""
    off = places[:, None, :2] - cells[None, :, :2]
    away: FloatArray = np.hypot(off[..., 0], off[..., 1])
    for east, north, _, reach_m in state.get("flame_lean", ([],))[0]:
        along = np.clip(off @ np.array([east, north]), 0.0, reach_m)
        away = np.minimum(away, np.hypot(off[..., 0] - along * east, off[..., 1] - along * north))
    return away


def _burning(name: str, state: Numbers, ignition: str) -> str:
    pieces, area_m2 = state["burning_pieces"][0], state["burning_area"][0]
    return (
        f"{name} burns: fire from {ignition} spread to {pieces:.0f} pieces of it ({area_m2:.2f} m2), each after its "
        f"neighbour by the rates of its material; they release {state['heat_release'][0]:.0f} kW, "
        f"and their flames reach {state['flame_top'][0]:.2f} m in map"
        + (
            f"; the wind leans them by up to {max(row[2] for row in state['flame_lean'][0]):.0f} degrees"
            if "flame_lean" in state
            else ""
        )
    )


def _cell(cell: FloatArray, elements: list[str], off_m: float) -> dict[str, Any]:
    return {
        "position_m": [round(float(value), 3) for value in cell[:3]],
        "arrival_s_of_fire": round(float(cell[3]), 2),
        "area_m2": round(float(cell[4]), 4),
        "bim": elements[int(cell[5])],
        "off_the_ray_m": round(float(off_m), 3),
    }
