# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which material a face shows."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.scene.building import load_building

pytestmark = pytest.mark.usefixtures("read_here")
SCHEMAS = ("IFC2X3", "IFC4", "IFC4X3")
HERE = {"map_T_ifc": {"translation_m": [0, 0, 0]}}


def of(building, word):
    found = [item for item in building.surfaces if word in item.name]
    assert found, [item.name for item in building.surfaces]
    return found


def facing(surface):
    """Mean outward normal of a surface."""
    triangles = surface.triangles_m
    vectors = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return vectors.sum(axis=0) / np.linalg.norm(vectors.sum(axis=0))


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize(("sense", "plus_y"), [("POSITIVE", "Plasterboard"), ("NEGATIVE", "Timber")])
def test_the_exposed_layer_decides_each_side(ifc_site, load, schema, sense, plus_y):
    site = ifc_site(schema)
    site.give(site.layers("Timber", "Mineral wool", "Plasterboard", usage=sense), site.wall())
    building = load(site, **HERE)
    by_material = {item.material: item for item in building.surfaces}
    other = {"Timber": "Plasterboard", "Plasterboard": "Timber"}[plus_y]
    assert facing(by_material[plus_y]) == pytest.approx([0, 1, 0], abs=1e-9)
    assert facing(by_material[other]) == pytest.approx([0, -1, 0], abs=1e-9)
    assert by_material["Timber"].combustible is True
    assert by_material["Plasterboard"].combustible is False
    (edge,) = (item for item in building.surfaces if " or " in item.material)
    assert edge.combustible is None  # nobody says what the ends show
    assert "Mineral wool" not in by_material


def test_the_side_turns_with_the_element(ifc_site, load):
    site = ifc_site()
    site.give(site.layers("Timber", "Plasterboard"), site.wall(yaw=(0, 1, 0)))
    by_material = {item.material: item for item in load(site, **HERE).surfaces}
    assert facing(by_material["Plasterboard"]) == pytest.approx([-1, 0, 0], abs=1e-9)


def test_layers_without_a_direction_leave_the_sides_unknown_unless_they_agree(ifc_site, load):
    site = ifc_site()
    site.give(site.layers("Timber", "Plasterboard", usage=None), site.wall("one"))
    site.give(site.layers("Timber", "Plywood", usage=None), site.wall("two", low=(0, 5, 0)))
    building = load(site, **HERE)
    assert all(item.combustible is None for item in of(building, "one"))
    assert all(item.combustible is True for item in of(building, "two"))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_material_list_that_disagrees_is_unknown(ifc_site, load, schema):
    site = ifc_site(schema)
    mixed = site.make("IfcMaterialList", [site.material("Timber"), site.material("Steel")])
    alike = site.make("IfcMaterialList", [site.material("Concrete"), site.material("Steel")])
    site.give(mixed, site.wall("mixed"))
    site.give(alike, site.wall("alike", low=(0, 5, 0)))
    building = load(site, **HERE)
    assert [item.combustible for item in of(building, "mixed")] == [None]
    assert [item.combustible for item in of(building, "alike")] == [False]


def test_constituents_and_profiles_give_their_materials(ifc_site, load):
    site = ifc_site("IFC4")
    parts = [
        site.make("IfcMaterialConstituent", Name=name, Material=site.material(name))
        for name in ("Oak", "Pine")
    ]
    site.give(site.make("IfcMaterialConstituentSet", MaterialConstituents=parts), site.wall("door"))
    profile = site.make("IfcMaterialProfile", Material=site.material("Steel S235"))
    beam = site.box("IfcBeam", "beam", (0, 5, 0), (4, 0.2, 0.3))
    site.give(site.make("IfcMaterialProfileSet", MaterialProfiles=[profile]), beam)
    building = load(site, **HERE)
    assert {item.combustible for item in of(building, "door")} == {True}
    assert {(item.kind, item.combustible) for item in of(building, "beam")} == {("member", False)}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_parts_of_an_assembly_have_their_own_material_or_that_of_the_whole(ifc_site, load, schema):
    site = ifc_site(schema)
    whole = site.root("IfcRoof", "roof", ObjectPlacement=site.place(0, 0, 0))
    own = site.box("IfcSlab", "own", (0, 0, 3), (4, 4, 0.2), contained=False)
    bare = site.box("IfcSlab", "bare", (5, 0, 3), (4, 4, 0.2), contained=False)
    site.aggregate(whole, own, bare)
    site.aggregate(site.storey, whole)
    site.give(site.material("Concrete"), whole)
    site.give(site.material("Timber"), own)
    building = load(site, **HERE)
    assert {(item.kind, item.combustible) for item in of(building, "own")} == {("roof", True)}
    (bare_surface,) = of(building, "bare")
    assert (bare_surface.kind, bare_surface.combustible) == ("roof", False)
    assert "IfcRoof roof" in bare_surface.decided_by
    assert bare_surface.path.endswith("/roof/bare [" + bare.GlobalId + "]")


