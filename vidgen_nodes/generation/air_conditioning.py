# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Grilles of the air conditioning as borders of the solver's box: where it ends, and what blows through when.

The solver blows through the sides of its box. So the box ends at the surface that a grille lies in: that side is
closed, and the grille cut into it. Guarantees that a grille carries its flow through whole cells whatever its size,
that one which lies in no surface or outside the box is refused, and that every number is in a record. Leaves out what
is beyond such a surface, two planes of grilles on one side, and jets thinner than a cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, FlowGrid, Vent
from vidgen_nodes.generation.physics_record import Parameters, Reading, entry
from vidgen_nodes.packets import BoolArray, Float32Array, Grille
from vidgen_nodes.scenario.air_conditioning import grille_units
from vidgen_nodes.scene.building import Building

_LEAST_CELLS = 4  # along each axis of a box
_NEAR = 1e-3  # cells
_NEVER_S = 1e9  # the end of a span that has none
Changes = tuple[tuple[float, Boundaries], ...]  # from when, in seconds after the start of the scenario


@dataclass(frozen=True, slots=True)
class Duct:
    """A grille on the cells of a box."""

    grille: Grille
    vent: Vent
    cells: int


def read_grilles(grilles: Sequence[Grille]) -> tuple[tuple[Grille, ...], Parameters]:
    """The grilles made of what was read of them, and the record of that."""
    found, record = [], dict[str, Parameters]()
    for grille in grilles:
        reading = Reading(grille, "scenario")
        own = Grille(**{name: reading.get(name, unit) for name, unit in grille_units().items()})
        found.append(own)
        record[own.name] = {
            **reading.record,
            "on_s": entry([time for span in own.on_s for time in span], "s, from and to", "scenario"),
        }
    return tuple(found), record


def trimmed(grid: FlowGrid, grilles: Sequence[Grille], building: Building | None) -> FlowGrid:
    """The box without what lies beyond the surfaces that grilles are in, those surfaces included.

    Raises:
        ConfigError: a grille in no surface of the building or outside the box, or sides that leave no room.
    """
    if not grilles:
        return grid
    low, high = np.zeros(3, int), np.array(grid.shape[::-1])  # x, y, z
    for grille in grilles:
        _in_surface(grille, grid, building)
        number = SIDES.index(grille.side)
        axis = 2 - number // 2
        at = (grille.position_m[axis] - grid.origin_m[axis]) / grid.cell_m
        if grille.side == "floor":
            if abs(at) > 1.0:
                raise _outside(grille, grid, "the box begins at the lowest ignition")
            continue
        if not 0.0 <= at <= grid.shape[2 - axis]:
            raise _outside(grille, grid, "take more cells, or larger ones")
        # A surface on a border of cells is in the lower one (``smoke_box.walls``).
        if number % 2 == 0:
            low[axis] = max(low[axis], math.ceil(at - _NEAR))
        else:
            high[axis] = min(high[axis], math.ceil(at - _NEAR) - 1)
    if (high - low < _LEAST_CELLS).any():
        raise ConfigError(
            f"air conditioning: between its grilles the box has {(high - low).tolist()} cells east, north and up; "
            f"expected {_LEAST_CELLS} or more; take smaller cells than {grid.cell_m} m"
        )
    east, north, up = (np.array(grid.origin_m) + low * grid.cell_m).tolist()
    nx, ny, nz = (high - low).tolist()
    return FlowGrid((east, north, up), grid.cell_m, (nz, ny, nx))


def ducts(grid: FlowGrid, grilles: Sequence[Grille], ambient_k: float) -> tuple[Duct, ...]:
    """Each grille over the cells that it covers, and at least one.

    Args:
        grid: trimmed.
        grilles: each in the plane in which its side of the box ends.
        ambient_k: of the air outside.

    Raises:
        ConfigError: a grille beside its side of the box, or farther in than another on that side.
    """
    found = []
    for grille in grilles:
        number = SIDES.index(grille.side)
        axis = 2 - number // 2
        end_m = grid.origin_m[axis] + (0 if number % 2 == 0 else grid.shape[2 - axis]) * grid.cell_m
        if abs(grille.position_m[axis] - end_m) > 1.5 * grid.cell_m:
            raise ConfigError(
                f"air conditioning: {grille.name} lies {abs(grille.position_m[axis] - end_m):.2f} m behind another "
                f"grille on the {grille.side}; expected one plane a side"
            )
        spans = []
        for across, size_m in zip([item for item in range(3) if item != axis], grille.size_m, strict=True):
            spans.append(_cells(grille, grid, across, size_m))
        low_m, high_m = ((first[end], second[end]) for first, second in [spans] for end in (0, 1))
        rise_k = grille.temperature_k - ambient_k if grille.temperature_k > 0.0 else 0.0
        vent = Vent(grille.side, low_m, high_m, grille.flow_m3_per_s, rise_k)
        counts = [round((end - start) / grid.cell_m + 2.0 * _NEAR) for start, end in spans]
        found.append(Duct(grille, vent, math.prod(counts)))
    return tuple(found)


