# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The bent line that a jet follows in wind, and the way that steam takes along it to a place beside it.

A jet widens along its line and keeps its shape: what is now at a place came from the mouth at the same share of the
jet's radius off the line. Guarantees that such a way begins at the mouth and ends at the place. Leaves out what bends
the line (``generation.wind.jet``) and what stands in the way (``scene.leak_reach``, ``scene.leak_rule``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from vidgen_nodes.packets import FloatArray

NODES = 13  # of a way; straight between them
_TIGHTER = 1.5  # nodes lie closer at the mouth, where a jet bends most


@dataclass(frozen=True, slots=True, eq=False)
class JetAxis:
    """A line of stations from the mouth on; at least two, none on top of another.

    Args:
        points_m: (k, 3) in map.
        radius_m: (k,) of the jet there.
    """

    points_m: FloatArray
    radius_m: FloatArray

    def along_m(self) -> FloatArray:
        """Way (k,) from the mouth to each station."""
        return np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(self.points_m, axis=0), axis=1))))

    def nearest(self, places_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Stations (n,), with fractions, whose point of the line is nearest to places (n, 3), and its distance."""
        if not len(places_m):
            return np.zeros(0), np.zeros(0)
        _, vertex = cKDTree(self.points_m).query(places_m)
        best, station = np.full(len(places_m), np.inf), np.zeros(len(places_m))
        for before in (-1, 0):
            first = np.clip(vertex + before, 0, len(self.points_m) - 2)
            way = self.points_m[first + 1] - self.points_m[first]
            off = places_m - self.points_m[first]
            share = np.clip((off * way).sum(axis=1) / (way * way).sum(axis=1), 0.0, 1.0)
            away = np.linalg.norm(off - share[:, None] * way, axis=1)
            nearer = away < best
            best, station = np.where(nearer, away, best), np.where(nearer, first + share, station)
        return station, best

    def at(self, station: FloatArray, values: FloatArray) -> FloatArray:
        """Values (k, ...) of the stations at stations with fractions, any shape."""
        first = np.clip(np.floor(station).astype(np.int64), 0, len(values) - 2)
        share = (station - first).reshape(*station.shape, *(1,) * (values.ndim - 1))
        return np.asarray(values[first] + share * (values[first + 1] - values[first]))

    def is_before(self, places_m: FloatArray) -> FloatArray:
        """How far (n,) places (n, 3) lie before the plane of the mouth; below 0: behind it."""
        out = self.points_m[1] - self.points_m[0]
        return np.asarray((places_m - self.points_m[0]) @ (out / np.linalg.norm(out)))

    def ways_m(self, places_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Ways (n, NODES, 3) from the mouth to places (n, 3), and how much of a step of the place each node makes.

        The second (n, NODES) is the radius at the node over that at the place: 0 at the mouth, 1 at the place.
        """
        station, _ = self.nearest(places_m)
        along = self.along_m()
        end_m = self.at(station, along)
        shares = np.linspace(0.0, 1.0, NODES) ** _TIGHTER
        nodes = np.interp(end_m[:, None] * shares, along, np.arange(len(along)))
        radius = self.at(nodes, self.radius_m)
        step = radius / radius[:, -1:]
        step[:, 0] = 0.0
        tangents = np.gradient(self.points_m, axis=0)
        tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
        off = places_m - self.at(station, self.points_m)
        turned = _turned(off[:, None], self.at(station, tangents)[:, None], self.at(nodes, tangents))
        ways = self.at(nodes, self.points_m) + step[..., None] * turned
        ways[:, 0], ways[:, -1] = self.points_m[0], places_m
        return np.ascontiguousarray(ways), np.ascontiguousarray(step)


def _turned(vectors: FloatArray, before: FloatArray, after: FloatArray) -> FloatArray:
    """Vectors turned as the shortest turn takes one direction to another (Rodrigues); all (..., 3)."""
    axis = np.cross(before, after)
    cosine = (before * after).sum(axis=-1, keepdims=True)
    along = (axis * vectors).sum(axis=-1, keepdims=True) / np.maximum(1.0 + cosine, 1e-6)
    return np.asarray(cosine * vectors + np.cross(axis, vectors) + along * axis)
