# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""An element that ends the library, or keeps it busy for ever, costs that element and not the model.

The reader runs in its own process as always; only, in there, some elements really end it.
"""

from __future__ import annotations

import sys

import pytest

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene import ifc_process
from vidgen_nodes.scene.building import load_building
from vidgen_nodes.scene.ifc_process import read_apart

READER = """
import os, signal, sys
from vidgen_nodes.scene import ifc_model, ifc_process

one_by_one = ifc_model.shapes_one_by_one

def at_once(library, model, elements, begin):
    begin(None)
    for element in elements:
        break_on(element)
    raise AssertionError("no element broke the library")
    yield

def break_on(element):
    name = element.Name or ""
    if name.startswith("breaks"):
        os.kill(os.getpid(), signal.SIGSEGV)
    while name.startswith("hangs"):
        pass

def carefully(library, elements, begin):
    def told(element):
        begin(element)
        break_on(element)
    return one_by_one(library, elements, told)

ifc_model.shapes, ifc_model.shapes_one_by_one = at_once, carefully
sys.exit(ifc_process.main())
"""


@pytest.fixture
def breaking(tmp_path, monkeypatch):
    (tmp_path / "breaking_reader.py").write_text(READER)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setattr(ifc_process, "_MODULE", "breaking_reader")
    monkeypatch.setattr(ifc_process, "MOST_STEP_S", 0.5)


def model(ifc_site, tmp_path, *names):
    site = ifc_site()
    for index, name in enumerate(names):
        site.wall(name, low=(0, 3 * index, 0))
    return site.write(tmp_path / "model.ifc")


@pytest.mark.usefixtures("breaking")
def test_elements_that_break_the_library_are_named_and_the_others_are_there(ifc_site, tmp_path):
    told = []
    path = model(ifc_site, tmp_path, "a", "breaks one", "b", "hangs", "breaks two")
    content = read_apart(path, progress=lambda share, what: told.append(share))
    assert {item.path.split("/")[-1].split(" [")[0] for item in content.surfaces} == {"a", "b"}
    (broke,) = (note for note in content.notes if "SIGSEGV" in note)
    assert broke.startswith("2 elements break the library (SIGSEGV) and were left out")
    assert "breaks one" in broke
    assert "breaks two" in broke
    assert any(
        "1 elements take more than 0.5 s to make and were left out: IfcWall 'hangs'" in note
        for note in content.notes
    )
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.usefixtures("breaking")
def test_a_model_in_which_too_much_is_broken_is_refused(ifc_site, tmp_path, monkeypatch):
    monkeypatch.setattr(ifc_process, "MOST_BROKEN", 2)
    path = model(ifc_site, tmp_path, "a", "breaks 1", "breaks 2", "breaks 3")
    with pytest.raises(ConfigError, match="SIGSEGV: the model is damaged"):
        load_building(path)


@pytest.mark.usefixtures("breaking")
def test_a_model_of_which_nothing_is_left_is_refused_with_the_reason(ifc_site, tmp_path):
    with pytest.raises(ConfigError, match=r"no element has geometry: 1 elements break the library"):
        load_building(model(ifc_site, tmp_path, "breaks"))
