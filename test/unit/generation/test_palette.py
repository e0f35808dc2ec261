# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Colours and the words of four bytes that hold them are the same."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.generation.palette import palette_to


@pytest.mark.parametrize("hottest_k", [423.15, 823.15, 1180.15])
def test_a_word_holds_the_colour_and_leaves_room_for_alpha(hottest_k: float) -> None:
    palette = palette_to(hottest_k)
    radiance = np.linspace(-50.0, 5000.0, 4001, dtype=np.float32)
    held = palette.words_of(radiance).view(np.uint8).reshape(-1, 4)
    np.testing.assert_array_equal(held[:, :3], palette.of(radiance))
    assert not held[:, 3].any()
