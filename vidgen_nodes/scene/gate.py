# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What may be drawn where.

Guarantees: debris only over cells where the LiDAR recently confirmed structural uncertainty; flames only
on combustible paths from an ignition of the scenario, or within the stand-off of one, and none in a
building whose place in map nobody gave; steam only before leaks that ``scene.leak_rule`` lets be, in columns of
its own; nothing at all under any doubt. ``open_gate`` is a pure function of the scene, the parameters and the
reaches of the leaks. A cell that both fire and debris open is one column, from the lower floor to the
higher ceiling. Leaves out: what is drawn in the columns, and occlusion.
"""

from __future__ import annotations

import hashlib
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, Float32Array, Grid, Scenario, UncertaintyMap
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.audit import audit_overlay
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.columns import Gate, LeakOpening
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.flame import FlameRegion, flame_region
from vidgen_nodes.scene.leak_reach import LeakReach
from vidgen_nodes.scene.leak_rule import open_leak, turns_ns
from vidgen_nodes.scene.permits import Permits
from vidgen_nodes.scene.raster import see_boxes

__all__ = ["DEBRIS_CLEARANCE_M", "Gate", "audit_overlay", "open_gate", "pixel_mask"]

DEBRIS_CLEARANCE_M = 0.6  # room for loose debris above the surface that the LiDAR saw
_DIGEST_TAG = b"vidgen gate 1\n"
_NEVER_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A gate, what it was made from, and the frame stamps for which nothing in it changes."""

    umap: UncertaintyMap
    building: Building | None
    scenario: Scenario
    params: GeneratorParams
    leaks: tuple[LeakReach, ...]
    first_ns: int
    last_ns: int
    gate: Gate


@dataclass(frozen=True, slots=True, eq=False)
class _Cache:
    """What was worked out lately; saves time only. Entries hold for their very inputs, by identity."""

    gates: deque[_Opened] = field(default_factory=lambda: deque(maxlen=8))
    regions: deque[tuple[Grid, Building, Scenario, float, FlameRegion]] = field(
        default_factory=lambda: deque(maxlen=8)
    )


_CACHE = _Cache()


def open_gate(scene: Scene, params: GeneratorParams, leaks: tuple[LeakReach, ...] = ()) -> Gate:
    """Decide what may be drawn in one frame; any cause in the scene closes the gate.

    Args:
        scene: of the frame.
        params: of the rules.
        leaks: how far the steam of each leak could reach (``World.leaks``); one without a reach is not opened.
    """
    umap, scenario = scene.uncertainty_map, scene.scenario
    if scene.causes or umap is None or scenario is None:
        reasons = [cause.value for cause in scene.causes]
        reasons += [] if umap is not None or reasons else ["no_map"]
        reasons += [] if scenario is not None or reasons else ["no_scenario"]
        return _closed(None if umap is None else umap.grid, tuple(reasons))
    for item in _CACHE.gates:
        if (
            item.umap is umap
            and item.building is scene.building
            and item.scenario is scenario
            and (item.params is params or item.params == params)
            and (item.leaks is leaks or item.leaks == leaks)
            and item.first_ns <= scene.stamp_ns <= item.last_ns
        ):
            return item.gate
    debris, first_ns, last_ns = _debris_cells(umap, params, scene.stamp_ns)
    steam = tuple(open_leak(item, umap, scene.building, params, scene.stamp_ns) for item in leaks)
    for leak in leaks:
        first_ns, last_ns = _between(turns_ns(leak, umap, params), scene.stamp_ns, first_ns, last_ns)
    gate = _opened(umap, debris, scene.building, scenario, params, steam)
    _CACHE.gates.appendleft(_Opened(umap, scene.building, scenario, params, leaks, first_ns, last_ns, gate))
    return gate


def pixel_mask(gate: Gate, camera: Camera) -> BoolArray:
    """Pixels (H, W) whose centre ray meets an open column; drawn inwards, never a pixel too many."""
    return see_boxes(gate.boxes_m, camera)


def _debris_cells(umap: UncertaintyMap, params: GeneratorParams, stamp_ns: int) -> tuple[BoolArray, int, int]:
    """Cells that the debris rule opens, and the first and last stamp for which they stay the same."""
    fresh_ns = round(params.cell_fresh_ms * 1e6)
    confirmed = (
        (umap.uncertainty >= params.tau_uncertainty)
        & (umap.observations >= params.min_observations)
        & (umap.observed_ns > 0)
        & np.isfinite(umap.elevation_m)
    )
    seen_ns = umap.observed_ns
    debris = confirmed & (seen_ns <= stamp_ns) & (stamp_ns - seen_ns <= fresh_ns)
    turns_ns = np.concatenate((seen_ns[confirmed], seen_ns[confirmed] + fresh_ns + 1))
    return debris, *_between(turns_ns, stamp_ns, -_NEVER_NS, _NEVER_NS - 1)


