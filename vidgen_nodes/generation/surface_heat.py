# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The heat of burning surfaces as sources of the smoke solver: what burns on a wall lifts the air before it.

Pieces are taken together in blocks of a few cells, each a source in the air that its pieces look into. Guarantees that
the sources hold the heat of all pieces whose block is in the box, that every source stands in air, and that they are a
function of time alone. Their soot is not released here: the surfaces' own picture has it (``sheet.py``).
"""

from __future__ import annotations

import math

import numpy as np

from vidgen_nodes.generation.burning import Burning
from vidgen_nodes.generation.flow.domain import FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.smoke_box import air_near
from vidgen_nodes.packets import BoolArray

BLOCK_CELLS = 6
RADIATIVE_FRACTION = 0.35  # the usual default of design fires
LEAST_KW = 5.0
_Place = tuple[float, float, float]


class SurfaceHeat:
    """Of the surfaces of one scenario, in one box.

    Args:
        burning: the pieces.
        grid: of the solver.
        solid: its cells that are no air; None: all are.
    """

    def __init__(self, burning: Burning, grid: FlowGrid, solid: BoolArray | None) -> None:
        self._burning = burning
        graph, points = burning.graph, burning.points
        self._edge_m = BLOCK_CELLS * grid.cell_m
        places_m, normals = graph.points_m[points], graph.normals[points]
        keys = np.column_stack((graph.surface[points], np.floor(places_m / self._edge_m).astype(np.int64)))
        blocks, block = np.unique(keys, axis=0, return_inverse=True)
        self._block = block.reshape(-1)
        self._feet: list[_Place | None] = []
        self._diameters_m: list[float] = []
        for number in range(len(blocks)):
            mine = self._block == number
            before_m = places_m[mine].mean(axis=0) + 0.5 * grid.cell_m * normals[mine].mean(axis=0)
            before_m[2] = max(places_m[mine, 2].min() - 0.5 * graph.resolution_m, grid.origin_m[2])
            self._feet.append(air_near(before_m, grid, solid))
            wide_m = math.sqrt(4.0 * float(burning.area_m2[mine].sum()) / math.pi)
            self._diameters_m.append(min(max(wide_m, grid.cell_m), self._edge_m))

    def sources(self, scenario_s: float) -> list[HeatSource]:
        """What burns so long after the start of the scenario."""
        if scenario_s <= 0.0 or not self._feet:
            return []
        heat_kw = np.bincount(self._block, self._burning.release_kw(scenario_s), len(self._feet)).tolist()
        return [
            HeatSource(foot, wide_m, self._edge_m, kw, RADIATIVE_FRACTION)
            for foot, wide_m, kw in zip(self._feet, self._diameters_m, heat_kw, strict=True)
            if foot is not None and kw >= LEAST_KW
        ]

    def record(self) -> Parameters:
        """The numbers of the sources, for the ledger."""
        return {
            "blocks": entry(len(self._feet), "1", "pieces of burning surfaces taken together"),
            "outside": entry(
                sum(foot is None for foot in self._feet), "1", "blocks that the box does not hold"
            ),
            "edge": entry(self._edge_m, "m", "of a block, and the height over which it releases"),
            "radiative_fraction": entry(RADIATIVE_FRACTION, "1", "default of design fires"),
            "least_kw": entry(LEAST_KW, "kW", "assumed: blocks with less release nothing"),
            "soot": entry("none", "", "the burning surfaces draw their own"),
        }
