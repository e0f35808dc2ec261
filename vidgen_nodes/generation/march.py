# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Emission and absorption along rays through a hazard field.

Guarantees the radiative transfer integral of a non-scattering medium, front to back, one bilinear sample where a
ray crosses each sheet of voxels, with the crossing's share inside box and depth limit. Leaves out scattering, the
air's own absorption and what lies behind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.march_kernel import LEAST_PATH_M, limits, through_sheets
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray

_STEEP = 0.45  # slope from which a ray samples finely enough along an axis, whichever it is
_ORDER = ((0, 2, 1), (1, 2, 0), (2, 1, 0))  # sheets, rows and columns of the sheets across x, y and z


def march(
    field: HazardField,
    centre_m: FloatArray,
    directions: Float32Array,
    depth_m: Float32Array,
    band: Band = Band.LWIR,
) -> tuple[Float32Array, Float32Array]:
    """Optical depth and emitted radiance of a field in one band, as seen along rays.

    Args:
        field: the voxels.
        centre_m: (3,) in map, where the rays start.
        directions: (N, 3) unit vectors in map; NaN for a ray that is not there.
        depth_m: (N,) how far each ray goes; inf for no limit.
        band: what is looked at.

    Returns:
        Optical depth (N,) and the radiance that reaches the start (N,): in LWIR W/(m2 sr), in the visible
        relative to ``appearance.WHITE_K``.
    """
    rays = np.ascontiguousarray(directions, np.float32)
    reach, slopes = _limits(field, centre_m, rays, np.ascontiguousarray(depth_m, np.float32))
    if np.isinf(slopes[0]):  # no ray meets it: making sheets can wait
        return np.zeros(len(rays), np.float32), np.zeros(len(rays), np.float32)
    axis = _axis(slopes, field.temperature_k.shape[::-1])
    sheets, start_m = field.sheets(axis, band), np.asarray(centre_m - np.array(field.origin_m), np.float64)
    return through_sheets(sheets, field.resolution_m, start_m, rays, reach, _ORDER[axis])


def meets(field: HazardField, centre_m: FloatArray, directions: Float32Array) -> BoolArray:
    """Which rays (N, 3) pass through a field at all, were nothing in the way (N,)."""
    rays = np.ascontiguousarray(directions, np.float32)
    reach, _ = _limits(field, centre_m, rays, np.full(len(rays), np.inf, np.float32))
    found: BoolArray = reach[:, 1] - reach[:, 0] > LEAST_PATH_M
    return found


def _limits(
    field: HazardField, centre_m: FloatArray, rays: Float32Array, depth_m: Float32Array
) -> tuple[FloatArray, FloatArray]:
    """See ``march_kernel.limits``."""
    centre = np.asarray(centre_m, np.float64)
    size_m = np.array(field.temperature_k.shape[::-1]) * field.resolution_m
    reach_m = np.array(field.reach_m, np.float64)
    return limits(centre - field.origin_m, size_m, centre - field.axis_m, reach_m, field.top_m, rays, depth_m)


def _axis(slopes: FloatArray, counts: Sequence[int]) -> int:
    """The axis whose sheets are sampled: of those that all rays cross steeply, the one with the fewest sheets.

    A ray meets about as many sheets inside the box along any steep axis; along a long one most samples fall
    outside the box and are wasted.
    """
    steep = [axis for axis in range(3) if slopes[axis] >= _STEEP]
    return min(steep, key=lambda axis: counts[axis]) if steep else int(slopes.argmax())
