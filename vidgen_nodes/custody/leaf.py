# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a leaf of the ledger says, and how its fields must look.

A ``frame`` leaf binds one overlay to everything that made it; a ``segment`` leaf says why records
begin again (start, restart, clock jump) and with which software, configuration and recording.
Hashes named in ``RECORDS`` address records stored beside the leaves; ``frame`` and ``map`` are hashes
of things that are not stored and can be derived again. Leaves out hashing, storage and proofs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import cbor2

from vidgen_nodes.custody.digest import (
    RunDigests,
    canonical,
    dataclass_record,
    frame_digest,
    inputs_record,
    sha256,
)
from vidgen_nodes.custody.trace import FrameTrace
from vidgen_nodes.errors import RecordError, VerificationError
from vidgen_nodes.packets import Bundle, GateReport, Overlay, PhysicsRef, Scenario, UncertaintyMap

if TYPE_CHECKING:
    from vidgen_nodes.custody.committer import ObstacleCommitter
    from vidgen_nodes.generation.debris import DebrisBox
    from vidgen_nodes.generation.generator import WorldState
    from vidgen_nodes.scene.compose import Scene

VERSION = 1
FRAME = "frame"
SEGMENT = "segment"
RETENTION = "retention"  # cause of the segment that says which records were deleted
PAYLOAD = ("inputs", "physics", "view")  # records of a frame that may be deleted; parameters go with physics
HASH_BYTES = 32
_REF_FIELDS = 5
RECORDS = {
    FRAME: (
        "inputs",
        "scenario",
        "physics",
        "config",
        "software",
        "building",
        "review",
        "view",
        "columns",
        "paths",
    ),
    SEGMENT: ("software", "config", "recording", "statement"),
}

_HASH, _HASH_OR_NONE = (bytes,), (bytes, type(None))
_FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    FRAME: {
        "v": (int,),
        "kind": (str,),
        "mission": (str,),
        "origin": (str,),  # live | sim | replay
        "label": (str,),  # SYN | AIGC
        "seq": (int,),  # frames of this ledger, from 0
        "stamp_ns": (int,),
        "segment": (int,),  # of the bundle: clock jumps seen by sync
        "bundle": (int,),  # number of the bundle in its segment
        "tick": (int,),  # of the world
        "frame": _HASH,
        "map": _HASH_OR_NONE,
        "inputs": _HASH,
        "scenario": _HASH_OR_NONE,
        "physics": _HASH,  # of [element, source, version, parameters_sha256, seed] of each kind drawn
        "config": _HASH,
        "software": _HASH,
        "building": _HASH_OR_NONE,
        "causes": (list,),
        "gate": (dict,),
        "late": (dict,),
        "sigma_px": (float, type(None)),  # null: not known
        "nav_stamp_ns": (int,),  # 0: none
        "map_stamp_ns": (int,),  # 0: none
    },
    SEGMENT: {
        "v": (int,),
        "kind": (str,),
        "cause": (str,),
        "previous": _HASH_OR_NONE,  # root before this leaf; null: it is the first
        "software": _HASH_OR_NONE,
        "config": _HASH_OR_NONE,
        "recording": _HASH_OR_NONE,
    },
}
# Left out where there is nothing to say, and by older versions.
_OPTIONAL: dict[str, dict[str, tuple[type, ...]]] = {
    FRAME: {
        "attestation": _HASH,  # of which cells carry obstacles, under which rule (``obstacles.py``)
        "review": _HASH,  # of the signed statement by which the scenario was validated
        "view": _HASH,  # of the camera's pose and calibration (``trace.py``); without it the pose is not known
        "columns": _HASH,  # of the columns that the LiDAR opened
        "marks": (list,),  # doubts that hid nothing
        "clock_offset_ns": (
            int,
        ),  # camera clock minus navigation's, taken out of the stamp to place the frame
        "paths": _HASH,  # of the columns that fire may fill, and the ways through the building model
    },
    SEGMENT: {"statement": _HASH},  # a reviewer's, signed
}
_OPEN_ENDED = {SEGMENT}  # a caller may add what explains the segment

Leaf = dict[str, object]
Records = dict[bytes, bytes]  # by SHA-256


