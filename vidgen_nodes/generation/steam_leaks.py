# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The steam leaks of a scenario: the jet of each, from when it blows, where the gate lets it be.

Guarantees that every number of a jet is in its record, that a jet stands only in places that the gate opened for this
very leak (``scene/leak_rule.py``), and that one that begins does not jump into the picture. A jet is a mean
(``steam_field.py``): it stands still. Wind bends those that it reaches (``wind/jet.py``). Leaves out what the jet
does to flames, and flames to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from vidgen_nodes.generation import steam
from vidgen_nodes.generation.hazards import SMOKE_CONFIDENCE
from vidgen_nodes.generation.physics_record import Parameters, Reading, entry, parameters_sha256
from vidgen_nodes.generation.plume import HazardField, open_window
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.steam_field import (
    AMBIENT_HUMIDITY,
    LEAST_PER_M,
    LEAST_SPEED_MPS,
    bent_field,
    bent_resolution_m,
    cloud_length_m,
    fitting_resolution_m,
    steam_field,
)
from vidgen_nodes.generation.wind.jet import BentJet, JetWind, bent_jet
from vidgen_nodes.generation.wind.leaks import WindOnLeaks
from vidgen_nodes.packets import Float32Array, FloatArray, Hazard, Leak, PhysicsRef, Wind
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.columns import LeakOpening
from vidgen_nodes.scene.leak_reach import LeakReach

if TYPE_CHECKING:
    from vidgen_nodes.scene.gate import Gate

ELEMENT = "steam"
VERSION = "1"
MOST_VOXELS = 500_000  # of one jet
MOST_BENT = 200_000  # of one that bends: the way to each voxel is followed
_STATIONS = 25  # of its line, in the record
_MOST_CELLS = 8  # spelt out in one sentence
RAMP_S = 1.0  # assumed: a leak opens within this time
_SOURCE = "choked flow of dry steam, notional source of Birch 1987, round jet, mixing at equilibrium"
_IN_WIND = "; in wind the bent-over plume of Hoult & Weil 1972"
_UNITS = {
    "name": "",
    "position_m": "m in map",
    "direction": "unit vector in map",
    "start_s": "s after scenario start",
    "pressure_pa": "Pa, absolute",
    "temperature_k": "K",
    "diameter_m": "m",
    "discharge": "1",
}


