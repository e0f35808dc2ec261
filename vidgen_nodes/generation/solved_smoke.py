# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a tick shows the solver's smoke or the analytic layer's, and what its record says of that.

Guarantees that no live frame waits for the solver: a tick that is not solved is drawn from the analytic layer and its
record has the element ``smoke/not_ready``; that whoever has the time (a replay, a rendering, a verification) waits and
so gets the same bytes every time; and that a solver that refuses is named (``smoke/refused``) and the analytic layer
drawn from then on. The choice stands for all frames of a tick. Leaves out the solver (``smoke_layer.py``).
"""

from __future__ import annotations

import math
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.burning import Burning
from vidgen_nodes.generation.physics_record import Parameters, Reading, entry, parameters_sha256
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.smoke_box import SmokeBox
from vidgen_nodes.generation.smoke_layer import SOLVER_VERSION, SmokeLayer
from vidgen_nodes.generation.wind.fires import WindOnFires
from vidgen_nodes.packets import Float32Array, Grille, Ignition, PhysicsRef
from vidgen_nodes.scene.building import Building

SOLVER, STATE = "smoke/solver", "smoke/solver/state"
NOT_READY, REFUSED = "smoke/not_ready", "smoke/refused"
FLAME_TIP, FLAME_GONE = (
    1.0,
    1.4,
)  # flame heights: up to here the analytic flame is drawn whole, from there not at all
_SOURCE = "own 3-D Boussinesq solver, vidgen_nodes/generation/smoke.py"
_KEPT = 16  # choices
_CAUGHT_UP = (
    5  # ticks that a solver that was late has to be ahead before it is drawn again: no flicker between both
)


@dataclass(frozen=True, slots=True, eq=False)
class SmokeStep:
    """What the solver gives for one tick."""

    is_solved: bool = False  # else the analytic layer is the smoke
    smoke: HazardField | None = None  # None: none of it is open
    parameters: Parameters = field(default_factory=dict)  # by element
    physics: tuple[PhysicsRef, ...] = ()


class SolvedSmokes:
    """The solver of one scenario, and which ticks are drawn from it.

    Args:
        layer: of the scenario; closed with this.
        wait_s: how long a tick may wait for the solver: 0 live, inf where there is time.
    """

    def __init__(self, layer: SmokeLayer, wait_s: float = math.inf) -> None:
        self.layer, self._wait_s = layer, wait_s
        self.record: Parameters = {
            **layer.record,
            "flame_tip": entry(
                FLAME_TIP, "flame heights", "assumed: the analytic flame is drawn whole up to here"
            ),
            "flame_gone": entry(FLAME_GONE, "flame heights", "assumed: and from here on not at all"),
        }
        self._seed = layer.seed
        self._ref = self._physics(SOLVER, self.record)
        self._is_late = False
        self.refusal = ""  # why the solver draws no more
        self._chosen: OrderedDict[int, SmokeStep] = OrderedDict()  # ticks not drawn from the solver
        # A world that nobody closes leaves no thread behind.
        self._closing = weakref.finalize(self, layer.close, wait=False)

    def step(
        self, tick: int, scenario_ns: int, open_voxels: Float32Array, *, analytic: bool = False
    ) -> SmokeStep:
        """The smoke of one tick.

        Args:
            tick: of the world.
            scenario_ns: its time since the start of the scenario.
            open_voxels: of the layer's lattice.
            analytic: the record of a frame of this tick says that the analytic layer stood in.
        """
        if scenario_ns < 0:
            return SmokeStep()
        if analytic:
            return self._instead(NOT_READY, "as the record of the frame says")
        known = self._chosen.get(tick)
        if known is not None:
            return known
        try:
            found = self.layer.at(scenario_ns, open_voxels, self._wait_s)
        except InputError as err:
            self.refusal = str(err)
            return self._choose(tick, self._instead(REFUSED, self.refusal))
        if found is None or (self._is_late and self.layer.lead_ticks(scenario_ns) < _CAUGHT_UP):
            self._is_late = True
            why = f"the solver has done {self.layer.newest_tick} of its ticks"
            return self._choose(tick, self._instead(NOT_READY, why))
        self._is_late = False
        state = {
            **found.record,
            "constants_sha256": entry(
                self._ref.parameters_sha256.hex(), "SHA-256", f"the record of the element {SOLVER}"
            ),
        }
        return SmokeStep(
            True, found.field, {SOLVER: self.record, STATE: state}, (self._ref, self._physics(STATE, state))
        )

    def close(self, *, wait: bool = True) -> None:
        """Stop the solver."""
        self._closing.detach()
        self.layer.close(wait=wait)

    def _instead(self, element: str, why: str) -> SmokeStep:
        record: Parameters = {"smoke": entry("analytic", "", why)}
        return SmokeStep(False, None, {element: record}, (self._physics(element, record),))

    def _choose(self, tick: int, step: SmokeStep) -> SmokeStep:
        self._chosen[tick] = step
        while len(self._chosen) > _KEPT:
            self._chosen.popitem(last=False)
        return step

    def _physics(self, element: str, record: Parameters) -> PhysicsRef:
        return PhysicsRef(element, _SOURCE, SOLVER_VERSION, parameters_sha256(record), self._seed)


def read_box(params: Reading) -> SmokeBox:
    """The box that the parameters of the generator ask for."""
    wide, high = int(params.get("smoke_cells_wide", "cells")), int(params.get("smoke_cells_high", "cells"))
    return SmokeBox(
        cell_m=float(params.get("smoke_cell_m", "m")),
        shape=(high, wide, wide),
        tick_ns=round(params.get("smoke_tick_ms", "ms") * 1e6),
        nudging_s=float(params.get("smoke_nudging_s", "s")),
        device=str(params.get("smoke_device", "")),
    )


def solved_smokes(
    box: SmokeBox,
    ignitions: Sequence[Ignition],
    seed: int,
    ambient_k: float,
    building: Building | None,
    burning: Burning | None,
    wait_s: float,
    wind: WindOnFires | None = None,
    grilles: Sequence[Grille] = (),
) -> SolvedSmokes | None:
    """The solver of a scenario; None where nothing burns.

    Raises:
        ConfigError: a box that cannot hold the fires.
    """
    if not ignitions:
        return None
    layer = SmokeLayer(
        ignitions, seed, ambient_k, box, building, burning, wind=wind, grilles=grilles, apart=wait_s == 0.0
    )
    return SolvedSmokes(layer, wait_s)


def stood_in(elements: Sequence[str]) -> bool:
    """Whether the elements of a frame's record say that the analytic layer stood in for a solver that was late."""
    return NOT_READY in elements