class FrameLeaves:
    """Makes the leaves of frames; records that did not change since the frame before are not made again."""

    def __init__(self, committer: ObstacleCommitter | None = None) -> None:
        """``committer``: None: frames commit to no obstacles."""
        self._committer = committer
        self._debris: Sequence[DebrisBox] = ()
        self._debris_map: UncertaintyMap | None = None
        self._attestation: bytes | None = None
        self._review, self._review_record = b"", b""
        self.trace = FrameTrace()
        self._scenario: Scenario | None = None
        self._scenario_record = b""
        self._physics: tuple[PhysicsRef, ...] | None = None
        self._physics_hash = b""
        self._physics_records: Records = {}

    def make(
        self,
        seq: int,
        digests: RunDigests,
        bundle: Bundle,
        scene: Scene,
        world: WorldState,
        overlay: Overlay,
        report: GateReport,
    ) -> tuple[Leaf, Records]:
        """The leaf of one frame and the records that it refers to.

        Raises:
            RecordError: something in it has no canonical form, or its physics hashes do not fit the numbers.
        """
        records: Records = {
            digests.config_sha256: digests.config_record,
            digests.software_sha256: digests.software_record,
        }
        if digests.building:
            records[digests.building] = digests.building_record
        umap = scene.uncertainty_map
        leaf: Leaf = {
            "v": VERSION,
            "kind": FRAME,
            "mission": digests.mission,
            "origin": digests.origin,
            "label": digests.label_code,
            "seq": seq,
            "stamp_ns": bundle.stamp_ns,
            "segment": bundle.segment,
            "bundle": bundle.sequence,
            "tick": world.tick,
            "frame": frame_digest(overlay),
            "map": None if umap is None else umap.digest,
            "inputs": _put(inputs_record(bundle.sources), records),
            "scenario": self._scenario_hash(scene.scenario, records),
            "physics": self._physics_of(world, records),
            "config": digests.config_sha256,
            "software": digests.software_sha256,
            "building": digests.building or None,
            "causes": [cause.value for cause in scene.causes],
            "gate": {
                "cells_open": report.cells_open,
                "pixels_drawn": report.pixels_drawn,
                "pixels_outside": report.pixels_outside,
                # Which and why: the record ``columns``. A proof has no room for words.
                **({"leaks_closed": len(report.leaks_closed)} if report.leaks_closed else {}),
            },
            "late": dict(bundle.late),
            "sigma_px": float(scene.sigma_px),
            "nav_stamp_ns": bundle.nav_stamp_ns,
            "map_stamp_ns": 0 if umap is None else umap.stamp_ns,
        }
        if bundle.marks:
            leaf["marks"] = [mark.value for mark in bundle.marks]
        if bundle.clock_offset_ns:
            leaf["clock_offset_ns"] = bundle.clock_offset_ns
        attestation = self.commit(scene, world)
        if attestation is not None:
            leaf["attestation"] = attestation
        if scene.review:
            leaf["review"] = self._review_hash(scene.review, records)
        self.trace.add_to(leaf, records, scene, world)
        return leaf, records

    def commit(self, scene: Scene, world: WorldState) -> bytes | None:
        """The commitment to the cells that carry obstacles, worked out once for each map and list of cells.

        Raises:
            CustodyError: what it takes to open it cannot be kept.
        """
        umap, debris = scene.uncertainty_map, world.debris
        if self._committer is None or not debris or umap is None:
            return None
        if (
            debris is not self._debris or umap is not self._debris_map
        ):  # the same objects as long as they hold
            cells = (cell for box in debris for cell in (box.cell, *box.beside))
            self._attestation = self._committer.commit(umap, cells)
            self._debris, self._debris_map = debris, umap
        return self._attestation

    def _review_hash(self, review: bytes, records: Records) -> bytes:
        if review is not self._review:
            self._review, self._review_record = review, canonical(review)
        return _put(self._review_record, records)

    def _scenario_hash(self, scenario: Scenario | None, records: Records) -> bytes | None:
        if scenario is None:
            return None
        if scenario is not self._scenario:
            self._scenario, self._scenario_record = scenario, dataclass_record(scenario)
        return _put(self._scenario_record, records)

    def _physics_of(self, world: WorldState, records: Records) -> bytes:
        if world.physics != self._physics:  # the references hold the hashes of the numbers
            made: Records = {}
            rows = [[p.element, p.source, p.version, p.parameters_sha256, p.seed] for p in world.physics]
            self._physics_hash = _put(canonical(rows), made)
            for ref in world.physics:
                key = ref.parameters_sha256  # the constants of a run are most of the bytes, and known already
                made[key] = self._physics_records.get(key) or _element_record(ref, world.parameters)
            self._physics, self._physics_records = tuple(world.physics), made
        records.update(self._physics_records)
        return self._physics_hash


