# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The navigation filter against the truth of the simulated flight: is it as good as it says, and no better?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import chi2

from vidgen_nodes.packets import Fix, FloatArray, Heading, ImuSample, NavState, Pose, RtkStatus, SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing.pose import NavFilter
from vidgen_nodes.sensing.transform import rotate
from vidgen_nodes.sim import navigation, rig, site
from vidgen_nodes.sim.navigation import InertialUnit, Receiver
from vidgen_nodes.sim.trajectory import FlightTruth, fly

T0 = 1_700_000_000_000_000_000
IMU_HZ = 200
SEEDS = range(1, 9)
Change = Callable[[Fix, float], Fix | None]


def params(**changes: object) -> RtkParams:
    """The sensors as the simulator makes them."""
    known: dict[str, object] = {
        "datum_latitude_deg": site.DATUM_LATITUDE_DEG,
        "datum_longitude_deg": site.DATUM_LONGITUDE_DEG,
        "datum_altitude_m": site.DATUM_ALTITUDE_M,
        "antenna_m": list(rig.ANTENNA_M),
        "orientation_sigma_deg": [navigation.ATTITUDE_SIGMA_DEG[0], navigation.ATTITUDE_SIGMA_DEG[2]],
        "orientation_time_s": 10.0,
        "fix_time_sigma_ms": 0.0,
        "acceleration_noise_density": navigation.ACCELERATION_SIGMA_MPS2 / math.sqrt(IMU_HZ),
        "gyro_noise_density": navigation.GYRO_SIGMA_RADPS / math.sqrt(IMU_HZ),
        "acceleration_bias_mps2": navigation.ACCELERATION_BIAS_MPS2,
        "gyro_bias_radps": navigation.GYRO_BIAS_RADPS,
    }
    return RtkParams(**{**known, **changes})  # type: ignore[arg-type]


def yaw_of(pose: Pose) -> float:
    return float(Rotation.from_quat(pose.quaternion_xyzw).as_euler("ZYX")[0])


@dataclass
class Flown:
    """What came out, beside the truth."""

    nav: NavFilter
    inertial: InertialUnit
    states: list[tuple[float, NavState, FloatArray]] = field(default_factory=list)  # s, state, error (6,)
    nis: list[float] = field(default_factory=list)

    def at(self, t_s: float) -> tuple[NavState, FloatArray]:
        """The newest state by then."""
        _, state, error = [item for item in self.states if item[0] <= t_s][-1]
        return state, error

    def nees(self, t_s: float, axes: slice = slice(0, 6)) -> float:
        state, error = self.at(t_s)
        e = error[axes]
        return float(e @ np.linalg.solve(state.covariance[axes, axes], e))

    def sigma(self, t_s: float) -> FloatArray:
        return np.sqrt(np.diag(self.at(t_s)[0].covariance))


def samples(
    seed: int, seconds: float, truth: Callable[[float], FlightTruth] = fly
) -> Iterator[tuple[int, float, FlightTruth]]:
    for k in range(round(seconds * IMU_HZ)):
        t = k / IMU_HZ + 0.001
        yield k, t, truth(t)


