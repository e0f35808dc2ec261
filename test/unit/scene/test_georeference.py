# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a model stands in map."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grid

pytestmark = pytest.mark.usefixtures("read_here")
HERE = {"map_T_ifc": {"translation_m": [0, 0, 0]}}
DATUM = {"latitude_deg": 47.37, "longitude_deg": 8.54, "altitude_m": 450.0}


def extent(surfaces):
    corners = np.concatenate([item.corners_m for item in surfaces])
    return corners.min(axis=0), corners.max(axis=0)


def converted(site, east, north, up, x=1.0, y=0.0, scale=None, name="EPSG:2056", unit=None):
    system = site.make("IfcProjectedCRS", Name=name, MapUnit=unit)
    site.make("IfcMapConversion", site.context, system, east, north, up, x, y, scale)


def swiss(latitude, longitude):
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", "EPSG:2056", always_xy=True).transform(longitude, latitude)


@pytest.mark.parametrize("schema", ["IFC4", "IFC4X3"])
@pytest.mark.parametrize("unit", ["metre", "mm"])
def test_a_map_conversion_puts_the_model_where_it_stands(ifc_site, load, schema, unit):
    site = ifc_site(schema, unit)
    k = 1000.0 if unit == "mm" else 1.0
    site.wall(size=(40 * k, 0.2 * k, 3 * k))
    east, north = swiss(47.371, 8.541)
    metre = site.make("IfcSIUnit", UnitType="LENGTHUNIT", Name="METRE")
    converted(site, east, north, 451.0, scale=1.0 / k, unit=metre)
    building = load(site, datum=DATUM)
    assert building.placed
    assert "EPSG:2056" in building.placement
    low, _ = extent(building.surfaces)
    # 0.001 degrees at 47.37 N: 75.5 m east, 111.2 m north.
    assert low[:2] == pytest.approx([75.5, 111.2], abs=0.6)
    assert low[2] == pytest.approx(1.0, abs=0.01)


def test_a_model_of_the_old_schema_says_its_place_in_property_sets(ifc_site, load):
    site = ifc_site("IFC2X3")
    site.wall()
    east, north = swiss(47.37, 8.54)
    site.pset(site.project, "ePSet_ProjectedCRS", Name="EPSG:2056")
    values = {"Eastings": east, "Northings": north, "OrthogonalHeight": 450.0}
    properties = [
        site.make("IfcPropertySingleValue", Name=key, NominalValue=site.make("IfcReal", value))
        for key, value in values.items()
    ]
    found = site.root("IfcPropertySet", "ePSet_MapConversion", HasProperties=properties)
    site.root(
        "IfcRelDefinesByProperties", None, RelatedObjects=[site.project], RelatingPropertyDefinition=found
    )
    low, _ = extent(load(site, datum=DATUM).surfaces)
    assert low == pytest.approx([0, 0, 0], abs=0.1)  # grid north is 0.8 degrees off there: 5 cm over the wall


def test_a_turned_map_conversion_turns_the_model(ifc_site, load):
    site = ifc_site()
    site.wall(size=(40, 0.2, 3))
    converted(site, *swiss(47.37, 8.54), 450.0, x=0.0, y=1.0)
    low, high = extent(load(site, datum=DATUM).surfaces)
    assert high[1] - low[1] == pytest.approx(40.0, abs=0.1)
    assert high[0] - low[0] < 1.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": 1000.0}, "Scale or units"),
        ({"name": "EPSG:0"}, "EPSG:0"),
        ({"name": "site grid"}, "site grid"),
    ],
)
def test_a_wrong_map_conversion_is_refused(ifc_site, load, changes, words):
    site = ifc_site()
    site.wall()
    converted(site, *swiss(47.37, 8.54), 450.0, **changes)
    with pytest.raises(ConfigError, match=words):
        load(site, datum=DATUM)


