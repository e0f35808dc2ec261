# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Fix, ImuSample, NavState, RtkStatus, SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing.geodesy import LocalFrame
from vidgen_nodes.sensing.pose import NavFilter

MS = 1_000_000
T0 = 1_700_000_000_000_000_000
DATUM = (47.37, 8.54, 450.0)
FRAME = LocalFrame(*DATUM)


def params(**changes: object) -> RtkParams:
    lat, lon, height = DATUM
    known = {"datum_latitude_deg": lat, "datum_longitude_deg": lon, "datum_altitude_m": height}
    return RtkParams(**{**known, **changes})  # type: ignore[arg-type]


def imu(
    stamp_ns: int,
    rotation: Rotation | None = None,
    acceleration: tuple[float, float, float] = (0.0, 0.0, 0.0),
    rate: tuple[float, float, float] = (0.0, 0.0, 0.0),
    oriented: bool = True,
) -> ImuSample:
    """A sample of a body that accelerates so in map."""
    rotation = rotation or Rotation.identity()
    felt = rotation.inv().apply(np.array(acceleration) + np.array((0, 0, 9.80665)))
    q = rotation.as_quat() if oriented else None
    return ImuSample(stamp_ns, q, np.array(rate), felt, SourceRef("imu", "Imu", stamp_ns, b""))


def fix(stamp_ns: int, enu=(0.0, 0.0, 0.0), rtk: RtkStatus = RtkStatus.FIXED, sigma: float = 0.01) -> Fix:
    lat, lon, height = FRAME.to_geodetic(np.array(enu, float))
    return Fix(
        stamp_ns, lat, lon, height, np.eye(3) * sigma**2, rtk, SourceRef("fix", "NavSatFix", stamp_ns, b"")
    )


def fly(
    nav: NavFilter,
    seconds: float,
    position=lambda t: (0.0, 0.0, 0.0),
    acceleration=lambda t: (0.0, 0.0, 0.0),
    start_s: float = 0.0,
    fix_every_ms: int = 100,
) -> list[NavState]:
    """IMU at 200 Hz, fixes without noise at 10 Hz."""
    states = []
    for k in range(round(seconds * 200)):
        t = start_s + k / 200
        stamp = T0 + round(t * 1e9)
        if (k * 5) % fix_every_ms == 0:
            nav.add_fix(fix(stamp, position(t)))
        state = nav.add_imu(imu(stamp, acceleration=acceleration(t)))
        if state is not None:
            states.append(state)
    return states


def test_a_hovering_drone_stays_where_it_is() -> None:
    last = fly(NavFilter(params()), 3.0, lambda t: (3.0, -4.0, 20.0))[-1]
    np.testing.assert_allclose(last.map_T_base.translation_m, (3, -4, 20), atol=1e-3)
    np.testing.assert_allclose(last.velocity_mps, 0, atol=5e-3)
    assert last.rtk == RtkStatus.FIXED


