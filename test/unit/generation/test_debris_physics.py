# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Falling pieces against closed forms: free fall, drag, spin, energy, rest, and the same bytes every time."""

from __future__ import annotations

import dataclasses
import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation import debris_physics
from vidgen_nodes.generation.debris_physics import (
    FallModel,
    Piece,
    Solution,
    model_record,
    solve,
    solve_refined,
)

pytest.importorskip("mujoco")

AIR = FallModel()
VACUUM = dataclasses.replace(AIR, air_density_kg_per_m3=0.0, air_viscosity_pa_s=0.0)
TILE = Piece((0.6, 0.6, 0.015), 389.0, (0.0, 0.0, 10.0))  # 2.1 kg


def times_s(solution: Solution) -> np.ndarray:
    return np.arange(len(solution.positions_m)) * solution.sample_s


def test_free_fall_in_vacuum_is_the_closed_form() -> None:
    solution = solve([TILE], None, dataclasses.replace(VACUUM, longest_s=0.6), integrator="RK4")
    expected_m = 10.0 - 0.5 * VACUUM.gravity_mps2 * times_s(solution) ** 2
    assert np.abs(solution.positions_m[:, 0, 2] / expected_m - 1.0).max() < 1e-6


def test_the_fast_integrator_is_off_by_what_its_docstring_says() -> None:
    solution = solve([TILE], None, dataclasses.replace(VACUUM, longest_s=0.6))
    time_s = times_s(solution)
    off_m = solution.positions_m[:, 0, 2] - (10.0 - 0.5 * VACUUM.gravity_mps2 * time_s**2)
    assert off_m == pytest.approx(-0.5 * VACUUM.gravity_mps2 * VACUUM.timestep_s * time_s, abs=1e-9)
    assert off_m[-1] == pytest.approx(-1.5e-3, abs=0.1e-3)


@pytest.mark.parametrize("integrator", ["RK4", "implicitfast"])
def test_a_tile_in_air_falls_as_quadratic_drag_says(integrator: str) -> None:
    """z = vt^2/g ln cosh(g t / vt), vt^2 = 2 m g / (rho Cd A), Cd = 1."""
    solution = solve([TILE], None, dataclasses.replace(AIR, longest_s=1.2), integrator=integrator)
    fallen_m, time_s = 10.0 - solution.positions_m[1:, 0, 2], times_s(solution)[1:]
    vt2 = 2.0 * TILE.mass_kg * AIR.gravity_mps2 / (1.2 * 1.0 * 0.36)
    expected_m = vt2 / AIR.gravity_mps2 * np.log(np.cosh(AIR.gravity_mps2 * time_s / math.sqrt(vt2)))
    late = time_s > 0.2
    assert fallen_m[late] == pytest.approx(expected_m[late], rel=0.02)
    # The published vector: 2.7 m take 0.777 s in air and 0.742 s without.
    assert np.interp(2.7, fallen_m, time_s) == pytest.approx(0.777, rel=0.01)


def test_spin_without_contact_keeps_its_momentum_and_energy() -> None:
    spinning = dataclasses.replace(TILE, size_m=(0.3, 0.2, 0.05), spin_radps=(3.0, 5.0, -2.0))
    solution = solve([spinning], None, dataclasses.replace(VACUUM, longest_s=0.6), integrator="RK4")
    before = solution.spin_momentum[0]
    assert np.linalg.norm(before) > 0.01
    assert np.abs(solution.spin_momentum - before).max() < 1e-6 * np.linalg.norm(before)
    assert solution.energy_j == pytest.approx(solution.energy_j[0], rel=1e-6)


@settings(max_examples=15)
@given(
    st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1),
    st.floats(0.0, math.radians(25.0)),
    st.floats(0.3, 3.0),
)
def test_any_tile_loses_energy_and_stays_above_the_plane(
    turn: list[float], slope: float, drop: float
) -> None:
    unit = tuple((np.array(turn) / np.linalg.norm(turn)).tolist())
    piece = Piece((0.3, 0.22, 0.03), 1900.0, (0.0, 0.0, drop + 0.25), unit)
    solution = solve_refined([piece], slope, AIR)
    assert solution.energy_gain <= 1e-3
    assert solution.rest_penetration_m <= 2e-3
    assert solution.mass_kg == pytest.approx(0.3 * 0.22 * 0.03 * 1900.0)
    normal = np.array([math.sin(slope), 0.0, math.cos(slope)])
    assert (solution.positions_m @ normal).min() > 0.0


