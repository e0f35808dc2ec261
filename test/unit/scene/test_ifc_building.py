# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
from pathlib import Path

import cbor2
import numpy as np
import pytest
import yaml

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grid
from vidgen_nodes.scene import building_cache, ifc_building, ifc_model
from vidgen_nodes.scene.building import Building, load_building
from vidgen_nodes.scene.building_summary import building_summary
from vidgen_nodes.scene.ifc_model import read_ifc
from vidgen_nodes.scene.materials import material_table

SCHEMAS = ("IFC2X3", "IFC4", "IFC4X3")
SHARED = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
real_models = pytest.mark.skipif(
    not (SHARED / "ifc").is_dir(), reason="no shared recordings here; set VIDGEN_SHARED_DATA"
)


def extent(surfaces):
    corners = np.concatenate([item.corners_m for item in surfaces])
    return corners.min(axis=0), corners.max(axis=0)


def of(building, word):
    found = [item for item in building.surfaces if word in item.name]
    assert found, [item.name for item in building.surfaces]
    return found


def facing(surface):
    """Mean outward normal of a surface."""
    triangles = surface.triangles_m
    vectors = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return vectors.sum(axis=0) / np.linalg.norm(vectors.sum(axis=0))


@pytest.fixture(autouse=True)
def _read_here(monkeypatch):
    """In this process, which is quicker to start; ``test_ifc_process.py`` reads in another one."""

    def read(path, **rest):
        return read_ifc(path, material_table(), **rest)

    monkeypatch.setattr(ifc_building, "read_apart", read)


@pytest.fixture
def load(tmp_path):
    def write_and_load(site, **placed):
        path = site.write(tmp_path / "model.ifc")
        if not placed:
            return load_building(path)
        file = tmp_path / "house.yaml"
        file.write_text(yaml.safe_dump({"ifc": "model.ifc", **placed}))
        return load_building(file)

    return write_and_load


HERE = {"map_T_ifc": {"translation_m": [0, 0, 0]}}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_wall_of_every_schema_names_its_way_through_the_model(ifc_site, load, schema):
    site = ifc_site(schema)
    wall = site.wall("West wall", low=(1, 2, 0))
    site.give(site.material("Oak timber"), wall)
    building = load(site, **HERE)
    (surface,) = building.surfaces
    assert (surface.kind, surface.material, surface.combustible) == ("wall", "Oak timber", True)
    assert surface.material_id == "wood"
    assert surface.path == f"P/S/B/L1/West wall [{wall.GlobalId}]"
    assert "material 'Oak timber' is wood of materials.yaml" in surface.decided_by
    low, high = extent([surface])
    assert low == pytest.approx([1, 2, 0])
    assert high == pytest.approx([5, 2.2, 3])
    assert surface.area_m2 == pytest.approx(2 * (4 * 3 + 0.2 * 3 + 4 * 0.2))


@pytest.mark.parametrize(
    ("unit", "scale"), [("mm", 1000.0), ("inch", 1 / 0.0254), ("foot", 1 / 0.3048), ("metre", 1.0)]
)
def test_units_of_the_project_become_metres(ifc_site, load, unit, scale):
    site = ifc_site("IFC4", unit)
    site.wall(low=(scale, 0, 0), size=(4 * scale, 0.2 * scale, 3 * scale))
    low, high = extent(load(site).surfaces)
    assert low == pytest.approx([1, 0, 0], abs=1e-4)
    assert high == pytest.approx([5, 0.2, 3], abs=1e-4)


def test_millimetres_declared_as_metres_are_refused_and_can_be_put_right(ifc_site, load):
    site = ifc_site("IFC4", "metre")
    site.wall(size=(4000, 200, 3000))
    with pytest.raises(ConfigError, match=r"metres_per_unit in a building YAML"):
        load(site)
    building = load(site, **HERE, metres_per_unit=0.001)
    assert extent(building.surfaces)[1] == pytest.approx([4, 0.2, 3])
    assert any("0.001 m by the building file" in note for note in building.notes)


