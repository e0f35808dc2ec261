# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.sha256_lanes import MOST_BYTES, sha256_many


@given(st.integers(0, 40), st.integers(0, MOST_BYTES), st.integers(0, 2**32 - 1))
def test_every_row_has_the_hash_that_hashlib_gives(count: int, length: int, seed: int) -> None:
    messages = np.random.default_rng(seed).integers(0, 256, (count, length), dtype=np.uint8)
    made = sha256_many(messages)
    assert made.shape == (count, 32)
    assert [row.tobytes() for row in made] == [hashlib.sha256(row.tobytes()).digest() for row in messages]


def test_message_of_more_than_one_block_is_refused() -> None:
    with pytest.raises(ValueError, match="56 bytes"):
        sha256_many(np.zeros((1, 56), np.uint8))
