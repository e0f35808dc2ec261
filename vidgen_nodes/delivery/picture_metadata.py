# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""XMP packets in PNG (``iTXt``) and JPEG (``APP1``) files: put in, and found again.

Guarantees: pixels keep their bytes; the packet lies before the first pixel. Leaves out what a packet says.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from vidgen_nodes.errors import InputError

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = len(_PNG) + 25  # IHDR is the first chunk and has 13 bytes
_KEYWORD = b"XML:com.adobe.xmp\0"
_ITXT = _KEYWORD + b"\0\0\0\0"  # not compressed, no language, no translated keyword
_JPEG = b"\xff\xd8"
_APP1 = b"http://ns.adobe.com/xap/1.0/\0"
_MOST_SEGMENT = 0xFFFF - 2


def with_xmp(picture: bytes, packet: bytes) -> bytes:
    """The same PNG or JPEG file with an XMP packet in it.

    Raises:
        InputError: neither PNG nor JPEG, or a packet that is too long for JPEG.
    """
    if picture.startswith(_PNG):
        body = b"iTXt" + _ITXT + packet
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return picture[:_PNG_HEAD] + chunk + picture[_PNG_HEAD:]
    if picture.startswith(_JPEG):
        body = _APP1 + packet
        if len(body) > _MOST_SEGMENT:
            raise InputError(
                "xmp_length", f"got {len(body)} bytes of XMP, a JPEG segment holds {_MOST_SEGMENT}"
            )
        end = _after_jfif(picture)
        return picture[:end] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + picture[end:]
    raise InputError("picture_format", f"got a file that starts with {picture[:4]!r}, expected PNG or JPEG")


def xmp_packets(picture: bytes) -> list[bytes]:
    """Every XMP packet of a PNG or JPEG file."""
    if picture.startswith(_PNG):
        bodies = [body for kind, body in _chunks(picture) if kind == b"iTXt" and body.startswith(_KEYWORD)]
        return [body[len(_ITXT) :] for body in bodies]
    if picture.startswith(_JPEG):
        return [
            body[len(_APP1) :]
            for marker, body in _segments(picture)
            if marker == 0xE1 and body.startswith(_APP1)
        ]
    return []


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += 12 + length


def _segments(picture: bytes) -> Iterator[tuple[int, bytes]]:
    at = len(_JPEG)
    while at + 4 <= len(picture) and picture[at] == 0xFF and picture[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", picture, at + 2)
        yield picture[at + 1], picture[at + 4 : at + 2 + length]
        at += 2 + length


def _after_jfif(picture: bytes) -> int:
    """JFIF wants its segment first."""
    if picture[2:4] == b"\xff\xe0":
        return int(4 + struct.unpack_from(">H", picture, 4)[0])
    return len(_JPEG)
