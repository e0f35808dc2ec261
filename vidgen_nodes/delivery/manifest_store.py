# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the C2PA manifest store of an MP4 file, PNG or JPEG lies, to the byte.

Guarantees: exactly one, and everything around it in that file's own container (sizes, numbers, check sums) is what
it has to be. Leaves out the store itself (``manifest_form.py``).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from vidgen_nodes.delivery.mp4_metadata import boxes, is_mp4
from vidgen_nodes.errors import VerificationError

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_PURPOSE = bytes(4) + b"manifest\0" + bytes(8)  # version and flags; what it is for; no further boxes
_PNG = b"\x89PNG\r\n\x1a\n"
_CABX = b"caBX"
_APP11, _SOS = 0xEB, 0xDA
_JUMBF_HEAD = struct.Struct(">2sHI")  # "JP", which box, which packet of it
_JUMB_HEADER = 8


@dataclass(frozen=True)
class Store:
    """The bytes of a manifest store, and where in the file they are."""

    body: bytes
    pieces: tuple[tuple[int, int], ...]  # (place in the body, place in the file) of each run of bytes

    def place(self, at: int) -> int:
        """Where in the file a byte of the body is."""
        start, there = max(piece for piece in self.pieces if piece[0] <= at)
        return there + at - start


def find_store(data: bytes) -> Store:
    """The manifest store of a file.

    Raises:
        VerificationError: none, several, or something around it is not what it has to be.
    """
    search = _in_mp4 if is_mp4(data) else _in_png if data.startswith(_PNG) else _in_jpeg
    found = search(data)
    if len(found) != 1:
        raise VerificationError(f"content credentials: got {len(found)} manifest stores, expected one")
    return found[0]


def is_manifest(kind: bytes, movie: bytes, low: int) -> bool:
    """Whether a box of an MP4 file, whose body begins at a byte, holds a manifest store."""
    return kind == b"uuid" and movie[low : low + len(_C2PA)] == _C2PA


def _in_mp4(data: bytes) -> list[Store]:
    found, end = [], 0
    for kind, low, high in boxes(data, 0, len(data)):
        end = high
        if not is_manifest(kind, data, low):
            continue
        start = low + len(_C2PA)
        for at, byte in enumerate(_PURPOSE):
            if data[start + at : start + at + 1] != bytes((byte,)):
                raise _fault(start + at, "the box around the manifest is of another form")
        start += len(_PURPOSE)
        found.append(Store(data[start:high], ((0, start),)))
    if end != len(data):
        raise _fault(end, "the boxes of the file end here")
    return found


def _in_png(data: bytes) -> list[Store]:
    found, at = [], len(_PNG)
    while at < len(data):
        if at + 12 > len(data):
            raise _fault(at, "the chunks of the file end here")
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(
            data[end - 4 : end], "big"
        ):
            raise _fault(at, f"a chunk {kind!r} does not have its check sum")
        if kind == _CABX:
            found.append(Store(data[at + 8 : end - 4], ((0, at + 8),)))
        at = end
    return found


def _in_jpeg(data: bytes) -> list[Store]:
    """APP11 segments, each with a part of the box, whose header is repeated in every one (ISO 19566-5 annex D)."""
    body, pieces, number, at = b"", [], 0, 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SOS:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == _APP11:
            start, end = at + 4 + _JUMBF_HEAD.size, at + 2 + size
            number += 1
            name, box, packet = _JUMBF_HEAD.unpack_from(data, at + 4)
            if (name, packet) != (b"JP", number) or end > len(data) or box != _FIRST_BOX:
                raise _fault(at, "a segment of the manifest is of another form")
            if number > 1:
                if data[start : start + _JUMB_HEADER] != body[:_JUMB_HEADER]:
                    raise _fault(start, "the segments of the manifest are not of the same box")
                start += _JUMB_HEADER
            pieces.append((len(body), start))
            body += data[start:end]
        at += 2 + size
    return [Store(body, tuple(pieces))] if body else []


_FIRST_BOX = 529  # c2pa numbers its box so; nothing reads it


def _fault(place: int, why: str) -> VerificationError:
    return VerificationError(f"content credentials: byte {place} of the file was altered: {why}")
