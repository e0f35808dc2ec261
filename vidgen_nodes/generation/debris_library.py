# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The falls that a scenario plays: a few clusters of pieces, solved once on planes of a few slopes.

Why a library and not one solution a cell: a picture at a stamp has to be the same live and in a replay,
and must not wait for a solver. What happens on a plane does not depend on where on it or in which
direction, so one solution serves every cell of that slope exactly, turned and moved; and millimetres of
LiDAR noise on the elevation cannot send a piece another way. Guarantees that the solutions are a function
of the seed and the speed of the wind alone on one machine, and are all worked out within a bounded time, beside
the frames; with wind, those of still air stay what they are. On a slope wind is taken from the nearest of
``SECTORS`` directions to the descent. Leaves out the choice of cells (``debris_fall.py``), who is sheltered
(``wind/debris.py``) and the solver (``debris_physics.py``).
"""

from __future__ import annotations

import functools
import hashlib
import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.generation.debris_physics import FallModel, Piece, Solution, model_record, refined, solve
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.packets import FloatArray

CLUSTERS = 6
SLOPES_RAD = (0.0, math.radians(25.0), math.radians(40.0))
DROPS_M = (0.5, 2.7)  # loose on the roof; from under a ceiling
SETS = ((0, 0), (1, 0), (2, 0), (0, 1))  # slope and drop: under a ceiling the ground is taken as level
SECTORS = 4  # directions of wind against the descent that are solved; 0 blows down the slope
REACH_M = 2.5  # a piece is followed so far from where it came loose, and then is gone

_GAP_M = 0.45  # between the centres of pieces of one cluster: longer than any piece, so none overlap
_SPREAD_M = 0.08
_MOST_TILT_RAD = math.radians(60.0)
_MOST_SPIN_RADPS = 1.5
_SIGNS = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a piece is made of; sizes from and to. Densities from memory of handbooks: round figures."""

    name: str
    least_m: tuple[float, float, float]
    most_m: tuple[float, float, float]
    density_kg_per_m3: float
    colour_rgb: tuple[int, int, int]
    share: float


KINDS = (
    Kind("clay tile", (0.20, 0.14, 0.02), (0.34, 0.24, 0.04), 1900.0, (168, 92, 66), 0.5),
    Kind("masonry", (0.12, 0.08, 0.06), (0.26, 0.16, 0.12), 1800.0, (150, 138, 126), 0.3),
    Kind("ceiling tile", (0.18, 0.18, 0.015), (0.32, 0.30, 0.018), 390.0, (212, 208, 198), 0.2),
)


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Pieces that come loose together, and how they fall on one plane."""

    solution: Solution
    half_m: FloatArray  # (k, 3) half edges
    colours_rgb: tuple[tuple[int, int, int], ...]
    end_m: FloatArray  # (k, 8, 3) corners at the end
    stays: tuple[bool, ...]  # (k,) whether a piece is still within reach at the end

    @property
    def lasts_s(self) -> float:
        """From coming loose to the end."""
        return (len(self.solution.positions_m) - 1) * self.solution.sample_s

    def corners_m(self, time_s: float) -> FloatArray:
        """Corners (k, 8, 3) so long after release, in the plane's frame; linear between samples."""
        if time_s >= self.lasts_s:
            return self.end_m
        place = max(time_s, 0.0) / self.solution.sample_s
        index = int(place)
        share = place - index
        positions_m, turns = self.solution.positions_m, self.solution.quaternions_wxyz
        middle_m = positions_m[index] + share * (positions_m[index + 1] - positions_m[index])
        after = turns[index + 1]
        after = np.where((turns[index] * after).sum(axis=1, keepdims=True) < 0.0, -after, after)
        turn = turns[index] + share * (after - turns[index])
        return _corners_m(middle_m, turn, self.half_m)