def test_a_circle_is_followed_without_lag() -> None:
    w, r = 0.8, 10.0
    states = fly(
        NavFilter(params()),
        6.0,
        lambda t: (r * math.cos(w * t), r * math.sin(w * t), 20.0),
        lambda t: (-r * w * w * math.cos(w * t), -r * w * w * math.sin(w * t), 0.0),
    )
    for state in states[len(states) // 2 :]:
        t = (state.stamp_ns - T0) * 1e-9
        np.testing.assert_allclose(
            state.map_T_base.translation_m, (r * math.cos(w * t), r * math.sin(w * t), 20), atol=0.01
        )
        np.testing.assert_allclose(
            state.velocity_mps[:2], (-r * w * math.sin(w * t), r * w * math.cos(w * t)), atol=0.03
        )


def test_the_stated_covariance_covers_the_error() -> None:
    rng = np.random.default_rng(1)
    nav = NavFilter(params(acceleration_noise_density=0.3 / math.sqrt(200)))
    inside = []
    for k in range(200 * 40):
        stamp = T0 + k * 5 * MS
        if k % 20 == 0:
            nav.add_fix(fix(stamp, rng.normal(0, 0.02, 3), sigma=0.02))
        state = nav.add_imu(imu(stamp, acceleration=tuple(rng.normal(0, 0.3, 3))))
        if state is not None and k > 1000:
            inside += list(
                np.abs(state.map_T_base.translation_m) <= 1.96 * np.sqrt(np.diag(state.covariance)[:3])
            )
    assert 0.92 <= np.mean(inside) <= 0.99


def test_the_antenna_is_not_the_body() -> None:
    nav = NavFilter(params(antenna_m=[0.5, 0.0, 0.2]))
    turned = Rotation.from_euler("z", 90, degrees=True)
    state = None
    for k in range(100):
        stamp = T0 + k * 5 * MS
        if k % 20 == 0:
            nav.add_fix(fix(stamp, (1.0, 2.5, 10.2)))
        state = nav.add_imu(imu(stamp, turned)) or state
    assert state is not None
    np.testing.assert_allclose(state.map_T_base.translation_m, (1, 2, 10), atol=1e-3)


def test_states_lie_on_the_grid_of_event_time() -> None:
    states = fly(NavFilter(params(output_rate_hz=50.0)), 1.0)
    stamps = [s.stamp_ns for s in states]
    assert all(stamp % (20 * MS) == 0 for stamp in stamps)
    assert set(np.diff(stamps)) == {20 * MS}


def test_a_fix_enters_with_the_first_sample_after_its_delay() -> None:
    nav = NavFilter(params(fix_delay_ms=40.0, output_rate_hz=1000.0))
    states = fly(nav, 0.5)
    entered = [(s.stamp_ns, f.stamp_ns) for s in states for f in s.sources if f.topic == "fix"]
    # The first state comes with the second fix and brings the first along.
    assert entered[1][0] == entered[0][0] == T0 + 140 * MS
    assert all(at == stamp + 40 * MS for at, stamp in entered[2:])


def test_a_fix_counts_at_its_own_stamp_however_long_the_delay() -> None:
    def run(delay_ms: float) -> NavState:
        nav = NavFilter(params(fix_delay_ms=delay_ms))
        return fly(nav, 3.0, lambda t: (5.0 * t, 0.0, 0.0), fix_every_ms=200)[-1]

    for delay_ms in (0.0, 40.0, 150.0):
        last = run(delay_ms)
        t = (last.stamp_ns - T0) * 1e-9
        assert last.map_T_base.translation_m[0] == pytest.approx(5.0 * t, abs=0.01)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 39))
def test_the_order_of_arrival_within_the_delay_changes_no_bit(seed: int, latest_ms: int) -> None:
    def run(shuffle: bool) -> list[tuple[object, ...]]:
        rng, nav, states = random.Random(seed), NavFilter(params(fix_delay_ms=40.0)), []
        fixes = [fix(T0 + (30 * k + 3) * MS, (0.01 * (k % 3), 0.0, 0.0)) for k in range(10)]
        due = [(f.stamp_ns + (rng.randint(0, latest_ms) * MS if shuffle else 0), f) for f in fixes]
        due.sort(key=lambda item: item[0])
        for k in range(80):
            stamp = T0 + k * 5 * MS
            while due and due[0][0] <= stamp:
                nav.add_fix(due.pop(0)[1])
            state = nav.add_imu(imu(stamp, acceleration=(0.1, 0.0, 0.0)))
            if state is not None:
                states.append(
                    (
                        state.stamp_ns,
                        state.map_T_base.translation_m.tobytes(),
                        state.covariance.tobytes(),
                        state.sources,
                    )
                )
        return states

    assert run(shuffle=True) == run(shuffle=False)


def test_every_message_is_a_source_once() -> None:
    states = fly(NavFilter(params()), 2.0)
    sources = [source for state in states for source in state.sources]
    assert len(set(sources)) == len(sources)
    first = min(s.stamp_ns for s in sources if s.topic == "imu")
    imu_stamps = sorted(s.stamp_ns for s in sources if s.topic == "imu")
    assert imu_stamps == list(range(first, imu_stamps[-1] + 1, 5 * MS))


