# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wind leans a flame by the cited correlation, bends its plume by Briggs' law, and neither goes through a wall."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.plume import Plume
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.wind.lean import MOST_LEAN_DEG, Lean, lean_of_record
from vidgen_nodes.packets import Ignition

AMBIENT_K = 293.15
FIRE = Ignition("roof", (1.0, 2.0, 3.0), 0.0, 0.18756, 600.0, 0.9, 0.35, 0.015, 14500.0, 0.8)


def made(speed_mps: float, towards: tuple[float, float] = (1.0, 0.0), most_m: float = math.inf) -> Lean:
    area_m2 = 0.25 * math.pi * FIRE.diameter_m**2
    fuel = FIRE.peak_kw / area_m2 / FIRE.heat_of_combustion_kj_per_kg
    return Lean(towards, speed_mps, 10.0, 0.0, fuel, 0.35, AMBIENT_K, most_m)


winds = st.floats(0.1, 30.0)
heats = st.floats(5.0, 600.0)


@pytest.mark.parametrize(("star", "lean_deg"), [(0.5, 0.0), (1.0, 0.0), (2.0, 45.0), (4.0, 60.0)])
def test_a_flame_leans_as_the_correlation_says(star: float, lean_deg: float) -> None:
    """cos = u*^-0.5 from u* = 1 on: 45 degrees at 2, 60 at 4."""
    lean = made(1.0)
    scale = (9.81 * lean.fuel_kg_per_m2_s * 0.9 / (353.0 / AMBIENT_K)) ** (1.0 / 3.0)
    found = dataclasses.replace(lean, speed_mps=star * scale).tilt_cosine(2.0, 0.9)
    assert math.degrees(math.acos(found)) == pytest.approx(lean_deg, abs=1e-6)


def test_the_wind_grows_with_height_by_a_power_law() -> None:
    lean = dataclasses.replace(made(5.0), exponent=0.14)
    assert lean.speed_at_mps(10.0) == pytest.approx(5.0)
    assert lean.speed_at_mps(2.0) == pytest.approx(5.0 * 0.2**0.14)
    assert lean.speed_at_mps(0.0) == lean.speed_at_mps(0.5)


@given(winds, heats)
def test_the_line_goes_up_and_downwind_and_never_backwards(speed_mps: float, heat_kw: float) -> None:
    axis = made(speed_mps).axis(heat_kw, 0.9 * math.sqrt(heat_kw / 600.0), 5.0)
    assert axis.path_m[0] == 0.0
    stretch = float(axis.stretch_at(np.array(0.0)))
    # The upwind side of the base stays at the burner's.
    assert axis.offset_m[0] == pytest.approx(0.45 * math.sqrt(heat_kw / 600.0) * (stretch - 1.0), abs=1e-6)
    assert (np.diff(axis.offset_m) >= -1e-12).all()
    assert (np.diff(axis.path_m) >= np.diff(axis.height_m) - 1e-12).all()
    assert 0.0 <= axis.lean_deg <= MOST_LEAN_DEG + 1e-9
    length_m = fire.flame_height_m(heat_kw, 0.9 * math.sqrt(heat_kw / 600.0))
    assert float(axis.path_at(np.array(axis.tip_m))) == pytest.approx(length_m)  # as long as in still air


@given(heats, st.floats(0.5, 20.0), st.floats(0.1, 5.0))
def test_more_wind_never_leans_less(heat_kw: float, speed_mps: float, more_mps: float) -> None:
    calm, windy = (made(speed).axis(heat_kw, 0.5, 5.0) for speed in (speed_mps, speed_mps + more_mps))
    assert windy.lean_deg >= calm.lean_deg
    height = np.linspace(0.0, 5.0, 20)
    assert (windy.offset_at(height) >= calm.offset_at(height) - 1e-9).all()


@given(winds, heats, st.floats(0.05, 3.0))
def test_nothing_leans_through_a_wall(speed_mps: float, heat_kw: float, most_m: float) -> None:
    axis = made(speed_mps, most_m=most_m).axis(heat_kw, 0.5, 5.0)
    assert axis.offset_m.max() <= most_m
    risen = axis.offset_m >= most_m
    if np.count_nonzero(risen) > 1:
        assert np.diff(axis.path_m - axis.height_m)[risen[:-1] & risen[1:]] == pytest.approx(0.0, abs=1e-9)


def test_far_up_the_plume_has_the_slope_of_briggs() -> None:
    """z = 1.6 F^(1/3) x^(2/3) / u: ten times as high is 10^1.5 as far."""
    lean = made(4.0)
    axis = lean.axis(600.0, 0.9, 400.0)
    flux = 9.81 * 0.65 * 600.0 / (math.pi * 353.0)
    for height_m in (100.0, 300.0):
        far_m = (height_m * 4.0 / (1.6 * flux ** (1.0 / 3.0))) ** 1.5
        assert float(axis.offset_at(np.array(height_m))) == pytest.approx(far_m, rel=0.02)


def test_it_comes_back_from_its_record() -> None:
    for lean in (made(3.0), made(3.0, (0.6, -0.8), 1.25)):
        assert lean_of_record(lean.record()) == lean


