# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
from nav_msgs.msg import OccupancyGrid
from vidgen.msg import HazardArray, HazardEvent, UncertaintyMap

from vidgen_nodes.nodes.robot_node import RobotNode
from vidgen_nodes.packets import Grid
from vidgen_nodes.packets import UncertaintyMap as MapPacket
from vidgen_nodes.ros import fill, qos

GRID = Grid(-10.0, -10.0, 0.5, 40, 40)
STAMP_NS = 1_700_000_000_250_000_000


def umap() -> Any:
    """An empty map: the node wants its grid only."""
    floats = np.zeros(GRID.shape, np.float32)
    return fill.uncertainty_map(
        MapPacket(
            stamp_ns=STAMP_NS, grid=GRID, elevation_m=floats, variance_m2=floats, uncertainty=floats, entropy=floats,
            roughness_m=floats, deviation_m=floats, surface_variation=floats, lod95_m=floats,
            observations=np.zeros(GRID.shape, np.uint16), observed_ns=np.zeros(GRID.shape, np.int64),
            flags=np.zeros(GRID.shape, np.uint8), digest=bytes(32), sources=(),
        )
    )  # fmt: skip


def flame(stamp_ns: int) -> HazardEvent:
    """One burning metre in the middle of the grid."""
    event = HazardEvent(
        id="fire-1", kind="flame", radius_m=1.0, height_m=2.0, heat_release_kw=800.0, confidence=0.75,
        synthetic=True, origin=HazardEvent.ORIGIN_SIM, permitted_by=["timber wall", "cell 3 4"],
    )  # fmt: skip
    fill.set_header(event.header, stamp_ns, "map")
    event.expires = fill.time(stamp_ns + 1_000_000_000)
    event.leaf_hash = np.arange(32, dtype=np.uint8)
    return event


def test_hazard_gives_masks_and_one_event_and_its_end_another(bench: Any) -> None:
    bench.start(RobotNode)
    peer = bench.peer()
    maps = peer.create_publisher(UncertaintyMap, "uncertainty/map", qos.UNCERTAINTY_MAP)
    hazards = peer.create_publisher(HazardArray, "hazards", qos.HAZARDS)
    events: list[Any] = []
    masks: list[Any] = []
    subscriptions = [
        peer.create_subscription(HazardEvent, "robot/events", events.append, qos.EVENTS),
        peer.create_subscription(OccupancyGrid, "robot/hazard_mask", masks.append, qos.MASK),
    ]
    bench.until(
        lambda: maps.get_subscription_count() and hazards.get_subscription_count(), "the node to listen"
    )
    bench.until(lambda: peer.count_publishers("/vidgen/robot/events"), "the node's events")
    maps.publish(umap())
    sent = [0]

    def send(*present: bool) -> None:
        sent[0] += 1
        stamp_ns = STAMP_NS + sent[0] * 20_000_000
        message = HazardArray(hazards=[flame(stamp_ns) for _ in present])
        fill.set_header(message.header, stamp_ns, "map")
        hazards.publish(message)

    bench.until(lambda: events and any(max(mask.data) == 100 for mask in masks), "a mask", lambda: send(True))
    assert (masks[-1].info.width, masks[-1].info.height) == (GRID.cols, GRID.rows)
    begun = events[0]
    assert (begun.id, begun.kind, begun.heat_release_kw, begun.confidence) == ("fire-1", "flame", 800.0, 0.75)
    assert list(begun.permitted_by) == ["timber wall", "cell 3 4"]
    assert bytes(begun.leaf_hash) == bytes(range(32))
    assert begun.synthetic

    bench.until(lambda: len(events) > 1 and max(masks[-1].data) < 100, "the end", send)
    ended = events[1]
    assert len(events) == 2
    assert (ended.id, ended.confidence) == ("fire-1", 0.0)
    assert ended.expires == ended.header.stamp
    assert len(subscriptions) == 2