@dataclass(frozen=True, slots=True, eq=False)
class SteamStep:
    """All jets at one tick."""

    fields: tuple[HazardField, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    parameters: Parameters = field(default_factory=dict)  # by element
    physics: tuple[PhysicsRef, ...] = ()


class SteamJet:
    """The lattice of one leak, anchored in the world, and what fills it."""

    def __init__(
        self, leak: Leak, ambient_k: float, resolution_m: float, wind: JetWind | None = None
    ) -> None:
        """Solve the jet, on coarser voxels than asked for where it is long; ``wind``: that reaches it."""
        reading = Reading(leak, "scenario")
        values = {name: reading.get(name, unit) for name, unit in _UNITS.items()}
        self.name, self.start_s = str(values.pop("name")), float(values.pop("start_s"))
        hole = self.hole = steam.SteamLeak(**values)
        bent = None if wind is None else bent_jet(hole, wind, ambient_k, AMBIENT_HUMIDITY, LEAST_PER_M)
        if bent is None:
            resolution_m = fitting_resolution_m(hole, resolution_m, ambient_k, MOST_VOXELS)
            self.whole = steam_field(hole, resolution_m, ambient_k)
        else:
            resolution_m = bent_resolution_m(bent, resolution_m, MOST_BENT)
            self.whole = bent_field(hole, bent, resolution_m, ambient_k)
        nz, ny, nx = self.whole.temperature_k.shape
        self.shape, self.resolution_m, self.model = (int(nz), int(ny), int(nx)), resolution_m, PlumeModel()
        self._held = np.nonzero((self.whole.extinction_lwir_per_m >= LEAST_PER_M).numpy())
        z_m, y_m, x_m = self.axes_m()
        levels, rows, cols = self._held
        places_m = np.stack((x_m[cols], y_m[rows], z_m[levels]), axis=1)
        length_m = cloud_length_m(hole, ambient_k, AMBIENT_HUMIDITY) if bent is None else bent.length_m
        axis = None if bent is None else bent.axis
        self.reach = LeakReach(
            self.name, hole.position_m, hole.direction, places_m, resolution_m, length_m, axis
        )
        source = steam.expanded(hole)
        self.record: Parameters = {
            "leak": reading.record,
            "choked": entry(hole.is_choked, "", "p0 / pa above 1.83"),
            "mass_flow": entry(source.mass_flow_kg_per_s, "kg/s", "isentropic flow through the hole"),
            "expanded_speed": entry(source.speed_mps, "m/s", "notional source, Birch 1987"),
            "expanded_diameter": entry(source.diameter_m, "m", "notional source, Birch 1987"),
            "expanded_temperature": entry(source.temperature_k, "K", "total enthalpy kept"),
            "length": entry(length_m, "m", "to where the axis is clear or slow"),
            "voxel": entry(resolution_m, "m", "parameter, coarser for long jets and finer for short ones"),
            "least": entry(LEAST_PER_M, "1/m", "assumed: thinner steam is left out"),
            "edge_fade_m": entry(self.model.edge_fade_m, "m", "assumed: towards air that is not known"),
        }
        if bent is not None:
            self.record["length"] = entry(length_m, "m", "along its line, to where it is clear")
            self.record["line"] = _line_record(bent)

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Voxel centres in map along z, y, x."""
        z_m, y_m, x_m = (
            np.asarray(low + self.resolution_m * (np.arange(count) + 0.5), dtype=np.float64)
            for low, count in zip(self.whole.origin_m[::-1], self.shape, strict=True)
        )
        return z_m, y_m, x_m

    def open_voxels(self, opening: LeakOpening) -> Float32Array:
        """Share [0, 1] of each voxel that the gate opens; towards air that is not known it fades."""
        voxels: Float32Array = np.zeros(self.shape, np.float32)
        if opening.cause is not None:
            return voxels
        _, rows, cols = self._held
        seen = np.ones(self.shape[1:], np.uint8)
        seen[rows, cols] = opening.air[self.reach.column]
        away_m = self.resolution_m * (cv2.distanceTransform(seen, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 0.5)
        fade = np.clip(away_m[rows, cols] / self.model.edge_fade_m, 0.0, 1.0)
        voxels[self._held] = opening.share * (np.float32(1.0) if seen.all() else fade)
        return voxels

    def at(self, scenario_s: float, open_voxels: Float32Array) -> HazardField | None:
        """The jet where the gate lets it be; None before it blows and where none of it is open."""
        strength = min((scenario_s - self.start_s) / RAMP_S, 1.0)
        if strength <= 0.0:
            return None
        window = open_window(open_voxels)
        if window is None:
            return None
        share = torch.from_numpy(open_voxels[window] * np.float32(strength))
        levels, rows, cols = window
        east, north, up = (
            low + part.start * self.resolution_m
            for low, part in zip(self.whole.origin_m, (cols, rows, levels), strict=True)
        )
        shape = tuple(share.shape)
        half = (0.5 * shape[2] * self.resolution_m, 0.5 * shape[1] * self.resolution_m)
        whole = self.whole
        return HazardField(
            origin_m=(east, north, up),
            resolution_m=self.resolution_m,
            temperature_k=whole.temperature_k[window],
            extinction_lwir_per_m=whole.extinction_lwir_per_m[window] * share,
            extinction_visible_per_m=whole.extinction_visible_per_m[window] * share,
            axis_m=(east + half[0], north + half[1], up),
            reach_m=(math.hypot(*half), math.hypot(*half)),
            top_m=shape[0] * self.resolution_m,
            emission_w_per_m3_sr=whole.emission_w_per_m3_sr[window] * share,
            flame_absorption_per_m=torch.zeros(shape),
            luminous_k=whole.luminous_k,
            whiteness=whole.whiteness,
        )


class SteamLeaks:
    """The jets of one scenario.

    Args:
        leaks: of it.
        seed: of it; jets have no use for it, the references name it.
        ambient_k: of the air.
        resolution_m: edge of a voxel.
        wind: of the scenario; None: still air.
        building: that may keep the wind off.
    """

    def __init__(
        self,
        leaks: Sequence[Leak],
        seed: int,
        ambient_k: float,
        resolution_m: float,
        wind: Wind | None = None,
        building: Building | None = None,
    ) -> None:
        blown = None if wind is None else WindOnLeaks(wind, leaks, ambient_k, building)
        at = {} if blown is None else blown.at
        self.jets = tuple(SteamJet(item, ambient_k, resolution_m, at.get(item.name)) for item in leaks)
        self.reaches = tuple(jet.reach for jet in self.jets)
        self.record: Parameters = {
            "leaks": {jet.name: jet.record for jet in self.jets},
            "ambient_k": entry(ambient_k, "K", "scenario"),
            "ramp": entry(RAMP_S, "s", "assumed: a leak opens within this time"),
            "model": _constants(),
        }
        if blown is not None:
            self.record["wind"] = blown.record
            for jet in self.jets:
                jet.record["in_wind"] = blown.reached[jet.name]
        source = _SOURCE + (_IN_WIND if at else "")
        self._physics = PhysicsRef(ELEMENT, source, VERSION, parameters_sha256(self.record), seed)
        self._newest: dict[
            str, tuple[Float32Array, HazardField]
        ] = {}  # whole jets behind one gate; saves time only

    def open_voxels(self, gate: Gate) -> tuple[Float32Array, ...]:
        """What the gate opens of each of ``jets``; nothing of one that the gate says nothing of."""
        said = {item.name: item for item in gate.steam}
        return tuple(
            jet.open_voxels(said[jet.name]) if jet.name in said else np.zeros(jet.shape, np.float32)
            for jet in self.jets
        )

    def step(self, scenario_s: float, open_voxels: Sequence[Float32Array], gate: Gate) -> SteamStep:
        """The jets so long after scenario start.

        Args:
            scenario_s: seconds of event time.
            open_voxels: one for each of ``jets``.
            gate: whose permits are named.
        """
        fields: list[HazardField] = []
        hazards: list[Hazard] = []
        for jet, is_open in zip(self.jets, open_voxels, strict=True):
            known = self._newest.get(jet.name)
            is_whole = scenario_s >= jet.start_s + RAMP_S
            found = known[1] if is_whole and known and known[0] is is_open else jet.at(scenario_s, is_open)
            if found is None:
                continue
            if is_whole:
                self._newest[jet.name] = is_open, found
            fields.append(found)
            hazards.append(_hazard(jet, found, gate))
        if not fields:
            return SteamStep()
        return SteamStep(tuple(fields), tuple(hazards), {ELEMENT: self.record}, (self._physics,))


def _line_record(jet: BentJet) -> list[object]:
    """Stations of a bent jet's line, as many as tell it."""
    chosen = np.unique(np.linspace(0, len(jet.along_m) - 1, _STATIONS).round().astype(int))
    rows = np.column_stack((jet.axis.points_m, jet.axis.radius_m, jet.share))[chosen].round(4) + 0.0
    return entry(
        rows.tolist(), "east, north, up in map and radius in m, share of steam in kg/kg", "Hoult & Weil 1972"
    )


def _hazard(jet: SteamJet, found: HazardField, gate: Gate) -> Hazard:
    """The drawn part of a jet, as an upright cylinder around it."""
    nz, ny, nx = found.temperature_k.shape
    low = found.origin_m
    high = tuple(start + count * found.resolution_m for start, count in zip(low, (nx, ny, nz), strict=True))
    return Hazard(
        identity=f"steam/{jet.name}",
        kind="steam",
        position_m=(0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), low[2]),
        radius_m=0.5 * math.hypot(high[0] - low[0], high[1] - low[1]),
        height_m=high[2] - low[2],
        heat_release_kw=0.0,
        confidence=SMOKE_CONFIDENCE,
        permitted_by=tuple(_permit(item) for item in gate.steam if item.name == jet.name),
    )


