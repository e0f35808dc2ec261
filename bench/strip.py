# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen bench strip``: how many pictures still name their record after x264, at which quality and scale.

Noise and moving texture on 640x512 and 1280x720, every picture another record, encoded whole and at half size. A
false read is a record that no picture named. Needs PyAV (the extra ``video``).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from vidgen_nodes.delivery.label import Labelled, label_below, label_in_place
from vidgen_nodes.delivery.tag_strip import FramePointer, read_strip
from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.summary import json_line

_CRFS = (23, 28, 35, 40)
_FRAMES = 60
_SIZES = ((640, 512), (1280, 720))
_MAKERS: dict[str, Callable[..., Labelled]] = {"in_place": label_in_place, "below": label_below}
_BLANK = 300  # pictures without a strip that are asked too


def run(args: Any) -> int:
    """Measure; prints one row a setting."""
    rows, false_reads = [], 0
    for width, height in _SIZES:
        for name, make in _MAKERS.items():
            pictures = _pictures(width, height, make)
            for crf in _CRFS:
                for scale in (1.0, 0.5):
                    read, false = _through(pictures, crf, scale)
                    false_reads += false
                    rows.append(
                        {"size": f"{width}x{height}", "label": name, "crf": crf, "scale": scale, "read": read}
                    )
                    if not args.json:
                        print(f"{width}x{height} {name:8} CRF {crf} scale {scale}: {read}/{_FRAMES}")
    rng = np.random.default_rng(1)
    blank = sum(
        read_strip(rng.integers(0, 256, (256, 320, 3), dtype=np.uint8)) is not None for _ in range(_BLANK)
    )
    result = {"frames": _FRAMES, "rates": rows, "false_reads": false_reads + blank}
    print(json_line(result) if args.json else f"false reads: {false_reads + blank}")
    return 0


def _pictures(width: int, height: int, make: Callable[..., Labelled]) -> list[Labelled]:
    rng = np.random.default_rng(width)
    coarse = rng.integers(0, 256, (height // 8, width // 8), dtype=np.uint8)
    texture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    made = []
    for number in range(_FRAMES):
        grey = np.roll(texture, 3 * number, axis=1) + rng.integers(-6, 7, texture.shape)
        rgb = cv2.cvtColor(np.clip(grey, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)
        made.append(make(rgb, FramePointer(1000 + number, 1001 + number, rng.bytes(32)), "SYN"))
    return made


def _through(pictures: list[Labelled], crf: int, scale: float) -> tuple[int, int]:
    """Right and false readings after the encoder."""
    try:
        import av
    except ImportError as err:
        raise MissingPackageError("PyAV is not installed: pip install 'vidgen_nodes[video]'") from err
    height, width = pictures[0].pixels.shape[:2]
    size = (round(width * scale / 2) * 2, round(height * scale / 2) * 2)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options, stream.thread_count = {"crf": str(crf), "preset": "medium"}, 1
        for labelled in pictures:
            scaled = cv2.resize(labelled.pixels, size, interpolation=cv2.INTER_AREA)
            for packet in stream.encode(av.VideoFrame.from_ndarray(scaled, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    buffer.seek(0)
    read = false = 0
    with av.open(buffer) as container:
        for labelled, frame in zip(pictures, container.decode(video=0), strict=True):
            found = read_strip(frame.to_ndarray(format="rgb24"))
            right = found is not None and (found.leaf_index, found.prefix) == (
                labelled.pointer.leaf_index,
                labelled.pointer.prefix,
            )
            read, false = read + right, false + (found is not None and not right)
    return read, false
