# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import os

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grid
from vidgen_nodes.scene.building import load_building

ROOF = {
    "name": "roof",
    "kind": "roof",
    "material": "concrete",
    "combustible": False,
    "corners_m": [[0, 0, 3], [4, 0, 3], [4, 4, 3], [0, 4, 3]],
}
WALL = {
    "name": "wall",
    "kind": "wall",
    "material": "timber_cladding",
    "combustible": True,
    "corners_m": [[4.2, 0, 0.5], [4.2, 4, 0.5], [4.2, 4, 3], [4.2, 0, 3]],
}
MYSTERY = {
    "name": "mystery",
    "kind": "wall",
    "material": "unknown",
    "corners_m": [[0.2, 0, 0], [0.2, 4, 0], [0.2, 4, 3], [0.2, 0, 3]],
}
CONTENT = {"name": "house", "frame": "map", "surfaces": [ROOF, WALL, MYSTERY]}
GRID = Grid(-1.0, -1.0, 1.0, 6, 7)


@pytest.fixture
def load(tmp_path):
    def write_and_load(content):
        path = tmp_path / "house.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        return load_building(path)

    return write_and_load


def changed(surface=0, **changes):
    content = copy.deepcopy(CONTENT)
    content["surfaces"][surface].update(changes)
    return content


def test_file_is_read(load):
    building = load(CONTENT)
    assert building.name == "house"
    assert {item.name: item.combustible for item in building.surfaces} == {
        "roof": False,
        "wall": True,
        "mystery": None,
    }


def test_missing_or_null_combustible_is_unknown_and_never_burns(load):
    assert load(changed(1, combustible=None)).combustible_cells(GRID).combustible.sum() == 0
    fuel = load(CONTENT).combustible_cells(GRID)
    assert set(zip(*np.nonzero(fuel.combustible), strict=True)) == {(row, 5) for row in range(1, 5)}
    assert set(zip(*np.nonzero(fuel.unknown), strict=True)) == {(row, 1) for row in range(1, 5)}
    assert set(zip(*np.nonzero(fuel.noncombustible), strict=True)) == {
        (row, col) for row in range(1, 5) for col in range(1, 5)
    }
    assert fuel.lowest_m[2, 5] == 0.5
    assert fuel.highest_m[2, 5] == 3.0
    assert np.isnan(fuel.lowest_m[~fuel.combustible]).all()
    assert fuel.names[2, 5] == ("wall",)


def test_a_surface_that_says_twice_whether_it_burns_is_refused(load):
    said = yaml.safe_dump(CONTENT).replace("combustible: false", "combustible: false\n  combustible: true", 1)
    with pytest.raises(ConfigError, match=r"house\.yaml: 'combustible': given twice"):
        load(said)


@pytest.mark.parametrize("name", ["house.yaml", "house.ifc", "house.geojson", "house"])
def test_a_pipe_as_building_is_refused_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ConfigError, match="is a pipe, a device or a socket"):
        load_building(tmp_path / name)


def test_fuel_is_kept_per_grid(load):
    building = load(CONTENT)
    assert building.combustible_cells(GRID) is building.combustible_cells(Grid(-1.0, -1.0, 1.0, 6, 7))
    assert building.combustible_cells(Grid(-1.0, -1.0, 0.5, 12, 14)).combustible.shape == (12, 14)


