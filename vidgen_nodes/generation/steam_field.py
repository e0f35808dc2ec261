# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A jet of steam as voxels: the cloud of droplets that hides both bands.

Guarantees that the flux of steam through every section of the jet is what leaves the hole, and that every voxel
holds steam and air in equilibrium (``steam.py``). In still air a straight round jet with Gaussian profiles; it is drawn
until it is as slow as the air around, or holds no droplets any more: dry warm air takes them up within metres.
In wind a bent one (``wind/jet.py``), Gaussian about its line, whose flow is that of its section. Leaves out that
a jet in still air rises, walls, and eddies: this is a mean.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import steam
from vidgen_nodes.generation.flow.domain import FlowGrid, IndexArray
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.smoke_field import band_radiance
from vidgen_nodes.generation.wind.jet import BentJet
from vidgen_nodes.packets import FloatArray

AMBIENT_K = 293.15
AMBIENT_HUMIDITY = 0.5
LEAST_SPEED_MPS = 3.0  # slower, and buoyancy and wind would carry it elsewhere; the jet fades out before
_WIDER = 1.2  # profile of what is carried over that of the speed (round jets, Fischer)
_TABLE = 1025
LEAST_PER_M = 1e-3  # extinction of what is drawn: ten metres of less are 1 %
_MOST_VOXELS = 4_000_000
_FAR_RADII = 2.5  # from the line of a bent jet: 0.2 % of what is on it
_LEAST_LONG, _FINEST_M = 8, 0.02  # a short jet on coarse voxels would be none


def jet_length_m(leak: steam.SteamLeak) -> float:
    """From the hole to where the axis has slowed to ``LEAST_SPEED_MPS``."""
    source = steam.expanded(leak)
    return steam.SPEED_FACTOR * source.diameter_m * source.speed_mps / LEAST_SPEED_MPS