def _permit(opening: LeakOpening) -> str:
    """Cells and evidence of one leak; the record of the frame has every cell with its numbers."""
    cells = [f"({row},{col})" for row, col in zip(opening.rows.tolist(), opening.cols.tolist(), strict=True)]
    more = f" and {len(cells) - _MOST_CELLS} more" if len(cells) > _MOST_CELLS else ""
    return f"steam: cells {', '.join(cells[:_MOST_CELLS])}{more} are known: {opening.why}"


def _constants() -> Parameters:
    """Every number of the jet that no leak changes."""
    return {
        "gamma": entry(steam.GAMMA, "1", "superheated steam"),
        "gas_constant": entry(steam.GAS_CONSTANT_J_PER_KG_K, "J/(kg K)", "steam"),
        "ambient_pressure": entry(steam.AMBIENT_PA, "Pa", "standard"),
        "latent_heat": entry(steam.LATENT_KJ_PER_KG, "kJ/kg", "at 373 K"),
        "steam_heat": entry(steam.STEAM_HEAT_KJ_PER_KG_K, "kJ/(kg K)", "from memory"),
        "water_heat": entry(steam.WATER_HEAT_KJ_PER_KG_K, "kJ/(kg K)", "from memory"),
        "air_heat": entry(steam.AIR_HEAT_KJ_PER_KG_K, "kJ/(kg K)", "from memory"),
        "air_gas_constant": entry(steam.AIR_GAS_CONSTANT_J_PER_KG_K, "J/(kg K)", "dry air"),
        "boiling": entry(steam.BOILING_K, "K", "at one atmosphere"),
        "speed_factor": entry(steam.SPEED_FACTOR, "1", "u / u0 = 6.2 d / z of a round jet"),
        "half_angle": entry(steam.HALF_ANGLE_RAD, "rad", "visible edge of a round jet"),
        "droplet_radius": entry(steam.DROPLET_RADIUS_M, "m", "assumed: small end of 5 to 20 um across"),
        "water_density": entry(steam.WATER_KG_PER_M3, "kg/m3", "standard"),
        "vapour_lwir": entry(steam.VAPOUR_LWIR_M2_PER_KG, "m2/kg", "assumed: continuum of water vapour"),
        "humidity": entry(AMBIENT_HUMIDITY, "1", "assumed: of the air around"),
        "least_speed": entry(LEAST_SPEED_MPS, "m/s", "assumed: slower, and the jet is no longer drawn"),
    }
