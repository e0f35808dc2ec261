# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Pose as PoseMessage
from nav_msgs.msg import OccupancyGrid
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from vidgen.msg import NavState, UncertaintyMap

from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.nodes.lidar_node import LidarNode
from vidgen_nodes.packets import NavState as State
from vidgen_nodes.packets import Pose, RtkStatus
from vidgen_nodes.ros import fill, wire

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HEIGHT_M = 20.0


def cloud(stamp_ns: int, seed: int) -> PointCloud2:
    """The ground seen from above, with one point at 0,0,0 and one that is no number."""
    rng = np.random.default_rng(seed)
    points = np.column_stack((rng.uniform(-9, 9, (20_000, 2)), rng.normal(-HEIGHT_M, 0.02, 20_000)))
    points[0], points[1] = 0.0, np.nan
    raw = points.astype("<f4").tobytes()
    message = PointCloud2(height=1, width=20_000, point_step=12, row_step=len(raw), is_dense=True)
    message.fields = [
        PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, n in enumerate("xyz")
    ]
    message.data = raw
    fill.set_header(message.header, stamp_ns, "lidar")
    return message


def state(stamp_ns: int) -> bytes:
    zero = np.zeros(3)
    pose = Pose(np.array([0.0, 0.0, HEIGHT_M]), np.array([0.0, 0.0, 0.0, 1.0]))
    return wire.nav_state(
        State(stamp_ns, pose, zero, zero, zero, np.eye(6) * 1e-4, RtkStatus.FIXED, stamp_ns, ())
    )


def test_scans_become_maps_and_what_was_not_used_is_counted(bench: Any) -> None:
    node = bench.start(LidarNode, map_size_m=20.0)
    peer = bench.peer()
    maps: list[Any] = []
    grids: list[Any] = []
    peer.create_subscription(UncertaintyMap, "uncertainty/map", maps.append, LATCHED)
    peer.create_subscription(OccupancyGrid, "uncertainty/occupancy", grids.append, LATCHED)
    points = peer.create_publisher(PointCloud2, "points", 5)
    states = peer.create_publisher(NavState, "drone/nav_state", 50)
    bench.until(lambda: points.get_subscription_count() and states.get_subscription_count(), "discovery")
    bench.until(lambda: peer.count_publishers("/vidgen/uncertainty/occupancy"), "discovery of the output")
    clock = {"ns": node.get_clock().now().nanoseconds}

    def fly() -> None:
        clock["ns"] += 20_000_000
        states.publish(state(clock["ns"]))
        if clock["ns"] // 20_000_000 % 5 == 0:
            points.publish(cloud(clock["ns"] - 5_000_000, len(maps)))
            points.publish(cloud(clock["ns"] - 37_000_000_000, 0))  # a LiDAR that runs on TAI

    bench.until(lambda: len(maps) >= 3 and grids, "maps", fly)
    newest = maps[-1]
    seen = np.isfinite(np.asarray(newest.elevation_m))
    assert seen.sum() > 1000
    assert (
        len(newest.flags)
        == len(newest.lod95_m)
        == len(newest.surface_variation)
        == newest.width * newest.height
    )
    cells = np.asarray(grids[-1].data)
    assert cells.min() == -1
    assert 0 <= cells[cells >= 0].max() <= 100
    node.on_tick()
    assert node.health.dropped["scan_clock"] >= 1
    assert "synchronise the LiDAR" in node.health.waiting_for or node.health.waiting_for == ""
    assert int(node.health.extra["points zero"]) >= 3
    assert int(node.health.extra["points nan"]) >= 3


def ouster_cloud(stamp_ns: int, clock_ns: int) -> PointCloud2:
    """A scan of 4000 points whose own times (ns) end at a clock of the sensor's."""
    kind = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("timestamp", "<f8")])
    points = np.zeros(4000, kind)
    points["x"], points["z"] = np.linspace(-9, 9, 4000), -HEIGHT_M
    points["timestamp"] = (clock_ns + np.linspace(0, 9e7, 4000)) * 1e-9
    message = PointCloud2(height=1, width=4000, point_step=kind.itemsize, row_step=4000 * kind.itemsize)
    message.fields = [
        PointField(name=n, offset=kind.fields[n][1], datatype=8 if n == "timestamp" else 7, count=1)
        for n in kind.names
    ]
    message.data = points.tobytes()
    fill.set_header(message.header, stamp_ns, "lidar")
    return message


