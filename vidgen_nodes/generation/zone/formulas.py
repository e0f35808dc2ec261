# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Published formulas of hot layers in rooms: how deep the smoke hangs, how hot it is.

Guarantees the formulas as cited. Leaves out the balance that they stand for (``model.py``).
Heat release is in kW, heights in m above the floor, temperatures in K.
"""

from __future__ import annotations

import math

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.zone.room import Room

_STEPS_A_SECOND = 20


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


def mqh_rise_k(heat_kw: float, room: Room, walls_kw_per_m2_k: float) -> float:
    """Rise of the upper layer, 6.85 (Q^2 / (A_v H_v^0.5 A_T h_k))^(1/3) (MQH 1981); about 500 K is flashover."""
    vent = room.opening_m2 * math.sqrt(room.opening_height_m)
    walls = room.surface_m2 * walls_kw_per_m2_k
    return float(6.85 * (heat_kw**2 / (vent * walls)) ** (1.0 / 3.0))


def fpa_rise_k(heat_kw: float, air_kg_per_s: float, room: Room, walls_kw_per_m2_k: float) -> float:
    """Rise with forced air, 0.63 (Q / (m cp T))^0.72 (h_k A_T / (m cp))^-0.36 T (Foote, Pagni & Alvares 1985)."""
    flow = air_kg_per_s * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K
    walls = room.surface_m2 * walls_kw_per_m2_k
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
