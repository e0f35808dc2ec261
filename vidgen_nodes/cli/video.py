# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Writes composites as a video, at the rate of the recording.

The visible mark is in every picture before it comes here. MPEG-4 by OpenCV, which every player reads.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import ByteArray
from vidgen_nodes.ros.replay import ANCHOR, Recording


class VideoFile:
    """A video that is being written; a context manager. Pictures must keep their size."""

    def __init__(self, path: Path, recording: Recording) -> None:
        span_s = (recording.end_ns - recording.start_ns) / 1e9
        count = recording.counts[ANCHOR]
        self._rate_hz = min(max(round(count / span_s, 2) if span_s > 0 else 25.0, 1.0), 120.0)
        self._path = path
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        path.parent.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()

    def write(self, rgb: ByteArray) -> None:
        """Append one picture, (H, W, 3) rgb8.

        Raises:
            ConfigError: the file cannot be written, or the size changed.
        """
        size = (rgb.shape[1], rgb.shape[0])
        if self._writer is None:
            self._size = size
            codec = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), codec, self._rate_hz, size)
            if not self._writer.isOpened():
                raise ConfigError(
                    f"--video {self._path}: cannot be written as MPEG-4; give a writable .mp4 file"
                )
        if size != self._size:
            raise ConfigError(
                f"--video: picture size changed from {self._size} to {size} px; a video has one size"
            )
        self._writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
