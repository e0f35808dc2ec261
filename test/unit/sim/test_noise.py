# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of a sample depend on seed, stream and index, however they are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.sim.noise import Numbers, draw

INDICES = st.integers(0, (1 << 48) - 1)


@given(
    seed=st.integers(0, 2**63),
    stream=st.sampled_from(["imu", "thermal", "scan", "fix"]),
    indices=st.lists(INDICES),
)
def test_reused_generator_gives_what_a_new_one_gives(seed: int, stream: str, indices: list[int]) -> None:
    numbers = Numbers(seed, stream)
    for index in indices:
        fresh, reused = draw(seed, stream, index), numbers.at(index)
        assert fresh.standard_normal(3).tolist() == reused.standard_normal(3).tolist()
        assert fresh.integers(1000) == reused.integers(
            1000
        )  # leaves half a word behind, which must not come next
        assert fresh.uniform() == reused.uniform()


def test_unknown_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        Numbers(1, "nothing")
