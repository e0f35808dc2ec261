# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Two layers of a room: how deep the smoke hangs and how hot it is, without solving the flow.

Guarantees the published formulas and a two-zone balance that closes: what the plume brings into the upper
layer is what leaves through the vents and what makes it grow, and the heat likewise. The authority for means
where the 3-D solver runs (``smoke.py``). Air conditioning enters as volume flows: an exhaust draws from the layer that
its grille lies in, a supply blows into it, and the opening lets in or out what is left over. Leaves out more than one
room, doors between rooms, cold air that an exhaust pulls through a thin layer, and radiation between the layers: its
share is part of what is lost to the walls.
Heat release is in kW, heights in m above the floor, temperatures in K.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire

_STEPS_A_SECOND = 20
_DISCHARGE = 0.68  # of openings (Emmons, SFPE)
_HALVINGS = 60  # of the search for the neutral plane


@dataclass(frozen=True, slots=True)
class Airflow:
    """What a fan moves through one grille.

    Args:
        height_m: of the grille's middle above the floor.
        flow_m3_per_s: into the room above 0, out of it below.
        temperature_k: of the air that is blown in; 0: that of the air outside.
    """

    height_m: float
    flow_m3_per_s: float
    temperature_k: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.height_m, self.flow_m3_per_s, self.temperature_k)
        if not np.isfinite(numbers).all() or self.height_m < 0.0 or self.temperature_k < 0.0:
            raise ConfigError(
                f"air flow: got {self}; expected finite numbers, height and temperature 0 or above"
            )


@dataclass(frozen=True, slots=True)
class Room:
    """A room with an upright opening and, if any, a vent in its ceiling.

    Args:
        floor_m2: area of the floor.
        height_m: of the ceiling.
        opening_m2: area of the door or window; 0: only leaks at the floor.
        opening_height_m: its height; it begins at the floor.
        ceiling_vent_m2: area of a hole in the ceiling.
        wall_conductance_kw_per_m2_k: what the walls take (h_k of ``wall_conductance_kw_per_m2_k``).
        ambient_k: of the air outside.
        airflows: of the air conditioning.
    """

    floor_m2: float
    height_m: float
    opening_m2: float = 0.0
    opening_height_m: float = 0.0
    ceiling_vent_m2: float = 0.0
    wall_conductance_kw_per_m2_k: float = 0.0
    ambient_k: float = 293.15
    airflows: tuple[Airflow, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.floor_m2, self.height_m, self.ambient_k)
        others = (
            self.opening_m2,
            self.opening_height_m,
            self.ceiling_vent_m2,
            self.wall_conductance_kw_per_m2_k,
        )
        if not np.isfinite((*sizes, *others)).all() or min(sizes) <= 0.0 or min(others) < 0.0:
            raise ConfigError(f"room: got {self}; expected finite numbers, floor, height and ambient above 0")
        if self.opening_height_m > self.height_m:
            raise ConfigError(
                f"room: an opening of {self.opening_height_m} m is higher than the ceiling at {self.height_m} m"
            )
        if any(item.height_m > self.height_m for item in self.airflows):
            raise ConfigError(
                f"room: a grille of {self.airflows} is higher than the ceiling at {self.height_m} m"
            )

    @property
    def surface_m2(self) -> float:
        """Walls, floor and ceiling of a square room, without the opening."""
        walls = 4.0 * math.sqrt(self.floor_m2) * self.height_m
        return 2.0 * self.floor_m2 + walls - self.opening_m2


@dataclass(frozen=True, slots=True)
class Layers:
    """The two layers at one instant."""

    time_s: float
    height_m: float  # of the smoke's lower face
    upper_k: float
    smoke_kg: float  # soot in the upper layer