def test_digest_depends_on_content_alone(load):
    plain = load(CONTENT).digest
    assert len(plain) == 32
    assert load("# a comment\n" + yaml.safe_dump(CONTENT, default_flow_style=True)).digest == plain
    assert load({**CONTENT, "surfaces": [MYSTERY, WALL, ROOF]}).digest == plain
    assert load(changed(2, combustible=None)).digest == plain
    assert load(changed(2, combustible=False, material="brick")).digest != plain
    assert load(changed(0, corners_m=[[0, 0, 3.01], [4, 0, 3], [4, 4, 3], [0, 4, 3]])).digest != plain
    assert load(changed(0, kind="floor")).digest != plain


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("surfaces: [", "YAML"),
        ("just text", "mapping"),
        ("", "mapping"),
        ({**CONTENT, "surfaces": {}}, "list of surfaces"),
        ({**CONTENT, "frame": "odom"}, "odom"),
        ({"name": "house", "surfaces": []}, "frame"),
        ({**CONTENT, "name": ""}, "name"),
        ({**CONTENT, "colour": 1}, "colour"),
        ({**CONTENT, "surfaces": [ROOF, ROOF]}, "'roof' is there 2 times"),
        ({**CONTENT, "surfaces": ["roof"]}, "mapping"),
        (changed(kind="carpet"), "carpet"),
        (changed(combustable=True), "combustable"),
        (changed(combustible="yes"), "'yes'"),
        (changed(combustible=1), "got 1"),
        (changed(material=None), "material"),
        (changed(2, combustible=True), "contradicts"),
        (changed(corners_m=[[0, 0, 3], [4, 0, 3]]), "shape"),
        (changed(corners_m=[[0, 0], [4, 0], [4, 4], [0, 4]]), "shape"),
        (changed(corners_m=5), "three or more"),
        (changed(corners_m=[[0, 0, 3], [4, 0, 3], [4, 4, "3"], [0, 4, 3]]), "'3'"),
        (changed(corners_m=[[0, 0, 3], [4, 0, 3], [4, 4, float("nan")], [0, 4, 3]]), "finite"),
        (changed(corners_m=[[0, 0, 3], [4, 0, 3], [4, 4, float("inf")], [0, 4, 3]]), "finite"),
        (changed(corners_m=[[0, 0, 3], [4, 0, 3], [4, 4, 3.3], [0, 4, 3]]), "off their plane"),
        (changed(corners_m=[[0, 0, 3], [4, 0, 3], [0, 4, 3], [4, 4, 3]]), "no area"),
        (changed(corners_m=[[0, 0, 3], [4, 0, 3], [1, 1, 3], [0, 4, 3]]), "convex"),
        (changed(corners_m=[[1, 1, 3]] * 4), "no area"),
    ],
)
def test_wrong_file_is_refused_in_plain_words(load, content, words):
    with pytest.raises(ConfigError, match=words):
        load(content)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_building(tmp_path / "nowhere.yaml")


def test_roof_height_is_the_highest_roof_over_each_cell(make):
    building = make.building(
        make.plate("ground", -1, -1, 6, 5, 0.0, kind="floor"),
        make.plate("roof", 0, 0, 4, 4, 3.0),
        make.plate("shed", 3, 0, 5, 1, 2.0),
        make.plate("carpet", 0, 0, 4, 4, 9.0, kind="covering"),
        make.wall("wall", 4, 0, 4, 4, high=20.0),
    )
    height_m = building.roof_height(GRID)
    assert height_m.dtype == np.float32
    assert height_m[1, 1] == 3.0
    assert height_m[1, 4] == 3.0
    assert height_m[1, 5] == 2.0
    assert height_m[0, 0] == 0.0
    assert np.isnan(make.building(make.plate("roof", 0, 0, 4, 4, 3.0)).roof_height(GRID)[0, 0])


def test_sloped_roof_height_and_order_of_corners(make):
    corners = [[0, 0, 1], [4, 0, 3], [4, 4, 3], [0, 4, 1]]
    for order in (corners, corners[::-1]):
        height_m = make.building(make.surface("roof", order, kind="roof")).roof_height(GRID)
        assert height_m[2, 1:5] == pytest.approx([1.25, 1.75, 2.25, 2.75])


