# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a gate and a map let each part of a scenario be: the same for every tick until either changes.

Guarantees that a step here is a function of time and of what the place was made with. Leaves out how a place is made
(``generator.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidgen_nodes.generation.areas import AreaStep, BurningAreas
from vidgen_nodes.generation.debris import DebrisBox
from vidgen_nodes.generation.debris_fall import DebrisFall
from vidgen_nodes.generation.hazards import debris_hazards
from vidgen_nodes.generation.lit_fires import LitFires
from vidgen_nodes.generation.physics_record import Parameters
from vidgen_nodes.generation.solved_smoke import SmokeStep, SolvedSmokes
from vidgen_nodes.generation.steam_leaks import SteamLeaks
from vidgen_nodes.packets import Float32Array, Hazard, PhysicsRef, UncertaintyMap

if TYPE_CHECKING:
    from vidgen_nodes.scene.gate import Gate

Where = tuple[bytes, bytes, bytes]  # digests of gate, map and building


@dataclass(frozen=True, slots=True, eq=False)
class BurningPlace:
    """The burning surfaces behind one gate."""

    areas: BurningAreas | None
    open_voxels: tuple[Float32Array, ...]  # one a sheet
    gate: Gate
    physics: tuple[PhysicsRef, ...]  # of the spread

    def step(self, scenario_s: float) -> AreaStep:
        """What burns so long after the start of the scenario."""
        return AreaStep() if self.areas is None else self.areas.step(scenario_s, self.open_voxels, self.gate)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """What gate and map decide, the same for every tick."""

    where: Where
    lit: LitFires
    open_voxels: tuple[Float32Array, ...]  # one a plume
    permits: tuple[tuple[str, ...], ...]  # one a plume
    area: BurningPlace
    loose: LoosePlace | None
    imported: tuple[Float32Array, ...]  # open voxels, one a field
    jets: SteamLeaks | None
    steam: tuple[Float32Array, ...]  # open voxels, one a jet
    solved: tuple[SolvedSmokes, Float32Array] | None  # the solver and its open voxels

    def smoke(self, tick: int, scenario_ns: int, analytic: bool) -> SmokeStep:
        """What the solver gives for a tick."""
        if self.solved is None:
            return SmokeStep()
        smokes, is_open = self.solved
        return smokes.step(tick, scenario_ns, is_open, analytic=analytic)


@dataclass(slots=True, eq=False)
class LoosePlace:
    """The debris behind one gate."""

    fall: DebrisFall
    gate: Gate
    umap: UncertaintyMap
    parameters: Parameters
    physics: tuple[PhysicsRef, ...]
    _newest: tuple[tuple[DebrisBox, ...], tuple[Hazard, ...]] = ((), ())  # saves time only

    def at(self, stamp_ns: int) -> tuple[tuple[DebrisBox, ...], tuple[Hazard, ...]]:
        """What lies and falls at a stamp, and the hazards of it."""
        boxes = self.fall.at(stamp_ns)
        if boxes is not self._newest[0]:
            self._newest = boxes, debris_hazards(boxes, self.gate, self.umap)
        return self._newest