def test_a_model_without_a_unit_is_refused(ifc_site, load):
    site = ifc_site("IFC4", None)
    site.wall()
    with pytest.raises(ConfigError, match="unit of length: got none"):
        load(site)
    assert extent(load(site, **HERE, metres_per_unit=1.0).surfaces)[1] == pytest.approx([4, 0.2, 3])


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


def test_a_survey_names_a_material_that_the_model_does_not(ifc_site, load):
    site = ifc_site()
    site.give(site.material("Default Wall"), site.wall())
    (surface,) = load(site, **HERE, material_names={"Default Wall": "plywood"}).surfaces
    assert (surface.combustible, surface.material, surface.material_id) == (True, "Default Wall", "plywood")
    with pytest.raises(ConfigError, match="material_names"):
        load(site, **HERE, material_names={"Default Wall": "unobtainium"})


def test_the_cache_gives_the_same_building_and_survives_damage(ifc_site, load, tmp_path, monkeypatch):
    site = ifc_site()
    site.give(site.layers("Timber", "Plasterboard"), site.wall())
    first = load(site, **HERE)
    (file,) = building_cache.cache_dir().glob("*.npz")
    with monkeypatch.context() as patched:
        patched.setattr(
            "vidgen_nodes.scene.ifc_building.read_apart", lambda *args, **rest: pytest.fail("parsed again")
        )
        assert load_building(tmp_path / "house.yaml").digest == first.digest
    file.write_bytes(file.read_bytes()[:-7])
    assert load_building(tmp_path / "house.yaml").digest == first.digest
    file.write_bytes(b"")
    assert load_building(tmp_path / "house.yaml").digest == first.digest
    (tmp_path / "model.ifc").write_bytes((tmp_path / "model.ifc").read_bytes().replace(b"Timber", b"Bricks"))
    assert load_building(tmp_path / "house.yaml").digest != first.digest


def test_a_cache_that_cannot_be_written_costs_only_time(ifc_site, load, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    site = ifc_site()
    site.wall()
    assert load(site).surfaces


def test_the_order_of_entities_does_not_change_the_digest(ifc_site, tmp_path):
    def written(names):
        site = ifc_site()
        for name, y in names:
            wall = site.wall(name, low=(0, y, 0))
            wall.GlobalId = f"{name:0>22}"
            site.give(site.material("Timber"), wall)
        return load_building(site.write(tmp_path / "m.ifc")).digest

    assert written([("a", 0), ("b", 5)]) == written([("b", 5), ("a", 0)])


def test_a_ledger_record_makes_the_same_building_again(ifc_site, load):
    site = ifc_site()
    site.give(site.layers("Timber", "Plasterboard"), site.wall())
    building = load(site, **HERE)
    record = dataclass_record(building)
    assert hashlib.sha256(record).digest() == building.digest
    again = Building.from_record(cbor2.loads(record))
    assert again.digest == building.digest
    grid = Grid(-1.0, -1.0, 0.5, 16, 16)
    assert again.combustible_cells(grid).evidence == building.combustible_cells(grid).evidence


def test_progress_is_told_and_only_grows(ifc_site, tmp_path):
    site = ifc_site()
    for index in range(5):
        site.wall(f"w{index}", low=(0, 2 * index, 0))
    told = []
    load_building(site.write(tmp_path / "m.ifc"), progress=lambda share, what: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_doubled_global_ids_get_different_names(ifc_site, load):
    site = ifc_site()
    for y in (0, 5):
        site.wall("same", low=(0, y, 0)).GlobalId = "0" * 22
    assert len({item.name for item in load(site).surfaces}) == 2


def test_summary_adds_up(ifc_site, load):
    site = ifc_site()
    site.give(site.material("Timber"), site.wall("a"))
    site.give(site.material("Concrete"), site.wall("b", low=(0, 5, 0)))
    site.wall("c", low=(0, 9, 0))
    site.box("IfcFurnishingElement", "chair", (2, 2, 0), (0.5, 0.5, 1))
    lines = building_summary(load(site, **HERE))
    area = 2 * (4 * 3 + 0.2 * 3 + 4 * 0.2)
    assert f"burns {area:.1f} m2, does not burn {area:.1f} m2, unknown {area:.1f} m2" in lines
    assert any("3 elements (3 wall)" in line for line in lines)
    assert any("1 IfcFurnishingElement" in line for line in lines)


# Bad files.


def broken(tmp_path, data):
    path = tmp_path / "bad.ifc"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n", "ISO-10303-21"),
        (b"PK\x03\x04zip", "ifczip"),
        ("ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n#1=IFCWALL(", "cut short"),
        (
            "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC5'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n",
            "IFC5",
        ),
        ("ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n", "schema"),
        (
            "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n",
            "header",
        ),
    ],
)
def test_files_that_are_no_whole_model_are_refused(ifc_site, tmp_path, data, words):
    with pytest.raises(ConfigError, match=words):
        load_building(broken(tmp_path, data))