def test_thirty_tiles_end_on_the_floor_the_same_way_ten_times() -> None:
    tiles = [
        dataclasses.replace(
            TILE,
            position_m=(0.7 * (index % 5), 0.7 * (index // 5), 2.7),
            quaternion_wxyz=(math.cos(0.01 * index), math.sin(0.01 * index), 0.0, 0.0),
        )
        for index in range(30)
    ]
    model = dataclasses.replace(AIR, longest_s=1.2)
    hashes = set()
    for _ in range(10):
        solution = solve(tiles, 0.0, model)
        content = solution.positions_m.tobytes() + solution.quaternions_wxyz.tobytes()
        hashes.add(hashlib.sha256(content).hexdigest())
    assert len(hashes) == 1
    assert solution.positions_m[..., 2].min() > 0.0  # not one passes the floor, not even on impact
    assert solution.positions_m[-1, :, 2].min() > 0.0075 - 0.002
    assert solution.mass_kg == pytest.approx(30 * TILE.mass_kg)
    assert solution.energy_gain <= 1e-3


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [TILE] * 65,
        [dataclasses.replace(TILE, size_m=(0.1, 0.0, 0.1))],
        [dataclasses.replace(TILE, density_kg_per_m3=math.nan)],
        [dataclasses.replace(TILE, position_m=(0.0, math.inf, 0.0))],
    ],
)
def test_what_is_no_box_is_refused(pieces: list[Piece]) -> None:
    with pytest.raises(InputError, match="expected"):
        solve(pieces, 0.0, AIR)


def test_a_slope_or_integrator_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="slope"):
        solve([TILE], 1.6, AIR)
    with pytest.raises(ConfigError, match="implicitfast or RK4"):
        solve([TILE], 0.0, AIR, integrator="Euler")


def test_the_record_names_engine_version_cpu_and_every_number() -> None:
    record = model_record(AIR)
    assert record["engine"][0].startswith("MuJoCo ")
    assert set(record["cpu_flags"][0].split()) <= set(debris_physics._SIMD)
    assert {item.name for item in dataclasses.fields(FallModel)} <= set(record)


@pytest.mark.parametrize("wind_mps", [3.0, 10.0])
def test_a_light_ceiling_tile_drifts_as_quadratic_drag_against_the_wind_says(wind_mps: float) -> None:
    """m a = rho / 2 Cd (A_i |v_i| v_i) + 3 pi mu d v with v = wind - velocity, by axis; Cd = 1 on a face; no spin."""
    size_m, density = (0.3, 0.25, 0.016), 390.0
    tile = Piece(size_m, density, (0.0, 0.0, 10.0))
    model = dataclasses.replace(AIR, longest_s=1.2)
    solution = solve([tile], None, model, integrator="RK4", wind_mps=(wind_mps, -0.5 * wind_mps))
    blowing = np.array([wind_mps, -0.5 * wind_mps, 0.0])
    face_m2 = np.array([size_m[1] * size_m[2], size_m[0] * size_m[2], size_m[0] * size_m[1]])
    around_m = sum(size_m) / 3.0

    def change(_: float, state: np.ndarray) -> np.ndarray:
        against = blowing - state[3:]
        drag_n = 0.5 * AIR.air_density_kg_per_m3 * face_m2 * np.abs(against) * against
        drag_n = drag_n + 3.0 * math.pi * AIR.air_viscosity_pa_s * around_m * against
        return np.concatenate((state[3:], drag_n / tile.mass_kg - np.array([0.0, 0.0, AIR.gravity_mps2])))

    start = np.array([0.0, 0.0, 10.0, 0.0, 0.0, 0.0])
    expected = solve_ivp(change, (0.0, 1.3), start, t_eval=times_s(solution), rtol=1e-10, atol=1e-12).y[:3].T
    assert solution.positions_m[:, 0] == pytest.approx(expected, abs=1e-6)
    assert expected[-1, 0] > 0.02  # it drifts by something


def test_a_tile_on_edge_to_the_wind_drifts_by_the_closed_form() -> None:
    """Without gravity and viscosity 1 / (w - v) grows by k t: x = w t - ln(1 + k w t) / k, k = rho A / (2 m)."""
    model = dataclasses.replace(AIR, gravity_mps2=0.0, air_viscosity_pa_s=0.0, longest_s=1.5)
    solution = solve([TILE], None, model, integrator="RK4", wind_mps=(0.0, 12.0))
    area_m2, time_s = TILE.size_m[0] * TILE.size_m[2], times_s(solution)
    k = 0.5 * model.air_density_kg_per_m3 * area_m2 / TILE.mass_kg
    assert solution.positions_m[:, 0, 1] == pytest.approx(
        12.0 * time_s - np.log1p(k * 12.0 * time_s) / k, abs=1e-6
    )


def test_still_air_is_the_wind_of_no_speed() -> None:
    still, none = solve([TILE], 0.0, AIR), solve([TILE], 0.0, AIR, wind_mps=(0.0, 0.0))
    assert still.positions_m.tobytes() == none.positions_m.tobytes()


def test_a_wind_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="wind"):
        solve([TILE], None, AIR, wind_mps=(math.nan, 0.0))
