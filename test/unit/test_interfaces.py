# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Interfaces are a contract: what has landed stays, and everything says what it means."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "msg").glob("*.msg"), *(ROOT / "srv").glob("*.srv")])


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("interfaces_lock", ROOT / "tools" / "interfaces_lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


TOOL = load_tool()


def test_nothing_that_has_landed_changed() -> None:
    landed = TOOL.read_lock()
    assert len(landed) > 100
    broken, added = TOOL.compare(landed, TOOL.read_all())
    assert not broken, "renamed, retyped or removed; add a field instead:\n" + "\n".join(broken)
    assert not added, "run `make interfaces-lock` to land:\n" + "\n".join(added)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("float32 sigma_px # px", "float32 sigma # px"),
        ("float32 sigma_px # px", "float64 sigma_px # px"),
        ("float32 sigma_px # px", ""),
        ("uint8[32] root # hash", "uint8[] root # hash"),
        ("uint8 ORIGIN_SIM = 1", "uint8 ORIGIN_SIM = 2"),
    ],
)
def test_a_renamed_retyped_or_removed_field_is_seen(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "msg").mkdir()
    message = tmp_path / "msg" / "Thing.msg"
    message.write_text(f"# A thing.\nstring name # its name\n{before}\n")
    landed = TOOL.read_all(tmp_path)
    message.write_text(f"# A thing.\nstring name # its name\n{after}\n")
    broken, _ = TOOL.compare(landed, TOOL.read_all(tmp_path))
    assert len(broken) == 1


def test_an_added_field_is_no_break(tmp_path: Path) -> None:
    (tmp_path / "msg").mkdir()
    (tmp_path / "srv").mkdir()
    service = tmp_path / "srv" / "Ask.srv"
    service.write_text("# Asks.\nstring what # a\n---\nbool success # b\n")
    landed = TOOL.read_all(tmp_path)
    assert landed == {"srv/Ask request.what": "string", "srv/Ask response.success": "bool"}
    service.write_text("# Asks.\nstring what # a\n---\nbool success # b\nstring what # c\n")
    assert TOOL.compare(landed, TOOL.read_all(tmp_path)) == ([], ["srv/Ask response.what: string"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_interface_and_field_is_explained(path: Path) -> None:
    title, entries = TOOL.read_interface(path)
    assert title, "the first line says what the message is"
    assert entries
    bare = [entry.name for entry in entries if not entry.comment]
    assert not bare, f"say unit, frame and what NaN means: {bare}"


def test_numbers_say_their_unit() -> None:
    """A measured number names its unit in its name or its comment."""
    units = re.compile(
        r"_(ns|s|m|m2|px|k|kw|hz|count)$|_(ms|px)_p\d+$|\b(m|s|px|ms|kelvin|unit|0\.\.1|bit)\b"
    )
    dimensionless = {"confidence", "uncertainty", "saturated_fraction"}
    bare = [
        entry.name
        for path in FILES
        for entry in TOOL.read_interface(path)[1]
        if entry.kind.startswith("float")
        and not units.search(entry.name)
        and not units.search(entry.comment)
        and not any(entry.name.endswith(word) for word in dimensionless)
    ]
    assert not bare, bare


def test_the_built_package_is_the_one_described() -> None:
    """What is importable as ``vidgen`` was built from these files."""
    messages = pytest.importorskip("vidgen.msg", reason="interfaces are not built; run make setup")
    services = pytest.importorskip("vidgen.srv", reason="interfaces are not built; run make setup")
    for path in FILES:
        fields = [entry for entry in TOOL.read_interface(path)[1] if "=" not in entry.kind]
        names = [entry.name.split(" ")[1] for entry in fields]
        if path.suffix == ".msg":
            built = getattr(messages, path.stem).get_fields_and_field_types()
            assert list(built) == names, path.name
            continue
        service = getattr(services, path.stem)
        for part, kind in (("request", service.Request), ("response", service.Response)):
            wanted = [name.split(".")[1] for name in names if name.startswith(part)]
            assert list(kind.get_fields_and_field_types()) == wanted, f"{path.name} {part}"
