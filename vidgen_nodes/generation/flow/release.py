# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heat and soot that fires release into the cells of a box.

Guarantees that the volume integral of what is released is the fire's convective heat and its soot to rounding,
however few cells the fire covers, and that the seeded unrest in it changes only where, not how much.
A fire outside the air of the box is refused. Leaves out what burns: a source says where its flame stands.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import Domain, IndexArray
from vidgen_nodes.generation.flow.momentum import Velocity
from vidgen_nodes.packets import Float32Array, FloatArray

if TYPE_CHECKING:
    from vidgen_nodes.generation.smoke import SmokeParams, SmokeState

FLAME_RISE_K = (
    900.0  # assumed: a cell of a buoyant diffusion flame does not get hotter (McCaffrey: 800 K mean)
)
_TOO_HOT = "a flame is too small for its heat: cells got hotter than flames are"
_EDDY = 0.25  # of D*, assumed
_SHAKE, _STIR = 1, 2  # kinds of random numbers
# Heat that a m3 of buoyant flame releases (Orloff & de Ris 1982, from memory): it says how full a flame is.
FLAME_KW_PER_M3 = 1200.0
_FULLEST = 0.5  # exponent of the fullest flame: the outline 1 - z / L - (r / w)^2 = 0 that ``plume.py`` draws
_SLIMMEST = 1.0  # a cone
_FINE = 4  # points an edge at which a cell's share of the flame is sampled
_KEPT = 256  # flames whose cells are remembered; a steady fire is one, a growing one many


@dataclass(frozen=True, slots=True)
class HeatSource:
    """One fire, as long as a step.

    Args:
        position_m: foot of the flame's axis in map, (east, north, up).
        diameter_m: of the burning area.
        height_m: of the flame; heat is released evenly over its volume (``slimness``).
        heat_release_kw: all of it.
        radiative_fraction: of it that does not warm the gas.
        soot_kg_per_s: released with it.
    """

    position_m: tuple[float, float, float]
    diameter_m: float
    height_m: float
    heat_release_kw: float
    radiative_fraction: float = 0.35
    soot_kg_per_s: float = 0.0

    def __post_init__(self) -> None:
        numbers = (*self.position_m, self.diameter_m, self.height_m, self.heat_release_kw, self.soot_kg_per_s)
        if not all(math.isfinite(number) for number in (*numbers, self.radiative_fraction)):
            raise InputError("not_finite", f"heat source: got {self}, expected finite numbers")
        if min(numbers[3:]) < 0.0 or not 0.0 <= self.radiative_fraction <= 1.0:
            raise InputError(
                "negative_release",
                f"heat source: got {self}; expected size, heat and soot of 0 or more, radiative fraction 0 to 1",
            )


@dataclass(frozen=True, eq=False)
class Released:
    """What the air holds after a step's release."""

    lightness_k: Float32Array
    soot_kg_per_m3: Float32Array
    heat_release_kw: float
    notes: tuple[str, ...] = ()


def slimness(heat_kw: float, diameter_m: float, height_m: float) -> float:
    """Exponent n of a flame's outline r = D / 2 (1 - z / L)^n, of volume pi / 4 D^2 L / (2 n + 1).

    It has the volume in which ``FLAME_KW_PER_M3`` are released, from a cone's up to that of the flame that is drawn:
    slim where the fire is wide for its heat. Rounded to a hundredth.
    """
    upright_m3 = 0.25 * math.pi * diameter_m**2 * height_m
    if heat_kw <= 0.0 or upright_m3 <= 0.0:
        return _FULLEST
    slim = 0.5 * (upright_m3 * FLAME_KW_PER_M3 / heat_kw - 1.0)
    return round(min(max(slim, _FULLEST), _SLIMMEST), 2)


