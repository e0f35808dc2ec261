# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of fire spread (K12): arrival times against closed forms, rates against the table, and what never burns.

Guarantees a few seconds on one core, most of them for compiling the front's loops. Every comparison is with what
is exact for the numbers in use; against experiments spread is claimed no better than FDS's own 1.13/0.61. Leaves
out the burning building itself: that is held by tests of the gate and of ``spread.py``.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from vidgen_nodes.generation.fast_marching import Speeds, arrival_times, seed_discs, stencils
from vidgen_nodes.generation.spread import Spread, ignition_time_s, opposed_mps, solve_spread
from vidgen_nodes.packets import FloatArray, Ignition, SpreadPlan
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.materials import material_table
from vidgen_nodes.validation.check import Check, bounded
from vidgen_nodes.validation.estimator import Score, score

_STEP_M = 0.25
_COUNT = 81  # points an edge of the lattice: the start is in its middle, 40 cells from each side
_FAR = 20.0  # cells from the start, from where the tolerance holds
_AMBIENT_K = 293.15
_SIGMA_RATE = 0.07  # scatter that a table of measured rates is given at least: as solid temperatures
_ELLIPSES = ((2.0, 1.3), (4.0, 1.5), (6.0, 2.0))  # head over flank-free rate, length over breadth
_HEAP = Ignition("heap", (0.5, -0.3, 0.0), 0.0, 15.0, 400.0, 0.8, 0.35, 0.015, 14500.0, 0.8)
# Rates of Quintiere & Harkleroad's table (1984): opposed at Ts,min in mm/s, and t_ig at 30 kW/m2 in s.
_RATES = {
    "plywood": (0.33, 64.0),
    "particle_board": (0.24, 125.0),
    "hardboard": (0.15, 126.0),
    "pmma": (0.17, 114.0),
    "pu_foam": (0.50, 38.0),
    "acrylic_carpet": (1.3, 29.0),
}


def spread_checks() -> list[Check]:
    """Every row of K12."""
    return [_disc(), *_ellipses(), *_rates(), _strips(), _never()]


