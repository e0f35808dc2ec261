# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the LiDAR says of each cell of a fixed window: height, how sure, how rough, how far off the plan.

Guarantees: the map is a pure function of the scans in the order of their stamps; a value that cannot
be had is NaN, and an unknown never raises the structural uncertainty ("unknown is not yes").

Per scan, only the returns of a cell's highest surface count, those within ``BAND_M`` of its top:

- elevation: Kalman fusion per cell with a Mahalanobis gate (Fankhauser et al. 2014, "Robot-centric
  elevation mapping"). The third contradiction in a row is believed: the surface has moved.
- entropy: OctoMap log-odds (Hornung et al. 2013), a hit per scan that saw the surface where it was, a
  miss per scan that contradicts it. So ghost points (smoke) raise the entropy and not the deviation.
- roughness: residual of a plane through the returns. Heights are centred per scan and cell before
  they are added up, so that the drift of the pose between scans is not taken for roughness.
- deviation: elevation minus baseline.

Structural uncertainty ``U = clamp(0.4 entropy + 0.3 roughness / (3 sigma) + 0.3 |deviation| / (2 LoD95))``
with ``LoD95 = 1.96 (sqrt(variance) + registration)`` (Lague et al. 2013); a NaN term counts as 0.

An edge is not damage. A cell whose returns also lie more than ``WALL_M`` below its top spans a wall, an
eave or a hole: it makes no statement of roughness. Where the baseline steps or ends between a cell and
its neighbours, it makes none of deviation. A baseline off by over half a metre in the median is
registered to another datum and is not used at all (``baseline_refused``); so is one of a building that has
come down by that much over most of what is seen: the two cannot be told apart.

Leaves out: motion within a scan (clouds come motion compensated), free space along the rays, and steps
lower than ``WALL_M`` within one cell (a parapet), which do count as rough.
"""

from __future__ import annotations

import hashlib
import math
import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grid, PointScan, Pose, UncertaintyMap
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.transform import rotation_matrix

BAND_M: Final = 0.5
WALL_M: Final = 1.0
CLOCK_JUMP_NS: Final = 1_000_000_000
_MEMORY_S: Final = 4.0  # time constant of the roughness and wall sums
_TOP_LOST_NS: Final = 1_000_000_000  # a top that no return confirms for so long is given up
_GATE: Final = 2.5
_MIN_VARIANCE_M2: Final = 1e-4
_POSE_VARIANCE_M2: Final = 0.03**2  # of the height of a whole scan, from the pose
_WALK_M2_PER_S: Final = 1e-3  # a surface not seen for a while may have moved
_CONTRADICTIONS: Final = 3
_REGISTRATION_M: Final = 0.03
_BASELINE_STEP_M: Final = 0.5
_BASELINE_OFFSET_M: Final = 0.5
_WALL_SHARE: Final = 0.02
_MIN_FREEDOM: Final = 6.0
_HIT, _MISS = math.log(0.7 / 0.3), math.log(0.4 / 0.6)
_LOW, _HIGH = math.log(0.12 / 0.88), math.log(0.97 / 0.03)
_MAP_TAG: Final = b"vidgen/map/1\0"

Layer = FloatArray
Counts = npt.NDArray[np.intp]


class UncertaintyMapper:
    """Adds scans to a map; each scan gives a new map.

    ``baseline_refused`` says in plain words why the baseline is not used; empty when it is.
    """

    def __init__(self, params: LidarParams, baseline_m: Float32Array | None = None) -> None:
        """Cut the window.

        Args:
            params: window, cell size, sensor noise.
            baseline_m: height of the sound surface per cell (rows, cols), m in map; NaN: unknown.

        Raises:
            ConfigError: a baseline that is not on the grid.
        """
        cells = max(1, math.ceil(params.map_size_m / params.resolution_m - 1e-9))
        half_m = 0.5 * cells * params.resolution_m
        east, north = params.map_center_m
        self.grid = Grid(east - half_m, north - half_m, params.resolution_m, cells, cells)
        self._sigma_m = params.sensor_sigma_m
        self.baseline_refused = "" if baseline_m is not None else "no baseline was given"
        self._baseline: Layer | None = None
        if baseline_m is not None:
            if baseline_m.shape != self.grid.shape:
                raise ConfigError(
                    f"baseline: got shape {baseline_m.shape}, expected {self.grid.shape} as the map"
                )
            self._baseline = _without_steps(baseline_m.astype(np.float64)).ravel()
        self.reset()

    def reset(self) -> None:
        """Forget every scan, as after a clock jump."""
        n = self.grid.rows * self.grid.cols
        self._stamp_ns = 0
        self._elevation: Layer = np.full(n, np.nan)
        self._variance: Layer = np.full(n, np.nan)
        self._odds: Layer = np.zeros(n)
        self._top: Float32Array = np.full(n, -np.inf, np.float32)
        self._top_ns = np.zeros(n, np.int64)
        self._above_in_a_row = np.zeros(n, np.int64)
        self._contradictions = np.zeros(n, np.int64)
        self._observations = np.zeros(n, np.int64)
        self._observed_ns = np.zeros(n, np.int64)
        # Decayed: returns of the surface, returns far below it, degrees of freedom, centred second moments.
        self._surface: Layer = np.zeros(n)
        self._below: Layer = np.zeros(n)
        self._freedom: Layer = np.zeros(n)
        self._moments: Layer = np.zeros((6, n))  # xx xy yy xz yz zz

    def add_scan(self, scan: PointScan, map_T_lidar: Pose) -> UncertaintyMap:
        """Enter a scan.

        Args:
            scan: points in the LiDAR frame, all as seen at the stamp.
            map_T_lidar: pose of the LiDAR at the stamp.

        Returns:
            The map as it stands after this scan, with the scan's stamp.

        Raises:
            InputError: ``duplicate`` or ``out_of_order`` stamp; one more than a second back starts anew.
        """
        elapsed_s = self._check_stamp(scan.stamp_ns)
        cell, x, y, z = self._locate(scan, map_T_lidar)
        top, ghost = self._raise_tops(cell, z, scan.stamp_ns)
        height = z - top[cell]
        n = self._top.size
        below = np.bincount(cell[height < -WALL_M], minlength=n)
        on_top = np.abs(height) <= BAND_M
        cell, x, y, height = cell[on_top], x[on_top], y[on_top], height[on_top]
        count = np.bincount(cell, minlength=n)
        moments, mean = _centred_moments(cell, x, y, height, count)
        used = self._fuse(count, moments[5], top + mean, elapsed_s, scan.stamp_ns)
        self._odds = np.clip(self._odds + np.where(ghost, _MISS, 0.0), _LOW, _HIGH)
        decay = math.exp(-elapsed_s / _MEMORY_S)
        self._surface = self._surface * decay + used * count
        self._below = self._below * decay + below
        self._moments = self._moments * decay + used * moments
        self._freedom = self._freedom * decay + used * np.maximum(count - 1, 0)
        return self._map(scan)

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

    def _locate(
        self, scan: PointScan, map_T_lidar: Pose
    ) -> tuple[Counts, Float32Array, Float32Array, Float32Array]:
        """Cell, place in the cell (0..1 east, 0..1 north) and height in map [m] of the returns in the window."""
        grid, translation = self.grid, map_T_lidar.translation_m
        # Relative to the window, where float32 is good to micrometres.
        shift = translation - (grid.origin_east_m, grid.origin_north_m, 0.0)
        rotation = rotation_matrix(map_T_lidar).astype(np.float32)
        px, py, pz = np.ascontiguousarray(scan.points_m.T)
        # Written out: a matrix product rounds differently from one processor to the next.
        east, north, z = (
            row[0] * px + row[1] * py + row[2] * pz + offset
            for row, offset in zip(rotation, shift.astype(np.float32), strict=True)
        )
        east *= np.float32(1.0 / grid.resolution_m)
        north *= np.float32(1.0 / grid.resolution_m)
        inside = (east >= 0) & (east < grid.cols) & (north >= 0) & (north < grid.rows)
        if not inside.all():
            east, north, z = east[inside], north[inside], z[inside]
        col, row = east.astype(np.int32), north.astype(np.int32)
        east -= col
        north -= row
        return (row * grid.cols + col).astype(np.intp), east, north, z

    def _raise_tops(self, cell: Counts, z: Float32Array, stamp_ns: int) -> tuple[Float32Array, BoolArray]:
        """Highest surface per cell, m, and which cells have returns above it that nothing confirms (ghosts).

        It rises with returns within the band, or when three scans in a row see something higher; it is
        given up when no return has confirmed it for a second.
        """
        scan_top = np.full(self._top.size, -np.inf, np.float32)
        np.maximum.at(scan_top, cell, z)
        seen = np.isfinite(scan_top)
        above = seen & np.isfinite(self._top) & (scan_top > self._top + BAND_M)
        self._above_in_a_row = np.where(
            seen, np.where(above, self._above_in_a_row + 1, 0), self._above_in_a_row
        )
        risen = above & (self._above_in_a_row >= _CONTRADICTIONS)
        lost = seen & (scan_top < self._top - BAND_M) & (stamp_ns - self._top_ns > _TOP_LOST_NS)
        ghost = above & ~risen
        higher = np.where(ghost, self._top, np.maximum(self._top, scan_top))
        self._top = np.where(lost | risen, scan_top, higher)
        confirmed = seen & (scan_top >= self._top - BAND_M)
        self._top_ns[confirmed] = stamp_ns
        return self._top, ghost

    def _fuse(
        self, count: Counts, spread: Layer, measured: Layer, elapsed_s: float, stamp_ns: int
    ) -> BoolArray:
        """Fankhauser's update with its gate; returns the cells that took the scan.

        A gated cell keeps no trace of it but the contradiction.
        """
        seen = count > 0
        safe = np.maximum(count, 1)
        variance = np.maximum(spread / safe, self._sigma_m**2) / safe + _POSE_VARIANCE_M2
        prior = self._variance + _WALK_M2_PER_S * elapsed_s
        fresh = seen & np.isnan(self._elevation)
        with np.errstate(invalid="ignore"):
            off = seen & ((measured - self._elevation) ** 2 > _GATE**2 * (prior + variance))
        self._contradictions = np.where(
            seen, np.where(off, self._contradictions + 1, 0), self._contradictions
        )
        moved = self._contradictions >= _CONTRADICTIONS
        start = fresh | moved
        keep = seen & ~off & ~fresh
        gain = prior / (prior + variance)
        self._elevation = np.where(
            start,
            measured,
            np.where(keep, self._elevation + gain * (measured - self._elevation), self._elevation),
        )
        fused = np.maximum(gain * variance, _MIN_VARIANCE_M2)
        self._variance = np.where(start, np.maximum(variance, _MIN_VARIANCE_M2), np.where(keep, fused, prior))
        self._odds = np.clip(
            self._odds + np.where(start | keep, _HIT, np.where(off, _MISS, 0.0)), _LOW, _HIGH
        )
        self._odds[moved] = _HIT
        self._contradictions[moved] = 0
        self._observations = np.where(moved, 0, self._observations) + np.where(start | keep, count, 0)
        self._observed_ns[start | keep] = stamp_ns
        for layer in (self._surface, self._below, self._freedom, *self._moments):
            layer[moved] = 0.0
        return np.asarray(start | keep)

    def _roughness(self) -> Layer:
        """1 sigma of the plane residual per cell, m; NaN for too few returns or a cell that spans a wall."""
        xx, xy, yy, xz, yz, zz = self._moments
        ridge = (
            1e-3 * (xx + yy) + 1e-12
        )  # returns on one line leave the slope across it open: take the flattest
        xx, yy = xx + ridge, yy + ridge
        determinant = xx * yy - xy * xy
        slope_x, slope_y = (xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant
        residual = np.maximum(zz - slope_x * xz - slope_y * yz, 0.0)
        freedom = self._freedom - 2.0
        with np.errstate(divide="ignore", invalid="ignore"):
            roughness = np.sqrt(residual / freedom)
        spans_wall = self._below > _WALL_SHARE * self._surface
        roughness[(freedom < _MIN_FREEDOM) | spans_wall] = np.nan
        return np.asarray(roughness, dtype=np.float64)

    def _deviation(self) -> Layer:
        if self._baseline is None:
            return np.full(self._elevation.size, np.nan)
        deviation = self._elevation - self._baseline
        known = deviation[np.isfinite(deviation)]
        offset_m = float(np.median(known)) if known.size else 0.0
        if abs(offset_m) > _BASELINE_OFFSET_M:
            self.baseline_refused = (
                f"the building lies {offset_m:+.2f} m off what the LiDAR sees; check the datum's height "
                "and the building's origin"
            )
            return np.full(self._elevation.size, np.nan)
        self.baseline_refused = ""
        return deviation

    def _map(self, scan: PointScan) -> UncertaintyMap:
        probability = 1.0 / (1.0 + np.exp(-self._odds))
        entropy = -(probability * np.log2(probability) + (1 - probability) * np.log2(1 - probability))
        roughness, deviation = self._roughness(), self._deviation()
        lod = 1.96 * (np.sqrt(self._variance) + _REGISTRATION_M)
        terms = 0.4 * entropy + np.nan_to_num(roughness * (0.3 / (3.0 * self._sigma_m)))
        terms += np.nan_to_num(0.3 * np.abs(deviation) / (2.0 * lod))
        uncertainty = np.where(np.isnan(self._elevation), np.nan, np.clip(terms, 0.0, 1.0))
        shape = self.grid.shape
        elevation, variance = self._elevation, self._variance
        floats: list[Float32Array] = [
            layer.astype(np.float32).reshape(shape)
            for layer in (elevation, variance, uncertainty, entropy, roughness, deviation)
        ]
        observations = np.minimum(self._observations, 65535).astype(np.uint16).reshape(shape)
        observed_ns = self._observed_ns.copy().reshape(shape)
        digest = map_digest(scan.stamp_ns, self.grid, *floats, observations, observed_ns)
        return UncertaintyMap(
            stamp_ns=scan.stamp_ns,
            grid=self.grid,
            elevation_m=floats[0],
            variance_m2=floats[1],
            uncertainty=floats[2],
            entropy=floats[3],
            roughness_m=floats[4],
            deviation_m=floats[5],
            observations=observations,
            observed_ns=observed_ns,
            digest=digest,
            sources=(scan.source,),
        )


def map_digest(stamp_ns: int, grid: Grid, *layers: npt.NDArray[np.generic]) -> bytes:
    """SHA-256 of stamp, grid and layers; the same bytes as ``custody.digest.map_digest``.

    Written twice because sensing must not know custody and custody not sensing; a test holds the two together.

    Args:
        stamp_ns: stamp of the map.
        grid: its cells.
        layers: elevation, variance, uncertainty, entropy, roughness, deviation, observations, observed_ns.
    """
    origin = (grid.origin_east_m + 0.0, grid.origin_north_m + 0.0, grid.resolution_m)
    digest = hashlib.sha256(_MAP_TAG + struct.pack("<qdddII", stamp_ns, *origin, grid.rows, grid.cols))
    for layer in layers:
        dtype = layer.dtype.newbyteorder("<")
        digest.update(dtype.str.encode().ljust(8, b"\0"))
        digest.update(np.ascontiguousarray(layer, dtype=dtype).data)
    return digest.digest()


def _centred_moments(
    cell: Counts, x: Float32Array, y: Float32Array, height: Float32Array, count: Counts
) -> tuple[Layer, Layer]:
    """Second moments (6, n) about the mean of this scan in each cell, and the mean height (n,)."""
    n = count.size
    safe = np.maximum(count, 1)
    sums = [np.bincount(cell, weights=values, minlength=n) for values in (x, y, height)]
    sx, sy, sz = sums
    moments = np.empty((6, n))
    pairs = ((x, x, sx, sx), (x, y, sx, sy), (y, y, sy, sy), (x, height, sx, sz), (y, height, sy, sz))
    for row, (a, b, sa, sb) in enumerate((*pairs, (height, height, sz, sz))):
        moments[row] = np.bincount(cell, weights=a * b, minlength=n) - sa * sb / safe
    return moments, sz / safe


def _without_steps(baseline_m: Layer) -> Layer:
    """The baseline with NaN where it steps, or ends, between a cell and one of its eight neighbours."""
    padded = np.pad(baseline_m, 1, mode="edge")
    rows, cols = baseline_m.shape
    windows = np.stack([padded[r : r + rows, c : c + cols] for r in range(3) for c in range(3)])
    steps: BoolArray = ~(windows.max(axis=0) - windows.min(axis=0) <= _BASELINE_STEP_M)  # NaN compares false
    return np.where(steps, np.nan, baseline_m)
