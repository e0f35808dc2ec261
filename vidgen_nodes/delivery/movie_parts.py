# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Hashes over the parts of an MP4 file, signed with it: they say where a file was altered, not only that it was.

C2PA hashes a file as a whole and leaves out its first box. Guarantees: every byte of the boxes besides the index
(``moov``, whose numbers change when the manifest is put in) and the manifest is under one of the hashes; a difference
names the bytes of the file, and for pictures which share of theirs. Leaves out the index: that it was altered follows
where the whole does not hold and every part does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from vidgen_nodes.delivery.manifest_store import is_manifest
from vidgen_nodes.delivery.mp4_metadata import boxes

_MEDIA, _INDEX = b"mdat", b"moov"
_LEAST_PIECE = 4096
_MOST_PIECES = 64
_DIGEST_BYTES = 16

Row = list[str | int]  # kind of box, bytes, hash


def movie_parts(movie: bytes) -> list[Row]:
    """A row for every part of a file, in order, the manifest left out.

    Args:
        movie: with or without its manifest.
    """
    return [[kind, high - low, _digest(movie, low, high)] for kind, low, high in _parts(movie)]


def altered_parts(movie: bytes, signed: object) -> list[str]:
    """What of a file does not have the hash that was signed, in words; empty: every part has.

    Args:
        movie: the file, with its manifest.
        signed: what ``movie_parts`` gave for it.
    """
    rows = signed if isinstance(signed, list) else []
    found = list(_parts(movie))
    media = max(1, sum(1 for kind, _, _ in found if kind == "mdat"))
    faults, piece = [], 0
    for row, (kind, low, high) in zip(rows, found, strict=False):
        piece += kind == "mdat"
        if row == [kind, high - low, _digest(movie, low, high)]:
            continue
        where = f"bytes {low} to {high - 1} ({kind}"
        share = f", {100 * (piece - 1) // media} % to {-(-100 * piece // media)} % of the pictures' bytes"
        faults.append(f"{where}{share if kind == 'mdat' else ''}) were altered")
    if len(rows) != len(found):
        faults.append(f"has {len(found)} parts, {len(rows)} were signed")
    return faults


def _parts(movie: bytes) -> Iterator[tuple[str, int, int]]:
    """Kind, and first and last byte of each part; headers are parts of their boxes."""
    start = 0
    for kind, low, high in boxes(movie, 0, len(movie)):
        name = kind.decode("ascii", "backslashreplace")
        if kind == _MEDIA:
            yield f"{name} header", start, low
            step = max(_LEAST_PIECE, -(-(high - low) // _MOST_PIECES))
            yield from ((name, at, min(at + step, high)) for at in range(low, high, step))
        elif kind == _INDEX:
            yield name, start, low  # its size, and that it is there
        elif not is_manifest(kind, movie, low):
            yield name, start, high
        start = high


def _digest(movie: bytes, low: int, high: int) -> str:
    return hashlib.sha256(movie[low:high]).digest()[:_DIGEST_BYTES].hex()
