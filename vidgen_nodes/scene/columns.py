# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The open columns of a frame: what the gate decided, as cells and as boxes in ``map``.

Guarantees: ``boxes_m`` fills the same space as ``columns_m``, with fewer boxes. Leaves out: the rules
(``scene.gate``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grid, LeakCause

_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LeakOpening:
    """What the gate opens for one leak of steam. Cells are (row, col) of the map's grid."""

    name: str
    cause: LeakCause | None  # why nothing is open; None: something is
    why: str  # one sentence: on what the mouth stands, or the cause
    rows: _Index
    cols: _Index
    floor_m: Float32Array  # of each open column, height in map
    ceiling_m: Float32Array
    share: Float32Array  # [0, 1] of the height of each place of the leak's reach that is open
    air: BoolArray  # for each point of the reach in plan: the map lets air over it be seen from the mouth


@dataclass(frozen=True, eq=False)
class Gate:
    """The open columns of one frame. Layers are (rows, cols) of the uncertainty map's grid.

    Fire and debris share columns; steam has its own, and nothing else may be in those.
    """

    grid: Grid | None  # None without a map; the layers are then empty
    flame_cells: BoolArray
    debris_cells: BoolArray
    floor_m: Float32Array  # of the open column, height in map; NaN where closed
    ceiling_m: Float32Array
    permits: Mapping[tuple[int, int], str]  # for each open cell: rule, evidence, building path
    reasons: tuple[str, ...]  # why the gate, or a part of it that the scenario asks for, is closed
    digest: bytes  # SHA-256 over grid, cells and columns
    cells_open: int
    steam: tuple[LeakOpening, ...] = ()  # one for each leak of the scenario that has a reach

    @property
    def leaks_closed(self) -> tuple[LeakCause, ...]:
        """One cause for each leak that is shut altogether."""
        return tuple(item.cause for item in self.steam if item.cause is not None)

    @cached_property
    def open_cells(self) -> BoolArray:
        """Cells that the rules of flame and debris open."""
        cells: BoolArray = self.flame_cells | self.debris_cells
        cells.setflags(write=False)
        return cells

    @cached_property
    def columns_m(self) -> FloatArray:
        """One box ``x0 y0 z0 x1 y1 z1`` (n, 6) in map for each open cell, by row and column; those of steam last."""
        rows, cols = np.nonzero(self.open_cells)
        return self._with_steam(_boxes(self, rows, cols, rows + 1, cols + 1))

    @cached_property
    def boxes_m(self) -> FloatArray:
        """The same columns with equal neighbours merged into fewer boxes (n, 6)."""
        return self._with_steam(_boxes(self, *_rectangles(self.open_cells, self.floor_m, self.ceiling_m)))

    def _with_steam(self, boxes_m: FloatArray) -> FloatArray:
        """Boxes (n, 6), and those of the leaks after them."""
        if self.grid is None or not self.steam:
            return boxes_m
        return np.concatenate((boxes_m, *(steam_boxes_m(self.grid, item) for item in self.steam)))


def steam_boxes_m(grid: Grid, opening: LeakOpening) -> FloatArray:
    """The columns of one leak as boxes ``x0 y0 z0 x1 y1 z1`` (n, 6) in map."""
    west = grid.origin_east_m + opening.cols * grid.resolution_m
    south = grid.origin_north_m + opening.rows * grid.resolution_m
    east, north = west + grid.resolution_m, south + grid.resolution_m
    return np.stack((west, south, opening.floor_m, east, north, opening.ceiling_m), axis=1).astype(np.float64)


def _boxes(gate: Gate, row0: _Index, col0: _Index, row1: _Index, col1: _Index) -> FloatArray:
    if gate.grid is None:
        return np.empty((0, 6))
    east, north, edge = gate.grid.origin_east_m, gate.grid.origin_north_m, gate.grid.resolution_m
    low, high = gate.floor_m[row0, col0], gate.ceiling_m[row0, col0]
    return np.stack(
        (east + col0 * edge, north + row0 * edge, low, east + col1 * edge, north + row1 * edge, high), axis=1
    ).astype(np.float64)


def _rectangles(cells: BoolArray, floor_m: Float32Array, ceiling_m: Float32Array) -> tuple[_Index, ...]:
    """Cover the open cells by rectangles of equal columns: runs along rows, equal runs stacked."""
    done: list[tuple[int, int, int, int]] = []  # row0, col0, row1, col1
    growing: dict[tuple[int, int, float, float], int] = {}  # (col0, col1, floor, ceiling) -> first row
    filled = np.flatnonzero(cells.any(axis=1)).tolist()
    for row in sorted({*filled, *(row + 1 for row in filled)}):  # nothing begins or ends in other rows
        runs = set(_runs(cells[row], floor_m[row], ceiling_m[row])) if row < cells.shape[0] else set()
        ended = [run for run in growing if run not in runs]
        done.extend((growing.pop(run), run[0], row, run[1]) for run in ended)
        for run in sorted(runs):
            growing.setdefault(run, row)
    found = np.array(sorted(done), np.int64).reshape(-1, 4)
    return found[:, 0], found[:, 1], found[:, 2], found[:, 3]


def _runs(
    cells: BoolArray, floor_m: Float32Array, ceiling_m: Float32Array
) -> Iterator[tuple[int, int, float, float]]:
    """Runs ``(first col, one past the last, floor, ceiling)`` of neighbours with equal columns in one row."""
    cols = np.flatnonzero(cells)
    if not len(cols):
        return
    low, high = floor_m[cols], ceiling_m[cols]
    breaks = (np.diff(cols) != 1) | (np.diff(low) != 0.0) | (np.diff(high) != 0.0)
    edges = np.flatnonzero(breaks) + 1
    for first, past in zip([0, *edges.tolist()], [*edges.tolist(), len(cols)], strict=True):
        yield int(cols[first]), int(cols[past - 1]) + 1, float(low[first]), float(high[first])
