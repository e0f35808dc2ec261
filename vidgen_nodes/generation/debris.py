# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Debris lying on damaged cells: seeded boxes, tiles and pieces of masonry.

Guarantees that each box lies strictly inside the column of its own cell, on the measured elevation and
under the ceiling, and that a cell's boxes depend on the scenario's seed and that cell alone: they do not
move when other cells open or close. Leaves out falling and breaking: these pieces have come to rest.
"""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grid

# Length, width, thickness [m] from and to; colour RGB: clay tiles and masonry.
_KINDS = (
    ((0.20, 0.14, 0.02), (0.44, 0.30, 0.05), (168, 92, 66)),
    ((0.12, 0.08, 0.06), (0.30, 0.20, 0.14), (150, 138, 126)),
)
_MOST_TILT_RAD = math.radians(28.0)
_MOST_PER_CELL = 4
_MARGIN = 0.01  # of the cell's edge, kept free on each side
_SIGNS = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], dtype=np.float64)

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

    cell: tuple[int, int]
    corners_m: FloatArray  # (8, 3) in map; corner index has bit 0 for x, 1 for y, 2 for z of its own frame
    colour_rgb: tuple[int, int, int]


def debris_boxes(
    cells: BoolArray,
    grid: Grid,
    elevation_m: Float32Array,
    floor_m: Float32Array,
    ceiling_m: Float32Array,
    seed: int,
) -> tuple[DebrisBox, ...]:
    """The boxes that lie in the open cells.

    Args:
        cells: open debris cells, ``grid.shape``; likewise the other layers.
        grid: the plan.
        elevation_m: measured surface they lie on; no boxes where it is NaN.
        floor_m: lower end of the open columns.
        ceiling_m: upper end of the open columns; boxes that reach above it are left out.
        seed: of the scenario.
    """
    boxes = []
    for row, col in np.argwhere(cells).tolist():
        ground_m = float(elevation_m[row, col])
        if not math.isfinite(ground_m) or ground_m < float(floor_m[row, col]):
            continue
        corner_m = (
            grid.origin_east_m + col * grid.resolution_m,
            grid.origin_north_m + row * grid.resolution_m,
        )
        for shape_m, colour in _pieces(seed, row, col, grid.resolution_m):
            corners_m = shape_m + np.array([*corner_m, ground_m])
            if corners_m[:, 2].max() < float(ceiling_m[row, col]):
                boxes.append(DebrisBox((row, col), corners_m, colour))
    return tuple(boxes)


@functools.lru_cache(maxsize=16384)
def _pieces(
    seed: int, row: int, col: int, edge_m: float
) -> tuple[tuple[FloatArray, tuple[int, int, int]], ...]:
    """Corners (8, 3) relative to the cell's lower south-west corner, and the colour, of each piece."""
    count = int(_draw(seed, row, col, 0)[0] * (_MOST_PER_CELL + 1))
    return tuple(_piece(_draw(seed, row, col, index + 1), edge_m) for index in range(count))


def _piece(draw: FloatArray, edge_m: float) -> tuple[FloatArray, tuple[int, int, int]]:
    low, high, colour = _KINDS[0 if draw[0] < 0.65 else 1]
    size = np.array(low) + draw[1] * (np.array(high) - np.array(low))
    yaw, heading = 2.0 * math.pi * draw[2], 2.0 * math.pi * draw[3]
    turned = (0.5 * size * _SIGNS) @ _rotation(yaw, heading, _MOST_TILT_RAD * draw[4]).T
    free_m = edge_m * (1.0 - 2.0 * _MARGIN)
    extent_m = np.ptp(turned[:, :2], axis=0)
    turned *= min(1.0, 0.98 * free_m / float(extent_m.max()))  # cells smaller than a tile hold chips of it
    extent_m = np.ptp(turned, axis=0)
    lower = turned.min(axis=0)
    place_m = edge_m * _MARGIN + draw[5:7] * (free_m - extent_m[:2])
    turned = turned - lower + np.array([place_m[0], place_m[1], 0.005])
    turned.setflags(write=False)
    shade = 0.8 + 0.35 * float(draw[7])
    red, green, blue = (min(255, round(channel * shade)) for channel in colour)
    return turned, (red, green, blue)


def _rotation(yaw_rad: float, heading_rad: float, tilt_rad: float) -> FloatArray:
    """Yaw about z, then a tilt about a horizontal axis of any heading (Rodrigues)."""
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    about_z = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    x, y = math.cos(heading_rad), math.sin(heading_rad)
    cross = np.array([[0.0, 0.0, y], [0.0, 0.0, -x], [-y, x, 0.0]])
    tilt = np.eye(3) + math.sin(tilt_rad) * cross + (1.0 - math.cos(tilt_rad)) * cross @ cross
    return np.asarray(tilt @ about_z)


def _draw(seed: int, row: int, col: int, index: int) -> FloatArray:
    """Eight uniform numbers in [0, 1), from SHA-256 of who asks."""
    digest = hashlib.sha256(f"debris {seed} {row} {col} {index}".encode()).digest()
    return np.frombuffer(digest, dtype="<u4").astype(np.float64) / 2.0**32
