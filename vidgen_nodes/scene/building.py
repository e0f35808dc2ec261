# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The building: surfaces in ``map``, and what is known of their materials.

Guarantees: a surface burns only if a file says so in so many words; missing or null means unknown, and
unknown is never combustible. A building whose place in ``map`` nobody gave is ``placed = False``: it can be
looked at, but has no fuel and no roof. The digest depends on the content alone, not on layout or order of
the file, and ``from_record`` makes the same building from what a ledger stores. Leaves out reading files
(``scene.building_file``, ``scene.ifc``, ``scene.fuel_map``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import BoolArray, Float32Array, FloatArray, Grid
from vidgen_nodes.scene.cell_fuel import CellFuel, cell_fuel
from vidgen_nodes.scene.ifc_archive import is_model
from vidgen_nodes.scene.occlusion import Occluder, occluder
from vidgen_nodes.scene.surface import KINDS, MIN_AREA_M2, Surface, polygon_area_vector_m2

if TYPE_CHECKING:
    from vidgen_nodes.scene.triangle_tree import TriangleTree

__all__ = ["KINDS", "Building", "CellFuel", "Surface", "load_building"]

_GRIDS_KEPT = 4
ToMap = Callable[[float, float, float], FloatArray]  # latitude, longitude [deg], altitude [m] -> (3,) in map
Progress = Callable[[float, str], None]  # share done [0, 1], what is being done


@dataclass(frozen=True, eq=False)
class Building:
    """The surfaces of one building; ``digest`` is SHA-256 over their canonical content."""

    name: str
    surfaces: tuple[Surface, ...]
    digest: bytes = b""
    placed: bool = True  # False: nobody said where in map it stands
    placement: str = "in map"  # how the place in map was found
    notes: tuple[str, ...] = ()  # what was corrected or left out on the way in, one sentence each
    _fuel: dict[Grid, CellFuel] = field(default_factory=dict, init=False, repr=False)
    _roofs_m: dict[Grid, Float32Array] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.surfaces, key=lambda surface: surface.name))
        object.__setattr__(self, "surfaces", ordered)
        if not self.digest:
            object.__setattr__(self, "digest", _digest(self))

    @classmethod
    def from_record(cls, body: Mapping[str, Any]) -> Building:
        """The building that ``custody.digest.dataclass_record`` wrote down.

        Raises:
            KeyError, TypeError, ValueError: the record is of another version.
        """
        surfaces = []
        for item in body["surfaces"]:
            faces = item.get("faces")
            arrays = {
                "corners_m": np.array(item["corners_m"], np.float64).reshape(-1, 3),
                "faces": None if faces is None else np.array(faces, np.int32).reshape(-1, 3),
            }
            surfaces.append(Surface(**{**item, **arrays}))
        rest = {name: body[name] for name in ("placed", "placement") if name in body}
        return cls(body["name"], tuple(surfaces), notes=tuple(body.get("notes", ())), **rest)

    def combustible_cells(self, grid: Grid) -> CellFuel:
        """What passes through each cell of ``grid``; worked out once per grid. Nothing burns unless placed."""
        fuel = self._fuel.get(grid)
        if fuel is None:
            while len(self._fuel) >= _GRIDS_KEPT:
                self._fuel.pop(next(iter(self._fuel)))
            fuel = self._fuel[grid] = cell_fuel(self.surfaces if self.placed else (), grid)
        return fuel

    def roof_height(self, grid: Grid) -> Float32Array:
        """Highest roof or floor (rows, cols) over the cell centres, in metres; NaN where there is none.

        Worked out once per grid.
        """
        found = self._roofs_m.get(grid)
        if found is None:
            while len(self._roofs_m) >= _GRIDS_KEPT:
                self._roofs_m.pop(next(iter(self._roofs_m)))
            found = self._roofs_m[grid] = self._roof_height(grid)
        return found

    def _roof_height(self, grid: Grid) -> Float32Array:
        height_m = np.full(grid.shape, -np.inf)
        for surface in self.surfaces if self.placed else ():
            if surface.kind in ("roof", "floor"):
                for polygon in surface.polygons_m():
                    _raise_to(height_m, polygon, grid)
        return np.where(np.isfinite(height_m), height_m, np.nan).astype(np.float32)

    def occlusion_depth(self, centre: FloatArray, directions: Float32Array) -> Float32Array:
        """Distance along each ray to the first surface.

        Args:
            centre: (3,) in map, where the rays start.
            directions: (..., 3) unit vectors in map.

        Returns:
            (...) metres, inf where the ray meets no surface.
        """
        rays = directions.reshape(-1, 3)
        return self._occluder.first_hit_m(centre, rays).reshape(directions.shape[:-1])

    def free_ways_m(self, starts_m: FloatArray, directions: FloatArray) -> Float32Array:
        """Distance (n,) along unit rays (n, 3), each from a point (n, 3) of its own, to the first surface; inf: none.

        :meth:`occlusion_depth` is the faster way where all start at one point.
        """
        return self._tree.first_hit_m(starts_m, directions)

    def solid_voxels(
        self,
        origin_m: FloatArray,
        resolution_m: float,
        shape: tuple[int, int, int],
        material_id: str | None = None,
    ) -> BoolArray:
        """Voxels that a surface passes through, so at least one voxel thick.

        Args:
            origin_m: (3,) lower corner of voxel (0, 0, 0) in map: east, north, up.
            resolution_m: edge of a voxel.
            shape: (nz, ny, nx), as the hazard fields have it.
            material_id: of the table of materials, whose surfaces count; None: all do.

        Returns:
            (nz, ny, nx), True where flow is blocked.

        Raises:
            ConfigError: a lattice that cannot be.
        """
        if not (np.all(np.isfinite(origin_m)) and 0.0 < resolution_m < np.inf and min(shape) > 0):
            raise ConfigError(
                f"voxels: got origin {origin_m}, edge {resolution_m} m, shape {shape}; expected finite and positive"
            )
        from vidgen_nodes.scene.mesh_kernels import mark_voxels  # numba: only solvers ask

        solid: BoolArray = np.zeros(shape, np.bool_)
        for surface in self.surfaces:
            if material_id in (None, surface.material_id):
                mark_voxels(surface.triangles_m, np.asarray(origin_m, np.float64), resolution_m, solid)
        return solid

    def prepare(self) -> None:
        """Do what the first frame would wait for: build the tree of the triangles, compile what walks it."""
        somewhere = np.array([[0.0, 0.0, -1.0]], np.float32)
        self.occlusion_depth(np.zeros(3), somewhere)
        self.combustible_cells(Grid(0.0, 0.0, 1.0, 1, 1))

    @cached_property
    def _tree(self) -> TriangleTree:
        from vidgen_nodes.scene.triangle_tree import TriangleTree  # numba

        known = self._occluder
        if isinstance(known, TriangleTree):
            return known
        parts = [item.triangles_m for item in self.surfaces]
        return TriangleTree(np.concatenate(parts) if parts else np.zeros((0, 3, 3)))

    @cached_property
    def _occluder(self) -> Occluder:
        return occluder(self.surfaces)