class FallLibrary:
    """Every cluster of every one of the ``SETS``, solved on one thread, the common ones first; then those in wind.

    Args:
        seed: of the scenario.
        model: the solver's numbers.
        wind_mps: speed at the pieces; 0: still air.
    """

    def __init__(self, seed: int, model: FallModel | None = None, wind_mps: float = 0.0) -> None:
        self._seed, self.model, self.wind_mps = seed, model or FallModel(), wind_mps
        self._steps: dict[tuple[int, int, int], FallModel] = {}  # of each fall in still air, solved before
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="debris")
        self._sets: dict[tuple[int, int, int | None], Future[tuple[Cluster, ...]]] = {}
        for slope, drop in SETS:
            self._sets[slope, drop, None] = self._pool.submit(self._solve, slope, drop)
        for slope, sector in blown_sets() if wind_mps > 0.0 else ():
            self._sets[slope, 0, sector] = self._pool.submit(self._solve, slope, 0, sector)
        self._pool.shutdown(wait=False)  # no more work comes; the thread ends after the last set

    def clusters(self, slope: int, drop: int, sector: int | None = None) -> tuple[Cluster, ...]:
        """``CLUSTERS`` falls onto ``SLOPES_RAD[slope]`` from ``DROPS_M[drop]``; waits where they are not ready.

        Args:
            slope: index.
            drop: index.
            sector: of ``sector_of``; None: in still air.

        Raises:
            MissingPackageError: no MuJoCo.
        """
        return self._sets[slope, drop, sector].result()

    @functools.cached_property
    def record(self) -> Parameters:
        """Numbers, engine, what the solutions hash to and their worst errors; waits for all of them."""
        content, gain, depth_m = hashlib.sha256(), 0.0, 0.0
        for key in sorted(self._sets, key=_in_order):
            for cluster in self.clusters(*key):
                content.update(cluster.solution.positions_m.tobytes())
                content.update(cluster.solution.quaternions_wxyz.tobytes())
                if key[2] is None:
                    gain = max(gain, cluster.solution.energy_gain)
                if cluster.solution.at_rest:
                    depth_m = max(depth_m, cluster.solution.rest_penetration_m)
        kinds = {kind.name: entry(kind.density_kg_per_m3, "kg/m3", "handbook, round") for kind in KINDS}
        return {
            **model_record(self.model),
            "clusters": entry(CLUSTERS, "1", "each on every slope, and from under a ceiling"),
            "slopes_rad": entry(SLOPES_RAD, "rad", "planes solved; a cell takes the nearest"),
            "drops_m": entry(DROPS_M, "m", "loose on the roof; from under a ceiling"),
            "densities": kinds,
            "solutions_sha256": entry(content.hexdigest(), "SHA-256", "poses of every solution"),
            "energy_gain": entry(gain, "of the energy at release", "worst of all solutions"),
            "rest_penetration_m": entry(depth_m, "m", "worst of all solutions"),
            **self._wind_record(),
        }

    def _wind_record(self) -> Parameters:
        if self.wind_mps <= 0.0:
            return {}
        return {
            "blown_at": entry(
                self.wind_mps, "m/s", "wind of the scenario at the pieces; drag by what they move in it"
            ),
            "sectors": entry(
                SECTORS, "1", "directions of wind against the descent; a cell takes the nearest"
            ),
        }

    def _solve(self, slope: int, drop: int, sector: int | None = None) -> tuple[Cluster, ...]:
        return tuple(self._cluster(index, slope, drop, sector) for index in range(CLUSTERS))

    def _cluster(self, index: int, slope: int, drop: int, sector: int | None) -> Cluster:
        pieces, colours = _pieces(self._seed, index, DROPS_M[drop])
        if sector is None:
            solution, model = refined(pieces, SLOPES_RAD[slope], self.model, reach_m=REACH_M)
            self._steps[index, slope, drop] = model
        else:
            way_rad, model = 2.0 * math.pi * sector / SECTORS, self._steps[index, slope, drop]
            wind_mps = (self.wind_mps * math.cos(way_rad), self.wind_mps * math.sin(way_rad))
            solution = solve(pieces, SLOPES_RAD[slope], model, reach_m=REACH_M, wind_mps=wind_mps)
        half_m: FloatArray = 0.5 * np.array([piece.size_m for piece in pieces])
        end_m = _corners_m(solution.positions_m[-1], solution.quaternions_wxyz[-1], half_m)
        end_m.setflags(write=False)
        away_m = np.hypot(*solution.positions_m[-1, :, :2].T)
        return Cluster(solution, half_m, colours, end_m, tuple((away_m <= REACH_M).tolist()))


