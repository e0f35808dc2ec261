# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Overlays in; streams for glasses and ground stations out. Every stream costs only while somebody listens."""

from __future__ import annotations

import time
from typing import Any

from sensor_msgs.msg import CompressedImage, Image
from vidgen.msg import HazardArray, Provenance, ThermalFrame
from visualization_msgs.msg import MarkerArray

from vidgen_nodes.delivery.ar import composite, markers
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.label import Labelled, label_in_place
from vidgen_nodes.errors import InputError
from vidgen_nodes.params import ArParams
from vidgen_nodes.privacy.heads import HeadPolicy
from vidgen_nodes.ros import convert, fill, qos, unpack
from vidgen_nodes.ros.filters import Subscriber, TimeSynchronizer
from vidgen_nodes.ros.node import Output, VidgenNode
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.ros.worker import LatestWorker
from vidgen_nodes.scheduling import Priority

_PAIR_DEPTH = 30  # the overlay of a frame comes up to half a second after the frame itself


class ArNode(VidgenNode[ArParams]):
    """``overlay/image_raw``, ``thermal/frame``, ``provenance``, ``hazards`` to composite, PNG streams and markers."""

    def __init__(self) -> None:
        super().__init__("ar_node", ArParams)
        self._calibrations = unpack.CalibrationCache()
        self._heads = HeadPolicy(self.params.head_mosaic_px_per_m, self.params.nearest_person_m)
        self._next_png_s: dict[str, float] = {}
        self._markers_s = 0.0
        self._composites = self.advertise(Image, "composite/image_raw", qos.COMPOSITE, primary=False)
        self._composite_pngs = self.advertise(
            CompressedImage, "composite/image_raw/compressed", qos.OVERLAY_COMPRESSED, primary=False
        )
        self._overlay_pngs = self.advertise(
            CompressedImage, "overlay/image_raw/compressed", qos.OVERLAY_COMPRESSED, primary=False
        )
        self._markers = self.advertise(MarkerArray, "ar/markers", qos.MARKERS)
        self._encoder: LatestWorker[Any] = LatestWorker("png", self._encode, size=2, dropped=self._on_drop)
        self._inputs: list[Subscriber] = []
        self.subscribe_frequent(HazardArray, "hazards", qos.HAZARDS, self._on_hazards)

    def _listen(self) -> None:
        """Take pictures in: two megabytes a frame, so only while somebody wants what is made of them."""
        thermal = self.subscribe(
            ThermalFrame, "thermal/frame", qos.THERMAL_FRAME, lambda _: None, required=False
        )
        overlay = self.subscribe(Image, "overlay/image_raw", qos.OVERLAY, lambda _: None, required=False)
        record = self.subscribe(Provenance, "provenance", qos.PROVENANCE, lambda _: None, required=False)
        self._inputs = [thermal, overlay, record]
        TimeSynchronizer(self._inputs, _PAIR_DEPTH).registerCallback(self._on_frame)

    def _stop_listening(self) -> None:
        for source in self._inputs:
            self.destroy_subscription(source.sub)
        self._inputs = []

    def _on_frame(self, thermal: Any, overlay: Any, record: Any) -> None:
        try:
            self._compose(thermal, overlay, record)
            self._label_overlay(overlay, record)
        except InputError as err:  # may not leave from here: the real synchroniser would keep its lock
            self.health.dropped[err.reason] += 1

    def _compose(self, thermal: Any, overlay: Any, record: Any) -> None:
        wants_png = self._composite_pngs.is_wanted and self._is_due("composite")
        if not (wants_png or self._composites.is_wanted):
            return
        frame, shown = unpack.thermal_frame(thermal, self._calibrations), unpack.overlay(overlay)
        labelled = composite(frame, shown, unpack.frame_pointer(record), record.label_code, self._heads)
        if self._composites.is_wanted:
            stamp_ns = convert.stamp_ns(overlay.header.stamp)
            self._composites.publish(fill.image(stamp_ns, overlay.header.frame_id, "rgb8", labelled.pixels))
            self.health.add_latency("stamp_to_composite", (self.now_ns() - stamp_ns) / 1e6)
        if wants_png:
            self._encode_later(self._composite_pngs, overlay.header, labelled, record)

    def _label_overlay(self, overlay: Any, record: Any) -> None:
        if self._overlay_pngs.is_wanted and self._is_due("overlay"):
            rgba = unpack.overlay(overlay).rgba.copy()
            labelled = label_in_place(rgba, unpack.frame_pointer(record), record.label_code)
            self._encode_later(self._overlay_pngs, overlay.header, labelled, record)

    def _encode_later(self, output: Output, header: Any, labelled: Labelled, record: Any) -> None:
        origin = Origin(self.params.content_producer, camera=record.origin != Provenance.ORIGIN_SIM)
        self._encoder.put((output, header, labelled, origin))

    def _is_due(self, stream: str) -> bool:
        now_s = time.monotonic()
        if now_s < self._next_png_s.get(stream, 0.0):
            return False
        self._next_png_s[stream] = now_s + 1.0 / self.params.compressed_rate_hz
        return True

    def _encode(self, job: tuple[Output, Any, Labelled, Origin]) -> None:
        output, header, labelled, origin = job
        message = CompressedImage(header=header, format="png")
        message.data = png(labelled, origin)
        output.publish(message)

    def _on_drop(self) -> None:
        self.health.dropped["encoder_busy"] += 1

    def _on_hazards(self, message: Any) -> None:
        now_s = time.monotonic()
        if self._markers.is_wanted and now_s - self._markers_s >= 1.0 / self.params.marker_rate_hz:
            self._markers_s = now_s
            shapes = markers(unpack.hazards(message))
            stamp_ns = convert.stamp_ns(message.header.stamp)
            self._markers.publish(fill.marker_array(stamp_ns, shapes, self.params.marker_lifetime_s))

    def on_tick(self) -> None:
        """Follow the demand; nobody listening is no fault."""
        pictures = any(
            output.is_wanted for output in (self._composites, self._composite_pngs, self._overlay_pngs)
        )
        if pictures and not self._inputs:
            self._listen()
        elif self._inputs and not pictures:
            self._stop_listening()
        wanted = pictures or self._markers.is_wanted
        self.health.idle = "" if wanted else "nobody subscribes; every stream of this node is made on demand"
        if self._encoder.error is not None:
            self.fail(f"the encoder stopped: {self._encoder.error}")

    def close(self) -> None:
        """End the encoder."""
        self._encoder.stop()


def main() -> None:
    """Run the node."""
    main_for(ArNode, Priority.BACKGROUND)


if __name__ == "__main__":
    main()
