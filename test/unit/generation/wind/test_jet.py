# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A jet of steam in wind: books of mass, momentum, steam and heat along its line, and the laws it comes to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation import steam
from vidgen_nodes.generation.fire import GRAVITY_MPS2
from vidgen_nodes.generation.steam_field import LEAST_PER_M, bent_field, bent_resolution_m
from vidgen_nodes.generation.wind import jet as jet_in_wind
from vidgen_nodes.generation.wind.jet import ACROSS, ALONG, BentJet, JetWind, bent_jet, mixing_table

AMBIENT_K, HUMIDITY = 285.15, 0.5
UP = (0.0, 0.0, 1.0)
SPEEDS = st.floats(0.1, 30.0)
WAYS = st.sampled_from([UP, (1.0, 0.0, 0.0), (-0.6, 0.0, 0.8), (0.0, 0.6, -0.8)])


def leak(direction: tuple[float, float, float] = UP, diameter_m: float = 0.02) -> steam.SteamLeak:
    return steam.SteamLeak((1.0, 2.0, 3.0), direction, 300_000.0, 410.0, diameter_m)


def wind(speed_mps: float, exponent: float = 0.0) -> JetWind:
    return JetWind((1.0, 0.0), speed_mps, 10.0, exponent)


def blown(speed_mps: float, direction: tuple[float, float, float] = UP, exponent: float = 0.0) -> BentJet:
    return bent_jet(leak(direction), wind(speed_mps, exponent), AMBIENT_K, HUMIDITY, LEAST_PER_M)


def mass_flow(jet: BentJet) -> np.ndarray:
    return np.asarray(math.pi * jet.axis.radius_m**2 * jet.density_kg_per_m3 * jet.speed_mps)


@settings(max_examples=40)
@given(SPEEDS, WAYS)
def test_through_every_section_flows_the_steam_that_leaves_the_hole(
    speed_mps: float, direction: tuple[float, float, float]
) -> None:
    jet, source = blown(speed_mps, direction), steam.expanded(leak(direction))
    assert jet.share * mass_flow(jet) == pytest.approx(source.mass_flow_kg_per_s, rel=1e-9)
    assert jet.share[0] == 1.0
    assert jet.axis.radius_m[0] == pytest.approx(0.5 * source.diameter_m, rel=1e-6)
    assert (np.diff(jet.share) < 0.0).all()
    assert (np.diff(jet.axis.radius_m) > 0.0).all()


@settings(max_examples=40)
@given(SPEEDS, WAYS)
def test_air_brings_its_momentum_and_weight_the_rest(
    speed_mps: float, direction: tuple[float, float, float]
) -> None:
    """In a wind of one speed, level momentum grows by wind times air drawn in; upward by the buoyancy on the way."""
    jet, source = blown(speed_mps, direction), steam.expanded(leak(direction))
    flow = mass_flow(jet)
    tangent = np.gradient(jet.axis.points_m, jet.along_m, axis=0, edge_order=2)[2:-2]
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    momentum = (flow * jet.speed_mps)[2:-2, None] * tangent
    start = source.mass_flow_kg_per_s * source.speed_mps
    drawn = (flow - source.mass_flow_kg_per_s)[2:-2]
    air = mixing_table(leak(direction), AMBIENT_K, HUMIDITY).density(0.0)
    weight = GRAVITY_MPS2 * (air - jet.density_kg_per_m3) * math.pi * jet.axis.radius_m**2
    lift = np.concatenate(([0.0], np.cumsum(np.diff(jet.along_m) * 0.5 * (weight[1:] + weight[:-1]))))[2:-2]
    scale = 0.02 * (start + flow[-1] * speed_mps)
    assert momentum[:, 0] == pytest.approx(start * direction[0] + drawn * speed_mps, abs=scale)
    assert momentum[:, 1] == pytest.approx(start * direction[1], abs=scale)
    assert momentum[:, 2] == pytest.approx(start * direction[2] + lift, abs=scale)


