# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Named metadata and XMP in MP4 files: written into a closed file, and every entry found again.

Written as ``ffmpeg -movflags use_metadata_tags`` writes it (``moov/udta/meta`` with the ``mdta`` handler), so that
other players read it; XMP in the ``uuid`` box of its specification. Guarantees: samples keep their places, because
only files whose ``moov`` comes last are changed, as encoders leave them; the entries that were there are replaced,
never added to. Leaves out fragmented files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from vidgen_nodes.errors import InputError

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CONTAINERS = (b"moov", b"udta", b"trak", b"mdia", b"minf")
_HEADER = 8
_UTF8 = 1
_MOST_DEPTH = 8


def with_metadata(movie: bytes, entries: Mapping[str, str], xmp: bytes) -> bytes:
    """The same MP4 file with these entries and this XMP packet, and no others.

    Args:
        movie: a whole file whose last box is ``moov``.
        entries: value by name.
        xmp: packet.

    Raises:
        InputError: not such a file.
    """
    top = list(boxes(movie, 0, len(movie)))
    if not top or top[0][0] != b"ftyp" or top[-1][0] != b"moov":
        found = ", ".join(kind.decode("ascii", "replace") for kind, _, _ in top)
        raise InputError("mp4_layout", f"got the boxes {found or 'none'}; expected ftyp first and moov last")
    _, start, end = top[-1]
    kept = b"".join(
        movie[low - _HEADER : high] for kind, low, high in boxes(movie, start, end) if kind != b"udta"
    )
    moov = _box(b"moov", kept + _box(b"udta", _meta(entries)))
    return movie[: start - _HEADER] + moov + _box(b"uuid", _XMP + xmp)


def metadata_entries(movie: bytes) -> list[tuple[str, str]]:
    """Every named entry of a file, wherever it lies, those of the same name included."""
    return [entry for start, end in _metas(movie, 0, len(movie), 0) for entry in _entries(movie, start, end)]


def xmp_packets(movie: bytes) -> list[bytes]:
    """Every XMP packet of a file."""
    found = (movie[start:end] for kind, start, end in boxes(movie, 0, len(movie)) if kind == b"uuid")
    return [body[len(_XMP) :] for body in found if body.startswith(_XMP)]


def is_mp4(movie: bytes) -> bool:
    """Whether it begins like one."""
    return movie[4:8] == b"ftyp"


def _meta(entries: Mapping[str, str]) -> bytes:
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    keys = b"".join(_box(b"mdta", name.encode()) for name in entries)
    listed = b"".join(
        _box(struct.pack(">I", number), _box(b"data", struct.pack(">II", _UTF8, 0) + value.encode()))
        for number, value in enumerate(entries.values(), start=1)
    )
    keys_box = _box(b"keys", struct.pack(">II", 0, len(entries)) + keys)
    return _box(b"meta", bytes(4) + handler + keys_box + _box(b"ilst", listed))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + _HEADER) + kind + body


def boxes(movie: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and first and last byte of the body, of each box; ends where the bytes make no sense any more."""
    while start + _HEADER <= end:
        size, kind = struct.unpack_from(">I4s", movie, start)
        head = _HEADER
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", movie, start + 8)
            head = 16
        size = size or end - start
        if size < head or start + size > end:
            return
        yield kind, start + head, start + size
        start += size


def _metas(movie: bytes, start: int, end: int, depth: int) -> Iterator[tuple[int, int]]:
    for kind, low, high in boxes(movie, start, end):
        if kind == b"meta":
            yield low + (0 if movie[low + 4 : low + 8] == b"hdlr" else 4), high
        elif kind in _CONTAINERS and depth < _MOST_DEPTH:
            yield from _metas(movie, low, high, depth + 1)


def _entries(movie: bytes, start: int, end: int) -> Iterator[tuple[str, str]]:
    inside = {kind: (low, high) for kind, low, high in boxes(movie, start, end)}
    if b"keys" not in inside or b"ilst" not in inside:
        return
    low, high = inside[b"keys"]
    names = [movie[a:b].decode("utf-8", "replace") for _, a, b in boxes(movie, low + 8, high)]
    for number, item_low, item_high in boxes(movie, *inside[b"ilst"]):
        place = int.from_bytes(number, "big") - 1
        for kind, data_low, data_high in boxes(movie, item_low, item_high):
            if kind == b"data" and 0 <= place < len(names):
                yield names[place], movie[data_low + 8 : data_high].decode("utf-8", "replace")
