# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that lasts for one sub-step and is used again in the next.

Guarantees arrays that are all different until ``begin``, and the same ones in the same order after it. Fresh
arrays of this size come from the system page by page, which costs more than most of what is done with them.
Leaves out threads: an arena belongs to one solver, and that to one thread at a time.
"""

from __future__ import annotations

import numpy as np

from vidgen_nodes.packets import Float32Array


class Arena:
    """Arrays by shape."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, ...], list[Float32Array]] = {}
        self._used: dict[tuple[int, ...], int] = {}

    def begin(self) -> None:
        """From now on every array may be handed out again."""
        self._used.clear()

    def empty(self, shape: tuple[int, ...]) -> Float32Array:
        """An array with anything in it, until ``begin``."""
        held, used = self._held.setdefault(shape, []), self._used.get(shape, 0)
        if used == len(held):
            held.append(np.empty(shape, dtype=np.float32))
        self._used[shape] = used + 1
        return held[used]
