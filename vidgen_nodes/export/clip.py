# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Exports a clip: an MP4 that is reviewed, anonymised, labelled and signed, its statement and its proof.

``clip.mp4`` carries everything that ``claims.py`` says; ``clip.statement.json`` binds that to the bytes of the file
(DSSE, signed by a session key that leads to the root key); ``clip.privacy.json`` says what was done to each
background; ``clip.proof`` proves that the export stands in the ledger. Guarantees: nothing is written without a
review where the policy asks for one, and no part of an export that failed stays. Leaves out the check (``check.py``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidgen_nodes.custody.keys import KeyRing, Session
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.lock import take_lock
from vidgen_nodes.custody.proof_maker import make_proof
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.segment_file import manifests
from vidgen_nodes.custody.signer import Signing, sign_ledger
from vidgen_nodes.custody.statement import Statement, sign_statement
from vidgen_nodes.delivery.content_credentials import Credentials
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.video import VideoFile
from vidgen_nodes.errors import ConfigError, CustodyError
from vidgen_nodes.export.approval import Policy, approvals, verdicts_of
from vidgen_nodes.export.background import PrivacyRecord
from vidgen_nodes.export.claims import Bindings, clip_claims
from vidgen_nodes.export.clip_files import BESIDE, CLIP, EXPORT, SIGNER, beside
from vidgen_nodes.export.frames import RecordedFrame, choose_frames
from vidgen_nodes.export.pictures import Source, make_pictures
from vidgen_nodes.packets import ByteArray
from vidgen_nodes.privacy.policy import constants
from vidgen_nodes.ros.bagfile import storage_files

_SIM = "sim"


@dataclass(frozen=True)
class ClipRequest:
    """What is to be exported, and how."""

    source: Source
    out: Path  # .mp4
    from_s: float = 0.0  # event time after the first frame
    to_s: float = float("inf")
    producer: str = "vidgen"
    policy: Policy = field(default_factory=Policy)
    signing: Signing = field(default_factory=Signing)  # who cosigns the heads over verdicts and export
    progress: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class ClipReport:
    """What was exported."""

    frames: int
    sha256: str
    statement: Path
    privacy: Path
    proof: Path | None  # None: the ledger is being written by somebody else, so the export is not in it
    reviews: int
    mosaicked: int  # backgrounds that were mosaicked as a whole because something failed


def export_clip(request: ClipRequest, ring: KeyRing, credentials: Credentials) -> ClipReport:
    """Export.

    Raises:
        InputError: not reviewed, rejected, or no frames in that stretch; nothing was written.
        VerificationError: pictures or records that are not those of the ledger; nothing stays.
        ConfigError: a file that cannot be written.
    """
    source, out = request.source, request.out
    if out.suffix != ".mp4" or out.exists():
        raise ConfigError(f"--out {out}: expected a new file with a name that ends in .mp4")
    _sign(request, ring)  # so that the clip can name witnesses of the verdicts
    with LedgerReader(source.ledger) as reader:
        frames = choose_frames(reader, request.from_s, request.to_s)
        policy = request.policy
        verdicts = approvals(frames, verdicts_of(reader, policy)) if policy.needs_review else []
        files = [] if source.bag is None else [_short(item) for item in manifests(storage_files(source.bag))]
        claims = clip_claims(
            reader, frames, Bindings(verdicts, source.background, files, policy.needs_review)
        )
    try:
        return _export(request, frames, claims, ring, credentials)
    except BaseException:
        for path in (out, *(beside(out, what) for what in BESIDE)):
            path.unlink(missing_ok=True)
        raise


def _export(
    request: ClipRequest,
    frames: list[RecordedFrame],
    claims: dict[str, Any],
    ring: KeyRing,
    credentials: Credentials,
) -> ClipReport:
    out = request.out
    privacy = _write_clip(request, frames, claims, credentials)
    digest = hashlib.sha256(out.read_bytes()).digest()
    session = ring.new_session(int(time.time()))
    statement = _statement(out, claims, digest, privacy, session)
    _write(beside(out, "privacy.json"), privacy)
    _write(beside(out, "statement.json"), statement)
    proof = _record(request, ring, frames, digest, hashlib.sha256(statement).digest())
    fallbacks = sum(1 for item in json.loads(privacy)["frames"] if item["fallback"])
    return ClipReport(
        len(frames),
        digest.hex(),
        beside(out, "statement.json"),
        beside(out, "privacy.json"),
        proof,
        len(claims["reviews"]),
        fallbacks,
    )


def _write_clip(
    request: ClipRequest, frames: list[RecordedFrame], claims: dict[str, Any], credentials: Credentials
) -> bytes:
    camera = request.source.background != "none" and claims["origin"] != _SIM
    origin = Origin(request.producer, camera=camera)
    records: list[dict[str, Any]] = []
    with VideoFile(request.out, _rate_hz(frames), origin, credentials, claims) as video:

        def sink(frame: RecordedFrame, picture: ByteArray, record: PrivacyRecord) -> None:
            video.write(label_below(picture, frame.pointer, frame.code))
            records.append({"leaf": frame.pointer.leaf_index, **record.as_json()})
            request.progress()

        make_pictures(request.source, frames, sink)
        privacy = _json({"frames": records, "policy": constants()})
        claims["privacy_sha256"] = hashlib.sha256(privacy).hexdigest()
        claims["exported_s"] = int(time.time())
    return privacy


def _rate_hz(frames: list[RecordedFrame]) -> float:
    span_s = (frames[-1].stamp_ns - frames[0].stamp_ns) / 1e9
    return (len(frames) - 1) / span_s if span_s > 0 else 25.0


def _statement(
    out: Path, claims: Mapping[str, Any], digest: bytes, privacy: bytes, session: Session
) -> bytes:
    chain = [base64.b64encode(link.encode()).decode() for link in (session.chain.unit, session.chain.session)]
    subjects = {out.name: digest, beside(out, "privacy.json").name: hashlib.sha256(privacy).digest()}
    statement = Statement(subjects, CLIP, {**claims, "certificates": chain})
    return sign_statement(statement, SIGNER, session.key).encode()


def _sign(request: ClipRequest, ring: KeyRing) -> None:
    """Sign what is not signed yet and ask the witnesses, unless a run is writing the ledger: that signs it."""
    try:
        os.close(take_lock(request.source.ledger))
    except CustodyError:
        return
    sign_ledger(request.source.ledger, ring, request.signing)


def _record(
    request: ClipRequest, ring: KeyRing, frames: list[RecordedFrame], digest: bytes, statement: bytes
) -> Path | None:
    """Say in the ledger what left, and prove that it says so."""
    ledger = request.source.ledger
    said = {
        "clip_sha256": digest,
        "statement_sha256": statement,
        "leaves": [frames[0].pointer.leaf_index, frames[-1].pointer.leaf_index],
    }
    try:
        with Ledger.open(ledger, segment={"cause": EXPORT, EXPORT: said}) as log:
            index = log.size - 1
    except CustodyError:  # a run is writing it: the statement beside the clip has to do
        return None
    sign_ledger(ledger, ring, request.signing)
    path = beside(request.out, "proof")
    _write(path, make_proof(ledger, index))
    return path


def _short(manifest: Mapping[str, object]) -> dict[str, object]:
    return {name: manifest[name] for name in ("name", "bytes", "sha256")}


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}") from err