def changes(
    of: Sequence[Duct],
    sides: Mapping[str, str],
    solid: BoolArray | None,
    wind_mps: tuple[float, float],
    wall_inertia: Float32Array | None = None,
) -> Changes:
    """The borders of the box from the start on, and anew whenever a grille goes on or off.

    Args:
        of: the grilles.
        sides: of the box, without them.
        solid: cells that are no air.
        wind_mps: (east, north).
        wall_inertia: of the solid cells, see ``Boundaries``.
    """
    closed = {**sides, **{duct.grille.side: "closed" for duct in of}}
    turns = (time_s for duct in of for span in duct.grille.on_s for time_s in span if time_s < _NEVER_S)
    times = sorted({0.0, *turns})
    found: list[tuple[float, Boundaries]] = []
    last: tuple[Vent, ...] | None = None
    for time_s in times:
        vents = tuple(duct.vent for duct in of if is_on(duct.grille, time_s))
        if vents != last:
            found.append((time_s, Boundaries(closed, solid, vents, wind_mps, wall_inertia)))
        last = vents
    return tuple(found)


def is_on(grille: Grille, time_s: float) -> bool:
    """Whether its fan runs so long after the start of the scenario."""
    return any(low <= time_s < high for low, high in grille.on_s)


def ducts_record(of: Sequence[Duct], read: Parameters, cell_m: float) -> Parameters:
    """Each grille as it was read, and as it lies on the cells."""
    return {
        duct.grille.name: {
            **read[duct.grille.name],
            "cells": entry(duct.cells, "1", "that it covers, at least one"),
            "face_speed": entry(
                duct.vent.flow_m3_per_s / (duct.cells * cell_m**2) if duct.vent.flow_m3_per_s else 0.0,
                "m/s into the room",
                "flow over the cells",
            ),
        }
        for duct in of
    }


def _cells(grille: Grille, grid: FlowGrid, across: int, size_m: float) -> tuple[float, float]:
    """From and to, just inside the borders of the cells that a grille covers along one axis."""
    count, low_m = grid.shape[2 - across], grid.origin_m[across]
    middle = (grille.position_m[across] - low_m) / grid.cell_m
    half = 0.5 * size_m / grid.cell_m
    first = math.floor(middle - half + 0.5)
    last = max(math.floor(middle + half + 0.5), first + 1)
    if last - first == 1:
        first = math.floor(middle)
        last = first + 1
    first, last = max(first, 0), min(last, count)
    if first >= last:
        raise _outside(grille, grid, "take more cells, or larger ones")
    return low_m + (first + _NEAR) * grid.cell_m, low_m + (last - _NEAR) * grid.cell_m


def _in_surface(grille: Grille, grid: FlowGrid, building: Building | None) -> None:
    if building is None or not building.placed:
        return
    corner = np.array(grille.position_m, dtype=np.float64) - grid.cell_m
    if not building.solid_voxels(corner, grid.cell_m, (2, 2, 2)).any():
        raise ConfigError(
            f"air conditioning: {grille.name} at {list(grille.position_m)} m lies in no surface of the building "
            f"within a cell of {grid.cell_m} m; expected a place on the room's {grille.side}"
        )


def _outside(grille: Grille, grid: FlowGrid, what: str) -> ConfigError:
    high = [low + count * grid.cell_m for low, count in zip(grid.origin_m, grid.shape[::-1], strict=True)]
    return ConfigError(
        f"air conditioning: {grille.name} at {list(grille.position_m)} m is not on the {grille.side} of the solver's "
        f"box, which goes from {np.round(grid.origin_m, 2).tolist()} to {np.round(high, 2).tolist()} m; {what}"
    )
