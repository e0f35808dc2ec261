# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Sensing as function calls: a recording in, bundles out, in the order of event time.

The same stages as ``thermal_node``, ``rtk_node``, ``lidar_node`` and ``sync_node``, fed in the order in which inputs
take effect, so a replay that lost nothing and this give the same bundles. Needs no ROS. Refused messages are counted
by reason, as in the nodes. Leaves out drawing (``offline.py``, ``derivation.py``).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Bundle, Fix, GimbalAttitude, Heading, ImuSample, SourceRef
from vidgen_nodes.params import NodeParams
from vidgen_nodes.ros import convert
from vidgen_nodes.ros.baseline import baseline_for
from vidgen_nodes.ros.inputs import ANCHOR, resolved_topic
from vidgen_nodes.ros.ordering import in_effect_order
from vidgen_nodes.ros.recorded_navigation import (
    FIX,
    GIMBAL,
    HEADING,
    IMU,
    NavInput,
    Packet,
    RecordedNavigation,
)
from vidgen_nodes.ros.replay import Recording, TimedMessage
from vidgen_nodes.scene.building import Building
from vidgen_nodes.sensing.pose import NavFilter
from vidgen_nodes.sensing.scan_pose import PosedScan, ScanPosing
from vidgen_nodes.sensing.thermal import ThermalIngest
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper
from vidgen_nodes.sync.anchored import AnchoredSync


class Sensing:
    """The sensing stages of one run and what flows between them."""

    def __init__(self, recording: Recording, params: NodeParams, building: Building | None) -> None:
        """Begin.

        Raises:
            ConfigError: parameters under which no map can be made from the recording.
        """
        self._recording, self._params = recording, params
        self._thermal = ThermalIngest(params.thermal)
        self._nav = NavFilter(params.rtk)
        self._posing = ScanPosing(params.lidar)
        self._mapper = mapper_for(params, building)
        self._sync = AnchoredSync(params.sync)
        self._arrival_ns = 0
        self._bundle: Bundle | None = None
        self.started_s = 0.0  # when the message that made the newest bundle was taken up
        self.thermal_in = 0
        self.dropped: Counter[str] = Counter()  # thermal frames that gave no bundle, by reason
        self.refused: Counter[str] = Counter()  # other messages, "topic reason"
        self._handlers: Mapping[str, Callable[[Any, SourceRef], None]] = {
            ANCHOR: self._on_thermal,
            "thermal/camera_info": self._on_camera_info,
            "points": self._on_points,
        }

    def bundles(self) -> Iterator[Bundle]:
        """The bundle of each thermal frame; read once.

        Raises:
            BagError: the recording is damaged; the bundles before the damage were given.
        """
        recording = self._recording
        navigation = RecordedNavigation(recording, self._params.rtk, self.refused)
        ordered = in_effect_order(
            navigation.understood(recording.messages()),
            lambda item: item.stamp_ns if isinstance(item, NavInput) else recording.stamp_ns(item),
            {topic: round(delay_ms * 1e6) for topic, delay_ms in _delays_ms(self._params).items()},
            ANCHOR,
        )
        for item in ordered:
            self._feed(item)
            if self._bundle is not None:
                made, self._bundle = self._bundle, None
                yield made
        # Count what the filter took in and did not use, as the node does.
        self.refused.update({f"fix {reason}": n for reason, n in self._nav.refused.items() if n})

    def _feed(self, item: TimedMessage | NavInput) -> None:
        """Take one message, or a packet of the stack; a thermal image leaves a bundle."""
        self.started_s = time.perf_counter()
        self._arrival_ns = item.log_ns  # what was a receiver's clock is the recorder's here
        if isinstance(item, NavInput):
            try:
                self._navigate(item.packet)
            except InputError as err:
                self.refused[f"{item.topic} {err.reason}"] += 1
        else:
            self._sense(item)

    def _navigate(self, packet: Packet) -> None:
        if isinstance(packet, Fix):
            self._nav.add_fix(packet)
        elif isinstance(packet, Heading):
            self._nav.add_heading(packet)
        elif isinstance(packet, GimbalAttitude):
            self._sync.add_gimbal(packet)
        else:
            self._on_imu(packet)

    def _sense(self, recorded: TimedMessage) -> None:
        counted = self.dropped if recorded.topic == ANCHOR else self.refused
        self.thermal_in += recorded.topic == ANCHOR
        message = self._recording.deserialize(recorded)
        source = convert.source_ref(
            resolved_topic(recorded.topic), recorded.type_name, message, recorded.data
        )
        try:
            self._handlers[recorded.topic](message, source)
        except InputError as err:
            counted[err.reason if recorded.topic == ANCHOR else f"{recorded.topic} {err.reason}"] += 1

    def _on_camera_info(self, message: Any, source: SourceRef) -> None:
        self._thermal.add_calibration(convert.camera_calibration(message), source)

    def _on_imu(self, sample: ImuSample) -> None:
        state = self._nav.add_imu(sample)
        if state is not None:
            self._sync.add_nav(state, self._arrival_ns)
            self._map(self._posing.add_nav(state))

    def _on_points(self, message: Any, source: SourceRef) -> None:
        own = self._params.lidar
        scan = convert.point_scan(
            message, source, min_range_m=own.min_range_m, max_range_m=own.max_range_m, dialect=own.dialect
        )
        self._map(self._posing.add_scan(scan))

    def _map(self, scans: list[PosedScan]) -> None:
        for posed in scans:
            umap = self._mapper.take_scan(posed.scan, posed.map_T_lidar, posed.height_sigma_m)
            if umap is None:
                continue
            self._sync.add_map(umap, self._arrival_ns)

    def _on_thermal(self, message: Any, source: SourceRef) -> None:
        thermal = self._thermal.process(convert.thermal_image(message, source))
        self._bundle = self._sync.bundle(thermal, self._arrival_ns)


def _delays_ms(params: NodeParams) -> dict[str, float]:
    return {
        "thermal/camera_info": params.thermal.camera_info_delay_ms,
        FIX: params.rtk.fix_delay_ms,
        HEADING: params.rtk.fix_delay_ms,
        IMU: params.sync.nav_delay_ms,
        GIMBAL: params.sync.gimbal_delay_ms,
        "points": params.sync.map_delay_ms,
    }


def mapper_for(params: NodeParams, building: Building | None) -> UncertaintyMapper:
    """The mapper of ``lidar_node``: with ``lidar.building_file``, the building's roofs are the baseline.

    Raises:
        ConfigError: a baseline is asked for, but there is no building; or maps are not made from points.
    """
    if params.lidar.scan_source != "points":
        raise ConfigError(
            f"lidar.scan_source is {params.lidar.scan_source}: frames are derived again from points only; "
            "a run on another node's elevation map has no way back to its sensor"
        )
    if params.lidar.building_file and building is None:
        raise ConfigError(
            "lidar.building_file is set, but generator.building_file is empty; give both the same"
        )
    return UncertaintyMapper(
        params.lidar, baseline_for(params.lidar, building if params.lidar.building_file else None)
    )
