# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.building import load_building

GRID = Grid(0.0, 0.0, 1.0, 10, 10)
YARD = {
    "type": "Feature",
    "properties": {
        "name": "pallets",
        "kind": "covering",
        "material": "wood",
        "combustible": True,
        "height_m": 2.0,
    },
    "geometry": {"type": "Polygon", "coordinates": [[[1, 1], [5, 1], [5, 4], [3, 1.5], [1, 4], [1, 1]]]},
}
FENCE = {
    "type": "Feature",
    "properties": {"name": "fence", "kind": "wall", "material": "unknown", "height_m": 1.5},
    "geometry": {"type": "LineString", "coordinates": [[7, 1], [7, 8]]},
}
CONTENT = {"type": "FeatureCollection", "frame": "map", "features": [YARD, FENCE]}


@pytest.fixture
def load(tmp_path):
    def write_and_load(content, to_map=None):
        path = tmp_path / "site.geojson"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return load_building(path, to_map)

    return write_and_load


def test_areas_and_lines_become_surfaces(load):
    building = load(CONTENT)
    assert {item.name: item.combustible for item in building.surfaces} == {"pallets": True, "fence": None}
    fuel = building.combustible_cells(GRID)
    assert fuel.combustible[1, 1:5].all()
    assert not fuel.combustible[3, 3]  # the notch of the outline
    assert fuel.unknown[1:8, 7].all() or fuel.unknown[1:8, 6].all()
    assert np.nanmax(fuel.highest_m) == 2.0
    pallets = next(item for item in building.surfaces if item.name == "pallets")
    perimeter = 4 + 3 + 2 * np.hypot(2.0, 2.5) + 3
    assert pallets.area_m2 == pytest.approx(4 * 3 - 0.5 * 4 * 2.5 + 2.0 * perimeter)
    assert "combustible: true in the building file" in fuel.evidence["pallets"]


def test_a_hole_is_not_fuel(load):
    content = copy.deepcopy(CONTENT)
    content["features"][0]["properties"]["height_m"] = 0.0
    content["features"][0]["geometry"]["coordinates"] = [
        [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]],
        [[3, 3], [6, 3], [6, 6], [3, 6], [3, 3]],
    ]
    fuel = load(content).combustible_cells(GRID)
    assert fuel.combustible.sum() == 81 - 9


def test_longitude_and_latitude_need_a_datum(load):
    content = {**copy.deepcopy(CONTENT), "frame": "wgs84", "features": [copy.deepcopy(YARD)]}
    content["features"][0]["geometry"]["coordinates"] = [[[8.54, 47.37], [8.5401, 47.37], [8.5401, 47.3701]]]
    with pytest.raises(ConfigError, match="datum"):
        load(content)
    content["datum"] = {"latitude_deg": 47.37, "longitude_deg": 8.54, "altitude_m": 450.0}
    corners = load(content).surfaces[0].corners_m
    assert corners[:, :2].min(axis=0) == pytest.approx([0, 0], abs=0.01)
    assert corners[:, :2].max(axis=0) == pytest.approx([7.55, 11.12], abs=0.05)


def test_areas_of_a_yaml_file(tmp_path):
    area = {"name": "yard", "kind": "covering", "material": "dry grass", "combustible": True}
    area["outline_m"] = [[1, 1], [5, 1], [5, 4], [1, 4]]
    (tmp_path / "site.yaml").write_text(yaml.safe_dump({"name": "site", "frame": "map", "areas": [area]}))
    building = load_building(tmp_path / "site.yaml")
    assert building.combustible_cells(GRID).combustible.sum() == 12
    assert building.surfaces[0].material_id == "dry_grass"


def changed(**changes):
    content = copy.deepcopy(CONTENT)
    for key, value in changes.items():
        content["features"][0]["properties" if key != "geometry" else "geometry"].update(
            value if key == "geometry" else {key: value}
        )
    return content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "JSON"),
        ("[]", "FeatureCollection"),
        ({"type": "FeatureCollection"}, "FeatureCollection"),
        ({**CONTENT, "frame": "odom"}, "odom"),
        ({**CONTENT, "features": [5]}, "Feature"),
        ({**CONTENT, "features": [YARD, YARD]}, "2 times"),
        ({**CONTENT, "frame": "wgs84", "datum": [1, 2, 3]}, "datum"),
        (changed(name=""), "name"),
        (changed(kind="lawn"), "lawn"),
        (changed(combustible="yes"), "yes"),
        (changed(colour=1), "colour"),
        (changed(height_m=-1), "height"),
        (changed(height_m="2"), "height"),
        (changed(base_m=1e9), "base"),
        (changed(geometry={"type": "Point"}), "Point"),
        (changed(geometry={"coordinates": 5}), "coordinates"),
        (changed(geometry={"coordinates": [[[0, 0], [1, 1]]]}), "three corners"),
        (changed(geometry={"coordinates": [[[0, 0], [4, 4], [4, 0], [0, 4]]]}), "Self-intersection"),
        (changed(geometry={"coordinates": [[[0, 0], [4, 4], [4, "x"]]]}), "outline"),
        (changed(geometry={"coordinates": [[[0, 0], [4, 1e9], [4, 0]]]}), "datum"),
        (changed(geometry={"coordinates": []}), "corners"),
    ],
)
def test_a_wrong_map_is_refused_in_plain_words(load, content, words):
    with pytest.raises(ConfigError, match=words):
        load(content)


def test_not_a_number_is_refused(load):
    with pytest.raises(ConfigError, match="outline"):
        load(json.dumps(CONTENT).replace("[5, 1]", "[NaN, 1]"))
