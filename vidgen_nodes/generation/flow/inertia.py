# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Momentum carried together with the mass it belongs to, one axis at a time.

Guarantees that momentum (density times speed) only moves: what one box loses, its neighbour gains, however
much lighter the one is than the other; hot gas that mixes into cold air slows down by its little mass. Carried
without its mass, a flame's speed would set heavier air in motion for nothing. A uniform speed stays uniform
whatever the densities. The flux of mass is that of the heat (``transport.py``), that of speed Fromm's; valid for
at most one cell a step along each axis. Leaves out forces, and the density itself: what is kept of it here lasts
for one step, the next takes it from the heat. That is why both must take one flux: with mass carried upwind, the
density that the heat left was another than the one the momentum came with, and a plume lost a sixth of what
lifts it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.generation.flow.arena import Arena
from vidgen_nodes.packets import Float32Array

Pair = tuple[Float32Array, Float32Array, Float32Array]  # speed, mass and room of every box

# Share of a box's mass that must be left after a sweep; a box that would lose more keeps its speed instead.
LEAST_LEFT = 0.05
_BLOCK = 512  # cells of a row at once: the column of rows that a sweep works on stays in the cache


@njit(cache=True, error_model="numpy", nogil=True)
def _along(
    q: Any, mass: Any, room: Any, speed: Any, scale: Any, low: Any, high: Any, wraps: Any, first: Any,
    out: Any, mass_out: Any, room_out: Any,
) -> None:  # fmt: skip
    """One sweep along the last axis; arrays (lines, n), speed (lines, n + 1), low and high (lines,).

    Fromm's flux of the speed, limited as ``transport._flux`` that of the mass: written out in both sweeps, for a
    call in the loop costs more than both.
    """
    lines, n = q.shape
    one, quarter, none = np.float32(1.0), np.float32(0.25), np.float32(0.0)
    half, two = np.float32(0.5), np.float32(2.0)
    least = np.float32(LEAST_LEFT)
    padded = np.empty(n + 4, np.float32)
    dense = np.empty(n + 4, np.float32)
    carried = np.empty(n + 1, np.float32)
    moved = np.empty(n + 1, np.float32)
    for line in range(lines):
        for i in range(n):
            padded[i + 2] = q[line, i]
            dense[i + 2] = mass[line, i] if first else mass[line, i] / room[line, i]
        if wraps:
            padded[0], padded[1] = q[line, (n - 2) % n], q[line, n - 1]
            padded[n + 2], padded[n + 3] = q[line, 0], q[line, 1 % n]
            dense[0], dense[1] = dense[2 + (n - 2) % n], dense[n + 1]
            dense[n + 2], dense[n + 3] = dense[2], dense[2 + 1 % n]
        else:
            padded[0] = padded[1] = low[line]
            padded[n + 2] = padded[n + 3] = high[line]
            dense[0] = dense[1] = dense[n + 2] = dense[n + 3] = one
        for i in range(n + 1):
            a, b, d, e = padded[i], padded[i + 1], padded[i + 2], padded[i + 3]
            c = scale * speed[line, i]
            forward = c > none
            last, following = b - a, e - d
            far = last if forward else following
            upwind, along = (b, one) if forward else (d, -one)
            reach = along * (one - abs(c))
            value = upwind + reach * (quarter * ((d - b) + far))
            a, b, d, e = dense[i], dense[i + 1], dense[i + 2], dense[i + 3]
            near = d - b
            last, following = b - a, e - d
            far = last if forward else following
            steep = two * min(abs(near), abs(far))
            steep = steep if near * far > none else none
            slope = max(-steep, min(steep, half * (near + far)))
            taken = c * ((b if forward else d) + half * reach * slope)
            moved[i] = taken
            carried[i] = taken * value
        for i in range(n):
            had = mass[line, i]
            own = padded[i + 2]
            size = (one if first else room[line, i]) - scale * (speed[line, i + 1] - speed[line, i])
            left = had - (moved[i + 1] - moved[i])
            found = (had * own - (carried[i + 1] - carried[i])) / left
            floor = least * max(size, least)
            enough = left > floor
            out[line, i] = found if enough else own
            mass_out[line, i] = left if enough else floor
            room_out[line, i] = size


