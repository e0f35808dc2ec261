# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled pictures as an MP4 file with its label for machines, signed last.

H.264 by PyAV where that is installed (the extra ``video``: its wheels bundle x264, which is GPL), else MPEG-4 by
OpenCV. Guarantees: takes nothing but ``Labelled``; the file appears under its name whole, labelled and, with
credentials, signed, or not at all. Pictures of one encoder give the same pictures again; the bytes differ by the
signature. Leaves out sound.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import cv2
import numpy as np

from vidgen_nodes.delivery.content_credentials import Credentials
from vidgen_nodes.delivery.content_label import Origin, labelled_movie
from vidgen_nodes.delivery.label import Labelled
from vidgen_nodes.delivery.movie_parts import movie_parts
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import ByteArray

_CRF = "20"
_RATES_HZ = (1.0, 120.0)
_MOST_DENOMINATOR = 1000


class _Encoder(Protocol):
    def write(self, rgb: ByteArray) -> None: ...
    def close(self) -> None: ...


class VideoFile:
    """A video that is being written; a context manager. Pictures must keep their size."""

    def __init__(
        self,
        path: Path,
        rate_hz: float,
        origin: Origin,
        credentials: Credentials | None,
        claims: dict[str, Any] | None = None,
    ) -> None:
        """Prepare to write; the file is opened by the first picture.

        Args:
            path: of the finished file, .mp4.
            rate_hz: pictures a second, at most 120.
            origin: what the label says of its makers.
            credentials: who signs; None: not signed, for files that never leave this machine.
            claims: what else the signature binds (``content_credentials.py``); may be filled until the end. Hashes
                of the parts of the file are added as ``file`` (``movie_parts.py``).

        Raises:
            ConfigError: the folder cannot be made.
        """
        self._path, self._part = path, path.with_name(f"{path.name}.{os.getpid()}.part.mp4")
        self._rate_hz = min(max(round(rate_hz, 2), _RATES_HZ[0]), _RATES_HZ[1])
        self._origin, self._credentials = origin, credentials
        self._claims = claims if claims is not None else {}
        self._encoder: _Encoder | None = None
        self._first: Labelled | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise ConfigError(f"video {path}: its folder cannot be made: {err.strerror}") from err

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._encoder is not None:
                self._encoder.close()
                if error is None:
                    self._finish()
        finally:
            self._part.unlink(missing_ok=True)

    def write(self, labelled: Labelled) -> None:
        """Append one picture, rgb8.

        Raises:
            ConfigError: the file cannot be written, or the size or the kind of label changed.
        """
        rgb = _even(labelled.pixels)
        if self._first is None or self._encoder is None:
            self._first = labelled
            self._encoder = _open(self._part, self._rate_hz, rgb.shape[1], rgb.shape[0])
        if labelled.pixels.shape != self._first.pixels.shape or labelled.code != self._first.code:
            was = (self._first.pixels.shape, self._first.code)
            raise ConfigError(
                f"video {self._path.name}: picture size or label changed from {was} to "
                f"{(labelled.pixels.shape, labelled.code)}; a video has one of each"
            )
        self._encoder.write(rgb)

    def _finish(self) -> None:
        assert self._first is not None
        try:
            movie = labelled_movie(
                self._part.read_bytes(), self._first.pointer, self._first.code, self._origin
            )
            if self._credentials is not None:
                self._claims["file"] = movie_parts(movie)
                movie = self._credentials.sign(movie, self._first.code, self._origin, self._claims)
            self._part.write_bytes(movie)
            self._part.replace(self._path)
        except OSError as err:
            raise ConfigError(f"video {self._path}: cannot be written: {err.strerror}") from err


def has_h264() -> bool:
    """Whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


def _even(rgb: ByteArray) -> ByteArray:
    """Sizes that 4:2:0 encoders take; a column more moves no cell of the strip by more than its share of one."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((height % 2, 0), (0, width % 2), (0, 0)), mode="edge")


def _open(path: Path, rate_hz: float, width_px: int, height_px: int) -> _Encoder:
    return (_H264 if has_h264() else _Mpeg4)(path, rate_hz, width_px, height_px)


class _H264:
    """PyAV with x264. One thread, so that the same pictures give the same stream."""

    def __init__(self, path: Path, rate_hz: float, width_px: int, height_px: int) -> None:
        import av

        self._av: Any = av
        rate = Fraction(rate_hz).limit_denominator(_MOST_DENOMINATOR)
        try:
            self._container: Any = av.open(str(path), "w", format="mp4")
        except OSError as err:
            raise ConfigError(f"video {path}: cannot be written: {err.strerror}") from err
        self._stream: Any = self._container.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = width_px, height_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.thread_count = 1
        self._stream.options = {"crf": _CRF, "preset": "veryfast"}

    def write(self, rgb: ByteArray) -> None:
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        with contextlib.closing(self._container):
            for packet in self._stream.encode():
                self._container.mux(packet)


class _Mpeg4:
    """OpenCV, which every installation has."""

    def __init__(self, path: Path, rate_hz: float, width_px: int, height_px: int) -> None:
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(path), codec, rate_hz, (width_px, height_px))
        if not self._writer.isOpened():
            raise ConfigError(f"video {path}: cannot be written as MPEG-4; give a writable .mp4 file")

    def write(self, rgb: ByteArray) -> None:
        self._writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()
