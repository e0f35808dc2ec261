# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of the table that take seconds are held on every run; the solver's books are in ``test_smoke.py``."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.validation import picture_runs
from vidgen_nodes.validation.check import Check
from vidgen_nodes.validation.picture_runs import strongest_hz
from vidgen_nodes.validation.spread_runs import spread_checks


def missed(checks: list[Check]) -> list[str]:
    return [f"{check.key} {check.what}: {check.missed_by}" for check in checks if not check.passed]


def test_fire_spreads_as_the_closed_forms_say() -> None:
    checks = spread_checks()
    assert missed(checks) == []
    assert {check.key for check in checks} == {"K12"}
    assert len(checks) == 8


def test_drawn_smoke_dims_by_what_was_released() -> None:
    checks = picture_runs._obscuration()
    assert missed(checks) == []
    assert {check.key for check in checks} == {"K10"}


def test_the_drawn_flame_is_brighter_the_nearer_one_stands() -> None:
    plume = picture_runs._plume(500.0, 0.6)
    field = picture_runs._drawn(plume, 60.0)
    near, far = (picture_runs._flux_kw_per_m2(field, away_m, 500.0, 0.6) for away_m in (3.0, 6.0))
    assert 3.0 < near / far < 4.5


@pytest.mark.parametrize("found_hz", [0.7, 1.5, 3.1])
def test_the_strongest_frequency_is_found(found_hz: float) -> None:
    time_s = np.arange(400) / 20.0
    values = np.sin(2.0 * np.pi * found_hz * time_s) + 0.2 * np.sin(2.0 * np.pi * 0.2 * time_s) + 3.0
    assert strongest_hz(values, 20.0) == pytest.approx(found_hz, abs=0.1)
    slow = np.sin(2.0 * np.pi * 0.3 * time_s) + 0.3 * np.sin(2.0 * np.pi * found_hz * time_s)
    assert strongest_hz(slow, 20.0, 0.5) == pytest.approx(found_hz, abs=0.1)
