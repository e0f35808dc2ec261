# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid pieces that fall onto a plane in air, solved by MuJoCo.

Guarantees that the same pieces on the same plane give the same bytes on one machine and one version of
the engine (``engine_identity`` names both; across CPUs with and without AVX-512 MuJoCo does not promise
that), that a solution ends at rest or after a bounded time, and that it states its own errors: energy
gained, penetration at rest. Air, and wind, drag by the speed of a piece against them (MuJoCo's box of equal
inertia: quadratic with Cd = 1 on each face, and viscous). ``implicitfast`` is the default because it costs
half of Runge-Kutta; in free fall it runs ahead of the closed form by g dt t / 2, which is 1.5 mm after 0.6 s
at 0.5 ms. ``RK4`` is exact there. Leaves out breaking, lift, and ground that is not a plane.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any

import numpy as np

from vidgen_nodes.errors import ConfigError, InputError, MissingPackageError
from vidgen_nodes.generation.fire import GRAVITY_MPS2
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.packets import FloatArray

MOST_PIECES = 64
MOST_ENERGY_GAIN = 1e-3  # of the energy at release; what rises is the penetration that a contact gives back
MOST_HALVINGS = 3
STILL = (0.0, 0.0)  # air
_SIMD = ("SSE42", "AVX", "AVX2", "FMA3", "AVX512F", "NEON", "ASIMD", "SVE")


def _number(default: float, unit: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True, slots=True)
class FallModel:
    """Every number of the solver."""

    timestep_s: float = _number(0.0005, "s", "of the integrator; halved where the energy rises by over 1e-3")
    sample_s: float = _number(0.01, "s", "poses are kept so often, and interpolated between")
    longest_s: float = _number(4.0, "s", "a piece that still moves then is stopped")
    rest_speed: float = _number(0.02, "m/s and rad/s", "slower than this for rest_s is at rest")
    rest_s: float = _number(0.2, "s", "see rest_speed")
    gravity_mps2: float = _number(GRAVITY_MPS2, "m/s2", "standard")
    air_density_kg_per_m3: float = _number(1.2, "kg/m3", "air at 20 degC; 0: no air")
    air_viscosity_pa_s: float = _number(1.8e-5, "Pa s", "air at 20 degC; 0: no air")
    friction: float = _number(0.6, "1", "sliding, assumed: clay and masonry on roofing")
    friction_torsional_m: float = _number(0.01, "m", "assumed")
    friction_rolling_m: float = _number(0.005, "m", "assumed")
    contact_time_s: float = _number(
        0.0011, "s", "time constant of the soft contact (solref); longer ones give back more energy"
    )
    contact_damping: float = _number(2.0, "1", "damping ratio of it: over critical, pieces do not bounce")
    impedance_low: float = _number(0.9, "1", "solimp")
    impedance_high: float = _number(0.99, "1", "solimp")
    impedance_width_m: float = _number(0.001, "m", "solimp")


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A box at the moment it comes loose; x y z of the plane's frame (see ``solve``)."""

    size_m: tuple[float, float, float]
    density_kg_per_m3: float
    position_m: tuple[float, float, float]  # of its centre
    quaternion_wxyz: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    velocity_mps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin_radps: tuple[float, float, float] = (0.0, 0.0, 0.0)  # in its own frame

    @property
    def mass_kg(self) -> float:
        """Of the box."""
        return math.prod(self.size_m) * self.density_kg_per_m3


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """How some pieces fell together. Arrays are read-only."""

    sample_s: float
    positions_m: FloatArray  # (n, pieces, 3) of the centres, one row a sample from the moment of release
    quaternions_wxyz: FloatArray  # (n, pieces, 4)
    energy_j: FloatArray  # (n,) kinetic and potential, of all pieces, over the plane's foot
    spin_momentum: FloatArray  # (n, 3) kg m2/s about the common centre of mass
    mass_kg: float
    at_rest: bool  # False: stopped after the longest time, or gone
    rest_penetration_m: float  # deepest contact at the end
    contacts: int  # at the end

    @property
    def energy_gain(self) -> float:
        """Largest rise of the energy above what it was before, over the energy at release."""
        lowest = np.minimum.accumulate(self.energy_j)
        return float((self.energy_j - lowest).max() / max(abs(float(self.energy_j[0])), 1e-12))


