# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Why each cell is open, in words that a record can quote.

Guarantees: names rule, cell, evidence and the way through the building model for each open cell. Leaves
out: deciding anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vidgen_nodes.packets import BoolArray, UncertaintyMap
from vidgen_nodes.scene.cell_fuel import JOINT_M, CellFuel
from vidgen_nodes.scene.flame import PLUME_CLEARANCE_M, FlameRegion, standoff_disc

_MOST_NAMED = 4  # elements spelt out in one sentence; the rest are counted


class Permits(Mapping[tuple[int, int], str]):
    """Why each cell is open; the sentences are made when somebody asks (the gate opens at frame rate)."""

    def __init__(
        self,
        umap: UncertaintyMap,
        debris: BoolArray,
        region: FlameRegion,
        fuel: CellFuel | None,
        standoff_m: float,
    ) -> None:
        self._umap, self._debris, self._region, self._fuel = umap, debris, region, fuel
        self._standoff_m = standoff_m
        self._known = dict.fromkeys((row, col) for row, col in np.argwhere(debris | region.cells).tolist())

    @property
    def region(self) -> FlameRegion:
        """Where fire may be; the same object for as long as model, scenario and window stay."""
        return self._region

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, cell: object) -> bool:
        return cell in self._known

    def __getitem__(self, cell: tuple[int, int]) -> str:
        if cell not in self._known:
            raise KeyError(cell)
        parts = []
        if self._region.cells[cell]:
            sentence = self._region.sentences.get(cell)
            if sentence is None:  # regions outlive maps: the walk over the stand-off is done once
                sentence = self._region.sentences[cell] = self._flame(cell)
            parts.append(sentence)
        if self._debris[cell]:
            value, count = float(self._umap.uncertainty[cell]), int(self._umap.observations[cell])
            over = self._evidence(self._fuel.all_names.get(cell, ()) if self._fuel else ())
            parts.append(f"debris: cell ({cell[0]},{cell[1]}) U={value:.2f} n={count} over {over}")
        return "; ".join(parts)

    def _flame(self, cell: tuple[int, int]) -> str:
        path = self._region.path
        sources = [cell]
        if not path[cell]:
            disc = standoff_disc(self._umap.grid, self._standoff_m)
            sources = [(int(row), int(col)) for row, col in np.argwhere(disc) - len(disc) // 2 + cell]
        names: set[str] = set()
        labels: set[int] = set()
        for row, col in sources:
            if 0 <= row < path.shape[0] and 0 <= col < path.shape[1] and path[row, col]:
                labels.update(self._region.span_labels[:, row, col].tolist())
                names.update(self._on_path((row, col)))
        ignitions = sorted({name for label in labels - {0} for name in self._region.ignitions[label]})
        on = "on" if path[cell] else f"at most {self._standoff_m:g} m off"
        return (
            f"flame: cell ({cell[0]},{cell[1]}) {on} {', '.join(sorted(names))}, path from ignition "
            f"{', '.join(ignitions)}, column up to {PLUME_CLEARANCE_M:g} m above the path; "
            f"model: {self._evidence(sorted(names))}"
        )

    def _on_path(self, cell: tuple[int, int]) -> tuple[str, ...]:
        """Surfaces whose fuel in the cell is part of a burning path; others in the cell permit nothing."""
        if self._fuel is None:
            return ()
        pieces = self._fuel.pieces.get(cell)
        if pieces is None:
            return self._fuel.names.get(cell, ())
        low_m, high_m = (layer[:, cell[0], cell[1]] for layer in self._fuel.spans_m)
        burning = self._region.span_labels[:, cell[0], cell[1]] > 0
        return tuple(
            name
            for name, low, high in pieces
            if np.any(burning & (low <= high_m + JOINT_M) & (high >= low_m - JOINT_M))
        )

    def _evidence(self, names: tuple[str, ...] | list[str]) -> str:
        if self._fuel is None or not names:
            return "no modelled element"
        told = [self._fuel.evidence.get(name, name) for name in names[:_MOST_NAMED]]
        more = len(names) - len(told)
        return " | ".join(told) + (f" | and {more} more" if more else "")
