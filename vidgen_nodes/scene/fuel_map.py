# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Fuel maps for sites without a model: outlines on the ground with a height and a material.

A polygon is a flat top at ``base_m + height_m`` and, where it has a height, walls around it; a line is a
wall. GeoJSON (RFC 7946) gives longitude and latitude, so the datum of ``map`` must be known; with the
foreign member ``"frame": "map"`` its numbers are east and north in metres. Guarantees: an area burns only
if it says so. Leaves out terrain: ``base_m`` is a height in map.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.building_file import read_fuel, read_limited, refuse_doubles, refuse_extra, text
from vidgen_nodes.scene.georeference import datum_frame
from vidgen_nodes.scene.materials import find_material
from vidgen_nodes.scene.surface import FAR_M, Surface, number

if TYPE_CHECKING:
    from vidgen_nodes.scene.building import ToMap

_AREA_KEYS = frozenset(("name", "kind", "material", "combustible", "base_m", "height_m"))
_LEAST_M = 1e-3  # shorter edges are one point
_HIGHEST_M = 1000.0


def load_fuel_map(path: Path, to_map: ToMap | None = None) -> Building:
    """Read a GeoJSON fuel map.

    Raises:
        ConfigError: not GeoJSON, longitude and latitude without a datum, or a wrong feature.
    """
    content = read_limited(path, json.loads, "JSON")
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        raise ConfigError(f"{path}: expected a GeoJSON FeatureCollection")
    frame = content.get("frame", "wgs84")
    if frame not in ("map", "wgs84"):
        raise ConfigError(f"{path}: frame: got {frame!r}, expected map or wgs84")
    if "datum" in content:
        to_map = datum_frame(str(path), content["datum"])
    if frame == "wgs84" and to_map is None and features:
        raise ConfigError(
            f'{path}: longitude and latitude need the datum of map, which is not known; add "datum" with '
            'latitude_deg, longitude_deg, altitude_m, or give metres with "frame": "map"'
        )
    surfaces: list[Surface] = []
    for index, feature in enumerate(features):
        surfaces += _feature(f"{path}: features[{index}]", feature, to_map if frame == "wgs84" else None)
    refuse_doubles(path, surfaces)
    name = content.get("name", path.stem)
    return Building(name if isinstance(name, str) and name else path.stem, tuple(surfaces))


def area_surfaces(where: str, item: Any) -> list[Surface]:
    """Surfaces of an area of a YAML fuel map, whose ``outline_m`` is in map.

    Raises:
        ConfigError: a wrong key or value.
    """
    if not isinstance(item, dict):
        raise ConfigError(f"{where}: got {type(item).__name__}, expected a mapping")
    refuse_extra(where, item, _AREA_KEYS | {"outline_m"})
    return _raised(where, item, [_ring(where, item.get("outline_m"), None)], is_line=False)


def _feature(where: str, feature: Any, to_map: ToMap | None) -> list[Surface]:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict) or not isinstance(properties, dict):
        raise ConfigError(f"{where}: expected a Feature with geometry and properties")
    refuse_extra(where, properties, _AREA_KEYS)
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if not isinstance(coordinates, list):
        raise ConfigError(f"{where}: coordinates: got {coordinates!r}, expected a list")
    if kind == "LineString":
        return _raised(where, properties, [_ring(where, coordinates, to_map, closed=False)], is_line=True)
    if kind == "Polygon":
        rings = [_ring(where, ring, to_map) for ring in coordinates]
        return _raised(where, properties, rings, is_line=False)
    raise ConfigError(
        f"{where}: geometry: got {kind!r}, expected Polygon or LineString; split multi-geometries"
    )


def _ring(where: str, value: Any, to_map: ToMap | None, *, closed: bool = True) -> FloatArray:
    """Points (n, 2) in map, each once; of a closed ring without the doubled last one of GeoJSON."""
    try:
        points = np.array([[number(item) for item in point[:2]] for point in value], np.float64)
        if to_map is not None:
            points = np.array([to_map(latitude, longitude, 0.0)[:2] for longitude, latitude in points])
    except (TypeError, ValueError, IndexError, InputError) as err:
        raise ConfigError(f"{where}: outline: expected a list of finite [x, y] pairs: {err}") from err
    if points.ndim != 2 or points.shape[1] != 2 or not np.abs(points).max(initial=0.0) <= FAR_M:
        raise ConfigError(
            f"{where}: outline: got shape {points.shape}, expected (n, 2), finite and within {FAR_M:g} m of the "
            "origin of map; check the datum"
        )
    after = np.roll(points, -1, axis=0)
    if not closed:
        after[-1:] = np.inf
    distinct: FloatArray = points[np.linalg.norm(after - points, axis=1) > _LEAST_M]
    return distinct


def _raised(where: str, item: dict[Any, Any], rings: list[FloatArray], *, is_line: bool) -> list[Surface]:
    name = text(where, item, "name")
    where = f"{where} ({name})"
    material, kind, combustible, decided_by = read_fuel(where, item)
    try:
        base_m, height_m = number(item.get("base_m", 0.0)), number(item.get("height_m", 0.0))
    except TypeError as err:
        raise ConfigError(f"{where}: base_m, height_m: {err}") from err
    if not (abs(base_m) <= FAR_M and 0.0 <= height_m <= _HIGHEST_M) or (is_line and height_m == 0.0):
        raise ConfigError(
            f"{where}: got base {base_m} m and height {height_m} m, expected a base within {FAR_M:g} m and a "
            f"height of 0 to {_HIGHEST_M:g} m, above 0 for a line"
        )
    found = find_material(material)
    triangles = [] if is_line else [_top(where, rings, base_m + height_m)]
    if height_m > 0.0:
        triangles += [_walls(ring, base_m, height_m, closed=not is_line) for ring in rings]
    corners = np.round(np.concatenate(triangles).reshape(-1, 3), 5) + 0.0
    corners.setflags(write=False)
    faces = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    return [
        Surface(
            name,
            material,
            kind,
            corners,
            combustible,
            faces,
            path=name,
            decided_by=decided_by,
            material_id=found.identity if found else "",
        )
    ]


def _top(where: str, rings: list[FloatArray], height_m: float) -> FloatArray:
    """Triangles (n, 3, 3) of a flat polygon with holes, facing up."""
    import shapely

    polygon = shapely.Polygon(rings[0], rings[1:]) if rings and min(map(len, rings)) >= 3 else None
    if polygon is None or not polygon.is_valid or polygon.area <= 0.0:
        why = shapely.is_valid_reason(polygon) if polygon is not None else "fewer than three corners"
        raise ConfigError(f"{where}: outline: {why}; list the corners in order around it, without crossings")
    parts = shapely.constrained_delaunay_triangles(polygon)
    flat = np.array([shapely.get_coordinates(part)[:3] for part in parts.geoms])
    a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    turned = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0.0
    flat[turned] = flat[turned][:, ::-1]
    return np.concatenate((flat, np.full((*flat.shape[:2], 1), height_m)), axis=2)


def _walls(ring: FloatArray, base_m: float, height_m: float, *, closed: bool) -> FloatArray:
    """Triangles (n, 3, 3) of the walls over the edges of a ring or a line."""
    starts, ends = (ring, np.roll(ring, -1, axis=0)) if closed else (ring[:-1], ring[1:])
    a, b = (np.column_stack((points, np.full(len(points), base_m))) for points in (starts, ends))
    up = np.array((0.0, 0.0, height_m))
    triangles: FloatArray = np.stack((np.stack((a, b, b + up), 1), np.stack((a, b + up, a + up), 1)), 1)
    return triangles.reshape(-1, 3, 3)
