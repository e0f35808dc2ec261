# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled loops of ``fast_marching.py``: speeds by direction, the update, the heap.

Guarantees what that module says. Leaves out checks: it takes what ``fast_marching.py`` made.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import BoolArray, FloatArray

_Index = npt.NDArray[np.int64]
FLAME_LENGTH = 0.067  # x_f = 0.067 Q'^(2/3) m, Q' in kW/m (physics.md 2; Delichatsios)
FASTEST_MPS = 0.1  # turbulent upward spread on wood and plastics is not reported faster
_GOLDEN = 0.6180339887498949
_STEPS = 18  # of the golden section: 2e-4 of an edge
_GAIN = 1e-6  # relative; a smaller improvement is not worth going on for
# Columns of the rates of a point.
OPPOSED, CONCURRENT, AHEAD_LEVEL, AHEAD_UP, FLANK, IGNITION_S, RELEASE, RISE, HEIGHT_M = range(9)


@compiled
def concurrent_mps(
    release_kw_per_m2: float, ignition_s: float, run_m: float, opposed: float, rise: float
) -> float:
    """(x_f - x_p) / t_ig of a burning length x_p, between the opposed rate and the fastest that is reported."""
    flame_m = FLAME_LENGTH * (release_kw_per_m2 * run_m) ** (2.0 / 3.0)
    speed = rise * (flame_m - run_m) / ignition_s
    return float(min(max(speed, opposed), FASTEST_MPS))


@compiled
def crossing_s(level_m: float, up_m: float, rates: FloatArray, fast: float) -> float:
    """Time to go (level, up) at the rates (9,) of one point: the gauge of its convex set of velocities."""
    along = level_m * rates[AHEAD_LEVEL] + up_m * rates[AHEAD_UP]
    across = abs(up_m * rates[AHEAD_LEVEL] - level_m * rates[AHEAD_UP])
    opposed, flank = rates[OPPOSED], rates[FLANK]
    if flank > 0.0:
        half, shift = 0.5 * (fast + opposed), 0.5 * (fast - opposed)
        lag = along * shift / half**2
        rest = 1.0 - (shift / half) ** 2
        size = (along / half) ** 2 + (across / flank) ** 2
        return float((np.sqrt(lag * lag + rest * size) - lag) / rest)
    if fast > opposed:
        slant = np.sqrt(1.0 / opposed**2 - 1.0 / fast**2)
        if along * slant * fast >= across:
            return float(slant * across + along / fast)
    return float(np.sqrt(along * along + across * across) / opposed)


@compiled
def _through(
    share: float,
    times_s: tuple[float, float],
    a_m: FloatArray,
    b_m: FloatArray,
    rates: FloatArray,
    fast: float,
) -> float:
    """Arrival by way of the point that lies ``share`` of the way from a to b; places seen from the target."""
    level_m, up_m = a_m[0] + share * (b_m[0] - a_m[0]), a_m[1] + share * (b_m[1] - a_m[1])
    start_s = times_s[0] + share * (times_s[1] - times_s[0])
    return start_s + crossing_s(-level_m, -up_m, rates, fast)


@compiled
def _best_through(
    times_s: tuple[float, float], a_m: FloatArray, b_m: FloatArray, rates: FloatArray, fast: float
) -> float:
    """The least of ``_through`` over the edge, which is convex in ``share``: golden section."""
    low, high = 0.0, 1.0
    c, d = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_c = _through(c, times_s, a_m, b_m, rates, fast)
    at_d = _through(d, times_s, a_m, b_m, rates, fast)
    for _ in range(_STEPS):
        if at_c < at_d:
            high, d, at_d = d, c, at_c
            c = high - _GOLDEN * (high - low)
            at_c = _through(c, times_s, a_m, b_m, rates, fast)
        else:
            low, c, at_c = c, d, at_d
            d = low + _GOLDEN * (high - low)
            at_d = _through(d, times_s, a_m, b_m, rates, fast)
    return min(at_c, at_d)


@compiled
def _earlier(times_s: FloatArray, points: _Index, a: int, b: int) -> bool:
    """Whether entry a of the heap comes before entry b; ties go to the smaller point."""
    return bool(times_s[a] < times_s[b] or (times_s[a] == times_s[b] and points[a] < points[b]))


