# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The topics on which a recorded frame goes out.

Guarantees: picture, camera_info and provenance of a frame carry the stamp of its thermal frame; hazards follow
ten times a second of event time; the full ``overlay/frame`` only while somebody subscribes.
"""

from __future__ import annotations

from typing import Any

from sensor_msgs.msg import CameraInfo, Image
from vidgen.msg import HazardArray, OverlayFrame, Provenance

from vidgen_nodes.packets import Frame
from vidgen_nodes.ros import fill, qos
from vidgen_nodes.ros.node import NodeBase

_HAZARDS_EVERY_NS = 100_000_000
_HAZARD_EXPIRY_NS = 1_000_000_000


class FrameOutputs:
    """The publishers of a node that makes frames."""

    def __init__(self, node: NodeBase[Any]) -> None:
        self._node = node
        self._hazards_ns = 0
        self._overlays = node.advertise(Image, "overlay/image_raw", qos.OVERLAY)
        self._infos = node.advertise(CameraInfo, "overlay/camera_info", qos.OVERLAY, primary=False)
        self._provenances = node.advertise(Provenance, "provenance", qos.PROVENANCE, primary=False)
        self._hazards = node.advertise(HazardArray, "hazards", qos.HAZARDS, primary=False)
        self._frames = node.advertise(OverlayFrame, "overlay/frame", qos.OVERLAY_FRAME, primary=False)

    def publish(self, frame: Frame) -> None:
        """Send one frame out; it is durable in the ledger already."""
        picture = frame.overlay
        overlay = fill.overlay(picture)
        self._overlays.publish(overlay)
        published_ns = self._node.now_ns()
        provenance = fill.provenance(frame.record, picture.frame_id, published_ns)
        info = None
        if picture.calibration is not None:
            info = fill.camera_info(picture.calibration, picture.stamp_ns, picture.frame_id)
            self._infos.publish(info)
        self._provenances.publish(provenance)
        self._node.health.add_latency("stamp_to_overlay", (published_ns - picture.stamp_ns) / 1e6)
        if not 0 <= picture.stamp_ns - self._hazards_ns < _HAZARDS_EVERY_NS:
            self._hazards_ns = picture.stamp_ns
            self._hazards.publish(fill.hazard_array(frame, _HAZARD_EXPIRY_NS))
        if self._frames.is_wanted:
            self._frames.publish(fill.overlay_frame(frame, overlay, info, provenance))
