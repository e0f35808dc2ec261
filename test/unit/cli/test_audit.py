# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The summary for people says what the run says, whatever the run says."""

from __future__ import annotations

import argparse
import math

import pytest

from vidgen_nodes.cli.audit import conclude
from vidgen_nodes.summary import CustodyState, RunSummary


@pytest.mark.parametrize("name", ["[/]", "[red]wall[/red]", "[/x"])
def test_a_name_that_looks_like_markup_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    nothing = {"p50": math.nan, "p99": math.nan}
    summary = RunSummary(
        1, 1, {}, 1.0, [1.0], 1, nothing, nothing, 0, 0, 0, CustodyState(2, "ab", True), withheld=name
    )
    assert conclude(argparse.Namespace(json=False, command="up"), summary) == 0
    assert name in capsys.readouterr().out
