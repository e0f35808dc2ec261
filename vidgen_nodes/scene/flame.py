# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a scenario may burn: combustible paths from its ignitions, and the room a flame takes there.

Guarantees: a cell is open only if fuel in it is joined to an ignition by fuel, from cell to neighbouring
cell (8 neighbours) and in height, or lies within the stand-off of such a cell; fuel above a slab is no
path from fuel below it. Taking fuel away only ever closes cells and shrinks their columns. Leaves out: when
the fire gets there (``generation``) and what the LiDAR saw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vidgen_nodes.packets import BoolArray, Float32Array, Grid, Ignition
from vidgen_nodes.scene.cell_fuel import JOINT_M, CellFuel

PLUME_CLEARANCE_M = 12.0  # room for flame and plume above the highest point of the path
_MOST_NAMED = 3  # surfaces in a sentence
_Labels = npt.NDArray[np.int32]
# Half of the 8 neighbours, and the cell itself: the other half are the same pairs seen from the other end.
_FORWARD = ((0, 0), (0, 1), (1, -1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class FlameRegion:
    """Cells that flames may fill. All layers are (rows, cols)."""

    cells: BoolArray  # paths and stand-off
    path: _Labels  # label of the lowest burning path in the cell, 0 off the paths
    floor_m: Float32Array  # lowest fuel on a path within the stand-off; NaN where closed
    ceiling_m: Float32Array  # highest fuel of the path plus PLUME_CLEARANCE_M; NaN where closed
    ignitions: dict[int, tuple[str, ...]]  # names of the ignitions on each path, by label
    refused: tuple[str, ...]  # one sentence for each ignition that opens nothing
    span_labels: _Labels  # (k, rows, cols) label of each span of fuel, 0 off the burning paths
    sentences: dict[tuple[int, int], str] = field(
        default_factory=dict, repr=False
    )  # of scene.permits, once made


def flame_region(
    fuel: CellFuel, grid: Grid, ignitions: tuple[Ignition, ...], standoff_m: float
) -> FlameRegion:
    """Follow the combustible paths from every ignition."""
    labels = _label_spans(fuel)
    burning: dict[int, tuple[str, ...]] = {}
    refused: list[str] = []
    for ignition in ignitions:
        lit = sorted({int(labels[span]) for span in _spans_lit(ignition, fuel, grid)})
        if not lit:
            x, y, z = ignition.position_m
            refused.append(
                f"ignition {ignition.name} at ({x:.2f}, {y:.2f}, {z:.2f}) m is not within half a cell "
                f"({grid.resolution_m / 2:.2f} m) of a surface known to burn: it opens nothing; "
                f"{_what_is_there(ignition, fuel, grid)}"
            )
        for label in lit:
            burning[label] = (*burning.get(label, ()), ignition.name)
    floor_m, ceiling_m = _columns(fuel, labels, sorted(burning), standoff_disc(grid, standoff_m), grid)
    cells = np.isfinite(floor_m)
    on_path = np.where(np.isin(labels, list(burning)), labels, 0).astype(np.int32)
    return FlameRegion(
        cells=cells,
        path=_lowest_label(on_path, grid),
        floor_m=np.where(cells, floor_m, np.float32(np.nan)),
        ceiling_m=np.where(cells, ceiling_m, np.float32(np.nan)),
        ignitions=burning,
        refused=tuple(refused),
        span_labels=on_path,
    )


def standoff_disc(grid: Grid, standoff_m: float) -> BoolArray:
    """Cells (n, n) whose centres lie within ``standoff_m`` of the middle one; n is odd."""
    reach = int(standoff_m / grid.resolution_m + 1e-9)
    offset = np.arange(-reach, reach + 1) * grid.resolution_m
    disc: BoolArray = np.hypot(offset[:, None], offset[None, :]) <= standoff_m + 1e-9
    return disc


def _label_spans(fuel: CellFuel) -> _Labels:
    """Label (k, rows, cols), from 1, of the path that each span of fuel belongs to; 0 where there is no span.

    Spans of neighbouring cells are one path where their heights meet within a joint.
    """
    low_m, high_m = fuel.spans_m
    present = np.isfinite(low_m)
    number = np.zeros(present.shape, np.int64)
    number[present] = np.arange(np.count_nonzero(present))
    starts: list[npt.NDArray[np.int64]] = []
    ends: list[npt.NDArray[np.int64]] = []
    for row, col in _FORWARD:
        here, there = _shifted(row, col)
        for a in range(len(low_m)):
            for b in range(len(low_m)):
                # NaN compares false: an absent span meets nothing.
                meets = low_m[a][here] <= high_m[b][there] + JOINT_M
                meets &= low_m[b][there] <= high_m[a][here] + JOINT_M
                starts.append(number[a][here][meets])
                ends.append(number[b][there][meets])
    count = int(np.count_nonzero(present))
    labels: _Labels = np.zeros(present.shape, np.int32)
    if count:
        first, last = np.concatenate(starts), np.concatenate(ends)
        graph = coo_array((np.ones(len(first), np.int8), (first, last)), (count, count))
        labels[present] = connected_components(graph, directed=False)[1] + 1
    return labels


def _shifted(row: int, col: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of a layer and of the same layer seen ``(row, col)`` further."""
    here = slice(0, -row or None), slice(max(0, -col), -col if col > 0 else None)
    there = slice(row, None), slice(max(0, col), col if col < 0 else None)
    return here, there


def _columns(
    fuel: CellFuel, labels: _Labels, burning: list[int], disc: BoolArray, grid: Grid
) -> tuple[Float32Array, Float32Array]:
    """Floor and ceiling of the open columns, infinite where closed."""
    low_m, high_m = fuel.spans_m
    floor_m, ceiling_m = np.full(grid.shape, np.inf, np.float32), np.full(grid.shape, -np.inf, np.float32)
    for label in burning:
        on_path = labels == label
        reach = ndimage.binary_dilation(on_path.any(axis=0), disc)
        lowest = np.where(on_path, low_m, np.float32(np.inf)).min(axis=0)
        lowest = ndimage.minimum_filter(lowest, footprint=disc, mode="constant", cval=np.inf)
        np.minimum(floor_m, lowest, out=floor_m, where=reach)
        top_m = np.float32(high_m[on_path].max() + PLUME_CLEARANCE_M)
        np.maximum(ceiling_m, top_m, out=ceiling_m, where=reach)
    return floor_m, ceiling_m


def _lowest_label(on_path: _Labels, grid: Grid) -> _Labels:
    path = np.zeros(grid.shape, np.int32)
    for layer in on_path[::-1]:
        np.copyto(path, layer, where=layer > 0)
    return path


def _spans_lit(ignition: Ignition, fuel: CellFuel, grid: Grid) -> list[tuple[int, int, int]]:
    """Spans ``(k, row, col)`` of fuel within half a cell of the ignition, in plan and in height."""
    if not np.all(np.isfinite(ignition.position_m)):
        return []
    z, half_m = ignition.position_m[2], grid.resolution_m / 2
    low_m, high_m = fuel.spans_m
    lit: list[tuple[int, int, int]] = []
    for row, col in _cells_near(ignition, grid):
        meets = (low_m[:, row, col] - half_m <= z) & (z <= high_m[:, row, col] + half_m)
        lit.extend((int(k), row, col) for k in np.flatnonzero(meets))
    return lit


def _cells_near(ignition: Ignition, grid: Grid) -> Iterator[tuple[int, int]]:
    """Cells (row, col) within half a cell of an ignition in plan; none off the grid."""
    x, y, _ = ignition.position_m
    east = (x - grid.origin_east_m) / grid.resolution_m
    north = (y - grid.origin_north_m) / grid.resolution_m
    if not (-1.0 < east < grid.cols + 1.0 and -1.0 < north < grid.rows + 1.0):
        return
    for row in range(max(0, int(north) - 2), min(grid.rows, int(north) + 3)):
        for col in range(max(0, int(east) - 2), min(grid.cols, int(east) + 3)):
            away = np.hypot(max(col - east, east - col - 1, 0.0), max(row - north, north - row - 1, 0.0))
            if away <= 0.5:
                yield row, col


def _what_is_there(ignition: Ignition, fuel: CellFuel, grid: Grid) -> str:
    """What stands where an ignition opens nothing, in words."""
    near = list(_cells_near(ignition, grid)) if np.all(np.isfinite(ignition.position_m)) else []
    if not near:
        return "it lies off the LiDAR's map"
    pieces = [piece for cell in near for piece in fuel.pieces.get(cell, ())]
    if pieces:
        low_m, high_m = min(low for _, low, _ in pieces), max(high for _, _, high in pieces)
        return f"what burns there ({pieces[0][0]}) reaches from {low_m:.2f} to {high_m:.2f} m"
    names = dict.fromkeys(name for cell in near for name in fuel.all_names.get(cell, ()))
    said = "; ".join(fuel.evidence.get(name, name) for name in list(names)[:_MOST_NAMED])
    return f"there stands {said}" if said else "nothing of the building stands there"
