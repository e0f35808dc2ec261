# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import random
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Cause,
    Grid,
    Mark,
    NavState,
    Pose,
    RtkStatus,
    SourceRef,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sync.anchored import AnchoredSync

MS = 1_000_000
T0 = 1_700_000_000_000_000_000
CALIBRATION = CameraCalibration(
    T0, "cam", 8, 8, np.array(((650.0, 0, 4), (0, 650.0, 4), (0, 0, 1))), "plumb_bob", np.zeros(5)
)
GRID = Grid(-1.0, -1.0, 1.0, 2, 2)
PIXELS = np.zeros((8, 8), np.uint16)


def source(topic: str, stamp_ns: int) -> SourceRef:
    return SourceRef(topic, topic, stamp_ns, b"")


def nav(
    ms: float, velocity=(0.0, 0.0, 0.0), rate=(0.0, 0.0, 0.0), rtk_fixed_ms: float | None = None
) -> NavState:
    stamp = T0 + round(ms * MS)
    fixed = stamp if rtk_fixed_ms is None else (T0 + round(rtk_fixed_ms * MS) if rtk_fixed_ms > -1e6 else 0)
    pose = Pose(np.array((0.0, 0.0, 30.0)), np.array((0.0, 0.0, 0.0, 1.0)))
    return NavState(
        stamp, pose, np.array(velocity), np.zeros(3), np.array(rate), np.eye(6) * 1e-4, RtkStatus.FIXED, fixed,
        (source("imu", stamp), source("fix", stamp)),
    )  # fmt: skip


def umap(ms: float) -> UncertaintyMap:
    stamp = T0 + round(ms * MS)
    layer = np.zeros((2, 2), np.float32)
    return UncertaintyMap(
        stamp, GRID, layer, layer, layer, layer, layer, layer, layer, layer, np.zeros((2, 2), np.uint16),
        np.zeros((2, 2), np.int64), np.zeros((2, 2), np.uint8), stamp.to_bytes(32, "big"), (source("points", stamp),),
    )  # fmt: skip


def thermal(ms: float, calibration: CameraCalibration | None = CALIBRATION) -> ThermalFrame:
    stamp = T0 + round(ms * MS)
    return ThermalFrame(
        stamp, "cam", "mono16", PIXELS, 0, calibration, True, 0.01, 0.0, 0.0, False, (source("image", stamp),)
    )


def sync(**changes: object) -> AnchoredSync:
    return AnchoredSync(SyncParams(**changes))  # type: ignore[arg-type]


def filled(**changes: object) -> AnchoredSync:
    made = sync(**changes)
    for ms in range(0, 1000, 10):
        made.add_nav(nav(ms))
    for ms in range(0, 1000, 100):
        made.add_map(umap(ms))
    return made


def test_a_full_bundle_has_no_doubt() -> None:
    bundle = filled().bundle(thermal(900))
    assert bundle.causes == ()
    assert bundle.nav_stamp_ns == T0 + 880 * MS  # the newest with stamp + 15 ms <= 900
    assert bundle.uncertainty_map is not None
    assert bundle.uncertainty_map.stamp_ns == T0 + 600 * MS
    assert bundle.rtk == RtkStatus.FIXED
    assert bundle.sigma_px > 0
    assert bundle.pose_covariance is not None
    np.testing.assert_allclose(bundle.pose_covariance, bundle.pose_covariance.T)


@pytest.mark.parametrize(
    ("stamp_ms", "expected_ms"), [(885.0, 870), (885.000001, 870), (895.0, 880), (894.999999, 870)]
)
def test_an_input_is_in_effect_from_stamp_plus_delay_on(stamp_ms: float, expected_ms: int) -> None:
    assert filled().bundle(thermal(stamp_ms)).nav_stamp_ns == T0 + expected_ms * MS


def test_the_pose_is_that_of_the_thermal_stamp() -> None:
    made = sync(camera_translation_m=[1.0, 0.0, 0.0], camera_rpy_deg=[0.0, 90.0, 0.0])
    made.add_nav(nav(0, velocity=(5.0, 0.0, 0.0), rate=(0.0, 0.0, math.radians(60))))
    pose = made.bundle(thermal(50)).map_T_camera
    assert pose is not None
    yaw = math.radians(3.0)
    np.testing.assert_allclose(pose.translation_m, (0.25 + math.cos(yaw), math.sin(yaw), 30.0), atol=1e-9)


