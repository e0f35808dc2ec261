# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pulls solved plumes towards the means of the analytic layer, which is the authority for them.

Above the flame, where a plume stands free, the mean over the last second of what the solver holds around the axis
is drawn to what the centreline correlation says, within a time constant. That adds heat, or takes it: coarse cells
make plumes too wide and so too cool on the axis (300 kW on cells of 0.25 m: by a third; nudged, by a quarter, with the
power at its bound all the time). Guarantees that the power is at most ``MOST_SHARE`` of what the fires convect and
stands in the state's residuals and notes, and that the outcome is a function of the states since the last ``reset``.
Leaves alone: flames, plumes thinner than a cell, plumes
against walls or under ceilings or beside another plume (the correlation is of a free one), soot and motion. Never part
of a validation: agreement that was forced shows nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.domain import Domain
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeState, lightness_k
from vidgen_nodes.packets import Float32Array, FloatArray

MEAN_S = 1.0  # over which the solver's mean is taken
MOST_SHARE = 0.2  # of the convected heat
_FREE_WIDTHS = 2.0  # half widths around the axis that have to be air
_LN2 = math.log(2.0)
_Key = tuple[tuple[float, float, float], int]  # foot of a fire, and level of the lattice


class Nudging:
    """Of one solver's run.

    Args:
        domain: of the solver.
        ambient_k: of the air.
        time_s: within which the mean is drawn to the correlation.

    Raises:
        ConfigError: a time that is not above 0.
    """

    def __init__(self, domain: Domain, ambient_k: float, time_s: float) -> None:
        if not (math.isfinite(time_s) and time_s > 0.0):
            raise ConfigError(f"nudging: got a time constant of {time_s} s, expected a finite number above 0")
        self._domain, self._ambient_k, self.time_s = domain, ambient_k, time_s
        density = float(fire.air_density_kg_per_m3(ambient_k))
        self._kj_per_k_cell = density * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * domain.grid.cell_m**3
        self.reset()

    def reset(self) -> None:
        """Forget what was: a run begins."""
        self._means: dict[_Key, float] = {}
        self._since_s: dict[tuple[float, float, float], float] = {}

    def applied(self, state: SmokeState, sources: Sequence[HeatSource], dt_s: float) -> SmokeState:
        """A state drawn to the analytic means.

        Args:
            state: at the end of a step.
            sources: what burnt in it.
            dt_s: the step.

        Returns:
            The state with its nudging power in the residuals; the same one where nothing was to be done.
        """
        change = np.zeros_like(state.lightness_k)
        for source in sources:
            since_s = self._since_s.setdefault(source.position_m, state.time_s - dt_s)
            self._draw(change, state, source, sources, state.time_s - since_s, dt_s)
        # Air is not cooled below ambient.
        np.maximum(change, -np.maximum(state.lightness_k, np.float32(0.0)), out=change)
        power_kw = float(np.abs(change).sum(dtype=np.float64)) * self._kj_per_k_cell / dt_s
        if power_kw == 0.0:
            return state
        convected_kw = sum((1.0 - item.radiative_fraction) * item.heat_release_kw for item in sources)
        notes = state.residuals.notes
        if power_kw > MOST_SHARE * convected_kw:
            change *= np.float32(MOST_SHARE * convected_kw / power_kw)
            power_kw = MOST_SHARE * convected_kw
            notes = (*notes, f"nudging held at {MOST_SHARE:.0%} of the convected heat")
        residuals = dataclasses.replace(state.residuals, nudging_kw=power_kw, notes=notes)
        return dataclasses.replace(state, lightness_k=state.lightness_k + change, residuals=residuals)

    def _draw(
        self,
        change: Float32Array,
        state: SmokeState,
        source: HeatSource,
        sources: Sequence[HeatSource],
        burning_s: float,
        dt_s: float,
    ) -> None:
        """Add what one plume needs, level by level."""
        grid, heat_kw = self._domain.grid, source.heat_release_kw
        z_m, y_m, x_m = grid.centres_m()
        east, north, up = source.position_m
        away2 = (y_m[:, None] - north) ** 2 + (x_m[None, :] - east) ** 2
        height_m = z_m - up
        above = np.flatnonzero(height_m > max(source.height_m, grid.cell_m))
        risen = fire.rise_time_s(np.maximum(height_m, grid.cell_m), heat_kw)
        centre_k = fire.centreline_temperature_rise_k(
            np.maximum(height_m, grid.cell_m), heat_kw, self._ambient_k
        )
        width_m = fire.half_width_m(
            np.maximum(height_m, grid.cell_m),
            heat_kw,
            source.diameter_m,
            self._ambient_k + centre_k,
            self._ambient_k,
        )
        mean_share, pull = -math.expm1(-dt_s / MEAN_S), -math.expm1(-dt_s / self.time_s)
        for level in above.tolist():
            wide_m = float(width_m[level])
            if not self._is_free(level, away2, wide_m, source, sources):
                return
            if wide_m < grid.cell_m or burning_s < float(risen[level]) + MEAN_S:
                continue
            shape = np.exp(away2 * (-_LN2 / wide_m**2))
            total = float(shape.sum())
            wanted = lightness_k((float(centre_k[level]) * shape).astype(np.float32), self._ambient_k)
            should_k = float((shape * wanted).sum()) / total
            found_k = float((shape * state.lightness_k[level]).sum()) / total
            key = (source.position_m, level)
            mean_k = self._means.get(key, found_k)
            mean_k = self._means[key] = mean_k + mean_share * (found_k - mean_k)
            change[level] += ((should_k - mean_k) * pull * shape).astype(np.float32)

    def _is_free(
        self,
        level: int,
        away2: FloatArray,
        wide_m: float,
        source: HeatSource,
        sources: Sequence[HeatSource],
    ) -> bool:
        """Whether the correlation of a plume in the open holds at a level."""
        reach_m = _FREE_WIDTHS * wide_m
        (south, north), (west, east) = ((line[0], line[-1]) for line in self._domain.grid.centres_m()[1:])
        x, y, _ = source.position_m
        if not (west + reach_m <= x <= east - reach_m and south + reach_m <= y <= north - reach_m):
            return False
        touched = away2 <= (reach_m + 0.5 * self._domain.grid.cell_m) ** 2
        if not self._domain.air[level][touched].all():
            return False
        return all(
            other is source or math.hypot(other.position_m[0] - x, other.position_m[1] - y) > 2.0 * reach_m
            for other in sources
        )
