# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn, measured as an instrument would: radiation (K8), obscuration and soot (K10), puffing (K11).

Guarantees that every number is taken from rays marched through a field by the renderer's own ``march``, never from
the formula that filled it, and some ten seconds on one core. Radiation and puffing are of the flames that every
frame holds (``plume.py``); obscuration is of the solver's smoke in a sealed room, where what was released is
known exactly. Leaves out camera and colours.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from scipy import signal

from vidgen_nodes.black_body import STEFAN_BOLTZMANN_KW_PER_M2_K4
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.march import march, passage
from vidgen_nodes.generation.plume import HazardField, Plume
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver
from vidgen_nodes.generation.smoke_field import smoke_field
from vidgen_nodes.packets import Float32Array, FloatArray, Ignition
from vidgen_nodes.scenario.timeline import FUELS
from vidgen_nodes.validation.check import Check, bounded, scored
from vidgen_nodes.validation.estimator import SIGMA_SMOKE, score

_FIRES = ((100.0, 0.3), (500.0, 0.6), (1000.0, 1.0), (1500.0, 1.13), (5000.0, 2.0))  # kW, m
_AMBIENT_K = 293.15
_SIGMA_FLUX = 0.11  # of measured heat fluxes (FDS Validation Guide)
_DISTANCES = (2.5, 4.0, 6.0, 10.0)  # of a target, in burner diameters
_CELLS_A_BURNER = 12
_FULL_S = 60.0  # after ignition all fires burn at their peak
_INSTANTS = 6  # of a puff, over which fluxes are averaged
_SIDES = 16  # from which a flame is looked at
_RAYS_ACROSS = 40
_FRAME_HZ = 12.0  # of the video, in the law's frequency
_FRAMES = 256


def picture_checks() -> list[Check]:
    """Rows of K8, K10 and K11 that are measured in what is drawn."""
    return [_radiation(), _radiated(), *_obscuration(), _puffing()]


def _plume(heat_kw: float, diameter_m: float) -> Plume:
    fuel = FUELS["wood"]
    ignition = Ignition(
        "fire", (0.0, 0.0, 0.0), 0.0, heat_kw, heat_kw, diameter_m, fuel.radiative_fraction, fuel.soot_yield,
        fuel.heat_of_combustion_kj_per_kg, fuel.flame_absorption_per_m,
    )  # fmt: skip
    return Plume(ignition, 1, _AMBIENT_K, diameter_m / _CELLS_A_BURNER, PlumeModel())


def _drawn(plume: Plume, time_s: float) -> HazardField:
    state = plume.state(time_s)
    found = None if state is None else plume.field(state, np.ones(plume.shape, dtype=np.float32))
    if found is None:
        raise AssertionError("a fire at its peak has a field")
    return found


def _radiation() -> Check:
    """Flux on upright targets from the luminous flame at its soot's temperature, grey over all wavelengths."""
    found, expected = [], []
    for heat_kw, diameter_m in _FIRES:
        plume = _plume(heat_kw, diameter_m)
        puff_s = 1.0 / fire.puffing_frequency_hz(diameter_m)
        fields = [_drawn(plume, _FULL_S + puff_s * part / _INSTANTS) for part in range(_INSTANTS)]
        for distance in _DISTANCES:
            away_m = distance * diameter_m
            found.append(np.mean([_flux_kw_per_m2(field, away_m, heat_kw, diameter_m) for field in fields]))
            expected.append(fire.radiant_flux_kw_per_m2(heat_kw, plume.ignition.radiative_fraction, away_m))
    return scored(
        "K8",
        "radiant flux from the drawn flame's luminous soot, rays over the target's view, against the point source, "
        "5 fires, 2.5 to 10 burner widths away",
        score(found, expected, _SIGMA_FLUX),
        (0.85, 1.15),
        0.39,
        "0.88/0.39",
    )


def _radiated() -> Check:
    """What the drawn flame sends out in all directions, over the radiated share of its heat."""
    worst = 0.0
    for heat_kw, diameter_m in _FIRES:
        plume = _plume(heat_kw, diameter_m)
        # Instants of different puffs: eddies of one puff are alike.
        puffs = (3.25 * part / fire.puffing_frequency_hz(diameter_m) for part in range(4))
        sent_kw = np.mean([_power_kw(_drawn(plume, _FULL_S + puff_s)) for puff_s in puffs])
        error = float(sent_kw) / (plume.ignition.radiative_fraction * heat_kw) - 1.0
        worst = max(worst, error, key=abs)
    return bounded(
        "K8",
        "heat that the drawn flame sends out, rays from all sides, over the fire's radiated share, worst of 5 fires",
        worst,
        0.15,
    )


