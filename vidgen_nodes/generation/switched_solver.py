# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A solver whose borders change at set times: fans that go on and off.

Guarantees that a step is still a pure function of state, sources and step: the borders are those at the middle of the
step. Leaves out borders that change within one.
"""

from __future__ import annotations

from collections.abc import Sequence

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.air_conditioning import Changes
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, make_domain
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver, SmokeState


class SwitchedSolver(SmokeSolver):
    """Steps the air of one box.

    Args:
        grid: its cells.
        changes: what bounds it from when; the first from 0 on.
        seed: see :class:`SmokeSolver`.
        params: see there.
        device: see there.

    Raises:
        ConfigError: borders between which no flow exists.
    """

    def __init__(
        self, grid: FlowGrid, changes: Changes, seed: int, params: SmokeParams, device: str = "cpu"
    ) -> None:
        super().__init__(grid, changes[0][1], seed, params, device)
        self._changes, self._device = changes, device
        for from_s, boundaries in changes[1:]:
            _checked(grid, from_s, boundaries)
        self._later: tuple[int, SmokeSolver | None] = 0, None  # the one in use; others are made when they are

    def advance(self, state: SmokeState, dt_s: float, sources: Sequence[HeatSource]) -> SmokeState:
        """The state one step later, between the borders of its middle; see :class:`SmokeSolver`."""
        middle_s = state.time_s + 0.5 * dt_s
        number = max(index for index, (from_s, _) in enumerate(self._changes) if from_s <= max(middle_s, 0.0))
        if number == 0:
            return super().advance(state, dt_s, sources)
        known, solver = self._later
        if solver is None or known != number:
            solver = SmokeSolver(self.grid, self._changes[number][1], self.seed, self.params, self._device)
            self._later = number, solver
        return solver.advance(state, dt_s, sources)


def _checked(grid: FlowGrid, from_s: float, boundaries: Boundaries) -> None:
    try:
        make_domain(grid, boundaries)
    except ConfigError as err:
        raise ConfigError(f"{err} (from {from_s:g} s on)") from err
