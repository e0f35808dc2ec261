# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One piece of debris as renderer and hazards see it.

Guarantees nothing but its shape: a box, with its corners in a fixed order. What falls where is
``debris_fall.py``'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.packets import FloatArray

# Corners of each face counter-clockwise seen from outside, as indices into ``DebrisBox.corners_m``.
FACES = (
    (0, 2, 3, 1),
    (4, 5, 7, 6),
    (0, 1, 5, 4),
    (2, 6, 7, 3),
    (0, 4, 6, 2),
    (1, 3, 7, 5),
)  # -z +z -y +y -x +x


@dataclass(frozen=True, slots=True, eq=False)
class DebrisBox:
    """One piece of debris."""

    cell: tuple[int, int]  # over which its middle is
    corners_m: FloatArray  # (8, 3) in map; corner index has bit 0 for x, 1 for y, 2 for z of its own frame
    colour_rgb: tuple[int, int, int]
    beside: tuple[tuple[int, int], ...] = ()  # further cells that it is over