@pytest.mark.parametrize("token", ["NAN", "nan", "1.#QNAN", "-1.#IND", "INF", "-inf"])
def test_numbers_that_are_none_are_refused_where_they_stand(ifc_site, tmp_path, token):
    site = ifc_site()
    site.wall("Wall (nan, inf)")
    text = site.write(tmp_path / "m.ifc").read_text()
    assert load_building(tmp_path / "m.ifc").surfaces  # as a text they are fine
    place = text.index("IFCCARTESIANPOINT((0.,0.,0.))")
    entity = text[text.rindex("#", 0, place) : place].split("=")[0]
    spoilt = text.replace("IFCCARTESIANPOINT((0.,0.,0.))", f"IFCCARTESIANPOINT(({token},0.,0.))", 1)
    with pytest.raises(ConfigError, match=entity):
        load_building(broken(tmp_path, spoilt))


def test_an_empty_model_is_refused(ifc_site, tmp_path):
    import ifcopenshell

    ifcopenshell.file(schema="IFC4").write(str(tmp_path / "m.ifc"))
    with pytest.raises(ConfigError, match="no IfcProject"):
        load_building(tmp_path / "m.ifc")


def test_a_model_without_building_elements_is_refused(ifc_site, load):
    with pytest.raises(ConfigError, match="building elements"):
        load(ifc_site())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.ifc"):
        load_building(tmp_path / "nowhere.ifc")


def test_a_missing_library_is_named_with_its_remedy(ifc_site, load, monkeypatch):
    site = ifc_site()
    site.wall()
    monkeypatch.setitem(sys.modules, "ifcopenshell.geom", None)
    with pytest.raises(ConfigError, match=r"pip install --no-deps ifcopenshell"):
        load(site)


def test_a_model_beyond_all_bounds_is_refused_before_it_fills_the_memory(ifc_site, load, monkeypatch):
    site = ifc_site()
    for index in range(4):
        site.wall(f"w{index}", low=(0, 2 * index, 0))
    monkeypatch.setattr(ifc_model, "_LARGEST_MODEL", 30)
    with pytest.raises(ConfigError, match="more than 30 triangles"):
        load(site)


def test_more_elements_than_fit_are_refused_before_they_are_cut(ifc_site, load, monkeypatch):
    site = ifc_site()
    for index in range(4):
        site.wall(f"w{index}", low=(0, 2 * index, 0))
    monkeypatch.setattr(ifc_model, "_MOST_ELEMENTS", 3)
    monkeypatch.setattr(ifc_model, "_shapes", lambda *args: pytest.fail("cut"))
    with pytest.raises(ConfigError, match="got 4 building elements, expected at most 3"):
        load(site)


def without(path, lost):
    lines = path.read_text().splitlines()
    assert any(lost in line for line in lines)
    path.write_text("\n".join(line for line in lines if lost not in line))


