# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The Poisson equation on a whole box, solved exactly in the eigenvectors of its three axes.

Guarantees the solution of the seven-point Laplacian to rounding, for every pairing of borders: cosines
(DCT-II) between closed sides, sines (DST-II) between open ones, quarter waves (DCT-IV, DST-IV) between one of
each, and the real Fourier basis on periodic axes. The transforms are matrix products: for up to some hundred
cells an axis they cost no more than fast ones, all pairings have one path, and the same numbers run on a GPU.
Leaves out obstacles: ``projection.py`` has them.
"""

from __future__ import annotations

import numpy as np

from vidgen_nodes.generation.flow.domain import CLOSED, OPEN, PERIODIC
from vidgen_nodes.packets import Float32Array, FloatArray


def axis_basis(count: int, kinds: tuple[str, str]) -> tuple[FloatArray, FloatArray]:
    """Orthonormal eigenvectors (columns) and eigenvalues of minus the second difference, cell width 1.

    Args:
        count: cells.
        kinds: of the lower and the upper side.
    """
    cell, wave = np.arange(count)[:, None] + 0.5, np.arange(count)[None, :].astype(np.float64)
    low, high = kinds
    if low == PERIODIC:
        frequency = (wave + 1.0) // 2.0
        angle = 2.0 * np.pi * frequency * cell / count
        basis = np.where(wave % 2.0 == 0.0, np.cos(angle), np.sin(angle))
        values = 2.0 - 2.0 * np.cos(2.0 * np.pi * frequency / count)
    elif low == CLOSED and high == CLOSED:
        basis, values = np.cos(np.pi * wave * cell / count), 2.0 - 2.0 * np.cos(np.pi * wave / count)
    elif low == OPEN and high == OPEN:
        basis = np.sin(np.pi * (wave + 1.0) * cell / count)
        values = 2.0 - 2.0 * np.cos(np.pi * (wave + 1.0) / count)
    else:
        turn = np.cos if low == CLOSED else np.sin
        basis = turn(np.pi * (wave + 0.5) * cell / count)
        values = 2.0 - 2.0 * np.cos(np.pi * (wave + 0.5) / count)
    return basis / np.sqrt((basis**2).sum(axis=0)), np.asarray(values[0])


class FastPoisson:
    """Solves ``minus Laplacian p = f`` on a box of unit cells.

    Args:
        shape: cells (nz, ny, nx).
        kinds: lower and upper side of each axis.
        floor: eigenvalue that stands in for the constant where nothing pins it; None: the constant is left out.
    """

    def __init__(
        self, shape: tuple[int, int, int], kinds: tuple[tuple[str, str], ...], floor: float | None = None
    ) -> None:
        pairs = [axis_basis(count, pair) for count, pair in zip(shape, kinds, strict=True)]
        z, y, x = (values for _, values in pairs)
        total = z[:, None, None] + y[None, :, None] + x[None, None, :]
        free = total < 1e-9
        stand_in = np.inf if floor is None else floor
        self.inverse: Float32Array = (1.0 / np.where(free, stand_in, total)).astype(np.float32)
        self.bases = tuple(np.ascontiguousarray(basis, dtype=np.float32) for basis, _ in pairs)
        self._turned = tuple(np.ascontiguousarray(basis.T) for basis in self.bases)

    def solve(self, right: Float32Array) -> Float32Array:
        """The solution, same shape as ``right``; of zero mean where only the mean is free."""
        nz = right.shape[0]
        z, y, x = self.bases
        z_t, y_t, x_t = self._turned
        found = np.matmul(y_t, right @ x)
        found = (z_t @ found.reshape(nz, -1)).reshape(right.shape)
        found *= self.inverse
        found = (z @ found.reshape(nz, -1)).reshape(right.shape)
        return np.asarray(np.matmul(y, found) @ x_t)
