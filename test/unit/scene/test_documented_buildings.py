# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/BUILDINGS.md shows is read as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vidgen_nodes.scene.building import load_building
from vidgen_nodes.scene.building_file import _OWN_KEYS, _SURFACE_KEYS
from vidgen_nodes.scene.fuel_map import _AREA_KEYS
from vidgen_nodes.scene.ifc_building import _KEYS
from vidgen_nodes.scene.surface import KINDS

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "BUILDINGS.md").read_text(encoding="utf-8")


def block(kind: str, number: int = 0) -> str:
    return re.findall(rf"```{kind}\n(.*?)```", DOCUMENT, re.DOTALL)[number]


def test_the_building_of_a_model_is_placed_and_its_names_are_known(ifc_site, tmp_path):
    site = ifc_site("IFC4", "inch")
    site.give(site.layers("WD-07"), site.wall(size=(160, 8, 120)))
    site.write(tmp_path / "depot.ifc")
    (tmp_path / "site.yaml").write_text(block("yaml"), encoding="utf-8")
    building = load_building(tmp_path / "site.yaml")
    assert (building.name, building.placed) == ("depot", True)
    assert {item.combustible for item in building.surfaces} == {True}


def test_surfaces_and_areas_are_read(tmp_path):
    (tmp_path / "site.yaml").write_text(block("yaml", 1), encoding="utf-8")
    building = load_building(tmp_path / "site.yaml")
    assert [(item.name, item.combustible) for item in building.surfaces] == [
        ("shed_east", True),
        ("timber_stack", True),
    ]
    assert all(item.material_id for item in building.surfaces)


def test_the_fuel_map_is_read(tmp_path):
    (tmp_path / "site.geojson").write_text(block("json"), encoding="utf-8")
    (hedge,) = load_building(tmp_path / "site.geojson").surfaces
    assert hedge.combustible is True
    assert hedge.corners_m[:, 2].max() == pytest.approx(1.8)


def test_every_key_and_kind_is_documented():
    for word in {*_KEYS, *_OWN_KEYS, *_SURFACE_KEYS, *_AREA_KEYS, *KINDS}:
        assert re.search(rf"\b{word}\b", DOCUMENT), word
