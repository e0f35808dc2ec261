# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled loop of ``occlusion.FlatSurfaces``: the first of a few quads along each ray.

Guarantees: double precision in one order, so the same bytes on every run; a ray that is not there meets nothing.
"""

from __future__ import annotations

import math

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import Float32Array, FloatArray

_SEAM = -2e-6  # sine of an angle: rays along the seam of two surfaces must not slip through
_GRAZING = 1e-6  # rays along the plane of a surface do not meet it
_EDGE_ON_M = 1e-6  # a surface whose plane is this near hides nothing


@compiled
def first_hits(
    corners_m: FloatArray, normals: FloatArray, centre_m: FloatArray, rays: Float32Array
) -> Float32Array:
    """Distance (N,) along unit rays (N, 3) from a point (3,) to the first quad, inf where none.

    Args:
        corners_m: (n, 4, 3) of convex quads; a triangle has one corner twice.
        normals: (n, 3) of their planes, unit.
        centre_m: where the rays start.
        rays: unit vectors.
    """
    count = len(corners_m)
    # A ray goes into a quad if it goes along all of these: normals of the planes through start and an edge.
    cones, away_m, facing = np.empty((count, 4, 3)), np.empty(count), np.empty((count, 3))
    seen = 0
    for quad in range(count):
        local = corners_m[quad] - centre_m
        middle = 0.25 * (local[0] + local[1] + local[2] + local[3])
        height_m = normals[quad, 0] * middle[0] + normals[quad, 1] * middle[1] + normals[quad, 2] * middle[2]
        if not abs(height_m) > _EDGE_ON_M:
            continue
        sense = 1.0 if height_m > 0.0 else -1.0
        for edge in range(4):
            a, b = local[edge], local[(edge + 1) % 4]
            x, y, z = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
            # The doubled corner of a triangle has no edge: its plane stays zero, and every ray passes it.
            scale = sense / max(math.sqrt(x * x + y * y + z * z), 1e-12)
            cones[seen, edge, 0], cones[seen, edge, 1], cones[seen, edge, 2] = x * scale, y * scale, z * scale
        facing[seen] = sense * normals[quad]
        away_m[seen] = abs(height_m)
        seen += 1
    found = np.empty(len(rays), np.float32)
    for index in range(len(rays)):
        x, y, z = float(rays[index, 0]), float(rays[index, 1]), float(rays[index, 2])
        nearest = math.inf
        for quad in range(seen):
            along = facing[quad, 0] * x + facing[quad, 1] * y + facing[quad, 2] * z
            if not along > _GRAZING or away_m[quad] >= nearest * along:
                continue
            inside = True
            for edge in range(4):
                plane = cones[quad, edge]
                inside = inside and plane[0] * x + plane[1] * y + plane[2] * z >= _SEAM
            if inside:
                nearest = away_m[quad] / along
        found[index] = nearest
    return found
