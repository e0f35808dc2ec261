# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Two layers of a room: how deep the smoke hangs and how hot it is, without solving the flow.

Guarantees a balance that closes: what the plume brings into the upper layer is what leaves through the vents and what
makes it grow, and the heat released is stored, let out, radiated out or through the walls (``ZoneModel.books``), for
steps of any length. Nothing that is drawn reads it: it is the second opinion on smoke in rooms that validation asks.
Air conditioning enters as volume flows: a grille moves the layer that it lies in, and the opening lets in or out what
is left over.
Leaves out more than one room, doors between rooms, fires that lack air (they need 1 kg for each 3 MJ), gas of the
upper layer that the inflow tears down with it, air that warm walls drive (a room airs too slowly once its fire is out),
and fuels (the products that radiate are methane's).
Heat release is in kW, heights in m above the floor, temperatures in K.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.zone.heat import Release, exchange
from vidgen_nodes.generation.zone.radiation import gas_emissivity
from vidgen_nodes.generation.zone.room import Room
from vidgen_nodes.generation.zone.vents import Fans, fans, outflow_kg_per_s
from vidgen_nodes.generation.zone.walls import Walls

_LEAST_STEP_S, _DOUBLINGS = 0.05, 5
_STEP_SHARE = 0.02  # at most, of the time in which the plume fills the layer anew
_WATER_KMOL_PER_KJ, _DIOXIDE_KMOL_PER_KJ = 2.0 / 802.3e3, 1.0 / 802.3e3  # burnt methane
_BAR_M3_PER_KMOL_K = 0.0831446
_MEAN_BEAM = 3.6  # mean path of rays over volume and surface (Hottel)
_POINT = 1.0 / 3.0  # of the flame's height, from which it radiates (NIST TN 1889v1)
_LEAST_KG, _ROUNDING_S = 1e-9, 1e-9


@dataclass(frozen=True, slots=True)
class Layers:
    """The two layers at one instant."""

    time_s: float
    height_m: float  # of the smoke's lower face
    upper_k: float
    lower_k: float
    smoke_kg: float  # soot in the upper layer


@dataclass(slots=True)
class Books:
    """Heat above the air outside since the start, in kJ: released and blown in is the sum of all others.

    Args:
        released: by the fire.
        blown: in with warmer air, or cooler air below 0.
        carried: out with the gas.
        radiated: out through holes, and on to surfaces of a room without linings.
        conducted: out at the back of the linings.
        in_layers: there now.
        in_walls: there now.
    """

    released: float = 0.0
    blown: float = 0.0
    carried: float = 0.0
    radiated: float = 0.0
    conducted: float = 0.0
    in_layers: float = 0.0
    in_walls: float = 0.0


@dataclass(slots=True)
class _Gas:
    """A layer's gas, and its heat above the air outside."""

    kg: float
    kj: float = 0.0
    soot_kg: float = 0.0
    burnt_kj: float = 0.0  # heat whose products it holds

    @property
    def rise_k(self) -> float:
        return self.kj / self.kj_per_k if self.kg > _LEAST_KG else 0.0

    @property
    def kj_per_k(self) -> float:
        return max(self.kg, _LEAST_KG) * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K

    def volume_m3(self, ambient_k: float) -> float:
        return self.kg * (ambient_k + self.rise_k) / fire.AIR_DENSITY_TIMES_TEMPERATURE_KG_K_PER_M3

    def lose(self, share: float) -> float:
        """That share of it goes; returns the heat in kJ that goes along."""
        gone_kj, left = share * self.kj, 1.0 - share
        self.kg, self.kj = self.kg * left, self.kj * left
        self.soot_kg, self.burnt_kj = self.soot_kg * left, self.burnt_kj * left
        return gone_kj


class ZoneModel:
    """A smoke layer that grows from step to step, with the air below it and the walls around.

    ``room`` may be given anew between steps, with other fans.

    Args:
        room: where.
        radiative_fraction: of the heat release that the plume does not carry.
    """

    def __init__(self, room: Room, radiative_fraction: float = 0.35) -> None:
        self.room, self._radiative = room, radiative_fraction
        self.layers = Layers(0.0, room.height_m, room.ambient_k, room.ambient_k, 0.0)
        self.out_kg_per_s = 0.0  # of the upper layer's gas, in the last step
        self._upper = _Gas(0.0)
        self._lower = _Gas(room.floor_m2 * room.height_m * float(fire.air_density_kg_per_m3(room.ambient_k)))
        self._walls = Walls(room.linings) if room.linings else None
        self._box = room.box(room.height_m)
        self._books = Books()

    @property
    def books(self) -> Books:
        """Where the heat is and went."""
        self._books.in_layers = self._upper.kj + self._lower.kj
        if self._walls is not None:
            self._books.in_walls = float(self._walls.stored_kj_per_m2 @ self._box.solid_m2)
        return self._books

    def step(
        self, dt_s: float, heat_kw: float, diameter_m: float, soot_kg_per_s: float = 0.0, base_m: float = 0.0
    ) -> Layers:
        """Go on by one step.

        Args:
            dt_s: step; cut into parts, the shorter the faster the layer changes.
            heat_kw: heat release.
            diameter_m: of the fire.
            soot_kg_per_s: soot released.
            base_m: height of the fire's base.
        """
        left_s = dt_s
        while left_s > _ROUNDING_S:
            height_m = max(self.layers.height_m - base_m, 0.01)
            plume = float(
                fire.entrained_mass_flow_kg_per_s(height_m, max(heat_kw, 1e-6), diameter_m, self._radiative)
            )
            part_s = min(_part_s(self._upper.kg / max(plume, _LEAST_KG)), left_s)
            tip_m = base_m + _POINT * fire.flame_height_m(heat_kw, diameter_m)
            self._part(part_s, heat_kw, plume, soot_kg_per_s, tip_m)
            left_s -= part_s
        return self.layers

    def _part(self, dt_s: float, heat_kw: float, plume: float, soot_kg_per_s: float, point_m: float) -> None:
        room, now, books = self.room, self.layers, self._books
        moved = fans(room, now.height_m, now.upper_k, now.lower_k)
        warmer_k = max(now.upper_k - now.lower_k, 0.0)
        carried_kw = (1.0 - self._radiative) * heat_kw
        above_kw = max(carried_kw - plume * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * warmer_k, 0.0)
        self._exchange_gas(dt_s, plume, moved)
        self._upper.kj += carried_kw * dt_s
        self._upper.burnt_kj += heat_kw * dt_s
        self._upper.soot_kg += soot_kg_per_s * dt_s
        books.released += heat_kw * dt_s
        radiated_kw = self._radiative * heat_kw
        if self._walls is None:
            books.radiated += radiated_kw * dt_s
        else:
            self._exchange_heat(dt_s, self._walls, Release(radiated_kw, carried_kw, above_kw, point_m))
        self._settle(now.time_s + dt_s)

    def _exchange_gas(self, dt_s: float, plume: float, moved: Fans) -> None:
        room, now, upper, lower = self.room, self.layers, self._upper, self._lower
        has_kg_per_s = upper.kg / dt_s
        drawn = min(moved.drawn_upper, has_kg_per_s)
        buoyant = outflow_kg_per_s(room, now.height_m, now.upper_k, moved.net)
        self.out_kg_per_s = drawn + min(buoyant, has_kg_per_s - drawn)
        if upper.kg > 0.0:
            self._books.carried += upper.lose(min(self.out_kg_per_s / has_kg_per_s, 1.0))
        lower.kg += moved.blown_lower * dt_s
        lower.kj += moved.blown_lower_kw * dt_s
        if lower.kg > _LEAST_KG:
            share = min(moved.drawn_lower * dt_s / lower.kg, 1.0)
            self._books.carried += lower.lose(share)
        if lower.kg > _LEAST_KG:
            risen_kg = min(plume * dt_s, lower.kg)
            upper.kj += lower.lose(risen_kg / lower.kg)
            upper.kg += risen_kg
        upper.kg += moved.blown_upper * dt_s
        upper.kj += moved.blown_upper_kw * dt_s
        self._books.blown += (moved.blown_upper_kw + moved.blown_lower_kw) * dt_s

    def _exchange_heat(self, dt_s: float, walls: Walls, release: Release) -> None:
        upper, lower, ambient_k = self._upper, self._lower, self.room.ambient_k
        answers = walls.answers(dt_s)
        moved = exchange(
            self._box,
            walls,
            answers,
            (upper.rise_k, lower.rise_k),
            (upper.kj_per_k / dt_s, lower.kj_per_k / dt_s),
            self._emissivity(),
            release,
            ambient_k,
        )
        upper.kj, lower.kj = moved.upper_k * upper.kj_per_k, moved.lower_k * lower.kj_per_k
        back = walls.take(moved.flux_kw_per_m2, answers)
        self._books.conducted += float(back @ self._box.solid_m2) * dt_s
        self._books.radiated += moved.outside_kw * dt_s

    def _emissivity(self) -> float:
        """Of the upper layer."""
        upper, box = self._upper, self._box
        depth_m = box.height_m - box.face_m
        volume_m3 = depth_m * box.floor_m2
        path_m = _MEAN_BEAM * volume_m3 / (2.0 * box.floor_m2 + 4.0 * box.side_m * depth_m)
        gas_k = self.room.ambient_k + upper.rise_k
        bar_per_kmol = _BAR_M3_PER_KMOL_K * gas_k / volume_m3
        water, dioxide = (
            upper.burnt_kj * share * bar_per_kmol for share in (_WATER_KMOL_PER_KJ, _DIOXIDE_KMOL_PER_KJ)
        )
        return gas_emissivity(gas_k, path_m, water, dioxide, upper.soot_kg / volume_m3)

    def _settle(self, time_s: float) -> None:
        """The layers share the room: what has no place is pushed out, and air from outside fills what is left."""
        room, upper, lower = self.room, self._upper, self._lower
        volume_m3 = room.floor_m2 * room.height_m
        upper_m3 = upper.volume_m3(room.ambient_k)
        if upper_m3 > volume_m3:
            self._books.carried += upper.lose(1.0 - volume_m3 / upper_m3)
            upper_m3 = volume_m3
        left_m3, lower_m3 = volume_m3 - upper_m3, lower.volume_m3(room.ambient_k)
        if lower_m3 > left_m3:
            self._books.carried += lower.lose(1.0 - left_m3 / lower_m3)
        else:
            lower.kg += (left_m3 - lower_m3) * float(fire.air_density_kg_per_m3(room.ambient_k))
        face_m = left_m3 / room.floor_m2
        box = room.box(face_m)
        if self._walls is not None:
            self._walls.meet(self._box.solid_m2, box.solid_m2)
        self._box = box
        self.layers = Layers(
            time_s, face_m, room.ambient_k + upper.rise_k, room.ambient_k + lower.rise_k, upper.soot_kg
        )


def _part_s(refill_s: float) -> float:
    """Length of a part of a step; few different ones, for the walls remember how they answer to each."""
    doublings = math.floor(math.log2(max(_STEP_SHARE * refill_s / _LEAST_STEP_S, 1.0)))
    return float(_LEAST_STEP_S * 2.0 ** min(doublings, _DOUBLINGS))