def test_one_fix_is_not_enough() -> None:
    nav = NavFilter(params())
    nav.add_fix(fix(T0))
    assert all(nav.add_imu(imu(T0 + k * 5 * MS)) is None for k in range(100))
    assert nav.waiting_for == "fix: a second position, to know the velocity"


def test_waiting_is_said_in_plain_words() -> None:
    nav = NavFilter(params())
    assert nav.waiting_for == "imu/data: no sample yet"
    assert nav.add_imu(imu(T0, oriented=False)) is None
    assert "no orientation" in nav.waiting_for
    nav.add_imu(imu(T0 + 5 * MS))
    assert nav.waiting_for == "fix: no position yet"
    nav.add_fix(fix(T0 + 66 * 86400 * 1000 * MS))
    assert "+5702400.0 s off" in nav.waiting_for
    flown = NavFilter(params())
    fly(flown, 1.0)
    assert flown.waiting_for == ""


def test_samples_without_orientation_are_bridged_by_the_gyro() -> None:
    nav = NavFilter(params(output_rate_hz=200.0))
    rate = math.radians(60)
    state = None
    for k in range(200):
        stamp = T0 + k * 5 * MS
        if k % 20 == 0:
            nav.add_fix(fix(stamp))
        yaw = Rotation.from_euler("z", rate * k / 200)
        state = nav.add_imu(imu(stamp, yaw, rate=(0, 0, rate), oriented=k % 10 == 0))
    assert state is not None
    error = Rotation.from_quat(state.map_T_base.quaternion_xyzw).inv() * Rotation.from_euler(
        "z", rate * 199 / 200
    )
    assert error.magnitude() < 1e-6


def test_orientation_lost_is_carried_on_with_the_uncertainty_that_it_deserves() -> None:
    nav = NavFilter(params(zero_velocity=False))
    before = fly(nav, 1.0)[-1]
    states = [nav.add_imu(imu(T0 + 1000 * MS + k * 5 * MS, oriented=False)) for k in range(4000)]
    after = [state for state in states if state is not None][-1]
    assert after.stamp_ns > T0 + 20_000 * MS
    assert after.covariance[5, 5] > 1.5 * before.covariance[5, 5]


def test_an_outlier_is_refused_and_counted() -> None:
    nav = NavFilter(params())
    fly(nav, 2.0)
    nav.add_fix(fix(T0 + 2000 * MS, (3.0, 0.0, 0.0)))
    last = fly(nav, 1.0, start_s=2.005, fix_every_ms=100)[-1]
    assert nav.refused == {"outlier": 1}
    np.testing.assert_allclose(last.map_T_base.translation_m, 0, atol=1e-3)


def test_the_fifth_outlier_in_a_row_is_believed() -> None:
    nav = NavFilter(params())
    fly(nav, 2.0)
    last = fly(nav, 2.0, lambda t: (3.0, 0.0, 0.0), start_s=2.0)[-1]
    assert nav.refused == {"outlier": 5, "restart": 1}
    np.testing.assert_allclose(last.map_T_base.translation_m, (3, 0, 0), atol=1e-2)


def test_rtk_lost_keeps_the_stamp_of_the_newest_fixed_one() -> None:
    nav = NavFilter(params())
    fly(nav, 1.0)
    last = None
    for k in range(200, 300):
        stamp = T0 + k * 5 * MS
        if k % 20 == 0:
            nav.add_fix(fix(stamp, rtk=RtkStatus.FLOAT, sigma=0.3))
        last = nav.add_imu(imu(stamp)) or last
    assert last is not None
    assert last.rtk == RtkStatus.FLOAT
    assert last.rtk_fixed_ns == T0 + 900 * MS


