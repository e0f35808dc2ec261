# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from vidgen_nodes.packets import Bundle, RtkStatus, SourceRef, ThermalFrame
from vidgen_nodes.ros.frame_maker import with_inputs_of


def bundle(sequence: int, topics: tuple[str, ...], late: dict[str, int]) -> Bundle:
    sources = tuple(SourceRef(topic, "t", sequence, bytes(32)) for topic in topics)
    frame = ThermalFrame(
        sequence, "cam", "mono16", np.zeros((4, 4), np.uint16), sequence, None, False, float("nan"), float("nan"),
        0.0, False, (),
    )  # fmt: skip
    return Bundle(
        sequence, sequence, 0, frame, None, None, 0, RtkStatus.NONE, None, float("nan"), (), sources, late
    )


def test_bundle_that_is_dropped_leaves_its_inputs_to_the_next() -> None:
    first = bundle(1, ("thermal", "imu"), {"map": 3, "fix": 1})
    second = bundle(2, ("thermal",), {"map": 2})
    merged = with_inputs_of(first, second)
    assert merged.sources == (*first.sources, *second.sources)
    assert merged.late == {"map": 5, "fix": 1}
    assert (merged.sequence, merged.thermal) == (2, second.thermal)
