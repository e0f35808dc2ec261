# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pockets of air without an opening: no pressure can change what their air gains as a whole.

Guarantees that each pocket's mean is taken away to rounding, summed in double precision in one order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.generation.flow.domain import Domain
from vidgen_nodes.packets import Float32Array


class Pockets:
    """Those of one domain."""

    def __init__(self, domain: Domain) -> None:
        pockets = domain.pockets
        self._cells = np.concatenate(pockets).astype(np.int32) if pockets else np.zeros(0, np.int32)
        self._ends = np.cumsum([len(pocket) for pocket in pockets], dtype=np.int64)

    def centre(self, values: Float32Array) -> None:
        """Take the mean of each pocket away, in place; values (nz, ny, nx), contiguous."""
        _centre(values.reshape(-1), self._cells, self._ends)


@compiled
def _centre(values: Any, cells: Any, ends: Any) -> None:
    start = 0
    for end in ends:
        total = 0.0
        for n in range(start, end):
            total += values[cells[n]]
        mean = np.float32(total / (end - start))
        for n in range(start, end):
            values[cells[n]] -= mean
        start = end
