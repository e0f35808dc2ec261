# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pieces that come loose over the open debris cells of one gate and one map, fall, and lie.

Guarantees that ``DebrisFall.at`` is a pure function of the stamp, that nothing comes loose but from a
cell that the gate opens for debris, each with its cause (``releases``), that every piece is over open
debris cells only, with every corner strictly inside their columns, and that what a cell releases
depends on the seed and on where the cell is in ``map``, so nothing moves when other cells open or close
or the map's window follows the drone. Ground is the plane through the measured elevation with the slope
of the cells around it, to the nearest slope of the library; wind that reaches a cell blows on its
pieces from release to rest. A piece that leaves the open columns is not drawn while it is outside, nor
one that the wind has blown farther than ``REACH_M``; one that meets a step of the elevation which its
plane does not know is lifted onto it, or not drawn where the step is too high. Leaves out pieces of one
cell that hit pieces of another.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidgen_nodes.generation.debris import DebrisBox
from vidgen_nodes.generation.debris_ground import IndexArray, slopes
from vidgen_nodes.generation.debris_library import (
    DROPS_M,
    REACH_M,
    SLOPES_RAD,
    Cluster,
    FallLibrary,
    draw,
    sector_of,
)
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.wind.debris import WindOnDebris
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, UncertaintyMap

if TYPE_CHECKING:
    from vidgen_nodes.scene.gate import Gate

# What no cited source gives: choices of this project, part of the record.
LOOSE_SHARE = 0.8  # of places that release something
BEFORE_SHARE = 0.4  # of releases that had happened before the scenario's second 0
WITHIN_S = 20.0  # the others come loose in this time after it
PLACE_M2 = 0.25  # plan area for one cluster
_MOST_PLACES = 16  # in one cell
_STEP_M = 0.05  # a higher step between cells, beyond what the slope explains, hides a piece
_CLEAR_M = 0.001  # between a lifted piece and the floor of its column
_CEILING_OVER_M = 2.0  # a modelled roof so far above the measured surface: pieces fall from under it


@dataclass(frozen=True, slots=True)
class Release:
    """Why and when something comes loose: the cause that the record logs."""

    cell: tuple[int, int]
    uncertainty: float
    observations: int
    observed_ns: int
    release_s: float  # after the scenario's start
    pieces: int
    slope_rad: float
    drop_m: float
    is_blown: bool  # in wind


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """One cluster over one cell."""

    cluster: Cluster
    release_ns: int
    end_ns: int
    turn: FloatArray  # (3, 3) map_R_plane
    foot_m: FloatArray  # (3,) of the plane's origin in map
    allowed_m: float  # highest step that a piece is lifted over
    reach_m: float  # a piece farther from the foot is not drawn; wind may blow it far