def run(
    seed: int,
    seconds: float,
    *,
    change: Change = lambda fix, t: fix,
    oriented: bool = True,
    headings: Callable[[float], bool] = lambda t: False,
    truth: Callable[[float], FlightTruth] = fly,
    **changes: object,
) -> Flown:
    receiver, inertial = Receiver(seed), InertialUnit(seed)
    flown = Flown(NavFilter(params(**changes)), inertial)
    nav, used = flown.nav, 0
    for k, t, true in samples(seed, seconds, truth):
        stamp = T0 + round(t * 1e9)
        if k % 20 == 4:
            r = receiver.fix(true.antenna_m, k // 20)
            fix = change(
                Fix(stamp, r.latitude_deg, r.longitude_deg, r.altitude_m, r.covariance_m2.reshape(3, 3),
                    RtkStatus.FIXED, SourceRef("fix", "", stamp, b"")),
                t,
            )  # fmt: skip
            if fix is not None:
                nav.add_fix(fix)
            if headings(t):
                noise = np.random.default_rng((seed, k)).normal(0, math.radians(0.2))
                source = SourceRef("heading", "", stamp, b"")
                nav.add_heading(Heading(stamp, yaw_of(true.map_T_base) + noise, math.radians(0.2), source))
        r = inertial.read(true, k)
        state = nav.add_imu(
            ImuSample(stamp, r.orientation_xyzw if oriented else None, r.angular_velocity_radps,
                      r.acceleration_mps2, SourceRef("imu", "", stamp, b""))
        )  # fmt: skip
        if nav.fixes_used != used:
            used = nav.fixes_used
            flown.nis.append(nav.fix_nis)
        if state is not None:
            off = (
                Rotation.from_quat(true.map_T_base.quaternion_xyzw)
                * Rotation.from_quat(state.map_T_base.quaternion_xyzw).inv()
            )
            flown.states.append(
                (
                    t,
                    state,
                    np.r_[true.map_T_base.translation_m - state.map_T_base.translation_m, off.as_rotvec()],
                )
            )
    return flown


@pytest.fixture(scope="module")
def flights() -> list[Flown]:
    return [run(seed, 24.0) for seed in SEEDS]


def bounds(freedom: int, runs: int) -> tuple[float, float]:
    """95 % of the mean of so many chi-square numbers."""
    low, high = chi2.ppf((0.025, 0.975), freedom * runs) / runs
    return float(low), float(high)


def test_innovations_are_as_large_as_the_filter_expects(flights: list[Flown]) -> None:
    nis = np.concatenate([flown.nis[30:] for flown in flights])
    low, high = bounds(3, len(nis))
    assert low <= nis.mean() <= high
    assert np.mean(nis <= chi2.ppf(0.95, 3)) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    "axes", [slice(0, 6), slice(0, 3), slice(3, 6)], ids=["pose", "position", "attitude"]
)
def test_errors_are_as_large_as_the_covariance_says(flights: list[Flown], axes: slice) -> None:
    # Runs are independent. Within one the errors of 5 s before still count a little, so it counts as one.
    low, high = bounds(axes.stop - axes.start, len(flights))
    mean = np.mean([flown.nees(t, axes) for flown in flights for t in (8.0, 13.0, 18.0, 23.0)])
    assert low <= mean <= high


def test_the_filter_is_better_than_each_of_its_sensors(flights: list[Flown]) -> None:
    errors = np.array([error for flown in flights for t, _, error in flown.states if t > 8.0])
    position = np.sqrt(np.mean(errors[:, :2] ** 2))
    tilt = np.sqrt(np.mean(errors[:, 3:5] ** 2))
    assert position < 0.6 * navigation.FIX_SIGMA_M[0]
    assert tilt < 0.6 * math.radians(navigation.ATTITUDE_SIGMA_DEG[0])


def test_biases_are_found(flights: list[Flown]) -> None:
    gyro, force = [], []
    for flown in flights:
        found = flown.nav.biases
        assert found is not None
        gyro.append(found[0] - flown.inertial._gyro_bias)
        force.append(found[1] - flown.inertial._acceleration_bias)
    assert np.sqrt(np.mean(np.square(gyro))) < 0.25 * navigation.GYRO_BIAS_RADPS
    # The part along gravity; what looks like tilt is told from tilt only by turning.
    assert np.sqrt(np.mean(np.square(force)[:, 2])) < 0.2 * navigation.ACCELERATION_BIAS_MPS2
    assert np.sqrt(np.mean(np.square(force))) < 0.6 * navigation.ACCELERATION_BIAS_MPS2


def test_twenty_seconds_without_fixes_are_bridged_with_the_covariance_they_deserve() -> None:
    ends = []
    for seed in (1, 2, 3, 4):
        flown = run(seed, 37.0, change=lambda fix, t: None if 15.0 < t < 35.0 else fix)
        sigmas = [flown.sigma(t)[0] for t in (14.9, 18.0, 24.0, 29.0, 34.9)]
        assert sigmas == sorted(sigmas)
        assert 0.1 < sigmas[-1] < 4.0
        ends.append(flown.nees(34.9, slice(0, 3)))
        assert np.abs(flown.at(36.9)[1][:3]).max() < 0.04  # taken up again at once, not refused
        assert flown.nav.refused == {}
    low, high = bounds(3, len(ends))
    assert low <= np.mean(ends) <= high


