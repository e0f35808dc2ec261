# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The building: planar surfaces in ``map``, and what is known of their materials.

Guarantees: a surface burns only if the file says so in so many words; missing or null means unknown, and
unknown is never combustible. A loaded surface is a finite, planar, convex quad, and the digest depends on
the content alone, not on layout or order of the file. Leaves out: IFC, curved surfaces, openings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grid
from vidgen_nodes.scene.footprint import cells_under

KINDS = ("wall", "roof", "floor", "covering")
_SURFACE_KEYS = frozenset(("name", "kind", "material", "combustible", "corners_m"))
_PLANAR_M = 0.05  # corners further off their common plane are refused
_MIN_AREA_M2 = 1e-4
_FAR_M = 1e5  # map is local; farther corners are a mistake in frame or unit
_SEAM = np.float32(-2e-6)  # sine of an angle: rays along the seam of two surfaces must not slip through
_GRAZING = np.float32(1e-6)  # rays along the plane of a surface do not meet it
_EDGE_ON_M = 1e-6  # a surface whose plane is this near hides nothing
_GRIDS_KEPT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """One planar quad of the building."""

    name: str
    material: str
    kind: str  # wall | roof | floor | covering
    corners_m: FloatArray  # (4, 3) in map, in order around the quad
    combustible: bool | None  # None: unknown, which never counts as yes


@dataclass(frozen=True, slots=True, eq=False)
class CellFuel:
    """What of the building passes through each plan cell. All layers are (rows, cols)."""

    combustible: BoolArray  # a surface known to burn
    noncombustible: BoolArray  # a surface known not to burn
    unknown: BoolArray  # a surface of unknown material
    lowest_m: Float32Array  # of the combustible surfaces in the cell; NaN where there is none
    highest_m: Float32Array
    names: Mapping[tuple[int, int], tuple[str, ...]]  # combustible surfaces by (row, col)