def load_building(path: Path, to_map: ToMap | None = None, progress: Progress | None = None) -> Building:
    """Read a building: ``.yaml`` of ours, ``.ifc`` or ``.ifczip``, or a fuel map as ``.geojson``.

    Args:
        path: the file.
        to_map: from latitude, longitude, altitude to map, where the datum is known; needed by models and
            fuel maps that say where they are on the globe.
        progress: told the share done, for models that take a while.

    Raises:
        ConfigError: unreadable, wrong shape, unknown kind or frame, bad or doubled surface.
    """
    building = _load(path, to_map, progress)
    building.prepare()
    return building


def read_model_ahead(path: Path, progress: Progress) -> None:
    """Parse the model that a building file is or names, so that loading it does not wait for that.

    Args:
        path: the file; nothing is done for one without a model.
        progress: told the share done.

    Raises:
        ConfigError: unreadable, or a model that cannot be used.
    """
    from vidgen_nodes.scene.ifc_building import read_ahead

    if is_model(path):
        read_ahead(path, None, progress)
    elif path.suffix.lower() not in (".geojson", ".json"):
        from vidgen_nodes.scene.building_file import read_building_yaml

        content = read_building_yaml(path)
        if isinstance(content, dict) and "ifc" in content:
            read_ahead(path, content, progress)


def _load(path: Path, to_map: ToMap | None, progress: Progress | None) -> Building:
    if is_model(path):
        from vidgen_nodes.scene.ifc_building import load_ifc

        return load_ifc(path, to_map=to_map, progress=progress)
    if path.suffix.lower() in (".geojson", ".json"):
        from vidgen_nodes.scene.fuel_map import load_fuel_map

        return load_fuel_map(path, to_map)
    from vidgen_nodes.scene.building_file import load_building_file

    return load_building_file(path, to_map, progress)


def _raise_to(height_m: FloatArray, polygon_m: FloatArray, grid: Grid) -> None:
    """Raise ``height_m`` (rows, cols) to a convex polygon (n, 3) where it lies over cell centres."""
    normal = polygon_area_vector_m2(polygon_m)
    if abs(normal[2]) < MIN_AREA_M2 * min(1.0, float(np.linalg.norm(normal))):
        return
    low = (polygon_m[:, :2].min(axis=0) - (grid.origin_east_m, grid.origin_north_m)) / grid.resolution_m
    high = (polygon_m[:, :2].max(axis=0) - (grid.origin_east_m, grid.origin_north_m)) / grid.resolution_m
    col0, row0 = np.clip(np.floor(low), 0, (grid.cols, grid.rows)).astype(int).tolist()
    col1, row1 = np.clip(np.ceil(high), 0, (grid.cols, grid.rows)).astype(int).tolist()
    x = grid.origin_east_m + (np.arange(col0, col1) + 0.5) * grid.resolution_m
    y = (grid.origin_north_m + (np.arange(row0, row1) + 0.5) * grid.resolution_m)[:, None]
    inside = np.ones((row1 - row0, col1 - col0), bool)
    for a, b in zip(polygon_m, np.roll(polygon_m, -1, axis=0), strict=True):
        side = (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        inside &= side * np.sign(normal[2]) >= 0.0
    centre = polygon_m.mean(axis=0)
    z = centre[2] - (normal[0] * (x - centre[0]) + normal[1] * (y - centre[1])) / normal[2]
    part = height_m[row0:row1, col0:col1]
    np.maximum(part, z, out=part, where=inside)


def _digest(building: Building) -> bytes:
    """SHA-256 of the bytes that ``custody.digest.dataclass_record`` makes of the building."""
    surfaces = [
        {
            "name": item.name,
            "material": item.material,
            "kind": item.kind,
            "corners_m": (item.corners_m + 0.0).tolist(),  # + 0.0: minus zero is zero
            "combustible": item.combustible,
            "faces": None if item.faces is None else item.faces.tolist(),
            "path": item.path,
            "decided_by": item.decided_by,
            "material_id": item.material_id,
        }
        for item in building.surfaces
    ]
    content = {
        "name": building.name,
        "surfaces": surfaces,
        "placed": building.placed,
        "placement": building.placement,
        "notes": list(building.notes),
    }
    return hashlib.sha256(cbor2.dumps(content, canonical=True)).digest()
