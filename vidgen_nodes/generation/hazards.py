# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic things of a world as robots and AR markers see them: where, how large, permitted by what.

Guarantees that a hazard's identity stays the same while the thing exists, and that each names what
opened the gate for it. Leaves out fluxes and masks: ``delivery/robot.py`` derives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidgen_nodes.generation.debris import DebrisBox
from vidgen_nodes.generation.plume import FireState, Plume
from vidgen_nodes.packets import BoolArray, FloatArray, Hazard, UncertaintyMap

if TYPE_CHECKING:
    from vidgen_nodes.scene.gate import Gate

# exp(-sigma) of the scatter that NIST reports for FDS, which no correlation beats: plume temperature
# 0.21, smoke concentration 1.27 (FDS Validation Guide 6.7.4).
FLAME_CONFIDENCE = 0.81
SMOKE_CONFIDENCE = 0.28


@dataclass(frozen=True, slots=True, eq=False)
class AreaExtent:
    """One burning surface at one instant."""

    name: str
    ignition: str  # whose fire it is
    base_m: tuple[float, float, float]  # middle of what burns in plan, its lowest piece in height
    radius_m: float
    flame_top_m: float  # in map
    top_m: float  # of the smoke that is drawn, in map
    heat_kw: float
    soots: bool
    places_m: FloatArray  # (n, 2) east and north of its burning pieces, just off the surface


def area_hazards(area: AreaExtent, gate: Gate) -> tuple[Hazard, ...]:
    """The flame and, where the fuel soots, the smoke of one burning surface."""
    assert gate.grid is not None
    grid = gate.grid
    cols = np.floor((area.places_m[:, 0] - grid.origin_east_m) / grid.resolution_m).astype(int)
    rows = np.floor((area.places_m[:, 1] - grid.origin_north_m) / grid.resolution_m).astype(int)
    cells = sorted(set(zip(rows.tolist(), cols.tolist(), strict=True)))
    permits = tuple(sorted({gate.permits[cell] for cell in cells if cell in gate.permits}))
    east, north, base_m = area.base_m
    flame = Hazard(
        identity=f"flame/{area.ignition}/{area.name}",
        kind="flame",
        position_m=area.base_m,
        radius_m=area.radius_m,
        height_m=area.flame_top_m - base_m,
        heat_release_kw=area.heat_kw,
        confidence=FLAME_CONFIDENCE,
        permitted_by=permits,
    )
    if not area.soots:
        return (flame,)
    smoke = Hazard(
        identity=f"smoke/{area.ignition}/{area.name}",
        kind="smoke",
        position_m=(east, north, area.flame_top_m),
        radius_m=area.radius_m,
        height_m=max(area.top_m - area.flame_top_m, 0.0),
        heat_release_kw=area.heat_kw,
        confidence=SMOKE_CONFIDENCE,
        permitted_by=permits,
    )
    return flame, smoke


def fire_hazards(plume: Plume, state: FireState, permits: tuple[str, ...]) -> tuple[Hazard, ...]:
    """The flame and, where the fuel soots, the smoke of one burning fire; of one that leans, all that it reaches."""
    ignition = plume.ignition
    east, north, up = ignition.position_m
    half_m, tip_m = 0.0, state.flame_height_m
    if (axis := plume.axis(state)) is not None and plume.lean is not None:
        half_m, tip_m = 0.5 * float(axis.offset_at(np.array(axis.tip_m))), axis.tip_m
        east, north = east + half_m * plume.lean.towards[0], north + half_m * plume.lean.towards[1]
    flame = Hazard(
        identity=f"flame/{ignition.name}",
        kind="flame",
        position_m=(east, north, up),
        radius_m=0.5 * state.diameter_m + half_m,
        height_m=tip_m,
        heat_release_kw=state.heat_release_kw,
        confidence=FLAME_CONFIDENCE,
        permitted_by=permits,
    )
    if ignition.soot_yield <= 0.0:
        return (flame,)
    smoke = Hazard(
        identity=f"smoke/{ignition.name}",
        kind="smoke",
        position_m=(*plume.middle_m[:2], up + tip_m),
        radius_m=plume.resolution_m * 0.5 * max(plume.shape[1:]),
        height_m=max(plume.top_m - tip_m, 0.0),
        heat_release_kw=state.heat_release_kw,
        confidence=SMOKE_CONFIDENCE,
        permitted_by=permits,
    )
    return flame, smoke


