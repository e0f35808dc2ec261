# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A jet of steam from a leak: what flows out, and the cloud of droplets that it condenses into.

Guarantees the choked flow of an ideal gas, a jet that keeps its momentum flux, and a mixing of steam and air
in which mass and enthalpy balance and the heat of condensation is released exactly once: with what is
condensed. Droplets hide both bands alike; dry steam and vapour are taken as clear in 8-14 um but for a small
continuum. Leaves out flashing of hot water (the reservoir is dry steam), wind, and walls in the jet's way.
The numbers of the jet are from memory of the textbooks named, except where a test holds them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import FloatArray

GAMMA = 1.3  # of superheated steam
GAS_CONSTANT_J_PER_KG_K = 461.5
AMBIENT_PA = 101_325.0
LATENT_KJ_PER_KG = 2257.0
STEAM_HEAT_KJ_PER_KG_K = 2.0
WATER_HEAT_KJ_PER_KG_K = 4.19
AIR_HEAT_KJ_PER_KG_K = 1.0
AIR_GAS_CONSTANT_J_PER_KG_K = 287.0
BOILING_K = 373.15
SPEED_FACTOR = 6.2  # u / u0 = 6.2 d / z of a round jet (Fischer; physics of turbulent jets)
HALF_ANGLE_RAD = math.radians(11.8)
DROPLET_RADIUS_M = 2.5e-6  # of 5 to 20 um across; a jet is young, so the small end (assumed)
WATER_KG_PER_M3 = 1000.0
VAPOUR_LWIR_M2_PER_KG = 0.02  # assumed: the continuum of water vapour in 8-14 um; metres of it stay clear


@dataclass(frozen=True, slots=True)
class SteamLeak:
    """A hole in a vessel or pipe of steam.

    Args:
        position_m: in map.
        direction: unit vector in map, out of the hole.
        pressure_pa: inside, absolute.
        temperature_k: inside.
        diameter_m: of the hole.
        discharge: coefficient of the hole.
    """

    position_m: tuple[float, float, float]
    direction: tuple[float, float, float]
    pressure_pa: float
    temperature_k: float
    diameter_m: float
    discharge: float = 0.62

    def __post_init__(self) -> None:
        numbers = (*self.position_m, *self.direction, self.pressure_pa, self.temperature_k, self.diameter_m)
        if not np.isfinite((*numbers, self.discharge)).all():
            raise InputError("not_finite", f"steam leak: got {self}, expected finite numbers")
        if abs(math.hypot(*self.direction) - 1.0) > 1e-6:
            raise ConfigError(
                f"steam leak: direction {self.direction} is no unit vector; divide it by its length"
            )
        if self.pressure_pa <= AMBIENT_PA or self.temperature_k < BOILING_K or self.diameter_m <= 0.0:
            raise ConfigError(
                f"steam leak: got {self.pressure_pa} Pa, {self.temperature_k} K, hole {self.diameter_m} m; expected "
                f"more than {AMBIENT_PA} Pa, at least {BOILING_K} K (dry steam) and a hole above 0"
            )

    @property
    def is_choked(self) -> bool:
        """Whether the steam leaves at the speed of sound: p0 / pa above 1.83."""
        return bool(self.pressure_pa / AMBIENT_PA > ((GAMMA + 1.0) / 2.0) ** (GAMMA / (GAMMA - 1.0)))


def mass_flow_kg_per_s(leak: SteamLeak) -> float:
    """Isentropic flow through the hole, per Cd A p0 / sqrt(R T0).

    Choked sqrt(gamma) (2 / (gamma + 1))^((gamma + 1) / (2 (gamma - 1))); else
    sqrt(2 gamma / (gamma - 1) (r^(2 / gamma) - r^((gamma + 1) / gamma))) with r = pa / p0.
    """
    area_m2 = 0.25 * math.pi * leak.diameter_m**2
    rt = GAS_CONSTANT_J_PER_KG_K * leak.temperature_k
    if leak.is_choked:
        power = (GAMMA + 1.0) / (2.0 * (GAMMA - 1.0))
        sonic = math.sqrt(GAMMA / rt) * math.pow(2.0 / (GAMMA + 1.0), power)
        return leak.discharge * area_m2 * leak.pressure_pa * sonic
    ratio = AMBIENT_PA / leak.pressure_pa
    head = ratio ** (2.0 / GAMMA) - ratio ** ((GAMMA + 1.0) / GAMMA)
    return leak.discharge * area_m2 * leak.pressure_pa * math.sqrt(2.0 * GAMMA / ((GAMMA - 1.0) * rt) * head)


@dataclass(frozen=True, slots=True)
class ExpandedJet:
    """The jet where it has come down to ambient pressure; the rest of it follows from this."""

    speed_mps: float
    temperature_k: float
    diameter_m: float
    mass_flow_kg_per_s: float


