# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Emission and absorption along rays through a hazard field.

Guarantees the radiative transfer integral of a non-scattering medium, front to back, one sample where a
ray crosses each sheet of voxels, with the crossing's share inside box and depth limit. A sheet is sampled
bilinearly by ``cv2.remap`` (positions to 1/32 voxel), which is about ten times as fast as a trilinear
sampler of torch. Leaves out scattering, the air's own absorption and what lies behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.packets import Float32Array, FloatArray

_LEAST_SLOPE = 0.02  # of a ray across the sheets; flatter ones are not drawn
_STEEP = 0.45  # slope from which a ray samples finely enough along an axis, whichever it is
_LARGEST_SIDE = 32000  # of an image, for cv2.remap


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
    rays = np.ascontiguousarray(directions.T)  # (3, N): component by component is several times as fast
    optical_depth = np.zeros(rays.shape[1], dtype=np.float32)
    emitted = np.zeros(rays.shape[1], dtype=np.float32)
    size_m = np.array(field.temperature_k.shape[::-1], dtype=np.float32) * np.float32(field.resolution_m)
    start_m = (np.asarray(centre_m, dtype=np.float64) - np.array(field.origin_m)).astype(np.float32)
    near_m, far_m = _slab(start_m, size_m, rays)
    enter_m, leave_m = _cone(field, centre_m, rays)
    near_m, far_m = np.maximum(near_m, enter_m), np.minimum(np.minimum(far_m, leave_m), depth_m)
    hit = np.flatnonzero(far_m - near_m > 1e-3)  # false for NaN
    if hit.size == 0:
        return optical_depth, emitted
    slopes = np.array([np.abs(component[hit]).min() for component in rays])
    axis = _axis(slopes, field.temperature_k.shape[::-1])
    along = rays[axis][hit]
    for same in (hit[along > _LEAST_SLOPE], hit[along < -_LEAST_SLOPE]):
        for first in range(0, len(same), _LARGEST_SIDE):
            part = same[first : first + _LARGEST_SIDE]
            chosen = np.array([component[part] for component in rays])  # much faster than rays[:, part]
            optical_depth[part], emitted[part] = _through_sheets(
                field.sheets(axis, band), field.resolution_m, start_m, chosen, near_m[part], far_m[part], axis
            )
    return optical_depth, emitted


def _axis(slopes: Float32Array, counts: Sequence[int]) -> int:
    """The axis whose sheets are sampled: of those that all rays cross steeply, the one with the fewest sheets.

    A ray meets about as many sheets inside the box along any steep axis; along a long one most samples fall
    outside the box and are wasted.
    """
    steep = [axis for axis in range(3) if slopes[axis] >= _STEEP]
    return min(steep, key=lambda axis: counts[axis]) if steep else int(slopes.argmax())


def _through_sheets(
    sheets: Float32Array,
    resolution_m: float,
    start_m: Float32Array,
    rays: Float32Array,
    near_m: Float32Array,
    far_m: Float32Array,
    axis: int,
) -> tuple[Float32Array, Float32Array]:
    """``march`` for rays that all cross the sheets (count, rows, cols, 2) of one axis in the same sense."""
    count, rows, cols, _ = sheets.shape
    across, down = [item for item in (0, 1, 2) if item != axis]  # cols and rows: x before y before z
    order = np.arange(count) if rays[axis, 0] > 0.0 else np.arange(count)[::-1]
    scale = np.float32(1.0 / resolution_m)
    planes_m = ((order + 0.5) * resolution_m).astype(np.float32)
    per_sheet = np.float32(1.0) / rays[axis]
    along_m = (planes_m - start_m[axis])[:, None] * per_sheet  # (count, N)
    half_m = np.float32(0.5 * resolution_m) * np.abs(per_sheet)
    step_m = np.minimum(along_m + half_m, far_m)
    step_m -= np.maximum(along_m - half_m, near_m)
    np.maximum(step_m, np.float32(0.0), out=step_m)
    x = along_m * (rays[across] * scale)
    x += start_m[across] * scale - np.float32(0.5)
    y = np.multiply(along_m, rays[down] * scale, out=along_m)
    y += start_m[down] * scale - np.float32(0.5)
    # Sheets lie under each other in one image: a position may not slip into the next one.
    np.minimum(np.maximum(y, np.float32(0.0), out=y), np.float32(rows - 1), out=y)
    sampled = np.empty((*x.shape, 2), dtype=np.float32)
    together = max(_LARGEST_SIDE // rows, 1)
    for first in range(0, count, together):
        chosen = slice(first, first + together)
        lowest = int(order[chosen].min())
        atlas = sheets[lowest : lowest + len(order[chosen])].reshape(-1, cols, 2)
        y[chosen] += ((order[chosen] - lowest) * rows).astype(np.float32)[:, None]
        cv2.remap(
            atlas,
            x[chosen],
            y[chosen],
            cv2.INTER_LINEAR,
            dst=sampled[chosen],
            borderMode=cv2.BORDER_CONSTANT,
        )
    return _add_up(sampled, step_m)


def _add_up(sampled: Float32Array, step_m: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Optical depth and emitted radiance (N,) of samples (count, N, 2) with the lengths that they stand for."""
    extinction, source = (
        np.asarray(cv2.extractChannel(sampled, channel), dtype=np.float32) for channel in (0, 1)
    )
    transmitted = step_m
    transmitted *= extinction
    for nearer, farther in itertools.pairwise(transmitted):  # a cumulative sum, a row at a time
        farther += nearer
    optical_depth = transmitted[-1].copy()
    np.exp(np.negative(transmitted, out=transmitted), out=transmitted)
    # Exact for a uniform piece: source times what it adds to the opacity seen from the start.
    source /= np.maximum(extinction, np.float32(1e-9), out=extinction)
    emitted = source[0] * (np.float32(1.0) - transmitted[0])
    for row in range(1, len(source)):
        emitted += source[row] * (transmitted[row - 1] - transmitted[row])
    return optical_depth, emitted


def _slab(
    start_m: Float32Array, size_m: Float32Array, rays: Float32Array
) -> tuple[Float32Array, Float32Array]:
    """Where rays (3, N) enter and leave the box from 0 to ``size_m``; never behind the start."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = -start_m[:, None] / rays
        second = (size_m - start_m)[:, None] / rays
    near_m = np.minimum(first, second).max(axis=0)
    far_m = np.maximum(first, second).min(axis=0)
    return np.maximum(near_m, np.float32(0.0)), far_m


def _cone(field: HazardField, centre_m: FloatArray, rays: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Where rays (3, N) are within the plume's reach of its axis; most of a box's corners are empty.

    The reach is taken at the highest point that a ray has while it is near the axis, so nothing is lost.
    """
    east_m, north_m, up_m = (np.asarray(centre_m, dtype=np.float64) - np.array(field.axis_m)).tolist()
    x, y, z = rays
    level2 = np.maximum(x * x + y * y, np.float32(1e-6))
    closest_m = -(x * east_m + y * north_m) / level2
    passing2 = (east_m + closest_m * x) ** 2 + (north_m + closest_m * y) ** 2
    foot_m, top_m = field.reach_m
    widest_m = max(foot_m, top_m)
    level = np.sqrt(level2)
    height_m = up_m + closest_m * z + widest_m * np.abs(z) / level
    reach_m = foot_m + (widest_m - foot_m) * (height_m / field.top_m).clip(0.0, 1.0)
    half_m = np.sqrt(np.maximum(reach_m * reach_m - passing2, 0.0)) / level
    return (closest_m - half_m).astype(np.float32), (closest_m + half_m).astype(np.float32)
