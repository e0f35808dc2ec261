# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.errors import InputError
from vidgen_nodes.ros.adapters.generic import GenericAdapter

SECOND = 1_000_000_000


def test_standard_messages_come_through_as_they_are(feed: Any, make: Any) -> None:
    feeder = feed(GenericAdapter)
    feeder.give("fix", make.fix(SECOND, altitude=7.0, variance=1.0))
    feeder.give("data", make.imu(SECOND))
    (fix,), (sample,) = feeder.kept.fixes, feeder.kept.samples
    assert (fix.altitude_m, fix.height_datum) == (7.0, "")  # the parameter says what it counts from
    np.testing.assert_array_equal(sample.angular_velocity_radps, (0.0, 0.0, 0.1))


@pytest.mark.parametrize("parent", ["map", "base_link"])
def test_a_gimbal_says_what_its_yaw_counts_from(feed: Any, make: Any, parent: str) -> None:
    feeder = feed(GenericAdapter)
    angles = SimpleNamespace(
        header=make.header(SECOND, parent), vector=make.xyz(0.0, math.radians(30.0), 0.0)
    )
    feeder.give("gimbal", angles)
    (attitude,) = feeder.kept.gimbals
    forward = Rotation.from_quat(attitude.quaternion_xyzw).apply((1.0, 0.0, 0.0))
    assert (attitude.parent, math.degrees(math.asin(forward[2]))) == (parent, pytest.approx(-30.0))


@pytest.mark.parametrize(
    ("frame_id", "roll", "stamp_ns", "reason"),
    [
        ("gimbal", 0.0, 1, "gimbal_frame"),
        ("map", math.nan, 1, "gimbal_angles"),
        ("map", 90.0, 1, "gimbal_angles"),
        ("map", 0.0, 0, "no_stamp"),
    ],
)
def test_a_gimbal_that_cannot_be_placed_is_refused(
    feed: Any, make: Any, frame_id: str, roll: float, stamp_ns: int, reason: str
) -> None:
    angles = SimpleNamespace(header=make.header(stamp_ns, frame_id), vector=make.xyz(roll, 0.0, 0.0))
    with pytest.raises(InputError) as caught:
        feed(GenericAdapter).give("gimbal", angles)
    assert caught.value.reason == reason
