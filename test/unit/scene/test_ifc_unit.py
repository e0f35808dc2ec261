# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Units that the library under us cannot read must not turn a house into a mountain."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.scene.building import load_building

pytestmark = pytest.mark.usefixtures("read_here")


def height_m(building):
    z = np.concatenate([item.corners_m[:, 2] for item in building.surfaces])
    return z.max() - z.min()


def test_one_bad_unit_beside_millimetres_does_not_make_them_metres(ifc_site, tmp_path):
    site = ifc_site("IFC4", "mm")
    site.box("IfcSlab", "slab", (0, 0, 0), (4000, 4000, 200))  # no wall whose height would tell
    assigned = site.project.UnitsInContext
    assigned.Units = [*assigned.Units, site.make("IfcSIUnit", UnitType="LUMINOUSINTENSITYUNIT", Name="LUMEN")]
    building = load_building(site.write(tmp_path / "m.ifc"))
    assert height_m(building) == pytest.approx(0.2)


def test_a_factor_without_its_type_is_a_number_all_the_same(ifc_site, tmp_path):
    site = ifc_site("IFC4", "foot")
    site.wall(size=(10, 1, 10))
    path = site.write(tmp_path / "m.ifc")
    text = path.read_text()
    assert "IFCREAL(0.3048)" in text
    path.write_text(text.replace("IFCREAL(0.3048)", "0.3048"))
    building = load_building(path)
    assert height_m(building) == pytest.approx(3.048)
    assert any("cannot be read" in note for note in building.notes)


def test_units_of_something_else_do_not_count_as_those_of_the_model(ifc_site, tmp_path):
    site = ifc_site("IFC4", "mm")
    site.wall(size=(4000, 200, 3000))
    metre = site.make("IfcSIUnit", UnitType="LENGTHUNIT", Name="METRE")
    site.make("IfcUnitAssignment", Units=[metre])  # that nothing refers to
    assert height_m(load_building(site.write(tmp_path / "m.ifc"))) == pytest.approx(3.0)
