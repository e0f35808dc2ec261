# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Seeded noise that a flow carries upward.

A slab of smooth Gaussian noise is made once per fire; its first axis is *emission time*. A parcel at
height z at time t left the base at t - tau(z), so reading slice t - tau(z) makes every feature rise
with the flow, stretch where it accelerates, and never pop: the value is continuous in time and height.
Guarantees zero mean, unit variance and the same bytes for the same seed and shape. Leaves out any
feedback on the flow: this is texture for eddies that the correlations average out, not a solver.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import torch

from vidgen_nodes.packets import Float32Array, FloatArray

IntArray = npt.NDArray[np.int64]

SLICES = 192
SLICES_PER_SIGMA = 2.0


class CarriedNoise:
    """Noise on a horizontal lattice, periodic in emission time.

    Args:
        seed: 64-bit; the whole content follows from it and the shape.
        shape: lattice points (ny, nx).
        sigma_points: standard deviation of the smoothing kernel over the lattice.
        sigma_s: the same over emission time.
        slowest_hz: slower changes are damped, so that the puffing stays the strongest slow motion.
    """

    def __init__(
        self, seed: int, shape: tuple[int, int], sigma_points: float, sigma_s: float, slowest_hz: float
    ) -> None:
        self._slice_s = sigma_s / SLICES_PER_SIGMA
        full = (SLICES, *shape)
        white = np.random.Generator(np.random.Philox(key=seed)).standard_normal(full)
        slowest = slowest_hz * self._slice_s
        smooth = _smooth(white, (SLICES_PER_SIGMA, sigma_points, sigma_points), slowest)
        smooth -= smooth.mean()
        smooth /= max(float(smooth.std()), 1e-12)
        self._slab = torch.from_numpy(smooth.astype(np.float32))
        self._kept: tuple[tuple[int, int, int, int] | None, torch.Tensor] = (None, self._slab)

    def at(self, emission_s: FloatArray, rows: slice, cols: slice) -> torch.Tensor:
        """Noise at emission times ``(nz,)`` over a window of the lattice: float32 ``(nz, ny, nx)``."""
        position = np.mod(emission_s / self._slice_s, SLICES)
        lower = np.minimum(position.astype(np.int64), SLICES - 1)
        share = torch.from_numpy((position - lower).astype(np.float32)).view(-1, 1, 1)
        window = self._window(rows, cols)
        before = window.index_select(0, torch.from_numpy(lower))
        after = window.index_select(0, torch.from_numpy((lower + 1) % SLICES))
        return torch.lerp(before, after, share, out=before)

    def leaned(
        self, emission_s: FloatArray, rows: slice, cols: slice, shift: tuple[IntArray, IntArray]
    ) -> torch.Tensor:
        """As :meth:`at`, each level taken so many rows and cols (nz,) further back; the lattice repeats itself."""
        ny, nx = self._slab.shape[1:]
        north, east = np.arange(rows.start, rows.stop), np.arange(cols.start, cols.stop)
        of_row = (north[None, :] - shift[0][:, None]) % ny * nx
        of_col = (east[None, :] - shift[1][:, None]) % nx
        place = torch.from_numpy((of_row[:, :, None] + of_col[:, None, :]).reshape(len(emission_s), -1))
        position = np.mod(emission_s / self._slice_s, SLICES)
        lower = np.minimum(position.astype(np.int64), SLICES - 1)
        share = torch.from_numpy((position - lower).astype(np.float32)).view(-1, 1)
        slab = self._slab.view(SLICES, -1)
        before = slab.index_select(0, torch.from_numpy(lower)).gather(1, place)
        after = slab.index_select(0, torch.from_numpy((lower + 1) % SLICES)).gather(1, place)
        return torch.lerp(before, after, share, out=before).view(-1, len(north), len(east))

    def sample(self, emission_s: FloatArray, rows: IntArray, cols: IntArray) -> Float32Array:
        """Noise at emission times (n, m) over lattice points (m,); points beyond the lattice repeat it."""
        position = np.mod(emission_s / self._slice_s, SLICES)
        lower = np.minimum(position.astype(np.int64), SLICES - 1)
        share = (position - lower).astype(np.float32)
        slab = self._slab.numpy().reshape(SLICES, -1)
        place = rows % self._slab.shape[1] * self._slab.shape[2] + cols % self._slab.shape[2]
        before, after = slab[lower, place], slab[(lower + 1) % SLICES, place]
        noise: Float32Array = before + share * (after - before)
        return noise

    def _window(self, rows: slice, cols: slice) -> torch.Tensor:
        """The slab over a window of the lattice, in one piece so that a slice is one copy.

        The last one is kept: windows follow the gate, which changes with the map and not with the tick.
        """
        where = (rows.start, rows.stop, cols.start, cols.stop)
        kept_where, window = self._kept
        if kept_where != where:
            window = self._slab[:, rows, cols].contiguous()
            self._kept = (where, window)
        return window


def seed_of(scenario_seed: int, name: str) -> int:
    """A 64-bit seed for one named thing of a scenario (SHA-256, so neighbours are unrelated)."""
    return int.from_bytes(hashlib.sha256(f"{scenario_seed}\n{name}".encode()).digest()[:8], "big")


def _smooth(white: FloatArray, sigma: tuple[float, float, float], slowest: float) -> FloatArray:
    """Periodic Gaussian smoothing of a 3-D array along every axis, by its transfer function.

    Along axis 0, frequencies below ``slowest`` (cycles per slice) are damped too.
    """
    spectrum = np.fft.rfftn(white)
    for axis, width in enumerate(sigma):
        count = white.shape[axis]
        frequency = np.fft.rfftfreq(count) if axis == 2 else np.fft.fftfreq(count)
        transfer = np.exp(-2.0 * (np.pi * width * frequency) ** 2)
        if axis == 0:
            transfer *= 1.0 - np.exp(-((frequency / slowest) ** 2))
        spectrum *= transfer.reshape([-1 if i == axis else 1 for i in range(3)])
    return np.asarray(np.fft.irfftn(spectrum, s=white.shape, axes=(0, 1, 2)))
