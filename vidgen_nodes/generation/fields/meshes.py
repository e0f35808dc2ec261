# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Quantities of a run on one lattice, from the several meshes that it was computed on.

Guarantees: where the meshes have nodes in common those are the lattice, and the values there the run's own; elsewhere
values are linear between a mesh's own nodes, the finer mesh wins where two overlap, and what lies in no mesh is NaN.
Every n-th stored time is kept where all of them would be too many, and that is said. Leaves out what values may be
(``run.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.generation.fields.run import MOST_VALUES, FieldSeries, check_size
from vidgen_nodes.packets import Float32Array, FloatArray

_SAME = 0.05  # of a step: places nearer than this are one, written with few digits
_FINE = 0.5  # of the finest step: nodes nearer than this do not belong to one lattice
MOST_READ = 3 * MOST_VALUES  # before every n-th time is taken
Axes = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One quantity on one mesh; ``values`` reads it, in its own unit, as (times, x, y, z)."""

    times_s: FloatArray
    axes_m: Axes  # x, y, z of the values, each ascending
    values: Callable[[], Float32Array]

    @property
    def step_m(self) -> float:
        """Finest step of any axis."""
        return float(min(np.diff(axis).min() for axis in self.axes_m))


def lattice(parts: Sequence[Part]) -> Axes:
    """The axes that all parts are brought onto."""
    x, y, z = (_axis([part.axes_m[index] for part in parts]) for index in range(3))
    return x, y, z


def gathered(
    quantities: dict[str, list[Part]], axes_m: Axes, what: str
) -> tuple[dict[str, FieldSeries], list[str]]:
    """Each quantity on the lattice as (times, z, y, x), and what was left out.

    Raises:
        InputError: ``field_size``.
    """
    nodes = math.prod(len(axis) for axis in axes_m)
    counts = {name: min(len(part.times_s) for part in parts) for name, parts in quantities.items()}
    total = nodes * sum(counts.values())
    every = max(math.ceil(total / MOST_VALUES), 1)
    notes = []
    if every > 1:
        check_size(math.ceil(total * MOST_VALUES / MOST_READ), what)
        notes.append(f"every {every}th stored time was taken: all of them are {total} values")
    series = {}
    for name, parts in quantities.items():
        times_s = parts[0].times_s[: counts[name] : every]
        if any(len(part.times_s) != counts[name] for part in parts):
            notes.append(f"{name}: {counts[name]} times that all meshes have were taken")
        values = np.full((len(times_s), *(len(axis) for axis in axes_m)), np.nan, np.float32)
        for part in sorted(parts, key=lambda part: -part.step_m):
            inside, found = _on(axes_m, part, counts[name], every)
            values[inside] = found
        series[name] = FieldSeries(
            times_s.astype(np.float64), np.ascontiguousarray(values.transpose(0, 3, 2, 1))
        )
    return series, notes


def _axis(axes_m: list[FloatArray]) -> FloatArray:
    """Common nodes of several meshes; evenly spaced ones where theirs do not fit together."""
    step_m = min(float(np.diff(axis).min()) for axis in axes_m)
    places_m = np.sort(np.concatenate(axes_m))
    apart = np.concatenate(([True], np.diff(places_m) > _SAME * step_m))
    common: FloatArray = places_m[apart]
    if np.diff(common).min() >= _FINE * step_m:
        return common
    count = round((common[-1] - common[0]) / step_m) + 1
    even: FloatArray = np.linspace(common[0], common[-1], count)
    return even


def _on(
    axes_m: Axes, part: Part, times: int, every: int
) -> tuple[tuple[slice, slice, slice, slice], Float32Array]:
    """The box of the lattice that a part covers, and its values there (times, x, y, z)."""
    values = part.values()[:times:every]
    inside = [slice(None)]
    for index, (axis_m, own_m) in enumerate(zip(axes_m, part.axes_m, strict=True), start=1):
        slack_m = _SAME * float(np.diff(own_m).min())
        first, last = np.searchsorted(axis_m, (own_m[0] - slack_m, own_m[-1] + slack_m))
        inside.append(slice(int(first), int(last)))
        places_m = axis_m[first:last].clip(own_m[0], own_m[-1])
        below = (np.searchsorted(own_m, places_m, side="right") - 1).clip(0, len(own_m) - 2)
        share = (places_m - own_m[below]) / (own_m[below + 1] - own_m[below])
        share[np.abs(share - np.rint(share)) < _SAME] = np.rint(share)[np.abs(share - np.rint(share)) < _SAME]
        shape = [1, 1, 1, 1]
        shape[index] = -1
        weight = share.astype(np.float32).reshape(shape)
        values = values.take(below, axis=index) * (1 - weight) + values.take(below + 1, axis=index) * weight
    return (inside[0], inside[1], inside[2], inside[3]), values