@compiled
def _swap(times_s: FloatArray, points: _Index, a: int, b: int) -> None:
    times_s[a], times_s[b] = times_s[b], times_s[a]
    points[a], points[b] = points[b], points[a]


@compiled
def _rise(times_s: FloatArray, points: _Index, size: int) -> None:
    """Move the last entry of the heap up to its place."""
    child = size - 1
    while child > 0:
        parent = (child - 1) >> 1
        if not _earlier(times_s, points, child, parent):
            break
        _swap(times_s, points, child, parent)
        child = parent


@compiled
def _close_gap(times_s: FloatArray, points: _Index, size: int) -> None:
    """Put the last entry in place of the first, which was taken, and move it down; ``size`` is what is left."""
    times_s[0], points[0] = times_s[size], points[size]
    parent = 0
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        if child + 1 < size and _earlier(times_s, points, child + 1, child):
            child += 1
        if not _earlier(times_s, points, child, parent):
            break
        _swap(times_s, points, child, parent)
        parent = child


@compiled
def _reach(
    here: int,
    there: int,
    indptr: _Index,
    indices: _Index,
    place_m: FloatArray,
    spans: BoolArray,
    rates: FloatArray,
    time_s: FloatArray,
    fast: float,
) -> float:
    """Arrival at ``there`` by the edge from ``here`` and by the triangles beside it."""
    first, past = indptr[there], indptr[there + 1]
    back = first
    while indices[back] != here:
        back += 1
    own = rates[there]
    best_s = time_s[here] + crossing_s(-place_m[back, 0], -place_m[back, 1], own, fast)
    before = back - 1 if back > first else past - 1
    after = back + 1 if back + 1 < past else first
    if spans[back] and time_s[indices[after]] < np.inf:
        ends_s = (time_s[here], time_s[indices[after]])
        best_s = min(best_s, _best_through(ends_s, place_m[back], place_m[after], own, fast))
    if spans[before] and time_s[indices[before]] < np.inf:
        ends_s = (time_s[here], time_s[indices[before]])
        best_s = min(best_s, _best_through(ends_s, place_m[back], place_m[before], own, fast))
    return float(max(best_s, time_s[here]))


@compiled
def run_front(
    indptr: _Index,
    indices: _Index,
    place_m: FloatArray,
    spans: BoolArray,
    rates: FloatArray,
    start_s: FloatArray,
    start_foot_m: FloatArray,
    least_run_m: float,
) -> tuple[FloatArray, FloatArray, _Index]:
    """Times, feet and origins (N,) as ``arrival_times`` says."""
    count = len(start_s)
    time_s, foot_m = start_s.copy(), start_foot_m.copy()
    origin = np.full(count, -1, np.int64)
    heap_s, heap = np.empty(4 * count + 16, np.float64), np.empty(4 * count + 16, np.int64)
    size = 0
    for point in range(count):
        if np.isfinite(start_s[point]) and rates[point, OPPOSED] > 0.0:
            heap_s[size], heap[size] = start_s[point], point
            size += 1
            _rise(heap_s, heap, size)
        else:
            time_s[point] = np.inf
    while size > 0:
        now_s, here = heap_s[0], heap[0]
        size -= 1
        _close_gap(heap_s, heap, size)
        if now_s > time_s[here]:
            continue  # it came earlier by another way
        for there in indices[indptr[here] : indptr[here + 1]]:
            slow, ignition_s = rates[there, OPPOSED], rates[there, IGNITION_S]
            if slow <= 0.0 or time_s[there] <= now_s:
                continue
            run_m = max(rates[there, HEIGHT_M] - foot_m[here], least_run_m)
            fast = concurrent_mps(rates[there, RELEASE], ignition_s, run_m, slow, rates[there, RISE])
            fast = max(rates[there, CONCURRENT], fast)
            found_s = _reach(here, there, indptr, indices, place_m, spans, rates, time_s, fast)
            if found_s >= time_s[there] * (1.0 - _GAIN):
                continue
            time_s[there], foot_m[there], origin[there] = found_s, foot_m[here], here
            if size == len(heap):
                heap_s = np.append(heap_s, np.empty(size, np.float64))
                heap = np.append(heap, np.empty(size, np.int64))
            heap_s[size], heap[size] = found_s, there
            size += 1
            _rise(heap_s, heap, size)
    return time_s, foot_m, origin
