# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the LiDAR says of each cell of a window: height, how sure, how rough, how far off the plan.

Guarantees: the map is a pure function of the scans in the order of their stamps; a value that cannot
be had is NaN, and an unknown never raises the structural uncertainty ("unknown is not yes").

Per scan, only the returns of a cell's highest surface count (``top_surface.py``). From them come height and
variance (``elevation.py``), the entropy of a surface being there (``occupancy.py``), plane residual and surface
variation (``surface_shape.py``), the difference from the sound building with its level of detection
(``change.py``), and cells that fell silent (``holes.py``). Structural uncertainty::

    U = clamp(0.4 entropy + 0.3 residual / (3 sigma) + 0.3 |deviation| / (2 LoD95))

with every term kept as a layer; a NaN term counts as 0. A hole is a flag and raises nothing.

An edge is not damage: a cell that spans a wall says nothing of flatness, and one where the baseline steps or
ends nothing of change. Leaves out: free space along the rays (the column of a cell is all that is judged).
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    BoolArray,
    CellFlag,
    Float32Array,
    FloatArray,
    Grid,
    PointScan,
    Pose,
    SourceRef,
    UncertaintyMap,
)
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.cell_returns import CellReturns, add_near, locate, middle, prepare
from vidgen_nodes.sensing.cell_window import CellWindow
from vidgen_nodes.sensing.change import MIN_RETURNS, Baseline, Change
from vidgen_nodes.sensing.elevation import Elevation
from vidgen_nodes.sensing.holes import Holes
from vidgen_nodes.sensing.occupancy import Occupancy
from vidgen_nodes.sensing.surface_shape import MEMORY_S, Shape, SurfaceShape
from vidgen_nodes.sensing.top_surface import BAND_M, Tops, TopSurface

WALL_M: Final = 1.0
CLOCK_JUMP_NS: Final = 1_000_000_000
FRESH_NS: Final = 2_000_000_000
_POSE_SIGMA_M: Final = 0.03  # of the height of a whole scan, at least
_MAP_TAG: Final = b"vidgen/map/2\0"