class DebrisFall:
    """What comes loose where one gate and one map let it.

    Args:
        gate: the open columns; with a grid.
        umap: the measured surface and the evidence.
        roof_m: highest modelled surface (rows, cols), NaN where none; None without a building.
        seed: of the scenario.
        start_ns: event time of scenario second 0.
        library: the solved falls.
        wind: which cells it reaches; None: still air.
    """

    def __init__(
        self,
        gate: Gate,
        umap: UncertaintyMap,
        roof_m: Float32Array | None,
        seed: int,
        start_ns: int,
        library: FallLibrary,
        wind: WindOnDebris | None = None,
    ) -> None:
        assert gate.grid is not None
        self._wind = wind
        self._gate, self._grid = gate, gate.grid
        self._library, self._start_ns, self._seed = library, start_ns, seed
        places: list[_Place] = []
        releases: list[Release] = []
        slope, azimuth_rad = slopes(umap.elevation_m, self._grid.resolution_m)
        blown = self._blown(umap.elevation_m)
        for row, col in np.argwhere(gate.debris_cells).tolist():
            ground_m = float(umap.elevation_m[row, col])
            if not math.isfinite(ground_m) or ground_m < float(gate.floor_m[row, col]):
                continue
            over_m = -math.inf if roof_m is None else float(roof_m[row, col]) - ground_m
            kind = (0, 1) if over_m > _CEILING_OVER_M else (int(slope[row, col]), 0)
            is_blown = bool(blown[row, col]) and kind[1] == 0  # under a ceiling there is none
            for place in self._places(row, col, ground_m, kind, float(azimuth_rad[row, col]), is_blown):
                places.append(place)
                releases.append(
                    Release(
                        cell=(row, col),
                        uncertainty=round(float(umap.uncertainty[row, col]), 4),
                        observations=int(umap.observations[row, col]),
                        observed_ns=int(umap.observed_ns[row, col]),
                        release_s=(place.release_ns - start_ns) * 1e-9,
                        pieces=len(place.cluster.half_m),
                        slope_rad=SLOPES_RAD[kind[0]],
                        drop_m=DROPS_M[kind[1]],
                        is_blown=is_blown,
                    )
                )
        self.releases = tuple(releases)
        self._by_end = sorted(places, key=lambda item: item.end_ns)
        self._ends_ns = [place.end_ns for place in self._by_end]
        self._lying: dict[int, tuple[DebrisBox, ...]] = {}
        self._open_sums = np.pad(
            gate.debris_cells.astype(np.int64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0))
        )

    def at(self, stamp_ns: int) -> tuple[DebrisBox, ...]:
        """The pieces inside the open columns at an event time; the same tuple while nothing moves."""
        ended = bisect.bisect_right(self._ends_ns, stamp_ns)
        lying = self._lying.get(ended)
        if lying is None:
            lying = self._lying[ended] = tuple(itertools.chain.from_iterable(self._ends[:ended]))
        falling = [place for place in self._by_end[ended:] if place.release_ns <= stamp_ns]
        if not falling:
            return lying
        corners_m = [
            _in_map(place, place.cluster.corners_m((stamp_ns - place.release_ns) * 1e-9)) for place in falling
        ]
        return (*lying, *itertools.chain.from_iterable(self._inside(falling, corners_m)))

    def record(self) -> Parameters:
        """The releases of this gate and map, for the physics record."""
        rows = [
            [*item.cell, item.uncertainty, item.observations, item.observed_ns, item.release_s, item.pieces]
            for item in self.releases
        ]
        unit = "row, column, U, returns, stamp of the newest return in ns, s after scenario start, pieces"
        if self._wind is not None:
            unit += ", in wind"
            for row, item in zip(rows, self.releases, strict=True):
                row.append(item.is_blown)
        return {"releases": entry(rows, unit, "open debris cells of the gate")}

    @functools.cached_property
    def _ends(self) -> list[list[DebrisBox]]:
        """What each place shows in the end, in the order in which they end."""
        corners_m = [_in_map(place, place.cluster.end_m) for place in self._by_end]
        return self._inside(self._by_end, corners_m, at_end=True)

    def _blown(self, elevation_m: Float32Array) -> BoolArray:
        """Cells (rows, cols) whose pieces the wind reaches."""
        found: BoolArray = np.zeros(self._grid.shape, np.bool_)
        if self._wind is None:
            return found
        rows, cols = np.nonzero(self._gate.debris_cells & np.isfinite(elevation_m))
        east_m = self._grid.origin_east_m + (cols + 0.5) * self._grid.resolution_m
        north_m = self._grid.origin_north_m + (rows + 0.5) * self._grid.resolution_m
        ground_m = elevation_m[rows, cols].astype(np.float64)
        found[rows, cols] = self._wind.reached(np.column_stack((east_m, north_m, ground_m)))
        return found

    def _falls(
        self, kind: tuple[int, int], azimuth_rad: float, is_blown: bool
    ) -> tuple[tuple[Cluster, ...], float | None]:
        """What may fall on such a cell, and which way its plane is turned; None: any way."""
        if not is_blown or self._wind is None:
            return self._library.clusters(*kind), azimuth_rad if kind[0] else None
        way_rad = self._wind.towards_rad
        if not kind[0]:
            return self._library.clusters(0, 0, 0), way_rad
        return self._library.clusters(*kind, sector_of(way_rad, azimuth_rad)), azimuth_rad

    def _places(
        self, row: int, col: int, ground_m: float, kind: tuple[int, int], azimuth_rad: float, is_blown: bool
    ) -> list[_Place]:
        edge_m, slope_rad = self._grid.resolution_m, SLOPES_RAD[kind[0]]
        west_m = self._grid.origin_east_m + col * edge_m
        south_m = self._grid.origin_north_m + row * edge_m
        who = round(south_m / edge_m), round(west_m / edge_m)  # of the cell in map, wherever the window is
        count = edge_m * edge_m / PLACE_M2
        falls, way_rad = self._falls(kind, azimuth_rad, is_blown)
        found = []
        for index in range(min(max(round(count), 1), _MOST_PLACES)):
            site = _site(self._seed, *who, index)
            if site[0] >= LOOSE_SHARE * min(count, 1.0):
                continue
            cluster = falls[int(site[1] * len(falls))]
            away_m = (site[2:4] - 0.5) * edge_m
            turned_rad = 2.0 * math.pi * float(site[4]) if way_rad is None else way_rad
            cos, sin = math.cos(turned_rad), math.sin(turned_rad)
            down_m = math.tan(slope_rad) * float(away_m[0] * cos + away_m[1] * sin)
            foot_m = np.array([west_m + 0.5 * edge_m, south_m + 0.5 * edge_m, ground_m])
            foot_m += np.array([away_m[0], away_m[1], -down_m])
            release_ns = self._start_ns + round(_release_s(float(site[5])) * 1e9)
            found.append(
                _Place(
                    cluster=cluster,
                    release_ns=release_ns,
                    end_ns=release_ns + round(cluster.lasts_s * 1e9),
                    turn=np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]),
                    foot_m=foot_m,
                    allowed_m=_STEP_M + math.sqrt(0.5) * edge_m * math.tan(slope_rad),
                    reach_m=REACH_M if is_blown else math.inf,
                )
            )
        return found

    def _inside(
        self, places: list[_Place], corners_m: list[FloatArray], *, at_end: bool = False
    ) -> list[list[DebrisBox]]:
        """By place, the pieces whose corners all lie in open debris columns, lifted onto higher floors."""
        if not places:
            return []
        gate = self._gate
        every_m = np.concatenate(corners_m)  # (n, 8, 3)
        allowed_m = np.repeat([place.allowed_m for place in places], [len(item) for item in corners_m])
        rows, cols, open_cells = self._cells(every_m[..., 0], every_m[..., 1])
        over = np.stack((rows.min(axis=1), rows.max(axis=1) + 1, cols.min(axis=1), cols.max(axis=1) + 1))
        below = (over[1] - over[0]) * (over[3] - over[2])  # cells under the piece's rectangle
        shown: BoolArray = np.asarray(open_cells.all(axis=1))
        shown &= np.equal(_sum_over(self._open_sums, over), below)
        floor_m = gate.floor_m[rows, cols].astype(np.float64)
        above_m = (floor_m + _CLEAR_M - every_m[..., 2]).max(axis=1)
        lift_m = np.maximum(above_m, 0.0)
        every_m[..., 2] += lift_m[:, None]
        shown &= lift_m <= allowed_m
        shown &= (every_m[..., 2] < gate.ceiling_m[rows, cols]).all(axis=1)
        middle_m = every_m.mean(axis=1)
        row, col, open_middle = self._cells(middle_m[:, 0], middle_m[:, 1])
        shown &= open_middle
        if self._wind is not None:
            counts = [len(item) for item in corners_m]
            feet_m = np.repeat([place.foot_m[:2] for place in places], counts, axis=0)
            reach_m = np.repeat([place.reach_m for place in places], counts)
            shown &= np.hypot(*(middle_m[:, :2] - feet_m).T) <= reach_m
        every_m.setflags(write=False)
        found, start = [], 0
        for place in places:
            colours = place.cluster.colours_rgb
            boxes = [
                _box((int(row[at]), int(col[at])), every_m[at], colours[i], over[:, at].tolist())
                for i, at in enumerate(range(start, start + len(colours)))
                if shown[at] and (place.cluster.stays[i] or not at_end)
            ]
            found.append(boxes)
            start += len(colours)
        return found

    def _cells(self, east_m: FloatArray, north_m: FloatArray) -> tuple[IndexArray, IndexArray, BoolArray]:
        """Row and column (clipped to the grid) of places, and whether debris may be there."""
        grid = self._grid
        rows = np.floor((north_m - grid.origin_north_m) / grid.resolution_m).astype(np.int64)
        cols = np.floor((east_m - grid.origin_east_m) / grid.resolution_m).astype(np.int64)
        clipped = rows.clip(0, grid.rows - 1), cols.clip(0, grid.cols - 1)
        inside = (rows == clipped[0]) & (cols == clipped[1])
        return (*clipped, inside & self._gate.debris_cells[clipped])


