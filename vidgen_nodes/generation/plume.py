# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The hazard field of one fire: temperature and extinction on voxels, at one instant.

Guarantees that the means over time follow the correlations in ``fire.py`` (flame height at 50 %
intermittency, centreline rise, soot flux), that the field is a function of the heat release and of
the time since ignition alone, and that nothing is left where the gate is closed. What happens between the
means (puffing, eddies, sway) is texture with the right frequency and speed, not a solution of the
flow equations. Wind leans the axis (``wind/lean.py``). Leaves out walls and ceilings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire, radiance
from vidgen_nodes.generation.appearance import Band, relative_luminance, relative_luminance_of
from vidgen_nodes.generation.flame_soot import FlameSoot
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.generation.turbulence import CarriedNoise, IntArray, seed_of
from vidgen_nodes.generation.wind.lean import MOST_STRETCH, Axis, Lean
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Ignition

MOST_VOXELS = 4_000_000

_LN2 = math.log(2.0)


@dataclass(frozen=True, eq=False)
class HazardField:
    """One fire's voxels; index order z (up), y (north), x (east), float32 tensors ``(nz, ny, nx)``."""

    origin_m: tuple[float, float, float]  # lower corner of voxel (0, 0, 0) in map
    resolution_m: float
    temperature_k: torch.Tensor
    extinction_lwir_per_m: torch.Tensor  # grey absorption in 8-14 um
    extinction_visible_per_m: torch.Tensor
    axis_m: tuple[float, float, float]  # foot of the plume's axis in map
    reach_m: tuple[float, float]  # nothing worth drawing is farther from the axis at its foot, at its top
    top_m: float  # of the plume above the foot
    emission_w_per_m3_sr: torch.Tensor  # LWIR extinction times band radiance of the gas
    flame_absorption_per_m: torch.Tensor  # share of the visible extinction that is luminous flame
    luminous_k: float  # temperature of its soot; the gas around is cooler on the scale of a voxel
    whiteness: float = 0.0  # of what scatters daylight: 0 soot, 1 droplets of water

    def sheets(self, axis: int, band: Band = Band.LWIR) -> Float32Array:
        """Extinction and emission on the sheets across an axis; made once for each axis and band.

        Args:
            axis: 0 for x, 1 for y, 2 for z.
            band: LWIR emission is in W/(m3 sr); visible emission is extinction times relative luminance.

        Returns:
            (sheets, rows, cols, 2): of the other two axes the earlier runs along the columns.
        """
        found = self._sheets.get((axis, band))
        if found is None:
            order = {0: (2, 0, 1), 1: (1, 0, 2), 2: (0, 1, 2)}[axis]
            if band is Band.LWIR:
                layers = (self.extinction_lwir_per_m, self.emission_w_per_m3_sr)
            else:
                glow = torch.from_numpy(relative_luminance(self.temperature_k.numpy()))
                glow.mul_(self.extinction_visible_per_m - self.flame_absorption_per_m)
                glow.add_(self.flame_absorption_per_m, alpha=relative_luminance_of(self.luminous_k))
                layers = (self.extinction_visible_per_m, glow)
            turned = [layer.permute(order).numpy() for layer in layers]
            found = np.empty((*turned[0].shape, len(turned)), dtype=np.float32)
            for channel, layer in enumerate(turned):
                found[..., channel] = layer
            self._sheets[axis, band] = found
        return found

    _sheets: dict[tuple[int, Band], Float32Array] = field(default_factory=dict, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class FireState:
    """One fire at one instant."""

    time_s: float  # since ignition
    heat_release_kw: float
    diameter_m: float  # of the burning area: grows with the heat release at constant release per area
    flame_height_m: float
    soot_absorption_per_m: float  # of luminous flame, grey
    radiated_kw: float  # by the mean flame with it


class Plume:
    """The voxel lattice of one ignition, anchored in the world, and what fills it.

    Args:
        ignition: the fire; its peak sizes the lattice, so the lattice never moves.
        seed: of the scenario.
        ambient_k: temperature of the air.
        resolution_m: edge of a voxel.
        model: numbers of the picture.
        lean: by the wind; None: upright.

    Raises:
        ConfigError: the lattice would be larger than ``MOST_VOXELS``.
    """

    def __init__(
        self,
        ignition: Ignition,
        seed: int,
        ambient_k: float,
        resolution_m: float,
        model: PlumeModel,
        lean: Lean | None = None,
    ) -> None:
        self.ignition = ignition
        self.model = model
        self._soot = FlameSoot(model)
        self.lean = lean
        self.ambient_k = ambient_k
        self.resolution_m = resolution_m
        peak = ignition.peak_kw
        self.top_m = model.field_height * fire.flame_height_m(peak, ignition.diameter_m)
        widths_m = self._half_width_m(np.array([0.0, self.top_m]), peak, ignition.diameter_m)
        foot_m, top_reach_m = (model.field_half_widths * widths_m).tolist()
        self.reach_m = (foot_m, top_reach_m)
        half = math.ceil(max(foot_m, top_reach_m) / resolution_m)
        self.shape = (math.ceil(self.top_m / resolution_m), 2 * half, 2 * half)
        low = (-half, -half)  # of the lattice, in voxels from the foot: east, north
        if lean is not None:
            low = self._leaned(lean, half)
        if math.prod(self.shape) > MOST_VOXELS:
            raise ConfigError(
                f"field_resolution_m: {resolution_m} m gives {math.prod(self.shape)} voxels for ignition "
                f"{ignition.name!r}, expected at most {MOST_VOXELS}; take a coarser resolution"
            )
        east, north, up = ignition.position_m
        self.origin_m = (east + low[0] * resolution_m, north + low[1] * resolution_m, up)
        _, north_m, east_m = self.axes_m()
        self._east_m = torch.from_numpy((east_m - east).astype(np.float32)).view(1, 1, -1)
        self._north_m = torch.from_numpy((north_m - north).astype(np.float32)).view(1, -1, 1)
        self._noise(seed)
        self._table = torch.from_numpy(radiance.radiance_table())

    def _leaned(self, lean: Lean, half: int) -> tuple[int, int]:
        """Size the lattice to hold the plume however the wind leans it on the way to its peak; its lower side."""
        peak, diameter_m = self.ignition.peak_kw, self.ignition.diameter_m
        far_m, high_m = lean.reach_m(peak, diameter_m, self.top_m)
        far_m += (MOST_STRETCH - 1.0) * max(self.reach_m)
        steps = [math.ceil(far_m * abs(part) / self.resolution_m) for part in lean.towards]
        high = math.ceil((high_m + max(self.reach_m)) / self.resolution_m)
        self.shape = (high, 2 * half + steps[1], 2 * half + steps[0])
        # How near the line a ray passes is not known beforehand: the whole box is looked at.
        corner_m = 0.5 * self.resolution_m * math.hypot(self.shape[1], self.shape[2])
        self.reach_m = (corner_m, corner_m)
        east, north = (
            -half - (step if part < 0.0 else 0) for part, step in zip(lean.towards, steps, strict=True)
        )
        return east, north

    def axis(self, state: FireState) -> Axis | None:
        """The line that the fire leans along; None: upright."""
        if self.lean is None:
            return None
        return self.lean.axis(state.heat_release_kw, state.diameter_m, self.top_m)

    def _shift(self, level_m: FloatArray) -> tuple[IntArray, IntArray]:
        """How many rows and cols eddies are downwind at each level: of the peak's line, so that none jumps."""
        assert self.lean is not None
        peak = self.lean.axis(self.ignition.peak_kw, self.ignition.diameter_m, self.top_m)
        steps = peak.offset_at(level_m) / self.resolution_m
        east, north = (np.rint(steps * part).astype(np.int64) for part in self.lean.towards)
        return north, east

    @property
    def middle_m(self) -> tuple[float, float, float]:
        """Foot of the axis that ``reach_m`` is measured from."""
        if self.lean is None:
            return self.ignition.position_m
        (east, north, up), half = self.origin_m, 0.5 * self.resolution_m
        return east + half * self.shape[2], north + half * self.shape[1], up

    def _noise(self, seed: int) -> None:
        ignition, model = self.ignition, self.model
        speed_mps = model.convection_fraction * float(
            fire.centreline_velocity_mps(0.1 * ignition.peak_kw**0.4, ignition.peak_kw)
        )
        points = model.eddy_size * ignition.diameter_m / self.resolution_m
        sigma_s = model.eddy_length * ignition.diameter_m / speed_mps
        slowest_hz = 0.5 * fire.puffing_frequency_hz(ignition.diameter_m)
        shape, ratio = (self.shape[1], self.shape[2]), model.eddy_ratio

        def noise(kind: str, lattice: tuple[int, int], across: float, along_s: float) -> CarriedNoise:
            return CarriedNoise(
                seed_of(seed, f"{ignition.name}/{kind}"), lattice, across, along_s, slowest_hz
            )

        self._small = noise("small", shape, points, sigma_s)
        self._large = noise("large", shape, points * ratio, sigma_s * ratio)
        self._sway = noise("sway", (2, 1), 0.0, sigma_s * ratio * 2.0)

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Voxel centres in map along z, y, x."""
        lower = self.origin_m[::-1]
        z_m, y_m, x_m = (
            np.asarray(start + self.resolution_m * (np.arange(count) + 0.5), dtype=np.float64)
            for start, count in zip(lower, self.shape, strict=True)
        )
        return z_m, y_m, x_m

    def state(self, time_s: float) -> FireState | None:
        """The fire so long after ignition; None while it is too small to draw."""
        ignition = self.ignition
        heat_kw = fire.heat_release_kw(time_s, ignition.growth_kw_per_s2, ignition.peak_kw)
        if heat_kw < self.model.least_heat_kw:
            return None
        # Constant release per area, as design fires grow: keeps Q* in the correlations' range.
        diameter_m = ignition.diameter_m * math.sqrt(heat_kw / ignition.peak_kw)
        tip_m = fire.flame_height_m(heat_kw, diameter_m)
        glow = self._soot.glow(ignition.radiative_fraction * heat_kw, diameter_m, tip_m)
        return FireState(time_s, heat_kw, diameter_m, tip_m, glow.absorption_per_m, glow.radiated_kw)

    def field(self, state: FireState, open_voxels: Float32Array) -> HazardField | None:
        """The field at an instant where the gate lets it be.

        Args:
            state: from ``state``.
            open_voxels: ``self.shape``, 1 inside open columns and 0 elsewhere.

        Returns:
            The smallest window of the lattice that holds every open voxel; None if none is open.
        """
        window = open_window(open_voxels)
        if window is None:
            return None
        levels, rows, cols = window
        height_m: FloatArray = self.resolution_m * (np.arange(self.shape[0], dtype=np.float64)[levels] + 0.5)
        flame, rise_k, soot = self._fill(state, height_m, rows, cols)
        mask = torch.from_numpy(np.ascontiguousarray(open_voxels[window]))
        temperature_k = (rise_k * mask).add_(self.ambient_k)
        flame.mul_(mask)
        soot.mul_(mask)
        luminous = flame * state.soot_absorption_per_m
        soot.mul_(1.0 - flame)
        lwir = fire.SOOT_EXTINCTION_M2_PER_KG * fire.LWIR_EXTINCTION_RATIO
        absorbed = luminous.add(soot, alpha=lwir)
        emitted = absorbed * self._band_radiance(temperature_k)
        visible = luminous.add(soot, alpha=fire.SOOT_EXTINCTION_M2_PER_KG)
        starts = (cols.start, rows.start, levels.start)
        x, y, z = (
            lower + start * self.resolution_m for lower, start in zip(self.origin_m, starts, strict=True)
        )
        return HazardField(
            origin_m=(x, y, z),
            resolution_m=self.resolution_m,
            temperature_k=temperature_k,
            extinction_lwir_per_m=absorbed,
            extinction_visible_per_m=visible,
            axis_m=self.middle_m,
            reach_m=self.reach_m,
            top_m=self.top_m,
            emission_w_per_m3_sr=emitted,
            flame_absorption_per_m=luminous,
            luminous_k=self.model.luminous_soot_k,
        )

    def _fill(
        self, state: FireState, height_m: FloatArray, rows: slice, cols: slice
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Flame share [0, 1], temperature rise [K] and soot density [kg/m3] on a window of the lattice."""
        model, heat_kw = self.model, state.heat_release_kw
        axis, level_m = self.axis(state), height_m
        if axis is not None:  # along its line a leaning plume is as an upright one
            height_m = axis.path_at(level_m)
        rising_s = fire.rise_time_s(height_m, heat_kw) / model.convection_fraction
        emission_s = state.time_s - rising_s
        centre_k = fire.centreline_temperature_rise_k(height_m, heat_kw, self.ambient_k)
        width_m = self._half_width_m(height_m, heat_kw, state.diameter_m)
        if axis is None:
            small, large = (noise.at(emission_s, rows, cols) for noise in (self._small, self._large))
        else:
            shift = self._shift(level_m)
            small, large = (
                noise.leaned(emission_s, rows, cols, shift) for noise in (self._small, self._large)
            )
        r2 = self._axis_distance2(emission_s, width_m, rows, cols, axis, level_m)
        eddies = small.mul_(0.7).add_(large, alpha=0.714)
        flame, mean_flame = self._flame(state, height_m, emission_s, r2, eddies)
        shape = torch.exp(r2 * _levels(-_LN2 / width_m**2))
        if axis is not None:  # upright ones are looked at no farther from their axis than that
            shape.mul_(r2 <= _levels((model.field_half_widths * width_m) ** 2))
        mean_k = shape * _levels(centre_k)
        gas_k = mean_k * (1.0 + model.gas_noise * large)
        rise_k = gas_k.addcmul_(mean_k.neg_().add_(model.flame_rise_k).clamp_(min=0.0), flame - mean_flame)
        soot = shape.mul_(_levels(self._soot_kg_per_m3(state, height_m, centre_k)))
        soot.mul_(large.mul_(model.soot_noise).add_(1.0).clamp_(min=0.0))
        return flame, rise_k.clamp_(min=0.0), soot

    def _flame(
        self,
        state: FireState,
        height_m: FloatArray,
        emission_s: FloatArray,
        r2: torch.Tensor,
        eddies: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Luminous share of each voxel now, and its mean over time.

        The surface is where ``1 - z/L - (r/w)^2 + ragged * noise`` is 0: with noise of zero mean the
        axis is luminous half of the time at z = L, as Heskestad's flame height says.
        """
        model = self.model
        omega = 2.0 * math.pi * fire.puffing_frequency_hz(self.ignition.diameter_m)
        tip_m = state.flame_height_m
        scaled = height_m / tip_m
        inverse_w2 = 1.0 / (0.5 * state.diameter_m) ** 2
        puffed = scaled / (1.0 + model.puff_height * math.sin(omega * state.time_s))
        swollen = inverse_w2 / (1.0 + model.puff_width * np.sin(omega * emission_s))
        soft = model.edge_softness
        now = _ramp(r2, -swollen / soft, (1.0 - puffed) / soft + 0.5)
        now.add_(eddies * _levels(self._soot.ragged(scaled) / soft)).clamp_(0.0, 1.0)
        # Mean of the clamped ramp under noise taken as Gaussian, puffing included: a normal integral.
        spread = math.sqrt(2.0) * self._soot.spread(scaled)
        mean = _ramp(r2, -inverse_w2 / spread, (1.0 - scaled) / spread)
        return now, mean.erf_().add_(1.0).mul_(0.5)

    def _axis_distance2(
        self,
        emission_s: FloatArray,
        width_m: FloatArray,
        rows: slice,
        cols: slice,
        axis: Axis | None,
        level_m: FloatArray,
    ) -> torch.Tensor:
        """Squared distance [m2] of the voxels from the swaying axis; along the wind shortened by its lean."""
        sway = self._sway.at(emission_s, slice(0, 2), slice(0, 1)).view(-1, 2)
        sway = sway * torch.from_numpy((self.model.sway * width_m).astype(np.float32)).view(-1, 1)
        dx = self._east_m[:, :, cols] - sway[:, 0].view(-1, 1, 1)
        dy = self._north_m[:, rows] - sway[:, 1].view(-1, 1, 1)
        if axis is None or self.lean is None:
            return dx.square_() + dy.square_()
        east, north = self.lean.towards
        off, shorter = axis.offset_at(level_m), 1.0 - axis.stretch_at(level_m) ** -2.0
        along = (dx * east).sub_(_levels(off)) + dy * north
        dx, dy = dx.sub_(_levels(off * east)), dy.sub_(_levels(off * north))
        return (dx.square_() + dy.square_()).sub_(along.square_().mul_(_levels(shorter)))

    def _half_width_m(self, height_m: FloatArray, heat_kw: float, diameter_m: float) -> FloatArray:
        """Heskestad's half width, and never less than the burner's: his formula starts above the flame."""
        centre_k = self.ambient_k + fire.centreline_temperature_rise_k(height_m, heat_kw, self.ambient_k)
        width_m = fire.half_width_m(height_m, heat_kw, diameter_m, centre_k, self.ambient_k)
        return np.asarray(np.maximum(width_m, 0.45 * diameter_m))

    def _soot_kg_per_m3(self, state: FireState, height_m: FloatArray, centre_k: FloatArray) -> FloatArray:
        """Soot density on the axis: released soot over the plume's volume flow.

        Factor 2: with Gaussians of one width for velocity and soot, the axis holds twice the
        flow-weighted mean, so that the flux through any level is the soot released.
        """
        ignition, model = self.ignition, self.model
        soot = fire.soot_release_kg_per_s(
            state.heat_release_kw, ignition.soot_yield, ignition.heat_of_combustion_kj_per_kg
        )
        scaled = height_m / state.flame_height_m
        flow = fire.entrained_mass_flow_kg_per_s(
            np.maximum(height_m, model.smoke_from * state.flame_height_m),
            state.heat_release_kw,
            state.diameter_m,
            ignition.radiative_fraction,
        )
        volume_m3_per_s = flow / fire.air_density_kg_per_m3(self.ambient_k + 0.5 * centre_k)
        released = _smoothstep((scaled - model.smoke_from) / (1.0 - model.smoke_from))
        fading = _smoothstep((self.top_m - height_m) / (0.2 * self.top_m))
        return np.asarray(2.0 * soot / volume_m3_per_s * released * fading)

    def _band_radiance(self, temperature_k: torch.Tensor) -> torch.Tensor:
        """Band radiance by nearest table entry: within 0.25 K."""
        scaled = (
            temperature_k - (radiance.TABLE_LOW_K - 0.5 * radiance.TABLE_STEP_K)
        ) / radiance.TABLE_STEP_K
        index = scaled.clamp_(0, len(self._table) - 1).to(torch.int32)
        # Several times as fast as indexing by a tensor.
        return self._table.index_select(0, index.view(-1)).view(temperature_k.shape)


def open_window(open_voxels: Float32Array) -> tuple[slice, slice, slice] | None:
    """The smallest window (levels, rows, cols) that holds every open voxel; None if none is open."""
    used: BoolArray = np.greater(open_voxels, 0.0)
    columns: BoolArray = np.any(used, axis=0)
    bounds = []
    for line in (np.any(used, axis=(1, 2)), np.any(columns, axis=1), np.any(columns, axis=0)):
        places = np.flatnonzero(line)
        if places.size == 0:
            return None
        bounds.append(slice(int(places[0]), int(places[-1]) + 1))
    return bounds[0], bounds[1], bounds[2]


def _levels(values: FloatArray) -> torch.Tensor:
    """One float32 value per level, shaped to broadcast over ``(nz, ny, nx)``."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).view(-1, 1, 1)


def _ramp(values: torch.Tensor, slope: FloatArray, offset: FloatArray) -> torch.Tensor:
    """``offset + slope * values`` with both by level; ``addcmul`` broadcasts four times as slowly."""
    return (values * _levels(slope)).add_(_levels(offset))


def _smoothstep(x: FloatArray) -> FloatArray:
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))
