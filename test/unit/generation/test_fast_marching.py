# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Arrival times against closed forms (K12): disc, ellipse in wind, two materials, and what must never happen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from vidgen_nodes.generation.fast_marching import Speeds, Stencils, arrival_times, seed_discs, stencils

STEP_M = 0.25


class Lattice:
    """A square wall of n x n points in the plane of east and up, eight neighbours each."""

    def __init__(self, n: int) -> None:
        i, j = (item.ravel() for item in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
        self.n = n
        self.points_m = np.column_stack((i * STEP_M, np.zeros(n * n), j * STEP_M))
        pairs = cKDTree(self.points_m).query_pairs(1.5 * STEP_M, output_type="ndarray")
        far = np.linalg.norm(self.points_m[pairs[:, 0]] - self.points_m[pairs[:, 1]], axis=1)
        ends = np.concatenate((pairs, pairs[:, ::-1]))
        joined = coo_array((np.tile(far, 2), (ends[:, 0], ends[:, 1])), (n * n, n * n)).tocsr()
        joined.sort_indices()
        normals = self.normals = np.tile((0.0, -1.0, 0.0), (n * n, 1))
        self.net: Stencils = stencils(
            self.points_m, normals, joined.indptr, joined.indices.astype(np.int64), joined.data
        )

    def at(self, i: int, j: int) -> int:
        return i * self.n + j

    def speeds(self, **changes: object) -> Speeds:
        count = self.n**2
        base: dict[str, object] = {
            "opposed": np.ones(count),
            "concurrent": np.zeros(count),
            "ahead": np.tile((0.0, 1.0), (count, 1)),
            "flank": np.zeros(count),
            "ignition_s": np.full(count, np.inf),
            "release_kw_per_m2": np.zeros(count),
            "rise": np.zeros(count),
            "height_m": self.points_m[:, 2],
        }
        return Speeds(**{**base, **changes})  # type: ignore[arg-type]

    def solve(self, speeds: Speeds, *starts: int) -> np.ndarray:
        begun = np.full(self.n**2, np.inf)
        begun[list(starts)] = 0.0
        begun = seed_discs(self.points_m, self.normals, speeds, begun, 8 * STEP_M)
        return arrival_times(self.net, speeds, begun, np.zeros(self.n**2), 0.5)[0]


@pytest.fixture(scope="module")
def wide() -> Lattice:
    return Lattice(81)


@pytest.fixture(scope="module")
def small() -> Lattice:
    return Lattice(21)


def far_from_start(lattice: Lattice) -> tuple[np.ndarray, np.ndarray, int]:
    start = lattice.at(lattice.n // 2, lattice.n // 2)
    way = lattice.points_m - lattice.points_m[start]
    return way, np.linalg.norm(way, axis=1) >= 20 * STEP_M, start


def test_a_disc_is_round_to_two_percent_from_20_cells_on(wide: Lattice) -> None:
    way, far, start = far_from_start(wide)
    times = wide.solve(wide.speeds(), start)
    error = times[far] / np.linalg.norm(way[far], axis=1) - 1.0
    assert np.abs(error).max() < 0.02


@pytest.mark.parametrize(("head", "length_to_breadth"), [(2.0, 1.3), (4.0, 1.5), (6.0, 2.0)])
def test_a_fire_in_wind_burns_an_ellipse_to_five_percent(
    wide: Lattice, head: float, length_to_breadth: float
) -> None:
    slim = math.sqrt(1.0 - length_to_breadth**-2)
    half = head / (1.0 + slim)
    back, flank = half * (1.0 - slim), half / length_to_breadth
    count = wide.n**2
    speeds = wide.speeds(
        opposed=np.full(count, back), concurrent=np.full(count, head), flank=np.full(count, flank)
    )
    way, far, start = far_from_start(wide)
    times = wide.solve(speeds, start)
    # At any one time the front is an ellipse about a centre that moves downwind: solve its equation for the time.
    for place in np.flatnonzero(far)[::97]:
        along, across, t = way[place, 2], way[place, 0], times[place]
        shape = ((along - half * slim * t) / (half * t)) ** 2 + (across / (flank * t)) ** 2
        assert abs(math.sqrt(shape) - 1.0) < 0.05


@pytest.mark.parametrize("ratio", [2.0, 10.0, 60.0])
def test_a_front_that_runs_one_way_and_creeps_the_others_is_the_hull_of_both(
    wide: Lattice, ratio: float
) -> None:
    way, far, start = far_from_start(wide)
    times = wide.solve(wide.speeds(concurrent=np.full(wide.n**2, ratio)), start)
    along, across = way[:, 2], np.abs(way[:, 0])
    slant = math.sqrt(1.0 - ratio**-2)
    exact = np.where(along * slant * ratio >= across, slant * across + along / ratio, np.hypot(along, across))
    assert np.abs(times[far] / exact[far] - 1.0).max() < 0.02


def test_two_materials_are_crossed_as_light_is_refracted(wide: Lattice) -> None:
    n, middle = wide.n, wide.n // 2
    east = wide.points_m[:, 0]
    border = (middle - 0.5) * STEP_M
    slow, fast = 1.0, 3.0
    times = wide.solve(wide.speeds(opposed=np.where(east < border, slow, fast)), wide.at(middle - 20, middle))
    from_border, height = 19.5 * STEP_M, wide.points_m[wide.at(0, middle), 2]
    for i, j in ((n - 15, middle + 25), (n - 25, middle - 20), (n - 12, middle), (n - 30, middle + 35)):
        place = wide.points_m[wide.at(i, j)]

        def by_way_of(crossing: float, place: np.ndarray = place) -> float:
            first = math.hypot(from_border, crossing - height) / slow
            return first + math.hypot(place[0] - border, place[2] - crossing) / fast

        exact = minimize_scalar(by_way_of, bounds=(0.0, n * STEP_M), method="bounded").fun
        assert times[wide.at(i, j)] == pytest.approx(exact, rel=0.02)


def test_upward_spread_accelerates_with_the_burning_length(small: Lattice) -> None:
    count = small.n**2
    speeds = small.speeds(
        opposed=np.full(count, 3.3e-4),
        ignition_s=np.full(count, 64.0),
        release_kw_per_m2=np.full(count, 200.0),
        rise=np.ones(count),
    )
    times = small.solve(speeds, small.at(10, 0))
    column = times[[small.at(10, j) for j in range(1, 21)]]
    rates = STEP_M / np.diff(column)
    run = (np.arange(2, 21)) * STEP_M  # burning length when the front is there
    exact = (0.067 * (200.0 * np.maximum(run, 0.5)) ** (2.0 / 3.0) - np.maximum(run, 0.5)) / 64.0
    assert rates == pytest.approx(exact, rel=0.02)
    beside = times[small.at(0, 0)]
    assert beside > 20.0 * column[-1]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.floats(0.0, 0.6),
    ratio=st.floats(1.0, 80.0),
    starts=st.integers(1, 4),
)
def test_nothing_burns_without_speed_and_times_grow_along_paths(
    small: Lattice, seed: int, share: float, ratio: float, starts: int
) -> None:
    rng = np.random.default_rng(seed)
    count = small.n**2
    dead = rng.random(count) < share
    speeds = small.speeds(
        opposed=np.where(dead, 0.0, rng.uniform(0.1, 2.0, count)), concurrent=rng.uniform(0.1, ratio, count)
    )
    begun = np.full(count, np.inf)
    begun[rng.integers(0, count, starts)] = rng.uniform(0.0, 5.0, starts)
    times, _, origin = arrival_times(small.net, speeds, begun, np.zeros(count), 0.5)
    again, _, _ = arrival_times(small.net, speeds, begun, np.zeros(count), 0.5)
    assert times.tobytes() == again.tobytes()
    assert not np.isfinite(times[dead]).any()
    reached = np.isfinite(times)
    came = reached & (origin >= 0)
    assert (times[came] > times[origin[came]]).all()
    assert (times[reached & (origin < 0)] == begun[reached & (origin < 0)]).all()
    # Whatever has speed beside something reached is reached too: a front does not stop half way.
    rows = np.repeat(np.arange(count), np.diff(small.net.indptr))
    beside = reached[rows] & ~dead[small.net.indices]
    assert reached[small.net.indices[beside]].all()


def test_more_starts_never_delay(small: Lattice) -> None:
    one = small.solve(small.speeds(), small.at(3, 3))
    two = small.solve(small.speeds(), small.at(3, 3), small.at(17, 12))
    assert (two <= one + 1e-9).all()