def test_rtk_that_drops_to_float_is_not_averaged_into_centimetres() -> None:
    covered = []
    for seed in (1, 2, 3, 4):
        bias = np.random.default_rng(seed).normal(0, 0.4, 2)

        def drop(fix: Fix, t: float, bias: FloatArray = bias) -> Fix:
            if t < 12.0:
                return fix
            metre_deg = 1.0 / 111_200.0
            return dataclasses.replace(
                fix, rtk=RtkStatus.FLOAT, covariance_m2=np.diag((0.16, 0.16, 0.64)),
                latitude_deg=fix.latitude_deg + bias[1] * metre_deg,
                longitude_deg=fix.longitude_deg + bias[0] * metre_deg / math.cos(math.radians(fix.latitude_deg)),
            )  # fmt: skip

        flown = run(seed, 32.0, change=drop)
        assert flown.at(31.0)[0].rtk == RtkStatus.FLOAT
        assert flown.nav.refused == {}
        assert flown.sigma(31.0)[0] > 0.1
        covered.append(flown.nees(31.0, slice(0, 3)))
    assert np.mean(covered) <= bounds(3, len(covered))[1]


def test_outliers_are_refused_and_leave_no_trace() -> None:
    def spoil(fix: Fix, t: float) -> Fix:
        wild = round(t * 10) % 17 == 3 and t > 5.0
        return dataclasses.replace(fix, latitude_deg=fix.latitude_deg + 3e-6) if wild else fix  # 33 cm

    flown = run(5, 20.0, change=spoil)
    assert flown.nav.refused["outlier"] >= 8
    assert set(flown.nav.refused) == {"outlier"}
    assert np.abs([error[:3] for t, _, error in flown.states if t > 5.0]).max() < 0.03


def test_stamps_that_jitter_cost_accuracy_and_not_fixes() -> None:
    def late(fix: Fix, t: float) -> Fix:
        off_ns = round(np.random.default_rng(round(t * 1e3)).uniform(-18e6, 18e6))
        return dataclasses.replace(fix, stamp_ns=fix.stamp_ns + off_ns)

    flown = run(3, 15.0, change=late, fix_time_sigma_ms=18.0 / math.sqrt(3.0), fix_delay_ms=60.0)
    trusting = run(3, 15.0, change=late, fix_delay_ms=60.0)
    assert flown.nav.refused.get("outlier", 0) <= 1
    widest = [max(state.covariance[1, 1] for t, state, _ in f.states if t > 5.0) for f in (flown, trusting)]
    assert widest[0] > 2.0 * widest[1]  # north is the way it flies
    inside = [
        abs(error[:2]) < 3 * np.sqrt(np.diag(s.covariance)[:2]) for t, s, error in flown.states if t > 5.0
    ]
    assert np.mean(inside) > 0.98


def test_a_wrong_lever_arm_shows_and_the_right_one_does_not() -> None:
    right = run(3, 15.0)
    wrong = run(3, 15.0, antenna_m=[0.0, 0.0, 0.0])
    off = np.mean([np.linalg.norm(error[:3]) for t, _, error in wrong.states if t > 8.0])
    assert np.mean([np.linalg.norm(error[:3]) for t, _, error in right.states if t > 8.0]) < 0.02
    assert off == pytest.approx(np.linalg.norm(rig.ANTENNA_M), abs=0.03)


def test_without_any_orientation_tilt_comes_from_gravity_and_heading_from_motion() -> None:
    ends = []
    for seed in (1, 2, 3, 4):
        flown = run(seed, 30.0, oriented=False, acceleration_bias_mps2=0.05, gyro_bias_radps=0.002)
        assert flown.states[0][0] < 8.0
        first, last = flown.sigma(flown.states[0][0])[5], flown.sigma(29.0)[5]
        assert first > math.radians(3.0)
        assert last < math.radians(1.0)
        assert abs(flown.at(29.0)[1][5]) < 4 * last
        ends.append(flown.nees(29.0))
    low, high = bounds(6, len(ends))
    assert low <= np.mean(ends) <= high


