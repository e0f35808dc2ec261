# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a run of another engine stands in ``map``, and its values on voxels there.

Guarantees trilinear values between the engine's points, air outside of its domain, and that sizes are
refused before memory is asked for. Leaves out time (``imported.py``).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.fields.run import FieldRun, check_size
from vidgen_nodes.generation.plume import MOST_VOXELS
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, ImportedField


class Placement:
    """The voxel lattice in map around one placed run.

    Args:
        run: what the engine computed.
        source: how it is placed.
        resolution_m: edge of a voxel.

    Raises:
        ConfigError: more than ``MOST_VOXELS``.
        InputError: too many values over all times.
    """

    def __init__(self, run: FieldRun, source: ImportedField, resolution_m: float) -> None:
        low_m, high_m = _bounds_m(run, source)
        counts = [max(math.ceil(edge / resolution_m - 1e-6), 1) for edge in (high_m - low_m).tolist()]
        self.shape = (counts[2], counts[1], counts[0])
        if math.prod(self.shape) > MOST_VOXELS:
            raise ConfigError(
                f"field_resolution_m: {resolution_m} m gives {math.prod(self.shape)} voxels for the imported "
                f"{source.file!r}, expected at most {MOST_VOXELS}; take a coarser resolution"
            )
        self.origin_m: tuple[float, float, float] = (float(low_m[0]), float(low_m[1]), float(low_m[2]))
        stored = sum(len(item.times_s) for item in run.series.values())
        check_size(stored * math.prod(self.shape), f"{source.file} on voxels of {resolution_m} m")
        self._resolution_m = resolution_m
        self._weights, self._inside = self._made(run, source)

    def resampled(self, values: Float32Array, outside: float) -> Float32Array:
        """Values (times, nz, ny, nx) on the voxels, from (times, z, y, x) of the run."""
        found = np.empty((len(values), *self.shape), dtype=np.float32)
        for index, moment in enumerate(values):  # one time at once: memory
            line = np.asarray(self._weights @ moment.reshape(-1), dtype=np.float32)
            line[~self._inside] = outside
            found[index] = line.reshape(self.shape)
        return found

    def _made(self, run: FieldRun, source: ImportedField) -> tuple[sparse.csr_matrix, BoolArray]:
        """Trilinear weights (voxels, points of the run), and which voxel centres lie in its domain."""
        axes_m = voxel_axes_m(self.origin_m, self.shape, self._resolution_m)
        z_m, y_m, x_m = np.meshgrid(*axes_m, indexing="ij")
        shift = np.array(source.translation_m)
        cos, sin = math.cos(source.yaw_rad), math.sin(source.yaw_rad)
        east_m, north_m = x_m.ravel() - shift[0], y_m.ravel() - shift[1]
        places_m = (cos * east_m + sin * north_m, cos * north_m - sin * east_m, z_m.ravel() - shift[2])
        inside = np.ones(east_m.shape, dtype=np.bool_)
        for axis_m, place_m in zip((run.x_m, run.y_m, run.z_m), places_m, strict=True):
            inside &= (place_m >= axis_m[0]) & (place_m <= axis_m[-1])
        voxels = np.flatnonzero(inside)
        lower, share = [], []
        for axis_m, every_m in zip((run.x_m, run.y_m, run.z_m), places_m, strict=True):
            place_m = every_m[voxels]
            index = (np.searchsorted(axis_m, place_m, side="right") - 1).clip(0, len(axis_m) - 2)
            lower.append(index)
            share.append((place_m - axis_m[index]) / (axis_m[index + 1] - axis_m[index]))
        _, ny, nx = run.shape
        points, weights = [], []
        for corner in range(8):
            bits = (corner & 1, corner >> 1 & 1, corner >> 2 & 1)
            x, y, z = (low + bit for low, bit in zip(lower, bits, strict=True))
            points.append((z * ny + y) * nx + x)
            parts = [part if bit else 1.0 - part for part, bit in zip(share, bits, strict=True)]
            weights.append(np.prod(parts, axis=0))
        content = (np.concatenate(weights).astype(np.float32), (np.tile(voxels, 8), np.concatenate(points)))
        return sparse.csr_matrix(content, shape=(len(inside), math.prod(run.shape))), inside


def voxel_axes_m(
    origin_m: tuple[float, float, float], shape: tuple[int, int, int], resolution_m: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Voxel centres along z, y, x."""
    z_m, y_m, x_m = (
        np.asarray(start + resolution_m * (np.arange(count) + 0.5), dtype=np.float64)
        for start, count in zip(origin_m[::-1], shape, strict=True)
    )
    return z_m, y_m, x_m


def _bounds_m(run: FieldRun, source: ImportedField) -> tuple[FloatArray, FloatArray]:
    """The box in map around the turned domain."""
    cos, sin = math.cos(source.yaw_rad), math.sin(source.yaw_rad)
    corners = [(x, y) for x in (run.x_m[0], run.x_m[-1]) for y in (run.y_m[0], run.y_m[-1])]
    turned = np.array([(cos * x - sin * y, sin * x + cos * y) for x, y in corners])
    shift = np.array(source.translation_m)
    low_m = np.array([*turned.min(axis=0), run.z_m[0]]) + shift
    high_m = np.array([*turned.max(axis=0), run.z_m[-1]]) + shift
    return low_m, high_m
