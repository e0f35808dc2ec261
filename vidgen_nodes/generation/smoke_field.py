# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a state of the smoke solver looks like to a camera: voxels in the format that the renderer marches.

Guarantees the same optics as the analytic plume's (soot in both bands, luminous flame where the gas is as hot
as flames), on the solver's own lattice, and nothing where the gate is closed. Leaves out the solver
(``smoke.py``) and when it steps (``smoke_run.py``).
"""

from __future__ import annotations

import numpy as np
import torch

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation import fire, radiance
from vidgen_nodes.generation.flow.domain import FlowGrid
from vidgen_nodes.generation.plume import HazardField, open_window
from vidgen_nodes.generation.smoke import SeenAir, SmokeAir, temperature_k
from vidgen_nodes.packets import Float32Array

# Rise at which gas begins to glow as flame, and at which all of it does: flame tips are seen at about 500 K.
FLAME_FROM_K = 400.0
FLAME_FULL_K = 700.0


def smoke_field(
    state: SmokeAir,
    grid: FlowGrid,
    ambient_k: float,
    flame_absorption_per_m: float,
    luminous_k: float,
    open_voxels: Float32Array | None = None,
) -> HazardField:
    """The voxels of one state.

    Args:
        state: of a solver on ``grid``.
        grid: where it lies.
        ambient_k: of the air around.
        flame_absorption_per_m: of luminous flame, both bands.
        luminous_k: temperature of the flame's soot.
        open_voxels: (nz, ny, nx) share of each voxel that the gate opens; None: all of it.

    Raises:
        InputError: voxels of another shape than the grid's.
    """
    if open_voxels is not None and open_voxels.shape != grid.shape:
        raise InputError(
            "wrong_grid", f"smoke field: got open voxels of {open_voxels.shape}, expected {grid.shape}"
        )
    gas_k = temperature_k(state, ambient_k)
    share = (gas_k - np.float32(ambient_k + FLAME_FROM_K)) * np.float32(1.0 / (FLAME_FULL_K - FLAME_FROM_K))
    flame = np.clip(share, 0.0, 1.0)
    soot = np.maximum(state.soot_kg_per_m3, np.float32(0.0))
    if open_voxels is not None:
        flame, soot = flame * open_voxels, soot * open_voxels
        gas_k = np.float32(ambient_k) + (gas_k - np.float32(ambient_k)) * open_voxels
    luminous = flame * np.float32(flame_absorption_per_m)
    lwir = np.float32(fire.SOOT_EXTINCTION_M2_PER_KG * fire.LWIR_EXTINCTION_RATIO)
    absorbed = luminous + lwir * soot * (np.float32(1.0) - flame)
    visible = luminous + np.float32(fire.SOOT_EXTINCTION_M2_PER_KG) * soot
    return HazardField(
        origin_m=grid.origin_m,
        resolution_m=grid.cell_m,
        temperature_k=torch.from_numpy(gas_k),
        extinction_lwir_per_m=torch.from_numpy(absorbed),
        extinction_visible_per_m=torch.from_numpy(visible),
        axis_m=_middle(grid),
        reach_m=_reach(grid),
        top_m=grid.shape[0] * grid.cell_m,
        emission_w_per_m3_sr=torch.from_numpy(absorbed * band_radiance(gas_k)),
        flame_absorption_per_m=torch.from_numpy(luminous),
        luminous_k=luminous_k,
    )


def opened_field(
    state: SmokeAir,
    grid: FlowGrid,
    ambient_k: float,
    flame_absorption_per_m: float,
    luminous_k: float,
    open_voxels: Float32Array,
) -> HazardField | None:
    """As :func:`smoke_field`, of the smallest window of the lattice that holds every open voxel; None if none is open.

    Raises:
        InputError: voxels of another shape than the grid's.
    """
    if open_voxels.shape != grid.shape:
        raise InputError(
            "wrong_grid", f"smoke field: got open voxels of {open_voxels.shape}, expected {grid.shape}"
        )
    window = open_window(open_voxels)
    if window is None:
        return None
    part = SeenAir(state.steps, state.lightness_k[window], state.soot_kg_per_m3[window], state.residuals)
    levels, rows, cols = window
    east, north, up = (
        low + part.start * grid.cell_m for low, part in zip(grid.origin_m, (cols, rows, levels), strict=True)
    )
    shape = (levels.stop - levels.start, rows.stop - rows.start, cols.stop - cols.start)
    return smoke_field(
        part,
        FlowGrid((east, north, up), grid.cell_m, shape),
        ambient_k,
        flame_absorption_per_m,
        luminous_k,
        np.ascontiguousarray(open_voxels[window]),
    )


def between(before: SmokeAir, after: SmokeAir, share: float) -> SmokeAir:
    """What is seen of the air between two states: heat and soot in straight lines from one to the other.

    Everything else is that of the earlier state, or, with ``share`` 0, all of it.
    """
    if share == 0.0:
        return before
    weight = np.float32(share)
    rest = np.float32(1.0) - weight
    return SeenAir(
        before.steps,
        rest * before.lightness_k + weight * after.lightness_k,
        rest * before.soot_kg_per_m3 + weight * after.soot_kg_per_m3,
        before.residuals,
    )


def band_radiance(gas_k: Float32Array) -> Float32Array:
    """LWIR radiance of a black body, by nearest entry of the table: within 0.25 K; any shape."""
    table = radiance.radiance_table()
    place = (gas_k - np.float32(radiance.TABLE_LOW_K - 0.5 * radiance.TABLE_STEP_K)) * np.float32(
        1.0 / radiance.TABLE_STEP_K
    )
    return np.asarray(np.take(table, place.astype(np.int32), mode="clip"))


def _middle(grid: FlowGrid) -> tuple[float, float, float]:
    east, north, up = grid.origin_m
    return (
        east + 0.5 * grid.shape[2] * grid.cell_m,
        north + 0.5 * grid.shape[1] * grid.cell_m,
        up,
    )


def _reach(grid: FlowGrid) -> tuple[float, float]:
    """Smoke may be anywhere in the box: its corner, at the foot and at the top."""
    corner_m = 0.5 * grid.cell_m * float(np.hypot(grid.shape[1], grid.shape[2]))
    return corner_m, corner_m
