# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Models beyond bounds, damaged ones, and what is told meanwhile."""

from __future__ import annotations

import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene import ifc_model, ifc_shape
from vidgen_nodes.scene.building import load_building

pytestmark = pytest.mark.usefixtures("read_here")


def test_progress_is_told_and_only_grows(ifc_site, tmp_path):
    site = ifc_site()
    for index in range(5):
        site.wall(f"w{index}", low=(0, 2 * index, 0))
    told = []
    load_building(site.write(tmp_path / "m.ifc"), progress=lambda share, what: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_model_without_building_elements_is_refused(ifc_site, load):
    with pytest.raises(ConfigError, match="building elements"):
        load(ifc_site())


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
    monkeypatch.setattr(ifc_model, "shapes", lambda *args: pytest.fail("cut"))
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


def test_an_element_that_is_far_too_fine_is_left_out_and_counted(ifc_site, load, monkeypatch):
    site = ifc_site()
    site.wall("plain")
    column = site.box("IfcColumn", "round", (9, 0, 0), (1, 1, 3))
    circle = site.make(
        "IfcCircleProfileDef", "AREA", None, site.make("IfcAxis2Placement2D", site.point(0, 0)), 0.5
    )
    column.Representation.Representations[0].Items[0].SweptArea = circle
    monkeypatch.setattr(ifc_shape, "_LARGEST_ELEMENT", 20)
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
