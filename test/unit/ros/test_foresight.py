# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.packets import Bundle, Cause, Grid, RtkStatus, ThermalFrame, UncertaintyMap
from vidgen_nodes.ros.foresight import Foresight

MS = 1_000_000
DELAY_NS, TICK_NS = 300 * MS, 80 * MS
GRID = Grid(0.0, 0.0, 1.0, 2, 2)


def bundle(stamp_ns: int) -> Bundle:
    frame = ThermalFrame(
        stamp_ns, "cam", "mono16", np.zeros((4, 4), np.uint16), 0, None, False, float("nan"), float("nan"),
        0.0, False, (),
    )  # fmt: skip
    return Bundle(stamp_ns, 0, 0, frame, None, None, 0, RtkStatus.NONE, None, float("nan"), (), (), {})


def map_of(stamp_ns: int) -> UncertaintyMap:
    layer = np.zeros(GRID.shape, np.float32)
    whole, stamps, flags = layer.astype(np.uint16), layer.astype(np.int64), layer.astype(np.uint8)
    return UncertaintyMap(stamp_ns, GRID, *(layer,) * 8, whole, stamps, flags, bytes(32), ())


def after_two_frames(stamp_ns: int, period_ns: int) -> Foresight:
    foresight = Foresight(DELAY_NS, TICK_NS)
    for time_ns in (stamp_ns - period_ns, stamp_ns):
        foresight.note(bundle(time_ns))
    return foresight


def test_next_frame_then_next_tick_then_the_map_that_waits() -> None:
    foresight = after_two_frames(10_000 * MS, 20 * MS)
    old = map_of(9_600 * MS)
    new = map_of(9_810 * MS)
    found = list(foresight.bundles([new, old]))
    assert [item.stamp_ns // MS for item in found] == [10_020, 10_080, 10_120]
    assert [item.uncertainty_map.stamp_ns for item in found] == [old.stamp_ns, old.stamp_ns, new.stamp_ns]


def test_nothing_is_foreseen_before_there_is_a_pace_or_under_doubt() -> None:
    foresight = Foresight(DELAY_NS, TICK_NS)
    assert not list(foresight.bundles([]))
    foresight.note(bundle(10_000 * MS))
    assert not list(foresight.bundles([]))
    doubtful = replace(bundle(10_020 * MS), causes=(Cause.NO_POSE,))
    foresight.note(doubtful)
    assert not list(foresight.bundles([]))


@given(
    st.integers(1, 400),
    st.lists(st.integers(8_000, 11_000), max_size=6),
)
def test_every_foreseen_frame_lies_ahead_and_has_the_map_in_force_then(
    period_ms: int, stamps_ms: list[int]
) -> None:
    now_ns = 10_000 * MS
    foresight = after_two_frames(now_ns, period_ms * MS)
    maps = [map_of(item * MS) for item in stamps_ms]
    found = list(foresight.bundles(maps))
    stamps_ns = [item.stamp_ns for item in found]
    assert stamps_ns[0] == now_ns + period_ms * MS
    assert stamps_ns == sorted(set(stamps_ns))
    for item in found:
        ripe = [umap.stamp_ns for umap in maps if umap.stamp_ns + DELAY_NS <= item.stamp_ns]
        if ripe:
            assert item.uncertainty_map.stamp_ns == max(ripe)
    for umap in maps:
        begins_ns = umap.stamp_ns + DELAY_NS
        if begins_ns > stamps_ns[0] and stamps_ms.count(umap.stamp_ns // MS) == 1:
            first = min(item.stamp_ns for item in found if item.stamp_ns >= begins_ns)
            assert first - begins_ns < period_ms * MS
