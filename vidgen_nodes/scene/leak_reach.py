# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the jet of one leak could stand at the most, and what of that the building model lets be.

The way to a place is the straight line from the mouth; of a jet that wind bends, it is what steam takes along its axis.

Guarantees: nothing behind a modelled surface on that way is in sight of the mouth; whatever does not change from map to
map is worked out once for a building. Leaves out what was measured (``scene.leak_rule``) and the physics of the jet,
which says where it reaches (``generation.steam_leaks``).
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grid
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.jet_axis import JetAxis
from vidgen_nodes.scene.surface import Surface

STANDING_M = 0.5  # a mouth stands on what is at most so far away
_OFF_M = 0.02  # lines of sight begin so far before the mouth, off what carries it
_CLEAR_M = 1e-3  # a place so near before a surface is taken as in it
_UNDER_M = 0.05  # a place is under a modelled surface that is more than this higher
_MOST_PIECES = 200_000  # of a reach that is cut finer for a fine map; a coarser cut opens less
_MOST_SAMPLES = 256  # of a line of sight that are looked at for a roof
_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What one building says of one leak. Arrays are one item a place."""

    carrier: str  # evidence of the nearest element within ``STANDING_M``; empty: there is none
    carrier_m: float  # its distance
    in_sight: BoolArray  # no modelled surface stands between the mouth and the place
    roofed: BoolArray  # a modelled surface hangs over the place, or over the way to it
    mouth_roofed: bool


class LeakReach:
    """The places of one jet.

    Args:
        name: of the leak.
        mouth_m: in map.
        direction: unit vector out of the hole.
        places_m: (n, 3) where steam would stand in open air: centres of cubes.
        edge_m: of such a cube.
        length_m: how long the jet is.
        axis: the line that it bends along in wind; None: it is straight.
    """

    def __init__(
        self,
        name: str,
        mouth_m: tuple[float, float, float],
        direction: tuple[float, float, float],
        places_m: FloatArray,
        edge_m: float,
        length_m: float,
        axis: JetAxis | None = None,
    ) -> None:
        self.name, self.edge_m, self.length_m, self.axis = name, edge_m, length_m, axis
        self._made_of = mouth_m, direction
        self._finer: dict[int, tuple[LeakReach, _Index]] = {}
        self.mouth_m: FloatArray = np.array(mouth_m, np.float64)
        self._start_m = self.mouth_m + _OFF_M * np.array(direction)
        self.places_m = np.ascontiguousarray(places_m, np.float64)
        # Places over one point of the plan share it: what is asked of the ground is asked once.
        steps = np.round((self.places_m[:, :2] - self.mouth_m[:2]) / (0.01 * edge_m)).astype(np.int64)
        _, first, column = np.unique(steps, axis=0, return_index=True, return_inverse=True)
        self.columns_m: FloatArray = np.ascontiguousarray(self.places_m[first, :2])
        self.column: _Index = column.reshape(-1).astype(np.int64)  # of ``columns_m``, one a place
        corners = np.vstack((self.places_m[:, :2], self.mouth_m[None, :2]))
        self.ways_m: FloatArray = np.zeros((0, 2, 3))  # of a bent jet: (n, k, 3) from the mouth to each place
        self.steps: FloatArray = np.zeros((0, 2))  # and how far each node rises when the place rises by one
        if axis is not None:
            self.ways_m, self.steps = axis.ways_m(self.places_m)
            corners = np.vstack((corners, self.ways_m[..., :2].reshape(-1, 2)))
        self.low_m: FloatArray = corners.min(axis=0) - edge_m
        self.high_m: FloatArray = corners.max(axis=0) + edge_m
        self._of: deque[tuple[Building | None, Surroundings]] = deque(maxlen=2)
        self._tops: deque[tuple[Building, Grid, Float32Array]] = deque(maxlen=8)
        self._near: deque[tuple[Building, tuple[Surface, ...]]] = deque(maxlen=2)

    def fine(self, cell_m: float) -> tuple[LeakReach, _Index]:
        """The same reach in pieces narrower than a cell of the map, and of which place each piece is.

        Of a wider piece some cells hold no middle, and would stay shut.
        """
        parts = (
            math.floor(self.edge_m / cell_m * (1.0 + 1e-9)) + 1
        )  # narrower, and not as wide: rounding decides then
        parts = max(1, min(parts, math.isqrt(_MOST_PIECES // max(len(self.places_m), 1))))
        if parts not in self._finer:
            whole = np.arange(len(self.places_m))
            if parts == 1:
                self._finer[parts] = self, whole
            else:
                ticks = self.edge_m * ((np.arange(parts) + 0.5) / parts - 0.5)
                offsets = np.stack(np.meshgrid(ticks, ticks, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
                pieces = (self.places_m[:, None] + offsets).reshape(-1, 3)
                made = LeakReach(self.name, *self._made_of, pieces, self.edge_m, self.length_m, self.axis)
                self._finer[parts] = made, np.repeat(whole, len(offsets))
        return self._finer[parts]

    def prepare(self, building: Building | None) -> None:
        """Do what the first frame would wait for: look around, compile what looks along the ground."""
        from vidgen_nodes.scene.mesh_kernels import cells_under_triangles  # numba
        from vidgen_nodes.scene.shadow_kernel import lowest_in_sight, lowest_on_ways

        self.surroundings(building)
        cells_under_triangles(np.zeros((1, 3, 3)), Grid(0.0, 0.0, 1.0, 1, 1))
        middle, air = np.array([0.5, 0.5, 1.0]), np.ones((1, 1), np.bool_)
        lowest_in_sight(np.zeros((1, 1)), air, 1.0, middle, middle[None, :2].copy(), 0.0)
        lowest_on_ways(np.zeros((1, 1)), air, 1.0, np.full((1, 2, 3), 0.5), np.zeros((1, 2)), 0.0)

    def surroundings(self, building: Building | None) -> Surroundings:
        """What the model says; one without a place in map says nothing."""
        for known, found in self._of:
            if known is building:
                return found
        made = self._look(building if building is not None and building.placed else None)
        self._of.appendleft((building, made))
        return made

    def tops_m(self, building: Building | None, part: Grid) -> Float32Array:
        """Highest modelled point (rows, cols) in each cell of a part of the map; -inf where nothing is modelled."""
        if building is None or not building.placed:
            return np.full(part.shape, -np.inf, np.float32)
        for known, grid, found in self._tops:
            if known is building and grid == part:
                return found
        from vidgen_nodes.scene.mesh_kernels import cells_under_triangles  # numba

        tops = np.full(part.shape, -np.inf, np.float32)
        for surface in self._surfaces(building):
            rows, cols, _, highs = cells_under_triangles(surface.triangles_m, part)
            np.maximum.at(tops, (rows, cols), np.asarray(highs, np.float32))
        self._tops.appendleft((building, part, tops))
        return tops

    def _surfaces(self, building: Building) -> tuple[Surface, ...]:
        """Those over whose box in plan the jet or its mouth may be."""
        for known, found in self._near:
            if known is building:
                return found
        near = tuple(
            item
            for item in building.surfaces
            if np.all(item.corners_m[:, :2].min(axis=0) <= self.high_m + STANDING_M)
            and np.all(item.corners_m[:, :2].max(axis=0) >= self.low_m - STANDING_M)
        )
        self._near.appendleft((building, near))
        return near

    def _look(self, building: Building | None) -> Surroundings:
        count = len(self.places_m)
        if building is None:
            return Surroundings("", np.inf, np.ones(count, bool), np.zeros(count, bool), False)
        surfaces = self._surfaces(building)
        carrier, carrier_m = _nearest(surfaces, self.mouth_m)
        # The middle of a cube may lie under the ground, where no wall is modelled: its top counts too.
        if self.axis is None:
            in_sight = self._sees(building, self.places_m)
            in_sight &= self._sees(building, self.places_m + np.array([0.0, 0.0, 0.5 * self.edge_m]))
        else:
            in_sight = self._is_free(building, 0.0) & self._is_free(building, 0.5 * self.edge_m)
        roofed, mouth_roofed = self._roofed(surfaces)
        return Surroundings(carrier, carrier_m, in_sight, roofed, mouth_roofed)

    def _sees(self, building: Building, places_m: FloatArray) -> BoolArray:
        """Whether the line from the mouth to each place (n, 3) meets no modelled surface."""
        away = places_m - self._start_m
        away_m = np.linalg.norm(away, axis=1)
        directions = (away / np.maximum(away_m, 1e-9)[:, None]).astype(np.float32)
        return np.asarray(building.occlusion_depth(self._start_m, directions) > away_m + _CLEAR_M)

    def _is_free(self, building: Building, raised_m: float) -> BoolArray:
        """Whether the bent way to each place (n,), or to so much above it, meets no modelled surface."""
        nodes = self.ways_m + raised_m * self.steps[..., None] * np.array([0.0, 0.0, 1.0])
        nodes[:, 0] = self._start_m
        free: BoolArray = np.ones(len(nodes), np.bool_)
        for start, end in itertools.pairwise(np.moveaxis(nodes, 1, 0)):
            asked = np.flatnonzero(free)
            way = end[asked] - start[asked]
            far_m = np.linalg.norm(way, axis=1)
            asked, way, far_m = (item[far_m > _CLEAR_M] for item in (asked, way, far_m))
            if len(asked):
                met_m = building.free_ways_m(start[asked], way / far_m[:, None])
                free[asked] = met_m > far_m + _CLEAR_M
        return free

    def _on_the_way(self, share: float) -> FloatArray:
        """Points (n, 3) at so much of the way to each place."""
        if self.axis is None:
            return self._start_m + share * (self.places_m - self._start_m)
        last = self.ways_m.shape[1] - 1
        node = min(int(share * last), last - 1)
        return np.asarray(
            self.ways_m[:, node] + (share * last - node) * (self.ways_m[:, node + 1] - self.ways_m[:, node])
        )

    def _roofed(self, surfaces: tuple[Surface, ...]) -> tuple[BoolArray, bool]:
        """Whether a surface hangs over each place or the way to it, and over the mouth."""
        count = len(self.places_m)
        if not surfaces:
            return np.zeros(count, bool), False
        from vidgen_nodes.scene.shadow_kernel import highest_over  # numba

        triangles_m = np.concatenate([item.triangles_m for item in surfaces])
        mouth_top_m = highest_over(triangles_m, self._start_m[None, :2])[0]
        # Surfaces end on lines: a point counts as covered where the four points of a lattice around it are.
        shape = np.ceil((self.high_m - self.low_m) / self.edge_m).astype(int) + 2
        axes = [low + self.edge_m * np.arange(size) for low, size in zip(self.low_m, shape, strict=True)]
        points = np.stack(np.meshgrid(axes[0], axes[1], indexing="ij"), axis=-1).reshape(-1, 2)
        tops = highest_over(triangles_m, points).reshape(shape[0], shape[1])
        lowest = np.minimum(
            np.minimum(tops[:-1, :-1], tops[1:, :-1]), np.minimum(tops[:-1, 1:], tops[1:, 1:])
        )
        longer = 1 if self.axis is None else 2  # nodes of a bent way lie up to 1.5 times as far apart
        samples = min(longer * int(self.length_m / self.edge_m) + 2, _MOST_SAMPLES)
        roofed = np.zeros(count, bool)
        for share in np.linspace(0.0, 1.0, samples).tolist():
            at = self._on_the_way(share)
            i, j = np.floor((at[:, :2] - self.low_m) / self.edge_m).astype(int).T
            roofed |= lowest[i, j] > at[:, 2] + _UNDER_M
        return roofed, bool(mouth_top_m > self._start_m[2] + _UNDER_M)


def _nearest(surfaces: tuple[Surface, ...], point_m: FloatArray) -> tuple[str, float]:
    """Evidence and distance of the nearest surface within ``STANDING_M``; by name where two are as near."""
    best = ("", np.inf)
    for surface in surfaces:
        distance_m = float(_distances_m(surface.triangles_m, point_m).min())
        if distance_m <= STANDING_M and distance_m < best[1] - 1e-9:
            best = surface.evidence(), distance_m
    return best


def _distances_m(triangles_m: FloatArray, point_m: FloatArray) -> FloatArray:
    """Distance (n,) of a point (3,) from triangles (n, 3, 3): to the face where it is over it, else to an edge."""
    normals = np.cross(triangles_m[:, 1] - triangles_m[:, 0], triangles_m[:, 2] - triangles_m[:, 0])
    size = np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
    height = np.einsum("ni,ni->n", point_m - triangles_m[:, 0], normals) / size
    over = np.ones(len(triangles_m), bool)
    edge_m = np.full(len(triangles_m), np.inf)
    for index in range(3):
        start, end = triangles_m[:, index], triangles_m[:, (index + 1) % 3]
        way = end - start
        length2 = np.maximum((way**2).sum(axis=1), 1e-18)
        share = np.clip(((point_m - start) * way).sum(axis=1) / length2, 0.0, 1.0)
        edge_m = np.minimum(edge_m, np.linalg.norm(point_m - start - share[:, None] * way, axis=1))
        over &= np.einsum("ni,ni->n", np.cross(way, point_m - start), normals) >= 0.0
    return np.asarray(np.where(over, np.abs(height), edge_m))
