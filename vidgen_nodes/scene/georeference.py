# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a model stands in ``map``.

By order of trust: ``map_T_ifc`` of a building file; the map conversion of the model and its coordinate
system; latitude, longitude and true north of its site. Guarantees: the last two only where the datum of
``map`` is known, only rigidly, and only near it. With none of them the model is not placed: it can be
looked at, and nothing burns in it. Leaves out differences between height systems, which the model does not
name: ``placement`` says which height was taken.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.surface import number

if TYPE_CHECKING:
    from vidgen_nodes.scene.building import ToMap

_NEAR_M = 20_000.0  # a model farther from the datum is one of somewhere else, or a placeholder
_ARM_M = 100.0  # baseline on which turn and scale of a conversion are measured
_SCALE_OFF = 0.002  # projections stretch by parts in a thousand; more is a mistake of units


@dataclass(frozen=True, slots=True)
class Georeference:
    """What a model says of its place, in plain numbers."""

    epsg: str = ""  # what the model calls the coordinate system of the conversion; empty: none
    systems: tuple[str, ...] = ()  # further names for it, put together from its parts
    # Grid coordinates [m] of the model's origin and of a point _ARM_M along its x axis: east, north, up.
    origin_m: tuple[float, float, float] | None = None
    along_x_m: tuple[float, float, float] | None = None
    # Metres in a unit of the model where the grid names none: by IFC they are of that unit, programs mean metres.
    doubtful_unit_m: float | None = None
    # Of the site: its origin in the model [m], latitude, longitude [deg], elevation [m].
    site_m: tuple[float, float, float] | None = None
    site_geodetic: tuple[float, float, float] | None = None
    yaw_deg: float = 0.0  # turn about up that takes the model's true north to north


def datum_frame(where: str, datum: Any) -> ToMap:
    """From latitude, longitude [deg] and altitude [m] to map, for a file that names the datum of map itself.

    Topocentric ENU (EPSG method 9837) by PROJ, as ``sensing.geodesy`` has it.

    Raises:
        ConfigError: not three numbers on the globe.
    """
    names = ("latitude_deg", "longitude_deg", "altitude_m")
    if not isinstance(datum, Mapping) or set(datum) != set(names):
        raise ConfigError(f"{where}: datum: got {datum!r}, expected a mapping with {', '.join(names)}")
    try:
        latitude, longitude, altitude = (number(datum[name]) for name in names)
    except TypeError as err:
        raise ConfigError(f"{where}: datum: {err}") from err
    if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0 and math.isfinite(altitude)):
        raise ConfigError(
            f"{where}: datum: got {datum}, expected degrees within 90 and 180 and a finite height"
        )
    from pyproj import Transformer

    pipeline = (
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
        f"+step +proj=topocentric +ellps=WGS84 +lat_0={latitude!r} +lon_0={longitude!r} +h_0={altitude!r}"
    )
    transformer = Transformer.from_pipeline(pipeline)
    return lambda lat, lon, up: np.array(transformer.transform(lon, lat, up))


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """``map_T_ifc`` as a matrix, and how it was found."""

    matrix: FloatArray  # (4, 4)
    placed: bool
    words: str


def place(reference: Georeference, to_map: ToMap | None, override: Any = None) -> Placement:
    """Find the place.

    Args:
        reference: what the model says.
        to_map: from latitude, longitude, altitude to map; None: the datum is not known.
        override: ``map_T_ifc`` of a building file: mapping with translation_m and yaw_deg.

    Raises:
        ConfigError: a wrong override, or a model that says it is far from here.
    """
    if override is not None:
        return _given(override)
    if to_map is not None and reference.origin_m and reference.along_x_m and reference.epsg:
        return _converted(reference, to_map)
    if to_map is not None and reference.site_geodetic and reference.site_m:
        return _at_site(reference, to_map)
    has = (
        "the datum of map is not known"
        if reference.epsg or reference.site_geodetic
        else "the model has no georeference"
    )
    known = "datum (latitude_deg, longitude_deg, altitude_m) or " if has.startswith("the datum") else ""
    words = f"not placed in map: {has}; give {known}map_T_ifc (translation_m, yaw_deg) in a building YAML"
    return Placement(np.eye(4), placed=False, words=words)


def _given(override: Any) -> Placement:
    where = "map_T_ifc"
    if not isinstance(override, Mapping) or set(override) - {"translation_m", "yaw_deg"}:
        raise ConfigError(f"{where}: got {override!r}, expected a mapping with translation_m and yaw_deg")
    try:
        shift = [number(item) for item in override["translation_m"]]
        yaw_deg = number(override.get("yaw_deg", 0.0))
    except (KeyError, TypeError) as err:
        raise ConfigError(f"{where}: expected translation_m: [east, north, up] and yaw_deg: {err}") from err
    if len(shift) != 3 or not np.all(np.isfinite([*shift, yaw_deg])):
        raise ConfigError(f"{where}: got {override!r}, expected three finite numbers and a finite angle")
    words = f"map_T_ifc of the building file: {shift} m, yaw {yaw_deg:g} deg"
    return Placement(_matrix(np.array(shift), math.radians(yaw_deg)), placed=True, words=words)


