# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes of a record and the hashes of pixels, maps and inputs.

Guarantees: equal content gives equal bytes on every machine, and hashes of different kinds of thing
cannot be confused (each starts with its own tag). Leaves out: who signs, and where records are kept.

Canonical form is deterministic CBOR (RFC 8949 section 4.2.3, length-first keys, shortest floats) under
four rules of our own: NaN ("not known") becomes null, -0.0 becomes 0.0, infinity is refused, and
integers must fit 64 bits. Null therefore does not tell an absent value from an unknown one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import cbor2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import RecordError
from vidgen_nodes.packets import Grid, Overlay, SourceRef

if TYPE_CHECKING:
    from vidgen_nodes.params import NodeParams
    from vidgen_nodes.scene.building import Building

_FRAME_TAG = b"vidgen/frame/2\0"
_MAP_TAG = b"vidgen/map/2\0"
_INFINITY = float("inf")
_TEXT = frozenset((str,))
_FLAT = frozenset((str, bytes, int, bool, type(None)))
_REFERENCE = [str, str, int, bytes]  # what a source reference is made of
LABEL_PROCEDURAL = "SYN"  # procedural pixels; "AIGC" is for pixels that a learned model drew


def sha256(data: bytes) -> bytes:
    """SHA-256 of a stored record; records are addressed by it."""
    return hashlib.sha256(data).digest()


def canonical(obj: object) -> bytes:
    """Canonical CBOR of null, bool, int, float, str, bytes, enums, sequences and maps with str keys.

    Raises:
        RecordError: infinity, an integer over 64 bits, another key or type; says where in ``obj``.
    """
    try:
        return cbor2.dumps(_normal(obj), canonical=True)
    except RecordError as err:
        raise RecordError(f"{_locate(obj) or 'value'}: {err}") from None


def is_canonical(value: object, encoded: bytes) -> bool:
    """Whether ``encoded``, which decodes to ``value``, is what ``canonical`` would have made of it."""
    return _is_normal(value) and cbor2.dumps(value, canonical=True) == encoded


def _is_normal(value: object) -> bool:
    kind = type(value)
    if kind is dict:
        if not set(map(type, value)) <= _TEXT:  # type: ignore[call-overload]
            return False
        items = value.values()  # type: ignore[attr-defined]
        return all(_is_normal(item) for item in items if type(item) not in _FLAT)
    if kind is list:
        return all(_is_normal(item) for item in value if type(item) not in _FLAT)  # type: ignore[attr-defined]
    if kind is float:
        return -_INFINITY < value < _INFINITY and (value != 0 or math.copysign(1, value) > 0)  # type: ignore[operator]
    return kind in _FLAT


def _normal(value: object) -> object:
    kind = type(value)
    if kind is str or kind is bytes or kind is bool or value is None:
        return value
    if kind is float:
        return _normal_float(value)  # type: ignore[arg-type]
    if kind is int:
        if not -(1 << 63) <= value < 1 << 64:  # type: ignore[operator]
            raise RecordError(f"got {value}, expected an integer of at most 64 bits")
        return value
    if kind is dict or isinstance(value, Mapping):
        return {_normal_key(key): _normal(item) for key, item in value.items()}  # type: ignore[attr-defined]
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    if isinstance(value, Enum):
        return _normal(value.value)
    if isinstance(value, (np.generic, np.ndarray)):
        return _normal(value.tolist())
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise RecordError(f"got {kind.__name__}, expected a plain value; convert it before it is recorded")


def _normal_float(value: float) -> float | None:
    if value != value:
        return None
    if value in (_INFINITY, -_INFINITY):
        raise RecordError(f"got {value}, expected a finite number or NaN for 'not known'")
    return value + 0.0  # -0.0 + 0.0 is 0.0


def _normal_key(key: object) -> str:
    key = key.value if isinstance(key, Enum) else key
    if type(key) is not str:
        raise RecordError(f"got the key {key!r} ({type(key).__name__}), expected a string")
    return key


def _locate(obj: object) -> str:
    """Path of the first element that has no canonical form; only walked after a refusal."""
    if isinstance(obj, np.ndarray):
        obj = obj.tolist()
    if isinstance(obj, Mapping):
        children: Iterable[tuple[object, object]] = obj.items()
    elif isinstance(obj, (list, tuple)):
        children = enumerate(obj)
    else:
        return ""
    for name, child in children:
        if _is_refused(child):
            rest = _locate(child)
            return f"{name}.{rest}" if rest else str(name)
    return ""


def _is_refused(value: object) -> bool:
    try:
        _normal(value)
    except RecordError:
        return True
    return False


def dataclass_record(obj: object) -> bytes:
    """Canonical form of a dataclass: its fields by name, without ``digest`` and private ones.

    A scenario's and a building's digest is ``sha256(dataclass_record(it))``: the bytes that hash to it
    are what the ledger stores.

    Raises:
        RecordError: a field has no canonical form.
    """
    return canonical(_plain(obj))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in dataclasses.fields(value) if not _is_unsaid(value, item)]
        return {n: _plain(getattr(value, n)) for n in names if n != "digest" and not n.startswith("_")}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _is_unsaid(value: object, item: dataclasses.Field[object]) -> bool:
    """Whether a field came later than the first records and has its default: those records keep their hash."""
    return bool(item.metadata.get("if_said")) and getattr(value, item.name) == item.default