@njit(cache=True, error_model="numpy", nogil=True)
def _across(  # noqa: C901 (a kernel: calls between its rows would cost more than they say)
    q: Any, mass: Any, room: Any, speed: Any, scale: Any, low: Any, high: Any, wraps: Any, first: Any,
    out: Any, mass_out: Any, room_out: Any,
) -> None:  # fmt: skip
    """One sweep along the middle axis; arrays (outer, n, inner), speed (outer, n + 1, inner), low (outer, inner)."""
    outer, n, inner = q.shape
    one, quarter, none = np.float32(1.0), np.float32(0.25), np.float32(0.0)
    half, two = np.float32(0.5), np.float32(2.0)
    least = np.float32(LEAST_LEFT)
    size = min(inner, _BLOCK)
    # One column of rows, with what lies beyond its ends: short loops over it are made into vectors.
    padded = np.empty((n + 4, size), np.float32)
    dense = np.empty((n + 4, size), np.float32)
    carried, moved = np.empty((n + 1, size), np.float32), np.empty((n + 1, size), np.float32)
    for block in range(outer * ((inner + size - 1) // size)):
        o, start = block % outer, block // outer * size
        end = min(start + size, inner)
        count = end - start
        for m in range(n):
            own, had, space = q[o, m, start:end], mass[o, m, start:end], room[o, m, start:end]
            for i in range(count):
                padded[m + 2, i] = own[i]
            if first:
                for i in range(count):
                    dense[m + 2, i] = had[i]
            else:
                for i in range(count):
                    dense[m + 2, i] = had[i] / space[i]
        below, above = low[o, start:end], high[o, start:end]
        for i in range(count):
            if wraps:
                padded[0, i], padded[1, i] = padded[2 + (n - 2) % n, i], padded[n + 1, i]
                padded[n + 2, i], padded[n + 3, i] = padded[2, i], padded[2 + 1 % n, i]
                dense[0, i], dense[1, i] = dense[2 + (n - 2) % n, i], dense[n + 1, i]
                dense[n + 2, i], dense[n + 3, i] = dense[2, i], dense[2 + 1 % n, i]
            else:
                padded[0, i] = padded[1, i] = below[i]
                padded[n + 2, i] = padded[n + 3, i] = above[i]
                dense[0, i] = dense[1, i] = dense[n + 2, i] = dense[n + 3, i] = one
        for m in range(n + 1):
            s = speed[o, m, start:end]
            for i in range(count):
                c = scale * s[i]
                forward = c > none
                a, b, d, e = padded[m, i], padded[m + 1, i], padded[m + 2, i], padded[m + 3, i]
                last, following = b - a, e - d
                far = last if forward else following
                upwind, along = (b, one) if forward else (d, -one)
                reach = along * (one - abs(c))
                value = upwind + reach * (quarter * ((d - b) + far))
                a, b, d, e = dense[m, i], dense[m + 1, i], dense[m + 2, i], dense[m + 3, i]
                near = d - b
                last, following = b - a, e - d
                far = last if forward else following
                steep = two * min(abs(near), abs(far))
                steep = steep if near * far > none else none
                slope = max(-steep, min(steep, half * (near + far)))
                taken = c * ((b if forward else d) + half * reach * slope)
                moved[m, i] = taken
                carried[m, i] = taken * value
        for m in range(n):
            had, space = mass[o, m, start:end], room[o, m, start:end]
            s0, s = speed[o, m, start:end], speed[o, m + 1, start:end]
            to, to_mass, to_room = out[o, m, start:end], mass_out[o, m, start:end], room_out[o, m, start:end]
            if first:
                for i in range(count):
                    to_room[i] = one - scale * (s[i] - s0[i])
            else:
                for i in range(count):
                    to_room[i] = space[i] - scale * (s[i] - s0[i])
            for i in range(count):
                own_i = padded[m + 2, i]
                left = had[i] - (moved[m + 1, i] - moved[m, i])
                found = (had[i] * own_i - (carried[m + 1, i] - carried[m, i])) / left
                floor = least * max(to_room[i], least)
                enough = left > floor
                to[i] = found if enough else own_i
                to_mass[i] = left if enough else floor


def pairs_for(shape: tuple[int, ...], arena: Arena) -> tuple[Pair, Pair]:
    """Room for what two sweeps make of boxes of one shape."""
    first, second = ((arena.empty(shape), arena.empty(shape), arena.empty(shape)) for _ in range(2))
    return first, second


def carry_momentum(
    speed_mps: Float32Array,
    density: Float32Array,
    by: tuple[Float32Array, Float32Array, Float32Array],
    scale: float,
    ends: tuple[Float32Array, ...],
    wraps: tuple[bool, bool, bool],
    pairs: tuple[Pair, Pair],
    *,
    upward: bool,
) -> tuple[Float32Array, Float32Array]:
    """One component of the speed after one step, and the density that came with it.

    Args:
        speed_mps: (nz, ny, nx) on boxes around its faces.
        density: of the air in those boxes, over that of the air around; above 0.
        by: speeds on the borders of the boxes across z, y, x; one longer along their axis.
        scale: step over cell width, so that speed times it is a share of a cell, at most 1.
        ends: speed that enters through floor, ceiling, south, north, west, east (planes); as dense as ambient air.
        wraps: which axes are periodic.
        pairs: where results go; what is given may be the result of an earlier call with the same ones.
        upward: z, y, x in this order, otherwise x, y, z; alternate it from step to step.
    """
    factor = np.float32(scale)
    nz, ny, nx = speed_mps.shape
    q, mass, room = speed_mps, density, density
    turn = 1 if speed_mps is pairs[0][0] else 0
    for stage, axis in enumerate((0, 1, 2) if upward else (2, 1, 0)):
        out, mass_out, room_out = pairs[(stage + turn) % 2]
        # One axis as (what lies outside it, along it, inside it).
        cells = {0: (1, nz, ny * nx), 1: (nz, ny, nx), 2: (nz * ny, nx)}[axis]
        faces = tuple(count + (1 if place == 1 else 0) for place, count in enumerate(cells))
        plane = (cells[0], *cells[2:])
        given = (q.reshape(cells), mass.reshape(cells), room.reshape(cells), by[axis].reshape(faces), factor)
        how = (ends[2 * axis].reshape(plane), ends[2 * axis + 1].reshape(plane), wraps[axis], stage == 0)
        made = (out.reshape(cells), mass_out.reshape(cells), room_out.reshape(cells))
        if axis == 2:
            _along(*given, *how, *made)
        else:
            _across(*given, *how, *made)
        q, mass, room = out, mass_out, room_out
    return q, mass
