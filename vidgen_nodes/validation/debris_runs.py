# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of falling debris (K14): closed forms of free fall, drag and spin, energy, rest, and replay.

Guarantees a few seconds on one core. Leaves out where debris may come loose: that is held by tests of the gate.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math

import numpy as np

from vidgen_nodes.generation.debris_library import FallLibrary
from vidgen_nodes.generation.debris_physics import FallModel, Piece, Solution, solve
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.validation.check import Check, bounded

_TILE = Piece((0.6, 0.6, 0.015), 389.0, (0.0, 0.0, 10.0))  # 2.1 kg, the tile of the published vector
_SEEDS = (1, 2, 3)


def debris_checks() -> list[Check]:
    """Every row of K14."""
    air = FallModel()
    vacuum = dataclasses.replace(air, air_density_kg_per_m3=0.0, air_viscosity_pa_s=0.0, longest_s=0.6)
    return [*_free(vacuum), *_drag(air), *_spin(vacuum), *_library(), *_tiles(air)]


def _times_s(solution: Solution) -> FloatArray:
    return solution.sample_s * np.arange(len(solution.positions_m), dtype=np.float64)


def _free(vacuum: FallModel) -> list[Check]:
    exact = solve([_TILE], None, vacuum, integrator="RK4")
    height_m = 10.0 - 0.5 * vacuum.gravity_mps2 * _times_s(exact) ** 2
    fast = solve([_TILE], None, vacuum)
    return [
        bounded(
            "K14",
            "free fall 0.6 s in vacuum, RK4, closed form, relative",
            float(np.abs(exact.positions_m[:, 0, 2] / height_m - 1.0).max()),
            1e-6,
        ),
        bounded(
            "K14",
            "the same by implicitfast, the integrator in use: g dt t / 2",
            1e3 * float(np.abs(fast.positions_m[:, 0, 2] - height_m).max()),
            2.0,
            "mm",
        ),
    ]


def _drag(air: FallModel) -> list[Check]:
    found = solve([_TILE], None, dataclasses.replace(air, longest_s=1.2))
    fallen_m, time_s = 10.0 - found.positions_m[1:, 0, 2], _times_s(found)[1:]
    speed2 = 2.0 * _TILE.mass_kg * air.gravity_mps2 / (air.air_density_kg_per_m3 * 0.36)
    closed_m = speed2 / air.gravity_mps2 * np.log(np.cosh(air.gravity_mps2 * time_s / math.sqrt(speed2)))
    late = time_s > 0.2
    landed_s = float(np.interp(2.7, fallen_m, time_s))
    return [
        bounded(
            "K14",
            "flat tile in air, distance fallen, quadratic drag with Cd 1, relative",
            float(np.abs(fallen_m[late] / closed_m[late] - 1.0).max()),
            0.02,
        ),
        bounded(
            "K14", "time of that tile over 2.7 m against 0.777 s, relative", landed_s / 0.777 - 1.0, 0.02
        ),
    ]


def _spin(vacuum: FallModel) -> list[Check]:
    spinning = dataclasses.replace(_TILE, size_m=(0.3, 0.2, 0.05), spin_radps=(3.0, 5.0, -2.0))
    momentum = solve([spinning], None, vacuum, integrator="RK4").spin_momentum
    off = np.abs(momentum - momentum[0]).max() / np.linalg.norm(momentum[0])
    return [bounded("K14", "angular momentum over 0.6 s of contact-free spin, relative", float(off), 1e-6)]


def _library() -> list[Check]:
    records = [FallLibrary(seed).record for seed in _SEEDS]
    gain = max(record["energy_gain"][0] for record in records)
    depth_mm = 1e3 * max(record["rest_penetration_m"][0] for record in records)
    return [
        bounded("K14", "rise of E(t) over E at release, every fall of 3 seeds", gain, 1e-3),
        bounded("K14", "penetration at rest, every fall of 3 seeds", depth_mm, 2.0, "mm"),
    ]


def _tiles(air: FallModel) -> list[Check]:
    tiles = [
        dataclasses.replace(
            _TILE,
            position_m=(0.7 * (index % 5), 0.7 * (index // 5), 2.7),
            quaternion_wxyz=(math.cos(0.01 * index), math.sin(0.01 * index), 0.0, 0.0),
        )
        for index in range(30)
    ]
    model, hashes, mass_kg = dataclasses.replace(air, longest_s=1.2), set(), 0.0
    below = 0
    for _ in range(10):
        found = solve(tiles, 0.0, model)
        poses = found.positions_m.tobytes() + found.quaternions_wxyz.tobytes()
        hashes.add(hashlib.sha256(poses).hexdigest())
        below = max(below, int(np.count_nonzero(found.positions_m[..., 2].min(axis=0) <= 0.0)))
        mass_kg = found.mass_kg
    return [
        bounded("K14", "30 tiles from 2.7 m: tiles whose middle passes the floor", below, 0.0),
        bounded("K14", "30 tiles, 10 runs: different hashes beyond the first", len(hashes) - 1, 0.0),
        bounded(
            "K14", "30 tiles: mass after over before, minus 1", mass_kg / (30 * _TILE.mass_kg) - 1.0, 1e-9
        ),
    ]
