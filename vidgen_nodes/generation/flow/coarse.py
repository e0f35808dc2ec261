# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Coarse levels of the pressure: one cycle through them takes away what the cells of a box see only together.

Each level is smoothed by two weighted Jacobi steps on the way down and the same two, in opposite order, on the way up
(the weights are those of a Chebyshev polynomial on the upper three quarters of the spectrum), so a cycle is
symmetric; the last level is solved by its inverse. Guarantees the same bytes for the same numbers on one machine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.generation.flow.blocks import Lumps, coarser, parts_of
from vidgen_nodes.generation.flow.domain import IndexArray
from vidgen_nodes.packets import Float32Array

_MOST_DENSE = 450  # lumps that are solved by their inverse: 0.8 MB, 0.02 ms
# 1 / (1.25 +- 0.75 cos(pi / 4)): Chebyshev's roots on [0.5, 2], as the eigenvalues over the diagonal are below 2.
_FIRST, _SECOND = 1.0 / (1.25 + 0.75 * 0.5**0.5), 1.0 / (1.25 - 0.75 * 0.5**0.5)


class Level(NamedTuple):
    """Numbers of one level; flat arrays of its ``Places``."""

    given: Float32Array
    found: Float32Array
    spare: Float32Array
    weight: Float32Array  # the matrix's diagonal
    inverse: Float32Array  # of it; 0 where there is no lump
    low_z: Float32Array  # conductance to the place before it along z
    low_y: Float32Array
    low_x: Float32Array
    one: IndexArray  # links that are not between places
    other: IndexArray
    link: Float32Array
    own: IndexArray  # lumps that the next level has too
    up: IndexArray  # where in it
    first: int
    step_z: int
    step_y: int


class Coarse:
    """The levels above the cells.

    Args:
        lumps: the finest of them.
    """

    def __init__(self, lumps: Lumps) -> None:
        self._levels: list[Level] = []
        while len(lumps) > _MOST_DENSE:
            above, to = coarser(lumps)
            kept = to >= 0
            self._levels.append(_level(lumps, lumps.index[kept], above.index[to[kept]]))
            lumps = above
        self._last = lumps.index
        self._inverse = _inverse(lumps)
        size = lumps.places.size
        self._given, self._found = np.zeros(size, np.float32), np.zeros(size, np.float32)

    @property
    def given(self) -> Float32Array:
        """Where the right side of the finest level goes."""
        return self._levels[0].given if self._levels else self._given

    def cycle(self) -> Float32Array:
        """What answers ``given``, to some digits; a linear and symmetric function of it."""
        for number, level in enumerate(self._levels):
            _down(level, self._levels[number + 1].given if number + 1 < len(self._levels) else self._given)
        self._found[self._last] = self._inverse @ self._given[self._last]
        answer = self._found
        for level in reversed(self._levels):
            _up(level, answer)
            answer = level.found
        return answer


def _level(lumps: Lumps, own: IndexArray, up: IndexArray) -> Level:
    places = lumps.places
    weight, low = np.zeros(places.size), np.zeros((3, places.size))
    links, rims = lumps.conductance()
    one, other = lumps.index[lumps.one], lumps.index[lumps.other]
    np.add.at(weight, one, links)
    np.add.at(weight, other, links)
    np.add.at(weight, lumps.index[lumps.rim], rims)
    beside = (one < places.end) & (other < places.end)  # both are their blocks' own: they stand side by side
    low[lumps.axis[beside], other[beside]] = links[beside]
    inverse = np.where(weight > 0.0, 1.0 / np.where(weight > 0.0, weight, 1.0), 0.0)
    given, found, spare = (np.zeros(places.size, np.float32) for _ in range(3))
    low_z, low_y, low_x = low.astype(np.float32)
    return Level(
        given, found, spare, weight.astype(np.float32), inverse.astype(np.float32), low_z, low_y, low_x,
        one[~beside], other[~beside], links[~beside].astype(np.float32), own, up, places.first, *places.strides[:2],
    )  # fmt: skip