@pytest.mark.parametrize(
    ("prepare", "frame", "changes", "expected"),
    [
        (lambda s: None, thermal(900), {}, {Cause.NO_POSE, Cause.NO_MAP}),
        (lambda s: (s.add_nav(nav(880)), s.add_map(umap(500))), thermal(900, None), {}, {Cause.NO_CAMERA_INFO}),
        (lambda s: (s.add_nav(nav(699)), s.add_map(umap(500))), thermal(900), {}, {Cause.POSE_STALE}),
        (lambda s: (s.add_nav(nav(700)), s.add_map(umap(500))), thermal(900), {}, set()),
        (lambda s: (s.add_nav(nav(880)), s.add_map(umap(-1101))), thermal(900), {}, {Cause.MAP_STALE}),
        (lambda s: (s.add_nav(nav(880)), s.add_map(umap(-1100))), thermal(900), {}, set()),
        (lambda s: (s.add_nav(nav(880, rtk_fixed_ms=-101)), s.add_map(umap(500))), thermal(900), {}, {Cause.RTK_LOST}),
        (lambda s: (s.add_nav(nav(880, rtk_fixed_ms=-100)), s.add_map(umap(500))), thermal(900), {}, set()),
        (
            lambda s: (s.add_nav(nav(880, rtk_fixed_ms=-math.inf)), s.add_map(umap(500))),
            thermal(900), {}, {Cause.RTK_LOST},
        ),
        (
            lambda s: (s.add_nav(nav(880, rtk_fixed_ms=-math.inf)), s.add_map(umap(500))),
            thermal(900), {"require_rtk": False}, set(),
        ),
        (lambda s: (s.add_nav(nav(890)), s.add_map(umap(650))), thermal(900), {}, {Cause.NO_POSE, Cause.NO_MAP}),
    ],
)  # fmt: skip
def test_every_doubt_is_named(
    prepare, frame: ThermalFrame, changes: dict[str, object], expected: set[Cause]
) -> None:
    made = sync(**changes)
    prepare(made)
    bundle = made.bundle(frame)
    assert set(bundle.causes) == expected
    assert (bundle.map_T_camera is None) == bool(expected & {Cause.NO_POSE, Cause.POSE_STALE})
    assert made.report().causes == {cause.value: 1 for cause in expected}


def test_duplicates_and_older_frames_yield_nothing_and_are_counted() -> None:
    made = filled()
    made.bundle(thermal(900))
    for ms, expected in ((900, "duplicate"), (699, "out_of_order"), (-100, "out_of_order")):
        with pytest.raises(InputError) as refusal:
            made.bundle(thermal(ms))
        assert refusal.value.reason == expected
    counts = made.report()
    assert (counts.thermal_in, counts.bundles_out, counts.drops) == (
        4,
        1,
        {"duplicate": 1, "out_of_order": 2},
    )


def test_an_overtaken_frame_gets_what_was_in_effect_at_its_own_stamp() -> None:
    in_order, overtaken = filled(), filled()
    expected = {ms: in_order.bundle(thermal(ms)) for ms in (900, 920, 940, 960)}
    for ms in (900, 960, 940, 920):
        bundle = overtaken.bundle(thermal(ms))
        assert bundle.nav_stamp_ns == expected[ms].nav_stamp_ns
        assert bundle.map_T_camera is not None
        assert np.array_equal(bundle.map_T_camera.translation_m, expected[ms].map_T_camera.translation_m)
        assert bundle.uncertainty_map is not None
        assert bundle.uncertainty_map.stamp_ns == expected[ms].uncertainty_map.stamp_ns
    with pytest.raises(InputError) as refusal:
        overtaken.bundle(thermal(940))
    assert refusal.value.reason == "duplicate"
    assert overtaken.report().bundles_out == 4


def test_a_clock_jump_starts_one_segment_and_keeps_what_came_ahead_of_it() -> None:
    made = filled(clock_jump_ms=1000.0)
    made.bundle(thermal(900))
    made.add_nav(nav(-5000))
    made.add_map(umap(-5300))
    first, second = made.bundle(thermal(-4980)), made.bundle(thermal(-4960))
    assert (first.segment, first.sequence) == (1, 0)
    assert (second.segment, second.sequence) == (1, 1)
    assert first.nav_stamp_ns == T0 - 5000 * MS
    assert first.causes == ()
    assert made.report().segment_cause == "clock_jump"


