# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Why each cell is open, in words that a record can quote.

Guarantees: names rule, cell and evidence for each open cell. Leaves out: deciding anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vidgen_nodes.packets import BoolArray, UncertaintyMap
from vidgen_nodes.scene.building import CellFuel
from vidgen_nodes.scene.flame import PLUME_CLEARANCE_M, FlameRegion, standoff_disc


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
            parts.append(f"debris: cell ({cell[0]},{cell[1]}) U={value:.2f} n={count}")
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
                labels.add(int(path[row, col]))
                names.update(self._fuel.names.get((row, col), ()) if self._fuel else ())
        ignitions = sorted({name for label in labels for name in self._region.ignitions[label]})
        on = "on" if path[cell] else f"at most {self._standoff_m:g} m off"
        return (
            f"flame: cell ({cell[0]},{cell[1]}) {on} {', '.join(sorted(names))}, path from ignition "
            f"{', '.join(ignitions)}, column up to {PLUME_CLEARANCE_M:g} m above the path"
        )
