# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The camera on a gimbal, through the synchroniser as the graph uses it."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Cause,
    GimbalAttitude,
    NavState,
    Pose,
    RtkStatus,
    SourceRef,
    ThermalFrame,
)
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sync.anchored import AnchoredSync

MS = 1_000_000
T0 = 1_700_000_000_000_000_000
CALIBRATION = CameraCalibration(
    T0, "cam", 640, 512, np.array(((650.0, 0, 320), (0, 650.0, 256), (0, 0, 1))), "plumb_bob", np.zeros(5)
)
PIXELS = np.zeros((512, 640), np.uint16)
BACK = Pose(np.zeros(3), np.array((0.5, -0.5, 0.5, 0.5)))


def turn(yaw_deg: float, pitch_deg: float = 0.0) -> Rotation:
    return Rotation.from_euler("ZYX", (yaw_deg, pitch_deg, 0.0), degrees=True)


def gimbal(ms: float, rotation: Rotation, parent: str = "base_link") -> GimbalAttitude:
    stamp = T0 + round(ms * MS)
    return GimbalAttitude(stamp, rotation.as_quat(), parent, SourceRef("/gimbal", "g", stamp, b"g"))


def nav(ms: float, yaw_deg: float = 0.0, sigma_rad: float = 0.001) -> NavState:
    stamp = T0 + round(ms * MS)
    pose = Pose(np.array((0.0, 0.0, 30.0)), turn(yaw_deg).as_quat())
    covariance = np.diag([1e-4] * 3 + [sigma_rad**2] * 3)
    return NavState(
        stamp, pose, np.zeros(3), np.zeros(3), np.zeros(3), covariance, RtkStatus.FIXED, stamp,
        (SourceRef("/imu", "i", stamp, b"i"),),
    )  # fmt: skip


def thermal(ms: float) -> ThermalFrame:
    stamp = T0 + round(ms * MS)
    return ThermalFrame(stamp, "cam", "mono16", PIXELS, 0, CALIBRATION, True, 0.01, 0.0, 0.0, False, ())


def hung(**changes: object) -> AnchoredSync:
    return AnchoredSync(SyncParams(camera_on_gimbal=True, **changes))  # type: ignore[arg-type]


def looks(bundle: Bundle) -> Rotation:
    """The camera's body in map."""
    assert bundle.map_T_camera is not None
    return Rotation.from_quat(bundle.map_T_camera.quaternion_xyzw) * Rotation.from_quat(BACK.quaternion_xyzw)


def off_deg(bundle: Bundle, expected: Rotation) -> float:
    return math.degrees((looks(bundle) * expected.inv()).magnitude())


@pytest.mark.parametrize(("parent", "expected_yaw_deg"), [("base_link", 50.0), ("map", 20.0)])
def test_the_camera_looks_where_the_gimbal_says_in_base_or_in_map(
    parent: str, expected_yaw_deg: float
) -> None:
    sync = hung()
    sync.add_nav(nav(0, yaw_deg=30.0))
    sync.add_gimbal(gimbal(0, turn(20.0, 40.0), parent))
    assert off_deg(sync.bundle(thermal(60)), turn(expected_yaw_deg, 40.0)) < 1e-6


def test_an_attitude_is_in_effect_from_its_delay_on_and_carried_to_the_frame() -> None:
    sync = hung(gimbal_delay_ms=50.0)
    sync.add_nav(nav(80))
    for ms in (0, 20, 40, 60):  # 100 degrees a second
        sync.add_gimbal(gimbal(ms, turn(0.1 * ms)))
    bundle = sync.bundle(thermal(100))  # those at 0, 20, 40 are in effect: 4 degrees then, 100 deg/s on
    assert off_deg(bundle, turn(10.0)) < 1e-6
    assert [ref.stamp_ns for ref in bundle.sources if ref.topic == "/gimbal"] == [
        T0,
        T0 + 20 * MS,
        T0 + 40 * MS,
    ]
    after = sync.bundle(thermal(110))
    assert [ref.stamp_ns for ref in after.sources if ref.topic == "/gimbal"] == [T0 + 60 * MS]


def test_the_lens_and_the_mounting_angles_turn_with_the_gimbal() -> None:
    sync = hung(
        camera_translation_m=(0.1, 0.0, -0.2), gimbal_lens_m=(0.05, 0.0, 0.0), camera_rpy_deg=(0.0, 10.0, 0.0)
    )
    sync.add_nav(nav(80))
    sync.add_gimbal(gimbal(40, turn(90.0)))
    bundle = sync.bundle(thermal(100))
    assert bundle.map_T_camera is not None
    np.testing.assert_allclose(bundle.map_T_camera.translation_m, (0.1, 0.05, 29.8), atol=1e-9)
    assert off_deg(bundle, turn(90.0) * turn(0.0, 10.0)) < 1e-6


def test_without_a_recent_attitude_the_overlay_is_hidden_and_the_reason_named() -> None:
    sync = hung(gimbal_stale_ms=200.0)
    for ms in range(0, 1000, 10):
        sync.add_nav(nav(ms))
    none = sync.bundle(thermal(100))
    sync.add_gimbal(gimbal(100, turn(0.0)))
    early, last, stale = (sync.bundle(thermal(ms)) for ms in (149, 300, 301))
    assert Cause.NO_GIMBAL in none.causes
    assert Cause.NO_GIMBAL in early.causes  # come, but not in effect yet
    assert not {Cause.NO_GIMBAL, Cause.GIMBAL_STALE} & set(last.causes)
    assert Cause.GIMBAL_STALE in stale.causes
    assert last.map_T_camera is not None
    for hidden in (none, early, stale):
        assert hidden.map_T_camera is None
        assert hidden.pose_covariance is None
        assert math.isnan(hidden.sigma_px)


