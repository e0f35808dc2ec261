# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Published correlations of fires and their plumes, as pure functions.

Guarantees the formulas as cited, for one unconfined axisymmetric fire in still air. Leaves out walls,
corners, wind, ceilings and rooms. Heat release rates are in kW, heights in metres above the fire's
base, temperatures in kelvin; heights may be arrays, and results have their shape (float64).
Numbers that only steer how the flame looks do not belong here but in ``plume.py``.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import FloatArray

GRAVITY_MPS2 = 9.81
AIR_HEAT_CAPACITY_KJ_PER_KG_K = 1.0
AIR_DENSITY_TIMES_TEMPERATURE_KG_K_PER_M3 = 353.0  # ideal gas at sea level
SOOT_EXTINCTION_M2_PER_KG = 8700.0  # Mulholland & Croarkin 2000, 633 nm, 8.7 +- 1.1 m2/g; the default of FDS
# Extinction at 10 um over 0.63 um: small soot absorbs as 1/wavelength, so 0.05 to 0.07.
LWIR_EXTINCTION_RATIO = 0.06

# McCaffrey (NBSIR 79-1910, 1979): end of the continuous flame and of the intermittent one, as
# x = z / Q^(2/5) in m / kW^(2/5).
CONTINUOUS_FLAME_END = 0.08
INTERMITTENT_FLAME_END = 0.2


def air_density_kg_per_m3(temperature_k: npt.ArrayLike) -> FloatArray:
    """Density of air at sea-level pressure: 353 / T."""
    return AIR_DENSITY_TIMES_TEMPERATURE_KG_K_PER_M3 / np.asarray(temperature_k, dtype=np.float64)


def heat_release_kw(time_s: float, growth_kw_per_s2: float, peak_kw: float) -> float:
    """t-squared design fire up to a plateau: min(alpha t^2, peak); 0 before ignition (NFPA 72, 92)."""
    return min(growth_kw_per_s2 * time_s * time_s, peak_kw) if time_s > 0.0 else 0.0


def dimensionless_heat_release(heat_kw: float, diameter_m: float, ambient_k: float) -> float:
    """Q* = Q / (rho cp T g^0.5 D^2.5) (Zukoski)."""
    return float(heat_kw / (_ambient_group(ambient_k) * diameter_m**2.5))


def characteristic_diameter_m(heat_kw: float, ambient_k: float) -> float:
    """D* = (Q / (rho cp T g^0.5))^(2/5); D* over the cell size tells how fine a grid is."""
    return float((heat_kw / _ambient_group(ambient_k)) ** 0.4)


def flame_height_m(heat_kw: float, diameter_m: float) -> float:
    """Mean (50 % intermittency) flame height 0.235 Q^(2/5) - 1.02 D, never below 0 (Heskestad 1983)."""
    return float(max(0.235 * heat_kw**0.4 - 1.02 * diameter_m, 0.0))


def virtual_origin_m(heat_kw: float, diameter_m: float) -> float:
    """Height of the plume's virtual origin, 0.083 Q^(2/5) - 1.02 D (Heskestad 1983)."""
    return float(0.083 * heat_kw**0.4 - 1.02 * diameter_m)


def centreline_temperature_rise_k(height_m: npt.ArrayLike, heat_kw: float, ambient_k: float) -> FloatArray:
    """Mean rise above ambient on the axis, flame to plume (McCaffrey 1979).

    (k / (0.9 sqrt(2 g)))^2 x^(2 eta - 1) T_ambient with x = z / Q^(2/5) and (k, eta) = (6.8, 1/2) in
    the continuous flame, (1.9, 0) in the intermittent one, (1.1, -1/3) in the plume.
    """
    x = _scaled_height(height_m, heat_kw)
    scale = ambient_k / (0.81 * 2.0 * GRAVITY_MPS2)
    flame = np.full_like(x, 6.8**2)
    intermittent = 1.9**2 / x
    plume = 1.1**2 * x ** (-5.0 / 3.0)
    return np.asarray(scale * _by_region(x, flame, intermittent, plume))


