# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The gate's rule for steam: where the jet of a leak may stand, or why nowhere.

A leak is drawn if the LiDAR knows the air at its mouth (cell fresh, confirmed, sound, and the mouth over what was
measured in it) and the mouth stands on something: an element of the building, or the measured surface. Its jet may
stand where the straight line from the mouth stays in air that is known: over fresh, confirmed and sound cells, above
what was measured there, behind no modelled surface; of a jet that wind bends, where the way along its axis
(``scene.jet_axis``) does. Guarantees: every other place is shut, and a leak that is shut
altogether names one cause of a closed list. Pure function of its arguments. Leaves out the physics of the jet.

A cell through which a modelled wall runs is measured as high as the wall. Where the model explains the measured
height, the part of the cell beside the wall that lies under the open sky counts as air above its lowest neighbour.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, FloatArray, Grid, LeakCause, UncertaintyMap
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.columns import LeakOpening
from vidgen_nodes.scene.leak_reach import STANDING_M, LeakReach

NOISE_M = 0.1  # of measured heights: less than this over a mouth covers and shades nothing
EXPLAINED_M = 0.5  # a measured height so near to the highest modelled point of its cell is that of the model
NUMBERS = {
    "standing": [STANDING_M, "m", "assumed: a mouth stands on what is at most so far away"],
    "noise": [NOISE_M, "m", "assumed: less than this over a mouth covers and shades nothing"],
    "explained": [EXPLAINED_M, "m", "assumed: so near to the model's highest point it is the model's"],
}
_SAID = {
    LeakCause.OFF_MAP: "its mouth lies off the LiDAR's map",
    LeakCause.UNOBSERVED: "too few returns, or none, say what is at its mouth",
    LeakCause.STALE: "what the LiDAR saw at its mouth is too old",
    LeakCause.UNCERTAIN: "what the LiDAR saw at its mouth is structurally uncertain",
    LeakCause.COVERED: "its mouth lies under or inside a measured or modelled surface",
    LeakCause.UNSUPPORTED: "its mouth hangs in the air: nothing modelled or measured is near that could carry it",
    LeakCause.TOO_SMALL: "its jet holds no droplets that could be seen",
    LeakCause.BLOCKED: "no air that is known lies before its mouth",
}
_Index = npt.NDArray[np.int64]


class _Part(NamedTuple):
    """The part of the map that a reach lies in."""

    grid: Grid
    rows: slice
    cols: slice
    known: BoolArray
    solid_m: FloatArray
    explained: BoolArray


def open_leak(
    reach: LeakReach, umap: UncertaintyMap, building: Building | None, params: GeneratorParams, stamp_ns: int
) -> LeakOpening:
    """Decide where the jet of one leak may stand."""
    cell = _cell_of(umap.grid, reach.mouth_m)
    if not len(reach.places_m):
        return _shut(reach, LeakCause.TOO_SMALL, cell)
    cause = LeakCause.OFF_MAP if cell is None else _doubt(umap, cell, params, stamp_ns)
    if cell is None or cause is not None:
        return _shut(reach, cause or LeakCause.OFF_MAP, cell)
    part = _part(reach, umap, building, params, stamp_ns)
    told = reach.surroundings(building)
    local = cell[0] - part.rows.start, cell[1] - part.cols.start
    is_under = bool(reach.mouth_m[2] < part.solid_m[local] - NOISE_M)
    if part.explained[local] and not told.mouth_roofed and is_under and not _surrounded(part.known, local):
        return _shut(reach, LeakCause.UNOBSERVED, cell)  # beside a wall, on the side that nobody has seen
    if is_under or (told.mouth_roofed and part.explained[local]):
        return _shut(reach, LeakCause.COVERED, cell)
    carrier = _carrier(reach, part, building, cell)
    if not carrier:
        return _shut(reach, LeakCause.UNSUPPORTED, cell)
    return _opened(reach, umap.grid, part, building, cell, carrier)


def turns_ns(reach: LeakReach, umap: UncertaintyMap, params: GeneratorParams) -> _Index:
    """Stamps at which a cell that counts for a leak begins or ends to be fresh."""
    rows, cols = _window(reach, umap.grid)
    seen = umap.observed_ns[rows, cols].ravel()
    seen = seen[seen > 0]
    return np.concatenate((seen, seen + round(params.cell_fresh_ms * 1e6) + 1))


