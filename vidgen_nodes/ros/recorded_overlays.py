# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The overlays as they were published, to measure how far a frame made again is from them.

From ``<stamp>.png`` files as ``vidgen render`` writes them, or from ``overlay/image_raw`` in a recording. Guarantees:
a picture counts only if, with the confidence made again, it has the hash in the leaf, so a picture that was altered
never excuses a frame. Leaves out frames whose confidence differs too: those are simply different.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vidgen_nodes.custody.digest import frame_digest
from vidgen_nodes.graph import NAMESPACE
from vidgen_nodes.packets import ByteArray, Overlay
from vidgen_nodes.ros.bagfile import open_storage, reading

_TOPIC = f"{NAMESPACE}/overlay/image_raw"
_TYPE = "sensor_msgs/msg/Image"
_KEPT = 64  # pictures read too early, as recordings are not quite in order


class RecordedOverlays:
    """Asked in order of stamps."""

    def __init__(self, bag: Path, pictures: Path | None = None) -> None:
        self._bag, self._pictures = bag, pictures
        self._ahead: dict[int, ByteArray] = {}
        self._messages: Iterator[tuple[int, ByteArray]] | None = None

    def difference(self, overlay: Overlay, expected: bytes) -> int | None:
        """Largest difference of a channel to the overlay that was recorded, in levels of 255.

        Args:
            overlay: made again.
            expected: frame hash in the leaf.

        Returns:
            None: no such picture, or not the one that was recorded.
        """
        rgba = self._from_file(overlay) if self._pictures else self._from_bag(overlay.stamp_ns)
        if rgba is None or rgba.shape != overlay.rgba.shape:
            return None
        if frame_digest(replace(overlay, rgba=rgba)) != expected:
            return None
        return int(np.abs(rgba.astype(np.int16) - overlay.rgba.astype(np.int16)).max(initial=0))

    def _from_file(self, overlay: Overlay) -> ByteArray | None:
        assert self._pictures is not None
        picture = cv2.imread(str(self._pictures / f"{overlay.stamp_ns}.png"), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
            return None
        rows = overlay.rgba.shape[0]  # the label lies below it
        return np.ascontiguousarray(picture[:rows, :, [2, 1, 0, 3]], dtype=np.uint8)

    def _from_bag(self, stamp_ns: int) -> ByteArray | None:
        if self._messages is None:
            self._messages = _overlays(self._bag)
        while stamp_ns not in self._ahead and (item := next(self._messages, None)) is not None:
            self._ahead[item[0]] = item[1]
            if len(self._ahead) > _KEPT:
                del self._ahead[min(self._ahead)]
            if item[0] > stamp_ns + 10**9:
                break
        return self._ahead.get(stamp_ns)


def _overlays(bag: Path) -> Iterator[tuple[int, ByteArray]]:
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    with open_storage(bag) as reader, reading(bag):
        connections = [c for c in reader.connections if c.topic == _TOPIC and c.msgtype == _TYPE]
        if not connections:
            return
        for connection, _, data in reader.messages(connections=connections):
            message = store.deserialize_cdr(data, connection.msgtype)
            stamp, shape = message.header.stamp, (message.height, message.width, 4)  # type: ignore[attr-defined]
            pixels = np.asarray(message.data, np.uint8)  # type: ignore[attr-defined]
            if pixels.size == shape[0] * shape[1] * shape[2]:
                yield stamp.sec * 10**9 + stamp.nanosec, pixels.reshape(shape)
