# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A leaf as proofs and attestations carry it: as few bytes as lead back to exactly the leaf of the ledger.

A list of three: the fields with their usual names as numbers, a bit for each name whose value is a hash, and those
hashes one after the other. Usual words are CBOR simple values, stamps are differences from the frame's, and what is
the same in every leaf of today (version, kind) is left out. Guarantees: a leaf that would not lead back to the same
bytes is carried as it is; ``unpack_leaf`` of ``pack_leaf`` is the leaf, always. Leaves out what a leaf means.
"""

from __future__ import annotations

from typing import Any

import cbor2

from vidgen_nodes.errors import VerificationError

# Position is the number: names may be added at the end, never moved. The first 24 take one byte.
NAMES = (
    "mission", "origin", "label", "seq", "stamp_ns", "segment", "bundle", "tick", "causes", "gate", "cells_open",
    "pixels_drawn", "pixels_outside", "late", "sigma_px", "nav_stamp_ns", "map_stamp_ns", "marks", "clock_offset_ns",
    "nav", "map", "gimbal", "building", "scenario", "cause", "v", "kind", "recording", "previous", "statement",
    "software", "config", "review", "before", "records", "leaks_closed",
)  # fmt: skip
_NUMBERS = {name: number for number, name in enumerate(NAMES)}
# Likewise: names whose values are hashes, a bit each.
HASHES = (
    "frame", "inputs", "physics", "config", "software", "map", "scenario", "building", "view", "columns", "paths",
    "attestation", "review", "previous", "recording", "statement",
)  # fmt: skip
_BITS = {name: number for number, name in enumerate(HASHES)}
# Likewise; CBOR has twenty such values of one byte.
_WORDS = (
    "live", "replay", "sim", "SYN", "AIGC", "pose_old", "no_camera_info", "camera_info_mismatch", "frozen_thermal",
    "no_pose", "pose_stale", "rtk_lost", "no_gimbal", "gimbal_stale", "no_map", "map_stale", "map_missing",
    "no_building", "no_scenario", "not_reviewed",
)  # fmt: skip
_BY_WORD = {word: cbor2.CBORSimpleValue(number) for number, word in enumerate(_WORDS)}
_USUAL = {"v": 1, "kind": "frame"}
_STAMP = "stamp_ns"
_FROM_STAMP = ("nav_stamp_ns", "map_stamp_ns")  # 0: there is none
_HASH_BYTES = 32


def pack_leaf(leaf: bytes) -> object:
    """A leaf in fewer bytes, or as it is where that would not lead back to the same ones."""
    try:
        packed = _packed(cbor2.loads(leaf))
        if unpack_leaf(packed) == leaf:
            return packed
    except Exception:  # noqa: BLE001, S110  # any leaf can be proved, whatever it holds
        pass
    return leaf


def unpack_leaf(packed: object) -> bytes:
    """The reverse of ``pack_leaf``.

    Raises:
        VerificationError: it is of another form, or names a field that this program does not know.
    """
    if isinstance(packed, bytes):
        return packed
    if not isinstance(packed, list) or [type(item) for item in packed] != [dict, int, bytes]:
        raise VerificationError("proof: the leaf is of another form")
    fields, bits, hashes = packed
    named = [name for number, name in enumerate(HASHES) if bits >> number & 1]
    if bits < 0 or bits >> len(HASHES):
        raise VerificationError("proof: the leaf has an unknown field; a newer vidgen made it")
    if len(hashes) != _HASH_BYTES * len(named):
        raise VerificationError(f"proof: the leaf has {len(hashes)} bytes of hashes for {len(named)} fields")
    leaf: dict[str, Any] = {**_USUAL, **_unpacked(fields)}
    for place, name in enumerate(named):
        leaf[name] = hashes[_HASH_BYTES * place : _HASH_BYTES * (place + 1)]
    for name in _FROM_STAMP:
        if name in leaf:
            leaf[name] = 0 if leaf[name] is None else leaf[name] + leaf[_STAMP]
    return cbor2.dumps(leaf, canonical=True)


def _packed(leaf: dict[str, Any]) -> object:
    fields = {name: value for name, value in leaf.items() if name not in _USUAL or _USUAL[name] != value}
    hashes = {name: value for name, value in fields.items() if name in _BITS and _is_hash(value)}
    rest = {name: value for name, value in fields.items() if name not in hashes}
    for name in _FROM_STAMP:
        if name in rest:
            rest[name] = rest[name] - leaf[_STAMP] if rest[name] else None
    listed = sorted(hashes, key=_BITS.__getitem__)
    bits = sum(1 << _BITS[name] for name in listed)
    return [_shortened(rest), bits, b"".join(hashes[name] for name in listed)]


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == _HASH_BYTES


def _shortened(value: object) -> object:
    if isinstance(value, dict):
        return {_NUMBERS.get(key, key): _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return _BY_WORD.get(value, value) if isinstance(value, str) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(key): _unpacked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unpacked(item) for item in value]
    if isinstance(value, cbor2.CBORSimpleValue):
        if value.value >= len(_WORDS):
            raise VerificationError("proof: the leaf has an unknown word; a newer vidgen made it")
        return _WORDS[value.value]
    return value


def _name(key: object) -> str:
    if isinstance(key, str):
        return key
    if type(key) is int and 0 <= key < len(NAMES):
        return NAMES[key]
    raise VerificationError(f"proof: the leaf has the unknown field number {key!r}; a newer vidgen made it")