def _power_kw(field: HazardField) -> float:
    """Radiance of parallel rays over the area across them, summed over directions that are spread evenly."""
    flame = _glowing(field)
    size_m = np.array(field.temperature_k.shape[::-1]) * field.resolution_m
    middle_m, side_m = np.array(field.origin_m) + 0.5 * size_m, float(np.linalg.norm(size_m))
    steps_m = ((np.arange(_RAYS_ACROSS) + 0.5) / _RAYS_ACROSS - 0.5) * side_m
    first_m, second_m = (item.ravel()[:, None] for item in np.meshgrid(steps_m, steps_m))
    total = 0.0
    for number in range(_SIDES):
        up = 1.0 - (2.0 * number + 1.0) / _SIDES
        turn = number * math.pi * (3.0 - math.sqrt(5.0))  # the golden angle
        level = math.sqrt(1.0 - up * up)
        towards = np.array([level * math.cos(turn), level * math.sin(turn), up])
        beside = np.cross(towards, (0.0, 0.0, 1.0)) / level
        eye_m = middle_m - 200.0 * side_m * towards  # so far that rays are parallel
        way = 200.0 * side_m * towards + first_m * beside + second_m * np.cross(towards, beside)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        total += float(_look(flame, tuple(eye_m.tolist()), way, Band.LWIR)[1].sum(dtype=np.float64))
    return total * (side_m / _RAYS_ACROSS) ** 2 * 4.0 * math.pi / _SIDES


def _glowing(field: HazardField) -> HazardField:
    """Its luminous flame alone, at the temperature of its soot, over all wavelengths."""
    glow = STEFAN_BOLTZMANN_KW_PER_M2_K4 * field.luminous_k**4 / math.pi
    return dataclasses.replace(
        field,
        extinction_lwir_per_m=field.flame_absorption_per_m,
        emission_w_per_m3_sr=field.flame_absorption_per_m * glow,
    )


def _flux_kw_per_m2(field: HazardField, away_m: float, heat_kw: float, diameter_m: float) -> float:
    """On a target that faces the flame's axis, at the height NIST gives the point source: a third of the flame."""
    flame = _glowing(field)
    tip_m = fire.flame_height_m(heat_kw, diameter_m)
    across = np.linspace(-1.2, 1.2, 41) * diameter_m
    up = np.linspace(0.0, 2.0 * tip_m, 65) - tip_m / 3.0
    y, z = np.meshgrid(0.5 * (across[1:] + across[:-1]), 0.5 * (up[1:] + up[:-1]))
    way = np.column_stack((np.full(y.size, away_m), y.ravel(), z.ravel()))
    length = np.linalg.norm(way, axis=1)
    cosine = away_m / length
    solid_angle = (across[1] - across[0]) * (up[1] - up[0]) * cosine / length**2
    _, radiance = _look(flame, (-away_m, 0.0, tip_m / 3.0), way / length[:, None], Band.LWIR)
    return float((radiance * cosine * solid_angle).sum())


def _look(
    field: HazardField, centre_m: tuple[float, float, float], directions: FloatArray, band: Band
) -> tuple[Float32Array, Float32Array]:
    rays = directions.astype(np.float32)
    return march(field, np.array(centre_m), rays, passage(field, np.array(centre_m), rays), band)