def _converted(reference: Georeference, to_map: ToMap) -> Placement:
    assert reference.origin_m is not None
    assert reference.along_x_m is not None
    crs = _coordinate_system(reference)
    ends = [
        _on_map(crs, point, reference.epsg, to_map) for point in (reference.origin_m, reference.along_x_m)
    ]
    words = f"IfcMapConversion in {reference.epsg}; heights taken in the datum's system"
    doubt_m = reference.doubtful_unit_m
    if doubt_m is not None and not _is_near(ends[0]):
        grid_m = np.array(reference.origin_m) / doubt_m
        shifted = grid_m + np.subtract(reference.along_x_m, reference.origin_m)
        others = [_on_map(crs, tuple(point), reference.epsg, to_map) for point in (grid_m, shifted)]
        if _is_near(others[0]):
            ends, words = others, f"{words}; eastings and northings taken for metres, which they must be"
    arm = ends[1] - ends[0]
    length_m = math.hypot(arm[0], arm[1])
    if abs(length_m / _ARM_M - 1.0) > _SCALE_OFF:
        raise ConfigError(
            f"IfcMapConversion: {_ARM_M:g} m of the model become {length_m:.3f} m; its Scale or units are wrong: "
            "give map_T_ifc in a building YAML"
        )
    _check_near(ends[0], "IfcMapConversion")
    return Placement(_matrix(ends[0], math.atan2(arm[1], arm[0])), placed=True, words=words)


def _coordinate_system(reference: Georeference) -> Any:
    """The pyproj CRS that a model means.

    Raises:
        ConfigError: none of its names is one that PROJ knows.
    """
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    why: Exception | None = None
    for name in (reference.epsg, *_codes(reference.epsg), *reference.systems):
        try:
            crs = CRS.from_user_input(name)
        except ProjError as err:
            why = why or err
            continue
        if crs.axis_info:
            return crs
    raise ConfigError(
        f"IfcProjectedCRS: got {reference.epsg!r}, expected a code that PROJ knows, such as EPSG:2056: {why}"
    )


def _codes(name: str) -> tuple[str, ...]:
    """The EPSG code in a name: ``EPSG 25832``, ``urn:ogc:def:crs:EPSG::2056``, or the number alone."""
    found = re.search(r"epsg\W*(?:\d+(?:\.\d+)*:)?(\d{4,6})\b", name, re.IGNORECASE) or re.fullmatch(
        r"\s*(\d{4,6})\s*", name
    )
    return (f"EPSG:{found[1]}",) if found else ()


def _on_map(crs: Any, point_m: tuple[float, ...], name: str, to_map: ToMap) -> FloatArray:
    """A point of the grid (east, north, up), in map."""
    from pyproj import Transformer

    to_globe = Transformer.from_crs(
        crs, "EPSG:4979" if len(crs.axis_info) == 3 else "EPSG:4326", always_xy=True
    )
    unit_m = crs.axis_info[0].unit_conversion_factor
    longitude, latitude = to_globe.transform(point_m[0] / unit_m, point_m[1] / unit_m)[:2]
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise ConfigError(f"IfcMapConversion: got {point_m}, expected a place inside {name}")
    return to_map(latitude, longitude, point_m[2])


def _is_near(where_m: FloatArray) -> bool:
    return bool(np.linalg.norm(where_m) <= _NEAR_M)


def _at_site(reference: Georeference, to_map: ToMap) -> Placement:
    assert reference.site_geodetic is not None
    assert reference.site_m is not None
    where = to_map(*reference.site_geodetic)
    _check_near(where, "IfcSite")
    # North at the site is taken for north at the datum: over _NEAR_M they differ by 0.2 degrees at most at 50 N.
    turn = _matrix(np.zeros(3), math.radians(reference.yaw_deg))
    shift = where - turn[:3, :3] @ np.array(reference.site_m)
    words = "latitude, longitude and true north of IfcSite, whose accuracy the model does not name"
    turn[:3, 3] = shift
    return Placement(turn, placed=True, words=words)


def _check_near(where_m: FloatArray, source: str) -> None:
    away_m = float(np.linalg.norm(where_m))
    if not away_m <= _NEAR_M:
        raise ConfigError(
            f"{source}: the model stands {away_m / 1000.0:.0f} km from the datum of map, expected at most "
            f"{_NEAR_M / 1000.0:g} km: a placeholder, or the wrong datum; give map_T_ifc in a building YAML"
        )


def _matrix(shift_m: FloatArray, yaw_rad: float) -> FloatArray:
    matrix: FloatArray = np.eye(4)
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    matrix[:2, :2] = ((c, -s), (s, c))
    matrix[:3, 3] = shift_m
    return matrix