def _between(turns_ns: npt.NDArray[np.int64], stamp_ns: int, first_ns: int, last_ns: int) -> tuple[int, int]:
    """First and last stamp around one between which nothing turns, within bounds."""
    first = int(np.max(turns_ns[turns_ns <= stamp_ns], initial=-_NEVER_NS))
    last = int(np.min(turns_ns[turns_ns > stamp_ns], initial=_NEVER_NS)) - 1
    return max(first, first_ns), min(last, last_ns)


def _opened(
    umap: UncertaintyMap,
    debris: BoolArray,
    building: Building | None,
    scenario: Scenario,
    params: GeneratorParams,
    steam: tuple[LeakOpening, ...],
) -> Gate:
    grid, standoff_m = umap.grid, params.flame_standoff_m
    fuel = None if building is None else building.combustible_cells(grid)
    region = _region(grid, building, scenario, standoff_m)
    reasons = list(region.refused)
    if building is None and scenario.ignitions:
        reasons.append("no_building: without a building model no surface is known to burn, so no flame")
    elif building is not None and not building.placed and scenario.ignitions:
        reasons.append(f"building_not_placed: {building.placement}; no flame")
    reasons += [item.why for item in steam if item.cause is not None]
    low_m = np.where(debris, umap.elevation_m, np.float32(np.nan))
    floor_m = np.fmin(low_m, region.floor_m)
    ceiling_m = np.fmax(low_m + np.float32(DEBRIS_CLEARANCE_M), region.ceiling_m)
    return _gate(
        grid,
        region.cells,
        debris,
        floor_m,
        ceiling_m,
        Permits(umap, debris, region, fuel, standoff_m),
        reasons,
        steam,
    )


def _region(grid: Grid, building: Building | None, scenario: Scenario, standoff_m: float) -> FlameRegion:
    """The flame region, which does not depend on what the LiDAR sees."""
    if building is None:
        closed, nan = np.zeros(grid.shape, bool), np.full(grid.shape, np.nan, np.float32)
        return FlameRegion(
            closed, closed.astype(np.int32), nan, nan, {}, (), np.zeros((0, *grid.shape), np.int32)
        )
    for known_grid, known_building, known_scenario, known_m, region in _CACHE.regions:
        if (
            known_building is building
            and known_scenario is scenario
            and (known_grid, known_m) == (grid, standoff_m)
        ):
            return region
    region = flame_region(building.combustible_cells(grid), grid, scenario.ignitions, standoff_m)
    _CACHE.regions.appendleft((grid, building, scenario, standoff_m, region))
    return region


def _closed(grid: Grid | None, reasons: tuple[str, ...]) -> Gate:
    shape = (0, 0) if grid is None else grid.shape
    closed, nan = np.zeros(shape, bool), np.full(shape, np.nan, np.float32)
    return _gate(grid, closed, closed, nan, nan, {}, reasons)


def _gate(
    grid: Grid | None,
    flame: BoolArray,
    debris: BoolArray,
    floor_m: Float32Array,
    ceiling_m: Float32Array,
    permits: Mapping[tuple[int, int], str],
    reasons: Sequence[str],
    steam: tuple[LeakOpening, ...] = (),
) -> Gate:
    content = hashlib.sha256(_DIGEST_TAG)
    if grid is not None:
        where = (grid.origin_east_m, grid.origin_north_m, grid.resolution_m, grid.rows, grid.cols)
        content.update(struct.pack("<dddqq", *where))
    for cells in (flame, debris):
        content.update(np.packbits(cells).tobytes())
    for layer in (floor_m, ceiling_m):
        content.update(layer[flame | debris].astype("<f4").tobytes())
    for array in (flame, debris, floor_m, ceiling_m):
        array.setflags(write=False)
    open_cells = flame | debris
    for item in steam:
        content.update(_decided(item))
        open_cells[item.rows, item.cols] = True
    opened = int(np.count_nonzero(open_cells))
    return Gate(
        grid, flame, debris, floor_m, ceiling_m, permits, tuple(reasons), content.digest(), opened, steam
    )


def _decided(leak: LeakOpening) -> bytes:
    """What was decided of a leak, for the digest of the gate."""
    cause = "" if leak.cause is None else leak.cause.value
    parts = [f"steam {len(leak.name)} {leak.name} {cause} {len(leak.rows)} {len(leak.share)}\n".encode()]
    parts += [array.astype("<i8").tobytes() for array in (leak.rows, leak.cols)]
    parts += [array.astype("<f4").tobytes() for array in (leak.floor_m, leak.ceiling_m, leak.share)]
    return b"".join(parts)