def flame_permits(plume: Plume, gate: Gate) -> tuple[str, ...]:
    """What opened the flame cells over the burner; if none of those is open, the nearest open cell."""
    east_m, north_m, _ = plume.ignition.position_m
    radius_m = max(0.5 * plume.ignition.diameter_m, plume.resolution_m)
    assert gate.grid is not None
    rows, cols = np.nonzero(gate.flame_cells)
    if rows.size == 0:
        return ()
    grid = gate.grid
    away_m = np.hypot(
        grid.origin_east_m + (cols + 0.5) * grid.resolution_m - east_m,
        grid.origin_north_m + (rows + 0.5) * grid.resolution_m - north_m,
    )
    near = away_m <= max(radius_m, float(away_m.min()))
    cells = zip(rows[near].tolist(), cols[near].tolist(), strict=True)
    return tuple(sorted({gate.permits[cell] for cell in cells if cell in gate.permits}))


def permits_under(low_m: tuple[float, float], high_m: tuple[float, float], gate: Gate) -> tuple[str, ...]:
    """What opened the flame cells under a rectangle, from its lower to its upper (east, north) corner."""
    assert gate.grid is not None
    grid, edge_m = gate.grid, gate.grid.resolution_m
    rows, cols = np.nonzero(gate.flame_cells)
    east_m, north_m = grid.origin_east_m + cols * edge_m, grid.origin_north_m + rows * edge_m
    under = (east_m < high_m[0]) & (east_m + edge_m > low_m[0])
    under &= (north_m < high_m[1]) & (north_m + edge_m > low_m[1])
    cells = zip(rows[under].tolist(), cols[under].tolist(), strict=True)
    return tuple(sorted({gate.permits[cell] for cell in cells if cell in gate.permits}))


def debris_hazards(boxes: tuple[DebrisBox, ...], gate: Gate, umap: UncertaintyMap) -> tuple[Hazard, ...]:
    """One hazard for each connected group of cells with debris; confidence is their mean uncertainty U."""
    if not boxes or gate.grid is None:
        return ()
    grid = gate.grid
    holding: BoolArray = np.zeros(grid.shape, dtype=np.bool_)
    top_m = np.full(grid.shape, -np.inf)
    for box in boxes:
        holding[box.cell] = True
        top_m[box.cell] = max(top_m[box.cell], float(box.corners_m[:, 2].max()))
    count, labels = cv2.connectedComponents(holding.astype(np.uint8), connectivity=8)
    hazards = []
    for label in range(1, count):
        rows, cols = np.nonzero(labels == label)
        east_m = grid.origin_east_m + (cols + 0.5) * grid.resolution_m
        north_m = grid.origin_north_m + (rows + 0.5) * grid.resolution_m
        centre = (float(east_m.mean()), float(north_m.mean()))
        base_m = float(umap.elevation_m[rows, cols].min())
        reach_m = np.hypot(east_m - centre[0], north_m - centre[1]).max() + grid.resolution_m * np.sqrt(0.5)
        cells = list(zip(rows.tolist(), cols.tolist(), strict=True))
        hazards.append(
            Hazard(
                identity=f"debris/{cells[0][0]}/{cells[0][1]}",
                kind="debris",
                position_m=(*centre, base_m),
                radius_m=float(reach_m),
                height_m=float(top_m[rows, cols].max()) - base_m,
                heat_release_kw=0.0,
                confidence=float(np.clip(np.nan_to_num(umap.uncertainty[rows, cols]).mean(), 0.0, 1.0)),
                permitted_by=tuple(sorted({gate.permits[cell] for cell in cells if cell in gate.permits})),
            )
        )
    return tuple(hazards)