@pytest.mark.parametrize("lost", ["IFCMATERIALLAYERSET(", "IFCPROPERTYSET("])
def test_a_reference_to_nothing_is_refused_with_the_element(ifc_site, tmp_path, lost):
    site = ifc_site()
    wall = site.wall()
    site.give(site.layers("Timber", "Plasterboard"), wall)
    site.pset(wall, "Pset_WallCommon", Combustible=True)
    path = site.write(tmp_path / "model.ifc")
    without(path, lost)
    with pytest.raises(ConfigError, match=r"IfcWall\w* #\d+: the model is damaged .*export it again"):
        load_building(path)


def test_a_material_that_is_gone_is_unknown(ifc_site, tmp_path):
    site = ifc_site()
    site.give(site.layers("Timber", "Timber"), site.wall())
    path = site.write(tmp_path / "model.ifc")
    without(path, "IFCMATERIAL(")
    assert {item.combustible for item in load_building(path).surfaces} == {None}


def test_an_element_that_is_far_too_fine_is_left_out_and_counted(ifc_site, load, monkeypatch):
    site = ifc_site()
    site.wall("plain")
    column = site.box("IfcColumn", "round", (9, 0, 0), (1, 1, 3))
    circle = site.make(
        "IfcCircleProfileDef", "AREA", None, site.make("IfcAxis2Placement2D", site.point(0, 0)), 0.5
    )
    column.Representation.Representations[0].Items[0].SweptArea = circle
    monkeypatch.setattr(ifc_model, "_LARGEST_ELEMENT", 20)
    building = load(site)
    assert len(building.surfaces) == 1
    assert any("1 elements with more than 20 triangles" in note for note in building.notes)


def test_an_element_whose_shape_cannot_be_made_is_counted(ifc_site, load):
    site = ifc_site()
    site.wall("good")
    bad = site.wall("bad", low=(0, 5, 0))
    bad.Representation.Representations[0].Items[0].Depth = 0.0
    building = load(site)
    assert {item.path.split("/")[-1].split(" ")[0] for item in building.surfaces} == {"good"}
    assert any("left out" in note for note in building.notes)


@pytest.mark.parametrize(
    "changes",
    [{"map_T_IFC": {}}, {"ifc": 5}, {"metres_per_unit": 0}, {"metres_per_unit": "m"}, {"material_names": []}],
)
def test_a_building_file_with_a_wrong_key_or_value_is_refused(ifc_site, tmp_path, changes):
    site = ifc_site()
    site.wall()
    site.write(tmp_path / "model.ifc")
    (tmp_path / "h.yaml").write_text(yaml.safe_dump({"ifc": "model.ifc", **changes}))
    with pytest.raises(ConfigError, match=next(iter(changes))):
        load_building(tmp_path / "h.yaml")


# Georeference.

DATUM = {"latitude_deg": 47.37, "longitude_deg": 8.54, "altitude_m": 450.0}


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


# Models by others.


@real_models
def test_real_placeholders_stay_unknown():
    building = load_building(SHARED / "ifc" / "bimwhale_SimpleWall.ifc")
    assert {item.kind for item in building.surfaces} == {"wall", "door"}
    assert {item.combustible for item in building.surfaces} == {None}


@real_models
def test_a_real_house_is_understood(tmp_path):
    (tmp_path / "h.yaml").write_text(
        yaml.safe_dump({"ifc": str(SHARED / "ifc" / "bimwhale_LargeBuilding.ifc"), **HERE})
    )
    building = load_building(tmp_path / "h.yaml")
    known = {item.material: item.combustible for item in building.surfaces}
    assert known["Default Wall"] is None
    assert known["Gypsum Wall Board"] is False
    assert known["Cherry"] is True
    assert known["Glass"] is False
    assert any("IfcFurnishingElement" in note for note in building.notes)
    again = dataclasses.replace(building, digest=b"")
    assert again.digest == building.digest