class UncertaintyMapper:
    """Adds scans to a map; each scan gives a new map.

    ``baseline_refused`` says in plain words why the baseline is not used; empty when it is. ``counts`` are
    returns by what became of them: ``outside_window``, ``above_surface``.
    """

    def __init__(self, params: LidarParams, baseline: Baseline | None = None) -> None:
        """Cut the window.

        Args:
            params: window, cell size, sensor noise.
            baseline: gives the sound surface on a grid; None: no comparison.

        Raises:
            ConfigError: a baseline that is not on the grid it was asked for.
        """
        self.counts: Counter[str] = Counter()
        self._follows = params.map_follows
        self._sigma_m = params.sensor_sigma_m
        self._registration_m = params.registration_error_m
        # Scans come a little early or late: one that is nearly due counts.
        self._period_ns = round(0.75e9 / params.map_rate_hz) if params.map_rate_hz else 0
        self._window = CellWindow(params)
        shape = self.grid.shape
        self._tops, self._elevation, self._occupancy = TopSurface(shape), Elevation(shape), Occupancy(shape)
        self._shape, self._holes = SurfaceShape(shape), Holes(shape)
        self._change = Change(baseline, self.grid)
        self.reset()
        prepare()
        self._shape.describe(self.grid.resolution_m)

    @property
    def grid(self) -> Grid:
        """The cells as they lie now."""
        return self._window.grid

    @property
    def baseline_refused(self) -> str:
        """Why nothing is compared with the baseline; empty when it is."""
        return self._change.refused

    def reset(self) -> None:
        """Forget every scan, as after a clock jump."""
        before = self.grid
        self._window.reset()
        for part in (self._tops, self._elevation, self._occupancy, self._shape, self._holes):
            part.reset()
        if self.grid != before:
            self._change.cut(self.grid)
        self._stamp_ns = self._mapped_ns = 0
        self._sources: list[SourceRef] = []
        self._pose_sigma_m = 0.0
        self._view_m: FloatArray = np.full(2, np.nan)

    def take_scan(
        self, scan: PointScan, map_T_lidar: Pose, height_sigma_m: float = 0.0
    ) -> UncertaintyMap | None:
        """Enter a scan; the map if one is due (``map_rate_hz``). Arguments and errors as of :meth:`add_scan`."""
        ghost, holes = self._take(scan, map_T_lidar, height_sigma_m)
        if self._mapped_ns and scan.stamp_ns - self._mapped_ns < self._period_ns:
            return None
        return self._map(scan.stamp_ns, ghost, holes)

    def add_scan(self, scan: PointScan, map_T_lidar: Pose, height_sigma_m: float = 0.0) -> UncertaintyMap:
        """Enter a scan and make the map, due or not.

        Args:
            scan: points in the LiDAR frame, all as seen at the stamp.
            map_T_lidar: pose of the LiDAR at the stamp.
            height_sigma_m: error of the height of that pose, 1 sigma.

        Returns:
            The map as it stands after this scan, with the scan's stamp.

        Raises:
            InputError: ``duplicate`` or ``out_of_order`` stamp; one more than a second back starts anew.
        """
        return self._map(scan.stamp_ns, *self._take(scan, map_T_lidar, height_sigma_m))

    def _take(self, scan: PointScan, map_T_lidar: Pose, height_sigma_m: float) -> tuple[BoolArray, BoolArray]:
        """Enter a scan; its ghosts and the holes, by cell."""
        elapsed_s = self._check_stamp(scan.stamp_ns)
        self._sources.append(scan.source)
        decay = math.exp(-elapsed_s / MEMORY_S)
        self._follow(scan.points_m, map_T_lidar, decay)
        self._pose_sigma_m = max(height_sigma_m, self._pose_sigma_m * decay)
        returns = locate(scan.points_m, map_T_lidar, self.grid)
        tops = self._tops.add(returns, scan.stamp_ns)
        self._enter(returns, tops, scan.stamp_ns, elapsed_s, max(height_sigma_m, _POSE_SIGMA_M))
        holes = self._holes.find(
            np.bincount(returns.cell, minlength=tops.top_m.size),
            self._elevation.height_m,
            map_T_lidar.translation_m,
            self.grid,
            scan.stamp_ns,
        )
        self.counts["outside_window"] += returns.outside
        self.counts["above_surface"] += int(np.count_nonzero(tops.ghost[returns.cell]))
        return tops.ghost, holes

    def _check_stamp(self, stamp_ns: int) -> float:
        """Seconds since the scan before; 0 at the first."""
        behind_ns = self._stamp_ns - stamp_ns
        if behind_ns > CLOCK_JUMP_NS:
            self.reset()
        elif self._stamp_ns and behind_ns == 0:
            raise InputError("duplicate", f"a second scan has stamp {stamp_ns} ns; only the first is used.")
        elif behind_ns > 0:
            raise InputError(
                "out_of_order",
                f"scan is {behind_ns / 1e6:.1f} ms older than the newest; expected rising stamps.",
            )
        elapsed_s = (stamp_ns - self._stamp_ns) * 1e-9 if self._stamp_ns else 0.0
        self._stamp_ns = stamp_ns
        return elapsed_s

    def _follow(self, points_m: Float32Array, map_T_lidar: Pose, decay: float) -> None:
        """Move the window with what it follows; the view counts as it was over the last seconds."""
        if self._follows == "nothing":
            return
        if self._follows == "drone":
            shift = self._window.follow(*map_T_lidar.translation_m[:2].tolist())
        else:
            edge_m = self.grid.cols * self.grid.resolution_m
            now = np.array(middle(points_m, map_T_lidar, edge_m))
            if np.isfinite(now).all():
                kept = decay if np.isfinite(self._view_m).all() else 0.0
                self._view_m = now if not kept else kept * self._view_m + (1.0 - kept) * now
            shift = self._window.follow(*self._view_m.tolist())
        if shift is not None:
            for part in (self._tops, self._elevation, self._occupancy, self._shape, self._holes):
                part.move(shift)
            self._change.cut(self.grid)

    def _enter(
        self, returns: CellReturns, tops: Tops, stamp_ns: int, elapsed_s: float, pose_sigma_m: float
    ) -> None:
        """Hand the returns of the top surfaces to every layer."""
        # Heights below the top: float32 keeps micrometres there, wherever map has its origin.
        sums, below = add_near(returns, tops.top_m, BAND_M, WALL_M)
        sums.mean[2] += np.where(sums.count > 0, tops.top_m, 0.0)
        safe = np.maximum(sums.count, 1)
        variance_m2 = np.maximum(sums.moments[5] / safe, self._sigma_m**2) / safe + pose_sigma_m**2
        fused = self._elevation.fuse(sums.count, sums.mean[2], variance_m2, elapsed_s, stamp_ns)
        missed = fused.contradicted | ((below > 0) & (sums.count == 0))
        self._occupancy.add(fused.used, missed, tops.ghost, fused.moved)
        self._shape.add(sums, below, fused.used, fused.moved, elapsed_s)

    def _map(self, stamp_ns: int, ghost: BoolArray, holes: BoolArray) -> UncertaintyMap:
        sources, self._sources, self._mapped_ns = tuple(self._sources), [], stamp_ns
        elevation, entropy = self._elevation, self._occupancy.entropy_bit()
        shape = self._shape.describe(self.grid.resolution_m)
        deviation, lod = self._compare(shape, stamp_ns)
        terms = 0.4 * entropy + np.nan_to_num(shape.residual_m * (0.3 / (3.0 * self._sigma_m)))
        terms += np.nan_to_num(0.3 * np.abs(deviation) / (2.0 * lod))
        uncertainty = np.where(np.isnan(elevation.height_m), np.nan, np.clip(terms, 0.0, 1.0))
        cells = self.grid.shape
        layers = {
            "elevation_m": elevation.height_m,
            "variance_m2": elevation.variance_m2,
            "uncertainty": uncertainty,
            "entropy": entropy,
            "roughness_m": shape.residual_m,
            "deviation_m": deviation,
            "surface_variation": shape.variation,
            "lod95_m": lod,
        }
        floats: dict[str, Float32Array] = {
            name: layer.astype(np.float32).reshape(cells) for name, layer in layers.items()
        }
        observations = np.minimum(elevation.observations, 65535).astype(np.uint16).reshape(cells)
        observed_ns = elevation.observed_ns.copy().reshape(cells)
        flags = self._flags(shape, deviation, lod, ghost, holes).reshape(cells)
        digest = map_digest(stamp_ns, self.grid, *floats.values(), observations, observed_ns, flags)
        return UncertaintyMap(
            stamp_ns=stamp_ns,
            grid=self.grid,
            observations=observations,
            observed_ns=observed_ns,
            flags=flags,
            digest=digest,
            sources=sources,
            **floats,
        )

    def _compare(self, shape: Shape, stamp_ns: int) -> tuple[FloatArray, FloatArray]:
        """Height minus baseline and LoD95; the height of the plane at the middle of the cell where there is one."""
        elevation = self._elevation
        height_m = np.where(np.isnan(shape.middle_m), elevation.height_m, shape.middle_m)
        variance_m2 = np.where(shape.returns >= MIN_RETURNS, shape.middle_variance_m2, np.nan)
        fresh = (elevation.observed_ns > 0) & (stamp_ns - elevation.observed_ns <= FRESH_NS)
        registration_m = max(self._registration_m, self._pose_sigma_m)
        return self._change.compare(height_m, variance_m2, fresh, registration_m)

    def _flags(
        self, shape: Shape, deviation: FloatArray, lod: FloatArray, ghost: BoolArray, holes: BoolArray
    ) -> npt.NDArray[np.uint8]:
        sigma_m = self._sigma_m
        with np.errstate(invalid="ignore"):  # NaN compares false: unknown flags nothing
            disturbed = (shape.residual_m > 3.0 * sigma_m) | (
                (shape.planarity < 0.6) & (shape.residual_m > 2.0 * sigma_m)
            )
            changed = np.abs(deviation) > lod
        flags = np.zeros(ghost.size, np.uint8)
        for flag, cells in (
            (CellFlag.HOLE, holes),
            (CellFlag.DISTURBED, disturbed),
            (CellFlag.CHANGED, changed),
            (CellFlag.GHOST, ghost),
        ):
            flags[cells] |= np.uint8(flag)
        return flags


def map_digest(stamp_ns: int, grid: Grid, *layers: npt.NDArray[np.generic]) -> bytes:
    """SHA-256 of stamp, grid and layers; the same bytes as ``custody.digest.map_digest``.

    Written twice because sensing must not know custody and custody not sensing; a test holds the two together.

    Args:
        stamp_ns: stamp of the map.
        grid: its cells.
        layers: elevation, variance, uncertainty, entropy, roughness, deviation,
            surface variation, LoD95, observations, observed_ns, flags.
    """
    origin = (grid.origin_east_m + 0.0, grid.origin_north_m + 0.0, grid.resolution_m)
    digest = hashlib.sha256(_MAP_TAG + struct.pack("<qdddII", stamp_ns, *origin, grid.rows, grid.cols))
    for layer in layers:
        dtype = layer.dtype.newbyteorder("<")
        digest.update(dtype.str.encode().ljust(8, b"\0"))
        digest.update(np.ascontiguousarray(layer, dtype=dtype).data)
    return digest.digest()
