# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One run of another engine, played on voxels that are fixed in ``map``.

Guarantees that what is there at a time is the engine's own field, linear between its stored times and
trilinear between its points, and nothing else: no noise, no smoothing. Before its first and after its last
stored time a field stands still and says so; before ``start_s`` it is not there. Leaves out reading
(``imported.py``) and the flow's velocity, which no picture needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import map_coordinates

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire, radiance
from vidgen_nodes.generation.fields.placement import Placement, voxel_axes_m
from vidgen_nodes.generation.fields.run import FieldRun
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.plume import HazardField, open_window
from vidgen_nodes.generation.plume_model import PlumeModel
from vidgen_nodes.packets import Float32Array, FloatArray, ImportedField

# Choices of this project: what no engine and no cited formula gives; part of the record.
FLAME_KW_PER_M3 = 200.0  # Smokeview shows flame from here on (its default, from memory)
FLAME_ABSORPTION_PER_M = 1.13  # of luminous flame: furnishings (Yuen & Tien 1977), as for our own fires
_LEAST_SOOT_PER_M = 0.01  # visible extinction below which a voxel holds no smoke worth a hazard


@dataclass(frozen=True, slots=True)
class FieldState:
    """A field at one instant, for the record and the hazards."""

    time_s: float  # of the engine's clock, as shown
    clamped: str  # why it is not the time that was asked for; "" if it is
    heat_release_kw: float  # in what the gate lets be seen
    flame_low_m: tuple[float, float, float] | None  # box around flame in map; None without
    flame_high_m: tuple[float, float, float] | None
    smoke_low_m: tuple[float, float, float] | None
    smoke_high_m: tuple[float, float, float] | None


