# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Models as buildings: schemas, cache, digest, summary."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from pathlib import Path

import cbor2
import numpy as np
import pytest
import yaml

from vidgen_nodes.custody.digest import dataclass_record
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grid
from vidgen_nodes.scene import building_cache
from vidgen_nodes.scene.building import Building, load_building, read_model_ahead
from vidgen_nodes.scene.building_summary import building_summary

pytestmark = pytest.mark.usefixtures("read_here")
SCHEMAS = ("IFC2X3", "IFC4", "IFC4X3")
HERE = {"map_T_ifc": {"translation_m": [0, 0, 0]}}
SHARED = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
real_models = pytest.mark.skipif(
    not (SHARED / "ifc").is_dir(), reason="no shared recordings here; set VIDGEN_SHARED_DATA"
)


def extent(surfaces):
    corners = np.concatenate([item.corners_m for item in surfaces])
    return corners.min(axis=0), corners.max(axis=0)


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


@pytest.mark.parametrize("named", ["model.ifc", "house.yaml"])
def test_a_model_read_ahead_is_not_read_again(ifc_site, tmp_path, monkeypatch, named):
    site = ifc_site()
    site.wall()
    site.write(tmp_path / "model.ifc")
    (tmp_path / "house.yaml").write_text(yaml.safe_dump({"ifc": "model.ifc", **HERE}))
    told = []
    read_model_ahead(tmp_path / named, lambda share, what: told.append(share))
    assert told[-1] == 1.0
    monkeypatch.setattr(
        "vidgen_nodes.scene.ifc_building.read_apart", lambda *args, **rest: pytest.fail("read again")
    )
    assert load_building(tmp_path / "house.yaml").surfaces
    again = []
    read_model_ahead(tmp_path / named, lambda share, what: again.append(share))
    assert again == []


def test_reading_ahead_does_nothing_for_buildings_without_a_model(tmp_path):
    (tmp_path / "empty.yaml").write_text("{name: n, frame: map, surfaces: []}")
    (tmp_path / "fuel.geojson").write_text("{}")
    for name in ("empty.yaml", "fuel.geojson"):
        read_model_ahead(tmp_path / name, lambda share, what: pytest.fail("read something"))


def test_of_two_that_want_one_model_the_second_waits_and_takes_what_the_first_read():
    with building_cache.turn("key", lambda: pytest.fail("nobody is there")):
        waited = threading.Event()
        entered = threading.Event()

        def second():
            with building_cache.turn("key", waited.set):
                entered.set()

        thread = threading.Thread(target=second)
        thread.start()
        assert waited.wait(10.0)
        assert not entered.is_set()
    thread.join(10.0)
    assert entered.is_set()
