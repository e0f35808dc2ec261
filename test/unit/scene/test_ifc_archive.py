# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Models in archives, under other names, and archives that are none."""

from __future__ import annotations

import zipfile

import pytest
import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene import ifc_archive
from vidgen_nodes.scene.building import load_building

pytestmark = pytest.mark.usefixtures("read_here")


@pytest.fixture
def model(ifc_site, tmp_path):
    site = ifc_site()
    wall = site.wall()
    site.give(site.material("Timber"), wall)
    return site.write(tmp_path / "model.ifc")


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return path


@pytest.mark.parametrize("name", ["model.ifczip", "model.IFCZIP", "model.zip", "model.ifc"])
def test_an_archive_is_read_as_the_model_in_it(model, tmp_path, name):
    (tmp_path / "sub").mkdir()
    packed = zipped(tmp_path / "sub" / name, house_dot_IFC=model.read_bytes(), readme_dot_txt=b"see house")
    plain, found = load_building(model), load_building(packed)
    assert [item.name for item in found.surfaces] == [item.name for item in plain.surfaces]
    assert [item.combustible for item in found.surfaces] == [True]


def test_a_building_file_may_name_an_archive(model, tmp_path):
    zipped(tmp_path / "model.ifczip", model_dot_ifc=model.read_bytes())
    (tmp_path / "house.yaml").write_text(
        yaml.safe_dump({"ifc": "model.ifczip", "map_T_ifc": {"translation_m": [0, 0, 0]}})
    )
    assert load_building(tmp_path / "house.yaml").placed


def test_a_model_under_another_name_is_known_by_its_first_line(model, tmp_path):
    other = tmp_path / "export.txt"
    other.write_bytes(b"\xef\xbb\xbf" + model.read_bytes())
    assert load_building(other).surfaces


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "holds nothing, expected exactly one .ifc"),
        ({"a_dot_ifcxml": b"<ifcXML/>"}, "a.ifcxml, expected exactly one .ifc"),
        ({"a_dot_ifc": b"x", "b_dot_ifc": b"x"}, "a.ifc, b.ifc, expected exactly one"),
        ({"a_dot_ifc": b"not a model"}, "expected ISO-10303-21"),
        ({"__up_dot_ifc": b"not a model"}, "/up.ifc"),
    ],
)
def test_an_archive_without_one_model_is_refused_by_what_it_holds(tmp_path, members, words):
    with pytest.raises(ConfigError) as err:
        load_building(zipped(tmp_path / "m.ifczip", **members))
    assert words in str(err.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_an_archive_cut_short_is_refused(model, tmp_path, share):
    path = zipped(tmp_path / "m.ifczip", model_dot_ifc=model.read_bytes())
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ConfigError, match="archive cannot be read"):
        load_building(path)


def test_an_archive_that_unpacks_without_end_is_refused_before_it_fills_the_disk(
    model, tmp_path, monkeypatch
):
    monkeypatch.setattr(ifc_archive, "LARGEST_BYTES", 1 << 20)
    path = zipped(tmp_path / "m.ifczip", model_dot_ifc=b" " * (2 << 20) + model.read_bytes())
    with pytest.raises(ConfigError, match="over 1 MB"):
        load_building(path)


def test_ifcxml_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "m.ifcxml"
    path.write_text('<?xml version="1.0" encoding="UTF-8"?>\n<ifcXML/>\n')
    with pytest.raises(ConfigError, match=r"ifcXML, which is not read; export it as \.ifc"):
        load_building(path)