def choices_record() -> Parameters:
    """The choices of this module, for the physics record."""
    return {
        "loose_share": entry(LOOSE_SHARE, "1", "assumed: places that release something"),
        "before_share": entry(BEFORE_SHARE, "1", "assumed: released before the scenario's second 0"),
        "within_s": entry(WITHIN_S, "s", "assumed: the others come loose in this time"),
        "place_m2": entry(PLACE_M2, "m2", "assumed: plan area for one cluster"),
        "step_m": entry(_STEP_M, "m", "a higher step of the elevation hides a piece"),
    }


def _box(
    cell: tuple[int, int], corners_m: FloatArray, colour_rgb: tuple[int, int, int], over: list[int]
) -> DebrisBox:
    under = itertools.product(range(over[0], over[1]), range(over[2], over[3]))
    return DebrisBox(cell, corners_m, colour_rgb, tuple(item for item in under if item != cell))


def _sum_over(sums: IndexArray, over: IndexArray) -> IndexArray:
    """Open cells (n,) in rectangles of cells (row0, row1, col0, col1; n), from the cumulated sums."""
    row0, row1, col0, col1 = over
    return np.asarray(sums[row1, col1] - sums[row0, col1] - sums[row1, col0] + sums[row0, col0])


def _in_map(place: _Place, corners_m: FloatArray) -> FloatArray:
    return np.asarray(corners_m @ place.turn.T + place.foot_m)


def _release_s(number: float) -> float:
    """When, after the scenario's start: some long before it, the others spread over ``WITHIN_S``."""
    if number < BEFORE_SHARE:
        return -3600.0
    return WITHIN_S * (number - BEFORE_SHARE) / (1.0 - BEFORE_SHARE)


@functools.lru_cache(maxsize=65536)
def _site(seed: int, row: int, col: int, index: int) -> FloatArray:
    numbers = draw(seed, "site", row, col, index)
    numbers.setflags(write=False)
    return numbers