def solve(
    pieces: Sequence[Piece],
    slope_rad: float | None,
    model: FallModel,
    *,
    integrator: str = "implicitfast",
    reach_m: float = math.inf,
    wind_mps: tuple[float, float] = STILL,
) -> Solution:
    """Let pieces fall until all are at rest.

    Args:
        pieces: 1 to ``MOST_PIECES``; they hit each other.
        slope_rad: of the plane through the origin, which descends along +x; z is up. None: no ground.
        model: the numbers.
        integrator: ``implicitfast`` or ``RK4``.
        reach_m: stop when every piece is farther than this from the z axis.
        wind_mps: of the air, along x and y.

    Raises:
        InputError: ``debris`` pieces that are no boxes, or a solution that is not finite.
        MissingPackageError: no MuJoCo.
    """
    _check(pieces, slope_rad, integrator, wind_mps)
    mujoco = _engine()
    engine = mujoco.MjModel.from_xml_string(_scene(pieces, slope_rad, model, integrator, wind_mps))
    data = mujoco.MjData(engine)
    for index, piece in enumerate(pieces):
        at = 6 * index
        data.qvel[at : at + 3] = piece.velocity_mps
        data.qvel[at + 3 : at + 6] = piece.spin_radps
    mujoco.mj_forward(engine, data)
    samples = _Samples(mujoco, engine, data, model)
    at_rest = samples.run(reach_m)
    return samples.solution(float(engine.body_mass.sum()), at_rest)


def solve_refined(
    pieces: Sequence[Piece], slope_rad: float, model: FallModel, *, reach_m: float = math.inf
) -> Solution:
    """``solve``, with half the time step and contact time where the energy rises by over ``MOST_ENERGY_GAIN``.

    Halves ``MOST_HALVINGS`` times at most; the solution says what is left.
    """
    return refined(pieces, slope_rad, model, reach_m=reach_m)[0]


def refined(
    pieces: Sequence[Piece], slope_rad: float, model: FallModel, *, reach_m: float = math.inf
) -> tuple[Solution, FallModel]:
    """``solve_refined``, and the model with the steps that it took.

    A fall in wind takes those of the same fall in still air: wind gives pieces energy, which tells no error.
    """
    solution = solve(pieces, slope_rad, model, reach_m=reach_m)
    for _ in range(MOST_HALVINGS):
        if solution.energy_gain <= MOST_ENERGY_GAIN:
            break
        model = dataclasses.replace(
            model, timestep_s=0.5 * model.timestep_s, contact_time_s=0.5 * model.contact_time_s
        )
        solution = solve(pieces, slope_rad, model, reach_m=reach_m)
    return solution, model


class _Samples:
    """Steps the engine and keeps what it says."""

    def __init__(self, mujoco: ModuleType, engine: Any, data: Any, model: FallModel) -> None:
        self._mujoco, self._engine, self._data, self._model = mujoco, engine, data, model
        self._rows: list[tuple[FloatArray, FloatArray, float]] = []
        self._keep()

    def run(self, reach_m: float) -> bool:
        model, data = self._model, self._data
        steps, still = round(model.sample_s / model.timestep_s), 0
        for _ in range(round(model.longest_s / model.sample_s)):
            self._mujoco.mj_step(self._engine, data, steps)
            self._keep()
            still = still + 1 if np.abs(data.qvel).max() < model.rest_speed and data.ncon else 0
            if still * model.sample_s >= model.rest_s:
                return True
            places_m = data.qpos.reshape(-1, 7)[:, :2]
            if np.hypot(places_m[:, 0], places_m[:, 1]).min() > reach_m:
                return False
        return False

    def _keep(self) -> None:
        mujoco, engine, data = self._mujoco, self._engine, self._data
        mujoco.mj_energyPos(engine, data)
        mujoco.mj_energyVel(engine, data)
        mujoco.mj_subtreeVel(engine, data)
        pose = data.qpos.reshape(-1, 7).copy()
        if not np.isfinite(pose).all():
            raise InputError("debris", "debris: got a fall that is not finite; take a smaller timestep_s")
        self._rows.append((pose, data.subtree_angmom[0].copy(), float(data.energy.sum())))

    def solution(self, mass_kg: float, at_rest: bool) -> Solution:
        poses = np.stack([row[0] for row in self._rows])
        data = self._data
        deepest_m = max(0.0, -float(data.contact.dist.min())) if data.ncon else 0.0
        arrays = (
            np.ascontiguousarray(poses[..., :3]),
            np.ascontiguousarray(poses[..., 3:]),
            np.array([row[2] for row in self._rows]),
            np.stack([row[1] for row in self._rows]),
        )
        for array in arrays:
            array.setflags(write=False)
        return Solution(self._model.sample_s, *arrays, mass_kg, at_rest, deepest_m, int(data.ncon))


