# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every byte of a C2PA manifest store in an MP4 file, PNG or JPEG is signed, or is exactly what it has to be.

C2PA leaves a thousand bytes of a manifest under no signature: names of boxes, sizes that nobody reads, and padding.
Whoever hides something there is not found by a C2PA reader. Guarantees: a store passes only if its boxes fill it to
the byte, carry the names of the specification (C2PA 2.x, JUMBF ISO 19566-5), and its padding is zero; a fault names
the byte of the file. Leaves out everything that is signed: that is for the reader (``content_credentials.py``).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import cbor2

from vidgen_nodes.delivery.manifest_store import Store, find_store
from vidgen_nodes.errors import VerificationError

_SUFFIX = bytes.fromhex("00110010800000aa00389b71")  # of the type of every box that C2PA names
_TOGGLES = 3  # may be asked for by its name, and has one
_SALTED = 16  # and is followed by a box of its own
_SALT = b"\0\0\0\x18c2sh"
_STORE, _MANIFEST, _ASSERTIONS, _CLAIM, _SIGNATURE = b"c2pa", b"c2ma", b"c2as", b"c2cl", b"c2cs"
_LABELS = {
    _STORE: "c2pa",
    _ASSERTIONS: "c2pa.assertions",
    _CLAIM: "c2pa.claim.v2",
    _SIGNATURE: "c2pa.signature",
}
_PARTS = (_ASSERTIONS, _CLAIM, _SIGNATURE)
_HEADER = 8
_COSE_SIGN1 = 18
_COSE_PARTS = 4
_UNSIGNED = ("pad", "pad2")


def check_form(data: bytes) -> None:
    """Check the manifest store of a file.

    Raises:
        VerificationError: some byte in it that no signature covers is not what it has to be; says which.
    """
    store = find_store(data)
    top = _super_box(store, 0, len(store.body))
    _expect(store, top, _STORE)
    (manifest,) = _several(store, top.children, 1, "manifests")
    inner = _super_box(store, *manifest)
    if inner.kind != _MANIFEST:
        raise _fault(store, manifest[0], f"is a box of the type {inner.kind!r}, expected a manifest")
    parts = [_super_box(store, *child) for child in _several(store, inner.children, len(_PARTS), "parts")]
    for part, kind in zip(parts, _PARTS, strict=True):
        _expect(store, part, kind)
    for child in parts[0].children:
        _super_box(store, *child, salted=True)
    _check_signature(store, parts[2])


@dataclass(frozen=True)
class _Box:
    start: int  # of its header, in the store
    kind: bytes
    label: str
    children: list[tuple[int, int]]  # start and end of each, headers included


def _super_box(store: Store, start: int, end: int, *, salted: bool = False) -> _Box:
    kind, low, high = _box(store, start, end)
    if kind != b"jumb" or high != end:
        raise _fault(store, start, "expected a box that fills its place")
    kind, head, tail = _box(store, low, high)
    described = store.body[head:tail]
    label, ending, rest = described[17:].partition(b"\0")
    toggles = _TOGGLES | (_SALTED if salted and rest else 0)
    if kind != b"jumd" or not ending or described[4:16] != _SUFFIX or described[16] != toggles:
        raise _fault(store, low, "expected the description of a box")
    if rest and not (salted and rest.startswith(_SALT) and len(rest) == rest[3]):
        raise _fault(store, tail - len(rest), "holds more than the name of a box")
    children = []
    while tail < high:
        _, _, after = _box(store, tail, high)
        children.append((tail, after))
        tail = after
    return _Box(start, described[:4], label.decode("utf-8", "replace"), children)


def _box(store: Store, start: int, end: int) -> tuple[bytes, int, int]:
    """Kind, and first and last byte of the body."""
    if start + _HEADER > end:
        raise _fault(store, start, "is no box")
    size, kind = struct.unpack_from(">I4s", store.body, start)
    if size < _HEADER or start + size > end:
        raise _fault(store, start, f"a box of {size} bytes does not fit into its place")
    return kind, start + _HEADER, start + size


def _expect(store: Store, box: _Box, kind: bytes) -> None:
    if box.kind != kind or box.label != _LABELS[kind]:
        raise _fault(store, box.start, f"a box is named {box.label[:40]!r}, expected {_LABELS[kind]!r}")


def _several(store: Store, children: list[tuple[int, int]], count: int, what: str) -> list[tuple[int, int]]:
    if len(children) != count:
        raise _fault(store, 0, f"holds {len(children)} {what}, expected {count}")
    return children


def _check_signature(store: Store, box: _Box) -> None:
    """COSE_Sign1 in its one form, with nothing unsigned but zeros."""
    ((start, end),) = _several(store, box.children, 1, "signatures")
    kind, low, high = _box(store, start, end)
    content = store.body[low:high]
    try:
        signed = cbor2.loads(content)
        once_more = cbor2.dumps(signed)
    except Exception as err:  # altered bytes can make the decoder raise anything
        raise _fault(store, low, f"the signature cannot be read: {err!r:.80}") from err
    value = signed.value if isinstance(signed, cbor2.CBORTag) and signed.tag == _COSE_SIGN1 else None
    unsigned = value[1] if isinstance(value, (list, tuple)) and len(value) == _COSE_PARTS else None
    if (
        kind != b"cbor"
        or once_more != content
        or not isinstance(unsigned, Mapping)
        or value is None
        or value[2] is not None  # the payload is elsewhere; "undefined" would be read alike
    ):
        raise _fault(store, low, "the signature is not in the one form that it has")
    for name, padding in unsigned.items():
        if name not in _UNSIGNED or not isinstance(padding, bytes):
            raise _fault(store, low, f"the signature carries {name!r:.40}, which nobody signed")
        if any(padding):
            place = low + content.index(padding) + next(at for at, byte in enumerate(padding) if byte)
            raise _fault(store, place, "the padding is not zero")


def _fault(store: Store, place: int, why: str) -> VerificationError:
    return VerificationError(f"content credentials: byte {store.place(place)} of the file was altered: {why}")