def axial(
    leak: steam.SteamLeak, along_m: FloatArray, ambient_k: float = AMBIENT_K
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Speed on the axis [m/s], 1/e half-width of the speed [m] and steam fraction on the axis, by distance.

    The fraction follows from the flux: m = rho u Y pi b^2 w^2 / (1 + w^2) for Gaussians whose widths are as 1
    to w. Density is that of the mixture on the axis, found by repetition.
    """
    source = steam.expanded(leak)
    along = np.maximum(np.asarray(along_m, dtype=np.float64), steam.SPEED_FACTOR * source.diameter_m)
    speed = steam.SPEED_FACTOR * source.diameter_m * source.speed_mps / along
    width = along * math.tan(steam.HALF_ANGLE_RAD) / 1.2  # the visible edge lies at 1.2 half-widths
    share = np.full_like(along, 0.1)
    shape = math.pi * width**2 * _WIDER**2 / (1.0 + _WIDER**2)
    for _ in range(30):
        density = steam.mixed(share, source.temperature_k, ambient_k).density_kg_per_m3
        share = np.clip(source.mass_flow_kg_per_s / (density * speed * shape), 0.0, 1.0)
    return np.asarray(speed), np.asarray(width), np.asarray(share)


def steam_field(
    leak: steam.SteamLeak,
    resolution_m: float,
    ambient_k: float = AMBIENT_K,
    humidity: float = AMBIENT_HUMIDITY,
) -> HazardField:
    """The voxels of a jet.

    Args:
        leak: where and what.
        resolution_m: edge of a voxel.
        ambient_k: of the air.
        humidity: of the air, relative, 0 to 1.

    Raises:
        ConfigError: more than 4 million voxels; take a coarser resolution.
    """
    grid = _box(leak, resolution_m, cloud_length_m(leak, ambient_k, humidity))
    z, y, x = grid.centres_m()
    start, way = np.array(leak.position_m), np.array(leak.direction)
    dx, dy, dz = (
        axis - foot
        for axis, foot in zip((x[None, None], y[None, :, None], z[:, None, None]), start, strict=True)
    )
    along = dx * way[0] + dy * way[1] + dz * way[2]
    away2 = np.maximum(dx**2 + dy**2 + dz**2 - along**2, 0.0)
    length = jet_length_m(leak)
    stations = np.linspace(0.0, length, 257)
    _, widths, shares = axial(leak, stations, ambient_k)
    width = np.interp(along, stations, widths)
    share = np.interp(along, stations, shares) * np.exp(-away2 / (_WIDER * width) ** 2)
    ending = np.clip((length - along) / (0.2 * length), 0.0, 1.0)
    share = np.where(along >= 0.0, share * ending, 0.0)
    return _voxels(share, grid, leak, ambient_k, humidity)


def bent_field(
    leak: steam.SteamLeak,
    jet: BentJet,
    resolution_m: float,
    ambient_k: float = AMBIENT_K,
    humidity: float = AMBIENT_HUMIDITY,
) -> HazardField:
    """The voxels of a jet in wind; arguments and errors as of :func:`steam_field`."""
    grid = _grid(*_bent_counts(jet, resolution_m), resolution_m, jet.length_m)
    z, y, x = grid.centres_m()
    places = np.stack(np.meshgrid(z, y, x, indexing="ij"), axis=-1).reshape(-1, 3)[:, ::-1]
    share = np.zeros(len(places))
    station, away = jet.axis.nearest(places)
    radius = jet.axis.at(station, jet.axis.radius_m)
    # Behind the mouth is only what the wind brings back there.
    ahead = (jet.axis.is_before(places) >= 0.0) | (station > 0.0)
    near = np.flatnonzero(ahead & (away <= _FAR_RADII * radius))
    share[near] = jet.axis.at(station[near], jet.share) * np.exp(-((away[near] / radius[near]) ** 2))
    if jet.is_cut:
        along = jet.axis.at(station[near], jet.along_m)
        share[near] *= np.clip((jet.length_m - along) / (0.2 * jet.length_m), 0.0, 1.0)
    return _voxels(share.reshape(grid.shape), grid, leak, ambient_k, humidity)


def bent_resolution_m(jet: BentJet, resolution_m: float, most_voxels: int) -> float:
    """As :func:`fitting_resolution_m`, for a jet in wind."""
    resolution_m = min(resolution_m, max(jet.length_m / _LEAST_LONG, _FINEST_M))
    while int(np.prod(_bent_counts(jet, resolution_m)[1])) > most_voxels:
        resolution_m *= 1.25
    return resolution_m


def cloud_length_m(leak: steam.SteamLeak, ambient_k: float, humidity: float) -> float:
    """From the hole to where the axis holds no droplets that can be seen, or has slowed, whichever is nearer."""
    length = jet_length_m(leak)
    stations = np.linspace(0.0, length, 257)
    _, _, shares = axial(leak, stations, ambient_k)
    mixture = steam.mixed(shares, steam.expanded(leak).temperature_k, ambient_k, humidity)
    seen = steam.droplet_extinction_per_m(mixture.liquid * mixture.density_kg_per_m3) >= LEAST_PER_M
    if not seen.any():
        return float(stations[1])
    return float(stations[min(int(np.flatnonzero(seen)[-1]) + 1, len(stations) - 1)])


def _voxels(
    share: FloatArray, grid: FlowGrid, leak: steam.SteamLeak, ambient_k: float, humidity: float
) -> HazardField:
    # Most voxels hold little steam: the table is finer there.
    known = np.linspace(0.0, 1.0, _TABLE) ** 3
    mixture = steam.mixed(known, steam.expanded(leak).temperature_k, ambient_k, humidity)
    liquid = steam.droplet_extinction_per_m(mixture.liquid * mixture.density_kg_per_m3)
    vapour = steam.VAPOUR_LWIR_M2_PER_KG * (mixture.vapour - mixture.vapour[0]) * mixture.density_kg_per_m3
    gas_k, visible, clear = (
        np.interp(share, known, values).astype(np.float32)
        for values in (mixture.temperature_k, liquid, np.maximum(vapour, 0.0))
    )
    absorbed = visible + clear
    corner_m = 0.5 * grid.cell_m * math.hypot(grid.shape[1], grid.shape[2])
    middle = [low + 0.5 * n * grid.cell_m for low, n in zip(grid.origin_m, grid.shape[::-1], strict=True)]
    return HazardField(
        origin_m=grid.origin_m,
        resolution_m=grid.cell_m,
        temperature_k=torch.from_numpy(gas_k),
        extinction_lwir_per_m=torch.from_numpy(absorbed),
        extinction_visible_per_m=torch.from_numpy(visible),
        axis_m=(middle[0], middle[1], grid.origin_m[2]),
        reach_m=(corner_m, corner_m),
        top_m=grid.shape[0] * grid.cell_m,
        emission_w_per_m3_sr=torch.from_numpy(absorbed * band_radiance(gas_k)),
        flame_absorption_per_m=torch.zeros(grid.shape),
        luminous_k=ambient_k,
        whiteness=1.0,
    )


def fitting_resolution_m(
    leak: steam.SteamLeak, resolution_m: float, ambient_k: float, most_voxels: int
) -> float:
    """A quarter coarser than asked for, again and again, until the cloud takes no more voxels than that.

    A cloud that is not ``_LEAST_LONG`` voxels long gets finer ones, down to ``_FINEST_M``.
    """
    length = cloud_length_m(leak, ambient_k, AMBIENT_HUMIDITY)
    resolution_m = min(resolution_m, max(length / _LEAST_LONG, _FINEST_M))
    while int(np.prod(_counts(leak, resolution_m, length)[1])) > most_voxels:
        resolution_m *= 1.25
    return resolution_m


def _counts(leak: steam.SteamLeak, resolution_m: float, length: float) -> tuple[FloatArray, IndexArray]:
    """Lower corner (3,) and voxels (x, y, z) of the lattice that holds so much of the jet."""
    widest = 2.0 * length * math.tan(steam.HALF_ANGLE_RAD)
    start, way = np.array(leak.position_m), np.array(leak.direction)
    ends = np.stack((start, start + length * way))
    across = widest * np.sqrt(np.maximum(1.0 - way**2, 0.0)) + resolution_m
    low, high = ends.min(axis=0) - across, ends.max(axis=0) + across
    return np.asarray(low), np.ceil((high - low) / resolution_m).astype(np.int64)


def _box(leak: steam.SteamLeak, resolution_m: float, length: float) -> FlowGrid:
    """The lattice that holds so much of the jet."""
    return _grid(*_counts(leak, resolution_m, length), resolution_m, length)


def _bent_counts(jet: BentJet, resolution_m: float) -> tuple[FloatArray, IndexArray]:
    """Lower corner (3,) and voxels (x, y, z) of the lattice that holds a jet in wind."""
    wide = 2.0 * jet.axis.radius_m[:, None] + resolution_m
    low, high = (jet.axis.points_m - wide).min(axis=0), (jet.axis.points_m + wide).max(axis=0)
    return np.asarray(low), np.ceil((high - low) / resolution_m).astype(np.int64)


def _grid(low: FloatArray, counts: IndexArray, resolution_m: float, length: float) -> FlowGrid:
    if int(counts.prod()) > _MOST_VOXELS:
        raise ConfigError(
            f"steam leak: a cloud of {length:.1f} m takes {int(counts.prod())} voxels of {resolution_m} m, expected at "
            f"most {_MOST_VOXELS}; take a coarser resolution"
        )
    nx, ny, nz = counts.tolist()
    east, north, up = low.tolist()
    return FlowGrid((east, north, up), resolution_m, (nz, ny, nx))