class _Wall:
    """A square wall of points with eight neighbours each; fire starts in its middle."""

    def __init__(self) -> None:
        i, j = (
            item.ravel() for item in np.meshgrid(*(np.arange(_COUNT, dtype=np.float64),) * 2, indexing="ij")
        )
        self._points_m = np.column_stack((i * _STEP_M, np.zeros(i.size), j * _STEP_M))
        pairs = cKDTree(self._points_m).query_pairs(1.5 * _STEP_M, output_type="ndarray")
        length_m = np.linalg.norm(self._points_m[pairs[:, 0]] - self._points_m[pairs[:, 1]], axis=1)
        ends = np.concatenate((pairs, pairs[:, ::-1]))
        net = coo_array((np.tile(length_m, 2), (ends[:, 0], ends[:, 1])), (i.size, i.size)).tocsr()
        net.sort_indices()
        self._normals = np.tile((0.0, -1.0, 0.0), (i.size, 1))
        self._net = stencils(
            self._points_m, self._normals, net.indptr.astype(np.int64), net.indices.astype(np.int64), net.data
        )
        self._start = (_COUNT // 2) * (_COUNT + 1)
        way = self._points_m - self._points_m[self._start]
        self.across_m, self.along_m = way[:, 0], way[:, 2]
        self.far = np.hypot(self.across_m, self.along_m) >= _FAR * _STEP_M

    def times_s(self, opposed: float, concurrent: float = 0.0, flank: float = 0.0) -> FloatArray:
        """Arrival (points,) of a front whose speed is the same all over, in m/s."""
        count = len(self._points_m)
        everywhere = functools.partial(np.full, count)
        speeds = Speeds(
            opposed=everywhere(opposed),
            concurrent=everywhere(concurrent),
            ahead=np.tile((0.0, 1.0), (count, 1)),
            flank=everywhere(flank),
            ignition_s=everywhere(np.inf),
            release_kw_per_m2=everywhere(0.0),
            rise=everywhere(0.0),
            height_m=self._points_m[:, 2],
        )
        begun = np.full(count, np.inf)
        begun[self._start] = 0.0
        begun = seed_discs(self._points_m, self._normals, speeds, begun, 8 * _STEP_M)
        return arrival_times(self._net, speeds, begun, np.zeros(count), 2.0 * _STEP_M)[0]


def _disc() -> Check:
    wall = _Wall()
    ratio = wall.times_s(1.0)[wall.far] / np.hypot(wall.across_m, wall.along_m)[wall.far]
    return bounded(
        "K12",
        "front of constant speed: radius of the disc, worst point from 20 cells on, relative",
        float(np.abs(1.0 / ratio - 1.0).max()),
        0.02,
    )


def _ellipses() -> list[Check]:
    """At any one time the front of a fire in wind is an ellipse whose centre moves downwind (Richards 1990)."""
    wall, checks = _Wall(), []
    for head, length_to_breadth in _ELLIPSES:
        slim = math.sqrt(1.0 - length_to_breadth**-2)
        half = head / (1.0 + slim)
        flank = half / length_to_breadth
        time_s = wall.times_s(half * (1.0 - slim), head, flank)[wall.far]
        along, across = wall.along_m[wall.far], wall.across_m[wall.far]
        size = np.hypot((along - half * slim * time_s) / half, across / flank) / time_s
        checks.append(
            bounded(
                "K12",
                f"front in wind, {length_to_breadth} times as long as broad: size of the ellipse, worst point from "
                "20 cells on, relative",
                float(np.abs(size - 1.0).max()),
                0.05,
            )
        )
    return checks


def _rates() -> list[Check]:
    """Opposed rates and times to ignition of the table in use against the published ones."""
    table, checks = material_table().materials, []
    found = {"opposed rate at Ts,min": ([], []), "time to ignition at 30 kW/m2": ([], [])}  # type: ignore[var-annotated]
    for name, (mm_per_s, ignition_s) in _RATES.items():
        item = table[name]
        rate = opposed_mps(
            item.phi_kw2_per_m3, item.krhoc, item.ignition_degc, item.ts_min_degc, item.ts_min_degc
        )
        heated_s = ignition_time_s(item.krhoc, item.ignition_degc, 20.0, 30.0)
        for (model, published), pair in zip(
            found.values(), ((1e3 * rate, mm_per_s), (heated_s, ignition_s)), strict=True
        ):
            model.append(pair[0])
            published.append(pair[1])
    for what, (model, published) in found.items():
        worst = float(np.abs(np.array(model) / np.array(published) - 1.0).max())
        row = bounded(
            "K12", f"{what}, 6 materials, against the published table, worst", worst, 0.20, fds="1.13/0.61"
        )
        checks.append(_with(row, score(model, published, _SIGMA_RATE)))
    return checks


def _strips() -> Check:
    """Sideways along a strip of each material, by the solver of whole buildings."""
    worst = 0.0
    for name in _RATES:
        item = material_table().materials[name]
        spread = _burn([_strip("strip", 0.0, 6.0, True, name)], SpreadPlan())
        points, low = spread.graph.points_m, np.flatnonzero(spread.graph.points_m[:, 2] < 0.2)
        a, b = (low[np.argmin(np.abs(points[low, 0] - east))] for east in (2.0, 5.0))
        rate = (points[b, 0] - points[a, 0]) / (spread.arrival_s[b] - spread.arrival_s[a])
        exact = opposed_mps(
            item.phi_kw2_per_m3, item.krhoc, item.ignition_degc, item.ts_min_degc, _AMBIENT_K - 273.15
        )
        worst = max(worst, abs(float(rate) / exact - 1.0))
    return bounded("K12", "sideways over a wall of each material, whole solver, worst, relative", worst, 0.20)


def _never() -> Check:
    """Timber that burns up to a wall of every class A material and of something unknown: none of those is lit."""
    table = material_table().materials
    fireproof = [name for name, item in table.items() if item.euroclass in ("A1", "A2")]
    lit, seen = 0, 0
    for name, burns in [*((name, False) for name in fireproof), ("laminate", None)]:
        walls = [_strip("timber", 0.0, 1.5, True, "wood"), _strip("other", 1.5, 3.0, burns, name)]
        spread = _burn([*walls, _strip("behind", 3.0, 4.0, True, "wood")], SpreadPlan(preheat_k=560.0))
        reached = np.isfinite(spread.arrival_s)
        own = spread.graph.surface == spread.graph.names.index("timber")
        lit += int(np.count_nonzero(reached & ~own))
        seen += int(np.count_nonzero(reached & own) == np.count_nonzero(own))
    cases = len(fireproof) + 1
    row = bounded(
        "K12",
        f"points lit on or beyond a wall of class A or of unknown material, {cases} materials, preheated to 560 K",
        lit,
        0.0,
    )
    if seen == cases:
        return row
    words = f"timber before {cases - seen} of {cases} walls did not burn"
    return dataclasses.replace(row, passed=False, missed_by=words)


def _burn(walls: list[Surface], plan: SpreadPlan) -> Spread:
    return solve_spread(Building("row", tuple(walls)), plan, (_HEAP,), _AMBIENT_K)


def _strip(name: str, low_m: float, high_m: float, burns: bool | None, material: str) -> Surface:
    corners = np.array([[low_m, 0.0, 0.0], [high_m, 0.0, 0.0], [high_m, 0.0, 3.0], [low_m, 0.0, 3.0]])
    return Surface(name, material, "wall", corners, burns, material_id=material)


def _with(row: Check, result: Score) -> Check:
    return dataclasses.replace(row, delta=result.delta, sigma=result.sigma)
