# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What of a building passes through each plan cell, and between which heights it burns.

Guarantees: only surfaces known to burn make a cell combustible; fuel that other things part in height is
kept as separate spans, so that two storeys with a slab between them are not one path. Leaves out which
spans a fire reaches (``scene.flame``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from vidgen_nodes.packets import BoolArray, Float32Array, Grid
from vidgen_nodes.scene.footprint import cells_under
from vidgen_nodes.scene.surface import Surface

JOINT_M = 0.05  # fuel parted by less than this in height is one span: joints between boards
_Cell = tuple[int, int]
_Piece = tuple[str, float, float]  # name of the surface, lowest and highest z in the cell


@dataclass(frozen=True, slots=True, eq=False)
class CellFuel:
    """What of the building passes through each plan cell. All layers are (rows, cols)."""

    combustible: BoolArray  # a surface known to burn
    noncombustible: BoolArray  # a surface known not to burn
    unknown: BoolArray  # a surface of unknown material
    lowest_m: Float32Array  # of the combustible surfaces in the cell; NaN where there is none
    highest_m: Float32Array
    names: Mapping[_Cell, tuple[str, ...]]  # combustible surfaces by (row, col)
    # Heights of the combustible spans (k, rows, cols), from the lowest up, NaN beyond the last; None:
    # one span from lowest to highest.
    span_low_m: Float32Array | None = None
    span_high_m: Float32Array | None = None
    pieces: Mapping[_Cell, tuple[_Piece, ...]] = field(default_factory=dict)  # combustible, by (row, col)
    all_names: Mapping[_Cell, tuple[str, ...]] = field(default_factory=dict)  # of every surface
    evidence: Mapping[str, str] = field(default_factory=dict)  # by name: path, material and what decided

    @property
    def spans_m(self) -> tuple[Float32Array, Float32Array]:
        """Lower and upper ends (k, rows, cols) of the combustible spans."""
        if self.span_low_m is None or self.span_high_m is None:
            return self.lowest_m[None], self.highest_m[None]
        return self.span_low_m, self.span_high_m


def cell_fuel(surfaces: Iterable[Surface], grid: Grid) -> CellFuel:
    """Cut the surfaces by the cells of ``grid``."""
    burns, inert, unknown = (np.zeros(grid.shape, bool) for _ in range(3))
    pieces: dict[_Cell, list[_Piece]] = {}
    all_names: dict[_Cell, list[str]] = {}
    evidence: dict[str, str] = {}
    for surface in sorted(surfaces, key=lambda item: item.name):
        layer = unknown if surface.combustible is None else burns if surface.combustible else inert
        for row, col, low_m, high_m in _extents(surface, grid):
            layer[row, col] = True
            all_names.setdefault((row, col), []).append(surface.name)
            if surface.name not in evidence:
                evidence[surface.name] = surface.evidence()
            if surface.combustible:
                pieces.setdefault((row, col), []).append((surface.name, low_m, high_m))
    low, high = _spans(pieces, grid)
    lowest = low[0].copy() if len(low) else np.full(grid.shape, np.nan, np.float32)
    highest = np.fmax.reduce(high, axis=0) if len(high) else lowest.copy()
    for array in (burns, inert, unknown, lowest, highest, low, high):
        array.setflags(write=False)
    return CellFuel(
        combustible=burns,
        noncombustible=inert,
        unknown=unknown,
        lowest_m=lowest,
        highest_m=highest,
        names={cell: tuple(dict.fromkeys(item[0] for item in found)) for cell, found in pieces.items()},
        span_low_m=low,
        span_high_m=high,
        pieces={cell: tuple(found) for cell, found in pieces.items()},
        all_names={cell: tuple(found) for cell, found in all_names.items()},
        evidence=evidence,
    )


def _extents(surface: Surface, grid: Grid) -> Iterator[tuple[int, int, float, float]]:
    """``(row, col, lowest z, highest z)`` of the parts of a surface in each cell, parted where it is parted."""
    if surface.faces is None:
        yield from cells_under(surface.corners_m, grid)
        return
    from vidgen_nodes.scene.mesh_kernels import cells_under_triangles  # numba: only models need it

    rows, cols, lows, highs = cells_under_triangles(surface.triangles_m, grid)
    by_cell: dict[_Cell, list[tuple[float, float]]] = {}
    for row, col, low, high in zip(rows.tolist(), cols.tolist(), lows.tolist(), highs.tolist(), strict=True):
        by_cell.setdefault((row, col), []).append((low, high))
    for (row, col), found in by_cell.items():
        for low, high in _joined(found):
            yield row, col, low, high


def _spans(pieces: Mapping[_Cell, list[_Piece]], grid: Grid) -> tuple[Float32Array, Float32Array]:
    joined = {cell: _joined([item[1:] for item in found]) for cell, found in pieces.items()}
    depth = max((len(found) for found in joined.values()), default=0)
    low, high = (np.full((depth, *grid.shape), np.nan, np.float32) for _ in range(2))
    for (row, col), found in joined.items():
        for index, (bottom_m, top_m) in enumerate(found):
            low[index, row, col], high[index, row, col] = bottom_m, top_m
    return low, high


def _joined(intervals: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals from the lowest up, those that meet within a joint made one."""
    done: list[tuple[float, float]] = []
    for low, high in sorted(intervals):
        if done and low <= done[-1][1] + JOINT_M:
            done[-1] = done[-1][0], max(done[-1][1], high)
        else:
            done.append((low, high))
    return done