def _hit_distance(centre, ray, corners):
    """Nearest of the two triangles of a quad along a ray (Cramer's rule)."""
    best = np.inf
    for a, b, c in ((0, 1, 2), (0, 2, 3)):
        matrix = np.column_stack((-ray, corners[b] - corners[a], corners[c] - corners[a]))
        if abs(np.linalg.det(matrix)) > 1e-9:
            t, u, v = np.linalg.solve(matrix, centre - corners[a])
            if t > 0 and u >= 0 and v >= 0 and u + v <= 1:
                best = min(best, t)
    return best


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6))
def test_occlusion_depth_is_that_of_the_nearest_surface(make, seed):
    rng = np.random.default_rng(seed)
    surfaces = []
    for index in range(4):
        x, y, dx, dy = rng.uniform((-6, -6, 1, 1), (2, 2, 6, 6))
        if index % 2:
            surfaces.append(make.wall(f"w{index}", x, y, x + dx, y + dy, high=rng.uniform(1, 6)))
        else:
            surfaces.append(make.plate(f"p{index}", x, y, x + dx, y + dy, rng.uniform(0, 6)))
    centre = rng.uniform((-9, -9, 0), (9, 9, 9))
    rays = rng.normal(size=(5, 6, 3))
    rays /= np.linalg.norm(rays, axis=2, keepdims=True)
    found = make.building(*surfaces).occlusion_depth(centre, rays.astype(np.float32))
    assert found.shape == (5, 6)
    assert found.dtype == np.float32
    for ray, depth_m in zip(rays.reshape(-1, 3), found.ravel(), strict=True):
        expected = min(_hit_distance(centre, ray, item.corners_m) for item in surfaces)
        assert depth_m == pytest.approx(expected, rel=1e-3)


def test_no_ray_slips_through_the_seam_of_two_surfaces(make):
    building = make.building(make.plate("a", -5, -5, 0, 5, 0.0), make.plate("b", 0, -5, 5, 5, 0.0))
    targets = np.column_stack((np.zeros(200), np.linspace(-4.9, 4.9, 200), np.zeros(200)))
    centre = np.array([0.37, -0.21, 7.3])
    rays = (targets - centre) / np.linalg.norm(targets - centre, axis=1, keepdims=True)
    assert np.isfinite(building.occlusion_depth(centre, rays.astype(np.float32))).all()


def test_building_without_surfaces_hides_nothing(make):
    assert np.isinf(make.building().occlusion_depth(np.zeros(3), np.ones((2, 3), np.float32))).all()
    assert not make.building().combustible_cells(GRID).combustible.any()


def test_polygons_of_any_number_of_corners_work_alike(load, make):
    angles = np.arange(7) * 2 * np.pi / 7
    heptagon = np.column_stack((2 + 2 * np.cos(angles), 2 + 2 * np.sin(angles), np.full(7, 3.0)))
    building = load(changed(corners_m=heptagon.tolist()))
    roof = next(item for item in building.surfaces if item.name == "roof")
    assert roof.area_m2 == pytest.approx(0.5 * 7 * 4 * np.sin(2 * np.pi / 7))
    assert building.roof_height(GRID)[2, 2] == 3.0
    rays = np.random.default_rng(1).normal(size=(400, 3))
    rays[:, 2] = np.abs(rays[:, 2])
    rays = (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)
    centre = np.array([2.2, 1.9, 0.5])
    depth = make.building(roof).occlusion_depth(centre, rays)
    fan = make.mesh("fan", roof.corners_m, [[0, i, i + 1] for i in range(1, 6)])
    assert depth == pytest.approx(make.building(fan).occlusion_depth(centre, rays), rel=1e-4)
    assert np.isfinite(depth).any()
    assert np.isinf(depth).any()


def test_a_star_is_not_convex_though_it_turns_one_way(load):
    angles = np.arange(5) * 4 * np.pi / 5
    star = np.column_stack((np.cos(angles), np.sin(angles), np.full(5, 3.0)))
    with pytest.raises(ConfigError, match="convex"):
        load(changed(corners_m=star.tolist()))


def test_a_file_says_what_decided(load):
    wall = next(item for item in load(CONTENT).surfaces if item.name == "wall")
    assert wall.evidence() == "wall: timber_cladding, burns by combustible: true in the building file"
    assert wall.material_id == "wood"
