# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The box that the air moves in: lattice, borders, obstacles, vents and wind, as numbers on cell faces.

Guarantees that a box in which no incompressible flow exists is refused (a pocket of air without an opening
whose supply and exhaust differ), and that every face has exactly one rule: fixed speed, free, or open to
air at rest. Index order is z (up), y (north), x (east). Leaves out walls that are not along the lattice:
an obstacle is a set of whole cells, and a vent covers the faces whose centres it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray

IndexArray = npt.NDArray[np.int64]

CLOSED, OPEN, PERIODIC = "closed", "open", "periodic"
MIRROR = "mirror"  # closed, and no surface: air slips along it and keeps its heat
SIDES = ("floor", "ceiling", "south", "north", "west", "east")  # lower, upper of z, y, x
MOST_CELLS = 16_000_000
_LEAST_OPEN = 1e-6  # m3/s by which supply and exhaust of a closed pocket may differ, of their sum


@dataclass(frozen=True, slots=True)
class FlowGrid:
    """A lattice of cubic cells.

    Args:
        origin_m: lower corner in map, (east, north, up).
        cell_m: edge of a cell.
        shape: cells (nz, ny, nx).

    Raises:
        ConfigError: not a lattice, or more than ``MOST_CELLS``.
    """

    origin_m: tuple[float, float, float]
    cell_m: float
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        if not np.isfinite(self.origin_m).all() or not (np.isfinite(self.cell_m) and self.cell_m > 0.0):
            raise ConfigError(
                f"flow grid: got origin {self.origin_m} and cell {self.cell_m} m, expected finite numbers, "
                "cell above 0"
            )
        if len(self.shape) != 3 or min(self.shape) < 1 or self.cells > MOST_CELLS:
            raise ConfigError(
                f"flow grid: got {self.shape} cells, expected three counts of 1 or more and at most "
                f"{MOST_CELLS} cells together; take larger cells"
            )

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return int(np.prod([int(count) for count in self.shape]))

    def centres_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cell centres in map along z, y, x."""
        z, y, x = (
            np.asarray(low + self.cell_m * (np.arange(count) + 0.5), dtype=np.float64)
            for low, count in zip(self.origin_m[::-1], self.shape, strict=True)
        )
        return z, y, x


@dataclass(frozen=True, slots=True)
class Vent:
    """A rectangle of one side through which air goes.

    Args:
        side: one of ``SIDES``.
        low_m: lower corner in the side's plane, in map; of the two axes x before y before z.
        high_m: upper corner.
        flow_m3_per_s: into the box (supply) above 0, out of it (exhaust) below 0; None: a free opening.
        rise_k: of the supplied air above ambient.
        soot_kg_per_m3: in the supplied air.
    """

    side: str
    low_m: tuple[float, float]
    high_m: tuple[float, float]
    flow_m3_per_s: float | None = None
    rise_k: float = 0.0
    soot_kg_per_m3: float = 0.0


@dataclass(frozen=True, eq=False)
class Boundaries:
    """What bounds the air.

    Args:
        sides: kind of each of ``SIDES``: closed, open, periodic or mirror; what is not named is closed.
        solid: (nz, ny, nx) cells that are no air; None: all air.
        vents: on closed sides (free openings, supply and exhaust).
        wind_mps: (east, north) outside; blows in through open sides that face it, at one speed all over.
        wall_inertia: (nz, ny, nx) k rho c of solid cells, (kW/(m2 K))^2 s; NaN, and None: not known.
    """

    sides: Mapping[str, str] = field(default_factory=dict)
    solid: BoolArray | None = None
    vents: tuple[Vent, ...] = ()
    wind_mps: tuple[float, float] = (0.0, 0.0)
    wall_inertia: Float32Array | None = None


@dataclass(frozen=True, eq=False)
class Domain:
    """A box ready to be solved; arrays by axis are in the order z, y, x.

    ``open_faces[a]`` is 0 where the speed is fixed, 1 between two cells of air, 2 at an opening (the pressure
    is 0 on the face, half a cell away); ``fixed_mps[a]`` is the speed where it is fixed.
    """

    grid: FlowGrid
    kinds: tuple[tuple[str, str], ...]  # lower and upper side of each axis, as the fast solver takes them
    air: BoolArray
    open_faces: tuple[Float32Array, Float32Array, Float32Array]
    fixed_mps: tuple[Float32Array, Float32Array, Float32Array]
    inflow_rise_k: tuple[Float32Array, ...]  # of what enters through each of SIDES, on its plane
    inflow_soot_kg_per_m3: tuple[Float32Array, ...]
    is_plain: bool  # no obstacle and no vent: the fast solver alone is exact
    is_pinned: bool  # some air has an opening: the pressure has no free constant
    pockets: tuple[IndexArray, ...]  # flat cells of each pocket of air without an opening
    wind_mps: tuple[float, float]
    solid_sides: frozenset[str] = (
        frozenset()
    )  # of SIDES: those that are surfaces where nothing is cut into them
    wall_inertia: Float32Array | None = None  # of solid cells; NaN, and None: not known


def make_domain(grid: FlowGrid, boundaries: Boundaries) -> Domain:
    """The numbers on the faces.

    Raises:
        ConfigError: an unknown side or kind, a half periodic axis, a vent off its side, an obstacle of another
            shape, no air, or a pocket that cannot let go of what is blown into it.
    """
    mirrors = frozenset(side for side, kind in boundaries.sides.items() if kind == MIRROR)
    kinds = _kinds({**boundaries.sides, **dict.fromkeys(mirrors, CLOSED)})
    air = _air(grid, boundaries.solid)
    faces = _Faces(grid, kinds, air)
    wind_sides = faces.blow(boundaries.wind_mps, kinds)
    for vent in boundaries.vents:
        if vent.side in mirrors:
            raise ConfigError(
                f"vent on the {vent.side}: that side is a mirror, so nothing can be cut into it"
            )
        faces.cut(vent, kinds)
    for axis, (low, _) in enumerate(kinds):
        if low == PERIODIC:
            _same_ends(faces.open_faces[axis], axis)
    pockets = _pockets(faces, kinds, grid)
    fast = tuple(
        tuple(CLOSED if SIDES[2 * axis + end] in wind_sides else kind for end, kind in enumerate(pair))
        for axis, pair in enumerate(kinds)
    )
    free = any(bool((item == 2.0).any()) for item in faces.open_faces)
    openings = any(vent.flow_m3_per_s is None for vent in boundaries.vents)
    return Domain(
        grid=grid,
        kinds=fast,  # type: ignore[arg-type]
        air=air,
        open_faces=faces.by_axis(faces.open_faces),
        fixed_mps=faces.by_axis(faces.fixed_mps),
        inflow_rise_k=tuple(faces.rise_k),
        inflow_soot_kg_per_m3=tuple(faces.soot),
        is_plain=bool(air.all()) and not openings,
        is_pinned=free,
        pockets=pockets,
        wind_mps=boundaries.wind_mps,
        solid_sides=frozenset(side for side in SIDES if boundaries.sides.get(side, CLOSED) == CLOSED),
        wall_inertia=_inertia(grid, boundaries.wall_inertia),
    )


def _kinds(sides: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    unknown = sorted(set(sides) - set(SIDES))
    wrong = sorted({kind for kind in sides.values() if kind not in (CLOSED, OPEN, PERIODIC)})
    if unknown or wrong:
        raise ConfigError(
            f"flow borders: got {', '.join(unknown + wrong)}; expected sides {', '.join(SIDES)} that are "
            f"{CLOSED}, {OPEN}, {PERIODIC} or {MIRROR}"
        )
    pairs = []
    for axis in range(3):
        low, high = (sides.get(SIDES[2 * axis + end], CLOSED) for end in (0, 1))
        if (low == PERIODIC) != (high == PERIODIC):
            raise ConfigError(
                f"flow borders: {SIDES[2 * axis]} is {low} and {SIDES[2 * axis + 1]} is {high}; an axis is "
                "periodic at both ends or at none"
            )
        pairs.append((low, high))
    return tuple(pairs)


def _air(grid: FlowGrid, solid: BoolArray | None) -> BoolArray:
    if solid is None:
        return np.ones(grid.shape, dtype=bool)
    if solid.shape != grid.shape:
        raise ConfigError(f"obstacles: got an array of {solid.shape}, expected the grid's {grid.shape}")
    air: BoolArray = ~solid.astype(bool)
    if not air.any():
        raise ConfigError("obstacles: every cell of the grid is solid; no air is left to move")
    return air


def _inertia(grid: FlowGrid, inertia: Float32Array | None) -> Float32Array | None:
    if inertia is None:
        return None
    if inertia.shape != grid.shape or np.isinf(inertia).any() or bool((inertia < 0.0).any()):
        raise ConfigError(
            f"obstacles: got thermal inertia of {inertia.shape}, expected the grid's {grid.shape} of 0 or more, or NaN"
        )
    return inertia.astype(np.float32)


def _same_ends(faces: Float32Array, axis: int) -> None:
    """The two end faces of a periodic axis are one face."""
    ends = np.moveaxis(faces, axis, 0)
    ends[0] = np.minimum(ends[0], ends[-1])
    ends[-1] = ends[0]


class _Faces:
    """Rules on faces while they are being collected."""

    def __init__(self, grid: FlowGrid, kinds: tuple[tuple[str, str], ...], air: BoolArray) -> None:
        self.grid = grid
        self.open_faces: list[Float32Array] = []
        self.fixed_mps: list[Float32Array] = []
        self.rise_k: list[Float32Array] = []
        self.soot: list[Float32Array] = []
        for axis, ends in enumerate(kinds):
            shape = tuple(count + (1 if i == axis else 0) for i, count in enumerate(grid.shape))
            rule = np.ones(shape, dtype=np.float32)
            cells, faces = np.moveaxis(air, axis, 0), np.moveaxis(rule, axis, 0)
            faces[1:-1] = cells[1:] & cells[:-1]
            for end, kind in zip((0, -1), ends, strict=True):
                level = {CLOSED: 0.0, OPEN: 2.0, PERIODIC: 1.0}[kind]
                faces[end] = np.where(cells[end], level, 0.0)
                plane = np.zeros(faces[end].shape, dtype=np.float32)
                self.rise_k.append(plane)
                self.soot.append(plane.copy())
            self.open_faces.append(rule)
            self.fixed_mps.append(np.zeros(shape, dtype=np.float32))
        self.air = air

    @staticmethod
    def by_axis(items: list[Float32Array]) -> tuple[Float32Array, Float32Array, Float32Array]:
        for item in items:
            item.setflags(write=False)
        z, y, x = items
        return z, y, x

    def plane(self, items: list[Float32Array], side: int) -> Float32Array:
        """A view of the faces of one side."""
        plane: Float32Array = np.moveaxis(items[side // 2], side // 2, 0)[0 if side % 2 == 0 else -1]
        return plane

    def blow(self, wind_mps: tuple[float, float], kinds: tuple[tuple[str, str], ...]) -> set[str]:
        """Fix the speed on open sides through which the wind comes; returns them."""
        found = set()
        for axis, speed in ((2, wind_mps[0]), (1, wind_mps[1])):
            if not np.isfinite(speed):
                raise ConfigError(f"wind: got {wind_mps} m/s, expected finite numbers")
            side = 2 * axis + (0 if speed > 0.0 else 1)
            if speed != 0.0 and kinds[axis][side % 2] == OPEN:
                rule = self.plane(self.open_faces, side)
                self.plane(self.fixed_mps, side)[:] = np.where(rule > 0.0, speed, 0.0)
                rule[:] = 0.0
                found.add(SIDES[side])
        return found

    def cut(self, vent: Vent, kinds: tuple[tuple[str, str], ...]) -> None:
        """Let air through the faces of one vent."""
        side = _vent_side(vent, kinds)
        axis = side // 2
        across = [item for item in (2, 1, 0) if item != axis]  # x before y before z
        centres = self.grid.centres_m()
        inside = []
        for item, low, high in zip(across, vent.low_m, vent.high_m, strict=True):
            inside.append((item, (centres[item] >= low) & (centres[item] <= high)))
        rows, cols = (held for _, held in sorted(inside, key=lambda pair: pair[0]))
        cells = np.moveaxis(self.air, axis, 0)[0 if side % 2 == 0 else -1]
        chosen: BoolArray = rows[:, None] & cols[None, :] & cells
        if not chosen.any():
            raise ConfigError(
                f"vent on the {vent.side} from {vent.low_m} to {vent.high_m}: it holds no face before air; "
                f"move it onto the side or make it larger than a cell of {self.grid.cell_m} m"
            )
        if vent.flow_m3_per_s is None:
            self.plane(self.open_faces, side)[chosen] = 2.0
            return
        speed = vent.flow_m3_per_s / (float(chosen.sum()) * self.grid.cell_m**2)
        self.plane(self.fixed_mps, side)[chosen] = speed if side % 2 == 0 else -speed
        self.rise_k[side][chosen] = vent.rise_k
        self.soot[side][chosen] = vent.soot_kg_per_m3


def _vent_side(vent: Vent, kinds: tuple[tuple[str, str], ...]) -> int:
    numbers = (*vent.low_m, *vent.high_m, vent.flow_m3_per_s or 0.0, vent.rise_k, vent.soot_kg_per_m3)
    if vent.side not in SIDES or not np.isfinite(numbers).all() or vent.soot_kg_per_m3 < 0.0:
        raise ConfigError(
            f"vent: got {vent}; expected a side of {', '.join(SIDES)}, finite numbers and soot of 0 or more"
        )
    side = SIDES.index(vent.side)
    if kinds[side // 2][side % 2] != CLOSED:
        raise ConfigError(f"vent on the {vent.side}: that side is not closed, so nothing can be cut into it")
    return side


def _pockets(faces: _Faces, kinds: tuple[tuple[str, str], ...], grid: FlowGrid) -> tuple[IndexArray, ...]:
    """Flat cells of each pocket of air without an opening; refused when its supply and exhaust differ."""
    labelled, count = ndimage.label(faces.air)
    labels: IndexArray = np.asarray(labelled, dtype=np.int64)
    for axis, (low, _) in enumerate(kinds):
        if low == PERIODIC:
            labels, count = _joined(labels, axis)
    area_m2, pockets = grid.cell_m**2, []
    for number in range(1, count + 1):
        net, total, pinned = 0.0, 0.0, False
        for side in range(6):
            cells = np.moveaxis(labels, side // 2, 0)[0 if side % 2 == 0 else -1] == number
            pinned |= bool((faces.plane(faces.open_faces, side)[cells] == 2.0).any())
            speed = faces.plane(faces.fixed_mps, side)[cells].astype(np.float64)
            net += float(speed.sum()) * area_m2 * (1.0 if side % 2 == 0 else -1.0)
            total += float(np.abs(speed).sum()) * area_m2
        if pinned:
            continue
        if abs(net) > _LEAST_OPEN * max(total, 1e-9):
            raise ConfigError(
                f"a closed pocket of {int((labels == number).sum())} cells gets {net:+.4f} m3/s more than it "
                "lets go; give it an opening, or make supply and exhaust equal"
            )
        pockets.append(np.flatnonzero(labels.ravel() == number))
    return tuple(pockets)


def _joined(labels: IndexArray, axis: int) -> tuple[IndexArray, int]:
    """Labels in which cells that touch through a periodic border have one number."""
    ends = np.moveaxis(labels, axis, 0)
    for first, last in zip(ends[0].ravel().tolist(), ends[-1].ravel().tolist(), strict=True):
        if first and last and first != last:
            labels[labels == max(first, last)] = min(first, last)
    names = np.unique(labels[labels > 0])
    joined = np.searchsorted(names, labels) + 1
    return np.where(labels > 0, joined, 0).astype(np.int64), len(names)
