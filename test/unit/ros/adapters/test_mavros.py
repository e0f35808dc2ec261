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
from vidgen_nodes.packets import RtkStatus
from vidgen_nodes.ros.adapters.mavros import MavrosAdapter

SECOND = 1_000_000_000


def gps_raw(make: Any, stamp_ns: int, **changes: int) -> SimpleNamespace:
    values = {"fix_type": 6, "h_acc": 14, "v_acc": 20, "hdg_acc": 0, "yaw": 0}
    return SimpleNamespace(header=make.header(stamp_ns), **{**values, **changes})


@pytest.mark.parametrize(
    ("fix_type", "rtk"),
    [(6, RtkStatus.FIXED), (5, RtkStatus.FLOAT), (3, RtkStatus.SINGLE), (1, RtkStatus.NONE)],
)
def test_the_receivers_fix_type_says_what_the_position_is_worth(
    feed: Any, make: Any, fix_type: int, rtk: RtkStatus
) -> None:
    feeder = feed(MavrosAdapter)
    said = feeder.give("raw", gps_raw(make, SECOND, fix_type=fix_type))
    feeder.give("global", make.fix(SECOND + 1, status=2, variance=4.0))
    (fix,) = feeder.kept.fixes
    assert (fix.rtk, fix.height_datum, fix.also) == (rtk, "ellipsoidal", (said,))
    np.testing.assert_allclose(np.diag(fix.covariance_m2), (0.014**2, 0.014**2, 0.02**2))


@pytest.mark.parametrize("age_s", [None, 2.1, -2.1])
def test_without_a_recent_fix_type_no_position_counts_as_rtk(
    feed: Any, make: Any, age_s: float | None
) -> None:
    feeder = feed(MavrosAdapter)
    if age_s is not None:
        feeder.give("raw", gps_raw(make, 10 * SECOND - round(age_s * SECOND)))
    feeder.give("global", make.fix(10 * SECOND, status=2, variance=0.01))
    (fix,) = feeder.kept.fixes
    assert fix.rtk == RtkStatus.SINGLE
    assert fix.covariance_m2[0, 0] == pytest.approx(0.01)


def test_accuracies_that_are_not_known_leave_the_covariance_of_the_position(feed: Any, make: Any) -> None:
    feeder = feed(MavrosAdapter)
    feeder.give("raw", gps_raw(make, SECOND, h_acc=0))
    feeder.give("global", make.fix(SECOND, variance=0.04))
    assert feeder.kept.fixes[0].covariance_m2[2, 2] == pytest.approx(0.04)


def test_the_heading_of_two_antennas_is_taken_where_there_is_one(feed: Any, make: Any) -> None:
    feeder = feed(MavrosAdapter)
    for yaw in (0, 65535):
        feeder.give("raw", gps_raw(make, SECOND, yaw=yaw))
    assert feeder.kept.headings == []
    feeder.give("raw", gps_raw(make, 2 * SECOND, yaw=36000, hdg_acc=50_000))
    (heading,) = feeder.kept.headings
    assert heading.yaw_rad == pytest.approx(math.pi / 2)  # 36000 is north, since 0 means none
    assert math.degrees(heading.sigma_rad) == pytest.approx(0.5)


def test_the_gimbals_attitude_is_turned_from_front_right_down_into_map(feed: Any, make: Any) -> None:
    feeder = feed(MavrosAdapter)
    x, y, z, w = Rotation.from_euler("ZYX", (0.0, -45.0, 0.0), degrees=True).as_quat()  # FRD: nose down
    status = SimpleNamespace(header=make.header(SECOND), flags=16, q=SimpleNamespace(x=x, y=y, z=z, w=w))
    feeder.give("attitude_status", status)
    status.flags = 0
    with pytest.raises(InputError, match="no attitude of the vehicle"):
        feeder.give("attitude_status", status)
    feeder.give("data", make.imu(SECOND))  # yaw 0: the nose points east
    feeder.give("attitude_status", status)
    north, east = (
        Rotation.from_quat(item.quaternion_xyzw).apply((1.0, 0.0, 0.0)) for item in feeder.kept.gimbals
    )
    half = math.sqrt(0.5)
    np.testing.assert_allclose(north, (0.0, half, -half), atol=1e-12)
    np.testing.assert_allclose(east, (half, 0.0, -half), atol=1e-12)