def test_latitude_and_true_north_of_the_site_place_the_model(ifc_site, load):
    site = ifc_site()
    site.wall(size=(40, 0.2, 3))
    site.site.RefLatitude, site.site.RefLongitude, site.site.RefElevation = (47, 22, 12), (8, 32, 24), 450.0
    site.context.TrueNorth = site.make("IfcDirection", (1.0, 0.0))  # the model's x is north
    building = load(site, datum=DATUM)
    low, high = extent(building.surfaces)
    assert high[1] - low[1] == pytest.approx(40.0, abs=1e-6)
    assert np.abs([low[0], low[1], low[2]]) == pytest.approx([0, 0, 0], abs=0.5)
    assert "IfcSite" in building.placement


def test_a_site_on_another_continent_is_a_placeholder(ifc_site, load):
    site = ifc_site()
    site.wall()
    site.site.RefLatitude, site.site.RefLongitude = (42, 21, 31, 181945), (-71, -3, -24, -263305)
    with pytest.raises(ConfigError, match="km from the datum"):
        load(site, datum=DATUM)
    assert load(site, datum=DATUM, **HERE).placed


@pytest.mark.parametrize(
    "datum", [5, {}, {**DATUM, "latitude_deg": 91.0}, {**DATUM, "altitude_m": float("nan")}]
)
def test_a_wrong_datum_is_refused(ifc_site, load, datum):
    site = ifc_site()
    site.wall()
    with pytest.raises(ConfigError, match="datum"):
        load(site, datum=datum)


def test_a_model_that_nobody_placed_can_be_seen_and_does_not_burn(ifc_site, load):
    site = ifc_site()
    site.give(site.material("Timber"), site.wall())
    site.box("IfcRoof", "roof", (0, 0, 3), (4, 4, 0.2))
    building = load(site)
    assert not building.placed
    assert "map_T_ifc" in building.placement
    grid = Grid(-1.0, -1.0, 0.5, 16, 16)
    assert not building.combustible_cells(grid).combustible.any()
    assert np.isnan(building.roof_height(grid)).all()
    placed = load(site, **HERE)
    assert placed.combustible_cells(grid).combustible.any()
    assert np.nanmax(placed.roof_height(grid)) == pytest.approx(3.2)
    assert placed.digest != building.digest


def test_the_override_turns_and_shifts(ifc_site, load):
    site = ifc_site()
    site.wall()
    building = load(site, map_T_ifc={"translation_m": [10, 20, 1], "yaw_deg": 90})
    low, high = extent(building.surfaces)
    assert low == pytest.approx([9.8, 20, 1])
    assert high == pytest.approx([10, 24, 4])


@pytest.mark.parametrize(
    "override",
    [
        5,
        {},
        {"translation_m": [0, 0]},
        {"translation_m": [0, 0, float("nan")]},
        {"translation_m": [0, 0, 0], "yaw": 3},
    ],
)
def test_a_wrong_override_is_refused(ifc_site, load, override):
    site = ifc_site()
    site.wall()
    with pytest.raises(ConfigError, match="map_T_ifc"):
        load(site, map_T_ifc=override)


# As other programs write it.


def grid_properties(site, holder, prefix="ePSet", **more):
    """The property sets that stand for a map conversion in IFC 2x3."""
    east, north = swiss(47.37, 8.54)
    values = {"Eastings": east, "Northings": north, "OrthogonalHeight": 450.0, **more}
    reals = [
        site.make("IfcPropertySingleValue", Name=key, NominalValue=site.make("IfcReal", float(value)))
        for key, value in values.items()
    ]
    found = site.root("IfcPropertySet", f"{prefix}_MapConversion", HasProperties=reals)
    site.root("IfcRelDefinesByProperties", None, RelatedObjects=[holder], RelatingPropertyDefinition=found)
    site.pset(holder, f"{prefix}_ProjectedCRS", Name="EPSG:2056")


@pytest.mark.parametrize("holder", ["project", "site", "house"])
@pytest.mark.parametrize("prefix", ["ePSet", "ePset", "EPset"])
def test_property_sets_of_a_conversion_count_wherever_they_are(ifc_site, load, holder, prefix):
    site = ifc_site("IFC2X3")
    site.wall()
    grid_properties(site, getattr(site, holder), prefix)
    building = load(site, datum=DATUM)
    assert building.placed
    assert extent(building.surfaces)[0] == pytest.approx([0, 0, 0], abs=0.1)


