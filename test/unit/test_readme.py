# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The README says what the code does: tables, commands, files and topics."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from vidgen_nodes.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tables() -> Any:
    spec = importlib.util.spec_from_file_location("readme_tables", ROOT / "tools" / "readme_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_tables_are_those_of_the_code_and_of_the_last_measurement() -> None:
    assert tables().render(README) == README, "run `make readme`"


def test_every_command_is_in_the_table_and_every_row_is_a_command() -> None:
    named = set(re.findall(r"^\| `vidgen (\w+)", README, flags=re.MULTILINE))
    assert named == set(COMMANDS) - {"rules"}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)", README))))
def test_every_make_target_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_linked_file_exists(link: str) -> None:
    assert (ROOT / link).is_file()


def test_every_topic_of_a_node_is_in_the_readme() -> None:
    sources = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "vidgen_nodes" / "nodes").glob("*.py"))
    topics = set(re.findall(r'"((?:[a-z_]+/)+[a-z_]+)", qos\.', sources))
    assert len(topics) > 15
    assert not [topic for topic in topics if f"`{topic}`" not in README]