@functools.lru_cache(maxsize=4)
def fall_library(seed: int, wind_mps: float = 0.0) -> FallLibrary:
    """The library of a seed and a speed of wind, one a process: scenarios are read anew when they start."""
    return FallLibrary(seed, wind_mps=wind_mps)


def blown_sets() -> tuple[tuple[int, int], ...]:
    """Slope and sector of each set in wind; on level ground one does, turned into the wind."""
    return ((0, 0), *((slope, sector) for slope in range(1, len(SLOPES_RAD)) for sector in range(SECTORS)))


def sector_of(wind_rad: float, descent_rad: float) -> int:
    """The nearest of the solved directions of a wind to a descent; both where to, in one sense of turning."""
    return round((wind_rad - descent_rad) / (2.0 * math.pi) * SECTORS) % SECTORS


def _in_order(key: tuple[int, int, int | None]) -> tuple[int, int, int]:
    slope, drop, sector = key
    return slope, drop, -1 if sector is None else sector


def draw(seed: int, *who: object) -> FloatArray:
    """Eight uniform numbers in [0, 1), from SHA-256 of who asks."""
    digest = hashlib.sha256(" ".join(map(str, ("debris", seed, *who))).encode()).digest()
    return np.frombuffer(digest, dtype="<u4").astype(np.float64) / 2.0**32


def _pieces(
    seed: int, cluster: int, drop_m: float
) -> tuple[tuple[Piece, ...], tuple[tuple[int, int, int], ...]]:
    pieces, colours = [], []
    for index in range(1 + cluster % 4):
        numbers, more = draw(seed, "piece", cluster, index), draw(seed, "motion", cluster, index)
        kind = _kind(float(numbers[0]))
        least, most = np.array(kind.least_m), np.array(kind.most_m)
        length, width, thickness = (least + numbers[1:4] * (most - least)).tolist()
        east_m, north_m = ((2.0 * more[:2] - 1.0) * _SPREAD_M).tolist()
        half_m = 0.5 * math.sqrt(length**2 + width**2 + thickness**2)
        spin = ((2.0 * more[4:7] - 1.0) * _MOST_SPIN_RADPS).tolist()
        pieces.append(
            Piece(
                size_m=(length, width, thickness),
                density_kg_per_m3=kind.density_kg_per_m3,
                position_m=(east_m, north_m, drop_m + half_m + _GAP_M * index),
                quaternion_wxyz=_tilted(float(more[2]), float(more[3]), float(numbers[5])),
                spin_radps=(spin[0], spin[1], spin[2]),
            )
        )
        shade = 0.8 + 0.35 * float(numbers[4])
        red, green, blue = (min(255, round(channel * shade)) for channel in kind.colour_rgb)
        colours.append((red, green, blue))
    return tuple(pieces), tuple(colours)


def _kind(number: float) -> Kind:
    for kind in KINDS[:-1]:
        number -= kind.share
        if number < 0.0:
            return kind
    return KINDS[-1]


def _tilted(yaw: float, heading: float, tilt: float) -> tuple[float, float, float, float]:
    """Yaw about z, then a tilt about a horizontal axis; all as shares of the most."""
    half_yaw, about, half_tilt = math.pi * yaw, 2.0 * math.pi * heading, 0.5 * _MOST_TILT_RAD * tilt
    cos, sin = math.cos(half_tilt), math.sin(half_tilt)
    w, z = math.cos(half_yaw), math.sin(half_yaw)
    x, y = sin * math.cos(about), sin * math.sin(about)
    return (cos * w, x * w + y * z, y * w - x * z, cos * z)


def _corners_m(middle_m: FloatArray, turn_wxyz: FloatArray, half_m: FloatArray) -> FloatArray:
    """Corners (k, 8, 3) of boxes; corner index has bit 0 for x, 1 for y, 2 for z of the box's own frame."""
    w, x, y, z = (turn_wxyz / np.linalg.norm(turn_wxyz, axis=1, keepdims=True)).T
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )  # (3, 3, k)
    local_m = half_m[:, None, :] * _SIGNS  # (k, 8, 3)
    return np.asarray(np.einsum("ijk,knj->kni", rotation, local_m) + middle_m[:, None, :])
