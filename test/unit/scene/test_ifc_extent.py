# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Models far from their origin, and elements far from their model."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.building import load_building

pytestmark = pytest.mark.usefixtures("read_here")
GRID_M = (2_683_000.0, 1_247_000.0, 430.0)


def houses(site, count, at=(0.0, 0.0, 0.0)):
    for index in range(count):
        site.give(site.material("Timber"), site.wall(f"w{index}", low=(at[0] + 5 * index, at[1], at[2])))


def test_a_model_at_its_grid_coordinates_loses_nothing_to_rounding(ifc_site, tmp_path):
    near, far = ifc_site(), ifc_site()
    houses(near, 3)
    houses(far, 3, GRID_M)
    one = load_building(near.write(tmp_path / "near.ifc"))
    other = load_building(far.write(tmp_path / "far.ifc"))
    areas = [sorted(round(item.area_m2, 4) for item in building.surfaces) for building in (one, other)]
    assert areas[0] == areas[1]
    low = np.min([item.corners_m.min(axis=0) for item in other.surfaces], axis=0)
    assert low == pytest.approx(GRID_M)


def test_a_stray_at_the_origin_of_a_model_at_grid_coordinates_is_left_out_by_name(ifc_site, tmp_path):
    site = ifc_site()
    houses(site, 12, GRID_M)
    site.wall("forgotten")
    building = load_building(site.write(tmp_path / "m.ifc"))
    assert len(building.surfaces) == 12
    (note,) = (note for note in building.notes if "away from the others" in note)
    assert note.startswith("1 elements")
    assert "forgotten" in note


def test_two_models_in_one_are_refused(ifc_site, tmp_path):
    site = ifc_site()
    houses(site, 4)
    houses(site, 4, GRID_M)
    with pytest.raises(ConfigError, match="m wide, expected at most 5000 m"):
        load_building(site.write(tmp_path / "m.ifc"))
