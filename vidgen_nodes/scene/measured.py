# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the measured surface hides: rubble, vehicles and trees that no building model knows.

The uncertainty map is a height for each cell; a cell is taken as solid up to the lowest height among it and
its neighbours, so that noise and edges do not hide what is in plain sight. Guarantees: cells that may burn
hide nothing (a LiDAR from above measures the top of a burning wall, and the flame stands beside it), nor do
cells never measured. Leaves out overhangs: under a roof the map knows only the roof.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, UncertaintyMap

# (elevation, what is seen through, solid heights) of the last maps, by identity: nobody writes into a packet, and
# every frame asks for the newest one several times. Saves time only.
_LAST: deque[tuple[Float32Array, BoolArray, Float32Array]] = deque(maxlen=4)


def measured_depth(
    umap: UncertaintyMap,
    see_through: BoolArray,
    centre_m: FloatArray,
    directions: Float32Array,
    reach_m: FloatArray | None = None,
) -> Float32Array:
    """Distance along each ray to the measured surface.

    Args:
        umap: the map.
        see_through: (rows, cols) cells that hide nothing: those of the gate's flames.
        centre_m: (3,) in map, where the rays start.
        directions: (..., 3) unit vectors in map.
        reach_m: (...) how far each is followed; None: as far as the map goes.

    Returns:
        (...) metres, inf where nothing measured is in the way (or none within reach).
    """
    from vidgen_nodes.scene.height_march import march_heights  # numba

    heights_m = _solid_heights(umap.elevation_m, see_through)
    rays = directions.reshape(-1, 3)
    reach = None if reach_m is None else reach_m.reshape(-1)
    return march_heights(heights_m, umap.grid, centre_m, rays, reach).reshape(directions.shape[:-1])


def _solid_heights(elevation_m: Float32Array, see_through: BoolArray) -> Float32Array:
    for elevation, seen, heights_m in _LAST:
        if elevation is elevation_m and seen is see_through:
            return heights_m
    hiding = np.where(np.isnan(elevation_m) | see_through, np.float32(-np.inf), elevation_m)
    lowest = cv2.erode(hiding, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    found = np.asarray(lowest, np.float32)
    _LAST.appendleft((elevation_m, see_through, found))
    return found
