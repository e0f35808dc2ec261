# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What may be drawn where.

Guarantees: debris only over cells where the LiDAR recently confirmed structural uncertainty; flames only
on combustible paths from an ignition of the scenario, or within the stand-off of one, and none in a
building whose place in map nobody gave; nothing at all under any doubt. ``open_gate`` is a pure function
of the scene and the parameters. A cell that both rules open is one column, from the lower floor to the
higher ceiling. Leaves out: what is drawn in the columns, and occlusion.
"""

from __future__ import annotations

import hashlib
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidgen_nodes.packets import BoolArray, Float32Array, Grid, Scenario, UncertaintyMap
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.audit import audit_overlay
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.columns import Gate
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.flame import FlameRegion, flame_region
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


def open_gate(scene: Scene, params: GeneratorParams) -> Gate:
    """Decide what may be drawn in one frame; any cause in the scene closes the gate."""
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
            and item.first_ns <= scene.stamp_ns <= item.last_ns
        ):
            return item.gate
    debris, first_ns, last_ns = _debris_cells(umap, params, scene.stamp_ns)
    gate = _opened(umap, debris, scene.building, scenario, params)
    _CACHE.gates.appendleft(_Opened(umap, scene.building, scenario, params, first_ns, last_ns, gate))
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
    first_ns = int(np.max(turns_ns[turns_ns <= stamp_ns], initial=-_NEVER_NS))
    last_ns = int(np.min(turns_ns[turns_ns > stamp_ns], initial=_NEVER_NS)) - 1
    return debris, first_ns, last_ns


def _opened(
    umap: UncertaintyMap,
    debris: BoolArray,
    building: Building | None,
    scenario: Scenario,
    params: GeneratorParams,
) -> Gate:
    grid, standoff_m = umap.grid, params.flame_standoff_m
    fuel = None if building is None else building.combustible_cells(grid)
    region = _region(grid, building, scenario, standoff_m)
    reasons = list(region.refused)
    if building is None and scenario.ignitions:
        reasons.append("no_building: without a building model no surface is known to burn, so no flame")
    elif building is not None and not building.placed and scenario.ignitions:
        reasons.append(f"building_not_placed: {building.placement}; no flame")
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
    opened = int(np.count_nonzero(flame | debris))
    return Gate(grid, flame, debris, floor_m, ceiling_m, permits, tuple(reasons), content.digest(), opened)
