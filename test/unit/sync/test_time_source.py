# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.sync.time_source import ARRIVAL, HEADER, TimeSource

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


def fed(kind: str, delays_ms: list[int], *, ahead_ms: int = 0, delay_ms: float = 0.0) -> TimeSource:
    """One message each 20 ms, with a clock that is ahead by so much and transport delays as given."""
    source = TimeSource(kind, delay_ms)
    for index, late_ms in enumerate(delays_ms):
        true_ns = T0 + index * 20 * MS
        source.note(true_ns + ahead_ms * MS, true_ns + late_ms * MS)
    return source


@given(st.lists(st.integers(1, 400), min_size=10, max_size=80), st.integers(-5000, 5000))
def test_a_clock_that_is_off_is_found_but_for_the_fastest_message(
    delays_ms: list[int], ahead_ms: int
) -> None:
    source = fed(ARRIVAL, delays_ms, ahead_ms=ahead_ms)
    assert source.shift_ns == (min(delays_ms) - ahead_ms) * MS
    assert fed(ARRIVAL, delays_ms, ahead_ms=ahead_ms, delay_ms=2.5).shift_ns == source.shift_ns - 2_500_000


@given(st.lists(st.integers(1, 400), max_size=40))
def test_stamps_stay_as_they_are_where_they_count(delays_ms: list[int]) -> None:
    assert fed(HEADER, delays_ms, ahead_ms=700).shift_ns == 0


def test_nothing_is_said_before_ten_messages() -> None:
    source = fed(ARRIVAL, [5] * 9)
    assert (source.least_ns, source.shift_ns) == (None, 0)
    assert math.isnan(source.least_ms)
    assert fed(ARRIVAL, [5] * 10).least_ms == 5.0


@settings(max_examples=15)
@given(st.lists(st.integers(1, 400), min_size=520, max_size=600))
def test_only_the_last_ten_seconds_count(delays_ms: list[int]) -> None:
    arrivals = [index * 20 + late for index, late in enumerate(delays_ms)]
    recent = [late for late, at in zip(delays_ms, arrivals, strict=True) if at >= max(arrivals) - 10_000]
    least = fed(ARRIVAL, delays_ms).least_ns
    assert least is not None
    assert min(delays_ms) * MS <= least <= min(recent) * MS


def test_a_clock_that_is_set_anew_starts_the_statistics_anew() -> None:
    source = fed(ARRIVAL, [5] * 50)
    for index in range(50, 70):
        true_ns = T0 + index * 20 * MS
        source.note(true_ns + 3_600_000 * MS, true_ns + 7 * MS)
    assert source.shift_ns == (7 - 3_600_000) * MS
    for index in range(70, 90):
        true_ns = T0 + index * 20 * MS
        source.note(true_ns, true_ns + 9 * MS)
    assert source.shift_ns == 9 * MS


def test_a_stray_stamp_moves_nothing() -> None:
    for stray_ms in (-3_600_000, 3_000, 3_600_000):
        source = fed(ARRIVAL, [5] * 50)
        source.note(T0 + stray_ms * MS, T0 + 1_000 * MS)
        assert source.shift_ns == 5 * MS