def centreline_velocity_mps(height_m: npt.ArrayLike, heat_kw: float) -> FloatArray:
    """Mean upward velocity on the axis (McCaffrey 1979): 6.84 x^(1/2), 1.93, 1.12 x^(-1/3), times Q^(1/5)."""
    x = _scaled_height(height_m, heat_kw)
    plume = 1.12 * x ** (-1.0 / 3.0)
    return np.asarray(heat_kw**0.2 * _by_region(x, 6.84 * np.sqrt(x), np.full_like(x, 1.93), plume))


def rise_time_s(height_m: npt.ArrayLike, heat_kw: float) -> FloatArray:
    """Time a parcel on the axis takes from the base to a height: the integral of dz / u of McCaffrey."""
    x = _scaled_height(height_m, heat_kw)
    to_flame = 2.0 * math.sqrt(CONTINUOUS_FLAME_END) / 6.84
    to_plume = to_flame + (INTERMITTENT_FLAME_END - CONTINUOUS_FLAME_END) / 1.93
    flame = 2.0 * np.sqrt(x) / 6.84
    intermittent = to_flame + (x - CONTINUOUS_FLAME_END) / 1.93
    plume = to_plume + 0.75 / 1.12 * (x ** (4.0 / 3.0) - INTERMITTENT_FLAME_END ** (4.0 / 3.0))
    return np.asarray(heat_kw**0.2 * _by_region(x, flame, intermittent, plume))


def plume_temperature_rise_k(
    height_m: npt.ArrayLike, heat_kw: float, diameter_m: float, radiative_fraction: float, ambient_k: float
) -> FloatArray:
    """Mean rise on the axis above the flame tip (Heskestad 1983).

    9.1 (T / (g cp^2 rho^2))^(1/3) Qc^(2/3) (z - z0)^(-5/3), Qc = (1 - chi_r) Q. Valid for z above the flame.
    """
    density = float(air_density_kg_per_m3(ambient_k))
    above = np.asarray(height_m, dtype=np.float64) - virtual_origin_m(heat_kw, diameter_m)
    factor = (ambient_k / (GRAVITY_MPS2 * AIR_HEAT_CAPACITY_KJ_PER_KG_K**2 * density**2)) ** (1.0 / 3.0)
    convective_kw = (1.0 - radiative_fraction) * heat_kw
    return np.asarray(9.1 * factor * convective_kw ** (2.0 / 3.0) * above ** (-5.0 / 3.0))


def plume_velocity_mps(
    height_m: npt.ArrayLike, heat_kw: float, diameter_m: float, radiative_fraction: float
) -> FloatArray:
    """Mean upward velocity on the axis above the flame, 1.03 Qc^(1/3) (z - z0)^(-1/3) (Heskestad 1983)."""
    above = np.asarray(height_m, dtype=np.float64) - virtual_origin_m(heat_kw, diameter_m)
    return np.asarray(1.03 * ((1.0 - radiative_fraction) * heat_kw / above) ** (1.0 / 3.0))


def half_width_m(
    height_m: npt.ArrayLike, heat_kw: float, diameter_m: float, centreline_k: npt.ArrayLike, ambient_k: float
) -> FloatArray:
    """Radius at which the rise is half that on the axis, 0.12 (T0 / T)^(1/2) (z - z0) (Heskestad 1983).

    Valid above the flame; negative where z is below the virtual origin.
    """
    above = np.asarray(height_m, dtype=np.float64) - virtual_origin_m(heat_kw, diameter_m)
    ratio = np.asarray(centreline_k, dtype=np.float64) / ambient_k
    return np.asarray(0.12 * np.sqrt(ratio) * above)


