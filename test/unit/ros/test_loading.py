# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A node that reads a large model says so in its log, not too often."""

from __future__ import annotations

from vidgen_nodes.ros.loading import EVERY_S, LoggedProgress


def test_a_slow_model_gives_a_line_every_few_seconds_and_a_last_one():
    now_s = [0.0]
    lines = []
    tell = LoggedProgress(lines.append, "house.ifc", clock=lambda: now_s[0])
    for step in range(101):
        now_s[0] = 0.2 * step
        tell(step / 100, "cutting 9 elements into triangles")
    assert lines[0] == "reading house.ifc: 25%, cutting 9 elements into triangles"
    assert lines[-1].startswith("reading house.ifc: 100%")
    assert len(lines) == round(20.0 / EVERY_S)


def test_a_model_that_is_read_at_once_is_not_spoken_of():
    lines = []
    tell = LoggedProgress(lines.append, "house.ifc", clock=lambda: 1.0)
    tell(0.0, "opening the model, 1 MB")
    tell(1.0, "done")
    assert lines == []
