# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every field of NavSatFix and Imu, spoilt in every way: refused with a reason, or harmless to the filter."""

from __future__ import annotations

import contextlib
import copy
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros import convert
from vidgen_nodes.sensing.pose import NavFilter

SOURCE = SourceRef("t", "T", 1, b"")
T0_S = 1_700_000_000


def header(sec: int, nanosec: int) -> SimpleNamespace:
    return SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id="x")


def fix_message(k: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        header=header(T0_S, k * 100_000_000), latitude=47.0, longitude=8.0, altitude=500.0,
        status=SimpleNamespace(status=2, service=1),
        position_covariance=np.diag([1e-4, 1e-4, 4e-4]).reshape(9), position_covariance_type=2,
    )  # fmt: skip


def imu_message(k: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        header=header(T0_S, k * 5_000_000),
        orientation=SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0), orientation_covariance=np.full(9, 1e-4),
        angular_velocity=SimpleNamespace(x=0.0, y=0.0, z=0.0), angular_velocity_covariance=np.zeros(9),
        linear_acceleration=SimpleNamespace(x=0.0, y=0.0, z=9.80665), linear_acceleration_covariance=np.zeros(9),
    )  # fmt: skip


def spoil(message: Any, path: str, value: Any) -> Any:
    """The message with one field, named like ``a.b`` or ``a[3]``, changed."""
    spoilt = copy.deepcopy(message)
    *folders, name = path.split(".")
    target = spoilt
    for folder in folders:
        target = getattr(target, folder)
    if name.endswith("]"):
        name, _, index = name[:-1].partition("[")
        getattr(target, name)[int(index)] = value
    else:
        setattr(target, name, value)
    return spoilt


FIX_FLOATS = ["latitude", "longitude", "altitude", *(f"position_covariance[{i}]" for i in range(9))]
IMU_FLOATS = [
    *(f"orientation.{a}" for a in "xyzw"),
    *(f"{v}.{a}" for v in ("angular_velocity", "linear_acceleration") for a in "xyz"),
    *(
        f"{v}_covariance[{i}]"
        for v in ("orientation", "angular_velocity", "linear_acceleration")
        for i in (0, 4, 8)
    ),
]
any_float = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1.0, 0.0]),
)


def filter_in_flight() -> NavFilter:
    nav = NavFilter(RtkParams(datum_latitude_deg=47.0, datum_longitude_deg=8.0, datum_altitude_m=500.0))
    for k in range(60):
        if k % 20 == 0:
            nav.add_fix(convert.fix(fix_message(k // 20), SOURCE))
        nav.add_imu(convert.imu_sample(imu_message(k), SOURCE))
    assert nav.waiting_for == ""
    return nav


def carries_on(nav: NavFilter) -> None:
    """What follows the spoilt message still gives finite states."""
    states = []
    for k in range(61, 130):
        if k % 20 == 0:
            with contextlib.suppress(InputError):  # the spoilt one may have had this stamp
                nav.add_fix(convert.fix(fix_message(k // 20), SOURCE))
        states.append(nav.add_imu(convert.imu_sample(imu_message(k), SOURCE)))
    made = [state for state in states if state is not None]
    assert made
    for state in made:
        for values in (state.map_T_base.translation_m, state.map_T_base.quaternion_xyzw, state.covariance):
            assert np.isfinite(values).all()
        assert np.linalg.eigvalsh(state.covariance)[0] > 0.0


@settings(max_examples=60)
@given(st.sampled_from(FIX_FLOATS), any_float)
def test_a_spoilt_number_of_a_fix_is_refused_or_harmless(field: str, value: float) -> None:
    nav = filter_in_flight()
    with contextlib.suppress(InputError):
        nav.add_fix(convert.fix(spoil(fix_message(3), field, value), SOURCE))
    carries_on(nav)


@settings(max_examples=60)
@given(st.sampled_from(IMU_FLOATS), any_float)
def test_a_spoilt_number_of_an_imu_sample_is_refused_or_harmless(field: str, value: float) -> None:
    nav = filter_in_flight()
    with contextlib.suppress(InputError):
        nav.add_imu(convert.imu_sample(spoil(imu_message(60), field, value), SOURCE))
    carries_on(nav)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("field", FIX_FLOATS)
def test_every_number_of_a_fix_that_cannot_be_has_its_reason(field: str, bad: float) -> None:
    if field == "altitude" and math.isnan(bad):
        with pytest.raises(InputError) as refusal:  # NaN is REP-103 for "not measured": the filter needs it
            filter_in_flight().add_fix(convert.fix(spoil(fix_message(3), field, bad), SOURCE))
        assert refusal.value.reason == "no_altitude"
        return
    with pytest.raises(InputError) as refusal:
        convert.fix(spoil(fix_message(), field, bad), SOURCE)
    assert refusal.value.reason in {"not_finite", "position_range", "altitude_range", "covariance"}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("field", [name for name in IMU_FLOATS if "covariance" not in name])
def test_every_number_of_an_imu_sample_that_cannot_be_has_its_reason(field: str, bad: float) -> None:
    with pytest.raises(InputError) as refusal:
        convert.imu_sample(spoil(imu_message(), field, bad), SOURCE)
    assert refusal.value.reason in {"not_finite", "range", "quaternion"}


@pytest.mark.parametrize(
    ("make", "take", "field", "value", "reason"),
    [
        (fix_message, convert.fix, "header.stamp.sec", 0, "no_stamp"),
        (fix_message, convert.fix, "header.stamp.sec", -5, "no_stamp"),
        (fix_message, convert.fix, "header.stamp.nanosec", 2_000_000_000, "bad_stamp"),
        (fix_message, convert.fix, "status.status", 7, "status"),
        (fix_message, convert.fix, "position_covariance_type", 9, "covariance_type"),
        (fix_message, convert.fix, "position_covariance", np.zeros(4), "wrong_size"),
        (fix_message, convert.fix, "position_covariance[1]", 1.0, "covariance"),  # not symmetric
        (imu_message, convert.imu_sample, "header.stamp.sec", 0, "no_stamp"),
        (imu_message, convert.imu_sample, "header.stamp.nanosec", 2_000_000_000, "bad_stamp"),
        (imu_message, convert.imu_sample, "orientation_covariance", np.zeros(3), "wrong_size"),
        (imu_message, convert.imu_sample, "angular_velocity_covariance", np.zeros(0), "wrong_size"),
        (imu_message, convert.imu_sample, "linear_acceleration_covariance", np.zeros(10), "wrong_size"),
        (imu_message, convert.imu_sample, "orientation_covariance[0]", math.nan, "covariance"),
        (imu_message, convert.imu_sample, "angular_velocity_covariance[0]", -1.0, "incomplete"),
        (imu_message, convert.imu_sample, "linear_acceleration_covariance[0]", -1.0, "incomplete"),
    ],
)  # fmt: skip
def test_every_other_field_that_cannot_be_has_its_reason(
    make: Any, take: Any, field: str, value: Any, reason: str
) -> None:
    with pytest.raises(InputError) as refusal:
        take(spoil(make(), field, value), SOURCE)
    assert refusal.value.reason == reason