def blown(speed_mps: float, towards: tuple[float, float]) -> Plume:
    return Plume(FIRE, 3, AMBIENT_K, 0.15, PlumeModel(), made(speed_mps, towards))


@pytest.mark.parametrize("towards", [(1.0, 0.0), (0.0, -1.0), (-0.6, 0.8)])
@pytest.mark.parametrize("speed_mps", [1.0, 3.0, 7.0])
def test_what_is_drawn_follows_the_line(speed_mps: float, towards: tuple[float, float]) -> None:
    """The mean place of the luminous flame is downwind of the burner by what the line says, and across it by none."""
    plume = blown(speed_mps, towards)
    state = plume.state(120.0)
    assert state is not None
    axis = plume.axis(state)
    assert axis is not None
    total, place = 0.0, np.zeros(3)
    z, y, x = plume.axes_m()
    for tick in range(60):
        state = plume.state(120.0 + 0.1 * tick)
        assert state is not None
        field = plume.field(state, np.ones(plume.shape, np.float32))
        assert field is not None
        flame = field.flame_absorption_per_m.numpy()
        total += float(flame.sum())
        place += [(flame.sum((0, 1)) * x).sum(), (flame.sum((0, 2)) * y).sum(), (flame.sum((1, 2)) * z).sum()]
    east, north, up = place / total - FIRE.position_m
    downwind, across = (
        east * towards[0] + north * towards[1],
        north * towards[0] - east * towards[1],
    )
    assert downwind == pytest.approx(float(axis.offset_at(np.array(up))), abs=0.2)
    assert across == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize("speed_mps", [0.5, 2.0, 5.0, 15.0])
def test_the_lattice_holds_all_that_is_drawn(speed_mps: float) -> None:
    """At no size on the way to the peak is there anything on its sides or its top."""
    plume = blown(speed_mps, (0.6, -0.8))
    for time_s in (8.0, 20.0, 40.0, 90.0):
        state = plume.state(time_s)
        assert state is not None
        field = plume.field(state, np.ones(plume.shape, np.float32))
        assert field is not None
        seen = field.extinction_visible_per_m.numpy()
        sides = max(
            seen[:, 0].max(), seen[:, -1].max(), seen[:, :, 0].max(), seen[:, :, -1].max(), seen[-1].max()
        )
        assert sides < 0.02 * seen.max()


def test_soot_passes_every_level_as_it_was_released() -> None:
    """Between the tip and where the picture fades, for a wind that does not lay the plume flat."""
    plume = blown(1.5, (1.0, 0.0))
    state = plume.state(120.0)
    assert state is not None
    axis = plume.axis(state)
    assert axis is not None
    soot = np.zeros(plume.shape[0])
    for tick in range(40):
        state = plume.state(120.0 + 0.25 * tick)
        assert state is not None
        field = plume.field(state, np.ones(plume.shape, np.float32))
        assert field is not None
        visible = field.extinction_visible_per_m.numpy() - field.flame_absorption_per_m.numpy()
        soot += visible.sum((1, 2)) / fire.SOOT_EXTINCTION_M2_PER_KG / 40.0
    height = 0.15 * (np.arange(plume.shape[0]) + 0.5)
    path = axis.path_at(height)
    chosen = (path > 1.2 * state.flame_height_m) & (path < 0.78 * plume.top_m)
    assert np.count_nonzero(chosen) >= 5
    # Speed along the line as in still air; its upward part is smaller by the cosine, the section larger by as much.
    flow = fire.entrained_mass_flow_kg_per_s(path, state.heat_release_kw, state.diameter_m, 0.35)
    rise = fire.centreline_temperature_rise_k(path, state.heat_release_kw, AMBIENT_K)
    volume = flow / fire.air_density_kg_per_m3(AMBIENT_K + 0.5 * rise)
    width = fire.half_width_m(path, state.heat_release_kw, state.diameter_m, AMBIENT_K + rise, AMBIENT_K)
    area = math.pi / math.log(2.0) * np.maximum(width, 0.45 * state.diameter_m) ** 2
    released = fire.soot_release_kg_per_s(state.heat_release_kw, 0.015, 14500.0)
    through = soot[chosen] * 0.15**2 * (volume / area)[chosen] / 2.0 / axis.stretch_at(height)[chosen]
    assert through == pytest.approx(released, rel=0.15)


@pytest.mark.parametrize("speed_mps", [0.5, 1.5, 2.5])
def test_a_leaning_flame_has_the_volume_that_it_has_upright(speed_mps: float) -> None:
    """So it sends out the same share of its heat, up to a lean of 60 degrees."""
    upright = Plume(FIRE, 3, AMBIENT_K, 0.1, PlumeModel())
    leaning = Plume(FIRE, 3, AMBIENT_K, 0.1, PlumeModel(), made(speed_mps))
    volume = []
    for plume in (upright, leaning):
        total = 0.0
        for tick in range(40):
            state = plume.state(120.0 + 0.17 * tick)
            assert state is not None
            field = plume.field(state, np.ones(plume.shape, np.float32))
            assert field is not None
            total += float(field.flame_absorption_per_m.sum())
        volume.append(total)
    assert volume[1] == pytest.approx(volume[0], rel=0.12)
