# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A damaged, endless or huge model ends the process that reads it, and not the one that asks."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene import ifc_process
from vidgen_nodes.scene.building import load_building
from vidgen_nodes.scene.ifc_model import read_ifc
from vidgen_nodes.scene.ifc_process import read_apart
from vidgen_nodes.scene.materials import material_table


@pytest.fixture
def model(ifc_site, tmp_path):
    site = ifc_site("IFC4", "inch")
    site.give(site.layers("Timber", "Plasterboard"), site.wall(size=(160, 8, 120)))
    return site.write(tmp_path / "model.ifc")


def test_what_is_read_apart_is_what_is_read_here(model):
    told = []
    apart = read_apart(model, progress=lambda share, what: told.append((share, what)))
    here = read_ifc(model, material_table())
    assert (apart.name, apart.georeference, apart.notes) == (here.name, here.georeference, here.notes)
    assert len(apart.surfaces) == len(here.surfaces)
    for one, other in zip(apart.surfaces, here.surfaces, strict=True):
        assert (one.name, one.path, one.combustible) == (other.name, other.path, other.combustible)
        assert one.corners_m.tobytes() == other.corners_m.tobytes()
        assert np.array_equal(one.faces, other.faces)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert "opening the model" in told[0][1]


def test_while_one_step_takes_long_the_last_is_told_again(model, monkeypatch):
    monkeypatch.setattr(ifc_process, "REPEATED_S", 1e-3)
    told = []
    read_apart(model, progress=lambda share, what: told.append((share, what)))
    opening = [item for item in told if item[1].startswith("opening the model")]
    assert len(opening) > 1
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert not any(item.name == "progress" for item in threading.enumerate())


def test_a_refusal_comes_through_in_its_own_words(tmp_path):
    path = tmp_path / "model.ifc"
    path.write_text("ISO-10303-21;\nHEADER;\n")
    with pytest.raises(ConfigError, match="cut short"):
        read_apart(path)


def test_a_placement_relative_to_itself_is_refused_and_nobody_dies(ifc_site, tmp_path):
    site = ifc_site()
    placement = site.wall().ObjectPlacement
    placement.PlacementRelTo = placement
    path = site.write(tmp_path / "model.ifc")
    with pytest.raises(ConfigError, match=r"damaged|no element has geometry"):
        load_building(path)


def test_a_reader_that_says_nothing_is_ended(model, monkeypatch):
    monkeypatch.setattr(ifc_process, "MOST_SILENT_S", 0.02)  # it takes longer to start
    with pytest.raises(ConfigError, match="made no headway"):
        read_apart(model)


def test_a_reader_without_memory_is_refused(model, monkeypatch):
    monkeypatch.setattr(ifc_process, "MOST_BYTES", 200 << 20)  # less than its library takes
    with pytest.raises(ConfigError, match=r"MiB|allocate memory"):
        read_apart(model)


def test_a_reader_that_cannot_be_started_is_named(model, monkeypatch):
    monkeypatch.setattr("sys.executable", str(model))
    with pytest.raises(ConfigError, match="cannot be started"):
        read_apart(model)


def test_what_was_read_apart_is_kept(model, monkeypatch):
    first = load_building(model)
    monkeypatch.setattr(
        "vidgen_nodes.scene.ifc_building.read_apart", lambda *args, **rest: pytest.fail("again")
    )
    assert load_building(model).digest == first.digest
