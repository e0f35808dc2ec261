# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Arrival times of a front over points and the edges between them.

Solves ``T(p) = min over paths of the integral of dl / V(place, direction)`` by the semi-Lagrangian update of
Sethian and Vladimirsky (2003) on the triangles between neighbouring edges, with a heap: the point reached
next is settled next. A point that a later update still improves goes back on the heap, so strong anisotropy
(a flame runs up a wall fifty times as fast as sideways) costs time and not truth.

Directed speeds are convex: the hull of a disc (``opposed``) and the tip of a vector (``concurrent`` along
``ahead``), which is what a fire does that creeps every way and runs one way; or an ellipse with the start in its
focus (``flank`` above 0), as fires in wind are modelled (Richards 1990). Guarantees: no time is earlier than
that of the point it came from; a point without speed is never reached; the same input gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, FloatArray

IntArray = npt.NDArray[np.int64]
_WIDEST_RAD = 1.75  # between two edges that span a triangle: a little over a right angle
_NARROWEST_RAD = 0.05


@dataclass(frozen=True, eq=False)
class Stencils:
    """Neighbours of each point, flattened into its own plane and sorted by angle."""

    indptr: IntArray  # (N + 1,)
    indices: IntArray  # (E,)
    # (E, 2) where the neighbour lies in the point's plane: along its level axis, and up its slope (north where level)
    place_m: FloatArray
    spans: BoolArray  # (E,) whether this neighbour and the next one of the same point span a triangle


@dataclass(frozen=True, eq=False)
class Speeds:
    """How fast a front may cross each point; all (N,), m/s, in the axes of the stencils."""

    opposed: FloatArray  # against and across; 0: never
    concurrent: FloatArray  # at least so fast along ``ahead``
    ahead: FloatArray  # (N, 2) unit, level and up
    flank: FloatArray  # above 0: an ellipse with this half width, head ``concurrent`` and back ``opposed``
    # Concurrent spread that grows with the burning length below: (x_f - x_p) / t_ig, times ``rise``.
    ignition_s: FloatArray  # t_ig; inf: no such growth
    release_kw_per_m2: FloatArray
    rise: FloatArray  # share of it on this slope, 0..1
    height_m: FloatArray  # of the points


def stencils(
    points_m: FloatArray, normals: FloatArray, indptr: IntArray, indices: IntArray, length_m: FloatArray
) -> Stencils:
    """Lay the neighbours of each point into its tangent plane, at their distance along the faces."""
    count = len(points_m)
    rows = np.repeat(np.arange(count), np.diff(indptr))
    level, up = tangent_axes(normals)
    way = points_m[indices] - points_m[rows]
    x, y = np.einsum("ei,ei->e", way, level[rows]), np.einsum("ei,ei->e", way, up[rows])
    flat = np.hypot(x, y)
    scale = np.where(flat > 1e-9, length_m / np.maximum(flat, 1e-9), 0.0)
    x, y = x * scale, y * scale
    order = np.lexsort((indices, np.arctan2(y, x), rows))
    x, y, rows, indices = x[order], y[order], rows[order], indices[order]
    after = np.arange(len(rows)) + 1
    last = after == indptr[rows + 1]
    after[last] = indptr[rows[last]]
    gap = np.mod(np.arctan2(y[after], x[after]) - np.arctan2(y, x), 2.0 * np.pi)
    spans: BoolArray = (gap > _NARROWEST_RAD) & (gap < _WIDEST_RAD)
    return Stencils(indptr.astype(np.int64), indices.astype(np.int64), np.column_stack((x, y)), spans)


def tangent_axes(normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit axes (N, 3) of the planes of unit normals (N, 3): level, and up the slope; east and north if level."""
    up = np.array([0.0, 0.0, 1.0]) - normals[:, 2:3] * normals
    flat = np.linalg.norm(up, axis=1) < 0.05
    up[flat] = np.array([0.0, 1.0, 0.0]) - normals[flat, 1:2] * normals[flat]
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    return np.cross(up, normals), up


def seed_discs(
    points_m: FloatArray, normals: FloatArray, speeds: Speeds, start_s: FloatArray, radius_m: float
) -> FloatArray:
    """Start times (N,) with those of the straight way added around each start.

    Only where the speeds do not change with place or burning length, and no rim is near: there the way is straight,
    and the front does not lose its roundness on its first few steps.

    Args:
        points_m: (N, 3).
        normals: (N, 3).
        speeds: at the points.
        start_s: (N,) inf where nothing starts.
        radius_m: how far around.
    """
    from vidgen_nodes.generation.front_kernel import crossing_s

    rates = _rates(speeds)
    level, up = tangent_axes(normals)
    found: FloatArray = start_s.copy()
    for start in np.flatnonzero(np.isfinite(start_s)):
        way = points_m - points_m[start]
        near = np.flatnonzero(
            (np.einsum("ni,ni->n", way, way) <= radius_m**2)
            & (np.abs(way @ normals[start]) < 1e-6)
            & (normals @ normals[start] > 0.999)
        )
        alike = np.isinf(speeds.ignition_s[near]) & (np.abs(rates[near, :5] - rates[start, :5]) < 1e-12).all(
            axis=1
        )
        spacing_m = np.sqrt(np.sort(np.einsum("ni,ni->n", way[near], way[near]))[1:2])
        if not len(spacing_m) or not alike.all() or len(near) < 0.9 * np.pi * (radius_m / spacing_m[0]) ** 2:
            continue
        for point in near:
            along = way[point]
            there_s = crossing_s(
                float(along @ level[start]),
                float(along @ up[start]),
                rates[start],
                float(speeds.concurrent[start]),
            )
            found[point] = min(found[point], start_s[start] + there_s)
    return found


def _rates(speeds: Speeds) -> FloatArray:
    """The columns that the compiled loops take, (N, 9)."""
    columns = (
        speeds.opposed, speeds.concurrent, speeds.ahead[:, 0], speeds.ahead[:, 1], speeds.flank,
        speeds.ignition_s, speeds.release_kw_per_m2, speeds.rise, speeds.height_m,
    )  # fmt: skip
    rates: FloatArray = np.column_stack(columns)
    return rates


def arrival_times(
    net: Stencils, speeds: Speeds, start_s: FloatArray, foot_m: FloatArray, least_run_m: float
) -> tuple[FloatArray, FloatArray, IntArray]:
    """When the front reaches each point.

    Args:
        net: of N points.
        speeds: at them.
        start_s: (N,) finite where it starts; inf elsewhere.
        foot_m: (N,) height at which burning began below each start, for concurrent growth.
        least_run_m: burning length that a start has.

    Returns:
        Time (N,) in seconds, inf where it never comes; height (N,) of the foot of the burning run below; and the
        point (N,) it came from, -1 for starts and for points never reached.
    """
    from vidgen_nodes.generation.front_kernel import run_front  # numba: only a spreading fire needs it

    return run_front(
        net.indptr,
        net.indices,
        net.place_m,
        net.spans,
        _rates(speeds),
        start_s.astype(np.float64),
        foot_m.astype(np.float64),
        least_run_m,
    )
