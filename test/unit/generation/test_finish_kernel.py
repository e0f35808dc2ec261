# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What ends a picture keeps a pixel only inside the mask and above the least alpha, and says so."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.finish_kernel import take_away


@settings(max_examples=40)
@given(seed=st.integers(0, 10**9), least=st.integers(1, 255), value=st.integers(1, 255))
def test_a_pixel_is_kept_whole_or_gone(seed: int, least: int, value: int) -> None:
    generator = np.random.default_rng(seed)
    rgba = generator.integers(0, 256, (12, 17, 4), np.uint8)
    mask = generator.integers(0, 2, (12, 17)).astype(np.uint8)
    before, confidence = rgba.copy(), np.zeros((12, 17), np.uint8)
    x0, x1 = sorted(generator.integers(0, 18, 2).tolist())
    y0, y1 = sorted(generator.integers(0, 13, 2).tolist())
    take_away(rgba.view("<u4")[..., 0], mask, (x0, y0, x1, y1), least << 24, value, confidence)
    area = np.zeros(mask.shape, bool)
    area[y0:y1, x0:x1] = True
    kept = area & (before[..., 3] >= least) & (mask > 0)
    np.testing.assert_array_equal(rgba[kept], before[kept])
    assert not rgba[area & ~kept].any()
    np.testing.assert_array_equal(rgba[~area], before[~area])
    np.testing.assert_array_equal(confidence, np.where(kept, value, 0))
