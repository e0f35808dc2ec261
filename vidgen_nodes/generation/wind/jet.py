# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A jet of steam in a crossing wind: its bent line, and how it mixes along it.

The integral model of a jet that becomes a bent-over buoyant plume (Hoult & Weil 1972): flows of mass, momentum and
steam through sections across the line, with air drawn in by the slip along the line and by the wind across it.
Guarantees that the flow of steam through every section is what leaves the hole, that air brings in the wind's momentum
and weight acts on what is lighter or heavier than air, and that density, droplets and temperature are those of
``steam.mixed`` for the steam that a section holds: heat of condensation counts once. Leaves out the first diameters in
which a jet keeps its core, turbulence of the wind itself, and ground and walls: the gate cuts what they would stop.
Coefficients are from memory of the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.generation import steam
from vidgen_nodes.generation.fire import GRAVITY_MPS2
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.wind.lean import LEAST_HEIGHT_M, power_law_mps
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.jet_axis import JetAxis

ALONG = 0.1  # entrainment by slip along the line; a round jet of it widens by 2 ALONG: the visible edge in still air
ACROSS = 0.6  # entrainment by wind across the line
LEAST_OF_WIND = (
    0.3  # assumed: where a jet turns in a wind against it, it goes no slower than this share of the wind
)
MOST_LENGTH_M = 60.0  # assumed: longer plumes fade out before
TABLE = 1025
_STEP = 0.1  # of the radius; far off, of the way
_STEP_FAR = 0.02
_MOST_STEPS = 4000


@dataclass(frozen=True, slots=True)
class JetWind:
    """The wind at one leak.

    Args:
        towards: (east, north), unit vector downwind.
        speed_mps: at ``height_m`` above the mouth.
        height_m: see there.
        exponent: of the power law of speed over height.
    """

    towards: tuple[float, float]
    speed_mps: float
    height_m: float
    exponent: float

    def at(self, above_m: float) -> FloatArray:
        """Velocity (3,) so far above the mouth."""
        speed = power_law_mps(self.speed_mps, self.height_m, self.exponent, above_m)
        return np.array([speed * self.towards[0], speed * self.towards[1], 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class BentJet:
    """A jet by stations of its line; all (k,)."""

    axis: JetAxis
    along_m: FloatArray
    speed_mps: FloatArray  # along the line
    share: FloatArray  # mass of steam over that of all, across the whole section
    density_kg_per_m3: FloatArray
    is_cut: bool  # at the longest length, and not where it is clear

    @property
    def length_m(self) -> float:
        """Along the line."""
        return float(self.along_m[-1])


@dataclass(frozen=True, slots=True, eq=False)
class MixingTable:
    """What mixtures of one leak's steam and the air around hold, by the share of steam."""

    share: FloatArray
    mixture: steam.Mixture

    def density(self, share: float) -> float:
        """Of the gas [kg/m3]."""
        return float(np.interp(share, self.share, self.mixture.density_kg_per_m3))

    @property
    def droplets_per_m(self) -> FloatArray:
        """Extinction by droplets."""
        return steam.droplet_extinction_per_m(self.mixture.liquid * self.mixture.density_kg_per_m3)


def mixing_table(leak: steam.SteamLeak, ambient_k: float, humidity: float) -> MixingTable:
    """Finer where there is little steam."""
    share = np.linspace(0.0, 1.0, TABLE) ** 3
    return MixingTable(share, steam.mixed(share, steam.expanded(leak).temperature_k, ambient_k, humidity))


def bent_jet(
    leak: steam.SteamLeak, wind: JetWind, ambient_k: float, humidity: float, least_per_m: float
) -> BentJet:
    """Follow a jet to where its section holds no droplets that count.

    Args:
        leak: where and what.
        wind: that blows across.
        ambient_k: of the air.
        humidity: of the air, relative.
        least_per_m: extinction of what counts.
    """
    table, source = mixing_table(leak, ambient_k, humidity), steam.expanded(leak)
    seen = np.flatnonzero(table.droplets_per_m >= least_per_m)
    clear = float(table.share[seen[0]]) if seen.size else 1.0  # with less steam than that nothing is seen
    model = _Sections(source.mass_flow_kg_per_s, wind, table, leak.position_m[2])
    momentum = source.mass_flow_kg_per_s * source.speed_mps * np.array(leak.direction)
    state = np.concatenate((np.array(leak.position_m), [source.mass_flow_kg_per_s], momentum))
    rows, along = [], 0.0
    for _ in range(_MOST_STEPS):
        slope, section = model.change(state)
        rows.append((along, *state[:3], *section))
        if len(rows) > 1 and (section[1] <= clear or along >= MOST_LENGTH_M):
            break
        step = min(max(_STEP * section[0], _STEP_FAR * along), max(MOST_LENGTH_M - along, 1e-3))
        half, _ = model.change(state + 0.5 * step * slope)
        state, along = state + step * half, along + step
    found = np.array(rows)
    axis = JetAxis(np.ascontiguousarray(found[:, 1:4]), found[:, 4].copy())
    is_cut = bool(found[-1, 5] > clear)
    return BentJet(axis, found[:, 0].copy(), found[:, 6], found[:, 5], found[:, 7], is_cut)


class _Sections:
    """How place, mass flow and momentum flow of a section change along the line."""

    def __init__(self, steam_kg_per_s: float, wind: JetWind, table: MixingTable, mouth_m: float) -> None:
        self._steam, self._wind, self._table, self._mouth_m = steam_kg_per_s, wind, table, mouth_m
        self._air_kg_per_m3 = table.density(0.0)

    def change(self, state: FloatArray) -> tuple[FloatArray, tuple[float, float, float, float]]:
        """Slope of (place, mass flow, momentum flow), and radius, steam share, speed, density."""
        mass, momentum = float(state[3]), state[4:]
        flow = max(float(np.linalg.norm(momentum)), 1e-12)
        way = momentum / flow
        share = min(self._steam / mass, 1.0)
        density = self._table.density(share)
        wind = self._wind.at(float(state[2]) - self._mouth_m)
        speed = max(flow / mass, LEAST_OF_WIND * float(np.linalg.norm(wind)))
        radius = math.sqrt(mass / (math.pi * density * speed))
        with_it = float(wind @ way)
        across = float(np.linalg.norm(wind - with_it * way))
        drawn = (
            2.0 * math.pi * radius * self._air_kg_per_m3 * (ALONG * abs(speed - with_it) + ACROSS * across)
        )
        lift = GRAVITY_MPS2 * (self._air_kg_per_m3 - density) * math.pi * radius**2
        slope = np.concatenate((way, [drawn], drawn * wind + np.array([0.0, 0.0, lift])))
        return slope, (radius, share, speed, density)


def bent_constants() -> Parameters:
    """The numbers of the model, for the ledger."""
    return {
        "entrainment_along": entry(ALONG, "1", "Hoult & Weil 1972, by the slip along the line, from memory"),
        "entrainment_across": entry(ACROSS, "1", "Hoult & Weil 1972, by the wind across it, from memory"),
        "gravity": entry(GRAVITY_MPS2, "m/s2", "standard"),
        "least_of_wind": entry(LEAST_OF_WIND, "1", "assumed: a jet that turns in the wind goes no slower"),
        "most_length": entry(MOST_LENGTH_M, "m", "assumed: longer plumes fade out before"),
        "least_height": entry(LEAST_HEIGHT_M, "m", "assumed: below it the wind is as fast as at it"),
    }
