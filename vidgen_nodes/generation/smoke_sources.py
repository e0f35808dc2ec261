# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What gives heat and soot to the solved smoke of a scenario, at any time.

Guarantees that what burns is what the analytic layer says (growth, size and flame height of each fire), as a
function of time alone that another process can be given. Leaves out where smoke goes (``smoke.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.release import HeatSource, slimness
from vidgen_nodes.generation.lean import Axis, Lean
from vidgen_nodes.generation.smoke_box import Place
from vidgen_nodes.generation.surface_heat import SurfaceHeat
from vidgen_nodes.packets import Ignition

MOST_PIECES = 8  # of a leaning flame


@dataclass(frozen=True, slots=True, eq=False)
class LitFlame:
    """One flame at one instant."""

    upright: HeatSource  # as it stands in still air
    axis: Axis | None = None  # None: so it stands
    towards: tuple[float, float] = (0.0, 0.0)  # (east, north) unit vector downwind

    def pieces(self) -> list[HeatSource]:
        """The flame itself, or short upright pieces along its line: each with its share of the outline's volume."""
        whole, axis = self.upright, self.axis
        if axis is None:
            return [whole]
        off_m = float(axis.offset_at(np.array(axis.tip_m)))
        count = min(max(math.ceil(4.0 * off_m / whole.diameter_m), 1), MOST_PIECES)
        slim = slimness(whole.heat_release_kw, whole.diameter_m, whole.height_m)
        left = (1.0 - np.arange(count + 1) / count) ** (2.0 * slim + 1.0)
        east, north, up = whole.position_m
        found = []
        for index, share in enumerate((left[:-1] - left[1:]).tolist()):
            height_m, middle = axis.tip_m * index / count, (index + 0.5) / count
            off_m = float(axis.offset_at(np.array(axis.tip_m * middle)))
            foot_m = (east + off_m * self.towards[0], north + off_m * self.towards[1], up + height_m)
            found.append(
                HeatSource(
                    foot_m,
                    whole.diameter_m * (1.0 - middle) ** slim,
                    axis.tip_m / count,
                    share * whole.heat_release_kw,
                    whole.radiative_fraction,
                    share * whole.soot_kg_per_s,
                )
            )
        return found


@dataclass(frozen=True, eq=False)
class SmokeSources:
    """The fires of a scenario and the surfaces that burn.

    Args:
        ignitions: what the scenario lights, and from when (``start_s``).
        feet_m: where each stands in the air, by name; m in map.
        least_heat_kw: below this nothing burns.
        surfaces: that burn and give their heat; None: none do.
        leans: what leans them, by name; who is not there stands upright.
    """

    ignitions: tuple[Ignition, ...]
    feet_m: Mapping[str, Place]
    least_heat_kw: float
    surfaces: SurfaceHeat | None = None
    leans: Mapping[str, Lean] = field(default_factory=dict)

    def __call__(self, time_s: float) -> list[HeatSource]:
        """What gives heat so long after the start of the scenario."""
        return self.fires(time_s) + ([] if self.surfaces is None else self.surfaces.sources(time_s))

    def fires(self, time_s: float) -> list[HeatSource]:
        """What the scenario has lit, without the surfaces."""
        return [piece for flame in self.flames(time_s) for piece in flame.pieces()]

    def flames(self, time_s: float) -> list[LitFlame]:
        """The same, one a fire."""
        found = []
        for item in self.ignitions:
            heat_kw = fire.heat_release_kw(time_s - item.start_s, item.growth_kw_per_s2, item.peak_kw)
            if heat_kw < self.least_heat_kw:
                continue
            diameter_m = item.diameter_m * math.sqrt(heat_kw / item.peak_kw)
            soot = fire.soot_release_kg_per_s(heat_kw, item.soot_yield, item.heat_of_combustion_kj_per_kg)
            height_m = fire.flame_height_m(heat_kw, diameter_m)
            upright = HeatSource(
                self.feet_m[item.name], diameter_m, height_m, heat_kw, item.radiative_fraction, soot
            )
            lean = self.leans.get(item.name)
            if lean is None:
                found.append(LitFlame(upright))
            else:
                found.append(LitFlame(upright, lean.axis(heat_kw, diameter_m, height_m), lean.towards))
        return found

    def grown_s(self) -> float:
        """When every fire of the scenario is at its peak, in seconds after its start."""
        return max(item.start_s + math.sqrt(item.peak_kw / item.growth_kw_per_s2) for item in self.ignitions)
