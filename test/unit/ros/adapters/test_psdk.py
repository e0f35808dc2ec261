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
from vidgen_nodes.ros.adapters.psdk import PsdkAdapter

SECOND = 1_000_000_000


def byte(value: int) -> SimpleNamespace:
    return SimpleNamespace(data=value)


@pytest.mark.parametrize(
    ("info", "rtk"), [(50, RtkStatus.FIXED), (34, RtkStatus.FLOAT), (48, RtkStatus.FLOAT)]
)
def test_the_rtk_position_is_above_sea_level_and_worth_what_its_info_says(
    feed: Any, make: Any, info: int, rtk: RtkStatus
) -> None:
    feeder = feed(PsdkAdapter)
    said = feeder.give("rtk_position_info", byte(info))
    feeder.give("rtk_position", make.fix(SECOND, status=-2, altitude=450.0))
    (fix,) = feeder.kept.fixes
    assert (fix.rtk, fix.height_datum, fix.altitude_m) == (rtk, "orthometric", 450.0)
    assert np.isnan(
        fix.covariance_m2
    ).all()  # psdk_ros2 gives none: the filter takes what the status is worth
    assert fix.also == (said,)


def test_an_info_that_was_named_is_not_named_again(feed: Any, make: Any) -> None:
    feeder = feed(PsdkAdapter)
    feeder.give("rtk_position_info", byte(50))
    for second in (1, 2):
        feeder.give("rtk_position", make.fix(second * SECOND))
    assert [len(fix.also) for fix in feeder.kept.fixes] == [1, 0]


@pytest.mark.parametrize("info", [None, 0, 16])
def test_without_an_rtk_solution_the_fused_position_stands_in_and_says_its_height(
    feed: Any, make: Any, info: int | None
) -> None:
    feeder = feed(PsdkAdapter)
    if info is not None:
        feeder.give("rtk_position_info", byte(info))
    with pytest.raises(InputError) as caught:
        feeder.give("rtk_position", make.fix(SECOND))
    assert caught.value.reason == "no_rtk_solution"
    feeder.give("gps_position_fused", make.fix(SECOND, status=-2, altitude=498.0))
    (fix,) = feeder.kept.fixes
    assert (fix.rtk, fix.height_datum) == (RtkStatus.SINGLE, "ellipsoidal")


def test_the_fused_position_does_not_dilute_rtk_and_returns_a_second_after_it(feed: Any, make: Any) -> None:
    feeder = feed(PsdkAdapter)
    feeder.give("rtk_position_info", byte(50))
    feeder.give("rtk_position", make.fix(10 * SECOND))
    for tenth in range(95, 112):
        feeder.give("gps_position_fused", make.fix(tenth * SECOND // 10))
    assert [(fix.stamp_ns, fix.rtk) for fix in feeder.kept.fixes] == [
        (10 * SECOND, RtkStatus.FIXED), (111 * SECOND // 10, RtkStatus.SINGLE),
    ]  # fmt: skip


def test_an_info_that_stopped_coming_is_worth_nothing(feed: Any, make: Any) -> None:
    feeder = feed(PsdkAdapter)
    feeder.give("rtk_position_info", byte(50))
    for second in range(1, 6):
        feeder.give("rtk_position", make.fix(second * SECOND))
    with pytest.raises(InputError) as caught:
        feeder.give("rtk_position", make.fix(6 * SECOND))
    assert caught.value.reason == "no_rtk_solution"


def test_a_clock_that_jumps_back_does_not_silence_the_fused_position(feed: Any, make: Any) -> None:
    feeder = feed(PsdkAdapter)
    feeder.give("rtk_position_info", byte(50))
    feeder.give("rtk_position", make.fix(100 * SECOND))
    feeder.give("gps_position_fused", make.fix(5 * SECOND))
    assert len(feeder.kept.fixes) == 2


@pytest.mark.parametrize(("baseline_deg", "yaw_deg"), [(90, 90.0), (180, 0.0), (0, 180.0), (45, 135.0)])
def test_the_antenna_baseline_is_turned_back_to_the_nose(
    feed: Any, make: Any, baseline_deg: int, yaw_deg: float
) -> None:
    """Nose north: antenna 2 to the right lies east, so the baseline is 90, and the yaw from east is 90."""
    feeder = feed(PsdkAdapter)
    feeder.give("rtk_yaw_info", byte(50))
    feeder.give("rtk_yaw", SimpleNamespace(header=make.header(SECOND), yaw=baseline_deg))
    (heading,) = feeder.kept.headings
    assert math.remainder(math.degrees(heading.yaw_rad) - yaw_deg, 360.0) == pytest.approx(0.0, abs=1e-9)
    assert math.degrees(heading.sigma_rad) > 1.0 / math.sqrt(12.0)  # it comes in whole degrees


@pytest.mark.parametrize(("info", "degrees", "reason"), [(34, 10, "no_rtk_yaw"), (50, 5000, "yaw_range")])
def test_a_yaw_that_is_not_solved_is_refused(
    feed: Any, make: Any, info: int, degrees: int, reason: str
) -> None:
    feeder = feed(PsdkAdapter)
    feeder.give("rtk_yaw_info", byte(info))
    with pytest.raises(InputError) as caught:
        feeder.give("rtk_yaw", SimpleNamespace(header=make.header(SECOND), yaw=degrees))
    assert caught.value.reason == reason


def test_the_gimbal_looks_down_and_its_yaw_counts_from_east_though_its_frame_is_its_own(
    feed: Any, make: Any
) -> None:
    feeder = feed(PsdkAdapter)
    angles = SimpleNamespace(
        header=make.header(SECOND, "psdk_gimbal_link"), vector=make.xyz(0.0, math.pi / 4, math.pi / 2)
    )
    feeder.give("gimbal_angles", angles)
    (attitude,) = feeder.kept.gimbals
    assert attitude.parent == "map"
    forward = Rotation.from_quat(attitude.quaternion_xyzw).apply((1.0, 0.0, 0.0))
    np.testing.assert_allclose(forward, (0.0, math.sqrt(0.5), -math.sqrt(0.5)), atol=1e-12)


def test_the_imu_is_in_our_axes_already(feed: Any, make: Any) -> None:
    feeder = feed(PsdkAdapter)
    feeder.give("imu", make.imu(SECOND, (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))))
    (sample,) = feeder.kept.samples
    np.testing.assert_allclose(sample.map_q_base, (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)))
    np.testing.assert_array_equal(sample.acceleration_mps2, (0.0, 0.0, 9.8))
