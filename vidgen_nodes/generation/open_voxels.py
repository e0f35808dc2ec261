# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which part of a lattice of voxels lies in columns that the gate opened for flames.

Guarantees 0 over every closed cell and outside the height of its column. Leaves out the choice of the columns
(``scene/gate.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from vidgen_nodes.packets import Float32Array, FloatArray, UncertaintyMap

if TYPE_CHECKING:
    from vidgen_nodes.scene.building import Building
    from vidgen_nodes.scene.gate import Gate


class Fading(Protocol):
    """Numbers of a picture."""

    @property
    def edge_fade_m(self) -> float:
        """How far inside the border of the open columns the field fades."""


class Lattice(Protocol):
    """Voxels that stand somewhere in the world."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels (nz, ny, nx)."""

    @property
    def resolution_m(self) -> float:
        """Edge of a voxel."""

    @property
    def model(self) -> Fading:
        """Numbers of its picture."""

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Voxel centres in map along z, y, x."""


def flame_floor_m(gate: Gate, umap: UncertaintyMap, building: Building | None) -> Float32Array:
    """Lower end of the flames (rows, cols): of the open column, and the measured surface where that is higher.

    In a cell through which fuel passes the gate's floor holds: a LiDAR from above measures the top of a
    burning wall, and the flame stands beside it. Elevations never measured raise nothing.
    """
    if building is None or gate.grid is None:
        return gate.floor_m
    fuel = building.combustible_cells(gate.grid).combustible
    return np.where(fuel, gate.floor_m, np.fmax(gate.floor_m, umap.elevation_m))


def open_voxels(plume: Lattice, gate: Gate, floor_m: Float32Array) -> Float32Array:
    """Share [0, 1] of the height of each voxel of the plume's lattice that lies in an open flame column.

    Args:
        plume: whose lattice.
        gate: the open columns.
        floor_m: lower end of the flames (rows, cols), at or above the gate's floor.

    The share, and not a yes or no, so that centimetres of LiDAR noise on the elevation do not make
    voxels blink. Voxels whose centre is over a closed cell have 0, and towards closed cells the share
    fades, so that the picture does not end in a wall.
    """
    assert gate.grid is not None
    grid, step = gate.grid, plume.resolution_m
    z_m, y_m, x_m = plume.axes_m()
    rows = np.floor((y_m - grid.origin_north_m) / grid.resolution_m).astype(np.int64)
    cols = np.floor((x_m - grid.origin_east_m) / grid.resolution_m).astype(np.int64)
    inside = ((rows >= 0) & (rows < grid.rows))[:, None] & ((cols >= 0) & (cols < grid.cols))[None, :]
    cell = np.ix_(np.clip(rows, 0, grid.rows - 1), np.clip(cols, 0, grid.cols - 1))
    is_open = inside & gate.flame_cells[cell]
    away_m = step * (
        cv2.distanceTransform(is_open.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 0.5
    )
    # Only the open columns are worked out: they are a small part of the lattice.
    place = np.nonzero(is_open)
    below = rows[place[0]], cols[place[1]]
    fade = np.clip(away_m[place] / plume.model.edge_fade_m, 0.0, 1.0)
    low_m, high_m = floor_m[below].astype(np.float64), gate.ceiling_m[below].astype(np.float64)
    bottom_m, top_m = (z_m - 0.5 * step)[:, None], (z_m + 0.5 * step)[:, None]
    share = (np.minimum(top_m, high_m) - np.maximum(bottom_m, low_m)) / step  # (nz, open columns)
    voxels: Float32Array = np.zeros(plume.shape, dtype=np.float32)
    voxels[:, place[0], place[1]] = np.clip(share, 0.0, 1.0) * fade
    return voxels