def test_an_orientation_without_north_is_used_for_tilt_alone() -> None:
    flown = run(2, 20.0, orientation_sigma_deg=[0.1, 180.0])
    assert flown.states[0][0] < 8.0
    state, error = flown.at(19.0)
    sigma = np.sqrt(np.diag(state.covariance))
    assert sigma[3] < math.radians(0.1)
    assert sigma[5] > 3 * sigma[3]
    assert abs(error[5]) < 4 * sigma[5]


def hover(t_s: float) -> FlightTruth:
    """Hanging still above a point: nothing tells the heading."""
    yaw = 0.7
    q = (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))
    pose = Pose(np.array((3.0, -2.0, 20.0)), np.array(q))
    return FlightTruth(t_s, pose, q, np.zeros(3), np.zeros(3), np.zeros(3))


def test_heading_is_kept_by_two_antennas_and_lost_honestly_without() -> None:
    flown = run(1, 40.0, oriented=False, truth=hover, headings=lambda t: t < 10.0, zero_velocity=False)
    kept = flown.sigma(10.0)[5]
    assert kept < math.radians(0.15)
    growing = [flown.sigma(t)[5] for t in (12.0, 20.0, 30.0, 39.0)]
    assert growing == sorted(growing)
    assert growing[-1] > 1.5 * kept
    assert abs(flown.at(39.0)[1][5]) < 3 * growing[-1]


def test_hanging_still_without_any_heading_gives_no_pose_and_says_why() -> None:
    flown = run(1, 12.0, oriented=False, truth=hover)
    assert flown.states == []
    assert flown.nav.waiting_for.startswith("heading:")


def test_a_heading_that_contradicts_is_refused_until_it_insists() -> None:
    flown = run(2, 8.0, headings=lambda t: True)
    nav, true = flown.nav, fly(8.0)
    for k in range(1, 6):
        stamp = T0 + round((8.0 + 0.05 * k) * 1e9)
        nav.add_heading(
            Heading(stamp, yaw_of(true.map_T_base) + 0.5, math.radians(0.2), SourceRef("h", "", stamp, b""))
        )
    state = None
    for k in range(80):
        stamp = T0 + round(8e9) + 1_000_000 + k * 5_000_000
        force = np.array(
            rotate(
                (-true.map_q_base[0], -true.map_q_base[1], -true.map_q_base[2], true.map_q_base[3]),
                (0, 0, 9.80665),
            )
        )
        state = (
            nav.add_imu(ImuSample(stamp, None, np.zeros(3), force, SourceRef("imu", "", stamp, b""))) or state
        )
    assert nav.refused["heading_outlier"] == 5
    assert nav.refused["heading_restart"] == 1
    assert state is not None
    assert math.remainder(
        yaw_of(state.map_T_base) - yaw_of(true.map_T_base) - 0.5, math.tau
    ) == pytest.approx(0, abs=0.02)


def test_on_the_ground_the_filter_takes_rest_for_rest() -> None:
    def ground(fix: Fix, t: float) -> Fix | None:
        return fix if t < 6.0 else None  # then no sky

    still = run(4, 25.0, truth=hover, change=ground, oriented=False, headings=lambda t: t < 6.0)
    drifting = run(
        4, 25.0, truth=hover, change=ground, oriented=False, headings=lambda t: t < 6.0, zero_velocity=False
    )
    assert still.sigma(24.0)[0] < 0.02
    assert np.abs(still.at(24.0)[1][:3]).max() < 0.03
    assert drifting.sigma(24.0)[0] > 10 * still.sigma(24.0)[0]
    assert drifting.sigma(24.0)[5] > 1.5 * still.sigma(24.0)[5]


def test_rest_is_never_taken_for_granted_in_flight(flights: list[Flown]) -> None:
    """The smoothest flight there is: a zero velocity used by mistake would show at once."""
    for flown in flights:
        speed_off = [
            np.linalg.norm(s.velocity_mps - fly(t).velocity_mps) for t, s, _ in flown.states if t > 5.0
        ]
        assert max(speed_off) < 0.06


