# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What of a model is its building, whatever a program exports it as."""

from __future__ import annotations

import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.building import KINDS, load_building

pytestmark = pytest.mark.usefixtures("read_here")
HERE = {"map_T_ifc": {"translation_m": [0, 0, 0]}}


def kinds(building):
    return {item.path.split("/")[-1].split(" [")[0]: item.kind for item in building.surfaces}


@pytest.mark.parametrize(
    ("schema", "kind", "expected"),
    [
        ("IFC2X3", "IfcBuildingElementProxy", "other"),
        ("IFC2X3", "IfcPile", "member"),
        ("IFC2X3", "IfcPlate", "member"),
        ("IFC4", "IfcBuildingElementProxy", "other"),
        ("IFC4", "IfcChimney", "other"),
        ("IFC4", "IfcShadingDevice", "other"),
        ("IFC4", "IfcElementAssembly", "member"),
        ("IFC4X3", "IfcPavement", "floor"),
        ("IFC4X3", "IfcKerb", "other"),
        ("IFC4X3", "IfcCourse", "other"),
        ("IFC4X3", "IfcBearing", "other"),
        ("IFC4X3", "IfcCaissonFoundation", "member"),
        ("IFC4X3", "IfcEarthworksFill", "other"),
        ("IFC4X3", "IfcBuiltElement", "other"),
    ],
)
def test_every_element_that_is_built_is_read(ifc_site, load, schema, kind, expected):
    site = ifc_site(schema)
    site.give(site.material("Timber"), site.box(kind, "it", (0, 0, 0), (1, 1, 1)))
    building = load(site, **HERE)
    assert kinds(building) == {"it": expected}
    assert expected in KINDS
    assert [item.combustible for item in building.surfaces] == [True]


@pytest.mark.parametrize("schema", ["IFC2X3", "IFC4"])
def test_reinforcement_furniture_and_installations_are_left_out_by_name(ifc_site, load, schema):
    site = ifc_site(schema)
    site.wall()
    for index, kind in enumerate(("IfcReinforcingBar", "IfcFurnishingElement", "IfcFlowSegment")):
        site.box(kind, kind, (2 * index, 5, 0), (1, 1, 1))
    building = load(site)
    assert set(kinds(building)) == {"W"}
    (note,) = (note for note in building.notes if "left out" in note)
    assert all(name in note for name in ("1 IfcReinforcingBar", "1 IfcFurnishingElement", "1 IfcFlowSegment"))


def test_a_model_of_something_else_is_refused_with_what_it_holds(ifc_site, load):
    site = ifc_site("IFC2X3")
    site.box("IfcReinforcingBar", "bar", (0, 0, 0), (1, 1, 1))
    with pytest.raises(ConfigError, match=r"expected some; export them \(.*1 IfcReinforcingBar"):
        load(site)


@pytest.mark.parametrize("use", ["PROVISIONFORVOID", "PROVISIONFORSPACE"])
def test_a_hole_kept_free_is_no_body(ifc_site, load, use):
    site = ifc_site("IFC4")
    site.wall()
    site.box("IfcBuildingElementProxy", "shaft", (0, 5, 0), (1, 1, 3), PredefinedType=use)
    building = load(site)
    assert set(kinds(building)) == {"W"}
    assert any("1 IfcBuildingElementProxy" in note for note in building.notes)


@pytest.mark.parametrize("schema", ["IFC2X3", "IFC4", "IFC4X3"])
def test_panels_of_a_facade_are_walls_and_its_mullions_members(ifc_site, load, schema):
    site = ifc_site(schema)
    facade = site.root("IfcCurtainWall", "facade", ObjectPlacement=site.place(0, 0, 0))
    panel = site.box("IfcPlate", "panel", (0, 0, 0), (1, 0.05, 3), contained=False)
    mullion = site.box("IfcMember", "mullion", (1, 0, 0), (0.05, 0.1, 3), contained=False)
    site.aggregate(facade, panel, mullion)
    site.aggregate(site.storey, facade)
    site.give(site.material("Glass"), facade)
    building = load(site, **HERE)
    assert kinds(building) == {"panel": "wall", "mullion": "member"}
    assert {item.combustible for item in building.surfaces} == {False}


def test_parts_of_parts_have_the_material_and_kind_of_the_whole(ifc_site, load):
    site = ifc_site("IFC4")
    slab = site.root("IfcSlab", "slab", ObjectPlacement=site.place(0, 0, 0))
    layer = site.root("IfcBuildingElementPart", "layer", ObjectPlacement=site.place(0, 0, 0))
    board = site.box("IfcBuildingElementPart", "board", (0, 0, 0), (4, 4, 0.1), contained=False)
    site.aggregate(layer, board)
    site.aggregate(slab, layer)
    site.aggregate(site.storey, slab)
    site.give(site.material("Timber"), slab)
    building = load(site, **HERE)
    assert kinds(building) == {"board": "floor"}
    assert [item.combustible for item in building.surfaces] == [True]


def test_a_slab_whose_type_says_that_it_is_a_roof_is_one(ifc_site, load):
    site = ifc_site("IFC4")
    slab = site.box("IfcSlab", "slab", (0, 0, 3), (4, 4, 0.2))
    kind = site.root("IfcSlabType", "sloped", PredefinedType="ROOF")
    site.root("IfcRelDefinesByType", None, RelatedObjects=[slab], RelatingType=kind)
    assert kinds(load(site)) == {"slab": "roof"}


def test_low_parts_and_plates_say_nothing_of_the_unit(ifc_site, tmp_path):
    site = ifc_site("IFC2X3")
    for index in range(5):
        site.box("IfcPlate", f"plate {index}", (index, 0, 0), (0.5, 0.5, 0.02))
    assert len(load_building(site.write(tmp_path / "m.ifc")).surfaces) == 5
