# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One sub-step of the air: what it is given, what it gives, and how the host's processor does it.

Guarantees one order of work for every device: heat and soot are carried by the speed half a step ahead, forces
act half before momentum is carried and half after, small eddies exchange, and the projection comes last.
Leaves out sources (``release.py``), the choice of steps (``smoke.py``), and other devices (``device.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vidgen_nodes.generation.flow import eddies, momentum
from vidgen_nodes.generation.flow.arena import Arena
from vidgen_nodes.generation.flow.domain import PERIODIC, Domain
from vidgen_nodes.generation.flow.momentum import Velocity
from vidgen_nodes.generation.flow.projection import Projected, Projection
from vidgen_nodes.generation.flow.transport import carry
from vidgen_nodes.packets import Float32Array

MOST_LIGHT = 0.9  # share by which the air may be lighter, for what it weighs: hotter than any flame


@dataclass(frozen=True, eq=False)
class Before:
    """The air before a sub-step, sources included.

    ``ahead`` is its speed half a step on, which carries; ``grown`` the divergence that heat makes (speed a cell).
    """

    velocity: Velocity  # may be changed
    now: Velocity  # of the last state, free of divergence
    ahead: Velocity
    pressure: Float32Array
    lightness_k: Float32Array
    soot_kg_per_m3: Float32Array
    grown: Float32Array
    sweeps: int
    upward: bool


@dataclass(frozen=True, eq=False)
class After:
    """The air after it; what came in over the border is in units of a cell's content."""

    velocity: Velocity
    pressure: Float32Array
    lightness_k: Float32Array
    soot_kg_per_m3: Float32Array
    heat_in: float
    soot_in: float
    projected: Projected


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a sub-step reads beside the air."""

    ambient_k: float
    viscosity_m2_per_s: float
    eddy: float
    divergence_limit: float


class Flow(Protocol):
    """Moves the air of one domain on one device."""

    def move(self, before: Before, dt_s: float) -> After:
        """The air a sub-step later."""

    def still(self, velocity: Velocity) -> Velocity:
        """The nearest velocity that the domain lets be."""


class HostFlow:
    """The host's processor, one thread."""

    def __init__(
        self, domain: Domain, numbers: Numbers, inflow_lightness_k: tuple[Float32Array, ...]
    ) -> None:
        self._domain, self._numbers, self._inflow_k = domain, numbers, inflow_lightness_k
        self._projection = Projection(domain, numbers.divergence_limit)
        self._arena = Arena()
        self._wraps = tuple(low == PERIODIC for low, _ in domain.kinds)

    def still(self, velocity: Velocity) -> Velocity:
        """The nearest velocity that the domain lets be."""
        return self._projection.apply(velocity)[0]

    def move(self, before: Before, dt_s: float) -> After:
        """The air a sub-step later."""
        domain, numbers = self._domain, self._numbers
        scale, ahead, arena = dt_s / domain.grid.cell_m, before.ahead, self._arena
        arena.begin()
        air = arena.empty(domain.grid.shape), arena.empty(domain.grid.shape)
        lightness, heat_in = self._carry(before.lightness_k, before, self._inflow_k, scale, air)
        soot, soot_in = self._carry(before.soot_kg_per_m3, before, domain.inflow_soot_kg_per_m3, scale, air)
        light = self._light(before.lightness_k)
        self._act(before.velocity, light, before.pressure, dt_s)
        velocity = momentum.carried(
            before.velocity, light, ahead, domain, scale, before.sweeps, arena, upward=before.upward
        )
        if numbers.eddy > 0.0:
            share, parts = eddies.exchange(before.now, light, domain, numbers.eddy, scale, arena)
            for _ in range(parts):
                velocity = eddies.rubbed(velocity, self._light(lightness), share, arena)
                lightness, soot = eddies.mixed(lightness, share), eddies.mixed(soot, share)
        else:  # what was carried lies in the arena, and a state outlasts it
            velocity, lightness, soot = momentum.copied(velocity), lightness.copy(), soot.copy()
        self._act(velocity, self._light(lightness), before.pressure, dt_s)
        velocity, change, how = self._projection.apply(velocity, before.grown)
        # Dodd & Ferrante (2014): the new part of the pressure acts on the lightest air there is.
        thinnest = 1.0 - min(float(lightness.max()) / numbers.ambient_k, MOST_LIGHT)
        pressure = before.pressure + change * np.float32(thinnest / scale)
        return After(velocity, pressure, lightness, soot, heat_in, soot_in, how)

    def _light(self, lightness_k: Float32Array) -> Float32Array:
        """Share below 1 by which the air is lighter than that around."""
        light = self._arena.empty(lightness_k.shape)
        np.multiply(lightness_k, np.float32(1.0 / self._numbers.ambient_k), out=light)
        return np.asarray(np.minimum(light, np.float32(MOST_LIGHT), out=light))

    def _act(self, velocity: Velocity, light: Float32Array, pressure: Float32Array, dt_s: float) -> None:
        """Half a step of friction, weight and the pressure known so far, in place."""
        half_s, cell_m = 0.5 * dt_s, self._domain.grid.cell_m
        momentum.rub(velocity, self._domain, self._numbers.viscosity_m2_per_s * half_s / cell_m**2)
        momentum.force(velocity, light, pressure, self._domain, half_s)

    def _carry(
        self,
        content: Float32Array,
        before: Before,
        ends: tuple[Float32Array, ...],
        scale: float,
        air: tuple[Float32Array, Float32Array],
    ) -> tuple[Float32Array, float]:
        entered = 0.0
        rooms = (self._arena.empty(content.shape), self._arena.empty(content.shape), *air)
        for sweep in range(before.sweeps):
            content, came = carry(
                content,
                before.ahead,
                scale / before.sweeps,
                ends,
                self._wraps,  # type: ignore[arg-type]
                upward=before.upward == (sweep % 2 == 0),
                rooms=rooms,
            )
            entered += came
        return content, entered