def test_a_clock_that_jumps_back_starts_anew_and_is_soon_as_good() -> None:
    flown = run(6, 6.0)
    before = flown.at(5.9)[0].map_T_base.translation_m
    again = run(6, 6.0)
    nav = flown.nav
    receiver, inertial = Receiver(6), InertialUnit(6)
    states = []
    for k, t, true in samples(6, 6.0):
        stamp = T0 - 100_000_000_000 + round(t * 1e9)
        if k % 20 == 4:
            r = receiver.fix(true.antenna_m, k // 20)
            nav.add_fix(Fix(stamp, r.latitude_deg, r.longitude_deg, r.altitude_m, r.covariance_m2.reshape(3, 3),
                            RtkStatus.FIXED, SourceRef("fix", "", stamp, b"")))  # fmt: skip
        r = inertial.read(true, k)
        state = nav.add_imu(ImuSample(stamp, r.orientation_xyzw, r.angular_velocity_radps, r.acceleration_mps2,
                                      SourceRef("imu", "", stamp, b"")))  # fmt: skip
        states += [state] if state is not None else []
    assert len(states) == len(again.states)
    # Not a bit is left of what was before the jump.
    assert (
        states[-1].map_T_base.translation_m.tobytes()
        == again.states[-1][1].map_T_base.translation_m.tobytes()
    )
    assert states[-1].covariance.tobytes() == again.states[-1][1].covariance.tobytes()
    np.testing.assert_allclose(states[-1].map_T_base.translation_m, before, atol=0.2)


def test_fixes_and_headings_that_come_late_but_in_time_change_no_bit() -> None:
    def states(late: bool) -> list[bytes]:
        receiver, inertial, nav = Receiver(7), InertialUnit(7), NavFilter(params())
        waiting: list[tuple[int, Fix | Heading]] = []
        made = []
        for k, t, true in samples(7, 4.0):
            stamp = T0 + round(t * 1e9)
            if k % 20 == 4:
                r = receiver.fix(true.antenna_m, k // 20)
                source = SourceRef("fix", "", stamp, b"")
                fix = Fix(stamp - 2_000_000, r.latitude_deg, r.longitude_deg, r.altitude_m,
                          r.covariance_m2.reshape(3, 3), RtkStatus.FIXED, source)  # fmt: skip
                heading = Heading(
                    stamp - 1_000_000, yaw_of(true.map_T_base), math.nan, SourceRef("h", "", stamp, b"")
                )
                waiting += [(k + 7 * late, heading), (k + (3 + k % 4) * late, fix)]
            for item in [item for item in waiting if item[0] == k]:
                nav.add_fix(item[1]) if isinstance(item[1], Fix) else nav.add_heading(item[1])
            r = inertial.read(true, k)
            state = nav.add_imu(ImuSample(stamp, r.orientation_xyzw, r.angular_velocity_radps, r.acceleration_mps2,
                                          SourceRef("imu", "", stamp, b"")))  # fmt: skip
            if state is not None:
                made.append(state.map_T_base.translation_m.tobytes() + state.map_T_base.quaternion_xyzw.tobytes()
                            + state.covariance.tobytes() + repr(state.sources).encode())  # fmt: skip
        assert made
        return made

    assert states(late=True) == states(late=False)


def test_an_imu_whose_heading_is_reset_in_flight_does_not_turn_the_drone() -> None:
    receiver, inertial, nav = Receiver(8), InertialUnit(8), NavFilter(params())
    worst = 0.0
    for k, t, true in samples(8, 20.0):
        stamp = T0 + round(t * 1e9)
        if k % 20 == 4:
            r = receiver.fix(true.antenna_m, k // 20)
            nav.add_fix(Fix(stamp, r.latitude_deg, r.longitude_deg, r.altitude_m, r.covariance_m2.reshape(3, 3),
                            RtkStatus.FIXED, SourceRef("fix", "", stamp, b"")))  # fmt: skip
        r = inertial.read(true, k)
        said = Rotation.from_quat(r.orientation_xyzw)
        if t > 10.0:
            said = Rotation.from_euler("z", 40, degrees=True) * said
        state = nav.add_imu(ImuSample(stamp, said.as_quat(), r.angular_velocity_radps, r.acceleration_mps2,
                                      SourceRef("imu", "", stamp, b"")))  # fmt: skip
        if state is not None and t > 5.0:
            worst = max(
                worst, abs(math.remainder(yaw_of(state.map_T_base) - yaw_of(true.map_T_base), math.tau))
            )
    assert math.degrees(worst) < 1.0
    assert nav.refused["orientation_outlier"] >= 49
    assert nav.refused["orientation_outlier"] < 60  # then its new zero is learned