def test_a_camera_bolted_to_the_body_listens_to_no_gimbal() -> None:
    plain, beside = AnchoredSync(SyncParams()), AnchoredSync(SyncParams())
    for sync in (plain, beside):
        sync.add_nav(nav(80))
    beside.add_gimbal(gimbal(40, turn(90.0)))
    with_gimbal, without = beside.bundle(thermal(100)), plain.bundle(thermal(100))
    assert with_gimbal.sources == without.sources
    assert with_gimbal.causes == without.causes
    assert off_deg(with_gimbal, looks(without)) == 0.0


def test_sigma_holds_the_gimbals_error_and_the_bodys_only_where_it_enters() -> None:
    def sigma(parent: str, body_rad: float, **changes: object) -> float:
        sync = hung(boresight_sigma_deg=0.0, time_sigma_ms=0.0, **changes)
        sync.add_nav(nav(95, sigma_rad=body_rad))
        sync.add_gimbal(gimbal(95, turn(0.0, 60.0), parent))
        return sync.bundle(thermal(145)).sigma_px

    level = sigma("base_link", 0.0, gimbal_sigma_deg=0.0)
    assert sigma("base_link", 0.0, gimbal_sigma_deg=1.0) > level + 10.0  # 650 px x 1 degree
    assert sigma("base_link", 0.02, gimbal_sigma_deg=0.0) > level + 10.0
    assert (
        sigma("map", 0.02, gimbal_sigma_deg=0.0) < level + 1.0
    )  # only where the camera is, not where it looks
    assert sigma("map", 0.0, gimbal_sigma_deg=1.0) == pytest.approx(
        sigma("base_link", 0.0, gimbal_sigma_deg=1.0),
        rel=1e-2,  # its age aside
    )


def test_an_old_attitude_costs_more_than_a_fresh_one_and_a_turning_one_pays_for_the_clock() -> None:
    def sigma(age_ms: float, rate_dps: float, time_sigma_ms: float) -> float:
        sync = hung(gimbal_sigma_deg=0.0, boresight_sigma_deg=0.0, time_sigma_ms=time_sigma_ms)
        sync.add_nav(nav(280, sigma_rad=0.0))
        for ms in (280 - age_ms, 300 - age_ms):
            sync.add_gimbal(gimbal(ms, turn(rate_dps * ms * 1e-3), "map"))
        return sync.bundle(thermal(300)).sigma_px

    assert sigma(200, 0.0, 0.0) > sigma(50, 0.0, 0.0)
    assert sigma(50, 60.0, 20.0) > sigma(50, 60.0, 0.0) + 5.0


def test_a_clock_jump_forgets_the_gimbal() -> None:
    sync = hung()
    sync.add_nav(nav(4000))
    sync.add_gimbal(gimbal(4000, turn(0.0)))
    assert Cause.NO_GIMBAL not in sync.bundle(thermal(4100)).causes
    sync.add_nav(nav(80))
    again = sync.bundle(thermal(100))
    assert again.segment == 1
    assert Cause.NO_GIMBAL in again.causes
    assert not [ref for ref in again.sources if ref.topic == "/gimbal"]


def test_a_replay_holds_a_frame_until_the_attitude_that_counts_has_come() -> None:
    sync = hung(replay_inputs="nav,gimbal", replay_wait_ms=100.0)
    sync.add_nav(nav(100))
    assert not sync.ready_for(T0 + 100 * MS)
    sync.add_gimbal(gimbal(40, turn(0.0)))
    assert not sync.ready_for(T0 + 100 * MS)
    sync.add_gimbal(gimbal(60, turn(0.0)))
    assert sync.ready_for(T0 + 100 * MS)


def test_doubles_and_foreign_frames_are_refused_and_late_ones_counted() -> None:
    sync = hung()
    sync.add_nav(nav(80))
    sync.add_gimbal(gimbal(0, turn(0.0)))
    foreign = dataclasses.replace(gimbal(1, turn(0.0)), parent="world")
    for bad, reason in ((gimbal(0, turn(1.0)), "duplicate"), (foreign, "gimbal_frame")):
        with pytest.raises(InputError) as refusal:
            sync.add_gimbal(bad)
        assert refusal.value.reason == reason
    sync.bundle(thermal(100))
    sync.add_gimbal(gimbal(40, turn(0.0)))
    assert sync.bundle(thermal(120)).late == {"gimbal": 1}


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from(("map", "base_link")))
def test_the_order_of_arrival_changes_nothing_and_every_source_is_named_once(seed: int, parent: str) -> None:
    inputs = [
        *(("nav", nav(ms, 0.2 * ms)) for ms in range(0, 400, 10)),
        *(("gimbal", gimbal(ms, turn(0.3 * ms, 20.0), parent)) for ms in range(0, 400, 20)),
    ]
    bundles: list[list[Bundle]] = []
    for order in (inputs, random.Random(seed).sample(inputs, len(inputs))):
        sync = hung()
        for kind, item in order:
            sync.add_nav(item) if kind == "nav" else sync.add_gimbal(item)  # type: ignore[arg-type]
        bundles.append([sync.bundle(thermal(ms)) for ms in range(100, 460, 20)])
    for one, other in zip(*bundles, strict=True):
        assert one.map_T_camera is not None
        assert other.map_T_camera is not None
        assert one.map_T_camera.quaternion_xyzw.tobytes() == other.map_T_camera.quaternion_xyzw.tobytes()
        assert one.sigma_px == other.sigma_px
        assert one.sources == other.sources
    named = [ref.stamp_ns for bundle in bundles[0] for ref in bundle.sources if ref.topic == "/gimbal"]
    assert named == [item.stamp_ns for kind, item in inputs if kind == "gimbal"]
