# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a clip says of itself: records, sensors, physics, SOP, software, reviews. All of it read off the ledger.

Plain JSON values, signed twice: in the clip (C2PA) and beside it (DSSE). Guarantees: every hash is one that the
leaves of the frames name, so it can be followed into the ledger. Leaves out whether the sensors told the truth,
whether the SOP was right, and the time by any clock but those that witnesses signed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidgen_nodes.custody.dsse import Envelope
from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.note import cosigned_s
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.scenario_review import PREDICATE as SCENARIO_REVIEW
from vidgen_nodes.custody.statement import read_statement
from vidgen_nodes.delivery.label import mark_text
from vidgen_nodes.delivery.tag_strip import PREFIX_BYTES
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.export.approval import Verdict
from vidgen_nodes.export.frames import RecordedFrame


@dataclass(frozen=True)
class Bindings:
    """What a clip is bound to besides its frames."""

    verdicts: Sequence[Verdict]
    background: str  # camera | none
    recording: Sequence[Mapping[str, Any]]  # files that the pictures came from: name, bytes, sha256
    needs_review: bool


def clip_claims(reader: LedgerReader, frames: Sequence[RecordedFrame], bound: Bindings) -> dict[str, Any]:
    """The claims of a clip of these frames.

    Raises:
        VerificationError: records that the leaves name are not in the ledger.
    """
    first, last = frames[0], frames[-1]
    return {
        "mission": str(first.leaf["mission"]),
        "origin": str(first.leaf["origin"]),
        "label": {"code": first.code, "text": mark_text(first.code)},
        "time_ns": [first.stamp_ns, last.stamp_ns],
        "frames": [
            [f.pointer.leaf_index, f.stamp_ns, f.pointer.leaf_hash[:PREFIX_BYTES].hex()] for f in frames
        ],
        "synthetic": _synthetic(frames),
        "sensors": _sensors(reader, frames),
        "recording": [dict(item) for item in bound.recording],
        "sop": _named(reader, frames, "scenario"),
        "building": _named(reader, frames, "building"),
        "physics": _physics(reader, frames),
        "software": _software(reader, frames),
        "config_sha256": _hashes(frames, "config"),
        "sop_reviews": _sop_reviews(reader, frames),
        "reviews": [verdict.as_json() for verdict in bound.verdicts],
        "review_policy": "required" if bound.needs_review else "not required",
        "background": bound.background,
        "validated": [_validated(reader, verdict.leaf_index) for verdict in bound.verdicts],
    }


def _hashes(frames: Sequence[RecordedFrame], name: str) -> list[str]:
    return sorted({frame.leaf[name].hex() for frame in frames if isinstance(frame.leaf.get(name), bytes)})


def _synthetic(frames: Sequence[RecordedFrame]) -> dict[str, Any]:
    gates = [frame.leaf.get("gate") or {} for frame in frames]
    return {
        "frames": len(frames),
        "frames_drawn": sum(1 for gate in gates if gate.get("pixels_drawn")),
        "pixels_drawn_most": max(int(gate.get("pixels_drawn", 0)) for gate in gates),
        "pixels_outside_gate": sum(int(gate.get("pixels_outside", 0)) for gate in gates),
        "causes": sorted({str(cause) for frame in frames for cause in frame.leaf.get("causes") or []}),
    }


def _sensors(reader: LedgerReader, frames: Sequence[RecordedFrame]) -> list[dict[str, Any]]:
    """Every topic that entered the frames: type, messages, and one hash over theirs in the order of the frames."""
    types: dict[str, str] = {}
    counts: dict[str, int] = {}
    digests: dict[str, Any] = {}
    for frame in frames:
        for topic, kind, _, digest in input_rows(reader, frame):
            types[topic] = kind
            counts[topic] = counts.get(topic, 0) + 1
            digests.setdefault(topic, hashlib.sha256()).update(digest)
    return [
        {
            "topic": topic,
            "type": types[topic],
            "messages": counts[topic],
            "sha256": digests[topic].hexdigest(),
        }
        for topic in sorted(types)
    ]


