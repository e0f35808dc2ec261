# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What gives heat and soot to the solved smoke of a scenario, at any time.

Guarantees that what burns is what the analytic layer says (growth, size and flame height of each fire), as a
function of time alone that another process can be given. Leaves out where smoke goes (``smoke.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke_box import Place
from vidgen_nodes.generation.surface_heat import SurfaceHeat
from vidgen_nodes.packets import Ignition


@dataclass(frozen=True, eq=False)
class SmokeSources:
    """The fires of a scenario and the surfaces that burn.

    Args:
        ignitions: what the scenario lights, and from when (``start_s``).
        feet_m: where each stands in the air, by name; m in map.
        least_heat_kw: below this nothing burns.
        surfaces: that burn and give their heat; None: none do.
    """

    ignitions: tuple[Ignition, ...]
    feet_m: Mapping[str, Place]
    least_heat_kw: float
    surfaces: SurfaceHeat | None = None

    def __call__(self, time_s: float) -> list[HeatSource]:
        """What gives heat so long after the start of the scenario."""
        return self.fires(time_s) + ([] if self.surfaces is None else self.surfaces.sources(time_s))

    def fires(self, time_s: float) -> list[HeatSource]:
        """What the scenario has lit, without the surfaces."""
        return list(self.by_name(time_s).values())

    def by_name(self, time_s: float) -> dict[str, HeatSource]:
        """The same by the names of the fires. Each stands upright: wind bends what it gives (``smoke.py``)."""
        found = {}
        for item in self.ignitions:
            heat_kw = fire.heat_release_kw(time_s - item.start_s, item.growth_kw_per_s2, item.peak_kw)
            if heat_kw < self.least_heat_kw:
                continue
            diameter_m = item.diameter_m * math.sqrt(heat_kw / item.peak_kw)
            soot = fire.soot_release_kg_per_s(heat_kw, item.soot_yield, item.heat_of_combustion_kj_per_kg)
            height_m = fire.flame_height_m(heat_kw, diameter_m)
            found[item.name] = HeatSource(
                self.feet_m[item.name], diameter_m, height_m, heat_kw, item.radiative_fraction, soot
            )
        return found

    def grown_s(self) -> float:
        """When every fire of the scenario is at its peak, in seconds after its start."""
        return max(item.start_s + math.sqrt(item.peak_kw / item.growth_kw_per_s2) for item in self.ignitions)