def wall_conductance_kw_per_m2_k(
    conductivity_kw_per_m_k: float,
    density_kg_per_m3: float,
    heat_kj_per_kg_k: float,
    depth_m: float,
    time_s: float,
) -> float:
    """h_k of McCaffrey, Quintiere and Harkleroad (1981): sqrt(k rho c / t) until heat is through, then k / depth."""
    through_s = density_kg_per_m3 * heat_kj_per_kg_k / conductivity_kw_per_m_k * (0.5 * depth_m) ** 2
    if time_s <= through_s:
        return math.sqrt(conductivity_kw_per_m_k * density_kg_per_m3 * heat_kj_per_kg_k / time_s)
    return conductivity_kw_per_m_k / depth_m


def mqh_rise_k(heat_kw: float, room: Room) -> float:
    """Rise of the upper layer, 6.85 (Q^2 / (A_v H_v^0.5 A_T h_k))^(1/3) (MQH 1981); about 500 K is flashover."""
    vent = room.opening_m2 * math.sqrt(room.opening_height_m)
    walls = room.surface_m2 * room.wall_conductance_kw_per_m2_k
    return float(6.85 * (heat_kw**2 / (vent * walls)) ** (1.0 / 3.0))


def fpa_rise_k(heat_kw: float, air_kg_per_s: float, room: Room) -> float:
    """Rise with forced air, 0.63 (Q / (m cp T))^0.72 (h_k A_T / (m cp))^-0.36 T (Foote, Pagni & Alvares 1985)."""
    flow = air_kg_per_s * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K
    walls = room.surface_m2 * room.wall_conductance_kw_per_m2_k
    return float(
        room.ambient_k * 0.63 * (heat_kw / (flow * room.ambient_k)) ** 0.72 * (walls / flow) ** -0.36
    )


def nfpa_layer_height_m(time_s: float, heat_kw: float, room: Room) -> float:
    """First sign of smoke of a steady fire, z/H = 1.11 - 0.28 ln(t Q^(1/3) H^(-4/3) / (A / H^2)) (NFPA 92)."""
    height = room.height_m
    scaled = time_s * heat_kw ** (1.0 / 3.0) * height ** (-4.0 / 3.0) / (room.floor_m2 / height**2)
    return float(min(height * (1.11 - 0.28 * math.log(scaled)), height))


def yamana_tanaka_height_m(time_s: float, heat_kw: float, room: Room, smoke_kg_per_m3: float = 1.0) -> float:
    """Lower face of the smoke, (2 k Q^(1/3) t / (3 A) + H^(-2/3))^(-3/2), k = 0.076 / rho (Yamana & Tanaka 1985)."""
    rate = 0.076 / smoke_kg_per_m3 * heat_kw ** (1.0 / 3.0)
    return float((2.0 * rate * time_s / (3.0 * room.floor_m2) + room.height_m ** (-2.0 / 3.0)) ** -1.5)


def aset_height_m(time_s: float, heat_kw: float, room: Room, loss: float) -> float:
    """Lower face of the smoke of the ASET balance, dz/dt = -(m / rho + (1 - loss) Q / 353) / A, m by Zukoski."""
    density = float(fire.air_density_kg_per_m3(room.ambient_k))
    height, steps = room.height_m, max(1, round(time_s * _STEPS_A_SECOND))
    for _ in range(steps):
        plume = float(fire.zukoski_mass_flow_kg_per_s(max(height, 0.0), heat_kw, room.ambient_k))
        grown = plume / density + (1.0 - loss) * heat_kw / fire.AIR_DENSITY_TIMES_TEMPERATURE_KG_K_PER_M3
        height = max(height - grown * time_s / steps / room.floor_m2, 0.0)
    return height


