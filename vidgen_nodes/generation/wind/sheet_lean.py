# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The flames over one surface in wind: how long they are and how far they lean, and what is drawn along them.

Flames leave every piece that burns and go up and downwind, one beside the other. Across a strip of pieces that is
narrow against its height, a leaning flame passes only part of them, and is as much shorter. Guarantees that a flame of
that heat is as long along its line as it is upright in still air, and that no voxel gets more than the most that comes
to it. Leaves out which sides lean (``areas.py``), and how a flame looks (``sheet.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.generation.sheet_model import SheetModel
from vidgen_nodes.generation.wind.areas import Side
from vidgen_nodes.generation.wind.lean import Axis
from vidgen_nodes.packets import BoolArray, FloatArray

_SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02)  # of the peak, at which it is asked how far anything reaches
_LEAST_FLAME_M = 0.1
_MOST_STEPS = 16  # along a flame
_TURNS = 4  # of the lean that decides how much of a strip a flame passes, which decides the lean
_NAMES = ("flame", "rise_k", "soot")
_Index = npt.NDArray[np.int64]
_Move = tuple[float, float, float]  # up, north, east in m


@dataclass(frozen=True, slots=True, eq=False)
class LeaningFlame:
    """The flames of one side at one instant."""

    line_kw_per_m: float  # that one flame passes
    length_m: float
    axis: Axis

    @property
    def tip_offset_m(self) -> float:
        """How far downwind of its foot the tip is."""
        return float(np.interp(self.length_m, self.axis.path_m, self.axis.offset_m))

    @property
    def tip_m(self) -> float:
        """How high over its foot the tip is."""
        return float(np.interp(self.length_m, self.axis.path_m, self.axis.height_m))


@dataclass(frozen=True, slots=True)
class Step:
    """A place on the way along a flame, and the moves that bring what is attached there; the next step goes on."""

    path_m: float
    moved_m: tuple[_Move, ...]


class SheetLean:
    """What leans the flames of one surface.

    Args:
        sides: that lean.
        columns: how many columns of pieces the surface has.
        model: its flame length and height of smoke are read.
        heat_kj_per_kg: of combustion.
        longest_m: flame at the peak.
        peak_kw: of the whole surface.
    """

    def __init__(
        self,
        sides: Sequence[Side],
        columns: int,
        model: SheetModel,
        heat_kj_per_kg: float,
        longest_m: float,
        peak_kw: float,
    ) -> None:
        self.sides, self._model, self._heat_kj_per_kg = tuple(sides), model, heat_kj_per_kg
        self._side = np.full(columns, -1, np.int64)  # of each column; -1 stands upright
        for number, side in enumerate(self.sides):
            self._side[side.columns] = number
        reaches = []
        for side in self.sides:  # small flames lean more than large ones
            flames = [
                self._flame(side, share * peak_kw, longest_m * share ** (2.0 / 3.0)) for share in _SHARES
            ]
            ends = [
                np.interp(model.smoke_height * it.length_m, it.axis.path_m, it.axis.offset_m) for it in flames
            ]
            reaches.append(float(max(ends)))
        self.reaches_m = tuple(reaches)  # how far downwind anything of each side is drawn

    def flames(
        self,
        heat_kw: float,
        line: FloatArray,
        foot_m: FloatArray,
        burning_m: FloatArray,
        length_m: FloatArray,
        width_m: FloatArray,
    ) -> tuple[LeaningFlame, ...]:
        """One for each side: that of its mean column by heat.

        Args:
            heat_kw: of the surface.
            line: (c,) heat release of each column in kW/m.
            foot_m: (c,) inf where none burns.
            burning_m: (c,) from there to the highest burning piece; 0 on level surfaces.
            length_m: (c,) of its upright flame.
            width_m: (c,) of the column.
        """
        found = []
        for number, side in enumerate(self.sides):
            mine = (self._side == number) & np.isfinite(foot_m)
            weight = np.where(mine, line, 0.0)
            weight = weight / max(float(weight.sum()), 1e-9)
            strip_m, tall_m = float(width_m[mine].sum()), float(weight @ burning_m)
            upright_m, share = max(float(weight @ length_m), _LEAST_FLAME_M), 1.0
            for _ in range(_TURNS):
                flame = self._flame(side, heat_kw, max(upright_m * share ** (2.0 / 3.0), _LEAST_FLAME_M))
                tangent = flame.tip_offset_m / max(flame.tip_m, 1e-6)
                share = min(1.0, strip_m / max(tall_m * tangent, 1e-6))
            found.append(flame)
        return tuple(found)

    def _flame(self, side: Side, heat_kw: float, length_m: float) -> LeaningFlame:
        """A flame of a length; AGA's burning rate times diameter is taken as what burns on a metre of its line."""
        line = (length_m / self._model.flame_length) ** 1.5
        diameter_m = line / self._heat_kj_per_kg / side.lean.fuel_kg_per_m2_s
        cosine = side.lean.tilt_cosine(length_m, diameter_m)
        axis = side.lean.line(heat_kw, length_m, cosine, self._model.smoke_height * length_m)
        return LeaningFlame(line, length_m, axis)

    def top_m(
        self, flames: Sequence[LeaningFlame], foot_m: FloatArray, burning_m: FloatArray, length_m: FloatArray
    ) -> float:
        """Highest tip in map; arguments as of :meth:`flames`."""
        top_m = foot_m + length_m
        for number, flame in enumerate(flames):
            mine = self._side == number
            top_m[mine] = foot_m[mine] + burning_m[mine] + flame.tip_m
        return float(top_m[np.isfinite(foot_m)].max())

    def side_of(self, columns: _Index) -> _Index:
        """Which side leans what stands before columns (n,); -1 stands upright."""
        return np.asarray(self._side[columns])

    def steps(self, number: int, flame: LeaningFlame, resolution_m: float) -> Iterator[Step]:
        """The way along the flames of a side up to the end of their smoke, each level of voxels met."""
        east, north = self.sides[number].lean.towards
        end_m = self._model.smoke_height * flame.length_m
        count = min(max(math.ceil(end_m / resolution_m), 1), _MOST_STEPS)
        paths = np.linspace(0.0, end_m, count + 1)
        up = np.interp(paths, flame.axis.path_m, flame.axis.height_m)
        off = np.minimum(np.interp(paths, flame.axis.path_m, flame.axis.offset_m), self.reaches_m[number])
        for index in range(count):
            between = max(round((up[index + 1] - up[index]) / resolution_m), 1)
            shares = np.arange(between) / between
            heights = up[index] + shares * (up[index + 1] - up[index])
            offsets = off[index] + shares * (off[index + 1] - off[index])
            moves = tuple(
                (float(z), float(d * north), float(d * east)) for z, d in zip(heights, offsets, strict=True)
            )
            yield Step(float(paths[index]), moves)

    def corners_m(self, places_m: FloatArray, off_m: FloatArray, edge_m: float) -> FloatArray:
        """Points of the plan (n, 2) between which all is that leaves columns at places (c, 2), or stands off them."""
        points = []
        for side, reach_m in zip(self.sides, self.reaches_m, strict=True):
            ends = places_m[side.columns] + reach_m * np.array(side.lean.towards)
            points += [
                start + sign * edge_m for start in (ends, ends + off_m[side.columns]) for sign in (-1.0, 1.0)
            ]
        return np.concatenate(points)