@settings(max_examples=20)
@given(SPEEDS)
def test_heat_of_condensation_counts_once(speed_mps: float) -> None:
    """Along the line the enthalpy of what flows is that of the steam from the hole and of the air drawn in."""
    jet, source = blown(speed_mps), steam.expanded(leak())
    found = steam.mixed(jet.share, source.temperature_k, AMBIENT_K, HUMIDITY)
    pure, air = (steam.mixed(share, source.temperature_k, AMBIENT_K, HUMIDITY) for share in (1.0, 0.0))

    def kj_per_kg(mixture: steam.Mixture) -> np.ndarray:
        water = mixture.vapour + mixture.liquid
        return steam.enthalpy_kj_per_kg(mixture.temperature_k, 1.0 - water, water)

    flow = mass_flow(jet)
    brought = source.mass_flow_kg_per_s * kj_per_kg(pure) + (flow - source.mass_flow_kg_per_s) * kj_per_kg(
        air
    )
    assert flow * kj_per_kg(found) == pytest.approx(brought, rel=1e-6)
    assert found.liquid.max() > 0.01  # there is something to count


def test_a_jet_that_nothing_bends_widens_by_twice_its_entrainment() -> None:
    """In a wind of its own direction that is slow against it, far from the hole: R = 2 alpha s, u as 1 / s."""
    jet = bent_jet(leak((1.0, 0.0, 0.0)), wind(0.1), AMBIENT_K, HUMIDITY, 1.0)
    middle = (jet.along_m > 0.3) & (jet.along_m < 0.6)
    slope = np.polyfit(jet.along_m[middle], jet.axis.radius_m[middle], 1)[0]
    assert slope == pytest.approx(2.0 * ALONG, rel=0.08)  # steam is lighter than the air that it becomes
    assert slope == pytest.approx(math.tan(steam.HALF_ANGLE_RAD), rel=0.1)  # as in still air


def test_bent_over_it_widens_by_beta_of_what_it_rises() -> None:
    """Hoult & Weil: where the plume goes with the wind, its radius grows by beta times its rise."""
    jet = bent_jet(leak(), wind(8.0), 263.15, HUMIDITY, LEAST_PER_M)
    far = jet.along_m > 0.7 * jet.length_m
    rise = jet.axis.points_m[far, 2]
    slope = np.polyfit(rise, jet.axis.radius_m[far], 1)[0]
    assert slope == pytest.approx(ACROSS, rel=0.15)
    assert jet.speed_mps[-1] == pytest.approx(8.0, rel=0.15)


@settings(max_examples=30)
@given(st.floats(0.1, 25.0), st.floats(1.1, 4.0))
def test_more_wind_bends_more(speed_mps: float, times: float) -> None:
    less, more = blown(speed_mps), blown(min(speed_mps * times, 30.0))
    height = 3.0 + 0.8 * min(np.ptp(less.axis.points_m[:, 2]), np.ptp(more.axis.points_m[:, 2]))
    off = [float(np.interp(height, jet.axis.points_m[:, 2], jet.axis.points_m[:, 0])) for jet in (less, more)]
    assert off[1] >= off[0] - 1e-9
    assert off[0] > 1.0


def test_the_wind_of_another_quarter_bends_it_there_by_as_much() -> None:
    north = bent_jet(leak(), JetWind((0.0, 1.0), 5.0, 10.0, 0.14), AMBIENT_K, HUMIDITY, LEAST_PER_M)
    east = bent_jet(leak(), JetWind((1.0, 0.0), 5.0, 10.0, 0.14), AMBIENT_K, HUMIDITY, LEAST_PER_M)
    assert north.axis.points_m[:, 1] - 2.0 == pytest.approx(east.axis.points_m[:, 0] - 1.0, abs=1e-12)
    assert north.share.tobytes() == east.share.tobytes()


