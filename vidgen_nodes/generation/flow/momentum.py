# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The air's own momentum: carried, rubbed and lifted, before the pressure acts.

Guarantees that momentum is carried with its mass (``inertia.py``) on boxes shifted by half a cell, whose air is
conserved because it is the mean of two cells'. Leaves out the pressure (``projection.py``) and what solid
surfaces do to it (``walls.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from vidgen_nodes.generation.fire import GRAVITY_MPS2
from vidgen_nodes.generation.flow.arena import Arena
from vidgen_nodes.generation.flow.domain import PERIODIC, Domain
from vidgen_nodes.generation.flow.inertia import carry_momentum, pairs_for
from vidgen_nodes.packets import Float32Array

Velocity = tuple[Float32Array, Float32Array, Float32Array]  # on the faces across z, y, x; m/s


def carried(
    velocity: Velocity,
    light: Float32Array,
    by: Velocity,
    domain: Domain,
    scale: float,
    parts: int,
    arena: Arena,
    *,
    upward: bool,
) -> Velocity:
    """A velocity carried by another one, with the mass it belongs to.

    Args:
        velocity: what is carried.
        light: (nz, ny, nx) share below 1 by which the air is lighter than that around.
        by: what carries it; free of divergence.
        domain: where.
        scale: whole step over cell width.
        parts: how many sweeps over all axes it is cut into; each moves the air by less than a cell.
        arena: holds the result.
        upward: order of the axes of the first part.
    """
    wraps = tuple(low == PERIODIC for low, _ in domain.kinds)
    outside_mps = (0.0, domain.wind_mps[1], domain.wind_mps[0])
    found = []
    for axis, own in enumerate(velocity):
        z, y, x = (_speed_beside(by, axis, across, wraps[axis], arena) for across in range(3))
        # A periodic axis has its first face twice: the second is not carried.
        content = own if not wraps[axis] else _without_last(own, axis)
        density = _density_beside(light, axis, wraps[axis], arena)
        ends, pairs = _still_ends(content, outside_mps[axis]), pairs_for(content.shape, arena)
        for part in range(parts):
            content, density = carry_momentum(
                content,
                density,
                (z, y, x),
                scale / parts,
                _ends(content, axis, ends),
                wraps,  # type: ignore[arg-type]
                pairs,
                upward=upward == (part % 2 == 0),
            )
        found.append(content if not wraps[axis] else _with_first(content, axis))
    w, v, u = found
    return w, v, u


def _density_beside(light: Float32Array, axis: int, wraps: bool, arena: Arena) -> Float32Array:
    """Density of the boxes around the faces of an axis over that of ambient air; at a border its one cell's."""
    found = on_faces(light, axis, wraps, arena)
    return np.asarray(np.subtract(np.float32(1.0), found, out=found))


def on_faces(cells: Float32Array, axis: int, wraps: bool, arena: Arena) -> Float32Array:
    """Mean of the two cells at each face; at a border that of its one cell; a periodic axis has no last face."""
    shape = tuple(
        count + (1 if place == axis and not wraps else 0) for place, count in enumerate(cells.shape)
    )
    found = arena.empty(shape)
    nz, ny, nx = cells.shape
    if axis == 2:
        _means_along(cells.reshape(nz * ny, nx), wraps, found.reshape(nz * ny, shape[2]))
    else:  # as (what lies outside the axis, along it, inside it)
        outer, inner = ((1, ny * nx), (nz, nx))[axis]
        _means_across(cells.reshape(outer, -1, inner), wraps, found.reshape(outer, shape[axis], inner))
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def _means_along(q: Any, wraps: Any, out: Any) -> None:
    """``on_faces`` along the last axis; arrays (lines, n)."""
    lines, n = q.shape
    half = np.float32(0.5)
    for line in range(lines):
        own, to = q[line], out[line]
        for i in range(1, n):
            to[i] = half * (own[i] + own[i - 1])
        if wraps:
            to[0] = half * (own[0] + own[n - 1])
        else:
            to[0], to[n] = own[0], own[n - 1]


@njit(cache=True, error_model="numpy", nogil=True)
def _means_across(q: Any, wraps: Any, out: Any) -> None:
    """``on_faces`` along the middle axis; arrays (outer, n, inner)."""
    outer, n, inner = q.shape
    half = np.float32(0.5)
    for o in range(outer):
        first, last = q[o, 0], q[o, n - 1]
        for m in range(1, n):
            low, high, to = q[o, m - 1], q[o, m], out[o, m]
            for i in range(inner):
                to[i] = half * (high[i] + low[i])
        for i in range(inner):
            out[o, 0, i] = half * (first[i] + last[i]) if wraps else first[i]
        if not wraps:
            for i in range(inner):
                out[o, n, i] = last[i]


def _without_last(own: Float32Array, axis: int) -> Float32Array:
    return np.ascontiguousarray(np.moveaxis(np.moveaxis(own, axis, 0)[:-1], 0, axis))


def _with_first(content: Float32Array, axis: int) -> Float32Array:
    turned = np.moveaxis(content, axis, 0)
    return np.ascontiguousarray(np.moveaxis(np.concatenate((turned, turned[:1])), 0, axis))


def _speed_beside(velocity: Velocity, axis: int, across: int, wraps: bool, arena: Arena) -> Float32Array:
    """Speed across an axis on the borders of the boxes around the faces of ``axis``."""
    if across != axis:
        return on_faces(velocity[across], axis, wraps, arena)
    # From n + 1 faces to the n middles between them, and an end beyond each.
    found = on_faces(velocity[axis], axis, wraps, arena)
    if wraps:  # its first and last face are one
        turned = np.moveaxis(found, axis, 0)
        turned[0] = turned[-1]
    return found


def _still_ends(content: Float32Array, outside_mps: float) -> tuple[Float32Array, ...]:
    """What enters through each side across its own axis: the wind's speed."""
    nz, ny, nx = content.shape
    planes = (np.full(shape, outside_mps, dtype=np.float32) for shape in ((ny, nx), (nz, nx), (nz, ny)))
    return tuple(plane for plane in planes for _ in range(2))


def _ends(content: Float32Array, axis: int, across: tuple[Float32Array, ...]) -> tuple[Float32Array, ...]:
    """What enters from outside: across its own axis what it is given, along it half of its own.

    Air that a side draws in comes from rest: on its way it trades pressure for speed, -u^2 / 2 at the side
    (Bernoulli). Where it enters at half its speed, the side takes just that much pressure; were it to enter
    at its full speed, an inflow would cost nothing and run away.
    """
    planes = list(across)
    for end in (0, 1):
        edge = content[(slice(None),) * axis + (-end,)]
        inward = edge > 0.0 if end == 0 else edge < 0.0
        planes[2 * axis + end] = np.where(inward, np.float32(0.5) * edge, edge)
    return tuple(planes)


def force(
    velocity: Velocity, light: Float32Array, pressure: Float32Array, domain: Domain, time_s: float
) -> None:
    """What pressure and weight do to the air in a time, in place.

    Args:
        velocity: on the faces.
        light: (nz, ny, nx) share below 1 by which the air is lighter than that around.
        pressure: over the density of the air around, m2/s2.
        domain: where.
        time_s: for so long.
    """
    wraps = np.array([low == PERIODIC for low, _ in domain.kinds])
    push, weight = np.float32(time_s / domain.grid.cell_m), np.float32(time_s * GRAVITY_MPS2)
    _force(*velocity, pressure, light, *domain.open_faces, wraps, push, weight)


@njit(cache=True, error_model="numpy", nogil=True)
def _force(  # noqa: C901 (a kernel: one pass over the cells, borders included)
    w: Any, v: Any, u: Any, p: Any, light: Any, cz: Any, cy: Any, cx: Any, wraps: Any, push: Any, weight: Any
) -> None:
    nz, ny, nx = p.shape
    one, half, none = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    for k in range(nz):
        below = k - 1 if k > 0 else (nz - 1 if wraps[0] else 0)
        keep_z = one if k > 0 or wraps[0] else none
        for j in range(ny):
            south = j - 1 if j > 0 else (ny - 1 if wraps[1] else 0)
            keep_y = one if j > 0 or wraps[1] else none
            for i in range(nx):
                own, pressure = light[k, j, i], p[k, j, i]
                beside = half * (own + light[below, j, i])
                free = cz[k, j, i]
                lift = weight * beside if free > none else none
                w[k, j, i] += (lift - free * push * (pressure - keep_z * p[below, j, i])) / (one - beside)
                beside = half * (own + light[k, south, i])
                v[k, j, i] -= cy[k, j, i] * push * (pressure - keep_y * p[k, south, i]) / (one - beside)
            for i in range(1, nx):
                beside = half * (light[k, j, i] + light[k, j, i - 1])
                u[k, j, i] -= cx[k, j, i] * push * (p[k, j, i] - p[k, j, i - 1]) / (one - beside)
            first, last = light[k, j, 0], light[k, j, nx - 1]
            if wraps[2]:
                gone = push * (p[k, j, 0] - p[k, j, nx - 1]) / (one - half * (first + last))
                u[k, j, 0] -= cx[k, j, 0] * gone
                u[k, j, nx] = u[k, j, 0]
            else:
                u[k, j, 0] -= cx[k, j, 0] * push * p[k, j, 0] / (one - first)
                u[k, j, nx] += cx[k, j, nx] * push * p[k, j, nx - 1] / (one - last)
    if wraps[0]:
        w[nz] = w[0]
    else:
        for j in range(ny):
            for i in range(nx):
                own, free = light[nz - 1, j, i], cz[nz, j, i]
                lift = weight * own if free > none else none
                w[nz, j, i] += (lift + free * push * p[nz - 1, j, i]) / (one - own)
    if wraps[1]:
        v[:, ny] = v[:, 0]
    else:
        for k in range(nz):
            for i in range(nx):
                v[k, ny, i] += cy[k, ny, i] * push * p[k, ny - 1, i] / (one - light[k, ny - 1, i])


def copied(velocity: Velocity) -> Velocity:
    """A velocity that may be changed in place."""
    w, v, u = (item.copy() for item in velocity)
    return w, v, u


def largest(values: Float32Array) -> float:
    """Largest size; NaN where there is one."""
    return max(float(values.max()), -float(values.min()))


def fastest(velocity: Velocity) -> float:
    """Largest speed across any face; not finite where one is not."""
    speeds = [largest(item) for item in velocity]
    return float(np.max(speeds))


def rub(velocity: Velocity, domain: Domain, number: float) -> None:
    """Viscosity at one value all over, in place, in as many parts as keep it stable.

    Args:
        velocity: after it was carried.
        domain: where.
        number: viscosity times step over cell area.
    """
    if number == 0.0:
        return
    parts = int(np.ceil(number / 0.15))
    for axis, own in enumerate(velocity):
        for _ in range(parts):
            change = np.zeros_like(own)
            for across in range(3):
                _diffuse(own, change, across, axis, domain)
            own += np.float32(number / parts) * change


def _diffuse(own: Float32Array, change: Float32Array, across: int, axis: int, domain: Domain) -> None:
    """Add the second difference of a speed across one axis; borders let nothing through but where periodic."""
    turned, target = np.moveaxis(own, across, 0), np.moveaxis(change, across, 0)
    step = turned[1:] - turned[:-1]
    target[:-1] += step
    target[1:] -= step
    if domain.kinds[across][0] == PERIODIC:
        if across == axis:  # first and last are one face
            target[0] += turned[-2] - turned[-1]
            target[-1] = target[0]
        else:
            target[0] += turned[-1] - turned[0]
            target[-1] += turned[0] - turned[-1]