def input_rows(reader: LedgerReader, frame: RecordedFrame) -> list[tuple[str, str, int, bytes]]:
    """Topic, type, stamp and hash of every message that entered a frame.

    Raises:
        VerificationError: the record is missing or of another form.
    """
    where = f"inputs of leaf {frame.pointer.leaf_index}"
    rows = reader.record(frame.leaf["inputs"])
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 4 for row in rows):
        raise VerificationError(f"{where}: expected [topic, type, stamp, sha256] rows")
    return [(str(topic), str(kind), int(stamp), bytes(digest)) for topic, kind, stamp, digest in rows]


def _named(reader: LedgerReader, frames: Sequence[RecordedFrame], what: str) -> list[dict[str, str]]:
    found = []
    for digest in _hashes(frames, what):
        record = reader.record(bytes.fromhex(digest))
        name = str(record.get("name", "")) if isinstance(record, dict) else ""
        found.append({"name": name, "sha256": digest})
    return found


def _physics(reader: LedgerReader, frames: Sequence[RecordedFrame]) -> list[dict[str, Any]]:
    """Each source of physics, the hash of its numbers in the first frame that it drew, and how often they changed."""
    found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    seen: set[bytes] = set()
    for frame in frames:
        digest = frame.leaf["physics"]
        if digest in seen:
            continue
        seen.add(digest)
        for ref, numbers in reader.physics(digest):
            key = (ref.element, ref.source, ref.version, ref.seed)
            if key not in found:
                found[key] = {
                    "element": ref.element,
                    "source": ref.source,
                    "version": ref.version,
                    "seed": ref.seed,
                    "parameters_sha256": ref.parameters_sha256.hex(),
                    "parameters": _plain(numbers),
                    "states": 0,
                }
            found[key]["states"] += 1
    return list(found.values())


def _software(reader: LedgerReader, frames: Sequence[RecordedFrame]) -> list[dict[str, Any]]:
    found = []
    for digest in _hashes(frames, "software"):
        record = reader.record(bytes.fromhex(digest))
        said = _plain(record) if isinstance(record, dict) else {}
        found.append({**said, "sha256": digest})
    return found


def _sop_reviews(reader: LedgerReader, frames: Sequence[RecordedFrame]) -> list[dict[str, Any]]:
    """Who validated the scenarios that were drawn, each in the words that they signed."""
    found = []
    for digest in _hashes(frames, "review"):
        data = reader.record(bytes.fromhex(digest))
        if not isinstance(data, bytes):
            raise VerificationError(f"record {digest}: expected the signed review of a scenario")
        said = read_statement(Envelope.decode(data), SCENARIO_REVIEW).predicate
        kept = {
            name: said.get(name) for name in ("scenario", "verdict", "reviewer", "seconds_viewed", "made_s")
        }
        found.append({**kept, "sha256": digest, "statement": base64.b64encode(data).decode()})
    return found


def _validated(reader: LedgerReader, leaf_index: int) -> dict[str, Any]:
    """When a verdict was there at the latest, by the clocks of those who signed: witnesses, and the session key.

    The first head over it that a witness signed; where none did, the first.
    """
    path = heads_path(reader.path)
    said: dict[str, Any] = {"review_leaf": leaf_index, "head": None}
    if not path.is_file():
        return said
    with HeadStore(path) as store:
        sizes = [size for size in store.sizes() if size > leaf_index]
        if not sizes:
            return said
        heads = map(store.at, sizes)
        head = next((found for found in heads if found.cosignatures), None) or store.at(sizes[0])
    session = head.chain.session
    said["head"] = {"size": head.head.size, "root": head.head.root.hex(), "log": head.head.origin}
    said["session_s"] = [session.not_before_s, session.not_after_s]
    said["cosigned"] = [{"by": line.name, "time_s": cosigned_s(line)} for line in head.cosignatures]
    return said


def _plain(value: object) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