@dataclass(frozen=True, eq=False)
class Building:
    """The surfaces of one building; ``digest`` is SHA-256 over their canonical content."""

    name: str
    surfaces: tuple[Surface, ...]
    digest: bytes = b""
    _fuel: dict[Grid, CellFuel] = field(default_factory=dict, init=False, repr=False)
    _last_view: dict[bytes, tuple[Float32Array, Float32Array]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", _digest(self.name, self.surfaces))

    def combustible_cells(self, grid: Grid) -> CellFuel:
        """What passes through each cell of ``grid``; worked out once per grid."""
        fuel = self._fuel.get(grid)
        if fuel is None:
            while len(self._fuel) >= _GRIDS_KEPT:
                self._fuel.pop(next(iter(self._fuel)))
            fuel = self._fuel[grid] = _cell_fuel(self.surfaces, grid)
        return fuel

    def roof_height(self, grid: Grid) -> Float32Array:
        """Highest roof or floor (rows, cols) over the cell centres, in metres; NaN where there is none."""
        east = grid.origin_east_m + (np.arange(grid.cols) + 0.5) * grid.resolution_m
        north = grid.origin_north_m + (np.arange(grid.rows) + 0.5) * grid.resolution_m
        x, y = np.meshgrid(east, north)
        height_m = np.full(grid.shape, -np.inf)
        for surface in self.surfaces:
            normal = _area_vector_m2(surface.corners_m)
            if surface.kind not in ("roof", "floor") or abs(normal[2]) < _MIN_AREA_M2:
                continue
            inside = np.ones(grid.shape, bool)
            for a, b in zip(surface.corners_m, np.roll(surface.corners_m, -1, axis=0), strict=True):
                side = (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
                inside &= side * np.sign(normal[2]) >= 0.0
            centre = surface.corners_m.mean(axis=0)
            z = centre[2] - (normal[0] * (x - centre[0]) + normal[1] * (y - centre[1])) / normal[2]
            np.maximum(height_m, z, out=height_m, where=inside)
        return np.where(np.isfinite(height_m), height_m, np.nan).astype(np.float32)

    def occlusion_depth(self, centre: FloatArray, directions: Float32Array) -> Float32Array:
        """Distance along each ray to the first surface.

        Args:
            centre: (3,) in map, where the rays start.
            directions: (..., 3) unit vectors in map.

        Returns:
            (...) metres, inf where the ray meets no surface.
        """
        rays = np.ascontiguousarray(directions.reshape(-1, 3).T, np.float32)  # (3, N)
        planes, distances_m = self._view_cones(np.asarray(centre, np.float64))
        sides = planes @ rays  # (5, n, N)
        inside = np.minimum(sides[0], sides[1])
        for side in (sides[2], sides[3]):
            np.minimum(inside, side, out=inside)
        along = sides[4]
        # Where the ray misses, the distance stays infinite.
        met_m = np.full(along.shape, np.inf, np.float32)
        np.divide(distances_m[:, None], along, out=met_m, where=(inside >= _SEAM) & (along > _GRAZING))
        nearest: Float32Array = np.min(met_m, axis=0, initial=np.float32(np.inf))
        return nearest.reshape(directions.shape[:-1])

    @cached_property
    def _corners_m(self) -> tuple[FloatArray, FloatArray]:
        """Corners (n, 4, 3) and unit normals (n, 3) of all surfaces."""
        corners = np.array([surface.corners_m for surface in self.surfaces], np.float64).reshape(-1, 4, 3)
        normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        return corners, normals / np.linalg.norm(normals, axis=1, keepdims=True)

    def _view_cones(self, centre_m: FloatArray) -> tuple[Float32Array, Float32Array]:
        """The surfaces as seen from a point.

        Returns:
            For each surface that is not seen edge on, unit normals (5, n, 3) that a ray into it goes along:
            four planes through the point and an edge, then the surface itself; and its distance (n,).
            Kept for the last point: one frame asks for fire and debris from the same one.
        """
        last = self._last_view.get(centre_m.tobytes())
        if last is not None:
            return last
        corners, normals = self._corners_m
        local = corners - centre_m
        distances_m = np.einsum("ni,ni->n", normals, local.mean(axis=1))
        seen = np.abs(distances_m) > _EDGE_ON_M
        local, distances_m = local[seen], distances_m[seen]
        edges = np.cross(local, local[:, (1, 2, 3, 0)])
        planes = np.concatenate((edges, normals[seen][:, None]), axis=1) * np.sign(distances_m)[:, None, None]
        planes /= np.maximum(np.sqrt(np.einsum("nki,nki->nk", planes, planes)), 1e-12)[..., None]
        by_edge = np.ascontiguousarray(planes.transpose(1, 0, 2), np.float32)
        cones = by_edge, np.abs(distances_m).astype(np.float32)
        self._last_view.clear()
        self._last_view[centre_m.tobytes()] = cones
        return cones


def load_building(path: Path) -> Building:
    """Read a building file.

    Raises:
        ConfigError: unreadable, wrong shape, unknown kind or frame, bad or doubled surface.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
    if not isinstance(content, dict) or not isinstance(content.get("surfaces"), list):
        raise ConfigError(f"{path}: expected a mapping with name, frame and a list of surfaces")
    extra = sorted(str(key) for key in set(content) - {"name", "frame", "surfaces"})
    if extra:
        raise ConfigError(f"{path}: unknown key {extra[0]!r}; known: name, frame, surfaces")
    if content.get("frame") != "map":
        raise ConfigError(f"{path}: frame: got {content.get('frame')!r}, expected map (ENU about the datum)")
    name = content.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{path}: name: got {name!r}, expected a text")
    surfaces = tuple(_read_surface(path, index, item) for index, item in enumerate(content["surfaces"]))
    names = [surface.name for surface in surfaces]
    for item in names:
        if names.count(item) > 1:
            raise ConfigError(
                f"{path}: surface {item!r} is there {names.count(item)} times; names must differ"
            )
    return Building(name, tuple(sorted(surfaces, key=lambda surface: surface.name)))


def _read_surface(path: Path, index: int, item: Any) -> Surface:
    where = f"{path}: surfaces[{index}]"
    if not isinstance(item, dict):
        raise ConfigError(f"{where}: got {type(item).__name__}, expected a mapping")
    extra = sorted(str(key) for key in set(item) - _SURFACE_KEYS)
    if extra:
        raise ConfigError(f"{where}: unknown key {extra[0]!r}; known: {', '.join(sorted(_SURFACE_KEYS))}")
    name, material, kind = (item.get(key) for key in ("name", "material", "kind"))
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{where}: name: got {name!r}, expected a text")
    where = f"{where} ({name})"
    if not isinstance(material, str) or not material:
        raise ConfigError(f"{where}: material: got {material!r}, expected a text (or 'unknown')")
    if kind not in KINDS:
        raise ConfigError(f"{where}: kind: got {kind!r}, expected one of {', '.join(KINDS)}")
    combustible = item.get("combustible")
    if combustible is not None and not isinstance(combustible, bool):
        raise ConfigError(f"{where}: combustible: got {combustible!r}, expected true, false or null")
    if material == "unknown" and combustible:
        raise ConfigError(f"{where}: material unknown contradicts combustible: true; name the material")
    return Surface(name, material, kind, _read_corners(where, item.get("corners_m")), combustible)


def _read_corners(where: str, value: Any) -> FloatArray:
    try:
        numbers = [[_number(entry) for entry in corner] for corner in value]
        corners = np.array(numbers, np.float64)
    except (TypeError, ValueError, OverflowError) as err:
        raise ConfigError(f"{where}: corners_m: expected four [x, y, z] in metres: {err}") from err
    if corners.shape != (4, 3):
        raise ConfigError(f"{where}: corners_m: got shape {corners.shape}, expected (4, 3)")
    if not np.abs(corners).max() <= _FAR_M:
        raise ConfigError(f"{where}: corners_m: got {value}, expected finite numbers of at most {_FAR_M:g} m")
    area = _area_vector_m2(corners)
    if np.linalg.norm(area) < _MIN_AREA_M2:
        raise ConfigError(f"{where}: corners_m: the quad has no area; list its corners in order around it")
    normal = area / np.linalg.norm(area)
    off_m = float(np.abs((corners - corners.mean(axis=0)) @ normal).max())
    if off_m > _PLANAR_M:
        raise ConfigError(
            f"{where}: corners_m: {off_m:.3f} m off their plane, expected at most {_PLANAR_M} m; split it"
        )
    edges = np.roll(corners, -1, axis=0) - corners
    if (np.cross(edges, np.roll(edges, -1, axis=0)) @ normal).min() <= 0.0:
        raise ConfigError(f"{where}: corners_m: not convex; list the corners in order around it, or split it")
    corners.setflags(write=False)
    return corners


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"got {value!r}, expected a number")
    return float(value)


def _area_vector_m2(corners_m: FloatArray) -> FloatArray:
    """Normal of the quad, as long as its area (Newell)."""
    area: FloatArray = 0.5 * np.cross(corners_m[2] - corners_m[0], corners_m[3] - corners_m[1])
    return area


def _cell_fuel(surfaces: tuple[Surface, ...], grid: Grid) -> CellFuel:
    burns, inert, unknown = (np.zeros(grid.shape, bool) for _ in range(3))
    lowest, highest = np.full(grid.shape, np.nan, np.float32), np.full(grid.shape, np.nan, np.float32)
    names: dict[tuple[int, int], tuple[str, ...]] = {}
    for surface in sorted(surfaces, key=lambda item: item.name):
        layer = unknown if surface.combustible is None else burns if surface.combustible else inert
        for row, col, low_m, high_m in cells_under(surface.corners_m, grid):
            layer[row, col] = True
            if surface.combustible:
                lowest[row, col] = np.fmin(lowest[row, col], np.float32(low_m))
                highest[row, col] = np.fmax(highest[row, col], np.float32(high_m))
                names[row, col] = (*names.get((row, col), ()), surface.name)
    for array in (burns, inert, unknown, lowest, highest):
        array.setflags(write=False)
    return CellFuel(burns, inert, unknown, lowest, highest, names)


def _digest(name: str, surfaces: tuple[Surface, ...]) -> bytes:
    content = {
        "name": name,
        "frame": "map",
        "surfaces": [
            {
                "name": item.name,
                "kind": item.kind,
                "material": item.material,
                "combustible": item.combustible,
                "corners_m": (item.corners_m + 0.0).tolist(),  # + 0.0: minus zero is zero
            }
            for item in sorted(surfaces, key=lambda item: item.name)
        ],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).digest()