def known_cells(
    umap: UncertaintyMap, rows: slice, cols: slice, params: GeneratorParams, stamp_ns: int
) -> BoolArray:
    """Cells of a part of the map in which the surface was measured lately, often enough, and is sound."""
    age_ns = stamp_ns - umap.observed_ns[rows, cols]
    return np.asarray(
        (umap.uncertainty[rows, cols] < params.tau_uncertainty)  # NaN compares false
        & (umap.observations[rows, cols] >= params.min_observations)
        & (umap.observed_ns[rows, cols] > 0)
        & (age_ns >= 0)
        & (age_ns <= round(params.cell_fresh_ms * 1e6))
        & np.isfinite(umap.elevation_m[rows, cols])
    )


def _doubt(
    umap: UncertaintyMap, cell: tuple[int, int], params: GeneratorParams, stamp_ns: int
) -> LeakCause | None:
    """Why the cell of a mouth is not known."""
    age_ns = stamp_ns - int(umap.observed_ns[cell])
    if umap.observed_ns[cell] <= 0 or age_ns < 0 or umap.observations[cell] < params.min_observations:
        return LeakCause.UNOBSERVED
    if not math.isfinite(umap.elevation_m[cell]) or math.isnan(umap.uncertainty[cell]):
        return LeakCause.UNOBSERVED
    if age_ns > round(params.cell_fresh_ms * 1e6):
        return LeakCause.STALE
    return None if umap.uncertainty[cell] < params.tau_uncertainty else LeakCause.UNCERTAIN


def _part(
    reach: LeakReach,
    umap: UncertaintyMap,
    building: Building | None,
    params: GeneratorParams,
    stamp_ns: int,
) -> _Part:
    """What is known and solid around a leak."""
    rows, cols = _window(reach, umap.grid)
    grid = Grid(
        umap.grid.origin_east_m + cols.start * umap.grid.resolution_m,
        umap.grid.origin_north_m + rows.start * umap.grid.resolution_m,
        umap.grid.resolution_m,
        rows.stop - rows.start,
        cols.stop - cols.start,
    )
    known = known_cells(umap, rows, cols, params, stamp_ns)
    measured = umap.elevation_m[rows, cols].astype(np.float64)
    explained = known & (np.abs(measured - reach.tops_m(building, grid)) <= EXPLAINED_M)
    # The window is a cell wider than what counts, so that the neighbours of every cell that counts are in it.
    heights = np.where(known, measured, np.inf)
    lowest: FloatArray = np.asarray(
        cv2.erode(heights, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE), np.float64
    )
    solid = np.where(explained, lowest, np.where(known, measured, np.inf))
    return _Part(grid, rows, cols, known, np.ascontiguousarray(solid), explained)


def _surrounded(known: BoolArray, cell: tuple[int, int]) -> bool:
    """Whether all neighbours of a cell that are on the map are known."""
    row, col = cell
    return bool(known[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2].all())


def _carrier(reach: LeakReach, part: _Part, building: Building | None, cell: tuple[int, int]) -> str:
    """What the mouth stands on, in words; empty: nothing."""
    told = reach.surroundings(building)
    if told.carrier:
        return f"{told.carrier_m:.2f} m off {told.carrier}"
    grid, (east, north, up) = part.grid, reach.mouth_m.tolist()
    rows, cols = np.nonzero(part.known)
    edge = grid.resolution_m
    west, south = grid.origin_east_m + cols * edge, grid.origin_north_m + rows * edge
    beside = np.hypot(
        np.maximum(np.maximum(west - east, east - west - edge), 0.0),
        np.maximum(np.maximum(south - north, north - south - edge), 0.0),
    )
    away = np.hypot(beside, np.maximum(up - part.solid_m[rows, cols], 0.0))
    if not len(away) or away.min() > STANDING_M:
        return ""
    nearest = int(np.argmin(away))
    row, col = int(rows[nearest]) + part.rows.start, int(cols[nearest]) + part.cols.start
    height_m = part.solid_m[rows[nearest], cols[nearest]]
    where = "under it" if (row, col) == cell else f"in cell ({row},{col})"
    return f"{away[nearest]:.2f} m off the measured surface {where} at {height_m:.2f} m"