@pytest.mark.parametrize(
    "name",
    [
        "EPSG:2056",
        "epsg:2056",
        "EPSG::2056",
        "EPSG 2056",
        "2056",
        "urn:ogc:def:crs:EPSG::2056",
        "CH1903+ / LV95",
    ],
)
def test_a_coordinate_system_is_known_by_any_of_its_names(ifc_site, load, name):
    site = ifc_site()
    site.wall()
    converted(site, *swiss(47.37, 8.54), 450.0, name=name)
    assert extent(load(site, datum=DATUM).surfaces)[0] == pytest.approx([0, 0, 0], abs=0.1)


def test_a_coordinate_system_is_known_by_its_parts(ifc_site, load):
    from pyproj import Transformer

    site = ifc_site()
    site.wall()
    east, north = Transformer.from_crs("EPSG:4326", "EPSG:25832", always_xy=True).transform(8.54, 47.37)
    converted(site, east, north, 450.0, name="UTM of the survey")
    system = site.model.by_type("IfcProjectedCRS")[0]
    system.GeodeticDatum, system.MapProjection, system.MapZone = "ETRS89", "UTM", "32"
    assert extent(load(site, datum=DATUM).surfaces)[0][:2] == pytest.approx([0, 0], abs=0.2)


@pytest.mark.parametrize("scale", [None, 1.0, 1000.0])
def test_a_scale_left_out_or_inverted_is_put_right_and_said(ifc_site, load, scale):
    site = ifc_site("IFC4", "mm")
    site.wall(low=(10_000, 0, 0), size=(40_000, 200, 3000))
    metre = site.make("IfcSIUnit", UnitType="LENGTHUNIT", Name="METRE")
    converted(site, *swiss(47.37, 8.54), 450.0, scale=scale, unit=metre)
    building = load(site, datum=DATUM)
    low, high = extent(building.surfaces)
    assert high[0] - low[0] == pytest.approx(40.0, abs=0.7)  # turned by the grid's own 0.8 degrees
    assert low[0] == pytest.approx(10.0, abs=0.2)
    assert any("scale of the map conversion" in note for note in building.notes)


@pytest.mark.parametrize("factor", [1.0, 1000.0])
def test_eastings_without_a_unit_are_taken_so_that_the_model_stands_near_the_datum(ifc_site, load, factor):
    site = ifc_site("IFC4", "mm")
    site.wall(size=(4000, 200, 3000))
    east, north = swiss(47.37, 8.54)
    converted(site, east * factor, north * factor, 450.0 * factor, scale=None)
    building = load(site, datum=DATUM)
    assert extent(building.surfaces)[0] == pytest.approx([0, 0, 0], abs=0.1)
    assert ("taken for metres" in building.placement) is (factor == 1.0)


def test_an_origin_of_the_context_is_taken_off_before_the_conversion(ifc_site, load):
    site = ifc_site()
    site.wall(low=(100, 200, 5))
    site.context.WorldCoordinateSystem = site.make("IfcAxis2Placement3D", site.point(100, 200, 5))
    converted(site, *swiss(47.37, 8.54), 450.0)
    assert extent(load(site, datum=DATUM).surfaces)[0] == pytest.approx([0, 0, 0], abs=0.1)


def test_a_broken_conversion_is_no_place_and_said(ifc_site, load):
    site = ifc_site("IFC2X3")
    site.wall()
    grid_properties(site, site.project)
    for item in site.model.by_type("IfcPropertySingleValue"):
        if item.Name == "Eastings":
            item.NominalValue = site.make("IfcLabel", "see drawing")
    building = load(site, datum=DATUM)
    assert not building.placed
    assert any("map conversion of the model cannot be used" in note for note in building.notes)


def test_who_knows_no_datum_is_told_what_to_give(ifc_site, load):
    site = ifc_site()
    site.wall()
    converted(site, *swiss(47.37, 8.54), 450.0)
    assert "give datum (latitude_deg, longitude_deg, altitude_m) or map_T_ifc" in load(site).placement