class ZoneModel:
    """A smoke layer that grows from step to step.

    Args:
        room: where.
        radiative_fraction: of the heat release that the plume does not carry.
        radiation_lost: share of the radiated heat that never comes back to the layer; 0 where the walls'
            conductance already stands for it, as in MQH.
    """

    def __init__(self, room: Room, radiative_fraction: float = 0.35, radiation_lost: float = 1.0) -> None:
        self.room, self._radiative = room, radiative_fraction
        self._kept = 1.0 - radiative_fraction * radiation_lost
        self.layers = Layers(0.0, room.height_m, room.ambient_k, 0.0)
        self._mass_kg = 0.0
        self._heat_kj = 0.0  # above ambient, in the layer

    def step(self, dt_s: float, heat_kw: float, diameter_m: float, soot_kg_per_s: float = 0.0) -> Layers:
        """Go on by one step.

        Args:
            dt_s: step; cut into parts of at most a twentieth of a second.
            heat_kw: heat release, on the floor.
            diameter_m: of the fire.
            soot_kg_per_s: soot released.
        """
        parts = max(1, math.ceil(dt_s * _STEPS_A_SECOND))
        for _ in range(parts):
            self._part(dt_s / parts, heat_kw, diameter_m, soot_kg_per_s)
        return self.layers

    def _part(self, dt_s: float, heat_kw: float, diameter_m: float, soot_kg_per_s: float) -> None:
        room, now = self.room, self.layers
        plume = float(
            fire.entrained_mass_flow_kg_per_s(
                max(now.height_m, 0.01), max(heat_kw, 1e-6), diameter_m, self._radiative
            )
        )
        fans = self._fans()
        drawn = min(fans.drawn_kg_per_s, self._mass_kg / dt_s)
        plume += fans.blown_kg_per_s
        out = drawn + min(self._outflow_kg_per_s(fans), self._mass_kg / dt_s + plume - drawn)
        rise_k = now.upper_k - room.ambient_k
        upper_m2 = room.floor_m2 + (room.surface_m2 - room.floor_m2) * (1.0 - now.height_m / room.height_m)
        lost_kw = room.wall_conductance_kw_per_m2_k * min(upper_m2, room.surface_m2) * rise_k
        gone_kw = out * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * rise_k + lost_kw
        gained_kw = self._kept * heat_kw + fans.blown_kw
        self._heat_kj = max(self._heat_kj + (gained_kw - gone_kw) * dt_s, 0.0)
        smoke_kg = now.smoke_kg + soot_kg_per_s * dt_s
        if self._mass_kg > 0.0:
            smoke_kg -= min(now.smoke_kg, out * dt_s * now.smoke_kg / self._mass_kg)
        self._mass_kg = max(self._mass_kg + (plume - out) * dt_s, 0.0)
        rise_k = self._heat_kj / max(self._mass_kg * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K, 1e-9)
        upper_k = room.ambient_k + rise_k
        depth_m = self._mass_kg / float(fire.air_density_kg_per_m3(upper_k)) / room.floor_m2
        if depth_m > room.height_m:  # full of smoke: what has no room is pushed out
            share = room.height_m / depth_m
            self._mass_kg, self._heat_kj, smoke_kg, depth_m = (
                self._mass_kg * share,
                self._heat_kj * share,
                smoke_kg * share,
                room.height_m,
            )
        self.layers = Layers(now.time_s + dt_s, room.height_m - depth_m, upper_k, smoke_kg)

    def _fans(self) -> _Fans:
        """What the air conditioning moves now: each grille in the layer that it lies in."""
        room, now = self.room, self.layers
        blown, blown_kw, drawn, net = 0.0, 0.0, 0.0, 0.0
        for item in room.airflows:
            is_upper = item.height_m >= now.height_m
            if item.flow_m3_per_s >= 0.0:
                supplied_k = item.temperature_k or room.ambient_k
                flow = item.flow_m3_per_s * float(fire.air_density_kg_per_m3(supplied_k))
                if is_upper:
                    blown += flow
                    blown_kw += flow * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * (supplied_k - room.ambient_k)
                net += flow
            else:
                from_k = now.upper_k if is_upper else room.ambient_k
                flow = -item.flow_m3_per_s * float(fire.air_density_kg_per_m3(from_k))
                drawn += flow if is_upper else 0.0
                net -= flow
        return _Fans(blown, blown_kw, drawn, net)

    def _outflow_kg_per_s(self, fans: _Fans) -> float:
        """What buoyancy drives out of the layer, through the opening above its neutral plane and the ceiling vent.

        Bernoulli with a discharge coefficient of 0.68 (Emmons, SFPE); the neutral plane lies at the layer's
        face or a third of the opening's height up, whichever is higher: then inflow and outflow balance. With fans
        it lies where the opening lets in what they draw out beyond what they blow in, or the other way.
        """
        room, now = self.room, self.layers
        rise_k = now.upper_k - room.ambient_k
        if rise_k <= 0.0:
            return 0.0
        density = float(fire.air_density_kg_per_m3(now.upper_k))
        pull = 2.0 * fire.GRAVITY_MPS2 * rise_k / room.ambient_k
        flow = 0.0
        if room.opening_m2 > 0.0:
            width_m = room.opening_m2 / room.opening_height_m
            plane_m = max(now.height_m, _neutral_plane_m(room, now))
            if room.airflows:
                plane_m = _plane_with_fans_m(room, now, fans.net_kg_per_s)
            above_m = max(room.opening_height_m - max(plane_m, now.height_m), 0.0)
            flow += _DISCHARGE * width_m * density * math.sqrt(pull) * (2.0 / 3.0) * math.pow(above_m, 1.5)
        depth_m = room.height_m - now.height_m
        return flow + _DISCHARGE * room.ceiling_vent_m2 * density * math.sqrt(pull * depth_m)


