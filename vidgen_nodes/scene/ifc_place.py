# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what an IFC model says of its place on the globe.

Guarantees: plain numbers in metres and degrees, or nothing. Leaves out what follows from them
(``scene.georeference``).
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from vidgen_nodes.scene.georeference import Georeference

_ARM_M = 100.0


def read_georeference(library: ModuleType, model: Any, metres_per_unit: float) -> Georeference:
    """The map conversion and the site of a model."""
    epsg = _epsg(library, model)
    ends = _grid_ends(library, model, metres_per_unit) if epsg else None
    site_m, geodetic = _site(library, model, metres_per_unit)
    return Georeference(
        epsg=epsg if ends else "",
        origin_m=ends[0] if ends else None,
        along_x_m=ends[1] if ends else None,
        site_m=site_m,
        site_geodetic=geodetic,
        yaw_deg=_yaw_deg(model),
    )


def _epsg(library: ModuleType, model: Any) -> str:
    if model.schema == "IFC2X3":
        project = model.by_type("IfcProject")[0]
        found = library.util.element.get_pset(project, "ePSet_ProjectedCRS") or {}
        return str(found.get("Name") or "")
    systems = model.by_type("IfcProjectedCRS")
    return str(systems[0].Name or "") if systems else ""


_Point = tuple[float, float, float]


def _grid_ends(library: ModuleType, model: Any, metres_per_unit: float) -> tuple[_Point, _Point] | None:
    """Grid coordinates [m] of the model's origin and of a point 100 m along its x axis."""
    helmert = library.util.geolocation.get_helmert_transformation_parameters(model)
    if helmert is None:
        return None
    grid_unit_m = _grid_unit_m(library, model, metres_per_unit)
    length = math.hypot(helmert.xaa, helmert.xao)
    # Scale takes a unit of the model to a unit of the grid (IfcMapConversion, IFC 4.3).
    arm = _ARM_M / metres_per_unit * helmert.scale * helmert.factor_x / length
    east, north = helmert.e + arm * helmert.xaa, helmert.n + arm * helmert.xao
    ends = tuple(
        (x * grid_unit_m, y * grid_unit_m, helmert.h * grid_unit_m)
        for x, y in ((helmert.e, helmert.n), (east, north))
    )
    return ends if all(math.isfinite(value) for end in ends for value in end) else None  # type: ignore[return-value]


def _grid_unit_m(library: ModuleType, model: Any, metres_per_unit: float) -> float:
    """Metres in one unit of the grid; the unit of the model where the grid names none."""
    systems = [] if model.schema == "IFC2X3" else model.by_type("IfcProjectedCRS")
    unit = systems[0].MapUnit if systems else None
    if unit is None:
        return metres_per_unit
    if unit.is_a("IfcConversionBasedUnit"):
        return float(unit.ConversionFactor.ValueComponent.wrappedValue)
    return float(library.util.unit.get_prefix_multiplier(unit.Prefix))


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