def test_a_lidar_on_a_clock_of_its_own_is_told_in_one_line_while_maps_flow(bench: Any) -> None:
    node = bench.start(LidarNode, map_size_m=20.0)
    peer = bench.peer()
    maps: list[Any] = []
    reports: list[Any] = []
    peer.create_subscription(UncertaintyMap, "uncertainty/map", maps.append, LATCHED)
    peer.create_subscription(DiagnosticArray, "/diagnostics", reports.append, 10)
    points = peer.create_publisher(PointCloud2, "points", 5)
    states = peer.create_publisher(NavState, "drone/nav_state", 50)
    bench.until(lambda: points.get_subscription_count() and states.get_subscription_count(), "discovery")
    clock = {"ns": 0, "count": 0, "own_ns": 86_400_000_000_000}

    def fly() -> None:
        now_ns = node.get_clock().now().nanoseconds
        if now_ns - clock["ns"] < 20_000_000:
            return
        clock["ns"], clock["count"] = now_ns, clock["count"] + 1
        states.publish(state(now_ns))
        if clock["count"] % 5 == 0:
            points.publish(ouster_cloud(now_ns - 110_000_000, clock["own_ns"] or now_ns - 110_000_000))

    bench.until(lambda: len(maps) >= 2, "maps", fly)

    def told() -> Any:
        lines = [status for report in reports for status in report.status if "lidar" in status.name]
        return next((line for line in lines if "own clock" in line.message), None)

    line = bench.until(told, "the line in diagnostics", fly)
    assert line.level == DiagnosticStatus.WARN
    assert "days behind its stamps" in line.message
    assert "PTP" in line.message
    assert node.health.extra["point_times"].startswith("own_clock")
    clock["own_ns"] = 0  # the clock is synchronised from now on

    bench.until(lambda: node.health.doubt == "", "the doubt to end with its cause", fly)
    assert node.health.extra["point_times"].startswith("synchronised")


def test_an_elevation_map_without_its_package_says_what_is_missing(bench: Any) -> None:
    with pytest.raises(MissingPackageError, match="grid_map_msgs"):
        bench.start(LidarNode, scan_source="elevation_map")


def test_an_elevation_map_becomes_a_map(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is not here: its messages are handed in as the subscription would."""
    taken: list[Any] = []
    monkeypatch.setattr("vidgen_nodes.nodes.lidar_node.message_class", lambda _: None)
    monkeypatch.setattr(
        LidarNode, "subscribe_raw", lambda _, __, topic, ___, take, **____: taken.append((topic, take))
    )
    node = bench.start(LidarNode, scan_source="elevation_map", map_size_m=20.0)
    peer = bench.peer()
    maps: list[Any] = []
    peer.create_subscription(UncertaintyMap, "uncertainty/map", maps.append, LATCHED)
    bench.until(lambda: peer.count_publishers("/vidgen/uncertainty/map"), "discovery of the output")
    ((topic, take),) = taken
    assert topic == "elevation_map"
    rows, cols = 40, 32
    dims = [SimpleNamespace(label="column_index", size=cols), SimpleNamespace(label="row_index", size=rows)]
    data = np.full(rows * cols, 1.5, np.float32)
    header, middle = Header(), PoseMessage()
    fill.set_header(header, node.get_clock().now().nanoseconds, "map")
    message = SimpleNamespace(
        header=header,
        info=SimpleNamespace(resolution=0.25, length_x=10.0, length_y=8.0, pose=middle),
        layers=["elevation"],
        data=[SimpleNamespace(layout=SimpleNamespace(dim=dims, data_offset=0), data=data)],
        outer_start_index=7,
        inner_start_index=3,
    )
    take(message, b"serialised")
    bench.until(lambda: maps, "the map")
    elevation = np.asarray(maps[0].elevation_m).reshape(maps[0].height, maps[0].width)
    assert np.isfinite(elevation).sum() == 20 * 16
    np.testing.assert_allclose(elevation[np.isfinite(elevation)], 1.5, atol=1e-5)
    assert maps[0].sources[0].type == "grid_map_msgs/msg/GridMap"