def frame_digest(overlay: Overlay) -> bytes:
    """SHA-256 of a drawn overlay: tag, size, and the smallest rectangle outside which every byte is zero.

    Content: tag, then width, height, left, top, right, bottom as little-endian uint32 (right and bottom
    excluded; all four 0 when nothing is drawn), then the rectangle's RGBA rows, then its confidence rows.
    The rectangle follows from the picture, so equal hashes still mean equal pictures; most of an overlay is
    empty, and hashing all of it would cost a thermal frame a millisecond.

    Raises:
        RecordError: arrays of the wrong shape or type: such a picture cannot be derived again.
    """
    from vidgen_nodes.drawn import drawn_rectangle  # and OpenCV: who only reads a ledger needs neither

    rgba, confidence = overlay.rgba, overlay.confidence
    if rgba.ndim != 3 or rgba.shape[2] != 4 or confidence.shape != rgba.shape[:2]:
        raise RecordError(
            f"overlay: got rgba {rgba.shape} and confidence {confidence.shape}, expected (H, W, 4) and (H, W)"
        )
    if rgba.dtype != np.uint8 or confidence.dtype != np.uint8:
        raise RecordError(f"overlay: got {rgba.dtype} and {confidence.dtype}, expected uint8")
    rgba, confidence = np.ascontiguousarray(rgba), np.ascontiguousarray(confidence)
    left, top, right, bottom = drawn = drawn_rectangle(rgba, confidence)
    digest = hashlib.sha256(_FRAME_TAG + struct.pack("<6I", rgba.shape[1], rgba.shape[0], *drawn))
    digest.update(np.ascontiguousarray(rgba[top:bottom, left:right]).data)
    digest.update(np.ascontiguousarray(confidence[top:bottom, left:right]).data)
    return digest.digest()


def map_digest(stamp_ns: int, grid: Grid, *layers: npt.NDArray[np.generic]) -> bytes:
    """SHA-256 of stamp, grid and layers of an uncertainty map.

    Args:
        stamp_ns: stamp of the map.
        grid: its cells.
        layers: arrays of shape ``grid.shape`` in the order of ``UncertaintyMap`` (elevation, variance,
            uncertainty, entropy, roughness, deviation, surface variation, LoD95, observations, observed_ns,
            flags). Type and order count.

    Raises:
        RecordError: a layer that does not cover the grid.
    """
    origin = (grid.origin_east_m + 0.0, grid.origin_north_m + 0.0, grid.resolution_m)
    digest = hashlib.sha256(_MAP_TAG + struct.pack("<qdddII", stamp_ns, *origin, grid.rows, grid.cols))
    for layer in layers:
        if layer.shape != grid.shape:
            raise RecordError(f"map layer: got shape {layer.shape}, expected {grid.shape}")
        digest.update(layer.dtype.newbyteorder("<").str.encode().ljust(8, b"\0"))
        digest.update(np.ascontiguousarray(layer, dtype=layer.dtype.newbyteorder("<")).data)
    return digest.digest()


def inputs_record(sources: Iterable[SourceRef]) -> bytes:
    """Canonical ``[[topic, type, stamp_ns, sha256], ...]``, sorted: the order of arrival does not count."""
    rows = sorted([ref.topic, ref.type_name, ref.stamp_ns, ref.sha256] for ref in sources)
    if any([type(item) for item in row] != _REFERENCE for row in rows):
        return canonical(rows)
    # What a border checked is in normal form as it is; one frame has dozens of these.
    return cbor2.dumps(rows, canonical=True)


def inputs_digest(sources: Iterable[SourceRef]) -> tuple[bytes, bytes]:
    """SHA-256 of ``inputs_record`` and the record, of the messages that entered a frame."""
    record = inputs_record(sources)
    return sha256(record), record


@dataclass(frozen=True)
class RunDigests:
    """What does not change during a run, hashed once."""

    mission: str
    origin: str  # live | sim | replay
    label_code: str  # SYN | AIGC
    software: dict[str, object]
    config: dict[str, object]
    building: bytes  # SHA-256 of the building record; empty without a building
    software_record: bytes
    config_record: bytes
    building_record: bytes  # empty without a building
    software_sha256: bytes
    config_sha256: bytes

    def segment(self, cause: str, recording: object = None) -> dict[str, object]:
        """The ``segment`` argument of ``Ledger.open``: why records begin here, with what, from what.

        Args:
            cause: short token: start, restart, clock_jump ...
            recording: manifests of the recording that is played (``recording.file_manifest``), or None.
        """
        return {
            "cause": cause,
            "mission": self.mission,
            "origin": self.origin,
            "software": self.software,
            "config": self.config,
            "recording": recording,
        }


def run_digests(params: NodeParams, building: Building | None) -> RunDigests:
    """Hash software, configuration and building, once at the start of a run."""
    from vidgen_nodes.custody.identity import config_identity, software_identity

    software, config = software_identity(), config_identity(params)
    software_record, config_record = canonical(software), canonical(config)
    building_record = b"" if building is None else dataclass_record(building)
    return RunDigests(
        mission=params.generator.mission,
        origin=params.generator.origin,
        label_code=LABEL_PROCEDURAL,
        software=software,
        config=config,
        building=sha256(building_record) if building_record else b"",
        software_record=software_record,
        config_record=config_record,
        building_record=building_record,
        software_sha256=sha256(software_record),
        config_sha256=sha256(config_record),
    )
