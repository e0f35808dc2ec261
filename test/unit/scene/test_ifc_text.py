# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What has to be said otherwise before the library reads a model: names of schemas, letters that are not escaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.building import load_building
from vidgen_nodes.scene.ifc_text import checked_text

pytestmark = pytest.mark.usefixtures("read_here")


def written(site, path, **replaced):
    """The model with texts put in place of others, byte by byte."""
    data = site.write(path).read_bytes()
    for old, new in replaced.items():
        assert old.encode() in data
        data = data.replace(old.encode(), new)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("written_in", "name", "called"),
    [
        ("utf-8", "Dämmplatte Holz", "UTF-8"),
        ("latin-1", "Dämmplatte Holz", "LATIN-1"),
        ("utf-8", "木 holz", "UTF-8"),
        ("gb18030", "木材 holz", "GB18030"),
        ("utf-8", "holz 🔥", "UTF-8"),
    ],
)
def test_letters_that_are_not_escaped_are_kept(ifc_site, tmp_path, written_in, name, called):
    site = ifc_site()
    site.give(site.material("NAMEHERE"), site.wall())
    building = load_building(written(site, tmp_path / "m.ifc", NAMEHERE=name.encode(written_in)))
    assert [item.material for item in building.surfaces] == [name]
    assert [item.combustible for item in building.surfaces] == [True]
    assert any(f"read as {called}" in note for note in building.notes)


def test_escaped_letters_need_no_note(ifc_site, tmp_path):
    site = ifc_site()
    site.give(site.material("Dämmplatte Holz"), site.wall())
    building = load_building(site.write(tmp_path / "m.ifc"))
    assert [item.material for item in building.surfaces] == ["Dämmplatte Holz"]
    assert not any("escaped" in note for note in building.notes)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"Metal\Steel", r"Metal\Steel"),
        (r"C:\temp\x", r"C:\temp\x"),
        ("steel\\", "steel\\"),
        (r"Steel \X\zz", r"Steel \X\zz"),
        (r"Steel \X2\00E4", r"Steel \X2\00E4"),
        (r"Steel\X2\\X0\ plate", "Steel plate"),
        (r"Steel \\ \S\D \X\E4 \X2\00E4\X0\ \q", "Steel \\ Ä ä ä \\q"),
    ],
)
def test_a_backslash_that_begins_nothing_is_itself(ifc_site, tmp_path, text, read):
    site = ifc_site()
    site.give(site.material("NAMEHERE"), site.wall())
    building = load_building(written(site, tmp_path / "m.ifc", NAMEHERE=text.encode()))
    # The library gives a doubled backslash back as it is written.
    assert [item.material.replace("\\\\", "\\") for item in building.surfaces] == [read]
    assert any("backslashes" in note for note in building.notes)


def test_the_path_of_an_exporter_in_the_header_does_not_stop_the_reader(ifc_site, tmp_path):
    site = ifc_site()
    site.wall()
    path = site.write(tmp_path / "m.ifc")
    text = path.read_text()
    assert "FILE_NAME(''" in text
    path.write_text(text.replace("FILE_NAME(''", r"FILE_NAME('C:\Users\Xenia\Server\House 1.ifc'", 1))
    assert load_building(path).surfaces


@pytest.mark.parametrize(
    ("schema", "called"),
    [
        ("IFC2X3", "IFC2X3_TC1"),
        ("IFC2X3", "ifc2x3_Final"),
        ("IFC4", "ifc4"),
        ("IFC4", "IFC4_ADD2_TC1"),
        ("IFC4X3", "IFC4X3"),
        ("IFC4X3", "IFC4X3_ADD1"),
    ],
)
def test_a_schema_by_any_of_its_names_is_read(ifc_site, tmp_path, schema, called):
    site = ifc_site(schema)
    site.wall()
    own = site.model.schema_identifier
    path = written(site, tmp_path / "m.ifc", **{f"'{own}'": f"'{called}'".encode()})
    assert load_building(path).surfaces


@pytest.mark.parametrize("called", ["IFC4X3_RC3", "IFC4X1", "IFC2X2_FINAL", "IFC5", ""])
def test_drafts_and_other_schemas_are_refused(ifc_site, tmp_path, called):
    site = ifc_site("IFC4")
    site.wall()
    path = written(site, tmp_path / "m.ifc", **{"'IFC4'": f"'{called}'".encode()})
    with pytest.raises(
        ConfigError, match=f"schema: got '{called}', expected one of IFC2X3, IFC4, IFC4X3_ADD2"
    ):
        load_building(path)


@pytest.mark.parametrize(
    "header",
    [
        "FILE_SCHEMA(('IFC4'));",
        "FILE_SCHEMA(('IFC4'));\nFILE_NAME('a','',(''),(''),'','','');",
        "FILE_NAME('a','',(''),(''),'','','');\nFILE_SCHEMA (('IFC4'));",
    ],
)
def test_a_header_that_is_not_whole_costs_only_itself(ifc_site, tmp_path, header):
    site = ifc_site("IFC4")
    site.wall()
    path = site.write(tmp_path / "m.ifc")
    text = path.read_text()
    path.write_text(f"ISO-10303-21;\nHEADER;\n{header}\nENDSEC;\n" + text[text.index("DATA;") :])
    building = load_building(path)
    assert building.surfaces
    assert any("header is not whole" in note for note in building.notes)


def test_utf_16_is_refused_with_what_it_is(tmp_path):
    path = tmp_path / "m.ifc"
    path.write_bytes("ISO-10303-21;\n".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-16"):
        load_building(path)


@pytest.mark.parametrize(
    "before", [b"/* made by hand\n * in two lines */\n", b"\xef\xbb\xbf", b"\r\n \t", b"/**//* */ "]
)
def test_remarks_and_marks_before_the_first_line_do_not_stop_the_reader(ifc_site, tmp_path, before):
    site = ifc_site()
    site.wall()
    path = site.write(tmp_path / "m.txt")
    path.write_bytes(before + path.read_bytes())
    assert load_building(path).surfaces


def test_filling_after_the_end_is_no_cut(ifc_site, tmp_path):
    site = ifc_site()
    site.wall()
    path = site.write(tmp_path / "m.ifc")
    path.write_bytes(path.read_bytes() + b"\0" * 20_000)
    assert load_building(path).surfaces


@given(st.text(st.characters(min_codepoint=0xA1, exclude_categories=("Cs",)), min_size=1, max_size=20))
def test_whatever_is_escaped_is_ascii_and_says_the_same(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("m") / "m.ifc"
    head = (
        "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'');\nFILE_NAME();\nFILE_SCHEMA(('IFC4'));\nENDSEC;\n"
    )
    path.write_bytes(f"{head}DATA;\n#1=X('{text}')\nENDSEC;\nEND-ISO-10303-21;\n".encode())
    content = checked_text(path, "m.ifc").content
    assert content is not None
    assert content.isascii()
    escaped = content.split("#1=X('")[1].split("'")[0]
    width = {"\\X2\\": 4, "\\X4\\": 8}[escaped[:4]]
    digits = escaped[4:].removesuffix("\\X0\\")
    assert "".join(chr(int(digits[at : at + width], 16)) for at in range(0, len(digits), width)) == text
