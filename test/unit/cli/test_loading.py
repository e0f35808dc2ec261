# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who waits at a terminal for a large model sees how far it is; nobody else is troubled."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from vidgen_nodes.cli import loading
from vidgen_nodes.cli.loading import loading_bar, read_models_ahead


@pytest.mark.parametrize(
    ("terminal", "quiet", "seen"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_the_bar_is_for_terminals(terminal, quiet, seen):
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    with loading_bar(quiet=quiet, console=console) as tell:
        tell(0.42, "cutting 7 elements into triangles")
    assert ("42%" in written.getvalue()) is seen
    assert ("cutting 7 elements" in written.getvalue()) is seen


def test_each_model_is_read_once_and_no_name_is_no_model(monkeypatch):
    read = []
    monkeypatch.setattr(loading, "read_model_ahead", lambda path, tell: read.append(str(path)))
    read_models_ahead(["", "house.ifc", "house.ifc", "other.yaml"], quiet=True)
    assert read == ["house.ifc", "other.yaml"]