def expanded(leak: SteamLeak) -> ExpandedJet:
    """The notional source of Birch (1987): what left the hole, at ambient pressure, with its momentum kept."""
    flow = mass_flow_kg_per_s(leak)
    area_m2 = 0.25 * math.pi * leak.diameter_m**2
    if leak.is_choked:
        throat_k = leak.temperature_k * 2.0 / (GAMMA + 1.0)
        throat_pa = leak.pressure_pa * (2.0 / (GAMMA + 1.0)) ** (GAMMA / (GAMMA - 1.0))
        sound_mps = math.sqrt(GAMMA * GAS_CONSTANT_J_PER_KG_K * throat_k)
        speed = sound_mps + (throat_pa - AMBIENT_PA) * area_m2 * leak.discharge / flow
    else:
        ratio = (AMBIENT_PA / leak.pressure_pa) ** ((GAMMA - 1.0) / GAMMA)
        heat = GAMMA * GAS_CONSTANT_J_PER_KG_K / (GAMMA - 1.0)
        speed = math.sqrt(2.0 * heat * leak.temperature_k * (1.0 - ratio))
    # Total enthalpy stays: a perfect gas has no more to give than cp T0.
    heat_j = GAMMA * GAS_CONSTANT_J_PER_KG_K / (GAMMA - 1.0)
    temperature = max(leak.temperature_k - 0.5 * speed**2 / heat_j, BOILING_K)
    density = AMBIENT_PA / (GAS_CONSTANT_J_PER_KG_K * temperature)
    diameter = math.sqrt(4.0 * flow / (math.pi * density * speed))
    return ExpandedJet(speed, temperature, diameter, flow)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Steam mixed with air, at equilibrium; arrays of one shape, per kg of mixture."""

    temperature_k: FloatArray
    vapour: FloatArray  # kg/kg
    liquid: FloatArray  # kg/kg, as droplets
    density_kg_per_m3: FloatArray


def mixed(steam: npt.ArrayLike, steam_k: float, ambient_k: float, humidity: float = 0.5) -> Mixture:
    """Steam and moist air brought together without loss of heat.

    Args:
        steam: mass fraction of what came from the leak, 0 to 1.
        steam_k: its temperature.
        ambient_k: of the air.
        humidity: relative, of the air.

    Solved by bisection for the temperature at which the enthalpy of vapour, droplets and air is that of
    what was mixed; droplets are what the air cannot hold.
    """
    share = np.clip(np.asarray(steam, dtype=np.float64), 0.0, 1.0)
    damp = _saturated_share(np.asarray(ambient_k), 1.0) * humidity
    water = share + (1.0 - share) * damp
    air = 1.0 - water
    heat = share * _vapour_kj_per_kg(np.asarray(steam_k)) + (1.0 - share) * (
        damp * _vapour_kj_per_kg(np.asarray(ambient_k)) + (1.0 - damp) * AIR_HEAT_KJ_PER_KG_K * ambient_k
    )
    low, high = np.full_like(share, min(ambient_k, 250.0)), np.full_like(share, max(steam_k, ambient_k) + 1.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        over = enthalpy_kj_per_kg(middle, air, water) > heat
        high, low = np.where(over, middle, high), np.where(over, low, middle)
    temperature = 0.5 * (low + high)
    vapour = np.minimum(water, _held(temperature, air))
    gas = AMBIENT_PA / temperature / (air * AIR_GAS_CONSTANT_J_PER_KG_K + vapour * GAS_CONSTANT_J_PER_KG_K)
    return Mixture(temperature, vapour, water - vapour, gas)


def enthalpy_kj_per_kg(temperature_k: FloatArray, air: FloatArray, water: FloatArray) -> FloatArray:
    """Enthalpy of a mixture whose water beyond saturation is liquid; liquid at 0 K counts 0."""
    vapour = np.minimum(water, _held(temperature_k, air))
    liquid = (water - vapour) * WATER_HEAT_KJ_PER_KG_K * temperature_k
    return np.asarray(
        air * AIR_HEAT_KJ_PER_KG_K * temperature_k + vapour * _vapour_kj_per_kg(temperature_k) + liquid
    )


def _vapour_kj_per_kg(temperature_k: FloatArray) -> FloatArray:
    """Liquid to boiling, latent heat, then as a gas: so evaporation costs 2257 kJ/kg at 373 K."""
    at_boiling = WATER_HEAT_KJ_PER_KG_K * BOILING_K + LATENT_KJ_PER_KG
    return np.asarray(at_boiling + STEAM_HEAT_KJ_PER_KG_K * (temperature_k - BOILING_K))


def saturation_pa(temperature_k: npt.ArrayLike) -> FloatArray:
    """Vapour pressure over water, Magnus's form 610.94 exp(17.625 t / (t + 243.04)) (Alduchov & Eskridge 1996)."""
    celsius = np.asarray(temperature_k, dtype=np.float64) - 273.15
    return np.asarray(610.94 * np.exp(17.625 * celsius / (celsius + 243.04)))


def _held(temperature_k: FloatArray, air: FloatArray) -> FloatArray:
    """Most vapour that so much air can hold at ambient pressure; unbounded from boiling on."""
    pressure = saturation_pa(temperature_k)
    ratio = AIR_GAS_CONSTANT_J_PER_KG_K / GAS_CONSTANT_J_PER_KG_K
    room = np.maximum(AMBIENT_PA - pressure, 1e-3)
    return np.asarray(np.where(pressure >= AMBIENT_PA, np.inf, air * ratio * pressure / room))


def _saturated_share(temperature_k: FloatArray, air: float) -> float:
    mixing = float(_held(temperature_k, np.asarray(air)))
    return mixing / (1.0 + mixing)


def droplet_extinction_per_m(liquid_kg_per_m3: npt.ArrayLike) -> FloatArray:
    """Extinction of droplets large against both bands: 3 / 2 of their water over radius and density (Q = 2)."""
    liquid = np.asarray(liquid_kg_per_m3, dtype=np.float64)
    return np.asarray(1.5 * liquid / (WATER_KG_PER_M3 * DROPLET_RADIUS_M))
