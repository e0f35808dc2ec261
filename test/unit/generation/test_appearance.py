# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.generation.appearance import WHITE_K, relative_luminance_of, visible_rgba


def rgba(optical_depth: float, luminance: float) -> list[int]:
    return visible_rgba(np.array([optical_depth], np.float32), np.array([luminance], np.float32))[0].tolist()


def test_luminance_is_one_at_white_and_falls_steeply() -> None:
    assert relative_luminance_of(WHITE_K) == pytest.approx(1.0)
    assert relative_luminance_of(900.0) < 1e-3
    assert relative_luminance_of(293.0) < 1e-20


@given(optical_depth=st.floats(0.0, 50.0))
def test_cold_smoke_covers_as_its_optical_depth_says(optical_depth: float) -> None:
    assert rgba(optical_depth, 0.0)[3] == round(255.0 * -np.expm1(-optical_depth))


@given(a=st.floats(0.0, 3.0), b=st.floats(0.0, 3.0), optical_depth=st.floats(0.0, 5.0))
def test_more_glow_is_never_darker(a: float, b: float, optical_depth: float) -> None:
    low, high = sorted((a, b))
    dim, bright = rgba(optical_depth, low), rgba(optical_depth, high)
    for channel in range(3):  # as it adds to a black background; a level of rounding
        assert bright[channel] * bright[3] >= dim[channel] * dim[3] - 2 * 255


def test_nothing_on_the_way_is_fully_transparent() -> None:
    assert rgba(0.0, 0.0)[3] == 0


def test_a_bright_flame_is_opaque_because_glasses_cannot_darken() -> None:
    assert rgba(0.2, 1.0)[3] == 255