class Sweep:
    """What is drawn on a lattice when attached flames are moved along their way; the most that comes to a voxel stays.

    Args:
        shape: levels, rows and columns.
        resolution_m: edge of a voxel.
        rows: (n,) of the plan cells that flames are attached over.
        cols: see there.
    """

    def __init__(self, shape: tuple[int, int, int], resolution_m: float, rows: _Index, cols: _Index) -> None:
        self._resolution_m, self._rows, self._cols = resolution_m, rows, cols
        self._whole = {name: np.zeros(shape) for name in _NAMES}

    def add(
        self, layers: Mapping[str, FloatArray], chosen: BoolArray, moved_m: _Move, first: int = 0
    ) -> None:
        """Draw layers (levels, n) of chosen plan cells (n,) moved up, north and east; off the lattice is nothing.

        ``first``: level of the lattice that is their lowest.
        """
        used = np.flatnonzero((layers["rise_k"] > 0.0).any(axis=1))
        if not used.size or not chosen.any():
            return
        low, high = int(used[0]), int(used[-1]) + 1
        rows, cols = self._rows[chosen], self._cols[chosen]
        row0, col0 = int(rows.min()), int(cols.min())
        size = (high - low, int(rows.max()) - row0 + 1, int(cols.max()) - col0 + 1)
        up, north, east = (part / self._resolution_m for part in moved_m)
        y, x = math.floor(north), math.floor(east)
        for name, whole in self._whole.items():
            dense = np.zeros((size[0], size[1] + 2, size[2] + 2))
            dense[:, rows - row0 + 1, cols - col0 + 1] = layers[name][low:high, chosen]
            shifted = _between(dense, north - y, east - x)
            _raise(whole, shifted, (first + low + round(up), row0 + y, col0 + x))

    def found(self) -> tuple[dict[str, FloatArray], _Index]:
        """The layers (levels, m), and which plan cells they are over (m,), row by row."""
        levels = len(self._whole["flame"])
        cells = np.flatnonzero((self._whole["rise_k"] > 0.0).any(axis=0))
        return {name: whole.reshape(levels, -1)[:, cells] for name, whole in self._whole.items()}, cells


def _between(values: FloatArray, north: float, east: float) -> FloatArray:
    """Values (levels, rows, cols), empty on their border, moved by part of a voxel: one row and one column fewer."""
    along = (1.0 - east) * values[:, :, 1:] + east * values[:, :, :-1]
    return np.asarray((1.0 - north) * along[:, 1:] + north * along[:, :-1])


def _raise(whole: FloatArray, part: FloatArray, start: tuple[int, int, int]) -> None:
    """Raise an array to the values of a part that starts somewhere in it, or before it."""
    here, there = [], []
    for first, count, size in zip(start, part.shape, whole.shape, strict=True):
        low, high = max(first, 0), min(first + count, size)
        if low >= high:
            return
        here.append(slice(low, high))
        there.append(slice(low - first, high - first))
    target = whole[tuple(here)]
    np.maximum(target, part[tuple(there)], out=target)
