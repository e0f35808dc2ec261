# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what an IFC model says of its place on the globe.

From the map conversion and coordinate system of IFC 4 and later, the property sets that stand for them in IFC 2x3
(on project, site or building), and latitude, longitude and true north. Guarantees: plain numbers in metres and
degrees, or nothing and a note. Leaves out what follows from them (``scene.georeference``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.georeference import Georeference
from vidgen_nodes.scene.ifc_unit import metres

_ARM_M = 100.0
_SAME = 0.01  # projections stretch by parts in a thousand, units differ by more than this
_Point = tuple[float, float, float]
# Broken references and texts where numbers belong: then the model has no such place.
_BROKEN = (AttributeError, TypeError, ValueError, KeyError, IndexError, RuntimeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class _Conversion:
    """From coordinates of the model to those of a grid, both in their own unit."""

    east: float
    north: float
    up: float
    x_axis: tuple[float, float]  # east and north parts of the model's x axis, not both zero
    scale: float


def read_georeference(
    library: ModuleType, model: Any, metres_per_unit: float
) -> tuple[Georeference, tuple[str, ...]]:
    """The map conversion and the site of a model, and what of them could not be used or was corrected."""
    notes: list[str] = []
    systems: tuple[str, ...] = ()
    ends: tuple[_Point, _Point] | None = None
    unit_m: float | None = None
    try:
        systems = _systems(library, model)
        conversion = _conversion(library, model) if systems else None
        if conversion is not None:
            unit_m = _grid_unit_m(library, model)
            origin = _local_origin(library, model)
            ends = _grid_ends(conversion, origin, metres_per_unit, unit_m or metres_per_unit, notes)
    except _BROKEN as err:
        notes.append(f"the map conversion of the model cannot be used: {type(err).__name__}: {err}")
    site_m, geodetic = None, None
    try:
        site_m, geodetic = _site(library, model, metres_per_unit)
    except _BROKEN as err:
        notes.append(f"the place of IfcSite cannot be used: {type(err).__name__}: {err}")
    doubtful = ends is not None and unit_m is None and metres_per_unit != 1.0
    return (
        Georeference(
            epsg=systems[0] if ends else "",
            systems=systems[1:] if ends else (),
            origin_m=ends[0] if ends else None,
            along_x_m=ends[1] if ends else None,
            doubtful_unit_m=metres_per_unit if doubtful else None,
            site_m=site_m,
            site_geodetic=geodetic,
            yaw_deg=_yaw_deg(model),
        ),
        tuple(notes),
    )


def _systems(library: ModuleType, model: Any) -> tuple[str, ...]:
    """What the model calls its coordinate system, the name first, without those that are empty."""
    if model.schema == "IFC2X3":
        named = _property_set(library, model, "epset_projectedcrs")
        words = [named.get(key) for key in ("Name", "GeodeticDatum", "MapProjection", "MapZone")]
    else:
        found = model.by_type("IfcProjectedCRS")
        if not found:
            return ()
        words = [getattr(found[0], key) for key in ("Name", "GeodeticDatum", "MapProjection", "MapZone")]
    name, datum, projection, zone = (str(word or "").strip() for word in words)
    return tuple(dict.fromkeys(filter(None, (name, *_zoned(datum, projection, zone)))))


def _zoned(datum: str, projection: str, zone: str) -> Iterator[str]:
    """Names as EPSG has them, such as ``ETRS89 / UTM zone 32N``, from parts."""
    number = re.search(r"(\d{1,2})\s*([NS]?)", zone, re.IGNORECASE)
    if datum and number and re.search(r"utm|transverse", projection, re.IGNORECASE):
        yield f"{datum} / UTM zone {int(number[1])}{number[2].upper() or 'N'}"


def _conversion(library: ModuleType, model: Any) -> _Conversion | None:
    if model.schema == "IFC2X3":
        said = _property_set(library, model, "epset_mapconversion")
        if "Eastings" not in said or "Northings" not in said:
            return None
        east, north, up, x, y, scale = (
            float(said.get(key) or 0.0)
            for key in (
                "Eastings",
                "Northings",
                "OrthogonalHeight",
                "XAxisAbscissa",
                "XAxisOrdinate",
                "Scale",
            )
        )
        return _Conversion(east, north, up, (x, y) if x or y else (1.0, 0.0), scale or 1.0)
    found = library.util.geolocation.get_helmert_transformation_parameters(model)
    if found is None:
        return None
    scale = found.scale * found.factor_x
    return _Conversion(found.e, found.n, found.h, (found.xaa, found.xao), scale)


def _property_set(library: ModuleType, model: Any, name: str) -> dict[str, Any]:
    """A property set by its lower-case name, of whichever of the upper entities has it."""
    for kind in ("IfcProject", "IfcSite", "IfcBuilding"):
        for item in model.by_type(kind):
            for called, values in library.util.element.get_psets(item, psets_only=True).items():
                if called.lower() == name:
                    return dict(values)
    return {}


def _local_origin(library: ModuleType, model: Any) -> FloatArray:
    """From coordinates of the model to those that the conversion is about (4, 4), in units of the model.

    The same, unless the model's context has a world coordinate system of its own.
    """
    axes = library.util.geolocation.get_wcs(model)
    inverse: FloatArray = np.eye(4) if axes is None else np.linalg.inv(np.asarray(axes, np.float64))
    return inverse


def _grid_ends(
    conversion: _Conversion, local: FloatArray, metres_per_unit: float, grid_unit_m: float, notes: list[str]
) -> tuple[_Point, _Point] | None:
    """Grid coordinates [m] of the model's origin and of a point 100 m along its x axis."""
    # Scale takes a unit of the model to a unit of the grid (IfcMapConversion, IFC 4.3). Programs leave it out, or write
    # the inverse, as buildingSMART's own examples do.
    expected = metres_per_unit / grid_unit_m
    scale = conversion.scale
    if abs(scale / expected - 1.0) > _SAME and min(abs(scale - 1.0), abs(scale * expected - 1.0)) <= _SAME:
        notes.append(
            f"the scale of the map conversion is {scale:g} between units of {metres_per_unit:g} m and "
            f"{grid_unit_m:g} m; it was taken as {expected:g}"
        )
        scale = expected
    length = math.hypot(*conversion.x_axis)
    cos, sin = (part / length for part in conversion.x_axis)
    ends: list[_Point] = []
    for x_m in (0.0, _ARM_M):
        x, y, z, _ = (local @ np.array((x_m / metres_per_unit, 0.0, 0.0, 1.0))).tolist()
        ends.append(
            (
                (conversion.east + scale * (cos * x - sin * y)) * grid_unit_m,
                (conversion.north + scale * (sin * x + cos * y)) * grid_unit_m,
                (conversion.up + scale * z) * grid_unit_m,
            )
        )
    if not all(math.isfinite(value) for end in ends for value in end):
        return None
    return ends[0], ends[1]


def _grid_unit_m(library: ModuleType, model: Any) -> float | None:
    """Metres in one unit of the grid; None where the model names none, which means the unit of the model."""
    if model.schema == "IFC2X3":
        said = str(_property_set(library, model, "epset_projectedcrs").get("MapUnit") or "").upper()
        return 1.0 if said in ("M", "METRE", "METER") else None
    systems = model.by_type("IfcProjectedCRS")
    unit = systems[0].MapUnit if systems else None
    if unit is None:
        return None
    return metres(library, unit)


def _site(library: ModuleType, model: Any, metres_per_unit: float) -> tuple[_Point | None, _Point | None]:
    """Origin of the site in the model [m], and its latitude, longitude [deg] and elevation [m]."""
    for site in model.by_type("IfcSite"):
        latitude, longitude = site.RefLatitude, site.RefLongitude
        if not latitude or not longitude:
            continue
        place = library.util.placement.get_local_placement(site.ObjectPlacement)
        x, y, z = (float(value) * metres_per_unit for value in place[:3, 3])
        up_m = float(site.RefElevation or 0.0) * metres_per_unit
        return (x, y, z), (_degrees(latitude), _degrees(longitude), up_m)
    return None, None


def _yaw_deg(model: Any) -> float:
    """Turn about up that takes the model's true north to north."""
    for context in model.by_type("IfcGeometricRepresentationContext", include_subtypes=False):
        if context.TrueNorth is not None:
            x, y = (float(value) for value in context.TrueNorth.DirectionRatios[:2])
            if math.isfinite(x) and math.isfinite(y) and math.hypot(x, y) > 0.0:
                return 90.0 - math.degrees(math.atan2(y, x))
    return 0.0


def _degrees(parts: Any) -> float:
    """Degrees of an IfcCompoundPlaneAngleMeasure: degrees, minutes, seconds and millionths, all of one sign."""
    scales = (1.0, 60.0, 3600.0, 3600.0e6)
    return float(sum(part / scale for part, scale in zip(parts, scales, strict=False)))
