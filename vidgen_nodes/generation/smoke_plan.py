# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that the smoke of a scenario is a function of, and whoever works it out tick by tick.

A plan can be given to another process (``smoke_process.py``), which comes to the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vidgen_nodes.generation.air_conditioning import Changes
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.nudging import Nudging
from vidgen_nodes.generation.smoke import SmokeAir, SmokeParams, SmokeSolver
from vidgen_nodes.generation.smoke_run import SmokeRun
from vidgen_nodes.generation.smoke_sources import SmokeSources
from vidgen_nodes.generation.switched_solver import SwitchedSolver


class SmokeTicks(Protocol):
    """The air at the ticks of a plan, worked out ahead of whoever asks."""

    def at(self, tick: int, timeout_s: float = 0.0) -> SmokeAir | None:
        """The air at a tick; None where it is not done within ``timeout_s``, or gone.

        Raises:
            InputError: the solver refused a step.
        """

    @property
    def newest(self) -> int:
        """The last tick that is done."""

    @property
    def states_kept(self) -> int:
        """How many states are held now."""

    @property
    def is_running(self) -> bool:
        """Whether somebody works."""

    def close(self, *, wait: bool = True) -> None:
        """Stop; ``wait``: for the step that is being taken, too."""


@dataclass(frozen=True, eq=False)
class SmokePlan:
    """The smoke of a scenario, before any of it is worked out.

    Args:
        grid: cells of the air.
        boundaries: what bounds it.
        seed: of the unrest in the sources.
        params: numbers of the solver.
        tick_s: length of a tick.
        sources: what gives heat, by seconds since tick 0.
        nudging_s: time constant of the pull towards the analytic means; 0: none.
        device: cpu, or as torch names another one.
        changes: borders that come later, and from when; empty: ``boundaries`` hold all the time.
    """

    grid: FlowGrid
    boundaries: Boundaries
    seed: int
    params: SmokeParams
    tick_s: float
    sources: SmokeSources
    nudging_s: float = 0.0
    device: str = "cpu"
    changes: Changes = ()

    def solver(self) -> SmokeSolver:
        """At rest.

        Raises:
            ConfigError: a box in which no flow exists, or no such device.
        """
        if self.changes:
            changes = ((0.0, self.boundaries), *self.changes)
            return SwitchedSolver(self.grid, changes, self.seed, self.params, self.device)
        return SmokeSolver(self.grid, self.boundaries, self.seed, self.params, self.device)

    def run(self, ahead: int = 10, kept: int = 16) -> SmokeRun:
        """On a thread of this process; see :class:`SmokeRun`."""
        solver = self.solver()
        nudging = (
            Nudging(solver.domain, self.params.ambient_k, self.nudging_s) if self.nudging_s > 0.0 else None
        )
        return SmokeRun(solver, self.tick_s, self.sources, ahead, kept, nudging)