def test_a_whole_without_a_material_has_that_of_its_parts(ifc_site, load):
    site = ifc_site()
    whole = site.wall("whole")
    parts = [site.root("IfcBuildingElementPart", name) for name in ("a", "b")]
    site.aggregate(whole, *parts)
    site.give(site.material("Brick"), parts[0])
    site.give(site.material("Concrete"), parts[1])
    (surface,) = of(load(site, **HERE), "whole")
    assert (surface.combustible, surface.material) == (False, "Brick or Concrete")


def test_styles_tell_which_material_a_face_shows(ifc_site, load):
    site = ifc_site()
    door = site.box("IfcDoor", "door", (0, 0, 0), (1, 0.1, 2))
    oak, glass = site.material("Oak"), site.material("Glass")
    site.give(site.make("IfcMaterialList", [oak, glass]), door)
    solid = door.Representation.Representations[0].Items[0]
    colour = site.make("IfcSurfaceStyleShading", site.make("IfcColourRgb", None, 0.5, 0.3, 0.1))
    style = site.make("IfcSurfaceStyle", "brown", "BOTH", [colour])
    site.make("IfcStyledItem", solid, [style])
    drawn = site.make("IfcStyledItem", None, [style])
    look = site.make("IfcStyledRepresentation", site.context, "Style", "Material", [drawn])
    site.make("IfcMaterialDefinitionRepresentation", Representations=[look], RepresentedMaterial=oak)
    assert {(item.material, item.combustible) for item in load(site, **HERE).surfaces} == {("Oak", True)}


def test_a_material_that_is_gone_is_unknown(ifc_site, tmp_path):
    site = ifc_site()
    site.give(site.layers("Timber", "Timber"), site.wall())
    path = site.write(tmp_path / "model.ifc")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if "IFCMATERIAL(" not in line))
    assert {item.combustible for item in load_building(path).surfaces} == {None}


def test_materials_of_the_type_count_for_its_elements(ifc_site, load):
    site = ifc_site("IFC4")
    wall = site.wall()
    kind = site.root("IfcWallType", "clad", PredefinedType="STANDARD")
    site.root("IfcRelDefinesByType", None, RelatedObjects=[wall], RelatingType=kind)
    site.give(site.layers("Timber", "Plywood", usage=None), kind)
    assert {item.combustible for item in load(site, **HERE).surfaces} == {True}


def test_a_layer_without_a_material_is_air_only_if_the_model_says_so(ifc_site, load):
    site = ifc_site("IFC4")
    layers = site.layers("Timber", "", usage="POSITIVE")
    behind = layers.ForLayerSet.MaterialLayers[1]
    behind.Material, behind.IsVentilated = None, "UNKNOWN"
    site.give(layers, site.wall())
    sides = {item.material: item for item in load(site, **HERE).surfaces if " or " not in item.material}
    assert facing(sides["Timber"]) == pytest.approx([0, -1, 0], abs=1e-9)
    assert facing(sides["unknown"]) == pytest.approx([0, 1, 0], abs=1e-9)
    behind.IsVentilated = True
    assert {item.material for item in load(site, **HERE).surfaces} == {"Timber"}