def _element_record(ref: PhysicsRef, parameters: Mapping[str, object]) -> bytes:
    """The numbers that drew an element, in the bytes that have the hash which its reference names."""
    if ref.element not in parameters:
        raise RecordError(f"physics: there are no parameters of the element {ref.element!r}")
    record = canonical(parameters[ref.element])
    if sha256(record) != ref.parameters_sha256:
        record = cbor2.dumps(parameters[ref.element], canonical=True)  # hashed with its minus zeros
    if sha256(record) != ref.parameters_sha256:
        raise RecordError(f"physics: the parameters of {ref.element!r} do not have the hash that it names")
    return record


def _put(record: bytes, records: Records) -> bytes:
    key = sha256(record)
    records[key] = record
    return key


def segment_leaf(segment: Mapping[str, object], previous: bytes | None) -> tuple[Leaf, Records]:
    """The leaf that opens a segment and the records that it refers to.

    Args:
        segment: ``cause`` and, each optional, ``software``, ``config``, ``recording`` and ``statement`` (plain
            values, stored as records of their own); anything else is kept in the leaf as it is.
        previous: root of the log before this leaf, None if it is the first.

    Raises:
        RecordError: no cause, or something without canonical form.
    """
    cause = segment.get("cause")
    if not isinstance(cause, str) or not cause:
        raise RecordError(f"segment: got cause {cause!r}, expected a word such as 'start'")
    reserved = sorted({"v", "kind", "previous"} & set(segment))
    if reserved:
        raise RecordError(f"segment: {reserved[0]!r} is set by the ledger; leave it out")
    records: Records = {}
    leaf: Leaf = {**segment, "v": VERSION, "kind": SEGMENT, "previous": previous}
    for name in RECORDS[SEGMENT]:
        value = segment.get(name)
        leaf[name] = None
        if value is None and name in _OPTIONAL[SEGMENT]:
            del leaf[name]
        elif value is not None:
            leaf[name] = _put(canonical(value), records)
    return leaf, records


def physics_refs(record: object) -> tuple[PhysicsRef, ...]:
    """The references of a decoded physics record.

    Raises:
        VerificationError: it is not one.
    """
    if not isinstance(record, list) or any(
        not isinstance(row, list) or len(row) != _REF_FIELDS for row in record
    ):
        raise VerificationError("expected [element, source, version, parameters_sha256, seed] rows")
    refs = tuple(PhysicsRef(*row) for row in record)
    if any(type(ref.parameters_sha256) is not bytes for ref in refs):
        raise VerificationError("expected the hash of the parameters as bytes")
    return refs


def retained_from(leaf: object) -> int:
    """Leaf before which a retention segment says that payload records were deleted; 0: it is none."""
    if not isinstance(leaf, dict) or leaf.get("cause") != RETENTION:
        return 0
    before = leaf.get("before")
    return before if type(before) is int and before > 0 else 0


def leaf_fault(leaf: object) -> str:
    """What is wrong with the form of a decoded leaf; empty if nothing is."""
    if not isinstance(leaf, dict):
        return f"is a {type(leaf).__name__}, expected a map"
    kind = leaf.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return f"has the unknown kind {kind!r}, expected one of {', '.join(_FIELDS)}"
    if leaf.get("v") != VERSION:
        return f"has version {leaf.get('v')!r}, this program reads version {VERSION}"
    optional = {name: types for name, types in _OPTIONAL[kind].items() if name in leaf}
    fields = _FIELDS[kind] | optional if optional else _FIELDS[kind]
    for name, types in fields.items():
        if name not in leaf:
            return f"lacks the field {name!r}"
        value = leaf[name]
        if type(value) not in types:
            return f"has {name} of type {type(value).__name__}, expected {types[0].__name__}"
        if type(value) is bytes and len(value) != HASH_BYTES:
            return f"has {name} of {len(value)} bytes, expected a hash of {HASH_BYTES}"
    if len(leaf) == len(fields):
        return ""
    unknown = set() if kind in _OPEN_ENDED else set(leaf) - set(fields)
    return f"has the unknown field {min(unknown, key=str)!r}" if unknown else ""