def _obscuration() -> list[Check]:
    """A sealed room fills with soot; the picture of it from three sides must hold what was released.

    Walls of one cell stand around it, so that what is drawn ends within the field.
    """
    grid, soot = FlowGrid((-1.8, -1.8, -0.2), 0.2, (16, 18, 18)), 1e-4
    walls = np.ones(grid.shape, dtype=bool)
    walls[1:-1, 1:-1, 1:-1] = False
    solver = SmokeSolver(grid, Boundaries({}, walls), 5, SmokeParams(ambient_k=_AMBIENT_K))
    source = HeatSource((0.3, -0.2, 0.0), 0.6, 0.8, 60.0, 0.35, soot)
    masses, released, seen, through = [], [], [], []
    for until_s in (4.0, 8.0, 12.0, 16.0):
        while solver.state.time_s < until_s - 0.025:
            state = solver.step(0.05, [source])
        field = smoke_field(state, grid, _AMBIENT_K, 0.0, 1350.0)
        for axis in range(3):
            area_m2, depth = _picture(field, grid, axis)
            masses.append(float(depth.mean()) * area_m2 / fire.SOOT_EXTINCTION_M2_PER_KG)
            released.append(soot * state.time_s)
        # Ray by ray: the drawn transmission against the soot that lies in the way, in rows of whole cells.
        lines = state.soot_kg_per_m3.sum(axis=2, dtype=np.float64) * grid.cell_m
        z, y = (item.ravel() for item in np.meshgrid(*grid.centres_m()[:2], indexing="ij"))
        way = np.column_stack((np.full(y.size, 400.0), y, z - 1.4))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        seen.append(_look(field, (-400.0, 0.0, 1.4), way, Band.VISIBLE)[0])
        through.append(fire.soot_extinction_per_m(lines).ravel())
    worst = float(np.abs(np.array(masses) / np.array(released) - 1.0).max())
    # Obscuration 1 - I / I0 of every ray through smoke that dims it by a hundredth or more.
    got, exact = (-np.expm1(-np.concatenate(item).astype(np.float64)) for item in (seen, through))
    dims = exact > 0.01
    return [
        bounded(
            "K10",
            "soot in pictures of a sealed room (optical depth times area over 8700 m2/kg) over what was released, "
            "3 sides, 4 instants, worst, relative",
            worst,
            0.01,
        ),
        scored(
            "K10",
            "obscuration 1 - I/I0 of rays drawn through that smoke, against 8700 m2/kg times the soot in the way",
            score(got[dims], exact[dims], SIGMA_SMOKE),
            (0.9, 1.1),
            0.20,
            "1.01/0.19",
        ),
    ]


def _picture(field: HazardField, grid: FlowGrid, axis: int) -> tuple[float, FloatArray]:
    """Area of the box across an axis (0 x, 1 y, 2 z), and optical depth of rays spread evenly over it.

    The eye is so far away that rays are parallel to a thousandth.
    """
    size_m = np.array(grid.shape[::-1]) * grid.cell_m
    middle_m = np.array(grid.origin_m) + 0.5 * size_m
    across = [item for item in range(3) if item != axis]
    steps = [(np.arange(96) + 0.5) / 96.0 * size_m[item] - 0.5 * size_m[item] for item in across]
    first, second = (item.ravel() for item in np.meshgrid(*steps, indexing="ij"))
    way = np.zeros((first.size, 3))
    way[:, axis], way[:, across[0]], way[:, across[1]] = 400.0, first, second
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    centre_m = middle_m.copy()
    centre_m[axis] -= 400.0
    depth, _ = _look(field, tuple(centre_m.tolist()), way, Band.VISIBLE)
    return float(size_m[across[0]] * size_m[across[1]]), depth.astype(np.float64)


def _puffing() -> Check:
    """Strongest frequency of the drawn flame's radiance, as a video from the side has it."""
    ratios = []
    for heat_kw, diameter_m in _FIRES:
        plume, law_hz = _plume(heat_kw, diameter_m), fire.puffing_frequency_hz(diameter_m)
        tip_m = fire.flame_height_m(heat_kw, diameter_m)
        y, z = np.meshgrid(np.linspace(-1.0, 1.0, 17) * diameter_m, np.linspace(0.05, 1.6, 33) * tip_m)
        way = np.column_stack((np.full(y.size, 6.0 * tip_m), y.ravel(), z.ravel() - 0.5 * tip_m))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        eye = (-6.0 * tip_m, 0.0, 0.5 * tip_m)
        times_s = _FULL_S + np.arange(_FRAMES) / (_FRAME_HZ * law_hz)
        light = [_look(_drawn(plume, time_s), eye, way, Band.VISIBLE)[1].sum() for time_s in times_s]
        ratios.append(strongest_hz(np.array(light), _FRAME_HZ * law_hz) / law_hz)
    worst = max((ratio - 1.0 for ratio in ratios), key=abs)
    row = bounded(
        "K11",
        "puffing in the drawn video: strongest frequency of the flame's radiance over 1.5 / sqrt(D), worst of 5 fires",
        worst,
        0.20,
    )
    return dataclasses.replace(row, found=f"{row.found} of " + ", ".join(f"{ratio:.2f}" for ratio in ratios))


def strongest_hz(values: FloatArray, rate_hz: float, slowest_hz: float = 0.0) -> float:
    """Frequency with the most power from ``slowest_hz`` on, by Welch's mean of three windows of half the length."""
    frequency, power = signal.welch(
        signal.detrend(np.asarray(values, dtype=np.float64)), rate_hz, nperseg=len(values) // 2
    )
    power[frequency < slowest_hz] = 0.0
    return float(frequency[power.argmax()])
