# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are no models, units of length, the library."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.building import load_building

pytestmark = pytest.mark.usefixtures("read_here")
HERE = {"map_T_ifc": {"translation_m": [0, 0, 0]}}


def extent(surfaces):
    corners = np.concatenate([item.corners_m for item in surfaces])
    return corners.min(axis=0), corners.max(axis=0)


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


def broken(tmp_path, data):
    path = tmp_path / "bad.ifc"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n", "ISO-10303-21"),
        (b"PK\x03\x04zip", "archive"),
        ("ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n#1=IFCWALL(", "cut short"),
        (
            "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC5'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n",
            "IFC5",
        ),
        ("ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n", "schema"),
        (
            "ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n",
            "no IfcProject",
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


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.ifc"):
        load_building(tmp_path / "nowhere.ifc")


def test_a_missing_library_is_named_with_its_remedy(ifc_site, load, monkeypatch):
    site = ifc_site()
    site.wall()
    monkeypatch.setitem(sys.modules, "ifcopenshell.geom", None)
    with pytest.raises(ConfigError, match=r"pip install --no-deps ifcopenshell"):
        load(site)