def entrained_mass_flow_kg_per_s(
    height_m: npt.ArrayLike, heat_kw: float, diameter_m: float, radiative_fraction: float
) -> FloatArray:
    """Mass flow of the plume at a height (Heskestad 1986).

    Above the flame 0.071 Qc^(1/3) (z - z0)^(5/3) (1 + 0.027 Qc^(2/3) (z - z0)^(-5/3)); in it 0.0056 Qc z / L.
    """
    height = np.asarray(height_m, dtype=np.float64)
    convective_kw = (1.0 - radiative_fraction) * heat_kw
    tip_m = flame_height_m(heat_kw, diameter_m)
    # Below the tip the plume formula is not used; the floor only keeps its powers finite there.
    above = np.maximum(height - virtual_origin_m(heat_kw, diameter_m), 1e-3)
    plume = 0.071 * convective_kw ** (1.0 / 3.0) * above ** (5.0 / 3.0) + 0.071 * 0.027 * convective_kw
    flame = 0.0056 * convective_kw * height / max(tip_m, 1e-9)
    return np.asarray(np.where(height > tip_m, plume, flame))


def zukoski_mass_flow_kg_per_s(height_m: npt.ArrayLike, heat_kw: float, ambient_k: float) -> FloatArray:
    """Mass flow of an ideal plume, 0.21 rho (g / (rho cp T))^(1/3) Q^(1/3) z^(5/3) (Zukoski 1981)."""
    density = float(air_density_kg_per_m3(ambient_k))
    group = (GRAVITY_MPS2 / (density * AIR_HEAT_CAPACITY_KJ_PER_KG_K * ambient_k)) ** (1.0 / 3.0)
    height = np.asarray(height_m, dtype=np.float64)
    return np.asarray(0.21 * density * group * heat_kw ** (1.0 / 3.0) * height ** (5.0 / 3.0))


def soot_release_kg_per_s(heat_kw: float, soot_yield: float, heat_of_combustion_kj_per_kg: float) -> float:
    """Soot released with the burned fuel: y_s Q / dHc."""
    return soot_yield * heat_kw / heat_of_combustion_kj_per_kg


def soot_extinction_per_m(soot_kg_per_m3: npt.ArrayLike) -> FloatArray:
    """Visible extinction coefficient K = 8700 m2/kg * soot density (Mulholland & Croarkin 2000)."""
    return np.asarray(SOOT_EXTINCTION_M2_PER_KG * np.asarray(soot_kg_per_m3, dtype=np.float64))


def puffing_frequency_hz(diameter_m: float) -> float:
    """Frequency of the flame's puffing, 1.5 / sqrt(D) for D from 0.03 to 30 m (Cetegen & Ahmed 1993)."""
    return 1.5 / math.sqrt(diameter_m)


def radiant_flux_kw_per_m2(heat_kw: float, radiative_fraction: float, distance_m: float) -> float:
    """Flux of a point source, chi_r Q / (4 pi R^2); fair from 2.5 diameters away (SFPE)."""
    return radiative_fraction * heat_kw / (4.0 * math.pi * distance_m**2)


def _ambient_group(ambient_k: float) -> float:
    density = float(air_density_kg_per_m3(ambient_k))
    return density * AIR_HEAT_CAPACITY_KJ_PER_KG_K * ambient_k * math.sqrt(GRAVITY_MPS2)


def _scaled_height(height_m: npt.ArrayLike, heat_kw: float) -> FloatArray:
    # The floor keeps 1/x finite at the base, where the flame branch is taken anyway.
    return np.asarray(np.maximum(np.asarray(height_m, dtype=np.float64) / heat_kw**0.4, 1e-9))


def _by_region(x: FloatArray, flame: FloatArray, intermittent: FloatArray, plume: FloatArray) -> FloatArray:
    inner = np.where(x < CONTINUOUS_FLAME_END, flame, intermittent)
    return np.asarray(np.where(x > INTERMITTENT_FLAME_END, plume, inner))
