# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the air carries, one axis at a time: a second-order flux with a limiter, in conservation form.

The flux is Fromm's (1968): the mean of MacCormack's (forward and backward differences in turn, which for a
linear flux is Lax and Wendroff's) and of its upwind twin (Warming & Beam 1976), whose errors point opposite
ways. Heat and soot take it limited (monotonised central, van Leer 1977), so that nothing leaves the range of
its neighbours; speeds take it as it is (``inertia.py``). The axes are taken one after another, and the air that each of
them leaves in a cell is carried along (Easter 1993): a uniform content stays uniform, and the sum over the
box changes only by what crosses its border. Valid for at most one cell a step along each axis. Leaves out
the choice of steps (``momentum.py``, ``smoke.py``) and everything that is not transport.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.packets import Float32Array


@njit(cache=True, inline="always", error_model="numpy", nogil=True)
def _flux(courant: Any, a: Any, b: Any, d: Any, e: Any, limited: Any) -> Any:
    """Flux through the face between b and d; a and e lie beyond them."""
    half = np.float32(0.5)
    forward = courant > np.float32(0.0)
    near = d - b
    far = b - a if forward else e - d
    upwind = b if forward else d
    size = courant if forward else -courant
    slope = half * (near + far)
    if limited:
        low, high = abs(near), abs(far)
        least = min(high, low)
        most = least + least if near * far > np.float32(0.0) else np.float32(0.0)
        slope = min(most, slope)
        slope = max(-most, slope)
    along = slope if forward else -slope
    return courant * (upwind + half * (np.float32(1.0) - size) * along)


@njit(cache=True, error_model="numpy", nogil=True)
def _along(
    q: Any, air: Any, speed: Any, scale: Any, low: Any, high: Any, wraps: Any, limited: Any, stage: Any,
    out: Any, air_out: Any, through: Any,
) -> None:  # fmt: skip
    """One sweep along the last axis; arrays (lines, n), speed (lines, n + 1), low and high (lines,)."""
    lines, n = q.shape
    padded = np.empty(n + 4, np.float32)
    flux = np.empty(n + 1, np.float32)
    one = np.float32(1.0)
    for line in range(lines):
        for i in range(n):
            padded[i + 2] = q[line, i]
        if wraps:
            padded[0], padded[1] = q[line, (n - 2) % n], q[line, n - 1]
            padded[n + 2], padded[n + 3] = q[line, 0], q[line, 1 % n]
        else:
            padded[0] = padded[1] = low[line]
            padded[n + 2] = padded[n + 3] = high[line]
        for i in range(n + 1):
            flux[i] = _flux(
                scale * speed[line, i], padded[i], padded[i + 1], padded[i + 2], padded[i + 3], limited
            )
        through[0] += flux[0]
        through[1] += flux[n]
        if stage == 0:
            for i in range(n):
                left = one - scale * (speed[line, i + 1] - speed[line, i])
                air_out[line, i] = left
                out[line, i] = (q[line, i] - (flux[i + 1] - flux[i])) / left
        elif stage == 1:
            for i in range(n):
                had = air[line, i]
                left = had - scale * (speed[line, i + 1] - speed[line, i])
                air_out[line, i] = left
                out[line, i] = (had * q[line, i] - (flux[i + 1] - flux[i])) / left
        else:
            for i in range(n):
                out[line, i] = air[line, i] * q[line, i] - (flux[i + 1] - flux[i])


@njit(cache=True, error_model="numpy", nogil=True)
def _across(  # noqa: C901 (a kernel: calls between its rows would cost more than they say)
    q: Any, air: Any, speed: Any, scale: Any, low: Any, high: Any, wraps: Any, limited: Any, stage: Any,
    out: Any, air_out: Any, through: Any,
) -> None:  # fmt: skip
    """One sweep along the middle axis; arrays (outer, n, inner), speed (outer, n + 1, inner), low (outer, inner)."""
    outer, n, inner = q.shape
    one = np.float32(1.0)
    before = np.empty(inner, np.float32)
    after = np.empty(inner, np.float32)
    for o in range(outer):
        for m in range(n + 1):
            if wraps:
                a, b, d, e = q[o, (m - 2) % n], q[o, (m - 1) % n], q[o, m % n], q[o, (m + 1) % n]
            else:
                a = q[o, m - 2] if m > 1 else low[o]
                b = q[o, m - 1] if m > 0 else low[o]
                d = q[o, m] if m < n else high[o]
                e = q[o, m + 1] if m < n - 1 else high[o]
            c = speed[o, m]
            for i in range(inner):
                after[i] = _flux(scale * c[i], a[i], b[i], d[i], e[i], limited)
            if m == 0 or m == n:
                for i in range(inner):
                    through[0 if m == 0 else 1] += after[i]
            if m > 0:
                own, c0 = q[o, m - 1], speed[o, m - 1]
                to = out[o, m - 1]
                if stage == 0:
                    to_air = air_out[o, m - 1]
                    for i in range(inner):
                        left = one - scale * (c[i] - c0[i])
                        to_air[i] = left
                        to[i] = (own[i] - (after[i] - before[i])) / left
                elif stage == 1:
                    had_row, to_air = air[o, m - 1], air_out[o, m - 1]
                    for i in range(inner):
                        had = had_row[i]
                        left = had - scale * (c[i] - c0[i])
                        to_air[i] = left
                        to[i] = (had * own[i] - (after[i] - before[i])) / left
                else:
                    had_row = air[o, m - 1]
                    for i in range(inner):
                        to[i] = had_row[i] * own[i] - (after[i] - before[i])
            before, after = after, before


def carry(
    content: Float32Array,
    speeds: tuple[Float32Array, Float32Array, Float32Array],
    scale: float,
    ends: tuple[Float32Array, ...],
    wraps: tuple[bool, bool, bool],
    *,
    upward: bool,
    limited: bool = True,
    rooms: tuple[Float32Array, ...] | None = None,
) -> tuple[Float32Array, float]:
    """Content after one step, and how much of it (per cell volume) came in over the border.

    Args:
        content: (nz, ny, nx) per volume of air.
        speeds: on the faces across z, y, x; one longer along their axis.
        scale: step over cell width, so that speed times it is a share of a cell, at most 1.
        ends: content that enters through floor, ceiling, south, north, west, east (planes).
        wraps: which axes are periodic.
        upward: z, y, x in this order, otherwise x, y, z; alternate it from step to step.
        limited: keep what is carried within the range of its neighbours.
        rooms: four arrays for what is made meanwhile, the result in one of them; what is given may be the result of
            an earlier call with the same ones. None: fresh ones.
    """
    factor = np.float32(scale)
    first, second, air, air_spare = rooms or tuple(np.empty_like(content) for _ in range(4))
    order = (0, 1, 2) if upward else (2, 1, 0)
    q, entered = content, 0.0
    through = np.zeros(2, dtype=np.float64)
    for stage, axis in enumerate(order):
        out = second if q is first else first
        through[:] = 0.0
        given = (q, air, speeds[axis], factor, ends[2 * axis], ends[2 * axis + 1])
        _sweep(
            axis,
            given,
            (wraps[axis], limited),
            stage,
            (out, air_spare, through),
        )
        entered += float(through[0] - through[1])
        q = out
        air, air_spare = air_spare, air
    return q, entered


def _sweep(
    axis: int, given: tuple[Any, ...], how: tuple[bool, bool], stage: int, made: tuple[Any, ...]
) -> None:
    out, air_out, through = made
    q, air, speed, scale, low, high = given
    nz, ny, nx = q.shape
    # One axis as (what lies outside it, along it, inside it).
    cells = {0: (1, nz, ny * nx), 1: (nz, ny, nx), 2: (nz * ny, nx)}[axis]
    faces = tuple(count + (1 if place == 1 else 0) for place, count in enumerate(cells))
    plane = (cells[0], *cells[2:])
    shaped = (q.reshape(cells), air.reshape(cells), speed.reshape(faces), scale, low.reshape(plane))
    made_of = (high.reshape(plane), *how, stage, out.reshape(cells), air_out.reshape(cells), through)
    if axis == 2:
        _along(*shaped, *made_of)
    else:
        _across(*shaped, *made_of)