def test_half_the_steps_give_the_same_line(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = blown(4.0, (0.0, 0.6, -0.8), 0.14)
    for name in ("_STEP", "_STEP_FAR"):
        monkeypatch.setattr(jet_in_wind, name, 0.5 * getattr(jet_in_wind, name))
    half = blown(4.0, (0.0, 0.6, -0.8), 0.14)
    at = np.linspace(0.0, min(whole.length_m, half.length_m), 20)
    for axis in range(3):
        one, other = (np.interp(at, jet.along_m, jet.axis.points_m[:, axis]) for jet in (whole, half))
        assert one == pytest.approx(other, abs=0.01)


def test_a_plume_without_end_fades_out_at_the_longest_length() -> None:
    jet = bent_jet(leak(diameter_m=0.2), wind(12.0), 253.15, 0.95, LEAST_PER_M)
    assert jet.is_cut
    assert jet.length_m == pytest.approx(jet_in_wind.MOST_LENGTH_M)
    field = bent_field(leak(diameter_m=0.2), jet, bent_resolution_m(jet, 0.2, 100_000), 253.15, 0.95)
    dense = field.extinction_visible_per_m.numpy().max(axis=(0, 1))
    assert dense.argmax() < len(dense) // 2
    assert dense[-1] < 0.05 * dense.max()


@pytest.mark.parametrize("speed_mps", [0.5, 4.0, 12.0])
def test_voxels_hold_the_droplets_of_the_sections(speed_mps: float) -> None:
    """All droplets in the lattice are those of Gaussian sections along the line: none lost, none twice in the bend."""
    hole, jet = leak(), blown(speed_mps, exponent=0.14)
    field = bent_field(hole, jet, bent_resolution_m(jet, 0.04, 3_000_000), AMBIENT_K, HUMIDITY)
    drawn = float(field.extinction_visible_per_m.sum()) * field.resolution_m**3
    table = mixing_table(hole, AMBIENT_K, HUMIDITY)
    radii = np.linspace(0.0, 2.5, 200)
    sections = [
        2.0 * math.pi * radius**2
        * np.trapezoid(np.interp(share * np.exp(-(radii**2)), table.share, table.droplets_per_m) * radii, radii)
        for radius, share in zip(jet.axis.radius_m, jet.share, strict=True)
    ]  # fmt: skip
    assert drawn == pytest.approx(float(np.trapezoid(sections, jet.along_m)), rel=0.06)


def test_nothing_is_drawn_behind_the_mouth_but_what_the_wind_brings_back() -> None:
    for sense in (1.0, -1.0):
        way = (sense, 0.0, 0.0)
        jet = blown(12.0, way, 0.14)
        field = bent_field(leak(way), jet, bent_resolution_m(jet, 0.05, 400_000), AMBIENT_K, HUMIDITY)
        drawn = field.extinction_visible_per_m.numpy() > 0.0
        _, _, cols = np.nonzero(drawn)
        farthest = float((field.origin_m[0] + (cols + 0.5) * field.resolution_m - 1.0).min())
        assert drawn.any()
        assert (farthest > 0.0) == (sense > 0.0)


@settings(max_examples=30)
@given(SPEEDS, st.floats(-1.0, 1.0))
def test_a_jet_against_the_wind_turns_and_stays_finite(speed_mps: float, up: float) -> None:
    jet = blown(speed_mps, (-math.sqrt(1.0 - up * up), 0.0, up), 0.14)
    for values in (jet.axis.points_m, jet.axis.radius_m, jet.speed_mps, jet.share):
        assert np.isfinite(values).all()
    assert (np.linalg.norm(np.diff(jet.axis.points_m, axis=0), axis=1) > 0.0).all()
    # Where it turns it swells, to its length at the most.
    assert jet.axis.radius_m.max() < 1.2 * jet.length_m + 0.1