def _inverse(lumps: Lumps) -> Float32Array:
    """Of the matrix of all lumps; where nothing pins a pressure its mean is pinned."""
    count = len(lumps)
    if count == 0:
        return np.zeros((0, 0), np.float32)
    links, rims = lumps.conductance()
    matrix = np.zeros((count, count))
    matrix[lumps.one, lumps.other] = matrix[lumps.other, lumps.one] = -links
    matrix[np.diag_indices(count)] = -matrix.sum(axis=1)
    np.add.at(matrix, (lumps.rim, lumps.rim), rims)
    parts, label = parts_of(count, lumps.one, lumps.other)
    pinned = np.zeros(parts, bool)
    pinned[label[lumps.rim]] = True
    for part in np.flatnonzero(~pinned):
        members = np.flatnonzero(label == part)
        matrix[np.ix_(members, members)] += matrix[members, members].mean() / len(members)
    inverse = np.linalg.inv(matrix)
    return np.asarray(0.5 * (inverse + inverse.T), np.float32)


@compiled
def _both(values: Any, first: Any, end: Any, step: Any) -> Any:
    """What stands one step before and one after every place."""
    return values[first - step : end - step], values[first + step : end + step]


@compiled
def _step(level: Any, into: Any, before: Any, share: Any) -> None:
    """One weighted Jacobi step from ``before``."""
    first, end, z, y = level.first, len(before) - level.first, level.step_z, level.step_y
    kept = np.float32(1.0) - share
    out, own, given, inverse = (
        into[first:end],
        before[first:end],
        level.given[first:end],
        level.inverse[first:end],
    )
    (z0, z1), (y0, y1), (x0, x1) = (
        _both(before, first, end, z), _both(before, first, end, y), _both(before, first, end, 1)
    )  # fmt: skip
    cz0, cz1 = level.low_z[first:end], level.low_z[first + z : end + z]
    cy0, cy1 = level.low_y[first:end], level.low_y[first + y : end + y]
    cx0, cx1 = level.low_x[first:end], level.low_x[first + 1 : end + 1]
    for i in range(end - first):
        upright = (cz0[i] * z0[i] + cz1[i] * z1[i]) + (cy0[i] * y0[i] + cy1[i] * y1[i])
        beside = upright + (cx0[i] * x0[i] + cx1[i] * x1[i])
        out[i] = kept * own[i] + share * (inverse[i] * (given[i] + beside))
    for n in range(len(level.link)):
        one, other = level.one[n], level.other[n]
        into[one] += share * (level.inverse[one] * (level.link[n] * before[other]))
        into[other] += share * (level.inverse[other] * (level.link[n] * before[one]))


@compiled
def _down(level: Any, above: Any) -> None:
    """Smooth from nothing, leave the answer in ``spare`` and put what is left of the right side above."""
    first, second = np.float32(_FIRST), np.float32(_SECOND)
    found, spare, given = level.found, level.spare, level.given
    for i in range(len(given)):
        found[i] = first * (level.inverse[i] * given[i])
    _step(level, spare, found, second)
    _step(level, found, spare, np.float32(1.0))  # what is left is the diagonal times what this would change
    above[:] = np.float32(0.0)
    own, up = level.own, level.up
    for n in range(len(own)):
        i = own[n]
        above[up[n]] += level.weight[i] * (found[i] - spare[i])


@compiled
def _up(level: Any, answer: Any) -> None:
    """Add the answer from above to ``spare``, and smooth; ends in ``found``."""
    own, up = level.own, level.up
    for n in range(len(own)):
        level.spare[own[n]] += answer[up[n]]
    _step(level, level.found, level.spare, np.float32(_SECOND))
    level.spare[:] = level.found
    _step(level, level.found, level.spare, np.float32(_FIRST))
