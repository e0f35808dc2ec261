# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What decides whether a surface burns, and how it is named."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError

pytestmark = pytest.mark.usefixtures("read_here")
HERE = {"map_T_ifc": {"translation_m": [0, 0, 0]}}


def of(building, word):
    found = [item for item in building.surfaces if word in item.name]
    assert found, [item.name for item in building.surfaces]
    return found


@pytest.mark.parametrize(
    ("properties", "material", "expected"),
    [
        ({"FireRating": "REI 60"}, "Something", None),
        ({"FireRating": "A1"}, "Something", None),
        ({"Combustible": True}, "Something", True),
        ({"Combustible": False}, "Something", False),
        ({"Combustible": False}, "Timber", None),
        ({"SurfaceSpreadOfFlame": "A2-s1,d0"}, "Something", False),
        ({"SurfaceSpreadOfFlame": "D-s2,d0"}, "Something", True),
        ({"SurfaceSpreadOfFlame": "Class 1"}, "Something", None),
        ({"SurfaceSpreadOfFlame": "Class 1"}, "Timber", True),
        ({"SurfaceSpreadOfFlame": "A1"}, "Timber", None),
        ({}, "Default Wall", None),
        ({}, "", None),
        ({}, "PVC coated steel", None),
    ],
)
def test_properties_and_names_are_weighed_and_unknown_stays_unknown(
    ifc_site, load, properties, material, expected
):
    site = ifc_site()
    wall = site.wall()
    site.give(site.material(material), wall)
    if properties:
        site.pset(wall, "Pset_WallCommon", **properties)
    (surface,) = load(site, **HERE).surfaces
    assert surface.combustible is expected
    assert surface.decided_by


def test_combustible_of_a_layered_wall_is_not_said_of_its_plaster(ifc_site, load):
    site = ifc_site()
    wall = site.wall()
    site.give(site.layers("Timber", "Plasterboard"), wall)
    site.pset(wall, "Pset_WallCommon", Combustible=True)
    by_material = {item.material: item.combustible for item in load(site, **HERE).surfaces}
    assert by_material["Plasterboard"] is False
    assert by_material["Timber"] is True


def test_flammability_rating_of_a_covering_counts(ifc_site, load):
    site = ifc_site()
    ceiling = site.box("IfcCovering", "ceiling", (0, 0, 2.5), (4, 4, 0.02))
    site.pset(ceiling, "Pset_CoveringCommon", FlammabilityRating="B1")
    site.wall(low=(0, 8, 0))
    (surface,) = of(load(site, **HERE), "ceiling")
    assert (surface.kind, surface.combustible) == ("covering", True)


def test_timber_behind_boards_is_not_exposed(ifc_site, load):
    site = ifc_site()
    wall = site.wall()  # y from 0 to 0.2
    boards = site.box("IfcCovering", "boards", (0, 0.2, 0), (4, 0.0125, 1.5))
    site.give(site.material("Timber"), wall)
    site.give(site.material("Gypsum board"), boards)
    building = load(site, **HERE)
    (timber,) = of(building, "Timber")
    front = timber.triangles_m[np.all(np.isclose(timber.triangles_m[:, :, 1], 0.2), axis=1)]
    assert front[:, :, 2].mean(axis=1).min() >= 1.4  # only above the boards
    back = timber.triangles_m[np.all(np.isclose(timber.triangles_m[:, :, 1], 0.0), axis=1)]
    assert back[:, :, 2].min() == 0.0
    assert any("behind other elements" in note for note in building.notes)


def test_a_survey_names_a_material_that_the_model_does_not(ifc_site, load):
    site = ifc_site()
    site.give(site.material("Default Wall"), site.wall())
    (surface,) = load(site, **HERE, material_names={"Default Wall": "plywood"}).surfaces
    assert (surface.combustible, surface.material, surface.material_id) == (True, "Default Wall", "plywood")
    with pytest.raises(ConfigError, match="material_names"):
        load(site, **HERE, material_names={"Default Wall": "unobtainium"})


def test_doubled_global_ids_get_different_names(ifc_site, load):
    site = ifc_site()
    for y in (0, 5):
        site.wall("same", low=(0, y, 0)).GlobalId = "0" * 22
    assert len({item.name for item in load(site).surfaces}) == 2


@pytest.mark.parametrize(
    ("name", "category", "expected"),
    [
        ("Mat 17", "wood", True),
        ("Mat 17", "Concrete", False),
        ("Mat 17", "finish", None),
        ("Mat 17", None, None),
        ("Timber", "concrete", True),  # the name speaks for itself
        ("PVC coated steel", "steel", None),  # as does one that contradicts itself
    ],
)
def test_the_category_of_a_material_counts_where_its_name_says_nothing(
    ifc_site, load, name, category, expected
):
    site = ifc_site("IFC4")
    material = site.material(name)
    material.Category = category
    site.give(material, site.wall())
    (surface,) = load(site, **HERE).surfaces
    assert surface.combustible is expected
    if name == "Mat 17" and expected is not None:
        assert "of 'Mat 17' its category" in surface.decided_by
        assert surface.material_id in ("wood", "concrete")


@pytest.mark.parametrize(("said", "expected"), [("TRUE", True), ("Yes", True), (".F.", False), ("n/a", None)])
def test_combustible_as_a_word_counts(ifc_site, load, said, expected):
    site = ifc_site()
    wall = site.wall()
    site.pset(wall, "Pset_WallCommon", Combustible=said)
    (surface,) = load(site, **HERE).surfaces
    assert surface.combustible is expected


def test_a_class_chosen_from_an_enumeration_counts(ifc_site, load):
    site = ifc_site()
    wall = site.wall()
    chosen = site.make(
        "IfcPropertyEnumeratedValue",
        Name="SurfaceSpreadOfFlame",
        EnumerationValues=[site.make("IfcLabel", "D-s2,d0")],
    )
    found = site.root("IfcPropertySet", "Pset_WallCommon", HasProperties=[chosen])
    site.root("IfcRelDefinesByProperties", None, RelatedObjects=[wall], RelatingPropertyDefinition=found)
    (surface,) = load(site, **HERE).surfaces
    assert surface.combustible is True
