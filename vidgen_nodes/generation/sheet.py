# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The hazard field over one burning surface: flames on and above the pieces that burn, and nowhere else.

Pieces above each other are one column, whose line heat release Q' gives its flame length. Guarantees that voxels
stand only before or above pieces that burn or have burnt, that the field is a function of their heat and of
time alone, and that nothing is left where the gate is closed. The motion is texture of the right speed and size,
not a solution of the flow equations. Wind along the surface leans them (``wind/areas.py``): then voxels stand
downwind of that, too. Leaves out flames under ceilings (their heat counts, they are not drawn), and what flames of two
surfaces do to each other.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from vidgen_nodes.generation import fire, radiance
from vidgen_nodes.generation.burning import Burning
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.sheet_model import SheetModel
from vidgen_nodes.generation.spread import Fuel
from vidgen_nodes.generation.turbulence import CarriedNoise, seed_of
from vidgen_nodes.generation.wind.areas import ATTACHED, SheetShape, WindOnAreas
from vidgen_nodes.generation.wind.sheet_lean import LeaningFlame, SheetLean, Sweep
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray

MOST_VOXELS = 1_000_000
_TILE = 64  # lattice points of the noise; it repeats beyond
_LEVEL = 0.7  # cosine: such surfaces count as roofs or floors
_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SheetState:
    """One burning surface at one instant."""

    heat_kw: float  # of its pieces
    flame_top_m: float  # in map
    burning: _Index  # pieces that give heat, into the order of ``Burning``
    line_kw_per_m: FloatArray  # of each column
    foot_m: FloatArray  # lowest burning piece of each column, in map; inf where none burns
    length_m: FloatArray  # flame of each column above its foot
    burning_m: FloatArray  # from the foot of each column to its highest burning piece
    flames: tuple[LeaningFlame, ...] = ()  # one for each side that leans
    drawn_top_m: float = -math.inf  # in map: of the flame, leaning or not

    @property
    def tip_offset_m(self) -> float:
        """How far downwind the tip of a leaning flame is; 0: upright."""
        return max((flame.tip_offset_m for flame in self.flames), default=0.0)