def test_a_receiver_that_states_nothing_is_not_taken_for_perfect() -> None:
    for covariance in (np.zeros((3, 3)), np.full((3, 3), np.nan)):
        nav = NavFilter(params())
        state = None
        for k in range(60):
            stamp = T0 + k * 5 * MS
            if k % 20 == 0:
                f = fix(stamp, rtk=RtkStatus.SINGLE)
                nav.add_fix(
                    Fix(stamp, f.latitude_deg, f.longitude_deg, f.altitude_m, covariance, f.rtk, f.source)
                )
            state = nav.add_imu(imu(stamp)) or state
        assert state is not None
        assert math.sqrt(state.covariance[0, 0]) > 1.0


def test_the_covariance_grows_without_fixes_and_the_state_ends_after_the_coasting_time() -> None:
    nav = NavFilter(params(coast_s=10.0, zero_velocity=False))
    states = fly(nav, 1.0)
    lone = [nav.add_imu(imu(T0 + 1000 * MS + k * 5 * MS)) for k in range(200 * 12)]
    alive = [s for s in lone if s is not None]
    assert alive[-1].covariance[0, 0] > 100 * states[-1].covariance[0, 0]
    assert alive[-1].stamp_ns == T0 + 10_900 * MS
    assert nav.refused == {"fix_gap": 1}


def test_an_imu_gap_starts_anew() -> None:
    nav = NavFilter(params())
    fly(nav, 1.0)
    assert nav.add_imu(imu(T0 + 1600 * MS)) is None
    assert nav.waiting_for.startswith("fix")
    assert fly(nav, 0.5, start_s=1.7)


def test_a_clock_that_jumps_back_starts_anew_on_the_same_datum() -> None:
    nav = NavFilter(RtkParams())
    before = fly(nav, 2.0, lambda t: (7.0, 0.0, 0.0))[-1]
    np.testing.assert_allclose(before.map_T_base.translation_m, 0, atol=1e-3)  # the first fix is the datum
    again = fly(nav, 0.5, lambda t: (9.0, 0.0, 0.0), start_s=-5.0)
    np.testing.assert_allclose(again[-1].map_T_base.translation_m, (2, 0, 0), atol=1e-2)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (fix(T0, rtk=RtkStatus.NONE), "no_fix"),
        (
            Fix(T0, 47.0, 8.0, math.nan, np.eye(3), RtkStatus.FIXED, SourceRef("fix", "", T0, b"")),
            "no_altitude",
        ),
    ],
)
def test_a_fix_without_a_position_is_refused(bad: Fix, expected: str) -> None:
    with pytest.raises(InputError) as refusal:
        NavFilter(params()).add_fix(bad)
    assert refusal.value.reason == expected


def test_stamps_that_do_not_rise_are_refused() -> None:
    nav = NavFilter(params())
    fly(nav, 1.0)
    for call, expected in (
        (lambda: nav.add_imu(imu(T0 + 995 * MS)), "duplicate"),
        (lambda: nav.add_imu(imu(T0 + 900 * MS)), "out_of_order"),
        (lambda: nav.add_fix(fix(T0 + 900 * MS)), "duplicate"),
        (lambda: nav.add_fix(fix(T0 + 850 * MS)), "out_of_order"),
    ):
        with pytest.raises(InputError) as refusal:
            call()
        assert refusal.value.reason == expected


def test_fixes_from_before_the_imu_are_counted() -> None:
    nav = NavFilter(params())
    nav.add_fix(fix(T0 - 50 * MS))
    nav.add_imu(imu(T0))
    assert nav.refused == {"older_than_imu": 1}
    assert "older_than_imu 1" in nav.waiting_for


def test_half_a_datum_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="datum_longitude_deg"):
        NavFilter(RtkParams(datum_latitude_deg=47.0))
    with pytest.raises(ConfigError):
        NavFilter(RtkParams(datum_latitude_deg=99.0, datum_longitude_deg=8.0, datum_altitude_m=0.0))


def test_what_waits_is_bounded() -> None:
    nav = NavFilter(params())
    for k in range(1000):
        nav.add_fix(fix(T0 + k * MS))
    assert nav.refused["overflow"] == 744
    for k in range(4000):
        nav.add_imu(imu(T0 - 30_000 * MS + k * 5 * MS))
    assert nav._track.count < 500
    assert len(nav._sources) < 500