@dataclass(frozen=True, slots=True)
class _Fans:
    blown_kg_per_s: float  # into the upper layer
    blown_kw: float  # heat in that, above ambient
    drawn_kg_per_s: float  # out of the upper layer
    net_kg_per_s: float  # into the room, less what is drawn out of it


def _plane_with_fans_m(room: Room, now: Layers, net_kg_per_s: float) -> float:
    """Height of the neutral plane at which an opening lets out ``net_kg_per_s`` more than it lets in.

    Pressure against the outside grows upwards through the layer and is even below it. A plane above the opening lets
    nothing out, one at the layer's face or below it nothing in.
    """
    light = (
        1.0 - room.ambient_k / now.upper_k
    )  # by which the layer is lighter than the air outside, as a share of it
    face_m, top_m = min(now.height_m, room.opening_height_m), room.opening_height_m
    width_m = room.opening_m2 / room.opening_height_m
    outside = float(fire.air_density_kg_per_m3(room.ambient_k))
    inside = float(fire.air_density_kg_per_m3(now.upper_k))
    speed = math.sqrt(2.0 * fire.GRAVITY_MPS2 * light)

    def let_in_kg_per_s(plane_m: float) -> float:
        over_m = min(max(plane_m - face_m, 0.0), 50.0)
        slice_m = 2.0 / 3.0 * (over_m**1.5 - max(plane_m - top_m, 0.0) ** 1.5)
        down = _DISCHARGE * width_m * outside * speed * (face_m * math.sqrt(over_m) + slice_m)
        up_m = max(top_m - plane_m, 0.0) ** 1.5
        up = _DISCHARGE * width_m * inside * math.sqrt(outside / inside) * speed * 2.0 / 3.0 * up_m
        return float(down - up)

    low_m, high_m = face_m, top_m + 50.0
    for _ in range(_HALVINGS):
        middle_m = 0.5 * (low_m + high_m)
        if let_in_kg_per_s(middle_m) < -net_kg_per_s:
            low_m = middle_m
        else:
            high_m = middle_m
    return 0.5 * (low_m + high_m)


def _neutral_plane_m(room: Room, now: Layers) -> float:
    """Height at which as much cold air comes in below as hot gas leaves above, for a layer down to its face."""
    ratio = math.pow(now.upper_k / room.ambient_k, 1.0 / 3.0)
    return room.opening_height_m / (1.0 + ratio)