def test_an_input_is_late_when_a_frame_has_gone_that_it_should_have_counted_for() -> None:
    made = filled()
    made.bundle(thermal(900))
    made.add_nav(nav(885))  # in effect at 900
    made.add_nav(nav(885.5))  # not before 900.5
    made.add_map(umap(590))
    bundle = made.bundle(thermal(920))
    assert bundle.late == {"nav": 1, "map": 1}
    assert made.bundle(thermal(940)).late == {}
    assert made.report().late == {"nav": 1, "map": 1}


def test_sources_list_everything_that_newly_took_effect_in_order() -> None:
    made = sync(nav_delay_ms=0.0, map_delay_ms=0.0)
    for ms in (10, 0, 20):
        made.add_nav(nav(ms))
    for ms in (15, 5):
        made.add_map(umap(ms))
    got = [(s.topic, (s.stamp_ns - T0) // MS) for s in made.bundle(thermal(12)).sources]
    assert got == [("imu", 0), ("fix", 0), ("imu", 10), ("fix", 10), ("points", 5), ("image", 12)]
    got = [(s.topic, (s.stamp_ns - T0) // MS) for s in made.bundle(thermal(30)).sources]
    assert got == [("imu", 20), ("fix", 20), ("points", 15), ("image", 30)]


def test_ready_means_that_nothing_can_still_come() -> None:
    made = sync(nav_delay_ms=15.0, map_delay_ms=300.0)
    assert made.ready_for(T0)  # nothing was ever seen: nothing to wait for
    made.add_nav(nav(100))
    assert made.ready_for(T0 + 115 * MS)
    assert not made.ready_for(T0 + 116 * MS)
    made.add_map(umap(-250))
    assert made.ready_for(T0 + 50 * MS)
    assert not made.ready_for(T0 + 51 * MS)
    made.add_map(umap(-150))
    made.add_nav(nav(90))  # out of order: the watermark stays
    assert made.ready_for(T0 + 115 * MS)
    assert made.ready_for(T0 + 9000 * MS)  # silent for over five seconds


def test_ready_follows_a_clock_that_jumps() -> None:
    made = filled()
    made.bundle(thermal(900))
    made.add_nav(nav(-5000))
    assert not made.ready_for(T0 - 4900 * MS)
    made.add_nav(nav(-4900))
    made.add_map(umap(-5200))
    assert made.ready_for(T0 - 4900 * MS)


def test_reset_leaves_nothing_in_effect() -> None:
    made = filled()
    made.bundle(thermal(900))
    made.reset("time_jump")
    bundle = made.bundle(thermal(910))
    assert set(bundle.causes) == {Cause.NO_POSE, Cause.NO_MAP}
    assert (bundle.segment, bundle.sequence) == (1, 0)
    assert made.report().segment_cause == "time_jump"


def test_the_report_counts_and_measures() -> None:
    made = filled()
    for ms in range(600, 1000, 20):
        made.bundle(thermal(ms))
    counts = made.report()
    assert (counts.thermal_in, counts.bundles_out, counts.matched) == (20, 20, 20)
    assert counts.skew_ms_p50 == pytest.approx(20.0)
    assert counts.skew_ms_p99 <= 25.0
    assert counts.sigma_px_p50 > 0
    assert math.isnan(sync().report().skew_ms_p50)


def test_what_waits_is_bounded_and_overflow_is_counted() -> None:
    made = sync()
    for ms in range(3000):
        made.add_nav(nav(ms))
    for ms in range(0, 4000, 100):
        made.add_map(umap(ms))
    assert made.report().overflows == {"nav": 952, "map": 8}
    assert made.report().drops == {}  # no frame was lost by it


def test_an_input_costs_the_same_however_many_wait() -> None:
    def cost_s(waiting: int) -> float:
        made = sync()
        for ms in range(waiting):
            made.add_nav(nav(ms))
        best = math.inf
        for start in range(waiting, waiting + 400, 100):
            states = [nav(ms) for ms in range(start, start + 100)]
            began = time.perf_counter()
            for state in states:
                made.add_nav(state)
            best = min(best, (time.perf_counter() - began) / 100)
        return best

    assert cost_s(1500) < 5 * cost_s(10) + 5e-6


@pytest.mark.parametrize(
    ("age_ms", "marks", "hidden"),
    [(50, (), False), (51, (Mark.POSE_OLD,), False), (201, (Mark.POSE_OLD,), True)],
)
def test_old_navigation_is_marked_before_it_hides_anything(
    age_ms: int, marks: tuple[Mark, ...], hidden: bool
) -> None:
    made = sync()
    made.add_nav(nav(900 - age_ms, velocity=(5.0, 0.0, 0.0)))
    made.add_map(umap(500))
    bundle = made.bundle(thermal(900))
    assert bundle.marks == marks
    assert (Cause.POSE_STALE in bundle.causes) == hidden
    assert (bundle.map_T_camera is None) == hidden
    assert made.report().marks == dict.fromkeys((mark.value for mark in marks), 1)


def test_an_older_state_says_that_it_places_worse() -> None:
    def sigma_px(age_ms: int) -> float:
        made = sync()
        made.add_nav(nav(900 - age_ms))
        return made.bundle(thermal(900)).sigma_px

    assert sigma_px(20) < sigma_px(100) < sigma_px(200)


def test_inputs_that_go_by_arrival_are_matched_whatever_their_stamps_say() -> None:
    """Navigation's clock is an hour behind; frames take 30 ms to arrive, states 5 ms."""
    made = sync(thermal_time_source="arrival", nav_time_source="arrival", map_time_source="arrival",
                arrival_delays_ms=[30.0, 5.0, 5.0], clock_offset="off")  # fmt: skip
    hour_ms = 3_600_000
    for ms in range(0, 1000, 10):
        made.add_nav(nav(ms - hour_ms), T0 + (ms + 5) * MS)
    for ms in range(0, 1000, 50):
        made.add_map(umap(ms - hour_ms), T0 + (ms + 5) * MS)
    for ms in range(700, 890, 10):
        made.bundle(thermal(ms), T0 + (ms + 30) * MS)
    bundle = made.bundle(thermal(900), T0 + 930 * MS)
    assert bundle.causes == ()
    assert bundle.stamp_ns == T0 + 900 * MS  # the camera's own
    assert bundle.nav_stamp_ns == T0 + (880 - hour_ms) * MS
    assert made.report().least_delay_ms == {"thermal": 30.0, "nav": 5.0 + hour_ms, "map": 5.0 + hour_ms}


def test_arrivals_change_nothing_where_stamps_count() -> None:
    told, untold = sync(clock_offset="off"), sync(clock_offset="off")
    rng = random.Random(3)
    for ms in range(0, 1000, 10):
        told.add_nav(nav(ms), T0 + (ms + rng.randint(1, 300)) * MS)
        untold.add_nav(nav(ms))
    for ms in range(500, 1000, 20):
        late_ns = T0 + (ms + rng.randint(1, 300)) * MS
        assert essence(told.bundle(thermal(ms), late_ns)) == essence(untold.bundle(thermal(ms)))


def test_every_frame_that_can_be_matched_is_matched() -> None:
    """Loss of 2 % and reordering in every stream, frames overtaken by up to 60 ms."""
    rng, made = random.Random(11), sync(clock_offset="off")
    events: list[tuple[float, str, float]] = []
    for kind, period, low, high in (("nav", 10, 2, 12), ("map", 100, 30, 130), ("thermal", 20, 5, 65)):
        for ms in range(0, 20_000, period):
            if rng.random() >= 0.02:
                stamp = ms + rng.uniform(-2.0, 2.0)
                events.append((stamp + rng.uniform(low, high), kind, stamp))
    matchable = 0
    for _, kind, stamp in sorted(events):
        if kind == "nav":
            made.add_nav(nav(stamp))
        elif kind == "map":
            made.add_map(umap(stamp))
        else:
            bundle = made.bundle(thermal(stamp))
            matchable += stamp > 700.0
            assert stamp <= 700.0 or bundle.causes == ()
    assert matchable > 900
    assert made.report().drops == {}


nav_stamps = st.lists(st.integers(-300, 1200), max_size=30, unique=True)
map_stamps = st.lists(st.integers(-600, 1200), max_size=8, unique=True)
thermal_stamps = st.lists(st.integers(0, 1000), min_size=1, max_size=10, unique=True)


def run(made: AnchoredSync, inputs: list[NavState | UncertaintyMap], frames: list[int]) -> list[Bundle]:
    for item in inputs:
        if isinstance(item, NavState):
            made.add_nav(item)
        else:
            made.add_map(item)
    return [made.bundle(thermal(ms)) for ms in sorted(frames)]


def essence(bundle: Bundle) -> tuple[object, ...]:
    pose, covariance, umap_ = bundle.map_T_camera, bundle.pose_covariance, bundle.uncertainty_map
    return (
        bundle.stamp_ns, bundle.sequence, bundle.nav_stamp_ns, bundle.causes, bundle.sources,
        pose and (pose.translation_m.tobytes(), pose.quaternion_xyzw.tobytes()),
        None if covariance is None else covariance.tobytes(), umap_ and umap_.digest, str(bundle.sigma_px), bundle.late,
    )  # fmt: skip


@settings(max_examples=60)
@given(nav_stamps, map_stamps, thermal_stamps, st.integers(0, 2**32))
def test_the_order_of_arrival_changes_nothing(
    navs: list[int], maps: list[int], frames: list[int], seed: int
) -> None:
    inputs: list[NavState | UncertaintyMap] = [*map(nav, navs), *map(umap, maps)]
    shuffled = random.Random(seed).sample(inputs, len(inputs))
    one, two = run(sync(), inputs, frames), run(sync(), shuffled, frames)
    assert [essence(b) for b in one] == [essence(b) for b in two]


@settings(max_examples=60)
@given(nav_stamps, map_stamps, thermal_stamps, st.integers(0, 2**32))
def test_every_source_is_in_exactly_one_bundle_and_none_before_its_time(
    navs: list[int], maps: list[int], frames: list[int], seed: int
) -> None:
    """However inputs and frames interleave on arrival."""
    rng, made, params = random.Random(seed), sync(), SyncParams()
    inputs: list[NavState | UncertaintyMap] = [*map(nav, navs), *map(umap, maps)]
    rng.shuffle(inputs)
    bundles = []
    for ms in sorted(frames):
        take = rng.randint(0, len(inputs))
        bundles += run(made, inputs[:take], [ms])
        inputs = inputs[take:]
    bundles += run(made, inputs, [5000])
    for bundle in bundles:
        nav_limit = bundle.stamp_ns - round(params.nav_delay_ms * MS)
        map_limit = bundle.stamp_ns - round(params.map_delay_ms * MS)
        assert bundle.nav_stamp_ns <= nav_limit
        if bundle.uncertainty_map is not None:
            assert bundle.uncertainty_map.stamp_ns <= map_limit
        limits = {"imu": nav_limit, "fix": nav_limit, "points": map_limit, "image": bundle.stamp_ns}
        assert all(s.stamp_ns <= limits[s.topic] for s in bundle.sources)
    entered = Counter(s for bundle in bundles for s in bundle.sources)
    expected = [*((t, ms) for ms in navs for t in ("imu", "fix")), *(("points", ms) for ms in maps)]
    expected += [("image", ms) for ms in (*frames, 5000)]
    assert set(entered) == {source(t, T0 + ms * MS) for t, ms in expected}
    assert set(entered.values()) == {1}


kinds = st.sampled_from(["nav", "map", "thermal", "ready"])


@settings(max_examples=80)
@given(st.lists(st.tuples(kinds, st.integers(-20_000, 20_000)), max_size=60))
def test_nothing_but_input_errors_ever_comes_out(events: list[tuple[str, int]]) -> None:
    made, refused = sync(), 0
    for kind, ms in events:
        try:
            if kind == "nav":
                made.add_nav(nav(ms))
            elif kind == "map":
                made.add_map(umap(ms))
            elif kind == "thermal":
                made.bundle(thermal(ms))
            else:
                made.ready_for(T0 + ms * MS)
        except InputError:  # noqa: PERF203
            refused += kind == "thermal"
    counts = made.report()
    assert counts.thermal_in == sum(kind == "thermal" for kind, _ in events)
    assert counts.bundles_out == counts.thermal_in - refused
    # Every frame is counted under exactly one word.
    assert counts.thermal_in == counts.bundles_out + sum(counts.drops.values())
    assert counts.thermal_in == counts.matched + sum(counts.unmatched.values())
    assert set(counts.unmatched) <= {"duplicate", "out_of_order", *(cause.value for cause in Cause)}


def test_a_replay_waits_for_an_input_of_the_recording_that_has_not_come_yet() -> None:
    unaware, aware = sync(), sync(replay_inputs="nav,map")
    assert unaware.ready_for(T0)
    assert not aware.ready_for(T0)
    aware.add_nav(nav(0))
    assert not aware.ready_for(T0)
    aware.add_map(umap(0))
    assert aware.ready_for(T0)
