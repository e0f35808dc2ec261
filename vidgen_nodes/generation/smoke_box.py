# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The box of air around the fires of a scenario: where it lies, what stands in it, and where its fires stand.

Guarantees that every fire stands in air of the box or is refused. Leaves out the air itself (``smoke.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.flow.domain import FlowGrid
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Ignition
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.materials import material_table

_MARGIN = 0.25  # of the box's width that is kept free around the ignitions
_ON_BORDER = 1e-4  # cells
Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class SmokeBox:
    """How finely the smoke of a scenario is solved.

    Args:
        cell_m: edge of a cell.
        shape: cells (nz, ny, nx).
        tick_ns: length of a tick of the solver; tick 0 is the start of the scenario.
        nudging_s: time constant of the pull towards the analytic means; 0: none.
        device: cpu, or as torch names another one.
    """

    cell_m: float = 0.3
    shape: tuple[int, int, int] = (24, 32, 32)
    tick_ns: int = 160_000_000
    nudging_s: float = 0.0
    device: str = "cpu"


def box_around(ignitions: Sequence[Ignition], cell_m: float, shape: tuple[int, int, int]) -> FlowGrid:
    """The lattice whose floor is the lowest ignition and whose middle is between all of them.

    Raises:
        ConfigError: no ignition, or one too near the box's sides or top.
    """
    if not ignitions:
        raise ConfigError("smoke solver: the scenario has no ignition; leave smoke_model analytic")
    places = np.array([item.position_m for item in ignitions], dtype=np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    width_m = np.array([shape[2], shape[1]]) * cell_m
    if ((high - low)[:2] > (1.0 - 2.0 * _MARGIN) * width_m).any():
        raise ConfigError(
            f"smoke solver: ignitions lie {float((high - low)[:2].max()):.1f} m apart and the box is "
            f"{float(width_m.min()):.1f} m wide; take larger cells or more of them"
        )
    if high[2] - low[2] > (1.0 - _MARGIN) * shape[0] * cell_m:
        raise ConfigError(
            f"smoke solver: ignitions lie {float(high[2] - low[2]):.1f} m above each other and the box is "
            f"{shape[0] * cell_m:.1f} m high; take larger cells or more of them"
        )
    east, north = (0.5 * (low + high)[:2] - 0.5 * width_m).tolist()
    return FlowGrid((east, north, float(low[2])), cell_m, shape)


def walls(building: Building | None, grid: FlowGrid) -> BoolArray | None:
    """Cells (nz, ny, nx) that surfaces pass through; one that lies on a border of cells is in the lower one alone."""
    if building is None or not building.placed:
        return None
    origin_m = np.array(grid.origin_m) + _ON_BORDER * grid.cell_m
    return building.solid_voxels(origin_m, grid.cell_m, grid.shape)


def wall_inertia(building: Building | None, grid: FlowGrid) -> Float32Array | None:
    """Thermal inertia k rho c of the cells of ``walls`` (nz, ny, nx), (kW/(m2 K))^2 s, from the table of materials.

    NaN where it is not known. Of several materials in a cell, the one that takes most heat counts.
    """
    if building is None or not building.placed:
        return None
    table = material_table().materials
    origin_m = np.array(grid.origin_m) + _ON_BORDER * grid.cell_m
    found = np.full(grid.shape, np.nan, np.float32)
    for identity in sorted({surface.material_id for surface in building.surfaces}):
        if identity in table and math.isfinite(table[identity].krhoc):
            cells = building.solid_voxels(origin_m, grid.cell_m, grid.shape, identity)
            found[cells] = np.fmax(found[cells], np.float32(table[identity].krhoc))
    return found


def foot_m(item: Ignition, grid: FlowGrid, solid: BoolArray | None) -> Place:
    """Where a fire stands in the air of the lattice: where it was lit, or the nearest cell of air from there up.

    Raises:
        ConfigError: there is none within two cells.
    """
    found = air_near(np.array(item.position_m), grid, solid)
    if found is None:
        raise ConfigError(
            f"smoke solver: ignition {item.name} at {item.position_m} m stands in surfaces of the building with no air "
            f"within two cells of {grid.cell_m} m; take smaller cells"
        )
    return found


def air_near(place: FloatArray, grid: FlowGrid, solid: BoolArray | None) -> Place | None:
    """A place (3,) in map if it is in air, else the nearest cell of air from there up; None: not within two cells."""
    at = np.floor((place - grid.origin_m) / grid.cell_m + _ON_BORDER).astype(int)  # x, y, z
    east, north, up = place.tolist()
    if (at < 0).any() or (at >= grid.shape[::-1]).any():
        return None
    if solid is None or not solid[at[2], at[1], at[0]]:
        return east, north, up
    x, y, z = (
        np.arange(max(centre - below, 0), min(centre + 3, count))
        for centre, below, count in zip(at.tolist(), (2, 2, 0), grid.shape[::-1], strict=True)
    )
    free = np.argwhere(~solid[np.ix_(z, y, x)])
    if not len(free):
        return None
    cells = np.column_stack((x[free[:, 2]], y[free[:, 1]], z[free[:, 0]]))
    low = np.array(grid.origin_m) + cells * grid.cell_m
    outside = (np.maximum(low - place, 0.0) + np.maximum(place - low - grid.cell_m, 0.0)) / grid.cell_m
    centred = (low + 0.5 * grid.cell_m - place) / grid.cell_m
    nearest = np.lexsort(((centred**2).sum(axis=1).round(6), (outside**2).sum(axis=1).round(6)))[0]
    moved = cells[nearest] != at
    east, north = np.where(moved, low[nearest] + 0.5 * grid.cell_m, place)[:2].tolist()
    return east, north, max(float(low[nearest, 2]), up)


def checked(item: Ignition) -> None:
    """Refuse what would make the solver refuse a step later on: scenarios from files never have it."""
    sizes = {
        name: getattr(item, name)
        for name in ("growth_kw_per_s2", "peak_kw", "diameter_m", "heat_of_combustion_kj_per_kg")
    }
    shares = {"soot_yield": item.soot_yield, "radiative_fraction": item.radiative_fraction}
    if not all(math.isfinite(value) for value in (*item.position_m, item.start_s)):
        raise ConfigError(
            f"ignition {item.name}: got {item.position_m} m from {item.start_s} s, expected finite numbers"
        )
    for name, value in sizes.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ConfigError(f"ignition {item.name}: got {name} {value}, expected a finite number above 0")
    for name, value in shares.items():
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"ignition {item.name}: got {name} {value}, expected 0 to 1")
