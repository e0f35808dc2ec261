# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo
from vidgen.msg import GimbalState, NavState, SensorBundle, SyncReport, ThermalFrame
from vidgen.msg import UncertaintyMap as MapMessage

from vidgen_nodes.nodes.sync_node import SyncNode
from vidgen_nodes.packets import (
    Bundle,
    Cause,
    GimbalAttitude,
    Grid,
    Pose,
    RtkStatus,
    SourceRef,
    UncertaintyMap,
)
from vidgen_nodes.packets import NavState as State
from vidgen_nodes.ros import convert, fill, qos, unpack, wire

STAMP_NS = 1_000_000_000_000


def thermal(stamp_ns: int) -> Any:
    message = ThermalFrame(sequence=stamp_ns // 20_000_000 % 1000, camera_info=CameraInfo())
    fill.set_header(message.header, stamp_ns, "cam")
    message.image = fill.image(stamp_ns, "cam", "mono16", np.arange(48 * 64, dtype=np.uint16).reshape(48, 64))
    message.scale_k_per_count = message.offset_k = float("nan")
    return message


def test_a_thermal_frame_alone_gives_a_bundle_that_names_what_is_missing(bench: Any) -> None:
    bench.start(SyncNode)
    peer = bench.peer()
    got: list[Any] = []
    peer.create_subscription(SensorBundle, "bundle", got.append, qos.BUNDLE)
    frames = peer.create_publisher(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME)
    bench.until(
        lambda: frames.get_subscription_count() and peer.count_publishers("/vidgen/bundle"), "discovery"
    )
    frames.publish(thermal(STAMP_NS))
    bench.until(lambda: got, "the bundle")
    assert convert.stamp_ns(got[0].header.stamp) == STAMP_NS
    assert {"no_pose", "no_map"} <= set(got[0].causes)


def test_a_map_in_force_is_named_by_its_digest_and_its_age_told(bench: Any) -> None:
    grid, digest = Grid(-2.0, -2.0, 0.5, 8, 8), bytes(range(32))
    floats = np.zeros(grid.shape, np.float32)
    umap = UncertaintyMap(
        stamp_ns=STAMP_NS - 1_000_000_000, grid=grid, elevation_m=floats, variance_m2=floats, uncertainty=floats,
        entropy=floats, roughness_m=floats, deviation_m=floats, surface_variation=floats, lod95_m=floats,
        observations=np.zeros(grid.shape, np.uint16), observed_ns=np.zeros(grid.shape, np.int64),
        flags=np.zeros(grid.shape, np.uint8), digest=digest, sources=(),
    )  # fmt: skip
    node = bench.start(SyncNode)
    peer = bench.peer()
    got: list[Any] = []
    peer.create_subscription(SensorBundle, "bundle", got.append, qos.BUNDLE)
    frames = peer.create_publisher(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME)
    maps = peer.create_publisher(MapMessage, "uncertainty/map", qos.UNCERTAINTY_MAP)
    bench.until(
        lambda: frames.get_subscription_count() and maps.get_subscription_count()
        and peer.count_publishers("/vidgen/bundle"), "discovery"
    )  # fmt: skip
    maps.publish(fill.uncertainty_map(umap))
    bench.until(lambda: "newest_map_age_s" in node.health.extra, "the map's age")
    frames.publish(thermal(STAMP_NS))
    bench.until(lambda: got, "the bundle")
    assert got[0].map_valid
    assert bytes(got[0].map_digest) == digest
    assert convert.stamp_ns(got[0].map_stamp) == umap.stamp_ns
    assert "no_map" not in got[0].causes


def test_the_report_counts_a_duplicate_under_its_name(bench: Any) -> None:
    bench.start(SyncNode)
    peer = bench.peer()
    reports: list[Any] = []
    peer.create_subscription(SyncReport, "sync/report", reports.append, qos.SYNC_REPORT)
    frames = peer.create_publisher(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME)
    bench.until(lambda: frames.get_subscription_count(), "discovery")
    frames.publish(thermal(STAMP_NS))
    frames.publish(thermal(STAMP_NS))

    def counted() -> bool:
        drops = [dict(zip(r.drop_reasons, r.drop_counts, strict=True)) for r in reports]
        return any(d.get("duplicate") == 1 for d in drops)

    bench.until(counted, "the duplicate in a report")


def test_a_camera_on_a_gimbal_looks_where_the_gimbal_says_and_names_its_message(bench: Any) -> None:
    bench.start(SyncNode, camera_on_gimbal=True)
    peer = bench.peer()
    bundles: list[Bundle] = []
    calibrations = unpack.CalibrationCache()
    peer.create_subscription(
        SensorBundle, "bundle", lambda m: bundles.append(unpack.bundle(m, None, calibrations)), qos.BUNDLE
    )
    frames = peer.create_publisher(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME)
    states = peer.create_publisher(NavState, "drone/nav_state", qos.NAV_STATE)
    gimbals = peer.create_publisher(GimbalState, "drone/gimbal_state", qos.GIMBAL_STATE)
    bench.until(
        lambda: (
            all(p.get_subscription_count() for p in (frames, states, gimbals))
            and peer.count_publishers("/vidgen/bundle")
        ),
        "discovery",
    )
    zero, level = np.zeros(3), np.array((0.0, 0.0, 0.0, 1.0))
    named = SourceRef("/vidgen/gimbal", "geometry_msgs/msg/Vector3Stamped", STAMP_NS, bytes(range(32)))
    down = np.array((0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)))
    stamps = iter(range(STAMP_NS, STAMP_NS + 500 * 20_000_000, 20_000_000))

    def fly() -> None:
        now_ns = next(stamps)
        state = State(
            now_ns, Pose(zero, level), zero, zero, zero, np.eye(6) * 1e-4, RtkStatus.FIXED, now_ns, ()
        )
        states.publish(wire.nav_state(state))
        gimbals.publish(wire.gimbal_state(GimbalAttitude(now_ns, down, "base_link", named)))
        frames.publish(thermal(now_ns))

    placed = bench.until(lambda: [b for b in bundles if b.map_T_camera is not None], "a pose", fly)
    assert Cause.NO_GIMBAL in bundles[0].causes
    assert {Cause.NO_GIMBAL, Cause.GIMBAL_STALE}.isdisjoint(placed[0].causes)
    # Optical z points down: the quaternion turns (0, 0, 1) into (0, 0, -1).
    x, y = placed[0].map_T_camera.quaternion_xyzw[:2]
    assert 1.0 - 2.0 * (x * x + y * y) < -0.999999
    assert named in [ref for bundle in bundles for ref in bundle.sources]