def _opened(
    reach: LeakReach,
    grid: Grid,
    part: _Part,
    building: Building | None,
    cell: tuple[int, int],
    carrier: str,
) -> LeakOpening:
    whole = reach
    reach, piece_of = whole.fine(grid.resolution_m)
    told = reach.surroundings(building)
    corner = np.array([part.grid.origin_east_m, part.grid.origin_north_m])
    floor_m = _floors_m(reach, part, float(grid.resolution_m), corner)
    half = 0.5 * reach.edge_m
    up = reach.places_m[:, 2]
    share = np.clip((up + half - floor_m) / reach.edge_m, 0.0, 1.0)
    at = np.floor((reach.places_m[:, :2] - corner) / grid.resolution_m).astype(np.int64)
    cols, rows = np.clip(at, 0, (part.grid.cols - 1, part.grid.rows - 1)).T
    share *= told.in_sight & ~(told.roofed & part.explained[rows, cols])
    open_places = np.flatnonzero(share > 0.0)
    if not len(open_places):
        return _shut(whole, LeakCause.BLOCKED, cell)
    key, where = np.unique(rows[open_places] * part.grid.cols + cols[open_places], return_inverse=True)
    low = np.full(len(key), np.inf)
    high = np.full(len(key), -np.inf)
    np.minimum.at(low, where.reshape(-1), np.maximum(up[open_places] - half, floor_m[open_places]))
    np.maximum.at(high, where.reshape(-1), up[open_places] + half)
    line = "the line from its mouth reaches"
    if reach.axis is not None:
        line = "its way from its mouth, bent by the wind, reaches"
    why = (
        f"leak {reach.name} stands {carrier}; its jet is at most {reach.length_m:.1f} m long and fills what {line} "
        "over known cells, above what was measured, behind no modelled surface"
    )
    pieces = np.maximum(np.bincount(piece_of, minlength=len(whole.places_m)), 1)
    whole_share = np.bincount(piece_of, weights=share, minlength=len(whole.places_m)) / pieces
    air = np.ones(len(whole.columns_m), np.bool_)
    np.logical_and.at(air, whole.column[piece_of], np.isfinite(floor_m))
    return LeakOpening(
        reach.name,
        None,
        why,
        key // part.grid.cols + part.rows.start,
        key % part.grid.cols + part.cols.start,
        low.astype(np.float32),
        high.astype(np.float32),
        whole_share.astype(np.float32),
        air,
    )


def _floors_m(reach: LeakReach, part: _Part, cell_m: float, corner_m: FloatArray) -> FloatArray:
    """Lowest height (n,) at which each place could stand; inf where the way there passes what is not known."""
    from vidgen_nodes.scene.shadow_kernel import lowest_in_sight, lowest_on_ways  # numba

    if reach.axis is not None:
        ways_m = reach.ways_m - (*corner_m, 0.0)
        return lowest_on_ways(part.solid_m, part.known, cell_m, ways_m, reach.steps, NOISE_M)
    mouth_m = reach.mouth_m - (*corner_m, 0.0)
    columns_m = np.ascontiguousarray(reach.columns_m - corner_m)
    lowest = lowest_in_sight(part.solid_m, part.known, cell_m, mouth_m, columns_m, NOISE_M)
    return np.asarray(lowest[reach.column])


def _shut(reach: LeakReach, cause: LeakCause, cell: tuple[int, int] | None) -> LeakOpening:
    east, north, up = reach.mouth_m.tolist()
    where = "" if cell is None else f", cell ({cell[0]},{cell[1]})"
    nothing = np.zeros(0, np.int64)
    at = f"({east:.2f}, {north:.2f}, {up:.2f}) m{where}"
    return LeakOpening(
        reach.name,
        cause,
        f"{cause.value}: leak {reach.name} at {at} is not drawn: {_SAID[cause]}",
        nothing,
        nothing,
        nothing.astype(np.float32),
        nothing.astype(np.float32),
        np.zeros(len(reach.places_m), np.float32),
        np.zeros(len(reach.columns_m), np.bool_),
    )


def _cell_of(grid: Grid, point_m: FloatArray) -> tuple[int, int] | None:
    row = math.floor((point_m[1] - grid.origin_north_m) / grid.resolution_m)
    col = math.floor((point_m[0] - grid.origin_east_m) / grid.resolution_m)
    return (row, col) if 0 <= row < grid.rows and 0 <= col < grid.cols else None


def _window(reach: LeakReach, grid: Grid) -> tuple[slice, slice]:
    """Rows and columns that a reach lies over, and one more around."""
    edge, origin = grid.resolution_m, np.array([grid.origin_east_m, grid.origin_north_m])
    size = np.array([grid.cols, grid.rows])
    low = np.clip(np.floor((reach.low_m - STANDING_M - origin) / edge).astype(int) - 1, 0, size).tolist()
    high = np.clip(np.floor((reach.high_m + STANDING_M - origin) / edge).astype(int) + 2, 0, size).tolist()
    return slice(low[1], high[1]), slice(low[0], high[0])
