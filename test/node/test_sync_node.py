# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo
from vidgen.msg import SensorBundle, SyncReport, ThermalFrame
from vidgen.msg import UncertaintyMap as UncertaintyMapMsg

from vidgen_nodes.nodes.sync_node import SyncNode
from vidgen_nodes.packets import Bundle, UncertaintyMap
from vidgen_nodes.ros import convert, fill, qos

STAMP_NS = 1_000_000_000_000
PERIOD_NS = 20_000_000


class Sink:
    """A generator in the same process, as far as the synchroniser sees it."""

    def __init__(self) -> None:
        self.bundles: list[Bundle] = []
        self.maps: list[UncertaintyMap] = []

    def add_map(self, umap: UncertaintyMap) -> None:
        self.maps.append(umap)

    def add_bundle(self, bundle: Bundle) -> None:
        self.bundles.append(bundle)


def thermal(stamp_ns: int) -> Any:
    message = ThermalFrame(sequence=stamp_ns // PERIOD_NS % 1000, camera_info=CameraInfo())
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
    bench.until(lambda: frames.get_subscription_count() and peer.count_publishers("/vidgen/bundle"), "discovery")
    frames.publish(thermal(STAMP_NS))
    bench.until(lambda: got, "the bundle")
    assert convert.stamp_ns(got[0].header.stamp) == STAMP_NS
    assert {"no_pose", "no_map"} <= set(got[0].causes)


def test_with_a_sink_bundles_and_maps_are_handed_over_and_published_only_when_wanted(bench: Any) -> None:
    sink = Sink()
    node = bench.start(lambda: SyncNode(sink))
    peer = bench.peer()
    frames = peer.create_publisher(ThermalFrame, "thermal/frame", qos.THERMAL_FRAME)
    maps = peer.create_publisher(UncertaintyMapMsg, "uncertainty/map", qos.UNCERTAINTY_MAP)
    bench.until(lambda: frames.get_subscription_count() and maps.get_subscription_count(), "discovery")
    frames.publish(thermal(STAMP_NS))
    bench.until(lambda: sink.bundles, "the bundle in this process")
    published: list[Any] = []
    peer.create_subscription(SensorBundle, "bundle", published.append, qos.BUNDLE)
    bench.until(lambda: node.count_subscribers("/vidgen/bundle"), "discovery of the listener")
    stamps = iter(range(STAMP_NS + PERIOD_NS, STAMP_NS + 500 * PERIOD_NS, PERIOD_NS))
    bench.until(lambda: published, "a bundle on the topic", lambda: frames.publish(thermal(next(stamps))))
    handed = {bundle.stamp_ns: bundle for bundle in sink.bundles}
    message = published[0]
    twin = handed[convert.stamp_ns(message.header.stamp)]
    assert [cause.value for cause in twin.causes] == list(message.causes)
    assert np.array_equal(convert.image_pixels(message.thermal.image), twin.thermal.pixels)


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
