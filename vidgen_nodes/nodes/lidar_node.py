# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""LiDAR scans and the drone's state in, the structural uncertainty map out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import PointCloud2
from vidgen.msg import NavState, UncertaintyMap

from vidgen_nodes.packets import PointScan, SourceRef
from vidgen_nodes.params import LidarParams
from vidgen_nodes.ros import convert, fill, qos, unpack
from vidgen_nodes.ros.adapters.route import message_class
from vidgen_nodes.ros.baseline import baseline_for
from vidgen_nodes.ros.grid_map import elevation_scan
from vidgen_nodes.ros.loading import LoggedProgress
from vidgen_nodes.ros.node import VidgenNode
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.scene.building import Building, load_building
from vidgen_nodes.scheduling import Priority
from vidgen_nodes.sensing.lidar_dialect import clock_doubt
from vidgen_nodes.sensing.scan_pose import PosedScan, ScanPosing
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper

_GRID_MAP = "grid_map_msgs/msg/GridMap"


class LidarNode(VidgenNode[LidarParams]):
    """``points`` and ``drone/nav_state``, or ``elevation_map``, to ``uncertainty/map`` and ``uncertainty/occupancy``.

    A scan is worked on in the callback that completes it: about 5 ms, ten times a second, and nothing else
    in this process is waiting.
    """

    def __init__(self) -> None:
        super().__init__("lidar_node", LidarParams)
        self._posing = ScanPosing(self.params)
        building = self._building()
        self._mapper = UncertaintyMapper(self.params, baseline_for(self.params, building))
        self._maps = self.advertise(UncertaintyMap, "uncertainty/map", qos.UNCERTAINTY_MAP)
        self._occupancy = self.advertise(OccupancyGrid, "uncertainty/occupancy", qos.OCCUPANCY, primary=False)
        self._from_points = self.params.scan_source == "points"
        self._refused_points: Counter[str] = Counter()
        self._points_clock = ""  # what the times of the newest scan's points were counted against
        if self._from_points:
            self.subscribe_frequent(NavState, "drone/nav_state", qos.NAV_STATE, self._on_nav)
            self.subscribe_sensor(PointCloud2, "points", self._on_points)
        else:
            self.subscribe_raw(
                message_class(_GRID_MAP),
                "elevation_map",
                qos.stack_input(_GRID_MAP, self.input_reliability),
                self._on_elevation_map,
                required=True,
            )

    def _building(self) -> Building | None:
        name = self.params.building_file
        if not name:
            return None
        return load_building(Path(name), progress=LoggedProgress(self.get_logger().info, name))

    def _on_nav(self, message: Any) -> None:
        self._map(self._posing.add_nav(unpack.nav_state(message)))

    def _on_points(self, message: Any, source: SourceRef) -> None:
        scan = convert.point_scan(
            message, source, min_range_m=self.params.min_range_m, max_range_m=self.params.max_range_m,
            dialect=self.params.dialect,
        )  # fmt: skip
        self._refused_points.update(scan.refused)
        if scan.clock != self._points_clock:
            self._judge_clock(scan)
        self._map(self._posing.add_scan(scan))

    def _on_elevation_map(self, message: Any, raw: bytes) -> None:
        source = convert.source_ref(self.resolve_topic_name("elevation_map"), _GRID_MAP, message, raw)
        scan, map_T_lidar = elevation_scan(message, source)
        self._refused_points.update(scan.refused)
        self._map([PosedScan(scan, map_T_lidar)])

    def _map(self, posed: Iterable[PosedScan]) -> None:
        for item in posed:
            umap = self._mapper.take_scan(item.scan, item.map_T_lidar, item.height_sigma_m)
            if umap is None:
                continue
            self._maps.publish(fill.uncertainty_map(umap))
            self.health.add_latency("scan_to_map", (self.now_ns() - umap.stamp_ns) / 1e6)
            if self._occupancy.is_wanted:
                seen = np.isfinite(umap.uncertainty)
                cells = np.full(umap.grid.shape, -1, dtype=np.int8)
                cells[seen] = np.rint(umap.uncertainty[seen] * 100.0).astype(np.int8)
                self._occupancy.publish(fill.occupancy(umap.stamp_ns, umap.grid, cells))

    def _judge_clock(self, scan: PointScan) -> None:
        """Say in one line what the times of points are worth: a LiDAR's clock is set once, and wrong in silence.

        One time for all points may be right (a LiDAR that flashes): that is in the values, and no doubt.
        """
        self._points_clock = scan.clock
        what, fix = clock_doubt(scan.dialect, scan.clock, scan.clock_offset_s)
        told = f"{what}; {fix}" if what else ""
        self.health.doubt = told if scan.clock == "own_clock" else ""
        self.health.extra["point_times"] = f"{scan.clock} ({scan.dialect})" + (f": {told}" if told else "")
        if self.health.doubt:
            self.get_logger().warning(told)

    def on_tick(self) -> None:
        """Say what the scans wait for, and what became of scans and points that were not used as they came."""
        self.health.waiting_for = self._posing.waiting_for if self._from_points else ""
        for reason, count in self._posing.dropped.items():
            self.health.dropped[reason] = count
        counts = {f"points {reason}": count for reason, count in self._refused_points.items()}
        counts |= {f"points {reason}": count for reason, count in self._mapper.counts.items()}
        self.health.extra |= {name: str(n) for name, n in (counts | self._posing.noted).items() if n}
        if self.params.building_file or self.params.baseline_file:
            self.health.extra["baseline"] = self._mapper.baseline_refused or "used"


def main() -> None:
    """Run the node."""
    main_for(LidarNode, Priority.BACKGROUND)


if __name__ == "__main__":
    main()
