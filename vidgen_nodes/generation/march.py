# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Emission and absorption along rays through a hazard field.

Guarantees the radiative transfer integral of a non-scattering medium, front to back, one bilinear sample where a
ray crosses each sheet of voxels, with the crossing's share inside box and depth limit. Leaves out scattering, the
air's own absorption and what lies behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.march_kernel import LEAST_PATH_M, limits, through_sheets
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray

_STEEP = 0.45  # slope from which a ray samples finely enough along an axis, whichever it is
_ORDER = ((0, 2, 1), (1, 2, 0), (2, 1, 0))  # sheets, rows and columns of the sheets across x, y and z


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """The part of each ray that lies in a field, were nothing in the way."""

    reach_m: FloatArray  # (N, 2) near and far end; far not beyond near: the ray passes by
    slopes: FloatArray  # (3,) the smallest along each axis of those that meet the field

    @property
    def met(self) -> BoolArray:
        """Which rays meet the field (N,)."""
        found: BoolArray = self.reach_m[:, 1] - self.reach_m[:, 0] > LEAST_PATH_M
        return found

    def of(self, chosen: npt.NDArray[np.int64], depth_m: Float32Array) -> Passage:
        """That of some of the rays, which go no further than ``depth_m``."""
        reach_m = np.take(self.reach_m, chosen, axis=0)  # several times as fast as indexing
        np.minimum(reach_m[:, 1], depth_m, out=reach_m[:, 1])
        return Passage(reach_m, self.slopes)


def passage(field: HazardField, centre_m: FloatArray, directions: Float32Array) -> Passage:
    """Where rays are inside a field.

    Args:
        field: the voxels.
        centre_m: (3,) in map, where the rays start.
        directions: (N, 3) unit vectors in map; NaN for a ray that is not there.
    """
    centre = np.asarray(centre_m, np.float64)
    size_m = np.array(field.temperature_k.shape[::-1]) * field.resolution_m
    reach_m = np.array(field.reach_m, np.float64)
    rays = np.ascontiguousarray(directions, np.float32)
    return Passage(
        *limits(centre - field.origin_m, size_m, centre - field.axis_m, reach_m, field.top_m, rays)
    )


def march(
    field: HazardField,
    centre_m: FloatArray,
    directions: Float32Array,
    within: Passage,
    band: Band = Band.LWIR,
) -> tuple[Float32Array, Float32Array]:
    """Optical depth and emitted radiance of a field in one band, as seen along rays.

    Args:
        field: the voxels.
        centre_m: (3,) in map, where the rays start.
        directions: (N, 3) unit vectors in map; NaN for a ray that is not there.
        within: of these rays.
        band: what is looked at.

    Returns:
        Optical depth (N,) and the radiance that reaches the start (N,): in LWIR W/(m2 sr), in the visible
        relative to ``appearance.WHITE_K``.
    """
    if np.isinf(within.slopes[0]):  # no ray meets it: making sheets can wait
        return np.zeros(len(directions), np.float32), np.zeros(len(directions), np.float32)
    axis = _axis(within.slopes, field.temperature_k.shape[::-1])
    rays = np.ascontiguousarray(directions, np.float32)
    start_m = np.asarray(centre_m, np.float64) - field.origin_m
    sheets = field.sheets(axis, band)
    return through_sheets(sheets, field.resolution_m, start_m, rays, within.reach_m, _ORDER[axis])


def _axis(slopes: FloatArray, counts: Sequence[int]) -> int:
    """The axis whose sheets are sampled: of those that all rays cross steeply, the one with the fewest sheets.

    A ray meets about as many sheets inside the box along any steep axis; along a long one most samples fall
    outside the box and are wasted.
    """
    steep = [axis for axis in range(3) if slopes[axis] >= _STEEP]
    return min(steep, key=lambda axis: counts[axis]) if steep else int(slopes.argmax())
