# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from vidgen.msg import Provenance, ThermalFrame

from vidgen_nodes.delivery.content_label import read_label
from vidgen_nodes.delivery.label import letter_height_px
from vidgen_nodes.delivery.tag_strip import FramePointer, read_strip
from vidgen_nodes.nodes.ar_node import ArNode
from vidgen_nodes.ros import convert, fill

WIDTH, HEIGHT = 320, 256


def frame(stamp_ns: int) -> tuple[Any, Any, Any]:
    """A thermal frame, an overlay with one opaque red square, and its record."""
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    rgba[10:20, 10:20] = (255, 0, 0, 255)
    thermal = ThermalFrame()
    fill.set_header(thermal.header, stamp_ns, "cam")
    counts = np.linspace(0, 60000, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint16)
    thermal.image = fill.image(stamp_ns, "cam", "mono16", counts)
    record = Provenance(leaf_index=6, tree_size=7, label_code="SYN")
    fill.set_header(record.header, stamp_ns, "cam")
    record.leaf_hash = np.arange(32, dtype=np.uint8)
    return thermal, fill.image(stamp_ns, "cam", "rgba8", rgba), record


def test_streams_are_made_on_demand_and_paired_by_stamp(bench: Any) -> None:
    bench.start(ArNode)
    peer = bench.peer()
    thermals = peer.create_publisher(ThermalFrame, "thermal/frame", 10)
    overlays = peer.create_publisher(Image, "overlay/image_raw", 10)
    records = peer.create_publisher(Provenance, "provenance", 10)
    bench.until(lambda: peer.count_publishers("/vidgen/composite/image_raw"), "discovery")
    assert peer.count_subscribers("/vidgen/overlay/image_raw") == 0

    composites: list[Any] = []
    pngs: list[Any] = []
    composite_sub = peer.create_subscription(Image, "composite/image_raw", composites.append, 10)
    png_sub = peer.create_subscription(CompressedImage, "overlay/image_raw/compressed", pngs.append, 10)
    bench.until(
        lambda: all(p.get_subscription_count() for p in (thermals, overlays, records)), "the node to listen"
    )
    stamp_ns = [1_000_000_000_000]

    def send() -> None:
        stamp_ns[0] += 20_000_000
        thermal, overlay, record = frame(stamp_ns[0])
        _, stranger, _ = frame(stamp_ns[0] + 1)
        overlays.publish(stranger)
        records.publish(record)
        overlays.publish(overlay)
        thermals.publish(thermal)

    bench.until(lambda: composites and pngs, "a composite and a PNG", send)
    composite = composites[0]
    assert convert.stamp_ns(composite.header.stamp) % 20_000_000 == 0
    rgb = convert.image_pixels(composite)
    assert (rgb[12:18, 12:18] == (255, 0, 0)).all()
    amber = np.flatnonzero((rgb == (255, 200, 0)).all(axis=2).any(axis=1))
    assert amber[-1] - amber[0] + 1 >= letter_height_px(WIDTH, HEIGHT) - 2  # the mark
    tag = FramePointer(6, 7, bytes(range(16)))
    assert read_strip(rgb) == tag
    picture = cv2.imdecode(np.frombuffer(pngs[0].data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture[15, 15].tolist() == [0, 0, 255, 255]
    assert picture[100, 100, 3] == 0
    assert picture[-1, :, 3].min() == 255
    assert read_strip(picture) == tag
    assert read_label(bytes(pngs[0].data)).aigc.reserved == bytes(range(32)).hex()

    peer.destroy_subscription(composite_sub)
    peer.destroy_subscription(png_sub)
    bench.until(lambda: overlays.get_subscription_count() == 0, "the node to stop listening")


def test_a_pair_that_does_not_fit_is_counted_and_the_next_one_comes_out(bench: Any) -> None:
    node = bench.start(ArNode)
    peer = bench.peer()
    thermals = peer.create_publisher(ThermalFrame, "thermal/frame", 10)
    overlays = peer.create_publisher(Image, "overlay/image_raw", 10)
    records = peer.create_publisher(Provenance, "provenance", 10)
    composites: list[Any] = []
    peer.create_subscription(Image, "composite/image_raw", composites.append, 10)
    bench.until(
        lambda: all(p.get_subscription_count() for p in (thermals, overlays, records)), "the node to listen"
    )
    stamp_ns = [1_000_000_000_000]

    def send(crop_px: int) -> None:
        stamp_ns[0] += 20_000_000
        thermal, _, record = frame(stamp_ns[0])
        rgba = np.zeros((HEIGHT - crop_px, WIDTH, 4), np.uint8)
        overlays.publish(fill.image(stamp_ns[0], "cam", "rgba8", rgba))
        thermals.publish(thermal)
        records.publish(record)

    bench.until(lambda: node.health.dropped["composite_size"], "a refused pair", lambda: send(2))
    assert not composites
    bench.until(lambda: composites, "a composite", lambda: send(0))