class PlayedField:
    """One run of another engine, resampled onto voxels that are fixed in ``map``.

    Args:
        source: the scenario's entry.
        run: what it names.
        ambient_k: outside of the engine's domain, and where it gives no temperature.
        resolution_m: edge of a voxel.

    Raises:
        ConfigError: engine or version unknown or contradicted, or too many voxels.
        InputError: too many values over all times.
    """

    def __init__(self, source: ImportedField, run: FieldRun, ambient_k: float, resolution_m: float) -> None:
        self.source, self.resolution_m, self.ambient_k = source, resolution_m, ambient_k
        self.engine = _agreed("engine", source.engine, run.engine, source.file)
        self.version = _agreed("version", source.version, run.version, source.file)
        self.model = PlumeModel()
        placed = Placement(run, source, resolution_m)
        self.origin_m, self.shape = placed.origin_m, placed.shape
        self._series = {
            name: (item.times_s, placed.resampled(item.values, ambient_k if name == "temperature_k" else 0.0))
            for name, item in run.series.items()
        }
        self._range_s = (
            min(float(times[0]) for times, _ in self._series.values()),
            max(float(times[-1]) for times, _ in self._series.values()),
        )
        self._table = torch.from_numpy(radiance.radiance_table())
        self.record = self._record(run)

    def axes_m(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Voxel centres in map along z, y, x."""
        return voxel_axes_m(self.origin_m, self.shape, self.resolution_m)

    def at(self, scenario_s: float, open_voxels: Float32Array) -> tuple[HazardField, FieldState] | None:
        """The field so long after the scenario's start, where the gate lets it be.

        Args:
            scenario_s: event time after scenario second 0.
            open_voxels: ``self.shape``, share of each voxel that lies in an open column.

        Returns:
            The field in the smallest box around the open voxels; None before ``start_s``, or if none is open.
        """
        asked_s = scenario_s - self.source.start_s
        window = open_window(open_voxels)
        if asked_s < 0.0 or window is None:
            return None
        time_s = min(max(asked_s, self._range_s[0]), self._range_s[1])
        clamped = ""
        if time_s != asked_s:
            which = "before the first" if asked_s < time_s else "after the last"
            clamped = f"{which} stored time: the field stands still"
        mask = torch.from_numpy(np.ascontiguousarray(open_voxels[window]))
        temperature = self._value("temperature_k", time_s, window)
        soot = self._value("soot_kg_per_m3", time_s, window)
        heat = self._value("heat_release_kw_per_m3", time_s, window)
        if temperature is None:
            temperature_k = torch.full(mask.shape, self.ambient_k)
        else:  # what the gate shuts out is air
            temperature_k = temperature.sub_(self.ambient_k).mul_(mask).add_(self.ambient_k)
        soot = torch.zeros(mask.shape) if soot is None else soot.mul_(mask)
        heat = torch.zeros(mask.shape) if heat is None else heat.mul_(mask)
        luminous = (heat / FLAME_KW_PER_M3).clamp_(max=1.0).mul_(FLAME_ABSORPTION_PER_M)
        lwir = luminous.add(soot, alpha=fire.SOOT_EXTINCTION_M2_PER_KG * fire.LWIR_EXTINCTION_RATIO)
        visible = luminous.add(soot, alpha=fire.SOOT_EXTINCTION_M2_PER_KG)
        field = self._field(window, temperature_k, lwir, visible, luminous)
        state = self._state(time_s, clamped, field, soot, heat)
        return field, state

    def along(self, time_s: float, places_m: FloatArray) -> dict[str, FloatArray]:
        """What the engine computed at places, for whoever asks about a picture.

        Args:
            time_s: of the engine's clock, within what is stored.
            places_m: (n, 3) in map.

        Returns:
            By quantity (n,), trilinear between the voxels; air at ambient temperature outside of them.
        """
        zyx = (places_m[:, ::-1] - np.array(self.origin_m[::-1])) / self.resolution_m - 0.5
        low = np.clip(np.floor(zyx.min(axis=0)), 0, np.array(self.shape) - 1).astype(int)
        high = np.clip(np.ceil(zyx.max(axis=0)), low, np.array(self.shape) - 1).astype(int) + 1
        z, y, x = (slice(int(first), int(last)) for first, last in zip(low, high, strict=True))
        found = {}
        for name in self._series:
            values = self._value(name, time_s, (z, y, x))
            assert values is not None
            outside = self.ambient_k if name == "temperature_k" else 0.0
            found[name] = map_coordinates(
                values.numpy().astype(np.float64), (zyx - low).T, order=1, mode="grid-constant", cval=outside
            )
        return found

    def _field(
        self,
        window: tuple[slice, slice, slice],
        temperature_k: torch.Tensor,
        lwir: torch.Tensor,
        visible: torch.Tensor,
        luminous: torch.Tensor,
    ) -> HazardField:
        step = self.resolution_m
        starts = [part.start for part in window[::-1]]
        x, y, z = (low + start * step for low, start in zip(self.origin_m, starts, strict=True))
        levels, rows, cols = lwir.shape
        reach_m = 0.5 * math.hypot(rows * step, cols * step)
        return HazardField(
            origin_m=(x, y, z),
            resolution_m=step,
            temperature_k=temperature_k,
            extinction_lwir_per_m=lwir,
            extinction_visible_per_m=visible,
            axis_m=(x + 0.5 * cols * step, y + 0.5 * rows * step, z),
            reach_m=(reach_m, reach_m),
            top_m=levels * step,
            emission_w_per_m3_sr=lwir * self._band_radiance(temperature_k),
            flame_absorption_per_m=luminous,
            luminous_k=self.model.luminous_soot_k,
        )

    def _state(
        self, time_s: float, clamped: str, field: HazardField, soot: torch.Tensor, heat: torch.Tensor
    ) -> FieldState:
        flame = self._box(field, heat > FLAME_KW_PER_M3 * 0.1)
        smoke = self._box(field, soot > _LEAST_SOOT_PER_M / fire.SOOT_EXTINCTION_M2_PER_KG)
        total_kw = float(heat.sum(dtype=torch.float64)) * self.resolution_m**3
        return FieldState(time_s, clamped, total_kw, *flame, *smoke)

    def _box(
        self, field: HazardField, there: torch.Tensor
    ) -> tuple[tuple[float, float, float], tuple[float, float, float]] | tuple[None, None]:
        """Lower and upper corner in map of the voxels that are there."""
        spans = [there.any(dim=first).any(dim=second) for first, second in ((0, 0), (0, 1), (1, 1))]
        if not bool(spans[0].any()):
            return None, None
        low, high = [], []
        for origin_m, span in zip(field.origin_m, spans, strict=True):
            places = np.flatnonzero(span.numpy())
            low.append(origin_m + self.resolution_m * int(places[0]))
            high.append(origin_m + self.resolution_m * (int(places[-1]) + 1))
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    def _value(self, name: str, time_s: float, window: tuple[slice, slice, slice]) -> torch.Tensor | None:
        """One quantity in the window, linear between stored times; a new tensor."""
        if name not in self._series:
            return None
        times_s, values = self._series[name]
        after = int(np.searchsorted(times_s, time_s, side="right"))
        if after in (0, len(times_s)):
            return torch.from_numpy(np.array(values[min(after, len(times_s) - 1)][window]))
        share = (time_s - times_s[after - 1]) / (times_s[after] - times_s[after - 1])
        low, high = (np.ascontiguousarray(values[index][window]) for index in (after - 1, after))
        return torch.lerp(torch.from_numpy(low), torch.from_numpy(high), float(share))

    def _band_radiance(self, temperature_k: torch.Tensor) -> torch.Tensor:
        """Band radiance by nearest table entry: within 0.25 K."""
        low_k, step_k = radiance.TABLE_LOW_K, radiance.TABLE_STEP_K
        scaled = (temperature_k - (low_k - 0.5 * step_k)) / step_k
        index = scaled.clamp_(0, len(self._table) - 1).to(torch.int32)
        return self._table.index_select(0, index.view(-1)).view(temperature_k.shape)

    def _record(self, run: FieldRun) -> Parameters:
        source = self.source
        given = "scenario"
        return {
            "engine": entry(self.engine, "", "the file, or the scenario where it does not say"),
            "version": entry(self.version, "", "the file, or the scenario where it does not say"),
            "files_sha256": {
                name: entry(digest, "SHA-256", "of the file's bytes") for name, digest in run.files
            },
            "notes": entry("; ".join(run.notes), "", "what reading the files had to correct or assume"),
            "start_s": entry(source.start_s, "s after scenario start", given),
            "translation_m": entry(source.translation_m, "m in map", given),
            "yaw_rad": entry(source.yaw_rad, "rad", given),
            "first_s": entry(self._range_s[0], "s of the engine's clock", "the files"),
            "last_s": entry(self._range_s[1], "s of the engine's clock", "the files"),
            "origin_m": entry(self.origin_m, "m in map", "lower corner of the voxels"),
            "voxels_zyx": entry(self.shape, "1", "count along z, y, x"),
            "quantities": entry(", ".join(sorted(self._series)), "", "the files"),
            "resolution_m": entry(self.resolution_m, "m", "parameter field_resolution_m"),
            "ambient_k": entry(self.ambient_k, "K", "scenario"),
            "soot_extinction": entry(fire.SOOT_EXTINCTION_M2_PER_KG, "m2/kg", "Mulholland & Croarkin 2000"),
            "lwir_extinction_ratio": entry(fire.LWIR_EXTINCTION_RATIO, "1", "small-particle limit"),
            "flame_heat": entry(FLAME_KW_PER_M3, "kW/m3", "assumed: wholly luminous from here on"),
            "flame_absorption": entry(
                FLAME_ABSORPTION_PER_M, "1/m", "assumed: furnishings, Yuen & Tien 1977"
            ),
            "luminous_soot": entry(self.model.luminous_soot_k, "K", "assumed, as for our own fires"),
        }


def _agreed(what: str, scenario: str, file: str, name: str) -> str:
    if scenario and file and scenario != file:
        raise ConfigError(f"imported {name!r}: {what}: the scenario says {scenario!r}, the file {file!r}")
    if not (scenario or file):
        raise ConfigError(
            f"imported {name!r}: the file does not say its {what}; give {what} in the scenario: what is drawn "
            "has to be attributed"
        )
    return scenario or file
