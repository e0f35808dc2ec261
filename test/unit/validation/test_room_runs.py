# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Ceiling jets are judged inside the correlation's range, and what lies beyond it is said and not judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.generation import fire
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.validation import room_runs

HEIGHTS = st.floats(3.0, 20.0)
HEATS = st.floats(50.0, 2e4)


def test_the_published_vector_of_the_ceiling_jet_is_met() -> None:
    """NIST: 410 kW, 5.9 m out under 3.72 m, 22 degC: 46.45 degC."""
    assert 22.0 + room_runs.alpert_rise_k(np.array([5.9]), 410.0, 3.72)[0] == pytest.approx(46.45, abs=0.02)


@given(HEATS, HEIGHTS, st.floats(1.5, 4.0))
def test_jets_of_one_shape_obey_froudes_scaling(heat_kw: float, height_m: float, factor: float) -> None:
    """All lengths times a factor and heat times its 5/2 power: the same rise, speeds times its root."""
    radius_m = np.array([0.5, 1.0, 1.5]) * height_m
    small = radius_m, heat_kw, height_m
    large = radius_m * factor, heat_kw * factor**2.5, height_m * factor
    np.testing.assert_allclose(room_runs.alpert_rise_k(*large), room_runs.alpert_rise_k(*small), rtol=1e-9)
    np.testing.assert_allclose(
        room_runs.alpert_speed_mps(*large), room_runs.alpert_speed_mps(*small) * factor**0.5, rtol=1e-9
    )


def test_only_fires_inside_the_correlations_range_are_judged() -> None:
    def flame(jet: tuple[float, float, float]) -> float:
        return fire.flame_height_m(jet[0], jet[1]) / jet[2]

    judged = room_runs._JETS
    assert len({heat for heat, _, _ in judged}) >= 3
    assert all(flame(jet) <= room_runs.LARGEST_FLAME and jet[2] >= 4.6 for jet in judged)
    assert all(flame(jet) > room_runs.LARGEST_FLAME for jet in room_runs._STRONG_JETS)
    assert min(room_runs._RADII) > 0.18


@pytest.mark.parametrize(("judged", "strong", "passed"), [(1.0, 2.0, True), (2.0, 1.0, False)])
def test_the_verdict_is_that_of_the_fires_in_range(
    monkeypatch: pytest.MonkeyPatch, judged: float, strong: float, passed: bool
) -> None:
    def jet(heat_kw: float, diameter_m: float, height_m: float) -> tuple[FloatArray, FloatArray]:
        factor = judged if (heat_kw, diameter_m, height_m) in room_runs._JETS else strong
        radius_m = np.array(room_runs._RADII) * height_m
        return (
            factor * room_runs.alpert_rise_k(radius_m, heat_kw, height_m),
            factor * room_runs.alpert_speed_mps(radius_m, heat_kw, height_m),
        )

    monkeypatch.setattr(room_runs, "_ceiling_jet", jet)
    told: list[str] = []
    checks = room_runs._ceiling_jets(told.append)
    assert [check.key for check in checks] == ["K5", "K5"]
    assert len(told) == len(room_runs._JETS) + len(room_runs._STRONG_JETS)
    for check in checks:
        assert check.passed is passed
        assert check.delta == pytest.approx(judged)
        assert f"not judged: delta {strong:.2f}" in check.found