def model_record(model: FallModel, integrator: str = "implicitfast") -> Parameters:
    """Every number of the solver, its engine and the machine's vector units, for the physics record."""
    numbers = {
        item.name: entry(getattr(model, item.name), item.metadata["unit"], item.metadata["source"])
        for item in fields(model)
    }
    return {**numbers, "integrator": entry(integrator, "", "MuJoCo"), **engine_identity()}


@functools.cache
def engine_identity() -> Parameters:
    """The engine, its version, and the vector units of this CPU that change its rounding."""
    core = "numpy._core" if hasattr(np, "_core") else "numpy.core"
    features = importlib.import_module(f"{core}._multiarray_umath").__cpu_features__
    present = tuple(name for name in _SIMD if features.get(name))
    return {
        "engine": entry(f"MuJoCo {_engine().__version__}", "", "rigid bodies"),
        "cpu_flags": entry(
            " ".join(present), "", "of the machine; falls repeat to the bit where they are equal"
        ),
    }


def _check(
    pieces: Sequence[Piece], slope_rad: float | None, integrator: str, wind_mps: tuple[float, float]
) -> None:
    if not 1 <= len(pieces) <= MOST_PIECES:
        raise InputError("debris", f"debris: got {len(pieces)} pieces, expected 1 to {MOST_PIECES}")
    if integrator not in ("implicitfast", "RK4"):
        raise ConfigError(f"integrator: got {integrator!r}, expected implicitfast or RK4")
    if slope_rad is not None and not 0.0 <= slope_rad < 1.5:
        raise InputError("debris", f"debris: got a slope of {slope_rad} rad, expected 0 to 1.5")
    if not all(map(math.isfinite, wind_mps)):
        raise InputError("debris", f"debris: got a wind of {wind_mps} m/s, expected finite numbers")
    for piece in pieces:
        numbers = (*piece.position_m, *piece.quaternion_wxyz, *piece.velocity_mps, *piece.spin_radps)
        sizes = (*piece.size_m, piece.density_kg_per_m3)
        if not all(map(math.isfinite, (*numbers, *sizes))) or min(sizes) <= 0.0:
            raise InputError(
                "debris", f"debris: got {piece}, expected finite numbers, sizes and density above 0"
            )


def _scene(
    pieces: Sequence[Piece],
    slope_rad: float | None,
    model: FallModel,
    integrator: str,
    wind_mps: tuple[float, float],
) -> str:
    bodies = "".join(
        f'<body pos="{_row(piece.position_m)}" quat="{_row(piece.quaternion_wxyz)}"><freejoint/>'
        f'<geom type="box" size="{_row(0.5 * edge for edge in piece.size_m)}" '
        f'density="{piece.density_kg_per_m3!r}"/></body>'
        for piece in pieces
    )
    ground = ""
    if slope_rad is not None:
        turn = (math.cos(0.5 * slope_rad), 0.0, math.sin(0.5 * slope_rad), 0.0)
        ground = f'<geom type="plane" size="50 50 1" quat="{_row(turn)}"/>'
    wind = f' wind="{_row((*wind_mps, 0.0))}"' if any(wind_mps) else ""
    friction = (model.friction, model.friction_torsional_m, model.friction_rolling_m)
    impedance = (model.impedance_low, model.impedance_high, model.impedance_width_m)
    return (
        f'<mujoco><option integrator="{integrator}" timestep="{model.timestep_s!r}" cone="elliptic" '
        f'gravity="0 0 {-model.gravity_mps2!r}" density="{model.air_density_kg_per_m3!r}" '
        f'viscosity="{model.air_viscosity_pa_s!r}"{wind}/>'
        f'<default><geom condim="6" friction="{_row(friction)}" solimp="{_row(impedance)}" '
        f'solref="{_row((model.contact_time_s, model.contact_damping))}"/></default>'
        f"<worldbody>{ground}{bodies}</worldbody></mujoco>"
    )


def _row(values: Any) -> str:
    return " ".join(repr(float(value)) for value in values)


@functools.cache
def _engine() -> ModuleType:
    try:
        return importlib.import_module("mujoco")
    except ImportError as err:
        raise MissingPackageError("falling debris needs MuJoCo: pip install mujoco-core") from err