class Release:
    """Puts the release of sources into the cells of one domain."""

    def __init__(self, domain: Domain, params: SmokeParams, seed: int) -> None:
        self._domain, self._seed, self._params = domain, seed, params
        density = float(fire.air_density_kg_per_m3(params.ambient_k))
        # Enthalpy of one cell whose lightness is 1 K.
        self.kj_per_k_cell = density * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * domain.grid.cell_m**3
        self._shares: OrderedDict[tuple[object, ...], tuple[IndexArray, FloatArray]] = OrderedDict()

    def gain_mps(self, state: SmokeState, dt_s: float) -> float:
        """Speed that the hottest air may gain in a step."""
        return dt_s * fire.GRAVITY_MPS2 * max(float(state.lightness_k.max()), 0.0) / self._params.ambient_k

    def into(self, state: SmokeState, dt_s: float, sources: Sequence[HeatSource]) -> Released:
        """What the air holds once a sub-step's release is in it.

        Raises:
            InputError: a source with no cell of air in its flame.
        """
        lightness, soot = state.lightness_k.copy(), state.soot_kg_per_m3.copy()
        heat, smoke = lightness.reshape(-1), soot.reshape(-1)
        released_kw, over = 0.0, False
        for number, source in enumerate(sources):
            if source.heat_release_kw == 0.0 and source.soot_kg_per_s == 0.0:
                continue
            cells, share = self._share(source)
            shaken = self._shaken(share, state.time_s, number)
            convective_kw = (1.0 - source.radiative_fraction) * source.heat_release_kw
            before = float(heat[cells].sum(dtype=np.float64))
            wanted_k = shaken * (convective_kw * dt_s / self.kj_per_k_cell)
            given_k, over_k = self._burn(heat[cells].astype(np.float64), wanted_k)
            over |= over_k > 0.0
            heat[cells] += (given_k + over_k * share).astype(np.float32)
            gained_kw = (float(heat[cells].sum(dtype=np.float64)) - before) * self.kj_per_k_cell / dt_s
            released_kw += gained_kw + source.radiative_fraction * source.heat_release_kw
            smoke[cells] += (shaken * (source.soot_kg_per_s * dt_s / self._domain.grid.cell_m**3)).astype(
                np.float32
            )
        notes = (_TOO_HOT,) if over else ()
        return Released(lightness, soot, released_kw, notes)

    def _burn(self, had_k: FloatArray, wanted_k: FloatArray) -> tuple[FloatArray, float]:
        """Lightness given to each cell of a flame, and what found no room.

        Gas as hot as flames get takes no more: there the fuel has found its air already, and what is left
        burns in the cooler cells of the same flame.
        """
        ambient_k = self._params.ambient_k
        most_k = ambient_k * FLAME_RISE_K / (ambient_k + FLAME_RISE_K)
        room_k = np.maximum(most_k - had_k, 0.0)
        given_k = np.minimum(wanted_k, room_k)
        over_k, left_k = float((wanted_k - given_k).sum()), room_k - given_k
        room = float(left_k.sum())
        if over_k > 0.0 and room > 0.0:
            moved_k = min(over_k, room)
            given_k += left_k * (moved_k / room)
            over_k -= moved_k
        return given_k, max(over_k, 0.0)

    def _shaken(self, share: FloatArray, time_s: float, number: int) -> FloatArray:
        """Shares with seeded unrest that keeps their sum."""
        noise = self._params.source_noise
        if noise == 0.0:
            return share
        normal = self._random(time_s, _SHAKE, number).standard_normal(len(share))
        shaken = share * np.maximum(1.0 + noise * normal, 0.0)
        return np.asarray(shaken / shaken.sum())

    def stir(
        self,
        velocity: Velocity,
        lightness_k: Float32Array,
        time_s: float,
        dt_s: float,
        sources: Sequence[HeatSource],
    ) -> None:
        """Seeded unrest of the air in flames, in place: the turbulence that a prescribed flame cannot make itself.

        A random acceleration, white in time and of eddies a quarter of D* wide, so that step and cells do not
        decide how much there is; its strength is a share of the flame's own scales sqrt(g D*), sqrt(D* / g). Eddies
        push each other: the momentum of a flame as a whole stays what it was, so its plume is not shoved about.
        """
        strength, ambient_k = self._params.stir, self._params.ambient_k
        for number, source in enumerate(sources):
            if strength == 0.0 or source.heat_release_kw == 0.0:
                continue
            cells, _ = self._share(source)
            size_m = fire.characteristic_diameter_m(source.heat_release_kw, ambient_k)
            cell_m = self._domain.grid.cell_m
            eddy_m = _EDDY * size_m
            cells_an_eddy = max(1, round(eddy_m / cell_m))
            # A larger patch that gets one push holds more of the motion: the unrest per volume stays.
            speed = (
                strength * math.sqrt(fire.GRAVITY_MPS2 * size_m) * (eddy_m / (cells_an_eddy * cell_m)) ** 1.5
            )
            places = np.stack(np.unravel_index(cells, self._domain.grid.shape))
            kick = speed * math.sqrt(dt_s * math.sqrt(fire.GRAVITY_MPS2 / size_m))
            _, block = np.unique(places // cells_an_eddy, axis=1, return_inverse=True)
            block = block.reshape(-1)
            count = int(block.max()) + 1
            mass = 1.0 - lightness_k.reshape(-1)[cells].astype(np.float64) / ambient_k
            drawn = self._random(time_s, _STIR, number).standard_normal((3, count))
            for own, normal in zip(velocity, drawn, strict=True):
                push = kick * normal[block]
                if count > 1:  # a flame that is one eddy has none to push against
                    push -= float(mass @ push) / float(mass.sum())
                own[tuple(places)] += push.astype(np.float32)

    def _random(self, time_s: float, kind: int, number: int) -> np.random.Generator:
        key = [self._seed & (2**64 - 1), round(time_s * 1e6)]
        return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, kind, number]))

    def _share(self, source: HeatSource) -> tuple[IndexArray, FloatArray]:
        """Flat cells of air in a flame, and the share of the release of each."""
        slim = slimness(source.heat_release_kw, source.diameter_m, source.height_m)
        key = (source.position_m, source.diameter_m, source.height_m, slim)
        found = self._shares.get(key)
        if found is None:
            found = self._shares[key] = self._sample(source, slim)
            if len(self._shares) > _KEPT:
                self._shares.popitem(last=False)
        return found

    def _sample(self, source: HeatSource, slim: float) -> tuple[IndexArray, FloatArray]:
        grid = self._domain.grid
        z_m, y_m, x_m = grid.centres_m()
        east, north, up = source.position_m
        # A flame thinner than a cell still covers one.
        radius = max(0.5 * source.diameter_m, 0.5 * grid.cell_m)
        height = max(source.height_m, grid.cell_m)
        fine = (np.arange(_FINE) + 0.5) / _FINE - 0.5
        window = tuple(
            np.flatnonzero((centres > low - grid.cell_m) & (centres < high + grid.cell_m))
            for centres, low, high in (
                (z_m, up, up + height),
                (y_m, north - radius, north + radius),
                (x_m, east - radius, east + radius),
            )
        )
        z, y, x = (
            (centres[chosen][:, None] + fine * grid.cell_m).reshape(-1) - foot
            for centres, chosen, foot in zip((z_m, y_m, x_m), window, (up, north, east), strict=True)
        )
        within = (z >= 0.0) & (z <= height)
        reach = np.where(within, np.maximum(1.0 - z / height, 0.0) ** slim * radius, -1.0)
        inside = (y[:, None] ** 2 + x[None, :] ** 2)[None] <= (np.abs(reach) * reach)[:, None, None]
        counts = [item for chosen in window for item in (len(chosen), _FINE)]
        share = np.zeros(grid.shape)
        share[np.ix_(*window)] = inside.reshape(counts).mean(axis=(1, 3, 5))
        share *= self._domain.air
        cells = np.flatnonzero(share)
        if cells.size == 0:
            raise InputError(
                "source_outside",
                f"heat source at {source.position_m} m: its flame holds no air of the box from {grid.origin_m} m "
                f"over {grid.shape} cells of {grid.cell_m} m",
            )
        weights = share.reshape(-1)[cells]
        return cells, np.asarray(weights / weights.sum())