class FlameSheet:
    """The voxel lattice of one surface, anchored in the world, and what fills it.

    Args:
        name: of the surface.
        burning: all pieces.
        members: (k,) those of this surface, into the order of ``burning``; none looks down.
        fuel: of the surface.
        flame_absorption_per_m: of its flame, grey.
        seed: of the scenario.
        ambient_k: of the air.
        resolution_m: edge of a voxel; coarser where the lattice would be too large.
        model: numbers of the picture.
        wind: that may lean its flames; None: still air.
        radiative_fraction: of its heat; counts in wind.
    """

    def __init__(
        self,
        name: str,
        burning: Burning,
        members: _Index,
        fuel: Fuel,
        flame_absorption_per_m: float,
        seed: int,
        ambient_k: float,
        resolution_m: float,
        model: SheetModel,
        wind: WindOnAreas | None = None,
        radiative_fraction: float = 0.0,
    ) -> None:
        self.name, self.model, self.members, self.fuel = name, model, members, fuel
        self._burning = burning
        self._absorption_per_m, self._ambient_k = flame_absorption_per_m, ambient_k
        graph, points = burning.graph, burning.points[members]
        self._height_m = graph.points_m[points, 2]
        self._spacing_m = graph.resolution_m
        normals = graph.normals[points]
        self._is_level = bool(np.mean(normals[:, 2]) > _LEVEL)
        keys = np.round(graph.points_m[points, :2] / (0.25 * self._spacing_m)).astype(np.int64)
        _, first, column = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        self._column: _Index = column.ravel().astype(np.int64)  # of each member
        self._place_m = graph.points_m[points[first], :2]  # (c, 2)
        flat = normals[first, :2]
        self._out = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
        self._width_m = graph.area_m2[points[first]] / self._spacing_m
        peak = np.bincount(self._column, burning.curve.peak_kw_per_m2[members] * burning.area_m2[members])
        longest_m = float(model.flame_length * (peak / self._width_m).max() ** (2.0 / 3.0))
        if self._is_level:
            longest_m = max(longest_m, fire.flame_height_m(float(peak.sum()), 0.05))
        self._peak_line_kw_per_m = float((peak / self._width_m).max())
        self.lean = self._lean_in(wind, longest_m, radiative_fraction, float(peak.sum()))
        self._lay_out(longest_m, resolution_m)
        self._eddies = tuple(
            CarriedNoise(
                seed_of(seed, f"{name}/sheet/{kind}"),
                (_TILE, _TILE),
                ratio * model.eddy_m / self.resolution_m,
                ratio * model.eddy_s,
                model.slowest_hz,
            )
            for kind, ratio in (("small", 1.0), ("large", model.eddy_ratio))
        )
        self._table = radiance.radiance_table()

    def _lean_in(
        self, wind: WindOnAreas | None, longest_m: float, radiative_fraction: float, peak_kw: float
    ) -> SheetLean | None:
        """What leans the flames of this surface; None where nothing does."""
        if wind is None:
            return None
        columns = len(self._place_m)
        height_m = np.bincount(self._column, self._height_m, columns) / np.bincount(self._column)
        area_m2 = float(self._burning.area_m2[self.members].sum())
        sides = wind.sides(
            SheetShape(
                self.name,
                np.column_stack((self._place_m, height_m)),
                None if self._is_level else self._out,
                0.5 * self.model.most_thickness_m,
                longest_m,
                peak_kw / area_m2 / self.fuel.heat_of_combustion_kj_per_kg,
                radiative_fraction,
            )
        )
        if not sides:
            return None
        return SheetLean(
            sides, columns, self.model, self.fuel.heat_of_combustion_kj_per_kg, longest_m, peak_kw
        )

    def _lay_out(self, longest_m: float, resolution_m: float) -> None:
        """Place the lattice and find which columns of pieces each of its plan cells stands before."""
        reach_m = 0.0 if self._is_level else self.model.depth_m
        edge = 0.5 * self._spacing_m
        corners = np.concatenate(
            (self._place_m - edge, self._place_m + edge, self._place_m + reach_m * self._out)
        )
        if self.lean is not None:
            blown = self.lean.corners_m(self._place_m, reach_m * self._out, edge)
            corners = np.concatenate((corners, blown))
        low, high = corners.min(axis=0), corners.max(axis=0)
        base_m = float(self._height_m.min()) - (0.0 if self._is_level else edge)
        top_m = float(self._height_m.max()) + max(self.model.smoke_height * longest_m, 1.0)
        self.resolution_m = resolution_m
        while math.prod((high - low) // self.resolution_m + 1) * (top_m - base_m) / self.resolution_m > (
            MOST_VOXELS
        ):
            self.resolution_m *= 1.25
        step = self.resolution_m
        # Voxel borders lie in the plane of an upright wall that runs along an axis.
        anchor = self._place_m[0]
        self._low = anchor + np.floor((low - anchor) / step + 1e-6) * step
        counts = np.maximum(np.ceil((high - self._low) / step - 1e-6), 1).astype(int)
        self.shape = (math.ceil((top_m - base_m) / step), int(counts[1]), int(counts[0]))
        self.origin_m = (float(self._low[0]), float(self._low[1]), base_m)
        rows, cols = np.meshgrid(np.arange(self.shape[1]), np.arange(self.shape[2]), indexing="ij")
        self._weigh(rows.ravel(), cols.ravel())

    def _weigh(self, rows: _Index, cols: _Index) -> None:
        """Keep the plan cells before the surface, each with the shares that columns of pieces have in it."""
        centre = self._low + (np.column_stack((cols, rows)) + 0.5) * self.resolution_m
        way = centre[:, None] - self._place_m[None]  # (p, c, 2)
        if self._is_level:
            depth = np.zeros(way.shape[:2])
            along = np.abs(way).max(axis=2)
        else:
            depth = np.einsum("pci,ci->pc", way, self._out)
            along = np.abs(way[..., 0] * self._out[None, :, 1] - way[..., 1] * self._out[None, :, 0])
        near = (depth > -0.01) & (depth < self.model.depth_m)
        before = near & (along <= 0.5 * self._spacing_m + 1e-6)
        share = np.where(near, np.maximum(1.0 - along / self._spacing_m, 0.0), 0.0)
        kept = np.flatnonzero(before.any(axis=1))
        self._rows, self._cols, self._share = rows[kept], cols[kept], share[kept]
        self._before = before[kept]
        total = np.maximum(self._share.sum(axis=1), 1e-9)
        self._share /= total[:, None]
        wide = np.where(depth < self.model.depth_m, np.maximum(1.0 - along / self.model.taper_m, 0.0), 0.0)
        self._around = wide[kept]
        self._whole = np.clip(self._around.sum(axis=1) / (self.model.taper_m / self._spacing_m), 0.0, 1.0)
        self._depth_m = np.where(before, depth, np.inf)[kept].min(axis=1)
        self._nearest = np.where(before, along, np.inf)[kept].argmin(axis=1)
        z_m = np.asarray(self.origin_m[2] + (np.arange(self.shape[0]) + 0.5) * self.resolution_m, np.float64)
        self._z_m = z_m
        touching = np.flatnonzero(self._depth_m < self.resolution_m)
        self._skin, self._skin_member = touching, self._members_at(touching)

    def _members_at(self, cells: _Index) -> _Index:
        """(nz, len(cells)) the member that lies behind each voxel of these plan cells; -1 where none does."""
        found = np.full((len(self._z_m), len(cells)), -1, np.int64)
        for place, cell in enumerate(cells):
            mine = np.flatnonzero(self._column == self._nearest[cell])
            away_m = np.abs(self._z_m[:, None] - self._height_m[None, mine])
            close = away_m.min(axis=1) <= 0.5 * self._spacing_m + 0.5 * self.resolution_m * self._is_level
            found[close, place] = mine[away_m[close].argmin(axis=1)]
        return found

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Voxel centres in map along z, y, x."""
        east_m, north_m = (
            np.asarray(low + (np.arange(count) + 0.5) * self.resolution_m, np.float64)
            for low, count in zip(self.origin_m[:2], self.shape[:0:-1], strict=True)
        )
        return self._z_m, north_m, east_m

    def state(self, heat_kw: FloatArray) -> SheetState | None:
        """The surface when the pieces of ``burning`` give so much heat (n,); None while too little to draw."""
        own_kw = heat_kw[self.members]
        total_kw = float(own_kw.sum())
        if total_kw < self.model.least_heat_kw:
            return None
        alight = own_kw > 0.0
        columns = len(self._place_m)
        line = np.bincount(self._column, own_kw, columns) / self._width_m
        foot_m, top_m = np.full(columns, np.inf), np.full(columns, -np.inf)
        edge = 0.0 if self._is_level else 0.5 * self._spacing_m
        np.minimum.at(foot_m, self._column[alight], self._height_m[alight] - edge)
        np.maximum.at(top_m, self._column[alight], self._height_m[alight] + edge)
        length_m = self.model.flame_length * line ** (2.0 / 3.0)
        if self._is_level:
            area_m2 = float(self._burning.area_m2[self.members[alight]].sum())
            pool_m = fire.flame_height_m(total_kw, math.sqrt(4.0 * area_m2 / math.pi))
            length_m = np.where(line > 0.0, np.maximum(length_m, pool_m), 0.0)
        lit = np.isfinite(foot_m)
        length_m = np.where(lit, np.maximum(length_m, top_m - foot_m), 0.0)
        tip_m = float((foot_m + length_m)[lit].max())
        burning_m = np.where(lit, top_m - foot_m, 0.0)
        state = SheetState(total_kw, tip_m, self.members[alight], line, foot_m, length_m, burning_m)
        if self.lean is None:
            return dataclasses.replace(state, drawn_top_m=tip_m)
        flames = self.lean.flames(total_kw, line, foot_m, burning_m, length_m, self._width_m)
        drawn_m = self.lean.top_m(flames, foot_m, burning_m, length_m)
        return dataclasses.replace(state, flames=flames, drawn_top_m=drawn_m)

    def field(
        self, state: SheetState, time_s: float, burning_s: FloatArray, open_voxels: Float32Array
    ) -> HazardField | None:
        """The field at an instant where the gate lets it be; None where none of it is open.

        Args:
            state: from ``state``.
            time_s: event time since scenario start: of the texture.
            burning_s: seconds of fire since arrival of each piece (n,).
            open_voxels: ``self.shape``, 1 inside open columns and 0 elsewhere.
        """
        lit = np.isfinite(state.foot_m)
        burnt = np.zeros(len(lit), np.bool_)
        burnt[self._column[burning_s[self.members] > 0.0]] = True
        chosen = np.flatnonzero(self._before @ (lit | burnt))
        high_m = self.origin_m[2] + self.model.smoke_height * (state.flame_top_m - self.origin_m[2])
        levels = min(self.shape[0], math.ceil((high_m - self.origin_m[2]) / self.resolution_m))
        if self.lean is not None:
            return self._leaned(self.lean, state, time_s, burning_s, open_voxels[:levels], chosen)
        is_open = open_voxels[:levels, self._rows[chosen], self._cols[chosen]]
        used: BoolArray = np.any(is_open > 0.0, axis=0)
        chosen, is_open = chosen[used], is_open[:, used]
        if not chosen.size:
            return None
        layers = self._fill(state, time_s, chosen, levels)
        cells = self._cells(chosen)
        self._add_skin(layers, burning_s, cells, levels)
        return self._assemble(layers, is_open, cells, levels)

    def _leaned(
        self,
        lean: SheetLean,
        state: SheetState,
        time_s: float,
        burning_s: FloatArray,
        open_voxels: Float32Array,
        chosen: _Index,
    ) -> HazardField | None:
        """:meth:`field` in wind: the flames as they leave the surface, carried downwind, and then the gate."""
        levels = len(open_voxels)
        layers, cells = self._swept(lean, state, time_s, chosen, levels).found()
        every = np.union1d(cells, self._cells(np.intersect1d(chosen, self._skin)))
        is_open = open_voxels.reshape(levels, -1)[:, every]
        used: BoolArray = np.any(is_open > 0.0, axis=0)
        every, is_open = every[used], is_open[:, used]
        if not every.size:
            return None
        kept = np.isin(cells, every)
        whole = {name: np.zeros((levels, len(every))) for name in ("flame", "rise_k", "soot", "skin")}
        for name, values in layers.items():
            whole[name][:, np.searchsorted(every, cells[kept])] = values[:, kept]
        self._add_skin(whole, burning_s, every, levels)
        return self._assemble(whole, is_open, every, levels)

    def _swept(self, lean: SheetLean, state: SheetState, time_s: float, chosen: _Index, levels: int) -> Sweep:
        """All flames: upright ones as they stand, leaning ones from every piece that burns, up and downwind."""
        weight, half_m = self._weight(state, chosen), 0.5 * self.resolution_m
        above_m, burning_m = self._above_m(state, weight, levels), weight @ state.burning_m
        attached = (above_m > -half_m) & (above_m <= np.maximum(burning_m, half_m))
        swept = Sweep((levels, *self.shape[1:]), self.resolution_m, self._rows[chosen], self._cols[chosen])
        side = lean.side_of(self._nearest[chosen])
        if (side < 0).any():
            swept.add(self._fill(state, time_s, chosen, levels), side < 0, (0.0, 0.0, 0.0))
        band = np.flatnonzero(attached.any(axis=1))  # of levels: nothing else moves
        if not band.size:
            return swept
        first, past = int(band[0]), int(band[-1]) + 1
        above_m, attached = above_m[first:past], attached[first:past]
        for number, flame in enumerate(state.flames):
            line = np.full(len(chosen), flame.line_kw_per_m)
            for step in lean.steps(number, flame, self.resolution_m):
                scaled = np.full_like(above_m, ATTACHED + (1.0 - ATTACHED) * step.path_m / flame.length_m)
                over_m = np.minimum(above_m, flame.length_m) + step.path_m  # what is older has gone downwind
                layers = self._layers(line, above_m + step.path_m, scaled, time_s, chosen, state, over_m)
                layers = {name: values * attached for name, values in layers.items()}
                for moved_m in step.moved_m:
                    swept.add(layers, side == number, moved_m, first)
        return swept

    def _weight(self, state: SheetState, chosen: _Index) -> FloatArray:
        """Share (len(chosen), c) of each burning column in each plan cell."""
        share = self._share[chosen] * np.isfinite(state.foot_m).astype(np.float64)
        return np.asarray(share / np.maximum(share.sum(axis=1), 1e-9)[:, None], np.float64)

    def _above_m(self, state: SheetState, weight: FloatArray, levels: int) -> FloatArray:
        """Height (levels, n) over the foot of what burns behind plan cells with these weights."""
        foot_m = weight @ np.where(np.isfinite(state.foot_m), state.foot_m, 0.0)
        return np.asarray(self._z_m[:levels, None] - foot_m, np.float64)

    def _cells(self, chosen: _Index) -> _Index:
        """Which cells of the plan, row by row, those kept are."""
        return np.asarray(self._rows[chosen] * self.shape[2] + self._cols[chosen])

    def _fill(self, state: SheetState, time_s: float, chosen: _Index, levels: int) -> dict[str, FloatArray]:
        """Flame share, temperature rise and soot (levels, len(chosen)) of upright flames."""
        weight = self._weight(state, chosen)
        length_m = np.maximum(weight @ state.length_m, 0.05)
        line = np.maximum(weight @ state.line_kw_per_m, 1e-6)
        above_m = self._above_m(state, weight, levels)
        return self._layers(line, above_m, above_m / length_m, time_s, chosen, state)

    def _layers(
        self,
        line: FloatArray,
        above_m: FloatArray,
        scaled: FloatArray,
        time_s: float,
        chosen: _Index,
        state: SheetState,
        over_m: FloatArray | None = None,
    ) -> dict[str, FloatArray]:
        """Flame share, temperature rise and soot (levels, len(chosen)).

        Args:
            line: (len(chosen),) kW/m.
            above_m: (levels, len(chosen)) way up the flame.
            scaled: the same over its length.
            time_s: of the texture.
            chosen: plan cells.
            state: of the surface.
            over_m: (levels, len(chosen)) of that way, what makes the flame thicker; None: all.
        """
        model = self.model
        lit = np.isfinite(state.foot_m).astype(np.float64)
        cover = (self._before[chosen] @ (lit > 0.0)).astype(
            np.float64
        )  # flames only before what burns itself
        way_m = above_m if over_m is None else over_m
        width_m = np.clip(model.thickness_m + model.thickness_growth * way_m, 0.02, model.most_thickness_m)
        off2 = (self._depth_m[chosen] / width_m) ** 2
        speed_mps = model.velocity * _line_speed_mps(self._peak_line_kw_per_m)
        emission_s = time_s - np.maximum(above_m, 0.0) / (speed_mps * model.convection_fraction)
        across, deep = self._texture_cells(chosen)
        small, large = (eddies.sample(emission_s, across, deep) for eddies in self._eddies)
        noise = 0.7 * small + 0.714 * large
        ragged = model.ragged_base + model.ragged_tip * np.clip(scaled, 0.0, 1.0)
        drawn_in = model.taper * np.clip(scaled, 0.0, 1.2) * self._end(chosen, lit) ** 2
        flame = (1.0 - scaled - off2 - drawn_in + ragged * noise) / model.edge_softness + 0.5
        flame = np.clip(flame, 0.0, 1.0) * (above_m > -0.5 * self.resolution_m) * cover
        hot = np.clip((1.5 - scaled) / 1.1, 0.0, 1.0)
        mean_k = model.tip_rise_k / np.maximum(scaled, 1.0) + (model.flame_rise_k - model.tip_rise_k) * hot
        shape = np.exp(-0.7 * off2) * (above_m > 0.0) * cover
        rise_k = np.maximum(mean_k * shape * (1.0 + 0.2 * noise), model.flame_rise_k * flame)
        released = np.clip((scaled - model.smoke_from) / (1.0 - model.smoke_from), 0.0, 1.0)
        fading = np.clip((model.smoke_height - scaled) / 0.3, 0.0, 1.0)
        soot = self.fuel.soot_yield * line / self.fuel.heat_of_combustion_kj_per_kg
        soot = soot / (model.velocity * _line_speed_mps(line) * width_m)
        soot = soot * shape * released * fading * np.clip(1.0 + 0.5 * noise, 0.0, None)
        return {"flame": flame, "rise_k": rise_k, "soot": soot, "skin": np.zeros_like(flame)}

    def _end(self, chosen: _Index, lit: FloatArray) -> FloatArray:
        """How near each plan cell (n,) is to an end of the burning columns: 0 well inside, 1 at the end."""
        around = self._around[chosen]
        inside = (around @ lit) / np.maximum(around.sum(axis=1), 1e-9)
        missing = 1.0 - inside if self._is_level else np.maximum(1.0 - inside, 1.0 - self._whole[chosen])
        ends: FloatArray = np.clip(2.0 * missing, 0.0, 1.0)
        return ends

    def _texture_cells(self, chosen: _Index) -> tuple[_Index, _Index]:
        """Where each plan cell lies on the noise: along the surface, and off it."""
        if self._is_level:
            return self._rows[chosen], self._cols[chosen]
        out = self._out[self._nearest[chosen]]
        along = self._cols[chosen] * -out[:, 1] + self._rows[chosen] * out[:, 0]
        return np.round(along).astype(np.int64), np.round(self._depth_m[chosen] / self.resolution_m).astype(
            np.int64
        )

    def _add_skin(
        self, layers: dict[str, FloatArray], burning_s: FloatArray, cells: _Index, levels: int
    ) -> None:
        """The burning or burnt surface itself: opaque in both bands, hot while it burns."""
        model = self.model
        skin_cells = self._cells(self._skin)
        on = np.isin(skin_cells, cells)
        members = self._skin_member[:levels, on]
        places = np.searchsorted(cells, skin_cells[on])
        since_s = np.where(members >= 0, burning_s[self.members[members]], -1.0)
        since_s = np.where(members >= 0, since_s, -1.0)
        life_s = self._burning.curve.life_s[self.members[members]]
        warm = np.clip(since_s / model.char_warming_s, 0.0, 1.0)
        cooled = np.exp(-np.maximum(since_s - life_s, 0.0) / model.char_cooling_s)
        rise_k = (model.char_k - self._ambient_k) * warm * cooled
        skin = -math.log1p(-model.char_opacity) / self.resolution_m * np.clip(5.0 * warm, 0.0, 1.0)
        layers["skin"][:, places] = skin
        old_k = layers["rise_k"][:, places]
        flame = layers["flame"][:, places]
        layers["rise_k"][:, places] = np.where(skin > 0.0, rise_k + flame * (old_k - rise_k) * 0.3, old_k)

    def _assemble(
        self, layers: dict[str, FloatArray], is_open: Float32Array, cells: _Index, levels: int
    ) -> HazardField:
        rows, cols = np.divmod(cells, self.shape[2])
        row0, col0 = int(rows.min()), int(cols.min())
        shape = (levels, int(rows.max()) - row0 + 1, int(cols.max()) - col0 + 1)
        luminous = layers["flame"] * self._absorption_per_m
        soot = layers["soot"] * (1.0 - layers["flame"]) * fire.SOOT_EXTINCTION_M2_PER_KG
        kelvin = self._ambient_k + layers["rise_k"] * is_open
        lwir = (luminous + soot * fire.LWIR_EXTINCTION_RATIO + layers["skin"]) * is_open
        visible = (luminous + soot + layers["skin"]) * is_open
        emitted = lwir * self._band_radiance(kelvin)

        def spread_out(values: FloatArray, empty: float = 0.0) -> torch.Tensor:
            dense = np.full(shape, empty, np.float32)
            dense[:, rows - row0, cols - col0] = values
            return torch.from_numpy(dense)

        step = self.resolution_m
        origin = (self.origin_m[0] + col0 * step, self.origin_m[1] + row0 * step, self.origin_m[2])
        half = (0.5 * shape[2] * step, 0.5 * shape[1] * step)
        reach_m = math.hypot(*half)
        return HazardField(
            origin_m=origin,
            resolution_m=step,
            temperature_k=spread_out(kelvin, self._ambient_k),
            extinction_lwir_per_m=spread_out(lwir),
            extinction_visible_per_m=spread_out(visible),
            axis_m=(origin[0] + half[0], origin[1] + half[1], origin[2]),
            reach_m=(reach_m, reach_m),
            top_m=levels * step,
            emission_w_per_m3_sr=spread_out(emitted),
            flame_absorption_per_m=spread_out(luminous * is_open),
            luminous_k=self.model.luminous_soot_k,
        )

    def _band_radiance(self, kelvin: FloatArray) -> Float32Array:
        """Band radiance by nearest table entry: within 0.25 K."""
        scaled = (kelvin - radiance.TABLE_LOW_K) / radiance.TABLE_STEP_K + 0.5
        found: Float32Array = np.take(self._table, scaled.astype(np.int64).clip(0, len(self._table) - 1))
        return found


def _line_speed_mps(line_kw_per_m: npt.ArrayLike) -> FloatArray:
    """(g Q' / (rho cp T))^(1/3), the speed scale of a line plume."""
    group = fire.AIR_DENSITY_TIMES_TEMPERATURE_KG_K_PER_M3 * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K
    return np.asarray(np.cbrt(fire.GRAVITY_MPS2 * np.asarray(line_kw_per_m) / group))
